/* table.h: rows as an aligned table for people.
 *
 * The first 1000 rows are held back: their columns and widths are those of the table; rows behind them are cut to fit, and an item
 * with further columns begins a table of its own. Numbers stand right. Widths count code points. */
#ifndef SL_SINKS_TABLE_H
#define SL_SINKS_TABLE_H

#include "base/arena.h"
#include "sinks/csv/csv.h"
#include "sinks/file/file.h"

typedef struct sl_table_column sl_table_column;

typedef struct sl_table {
    const sl_csv_style *style; /* of the frames */
    sl_file_out *out;          /* borrowed */
    sl_buf window;             /* frames not yet shown */
    uint64_t held;             /* rows in it */
    bool shown;                /* a header has been printed */
    sl_arena arena;            /* names */
    sl_table_column *cols;
    uint32_t ncols, cap_cols, cap_cells;
    sl_text *cells; /* [ncols] of the row at hand */
    sl_buf line, text;
} sl_table; /* zero, then style and out set */

SL_MUST_CHECK sl_status sl_table_put(sl_table *t, const char *frame, size_t n, uint64_t *rows, sl_error *err);
SL_MUST_CHECK sl_status sl_table_end(sl_table *t, sl_error *err);
void sl_table_free(sl_table *t);

#endif
