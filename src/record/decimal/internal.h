/* internal.h: a decimal under calculation, for decimal.c, power.c and sum.c. */
#ifndef SL_RECORD_DECIMAL_INTERNAL_H
#define SL_RECORD_DECIMAL_INTERNAL_H

#include <gmp.h>

#include "record/decimal/decimal.h"
#include "record/number/number.h"

enum {
    SL_DECIMAL_DIGITS = 28,     /* significant digits of every result */
    SL_DECIMAL_POINT_CAP = 6144 /* powers of ten beyond this are infinite, or zero */
};

/* coefficient x 10^exponent */
typedef struct sl_big {
    mpz_t coefficient;
    int64_t exponent;
} sl_big;

/* The finite decimal or literal T; false when T is not one or beyond the cap. B must be initialised. */
bool sl_big_parse(sl_big *b, sl_text t);
/* The exact value of a finite double. */
void sl_big_double(sl_big *b, double f);
/* Half-even to at most DIGITS significant digits. */
void sl_big_round(sl_big *b, unsigned digits);
/* Canonical text in ARENA, infinite or zero beyond the cap; sl_big_all_digits has no cap. */
SL_MUST_CHECK sl_status sl_big_text(const sl_big *b, sl_arena *arena, sl_value *out, sl_error *err);
SL_MUST_CHECK sl_status sl_big_all_digits(const sl_big *b, sl_arena *arena, sl_value *out, sl_error *err);
void sl_big_scale(mpz_t z, uint64_t power); /* z x 10^power */
size_t sl_big_digits(const mpz_t z);        /* decimal digits of |z|, 1 for 0 */

/* A / B to the context's digits, exact where possible; B is not 0. May change A and B. */
void sl_big_divide(sl_big *out, sl_big *a, sl_big *b);
/* A to the power B; false when the result is no real number or not representable. */
bool sl_big_power(sl_big *out, const sl_big *a, const sl_big *b);

#endif
