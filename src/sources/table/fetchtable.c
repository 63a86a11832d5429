/* fetchtable.c: fetchtable: a table, whatever it is kept in. The pipe only decides, by type or suffix, between the readers that
 * exist (formats, or a database), and shows the options of all of them as its own. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/table/table.h"
#include "net/url.h"
#include "sources/table/sqlite_rows.h"
#include "sources/stream/stream.h"

#define ACCEPTED "csv, tsv, json, geojson, jsonl, html, sqlite and fixed (with widths)"

typedef struct fetchtable_conf {
    sl_source_conf source; /* first: see stream/choice.h */
    sl_text type;
    sl_value path, table, widths;
    SL_CSV_KEYS;
} fetchtable_conf;

static const sl_option options[] = {
    SL_SOURCE_ROWS(fetchtable_conf),
    SL_PAGES_ROW(fetchtable_conf),
    {.name = "type",
     .type = SL_OPT_TEXT,
     .offset = offsetof(fetchtable_conf, type),
     .alias = "format",
     .help = "csv, tsv, json, geojson, jsonl, html, sqlite or fixed; default: by the suffix"},
    SL_DIALECT_ROW(fetchtable_conf, table,
                   "html: number from 1, id or caption; sqlite: table or view, default the only one"),
    SL_DIALECT_ROW(fetchtable_conf, path, "json: where in the document the rows are, as value.items"),
    SL_DIALECT_ROW(fetchtable_conf, widths, "fixed: characters of each field, as [5, 20, 8]"),
    SL_CSV_ROWS(fetchtable_conf),
    {.name = NULL},
};

static const struct kind {
    const char *name, *const *suffixes;
    const sl_format *format; /* NULL: the one of that name */
} kinds[] = {
    {"csv", (const char *const[]){"csv", NULL}, NULL},
    {"tsv", (const char *const[]){"tsv", "tab", NULL}, NULL},
    {"json", (const char *const[]){"json", NULL}, &sl_format_table_json},
    {"geojson", (const char *const[]){"geojson", NULL}, &sl_format_table_geojson},
    {"jsonl", (const char *const[]){"jsonl", "ndjson", "ldjson", NULL}, &sl_format_table_json},
    {"html", (const char *const[]){"html", "htm", "xhtml", NULL}, &sl_format_table_html},
    {"sqlite", (const char *const[]){"sqlite", "sqlite3", "db", NULL}, &sl_format_table_sqlite},
    {"fixed", (const char *const[]){"fixed", NULL}, &sl_format_table_fixed},
};

static bool means(const struct kind *k, sl_text word) {
    bool yes = sl_text_eq_nocase(word, sl_text_of(k->name));
    for (const char *const *s = k->suffixes; !yes && *s; s++) yes = sl_text_eq_nocase(word, sl_text_of(*s));
    return yes;
}

/* The last suffix of the url that is none of a packer. */
static sl_text suffix_of(sl_text url) {
    sl_text name = sl_url_name(url);
    for (uint32_t i = name.n; i-- > 0;) {
        if (name.s[i] == '/') break;
        if (name.s[i] != '.') continue;
        sl_text suffix = {name.s + i + 1, name.n - i - 1};
        bool packed = sl_text_eq_nocase(suffix, SL_TEXT("gz")) || sl_text_eq_nocase(suffix, SL_TEXT("zst"));
        if (!packed) return suffix;
        name.n = i;
    }
    return (sl_text){0};
}

static sl_status find_format(const fetchtable_conf *c, const sl_format **out, sl_error *err) {
    sl_text word = c->type.n                 ? c->type
                   : sl_is_absent(c->widths) ? suffix_of(c->source.url)
                                             : SL_TEXT("fixed");
    if (word.n && word.s[0] == '.') word = (sl_text){word.s + 1, word.n - 1};
    for (size_t i = 0; i < SL_COUNT(kinds); i++) {
        if (!means(&kinds[i], word)) continue;
        *out = kinds[i].format ? kinds[i].format : sl_format_named(sl_text_of(kinds[i].name));
        return SL_OK;
    }
    if (!word.n)
        return sl_fail(err, SL_E_PLAN,
                       "the url does not tell what kind of table it is; give type: " ACCEPTED);
    return sl_fail(err, SL_E_PLAN, "'%.*s' is no kind of table that is read; accepted are " ACCEPTED,
                   (int)word.n, word.s);
}

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    fetchtable_conf *c = conf;
    const sl_format *format = NULL;
    TRY(find_format(c, &format, err));
    if (format == &sl_format_table_sqlite && c->source.paginate.n)
        return sl_fail(err, SL_E_PLAN, "paginate: a database is a file and comes as a whole, not in pages");
    if (sl_is_absent(c->sanitize)) c->sanitize = sl_bool(true);
    return sl_source_prepare(&c->source, format, options, conf, info, err);
}

/* ---- rows of a database, or a stream ------------------------------------------------------------------------------- */

typedef struct table {
    const sl_source_calls *source;
    void *split; /* its */
} table;

static const sl_source_calls *source_of(const sl_source_conf *c) {
    return c->choices[0].format == &sl_format_table_sqlite ? &sl_sqlite_source : &sl_stream_source;
}

static void table_close(void *split) {
    table *t = split;
    if (!t) return;
    t->source->close(t->split);
    free(t);
}

static sl_status table_open(const void *conf, const sl_env *env, void **split, sl_error *err) {
    table *t = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    t->source = source_of(conf);
    sl_status status = t->source->open(conf, env, &t->split, err);
    if (status) {
        table_close(t);
    } else {
        *split = t;
    }
    return status;
}

static sl_status table_split(void *split, sl_unit *unit, sl_error *err) {
    const table *t = split;
    return t->source->split(t->split, unit, err);
}

static uint64_t table_total(void *split) {
    const table *t = split;
    return t->source->total(t->split);
}

static bool table_unchanged(void *split) {
    const table *t = split;
    return t->source->unchanged && t->source->unchanged(t->split);
}

static bool table_ask(void *split) {
    const table *t = split;
    return !t->source->ask || t->source->ask(t->split);
}

static sl_inflow *table_waits(void *split) {
    const table *t = split;
    return t->source->waits ? t->source->waits(t->split) : NULL;
}

static sl_status table_read(const void *conf, void *state, const sl_unit *unit, sl_out *out,
                            uint64_t *quarantined, sl_error *err) {
    return source_of(conf)->read(conf, state, unit, out, quarantined, err);
}

static const sl_source_calls table_source = {
    .open = table_open,
    .split = table_split,
    .total = table_total,
    .unchanged = table_unchanged,
    .ask = table_ask,
    .waits = table_waits,
    .close = table_close,
    .read = table_read,
};

const sl_pipe sl_pipe_fetchtable = {
    .name = "fetchtable",
    .kind = SL_KIND_SOURCE,
    .summary = "Reads a table: delimited text, JSON, GeoJSON, a page's table, SQLite, fixed widths",
    .details =
        "What kind of table it is type says, or the suffix of the url. sanitize is true here: names become "
        "plain "
        "identifiers.\n"
        "csv and tsv are read as by csv. json is a list of objects, under path, or one behind the other.\n"
        "geojson: a row for each feature: its properties, then id if it has one, lon and lat if it is a "
        "point, and "
        "geometry as it stands.\n"
        "html: the table that table names by number, id or caption. A cell that spans columns or rows is in "
        "each of "
        "them; the first row with headings names the columns.\n"
        "sqlite: the rows of table as they are at the start, with their types; blobs become hexadecimal "
        "text. The "
        "database is opened for reading only and loads no extensions.\n"
        "fixed: lines cut at widths, in characters; what a short line lacks is null.\n"
        "A table may come in pages (paginate), each with its own header. Pages of HTML are never known to be "
        "empty: "
        "where they are counted, end_status or max_pages with at_limit=stop ends them.",
    .example = "fetchtable url=data/stations.html table=stations | truncate count=3",
    .options = options,
    .conf_size = sizeof(fetchtable_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &table_source,
};
