/* batch.c: batches, and who keeps what alive. The arena, the input and the columns of a batch lie in a *backing*, which is
 * counted: slices share it and no value is copied. A slice may travel to another thread, therefore the count is atomic; all
 * else in a backing belongs to the batch that made it. */
#include "record/batch.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"

/* ---- inputs -------------------------------------------------------------------------------------------------- */

static void release_input(sl_input *in) {
    free(in->data);
    free(in);
}

sl_input *sl_input_new(size_t cap) {
    if (cap > SIZE_MAX - SL_PADDING) return NULL;
    sl_input *in = calloc(1, sizeof *in);
    if (!in) return NULL;
    in->data = malloc(cap + SL_PADDING);
    if (!in->data) {
        free(in);
        return NULL;
    }
    memset(in->data + cap, 0, SL_PADDING);
    in->cap = cap;
    in->release = release_input;
    atomic_init(&in->refs, 1);
    return in;
}

sl_input *sl_input_copy(const void *data, size_t n) {
    sl_input *in = sl_input_new(n);
    if (!in) return NULL;
    if (n) memcpy(in->data, data, n);
    in->len = n;
    return in;
}

sl_input *sl_input_ref(sl_input *in) {
    assert(!in || atomic_load(&in->refs) > 0);
    if (in) atomic_fetch_add_explicit(&in->refs, 1, memory_order_relaxed);
    return in;
}

void sl_input_unref(sl_input **in) {
    sl_input *gone = *in;
    *in = NULL;
    assert(!gone || atomic_load(&gone->refs) > 0);
    if (gone && atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) == 1) gone->release(gone);
}

/* ---- backings -------------------------------------------------------------------------------------------------- */

/* What else must live as long as a backing: one input or one other backing. Links lie in the arena. */
typedef struct kept kept;
struct kept {
    kept *next;
    sl_input *input;
    sl_backing *backing;
};

struct sl_backing {
    atomic_uint refs; /* other threads' batches may keep this backing; only the count is shared */
    sl_arena arena;   /* of the one batch whose backing it is */
    kept *kept;
};

static sl_backing *backing_new(void) {
    sl_backing *s = calloc(1, sizeof *s);
    if (s) atomic_init(&s->refs, 1);
    return s;
}

static void backing_unref(sl_backing *s) {
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
    for (kept *k = s->kept; k; k = k->next) {
        sl_input_unref(&k->input);
        backing_unref(k->backing);
    }
    sl_arena_free(&s->arena);
    free(s);
}

static bool is_kept(const sl_backing *s, const sl_input *in, const sl_backing *other) {
    for (const kept *k = s->kept; k; k = k->next)
        if (k->input == in && k->backing == other) return true;
    return false;
}

static bool backing_keep(sl_backing *s, sl_input *in, sl_backing *other) {
    assert(!in != !other);
    if (other == s || is_kept(s, in, other)) return true;
    kept *k = sl_arena_alloc(&s->arena, sizeof *k);
    if (!k) return false;
    *k = (kept){s->kept, sl_input_ref(in), other};
    if (other) atomic_fetch_add_explicit(&other->refs, 1, memory_order_relaxed);
    s->kept = k;
    return true;
}

/* ---- batches ------------------------------------------------------------------------------------------------- */

sl_batch *sl_batch_new(sl_input *input, uint32_t nrows) {
    sl_batch *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->nrows = b->nsel = nrows;
    b->backing = backing_new();
    if (!b->backing || (input && !backing_keep(b->backing, input, NULL))) sl_batch_free(&b);
    return b;
}

void sl_batch_free(sl_batch **b) {
    if (!*b) return;
    backing_unref((*b)->backing);
    free(*b);
    *b = NULL;
}

sl_arena *sl_batch_arena(sl_batch *b) {
    return &b->backing->arena;
}

sl_status sl_batch_keep(sl_batch *b, sl_input *in, sl_error *err) {
    return !in || backing_keep(b->backing, in, NULL) ? SL_OK : sl_oom(err);
}

sl_status sl_batch_keep_batch(sl_batch *b, const sl_batch *other, sl_error *err) {
    return backing_keep(b->backing, NULL, other->backing) ? SL_OK : sl_oom(err);
}

/* An empty batch that looks like B and keeps its backing. */
static sl_batch *batch_like(const sl_batch *b) {
    sl_batch *like = sl_batch_new(NULL, b->nrows);
    if (!like) return NULL;
    sl_backing *backing = like->backing;
    *like = *b;
    like->recovered = 0;
    like->backing = backing;
    like->cap_cols = b->ncols;
    like->cols = sl_arena_alloc(&backing->arena, b->ncols * sizeof *like->cols);
    if (!like->cols || !backing_keep(backing, NULL, b->backing)) {
        sl_batch_free(&like);
        return NULL;
    }
    if (b->ncols) memcpy(like->cols, b->cols, b->ncols * sizeof *like->cols);
    return like;
}

/* What a selection is: rows that there are, each of them once, in their order. */
static inline bool is_selection(const uint32_t *sel, uint32_t n, uint32_t nrows) {
    for (uint32_t i = 1; i < n; i++)
        if (sel[i - 1] >= sel[i]) return false;
    return !n || sel[n - 1] < nrows;
}

sl_batch *sl_batch_slice(const sl_batch *b, const uint32_t *sel, uint32_t n) {
    assert(n <= b->nsel && is_selection(sel, n, b->nrows));
    for (uint32_t c = 0; c < b->ncols; c++)
        if (b->cols[c].values) b->cols[c].shared = true;
    sl_batch *slice = batch_like(b);
    if (!slice) return NULL;
    uint32_t *copy = sl_arena_alloc(sl_batch_arena(slice), n * sizeof *copy);
    if (!copy) {
        sl_batch_free(&slice);
        return NULL;
    }
    if (n) memcpy(copy, sel, n * sizeof *copy);
    slice->sel = copy;
    slice->nsel = n;
    return slice;
}

/* The first position of the selection SEL[0..N) whose row is ROW or later. */
static uint32_t position_of(const uint32_t *sel, uint32_t n, uint32_t row) {
    uint32_t from = 0, to = n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (sel[mid] < row)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static bool cut_selection(sl_batch *cut, const sl_batch *b, uint32_t from, uint32_t count) {
    cut->nrows = cut->nsel = count;
    if (!b->sel) return true;
    uint32_t first = position_of(b->sel, b->nsel, from);
    uint32_t n = position_of(b->sel, b->nsel, from + count) - first;
    uint32_t *sel = sl_arena_alloc(sl_batch_arena(cut), n * sizeof *sel);
    if (!sel) return false;
    for (uint32_t i = 0; i < n; i++) sel[i] = b->sel[first + i] - from;
    cut->sel = sel;
    cut->nsel = n;
    assert(is_selection(sel, n, count));
    return true;
}

static bool cut_records(sl_batch *cut, const sl_batch *b, uint32_t from) {
    if (!b->records || !from) return true;
    sl_records *r = sl_arena_alloc(sl_batch_arena(cut), sizeof *r);
    if (!r) return false;
    *r = *b->records;
    r->start += from;
    r->end += (size_t)from * r->nfields;
    cut->records = r;
    return true;
}

sl_batch *sl_batch_cut(const sl_batch *b, uint32_t from, uint32_t count) {
    assert(from <= b->nrows && count <= b->nrows - from);
    sl_batch *cut = batch_like(b);
    if (!cut) return NULL;
    if (!cut_selection(cut, b, from, count) || !cut_records(cut, b, from)) {
        sl_batch_free(&cut);
        return NULL;
    }
    for (uint32_t c = 0; c < cut->ncols; c++)
        if (cut->cols[c].values) cut->cols[c].values += from;
    if (cut->line)
        cut->line += from;
    else if (from)
        cut->first_line = 0;
    return cut;
}

/* ---- selecting ----------------------------------------------------------------------------------------------- */

sl_status sl_batch_select(sl_batch *b, const bool *keep, sl_error *err) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->nsel; i++) n += keep[i];
    if (n == b->nsel) return SL_OK;
    uint32_t *sel = sl_arena_alloc(sl_batch_arena(b), ((size_t)n + 1) * sizeof *sel);
    if (!sel) return sl_oom(err);
    uint32_t at = 0;
    for (uint32_t i = 0; i < b->nsel;
         i++) { /* no branch: the place behind the last is written and forgotten */
        sel[at] = sl_batch_row(b, i);
        at += keep[i];
    }
    assert(at == n && is_selection(sel, n, b->nrows));
    b->sel = sel;
    b->nsel = n;
    return SL_OK;
}

sl_status sl_batch_window(sl_batch *b, uint32_t from, uint32_t count, sl_error *err) {
    if (from > b->nsel) from = b->nsel;
    if (count > b->nsel - from) count = b->nsel - from;
    if (b->sel) {
        b->sel += from;
    } else if (!from) {
        b->nrows = count;
    } else {
        uint32_t *sel = sl_arena_alloc(sl_batch_arena(b), count * sizeof *sel);
        if (!sel) return sl_oom(err);
        for (uint32_t i = 0; i < count; i++) sel[i] = from + i;
        b->sel = sel;
    }
    b->nsel = count;
    return SL_OK;
}

uint64_t sl_batch_line(const sl_batch *b, uint32_t row) {
    assert(!b->line || row < b->nrows);
    if (!b->first_line) return 0;
    if (!b->line) return row ? 0 : b->first_line;
    return b->line[row] == UINT32_MAX ? 0 : b->first_line + b->line[row];
}
