/* csv.c: the descriptors of csv and tsv, and the table of their options, which sources and `load` show as theirs. What reads
 * and splits is in the files that csv.h lists; here is only what people can choose, so that a new dialect does not touch the
 * readers. */
#include "formats/csv/csv.h"

#include "base/error.h"

static const char *const ragged_names[] = {"error", "pad", "skip", NULL};
static const char *const quotes_names[] = {"strict", "lenient", NULL};

/* csv and tsv differ in the default of the delimiter alone. */
#define OPTIONS(delimiter_default)                                                                           \
    {.name = "delimiter",                                                                                    \
     .type = SL_OPT_CHAR,                                                                                    \
     .offset = offsetof(sl_csv_conf, delimiter),                                                             \
     .fallback = delimiter_default,                                                                          \
     .help = "csv: one character between fields; default , (tab for tsv)"},                                  \
        {.name = "quote",                                                                                    \
         .type = SL_OPT_CHAR,                                                                                \
         .offset = offsetof(sl_csv_conf, quote),                                                             \
         .fallback = "\"",                                                                                   \
         .alias = "quotechar",                                                                               \
         .help = "csv: character around fields, empty for none"},                                            \
        {.name = "has_header",                                                                               \
         .type = SL_OPT_BOOL,                                                                                \
         .offset = offsetof(sl_csv_conf, has_header),                                                        \
         .fallback = "true",                                                                                 \
         .help = "csv: the first record names the columns, else they are column_1, column_2 ..."},           \
        {.name = "skip_rows",                                                                                \
         .type = SL_OPT_INT,                                                                                 \
         .offset = offsetof(sl_csv_conf, skip_rows),                                                         \
         .fallback = "0",                                                                                    \
         .max = INT32_MAX,                                                                                   \
         .unit = "lines",                                                                                    \
         .help = "csv: lines to skip before the header"},                                                    \
        {.name = "comment",                                                                                  \
         .type = SL_OPT_CHAR,                                                                                \
         .offset = offsetof(sl_csv_conf, comment),                                                           \
         .help = "csv: lines that begin with this character are skipped; default none"},                     \
        {.name = "col_names",                                                                                \
         .type = SL_OPT_TEXTS,                                                                               \
         .offset = offsetof(sl_csv_conf, col_names),                                                         \
         .help = "csv: names of the columns, instead of the header's"},                                      \
        {.name = "ragged",                                                                                   \
         .type = SL_OPT_ENUM,                                                                                \
         .offset = offsetof(sl_csv_conf, ragged),                                                            \
         .fallback = "error",                                                                                \
         .names = ragged_names,                                                                              \
         .help = "csv: records with too few or too many fields: stop, fill up short ones, or leave out"},    \
        {.name = "quotes",                                                                                   \
         .type = SL_OPT_ENUM,                                                                                \
         .offset = offsetof(sl_csv_conf, quotes),                                                            \
         .fallback = "strict",                                                                               \
         .names = quotes_names,                                                                              \
         .help = "csv: a quote in an odd place is an error, or stands for itself"},                          \
        {.name = "sanitize",                                                                                 \
         .type = SL_OPT_BOOL,                                                                                \
         .offset = offsetof(sl_csv_conf, sanitize),                                                          \
         .fallback = "false",                                                                                \
         .help = "csv: make plain identifiers of the names: lower case, words joined by _"},                 \
        {.name = "dedupe",                                                                                   \
         .type = SL_OPT_BOOL,                                                                                \
         .offset = offsetof(sl_csv_conf, dedupe),                                                            \
         .fallback = "true",                                                                                 \
         .help = "csv: number repeated names x, x_2, x_3; else the last field of a name counts"},            \
        {.name = "encoding",                                                                                 \
         .type = SL_OPT_TEXT,                                                                                \
         .offset = offsetof(sl_csv_conf, encoding),                                                          \
         .fallback = "utf-8",                                                                                \
         .help = "utf-8, ascii, latin-1 or windows-1252"},                                                   \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

static const sl_option csv_options[] = {OPTIONS(",")};
static const sl_option tsv_options[] = {OPTIONS("tab")};

static bool usable(char c) {
    return c != '\n' && c != '\r' && !(c & 0x80);
}

static sl_status prepare(void *p, sl_arena *arena, sl_error *err) {
    sl_csv_conf *c = p;
    (void)arena;
    if (!c->delimiter) return sl_fail(err, SL_E_PLAN, "delimiter: one character is needed");
    if (!usable(c->delimiter) || !usable(c->quote) || !usable(c->comment)) {
        return sl_fail(err, SL_E_PLAN, "delimiter, quote and comment are ASCII characters and no line ends");
    }
    if (c->delimiter == c->quote || c->delimiter == c->comment || (c->quote && c->quote == c->comment)) {
        return sl_fail(err, SL_E_PLAN, "delimiter, quote and comment must differ from each other");
    }
    if (c->col_names.given && c->col_names.n == 0)
        return sl_fail(err, SL_E_PLAN, "col_names: no name is given");
    c->scanner = sl_csv_scanner_best();
    return sl_encoding_named(c->encoding, &c->charset, err);
}

const sl_format sl_format_csv = {
    .name = "csv",
    .summary = "records of fields separated by commas or any other character (RFC 4180 and its neighbours)",
    .suffixes = (const char *const[]){".csv", NULL},
    .media_types = (const char *const[]){"text/csv", "application/csv", NULL},
    .refuses = SL_REFUSES_MARKUP,
    .source = "csv",
    .table = true,
    .options = csv_options,
    .conf_size = sizeof(sl_csv_conf),
    .prepare = prepare,
    .split_new = sl_csv_split_new,
    .split = sl_csv_split,
    .split_free = sl_csv_split_free,
    .start = sl_csv_start,
    .stop = sl_csv_stop,
    .read = sl_csv_read,
};

const sl_format sl_format_tsv = {
    .name = "tsv",
    .summary = "csv with tabs",
    .suffixes = (const char *const[]){".tsv", ".tab", NULL},
    .media_types = (const char *const[]){"text/tab-separated-values", NULL},
    .refuses = SL_REFUSES_MARKUP,
    .source = "csv",
    .table = true,
    .options = tsv_options,
    .conf_size = sizeof(sl_csv_conf),
    .prepare = prepare,
    .split_new = sl_csv_split_new,
    .split = sl_csv_split,
    .split_free = sl_csv_split_free,
    .start = sl_csv_start,
    .stop = sl_csv_stop,
    .read = sl_csv_read,
};
