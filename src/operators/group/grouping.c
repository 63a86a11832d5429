/* grouping.c: hash aggregation. Rows are taken in blocks and in three passes (keys, groups, sums), so that the cache misses of
 * a large table overlap; that is worth more here than fewer instructions. A table beyond its share is spilled as records sorted
 * by key, and equal keys meet again in a merge. */
#include "operators/group/grouping.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "record/cast.h"
#include "record/compare.h"
#include "record/number/number.h"
#include "record/pack.h"
#include "record/sorter/sorter.h"

enum { EMIT_GROUPS = 4096, EMIT_BYTES = 8 << 20, FIRST_SLOTS = 1024, BLOCK_ROWS = 32, STATE_ALIGN = 16 };

typedef struct group {
    uint64_t hash, first;                /* ordinal of its first item */
    sl_text key;                         /* equality key of all grouping fields */
    sl_value *values;                    /* [nby] as they stood in the first item */
    _Alignas(STATE_ALIGN) char states[]; /* of the columns, one after another: see state_of */
} group;

/* The hash stands beside the pointer: a probe that misses never touches the group. */
typedef struct slot {
    uint64_t hash;
    group *group; /* NULL: free */
} slot;

typedef struct table {
    const sl_grouping *g;
    const sl_env *env;
    sl_arena arena; /* of the groups */
    slot *slots;    /* open addressing */
    group **list;   /* in the order of making */
    size_t cap, n;
    size_t budget;
    sl_sorter *spilled; /* records by key, once the table was too large */
    sl_buf key, record;
    const sl_value **by, **columns; /* of the batch at hand */
    size_t *at;                     /* of each column's state in that of a group; [ncolumns]: bytes of all */
    void *spare;                    /* room for a state that is loaded */
    size_t held;                    /* bytes that the states hold beyond themselves */
    sl_sorter *result;              /* finish after spilling: records by ordinal */
    sl_builder *builder;
    size_t emitted;
    bool sorted;
} table;

/* ---- the table -------------------------------------------------------------------------------------------------------------- */

/* A few groups in a large table are looked for one by one. */
static void clear_slots(table *t) {
    if (t->n > t->cap / 16) {
        memset(t->slots, 0, t->cap * sizeof *t->slots);
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t k = t->list[i]->hash & (t->cap - 1);
        while (t->slots[k].group != t->list[i]) k = (k + 1) & (t->cap - 1);
        assert(t->slots[k].hash == t->list[i]->hash);
        t->slots[k] = (slot){0};
    }
}

static void *state_of(const table *t, group *g, uint32_t column) {
    assert(column < t->g->ncolumns);
    return g->states + t->at[column];
}

static void drop_states(const table *t, uint32_t column) {
    void (*drop)(void *state) = t->g->columns[column].op->drop;
    for (size_t i = 0; i < t->n && drop; i++) drop(state_of(t, t->list[i], column));
}

static void drop_groups(table *t) {
    for (uint32_t c = 0; c < t->g->ncolumns && t->n; c++) drop_states(t, c);
    clear_slots(t);
    t->n = 0;
    t->held = 0;
    sl_arena_free(&t->arena);
}

static void close_table(void *vtable) {
    table *t = vtable;
    if (!t) return;
    drop_groups(t);
    free(t->slots);
    free(t->list);
    free(t->by);
    free(t->columns);
    free(t->at);
    free(t->spare);
    sl_sorter_free(&t->spilled);
    sl_sorter_free(&t->result);
    sl_builder_free(&t->builder);
    sl_buf_free(&t->key);
    sl_buf_free(&t->record);
    free(t);
}

static bool lay_out_states(table *t) {
    uint32_t n = t->g->ncolumns;
    t->at = calloc(n + 1, sizeof *t->at);
    if (!t->at) return false;
    for (uint32_t c = 0; c < n; c++)
        t->at[c + 1] = t->at[c] + (t->g->columns[c].op->size + STATE_ALIGN - 1) / STATE_ALIGN * STATE_ALIGN;
    t->spare = malloc(t->at[n] + 1);
    return t->spare != NULL;
}

static sl_status open_table(const void *conf, const sl_env *env, void **out, sl_error *err) {
    table *t = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    t->g = conf;
    t->env = env;
    t->budget = sl_env_share(env) / 3 * 2; /* the rest is for the sorter it spills into */
    t->by = calloc(t->g->nby + 1, sizeof *t->by);
    t->columns = calloc(t->g->ncolumns + 1, sizeof *t->columns);
    if (!t->by || !t->columns || !lay_out_states(t)) {
        close_table(t);
        return sl_oom(err);
    }
    *out = t;
    return SL_OK;
}

static sl_status grow(table *t, sl_error *err) {
    size_t cap = t->cap ? t->cap * 2 : FIRST_SLOTS;
    slot *slots = calloc(cap, sizeof *slots);
    group **list = realloc(t->list, cap * sizeof *list);
    if (list) t->list = list;
    if (!slots || !list) {
        free(slots);
        return sl_oom(err);
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t k = t->list[i]->hash & (cap - 1);
        while (slots[k].group) k = (k + 1) & (cap - 1);
        slots[k] = (slot){t->list[i]->hash, t->list[i]};
    }
    free(t->slots);
    t->slots = slots;
    t->cap = cap;
    return SL_OK;
}

static sl_status new_group(table *t, uint64_t hash, sl_text key, uint64_t ordinal, group **out,
                           sl_error *err) {
    group *g = sl_arena_calloc(&t->arena, 1, sizeof *g + t->at[t->g->ncolumns]);
    if (!g) return sl_oom(err);
    g->values = sl_arena_calloc(&t->arena, t->g->nby + 1, sizeof *g->values);
    g->key = sl_arena_text(&t->arena, key);
    if (!g->values || !g->key.s) return sl_oom(err);
    g->hash = hash;
    g->first = ordinal;
    assert(t->n < t->cap);
    t->list[t->n++] = *out = g;
    return SL_OK;
}

/* The group of KEY, whose hash is HASH; *MADE tells that it is new and lacks its values. */
static sl_status find_hashed(table *t, sl_text key, uint64_t hash, uint64_t ordinal, group **out, bool *made,
                             sl_error *err) {
    assert(t->n <= t->cap / 2 && (t->cap & (t->cap - 1)) == 0);
    *made = false;
    if (t->g->nby == 0 && t->n) { /* all items are one group */
        *out = t->list[0];
        return SL_OK;
    }
    if (2 * (t->n + 1) > t->cap) TRY(grow(t, err));
    size_t k = hash & (t->cap - 1);
    for (; t->slots[k].group; k = (k + 1) & (t->cap - 1)) {
        if (t->slots[k].hash != hash || !sl_text_eq(t->slots[k].group->key, key)) continue;
        *out = t->slots[k].group;
        return SL_OK;
    }
    *made = true;
    TRY(new_group(t, hash, key, ordinal, out, err));
    t->slots[k] = (slot){hash, *out};
    return SL_OK;
}

static sl_status find_group(table *t, sl_text key, uint64_t ordinal, group **out, bool *made, sl_error *err) {
    return find_hashed(t, key, sl_hash(key.s, key.n, 0), ordinal, out, made, err);
}

static size_t memory_of(const table *t) {
    return t->arena.total + t->cap * (sizeof(slot) + sizeof(group *)) + t->held;
}

/* ---- groups as records --------------------------------------------------------------------------------------------------------- */

static void save_group(const table *t, group *g, sl_buf *out) {
    sl_buf_u64(out, g->first);
    for (uint32_t i = 0; i < t->g->nby; i++) sl_value_pack(g->values[i], out);
    for (uint32_t c = 0; c < t->g->ncolumns; c++) t->g->columns[c].op->save(state_of(t, g, c), out);
}

/* Merges a saved state into that of G. */
static sl_status load_state(table *t, group *g, uint32_t column, sl_cursor *c, sl_error *err) {
    const sl_aggregate *op = t->g->columns[column].op;
    memset(t->spare, 0, op->size);
    sl_status s = op->load(t->spare, c, err);
    if (s == SL_OK) s = op->merge(state_of(t, g, column), t->spare, &t->held, err);
    if (op->drop) op->drop(t->spare);
    return s;
}

/* Merges a saved group into the table. */
static sl_status load_group(table *t, sl_text key, sl_cursor *c, sl_error *err) {
    group *g;
    bool made;
    uint64_t first = sl_cursor_u64(c);
    TRY(find_group(t, key, first, &g, &made, err));
    bool earlier = made || first < g->first;
    if (earlier) g->first = first;
    for (uint32_t i = 0; i < t->g->nby; i++) {
        sl_value v;
        TRY(sl_value_unpack(c, &t->arena, &v, err));
        if (earlier) g->values[i] = v;
    }
    for (uint32_t i = 0; i < t->g->ncolumns; i++) TRY(load_state(t, g, i, c, err));
    return SL_OK;
}

static sl_sorter *new_sorter(const table *t) {
    sl_sorter *s = sl_sorter_new(t->budget / 2, 0, t->env->tmpdir);
    sl_sorter_stopping(s, t->env->stopping);
    sl_sorter_log(s, t->env->log, "groups");
    return s;
}

static sl_status spill(table *t, sl_error *err) {
    if (!t->spilled) t->spilled = new_sorter(t);
    if (!t->spilled) return sl_oom(err);
    SL_TRACE(t->env->log, spill, "groups: %zu of them to the sorter, %zu kB held", t->n, memory_of(t) / 1000);
    for (size_t i = 0; i < t->n; i++) {
        sl_buf_clear(&t->record);
        save_group(t, t->list[i], &t->record);
        TRY(sl_buf_check(&t->record, err));
        sl_sort_record r = {t->list[i]->key, t->list[i]->first, sl_text_n(t->record.data, t->record.len)};
        TRY(sl_sorter_add(t->spilled, r, err));
    }
    drop_groups(t);
    return SL_OK;
}

/* ---- folding -------------------------------------------------------------------------------------------------------------------- */

static sl_status by_value(const table *t, const sl_value *column, uint32_t row, sl_arena *arena,
                          sl_value *out, sl_error *err) {
    sl_value v = column[row];
    if (t->g->by_text && sl_is_written(v)) v = sl_number_python(sl_bytes(v)); /* 1.10 and 1.1 are one group */
    *out = v;
    if (!t->g->by_text || sl_is_text(v)) return SL_OK;
    sl_text text = {"", 0};
    if (!sl_is_absent(v) && v.type != SL_LIST && v.type != SL_MAP) TRY(sl_to_text(v, "", arena, &text, err));
    *out = sl_text_value(text);
    return SL_OK;
}

static sl_status fill_values(table *t, group *g, uint32_t row, sl_arena *scratch, sl_error *err) {
    for (uint32_t i = 0; i < t->g->nby; i++) {
        sl_value v;
        TRY(by_value(t, t->by[i], row, scratch, &v, err));
        TRY(sl_value_copy(&g->values[i], v, &t->arena, err));
    }
    return SL_OK;
}

/* Rows are taken in blocks, in three passes: all keys, then all groups, then all sums. Each pass fetches what the next one needs into
 * the cache, so the misses of a table larger than the cache overlap instead of following one another. */
typedef struct pending {
    size_t key; /* offset in t->key */
    uint32_t nkey, row;
    uint64_t hash;
} pending;

static sl_status make_key(table *t, sl_batch *b, uint32_t row, pending *p, sl_error *err) {
    *p = (pending){.key = t->key.len, .row = row};
    for (uint32_t i = 0; i < t->g->nby; i++) {
        sl_value v;
        TRY(by_value(t, t->by[i], row, sl_batch_arena(b), &v, err));
        sl_key_append(v, &t->key);
    }
    TRY(sl_buf_check(&t->key, err));
    p->nkey = (uint32_t)(t->key.len - p->key);
    p->hash = sl_hash(t->key.data + p->key, p->nkey, 0);
    if (t->cap) __builtin_prefetch(&t->slots[p->hash & (t->cap - 1)]);
    return SL_OK;
}

static bool is_nothing(sl_value v) {
    return sl_is_absent(v) || (sl_is_text(v) && v.n == 0);
}

static sl_status add_value(void *state, const sl_addend *a, sl_error *err) {
    const sl_group_column *c = a->column;
    if (c->op->absent || !c->path.n || !is_nothing(a->value)) return c->op->add(state, a, err);
    if (!c->strict) return SL_OK;
    return sl_fail(err, SL_E_DATA, "an item has no value at '%.*s' to add up", (int)c->path.text.n,
                   c->path.text.s);
}

static sl_status add_row(table *t, sl_batch *b, const pending *p, uint64_t ordinal, sl_error *err) {
    group *g;
    bool made;
    TRY(find_hashed(t, sl_text_n(t->key.data + p->key, p->nkey), p->hash, ordinal, &g, &made, err));
    if (ordinal < g->first) g->first = ordinal;
    if (made || ordinal == g->first) TRY(fill_values(t, g, p->row, sl_batch_arena(b), err));
    for (uint32_t c = 0; c < t->g->ncolumns; c++) {
        sl_addend a = {&t->g->columns[c], t->columns[c] ? t->columns[c][p->row] : sl_missing(), ordinal,
                       &t->held};
        TRY(add_value(state_of(t, g, c), &a, err));
    }
    return SL_OK;
}

/* The selected rows FROM .. FROM+N-1; *AT is the row at hand, for messages. */
static sl_status add_block(table *t, sl_batch *b, uint32_t from, uint32_t n, uint64_t ordinal, uint32_t *at,
                           sl_error *err) {
    pending block[BLOCK_ROWS];
    sl_buf_clear(&t->key);
    for (uint32_t i = 0; i < n; i++) {
        *at = sl_batch_row(b, from + i);
        TRY(make_key(t, b, *at, &block[i], err));
    }
    for (uint32_t i = 0; i < n && t->cap; i++) {
        const group *likely = t->slots[block[i].hash & (t->cap - 1)].group;
        if (likely) __builtin_prefetch(likely);
    }
    for (uint32_t i = 0; i < n; i++) {
        *at = block[i].row;
        TRY(add_row(t, b, &block[i], ordinal + i, err));
    }
    return SL_OK;
}

static sl_status find_columns(table *t, sl_batch *b, sl_error *err) {
    for (uint32_t i = 0; i < t->g->nby; i++) {
        t->by[i] = sl_path_column(&t->g->by[i], b, err);
        if (!t->by[i]) return SL_E_MEMORY;
    }
    for (uint32_t c = 0; c < t->g->ncolumns; c++) {
        const sl_path *path = &t->g->columns[c].path;
        t->columns[c] = path->n ? sl_path_column(path, b, err) : NULL;
        if (path->n && !t->columns[c]) return SL_E_MEMORY;
    }
    return SL_OK;
}

static sl_status add_rows(table *t, sl_batch *b, uint64_t ordinal, sl_error *err) {
    TRY(find_columns(t, b, err));
    for (uint32_t i = 0; i < b->nsel; i += BLOCK_ROWS) {
        uint32_t n = b->nsel - i < BLOCK_ROWS ? b->nsel - i : BLOCK_ROWS, row;
        sl_status s = add_block(t, b, i, n, ordinal + i, &row, err);
        if (s != SL_OK) {
            sl_error_at(err, b->source, sl_batch_line(b, row), 0);
            return s;
        }
        if (memory_of(t) > t->budget) TRY(spill(t, err));
    }
    return SL_OK;
}

static sl_status add(void *vtable, sl_batch *take, uint64_t ordinal, sl_error *err) {
    sl_status s = add_rows(vtable, take, ordinal, err);
    sl_batch_free(&take);
    return s;
}

static sl_status seal(void *vtable, sl_error *err) {
    table *t = vtable;
    if (!t->spilled) return SL_OK;
    TRY(spill(t, err));
    return sl_sorter_sort(t->spilled, err);
}

static sl_status merge_group(table *into, group *from, sl_error *err) {
    assert(from->hash == sl_hash(from->key.s, from->key.n, 0));
    group *g;
    bool made;
    TRY(find_group(into, from->key, from->first, &g, &made, err));
    if (made || from->first < g->first) {
        g->first = from->first;
        for (uint32_t i = 0; i < into->g->nby; i++)
            TRY(sl_value_copy(&g->values[i], from->values[i], &into->arena, err));
    }
    for (uint32_t c = 0; c < into->g->ncolumns; c++)
        TRY(into->g->columns[c].op->merge(state_of(into, g, c), state_of(into, from, c), &into->held, err));
    return SL_OK;
}

static sl_status merge(void *vinto, void *vfrom, sl_error *err) {
    table *into = vinto, *from = vfrom;
    for (size_t i = 0; i < from->n; i++) {
        TRY(merge_group(into, from->list[i], err));
        if (i % 4096 == 0 && memory_of(into) > into->budget) TRY(spill(into, err));
    }
    if (!from->spilled) return SL_OK;
    if (!into->spilled) into->spilled = new_sorter(into);
    if (!into->spilled) return sl_oom(err);
    return sl_sorter_absorb(into->spilled, from->spilled, err);
}

static sl_status save(void *vtable, sl_buf *out, sl_error *err) {
    table *t = vtable;
    for (size_t i = 0; i < t->n; i++) {
        sl_buf_u32(out, t->list[i]->key.n);
        sl_buf_text(out, t->list[i]->key);
        save_group(t, t->list[i], out);
    }
    sl_sort_record r;
    sl_status s = SL_DONE;
    while (t->spilled && (s = sl_sorter_next(t->spilled, &r, err)) == SL_OK) {
        sl_buf_u32(out, r.key.n);
        sl_buf_text(out, r.key);
        sl_buf_text(out, r.payload);
    }
    return s == SL_DONE ? sl_buf_check(out, err) : s;
}

static sl_status load(const void *conf, const sl_env *env, const char *data, size_t n, void **out,
                      sl_error *err) {
    TRY(open_table(conf, env, out, err));
    sl_cursor c = {.at = data, .end = data + n};
    while (c.at < c.end) {
        uint32_t k = sl_cursor_u32(&c);
        const char *key = sl_cursor_bytes(&c, k);
        if (!key) return sl_fail(err, SL_E_INTERNAL, "a saved group is damaged");
        TRY(load_group(*out, sl_text_n(key, k), &c, err));
    }
    return SL_OK;
}

/* ---- results -------------------------------------------------------------------------------------------------------------------- */

static sl_status emit_group(table *t, group *g, sl_error *err) {
    sl_arena arena = {0};
    sl_value *results = sl_arena_calloc(&arena, t->g->ncolumns + 1, sizeof *results);
    sl_status s = results ? SL_OK : sl_oom(err);
    for (uint32_t c = 0; c < t->g->ncolumns && s == SL_OK; c++)
        s = t->g->columns[c].op->result(state_of(t, g, c), &t->g->columns[c], &arena, &results[c], err);
    if (s == SL_OK) s = t->g->emit(t->g, g->values, results, t->builder, &arena, err);
    sl_arena_free(&arena);
    return s;
}

static void sort_by_first(group **v, group **scratch, size_t n) {
    if (n < 2) return;
    size_t half = n / 2, i = 0, k = half, o = 0;
    sort_by_first(v, scratch, half);
    sort_by_first(v + half, scratch, n - half);
    while (i < half && k < n) scratch[o++] = v[k]->first < v[i]->first ? v[k++] : v[i++];
    while (i < half) scratch[o++] = v[i++];
    assert(o == k); /* what is left of the second half stands where it belongs */
    memcpy(v, scratch, o * sizeof *v);
}

static sl_status order_groups(table *t, sl_error *err) {
    group **scratch = calloc(t->n + 1, sizeof(group *));
    if (!scratch) return sl_oom(err);
    sort_by_first(t->list, scratch, t->n);
    free(scratch);
    t->sorted = true;
    return SL_OK;
}

/* About a batch: what is emitted waits for the workers. */
static size_t groups_a_call(const table *t) {
    return t->g->batch_rows ? t->g->batch_rows : EMIT_GROUPS;
}

/* A call hands on no more than some megabytes: what it makes waits until it returns. */
static bool is_enough(table *t) {
    const sl_arena *made = sl_builder_arena(t->builder);
    return made && made->total >= EMIT_BYTES;
}

/* The groups of one table, about a batch a call. */
static sl_status finish_table(table *t, sl_error *err) {
    if (!t->sorted) TRY(order_groups(t, err));
    for (size_t k = groups_a_call(t); k-- > 0;) {
        if (t->emitted == t->n) {
            TRY(sl_builder_flush(t->builder, err));
            return SL_DONE;
        }
        TRY(emit_group(t, t->list[t->emitted++], err));
        if (is_enough(t)) return sl_builder_flush(t->builder, err);
    }
    return SL_OK;
}

/* The one group in the table, complete now, as a record by its first ordinal. */
static sl_status rank_group(table *t, sl_error *err) {
    if (t->n == 0) return SL_OK;
    assert(t->n == 1);
    sl_buf_clear(&t->record);
    sl_buf_u32(&t->record, t->list[0]->key.n);
    sl_buf_text(&t->record, t->list[0]->key);
    save_group(t, t->list[0], &t->record);
    TRY(sl_buf_check(&t->record, err));
    sl_sort_record r = {{"", 0}, t->list[0]->first, sl_text_n(t->record.data, t->record.len)};
    sl_status s = sl_sorter_add(t->result, r, err);
    drop_groups(t);
    return s;
}

/* Spilled records come by key: equal keys meet in a table of one group, which then goes to a sort by first ordinal. */
static sl_status combine_spilled(table *t, sl_error *err) {
    TRY(spill(t, err));
    TRY(sl_sorter_sort(t->spilled, err));
    t->result = new_sorter(t);
    if (!t->result) return sl_oom(err);
    sl_sort_record r;
    sl_status s;
    while ((s = sl_sorter_next(t->spilled, &r, err)) == SL_OK) {
        if (t->n && !sl_text_eq(t->list[0]->key, r.key)) TRY(rank_group(t, err));
        sl_cursor c = {.at = r.payload.s, .end = r.payload.s + r.payload.n};
        TRY(load_group(t, r.key, &c, err));
    }
    if (s != SL_DONE) return s;
    TRY(rank_group(t, err));
    return sl_sorter_sort(t->result, err);
}

static sl_status finish_spilled(table *t, sl_error *err) {
    if (!t->result) TRY(combine_spilled(t, err));
    for (size_t k = groups_a_call(t); k-- > 0;) {
        sl_sort_record r;
        sl_status s = sl_sorter_next(t->result, &r, err);
        if (s == SL_DONE) {
            TRY(sl_builder_flush(t->builder, err));
            return SL_DONE;
        }
        TRY(s);
        sl_cursor c = {.at = r.payload.s, .end = r.payload.s + r.payload.n};
        uint32_t n = sl_cursor_u32(&c);
        const char *key = sl_cursor_bytes(&c, n);
        TRY(load_group(t, sl_text_n(key, n), &c, err));
        assert(t->n == 1);
        TRY(emit_group(t, t->list[0], err));
        drop_groups(t);
        if (is_enough(t)) return sl_builder_flush(t->builder, err);
    }
    return SL_OK;
}

static sl_status only_group(table *t, sl_error *err) {
    group *g;
    bool made;
    return t->g->always && t->n == 0 && !t->spilled ? find_group(t, (sl_text){"", 0}, 0, &g, &made, err)
                                                    : SL_OK;
}

static sl_status finish(void *vtable, sl_out *out, sl_error *err) {
    table *t = vtable;
    if (!t->builder) {
        t->builder = sl_builder_new(t->g->batch_rows, NULL, sl_emit_batch, out);
        if (!t->builder) return sl_oom(err);
        TRY(only_group(t, err));
    }
    return t->spilled ? finish_spilled(t, err) : finish_table(t, err);
}

const sl_fold sl_grouping_fold = {.open = open_table,
                                  .add = add,
                                  .seal = seal,
                                  .save = save,
                                  .load = load,
                                  .merge = merge,
                                  .finish = finish,
                                  .close = close_table};
