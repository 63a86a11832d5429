/* choice.h: which format a source is read in, and that format's conf.
 *
 * A source pipe's options are its own keys (url, type ...) and the keys of the format's dialect (delimiter, path
 * ...), which are collected only and handed to the format's own table, which checks them. Usually the format is known from the
 * conf: the pipe, `type`, or the suffix of the url. Where it is not, every format that can be recognised is prepared, and the
 * media type or the first bytes decide when the stream is opened.
 *
 * Thread rule: made by prepare in the coordinator, read-only afterwards. */
#ifndef SL_SOURCES_STREAM_CHOICE_H
#define SL_SOURCES_STREAM_CHOICE_H

#include "formats/format.h"
#include "plan/pipe.h"
#include "plan/web.h"
#include "sources/stream/opener.h"
#include "sources/stream/pages.h"

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
    sl_value keys;            /* of the dialect, as given: a map */
    sl_value http;            /* as given */
    sl_access access;         /* what http and the origin of the url come to */
    sl_rules paginate;        /* as given: of sl_paginate, one at most */
    const sl_paginate *pages; /* the same, prepared; NULL: the url is all there is */
    bool may_be_empty;        /* an empty url is an empty stream, no mistake */
    sl_dialect dialect;
    sl_choice *choices;
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

/* The row that ends a table: the keys of the dialects, of the formats whose options TABLES gives one by one. */
#define SL_DIALECT_ROW(S, tables) \
    { .name = "*", .type = SL_OPT_FURTHER, .offset = offsetof(S, source.keys), .further = tables }

/* Completes C. FORMAT: the one to read in; NULL: to be decided when the stream is opened. */
SL_MUST_CHECK sl_status sl_source_prepare(sl_source_conf *c, const sl_format *format, const sl_step_info *info, sl_error *err);

/* Before that: V for KEY of the dialect where the conf has nothing; it is the format's default under this pipe. */
SL_MUST_CHECK sl_status sl_source_default(sl_source_conf *c, const char *key, sl_value v, sl_arena *arena, sl_error *err);

/* The format the suffix of URL says; NULL when it says nothing. */
const sl_format *sl_choice_by_suffix(sl_text url);

/* *CHOICE: the one for a stream of MEDIA_TYPE (may be empty) that begins with DATA; SL_E_DATA when they do not tell. */
SL_MUST_CHECK sl_status sl_choose(const sl_source_conf *c, const char *media_type, const char *data, size_t n, uint32_t *choice,
                                  sl_error *err);

#endif
