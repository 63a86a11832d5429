/* Dates as people and programs write them. The text is walked once from the left; numbers that are no time of day are gathered
 * as up to three date fields, and which of them is the year, the month and the day is decided at the end. */
#include "record/time.h"

enum { FIELDS = 3, NO_FIELD = -1, UNSET = -1 };

typedef struct reader {
    const char *at, *end;
    int64_t field[FIELDS];
    int nfields, month_at, year_at; /* which field is a month's name, which has more than two digits */
    bool century;                   /* the year was given in full */
    int hour, minute, second, weekday;
    uint32_t micros;
    bool has_zone;
    int zone; /* minutes */
} reader;

/* ---- characters and words ----------------------------------------------------------------------------------------- */

static char peek(const reader *r, int ahead) {
    return r->end - r->at > ahead ? r->at[ahead] : 0;
}

static sl_text take_word(reader *r) {
    const char *from = r->at;
    while (r->at < r->end && sl_ascii_letter(*r->at)) r->at++;
    return sl_text_n(from, (size_t)(r->at - from));
}

/* A run of digits as a number; *DIGITS how many. */
static int64_t take_number(reader *r, int *digits) {
    int64_t v = 0;
    const char *from = r->at;
    while (r->at < r->end && sl_ascii_digit(*r->at)) {
        if (v < INT64_MAX / 100) v = v * 10 + (*r->at - '0');
        r->at++;
    }
    *digits = r->at - from > 100 ? 100 : (int)(r->at - from);
    return v;
}

static void skip_spaces(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) r->at++;
}

/* The number of the name that W is in full or by its first three letters; -1: none. */
static int named(sl_text w, const char *const *names, int n) {
    for (int k = 0; k < n; k++) {
        sl_text name = sl_text_of(names[k]);
        if (sl_text_eq_nocase(w, name) || (w.n == 3 && sl_text_eq_nocase(w, (sl_text){name.s, 3}))) return k;
    }
    return -1;
}

static int month_named(sl_text w) {
    static const char *const names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
    if (sl_text_eq_nocase(w, SL_TEXT("sept"))) return 8;
    return named(w, names, 12);
}

static int weekday_named(sl_text w) {
    static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    return named(w, names, 7);
}

static bool one_of(sl_text w, const char *const *words) {
    for (; *words; words++) {
        if (sl_text_eq_nocase(w, sl_text_of(*words))) return true;
    }
    return false;
}

/* ---- fields ------------------------------------------------------------------------------------------------------- */

static bool put_field(reader *r, int64_t v, int digits) {
    if (r->nfields == FIELDS) return false;
    if (digits > 2 || v > 99) {
        if (r->year_at != NO_FIELD || digits > 4) return false;
        r->year_at = r->nfields;
        r->century = true;
    }
    r->field[r->nfields++] = v;
    return true;
}

static bool put_month(reader *r, int month) {
    if (r->month_at != NO_FIELD || r->nfields == FIELDS) return false;
    r->month_at = r->nfields;
    r->field[r->nfields++] = month + 1;
    return true;
}

/* ---- time of day -------------------------------------------------------------------------------------------------- */

static void take_fraction(reader *r) {
    if ((peek(r, 0) != '.' && peek(r, 0) != ',') || !sl_ascii_digit(peek(r, 1))) return;
    uint32_t unit = 100000;
    r->micros = 0;
    for (r->at++; r->at < r->end && sl_ascii_digit(*r->at); r->at++, unit /= 10)
        r->micros += (uint32_t)(*r->at - '0') * unit;
}

/* The rest of 10:20[:30[.5]] behind its hour. */
static bool take_clock(reader *r, int64_t hour) {
    int digits;
    if (r->hour != UNSET || hour > 24 || !sl_ascii_digit(peek(r, 1))) return false;
    r->at++;
    r->hour = (int)hour;
    r->minute = (int)take_number(r, &digits);
    if (digits > 2) return false;
    r->second = 0;
    if (peek(r, 0) != ':') return true;
    if (!sl_ascii_digit(peek(r, 1))) return false;
    r->at++;
    r->second = (int)take_number(r, &digits);
    take_fraction(r);
    return digits <= 2;
}

static bool put_meridiem(reader *r, bool pm) {
    if (r->hour < 1 || r->hour > 12) return false;
    r->hour = r->hour % 12 + (pm ? 12 : 0);
    return true;
}

/* What a word behind a number says of it: am, pm, a unit, an ordinal ending. */
typedef enum suffix {
    SUFFIX_NONE,
    SUFFIX_AM,
    SUFFIX_PM,
    SUFFIX_HOUR,
    SUFFIX_MINUTE,
    SUFFIX_SECOND,
    SUFFIX_ORDINAL
} suffix;

static suffix suffix_of(sl_text w) {
    static const char *const words[][8] = {[SUFFIX_NONE] = {NULL},
                                           [SUFFIX_AM] = {"am", "a", NULL},
                                           [SUFFIX_PM] = {"pm", "p", NULL},
                                           [SUFFIX_HOUR] = {"h", "hour", "hours", NULL},
                                           [SUFFIX_MINUTE] = {"m", "minute", "minutes", NULL},
                                           [SUFFIX_SECOND] = {"s", "second", "seconds", NULL},
                                           [SUFFIX_ORDINAL] = {"st", "nd", "rd", "th", NULL}};
    for (int k = SUFFIX_AM; k <= SUFFIX_ORDINAL; k++) {
        if (one_of(w, words[k])) return (suffix)k;
    }
    return SUFFIX_NONE;
}

/* Tries to read the word behind the number V as its suffix; *USED tells if it was one. */
static bool take_suffix(reader *r, int64_t v, bool *used) {
    const char *back = r->at;
    skip_spaces(r);
    bool spaced = r->at > back;
    suffix s = suffix_of(take_word(r));
    *used = s != SUFFIX_NONE && !(spaced && s == SUFFIX_ORDINAL);
    if (!*used) {
        r->at = back;
        return true;
    }
    if (s == SUFFIX_ORDINAL) return put_field(r, v, 2);
    if (v > 60) return false;
    if (s == SUFFIX_MINUTE) r->minute = (int)v;
    if (s == SUFFIX_SECOND) r->second = (int)v;
    if (s == SUFFIX_MINUTE || s == SUFFIX_SECOND) return r->hour != UNSET;
    if (r->hour != UNSET) return false;
    r->hour = (int)v;
    return s == SUFFIX_HOUR || put_meridiem(r, s == SUFFIX_PM);
}

/* ---- zones -------------------------------------------------------------------------------------------------------- */

/* +02:00, +0200, +2 */
static bool take_offset(reader *r) {
    bool west = *r->at == '-';
    int digits, more = 0;
    if (!sl_ascii_digit(peek(r, 1))) return false;
    r->at++;
    int64_t v = take_number(r, &digits), minutes = 0;
    if (digits == 4) {
        minutes = v % 100;
        v /= 100;
    } else if (digits > 2) {
        return false;
    } else if (peek(r, 0) == ':') {
        r->at++;
        minutes = take_number(r, &more);
        if (more != 2) return false;
    }
    if (v > 23 || minutes > 59) return false;
    r->zone = (int)(v * 60 + minutes) * (west ? -1 : 1);
    r->has_zone = true;
    return true;
}

typedef struct zone_name {
    const char *name;
    int hours;
} zone_name;

static const zone_name zones[] = {{"z", 0},    {"utc", 0},  {"gmt", 0},  {"ut", 0},
                                  {"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5},
                                  {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}};

/* A zone that is not known leaves the clock as it is, like none. */
static bool take_zone(reader *r, sl_text w) {
    if (r->hour == UNSET || r->has_zone || w.n > 5) return false;
    for (size_t k = 0; k < sizeof zones / sizeof *zones; k++) {
        if (!sl_text_eq_nocase(w, sl_text_of(zones[k].name))) continue;
        r->zone = zones[k].hours * 60;
        r->has_zone = true;
        bool offset = (peek(r, 0) == '+' || peek(r, 0) == '-') && sl_ascii_digit(peek(r, 1));
        return !offset || take_offset(r);
    }
    for (uint32_t k = 0; k < w.n; k++) {
        if (w.s[k] < 'A' || w.s[k] > 'Z') return false;
    }
    return w.n >= 3;
}

/* ---- the walk ----------------------------------------------------------------------------------------------------- */

static int two(const char *p) {
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* YYYYMMDD[hhmm[ss]], YYMMDD, and behind a date hhmm[ss]. */
static bool put_packed(reader *r, const char *p, int digits) {
    if (digits == 6 && !r->nfields)
        return put_field(r, two(p), 2) && put_field(r, two(p + 2), 2) && put_field(r, two(p + 4), 2);
    if (digits == 6 || digits == 4) {
        if (r->hour != UNSET) return false;
        r->hour = two(p);
        r->minute = two(p + 2);
        r->second = digits == 6 ? two(p + 4) : 0;
        take_fraction(r);
        return true;
    }
    if (r->nfields) return false;
    if (!put_field(r, two(p) * 100 + two(p + 2), 4) || !put_field(r, two(p + 4), 2) ||
        !put_field(r, two(p + 6), 2))
        return false;
    if (digits == 8) return true;
    r->hour = two(p + 8);
    r->minute = two(p + 10);
    r->second = digits == 14 ? two(p + 12) : 0;
    return true;
}

static bool is_packed(const reader *r, int digits) {
    if (digits == 8 || digits == 12 || digits == 14) return true;
    return digits == 6 || (digits == 4 && r->nfields == FIELDS);
}

/* 2014-01-02, 2/1/2014, 02.01.14, 2-Jan-2014: the parts behind the first. */
static bool take_parts(reader *r) {
    char separator = *r->at;
    for (int k = 0; k < 2 && peek(r, 0) == separator; k++) {
        if (sl_ascii_digit(peek(r, 1))) {
            int digits;
            r->at++;
            int64_t v = take_number(r, &digits);
            if (!put_field(r, v, digits)) return false;
        } else if (sl_ascii_letter(peek(r, 1))) {
            r->at++;
            int month = month_named(take_word(r));
            if (month < 0 || !put_month(r, month)) return false;
        } else {
            return true;
        }
    }
    return true;
}

static bool take_digits(reader *r) {
    int digits;
    const char *from = r->at;
    int64_t v = take_number(r, &digits);
    char next = peek(r, 0);
    bool separator = next == '-' || next == '/' || next == '.', used;
    if (next == ':') return digits <= 2 && take_clock(r, v);
    if (is_packed(r, digits)) return put_packed(r, from, digits);
    if (r->nfields == FIELDS && r->hour == UNSET && digits == 2 && (next == 0 || sl_ascii_letter(next))) {
        r->hour = (int)v; /* 2014-01-02T10 */
        r->minute = 0;
        return true;
    }
    if (separator && (sl_ascii_digit(peek(r, 1)) || sl_ascii_letter(peek(r, 1))))
        return put_field(r, v, digits) && take_parts(r);
    if (!take_suffix(r, v, &used)) return false;
    return used || put_field(r, v, digits);
}

static bool take_name(reader *r) {
    static const char *const fillers[] = {"at", "on", "and", "ad", "t", "of", "st", "nd", "rd", "th", NULL};
    sl_text w = take_word(r);
    int month = month_named(w), weekday = weekday_named(w);
    if (month >= 0) return put_month(r, month);
    if (weekday >= 0) {
        r->weekday = weekday;
        return true;
    }
    if (sl_text_eq_nocase(w, SL_TEXT("am")) || sl_text_eq_nocase(w, SL_TEXT("pm")))
        return put_meridiem(r, (*w.s | 0x20) == 'p');
    return one_of(w, fillers) || take_zone(r, w);
}

/* (CEST) behind an offset. */
static bool take_comment(reader *r) {
    if (!r->has_zone) return false;
    while (r->at < r->end && *r->at != ')') r->at++;
    if (r->at == r->end) return false;
    r->at++;
    return true;
}

static bool walk(reader *r) {
    while (r->at < r->end) {
        char c = *r->at;
        bool ok = true;
        if (sl_ascii_digit(c))
            ok = take_digits(r);
        else if (sl_ascii_letter(c))
            ok = take_name(r);
        else if ((c == '+' || c == '-') && r->hour != UNSET && !r->has_zone)
            ok = take_offset(r);
        else if (c == '(')
            ok = take_comment(r);
        else if (memchr(" \t\r\n.,;-/'", c, 10))
            r->at++;
        else
            ok = false;
        if (!ok) return false;
    }
    return r->nfields || r->hour != UNSET || r->weekday != UNSET;
}

/* ---- which field is which ----------------------------------------------------------------------------------------- */

/* -1 where a part is missing. */
typedef struct ymd {
    int64_t year, month, day;
} ymd;

static ymd resolve_one(const reader *r) {
    const int64_t *f = r->field;
    ymd d = {UNSET, UNSET, UNSET};
    int64_t other = f[0];
    if (r->month_at != NO_FIELD) {
        d.month = f[r->month_at];
        if (r->nfields == 1) return d;
        other = f[1 - r->month_at];
    }
    if (other > 31 || r->year_at != NO_FIELD)
        d.year = other;
    else
        d.day = other;
    return d;
}

static ymd resolve_two(const reader *r) {
    int64_t a = r->field[0], b = r->field[1];
    if (a > 31 || r->year_at == 0) return (ymd){a, b, UNSET};
    if (b > 31 || r->year_at == 1) return (ymd){b, a, UNSET};
    return a > 12 ? (ymd){UNSET, b, a} : (ymd){UNSET, a, b};
}

static ymd resolve_three(const reader *r) {
    int64_t a = r->field[0], b = r->field[1], c = r->field[2];
    bool first = a > 31 || r->year_at == 0, second = b > 31 || r->year_at == 1;
    switch (r->month_at) {
    case 0: return second ? (ymd){b, a, c} : (ymd){c, a, b};
    case 1: return first ? (ymd){a, b, c} : (ymd){c, b, a};
    case 2: return second ? (ymd){b, c, a} : (ymd){a, c, b};
    default: break;
    }
    if (first) return (ymd){a, b, c};
    return a > 12 ? (ymd){c, b, a} : (ymd){c, a, b};
}

static ymd resolve(const reader *r) {
    if (r->nfields == 0) return (ymd){UNSET, UNSET, UNSET};
    if (r->nfields == 1 || (r->nfields == 2 && r->month_at != NO_FIELD)) return resolve_one(r);
    return r->nfields == 2 ? resolve_two(r) : resolve_three(r);
}

/* A year of two digits is the one within fifty years of now. */
static int64_t full_year(int64_t year, int64_t this_year) {
    year += this_year / 100 * 100;
    if (year >= this_year + 50) return year - 100;
    return year < this_year - 50 ? year + 100 : year;
}

/* The seconds of P, whose day is moved to the month's last where the month is shorter. */
static bool clamped_seconds(sl_parts p, int64_t *out) {
    for (int cut = 0; cut < 4; cut++, p.day--) {
        if (sl_time_seconds(&p, out)) return true;
        if (p.day <= 28) return false;
    }
    return false;
}

static bool finish(const reader *r, int64_t now, int64_t *out) {
    sl_parts today = sl_time_parts(sl_time_make(SL_TIME_DATETIME, now, 0, 0)), p = today;
    ymd d = resolve(r);
    if (d.year != UNSET) p.year = r->century ? d.year : full_year(d.year, today.year);
    if (d.month != UNSET) p.month = (int)d.month;
    if (d.day != UNSET) p.day = (int)d.day;
    p.hour = r->hour == UNSET ? 0 : r->hour;
    p.minute = r->minute;
    p.second = r->second;
    if (!(d.day == UNSET ? clamped_seconds(p, out) : sl_time_seconds(&p, out))) return false;
    if (r->weekday == UNSET || d.day != UNSET) return true;
    int ahead = r->weekday - sl_time_parts(sl_time_make(SL_TIME_DATETIME, *out, 0, 0)).weekday;
    *out += (ahead < 0 ? ahead + 7 : ahead) * 86400;
    return true;
}

/* ---- relative dates ----------------------------------------------------------------------------------------------- */

enum { WORDS = 8 };

static int split_words(sl_text t, sl_text words[WORDS]) {
    int n = 0;
    const char *p = t.s, *end = t.s + t.n;
    while (n < WORDS) {
        const char *space = memchr(p, ' ', (size_t)(end - p));
        words[n++] = sl_text_n(p, (size_t)((space ? space : end) - p));
        if (!space) break;
        p = space + 1;
    }
    return n;
}

static bool add_months(int64_t now, int64_t months, int64_t *out) {
    sl_parts p = sl_time_parts(sl_time_make(SL_TIME_DATETIME, now, 0, 0));
    int64_t all = p.year * 12 + p.month - 1 + months;
    if (all < 12) return false;
    p.year = all / 12;
    p.month = (int)(all % 12) + 1;
    return clamped_seconds(p, out);
}

/* NOW and N units of the one that WORD names in the plural, or in the singular. */
static bool add_units(int64_t now, int64_t n, sl_text word, sl_value *out) {
    static const struct unit {
        const char *name;
        int seconds, months;
        int kind;
    } units[] = {{"seconds", 1, 0, SL_TIME_DATETIME},  {"minutes", 60, 0, SL_TIME_DATETIME},
                 {"hours", 3600, 0, SL_TIME_DATETIME}, {"days", 86400, 0, SL_TIME_DATE},
                 {"weeks", 604800, 0, SL_TIME_DATE},   {"months", 0, 1, SL_TIME_DATE},
                 {"years", 0, 12, SL_TIME_DATE}};
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        sl_text name = sl_text_of(units[k].name);
        if (!sl_text_eq_nocase(word, name) && !sl_text_eq_nocase(word, (sl_text){name.s, name.n - 1}))
            continue;
        int64_t at = now + n * units[k].seconds;
        if (units[k].months && !add_months(now, n * units[k].months, &at)) return false;
        *out = sl_time_make(units[k].kind, at, 0, 0);
        return true;
    }
    return false;
}

/* +3 days */
static bool parse_shift(const sl_text *words, int n, int64_t now, sl_value *out) {
    sl_text number = words[0];
    reader r = {.at = number.s + 1, .end = number.s + number.n};
    int digits;
    if (n != 2 || number.n < 2) return false;
    int64_t count = take_number(&r, &digits);
    if (r.at != r.end || !digits || digits > 9 || words[1].n < 4) return false;
    bool plural = (words[1].s[words[1].n - 1] | 0x20) == 's';
    return plural && add_units(now, *number.s == '-' ? -count : count, words[1], out);
}

/* today, next week */
static bool parse_named(const sl_text *words, int n, int64_t now, sl_value *out) {
    static const char *const days[] = {"yesterday", "today", "tomorrow"};
    if (n == 2 && sl_text_eq_nocase(words[0], SL_TEXT("last")))
        return add_units(now, -1, words[1], out) && out->flags == SL_TIME_DATE;
    if (n == 2 && sl_text_eq_nocase(words[0], SL_TEXT("next")))
        return add_units(now, 1, words[1], out) && out->flags == SL_TIME_DATE;
    if (n != 1) return false;
    for (int k = 0; k < 3; k++) {
        if (sl_text_eq_nocase(words[0], sl_text_of(days[k])))
            return add_units(now, k - 1, SL_TEXT("days"), out);
    }
    return sl_text_eq_nocase(words[0], SL_TEXT("now")) && add_units(now, 0, SL_TEXT("seconds"), out);
}

static bool parse_relative(sl_text t, int64_t now, sl_value *out) {
    sl_text words[WORDS];
    int n = split_words(t, words);
    if (*t.s == '+' || *t.s == '-') return parse_shift(words, n, now, out);
    return parse_named(words, n, now, out);
}

bool sl_time_parse(sl_text t, bool relative, int64_t now, sl_value *out, bool *had_zone) {
    *had_zone = false;
    t = sl_text_trim(t);
    if (!t.n) return false;
    if (relative && parse_relative(t, now, out)) return true;
    reader r = {.at = t.s,
                .end = t.s + t.n,
                .month_at = NO_FIELD,
                .year_at = NO_FIELD,
                .hour = UNSET,
                .weekday = UNSET};
    int64_t seconds;
    if (!walk(&r) || !finish(&r, now, &seconds)) return false;
    *had_zone = r.has_zone;
    *out = sl_time_make(SL_TIME_DATETIME, seconds, r.micros, r.zone);
    return true;
}
