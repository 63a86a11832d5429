#include "operators/group/accumulator.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "record/compare.h"
#include "record/number/number.h"
#include "record/pack.h"

/* ---- sets of values ---------------------------------------------------------------------------------------------------- */

/* Open addressing over the equality keys of values; keys lie one after another in `keys`, each behind its length. */
struct sl_value_set {
    uint64_t *hash; /* 0: free */
    size_t *at;
    size_t cap, n;
    sl_buf keys;
    sl_buf probe;
};

static void set_free(sl_value_set *s) {
    if (!s) return;
    free(s->hash);
    free(s->at);
    sl_buf_free(&s->keys);
    sl_buf_free(&s->probe);
    free(s);
}

static bool set_grow(sl_value_set *s) {
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

static bool key_is(const sl_value_set *s, size_t at, sl_text key) {
    uint32_t n;
    memcpy(&n, s->keys.data + at, sizeof n);
    return n == key.n && memcmp(s->keys.data + at + sizeof n, key.s, n) == 0;
}

static sl_status set_add_key(sl_value_set *s, sl_text key, sl_error *err) {
    if (2 * (s->n + 1) > s->cap && !set_grow(s)) return sl_oom(err);
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

static sl_status set_of(sl_accumulator *a, sl_error *err) {
    if (!a->set) a->set = calloc(1, sizeof *a->set);
    return a->set ? SL_OK : sl_oom(err);
}

static sl_status set_add(sl_accumulator *a, sl_value v, sl_error *err) {
    TRY(set_of(a, err));
    sl_buf_clear(&a->set->probe);
    sl_key_append(v, &a->set->probe);
    TRY(sl_buf_check(&a->set->probe, err));
    return set_add_key(a->set, sl_text_n(a->set->probe.data, a->set->probe.len), err);
}

static sl_status set_add_all(sl_accumulator *a, const char *at, const char *end, sl_error *err) {
    TRY(set_of(a, err));
    sl_cursor c = {.at = at, .end = end};
    while (c.at < c.end) {
        uint32_t n = sl_cursor_u32(&c);
        const char *key = sl_cursor_bytes(&c, n);
        if (!key) return sl_fail(err, SL_E_INTERNAL, "a saved set of values is damaged");
        TRY(set_add_key(a->set, sl_text_n(key, n), err));
    }
    return SL_OK;
}

/* ---- one value held ------------------------------------------------------------------------------------------------------ */

/* Keeps a copy of V: texts by their bytes, lists and maps packed. */
static sl_status hold(sl_accumulator *a, sl_value v, uint64_t ordinal, sl_error *err) {
    sl_buf_clear(&a->bytes);
    if (v.type == SL_LIST || v.type == SL_MAP)
        sl_value_pack(v, &a->bytes);
    else if (sl_is_text(v) || v.type == SL_DECIMAL)
        sl_buf_text(&a->bytes, sl_bytes(v));
    TRY(sl_buf_check(&a->bytes, err));
    a->held = v;
    if (sl_is_text(v) || v.type == SL_DECIMAL) a->held.as.s = a->bytes.len ? a->bytes.data : "";
    a->ordinal = ordinal;
    a->count++;
    return SL_OK;
}

/* Numbers also when they are written as text, in their own digits; anything else as it is. */
static sl_value as_number(sl_value v) {
    bool whole;
    if (!sl_is_text(v) || !v.n || sl_json_number(v.as.s, v.n, &whole) != v.n) return v;
    return sl_number_decode(sl_bytes(v));
}

static int rank(sl_value v) {
    return sl_is_number(v) || v.type == SL_BOOL ? 0 : v.type == SL_TIME ? 1 : sl_is_text(v) ? 2 : 3;
}

static int order(sl_value a, sl_value b) {
    int by_rank = rank(a) - rank(b);
    if (by_rank) return by_rank;
    int c = sl_value_compare(a, b);
    return c == SL_UNORDERED ? 0 : c;
}

static bool takes_over(const sl_accumulator *a, sl_group_op op, sl_value v, uint64_t ordinal) {
    if (!a->count) return true;
    switch (op) {
    case SL_GROUP_FIRST: return ordinal < a->ordinal;
    case SL_GROUP_LAST: return ordinal > a->ordinal;
    case SL_GROUP_MIN:
    case SL_GROUP_MAX: {
        int c = order(v, a->held);
        if (c == 0) return ordinal < a->ordinal;
        return op == SL_GROUP_MIN ? c < 0 : c > 0;
    }
    default: return false;
    }
}

static sl_value held_value(const sl_accumulator *a, sl_arena *arena, sl_status *s, sl_error *err) {
    sl_value v = a->held;
    *s = SL_OK;
    if (v.type == SL_LIST || v.type == SL_MAP) {
        sl_cursor c = {.at = a->bytes.data, .end = a->bytes.data + a->bytes.len};
        *s = sl_value_unpack(&c, arena, &v, err);
    } else {
        *s = sl_value_copy(&v, v, arena, err);
    }
    return v;
}

/* ---- the operations ------------------------------------------------------------------------------------------------------- */

static bool is_nothing(sl_value v) {
    return sl_is_absent(v) || (sl_is_text(v) && v.n == 0);
}

static sl_status missing_number(const sl_group_column *c, sl_error *err) {
    return sl_fail(err, SL_E_DATA, "an item has no value at '%.*s' to add up", (int)c->path.text.n,
                   c->path.text.s);
}

/* Natively every term is finite, and a float means the digits it shows. */
static sl_status add_term(sl_accumulator *a, const sl_group_column *c, sl_value v, sl_error *err) {
    char digits[32];
    if (c->riko) return sl_sum_add(&a->sum, v, err);
    if (v.type == SL_FLOAT) v = sl_text_value((sl_text){digits, sl_format_double(v.as.f, digits)});
    TRY(sl_sum_add(&a->sum, v, err));
    if (!a->sum.nan) return SL_OK;
    return sl_fail(err, SL_E_DATA,
                   "'%.*s' at '%.*s' has no exact sum: filter such items out, or replace the value", (int)v.n,
                   v.as.s, (int)c->path.text.n, c->path.text.s);
}

sl_status sl_accumulate(sl_accumulator *a, const sl_group_column *c, sl_value v, uint64_t ordinal,
                        sl_error *err) {
    switch (c->op) {
    case SL_GROUP_COUNT: a->count += c->path.n == 0 || !is_nothing(v); return SL_OK;
    case SL_GROUP_SUM:
    case SL_GROUP_MEAN:
        if (is_nothing(v)) return c->strict ? missing_number(c, err) : SL_OK;
        a->count++;
        return add_term(a, c, v, err);
    case SL_GROUP_MIN:
    case SL_GROUP_MAX:
        if (is_nothing(v)) return SL_OK;
        v = as_number(v);
        break;
    case SL_GROUP_DISTINCT: return is_nothing(v) ? SL_OK : set_add(a, v, err);
    case SL_GROUP_FIRST:
    case SL_GROUP_LAST: break;
    }
    return takes_over(a, c->op, v, ordinal) ? hold(a, v, ordinal, err) : SL_OK;
}

static sl_status take_held(sl_accumulator *into, const sl_accumulator *from, sl_error *err) {
    sl_value v = from->held;
    sl_arena arena = {0};
    sl_status s = SL_OK;
    if (v.type == SL_LIST || v.type == SL_MAP) v = held_value(from, &arena, &s, err);
    if (s == SL_OK) s = hold(into, v, from->ordinal, err);
    sl_arena_free(&arena);
    return s;
}

sl_status sl_accumulator_merge(sl_accumulator *into, const sl_accumulator *from, const sl_group_column *c,
                               sl_error *err) {
    switch (c->op) {
    case SL_GROUP_COUNT: into->count += from->count; return SL_OK;
    case SL_GROUP_SUM:
    case SL_GROUP_MEAN: into->count += from->count; return sl_sum_merge(&into->sum, &from->sum, err);
    case SL_GROUP_DISTINCT:
        if (!from->set) return SL_OK;
        return set_add_all(into, from->set->keys.data, from->set->keys.data + from->set->keys.len, err);
    default:
        if (!from->count || !takes_over(into, c->op, from->held, from->ordinal)) return SL_OK;
        return take_held(into, from, err);
    }
}

static sl_status mean(const sl_accumulator *a, const sl_group_column *c, sl_arena *arena, sl_value *out,
                      sl_error *err) {
    *out = sl_null();
    if (!a->count) return SL_OK;
    sl_value sum, quotient;
    double f;
    TRY(sl_sum_result(&a->sum, c->riko, arena, &sum, err));
    TRY(sl_decimal_from(sl_int((int64_t)a->count), arena, &quotient, err));
    TRY(sl_decimal_math(SL_DIVIDE, sum, quotient, arena, &quotient, err));
    if (sl_parse_double(sl_bytes(quotient), &f)) *out = sl_float(f);
    if (out->type == SL_FLOAT && !isinf(f)) return SL_OK;
    return c->riko
               ? SL_OK
               : sl_fail(err, SL_E_DATA, "the mean of '%.*s' is beyond the range of a float: ask for its sum",
                         (int)c->path.text.n, c->path.text.s);
}

sl_status sl_accumulator_result(const sl_accumulator *a, const sl_group_column *c, sl_arena *arena,
                                sl_value *out, sl_error *err) {
    sl_status s = SL_OK;
    switch (c->op) {
    case SL_GROUP_COUNT: *out = sl_int((int64_t)a->count); return SL_OK;
    case SL_GROUP_SUM: return sl_sum_result(&a->sum, c->riko, arena, out, err);
    case SL_GROUP_MEAN: return mean(a, c, arena, out, err);
    case SL_GROUP_DISTINCT: *out = sl_int(a->set ? (int64_t)a->set->n : 0); return SL_OK;
    default: *out = a->count ? held_value(a, arena, &s, err) : sl_null(); return s;
    }
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------------- */

void sl_accumulator_save(const sl_accumulator *a, const sl_group_column *c, sl_buf *out) {
    sl_buf_u64(out, a->count);
    if (c->op == SL_GROUP_SUM || c->op == SL_GROUP_MEAN) sl_sum_save(&a->sum, out);
    if (c->op == SL_GROUP_DISTINCT) {
        sl_buf_u64(out, a->set ? a->set->keys.len : 0);
        if (a->set) sl_buf_add(out, a->set->keys.data, a->set->keys.len);
    }
    if (c->op < SL_GROUP_MIN || c->op == SL_GROUP_MEAN || c->op == SL_GROUP_DISTINCT || !a->count) return;
    sl_buf_u64(out, a->ordinal);
    if (a->held.type == SL_LIST || a->held.type == SL_MAP)
        sl_buf_add(out, a->bytes.data, a->bytes.len);
    else
        sl_value_pack(a->held, out);
}

static sl_status load_held(sl_accumulator *a, sl_cursor *from, sl_error *err) {
    sl_arena arena = {0};
    sl_value v;
    uint64_t count = a->count, ordinal = sl_cursor_u64(from);
    sl_status s = sl_value_unpack(from, &arena, &v, err);
    if (s == SL_OK) s = hold(a, v, ordinal, err);
    a->count = count;
    sl_arena_free(&arena);
    return s;
}

sl_status sl_accumulator_load(sl_accumulator *a, const sl_group_column *c, sl_cursor *from, sl_error *err) {
    a->count = sl_cursor_u64(from);
    switch (c->op) {
    case SL_GROUP_COUNT: return SL_OK;
    case SL_GROUP_SUM:
    case SL_GROUP_MEAN: return sl_sum_load(&a->sum, from, err);
    case SL_GROUP_DISTINCT: {
        uint64_t n = sl_cursor_u64(from);
        const char *keys = sl_cursor_bytes(from, n);
        return keys && n ? set_add_all(a, keys, keys + n, err) : SL_OK;
    }
    default: return a->count ? load_held(a, from, err) : SL_OK;
    }
}

void sl_accumulator_free(sl_accumulator *a) {
    sl_sum_free(&a->sum);
    sl_buf_free(&a->bytes);
    set_free(a->set);
    a->set = NULL;
}

size_t sl_accumulator_memory(const sl_accumulator *a) {
    size_t n = a->bytes.cap + sl_sum_memory(&a->sum);
    if (a->set) n += sizeof *a->set + a->set->cap * 16 + a->set->keys.cap + a->set->probe.cap;
    return n;
}
