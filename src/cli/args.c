/* args.c: reads the command line by tables of options. A command has a table of its own and shares others, so the parser goes
 * through a list of tables; what is wrong is said with the nearest name, in the words of the table that the help shows too. */
#include "cli/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "sluice_program.h"

const cli_option *cli_find_long(const cli_option *const *tables, const char *name, size_t n) {
    for (size_t t = 0; tables[t]; t++)
        for (const cli_option *o = tables[t]; o->name; o++)
            if (strlen(o->name) == n && memcmp(o->name, name, n) == 0) return o;
    return NULL;
}

const cli_option *cli_find_letter(const cli_option *const *tables, char letter) {
    for (size_t t = 0; tables[t]; t++)
        for (const cli_option *o = tables[t]; o->name; o++)
            if (o->letter == letter) return o;
    return NULL;
}

static void join_formats(const json_t *formats, char *out, size_t size) {
    size_t i, n = 0;
    json_t *format;
    json_array_foreach(formats, i, format) {
        const char *name = json_string_value(json_object_get(format, "name"));
        int more = n < size ? snprintf(out + n, size - n, "%s%s", n ? " " : "", name ? name : "") : 0;
        n += more > 0 ? (size_t)more : 0;
    }
}

const char *cli_choices(const cli_option *o, char *out, size_t size) {
    if (!o->format) return o->choices;
    char *text = sl_describe_formats(NULL, NULL, NULL);
    json_t *formats = text ? json_loads(text, 0, NULL) : NULL;
    *out = 0;
    join_formats(formats, out, size);
    json_decref(formats);
    free(text);
    return out;
}

const char *cli_option_help(const cli_option *o, char *out, size_t size) {
    char formats[256];
    if (o->format)
        snprintf(out, size, "%s; %s", cli_choices(o, formats, sizeof formats), o->help);
    else if (o->fallback && o->arg != CLI_FLAG)
        snprintf(out, size, "%s (default %s)", o->help, o->fallback);
    else
        snprintf(out, size, "%s", o->help);
    return out;
}

static const char *nearest(const cli_option *const *tables, const char *name, size_t n) {
    const char *names[256];
    char word[64];
    size_t k = 0;
    for (size_t t = 0; tables[t]; t++)
        for (const cli_option *o = tables[t]; o->name && k < 255; o++) names[k++] = o->name;
    names[k] = NULL;
    snprintf(word, sizeof word, "%.*s", (int)n, name);
    return sl_suggest(word, names);
}

static bool unknown(cli_args *args, const cli_option *const *tables, const char *name, size_t n) {
    const char *meant = nearest(tables, name, n);
    if (meant)
        snprintf(args->error, sizeof args->error, "unknown option --%.*s, did you mean --%s?", (int)n, name,
                 meant);
    else
        snprintf(args->error, sizeof args->error, "unknown option --%.*s; --help lists those there are",
                 (int)n, name);
    return false;
}

static void give(cli_args *args, const cli_option *o, const char *value) {
    args->given[args->ngiven++] = (cli_given){o, value};
}

/* The value of O: behind its name, or the next word. */
static bool take_value(cli_args *args, const cli_option *o, const char *attached, int argc, char **argv,
                       int *i) {
    if (o->arg == CLI_FLAG && attached) {
        snprintf(args->error, sizeof args->error, "--%s takes no value", o->name);
        return false;
    }
    if (attached || o->arg != CLI_REQUIRED) {
        give(args, o, attached ? attached : "true");
        return true;
    }
    if (*i + 1 >= argc) {
        snprintf(args->error, sizeof args->error, "--%s needs a value: --%s %s", o->name, o->name, o->value);
        return false;
    }
    give(args, o, argv[++*i]);
    return true;
}

static bool parse_long(cli_args *args, const cli_option *const *tables, int argc, char **argv, int *i) {
    const char *name = argv[*i] + 2;
    size_t n = strcspn(name, "=");
    const cli_option *o = cli_find_long(tables, name, n);
    if (!o) return unknown(args, tables, name, n);
    return take_value(args, o, name[n] ? name + n + 1 : NULL, argc, argv, i);
}

/* Other programs write their output to what -o says. */
static bool unknown_letter(cli_args *args, const cli_option *const *tables, char letter) {
    bool output = letter == 'o' && cli_find_long(tables, "to", 2);
    snprintf(args->error, sizeof args->error, "unknown option -%c%s", letter,
             output ? ", did you mean --to?" : "; --help lists those there are");
    return false;
}

/* -q, -vv, -j4, -j 4 */
static bool parse_short(cli_args *args, const cli_option *const *tables, int argc, char **argv, int *i) {
    for (const char *p = argv[*i] + 1; *p; p++) {
        const cli_option *o = cli_find_letter(tables, *p);
        if (!o) {
            return unknown_letter(args, tables, *p);
        }
        if (o->arg == CLI_REQUIRED) return take_value(args, o, p[1] ? p + 1 : NULL, argc, argv, i);
        give(args, o, "true");
    }
    return true;
}

bool cli_parse(cli_args *args, int argc, char **argv, const cli_option *const *tables) {
    size_t room = 1;
    for (int i = 0; i < argc; i++) room += strlen(argv[i]) + 1; /* letters may stand together */
    args->given = calloc(room, sizeof *args->given);
    args->words = calloc((size_t)argc + 1, sizeof *args->words);
    if (!args->given || !args->words) {
        snprintf(args->error, sizeof args->error, "out of memory");
        args->no_memory = true;
        return false;
    }
    bool options = true;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!options || word[0] != '-' || !word[1])
            args->words[args->nwords++] = word;
        else if (strcmp(word, "--") == 0)
            options = false;
        else if (word[1] == '-' ? !parse_long(args, tables, argc, argv, &i)
                                : !parse_short(args, tables, argc, argv, &i))
            return false;
    }
    return true;
}

void cli_args_free(cli_args *args) {
    free(args->given);
    free(args->words);
    args->given = NULL;
    args->words = NULL;
}

const char *cli_value(const cli_args *args, const char *name) {
    for (size_t i = args->ngiven; i-- > 0;)
        if (strcmp(args->given[i].option->name, name) == 0) return args->given[i].value;
    return NULL;
}

bool cli_true(const cli_args *args, const char *name) {
    const char *v = cli_value(args, name);
    return v && strcmp(v, "false") != 0;
}
