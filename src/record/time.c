/* time.c: the calendar, and texts made of dates. All is computed from day numbers, without the time functions of the C library,
 * which depend on locale, time zone and the range of time_t. */
#include "record/time.h"

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar, counted in eras of 400 years that begin in March. */
static int64_t days_from_civil(int64_t year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_from_days(int64_t days, sl_parts *p) {
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
    p->day = (int)(of_year - (153 * m + 2) / 5 + 1);
    p->month = (int)(m < 10 ? m + 3 : m - 9);
    p->year = year + era * 400 + (p->month <= 2);
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

sl_parts sl_time_parts(sl_value t) {
    int64_t days = floor_div(t.as.i, 86400), rest = t.as.i - days * 86400;
    sl_parts p = {.hour = (int)(rest / 3600), .minute = (int)(rest / 60 % 60), .second = (int)(rest % 60)};
    civil_from_days(days, &p);
    int64_t weekday = (days + 3) % 7;
    p.weekday = (int)(weekday < 0 ? weekday + 7 : weekday);
    p.yearday = (int)(days - days_from_civil(p.year, 1, 1) + 1);
    return p;
}

bool sl_time_seconds(const sl_parts *p, int64_t *out) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (p->year < 1 || p->year > 9999 || p->month < 1 || p->month > 12 || p->day < 1) return false;
    bool leap = p->year % 4 == 0 && (p->year % 100 != 0 || p->year % 400 == 0);
    if (p->day > lengths[p->month - 1] + (leap && p->month == 2)) return false;
    if (p->hour < 0 || p->hour > 23 || p->minute < 0 || p->minute > 59 || p->second < 0 || p->second > 59)
        return false;
    *out = days_from_civil(p->year, p->month, p->day) * 86400 + p->hour * 3600 + p->minute * 60 + p->second;
    return true;
}

sl_value sl_time_make(int kind, int64_t seconds, uint32_t micros, int offset_minutes) {
    if (kind == SL_TIME_DATE) {
        seconds = floor_div(seconds, 86400) * 86400;
        micros = 0;
        offset_minutes = 0;
    }
    return (sl_value){.type = SL_TIME,
                      .flags = (uint8_t)kind,
                      .aux = (int16_t)offset_minutes,
                      .n = micros,
                      .as.i = seconds};
}

static int64_t instant(sl_value t) {
    return t.as.i - (t.flags == SL_TIME_DATETIME ? (int64_t)t.aux * 60 : 0);
}

int sl_time_compare(sl_value a, sl_value b) {
    int64_t x = instant(a), y = instant(b);
    if (x != y) return x < y ? -1 : 1;
    return (a.n > b.n) - (a.n < b.n);
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static void put_offset(int minutes, bool colon, sl_buf *out) {
    int size = minutes < 0 ? -minutes : minutes;
    sl_buf_printf(out, "%c%02d%s%02d", minutes < 0 ? '-' : '+', size / 60, colon ? ":" : "", size % 60);
}

void sl_time_iso(sl_value t, sl_buf *out) {
    sl_parts p = sl_time_parts(t);
    sl_buf_printf(out, "%04lld-%02d-%02d", (long long)p.year, p.month, p.day);
    if (t.flags == SL_TIME_DATE) return;
    sl_buf_printf(out, "T%02d:%02d:%02d", p.hour, p.minute, p.second);
    if (t.n) sl_buf_printf(out, ".%06u", t.n);
    if (t.flags == SL_TIME_DATETIME) put_offset(t.aux, true, out);
}

static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday"};
static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

/* ISO 8601 week and its year: the week belongs to the year of its Thursday. */
static int iso_week(const sl_parts *p, int64_t *year) {
    int64_t thursday = days_from_civil(p->year, p->month, p->day) - p->weekday + 3;
    sl_parts t = {0};
    civil_from_days(thursday, &t);
    *year = t.year;
    return (int)((thursday - days_from_civil(t.year, 1, 1)) / 7 + 1);
}

static int hour12(const sl_parts *p) {
    return p->hour % 12 ? p->hour % 12 : 12;
}

/* Conversions that stand for others. */
static const char *compound(char c) {
    switch (c) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x': return "%m/%d/%y";
    case 'F': return "%Y-%m-%d";
    case 'R': return "%H:%M";
    case 'r': return "%I:%M:%S %p";
    case 'T':
    case 'X': return "%H:%M:%S";
    default: return NULL;
    }
}

static bool put_name(char c, const sl_parts *p, sl_buf *out) {
    switch (c) {
    case 'a': sl_buf_add(out, weekdays[p->weekday], 3); return true;
    case 'A': sl_buf_str(out, weekdays[p->weekday]); return true;
    case 'b':
    case 'h': sl_buf_add(out, months[p->month - 1], 3); return true;
    case 'B': sl_buf_str(out, months[p->month - 1]); return true;
    case 'p': sl_buf_str(out, p->hour < 12 ? "AM" : "PM"); return true;
    case 'P': sl_buf_str(out, p->hour < 12 ? "am" : "pm"); return true;
    case 'n': sl_buf_byte(out, '\n'); return true;
    case 't': sl_buf_byte(out, '\t'); return true;
    case '%': sl_buf_byte(out, '%'); return true;
    default: return false;
    }
}

static bool put_clock(char c, const sl_parts *p, sl_buf *out) {
    switch (c) {
    case 'H': sl_buf_printf(out, "%02d", p->hour); return true;
    case 'I': sl_buf_printf(out, "%02d", hour12(p)); return true;
    case 'k': sl_buf_printf(out, "%2d", p->hour); return true;
    case 'l': sl_buf_printf(out, "%2d", hour12(p)); return true;
    case 'M': sl_buf_printf(out, "%02d", p->minute); return true;
    case 'S': sl_buf_printf(out, "%02d", p->second); return true;
    default: return false;
    }
}

static bool put_calendar(char c, const sl_parts *p, sl_buf *out) {
    int64_t year = p->year;
    switch (c) {
    case 'Y': sl_buf_printf(out, "%lld", (long long)year); return true;
    case 'C': sl_buf_printf(out, "%02d", (int)(year / 100)); return true;
    case 'y': sl_buf_printf(out, "%02d", (int)(year % 100)); return true;
    case 'm': sl_buf_printf(out, "%02d", p->month); return true;
    case 'd': sl_buf_printf(out, "%02d", p->day); return true;
    case 'e': sl_buf_printf(out, "%2d", p->day); return true;
    case 'j': sl_buf_printf(out, "%03d", p->yearday); return true;
    case 'u': sl_buf_printf(out, "%d", p->weekday + 1); return true;
    case 'w': sl_buf_printf(out, "%d", (p->weekday + 1) % 7); return true;
    case 'U': sl_buf_printf(out, "%02d", (p->yearday - 1 + 7 - (p->weekday + 1) % 7) / 7); return true;
    case 'W': sl_buf_printf(out, "%02d", (p->yearday - 1 + 7 - p->weekday) / 7); return true;
    case 'V': sl_buf_printf(out, "%02d", iso_week(p, &year)); return true;
    case 'G':
        iso_week(p, &year);
        sl_buf_printf(out, "%lld", (long long)year);
        return true;
    case 'g':
        iso_week(p, &year);
        sl_buf_printf(out, "%02d", (int)(year % 100));
        return true;
    default: return false;
    }
}

/* What depends on the instant or the zone. */
static bool put_zone(char c, sl_value t, sl_buf *out) {
    bool zoned = t.flags == SL_TIME_DATETIME;
    switch (c) {
    case 's': sl_buf_printf(out, "%lld", (long long)instant(t)); return true;
    case 'f': sl_buf_printf(out, "%06u", t.n); return true;
    case 'z':
        if (zoned) put_offset(t.aux, false, out);
        return true;
    case 'Z':
        if (zoned) sl_buf_str(out, "UTC");
        if (zoned && t.aux) put_offset(t.aux, true, out);
        return true;
    default: return false;
    }
}

static void put_conversion(char c, sl_value t, const sl_parts *p, sl_buf *out) {
    const char *parts = compound(c);
    if (parts) {
        sl_time_format(t, sl_text_of(parts), out);
        return;
    }
    if (put_name(c, p, out) || put_clock(c, p, out) || put_calendar(c, p, out) || put_zone(c, t, out)) return;
    sl_buf_byte(out, '%');
    sl_buf_byte(out, c);
}

void sl_time_format(sl_value t, sl_text format, sl_buf *out) {
    sl_parts p = sl_time_parts(t);
    for (uint32_t k = 0; k < format.n; k++) {
        if (format.s[k] == '%' && k + 1 < format.n)
            put_conversion(format.s[++k], t, &p, out);
        else
            sl_buf_byte(out, format.s[k]);
    }
}
