/* Items that a program pushes, takes and looks into, by sluice.h alone. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sluice.h"

typedef struct pool {
    const char *name, *parallel, *threads;
} pool;

static const pool pools[] = {
    {"inline", "false", "false"}, {"threads", "true", "true"}, {"processes", "true", "false"}};
enum { POOLS = sizeof pools / sizeof pools[0] };

static void ok(sl_status s, const sl_error *err) {
    char text[1400];
    if (s != SL_OK) fail_msg("%s", sl_error_format(err, text, sizeof text));
}

static sl_pipeline *over(const pool *at, const char *steps) {
    sl_error err = {0};
    sl_pipeline *p = sl_pipeline_new();
    assert_non_null(p);
    ok(sl_pipeline_option(p, "parallel", at->parallel, &err), &err);
    ok(sl_pipeline_option(p, "threads", at->threads, &err), &err);
    ok(sl_pipeline_option(p, "workers", "2", &err), &err);
    ok(sl_pipeline_add_text(p, steps, &err), &err);
    return p;
}

static sl_source *source_of(sl_pipeline *p, const char *name) {
    sl_error err = {0};
    sl_source *s = sl_pipeline_push_source(p, name, &err);
    if (!s) ok(err.code, &err);
    return s;
}

static void push(sl_source *s, const char *json) {
    sl_error err = {0};
    ok(sl_source_push(s, json, strlen(json), &err), &err);
}

/* What is left of the stream, as lines. */
static void expect_lines(sl_pipeline *p, const char *expected) {
    char all[4096] = "";
    const char *json;
    sl_error err = {0};
    sl_stream *s = sl_pipeline_open(p, &err);
    sl_status status = s ? SL_OK : err.code;
    while (s && (status = sl_stream_next(s, &json, NULL, &err)) == SL_OK) {
        strcat(all, json);
        strcat(all, "\n");
    }
    if (status != SL_DONE) ok(status, &err);
    sl_stream_close(&s);
    assert_string_equal(all, expected);
}

/* ---- pushing ------------------------------------------------------------------------------------------------------------ */

static void test_items_pushed_before_the_run(void **state) {
    (void)state;
    for (unsigned i = 0; i < POOLS; i++) {
        sl_pipeline *p = over(&pools[i], "push orders | sort rule.field=id rule.dir=desc");
        sl_source *s = source_of(p, "orders");
        push(s, "{\"id\": 17, \"city\": \"Pretoria\"}");
        push(s, "{\"id\": 19, \"price\": 1.10}");
        push(s, "{\"city\": null, \"id\": 18}");
        sl_source_end(s);
        expect_lines(
            p, "{\"id\":19,\"price\":1.10}\n{\"city\":null,\"id\":18}\n{\"id\":17,\"city\":\"Pretoria\"}\n");
        sl_pipeline_free(&p);
    }
}

static void test_items_made_of_fields(void **state) {
    (void)state;
    sl_error err = {0};
    sl_pipeline *p = over(&pools[0], "push x");
    sl_source *s = source_of(p, "x");
    sl_source_put_int(s, "i", -7);
    sl_source_put_double(s, "d", 0.5);
    sl_source_put_text(s, "t", "a\"b", 3);
    sl_source_put_bool(s, "b", true);
    sl_source_put_null(s, "n");
    sl_source_put_json(s, "j", "[1, {\"k\": 1e5}]", 15);
    sl_source_put_int(s, "i", 8); /* in its place */
    ok(sl_source_push_item(s, &err), &err);
    ok(sl_source_push_item(s, &err), &err); /* nothing was put */
    push(s, "\"bare\"");
    sl_source_end(s);
    expect_lines(
        p,
        "{\"i\":8,\"d\":0.5,\"t\":\"a\\\"b\",\"b\":true,\"n\":null,\"j\":[1,{\"k\":1e5}]}\n{}\n\"bare\"\n");
    sl_pipeline_free(&p);
}

static void test_a_wrong_item_is_dropped_alone(void **state) {
    (void)state;
    sl_error err = {0};
    sl_pipeline *p = over(&pools[0], "push x");
    sl_source *s = source_of(p, "x");
    sl_source_put_text(s, "t", "\xff", 1);
    sl_source_put_int(s, "i", 1);
    assert_int_equal(sl_source_push_item(s, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "UTF-8"));
    sl_error_clear(&err);
    assert_int_equal(err.code, SL_OK);
    sl_source_put_json(s, "j", "{oops", 5);
    assert_int_equal(sl_source_push_item(s, &err), SL_E_DATA);
    sl_error_clear(&err);
    assert_int_equal(sl_source_push(s, "[1", 2, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "'x': column 3"));
    sl_source_put_int(s, "i", 2);
    ok(sl_source_push_item(s, NULL), &err);
    sl_source_end(s);
    assert_int_equal(sl_source_push(s, "{}", 2, NULL), SL_E_USAGE);
    expect_lines(p, "{\"i\":2}\n");
    sl_pipeline_free(&p);
}

static void test_a_failure_tells_which_item(void **state) {
    (void)state;
    sl_error err = {0};
    const char *json;
    sl_pipeline *p = over(&pools[2], "push orders | udf lua='item.a.b.c'");
    sl_source *s = source_of(p, "orders");
    push(s, "{\"a\": {\"b\": {\"c\": 1}}}");
    push(s, "{\"a\": 1}");
    sl_source_end(s);
    sl_stream *stream = sl_pipeline_open(p, &err);
    sl_status status = SL_OK;
    while (status == SL_OK) status = sl_stream_next(stream, &json, NULL, &err);
    assert_int_equal(status, SL_E_DATA);
    assert_string_equal(err.source, "orders");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.step, 2);
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
}

static void test_names_are_checked(void **state) {
    (void)state;
    sl_error err = {0};
    sl_pipeline *p = over(&pools[0], "push a");
    assert_null(sl_pipeline_push_source(p, "", &err));
    assert_int_equal(err.code, SL_E_USAGE);
    sl_error_clear(&err);
    assert_int_equal(sl_pipeline_check(p, &err), SL_E_PLAN); /* no source of that name */
    assert_non_null(strstr(err.text, "sl_pipeline_push_source"));
    sl_pipeline_free(&p);

    sl_error_clear(&err);
    p = over(&pools[0], "push a");
    source_of(p, "a");
    assert_null(sl_pipeline_push_source(p, "a", &err));
    assert_int_equal(err.code, SL_E_USAGE);
    sl_error_clear(&err);
    source_of(p, "b");
    assert_int_equal(sl_pipeline_check(p, &err), SL_E_PLAN); /* no step for b */
    assert_non_null(strstr(err.text, "'push b'"));
    sl_pipeline_free(&p);
}

enum { MANY = 200000 };

static void *push_many(void *vs) {
    sl_source *s = vs;
    for (int64_t i = 0; i < MANY; i++) {
        sl_source_put_int(s, "id", i);
        sl_source_put_text(s, "text", "some bytes that fill units, so that the pusher has to wait", 58);
        if (sl_source_push_item(s, NULL) != SL_OK) break;
    }
    sl_source_end(s);
    return NULL;
}

/* More than may wait, by another thread. */
static void test_items_pushed_during_the_run(void **state) {
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        pthread_t pusher;
        sl_error err = {0};
        const sl_value *item;
        int64_t id, next = 0;
        sl_pipeline *p = over(&pools[i], "push x");
        sl_source *s = source_of(p, "x");
        sl_stream *stream = sl_pipeline_open(p, &err);
        assert_int_equal(pthread_create(&pusher, NULL, push_many, s), 0);
        while (sl_stream_item(stream, &item, &err) == SL_OK) {
            assert_true(sl_value_int(sl_value_get(item, "id"), &id));
            assert_int_equal(id, next++);
        }
        ok(err.code, &err);
        assert_int_equal(next, MANY);
        pthread_join(pusher, NULL);
        sl_stream_close(&stream);
        sl_pipeline_free(&p);
    }
}

/* Who pushes is told when nobody wants more, however full the source is. */
static void test_the_pusher_learns_that_it_is_enough(void **state) {
    (void)state;
    pthread_t pusher;
    sl_pipeline *p = over(&pools[1], "push x | truncate count=3 | count");
    sl_source *s = source_of(p, "x");
    assert_int_equal(pthread_create(&pusher, NULL, push_many, s), 0);
    expect_lines(p, "{\"count\":3}\n");
    pthread_join(pusher, NULL);
    sl_pipeline_free(&p);
}

/* An item passes at once, though the source has not ended. */
static void test_a_conversation(void **state) {
    (void)state;
    sl_error err = {0};
    const char *json;
    sl_pipeline *p = over(&pools[0], "push x | udf lua='item.a * 2'");
    sl_source *s = source_of(p, "x");
    sl_stream *stream = sl_pipeline_open(p, &err);
    assert_non_null(stream);
    push(s, "{\"a\": 1}");
    ok(sl_stream_next(stream, &json, NULL, &err), &err);
    assert_string_equal(json, "2");
    push(s, "{\"a\": 2}");
    ok(sl_stream_next(stream, &json, NULL, &err), &err);
    assert_string_equal(json, "4");
    sl_source_end(s);
    assert_int_equal(sl_stream_next(stream, &json, NULL, &err), SL_DONE);
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
}

typedef struct numbers {
    int64_t next, end;
    sl_status then;
} numbers;

static sl_status more_numbers(void *user, sl_source *s, sl_error *err) {
    numbers *n = user;
    for (unsigned i = 0; i < 100 && n->next < n->end; i++) {
        sl_source_put_int(s, "n", n->next++);
        sl_status status = sl_source_push_item(s, err);
        if (status != SL_OK) return status;
    }
    return n->next < n->end ? SL_OK : n->then;
}

static void test_items_asked_for(void **state) {
    (void)state;
    for (unsigned i = 0; i < POOLS; i++) {
        numbers n = {0, 100050, SL_DONE};
        sl_pipeline *p =
            over(&pools[i], "push x | filter rule.field=n rule.op=atleast rule.value=50 | count");
        sl_source_on_need(source_of(p, "x"), more_numbers, &n);
        expect_lines(p, "{\"count\":100000}\n");
        sl_pipeline_free(&p);
    }
}

static void test_a_function_that_fails_ends_the_run(void **state) {
    (void)state;
    numbers n = {0, 10, SL_E_TEMP};
    sl_error err = {0};
    const sl_value *item;
    sl_pipeline *p = over(&pools[0], "push x");
    sl_source_on_need(source_of(p, "x"), more_numbers, &n);
    sl_stream *stream = sl_pipeline_open(p, &err);
    sl_status status = SL_OK;
    while (status == SL_OK) status = sl_stream_item(stream, &item, &err);
    assert_int_equal(status, SL_E_TEMP);
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
}

/* A stop wakes a pipeline that waits for items. */
static void *stop_soon(void *p) {
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    sl_pipeline_stop(p);
    return NULL;
}

static void test_waiting_for_items_can_be_stopped(void **state) {
    (void)state;
    pthread_t stopper;
    sl_error err = {0};
    const sl_value *item;
    sl_pipeline *p = over(&pools[0], "push x");
    source_of(p, "x");
    sl_stream *stream = sl_pipeline_open(p, &err);
    assert_int_equal(pthread_create(&stopper, NULL, stop_soon, p), 0);
    assert_int_equal(sl_stream_item(stream, &item, &err), SL_E_STOPPED);
    pthread_join(stopper, NULL);
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
}

/* ---- values ------------------------------------------------------------------------------------------------------------- */

static const sl_value *only_item(sl_pipeline *p, sl_stream **stream) {
    sl_error err = {0};
    const sl_value *item = NULL;
    *stream = sl_pipeline_open(p, &err);
    if (!*stream) ok(err.code, &err);
    ok(sl_stream_item(*stream, &item, &err), &err);
    return item;
}

static void expect_print(const sl_value *v, const char *text, const char *json) {
    char out[100];
    assert_int_equal(sl_value_print(v, out, sizeof out), strlen(text));
    assert_string_equal(out, text);
    assert_int_equal(sl_value_json(v, out, sizeof out), strlen(json));
    assert_string_equal(out, json);
}

static void expect_text(const sl_value *v, const char *text) {
    size_t n = 99;
    const char *s = sl_value_text(v, &n);
    assert_int_equal(n, text ? strlen(text) : 0);
    if (!text) assert_null(s);
    if (text) assert_memory_equal(s, text, n);
}

static void test_fields_are_read_by_type(void **state) {
    (void)state;
    sl_pipeline *p = over(&pools[0], "push x");
    sl_source *s = source_of(p, "x");
    sl_stream *stream;
    int64_t i = 99;
    double d = 99;
    bool b = false;
    push(s, "{\"i\": 41, \"d\": 1.10, \"t\": \"Gr\\u00fc\\u00dfe\", \"b\": true, \"n\": null, \"l\": [1, "
            "\"zwei\", []], "
            "\"m\": {\"k\": -0.5, \"big\": 12345678901234567890}, \"w\": \"12\", \"e\": \"\"}");
    sl_source_end(s);
    const sl_value *item = only_item(p, &stream);
    assert_int_equal(sl_value_type(item), SL_MAP);
    assert_int_equal(sl_value_count(item), 9);

    const sl_value *v = sl_value_get(item, "i");
    assert_int_equal(sl_value_type(v), SL_INT);
    assert_true(sl_value_int(v, &i) && i == 41);
    assert_true(sl_value_double(v, &d) && d == 41);
    expect_text(v, NULL);
    expect_print(v, "41", "41");

    v = sl_value_get(item, "d");
    assert_int_equal(sl_value_type(v), SL_DECIMAL);
    assert_true(sl_value_double(v, &d) && d == 1.1);
    assert_false(sl_value_int(v, &i));
    assert_int_equal(i, 41); /* left alone */
    expect_text(v, "1.10");
    expect_print(v, "1.10", "1.10");

    v = sl_value_get(item, "t");
    expect_text(v, "Gr\xc3\xbc\xc3\x9f"
                   "e");
    assert_false(sl_value_bool(v, &b));
    expect_print(v,
                 "Gr\xc3\xbc\xc3\x9f"
                 "e",
                 "\"Gr\xc3\xbc\xc3\x9f"
                 "e\"");

    v = sl_value_get(item, "b");
    assert_true(sl_value_bool(v, &b) && b);
    expect_print(v, "true", "true");

    v = sl_value_get(item, "n");
    assert_non_null(v);
    assert_int_equal(sl_value_type(v), SL_NULL);
    expect_print(v, "", "null");

    v = sl_value_get(item, "l");
    assert_int_equal(sl_value_type(v), SL_LIST);
    assert_int_equal(sl_value_count(v), 3);
    expect_text(sl_value_at(v, 1), "zwei");
    assert_null(sl_value_at(v, 3));
    expect_print(v, "[1,\"zwei\",[]]", "[1,\"zwei\",[]]");

    v = sl_value_get(sl_value_get(item, "m"), "big");
    assert_int_equal(sl_value_type(v), SL_DECIMAL);
    assert_false(sl_value_int(v, &i));
    expect_text(v, "12345678901234567890");

    assert_true(sl_value_int(sl_value_get(item, "w"), &i) && i == 12);
    expect_text(sl_value_get(item, "e"), "");

    v = sl_value_get(item, "nosuch");
    assert_null(v);
    assert_int_equal(sl_value_type(v), SL_MISSING);
    assert_false(sl_value_int(v, &i) || sl_value_double(v, &d) || sl_value_bool(v, &b) ||
                 sl_value_time(v, &i));
    assert_null(sl_value_get(v, "below"));
    assert_int_equal(sl_value_count(v), 0);
    expect_text(v, NULL);
    expect_print(v, "", "");
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
}

static void test_fields_come_in_order(void **state) {
    (void)state;
    static const char *const names[] = {"z", "a", "m"};
    sl_pipeline *p = over(&pools[0], "push x");
    sl_source *s = source_of(p, "x");
    sl_stream *stream;
    push(s, "{\"z\": 1, \"a\": 2, \"m\": 3}");
    sl_source_end(s);
    const sl_value *item = only_item(p, &stream);
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        int64_t number;
        const char *key = sl_value_key(item, i, &n);
        assert_true(n == 1 && *key == *names[i]);
        assert_true(sl_value_int(sl_value_at(item, i), &number) && number == (int64_t)i + 1);
    }
    size_t n;
    assert_null(sl_value_key(item, 3, &n));
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
}

static void test_times_are_seconds(void **state) {
    (void)state;
    sl_stream *stream;
    int64_t seconds;
    sl_pipeline *p = over(&pools[0], "push x | typecast type=datetime");
    sl_source *s = source_of(p, "x");
    push(s, "{\"content\": \"2014-01-02T03:04:05+02:00\"}");
    sl_source_end(s);
    const sl_value *t = sl_value_get(only_item(p, &stream), "typecast");
    assert_int_equal(sl_value_type(t), SL_TIME);
    assert_true(sl_value_time(t, &seconds));
    assert_int_equal(seconds, 1388624645);
    expect_print(t, "2014-01-02T03:04:05+02:00", "\"2014-01-02T03:04:05+02:00\"");
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
}

static void test_printing_cuts_like_snprintf(void **state) {
    (void)state;
    sl_stream *stream;
    char out[4] = "xxx";
    sl_pipeline *p = over(&pools[0], "push x");
    sl_source *s = source_of(p, "x");
    push(s, "\"Pretoria\"");
    sl_source_end(s);
    const sl_value *v = only_item(p, &stream);
    assert_int_equal(sl_value_type(v), SL_TEXT_TYPE); /* a bare one */
    assert_int_equal(sl_value_print(v, NULL, 0), 8);
    assert_int_equal(sl_value_print(v, out, sizeof out), 8);
    assert_string_equal(out, "Pre");
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
}

/* What one pipeline hands out another takes. */
static void test_a_pipeline_feeds_another(void **state) {
    (void)state;
    sl_error err = {0};
    const sl_value *item;
    sl_pipeline *from = over(&pools[0], "push a"), *to = over(&pools[0], "push b | sum sum_key=n");
    sl_source *a = source_of(from, "a"), *b = source_of(to, "b");
    push(a, "{\"n\": 1.5}");
    push(a, "{\"n\": 2}");
    sl_source_end(a);
    sl_stream *stream = sl_pipeline_open(from, &err);
    while (sl_stream_item(stream, &item, &err) == SL_OK) {
        sl_source_put_value(b, "n", sl_value_get(item, "n"));
        ok(sl_source_push_item(b, &err), &err);
        ok(sl_source_push_value(b, item, &err), &err);
    }
    sl_stream_close(&stream);
    sl_source_end(b);
    expect_lines(to, "{\"sum\":7.0}\n");
    sl_pipeline_free(&from);
    sl_pipeline_free(&to);
}

/* ---- a function as sink ------------------------------------------------------------------------------------------------- */

typedef struct taker {
    int64_t n, most; /* taken; then it fails */
    sl_status then;
    bool in_order;
    pthread_t thread;
} taker;

static sl_status take(void *user, const sl_value *item, sl_error *err) {
    taker *t = user;
    int64_t id = -1;
    (void)err;
    t->in_order = t->in_order && sl_value_int(sl_value_get(item, "id"), &id) && id == t->n &&
                  pthread_equal(t->thread, pthread_self());
    return ++t->n == t->most ? t->then : SL_OK;
}

static sl_status run_into(const pool *at, taker *t, const char *sink, sl_error *err) {
    sl_pipeline *p = over(at, "push x");
    sl_source *s = source_of(p, "x");
    for (int64_t i = 0; i < 20000; i++) {
        sl_source_put_int(s, "id", i);
        ok(sl_source_push_item(s, err), err);
    }
    sl_source_end(s);
    assert_false(sl_pipeline_has_sink(p));
    ok(sl_pipeline_sink_function(p, take, t, err), err);
    if (sink) ok(sl_pipeline_sink(p, sink, err), err);
    assert_true(sl_pipeline_has_sink(p));
    *t = (taker){.most = t->most, .then = t->then, .in_order = true, .thread = pthread_self()};
    sl_status status = sl_pipeline_run(p, err);
    sl_pipeline_free(&p);
    return status;
}

static void test_a_function_takes_all_items_in_order(void **state) {
    (void)state;
    for (unsigned i = 0; i < POOLS; i++) {
        sl_error err = {0};
        taker t = {0};
        ok(run_into(&pools[i], &t, NULL, &err), &err);
        assert_int_equal(t.n, 20000);
        assert_true(t.in_order);
    }
}

static void test_a_function_ends_the_run_and_nothing_is_committed(void **state) {
    (void)state;
    char folder[] = "/tmp/sluice-api-XXXXXX", file[64];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/out.csv", folder);
    FILE *old = fopen(file, "w");
    assert_true(old && fputs("old\n", old) >= 0 && fclose(old) == 0);
    for (unsigned i = 0; i < POOLS; i++) {
        char line[16] = "";
        sl_error err = {0};
        taker t = {.most = 7000, .then = i ? SL_E_TEMP : SL_DONE};
        assert_int_equal(run_into(&pools[i], &t, file, &err), i ? SL_E_TEMP : SL_E_STOPPED);
        assert_int_equal(t.n, 7000);
        assert_true(t.in_order && err.text[0]);
        FILE *f = fopen(file, "r");
        assert_non_null(f);
        assert_non_null(fgets(line, sizeof line, f));
        fclose(f);
        assert_string_equal(line, "old\n");
    }
    unlink(file);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_pushed_before_the_run),
        cmocka_unit_test(test_items_made_of_fields),
        cmocka_unit_test(test_a_wrong_item_is_dropped_alone),
        cmocka_unit_test(test_a_failure_tells_which_item),
        cmocka_unit_test(test_names_are_checked),
        cmocka_unit_test(test_items_asked_for),
        cmocka_unit_test(test_fields_are_read_by_type),
        cmocka_unit_test(test_fields_come_in_order),
        cmocka_unit_test(test_times_are_seconds),
        cmocka_unit_test(test_printing_cuts_like_snprintf),
        cmocka_unit_test(test_a_pipeline_feeds_another),
        cmocka_unit_test(test_a_function_takes_all_items_in_order),
        cmocka_unit_test(test_a_function_ends_the_run_and_nothing_is_committed),
        cmocka_unit_test(test_a_function_that_fails_ends_the_run),
        cmocka_unit_test(test_a_conversation),
        cmocka_unit_test(test_items_pushed_during_the_run),
        cmocka_unit_test(test_the_pusher_learns_that_it_is_enough),
        cmocka_unit_test(test_waiting_for_items_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
