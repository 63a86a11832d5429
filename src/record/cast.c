/* cast.c: casts, by the rules of Python, which the vocabulary comes from. A cast gives null or zero where it cannot convert,
 * because one odd cell must not end a load; only lack of memory and integers beyond 64 bits are errors. */
#include "record/cast.h"

#include <math.h>

#include "base/error.h"
#include "record/decimal/decimal.h"
#include "record/number/number.h"
#include "record/time.h"

const char *const sl_cast_names[] = {"text",     "int", "float",    "decimal", "bool", "date",
                                     "datetime", "url", "location", "pass",    "none", NULL};

bool sl_cast_named(sl_text name, sl_cast *out) {
    for (int k = 0; sl_cast_names[k]; k++) {
        if (!sl_text_is(name, sl_cast_names[k])) continue;
        *out = (sl_cast)k;
        return true;
    }
    return false;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

/* Python's float(): false when V is not a number. */
static bool as_double(sl_value v, double *out) {
    if (v.type == SL_TEXT_TYPE || v.type == SL_DECIMAL) {
        char room[512];
        sl_text t = sl_bytes(v);
        if (!sl_literal_clean(&t, room, sizeof room)) return false;
        if (sl_parse_double(t, out)) return true;
        bool negative = *t.s == '-', sign = negative || *t.s == '+';
        sl_text rest = {t.s + sign, t.n - sign};
        if (sl_text_eq_nocase(rest, SL_TEXT("nan")))
            *out = NAN;
        else if (sl_text_eq_nocase(rest, SL_TEXT("inf")) || sl_text_eq_nocase(rest, SL_TEXT("infinity")))
            *out = negative ? -HUGE_VAL : HUGE_VAL;
        else
            return false;
        return true;
    }
    if (v.type == SL_BOOL)
        *out = v.as.b;
    else if (v.type == SL_INT)
        *out = (double)v.as.i;
    else if (v.type == SL_FLOAT)
        *out = v.as.f;
    else
        return false;
    return true;
}

/* Integers stay exact; everything else goes through a double and is cut toward zero. */
static sl_status cast_int(sl_value v, sl_value *out, sl_error *err) {
    double f;
    int64_t i;
    *out = v;
    if (v.type == SL_INT) return SL_OK;
    bool digits = v.type == SL_TEXT_TYPE || v.type == SL_DECIMAL;
    if (digits && v.n <= 15 && sl_parse_int(sl_bytes(v), &i)) {
        *out = sl_int(i);
        return SL_OK;
    }
    *out = sl_int(0);
    if (!as_double(v, &f) || isnan(f)) return SL_OK;
    if (!(fabs(f) < 9223372036854775808.0))
        return sl_fail(err, SL_E_DATA, "the number is too large for an integer");
    *out = sl_int((int64_t)f);
    return SL_OK;
}

static sl_value cast_float(sl_value v) {
    double f;
    return sl_float(as_double(v, &f) ? f : NAN);
}

/* ---- bool --------------------------------------------------------------------------------------------------------- */

/* The truth of a text that is a literal of Python's: a number, a word, or an empty quoted text or container. Any other text is
 * true unless it is empty. */
static bool literal_truth(sl_text t) {
    static const char *const false_ones[] = {"None", "''", "\"\"", "[]", "{}", "()"};
    double f;
    t = sl_text_trim(t);
    if (!t.n) return true;
    for (size_t k = 0; k < SL_COUNT(false_ones); k++) {
        if (sl_text_is(t, false_ones[k])) return false;
    }
    char room[512];
    return !sl_literal_clean(&t, room, sizeof room) || !sl_parse_double(t, &f) || f != 0;
}

static bool cast_bool(sl_value v) {
    if (v.type != SL_TEXT_TYPE) return sl_truthy(v);
    sl_text t = sl_bytes(v);
    if (sl_text_eq_nocase(t, SL_TEXT("true"))) return true;
    if (!t.n || sl_text_eq_nocase(t, SL_TEXT("false"))) return false;
    return literal_truth(t);
}

/* ---- dates -------------------------------------------------------------------------------------------------------- */

static bool as_time(sl_value v, int64_t now, sl_value *out) {
    bool zoned;
    switch (v.type) {
    case SL_TIME: *out = v; return true;
    case SL_INT: *out = sl_time_make(SL_TIME_DATETIME, v.as.i, 0, 0); return true;
    case SL_TEXT_TYPE: return sl_time_parse(sl_bytes(v), true, now, out, &zoned);
    default: return false;
    }
}

/* Years that a calendar of four digits can show. */
static bool in_calendar(int64_t seconds) {
    return seconds >= INT64_C(-62135596800) && seconds < INT64_C(253402300800);
}

static sl_value cast_time(sl_value v, bool date, int64_t now) {
    sl_value t;
    if (!as_time(v, now, &t) || !in_calendar(t.as.i)) t = sl_time_make(SL_TIME_DATETIME, 0, 0, 0);
    if (date) return sl_time_make(SL_TIME_DATE, t.as.i, 0, 0);
    return sl_time_make(SL_TIME_DATETIME, t.as.i, t.n, t.flags == SL_TIME_DATETIME ? t.aux : 0);
}

/* ---- url ---------------------------------------------------------------------------------------------------------- */

static bool url_safe(char c) {
    bool alnum = sl_ascii_digit(c) || sl_ascii_letter(c);
    return alnum || (c && strchr("-._~%/:=&?#+!$,;'@()*[]", c));
}

static sl_status cast_url(sl_value v, sl_arena *arena, sl_value *out, sl_error *err) {
    static const char hex[] = "0123456789ABCDEF";
    sl_text t;
    TRY(sl_to_text(v, "", arena, &t, err));
    bool bare = sl_text_find(t, SL_TEXT("://"), 0) < 0;
    if (t.n > (UINT32_MAX - 16) / 3) return sl_fail(err, SL_E_MEMORY, "the URL is too long");
    char *s = sl_arena_alloc(arena, 8 + (size_t)t.n * 3), *p = s;
    if (!s) return sl_oom(err);
    if (bare) {
        memcpy(p, "http://", 7);
        p += 7;
    }
    for (uint32_t k = 0; k < t.n; k++) {
        unsigned char c = (unsigned char)t.s[k];
        if (url_safe((char)c)) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '%';
        *p++ = hex[c >> 4];
        *p++ = hex[c & 15];
    }
    *out = sl_text_value(sl_text_n(s, (size_t)(p - s)));
    return SL_OK;
}

/* ---- places ------------------------------------------------------------------------------------------------------- */

sl_status sl_place_make(double lat, double lon, sl_arena *arena, sl_value *out, sl_error *err) {
    static const char *const parts[][2] = {
        {"country", "United States"}, {"admin1", "state"}, {"admin2", "county"},
        {"admin3", "city"},           {"city", "city"},    {"street", "street"},
        {"postal", "61605"}};
    uint32_t n = 0;
    sl_pair *pairs = sl_arena_alloc(arena, (SL_COUNT(parts) + 2) * sizeof *pairs);
    if (!pairs) return sl_oom(err);
    pairs[n++] = (sl_pair){SL_TEXT("lat"), sl_float(lat)};
    pairs[n++] = (sl_pair){SL_TEXT("lon"), sl_float(lon)};
    for (size_t i = 0; i < SL_COUNT(parts); i++)
        pairs[n++] = (sl_pair){sl_text_of(parts[i][0]), sl_text_value(sl_text_of(parts[i][1]))};
    *out = sl_map(pairs, n);
    return SL_OK;
}

/* ---- dispatch ----------------------------------------------------------------------------------------------------- */

static sl_status cast_text(sl_value v, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_text t;
    TRY(sl_to_text(v, "", arena, &t, err));
    *out = sl_text_value(t);
    return SL_OK;
}

sl_status sl_cast_value(sl_cast to, sl_value v, int64_t now, sl_arena *arena, sl_value *out, sl_error *err) {
    switch (to) {
    case SL_CAST_TEXT: return cast_text(v, arena, out, err);
    case SL_CAST_INT: return cast_int(v, out, err);
    case SL_CAST_FLOAT: *out = cast_float(v); return SL_OK;
    case SL_CAST_DECIMAL: return sl_decimal_from(v, arena, out, err);
    case SL_CAST_BOOL: *out = sl_bool(cast_bool(v)); return SL_OK;
    case SL_CAST_DATE: *out = cast_time(v, true, now); return SL_OK;
    case SL_CAST_DATETIME: *out = cast_time(v, false, now); return SL_OK;
    case SL_CAST_URL:
        *out = sl_text_value(SL_TEXT(""));
        return sl_is_absent(v) ? SL_OK : cast_url(v, arena, out, err);
    case SL_CAST_LOCATION:
        *out = sl_map(NULL, 0);
        return sl_is_absent(v) ? SL_OK : sl_place_make(0, 0, arena, out, err);
    case SL_CAST_PASS: *out = sl_is_absent(v) ? sl_null() : v; return SL_OK;
    case SL_CAST_NONE: *out = sl_null(); return SL_OK;
    }
    return sl_fail(err, SL_E_INTERNAL, "there is no cast number %d", (int)to);
}
