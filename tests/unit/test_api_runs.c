/* How a program runs a pipeline by sluice.h alone: again and again, told about it, stopping it, with functions and descriptors of its own. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sluice.h"
#include "sluice_plugin.h"

static void ok(sl_status s, const sl_error *err) {
    char text[1400];
    if (s != SL_OK) fail_msg("%s", sl_error_format(err, text, sizeof text));
}

static sl_pipeline *inline_of(const char *steps) {
    sl_error err = {0};
    sl_pipeline *p = sl_pipeline_new();
    assert_non_null(p);
    ok(sl_pipeline_option(p, "parallel", "false", &err), &err);
    if (steps) ok(sl_pipeline_add_text(p, steps, &err), &err);
    return p;
}

/* All items of a run as lines in OUT. */
static sl_status read_all(sl_pipeline *p, char out[4096], sl_error *err) {
    const char *json;
    sl_stream *s = sl_pipeline_open(p, err);
    sl_status status = s ? SL_OK : err->code;
    *out = '\0';
    while (s && (status = sl_stream_next(s, &json, NULL, err)) == SL_OK) strcat(strcat(out, json), "\n");
    sl_stream_close(&s);
    return status == SL_DONE ? SL_OK : status;
}

static void expect_lines(sl_pipeline *p, const char *expected) {
    char out[4096];
    sl_error err = {0};
    ok(read_all(p, out, &err), &err);
    assert_string_equal(out, expected);
}

static sl_status count_items(void *user, const sl_value *item, sl_error *err) {
    (void)item, (void)err;
    ++*(int64_t *)user;
    return SL_OK;
}

/* ---- again -------------------------------------------------------------------------------------------------------------- */

static void test_a_pipeline_runs_again(void **state) {
    (void)state;
    sl_pipeline *p = inline_of("itembuilder attrs.0.key=content attrs.0.value=b,a,c | tokenizer | sort");
    for (int i = 0; i < 3; i++)
        expect_lines(p, "{\"content\":\"a\"}\n{\"content\":\"b\"}\n{\"content\":\"c\"}\n");
    sl_pipeline_free(&p);
}

static void test_what_is_pushed_is_for_one_run(void **state) {
    (void)state;
    char expected[64];
    sl_error err = {0};
    sl_pipeline *p = inline_of("push x | sum sum_key=n");
    sl_source *s = sl_pipeline_push_source(p, "x", &err);
    for (int64_t run = 1; run < 4; run++) {
        sl_source_put_int(s, "n", run);
        ok(sl_source_push_item(s, &err), &err);
        sl_source_end(s);
        snprintf(expected, sizeof expected, "{\"sum\":%d}\n", (int)run);
        expect_lines(p, expected);
    }
    sl_pipeline_free(&p);
}

/* Enough for the first run, which ends before the program has ended the source: the rest is not for the second. */
static void test_what_a_run_left_is_not_for_the_next(void **state) {
    (void)state;
    sl_error err = {0};
    sl_pipeline *p = inline_of("push x | truncate count=1");
    sl_source *s = sl_pipeline_push_source(p, "x", &err);
    ok(sl_source_push(s, "1", 1, &err), &err);
    ok(sl_source_push(s, "2", 1, &err), &err);
    expect_lines(p, "{\"content\":1}\n");
    assert_int_equal(sl_source_push(s, "3", 1, &err), SL_DONE);
    assert_int_equal(err.code, SL_OK);
    sl_source_end(s);
    ok(sl_source_push(s, "4", 1, &err), &err);
    sl_source_end(s);
    expect_lines(p, "{\"content\":4}\n");
    sl_pipeline_free(&p);
}

/* A run that fails leaves its source open until the next begins. */
static void test_items_are_pushed_after_a_failure(void **state) {
    (void)state;
    char out[4096];
    sl_error err = {0};
    sl_pipeline *p = inline_of("push x | udf lua='item.a.b'");
    sl_source *s = sl_pipeline_push_source(p, "x", &err);
    int64_t n = 0;
    ok(sl_pipeline_sink_function(p, count_items, &n, &err), &err);
    ok(sl_source_push(s, "{\"a\": 1}", 8, &err), &err);
    sl_source_end(s);
    assert_int_equal(sl_pipeline_run(p, &err), SL_E_DATA);
    sl_error_clear(&err);
    ok(sl_source_push(s, "{\"a\": {\"b\": 2}}", 15, &err), &err);
    sl_source_end(s);
    ok(read_all(p, out, &err), &err);
    assert_string_equal(out, "2\n");
    sl_pipeline_free(&p);
}

static void test_a_variable_changes_between_runs(void **state) {
    (void)state;
    static const char text[] =
        "[{\"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"a\", \"value\": \"${WHAT}\"}}}]";
    sl_error err = {0};
    sl_pipeline *p = inline_of(NULL);
    ok(sl_pipeline_set(p, "WHAT", "one", &err), &err);
    ok(sl_pipeline_load(p, text, "text", &err), &err);
    expect_lines(p, "{\"a\":\"one\"}\n");
    ok(sl_pipeline_set(p, "WHAT", "two", &err), &err);
    expect_lines(p, "{\"a\":\"two\"}\n");
    ok(sl_pipeline_add_text(p, "rename rule.field=a rule.newval=b", &err), &err);
    expect_lines(p, "{\"b\":\"two\"}\n");
    sl_pipeline_free(&p);
}

static void test_files_are_read_anew(void **state) {
    (void)state;
    char folder[] = "/tmp/sluice-api-XXXXXX", file[64], steps[128];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/in.csv", folder);
    snprintf(steps, sizeof steps, "csv url=%s", file);
    sl_pipeline *p = inline_of(steps);
    for (int i = 1; i < 3; i++) {
        char expected[32];
        FILE *f = fopen(file, "w");
        assert_true(f && fprintf(f, "n\n%d\n", i) > 0 && fclose(f) == 0);
        snprintf(expected, sizeof expected, "{\"n\":\"%d\"}\n", i);
        expect_lines(p, expected);
    }
    sl_pipeline_free(&p);
    unlink(file);
    rmdir(folder);
}

static void test_one_run_at_a_time(void **state) {
    (void)state;
    sl_error err = {0};
    sl_pipeline *p = inline_of("forever");
    ok(sl_pipeline_sink(p, "/nowhere/x.csv", &err), &err);
    sl_stream *s = sl_pipeline_open(p, &err);
    assert_non_null(s);
    assert_null(sl_pipeline_open(p, &err));
    assert_int_equal(err.code, SL_E_USAGE);
    assert_int_equal(sl_pipeline_run(p, NULL), SL_E_USAGE);
    assert_int_equal(sl_pipeline_add_text(p, "count", NULL), SL_E_USAGE);
    const char *json;
    assert_int_equal(sl_stream_next(s, &json, NULL, NULL),
                     SL_OK); /* which goes on as if nothing had been said */
    sl_stream_close(&s);
    sl_error_clear(&err);
    s = sl_pipeline_open(p, &err);
    assert_non_null(s);
    sl_stream_close(&s);
    sl_pipeline_free(&p);
}

static void test_a_failure_is_no_end(void **state) {
    (void)state;
    char out[4096];
    sl_error err = {0};
    sl_pipeline *p = inline_of("csv url=/nowhere/at-all.csv");
    assert_int_equal(read_all(p, out, &err), SL_E_IO);
    sl_error_clear(&err);
    assert_int_equal(read_all(p, out, &err), SL_E_IO);
    sl_pipeline_free(&p);
}

/* ---- stopping ----------------------------------------------------------------------------------------------------------- */

static bool until_thousand(void *user, const sl_progress *progress) {
    (void)user;
    return progress->items_out < 1000;
}

static void test_progress_says_stop_and_the_pipeline_runs_again(void **state) {
    (void)state;
    int64_t n = 0;
    sl_error err = {0};
    sl_pipeline *p = inline_of("forever");
    ok(sl_pipeline_sink_function(p, count_items, &n, &err), &err);
    sl_pipeline_on_progress(p, until_thousand, NULL);
    assert_int_equal(sl_pipeline_run(p, &err), SL_E_STOPPED);
    assert_true(n >= 1000);
    sl_pipeline_on_progress(p, NULL, NULL);
    ok(sl_pipeline_add_text(p, "truncate count=10", &err), &err);
    n = 0;
    ok(sl_pipeline_run(p, &err), &err);
    assert_int_equal(n, 10);
    sl_progress totals = sl_pipeline_totals(p);
    assert_int_equal(totals.items_out, 10);
    sl_pipeline_free(&p);
}

static void test_a_stop_before_the_first_run_holds(void **state) {
    (void)state;
    char out[4096];
    sl_error err = {0};
    sl_pipeline *p = inline_of("itembuilder attrs.key=a attrs.value=1");
    sl_pipeline_stop(p);
    assert_int_equal(read_all(p, out, &err), SL_E_STOPPED);
    sl_pipeline_stop(p); /* too late for that one, and forgotten */
    expect_lines(p, "{\"a\":1}\n");
    sl_pipeline_free(&p);
}

/* ---- being told --------------------------------------------------------------------------------------------------------- */

typedef struct told {
    int n;
    char part[16], message[512];
} told;

static void note(void *user, const sl_log_entry *entry) {
    told *t = user;
    assert_int_equal(entry->level, SL_LOG_WARNING);
    assert_int_equal(entry->worker, -1);
    snprintf(t->part, sizeof t->part, "%s", entry->part);
    snprintf(t->message, sizeof t->message, "%s", entry->message);
    t->n++;
}

static void test_warnings_are_told_at_once(void **state) {
    (void)state;
    told t = {0};
    sl_error err = {0};
    sl_pipeline *p = inline_of(NULL);
    sl_pipeline_on_log(p, SL_LOG_WARNING, note, &t);
    ok(sl_pipeline_option(p, "keep_going", "true", &err), &err);
    ok(sl_pipeline_source(p, "{\"url\": \"/nowhere/at-all.csv\"}", &err), &err);
    ok(sl_pipeline_source(p, "{\"type\": \"itembuilder\", \"attrs\": {\"key\": \"a\", \"value\": 1}}", &err),
       &err);
    expect_lines(p, "{\"a\":1}\n");
    assert_int_equal(t.n, 1);
    assert_string_equal(t.part, "source");
    assert_non_null(strstr(t.message, "/nowhere/at-all.csv"));
    sl_pipeline_on_log(p, SL_LOG_TRACE, NULL, NULL);
    expect_lines(p, "{\"a\":1}\n");
    assert_int_equal(t.n, 1);
    sl_pipeline_free(&p);
}

static void test_statuses_have_names(void **state) {
    (void)state;
    assert_string_equal(sl_status_name(SL_OK), "SL_OK");
    assert_string_equal(sl_status_name(SL_DONE), "SL_DONE");
    assert_string_equal(sl_status_name(SL_E_PLAN), "SL_E_PLAN");
    assert_string_equal(sl_status_name(SL_E_INTERNAL), "SL_E_INTERNAL");
    assert_string_equal(sl_status_name((sl_status)99), "unknown");
}

/* ---- functions of the program ------------------------------------------------------------------------------------------- */

static int times(void *user, const sl_plugin_host *host, sl_plugin_call *call) {
    int64_t a;
    if (!host->get_int(call, "n", &a)) return (host->fail)(call, "no number in field 'n'");
    host->start_copy(call);
    return host->put_int(call, "product", *(const int64_t *)user * a);
}

static void test_items_pass_a_function_of_the_program(void **state) {
    (void)state;
    static const char *const pools[][2] = {{"false", "false"}, {"true", "true"}, {"true", "false"}};
    for (size_t i = 0; i < 3; i++) {
        int64_t seven = 7;
        sl_error err = {0};
        sl_pipeline *p = inline_of("push x | udf function=times");
        ok(sl_pipeline_add(p, "udf", "{\"function\": \"times\", \"@emit\": false, \"@assign\": \"again\"}",
                           &err),
           &err);
        ok(sl_pipeline_option(p, "parallel", pools[i][0], &err), &err);
        ok(sl_pipeline_option(p, "threads", pools[i][1], &err), &err);
        sl_source *s = sl_pipeline_push_source(p, "x", &err);
        ok(sl_pipeline_function(p, "times", times, &seven, &err), &err);
        assert_int_equal(sl_pipeline_function(p, "times", times, NULL, NULL), SL_E_USAGE);
        ok(sl_source_push(s, "{\"n\": 6}", 8, &err), &err);
        sl_source_end(s);
        expect_lines(p, "{\"n\":6,\"product\":42,\"again\":{\"n\":6,\"product\":42}}\n");
        sl_pipeline_free(&p);
    }
}

static void test_a_function_of_the_program_fails(void **state) {
    (void)state;
    char out[4096];
    int64_t seven = 7;
    sl_error err = {0};
    sl_pipeline *p = inline_of("itembuilder attrs.key=a attrs.value=x | udf function=times");
    assert_int_equal(sl_pipeline_check(p, &err), SL_E_PLAN);
    assert_non_null(strstr(err.text, "'times'"));
    sl_error_clear(&err);
    ok(sl_pipeline_function(p, "times", times, &seven, &err), &err);
    assert_int_equal(read_all(p, out, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "no number in field 'n'"));
    assert_int_equal(err.step, 2);
    sl_pipeline_free(&p);
}

/* What a function sees that fails for its first item and takes its time for the others. */
typedef struct watch {
    atomic_bool returned; /* sl_pipeline_run has */
    atomic_int calls, late;
} watch;

static int fail_slowly(void *user, const sl_plugin_host *host, sl_plugin_call *call) {
    watch *w = user;
    if (atomic_fetch_add(&w->calls, 1) == 0) return (host->fail)(call, "the first");
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    if (atomic_load(&w->returned)) atomic_fetch_add(&w->late, 1);
    return 0;
}

static sl_status take_nothing(void *user, const sl_value *item, sl_error *err) {
    (void)user, (void)item, (void)err;
    return SL_OK;
}

static void test_no_worker_calls_a_function_after_a_failed_run(void **state) {
    (void)state;
    watch w = {0};
    sl_error err = {0};
    char path[] = "/tmp/sluice-calls-XXXXXX", steps[128];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (int i = 0; i < 2000; i++) assert_int_equal(write(fd, "1\n2\n3\n4\n", 8), 8);
    close(fd);
    snprintf(steps, sizeof steps, "csv url=%s | udf function=slow", path);
    sl_pipeline *p = inline_of(steps);
    ok(sl_pipeline_option(p, "parallel", "true", &err), &err);
    ok(sl_pipeline_option(p, "threads", "true", &err), &err);
    ok(sl_pipeline_option(p, "workers", "4", &err), &err);
    ok(sl_pipeline_option(p, "unit", "64", &err), &err);
    ok(sl_pipeline_function(p, "slow", fail_slowly, &w, &err), &err);
    ok(sl_pipeline_sink_function(p, take_nothing, NULL, &err), &err);
    assert_int_equal(sl_pipeline_run(p, &err), SL_E_DATA);
    atomic_store(&w.returned, true);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_int_equal(atomic_load(&w.late), 0);
    assert_true(atomic_load(&w.calls) > 0);
    sl_pipeline_free(&p);
    unlink(path);
}

/* ---- a descriptor as sink ----------------------------------------------------------------------------------------------- */

static void expect_written(const char *format, const char *expected) {
    int ends[2];
    char got[256];
    sl_error err = {0};
    assert_int_equal(pipe(ends), 0);
    sl_pipeline *p = inline_of("itembuilder attrs.0.key=a attrs.0.value=1 attrs.1.key=b attrs.1.value=x");
    ok(sl_pipeline_sink_fd(p, ends[1], format, &err), &err);
    ok(sl_pipeline_run(p, &err), &err);
    sl_pipeline_free(&p);
    assert_int_equal(write(ends[1], "|", 1), 1); /* it is still open */
    close(ends[1]);
    ssize_t n = read(ends[0], got, sizeof got - 1);
    close(ends[0]);
    assert_true(n > 0);
    got[n] = '\0';
    assert_string_equal(got, expected);
}

static void test_items_go_to_a_descriptor(void **state) {
    (void)state;
    expect_written(NULL, "{\"a\":1,\"b\":\"x\"}\n|");
    expect_written("csv", "a,b\n1,x\n|");
    expect_written("tsv", "a\tb\n1\tx\n|");
}

static void test_a_descriptor_that_cannot_be_written(void **state) {
    (void)state;
    sl_error err = {0};
    sl_pipeline *p = inline_of("itembuilder attrs.key=a attrs.value=1");
    ok(sl_pipeline_sink_fd(p, 987, "json", &err), &err);
    assert_int_equal(sl_pipeline_run(p, &err), SL_E_IO);
    sl_pipeline_free(&p);
    sl_error_clear(&err);
    p = inline_of("itembuilder attrs.key=a attrs.value=1");
    ok(sl_pipeline_sink_fd(p, 1, "yaml", &err), &err);
    assert_int_equal(sl_pipeline_check(p, &err), SL_E_PLAN);
    sl_pipeline_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pipeline_runs_again),
        cmocka_unit_test(test_what_is_pushed_is_for_one_run),
        cmocka_unit_test(test_what_a_run_left_is_not_for_the_next),
        cmocka_unit_test(test_items_are_pushed_after_a_failure),
        cmocka_unit_test(test_a_variable_changes_between_runs),
        cmocka_unit_test(test_files_are_read_anew),
        cmocka_unit_test(test_one_run_at_a_time),
        cmocka_unit_test(test_a_failure_is_no_end),
        cmocka_unit_test(test_progress_says_stop_and_the_pipeline_runs_again),
        cmocka_unit_test(test_a_stop_before_the_first_run_holds),
        cmocka_unit_test(test_warnings_are_told_at_once),
        cmocka_unit_test(test_statuses_have_names),
        cmocka_unit_test(test_items_pass_a_function_of_the_program),
        cmocka_unit_test(test_a_function_of_the_program_fails),
        cmocka_unit_test(test_no_worker_calls_a_function_after_a_failed_run),
        cmocka_unit_test(test_items_go_to_a_descriptor),
        cmocka_unit_test(test_a_descriptor_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
