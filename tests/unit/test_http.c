/* test_http.c: HTTP against a server of our own that is slow, silent, flaky or cut short on request (tests/http/server.py). A
 * real one does none of that when it is wanted. */
#include "net/http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "files_fixture.h"
#include "http_fixture.h"

static scratch dir;
static server web;
static char small_text[20000];

enum { LARGE = 12 << 20 };

static int set_up(void **state) {
    (void)state;
    if (scratch_make(&dir)) return -1;
    for (size_t i = 0; i < sizeof small_text; i++) small_text[i] = i % 40 == 39 ? '\n' : (char)('a' + i % 26);
    scratch_write(&dir, "small.txt", small_text, sizeof small_text);
    char *large = malloc(LARGE);
    if (!large) return -1;
    for (size_t i = 0; i < LARGE; i++) large[i] = (char)(i * 2654435761u >> 13);
    scratch_write(&dir, "large.bin", large, LARGE);
    free(large);
    return server_start(&web, dir.dir);
}

static int tear_down(void **state) {
    (void)state;
    int rc = server_stop(&web);
    return scratch_remove(&dir) || rc;
}

static sl_http *session(const sl_http_options *options) {
    sl_http *h = NULL;
    assert_int_equal(sl_http_new(options, &h, NULL), SL_OK);
    return h;
}

static sl_fetch *get_so(sl_http *h, const char *path, const sl_manners *manners) {
    char url[256];
    sl_fetch *f = NULL;
    sl_request request = {.url = server_url(&web, path, url), .manners = manners};
    assert_int_equal(sl_http_get(h, &request, &f, NULL), SL_OK);
    return f;
}

static sl_fetch *get(sl_http *h, const char *path) {
    return get_so(h, path, NULL);
}

/* Reads to the end or the failure. */
static sl_status read_all(sl_fetch *f, sl_buf *out, sl_error *err) {
    char buf[4096];
    for (;;) {
        size_t n;
        sl_status status = sl_fetch_read(f, buf, sizeof buf, &n, err);
        if (status || !n) return status;
        sl_buf_add(out, buf, n);
    }
}

static void expect_small(const char *path) {
    sl_http *h = session(&(sl_http_options){0});
    sl_fetch *f = get(h, path);
    sl_buf body = {0};
    sl_error err = {0};
    sl_status status = read_all(f, &body, &err);
    if (status) fail_msg("%s: %s", path, err.text);
    assert_int_equal(body.len, sizeof small_text);
    assert_memory_equal(body.data, small_text, body.len);
    sl_buf_free(&body);
    sl_http_free(&h);
}

static void expect_failure(const char *path, const sl_manners *manners, sl_status want, const char *text) {
    sl_http *h = session(&(sl_http_options){0});
    sl_fetch *f = get_so(h, path, manners);
    sl_buf body = {0};
    sl_error err = {0};
    assert_int_equal(read_all(f, &body, &err), want);
    if (!strstr(err.text, text)) fail_msg("'%s' lacks '%s'", err.text, text);
    sl_buf_free(&body);
    sl_http_free(&h);
}

static void good_answers_arrive_whole_however_they_travel(void **state) {
    (void)state;
    expect_small("/small.txt");
    expect_small("/chunked/small.txt");
    expect_small("/gzip/small.txt");
    expect_small("/redirect/3/small.txt");
    expect_small("/redirect/10/small.txt");
    expect_small("/slow/small.txt?delay=0.005");
}

static void the_head_tells_type_and_length(void **state) {
    (void)state;
    sl_http *h = session(&(sl_http_options){0});
    sl_fetch *f = get(h, "/small.txt");
    assert_int_equal(sl_fetch_head(f, NULL), SL_OK);
    assert_memory_equal(sl_fetch_type(f), "text/plain", 10);
    assert_int_equal(sl_fetch_length(f), sizeof small_text);
    sl_http_free(&h);
}

static void failures_name_the_url_and_the_status(void **state) {
    (void)state;
    const sl_manners *none = NULL;
    sl_manners short_body = sl_plain_manners;
    short_body.max_body = 1 << 20;
    expect_failure("/missing.txt", none, SL_E_IO, "/missing.txt: 404 Not Found");
    expect_failure("/status/403", none, SL_E_IO, "403 Forbidden");
    expect_failure("/status/304", none, SL_E_IO, "/status/304: 304");
    expect_failure("/loop", none, SL_E_IO, "/loop");
    expect_failure("/redirect/11/small.txt", none, SL_E_IO, "redirect");
    expect_failure("/badgzip/small.txt", none, SL_E_IO, "gzip stream ends early");
    expect_failure("/endless", &short_body, SL_E_IO, "longer than the limit of 1048576");
}

static void a_body_cut_short_is_an_error(void **state) {
    (void)state;
    sl_manners once = sl_plain_manners;
    once.retries = 1;
    expect_failure("/truncate/small.txt", &once, SL_E_TEMP, "/truncate/small.txt");
    expect_failure("/badchunked/small.txt", &once, SL_E_TEMP, "/badchunked/small.txt");
}

static void an_answer_that_may_pass_is_asked_for_again(void **state) {
    (void)state;
    sl_http *h = session(&(sl_http_options){0});
    sl_fetch *f = get(h, "/flaky/2/small.txt");
    sl_buf body = {0};
    assert_int_equal(read_all(f, &body, NULL), SL_OK);
    assert_int_equal(body.len, sizeof small_text);
    assert_int_equal(sl_http_retries(h), 2);
    sl_buf_free(&body);
    sl_http_free(&h);
}

static void after_the_last_retry_the_failure_is_temporary(void **state) {
    (void)state;
    sl_http *h = session(&(sl_http_options){0});
    sl_manners once = sl_plain_manners;
    once.retries = 1;
    sl_fetch *f = get_so(h, "/status/503", &once);
    sl_error err = {0};
    assert_int_equal(sl_fetch_head(f, &err), SL_E_TEMP);
    assert_non_null(strstr(err.text, "503 Service Unavailable"));
    assert_int_equal(sl_http_retries(h), 1);
    sl_request nobody = {.url = "http://127.0.0.1:1/x", .manners = &once};
    assert_int_equal(sl_http_get(h, &nobody, &f, NULL), SL_OK);
    err = (sl_error){0};
    assert_int_equal(sl_fetch_head(f, &err), SL_E_TEMP);
    assert_non_null(strstr(err.text, "http://127.0.0.1:1/x"));
    sl_http_free(&h);
}

/* More patience than there is: no second request. */
static void a_retry_that_is_too_far_off_is_not_waited_for(void **state) {
    (void)state;
    pid_t pid;
    char url[64];
    snprintf(
        url, sizeof url, "http://127.0.0.1:%d/",
        serve_once("HTTP/1.1 429 Slow\r\nRetry-After: 100\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                   &pid));
    sl_http *h = session(&(sl_http_options){0});
    sl_fetch *f = NULL;
    sl_error err = {0};
    uint64_t before = sl_clock_ns();
    assert_int_equal(sl_http_get(h, &(sl_request){.url = url}, &f, NULL), SL_OK);
    assert_int_equal(sl_fetch_head(f, &err), SL_E_TEMP);
    assert_non_null(strstr(err.text, "429 Too Many Requests"));
    assert_int_equal(sl_http_retries(h), 0);
    assert_true(sl_clock_ns() - before < 5000000000u);
    sl_http_free(&h);
    waitpid(pid, NULL, 0);
}

static void a_silent_server_is_given_up(void **state) {
    (void)state;
    sl_manners hasty = sl_plain_manners;
    hasty.idle_timeout = 1;
    hasty.retries = 1;
    expect_failure("/slow/small.txt?delay=9", &hasty, SL_E_TEMP, "/slow/small.txt");
}

static void other_schemes_are_refused(void **state) {
    (void)state;
    sl_http *h = session(&(sl_http_options){0});
    sl_fetch *f = NULL;
    sl_error err = {0};
    assert_int_equal(sl_http_get(h, &(sl_request){.url = "ftp://127.0.0.1/x"}, &f, &err), SL_E_IO);
    assert_non_null(strstr(err.text, "not an http or https URL"));
    err = (sl_error){0};
    assert_int_equal(sl_http_get(h, &(sl_request){.url = "http://me:secret@/x"}, &f, &err), SL_E_IO);
    assert_null(strstr(err.text, "secret"));
    sl_http_free(&h);
}

/* The second body is larger than the window: it stops there until somebody reads, and then comes whole. */
static void reading_one_while_others_arrive(void **state) {
    (void)state;
    enum { WINDOW = 1 << 20 };
    sl_http *h = session(&(sl_http_options){.window = WINDOW, .connections = 4});
    sl_fetch *slow = get(h, "/slow/small.txt?delay=0.01"), *large = get(h, "/large.bin");
    sl_buf body = {0};
    assert_int_equal(read_all(slow, &body, NULL), SL_OK);
    uint64_t waiting = sl_fetch_received(large);
    assert_true(waiting >= WINDOW);
    assert_true(waiting <= 2 * WINDOW);
    sl_buf_clear(&body);
    assert_int_equal(read_all(large, &body, NULL), SL_OK);
    assert_int_equal(body.len, LARGE);
    for (size_t i = 0; i < LARGE; i += 997) assert_int_equal(body.data[i], (char)(i * 2654435761u >> 13));
    sl_buf_free(&body);
    sl_http_free(&h);
}

static void slow_answers_overlap(void **state) {
    (void)state;
    sl_http *h = session(&(sl_http_options){.connections = 4, .per_host = 4});
    sl_fetch *f[4];
    for (int i = 0; i < 4; i++) f[i] = get(h, "/slow/small.txt?delay=0.01"); /* 0.64 s each */
    uint64_t before = sl_clock_ns();
    for (int i = 0; i < 4; i++) {
        sl_buf body = {0};
        assert_int_equal(read_all(f[i], &body, NULL), SL_OK);
        assert_int_equal(body.len, sizeof small_text);
        sl_buf_free(&body);
    }
    assert_true(sl_clock_ns() - before < 1900000000u);
    sl_http_free(&h);
}

/* With one connection, held by a transfer nobody reads, the one that is read still gets its turn. */
static void a_paused_transfer_does_not_hold_up_others(void **state) {
    (void)state;
    sl_http *h = session(&(sl_http_options){.window = 1 << 16, .connections = 1});
    sl_fetch *large = get(h, "/large.bin"), *other = get(h, "/small.txt");
    assert_int_equal(sl_fetch_head(large, NULL), SL_OK);
    sl_buf body = {0};
    assert_int_equal(read_all(other, &body, NULL), SL_OK);
    assert_int_equal(body.len, sizeof small_text);
    sl_fetch_close(&other);
    sl_buf_clear(&body);
    assert_int_equal(read_all(large, &body, NULL), SL_OK);
    assert_int_equal(body.len, LARGE);
    sl_buf_free(&body);
    sl_http_free(&h);
}

/* Paused and resumed hundreds of times, in every way a body can travel. */
static void pauses_lose_no_byte(void **state) {
    (void)state;
    static const char *const paths[] = {"/large.bin", "/chunked/large.bin", "/gzip/large.bin"};
    for (size_t i = 0; i < SL_COUNT(paths); i++) {
        sl_http *h = session(&(sl_http_options){.window = 1 << 14});
        sl_fetch *f = get(h, paths[i]);
        sl_buf body = {0};
        sl_error err = {0};
        sl_status status = read_all(f, &body, &err);
        if (status) fail_msg("%s: %s", paths[i], err.text);
        assert_int_equal(body.len, LARGE);
        for (size_t at = 0; at < LARGE; at += 997)
            assert_int_equal(body.data[at], (char)(at * 2654435761u >> 13));
        sl_buf_free(&body);
        sl_http_free(&h);
    }
}

static void stopping_ends_a_wait(void **state) {
    (void)state;
    atomic_bool stopping = true;
    sl_http *h = session(&(sl_http_options){.stopping = &stopping});
    sl_fetch *f = get(h, "/slow/small.txt?delay=5");
    sl_error err = {0};
    assert_int_equal(sl_fetch_head(f, &err), SL_E_STOPPED);
    assert_non_null(strstr(err.text, "stopped"));
    sl_http_free(&h);
}

static void bytes_come_before_the_end(void **state) {
    (void)state;
    sl_http *h = session(&(sl_http_options){0});
    sl_fetch *f = get(h, "/slow/small.txt?delay=0.05"); /* 3.2 s in all */
    char buf[4096];
    size_t n;
    assert_false(sl_fetch_wait(f, 0));
    uint64_t before = sl_clock_ns();
    assert_int_equal(sl_fetch_read(f, buf, sizeof buf, &n, NULL), SL_OK);
    assert_true(n > 0 && n < sizeof small_text);
    assert_true(sl_clock_ns() - before < 1500000000u);
    sl_fetch_close(&f);
    sl_http_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_answers_arrive_whole_however_they_travel),
        cmocka_unit_test(the_head_tells_type_and_length),
        cmocka_unit_test(failures_name_the_url_and_the_status),
        cmocka_unit_test(a_body_cut_short_is_an_error),
        cmocka_unit_test(an_answer_that_may_pass_is_asked_for_again),
        cmocka_unit_test(after_the_last_retry_the_failure_is_temporary),
        cmocka_unit_test(a_retry_that_is_too_far_off_is_not_waited_for),
        cmocka_unit_test(a_silent_server_is_given_up),
        cmocka_unit_test(other_schemes_are_refused),
        cmocka_unit_test(reading_one_while_others_arrive),
        cmocka_unit_test(slow_answers_overlap),
        cmocka_unit_test(a_paused_transfer_does_not_hold_up_others),
        cmocka_unit_test(pauses_lose_no_byte),
        cmocka_unit_test(stopping_ends_a_wait),
        cmocka_unit_test(bytes_come_before_the_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
