/* number_internal.h: what the files behind number.h share. */
#ifndef SL_RECORD_NUMBER_INTERNAL_H
#define SL_RECORD_NUMBER_INTERNAL_H

#include "record/value.h"

__extension__ typedef unsigned __int128 sl_u128;

/* The shortest decimal that reads back as a double: 0.DIGITS x 10^POINT, without zeros at its end. Zero has no digits. */
typedef struct sl_shortest {
    char digits[20];
    uint32_t n;
    int point;
} sl_shortest;

enum { SL_WORD_DIGITS = 19, SL_EXACT_POWER = 22 };

/* Powers of ten that are exact doubles. */
extern const double sl_exact_powers[SL_EXACT_POWER + 1];

/* A well-formed literal, not yet a value: whole.fraction x 10^exponent. */
typedef struct sl_literal {
    const char *whole, *fraction;       /* first digits of each part */
    uint32_t nwhole, nfraction;         /* digits of each part */
    uint64_t digits;                    /* all digits as an integer, when there are at most SL_WORD_DIGITS */
    int32_t exponent;                   /* as written, kept within +-10^9 */
    bool negative, plus, point, scaled; /* scaled: it has an exponent */
} sl_literal;

/* [-+]?digits[.digits][e[+-]digits], where one side of the point may be empty. The whole of T must be it. */
bool sl_literal_scan(sl_text t, sl_literal *x);
/* The correctly rounded double of digits x 10^power where 128 bits suffice, else false. */
bool sl_digits_value(uint64_t digits, int64_t power, double *out);
/* The correctly rounded double. */
double sl_literal_value(const sl_literal *x);
/* V, the double nearest to the magnitude of X and finite, shows the digits of X in its shortest form. */
bool sl_literal_keeps(const sl_literal *x, double v);
/* What Python allows around a number: T without white space at its ends and without _ between digits (then it is a copy in
 * ROOM of SIZE bytes). false when that leaves nothing or _ is elsewhere. */
bool sl_literal_clean(sl_text *t, char *room, size_t size);

/* V is finite and not negative. */
sl_shortest sl_shortest_digits(double v);

/* The correctly rounded double of whole.fraction x 10^exponent by big integers, whatever the number of digits. */
double sl_number_slow(const char *whole, uint32_t nwhole, const char *fraction, uint32_t nfraction,
                      int32_t exponent);

/* A number as its nearest double and what remains: below 2^53 a double means the digits it shows. Rounding is monotone, so (nearest, side, exact digits) is the order of all
 * numbers of any type, and the digits matter only for those that are no doubles. */
typedef struct sl_placed {
    double nearest;     /* infinite beyond the range of doubles; never -0.0 */
    int side;           /* -1, 0, 1: the number is below, at, above NEAREST */
    sl_text head, tail; /* where side is not 0: the digits, without zeros at either end, in two parts ... */
    int64_t point;      /* ... as 0.HEADTAIL x 10^POINT */
    bool nan, negative;
} sl_placed;

/* Room for the digits of an int64. */
typedef struct sl_placed_room {
    char text[24];
} sl_placed_room;

/* V is a bool, int, float or decimal. */
sl_placed sl_number_place(sl_value v, sl_placed_room *room);

/* Sign of (whole.fraction x 10^exponent - v) for finite v >= 0, by big integers. */
int sl_number_side_slow(const sl_literal *x, double v);

#endif
