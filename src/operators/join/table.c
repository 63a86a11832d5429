/* table.c: the second stream of a join, by key. Batches are kept as they came, and rows of equal keys are chained in the order
 * of adding, which is the order in which pairs come out. When the budget is spent all rows move to a file (file.c), for half a
 * table in memory would need two ways of looking up. */
#include "operators/join/table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/hash.h"
#include "operators/text/text.h"
#include "operators/join/file.h"
#include "record/compare.h"
#include "record/pack.h"

/* A row of the table: where it is, and the next one with the same bucket, in order of adding. Places count from 1. */
typedef struct place {
    uint64_t hash;
    uint64_t key, at; /* offset of the key in `keys`; batch and row */
    uint32_t nkey;    /* bytes of the key */
    size_t next;
} place;

struct sl_join_table {
    const sl_path *path;
    bool lower, cross, texts, same_columns;
    size_t budget, held;
    const char *tmpdir;
    sl_batch **batches;
    uint32_t nbatches, cap_batches;
    place *places; /* [1..n] */
    size_t n, cap;
    size_t *heads, *tails; /* [nbuckets] */
    size_t nbuckets;
    sl_buf keys;
    sl_join_file *file; /* NULL: all in memory */
    sl_buf packed;
    sl_log *log; /* NULL: nothing is told */
};

sl_join_table *sl_join_table_new(const sl_path *key, bool lower, size_t budget, const char *tmpdir) {
    sl_join_table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    *t = (sl_join_table){.path = key,
                         .lower = lower,
                         .cross = key->n == 0,
                         .texts = true,
                         .same_columns = true,
                         .budget = budget,
                         .tmpdir = tmpdir};
    return t;
}

static void drop_batches(sl_join_table *t) {
    for (uint32_t i = 0; i < t->nbatches; i++) sl_batch_free(&t->batches[i]);
    t->nbatches = 0;
}

void sl_join_table_log(sl_join_table *t, sl_log *log) {
    if (t) t->log = log;
}

void sl_join_table_free(sl_join_table **tp) {
    sl_join_table *t = *tp;
    if (!t) return;
    drop_batches(t);
    sl_join_file_free(&t->file);
    free(t->batches);
    free(t->places);
    free(t->heads);
    free(t->tails);
    sl_buf_free(&t->keys);
    sl_buf_free(&t->packed);
    free(t);
    *tp = NULL;
}

sl_status sl_join_key(const sl_join_table *t, sl_value v, sl_arena *arena, sl_buf *key, bool *usable,
                      sl_error *err) {
    *usable = t->cross || v.type != SL_MISSING;
    if (t->cross || !*usable) return SL_OK;
    if (t->lower && sl_is_text(v)) {
        sl_text lower;
        TRY(sl_case_map(sl_bytes(v), SL_LOWER, arena, &lower, err));
        v = sl_text_value(lower);
    }
    sl_key_append(v, key);
    return sl_buf_check(key, err);
}

/* ---- adding --------------------------------------------------------------------------------------------------------------- */

/* The row in the file is a packed batch of one row. */
static sl_status write_row(sl_join_table *t, sl_batch *b, uint32_t row, sl_text key, sl_error *err) {
    sl_batch *one = sl_batch_slice(b, &row, 1);
    if (!one) return sl_oom(err);
    sl_buf_clear(&t->packed);
    sl_status s = sl_batch_pack(one, &t->packed, err);
    sl_batch_free(&one);
    TRY(s);
    TRY(sl_buf_check(&t->packed, err));
    return sl_join_file_add(t->file, sl_hash(key.s, key.n, 0), key, sl_text_n(t->packed.data, t->packed.len),
                            err);
}

static sl_status add_row(sl_join_table *t, sl_batch *b, uint32_t batch, uint32_t row, sl_text key,
                         sl_error *err) {
    if (t->file) return write_row(t, b, row, key, err);
    if (!SL_ROOM(t->places, t->cap, t->n + 2)) return sl_oom(err);
    t->places[++t->n] = (place){.hash = sl_hash(key.s, key.n, 0),
                                .key = t->keys.len,
                                .at = (uint64_t)batch << 32 | row,
                                .nkey = key.n};
    sl_buf_text(&t->keys, key);
    return sl_buf_check(&t->keys, err);
}

static sl_status add_rows(sl_join_table *t, sl_batch *b, uint32_t batch, sl_error *err) {
    const sl_value *column = t->cross ? NULL : sl_path_column(t->path, b, err);
    if (!t->cross && !column) return SL_E_MEMORY;
    sl_buf key = {0};
    sl_status s = SL_OK;
    for (uint32_t i = 0; i < b->nsel && s == SL_OK; i++) {
        uint32_t row = sl_batch_row(b, i);
        sl_value v = column ? column[row] : sl_null();
        bool usable;
        sl_buf_clear(&key);
        s = sl_join_key(t, v, sl_batch_arena(b), &key, &usable, err);
        t->texts = t->texts && sl_is_text(v);
        if (s == SL_OK && usable) s = add_row(t, b, batch, row, sl_text_n(key.data, key.len), err);
    }
    sl_buf_free(&key);
    return s;
}

/* From now on rows live in a file: those so far are moved there. */
static sl_status spill(sl_join_table *t, sl_error *err) {
    SL_TRACE(t->log, spill, "join: after %zu rows its table goes to a file", (size_t)t->n);
    free(t->places);
    t->places = NULL;
    t->n = t->cap = 0;
    sl_buf_free(&t->keys);
    TRY(sl_join_file_new(t->budget / 2, t->tmpdir, &t->file, err));
    for (uint32_t i = 0; i < t->nbatches; i++) {
        TRY(add_rows(t, t->batches[i], i, err));
        sl_batch_free(&t->batches[i]);
    }
    t->nbatches = 0;
    return SL_OK;
}

static bool columns_equal(const sl_batch *a, const sl_batch *b) {
    if (a->ncols != b->ncols) return false;
    for (uint32_t c = 0; c < a->ncols; c++)
        if (!sl_text_eq(a->cols[c].name, b->cols[c].name)) return false;
    return true;
}

static sl_status keep_batch(sl_join_table *t, sl_batch *take, sl_error *err) {
    if (!SL_ROOM(t->batches, t->cap_batches, t->nbatches + 1)) {
        sl_batch_free(&take);
        return sl_oom(err);
    }
    assert(!t->file && !t->heads);
    t->batches[t->nbatches++] = take;
    return SL_OK;
}

static sl_status decode(sl_join_table *t, sl_batch *b, sl_error *err) {
    for (uint32_t c = 0; c < b->ncols; c++)
        if (!sl_column_values(b, c, err)) return SL_E_MEMORY;
    t->held += sl_batch_arena(b)->total + (size_t)b->nrows * 32;
    if (b->records && b->nrows) t->held += sl_record_end(b->records, b->nrows - 1);
    return SL_OK;
}

sl_status sl_join_table_add(sl_join_table *t, sl_batch *take, sl_error *err) {
    if (t->file) {
        sl_status s = add_rows(t, take, 0, err);
        sl_batch_free(&take);
        return s;
    }
    TRY(keep_batch(t, take, err));
    TRY(decode(t, take, err));
    t->same_columns = t->same_columns && columns_equal(take, t->batches[0]);
    TRY(add_rows(t, take, t->nbatches - 1, err));
    return t->held + t->keys.len + t->cap * sizeof *t->places > t->budget ? spill(t, err) : SL_OK;
}

sl_status sl_join_table_seal(sl_join_table *t, sl_error *err) {
    if (t->file) return sl_join_file_seal(t->file, err);
    assert(!t->heads); /* once */
    t->nbuckets = 16;
    while (t->nbuckets < t->n) t->nbuckets *= 2;
    t->heads = calloc(t->nbuckets, sizeof *t->heads);
    t->tails = calloc(t->nbuckets, sizeof *t->tails);
    if (!t->heads || !t->tails) return sl_oom(err);
    for (size_t i = 1; i <= t->n; i++) {
        size_t k = t->places[i].hash & (t->nbuckets - 1);
        if (t->heads[k])
            t->places[t->tails[k]].next = i;
        else
            t->heads[k] = i;
        t->tails[k] = i;
        assert(t->heads[k] <= i && !t->places[i].next);
    }
    return SL_OK;
}

/* ---- matching -------------------------------------------------------------------------------------------------------------- */

static bool key_is(const sl_join_table *t, const place *p, sl_text key) {
    return p->nkey == key.n && (!key.n || memcmp(t->keys.data + p->key, key.s, key.n) == 0);
}

sl_status sl_join_table_match(const sl_join_table *t, sl_text key, size_t *at, const sl_batch **b,
                              uint32_t *row, bool *owned, sl_error *err) {
    uint64_t hash = sl_hash(key.s, key.n, 0);
    *owned = t->file != NULL;
    *row = 0;
    if (t->file) {
        sl_batch *found = NULL;
        sl_status s = sl_join_file_match(t->file, hash, key, at, &found, err);
        *b = found;
        return s;
    }
    size_t i = *at ? t->places[*at].next : t->heads[hash & (t->nbuckets - 1)];
    for (; i; i = t->places[i].next) {
        const place *p = &t->places[i];
        if (p->hash != hash || !key_is(t, p, key)) continue;
        assert(*at < i && p->at >> 32 < t->nbatches);
        *at = i;
        *row = (uint32_t)p->at;
        *b = t->batches[p->at >> 32];
        return SL_OK;
    }
    return SL_DONE;
}

const sl_batch *sl_join_table_shape(const sl_join_table *t) {
    return !t->file && t->same_columns && t->nbatches ? t->batches[0] : NULL;
}

bool sl_join_table_texts(const sl_join_table *t) {
    return t->texts && !t->lower && !t->cross;
}
