/* builder.c: rows into columns.
 *
 * Columns live in slots that never move; `order` says in which order the items show them. While the names of a row arrive in
 * that order, a put is one comparison and one store. A name out of turn is looked up in a hash table: a column further on
 * moves the row's position there, an unknown name becomes a column at the position (earlier rows lack it), and a column that
 * the row has already passed contradicts the order: from there on the row is carried aside, and when it is complete the rows
 * before it are handed on and it opens the next batch. Nothing is handed on in the middle of a row, so the arena that the
 * caller writes to is never taken away. */
#include "record/builder.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/hash.h"

enum {
    DEFAULT_ROWS = 4096,
    MOST_ROWS = 1 << 16,
    FIRST_CELLS = 16, /* rows that a new column has room for */
    USUAL_COLUMNS = 64,
    WIDEST_MERGE = 4096,   /* a batch with more columns takes no new ones from later rows */
    MOST_CELLS = 1 << 20,  /* columns x rows of a batch, 16 bytes each */
    MOST_BYTES = 16 << 20, /* of a batch's arena */
    NO_SLOT = -1
};

typedef struct slot {
    sl_text name;
    uint64_t hash;
    sl_value *values;
    uint32_t filled, cap; /* rows with a value; room for rows */
    uint32_t pos;         /* in order */
    uint32_t born;        /* row that showed it first */
    bool raw;
} slot;

struct sl_builder {
    uint32_t max_rows;
    uint32_t usual_rows; /* of the batch before */
    sl_input *input;
    sl_batch_sink sink;
    void *to;
    const char *source;

    sl_batch *batch;   /* under construction, NULL between batches */
    uint32_t nrows;    /* finished rows; the current row has this number */
    bool in_row, bare; /* between sl_builder_row and its end; rows are scalars */
    uint32_t pos;      /* of the column that the current row should show next */
    uint32_t *lines;   /* [max_rows] in the batch's arena, NULL: no line told yet */

    slot *slots;
    uint32_t *order; /* [nslots] */
    uint32_t nslots, cap_slots;
    int32_t *table;      /* open addressing, slot numbers */
    uint32_t table_size; /* power of two, 0 before first use */

    sl_pair *carry; /* the current row once it contradicts the order; repeated names not yet merged */
    uint32_t ncarry, cap_carry;
    bool carrying;
    uint64_t row_line;  /* of the current row, 0 unknown */
    bool row_recovered; /* the current row is */
    uint32_t recovered; /* finished rows that are */
};

/* ---- life ---------------------------------------------------------------------------------------------------- */

sl_builder *sl_builder_new(uint32_t max_rows, sl_input *input, sl_batch_sink sink, void *to) {
    sl_builder *bd = calloc(1, sizeof *bd);
    if (!bd) return NULL;
    bd->max_rows = !max_rows ? DEFAULT_ROWS : max_rows > MOST_ROWS ? MOST_ROWS : max_rows;
    bd->input = sl_input_ref(input);
    bd->sink = sink;
    bd->to = to;
    return bd;
}

void sl_builder_free(sl_builder **bd) {
    sl_builder *gone = *bd;
    *bd = NULL;
    if (!gone) return;
    sl_batch_free(&gone->batch);
    sl_input_unref(&gone->input);
    free(gone->slots);
    free(gone->order);
    free(gone->table);
    free(gone->carry);
    free(gone);
}

sl_arena *sl_builder_arena(sl_builder *bd) {
    return bd->batch ? sl_batch_arena(bd->batch) : NULL;
}

void sl_builder_source(sl_builder *bd, const char *source) {
    bd->source = source;
}

void sl_builder_line(sl_builder *bd, uint64_t line) {
    bd->row_line = line;
}

void sl_builder_recovered(sl_builder *bd) {
    bd->row_recovered = true;
}

/* ---- the table of names -------------------------------------------------------------------------------------- */

static void table_insert(sl_builder *bd, uint32_t id) {
    uint32_t mask = bd->table_size - 1, at = (uint32_t)bd->slots[id].hash & mask;
    while (bd->table[at] != NO_SLOT) at = (at + 1) & mask;
    bd->table[at] = (int32_t)id;
    assert(2 * (uint64_t)bd->nslots <= bd->table_size); /* a search ends */
}

static slot *table_find(const sl_builder *bd, sl_text name, uint64_t hash) {
    if (!bd->table_size) return NULL;
    uint32_t mask = bd->table_size - 1;
    for (uint32_t at = (uint32_t)hash & mask; bd->table[at] != NO_SLOT; at = (at + 1) & mask) {
        slot *s = &bd->slots[bd->table[at]];
        if (s->hash == hash && sl_text_eq(s->name, name)) return s;
    }
    return NULL;
}

/* Room for one slot more in the arrays and, at most half full, in the table. */
static sl_status reserve_slot(sl_builder *bd, sl_error *err) {
    if (bd->nslots < bd->cap_slots) return SL_OK;
    if (bd->cap_slots > INT32_MAX / 8) return sl_fail(err, SL_E_DATA, "an item has too many keys");
    uint32_t cap = bd->cap_slots ? bd->cap_slots * 2 : 32;
    slot *slots = realloc(bd->slots, cap * sizeof *slots);
    if (slots) bd->slots = slots;
    uint32_t *order = realloc(bd->order, cap * sizeof *order);
    if (order) bd->order = order;
    int32_t *table = malloc((size_t)cap * 2 * sizeof *table);
    if (!slots || !order || !table) {
        free(table);
        return sl_oom(err);
    }
    memset(table, 0xff, (size_t)cap * 2 * sizeof *table);
    free(bd->table);
    bd->table = table;
    bd->table_size = cap * 2;
    bd->cap_slots = cap;
    for (uint32_t i = 0; i < bd->nslots; i++) table_insert(bd, i);
    return SL_OK;
}

/* A new column at the position of the current row. */
static sl_status insert_slot(sl_builder *bd, sl_text name, uint64_t hash, slot **out, sl_error *err) {
    assert(bd->pos <= bd->nslots);
    TRY(reserve_slot(bd, err));
    slot *s = &bd->slots[bd->nslots];
    *s = (slot){.name = sl_arena_text(sl_batch_arena(bd->batch), name),
                .hash = hash,
                .pos = bd->pos,
                .born = bd->nrows};
    if (!s->name.s) return sl_oom(err);
    for (uint32_t i = bd->nslots; i > bd->pos; i--) {
        bd->order[i] = bd->order[i - 1];
        bd->slots[bd->order[i]].pos = i;
    }
    bd->order[bd->pos] = bd->nslots;
    table_insert(bd, bd->nslots++);
    *out = s;
    return SL_OK;
}

/* ---- cells --------------------------------------------------------------------------------------------------- */

/* Batches of one stream tend to be alike: as many rows as the last one had, unless there are very many columns. */
static uint32_t first_cells(const sl_builder *bd) {
    return bd->usual_rows > FIRST_CELLS && bd->nslots <= USUAL_COLUMNS ? bd->usual_rows : FIRST_CELLS;
}

/* Room for row ROW and `missing` in the rows before it that lack the column. */
static sl_status pad(sl_builder *bd, slot *s, uint32_t row, sl_error *err) {
    if (row >= s->cap) {
        uint64_t cap = s->cap ? (uint64_t)s->cap * 4 : first_cells(bd);
        if (cap <= row) cap = (uint64_t)row + row / 2 + 1;
        if (cap > bd->max_rows) cap = bd->max_rows;
        sl_value *values = sl_arena_alloc(sl_batch_arena(bd->batch), cap * sizeof *values);
        if (!values) return sl_oom(err);
        if (s->filled) memcpy(values, s->values, s->filled * sizeof *values);
        s->values = values;
        s->cap = (uint32_t)cap;
    }
    if (s->filled < row) memset(s->values + s->filled, 0, (row - s->filled) * sizeof *s->values);
    if (s->filled < row) s->filled = row;
    return SL_OK;
}

static inline sl_status set_cell(sl_builder *bd, slot *s, sl_value v, sl_error *err) {
    uint32_t row = bd->nrows;
    if (SL_UNLIKELY(row >= s->cap || s->filled < row)) TRY(pad(bd, s, row, err));
    assert(s->filled == row || s->filled == row + 1); /* a key that came twice */
    s->values[row] = v;
    s->filled = row + 1;
    s->raw |= v.flags && v.type != SL_TIME;
    return SL_OK;
}

static sl_status carry_put(sl_builder *bd, sl_text name, sl_value v, sl_error *err) {
    if (!SL_ROOM(bd->carry, bd->cap_carry, bd->ncarry + 1)) return sl_oom(err);
    sl_text own = sl_arena_text(sl_batch_arena(bd->batch), name);
    if (!own.s) return sl_oom(err);
    bd->carry[bd->ncarry++] = (sl_pair){own, v};
    return SL_OK;
}

/* Takes the cells of the current row out of the columns, in the order of its keys. */
static sl_status carry_row(sl_builder *bd, sl_error *err) {
    bd->ncarry = 0;
    for (uint32_t i = 0; i < bd->pos; i++) {
        slot *s = &bd->slots[bd->order[i]];
        if (s->filled <= bd->nrows) continue;
        TRY(carry_put(bd, s->name, s->values[bd->nrows], err));
        s->filled = bd->nrows;
    }
    bd->carrying = true;
    return SL_OK;
}

/* A merge that would make a huge, mostly empty table is not worth it. */
static bool too_sparse(const sl_builder *bd) {
    return bd->nrows && (bd->nslots >= WIDEST_MERGE ||
                         ((uint64_t)bd->nslots + 1) * ((uint64_t)bd->nrows + 1) > MOST_CELLS);
}

static sl_status put_out_of_turn(sl_builder *bd, sl_text name, sl_value v, sl_error *err) {
    uint64_t hash = sl_hash(name.s, name.n, 0);
    slot *s = table_find(bd, name, hash);
    if (s ? s->pos < bd->pos && s->filled <= bd->nrows : too_sparse(bd)) {
        TRY(carry_row(bd, err));
        return carry_put(bd, name, v, err);
    }
    if (!s) TRY(insert_slot(bd, name, hash, &s, err));
    if (s->pos >= bd->pos) bd->pos = s->pos + 1;
    return set_cell(bd, s, v, err);
}

sl_status sl_builder_put(sl_builder *bd, sl_text name, sl_value v, sl_error *err) {
    assert(bd->in_row || bd->ncarry);
    if (v.type == SL_MISSING) return SL_OK;
    if (SL_UNLIKELY(bd->carrying)) return carry_put(bd, name, v, err);
    if (SL_LIKELY(bd->pos < bd->nslots)) {
        slot *s = &bd->slots[bd->order[bd->pos]];
        if (SL_LIKELY(sl_text_eq(s->name, name))) {
            bd->pos++;
            return set_cell(bd, s, v, err);
        }
    }
    return put_out_of_turn(bd, name, v, err);
}

/* ---- handing on ---------------------------------------------------------------------------------------------- */

static sl_status open_batch(sl_builder *bd, sl_error *err) {
    if (bd->batch) return SL_OK;
    bd->batch = sl_batch_new(bd->input, 0);
    return bd->batch ? SL_OK : sl_oom(err);
}

/* Columns that only the row carried aside has shown go with it. */
static sl_status make_columns(sl_builder *bd, sl_error *err) {
    sl_batch *b = bd->batch;
    uint32_t last = bd->nrows - 1;
    b->cols = sl_arena_alloc(sl_batch_arena(b), bd->nslots * sizeof *b->cols);
    if (!b->cols) return sl_oom(err);
    b->cap_cols = bd->nslots;
    for (uint32_t i = 0; i < bd->nslots; i++) {
        slot *s = &bd->slots[bd->order[i]];
        if (s->born > last) continue;
        TRY(pad(bd, s, last, err));
        assert(last < s->cap && s->filled >= last);
        if (s->filled == last) s->values[last] = sl_missing();
        b->cols[b->ncols++] = (sl_column){.name = s->name, .values = s->values, .raw = s->raw};
    }
    return SL_OK;
}

/* Hands the finished rows on and forgets them. */
static sl_status hand_on(sl_builder *bd, sl_error *err) {
    if (!bd->nrows) return SL_OK;
    assert(!bd->in_row && bd->nrows <= bd->max_rows);
    TRY(make_columns(bd, err));
    sl_batch *b = bd->batch;
    b->nrows = b->nsel = bd->nrows;
    b->bare = bd->bare;
    b->source = bd->source;
    b->recovered = bd->recovered;
    b->line = bd->lines;
    b->first_line = bd->lines ? 1 : 0;
    bd->batch = NULL;
    bd->usual_rows = bd->nrows;
    bd->nrows = bd->nslots = bd->pos = bd->recovered = 0;
    bd->lines = NULL;
    if (bd->table) memset(bd->table, 0xff, bd->table_size * sizeof *bd->table);
    return bd->sink(bd->to, b, err);
}

static sl_status copy_carry(sl_builder *bd, sl_arena *arena, sl_error *err) {
    for (uint32_t i = 0; i < bd->ncarry; i++) {
        sl_pair *p = &bd->carry[i];
        p->key = sl_arena_text(arena, p->key);
        if (!p->key.s) return sl_oom(err);
        TRY(sl_value_copy(&p->value, p->value, arena, err));
    }
    return SL_OK;
}

/* The row carried aside becomes the first of the next batch. It is copied before its old arena goes. */
static sl_status settle_carry(sl_builder *bd, sl_error *err) {
    sl_batch *next = sl_batch_new(bd->input, 0);
    if (!next) return sl_oom(err);
    sl_status status = copy_carry(bd, sl_batch_arena(next), err);
    if (status == SL_OK) status = hand_on(bd, err);
    if (status != SL_OK) {
        sl_batch_free(&next);
        return status;
    }
    bd->batch = next;
    bd->carrying = false;
    for (uint32_t i = 0; i < bd->ncarry; i++)
        TRY(sl_builder_put(bd, bd->carry[i].key, bd->carry[i].value, err));
    return SL_OK;
}

static sl_status note_line(sl_builder *bd, sl_error *err) {
    bool known = bd->row_line && bd->row_line < UINT32_MAX;
    if (!bd->lines && known) {
        bd->lines = sl_arena_alloc(sl_batch_arena(bd->batch), bd->max_rows * sizeof *bd->lines);
        if (!bd->lines) return sl_oom(err);
        memset(bd->lines, 0xff, bd->max_rows * sizeof *bd->lines);
    }
    assert(bd->nrows < bd->max_rows);
    if (bd->lines && known) bd->lines[bd->nrows] = (uint32_t)(bd->row_line - 1);
    return SL_OK;
}

static sl_status end_row(sl_builder *bd, sl_error *err) {
    if (!bd->in_row) return SL_OK;
    bd->in_row = false;
    if (bd->carrying) TRY(settle_carry(bd, err));
    TRY(note_line(bd, err));
    bd->recovered += bd->row_recovered;
    bd->nrows++;
    bd->pos = 0;
    return SL_OK;
}

static bool is_full(const sl_builder *bd) {
    return bd->nrows >= bd->max_rows || (uint64_t)bd->nrows * bd->nslots >= MOST_CELLS ||
           (bd->batch && sl_batch_arena(bd->batch)->total >= MOST_BYTES);
}

static sl_status begin_row(sl_builder *bd, bool bare, sl_error *err) {
    TRY(end_row(bd, err));
    if (is_full(bd) || bd->bare != bare) TRY(hand_on(bd, err));
    TRY(open_batch(bd, err));
    bd->bare = bare;
    bd->in_row = true;
    bd->carrying = false;
    bd->row_line = 0;
    bd->row_recovered = false;
    return SL_OK;
}

sl_status sl_builder_row(sl_builder *bd, sl_error *err) {
    return begin_row(bd, false, err);
}

sl_status sl_builder_flush(sl_builder *bd, sl_error *err) {
    TRY(end_row(bd, err));
    return hand_on(bd, err);
}

/* ---- whole rows ---------------------------------------------------------------------------------------------- */

static sl_status put_copy(sl_builder *bd, sl_text name, sl_value v, sl_error *err) {
    TRY(sl_value_copy(&v, v, sl_batch_arena(bd->batch), err));
    return sl_builder_put(bd, name, v, err);
}

sl_status sl_builder_add(sl_builder *bd, sl_value v, sl_error *err) {
    TRY(begin_row(bd, v.type != SL_MAP, err));
    if (v.type == SL_MISSING) v = sl_null();
    if (v.type != SL_MAP) return put_copy(bd, SL_TEXT("content"), v, err);
    for (uint32_t i = 0; i < v.n; i++) TRY(put_copy(bd, v.as.map[i].key, v.as.map[i].value, err));
    return SL_OK;
}
