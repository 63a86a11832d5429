/* Dates: any text and any format; what is written as ISO 8601 is read as the same instant; conversions as strftime has them. */
#include <time.h>

#include "fuzz.h"
#include "record/time.h"

/* Years that are written with four digits. */
static bool plain_year(const sl_parts *p) {
    return p->year >= 1000 && p->year <= 9999;
}

static void there_and_back(sl_value t) {
    sl_buf iso = {0};
    sl_value again;
    bool zone;
    sl_parts p = sl_time_parts(t);
    sl_time_iso(t, &iso);
    if (plain_year(&p)) {
        FUZZ_CHECK(sl_time_parse(sl_text_n(iso.data, iso.len), false, 0, &again, &zone));
        FUZZ_CHECK(sl_time_compare(t, again) == 0);
        FUZZ_CHECK(zone == (t.flags == SL_TIME_DATETIME));
    }
    sl_buf_free(&iso);
}

/* Two-digit years are meant. */
#pragma GCC diagnostic ignored "-Wformat-y2k"

static void like_the_library(sl_value t) {
    sl_parts p = sl_time_parts(t);
    FUZZ_CHECK(p.month >= 1 && p.month <= 12 && p.day >= 1 && p.day <= 31 && p.weekday >= 0 && p.weekday < 7);
    FUZZ_CHECK(p.hour >= 0 && p.hour < 24 && p.minute >= 0 && p.minute < 60 && p.second >= 0 &&
               p.second < 60);
    if (!plain_year(&p)) return;
    static const char all[] =
        "%a %A %b %B %c %C %d %D %e %F %g %G %h %H %I %j %m %M %p %r %R %S %T %u %U %V %w %W %x "
        "%X %y %Y %%";
    struct tm tm = {.tm_year = (int)p.year - 1900,
                    .tm_mon = p.month - 1,
                    .tm_mday = p.day,
                    .tm_hour = p.hour,
                    .tm_min = p.minute,
                    .tm_sec = p.second,
                    .tm_wday = (p.weekday + 1) % 7,
                    .tm_yday = p.yearday - 1};
    char text[512];
    sl_buf ours = {0};
    size_t n = strftime(text, sizeof text, all, &tm);
    sl_time_format(t, SL_TEXT(all), &ours);
    FUZZ_CHECK(ours.len == n && memcmp(ours.data, text, n) == 0);
    sl_buf_free(&ours);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    bool relative = fuzz_byte(&in) & 1, zone;
    sl_text line = fuzz_line(&in), format = fuzz_rest(&in);
    char *z = fuzz_string(line);
    sl_value t;
    if (format.n > 4096) format.n = 4096;
    if (sl_time_parse((sl_text){z, line.n}, relative, 1700000000, &t, &zone)) {
        sl_buf out = {0};
        FUZZ_CHECK(t.type == SL_TIME);
        sl_time_format(t, format, &out);
        there_and_back(t);
        like_the_library(t);
        sl_buf_free(&out);
    }
    free(z);
    return 0;
}
