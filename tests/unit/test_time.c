/* test_time.c: dates: free form, relative and formatted; the calendar is walked day by day through four centuries, after which
 * it repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/status.h"
#include "record/time.h"

enum { NOW = 1416657600 }; /* Saturday 2014-11-22 12:00:00 */

static void assert_iso(sl_value v, const char *text, const char *want) {
    sl_buf b = {0};
    sl_time_iso(v, &b);
    if (!sl_text_is(sl_text_n(b.data, b.len), want))
        fail_msg("'%s' became %s, not %s", text, sl_buf_cstr(&b), want);
    sl_buf_free(&b);
}

typedef struct example {
    const char *text, *want; /* NULL: no date */
} example;

static void check(const example *cases, size_t n, bool relative) {
    for (size_t k = 0; k < n; k++) {
        sl_value v;
        bool zoned;
        bool ok = sl_time_parse(sl_text_of(cases[k].text), relative, NOW, &v, &zoned);
        if (ok != (cases[k].want != NULL)) fail_msg("'%s' is %sa date", cases[k].text, ok ? "" : "not ");
        if (ok) assert_iso(v, cases[k].text, cases[k].want);
    }
}

static void dates_are_read_in_free_form(void **state) {
    (void)state;
    static const example cases[] = {{"12/2/2014", "2014-12-02T00:00:00+00:00"},
                                    {"13/1/2014", "2014-01-13T00:00:00+00:00"},
                                    {"2014-12-02T10:20:30Z", "2014-12-02T10:20:30+00:00"},
                                    {"2014-05-04T10:00:00+02:00", "2014-05-04T10:00:00+02:00"},
                                    {"2014-05-04 10:00:00.123456 -0530", "2014-05-04T10:00:00.123456-05:30"},
                                    {"Mon, 02 Sep 2013 17:00:00 GMT", "2013-09-02T17:00:00+00:00"},
                                    {"Mon, 02 Sep 2013 17:00:00 EST", "2013-09-02T17:00:00-05:00"},
                                    {"Jan. 12, 2001", "2001-01-12T00:00:00+00:00"},
                                    {"15 JUN 06", "2006-06-15T00:00:00+00:00"},
                                    {"5/4/82", "1982-05-04T00:00:00+00:00"},
                                    {"31/12/99", "1999-12-31T00:00:00+00:00"},
                                    {"12 Dec 63", "2063-12-12T00:00:00+00:00"},
                                    {"12 Dec 64", "1964-12-12T00:00:00+00:00"},
                                    {"25-Sep-2003", "2003-09-25T00:00:00+00:00"},
                                    {"September 25th, 2003", "2003-09-25T00:00:00+00:00"},
                                    {"3rd of May 2001", "2001-05-03T00:00:00+00:00"},
                                    {"Tuesday, April 12, 1952 AD 3:30:42pm", "1952-04-12T15:30:42+00:00"},
                                    {"20030925T104941", "2003-09-25T10:49:41+00:00"},
                                    {"201401021030", "2014-01-02T10:30:00+00:00"},
                                    {"2003-09-25T10", "2003-09-25T10:00:00+00:00"},
                                    {"10:30", "2014-11-22T10:30:00+00:00"},
                                    {"12am", "2014-11-22T00:00:00+00:00"},
                                    {"12:30 PM", "2014-11-22T12:30:00+00:00"},
                                    {"10h36m", "2014-11-22T10:36:00+00:00"},
                                    {"2014", "2014-11-22T00:00:00+00:00"},
                                    {"2012 Feb", "2012-02-22T00:00:00+00:00"},
                                    {"Friday", "2014-11-28T00:00:00+00:00"},
                                    {"2014-01-02T10:30:00 +01:00 (CET)", "2014-01-02T10:30:00+01:00"}};
    check(cases, SL_COUNT(cases), false);
}

static void other_texts_are_no_dates(void **state) {
    (void)state;
    static const example cases[] = {
        {"", NULL},           {" ", NULL},          {"foo", NULL},        {"1400000000", NULL},
        {"2014-13-01", NULL}, {"2014-02-30", NULL}, {"25:00", NULL},      {"10:61", NULL},
        {"GMT", NULL},        {"today", NULL},      {"hello 2014", NULL}, {"2014-01-02x", NULL},
        {"1.2.3.4", NULL},    {"12345", NULL},      {"/", NULL},          {"10:30:", NULL},
        {"13pm", NULL},       {"\xff", NULL},       {"1 2 3 4", NULL},    {"2014-01-02 10:00 +99", NULL}};
    check(cases, SL_COUNT(cases), false);
}

static void relative_dates_count_from_now(void **state) {
    (void)state;
    static const example cases[] = {{"today", "2014-11-22"},
                                    {"Yesterday", "2014-11-21"},
                                    {"tomorrow", "2014-11-23"},
                                    {"now", "2014-11-22T12:00:00+00:00"},
                                    {"+3 days", "2014-11-25"},
                                    {"-2 weeks", "2014-11-08"},
                                    {"-9 months", "2014-02-22"},
                                    {"+1 years", "2015-11-22"},
                                    {"+90 minutes", "2014-11-22T13:30:00+00:00"},
                                    {"-30 seconds", "2014-11-22T11:59:30+00:00"},
                                    {"last week", "2014-11-15"},
                                    {"next month", "2014-12-22"},
                                    {"last year", "2013-11-22"},
                                    {"2014-01-02", "2014-01-02T00:00:00+00:00"},
                                    {"+x days", NULL},
                                    {"next hours", NULL}};
    check(cases, SL_COUNT(cases), true);
}

static void only_a_written_zone_counts(void **state) {
    (void)state;
    sl_value v;
    bool zoned = true;
    assert_true(sl_time_parse(SL_TEXT("2014-12-02T10:20:30"), false, NOW, &v, &zoned));
    assert_false(zoned);
    assert_true(sl_time_parse(SL_TEXT("2014-12-02T10:20:30Z"), false, NOW, &v, &zoned));
    assert_true(zoned);
}

static void short_months_keep_their_last_day(void **state) {
    (void)state;
    sl_value v;
    bool zoned;
    const int64_t march31 = 1427760000;
    assert_true(sl_time_parse(SL_TEXT("last month"), true, march31, &v, &zoned));
    assert_iso(v, "last month", "2015-02-28");
    assert_true(sl_time_parse(SL_TEXT("June"), false, march31, &v, &zoned));
    assert_iso(v, "June", "2015-06-30T00:00:00+00:00");
}

static void every_day_of_four_centuries(void **state) {
    (void)state;
    sl_parts last = {0};
    for (int64_t day = -140000; day < 140000; day++) {
        sl_parts p = sl_time_parts(sl_time_make(SL_TIME_DATE, day * 86400, 0, 0));
        int64_t back = 1;
        assert_true(sl_time_seconds(&p, &back));
        assert_true(back == day * 86400);
        if (last.year) {
            assert_int_equal(p.weekday, (last.weekday + 1) % 7);
            assert_true(p.yearday == last.yearday + 1 ||
                        (p.yearday == 1 && p.month == 1 && p.day == 1 && last.yearday >= 365));
        }
        last = p;
    }
}

static void days_that_do_not_exist_are_refused(void **state) {
    (void)state;
    static const sl_parts wrong[] = {
        {.year = 2015, .month = 2, .day = 29},           {.year = 1900, .month = 2, .day = 29},
        {.year = 2014, .month = 4, .day = 31},           {.year = 2014, .month = 0, .day = 1},
        {.year = 2014, .month = 13, .day = 1},           {.year = 0, .month = 1, .day = 1},
        {.year = 10000, .month = 1, .day = 1},           {.year = 2014, .month = 1, .day = 0},
        {.year = 2014, .month = 1, .day = 1, .hour = 24}};
    int64_t seconds;
    for (size_t k = 0; k < SL_COUNT(wrong); k++) assert_false(sl_time_seconds(&wrong[k], &seconds));
}

static void formats_are_those_of_strftime(void **state) {
    (void)state;
    static const struct {
        const char *format, *want;
    } cases[] = {{"%m/%d/%Y %H:%M:%S", "01/02/2014 05:06:07"},
                 {"%A, %b %d, %y at %I:%M %p", "Thursday, Jan 02, 14 at 05:06 AM"},
                 {"%a %B %e %j %u %w %C", "Thu January  2 002 4 4 20"},
                 {"%F %T %R %D", "2014-01-02 05:06:07 05:06 01/02/14"},
                 {"%c", "Thu Jan  2 05:06:07 2014"},
                 {"%U %W %V %G %g", "00 00 01 2014 14"},
                 {"%z %Z %s", "+0530 UTC+05:30 1388619367"},
                 {"100%% %q %", "100% %q %"},
                 {"%n%t%k%l", "\n\t 5 5"}};
    sl_value v = sl_time_make(SL_TIME_DATETIME, 1388639167, 0, 330);
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        sl_buf b = {0};
        sl_time_format(v, sl_text_of(cases[k].format), &b);
        assert_string_equal(sl_buf_cstr(&b), cases[k].want);
        sl_buf_free(&b);
    }
}

static void instants_compare_across_zones(void **state) {
    (void)state;
    sl_value a = sl_time_make(SL_TIME_DATETIME, 7200, 0, 120), b = sl_time_make(SL_TIME_DATETIME, 0, 0, 0);
    assert_int_equal(sl_time_compare(a, b), 0);
    assert_int_equal(sl_time_compare(a, sl_time_make(SL_TIME_DATE, 0, 0, 0)), 0);
    assert_int_equal(sl_time_compare(a, sl_time_make(SL_TIME_DATETIME, 0, 1, 0)), -1);
    assert_int_equal(sl_time_compare(a, sl_time_make(SL_TIME_PARTS, -1, 0, 0)), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read_in_free_form),        cmocka_unit_test(other_texts_are_no_dates),
        cmocka_unit_test(relative_dates_count_from_now),      cmocka_unit_test(only_a_written_zone_counts),
        cmocka_unit_test(short_months_keep_their_last_day),   cmocka_unit_test(every_day_of_four_centuries),
        cmocka_unit_test(days_that_do_not_exist_are_refused), cmocka_unit_test(formats_are_those_of_strftime),
        cmocka_unit_test(instants_compare_across_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
