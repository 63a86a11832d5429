/* test_opener.c: byte streams from files, patterns, pipes and a server, packed and in other encodings; read by steps of many
 * sizes, for it is at the borders of buffers that bytes get lost. */
#include "sources/stream/opener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "files_fixture.h"
#include "http_fixture.h"
#include "net/inflate.h"

static scratch dir;
static sl_env env = {.unit = 1 << 20, .shared = true};

enum { SIZE = 300000 };
static char text[SIZE];

static size_t gzip(const char *in, size_t n, char *out, size_t cap) {
    z_stream z = {0};
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    z.next_in = (z_const Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)cap;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) abort();
    deflateEnd(&z);
    return cap - z.avail_out;
}

static int set_up(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < SIZE; i++) {
        seed = seed * 1664525u + 1013904223u;
        text[i] = i % 60 == 59 ? '\n' : (char)('a' + (seed >> 24) % 26);
    }
    return scratch_make(&dir);
}

static int tear_down(void **state) {
    (void)state;
    return scratch_remove(&dir);
}

/* Opens and reads everything, CAP bytes at a time. */
static sl_status slurp(const char *name, const char *encoding, size_t cap, sl_buf *out, sl_error *err) {
    sl_inflow *in = NULL;
    sl_status status = sl_inflow_open(name, sl_text_of(encoding), NULL, &env, &in, err);
    char *buf = malloc(cap);
    assert_non_null(buf);
    for (size_t n = 1; !status && n;) {
        status = sl_inflow_read(in, buf, cap, &n, err);
        if (!status) sl_buf_add(out, buf, n);
    }
    free(buf);
    sl_inflow_close(&in);
    return status;
}

static void expect_text(const char *file, const void *data, size_t n, const char *want, size_t nwant) {
    char path[256];
    static const size_t caps[] = {16, 4096, 1 << 20};
    scratch_write(&dir, file, data, n);
    scratch_path(&dir, file, path);
    for (size_t i = 0; i < SL_COUNT(caps); i++) {
        sl_buf out = {0};
        sl_error err = {0};
        sl_status status = slurp(path, "", caps[i], &out, &err);
        if (status) fail_msg("%s: %s", file, err.text);
        assert_int_equal(out.len, nwant);
        if (nwant) assert_memory_equal(out.data, want, nwant);
        sl_buf_free(&out);
    }
}

static void expect_error(const char *file, const void *data, size_t n, sl_status want, const char *words) {
    char path[256];
    scratch_write(&dir, file, data, n);
    scratch_path(&dir, file, path);
    sl_buf out = {0};
    sl_error err = {0};
    assert_int_equal(slurp(path, "", 4096, &out, &err), want);
    if (!strstr(err.text, words)) fail_msg("'%s' lacks '%s'", err.text, words);
    assert_string_equal(err.source, path);
    sl_buf_free(&out);
}

static void plain_files_are_read_as_they_are(void **state) {
    (void)state;
    expect_text("plain.txt", text, SIZE, text, SIZE);
    expect_text("empty.txt", "", 0, "", 0);
    expect_text("one.txt", "x", 1, "x", 1);
}

static void gzip_is_unpacked_and_must_be_whole(void **state) {
    (void)state;
    static char packed[SIZE * 2];
    size_t n = gzip(text, SIZE, packed, sizeof packed);
    expect_text("a.gz", packed, n, text, SIZE);
    expect_error("cut.gz", packed, n - 1, SL_E_IO, "gzip stream ends early");
    expect_error("half.gz", packed, n / 2, SL_E_IO, "gzip stream ends early");
    memcpy(packed + n, "rest", 4);
    expect_error("tail.gz", packed, n + 4, SL_E_IO, "damaged gzip stream");
    packed[n / 2] ^= 0x55;
    expect_error("bad.gz", packed, n, SL_E_IO, "damaged gzip stream");
}

static void gzip_members_follow_one_another(void **state) {
    (void)state;
    static char packed[SIZE * 2];
    size_t first = gzip(text, SIZE / 3, packed, sizeof packed);
    size_t second = gzip(text, 0, packed + first, sizeof packed - first);
    size_t n = first + second;
    n += gzip(text + SIZE / 3, SIZE - SIZE / 3, packed + n, sizeof packed - n);
    expect_text("members.gz", packed, n, text, SIZE);
    expect_error("members-cut.gz", packed, first + second + 5, SL_E_IO, "gzip stream ends early");
}

static void zstd_is_unpacked_and_must_be_whole(void **state) {
    (void)state;
    static char packed[SIZE * 2];
    size_t n = ZSTD_compress(packed, sizeof packed, text, SIZE / 2, 3);
    assert_false(ZSTD_isError(n));
    size_t m = ZSTD_compress(packed + n, sizeof packed - n, text + SIZE / 2, SIZE - SIZE / 2, 3);
    assert_false(ZSTD_isError(m));
    expect_text("a.zst", packed, n + m, text, SIZE);
    expect_text("b.zst", packed, n, text, SIZE / 2);
    expect_error("cut.zst", packed, n + m - 1, SL_E_IO, "zstd stream ends early");
    memcpy(packed + n, "rest", 4);
    expect_error("tail.zst", packed, n + 4, SL_E_IO, "damaged zstd stream");
}

static void a_bomb_is_refused(void **state) {
    (void)state;
    enum { ZEROS = 64 << 20 };
    char *zeros = calloc(1, ZEROS), *packed = malloc(1 << 20);
    assert_non_null(zeros);
    assert_non_null(packed);
    size_t n = gzip(zeros, ZEROS, packed, 1 << 20);
    expect_error("bomb.gz", packed, n, SL_E_IO, "more than 200 times");
    free(zeros);
    free(packed);
}

static void what_cannot_be_opened_is_named(void **state) {
    (void)state;
    sl_inflow *in = NULL;
    sl_error err = {0};
    assert_int_equal(sl_inflow_open("/no/such/file", (sl_text){0}, NULL, &env, &in, &err), SL_E_IO);
    assert_string_equal(
        err.text, "cannot open '/no/such/file': No such file or directory; there is no folder '/no/such'");
    err = (sl_error){0};
    assert_int_equal(sl_inflow_open(dir.dir, (sl_text){0}, NULL, &env, &in, &err), SL_E_IO);
    assert_non_null(strstr(err.text, "is a folder"));
    assert_null(in);
}

static void a_plain_file_can_be_read_by_ranges(void **state) {
    (void)state;
    char path[256], buf[100];
    scratch_write(&dir, "range.txt", text, SIZE);
    scratch_path(&dir, "range.txt", path);
    sl_inflow *in = NULL;
    size_t n;
    assert_int_equal(sl_inflow_open(path, (sl_text){0}, NULL, &env, &in, NULL), SL_OK);
    assert_int_equal(sl_inflow_read(in, buf, sizeof buf, &n, NULL), SL_OK);
    assert_string_equal(sl_inflow_path(in), path);
    assert_int_equal(sl_inflow_total(in), SIZE);
    sl_inflow_close(&in);
    int fd = -1;
    assert_int_equal(sl_range_open(path, &fd, NULL), SL_OK);
    assert_int_equal(sl_range_read(fd, path, 12345, buf, sizeof buf, NULL), SL_OK);
    assert_memory_equal(buf, text + 12345, sizeof buf);
    sl_error err = {0};
    assert_int_equal(sl_range_read(fd, path, SIZE - 10, buf, sizeof buf, &err), SL_E_TEMP);
    assert_non_null(strstr(err.text, "was cut"));
    sl_range_close(&fd);
}

static void other_encodings_are_converted(void **state) {
    (void)state;
    char path[256];
    scratch_write(&dir, "enc.txt", "caf\xe9\n", 5);
    scratch_path(&dir, "enc.txt", path);
    sl_buf out = {0};
    assert_int_equal(slurp(path, "iso8859-15", 16, &out, NULL), SL_OK);
    assert_string_equal(sl_buf_cstr(&out), "caf\xc3\xa9\n");
    sl_buf_clear(&out);
    scratch_write(&dir, "enc.txt",
                  "\xff\xfe"
                  "a\0\xe9\0",
                  6);
    assert_int_equal(slurp(path, "utf-16", 16, &out, NULL), SL_OK);
    assert_string_equal(sl_buf_cstr(&out), "a\xc3\xa9");
    sl_buf_clear(&out);
    sl_error err = {0};
    scratch_write(&dir, "enc.txt",
                  "\xff\xfe"
                  "a\0\xe9",
                  5);
    assert_int_equal(slurp(path, "utf-16", 16, &out, &err), SL_E_DATA);
    assert_string_equal(err.text, "the last character is cut off");
    err = (sl_error){0};
    assert_int_equal(slurp(path, "klingon", 16, &out, &err), SL_E_PLAN);
    assert_non_null(strstr(err.text, "unknown encoding 'klingon'"));
    sl_buf_free(&out);
}

/* Text in a two-byte encoding whose characters lie across the borders of every buffer on the way. */
static void characters_may_lie_across_buffers(void **state) {
    (void)state;
    enum { N = 100001 };
    char *wide = malloc(N * 2), path[256];
    assert_non_null(wide);
    for (size_t i = 0; i < N; i++) memcpy(wide + 2 * i, "\xe9\x00", 2);
    static char packed[1 << 16];
    size_t n = gzip(wide, N * 2, packed, sizeof packed);
    scratch_write(&dir, "wide.gz", packed, n);
    scratch_path(&dir, "wide.gz", path);
    sl_buf out = {0};
    assert_int_equal(slurp(path, "utf-16le", 17, &out, NULL), SL_OK);
    assert_int_equal(out.len, N * 2);
    for (size_t i = 0; i < N; i++) assert_memory_equal(out.data + 2 * i, "\xc3\xa9", 2);
    sl_buf_clear(&out);
    assert_int_equal(slurp(path, "utf-16le", 1, &out, NULL), SL_OK); /* less room than a character takes */
    assert_int_equal(out.len, N * 2);
    for (size_t i = 0; i < N; i++) assert_memory_equal(out.data + 2 * i, "\xc3\xa9", 2);
    sl_buf_free(&out);
    free(wide);
}

static void names_of_a_pattern_are_sorted_by_bytes(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_texts got;
    scratch_write(&dir, "g2.csv", "2", 1);
    scratch_write(&dir, "g10.csv", "10", 2);
    scratch_write(&dir, "g1.csv", "1", 1);
    assert_int_equal(sl_source_names(sl_text_of("g*.csv"), dir.dir, &arena, &got, NULL), SL_OK);
    assert_int_equal(got.n, 3);
    char path[256];
    scratch_path(&dir, "g1.csv", path);
    assert_string_equal(got.v[0].s, path);
    scratch_path(&dir, "g10.csv", path);
    assert_string_equal(got.v[1].s, path);
    scratch_path(&dir, "g2.csv", path);
    assert_string_equal(got.v[2].s, path);
    sl_error err = {0};
    assert_int_equal(sl_source_names(sl_text_of("nothing*.csv"), dir.dir, &arena, &got, &err), SL_E_IO);
    assert_non_null(strstr(err.text, "no file matches"));
    scratch_write(&dir, "odd[1].csv", "x", 1); /* a file of that very name is no pattern */
    assert_int_equal(sl_source_names(sl_text_of("odd[1].csv"), dir.dir, &arena, &got, NULL), SL_OK);
    assert_int_equal(got.n, 1);
    sl_arena_free(&arena);
}

static void expect_name(const char *url, const char *base, const char *want) {
    sl_arena arena = {0};
    sl_texts got;
    assert_int_equal(sl_source_names(sl_text_of(url), base, &arena, &got, NULL), SL_OK);
    assert_int_equal(got.n, 1);
    assert_string_equal(got.v[0].s, want);
    sl_arena_free(&arena);
}

static void names_are_paths_urls_or_standard_input(void **state) {
    (void)state;
    expect_name("-", "/base", "-");
    expect_name("stdin:", NULL, "-");
    expect_name("x.csv", NULL, "x.csv");
    expect_name("x.csv", "/base", "/base/x.csv");
    expect_name("x.csv", "/base/", "/base/x.csv");
    expect_name("/abs/x.csv", "/base", "/abs/x.csv");
    expect_name("file:///abs/a%20b.csv", "/base", "/abs/a b.csv");
    expect_name("file://localhost/abs/x", NULL, "/abs/x");
    expect_name("http://h/x?*", "/base", "http://h/x?*");
    expect_name("a:b.csv", NULL, "a:b.csv");
    sl_arena arena = {0};
    sl_texts got;
    sl_error err = {0};
    assert_int_equal(sl_source_names(sl_text_of("ftp://h/x"), NULL, &arena, &got, &err), SL_E_IO);
    assert_non_null(strstr(err.text, "urls begin with"));
    err = (sl_error){0};
    assert_int_equal(sl_source_names(sl_text_of("file://elsewhere/x"), NULL, &arena, &got, &err), SL_E_IO);
    assert_int_equal(sl_source_names(sl_text_n("a\0b", 3), NULL, &arena, &got, NULL), SL_E_IO);
    assert_int_equal(sl_source_names((sl_text){0}, NULL, &arena, &got, NULL), SL_E_IO);
    sl_arena_free(&arena);
}

/* Standard input as a pipe that another process fills bit by bit. */
static void standard_input_is_read_to_its_end(void **state) {
    (void)state;
    int p[2], kept = dup(0);
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(p[0]);
        for (size_t at = 0; at < SIZE; at += 50000) {
            if (write(p[1], text + at, 50000) != 50000) _exit(1);
            poll(NULL, 0, 1);
        }
        _exit(0);
    }
    close(p[1]);
    dup2(p[0], 0);
    close(p[0]);
    sl_buf out = {0};
    sl_error err = {0};
    assert_int_equal(slurp("-", "", 4096, &out, &err), SL_OK);
    dup2(kept, 0);
    close(kept);
    waitpid(pid, NULL, 0);
    assert_int_equal(out.len, SIZE);
    assert_memory_equal(out.data, text, SIZE);
    sl_buf_free(&out);
}

static void a_silent_pipe_can_be_stopped(void **state) {
    (void)state;
    int p[2], kept = dup(0);
    assert_int_equal(pipe(p), 0);
    dup2(p[0], 0);
    atomic_bool stopping = true;
    env.stopping = &stopping;
    sl_buf out = {0};
    assert_int_equal(slurp("-", "", 4096, &out, NULL), SL_E_STOPPED);
    env.stopping = NULL;
    dup2(kept, 0);
    close(kept);
    close(p[0]);
    close(p[1]);
}

static void what_is_fetched_is_what_the_file_holds(void **state) {
    (void)state;
    static char packed[SIZE * 2], url[256];
    size_t n = gzip(text, SIZE, packed, sizeof packed);
    scratch_write(&dir, "web.txt", text, SIZE);
    scratch_write(&dir, "web.gz", packed, n);
    server web = {0};
    assert_int_equal(server_start(&web, dir.dir), 0);
    static const char *const paths[] = {"/web.txt", "/gzip/web.txt", "/web.gz", "/gzip/web.gz",
                                        "/chunked/web.gz"};
    for (size_t i = 0; i < SL_COUNT(paths); i++) {
        sl_buf out = {0};
        sl_error err = {0};
        sl_status status = slurp(server_url(&web, paths[i], url), "", 4096, &out, &err);
        if (status) fail_msg("%s: %s", paths[i], err.text);
        assert_int_equal(out.len, SIZE);
        assert_memory_equal(out.data, text, SIZE);
        sl_buf_free(&out);
    }
    sl_buf out = {0};
    sl_error err = {0};
    assert_int_equal(slurp(server_url(&web, "/no.txt", url), "", 4096, &out, &err), SL_E_IO);
    assert_non_null(strstr(err.text, "404 Not Found"));
    assert_int_equal(server_stop(&web), 0);
}

static void expect_answer(const char *type, const char *encoding, const char *want) {
    char response[256], url[64];
    pid_t pid;
    snprintf(response, sizeof response,
             "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 4\r\nConnection: close\r\n\r\ncaf\xe9",
             type);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", serve_once(response, &pid));
    sl_buf out = {0};
    sl_error err = {0};
    sl_status status = slurp(url, encoding, 4096, &out, &err);
    waitpid(pid, NULL, 0);
    if (status) fail_msg("%s: %s", type, err.text);
    assert_string_equal(sl_buf_cstr(&out), want);
    sl_buf_free(&out);
}

/* The server's word counts unless ours does. */
static void the_charset_of_an_answer_counts_unless_one_is_given(void **state) {
    (void)state;
    expect_answer("text/csv; charset=ISO-8859-1", "", "caf\xc3\xa9");
    expect_answer("text/csv; header=present; Charset=\"windows-1252\"", "", "caf\xc3\xa9");
    expect_answer("text/csv; charset=ISO-8859-1", "utf-8", "caf\xe9");
    expect_answer("text/csv; charset=cp437", "iso-8859-1", "caf\xc3\xa9");
    expect_answer("text/csv; charset=nonsense", "", "caf\xe9");
    expect_answer("text/csv", "", "caf\xe9");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_files_are_read_as_they_are),
        cmocka_unit_test(gzip_is_unpacked_and_must_be_whole),
        cmocka_unit_test(gzip_members_follow_one_another),
        cmocka_unit_test(zstd_is_unpacked_and_must_be_whole),
        cmocka_unit_test(a_bomb_is_refused),
        cmocka_unit_test(what_cannot_be_opened_is_named),
        cmocka_unit_test(a_plain_file_can_be_read_by_ranges),
        cmocka_unit_test(other_encodings_are_converted),
        cmocka_unit_test(characters_may_lie_across_buffers),
        cmocka_unit_test(names_of_a_pattern_are_sorted_by_bytes),
        cmocka_unit_test(names_are_paths_urls_or_standard_input),
        cmocka_unit_test(standard_input_is_read_to_its_end),
        cmocka_unit_test(a_silent_pipe_can_be_stopped),
        cmocka_unit_test(what_is_fetched_is_what_the_file_holds),
        cmocka_unit_test(the_charset_of_an_answer_counts_unless_one_is_given),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
