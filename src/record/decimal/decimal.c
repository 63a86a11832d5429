/* decimal.c: decimals: from text to a big integer with an exponent and back. Arithmetic is rare next to reading and comparing,
 * so a decimal stays text until somebody computes with it, and GMP is only asked then. */
#include "record/decimal/decimal.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "record/decimal/internal.h"
#include "record/number/number.h"

/* ---- big decimals ------------------------------------------------------------------------------------------------- */

void sl_big_scale(mpz_t z, uint64_t power) {
    if (!power) return;
    mpz_t ten;
    mpz_init(ten);
    mpz_ui_pow_ui(ten, 10, (unsigned long)power);
    mpz_mul(z, z, ten);
    mpz_clear(ten);
}

size_t sl_big_digits(const mpz_t z) {
    size_t n = mpz_sizeinbase(z, 10); /* exact, or one too many */
    if (n <= 1) return 1;
    mpz_t ten;
    mpz_init(ten);
    mpz_ui_pow_ui(ten, 10, (unsigned long)(n - 1));
    if (mpz_cmpabs(z, ten) < 0) n--;
    mpz_clear(ten);
    return n;
}

static void set_u64(mpz_t z, uint64_t v) {
    mpz_import(z, 1, -1, sizeof v, 0, 0, &v);
}

/* The digits of a literal as one integer. */
static bool set_digits(mpz_t z, const sl_literal *x) {
    if ((uint64_t)x->nwhole + x->nfraction <= SL_WORD_DIGITS) {
        set_u64(z, x->digits);
        return true;
    }
    size_t n = (size_t)x->nwhole + x->nfraction;
    char *all = malloc(n + 1);
    if (!all) return false;
    if (x->nwhole) memcpy(all, x->whole, x->nwhole);
    if (x->nfraction) memcpy(all + x->nwhole, x->fraction, x->nfraction);
    all[n] = 0;
    mpz_set_str(z, all, 10);
    free(all);
    return true;
}

bool sl_big_parse(sl_big *b, sl_text t) {
    sl_literal x;
    if (!sl_literal_scan(t, &x) || !set_digits(b->coefficient, &x)) return false;
    if (x.negative) mpz_neg(b->coefficient, b->coefficient);
    b->exponent = (int64_t)x.exponent - x.nfraction;
    return true;
}

void sl_big_double(sl_big *b, double f) {
    int e;
    double m = ldexp(frexp(f, &e), 53);
    mpz_set_d(b->coefficient, m);
    e -= 53;
    b->exponent = 0;
    if (!mpz_sgn(b->coefficient)) return;
    mp_bitcnt_t even = mpz_scan1(b->coefficient, 0);
    mp_bitcnt_t drop = e < 0 ? ((mp_bitcnt_t)-e < even ? (mp_bitcnt_t)-e : even) : 0;
    mpz_tdiv_q_2exp(b->coefficient, b->coefficient, drop);
    e += (int)drop;
    if (e >= 0) {
        mpz_mul_2exp(b->coefficient, b->coefficient, (mp_bitcnt_t)e);
        return;
    }
    mpz_t five;
    mpz_init(five);
    mpz_ui_pow_ui(five, 5, (unsigned long)-e);
    mpz_mul(b->coefficient, b->coefficient, five);
    mpz_clear(five);
    b->exponent = e;
}

/* Divides by 10^DROP, half to even. */
static void drop_digits(mpz_t z, uint64_t drop) {
    mpz_t ten, rest;
    mpz_inits(ten, rest, NULL);
    mpz_ui_pow_ui(ten, 10, (unsigned long)drop);
    mpz_tdiv_qr(z, rest, z, ten);
    mpz_mul_2exp(rest, rest, 1);
    int c = mpz_cmpabs(rest, ten), sign = mpz_sgn(rest);
    if (c > 0 || (c == 0 && mpz_odd_p(z))) {
        if (sign < 0)
            mpz_sub_ui(z, z, 1);
        else
            mpz_add_ui(z, z, 1);
    }
    mpz_clears(ten, rest, NULL);
}

void sl_big_round(sl_big *b, unsigned digits) {
    for (size_t n; (n = sl_big_digits(b->coefficient)) > digits;) {
        drop_digits(b->coefficient, n - digits);
        b->exponent += (int64_t)(n - digits);
    }
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static sl_value word(const char *z) {
    return sl_decimal_value(sl_text_of(z));
}

/* DIGITS, N of them, with FRACTION digits behind the point; zeros are added on the side where they lack. */
static size_t lay_out(char *to, const char *digits, size_t n, int64_t exponent) {
    char *p = to;
    if (exponent >= 0) {
        memcpy(p, digits, n);
        memset(p + n, '0', (size_t)exponent);
        return n + (size_t)exponent;
    }
    size_t fraction = (size_t)-exponent, whole = n > fraction ? n - fraction : 0;
    if (!whole) *p++ = '0';
    memcpy(p, digits, whole);
    p += whole;
    *p++ = '.';
    for (size_t k = n - whole; k < fraction; k++) *p++ = '0';
    memcpy(p, digits + whole, n - whole);
    return (size_t)(p - to) + n - whole;
}

static int64_t shown_exponent(const sl_big *b) {
    return !mpz_sgn(b->coefficient) && b->exponent > 0 ? 0 : b->exponent;
}

sl_status sl_big_text(const sl_big *b, sl_arena *arena, sl_value *out, sl_error *err) {
    bool zero = mpz_sgn(b->coefficient) == 0;
    int64_t exponent = shown_exponent(b), point = (int64_t)sl_big_digits(b->coefficient) + exponent;
    if (point > SL_DECIMAL_POINT_CAP)
        *out = word(mpz_sgn(b->coefficient) < 0 ? "-Infinity" : "Infinity");
    else if (exponent < -SL_DECIMAL_POINT_CAP && (zero || point < -SL_DECIMAL_POINT_CAP))
        *out = word("0");
    else
        return sl_big_all_digits(b, arena, out, err);
    return SL_OK;
}

sl_status sl_big_all_digits(const sl_big *b, sl_arena *arena, sl_value *out, sl_error *err) {
    size_t n = sl_big_digits(b->coefficient);
    bool negative = mpz_sgn(b->coefficient) < 0;
    int64_t exponent = shown_exponent(b);
    size_t zeros = (size_t)(exponent < 0 ? -exponent : exponent);
    char *digits = sl_arena_alloc(arena, n + 3), *text = sl_arena_alloc(arena, n + zeros + 4);
    if (!digits || !text) return sl_oom(err);
    mpz_get_str(digits, 10, b->coefficient);
    if (negative) *text = '-';
    size_t size = lay_out(text + negative, digits + negative, n, exponent) + negative;
    *out = sl_decimal_value(sl_text_n(text, size));
    return SL_OK;
}

/* ---- conversion --------------------------------------------------------------------------------------------------- */

static bool is_word(sl_text t, const char *a, const char *b) {
    return sl_text_eq_nocase(t, sl_text_of(a)) || sl_text_eq_nocase(t, sl_text_of(b));
}

static sl_value special(sl_text t) {
    bool negative = t.n && *t.s == '-', sign = negative || (t.n && *t.s == '+');
    sl_text rest = {t.s + sign, t.n - sign};
    if (is_word(rest, "inf", "infinity")) return word(negative ? "-Infinity" : "Infinity");
    return word("NaN");
}

/* -?digits.digits without a zero too many in front is canonical as it stands. */
static bool is_canonical(const sl_literal *x) {
    return x->nwhole && !x->plus && !x->scaled && x->point == (x->nfraction > 0) &&
           (x->nwhole == 1 || *x->whole != '0') && !(x->negative && x->digits == 0);
}

static sl_status from_big(sl_text t, double f, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_big b;
    mpz_init(b.coefficient);
    sl_status status = SL_OK;
    if (!t.s)
        sl_big_double(&b, f);
    else if (!sl_big_parse(&b, t))
        status = sl_oom(err);
    if (!status) status = sl_big_text(&b, arena, out, err);
    mpz_clear(b.coefficient);
    return status;
}

static sl_status from_text(sl_text t, sl_arena *arena, sl_value *out, sl_error *err) {
    char room[512];
    sl_literal x;
    sl_text original = t;
    if (!sl_literal_clean(&t, room, sizeof room) || !sl_literal_scan(t, &x)) {
        *out = special(sl_text_trim(original));
        return SL_OK;
    }
    if (t.s != room && is_canonical(&x)) {
        *out = sl_decimal_value(t);
        return SL_OK;
    }
    return from_big(t, 0, arena, out, err);
}

static sl_status from_int(int64_t i, sl_arena *arena, sl_value *out, sl_error *err) {
    char *s = sl_arena_alloc(arena, 24);
    if (!s) return sl_oom(err);
    *out = sl_decimal_value((sl_text){s, sl_format_int(i, s)});
    return SL_OK;
}

sl_status sl_decimal_from(sl_value v, sl_arena *arena, sl_value *out, sl_error *err) {
    v = sl_number_computed(v);
    switch (v.type) {
    case SL_BOOL: return from_int(v.as.b, arena, out, err);
    case SL_INT: return from_int(v.as.i, arena, out, err);
    case SL_DECIMAL: *out = v; return sl_is_written(v) ? from_text(sl_bytes(v), arena, out, err) : SL_OK;
    case SL_TEXT_TYPE: return from_text(sl_bytes(v), arena, out, err);
    case SL_FLOAT:
        if (isfinite(v.as.f)) return from_big((sl_text){NULL, 0}, v.as.f, arena, out, err);
        *out = word(isnan(v.as.f) ? "NaN" : v.as.f < 0 ? "-Infinity" : "Infinity");
        return SL_OK;
    default: *out = word("NaN"); return SL_OK;
    }
}

/* ---- rounding ----------------------------------------------------------------------------------------------------- */

sl_status sl_decimal_round(sl_value v, unsigned places, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_big b;
    sl_status status = SL_OK;
    *out = v;
    mpz_init(b.coefficient);
    if (sl_big_parse(&b, sl_bytes(v))) {
        int64_t drop = -(int64_t)places - b.exponent;
        if (drop > 0)
            drop_digits(b.coefficient, (uint64_t)drop);
        else
            sl_big_scale(b.coefficient, (uint64_t)-drop);
        b.exponent = -(int64_t)places;
        status = sl_big_text(&b, arena, out, err);
    }
    mpz_clear(b.coefficient);
    return status;
}
