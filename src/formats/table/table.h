/* table.h: how fetchtable reads formats that are no tables by themselves (sl_format.table), and formats that only it reads. They
 * are not among those that a name or a suffix finds.
 *
 *     json.c    JSON and GeoJSON, fields under plain names
 *     html.c    a table of a page
 *     fixed.c   lines cut at fixed widths */
#ifndef SL_FORMATS_TABLE_TABLE_H
#define SL_FORMATS_TABLE_TABLE_H

#include "formats/csv/csv.h"

extern const sl_format sl_format_table_json;
extern const sl_format sl_format_table_geojson;
extern const sl_format sl_format_table_html;
extern const sl_format sl_format_table_fixed;

/* What all of them are told about names; S is a conf with a sl_csv_conf `names`. */
/* clang-format off */
#define SL_NAME_ROWS(S)                                                                                                \
    {.name = "sanitize",                                                                                               \
     .type = SL_OPT_BOOL,                                                                                              \
     .offset = offsetof(S, names.sanitize),                                                                            \
     .fallback = "true",                                                                                               \
     .help = "make plain identifiers of the names"},                                                                   \
        {.name = "dedupe",                                                                                             \
         .type = SL_OPT_BOOL,                                                                                          \
         .offset = offsetof(S, names.dedupe),                                                                          \
         .fallback = "true",                                                                                           \
         .help = "number repeated names x, x_2, x_3"}
/* clang-format on */

/* The columns for rows that come with names of their own: made anew when those change. Zeroed: none yet. */
typedef struct sl_columns {
    sl_arena arena;
    sl_text *names; /* as given */
    uint32_t n, cap;
    sl_csv_header header;
    bool known;
} sl_columns;

/* Names are copied. */
SL_MUST_CHECK sl_status sl_columns_of(sl_columns *c, const sl_csv_conf *conf, const sl_pair *pairs, uint32_t n, sl_error *err);
void sl_columns_free(sl_columns *c);

#endif
