/* number.h: text <-> numbers, by hand where it is exact, by the library otherwise. Never depends on the locale. */
#ifndef SL_RECORD_NUMBER_H
#define SL_RECORD_NUMBER_H

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

/* Length of the well-formed JSON number at the start of S, 0 if none; *IS_INT when it has no fraction and exponent. */
size_t sl_json_number(const char *s, size_t n, bool *is_int);
/* Decodes a well-formed JSON number: an integer that fits and is spelled as sl_format_int spells it becomes an int, any other a
 * written decimal that looks at T (value.h). */
sl_value sl_number_decode(sl_text t);
/* What Python's json makes of it: int, decimal when it is an integer beyond int64, else float. Where a float does not keep the number
 * (12345678901234567.89, 1E400) it stays written. */
sl_value sl_number_python(sl_text t);
/* A written decimal of riko's dialect as sl_number_python has it; any other value unchanged. */
static inline sl_value sl_number_computed(sl_value v) {
    return sl_is_written(v) && v.aux == SL_PYTHON_NUMBER ? sl_number_python(sl_bytes(v)) : v;
}
/* A written decimal as the int, float or plain decimal that computes best: the float nearest to it (infinite beyond their range), digits without
 * point and exponent exactly. Any other value unchanged. */
sl_value sl_number_plain(sl_value v);
/* True when a double keeps the value of the literal T: the shortest decimal that reads back as *F, the double nearest to it, has the same
 * digits. */
bool sl_number_keeps(sl_text t, double *f);

#endif
