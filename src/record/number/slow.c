/* Literals that neither a double nor 128 bits can convert exactly: big integers, and one rounding. */
#include "record/number/number.h"

#include <gmp.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* No double, nor a midpoint of two, has more than 768 significant digits, so digits beyond these only matter as "more than". */
enum { KEPT_DIGITS = 800, LARGEST_POINT = 310, SMALLEST_POINT = -330, MIN_EXPONENT = -1074 };

/* The first significant digits of a literal as a number 0.DIGITS x 10^point. */
typedef struct big_literal {
    char digits[KEPT_DIGITS + 2];
    uint32_t n;
    int64_t point;
} big_literal;

static void gather(big_literal *b, const char *s, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        if (b->n == 0 && s[k] == '0')
            b->point--;
        else if (b->n < KEPT_DIGITS)
            b->digits[b->n++] = s[k];
        else if (s[k] != '0')
            b->digits[KEPT_DIGITS] = '1';
    }
}

/* Q x 2^-SHIFT rounded half to even, where Q has 62 or 63 bits and its lowest also stands for what is below it. */
static double scale_rounded(uint64_t q, int64_t shift) {
    int64_t drop = shift + MIN_EXPONENT;
    if (drop < 10) return ldexp((double)q, (int)-shift);
    if (drop > 63) return 0;
    uint64_t kept = q >> drop, rest = q - (kept << drop), half = UINT64_C(1) << (drop - 1);
    if (rest > half || (rest == half && (kept & 1))) kept++;
    return ldexp((double)kept, MIN_EXPONENT);
}

/* N / D, both positive; spoils them. */
static double round_ratio(mpz_t n, mpz_t d) {
    int64_t bits = (int64_t)mpz_sizeinbase(n, 2) - (int64_t)mpz_sizeinbase(d, 2), shift = 62 - bits;
    if (shift > 0)
        mpz_mul_2exp(n, n, (mp_bitcnt_t)shift);
    else
        mpz_mul_2exp(d, d, (mp_bitcnt_t)-shift);
    mpz_t rest;
    mpz_init(rest);
    mpz_tdiv_qr(n, rest, n, d);
    uint64_t q = mpz_get_ui(n);
    if (mpz_sgn(rest)) q |= 1;
    mpz_clear(rest);
    return scale_rounded(q, shift);
}

double sl_number_slow(const char *whole, uint32_t nwhole, const char *fraction, uint32_t nfraction,
                      int32_t exponent) {
    big_literal b = {.point = (int64_t)nwhole + exponent};
    gather(&b, whole, nwhole);
    gather(&b, fraction, nfraction);
    if (!b.n || b.point < SMALLEST_POINT) return 0;
    if (b.point > LARGEST_POINT) return HUGE_VAL;
    if (b.digits[KEPT_DIGITS]) b.n++;
    mpz_t n, d;
    mpz_init_set_str(n, b.digits, 10);
    mpz_init_set_ui(d, 1);
    int64_t power = b.point - b.n;
    mpz_t scale;
    mpz_init(scale);
    mpz_ui_pow_ui(scale, 10, (unsigned long)(power < 0 ? -power : power));
    if (power < 0)
        mpz_set(d, scale);
    else
        mpz_mul(n, n, scale);
    double v = round_ratio(n, d);
    mpz_clears(n, d, scale, NULL);
    return v;
}

/* The mantissa of a double as an integer, and its power of two. */
static int64_t split_double(double v, mpz_t mantissa) {
    int e;
    double m = ldexp(frexp(v, &e), 53);
    mpz_set_d(mantissa, m);
    return (int64_t)e - 53;
}

int sl_number_side_slow(const sl_literal *x, double v) {
    big_literal b = {.point = (int64_t)x->nwhole + x->exponent};
    gather(&b, x->whole, x->nwhole);
    gather(&b, x->fraction, x->nfraction);
    if (isinf(v)) return -1;
    if (!b.n) return v > 0 ? -1 : 0;
    if (b.point < SMALLEST_POINT || v == 0) return 1;
    if (b.digits[KEPT_DIGITS]) b.n++;
    mpz_t left, right, scale;
    mpz_init_set_str(left, b.digits, 10);
    mpz_inits(right, scale, NULL);
    int64_t two = split_double(v, right), ten = b.point - b.n;
    mpz_ui_pow_ui(scale, 10, (unsigned long)(ten < 0 ? -ten : ten));
    if (ten < 0)
        mpz_mul(right, right, scale);
    else
        mpz_mul(left, left, scale);
    if (two < 0)
        mpz_mul_2exp(left, left, (mp_bitcnt_t)-two);
    else
        mpz_mul_2exp(right, right, (mp_bitcnt_t)two);
    int c = mpz_cmp(left, right);
    mpz_clears(left, right, scale, NULL);
    return (c > 0) - (c < 0);
}
