/* The operations of simplemath, rounded as Python's default decimal context rounds them. */
#include <assert.h>
#include <math.h>

#include "base/error.h"
#include "record/decimal/internal.h"

/* ---- arithmetic on finite operands; each may change both ---------------------------------------------------------- */

static void align(sl_big *a, sl_big *b) {
    sl_big *higher = a->exponent > b->exponent ? a : b, *lower = higher == a ? b : a;
    sl_big_scale(higher->coefficient, (uint64_t)(higher->exponent - lower->exponent));
    assert(higher->exponent >= lower->exponent);
    higher->exponent = lower->exponent;
}

static void add(sl_big *out, sl_big *a, sl_big *b, bool negate) {
    align(a, b);
    if (negate)
        mpz_sub(out->coefficient, a->coefficient, b->coefficient);
    else
        mpz_add(out->coefficient, a->coefficient, b->coefficient);
    out->exponent = a->exponent;
}

static void multiply(sl_big *out, const sl_big *a, const sl_big *b) {
    mpz_mul(out->coefficient, a->coefficient, b->coefficient);
    out->exponent = a->exponent + b->exponent;
}

void sl_big_divide(sl_big *out, sl_big *a, sl_big *b) {
    int64_t ideal = a->exponent - b->exponent;
    int64_t shift = (int64_t)sl_big_digits(b->coefficient) - (int64_t)sl_big_digits(a->coefficient) +
                    SL_DECIMAL_DIGITS + 1;
    if (!mpz_sgn(a->coefficient)) shift = 0;
    if (shift >= 0)
        sl_big_scale(a->coefficient, (uint64_t)shift);
    else
        sl_big_scale(b->coefficient, (uint64_t)-shift);
    mpz_t rest;
    mpz_init(rest);
    mpz_tdiv_qr(out->coefficient, rest, a->coefficient, b->coefficient);
    out->exponent = ideal - shift;
    if (mpz_sgn(rest)) {
        /* A last digit that is neither 0 nor 5 stands for all that follow. */
        int sign = mpz_sgn(a->coefficient) * mpz_sgn(b->coefficient);
        if (mpz_divisible_ui_p(out->coefficient, 5)) {
            if (sign < 0)
                mpz_sub_ui(out->coefficient, out->coefficient, 1);
            else
                mpz_add_ui(out->coefficient, out->coefficient, 1);
        }
    } else {
        for (; out->exponent < ideal && mpz_divisible_ui_p(out->coefficient, 10); out->exponent++)
            mpz_divexact_ui(out->coefficient, out->coefficient, 10);
    }
    mpz_clear(rest);
}

/* Quotient toward zero, or the remainder with the sign of A. */
static void divide_whole(sl_big *out, sl_big *a, sl_big *b, bool remainder) {
    align(a, b);
    if (remainder)
        mpz_tdiv_r(out->coefficient, a->coefficient, b->coefficient);
    else
        mpz_tdiv_q(out->coefficient, a->coefficient, b->coefficient);
    out->exponent = remainder ? a->exponent : 0;
}

static void mean(sl_big *out, sl_big *a, sl_big *b) {
    sl_big sum, two = {.exponent = 0};
    mpz_init(sum.coefficient);
    mpz_init_set_ui(two.coefficient, 2);
    add(&sum, a, b, false);
    sl_big_round(&sum, SL_DECIMAL_DIGITS);
    sl_big_divide(out, &sum, &two);
    mpz_clears(sum.coefficient, two.coefficient, NULL);
}

/* ---- dispatch ----------------------------------------------------------------------------------------------------- */

static sl_status divisor_zero(sl_math op, sl_error *err) {
    static const char *const names[] = {
        [SL_DIVIDE] = "division", [SL_FLOOR] = "floor", [SL_MODULO] = "modulo"};
    return sl_fail(err, SL_E_DATA, "%s by zero", names[op]);
}

static sl_status compute(sl_math op, sl_big *a, sl_big *b, sl_big *out, sl_error *err) {
    bool divides = op == SL_DIVIDE || op == SL_FLOOR || op == SL_MODULO;
    if (divides && !mpz_sgn(b->coefficient)) return divisor_zero(op, err);
    switch (op) {
    case SL_ADD: add(out, a, b, false); break;
    case SL_SUBTRACT: add(out, a, b, true); break;
    case SL_MULTIPLY: multiply(out, a, b); break;
    case SL_DIVIDE: sl_big_divide(out, a, b); break;
    case SL_FLOOR: divide_whole(out, a, b, false); break;
    case SL_MODULO: divide_whole(out, a, b, true); break;
    case SL_MEAN: mean(out, a, b); break;
    case SL_POWER:
        if (!sl_big_power(out, a, b)) return sl_fail(err, SL_E_DATA, "this power is no real number");
        break;
    }
    if (op == SL_FLOOR && sl_big_digits(out->coefficient) > SL_DECIMAL_DIGITS)
        return sl_fail(err, SL_E_DATA, "the whole quotient has more than %d digits", SL_DECIMAL_DIGITS);
    sl_big_round(out, SL_DECIMAL_DIGITS);
    return SL_OK;
}

/* One operand is infinite: doubles know the rules, and the finite one only matters by its sign and whether it is above 1. */
static sl_status with_infinity(sl_math op, double a, double b, sl_value *out, sl_error *err) {
    double r = 0;
    switch (op) {
    case SL_ADD:
    case SL_MEAN: r = a + b; break;
    case SL_SUBTRACT: r = a - b; break;
    case SL_MULTIPLY: r = a * b; break;
    case SL_DIVIDE:
        if (b == 0) return divisor_zero(op, err);
        r = a / b;
        break;
    case SL_FLOOR:
        if (b == 0) return divisor_zero(op, err);
        r = trunc(a / b);
        break;
    case SL_MODULO: r = fmod(a, b); break;
    case SL_POWER: r = pow(a, b); break;
    }
    if (isnan(r)) return sl_fail(err, SL_E_DATA, "this operation with an infinite number has no result");
    if (op == SL_MODULO) return SL_OK;
    *out = sl_decimal_value(sl_text_of(isinf(r) ? r < 0 ? "-Infinity" : "Infinity" : r == 1 ? "1" : "0"));
    return SL_OK;
}

static sl_status finite_math(sl_math op, sl_text a, sl_text b, sl_arena *arena, sl_value *out,
                             sl_error *err) {
    sl_big x, y, r = {.exponent = 0};
    mpz_inits(x.coefficient, y.coefficient, r.coefficient, NULL);
    sl_status status = sl_big_parse(&x, a) && sl_big_parse(&y, b) ? SL_OK : sl_oom(err);
    if (!status) status = compute(op, &x, &y, &r, err);
    if (!status) status = sl_big_text(&r, arena, out, err);
    mpz_clears(x.coefficient, y.coefficient, r.coefficient, NULL);
    return status;
}

sl_status sl_decimal_math(sl_math op, sl_value a, sl_value b, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_placed_room ra, rb;
    sl_placed x = sl_number_place(a, &ra), y = sl_number_place(b, &rb);
    if (x.nan || y.nan) {
        *out = sl_decimal_value(SL_TEXT("NaN"));
        return SL_OK;
    }
    bool infinite = (isinf(x.nearest) && !x.side) || (isinf(y.nearest) && !y.side);
    if (!infinite) return finite_math(op, sl_bytes(a), sl_bytes(b), arena, out, err);
    *out = a;
    return with_infinity(op, x.nearest, y.nearest, out, err);
}
