/* Numbers to text. Most doubles of real data are short decimals, for which one multiplication, one division and a comparison
 * find the digits; the others ask the C library for 16 and 17 digits, of which only the digits are used: its decimal point
 * depends on the locale. */
#include "record/number/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                            "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

/* Digits of V right-aligned before END; returns the first. */
static char *digits_before(uint64_t v, char *end) {
    while (v >= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * v, 2);
    } else {
        *--end = (char)('0' + v);
    }
    return end;
}

static uint32_t put_unsigned(uint64_t v, char *out) {
    char digits[20], *end = digits + sizeof digits, *first = digits_before(v, end);
    uint32_t n = (uint32_t)(end - first);
    memcpy(out, first, n);
    return n;
}

uint32_t sl_format_int(int64_t i, char out[24]) {
    uint64_t v = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    if (i < 0) *out = '-';
    return put_unsigned(v, out + (i < 0)) + (i < 0);
}

static void trim_zeros(sl_shortest *s) {
    while (s->n && s->digits[s->n - 1] == '0') s->n--;
}

static bool in_short_range(double v) {
    return v >= 1e-4 && v < 1e15;
}

/* Digits before the point; zeros behind it, negative, below 0.1. */
static int point_of(double v) {
    if (v < 1) return v >= 1e-1 ? 0 : v >= 1e-2 ? -1 : v >= 1e-3 ? -2 : -3;
    int point = 1;
    while (v >= sl_exact_powers[point]) point++;
    return point;
}

/* Decimals of at most 15 digits between 1e-4 and 1e15: distinct ones are distinct doubles, so the one that reads back is the
 * shortest form. It reads back exactly when the division, which is correctly rounded, gives V. */
static bool short_decimal(double v, sl_shortest *s) {
    if (!in_short_range(v)) return false;
    int point = point_of(v);
    double scale = sl_exact_powers[15 - point], whole = nearbyint(v * scale);
    if (whole >= 1e15 || whole / scale != v) return false;
    s->n = put_unsigned((uint64_t)whole, s->digits);
    s->point = point + (int)s->n - 15;
    trim_zeros(s);
    return true;
}

/* V of the short range correctly rounded to N (16 or 17) digits: mantissa x 10^k is below 2^122, and the binary point lies in it. */
static void wide_digits(double v, int n, sl_shortest *s) {
    int e, point = point_of(v);
    uint64_t mantissa = (uint64_t)ldexp(frexp(v, &e), 53);
    sl_u128 scaled = mantissa;
    for (int k = point; k < n; k++) scaled *= 10;
    int shift = 53 - e;
    sl_u128 half = (sl_u128)1 << (shift - 1), rest = scaled & ((half << 1) - 1);
    uint64_t q = (uint64_t)(scaled >> shift);
    if (rest > half || (rest == half && (q & 1))) q++;
    s->n = put_unsigned(q, s->digits);
    s->point = point + (int)s->n - n;
    trim_zeros(s);
}

/* V correctly rounded to N significant digits. */
static void rounded_digits(double v, int n, sl_shortest *s) {
    if (in_short_range(v) && n >= 16) {
        wide_digits(v, n, s);
        return;
    }
    char text[64];
    int length = snprintf(text, sizeof text, "%.*e", n - 1, v);
    const char *p = text, *end = text + (length > 0 ? length : 0);
    s->n = 0;
    for (; p < end && *p != 'e'; p++) {
        if (sl_ascii_digit(*p)) s->digits[s->n++] = *p;
    }
    s->point = (p < end ? atoi(p + 1) : 0) + 1;
    trim_zeros(s);
}

static bool reads_back(const sl_shortest *s, double v) {
    uint64_t digits = 0;
    double back;
    for (uint32_t k = 0; k < s->n; k++) digits = digits * 10 + (uint64_t)(s->digits[k] - '0');
    if (sl_digits_value(digits, s->point - (int)s->n, &back)) return back == v;
    return sl_number_slow(s->digits, s->n, NULL, 0, s->point - (int)s->n) == v;
}

/* The next decimal of 16 digits above S. Below a power of two doubles lie twice as dense as above it, so that the decimal
 * nearest to it may read back as another double where the one above it does not. */
static void next_up(sl_shortest *s) {
    while (s->n < 16) s->digits[s->n++] = '0';
    uint32_t k = 15;
    for (; k > 0 && s->digits[k] == '9'; k--) s->digits[k] = '0';
    s->digits[k]++;
    trim_zeros(s);
}

sl_shortest sl_shortest_digits(double v) {
    sl_shortest s = {.n = 0};
    if (v == 0 || short_decimal(v, &s)) return s;
    for (int n = v < DBL_MIN ? 1 : in_short_range(v) ? 16 : 15; n < 17; n++) {
        rounded_digits(v, n, &s);
        if (reads_back(&s, v)) return s;
    }
    next_up(&s);
    if (s.digits[0] <= '9' && reads_back(&s, v)) return s;
    rounded_digits(v, 17, &s);
    return s;
}

static char *put_fixed(const sl_shortest *s, char *p) {
    int point = s->point;
    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (; point < 0; point++) *p++ = '0';
        memcpy(p, s->digits, s->n);
        return p + s->n;
    }
    uint32_t whole = (uint32_t)point;
    for (uint32_t k = 0; k < whole; k++) *p++ = k < s->n ? s->digits[k] : '0';
    *p++ = '.';
    if (whole >= s->n) *p++ = '0';
    for (uint32_t k = whole; k < s->n; k++) *p++ = s->digits[k];
    return p;
}

static char *put_scientific(const sl_shortest *s, char *p) {
    int e = s->point - 1;
    *p++ = s->digits[0];
    if (s->n > 1) {
        *p++ = '.';
        memcpy(p, s->digits + 1, s->n - 1);
        p += s->n - 1;
    }
    *p++ = 'e';
    *p++ = e < 0 ? '-' : '+';
    unsigned size = (unsigned)abs(e);
    if (size < 10) *p++ = '0';
    return p + put_unsigned(size, p);
}

static uint32_t put_word(char *out, const char *word) {
    size_t n = strlen(word);
    memcpy(out, word, n);
    return (uint32_t)n;
}

uint32_t sl_format_double(double f, char out[32]) {
    if (isnan(f)) return put_word(out, "nan");
    if (isinf(f)) return put_word(out, f < 0 ? "-inf" : "inf");
    char *p = out;
    if (signbit(f)) *p++ = '-';
    double v = fabs(f);
    if (v < 1e15 && v == (double)(uint64_t)v) {
        p += put_unsigned((uint64_t)v, p);
        p += put_word(p, ".0");
        return (uint32_t)(p - out);
    }
    sl_shortest s = sl_shortest_digits(v);
    p = s.point > -4 && s.point <= 16 ? put_fixed(&s, p) : put_scientific(&s, p);
    return (uint32_t)(p - out);
}
