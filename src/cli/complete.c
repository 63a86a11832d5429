/* complete: what may stand at the end of a command line, for the completion of shells (complete.bash, complete.zsh, complete.fish).
 *
 *     sluice complete WORD... CURRENT      the words behind the program's name; CURRENT is the one being written, maybe empty
 *
 * Prints a line for each candidate, the whole word, a tab and what it means. A line that begins with @ is for the shell: @files,
 * @definitions or @folders: names of those fit too; @open: more will be written behind the candidate. Everything comes from the
 * tables of commands and options and from the pipes' own descriptions, so nothing can fall behind. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/json_print.h"

/* ---- candidates --------------------------------------------------------------------------------------------------- */

/* BEFORE is N bytes that every candidate begins with, START what the rest of it must begin with. */
typedef struct place {
    const char *before;
    size_t n;
    const char *start;
} place;

static void offer(const place *at, const char *word, const char *more, const char *help) {
    if (strncmp(word, at->start, strlen(at->start)) != 0) return;
    printf("%.*s%s%s\t%s\n", (int)at->n, at->before, word, more, help ? help : "");
}

/* Each of the WORDS, separated by blanks. */
static void offer_words(const place *at, const char *words) {
    char word[64];
    while (*words) {
        size_t n = strcspn(words, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        offer(at, word, "", NULL);
        words += n + (words[n] == ' ');
    }
}

static void offer_pipes(const place *at) {
    size_t i;
    json_t *pipe;
    char *text = sl_describe_pipes(NULL, NULL);
    json_t *all = text ? json_loads(text, 0, NULL) : NULL;
    json_array_foreach(all, i, pipe) offer(at, cli_text_of(pipe, "name"), "", cli_text_of(pipe, "summary"));
    json_decref(all);
    free(text);
}

static void offer_commands(const place *at) {
    for (unsigned i = 0; cli_command_at(i); i++)
        offer(at, cli_command_at(i)->name, "", cli_command_at(i)->summary);
    offer(at, "help", "", "Explains a command");
}

/* ---- steps -------------------------------------------------------------------------------------------------------- */

/* The keys of OPTIONS, those inside of rules and objects by their paths. */
static void offer_keys(const place *at, const json_t *options, const char *path) {
    size_t i;
    json_t *o;
    json_array_foreach(options, i, o) {
        char key[256];
        const json_t *inner = json_object_get(o, "rule");
        snprintf(key, sizeof key, "%s%s%s", path, cli_text_of(o, "name"), inner ? "." : "");
        if (inner)
            offer_keys(at, inner, key);
        else
            offer(at, key, "=", cli_text_of(o, "help"));
    }
}

/* The option that PATH leads to; numbers in it are places in a list. */
static const json_t *option_at(const json_t *options, const char *path, size_t n) {
    size_t i, k = 0;
    json_t *o;
    while (k < n && path[k] != '.') k++;
    const char *rest = k < n ? path + k + 1 : path + n;
    size_t left = n - (size_t)(rest - path);
    if (k && isdigit((unsigned char)*path)) return option_at(options, rest, left);
    json_array_foreach(options, i, o) {
        const char *name = cli_text_of(o, "name");
        if (strlen(name) != k || strncmp(name, path, k) != 0) continue;
        return left ? option_at(json_object_get(o, "rule"), rest, left) : o;
    }
    return NULL;
}

static void offer_option_values(const place *at, const json_t *option) {
    size_t i;
    json_t *value;
    if (strcmp(cli_text_of(option, "type"), "bool") == 0) offer_words(at, "true false");
    json_array_foreach(json_object_get(option, "values"), i, value)
        offer(at, json_string_value(value), "", NULL);
}

static void offer_calls(const place *at, const json_t *pipe) {
    bool loop = strcmp(cli_text_of(pipe, "name"), "loop") == 0;
    if (loop) offer(at, "@embed", "=", "the submodule");
    if (!loop && strcmp(cli_text_of(pipe, "kind"), "processor") != 0) return;
    offer(at, "@field", "=", "path of the value to work on");
    offer(at, "@assign", "=", "where the result goes");
    offer(at, "@emit", "=", "true: results are the new items");
    offer(at, "@count", "=", "first or all: how many results are kept");
}

/* A word of a step behind the name of its pipe. */
static void complete_key(const place *at, const char *name) {
    char *text = sl_describe_pipes(name, NULL);
    json_t *pipe = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *options = json_object_get(pipe, "options");
    size_t key = strcspn(at->start, "=");
    if (pipe && at->start[key]) {
        place value = {at->before, at->n + key + 1, at->start + key + 1};
        offer_option_values(&value, option_at(options, at->start, key));
    } else if (pipe) {
        offer_keys(at, options, "");
        offer_calls(at, pipe);
    }
    json_decref(pipe);
    free(text);
}

/* Where the last step of TEXT and the last word of it begin: what stands in quotes separates nothing. */
static void find_last(const char *text, size_t *step, size_t *word) {
    char quote = 0;
    *step = *word = 0;
    for (size_t i = 0; text[i]; i++) {
        bool blank = isspace((unsigned char)text[i]);
        if (quote || strchr("'\"", text[i]))
            quote = !quote ? text[i] : quote == text[i] ? 0 : quote;
        else if (text[i] == '\\' && text[i + 1])
            i++;
        else if (text[i] == '|' || blank)
            *word = i + 1;
        if (!quote && text[i] == '|') *step = i + 1;
    }
    while (isspace((unsigned char)text[*step])) ++*step;
}

/* TEXT is what `sluice pipe` runs, as far as it is written. A shell may leave the quote that it begins with. */
static void complete_steps(const char *text) {
    size_t step, word;
    char name[64];
    text += *text == '\'' || *text == '"';
    find_last(text, &step, &word);
    puts("@open");
    place at = {text, word, text + word};
    if (word <= step) {
        offer_pipes(&at);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text + step, " \t\n"), text + step);
    complete_key(&at, name);
}

/* ---- options ------------------------------------------------------------------------------------------------------ */

static bool contains(const char *value, const char *what) {
    return value && strstr(value, what);
}

static void complete_value(const cli_option *o, const place *at) {
    char room[256];
    const char *words = cli_choices(o, room, sizeof room);
    if (words) offer_words(at, words);
    if (contains(o->value, "BOOL")) offer_words(at, "true false");
    if (contains(o->value, "FILE") || contains(o->value, "SINK")) puts("@files");
    if (contains(o->value, "DIR")) puts("@folders");
}

static void offer_options(const cli_option *const *tables, const char *start) {
    for (size_t t = 0; tables[t]; t++)
        for (const cli_option *o = tables[t]; o->name; o++) {
            place at = {"--", 2, start[1] ? start + 2 : ""};
            char help[1024];
            if (o->hidden) continue;
            cli_option_help(o, help, sizeof help);
            offer(&at, o->name, "", help);
            if (o->letter && !start[1]) printf("-%c\t%s\n", o->letter, help);
        }
}

/* What stands before the current word. */
typedef struct context {
    const cli_option *const *tables;
    const cli_option *last;    /* the long option right before it */
    const cli_option *pending; /* the option whose value it is */
    bool words;                /* -- came */
} context;

/* Some shells hand over --name=value as three words. */
static void pass(context *c, const char *word) {
    bool joins = strcmp(word, "=") == 0 && c->last;
    if (joins) {
        c->pending = c->last;
        return;
    }
    c->last = NULL;
    if (c->pending || c->words || word[0] != '-' || !word[1]) {
        c->pending = NULL;
    } else if (strcmp(word, "--") == 0) {
        c->words = true;
    } else if (word[1] == '-') {
        c->last = cli_find_long(c->tables, word + 2, strlen(word + 2));
        if (c->last && c->last->arg == CLI_REQUIRED) c->pending = c->last;
    } else {
        const cli_option *o = cli_find_letter(c->tables, word[strlen(word) - 1]);
        if (o && o->arg == CLI_REQUIRED) c->pending = o;
    }
}

static void complete_attached(const context *c, const char *current, size_t n) {
    const cli_option *o = cli_find_long(c->tables, current + 2, n - 2);
    place at = {current, n + 1, current + n + 1};
    if (o) complete_value(o, &at);
}

static void complete_word(const cli_command *command, const char *current) {
    place at = {"", 0, current};
    const char *words = command->words ? command->words : "";
    if (strcmp(words, "@pipes") == 0)
        offer_pipes(&at);
    else if (strcmp(words, "@steps") == 0)
        complete_steps(current);
    else if (*words == '@')
        puts(words);
    else
        offer_words(&at, words);
}

static void complete_argument(const cli_command *command, context *c, const char *current) {
    size_t n = strcspn(current, "=");
    bool option = !c->words && current[0] == '-';
    if (strcmp(current, "=") == 0 && c->last) {
        c->pending = c->last;
        current = "";
    }
    place at = {"", 0, current};
    if (c->pending)
        complete_value(c->pending, &at);
    else if (option && current[1] == '-' && current[n])
        complete_attached(c, current, n);
    else if (option)
        offer_options(c->tables, current);
    else
        complete_word(command, current);
}

int cli_complete(int nwords, char **words) {
    if (nwords < 1) return CLI_OK;
    const char *current = words[nwords - 1];
    const cli_command *command = cli_command_named(words[0]);
    place at = {"", 0, current};
    if (nwords == 1 || (nwords == 2 && strcmp(words[0], "help") == 0)) {
        offer_commands(&at);
        if (nwords == 1 && *current == '-') offer_words(&at, "--help --version");
    } else if (command) {
        const cli_option *tables[CLI_TABLES];
        cli_tables(command, tables);
        context c = {.tables = tables};
        for (int i = 1; i + 1 < nwords; i++) pass(&c, words[i]);
        complete_argument(command, &c, current);
    }
    return CLI_OK;
}
