/* column.c: the columns of a batch: made from records when asked for, decoded, added, moved, dropped. */
#include <assert.h>

#include "record/batch.h"

#include "base/error.h"
#include "record/raw.h"

int sl_batch_find(const sl_batch *b, sl_text name, bool nocase) {
    for (uint32_t c = 0; c < b->ncols; c++)
        if (sl_text_eq(b->cols[c].name, name)) return (int)c;
    for (uint32_t c = 0; nocase && c < b->ncols; c++)
        if (sl_text_eq_nocase(b->cols[c].name, name)) return (int)c;
    return -1;
}

uint32_t sl_record_end(const sl_records *r, uint32_t row) {
    const uint32_t *end = r->end + (size_t)row * r->nfields;
    for (uint32_t f = r->nfields; f > 0; f--)
        if (end[f - 1] != SL_NO_FIELD) return end[f - 1];
    return r->start[row];
}

/* ---- from records to values ---------------------------------------------------------------------------------- */

/* A quoted field is the text between its quotes, raw when it has further quotes inside. */
static sl_value unquoted(sl_text t, char quote) {
    if (t.n < 2 || t.s[0] != quote || t.s[t.n - 1] != quote) return sl_text_value(t);
    sl_value v = sl_text_value((sl_text){t.s + 1, t.n - 2});
    if (v.n && memchr(v.as.s, quote, v.n)) {
        v.flags = SL_RAW_CSV;
        v.aux = quote;
    }
    return v;
}

/* As it stands in the input. */
static inline sl_value field_plain(const sl_records *r, uint32_t field, uint32_t row) {
    const uint32_t *end = r->end + (size_t)row * r->nfields + field;
    if (SL_UNLIKELY(*end == SL_NO_FIELD)) return sl_missing();
    uint32_t from = field ? end[-1] + 1 : r->start[row];
    return sl_text_value((sl_text){r->base + from, *end - from});
}

static inline sl_value field_value(const sl_records *r, uint32_t field, uint32_t row) {
    sl_value v = field_plain(r, field, row);
    if (r->plain || !r->quote || v.type == SL_MISSING) return v;
    return unquoted(sl_bytes(v), r->quote);
}

/* The fills tell whether a raw value is among what they made. */
static bool fill_all(const sl_records *r, uint32_t field, uint32_t nrows, sl_value *out) {
    unsigned flags = 0;
    if (r->plain || !r->quote) {
        for (uint32_t row = 0; row < nrows; row++) out[row] = field_plain(r, field, row);
        return false;
    }
    for (uint32_t row = 0; row < nrows; row++) {
        out[row] = field_value(r, field, row);
        flags |= out[row].flags;
    }
    return flags != 0;
}

static bool fill_selected(const sl_batch *b, uint32_t field, sl_value *out) {
    unsigned flags = 0;
    memset(out, 0, b->nrows * sizeof *out); /* all missing */
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = b->sel[i];
        out[row] = field_value(b->records, field, row);
        flags |= out[row].flags;
    }
    return flags != 0;
}

/* Gives a lazy column its values. */
static sl_status materialise(sl_batch *b, sl_column *col, sl_error *err) {
    assert(b->records && col->field < b->records->nfields);
    sl_value *values = sl_arena_alloc(sl_batch_arena(b), b->nrows * sizeof *values);
    if (!values) return sl_oom(err);
    col->raw =
        b->sel ? fill_selected(b, col->field, values) : fill_all(b->records, col->field, b->nrows, values);
    col->values = values;
    col->shared = false;
    return SL_OK;
}

/* Takes a copy of values that other batches look at. */
static sl_status own(sl_batch *b, sl_column *col, sl_error *err) {
    assert(col->values && b->nsel <= b->nrows);
    sl_value *copy = sl_arena_calloc(sl_batch_arena(b), b->nrows, sizeof *copy);
    if (!copy) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        copy[row] = col->values[row];
    }
    col->values = copy;
    col->shared = false;
    return SL_OK;
}

static sl_status decode(sl_batch *b, sl_column *col, sl_error *err) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_value *v = &col->values[sl_batch_row(b, i)];
        if (v->flags) TRY(sl_value_decode(v, sl_batch_arena(b), err));
    }
    col->raw = false;
    return SL_OK;
}

sl_value *sl_column_raw(sl_batch *b, uint32_t c, sl_error *err) {
    assert(c < b->ncols);
    sl_column *col = &b->cols[c];
    return col->values || materialise(b, col, err) == SL_OK ? col->values : NULL;
}

const sl_value *sl_column_read(sl_batch *b, uint32_t c, sl_error *err) {
    assert(c < b->ncols);
    if (b->cols[c].raw || !b->cols[c].values) return sl_column_values(b, c, err);
    return b->cols[c].values;
}

sl_value *sl_column_values(sl_batch *b, uint32_t c, sl_error *err) {
    assert(c < b->ncols);
    sl_column *col = &b->cols[c];
    if (!col->values && materialise(b, col, err) != SL_OK) return NULL;
    if (col->shared && own(b, col, err) != SL_OK) return NULL;
    if (col->raw && decode(b, col, err) != SL_OK) return NULL;
    return col->values;
}

sl_value sl_batch_peek(const sl_batch *b, uint32_t c, uint32_t row) {
    assert(c < b->ncols && row < b->nrows);
    const sl_column *col = &b->cols[c];
    return col->values ? col->values[row] : field_value(b->records, col->field, row);
}

sl_status sl_batch_cell(sl_batch *b, uint32_t c, uint32_t row, sl_value *out, sl_error *err) {
    *out = sl_batch_peek(b, c, row);
    return sl_value_decode(out, sl_batch_arena(b), err);
}

/* ---- changing the table -------------------------------------------------------------------------------------- */

static sl_status reserve(sl_batch *b, uint32_t extra, sl_error *err) {
    assert(b->ncols <= b->cap_cols);
    if (extra <= b->cap_cols - b->ncols) return SL_OK;
    uint64_t cap = (uint64_t)b->ncols + extra + b->ncols / 2 + 4;
    sl_column *cols = sl_arena_alloc(sl_batch_arena(b), cap * sizeof *cols);
    if (!cols || cap > INT32_MAX) return sl_oom(err);
    if (b->ncols) memcpy(cols, b->cols, b->ncols * sizeof *cols);
    b->cols = cols;
    b->cap_cols = (uint32_t)cap;
    return SL_OK;
}

sl_status sl_batch_set_records(sl_batch *b, const sl_records *records, const sl_text *names, sl_error *err) {
    assert(!b->ncols && records->nfields);
    TRY(reserve(b, records->nfields, err));
    for (uint32_t f = 0; f < records->nfields; f++) b->cols[f] = (sl_column){.name = names[f], .field = f};
    b->ncols = records->nfields;
    b->records = records;
    b->pristine = true;
    return SL_OK;
}

sl_status sl_batch_add_column(sl_batch *b, sl_text name, sl_value **values, sl_error *err) {
    assert(sl_batch_find(b, name, false) < 0);
    TRY(reserve(b, 1, err));
    sl_column col = {.name = sl_arena_text(sl_batch_arena(b), name)};
    col.values = sl_arena_calloc(sl_batch_arena(b), b->nrows, sizeof *col.values);
    if (!col.name.s || !col.values) return sl_oom(err);
    b->cols[b->ncols++] = col;
    b->pristine = false;
    *values = col.values;
    return SL_OK;
}

void sl_batch_drop_column(sl_batch *b, uint32_t c) {
    assert(c < b->ncols);
    memmove(&b->cols[c], &b->cols[c + 1], (b->ncols - c - 1) * sizeof *b->cols);
    b->ncols--;
    b->pristine = false;
}

sl_status sl_batch_move_last(sl_batch *b, uint32_t c, sl_text name, sl_error *err) {
    sl_column col = b->cols[c];
    col.name = sl_arena_text(sl_batch_arena(b), name);
    if (!col.name.s) return sl_oom(err);
    sl_batch_drop_column(b, c);
    b->cols[b->ncols++] = col;
    assert(b->ncols <= b->cap_cols && !b->pristine);
    return SL_OK;
}

/* ---- whole rows ---------------------------------------------------------------------------------------------- */

sl_status sl_batch_item(sl_batch *b, uint32_t row, sl_value *map, sl_error *err) {
    sl_pair *pairs = sl_arena_alloc(sl_batch_arena(b), b->ncols * sizeof *pairs);
    if (!pairs) return sl_oom(err);
    uint32_t n = 0;
    for (uint32_t c = 0; c < b->ncols; c++) {
        TRY(sl_batch_cell(b, c, row, &pairs[n].value, err));
        pairs[n].key = b->cols[c].name;
        n += pairs[n].value.type != SL_MISSING;
    }
    *map = sl_map(pairs, n);
    return SL_OK;
}
