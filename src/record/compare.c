/* compare.c: equality, order and keys. They stand in one file because they must agree: equal values have equal keys, and the
 * bytes of a sort key are ordered as sl_value_compare orders the values. Keys exist so that sorting and grouping compare bytes and
 * know nothing of types. */
#include "record/compare.h"

#include <math.h>

#include "record/decimal/decimal.h"
#include "record/number/number.h"
#include "record/time.h"

/* The kinds in the order in which they sort; also the first byte of every key, so no key begins another. */
enum { KIND_ABSENT = 1, KIND_NUMBER, KIND_NAN, KIND_TIME, KIND_TEXT, KIND_LIST, KIND_MAP, KIND_END = 0 };

static inline bool is_numeric(sl_value v) {
    return v.type >= SL_BOOL && v.type <= SL_DECIMAL;
}

static bool lists_equal(sl_value a, sl_value b) {
    if (a.n != b.n) return false;
    for (uint32_t k = 0; k < a.n; k++) {
        if (!sl_value_equal(a.as.list[k], b.as.list[k])) return false;
    }
    return true;
}

static bool maps_equal(sl_value a, sl_value b) {
    if (a.n != b.n) return false;
    for (uint32_t k = 0; k < a.n; k++) {
        sl_value other = sl_map_get(b, a.as.map[k].key);
        if (other.type == SL_MISSING || !sl_value_equal(a.as.map[k].value, other)) return false;
    }
    return true;
}

static inline bool is_instant(sl_value v) {
    return v.flags == SL_TIME_DATETIME;
}

bool sl_value_equal(sl_value a, sl_value b) {
    if (sl_is_absent(a) || sl_is_absent(b)) return sl_is_absent(a) && sl_is_absent(b);
    if (is_numeric(a) && is_numeric(b)) {
        if (a.type == SL_INT && b.type == SL_INT) return a.as.i == b.as.i;
        return sl_number_compare(a, b) == 0;
    }
    if (a.type != b.type) return false;
    switch (a.type) {
    case SL_TEXT_TYPE: return sl_text_eq(sl_bytes(a), sl_bytes(b));
    case SL_TIME: return sl_time_compare(a, b) == 0;
    case SL_LIST: return lists_equal(a, b);
    default: return maps_equal(a, b);
    }
}

static int64_t instant(sl_value v) {
    return v.as.i - (is_instant(v) ? (int64_t)v.aux * 60 : 0);
}

int sl_value_compare(sl_value a, sl_value b) {
    if (is_numeric(a) && is_numeric(b)) {
        if (a.type == SL_INT && b.type == SL_INT) return (a.as.i > b.as.i) - (a.as.i < b.as.i);
        return sl_number_compare(a, b);
    }
    if (a.type != b.type) return SL_UNORDERED;
    if (a.type == SL_TEXT_TYPE) {
        int c = sl_text_cmp(sl_bytes(a), sl_bytes(b));
        return (c > 0) - (c < 0);
    }
    return a.type == SL_TIME ? sl_time_compare(a, b) : SL_UNORDERED;
}

/* ---- keys --------------------------------------------------------------------------------------------------------- */

static inline void put_big_endian(uint64_t v, char out[8]) {
    for (int k = 7; k >= 0; k--, v >>= 8) out[k] = (char)(v & 0xff);
}

/* Bits of a double such that unsigned order is the order of values. */
static inline uint64_t ordered_bits(double d) {
    uint64_t bits;
    if (d == 0) d = 0;
    memcpy(&bits, &d, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* The digits of a number that is no double: sign, place, digits, end; all complemented below zero. */
static void put_exact(const sl_placed *p, sl_buf *out) {
    size_t start = out->len;
    char place[8];
    put_big_endian((uint64_t)p->point ^ UINT64_C(1) << 63, place);
    sl_buf_add(out, place, 8);
    sl_buf_text(out, p->head);
    sl_buf_text(out, p->tail);
    sl_buf_byte(out, KIND_END);
    if (!p->negative || out->failed) return;
    for (size_t k = start; k < out->len; k++) out->data[k] = (char)~out->data[k];
}

static void put_number(sl_value v, sl_buf *out) {
    sl_placed_room room;
    sl_placed p;
    const int64_t exact = INT64_C(1) << 53;
    if (v.type == SL_INT && v.as.i > -exact && v.as.i < exact)
        p = (sl_placed){.nearest = (double)v.as.i};
    else if (v.type == SL_FLOAT)
        p = (sl_placed){.nearest = v.as.f, .nan = isnan(v.as.f)};
    else
        p = sl_number_place(v, &room);
    if (p.nan) {
        sl_buf_byte(out, KIND_NAN);
        return;
    }
    char key[10] = {KIND_NUMBER};
    put_big_endian(ordered_bits(p.nearest), key + 1);
    key[9] = (char)(p.side + 2);
    sl_buf_add(out, key, sizeof key);
    if (p.side) put_exact(&p, out);
}

/* A zero byte becomes 00 FF, so that the end, 00 01, is below every continuation. */
static void put_text(sl_text t, sl_buf *out) {
    sl_buf_byte(out, KIND_TEXT);
    while (t.n) {
        const char *zero = memchr(t.s, 0, t.n);
        uint32_t run = zero ? (uint32_t)(zero - t.s) : t.n;
        sl_buf_add(out, t.s, run);
        if (!zero) break;
        sl_buf_add(out, "\0\xff", 2);
        t = (sl_text){zero + 1, t.n - run - 1};
    }
    sl_buf_add(out, "\0\1", 2);
}

static void put_time(sl_value v, sl_buf *out) {
    char key[13] = {KIND_TIME};
    put_big_endian((uint64_t)instant(v) ^ UINT64_C(1) << 63, key + 1);
    for (int k = 0; k < 4; k++) key[9 + k] = (char)(v.n >> (24 - 8 * k));
    sl_buf_add(out, key, sizeof key);
}

/* The pair of V with the smallest key above AFTER: a walk in key order without memory, for maps are small. */
static const sl_pair *next_pair(sl_value v, const sl_pair *after) {
    const sl_pair *best = NULL;
    for (uint32_t k = 0; k < v.n; k++) {
        const sl_pair *p = &v.as.map[k];
        if (after && sl_text_cmp(p->key, after->key) <= 0) continue;
        if (!best || sl_text_cmp(p->key, best->key) < 0) best = p;
    }
    return best;
}

static void put_map(sl_value v, sl_buf *out) {
    sl_buf_byte(out, KIND_MAP);
    for (const sl_pair *p = next_pair(v, NULL); p; p = next_pair(v, p)) {
        put_text(p->key, out);
        sl_key_append(p->value, out);
    }
    sl_buf_byte(out, KIND_END);
}

static void put_list(sl_value v, sl_buf *out) {
    sl_buf_byte(out, KIND_LIST);
    for (uint32_t k = 0; k < v.n; k++) sl_key_append(v.as.list[k], out);
    sl_buf_byte(out, KIND_END);
}

void sl_key_append(sl_value v, sl_buf *out) {
    switch ((sl_type)v.type) {
    case SL_MISSING:
    case SL_NULL: sl_buf_byte(out, KIND_ABSENT); break;
    case SL_BOOL:
    case SL_INT:
    case SL_FLOAT:
    case SL_DECIMAL: put_number(v, out); break;
    case SL_TEXT_TYPE: put_text(sl_bytes(v), out); break;
    case SL_TIME: put_time(v, out); break;
    case SL_LIST: put_list(v, out); break;
    case SL_MAP: put_map(v, out); break;
    }
}

void sl_sort_key_append(sl_value v, bool desc, sl_buf *out) {
    size_t start = out->len;
    sl_key_append(v, out);
    if (!desc || out->failed) return;
    for (size_t k = start; k < out->len; k++) out->data[k] = (char)~out->data[k];
}
