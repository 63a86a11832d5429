/* distinct.c: how many different values there are: a set of their equality keys. */
#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "operators/group/aggregates.h"
#include "record/compare.h"

/* Open addressing over the equality keys of values; keys lie one after another in `keys`, each behind its length. */
typedef struct set {
    uint64_t *hash; /* 0: free */
    size_t *at;
    size_t cap, n;
    sl_buf keys, probe;
} set;

static size_t beyond(const set *s) {
    return s->cap * (sizeof *s->hash + sizeof *s->at) + s->keys.cap + s->probe.cap;
}

static bool grow(set *s) {
    size_t cap = s->cap ? s->cap * 2 : 16;
    uint64_t *hash = calloc(cap, sizeof *hash);
    size_t *at = calloc(cap, sizeof *at);
    if (!hash || !at) {
        free(hash);
        free(at);
        return false;
    }
    for (size_t i = 0; i < s->cap; i++) {
        if (!s->hash[i]) continue;
        size_t k = s->hash[i] & (cap - 1);
        while (hash[k]) k = (k + 1) & (cap - 1);
        hash[k] = s->hash[i];
        at[k] = s->at[i];
    }
    free(s->hash);
    free(s->at);
    s->hash = hash;
    s->at = at;
    s->cap = cap;
    return true;
}

static bool key_is(const set *s, size_t at, sl_text key) {
    uint32_t n;
    memcpy(&n, s->keys.data + at, sizeof n);
    return n == key.n && memcmp(s->keys.data + at + sizeof n, key.s, n) == 0;
}

static sl_status add_key(set *s, sl_text key, sl_error *err) {
    if (2 * (s->n + 1) > s->cap && !grow(s)) return sl_oom(err);
    assert(2 * (s->n + 1) <= s->cap && (s->cap & (s->cap - 1)) == 0);
    uint64_t hash = sl_hash(key.s, key.n, 0) | 1;
    size_t k = hash & (s->cap - 1);
    for (; s->hash[k]; k = (k + 1) & (s->cap - 1))
        if (s->hash[k] == hash && key_is(s, s->at[k], key)) return SL_OK;
    s->hash[k] = hash;
    s->at[k] = s->keys.len;
    s->n++;
    sl_buf_u32(&s->keys, key.n);
    sl_buf_text(&s->keys, key);
    return sl_buf_check(&s->keys, err);
}

static sl_status add_value(set *s, sl_value v, sl_error *err) {
    sl_buf_clear(&s->probe);
    sl_key_append(v, &s->probe);
    TRY(sl_buf_check(&s->probe, err));
    return add_key(s, sl_text_n(s->probe.data, s->probe.len), err);
}

static sl_status add_keys(set *s, const char *at, size_t n, sl_error *err) {
    sl_cursor c = {.at = at, .end = at + n};
    while (c.at < c.end) {
        uint32_t length = sl_cursor_u32(&c);
        const char *key = sl_cursor_bytes(&c, length);
        if (!key) return sl_fail(err, SL_E_INTERNAL, "a saved set of values is damaged");
        TRY(add_key(s, sl_text_n(key, length), err));
    }
    return SL_OK;
}

static sl_status add(void *state, const sl_addend *a, sl_error *err) {
    set *s = state;
    size_t before = beyond(s);
    TRY(add_value(s, a->value, err));
    *a->held += beyond(s) - before;
    return SL_OK;
}

static sl_status merge(void *vinto, const void *vfrom, size_t *held, sl_error *err) {
    set *into = vinto;
    const set *from = vfrom;
    size_t before = beyond(into);
    if (from->n) TRY(add_keys(into, from->keys.data, from->keys.len, err));
    *held += beyond(into) - before;
    return SL_OK;
}

static sl_status result(const void *state, const sl_group_column *c, sl_arena *arena, sl_value *out,
                        sl_error *err) {
    (void)c, (void)arena, (void)err;
    *out = sl_int((int64_t)((const set *)state)->n);
    return SL_OK;
}

static void save(const void *state, sl_buf *out) {
    const set *s = state;
    sl_buf_u64(out, s->keys.len);
    sl_buf_add(out, s->keys.data, s->keys.len);
}

static sl_status load(void *state, sl_cursor *from, sl_error *err) {
    uint64_t n = sl_cursor_u64(from);
    const char *keys = sl_cursor_bytes(from, n);
    return keys && n ? add_keys(state, keys, n, err) : SL_OK;
}

static void drop(void *state) {
    set *s = state;
    free(s->hash);
    free(s->at);
    sl_buf_free(&s->keys);
    sl_buf_free(&s->probe);
}

const sl_aggregate sl_aggregate_distinct = {
    .size = sizeof(set),
    .add = add,
    .merge = merge,
    .result = result,
    .save = save,
    .load = load,
    .drop = drop,
};
