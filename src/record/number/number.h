/* number.h: text <-> numbers, by hand where it is exact, by the library otherwise. Never depends on the locale. */
#ifndef SL_RECORD_NUMBER_NUMBER_H
#define SL_RECORD_NUMBER_NUMBER_H

#include "record/value.h"

/* What a text is as a number without losing anything: the evidence that SQLite's column types rest on. */
typedef enum sl_number_kind {
    SL_NOT_NUMBER, /* anything else: 01234, +5, 1_000, 0x1F, NaN, 1e5, "", " 1", 20-digit integers */
    SL_WHOLE,      /* -?(0|[1-9][0-9]*) that fits int64; -0 is not one */
    SL_REAL        /* -?(0|[1-9][0-9]*)\.[0-9]+([eE][+-]?[0-9]+)? whose value a double keeps: at most 15 significant digits, or
                      more when the shortest form of the double has the same digits */
} sl_number_kind;

/* Classifies T; *I or *F gets the value of a whole number or a real. The hot path of loading. */
sl_number_kind sl_number_classify(sl_text t, int64_t *i, double *f);

/* Correctly rounded double of a decimal literal [-+]?digits[.digits][e[+-]digits], where one side of the point may be empty;
 * infinite or zero beyond the range of doubles; false when T is not one. One operation on doubles or on 128-bit integers for up
 * to 19 digits and small exponents, big integers otherwise. */
bool sl_parse_double(sl_text t, double *out);
/* Signed decimal integer that fits, digits only. */
bool sl_parse_int(sl_text t, int64_t *out);

/* Shortest text that reads back as F, in Python's form (1.0, 1e+20, 1e-07, nan, inf). OUT of 32 bytes; returns length. */
uint32_t sl_format_double(double f, char out[32]);
/* Decimal digits of I. OUT of 24 bytes; returns length. */
uint32_t sl_format_int(int64_t i, char out[24]);

/* Length of the well-formed JSON number at the start of S, 0 if there is none; *IS_INT when it has no fraction and exponent. */
size_t sl_json_number(const char *s, size_t n, bool *is_int);
/* Decodes a well-formed JSON number: an integer that fits and is spelled as sl_format_int spells it becomes an int, any other a
 * written decimal that looks at T (value.h). */
sl_value sl_number_decode(sl_text t);
/* What Python's json makes of it: int, decimal when it is an integer beyond int64, else float. Where a float does not keep the
 * number (12345678901234567.89, 1E400) it stays written. */
sl_value sl_number_python(sl_text t);
/* A written decimal of riko's dialect as sl_number_python has it; any other value unchanged. */
static inline sl_value sl_number_computed(sl_value v) {
    return sl_is_written(v) && v.aux == SL_PYTHON_NUMBER ? sl_number_python(sl_bytes(v)) : v;
}
/* A written decimal as the int, float or plain decimal that computes best: the float nearest to it (infinite beyond their range),
 * digits without point and exponent exactly. Any other value unchanged. */
sl_value sl_number_plain(sl_value v);
/* True when a double keeps the value of the literal T: the shortest decimal that reads back as *F, the double nearest to it, has
 * the same digits. */
bool sl_number_keeps(sl_text t, double *f);

/* ---- what the files of the family, decimals and comparison share ----------------------------------------- */

/* What the files behind number.h share. */

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
double sl_number_slow(const char *whole, uint32_t nwhole, const char *fraction, uint32_t nfraction, int32_t exponent);

/* A number as its nearest double and what remains: below 2^53 a double means the digits it shows. Rounding is monotone, so
 * (nearest, side, exact digits) is the order of all numbers of any type, and the digits matter only for what is no double. */
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
