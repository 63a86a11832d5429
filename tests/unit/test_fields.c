/* Small processors where dialects differ, and what depends on the clock. */
#include <time.h>

#include "pipe_case.h"

static void a_wrong_location_is_refused_in_the_native_dialect_only(void **state) {
    (void)state;
    const char *input = "[{\"content\": \"hello world\"}]";
#define FIND(pipe, rule) "{\"type\": \"" pipe "\", \"emit\": true, \"conf\": {\"rule\": " rule "}}"
    const char *at = FIND("strfind", "{\"find\": \"wor\", \"location\": \"at\"}");
    expect_items(NATIVE, input, at, "\"wor\"\n");
    expect_items(RIKO, input, at, "\"\"\n");
    expect_failure(NATIVE, input, FIND("strfind", "{\"find\": \"o\", \"location\": \"afer\"}"), SL_E_PLAN,
                   "did you mean 'after'?");
    expect_failure(NATIVE, input, FIND("refind", "{\"find\": \"o\", \"param\": \"lst\"}"), SL_E_PLAN,
                   "did you mean 'last'?");
    expect_items(RIKO, input, FIND("refind", "{\"find\": \"o\", \"param\": \"lst\"}"), "\"hell\"\n");
#undef FIND
}

static void unknown_keys_are_refused_in_the_native_dialect_only(void **state) {
    (void)state;
    const char *step = "{\"type\": \"rssitembuilder\", \"conf\": {\"pubdate\": 1, \"titel\": \"t\"}}";
    expect_items(RIKO, "[{}]", step, "{\"pubDate\":1}\n");
    expect_failure(NATIVE, "[{}]", step, SL_E_PLAN, "unknown key 'titel', did you mean 'title'?");
}

/* A table of rates that is none must not pass for rates of 0. */
static void a_file_without_rates_is_refused_in_the_native_dialect_only(void **state) {
    (void)state;
    char path[64], step[256];
    write_input(path, "{\"base\": \"USD\"}");
    snprintf(step, sizeof step, "{\"type\": \"exchangerate\", \"emit\": true, \"conf\": {\"url\": \"%s\"}}",
             path);
    expect_items(RIKO, "[{\"content\": \"EUR\"}]", step, "0\n");
    expect_failure(NATIVE, "[{\"content\": \"EUR\"}]", step, SL_E_DATA, "is no table of exchange rates");
    unlink(path);
}

/* Whether TEXT is a time of today, give or take the midnight between two looks. */
static void expect_day(const char *step, int days) {
    time_t before = time(NULL) + days * 86400;
    pipe_result r = run_steps(NATIVE, "[{\"content\": \"\"}]", step);
    time_t after = time(NULL) + days * 86400;
    char first[32], last[32];
    struct tm tm;
    assert_int_equal(r.error.code, SL_OK);
    strftime(first, sizeof first, "%Y-%m-%dT", gmtime_r(&before, &tm));
    strftime(last, sizeof last, "%Y-%m-%dT", gmtime_r(&after, &tm));
    const char *got = sl_buf_cstr(&r.lines);
    if (!strstr(got, first)) assert_non_null(strstr(got, last));
    sl_buf_free(&r.lines);
}

static void relative_days_count_from_today(void **state) {
    (void)state;
#define DAY(text)                                                                                            \
    "{\"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"content\", \"value\": \"" text "\"}}}, "  \
    "{\"type\": \"datebuilder\", \"emit\": true}"
    expect_day(DAY("now"), 0);
    expect_day(DAY("today"), 0);
    expect_day(DAY("yesterday"), -1);
    expect_day(DAY("tomorrow"), 1);
    expect_day(DAY("3 days"), 3);
    expect_day(DAY("-1 day"), -1);
    expect_day("{\"type\": \"rssitembuilder\"}", 0);
    expect_failure(NATIVE, "[{\"content\": 3}]", "{\"type\": \"datebuilder\"}", SL_E_DATA,
                   "must be a text such as 2014-12-02, got int");
#undef DAY
}

static void relative_years_count_from_this_year(void **state) {
    (void)state;
    char year[8];
    time_t now = time(NULL);
    struct tm tm;
    strftime(year, sizeof year, "%Y", gmtime_r(&now, &tm));
    pipe_result r =
        run_steps(NATIVE, "[{\"content\": \"4 years\"}]", "{\"type\": \"datebuilder\", \"emit\": true}");
    assert_int_equal(r.error.code, SL_OK);
    assert_int_equal(atoi(sl_buf_cstr(&r.lines) + 1), atoi(year) + 4);
    sl_buf_free(&r.lines);
}

/* An endless stream that nothing but the time ends. */
static void a_timeout_ends_an_endless_stream(void **state) {
    (void)state;
    sl_error err = {0};
    sl_pipeline *p = sl_pipeline_new();
    assert_int_equal(sl_pipeline_add_text(p, "forever | timeout milliseconds=30", &err), SL_OK);
    sl_stream *s = sl_pipeline_open(p, &err);
    assert_non_null(s);
    for (const char *item; sl_stream_next(s, &item, NULL, &err) == SL_OK;) {
    }
    assert_int_equal(err.code, SL_OK);
    sl_stream_close(&s);
    sl_pipeline_free(&p);
    expect_failure(NATIVE, "[{}]", "{\"type\": \"timeout\", \"conf\": {\"second\": 1}}", SL_E_PLAN,
                   "did you mean 'seconds'?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_location_is_refused_in_the_native_dialect_only),
        cmocka_unit_test(unknown_keys_are_refused_in_the_native_dialect_only),
        cmocka_unit_test(a_file_without_rates_is_refused_in_the_native_dialect_only),
        cmocka_unit_test(relative_days_count_from_today),
        cmocka_unit_test(relative_years_count_from_this_year),
        cmocka_unit_test(a_timeout_ends_an_endless_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
