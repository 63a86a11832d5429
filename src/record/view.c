#include "record/view.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"

sl_status sl_view_row(sl_view *v, sl_batch *b, uint32_t row, sl_error *err) {
    uint32_t n = 0;
    assert(row < b->nrows);
    if (!SL_ROOM(v->pairs, v->cap, b->ncols)) return sl_oom(err);
    for (uint32_t c = 0; c < b->ncols; c++) {
        const sl_value *values = sl_column_read(b, c, err);
        if (!values) return SL_E_MEMORY;
        v->pairs[n] = (sl_pair){b->cols[c].name, values[row]};
        n += values[row].type != SL_MISSING;
    }
    v->item = !b->bare ? sl_map(v->pairs, n) : n ? v->pairs[0].value : sl_null();
    return SL_OK;
}

void sl_view_free(sl_view *v) {
    free(v->pairs);
    *v = (sl_view){0};
}
