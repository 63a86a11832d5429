/* fetchtable.c: fetchtable: a table, whatever it is kept in. The pipe only decides, by type or suffix, between the readers that
 * exist (formats, or a database), and shows the options of all of them as its own. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/table/table.h"
#include "net/url.h"
#include "sources/table/sqlite_rows.h"
#include "sources/stream/stream.h"

typedef struct fetchtable_conf {
    sl_source_conf source; /* first: see stream/choice.h */
    sl_text type;
} fetchtable_conf;

/* What only this pipe reads, and what it reads in a way of its own; beside these, all formats that are tables. */
static const struct kind {
    const char *format; /* of formats.def; else NULL */
    const sl_format *table;
} kinds[] = {
    {NULL, &sl_format_table_geojson}, {NULL, &sl_format_table_sqlite},  {NULL, &sl_format_table_fixed},
    {"json", &sl_format_table_json},  {"jsonl", &sl_format_table_json}, {"html", &sl_format_table_html},
};

/* Kinds of tables by numbers: the format whose names and suffixes they have. NULL behind the last. */
static const sl_format *named_at(unsigned i) {
    if (i < SL_COUNT(kinds))
        return kinds[i].format ? sl_format_named(sl_text_of(kinds[i].format)) : kinds[i].table;
    const sl_format *f;
    for (unsigned k = 0, left = i - (unsigned)SL_COUNT(kinds); (f = sl_format_at(k)); k++)
        if (f->table && left-- == 0) return f;
    return NULL;
}

static const sl_format *table_at(unsigned i) {
    return i < SL_COUNT(kinds) ? kinds[i].table : named_at(i);
}

static const char *word(unsigned i) {
    const sl_format *f = named_at(i);
    return f ? f->name : NULL;
}

static const sl_option *dialects(unsigned i) {
    static const sl_option none[] = {{0}};
    const sl_format *f = table_at(i);
    bool again = i && f == table_at(i - 1);
    return again ? none : f ? f->options : NULL;
}

static const sl_option options[] = {
    SL_SOURCE_ROWS(fetchtable_conf),
    SL_PAGES_ROW(fetchtable_conf),
    {.name = "type",
     .type = SL_OPT_TEXT,
     .offset = offsetof(fetchtable_conf, type),
     .alias = "format",
     .word = word,
     .help = "default: fixed where widths are given, else by the suffix"},
    SL_DIALECT_ROW(fetchtable_conf, dialects),
    {.name = NULL},
};

/* The last suffix of the url, those of packers apart. */
static sl_text suffix_of(sl_text url) {
    sl_text name = sl_name_unpacked(sl_url_name(url));
    for (uint32_t i = name.n; i-- > 0 && name.s[i] != '/';)
        if (name.s[i] == '.') return (sl_text){name.s + i, name.n - i};
    return (sl_text){0};
}

static sl_status find_format(const fetchtable_conf *c, const sl_format **out, sl_error *err) {
    char list[256];
    const sl_format *f;
    bool widths = !sl_is_absent(sl_map_get_z(c->source.keys, "widths"));
    sl_text name = c->type.n ? c->type : widths ? SL_TEXT("fixed") : suffix_of(c->source.url);
    for (unsigned i = 0; name.n && (f = named_at(i)); i++) {
        if (!sl_format_is_called(f, name)) continue;
        *out = table_at(i);
        return SL_OK;
    }
    sl_option_words(word, list, sizeof list);
    if (!name.n)
        return sl_fail(err, SL_E_PLAN, "the url does not tell what kind of table it is; give type: %s", list);
    if (name.s[0] == '.') name = (sl_text){name.s + 1, name.n - 1};
    return sl_fail(err, SL_E_PLAN, "'%.*s' is no kind of table that is read; accepted are %s", (int)name.n,
                   name.s, list);
}

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    fetchtable_conf *c = conf;
    const sl_format *format = NULL;
    TRY(find_format(c, &format, err));
    if (format == &sl_format_table_sqlite && c->source.paginate.n)
        return sl_fail(err, SL_E_PLAN, "paginate: a database is a file and comes as a whole, not in pages");
    TRY(sl_source_default(&c->source, "sanitize", sl_bool(true), info->arena, err));
    return sl_source_prepare(&c->source, format, info, err);
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
