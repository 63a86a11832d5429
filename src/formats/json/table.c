/* table.c: objects straight into columns. Neighbouring objects mostly have the same keys in the same order with the same white
 * space, so the text between two values is compared with that of the row before, and on a match the key is not parsed at all.
 * What does not match is parsed, and learned. */
#include "formats/json/json.h"

#include <stdlib.h>

#include "base/error.h"

#define MOST_ROWS    4000u /* not a power of two: columns then fall into different sets of the cache */
#define MOST_COLUMNS 4096u /* of a batch of more than one row */
#define MOST_CELLS   ((size_t)1 << 20)
#define TRIES        4u /* so many columns ahead a key is looked for before it is parsed */
#define DONE         UINT32_MAX

typedef struct column {
    sl_value *values;
    const char *gap; /* what stood between the value before and this one, when last seen; NULL: not yet */
    uint32_t gap_n, gap_lines;
    uint32_t name; /* number in names */
    uint8_t flags; /* of all values */
} column;

/* In the order in which the columns were made; `at` is the place among them. */
typedef struct name {
    sl_text text;
    uint32_t at;
} name;

struct sl_json_table {
    sl_json_in *in;
    sl_input *input;
    sl_json_out *out;
    sl_batch *batch; /* under construction, or NULL */
    const char *begin;
    uint32_t rows, cap, most; /* most: rows that batches of this unit may have */
    uint32_t row_bytes;       /* of a usual row; a guess that carries over from unit to unit */
    bool bare;
    uint32_t *line;
    uint64_t first_line;
    column *cols;
    name *names;
    uint32_t ncols, cap_cols;
    sl_json_index index;
    /* What stood from the opening brace to the first value of the row before, and that value's column. */
    const char *head;
    uint32_t head_n, head_lines, head_at;
};

sl_json_table *sl_json_table_new(void) {
    return calloc(1, sizeof(sl_json_table));
}

void sl_json_table_free(sl_json_table *t) {
    if (!t) return;
    sl_batch_free(&t->batch);
    free(t->cols);
    free(t->names);
    free(t->index.slots);
    free(t);
}

void sl_json_table_open(sl_json_table *t, sl_json_in *in, sl_input *input, sl_json_out *out) {
    sl_batch_free(&t->batch);
    t->in = in;
    t->input = input;
    t->out = out;
    t->most = MOST_ROWS;
}

static const char *no_memory(sl_json_table *t) {
    sl_oom(t->in->err);
    return NULL;
}

/* ---- batches ------------------------------------------------------------------------------------------------- */

sl_status sl_json_hand_on(void *to, sl_batch *take, sl_error *err) {
    sl_json_out *out = to;
    take->source = out->block->source;
    out->status = out->block->dialect == SL_RIKO && !take->bare ? sl_batch_nest_dotted(take, err) : SL_OK;
    if (out->status)
        sl_batch_free(&take);
    else
        out->status = out->sink(out->to, take, err);
    return out->status;
}

static uint32_t rows_ahead(const sl_json_table *t, const char *p) {
    size_t bytes = t->row_bytes ? t->row_bytes : 128, rows = (size_t)(t->in->end - p) / bytes;
    rows += rows / 8 + 16;
    return rows < t->most ? (uint32_t)rows : t->most;
}

static bool begin_batch(sl_json_table *t, const char *p, bool bare) {
    t->cap = rows_ahead(t, p);
    t->batch = sl_batch_new(t->input, t->cap);
    if (!t->batch) return false;
    t->in->arena = sl_batch_arena(t->batch);
    t->line = sl_arena_alloc(t->in->arena, t->cap * sizeof *t->line);
    t->rows = t->ncols = 0;
    t->bare = bare;
    t->begin = p;
    t->head = NULL;
    t->first_line = t->in->line;
    return t->line && sl_json_index_clear(&t->index, 0);
}

static sl_status finish_batch(sl_json_table *t) {
    sl_batch *b = t->batch;
    b->cols = sl_arena_calloc(sl_batch_arena(b), t->ncols, sizeof *b->cols);
    if (!b->cols) return sl_oom(t->in->err);
    for (uint32_t c = 0; c < t->ncols; c++) {
        const column *from = &t->cols[c];
        b->cols[c].name = t->names[from->name].text;
        b->cols[c].values = from->values;
        b->cols[c].raw = (from->flags & SL_RAW) != 0;
    }
    b->ncols = b->cap_cols = t->ncols;
    b->nrows = b->nsel = t->rows;
    b->bare = t->bare;
    b->first_line = t->first_line;
    b->line = t->line;
    t->batch = NULL;
    return sl_json_hand_on(t->out, b, t->in->err);
}

sl_status sl_json_table_flush(sl_json_table *t) {
    if (t->batch && t->rows) return finish_batch(t);
    sl_batch_free(&t->batch);
    return SL_OK;
}

/* Room for one more row, which begins at P. */
static bool begin_row(sl_json_table *t, const char *p, bool bare) {
    if (t->batch && (t->rows == t->cap || t->bare != bare)) {
        if (t->rows) t->row_bytes = (uint32_t)((size_t)(p - t->begin) / t->rows) + 1;
        if (sl_json_table_flush(t)) return false;
    }
    if (!t->batch && !begin_batch(t, p, bare)) return no_memory(t);
    return true;
}

static void end_row(sl_json_table *t, uint64_t line) {
    t->line[t->rows++] = (uint32_t)(line - t->first_line);
}

/* The row at hand cannot stand in this batch: the rows before it go on. A first row is only too wide for the batch's height. */
static bool restart(sl_json_table *t) {
    if (!t->rows) t->most = t->cap > 8 ? t->cap / 8 : 1;
    return sl_json_table_flush(t) == SL_OK;
}

/* ---- columns ------------------------------------------------------------------------------------------------- */

static bool grow_columns(sl_json_table *t) {
    uint32_t cap = t->cap_cols ? t->cap_cols * 2 : 32;
    column *cols = realloc(t->cols, cap * sizeof *cols);
    if (!cols) return false;
    t->cols = cols;
    name *names = realloc(t->names, cap * sizeof *names);
    if (!names) return false;
    t->names = names;
    t->cap_cols = cap;
    return true;
}

static bool index_name(sl_json_table *t) {
    uint32_t n = t->ncols;
    if (n * 2 <= t->index.n) {
        *sl_json_index_slot(&t->index, t->names[n - 1].text, t->names, sizeof *t->names) = n;
        return true;
    }
    if (!sl_json_index_clear(&t->index, n * 2)) return false;
    for (uint32_t i = 0; i < n; i++)
        *sl_json_index_slot(&t->index, t->names[i].text, t->names, sizeof *t->names) = i + 1;
    return true;
}

/* A new column AT a place that no earlier row contradicts, for they all lack it. */
static bool add_column(sl_json_table *t, sl_text text, uint32_t at) {
    if (t->ncols == t->cap_cols && !grow_columns(t)) return false;
    sl_value *values = sl_arena_alloc(sl_batch_arena(t->batch), t->cap * sizeof *values);
    if (!values) return false;
    for (uint32_t i = 0; i < t->rows; i++) values[i] = sl_missing();
    memmove(t->cols + at + 1, t->cols + at, (t->ncols - at) * sizeof *t->cols);
    t->cols[at] = (column){.values = values, .name = t->ncols};
    t->names[t->ncols++].text = text;
    for (uint32_t i = at; i < t->ncols; i++) t->names[t->cols[i].name].at = i;
    t->head = NULL;
    return index_name(t);
}

static bool too_wide(const sl_json_table *t) {
    if (t->rows && t->ncols >= MOST_COLUMNS) return true;
    return t->cap > 1 && (size_t)(t->ncols + 1) * t->cap > MOST_CELLS;
}

/* The column of KEY in a row whose columns before AT are settled. False: no memory, or *CONFLICT: another batch is needed. */
static bool place(sl_json_table *t, sl_text key, uint32_t at, uint32_t *c, bool *conflict) {
    uint32_t slot = *sl_json_index_slot(&t->index, key, t->names, sizeof *t->names);
    if (slot) {
        *c = t->names[slot - 1].at;
        *conflict = *c < at && t->cols[*c].values[t->rows].type == SL_MISSING;
        return !*conflict;
    }
    *conflict = too_wide(t);
    if (*conflict) return false;
    *c = at;
    return add_column(t, key, at) || no_memory(t);
}

/* ---- keys ---------------------------------------------------------------------------------------------------- */

static uint64_t word_at(const char *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Two words that overlap cover most gaps; a call of memcmp would cost more than the rest of the prediction. */
static bool same(const sl_json_in *in, const char *p, const char *gap, uint32_t n) {
    if ((size_t)(in->end - p) < n) return false;
    if (n < 8 || n > 16) return memcmp(p, gap, n) == 0;
    return ((word_at(p) ^ word_at(gap)) | (word_at(p + n - 8) ^ word_at(gap + n - 8))) == 0;
}

/* The value behind the gap at P when that begins as earlier rows had it; NULL otherwise. */
static const char *predict(sl_json_table *t, const char *p, uint32_t at, bool first, uint32_t *c) {
    if (first) {
        if (!t->head || !same(t->in, p, t->head, t->head_n)) return NULL;
        *c = t->head_at;
        t->in->line += t->head_lines;
        return sl_json_space(t->in, p + t->head_n);
    }
    uint32_t until = t->ncols - at > TRIES ? at + TRIES : t->ncols;
    for (uint32_t i = at; i < until; i++) {
        const column *col = &t->cols[i];
        if (!col->gap || !same(t->in, p, col->gap, col->gap_n)) continue;
        *c = i;
        t->in->line += col->gap_lines;
        return sl_json_space(t->in, p + col->gap_n);
    }
    return NULL;
}

static void learn(sl_json_table *t, const char *from, const char *to, uint32_t lines, bool first,
                  uint32_t c) {
    uint32_t n = (uint32_t)(to - from);
    if (first) {
        t->head = from;
        t->head_n = n;
        t->head_lines = lines;
        t->head_at = c;
    } else {
        t->cols[c].gap = from;
        t->cols[c].gap_n = n;
        t->cols[c].gap_lines = lines;
    }
}

/* To the key behind the brace or the value before; *C is DONE when the object ends instead. */
static const char *to_key(sl_json_in *in, const char *p, bool first, uint32_t *c) {
    p = sl_json_space(in, p + first);
    if (p < in->end && *p == '}') {
        *c = DONE;
        return p;
    }
    if (first) return p;
    if (p >= in->end || *p != ',') return sl_json_bad(in, p, "',' or '}'");
    return sl_json_space(in, p + 1);
}

static const char *to_value(sl_json_in *in, const char *p, sl_text *key) {
    if (!(p = sl_json_key(in, p, key))) return NULL;
    p = sl_json_space(in, p);
    if (p >= in->end || *p != ':') return sl_json_bad(in, p, "':'");
    return sl_json_space(in, p + 1);
}

/* The next value of the row and its column, the key parsed. */
static const char *parse_key(sl_json_table *t, const char *p, uint32_t at, bool first, uint32_t *c,
                             bool *conflict) {
    const char *from = p;
    uint64_t line = t->in->line;
    sl_text key;
    *c = 0;
    if (!(p = to_key(t->in, p, first, c)) || *c == DONE) return p;
    if (!(p = to_value(t->in, p, &key)) || !place(t, key, at, c, conflict)) return NULL;
    learn(t, from, p, (uint32_t)(t->in->line - line), first, *c);
    return p;
}

/* ---- rows ---------------------------------------------------------------------------------------------------- */

static void leave_out(sl_json_table *t, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) t->cols[i].values[t->rows] = sl_missing();
}

static const char *members(sl_json_table *t, const char *p, bool *conflict) {
    sl_json_in *in = t->in;
    uint32_t at = 0;
    for (bool first = true;; first = false) {
        uint32_t c;
        const char *q = predict(t, p, at, first, &c);
        if (!q && !(q = parse_key(t, p, at, first, &c, conflict))) return NULL;
        if (c == DONE) {
            leave_out(t, at, t->ncols);
            return q + 1;
        }
        if (c > at) leave_out(t, at, c);
        sl_value *v = &t->cols[c].values[t->rows];
        if (!(p = sl_json_value(in, q, true, v))) return NULL;
        t->cols[c].flags |= v->flags;
        if (c >= at) at = c + 1;
    }
}

static const char *object(sl_json_table *t, const char *p) {
    sl_json_in *in = t->in;
    for (uint64_t line = in->line;; in->line = line) {
        bool conflict = false;
        if (!begin_row(t, p, false)) return NULL;
        in->depth = 1;
        const char *q = members(t, p, &conflict);
        in->depth = 0;
        if (q) end_row(t, line);
        if (q || !conflict || !restart(t)) return q;
    }
}

static const char *bare(sl_json_table *t, const char *p) {
    uint64_t line = t->in->line;
    if (!begin_row(t, p, true)) return NULL;
    if (!t->ncols && !add_column(t, SL_TEXT("content"), 0)) return no_memory(t);
    sl_value *v = &t->cols[0].values[t->rows];
    if (!(p = sl_json_value(t->in, p, true, v))) return NULL;
    t->cols[0].flags |= v->flags;
    end_row(t, line);
    return p;
}

const char *sl_json_table_element(sl_json_table *t, const char *p) {
    sl_value nothing;
    if (p >= t->in->end) return sl_json_bad(t->in, p, "a value");
    if (*p == '{') return object(t, p);
    return *p == 'n' ? sl_json_value(t->in, p, true, &nothing) : bare(t, p);
}
