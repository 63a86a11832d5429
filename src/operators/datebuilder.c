/* datebuilder: a text as a broken-down time. */
#include "base/error.h"
#include "base/unicode.h"
#include "plan/pipe.h"
#include "record/number/number.h"
#include "record/time.h"

typedef struct conf {
    int64_t now; /* filled by prepare */
} conf;

enum { DAY = 86400, FIRST_YEAR = 1, LAST_YEAR = 9999 };

static sl_status no_date(sl_text t, const char *why, sl_error *err) {
    int shown = t.n < 60 ? (int)t.n : 60;
    return sl_fail(err, SL_E_DATA, "'%.*s' %s", shown, t.n ? t.s : "", why);
}

/* N in "N UNIT" or "N UNITs"; false when T is something else. */
static bool read_shift(sl_text t, sl_text unit, int64_t *n) {
    int64_t space = sl_text_find(t, SL_TEXT(" "), 0);
    if (space < 1) return false;
    sl_text number = {t.s, (uint32_t)space}, word = {t.s + space + 1, t.n - (uint32_t)space - 1};
    if (word.n == unit.n + 1 && word.s[unit.n] == 's') word.n--;
    if (*number.s == '+') number = (sl_text){number.s + 1, number.n - 1};
    return sl_text_eq(word, unit) && sl_parse_int(number, n);
}

/* The 29th of February becomes the 28th in years that have none. False beyond the years there are. */
static bool in_years(int64_t now, int64_t years, int64_t *out) {
    sl_parts p = sl_time_parts(sl_time_make(SL_TIME_PARTS, now, 0, 0));
    p.year += years;
    if (sl_time_seconds(&p, out)) return true;
    p.day = 28;
    return sl_time_seconds(&p, out);
}

/* Days and years from now, and their names; false when T is not one of them. */
static bool from_now(sl_text t, int64_t now, int64_t *out, bool *beyond) {
    static const struct {
        const char *name;
        int days;
    } names[] = {{"yesterday", -1}, {"today", 0}, {"now", 0}, {"tomorrow", 1}};
    const int64_t most_years = LAST_YEAR, most_days = most_years * 366;
    int64_t n;
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        if (!sl_text_is(t, names[i].name)) continue;
        *out = now + (int64_t)names[i].days * DAY;
        return true;
    }
    if (read_shift(t, SL_TEXT("day"), &n)) {
        *beyond = n > most_days || n < -most_days;
        if (!*beyond) *out = now + n * DAY;
        return true;
    }
    if (!read_shift(t, SL_TEXT("year"), &n)) return false;
    *beyond = n > most_years || n < -most_years || !in_years(now, n, out);
    return true;
}

static sl_status build(sl_text t, int64_t now, sl_value *out, sl_error *err) {
    int64_t seconds;
    bool zone = false, beyond = false;
    sl_value v;
    if (from_now(t, now, &seconds, &beyond))
        v = sl_time_make(SL_TIME_PARTS, beyond ? 0 : seconds, 0, 0);
    else if (!sl_time_parse(t, false, now, &v, &zone))
        return no_date(t, "is no date; 2014-12-02 10:20, 2 Dec 2014, today and 3 days are some", err);
    int64_t year = sl_time_parts(v).year;
    if (beyond || year < FIRST_YEAR || year > LAST_YEAR)
        return no_date(t, "is beyond the years 1 to 9999", err);
    *out = sl_time_make(zone ? SL_TIME_PARTS_ZONED : SL_TIME_PARTS, v.as.i, 0, 0);
    return SL_OK;
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_value v;
    (void)state, (void)item;
    if (!sl_is_text(field))
        return sl_fail(err, SL_E_DATA, "the field must be a text such as 2014-12-02, got %s",
                       sl_type_name((sl_type)field.type));
    TRY(build(sl_utf8_strip(sl_bytes(field)), c->now, &v, err));
    return sl_result(results, v, err);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    (void)err;
    c->now = info->env->now;
    return SL_OK;
}

static const sl_option options[] = {{0}};

const sl_pipe sl_pipe_datebuilder = {
    .name = "datebuilder",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Reads a text as a date with its time of day",
    .details = "Reads most forms of dates, with the month before the day in 1/2/2014, and today, now, "
               "yesterday, tomorrow, "
               "`3 days`, `-1 year`, which count from the start of the run, in UTC. The result is the clock "
               "the text shows: "
               "a zone in it is left out, the clock is not shifted. A text that is no date is an error, and "
               "so is a field "
               "that is no text.",
    .example = "itembuilder attrs.key=content attrs.value=\"2 Dec 2014 10:20\" | datebuilder",
    .options = options,
    .conf_size = sizeof(conf),
    .field = "content",
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .each = each,
};
