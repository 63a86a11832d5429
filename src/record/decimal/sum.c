/* Exact sums. Terms with at most 18 decimals go into 128 bits; what does not fit goes into a big decimal beside them, so that
 * the order of terms never shows. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "record/decimal/internal.h"
#include "record/number/number.h"

enum { WORD_SCALE = 18 };

__extension__ typedef __int128 wide;

static wide pow10_wide(uint32_t n) {
    wide v = 1;
    while (n--) v *= 10;
    return v;
}

static sl_big *big_of(sl_sum *s) {
    if (s->big) return s->big;
    sl_big *b = malloc(sizeof *b);
    if (!b) return NULL;
    mpz_init(b->coefficient);
    b->exponent = 0;
    s->big = b;
    return b;
}

static void put_wide(mpz_t z, wide v) {
    uint64_t parts[2];
    sl_u128 size = v < 0 ? -(sl_u128)v : (sl_u128)v;
    parts[0] = (uint64_t)size;
    parts[1] = (uint64_t)(size >> 64);
    mpz_import(z, 2, -1, sizeof *parts, 0, 0, parts);
    if (v < 0) mpz_neg(z, z);
}

static sl_status add_big(sl_sum *s, sl_big *term, sl_error *err) {
    sl_big *b = big_of(s);
    if (!b) return sl_oom(err);
    if (term->exponent > b->exponent) {
        sl_big_scale(term->coefficient, (uint64_t)(term->exponent - b->exponent));
    } else if (term->exponent < b->exponent) {
        sl_big_scale(b->coefficient, (uint64_t)(b->exponent - term->exponent));
        b->exponent = term->exponent;
    }
    mpz_add(b->coefficient, b->coefficient, term->coefficient);
    return SL_OK;
}

/* Moves the 128-bit part over to the big one. */
static sl_status pour(sl_sum *s, sl_error *err) {
    sl_big term = {.exponent = -(int64_t)s->scale};
    mpz_init(term.coefficient);
    put_wide(term.coefficient, s->whole);
    sl_status status = add_big(s, &term, err);
    mpz_clear(term.coefficient);
    if (!status) s->whole = 0;
    return status;
}

/* Adds UNITS of 10^-SCALE, |UNITS| below 2^100. */
static sl_status add_wide(sl_sum *s, wide units, uint32_t scale, sl_error *err) {
    assert(scale <= WORD_SCALE && s->scale <= WORD_SCALE);
    wide scaled, sum;
    if (scale > s->scale) {
        if (__builtin_mul_overflow(s->whole, pow10_wide(scale - s->scale), &scaled)) {
            TRY(pour(s, err));
            scaled = 0;
        }
        s->whole = scaled;
        s->scale = scale;
    }
    scaled = units;
    if (scale < s->scale && __builtin_mul_overflow(units, pow10_wide(s->scale - scale), &scaled)) {
        sl_big term = {.exponent = -(int64_t)scale};
        mpz_init(term.coefficient);
        put_wide(term.coefficient, units);
        sl_status status = add_big(s, &term, err);
        mpz_clear(term.coefficient);
        return status;
    }
    if (__builtin_add_overflow(s->whole, scaled, &sum)) {
        TRY(pour(s, err));
        sum = scaled;
    }
    s->whole = sum;
    return SL_OK;
}

static sl_status add_literal(sl_sum *s, sl_text t, const sl_literal *x, sl_error *err) {
    int64_t scale = (int64_t)x->nfraction - x->exponent;
    if ((uint64_t)x->nwhole + x->nfraction <= SL_WORD_DIGITS && scale >= 0 && scale <= WORD_SCALE)
        return add_wide(s, x->negative ? -(wide)x->digits : (wide)x->digits, (uint32_t)scale, err);
    if (x->exponent > SL_SUM_EXPONENT || x->exponent < -SL_SUM_EXPONENT)
        return sl_fail(err, SL_E_DATA,
                       "'%.*s' is too large or too fine to be summed exactly: its exponent is beyond %d",
                       t.n < 40 ? (int)t.n : 40, t.s, SL_SUM_EXPONENT);
    sl_big term;
    mpz_init(term.coefficient);
    sl_status status = sl_big_parse(&term, t) ? add_big(s, &term, err) : sl_oom(err);
    mpz_clear(term.coefficient);
    return status;
}

static sl_status add_text(sl_sum *s, sl_text original, sl_error *err) {
    char room[512];
    sl_literal x;
    sl_text t = original;
    if (sl_literal_clean(&t, room, sizeof room) && sl_literal_scan(t, &x)) return add_literal(s, t, &x, err);
    t = sl_text_trim(original);
    sl_text rest = t.n && (*t.s == '-' || *t.s == '+') ? (sl_text){t.s + 1, t.n - 1} : t;
    static const char *const words[] = {"nan", "inf", "infinity"};
    for (size_t k = 0; k < SL_COUNT(words); k++) {
        if (sl_text_eq_nocase(rest, sl_text_of(words[k]))) {
            s->nan = true;
            return SL_OK;
        }
    }
    int shown = original.n < 60 ? (int)original.n : 60;
    return sl_fail(err, SL_E_DATA, "'%.*s' is not a number", shown, original.s ? original.s : "");
}

/* A double is m / 2^k; with k at most 18 that is m x 5^k units of 10^-k. */
static sl_status add_double(sl_sum *s, double f, sl_error *err) {
    if (!isfinite(f)) {
        s->nan = true;
        return SL_OK;
    }
    double whole = f;
    wide fives = 1;
    for (uint32_t k = 0; k <= WORD_SCALE && fabs(whole) < 9007199254740992.0; k++, whole *= 2, fives *= 5) {
        if (whole == (double)(int64_t)whole) return add_wide(s, (int64_t)whole * fives, k, err);
    }
    sl_big term;
    mpz_init(term.coefficient);
    sl_big_double(&term, f);
    sl_status status = add_big(s, &term, err);
    mpz_clear(term.coefficient);
    return status;
}

sl_status sl_sum_add(sl_sum *s, sl_value v, sl_error *err) {
    s->terms++;
    v = sl_number_computed(v);
    switch (v.type) {
    case SL_BOOL: return add_wide(s, v.as.b, 0, err);
    case SL_INT: return add_wide(s, v.as.i, 0, err);
    case SL_FLOAT: return add_double(s, v.as.f, err);
    case SL_DECIMAL:
    case SL_TEXT_TYPE: return add_text(s, sl_bytes(v), err);
    default: return sl_fail(err, SL_E_DATA, "a %s is not a number", sl_type_name((sl_type)v.type));
    }
}

sl_status sl_sum_merge(sl_sum *into, const sl_sum *from, sl_error *err) {
    assert(into != from);
    sl_sum part = {.whole = from->whole, .scale = from->scale};
    TRY(add_wide(into, 0, from->scale, err));
    if (part.scale < into->scale &&
        __builtin_mul_overflow(part.whole, pow10_wide(into->scale - part.scale), &part.whole)) {
        part.whole = from->whole;
        TRY(pour(&part, err));
    }
    sl_status status = SL_OK;
    wide sum;
    if (__builtin_add_overflow(into->whole, part.whole, &sum)) {
        status = pour(into, err);
        sum = part.whole;
    }
    into->whole = sum;
    const sl_big *sources[] = {part.big, from->big};
    for (size_t k = 0; k < SL_COUNT(sources) && !status; k++) {
        if (!sources[k]) continue;
        sl_big term = {.exponent = sources[k]->exponent};
        mpz_init_set(term.coefficient, sources[k]->coefficient);
        status = add_big(into, &term, err);
        mpz_clear(term.coefficient);
    }
    sl_sum_free(&part);
    into->nan = into->nan || from->nan;
    into->terms += from->terms;
    return status;
}

sl_status sl_sum_result(const sl_sum *s, bool rounded, sl_arena *arena, sl_value *out, sl_error *err) {
    if (s->nan) {
        *out = sl_decimal_value(SL_TEXT("NaN"));
        return SL_OK;
    }
    sl_sum all = {.terms = 0};
    sl_big total = {.exponent = -(int64_t)s->scale};
    mpz_init(total.coefficient);
    put_wide(total.coefficient, s->whole);
    sl_status status = add_big(&all, &total, err);
    if (!status && s->big) {
        const sl_big *big = s->big;
        mpz_set(total.coefficient, big->coefficient);
        total.exponent = big->exponent;
        status = add_big(&all, &total, err);
    }
    if (!status) {
        if (rounded) sl_big_round(all.big, SL_DECIMAL_DIGITS);
        status = sl_big_all_digits(all.big, arena, out, err);
    }
    mpz_clear(total.coefficient);
    sl_sum_free(&all);
    return status;
}

void sl_sum_save(const sl_sum *s, sl_buf *out) {
    const sl_big *big = s->big;
    sl_buf_u64(out, (uint64_t)s->whole);
    sl_buf_u64(out, (uint64_t)((sl_u128)s->whole >> 64));
    sl_buf_u64(out, (uint64_t)s->terms);
    sl_buf_u32(out, s->scale);
    sl_buf_u32(out, s->nan);
    size_t bytes = big ? (mpz_sizeinbase(big->coefficient, 2) + 7) / 8 : 0;
    sl_buf_u32(out, (uint32_t)bytes);
    if (!big) return;
    sl_buf_u32(out, mpz_sgn(big->coefficient) < 0);
    sl_buf_u64(out, (uint64_t)big->exponent);
    if (!sl_buf_reserve(out, bytes)) return;
    memset(out->data + out->len, 0, bytes); /* zero is exported as no bytes */
    mpz_export(out->data + out->len, NULL, -1, 1, 0, 0, big->coefficient);
    out->len += bytes;
}

static sl_status load_big(sl_sum *s, uint32_t bytes, sl_cursor *c, sl_error *err) {
    bool negative = sl_cursor_u32(c) != 0;
    int64_t exponent = (int64_t)sl_cursor_u64(c);
    const char *digits = sl_cursor_bytes(c, bytes);
    if (!digits || exponent > SL_SUM_EXPONENT || exponent < -(int64_t)UINT32_MAX)
        return sl_fail(err, SL_E_INTERNAL, "a saved sum is damaged");
    sl_big *b = big_of(s);
    if (!b) return sl_oom(err);
    mpz_import(b->coefficient, bytes, -1, 1, 0, 0, digits);
    if (negative) mpz_neg(b->coefficient, b->coefficient);
    b->exponent = exponent;
    return SL_OK;
}

sl_status sl_sum_load(sl_sum *s, sl_cursor *c, sl_error *err) {
    uint64_t low = sl_cursor_u64(c), high = sl_cursor_u64(c);
    *s = (sl_sum){.whole = (wide)((sl_u128)high << 64 | low)};
    s->terms = (int64_t)sl_cursor_u64(c);
    s->scale = sl_cursor_u32(c);
    s->nan = sl_cursor_u32(c) != 0;
    uint32_t bytes = sl_cursor_u32(c);
    if (c->failed || s->scale > WORD_SCALE) return sl_fail(err, SL_E_INTERNAL, "a saved sum is damaged");
    return bytes ? load_big(s, bytes, c, err) : SL_OK;
}

size_t sl_sum_memory(const sl_sum *s) {
    const sl_big *b = s->big;
    return b ? sizeof *b + mpz_size(b->coefficient) * sizeof(mp_limb_t) : 0;
}

void sl_sum_free(sl_sum *s) {
    sl_big *b = s->big;
    if (b) mpz_clear(b->coefficient);
    free(b);
    *s = (sl_sum){0};
}
