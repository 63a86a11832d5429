/* hash: a 32-bit number that stands for a value: the low half of CPython's hash() under a fixed seed, so that numbers stored by
 * riko pipelines keep their meaning. Texts go through SipHash-1-3 over CPython's own storage of them (1, 2 or 4 bytes a
 * character, by the widest); numbers of equal value hash alike whatever their type, modulo 2^61 - 1. */
#include <math.h>

#include "base/error.h"
#include "base/unicode.h"
#include "plan/pipe.h"
#include "record/decimal/decimal.h"
#include "record/number/number.h"
#include "record/time.h"

#define SEED    UINT32_C(94967295)
#define MODULUS ((UINT64_C(1) << 61) - 1)

__extension__ typedef unsigned __int128 wide;

enum { HASH_BITS = 61, HASH_OF_INFINITY = 314159 };
#define HASH_OF_NULL UINT64_C(4238894112)

typedef struct conf {
    uint64_t k0, k1;
} conf;

/* ---- the key ---------------------------------------------------------------------------------------------------- */

static uint64_t key_word(uint32_t *x) {
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) {
        *x = *x * 214013u + 2531011u;
        word |= (uint64_t)((*x >> 16) & 0xff) << (8 * i);
    }
    return word;
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    uint32_t x = SEED;
    (void)info, (void)err;
    c->k0 = key_word(&x);
    c->k1 = key_word(&x);
    return SL_OK;
}

/* ---- SipHash-1-3 -------------------------------------------------------------------------------------------------- */

typedef struct sip {
    uint64_t v0, v1, v2, v3;
} sip;

static inline uint64_t rotated(uint64_t x, unsigned bits) {
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(sip *s) {
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotated(s->v1, 13) ^ s->v0;
    s->v3 = rotated(s->v3, 16) ^ s->v2;
    s->v0 = rotated(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotated(s->v1, 17) ^ s->v2;
    s->v3 = rotated(s->v3, 21) ^ s->v0;
    s->v2 = rotated(s->v2, 32);
}

static inline void sip_word(sip *s, uint64_t word) {
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

/* N bytes at P, up to 8, as a little-endian number. */
static inline uint64_t load(const unsigned char *p, size_t n) {
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) word |= (uint64_t)p[i] << (8 * i);
    return word;
}

static uint64_t sip_hash(const conf *c, const void *data, size_t n) {
    const unsigned char *p = data;
    sip s = {c->k0 ^ UINT64_C(0x736f6d6570736575), c->k1 ^ UINT64_C(0x646f72616e646f6d),
             c->k0 ^ UINT64_C(0x6c7967656e657261), c->k1 ^ UINT64_C(0x7465646279746573)};
    for (; n - (size_t)(p - (const unsigned char *)data) >= 8; p += 8) sip_word(&s, load(p, 8));
    size_t left = n - (size_t)(p - (const unsigned char *)data);
    sip_word(&s, (uint64_t)n << 56 | load(p, left));
    s.v2 ^= 0xff;
    for (int i = 0; i < 3; i++) sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* ---- texts -------------------------------------------------------------------------------------------------------- */

static bool is_ascii(sl_text t) {
    unsigned char any = 0;
    for (uint32_t i = 0; i < t.n; i++) any |= (unsigned char)t.s[i];
    return any < 0x80;
}

/* The code point at *P, which moves on; U+FFFD for a byte that is no UTF-8. */
static uint32_t next_code(const char **p, const char *end) {
    uint32_t code = 0xfffd;
    unsigned size = sl_utf8_decode(*p, (size_t)(end - *p), &code);
    *p += size ? size : 1;
    return size ? code : 0xfffd;
}

/* Bytes that CPython spends on each character of T. */
static unsigned character_size(sl_text t) {
    uint32_t widest = 0;
    for (const char *p = t.s, *end = t.s + t.n; p < end;) {
        uint32_t code = next_code(&p, end);
        if (code > widest) widest = code;
    }
    return widest < 0x100 ? 1 : widest < 0x10000 ? 2 : 4;
}

static sl_status hash_text(const conf *c, sl_text t, sl_arena *arena, uint64_t *out, sl_error *err) {
    *out = 0;
    if (!t.n) return SL_OK;
    if (is_ascii(t)) {
        *out = sip_hash(c, t.s, t.n);
        return SL_OK;
    }
    unsigned size = character_size(t);
    unsigned char *stored = sl_arena_alloc(arena, (size_t)t.n * size), *at = stored;
    if (!stored) return sl_oom(err);
    for (const char *p = t.s, *end = t.s + t.n; p < end;) {
        uint32_t code = next_code(&p, end);
        for (unsigned i = 0; i < size; i++) *at++ = (unsigned char)(code >> (8 * i));
    }
    *out = sip_hash(c, stored, (size_t)(at - stored));
    return SL_OK;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

static uint64_t multiplied(uint64_t a, uint64_t b) {
    return (uint64_t)((wide)a * b % MODULUS);
}

static uint64_t raised(uint64_t base, uint64_t exponent) {
    uint64_t result = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1) result = multiplied(result, base);
        base = multiplied(base, base);
    }
    return result;
}

static uint64_t with_sign(uint64_t hash, bool negative) {
    return negative ? 0 - hash : hash;
}

static uint64_t hash_int(int64_t i) {
    uint64_t size = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    return with_sign(size % MODULUS, i < 0);
}

/* A double is a whole number of 53 bits times a power of 2, and 2^61 counts as 1. */
static uint64_t hash_float(double f) {
    int exponent;
    if (isnan(f)) return 0;
    if (isinf(f)) return with_sign(HASH_OF_INFINITY, f < 0);
    uint64_t whole = (uint64_t)ldexp(frexp(fabs(f), &exponent), 53);
    int shift = (exponent - 53) % HASH_BITS;
    if (shift < 0) shift += HASH_BITS;
    return with_sign(multiplied(whole, UINT64_C(1) << shift), f < 0);
}

/* Digits times a negative power of 10, whose inverse exists because the modulus is prime. */
static uint64_t hash_decimal(sl_text t) {
    bool negative = t.n && *t.s == '-', fraction = false;
    uint64_t hash = 0, decimals = 0;
    if (sl_text_is(t, "NaN")) return 0;
    if (sl_text_is(t, "Infinity") || sl_text_is(t, "-Infinity")) return with_sign(HASH_OF_INFINITY, negative);
    for (uint32_t i = negative; i < t.n; i++) {
        if (t.s[i] == '.') {
            fraction = true;
            continue;
        }
        hash = (multiplied(hash, 10) + (uint64_t)(t.s[i] - '0')) % MODULUS;
        decimals += fraction;
    }
    if (decimals) hash = multiplied(hash, raised(raised(10, MODULUS - 2), decimals));
    return with_sign(hash, negative);
}

/* ---- the pipe ----------------------------------------------------------------------------------------------------- */

static sl_status hash_time(const conf *c, sl_value v, sl_arena *arena, uint64_t *out, sl_error *err) {
    sl_buf iso = {0};
    sl_time_iso(v, &iso);
    sl_status status = sl_buf_check(&iso, err);
    if (status == SL_OK) status = hash_text(c, sl_text_n(iso.data, iso.len), arena, out, err);
    sl_buf_free(&iso);
    return status;
}

static sl_status hash_value(const conf *c, sl_value v, sl_arena *arena, uint64_t *out, sl_error *err) {
    if (sl_is_written(v)) {
        v = sl_number_python(sl_bytes(v));
        if (v.type == SL_DECIMAL) TRY(sl_decimal_from(v, arena, &v, err));
    }
    switch ((sl_type)v.type) {
    case SL_MISSING:
    case SL_NULL: *out = HASH_OF_NULL; return SL_OK;
    case SL_BOOL: *out = v.as.b; return SL_OK;
    case SL_INT: *out = hash_int(v.as.i); return SL_OK;
    case SL_FLOAT: *out = hash_float(v.as.f); return SL_OK;
    case SL_DECIMAL: *out = hash_decimal(sl_bytes(v)); return SL_OK;
    case SL_TEXT_TYPE: return hash_text(c, sl_bytes(v), arena, out, err);
    case SL_TIME: return hash_time(c, v, arena, out, err);
    case SL_LIST:
    case SL_MAP: break;
    }
    return sl_fail(err, SL_E_DATA, "the field is %s: only texts, numbers, dates and null have a hash",
                   v.type == SL_LIST ? "a list" : "an object");
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    uint64_t hash;
    (void)state, (void)item;
    TRY(hash_value(vconf, field, sl_results_arena(results), &hash, err));
    if (hash == UINT64_MAX) hash--;
    return sl_result(results, sl_int((int64_t)(hash & UINT32_MAX)), err);
}

const sl_pipe sl_pipe_hash = {
    .name = "hash",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Gives a value a number",
    .details =
        "A number from 0 to 4294967295, the same for the same value on every machine and in every run. "
        "Numbers of equal value have the same hash whatever their type (5 and 5.0), the text \"5\" has "
        "another. Dates hash like their ISO text. Lists and objects are an error. Not for secrets.",
    .example = "itembuilder attrs.0.key=content attrs.0.value=hello | hash",
    .conf_size = sizeof(conf),
    .field = "content",
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .each = each,
};
