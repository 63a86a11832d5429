/* choice.h: which format a source is read in, and that format's conf.
 *
 * A source pipe's options are its own keys (url, type ...) and the keys of the format's dialect (delimiter, path
 * ...). The dialect keys are rows of type SL_OPT_VALUE: they are only collected here and handed to the format's own
 * table, which checks them. Usually the format is known from the conf: the pipe, `type`, or the suffix of the url.
 * Where it is not, every candidate is prepared, and the media type or the first byte decides when the stream is
 * opened.
 *
 * Thread rule: made by prepare in the coordinator, read-only afterwards. */
#ifndef SL_SOURCES_STREAM_CHOICE_H
#define SL_SOURCES_STREAM_CHOICE_H

#include "formats/format.h"
#include "plan/pipe.h"
#include "plan/web.h"
#include "sources/stream/opener.h"
#include "sources/stream/pages.h"

enum { SL_CHOICES = 8 };

typedef struct sl_choice {
    const sl_format *format;
    void *conf;
} sl_choice;

/* Every source pipe that reads a stream begins its conf with this. */
typedef struct sl_source_conf {
    sl_text url;
    sl_text encoding;         /* as given */
    sl_text convert;          /* the same when the bytes must be converted before the format sees them, else empty */
    bool decoded;             /* the format takes bytes of that encoding */
    sl_value http;            /* as given */
    sl_access access;         /* what http and the origin of the url come to */
    sl_rules paginate;        /* as given: of sl_paginate, one at most */
    const sl_paginate *pages; /* the same, prepared; NULL: the url is all there is */
    bool may_be_empty;        /* an empty url is an empty stream, no mistake */
    sl_dialect dialect;
    sl_choice choices[SL_CHOICES];
    uint32_t nchoices; /* 1: known; more: decided by what comes */
    const sl_env *env; /* of the run */
    sl_arena *keep;    /* lives as long as the conf; for the names in units; coordinator only */
} sl_source_conf;

/* The rows every such pipe has; S is its conf struct, whose first member is `source`. */
/* clang-format off */
#define SL_SOURCE_ROWS(S)                                                                                              \
    {.name = "url",                                                                                                    \
     .type = SL_OPT_TEXT,                                                                                              \
     .offset = offsetof(S, source.url),                                                                                \
     .flags = SL_OPT_REQUIRED,                                                                                         \
     .help = "file name, glob, - for standard input, or http, https or file URL; .gz and .zst are unpacked"},          \
        {.name = "encoding",                                                                                           \
         .type = SL_OPT_TEXT,                                                                                          \
         .offset = offsetof(S, source.encoding),                                                                       \
         .help = "of the text: utf-8, latin-1, windows-1252, utf-16, any that ICU knows, or auto for a guess; "               \
                 "default: what the text or the server says, else utf-8"},                                                \
        {.name = "http",                                                                                               \
         .type = SL_OPT_OBJECT,                                                                                        \
         .offset = offsetof(S, source.http),                                                                           \
         .rules = sl_web_options,                                                                                      \
         .rule_size = sizeof(sl_web_conf),                                                                             \
         .help = "how to ask a server; goes before the definition's http"}
/* clang-format on */

/* The row of those that may come in pages (pages.h). */
#define SL_PAGES_ROW(S)                                                                                                 \
    {                                                                                                                   \
        .name = "paginate", .type = SL_OPT_RULES, .offset = offsetof(S, source.paginate), .rules = sl_paginate_options, \
        .rule_size = sizeof(sl_paginate), .flags = SL_OPT_SCALARS,                                                      \
        .help = "the url is the first of several pages: where the next one is"                                          \
    }

/* A key of the format's dialect: kept as it came. */
#define SL_DIALECT_ROW(S, key, text) \
    { .name = #key, .type = SL_OPT_VALUE, .offset = offsetof(S, key), .flags = SL_OPT_FORMAT, .help = text }

/* The keys of delimited text. */
#define SL_CSV_KEYS sl_value delimiter, quotechar, comment, has_header, col_names, skip_rows, sanitize, dedupe, ragged, quotes

#define SL_CSV_ROWS(S)                                                                                     \
    SL_DIALECT_ROW(S, delimiter, "csv: one character between fields; default , (tab for tsv)"),            \
        {.name = "quotechar",                                                                              \
         .type = SL_OPT_VALUE,                                                                             \
         .offset = offsetof(S, quotechar),                                                                 \
         .alias = "quote",                                                                                 \
         .flags = SL_OPT_FORMAT,                                                                           \
         .help = "csv: character around fields, empty for none; default \""},                              \
        SL_DIALECT_ROW(S, comment, "csv: lines that begin with this character are skipped; default none"), \
        SL_DIALECT_ROW(S, has_header, "csv: the first record names the columns; default true"),            \
        SL_DIALECT_ROW(S, col_names, "csv: names of the columns, instead of the header's"),                \
        SL_DIALECT_ROW(S, skip_rows, "csv: lines to skip before the header; default 0"),                   \
        SL_DIALECT_ROW(S, sanitize, "csv: make plain identifiers of the names; default false"),            \
        SL_DIALECT_ROW(S, dedupe, "csv: number repeated names x, x_2, x_3; default true"),                 \
        SL_DIALECT_ROW(S, ragged, "csv: records with too few or too many fields: error, pad or skip"),     \
        SL_DIALECT_ROW(S, quotes, "csv: quotes in odd places: strict or lenient")

/* Completes C. OPTIONS and CONF are the pipe's table and parsed conf. FORMAT: the one to read in; NULL: to be decided
 * when the stream is opened. */
SL_MUST_CHECK sl_status sl_source_prepare(sl_source_conf *c, const sl_format *format, const sl_option *options, const void *conf,
                                          const sl_step_info *info, sl_error *err);

/* The format TYPE names, for fetchdata: SL_E_PLAN with the ones there are otherwise. */
SL_MUST_CHECK sl_status sl_choice_named(sl_text type, const sl_format **out, sl_error *err);
/* The format the suffix of URL says; NULL when it says nothing. */
const sl_format *sl_choice_by_suffix(sl_text url);

/* Index of the choice for a media type, or for the first bytes of the stream; -1: they do not tell. */
int sl_choice_by_type(const sl_source_conf *c, const char *media_type);
int sl_choice_by_bytes(const sl_source_conf *c, const char *data, size_t n);

/* A web page where data was expected: a login form, a notice that the file has moved. Without a look at it, it would become a table
 * whose only column is called <!DOCTYPE html>. Whether FORMAT is such data; and whether what begins with DATA is a page: by its own
 * words, or by the media type; as some servers call any file a page, it must look like markup then. */
bool sl_choice_is_data(const sl_format *format);
bool sl_choice_is_page(const char *media_type, const char *data, size_t n);

/* SL_E_DATA: the format cannot be told. */
sl_status sl_choice_unknown(const char *media_type, sl_error *err);

#endif
