/* sqlite_view.h: a batch as the flat columns of a table, each with the row in which it is first seen. */
#ifndef SL_SINKS_SQLITE_VIEW_H
#define SL_SINKS_SQLITE_VIEW_H

#include "record/batch.h"

typedef struct sl_view_column {
    sl_text name;
    const sl_value *values; /* [nrows]; NULL: column `source` of the batch as it is */
    uint32_t source;
    uint32_t first; /* position in the selection of the first row that has it */
} sl_view_column;

typedef struct sl_view {
    sl_view_column *v; /* in the order in which rows show them */
    uint32_t n, cap;
} sl_view; /* in the batch's arena */

/* The columns that any selected row has. FLATTEN: members of maps are columns "a.b". */
SL_MUST_CHECK sl_status sl_view_make(sl_view *view, sl_batch *b, bool flatten, sl_error *err);

static inline sl_value sl_view_cell(const sl_view_column *c, const sl_batch *b, uint32_t row) {
    return c->values ? c->values[row] : sl_batch_peek(b, c->source, row);
}

#endif
