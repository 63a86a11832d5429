/* flat.c: a batch as flat columns: members of objects become columns of their own, known by their path. Neighbouring rows
 * mostly have the same members in the same order, so the column of the next value is guessed from the row before and looked up
 * only when the guess is wrong. */
#include "sinks/sqlite/flat.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"

static sl_status add(sl_flat *flat, sl_batch *b, sl_flat_column column, sl_error *err) {
    if (flat->n == flat->cap) {
        uint32_t cap = flat->cap * 2 + 16;
        sl_flat_column *v = sl_arena_alloc(sl_batch_arena(b), cap * sizeof *v);
        if (!v) return sl_oom(err);
        if (flat->n) memcpy(v, flat->v, flat->n * sizeof *v);
        flat->v = v;
        flat->cap = cap;
    }
    column.order = flat->n;
    flat->v[flat->n++] = column;
    return SL_OK;
}

/* ---- flattening ------------------------------------------------------------------------------------------------ */

typedef struct walk {
    sl_flat *flat;
    sl_batch *b;
    uint32_t
        most; /* columns there may be: with one more the table is refused, and nothing further is looked at */
    uint32_t at;    /* position in the selection */
    uint32_t guess; /* where the column of the next value is if this row is like the one before */
    sl_buf path;    /* of the value at hand */
    uint32_t *slots, nslots, nflat; /* flat columns by path: number + 1, 0: free */
} walk;

static uint32_t *slot_of(const walk *f, sl_text path) {
    for (uint64_t at = sl_hash(path.s, path.n, 0);; at++) {
        uint32_t *slot = &f->slots[at & (f->nslots - 1)];
        if (!*slot || sl_text_eq(f->flat->v[*slot - 1].name, path)) return slot;
    }
}

static sl_status grow_slots(walk *f, sl_error *err) {
    uint32_t *old = f->slots, n = f->nslots;
    f->nslots = n ? n * 2 : 64;
    f->slots = calloc(f->nslots, sizeof *f->slots);
    for (uint32_t i = 0; f->slots && i < n; i++)
        if (old[i]) *slot_of(f, f->flat->v[old[i] - 1].name) = old[i];
    free(old);
    return f->slots ? SL_OK : sl_oom(err);
}

static sl_status new_column(walk *f, sl_text path, sl_error *err) {
    sl_value *values = sl_arena_calloc(sl_batch_arena(f->b), f->b->nrows, sizeof *values);
    sl_flat_column column = {
        .name = sl_arena_text(sl_batch_arena(f->b), path), .values = values, .first = f->at};
    if (!values || !column.name.s) return sl_oom(err);
    if (2 * ++f->nflat > f->nslots) TRY(grow_slots(f, err));
    TRY(add(f->flat, f->b, column, err));
    *slot_of(f, path) = f->flat->n;
    return SL_OK;
}

/* Puts V into the column of the path at hand, which is made when it is first met. */
static sl_status put_flat(walk *f, sl_value v, sl_error *err) {
    TRY(sl_buf_check(&f->path, err));
    sl_text path = sl_text_n(f->path.data, f->path.len);
    sl_flat *flat = f->flat;
    if (f->guess >= flat->n || !sl_text_eq(flat->v[f->guess].name, path)) {
        if (!f->nslots) TRY(grow_slots(f, err));
        if (!*slot_of(f, path)) TRY(new_column(f, path, err));
        f->guess = *slot_of(f, path) - 1;
    }
    sl_value *values = (sl_value *)(uintptr_t)flat->v[f->guess++].values;
    values[sl_batch_row(f->b, f->at)] = v;
    return SL_OK;
}

/* Maps to any depth. One without members is a value of its own, {}. */
static sl_status flatten_value(walk *f, sl_value v, sl_error *err) {
    if (f->flat->n > f->most) return SL_OK;
    if (v.type != SL_MAP || !v.n) return put_flat(f, v, err);
    for (uint32_t i = 0; i < v.n; i++) {
        size_t n = f->path.len;
        sl_buf_byte(&f->path, SL_FLAT_STEP);
        sl_buf_text(&f->path, v.as.map[i].key);
        TRY(flatten_value(f, v.as.map[i].value, err));
        f->path.len = n;
    }
    return SL_OK;
}

static sl_status flatten_column(walk *f, uint32_t c, sl_error *err) {
    uint32_t from = f->flat->n;
    for (f->at = 0; f->at < f->b->nsel; f->at++) {
        sl_value v = sl_batch_peek(f->b, c, sl_batch_row(f->b, f->at));
        if (v.type == SL_MISSING) continue;
        f->guess = from;
        sl_buf_clear(&f->path);
        sl_buf_text(&f->path, f->b->cols[c].name);
        TRY(flatten_value(f, v, err));
    }
    return SL_OK;
}

bool sl_flat_is_member(sl_text name) {
    return name.n && memchr(name.s, SL_FLAT_STEP, name.n);
}

sl_text sl_flat_shown(sl_text name, sl_arena *arena) {
    if (!sl_flat_is_member(name)) return name;
    char *s = sl_arena_strndup(arena, name.s, name.n);
    for (uint32_t i = 0; s && i < name.n; i++)
        if (s[i] == SL_FLAT_STEP) s[i] = '.';
    return (sl_text){s, name.n};
}

bool sl_flat_is_shown(sl_text name, sl_text shown, bool nocase) {
    if (name.n != shown.n) return false;
    for (uint32_t i = 0; i < name.n; i++) {
        sl_text one = {name.s + i, 1}, other = {shown.s + i, 1};
        bool same = nocase ? sl_text_eq_nocase(one, other) : sl_text_eq(one, other);
        if (!same && !(name.s[i] == SL_FLAT_STEP && shown.s[i] == '.')) return false;
    }
    return true;
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

/* Columns first seen in the same row keep the order of its keys. */
static int by_first(const void *va, const void *vb) {
    const sl_flat_column *a = va, *b = vb;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void sort_by_first(sl_flat *flat) {
    bool sorted = true;
    for (uint32_t i = 1; i < flat->n && sorted; i++) sorted = flat->v[i - 1].first <= flat->v[i].first;
    if (!sorted) qsort(flat->v, flat->n, sizeof *flat->v, by_first);
}

static sl_status make_columns(sl_flat *flat, walk *f, bool flatten, sl_error *err) {
    sl_batch *b = f->b;
    for (uint32_t c = 0; c < b->ncols; c++) {
        if (flatten && has_maps(b, c)) {
            TRY(flatten_column(f, c, err));
            continue;
        }
        const sl_column *col = &b->cols[c];
        sl_flat_column column = {col->name, col->values, c, col->field, first_row(b, c), 0};
        bool heading = b->nsel == 0;
        if (heading || column.first < b->nsel) TRY(add(flat, b, column, err));
    }
    return SL_OK;
}

sl_status sl_flat_make(sl_flat *flat, sl_batch *b, bool flatten, uint32_t most, sl_error *err) {
    *flat = (sl_flat){0};
    walk f = {.flat = flat, .b = b, .most = most};
    sl_status s = make_columns(flat, &f, flatten, err);
    sl_buf_free(&f.path);
    free(f.slots);
    if (s == SL_OK) sort_by_first(flat);
    return s;
}
