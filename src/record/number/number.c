/* number.c: reads numbers. Most numbers of a table have a few digits, so the common cases are done in integer registers, where
 * the result can be proved exact; the library reads the rest. A cell of at most eight bytes is classified as one word, without
 * a loop over its digits. */
#include "record/number/number.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    EXPONENT_CAP = 1000000000,
    WORD_DIGITS = SL_WORD_DIGITS,
    EXACT_DIGITS = 15,
    EXACT_POWER = SL_EXACT_POWER
};

const double sl_exact_powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t int_powers[WORD_DIGITS + 1] = {1u,
                                                     10u,
                                                     100u,
                                                     1000u,
                                                     10000u,
                                                     100000u,
                                                     1000000u,
                                                     10000000u,
                                                     100000000u,
                                                     1000000000u,
                                                     10000000000u,
                                                     100000000000u,
                                                     1000000000000u,
                                                     10000000000000u,
                                                     100000000000000u,
                                                     1000000000000000u,
                                                     10000000000000000u,
                                                     100000000000000000u,
                                                     1000000000000000000u,
                                                     10000000000000000000u};

/* Digits from P on, added to VALUE (which wraps beyond 19 of them). */
static inline const char *take_digits(const char *p, const char *end, uint64_t *value) {
    uint64_t v = *value;
    for (; p < end && sl_ascii_digit(*p); p++) v = v * 10 + (uint64_t)(*p - '0');
    *value = v;
    return p;
}

static const char *take_exponent(const char *p, const char *end, sl_literal *x) {
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    int32_t e = 0;
    const char *first = p;
    for (; p < end && sl_ascii_digit(*p); p++) {
        if (e < EXPONENT_CAP / 10) e = e * 10 + (*p - '0');
    }
    x->exponent = negative ? -e : e;
    x->scaled = true;
    return p > first ? p : NULL;
}

/* [-+]?digits[.digits][e[+-]digits], where one side of the point may be empty. The whole of T must be it. */
static inline bool scan(sl_text t, sl_literal *x) {
    const char *p = t.s, *end = t.s + t.n;
    *x = (sl_literal){0};
    if (p == end) return false;
    x->negative = *p == '-';
    x->plus = *p == '+';
    p += x->negative || x->plus;
    x->whole = p;
    p = take_digits(p, end, &x->digits);
    x->nwhole = (uint32_t)(p - x->whole);
    if (p < end && *p == '.') {
        x->point = true;
        x->fraction = ++p;
        p = take_digits(p, end, &x->digits);
        x->nfraction = (uint32_t)(p - x->fraction);
    }
    if (x->nwhole + x->nfraction == 0) return false;
    if (p < end && (*p | 0x20) == 'e') p = take_exponent(p + 1, end, x);
    return p == end;
}

/* Where both digits and power of ten are exact doubles, one operation rounds correctly (Clinger's case). */
static inline bool exact_small(uint64_t digits, int64_t power, double *out) {
    if (digits > (UINT64_C(1) << 53) || power < -EXACT_POWER || power > EXACT_POWER) return false;
    *out = power < 0 ? (double)digits / sl_exact_powers[-power] : (double)digits * sl_exact_powers[power];
    return true;
}

/* The same with 128-bit integers: one correctly rounded conversion of an exact product, or of a quotient of at least
 * 64 bits whose lowest bit also stands for the remainder. */
static bool exact_wide(uint64_t digits, int64_t power, double *out) {
    if (!digits || power < -WORD_DIGITS || power > WORD_DIGITS) return false;
    if (power >= 0) {
        *out = (double)((sl_u128)digits * int_powers[power]);
        return true;
    }
    int shift = __builtin_clzll(digits) + 64;
    sl_u128 n = (sl_u128)digits << shift, q = n / int_powers[-power];
    if (n % int_powers[-power]) q |= 1;
    *out = ldexp((double)q, -shift);
    return true;
}

bool sl_literal_scan(sl_text t, sl_literal *x) {
    return scan(t, x);
}

/* White space around is allowed, and _ between two digits. */
bool sl_literal_clean(sl_text *t, char *room, size_t size) {
    *t = sl_text_trim(*t);
    if (!t->n) return false;
    if (!memchr(t->s, '_', t->n)) return true;
    if (t->n > size) return false;
    uint32_t n = 0;
    for (uint32_t k = 0; k < t->n; k++) {
        if (t->s[k] != '_')
            room[n++] = t->s[k];
        else if (!k || k + 1 == t->n || !sl_ascii_digit(t->s[k - 1]) || !sl_ascii_digit(t->s[k + 1]))
            return false;
    }
    *t = (sl_text){room, n};
    return true;
}

bool sl_digits_value(uint64_t digits, int64_t power, double *out) {
    return exact_small(digits, power, out) || exact_wide(digits, power, out);
}

double sl_literal_value(const sl_literal *x) {
    double v = 0;
    int64_t power = (int64_t)x->exponent - x->nfraction;
    bool word = (uint64_t)x->nwhole + x->nfraction <= WORD_DIGITS;
    if (!word || !sl_digits_value(x->digits, power, &v))
        v = sl_number_slow(x->whole, x->nwhole, x->fraction, x->nfraction, x->exponent);
    return x->negative ? -v : v;
}

bool sl_parse_double(sl_text t, double *out) {
    sl_literal x;
    if (!scan(t, &x)) return false;
    *out = sl_literal_value(&x);
    return true;
}

bool sl_parse_int(sl_text t, int64_t *out) {
    sl_literal x;
    if (!scan(t, &x) || x.point || x.scaled) return false;
    while (x.nwhole > 1 && *x.whole == '0') x.whole++, x.nwhole--;
    uint64_t most = (uint64_t)INT64_MAX + x.negative;
    if (x.nwhole > WORD_DIGITS || x.digits > most) return false;
    *out = x.negative ? (int64_t)(0 - x.digits) : (int64_t)x.digits;
    return true;
}

static sl_number_kind classify_whole(const sl_literal *x, int64_t *i) {
    if (x->scaled || x->nwhole > WORD_DIGITS || x->digits > (uint64_t)INT64_MAX + x->negative)
        return SL_NOT_NUMBER;
    if (x->negative && !x->digits) return SL_NOT_NUMBER;
    *i = x->negative ? (int64_t)(0 - x->digits) : (int64_t)x->digits;
    return SL_WHOLE;
}

/* True when the significant digits of X and their place are those of the shortest form of V. */
static bool same_digits(const sl_literal *x, double v) {
    sl_shortest s = sl_shortest_digits(fabs(v));
    char digits[EXACT_DIGITS + 4];
    uint32_t n = 0, zeros = 0, seen = 0, all = x->nwhole + x->nfraction;
    int64_t point = (int64_t)x->nwhole + x->exponent;
    for (uint32_t k = 0; k < all; k++) {
        char c = k < x->nwhole ? x->whole[k] : x->fraction[k - x->nwhole];
        if (c == '0') {
            if (n)
                zeros++;
            else
                seen++;
            continue;
        }
        if (n + zeros >= sizeof digits) return false;
        for (; zeros; zeros--) digits[n++] = '0';
        digits[n++] = c;
    }
    if (n == 0) return v == 0;
    return n == s.n && point - seen == s.point && memcmp(digits, s.digits, n) == 0;
}

/* Decimals of at most 15 digits are distinct doubles, where these have their full precision. */
bool sl_literal_keeps(const sl_literal *x, double v) {
    bool few = (uint64_t)x->nwhole + x->nfraction <= EXACT_DIGITS;
    return (few && v >= DBL_MIN) || same_digits(x, v);
}

static sl_number_kind classify_real(const sl_literal *x, double *f) {
    int64_t power = (int64_t)x->exponent - x->nfraction;
    if (SL_LIKELY(x->nwhole + x->nfraction <= WORD_DIGITS && x->digits < int_powers[EXACT_DIGITS])) {
        if (SL_LIKELY(exact_small(x->digits, power, f))) {
            if (x->negative) *f = -*f;
            return SL_REAL;
        }
    }
    *f = sl_literal_value(x);
    if (isinf(*f)) return SL_NOT_NUMBER;
    return same_digits(x, *f) ? SL_REAL : SL_NOT_NUMBER;
}

/* ---- cells of at most eight bytes, all at once -------------------------------------------------------------------- */

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

static inline uint64_t load_4(const char *p) {
    const unsigned char *b = (const unsigned char *)p;
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24;
}

/* The N bytes at P (1 to 8) as a word with the last in its highest byte, and '0' before the first. */
static inline uint64_t load_right(const char *p, uint32_t n) {
    uint64_t w;
    if (n >= 4) {
        w = load_4(p) | load_4(p + n - 4) << (8 * (n - 4));
    } else {
        const unsigned char *b = (const unsigned char *)p;
        w = (uint64_t)b[0] | (uint64_t)b[n / 2] << (8 * (n / 2)) | (uint64_t)b[n - 1] << (8 * (n - 1));
    }
    return n == 8 ? w : w << (64 - 8 * n) | EACH_BYTE('0') >> (8 * n);
}

/* High bits of the bytes that are no digits. */
static inline uint64_t not_digits(uint64_t w) {
    uint64_t t = w ^ EACH_BYTE('0');
    return (((t & EACH_BYTE(0x7fu)) + EACH_BYTE(0x76u)) | t) & EACH_BYTE(0x80u);
}

/* Eight digits, the first in the lowest byte: pairs, then fours, then all. */
static inline uint32_t eight_digits(uint64_t w) {
    w = (w & EACH_BYTE(15u)) * 2561 >> 8;
    w = (w & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    return (uint32_t)((w & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32);
}

/* SHORT_REST: the general reader has to look. */
enum { SHORT_REST = -1 };

static inline int classify_short(const char *p, uint32_t n, bool negative, int64_t *i, double *f) {
    uint64_t w = load_right(p, n), odd = not_digits(w);
    bool zero = *p == '0';
    if (!odd) {
        uint32_t v = eight_digits(w);
        *i = negative ? -(int64_t)v : (int64_t)v;
        return (zero && n > 1) || (negative && !v) ? SL_NOT_NUMBER : SL_WHOLE;
    }
    uint32_t at = (uint32_t)__builtin_ctzll(odd) / 8, whole = at - (8 - n);
    if ((odd & (odd - 1)) || (w >> (8 * at) & 0xff) != '.') return SHORT_REST;
    if (!whole || at == 7 || (zero && whole > 1)) return SL_NOT_NUMBER;
    uint64_t before = (UINT64_C(1) << (8 * at)) - 1; /* the digits before the point move into its place */
    double v = eight_digits((w & ~(before << 8 | 0xff)) | (w & before) << 8 | '0') / sl_exact_powers[7 - at];
    *f = negative ? -v : v;
    return SL_REAL;
}

sl_number_kind sl_number_classify(sl_text t, int64_t *i, double *f) {
    sl_literal x;
    if (!t.n || (!sl_ascii_digit(*t.s) && *t.s != '-')) return SL_NOT_NUMBER;
    uint32_t sign = *t.s == '-', n = t.n - sign;
    if (SL_LIKELY(n - 1 < 8)) {
        int kind = classify_short(t.s + sign, n, sign, i, f);
        if (SL_LIKELY(kind != SHORT_REST)) return (sl_number_kind)kind;
    }
    if (!scan(t, &x) || !x.nwhole || (x.nwhole > 1 && *x.whole == '0')) return SL_NOT_NUMBER;
    if (!x.point) return classify_whole(&x, i);
    return x.nfraction ? classify_real(&x, f) : SL_NOT_NUMBER;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static size_t count_digits(const char *s, size_t n, size_t from) {
    size_t k = from;
    while (k < n && sl_ascii_digit(s[k])) k++;
    return k - from;
}

size_t sl_json_number(const char *s, size_t n, bool *is_int) {
    size_t k = n && *s == '-', digits = count_digits(s, n, k);
    if (!digits || (digits > 1 && s[k] == '0')) return 0;
    k += digits;
    *is_int = true;
    if (k < n && s[k] == '.') {
        digits = count_digits(s, n, k + 1);
        if (!digits) return 0;
        k += 1 + digits;
        *is_int = false;
    }
    if (k < n && (s[k] | 0x20) == 'e') {
        size_t sign = k + 1 < n && (s[k + 1] == '+' || s[k + 1] == '-');
        digits = count_digits(s, n, k + 1 + sign);
        if (!digits) return 0;
        k += 1 + sign + digits;
        *is_int = false;
    }
    return k;
}

/* -0 alone is spelled like an integer and none. */
static bool is_minus_zero(sl_text t) {
    return t.n == 2 && t.s[0] == '-' && t.s[1] == '0';
}

sl_value sl_number_decode(sl_text t) {
    int64_t i;
    if (!sl_parse_int(t, &i) || is_minus_zero(t)) return sl_written_value(t);
    return sl_int(i);
}

bool sl_number_keeps(sl_text t, double *f) {
    sl_literal x;
    if (!scan(t, &x)) return false;
    *f = sl_literal_value(&x);
    return isfinite(*f) && sl_literal_keeps(&x, fabs(*f));
}

sl_value sl_number_plain(sl_value v) {
    sl_literal x;
    int64_t i;
    if (!sl_is_written(v) || !scan(sl_bytes(v), &x)) return v;
    if (x.point || x.scaled) return sl_float(sl_literal_value(&x));
    return sl_parse_int(sl_bytes(v), &i) ? sl_int(i) : sl_decimal_value(sl_bytes(v));
}

sl_value sl_number_python(sl_text t) {
    sl_value written = sl_written_value(t), plain = sl_number_plain(written);
    double f;
    return plain.type != SL_FLOAT || sl_number_keeps(t, &f) ? plain : written;
}
