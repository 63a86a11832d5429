/* decimal.h: decimal arithmetic with 28 significant digits, half-even: the context of Python's decimal module, which
 * riko's sums and simplemath use. Values travel as canonical text (value.h). Integer work is GMP's. */
#ifndef SL_RECORD_DECIMAL_DECIMAL_H
#define SL_RECORD_DECIMAL_DECIMAL_H

#include "record/value.h"

typedef enum sl_math { SL_ADD, SL_SUBTRACT, SL_MULTIPLY, SL_DIVIDE, SL_FLOOR, SL_MODULO, SL_POWER, SL_MEAN } sl_math;

/* Exact conversion of a number, bool or numeric text; floats by their exact binary value. Missing, null and text that is
 * no number give NaN; powers of ten beyond 10^6144 are infinite or zero. The result is in ARENA, or V's own digits. */
SL_MUST_CHECK sl_status sl_decimal_from(sl_value v, sl_arena *arena, sl_value *out, sl_error *err);

/* A op B, both decimals. Division, modulo and floor by zero are SL_E_DATA. NaN operands give NaN. floor is a // b truncated
 * toward zero, modulo has the sign of A, mean is (A + B) / 2. */
SL_MUST_CHECK sl_status sl_decimal_math(sl_math op, sl_value a, sl_value b, sl_arena *arena, sl_value *out, sl_error *err);

/* V, a decimal, rounded half-even to exactly PLACES digits behind the point (up to 6144): 1.5 at 3 places is 1.500. NaN and
 * infinities stay as they are. */
SL_MUST_CHECK sl_status sl_decimal_round(sl_value v, unsigned places, sl_arena *arena, sl_value *out, sl_error *err);

/* Exact comparison of two numbers of any kind (int, float, decimal, bool): -1, 0, 1; 2 when either is NaN. */
int sl_number_compare(sl_value a, sl_value b);

/* Exact running sum whose result does not depend on the order or grouping of its terms. */
typedef struct sl_sum {
    __extension__ __int128 whole; /* units of 10^-scale */
    uint32_t scale;               /* digits after the point, up to 18; kept as the widest seen */
    int64_t terms;
    void *big; /* GMP accumulator once int128 or the scale does not suffice */
    bool nan;
} sl_sum; /* all zero: 0 */

/* Adds a number, bool or numeric text (NaN and infinities make the sum NaN), whatever its digits; SL_E_DATA otherwise ("is not a
 * number"), and for exponents beyond SL_SUM_EXPONENT, whose sum would be nothing but zeros. */
enum { SL_SUM_EXPONENT = 1000000 };
SL_MUST_CHECK sl_status sl_sum_add(sl_sum *s, sl_value v, sl_error *err);
SL_MUST_CHECK sl_status sl_sum_merge(sl_sum *into, const sl_sum *from, sl_error *err);
/* The sum as a decimal, all its digits or (ROUNDED) the context's 28. */
SL_MUST_CHECK sl_status sl_sum_result(const sl_sum *s, bool rounded, sl_arena *arena, sl_value *out, sl_error *err);
/* Bytes to and from another process or a spill file. */
void sl_sum_save(const sl_sum *s, sl_buf *out);
SL_MUST_CHECK sl_status sl_sum_load(sl_sum *s, sl_cursor *c, sl_error *err);
void sl_sum_free(sl_sum *s);
size_t sl_sum_memory(const sl_sum *s); /* bytes beyond the struct */

#endif
