#include "sinks/sqlite_view.h"

#include "base/error.h"

static sl_status add(sl_view *view, sl_batch *b, sl_view_column column, sl_error *err) {
    if (view->n == view->cap) {
        uint32_t cap = view->cap * 2 + 16;
        sl_view_column *v = sl_arena_alloc(sl_batch_arena(b), cap * sizeof *v);
        if (!v) return sl_oom(err);
        if (view->n) memcpy(v, view->v, view->n * sizeof *v);
        view->v = v;
        view->cap = cap;
    }
    view->v[view->n++] = column;
    return SL_OK;
}

/* ---- flattening ------------------------------------------------------------------------------------------------ */

typedef struct flat {
    sl_view *view;
    sl_batch *b;
    uint32_t from; /* the first of the view's columns that stem from the column at hand */
    uint32_t at;   /* position in the selection */
} flat;

/* The values of the flat column NAME, made when it is first met; NULL: no memory. */
static sl_value *flat_column(flat *f, sl_text name, sl_error *err) {
    for (uint32_t i = f->from; i < f->view->n; i++)
        if (sl_text_eq(f->view->v[i].name, name)) return (sl_value *)(uintptr_t)f->view->v[i].values;
    sl_value *values = sl_arena_calloc(sl_batch_arena(f->b), f->b->nrows, sizeof *values);
    if (!values) {
        sl_oom(err);
        return NULL;
    }
    sl_view_column column = {.name = name, .values = values, .first = f->at};
    return add(f->view, f->b, column, err) == SL_OK ? values : NULL;
}

/* Maps to any depth; an empty map has no members and leaves the cell out. */
static sl_status flatten_value(flat *f, sl_text name, sl_value v, sl_error *err) {
    if (v.type != SL_MAP) {
        sl_value *values = flat_column(f, name, err);
        if (!values) return SL_E_MEMORY;
        values[sl_batch_row(f->b, f->at)] = v;
        return SL_OK;
    }
    for (uint32_t i = 0; i < v.n; i++) {
        sl_text key = v.as.map[i].key;
        sl_text member =
            sl_arena_printf(sl_batch_arena(f->b), "%.*s.%.*s", (int)name.n, name.s, (int)key.n, key.s);
        if (!member.s) return sl_oom(err);
        TRY(flatten_value(f, member, v.as.map[i].value, err));
    }
    return SL_OK;
}

static sl_status flatten_column(sl_view *view, sl_batch *b, uint32_t c, sl_error *err) {
    flat f = {view, b, view->n, 0};
    for (; f.at < b->nsel; f.at++) {
        sl_value v = sl_batch_peek(b, c, sl_batch_row(b, f.at));
        if (v.type != SL_MISSING) TRY(flatten_value(&f, b->cols[c].name, v, err));
    }
    return SL_OK;
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

static bool has_maps(const sl_batch *b, uint32_t c) {
    const sl_value *v = b->cols[c].values;
    for (uint32_t i = 0; v && i < b->nsel; i++)
        if (v[sl_batch_row(b, i)].type == SL_MAP) return true;
    return false;
}

/* Position of the first row that has column C; nsel: none. A record's columns all count, even those its rows are too short for. */
static uint32_t first_row(const sl_batch *b, uint32_t c) {
    if (b->pristine) return 0;
    for (uint32_t i = 0; i < b->nsel; i++)
        if (sl_batch_peek(b, c, sl_batch_row(b, i)).type != SL_MISSING) return i;
    return b->nsel;
}

/* Stable: columns first seen in the same row keep the order of its keys. */
static void sort_by_first(sl_view *view) {
    for (uint32_t i = 1; i < view->n; i++) {
        sl_view_column c = view->v[i];
        uint32_t at = i;
        for (; at > 0 && view->v[at - 1].first > c.first; at--) view->v[at] = view->v[at - 1];
        view->v[at] = c;
    }
}

sl_status sl_view_make(sl_view *view, sl_batch *b, bool flatten, sl_error *err) {
    *view = (sl_view){0};
    for (uint32_t c = 0; c < b->ncols; c++) {
        if (flatten && has_maps(b, c)) {
            TRY(flatten_column(view, b, c, err));
            continue;
        }
        const sl_column *col = &b->cols[c];
        sl_view_column column = {col->name, col->values, c, col->field, first_row(b, c)};
        bool heading = b->nsel == 0;
        if (heading || column.first < b->nsel) TRY(add(view, b, column, err));
    }
    sort_by_first(view);
    return SL_OK;
}
