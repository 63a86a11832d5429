/* load: files into a table, without a definition. It builds the collection and the sink that a definition would name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"

/* What an option says something about. */
enum { OF_FORMAT = CLI_OF_COMMAND, OF_PAGES, OF_SINK };

static const cli_option load_options[] = {
    CLI_OPTION("from", 'i', REQUIRED, "FORMAT",
               "default: by the suffix, the media type, the first bytes; standard input is csv",
               .format = true),
    CLI_OPTION("path", 'p', REQUIRED, "PATH", "JSON, XML, HTML: where the items are, such as value.items",
               .of = OF_FORMAT, .sets = "path"),
    CLI_OPTION("mode", 'm', REQUIRED, "MODE", "replace, append, upsert or ignore", .fallback = "replace",
               .choices = "replace append upsert ignore", .of = OF_SINK, .sets = "mode"),
    CLI_OPTION("key", 'k', REQUIRED, "COL[,COL]", "columns that tell rows apart, for upsert and ignore"),
    CLI_OPTION("type", 't', REQUIRED, "COL=TYPE",
               "type of a column instead of the one its values show; repeatable"),
    CLI_OPTION("nested", 0, REQUIRED, "HOW", "nested values: json (text) or flatten (columns a.b)",
               .fallback = "json", .choices = "json flatten", .of = OF_SINK, .sets = "nested"),
    CLI_OPTION("schema", 0, REQUIRED, "RULE",
               "of a table that exists: evolve (columns are added, and one that would alter a value becomes "
               "TEXT) or freeze",
               .fallback = "evolve", .choices = "evolve freeze", .of = OF_SINK, .sets = "schema"),
    CLI_OPTION("busy-timeout", 0, REQUIRED, "SECONDS", "how long to wait for a database that is locked",
               .fallback = "60", .of = OF_SINK, .sets = "busy_timeout"),
    CLI_OPTION("delimiter", 'd', REQUIRED, "CHAR", "CSV: between cells", .fallback = "a comma",
               .of = OF_FORMAT, .sets = "delimiter"),
    CLI_OPTION("quote", 0, REQUIRED, "CHAR", "CSV: around cells", .fallback = "\"", .of = OF_FORMAT,
               .sets = "quote"),
    CLI_OPTION("quotes", 0, REQUIRED, "HOW",
               "CSV: stray quotes are errors (strict) or read as they stand (lenient)", .fallback = "strict",
               .choices = "strict lenient", .of = OF_FORMAT, .sets = "quotes"),
    CLI_OPTION("no-headers", 0, FLAG, NULL, "CSV: the first line is data; columns are column_1, column_2 ...",
               .of = OF_FORMAT, .sets = "has_header", .means = "false"),
    CLI_OPTION("skip", 0, REQUIRED, "N", "CSV: lines to leave out first", .of = OF_FORMAT,
               .sets = "skip_rows"),
    CLI_OPTION("comment", 0, REQUIRED, "CHAR", "CSV: lines that begin with it are left out", .of = OF_FORMAT,
               .sets = "comment"),
    CLI_OPTION("ragged", 0, REQUIRED, "HOW", "CSV: rows of another length: error, pad or skip",
               .fallback = "error", .choices = "error pad skip", .of = OF_FORMAT, .sets = "ragged"),
    CLI_OPTION("encoding", 0, REQUIRED, "NAME", "CSV, JSON, text: of the text", .fallback = "utf-8",
               .of = OF_FORMAT, .sets = "encoding"),
    CLI_OPTION("paginate", 0, REQUIRED, "HOW",
               "the URL is the first of several pages: next_url=PATH, link_header, page=PARAM, "
               "offset=PARAM:SIZE, cursor=PARAM:PATH, header_cursor=PARAM:HEADER",
               .of = OF_PAGES, .sets = "by"),
    CLI_OPTION("max-pages", 0, REQUIRED, "N", "the most pages there may be; more are an error",
               .fallback = "10000", .of = OF_PAGES, .sets = "max_pages"),
    {0},
};

static const cli_option *const tables[] = {load_options,        cli_reading_options, cli_run_options,
                                           cli_setting_options, cli_network_options, NULL};

/* What is being made of the arguments. A setting that is lost for want of memory would be another load. */
typedef struct draft {
    json_t *o;
    bool lost;            /* memory is out */
    const char *not_utf8; /* an argument that no JSON can hold */
} draft;

static draft new_draft(void) {
    json_t *o = json_object();
    return (draft){.o = o, .lost = !o};
}

static void set(draft *to, const char *key, json_t *value) {
    if (json_object_set_new(to->o, key, value) != 0) to->lost = true;
}

/* The N bytes of TEXT. When there is memory for any bytes, but not for these, they are no UTF-8: that is noted. */
static json_t *text_value(draft *to, const char *text, size_t n) {
    json_t *value = json_stringn(text, n), *any = value ? NULL : json_stringn_nocheck(text, n);
    if (any) value = json_stringn(text, n);
    if (any && !value) to->not_utf8 = text;
    json_decref(any);
    return value;
}

static void set_text(draft *to, const char *key, const char *value) {
    if (value) set(to, key, text_value(to, value, strlen(value)));
}

static sl_status check(const draft *d, sl_error *err) {
    if (!d->lost) return SL_OK;
    if (!d->not_utf8) return cli_no_memory(err);
    snprintf(err->text, sizeof err->text, "'%s' is not UTF-8, as all names must be", d->not_utf8);
    return err->code = SL_E_USAGE;
}

/* D as text, to be freed; NULL with err. Into room of our own: json_dumps loses bytes where it gets no memory. */
static char *text_of(const draft *d, sl_error *err) {
    if (check(d, err) != SL_OK) return NULL;
    size_t n = json_dumpb(d->o, NULL, 0, 0);
    char *text = n ? malloc(n + 1) : NULL;
    if (text && json_dumpb(d->o, text, n, 0) == n) {
        text[n] = 0;
        return text;
    }
    free(text);
    check(&(draft){.lost = true}, err);
    return NULL;
}

/* ---- sources ---------------------------------------------------------------------------------------------------------------- */

/* What sl_describe_formats says of the format FROM, or of the one that the name of URL tells; NULL: the library is to find out. */
static json_t *format_of(const char *from, const char *url) {
    char *text = sl_describe_formats(from, url, NULL);
    json_t *format = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return format;
}

static const char *member(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

bool cli_is_data(const char *name) {
    json_t *format = format_of(NULL, name);
    bool data = format && strcmp(member(format, "name"), "json") != 0;
    json_decref(format);
    return data;
}

static const json_t *key_of(const json_t *format, const char *key) {
    size_t i;
    const json_t *option;
    json_array_foreach(json_object_get(format, "options"), i,
                       option) if (strcmp(member(option, "name"), key) == 0) return option;
    return NULL;
}

/* What the options say OF a part, as its members; of a FORMAT that is known only the keys that it has. */
static void set_options(draft *part, const cli_args *args, int of, const json_t *format) {
    for (const cli_option *o = load_options; o->name; o++) {
        const char *value = o->of == of ? cli_value(args, o->name) : NULL;
        if (value && (!format || key_of(format, o->sets)))
            set_text(part, o->sets, o->means ? o->means : value);
    }
}

/* PART becomes a member of TO. */
static void set_draft(draft *to, const char *key, draft part) {
    if (part.not_utf8) to->not_utf8 = part.not_utf8;
    to->lost |= part.lost;
    set(to, key, part.o);
}

static void set_pages(draft *source, const cli_args *args) {
    if (!cli_value(args, "paginate")) return;
    draft pages = new_draft();
    set_options(&pages, args, OF_PAGES, NULL);
    set_draft(source, "paginate", pages);
}

/* A pipe that reads formats of other names as well is told what is different in this one. */
static void set_source(draft *source, const cli_args *args, const json_t *format) {
    const char *pipe = format ? member(format, "pipe") : "fetchdata", *name = member(format, "name");
    set_text(source, "type", pipe);
    if (strcmp(pipe, "fetchdata") == 0)
        set_text(source, "format", name);
    else if (strcmp(pipe, name) != 0)
        set_text(source, "delimiter", member(key_of(format, "delimiter"), "default"));
    set_options(source, args, OF_FORMAT, format);
}

static sl_status unknown_format(const char *from, sl_error *err) {
    char names[256];
    const cli_option row = {.format = true};
    snprintf(err->text, sizeof err->text, "--from is one of %s, not '%s'",
             cli_choices(&row, names, sizeof names), from);
    return err->code = SL_E_USAGE;
}

static sl_status add_source(sl_pipeline *p, const cli_args *args, const char *url, sl_error *err) {
    const char *from = cli_value(args, "from");
    json_t *format = format_of(!from && strcmp(url, "-") == 0 ? "csv" : from, url);
    if (from && !format) return unknown_format(from, err);
    draft source = new_draft();
    set_text(&source, "url", url);
    set_pages(&source, args);
    set_source(&source, args, format);
    char *text = text_of(&source, err);
    sl_status s = text ? sl_pipeline_source(p, text, err) : err->code;
    free(text);
    json_decref(source.o);
    json_decref(format);
    return s;
}

/* ---- sink -------------------------------------------------------------------------------------------------------------------- */

/* "a,b" -> ["a", "b"] */
static void set_list(draft *to, const char *key, const char *text) {
    json_t *list = json_array();
    while (*text) {
        size_t n = strcspn(text, ",");
        if (json_array_append_new(list, text_value(to, text, n)) != 0) to->lost = true;
        text += n + (text[n] == ',');
    }
    set(to, key, list);
}

static sl_status set_type(draft *types, const char *given, sl_error *err) {
    const char *equals = strrchr(given, '=');
    if (!equals) {
        snprintf(err->text, sizeof err->text, "--type wants COL=TYPE, not '%s'", given);
        return err->code = SL_E_USAGE;
    }
    char *column = strndup(given, (size_t)(equals - given));
    json_decref(text_value(types, given, strlen(given))); /* a key that is not UTF-8 is noted */
    if (column)
        set_text(types, column, equals + 1);
    else
        types->lost = true;
    free(column);
    return SL_OK;
}

static sl_status set_types(draft *sink, const cli_args *args, sl_error *err) {
    draft types = new_draft();
    sl_status s = SL_OK;
    for (size_t i = 0; i < args->ngiven && s == SL_OK; i++)
        if (strcmp(args->given[i].option->name, "type") == 0) s = set_type(&types, args->given[i].value, err);
    if (s == SL_OK && (types.lost || json_object_size(types.o)))
        set_draft(sink, "types", types);
    else
        json_decref(types.o);
    return s;
}

static sl_status add_sink(sl_pipeline *p, const cli_args *args, const char *to, sl_error *err) {
    draft sink = new_draft();
    const char *key = cli_value(args, "key");
    set_options(&sink, args, OF_SINK, NULL);
    if (strcmp(to, "-") == 0) set_text(&sink, "format", cli_value(args, "format"));
    if (key) set_list(&sink, "key", key);
    sl_status s = set_types(&sink, args, err);
    bool plain = s == SL_OK && !sink.lost && !json_object_size(sink.o);
    if (!plain) set_text(&sink, "to", to);
    char *text = s != SL_OK || plain ? NULL : text_of(&sink, err);
    if (s == SL_OK) s = plain || text ? sl_pipeline_sink(p, plain ? to : text, err) : err->code;
    free(text);
    json_decref(sink.o);
    return s;
}

static sl_status build(sl_pipeline *p, const cli_args *args, sl_error *err) {
    sl_status s = cli_begin(p, args, err);
    for (size_t i = 0; i < args->nwords && s == SL_OK; i++) s = add_source(p, args, args->words[i], err);
    for (size_t i = 0; i < args->ngiven && s == SL_OK; i++)
        if (strcmp(args->given[i].option->name, "to") == 0) s = add_sink(p, args, args->given[i].value, err);
    return s;
}

/* The first word that looks like a table, NULL: none. */
static const char *meant_sink(const cli_args *args) {
    for (size_t i = 0; i < args->nwords; i++)
        if (strstr(args->words[i], ".db") || strstr(args->words[i], ".sqlite")) return args->words[i];
    return NULL;
}

static int no_sink(const cli_args *args) {
    const char *sink = meant_sink(args);
    if (sink && args->nwords > 1)
        return cli_complain(CLI_USAGE, "where to? sluice load SOURCE... --to %s", sink);
    return cli_complain(CLI_USAGE, "where to? add --to out.db:table (or out.csv, out.jsonl, -)");
}

static int run(cli_args *args) {
    sl_error err = {0};
    if (!args->nwords)
        return cli_complain(CLI_USAGE, "what to load? sluice load SOURCE... --to out.db:table");
    if (!cli_value(args, "to")) return no_sink(args);
    sl_pipeline *p = sl_pipeline_new();
    return cli_execute(p, args, build(p, args, &err), &err);
}

const cli_command cli_load = {
    .name = "load",
    .usage = "SOURCE... --to out.db:table [OPTION...]",
    .summary = "Loads files or URLs into a table",
    .help = "SOURCE is a file, a glob in quotes, an http(s) URL or - for standard input; .gz and .zst are "
            "unpacked. "
            "Columns are INTEGER, REAL or TEXT by what all their values are; nothing is changed in value. "
            "The table is replaced at the end in one transaction, or as --mode says.\n\n"
            "  sluice load crime.csv --to crime.db:crime\n"
            "  sluice load crime.json --path value.items --to crime.db:crime --to crime.csv\n"
            "  sluice load 'feeds/*.jsonl.gz' --to feeds.db:items --mode upsert --key id\n"
            "  curl -s https://example.org/stations.csv | sluice load - --from csv \\\n"
            "        --to stations.db:stations --type code=TEXT",
    .words = "@files",
    .tables = tables,
    .run = run,
};
