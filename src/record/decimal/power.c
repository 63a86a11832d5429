/* Powers of decimals. Whole exponents by repeated squaring with guard digits; others as exp(b ln a) in fixed point. */
#include <math.h>

#include "record/decimal/internal.h"

enum { GUARDED = 80, SCALE = 90 }; /* digits kept on the way; decimals of the fixed-point numbers */

static void square_and_multiply(sl_big *out, const sl_big *a, uint64_t n) {
    sl_big base = {.exponent = a->exponent};
    mpz_init_set(base.coefficient, a->coefficient);
    mpz_set_ui(out->coefficient, 1);
    out->exponent = 0;
    for (; n; n >>= 1) {
        if (n & 1) {
            mpz_mul(out->coefficient, out->coefficient, base.coefficient);
            out->exponent += base.exponent;
            sl_big_round(out, GUARDED);
        }
        if (n == 1) break;
        mpz_mul(base.coefficient, base.coefficient, base.coefficient);
        base.exponent *= 2;
        sl_big_round(&base, GUARDED);
    }
    mpz_clear(base.coefficient);
}

/* B as a whole number of at most 9 digits. */
static bool whole_exponent(const sl_big *b, int64_t *out) {
    mpz_t z;
    mpz_init_set(z, b->coefficient);
    int64_t e = b->exponent;
    bool ok = true;
    for (; ok && e < 0; e++) {
        ok = mpz_divisible_ui_p(z, 10);
        mpz_tdiv_q_ui(z, z, 10);
    }
    if (ok && e <= 9) sl_big_scale(z, (uint64_t)e);
    ok = ok && e <= 9 && mpz_cmpabs_ui(z, 999999999) <= 0;
    if (ok) *out = mpz_get_si(z);
    mpz_clear(z);
    return ok;
}

/* ---- fixed point: numbers are integers of units of 10^-SCALE ------------------------------------------------------ */

static void fixed_unit(mpz_t one) {
    mpz_set_ui(one, 1);
    sl_big_scale(one, SCALE);
}

static void fixed_multiply(mpz_t out, const mpz_t a, const mpz_t b, const mpz_t one) {
    mpz_mul(out, a, b);
    mpz_tdiv_q(out, out, one);
}

/* exp(x) for |x| < 1000: Taylor's series of x / 2^16, squared sixteen times. */
static void fixed_exp(mpz_t out, const mpz_t x, const mpz_t one) {
    mpz_t small, term;
    mpz_inits(small, term, NULL);
    mpz_fdiv_q_2exp(small, x, 16);
    mpz_set(term, one);
    mpz_set(out, one);
    for (unsigned long k = 1; mpz_sgn(term) && k < 200; k++) {
        fixed_multiply(term, term, small, one);
        mpz_tdiv_q_ui(term, term, k);
        mpz_add(out, out, term);
    }
    for (int k = 0; k < 16; k++) fixed_multiply(out, out, out, one);
    mpz_clears(small, term, NULL);
}

/* ln(m) for m between 0.5 and 20: Halley's iteration from the double's logarithm triples the digits each time. */
static void fixed_ln(mpz_t y, const mpz_t m, const mpz_t one) {
    mpz_t e, above, below;
    mpz_inits(e, above, below, NULL);
    mpz_set(above, m);
    double start = log(mpz_get_d(m) / mpz_get_d(one));
    mpz_set_d(y, ldexp(start, 60));
    mpz_mul(y, y, one);
    mpz_fdiv_q_2exp(y, y, 60);
    for (int k = 0; k < 4; k++) {
        fixed_exp(e, y, one);
        mpz_sub(above, m, e);
        mpz_add(below, m, e);
        mpz_mul(above, above, one);
        mpz_mul_2exp(above, above, 1);
        mpz_tdiv_q(above, above, below);
        mpz_add(y, y, above);
    }
    mpz_clears(e, above, below, NULL);
}

/* 10^(y / ln 10) for the fixed-point Y: the whole powers of ten go into the exponent. */
static bool exp_big(sl_big *out, const mpz_t y, const mpz_t ln10, const mpz_t one) {
    mpz_t tens, rest;
    mpz_inits(tens, rest, NULL);
    mpz_fdiv_qr(tens, rest, y, ln10);
    bool ok = mpz_cmpabs_ui(tens, 1000000) < 0;
    if (ok) {
        fixed_exp(out->coefficient, rest, one);
        out->exponent = mpz_get_si(tens) - SCALE;
    }
    mpz_clears(tens, rest, NULL);
    return ok;
}

static bool real_power(sl_big *out, const sl_big *a, const sl_big *b) {
    mpz_t one, ln10, m, y;
    mpz_inits(one, ln10, m, y, NULL);
    fixed_unit(one);
    mpz_mul_ui(m, one, 10);
    fixed_ln(ln10, m, one);
    sl_big mantissa = {.exponent = a->exponent};
    mpz_init_set(mantissa.coefficient, a->coefficient);
    sl_big_round(&mantissa, GUARDED);
    int64_t point = (int64_t)sl_big_digits(mantissa.coefficient) - 1;
    mpz_set(m, mantissa.coefficient);
    sl_big_scale(m, (uint64_t)(SCALE - point));
    fixed_ln(y, m, one);
    mpz_set_si(m, point + mantissa.exponent);
    mpz_addmul(y, m, ln10);
    mpz_mul(y, y, b->coefficient);
    bool ok = b->exponent < 40 && b->exponent > -SL_DECIMAL_POINT_CAP;
    if (ok) {
        mpz_set_ui(m, 1);
        sl_big_scale(m, (uint64_t)(b->exponent < 0 ? -b->exponent : b->exponent));
        if (b->exponent < 0)
            mpz_fdiv_q(y, y, m);
        else
            mpz_mul(y, y, m);
        ok = exp_big(out, y, ln10, one);
    }
    mpz_clears(one, ln10, m, y, mantissa.coefficient, NULL);
    return ok;
}

/* Python gives an exact root as it is and everything else in full length. */
static void trim_exact(sl_big *b) {
    sl_big_round(b, SL_DECIMAL_DIGITS + 8);
    if (mpz_divisible_ui_p(b->coefficient, 10000000)) {
        while (mpz_divisible_ui_p(b->coefficient, 10)) {
            mpz_divexact_ui(b->coefficient, b->coefficient, 10);
            b->exponent++;
        }
        int64_t wide = SL_DECIMAL_DIGITS - (int64_t)sl_big_digits(b->coefficient);
        sl_big_scale(b->coefficient, (uint64_t)wide);
        b->exponent -= wide;
    }
}

bool sl_big_power(sl_big *out, const sl_big *a, const sl_big *b) {
    int64_t n = 0;
    bool whole = whole_exponent(b, &n);
    int zero = !mpz_sgn(a->coefficient);
    if (zero) {
        mpz_set_ui(out->coefficient, 0);
        out->exponent = 0;
        return mpz_sgn(b->coefficient) > 0;
    }
    if (!whole) {
        if (mpz_sgn(a->coefficient) < 0 || !real_power(out, a, b)) return false;
        trim_exact(out);
        return true;
    }
    square_and_multiply(out, a, (uint64_t)(n < 0 ? -n : n));
    if (n >= 0) return true;
    sl_big one = {.exponent = 0}, power = {.exponent = out->exponent};
    mpz_init_set_ui(one.coefficient, 1);
    mpz_init_set(power.coefficient, out->coefficient);
    sl_big_divide(out, &one, &power);
    mpz_clears(one.coefficient, power.coefficient, NULL);
    return true;
}
