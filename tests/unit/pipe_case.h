/* pipe_case.h: a pipe between a source and the test, driven through the public functions.
 *
 *     expect_items(NATIVE, "[{\"a\": 1}]", "{\"type\": \"rename\", \"conf\": ...}", "{\"b\":1}\n");
 *
 * Input that begins with [ or { is JSON, anything else CSV. */
#ifndef SL_TESTS_PIPE_CASE_H
#define SL_TESTS_PIPE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/buffer.h"
#include "sluice.h"

#define NATIVE "native"
#define RIKO   "riko"

/* What came out, a JSON text a line; or the failure. */
typedef struct pipe_result {
    sl_buf lines;
    sl_error error;
} pipe_result;

static inline void write_input(char path[64], const char *input) {
    strcpy(path, "/tmp/sluice-pipe-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, input, strlen(input)), strlen(input));
    close(fd);
}

static inline pipe_result run_steps(const char *dialect, const char *input, const char *steps) {
    pipe_result r = {0};
    char path[64];
    sl_buf definition = {0};
    bool json = *input == '[' || *input == '{';
    write_input(path, input);
    sl_buf_printf(&definition, "{\"dialect\": \"%s\", \"modules\": [{\"type\": \"%s\", \"conf\": {\"url\": \"%s\"%s}}, %s]}",
                  dialect, json ? "fetchdata" : "csv", path, json ? ", \"type\": \"json\"" : "", steps);
    sl_pipeline *p = sl_pipeline_new();
    assert_non_null(p);
    sl_status s = sl_pipeline_load(p, sl_buf_cstr(&definition), "case", &r.error);
    sl_stream *stream = s == SL_OK ? sl_pipeline_open(p, &r.error) : NULL;
    const char *item;
    size_t n;
    while (stream && sl_stream_next(stream, &item, &n, &r.error) == SL_OK) {
        sl_buf_add(&r.lines, item, n);
        sl_buf_byte(&r.lines, '\n');
    }
    sl_stream_close(&stream);
    sl_pipeline_free(&p);
    sl_buf_free(&definition);
    unlink(path);
    return r;
}

static inline void expect_items(const char *dialect, const char *input, const char *steps, const char *expected) {
    pipe_result r = run_steps(dialect, input, steps);
    if (r.error.code) print_error("%s: %s\n", steps, r.error.text);
    assert_int_equal(r.error.code, SL_OK);
    assert_string_equal(sl_buf_cstr(&r.lines), expected);
    sl_buf_free(&r.lines);
}

/* PART must be in the message. */
static inline void expect_failure(const char *dialect, const char *input, const char *steps, sl_status code, const char *part) {
    pipe_result r = run_steps(dialect, input, steps);
    assert_int_equal(r.error.code, code);
    if (!strstr(r.error.text, part)) print_error("got: %s\n", r.error.text);
    assert_non_null(strstr(r.error.text, part));
    sl_buf_free(&r.lines);
}

#endif
