/* kept.c: the aggregates that are one of the values: min, max, first and last. */
#include "base/error.h"
#include "operators/group/aggregates.h"
#include "record/compare.h"
#include "record/number/number.h"
#include "record/pack.h"

typedef struct kept {
    bool any;
    uint64_t ordinal; /* of its item */
    sl_value value;   /* its bytes are in `bytes`; those of a list or map packed */
    sl_buf bytes;
} kept;

/* ---- which value ---------------------------------------------------------------------------------------------------------- */

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

/* Whether V of the item at ORDINAL takes the place of what is kept. */
typedef bool takes_over(const kept *k, sl_value v, uint64_t ordinal);

static bool is_earlier(const kept *k, sl_value v, uint64_t ordinal) {
    (void)v;
    return !k->any || ordinal < k->ordinal;
}

static bool is_later(const kept *k, sl_value v, uint64_t ordinal) {
    (void)v;
    return !k->any || ordinal > k->ordinal;
}

static bool is_less(const kept *k, sl_value v, uint64_t ordinal) {
    int c = k->any ? order(v, k->value) : -1;
    return c < 0 || (c == 0 && ordinal < k->ordinal);
}

static bool is_more(const kept *k, sl_value v, uint64_t ordinal) {
    int c = k->any ? order(v, k->value) : 1;
    return c > 0 || (c == 0 && ordinal < k->ordinal);
}

/* ---- keeping it ----------------------------------------------------------------------------------------------------------- */

static bool is_packed(sl_value v) {
    return v.type == SL_LIST || v.type == SL_MAP;
}

static bool has_bytes(sl_value v) {
    return sl_is_text(v) || v.type == SL_DECIMAL;
}

/* Keeps a copy of V, whose bytes are PACKED already when it is a list or a map of a state. */
static sl_status keep(kept *k, sl_value v, const sl_buf *packed, uint64_t ordinal, size_t *held,
                      sl_error *err) {
    size_t before = k->bytes.cap;
    sl_buf_clear(&k->bytes);
    if (has_bytes(v))
        sl_buf_text(&k->bytes, sl_bytes(v));
    else if (is_packed(v) && packed)
        sl_buf_add(&k->bytes, packed->data, packed->len);
    else if (is_packed(v))
        sl_value_pack(v, &k->bytes);
    TRY(sl_buf_check(&k->bytes, err));
    *held += k->bytes.cap - before;
    *k = (kept){true, ordinal, v, k->bytes};
    if (has_bytes(v)) k->value.as.s = v.n ? k->bytes.data : "";
    return SL_OK;
}

static sl_status offer(kept *k, takes_over *does, const sl_addend *a, sl_value v, sl_error *err) {
    return does(k, v, a->ordinal) ? keep(k, v, NULL, a->ordinal, a->held, err) : SL_OK;
}

static sl_status offer_kept(kept *into, takes_over *does, const kept *from, size_t *held, sl_error *err) {
    if (!from->any || !does(into, from->value, from->ordinal)) return SL_OK;
    return keep(into, from->value, &from->bytes, from->ordinal, held, err);
}

/* ---- the aggregates ------------------------------------------------------------------------------------------------------- */

static sl_status add_min(void *state, const sl_addend *a, sl_error *err) {
    return offer(state, is_less, a, as_number(a->value), err);
}

static sl_status merge_min(void *into, const void *from, size_t *held, sl_error *err) {
    return offer_kept(into, is_less, from, held, err);
}

static sl_status add_max(void *state, const sl_addend *a, sl_error *err) {
    return offer(state, is_more, a, as_number(a->value), err);
}

static sl_status merge_max(void *into, const void *from, size_t *held, sl_error *err) {
    return offer_kept(into, is_more, from, held, err);
}

static sl_status add_first(void *state, const sl_addend *a, sl_error *err) {
    return offer(state, is_earlier, a, a->value, err);
}

static sl_status merge_first(void *into, const void *from, size_t *held, sl_error *err) {
    return offer_kept(into, is_earlier, from, held, err);
}

static sl_status add_last(void *state, const sl_addend *a, sl_error *err) {
    return offer(state, is_later, a, a->value, err);
}

static sl_status merge_last(void *into, const void *from, size_t *held, sl_error *err) {
    return offer_kept(into, is_later, from, held, err);
}

static sl_status result(const void *state, const sl_group_column *c, sl_arena *arena, sl_value *out,
                        sl_error *err) {
    (void)c;
    const kept *k = state;
    *out = k->any ? k->value : sl_null();
    if (!is_packed(*out)) return SL_OK;
    sl_cursor packed = {.at = k->bytes.data, .end = k->bytes.data + k->bytes.len};
    return sl_value_unpack(&packed, arena, out, err);
}

static void save(const void *state, sl_buf *out) {
    const kept *k = state;
    sl_buf_byte(out, k->any);
    if (!k->any) return;
    sl_buf_u64(out, k->ordinal);
    if (is_packed(k->value))
        sl_buf_add(out, k->bytes.data, k->bytes.len);
    else
        sl_value_pack(k->value, out);
}

static sl_status load(void *state, sl_cursor *from, sl_error *err) {
    const char *any = sl_cursor_bytes(from, 1);
    if (!any || !*any) return SL_OK;
    sl_arena arena = {0};
    sl_value v;
    size_t held = 0;
    uint64_t ordinal = sl_cursor_u64(from);
    sl_status s = sl_value_unpack(from, &arena, &v, err);
    if (s == SL_OK) s = keep(state, v, NULL, ordinal, &held, err);
    sl_arena_free(&arena);
    return s;
}

static void drop(void *state) {
    sl_buf_free(&((kept *)state)->bytes);
}

const sl_aggregate sl_aggregate_min = {
    .size = sizeof(kept),
    .add = add_min,
    .merge = merge_min,
    .result = result,
    .save = save,
    .load = load,
    .drop = drop,
};

const sl_aggregate sl_aggregate_max = {
    .size = sizeof(kept),
    .add = add_max,
    .merge = merge_max,
    .result = result,
    .save = save,
    .load = load,
    .drop = drop,
};

const sl_aggregate sl_aggregate_first = {
    .size = sizeof(kept),
    .absent = true,
    .add = add_first,
    .merge = merge_first,
    .result = result,
    .save = save,
    .load = load,
    .drop = drop,
};

const sl_aggregate sl_aggregate_last = {
    .size = sizeof(kept),
    .absent = true,
    .add = add_last,
    .merge = merge_last,
    .result = result,
    .save = save,
    .load = load,
    .drop = drop,
};
