/* test_base.c: the parts of src/base that need no file: arenas, buffers, errors, texts, hashes, UTF-8. Everything else stands
 * on these, so their edges are tried here and not where they would show as something else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/unicode.h"

static void arena_gives_aligned_memory_that_does_not_overlap(void **state) {
    (void)state;
    sl_arena a = {0};
    unsigned char *p[300];
    for (size_t i = 0; i < 300; i++) {
        p[i] = sl_arena_alloc(&a, i * 37);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        memset(p[i], (int)(i & 0xff), i * 37);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t k = 0; k < i * 37; k++) assert_int_equal(p[i][k], i & 0xff);
    sl_arena_free(&a);
    assert_null(a.blocks);
}

static void arena_reset_keeps_the_largest_block(void **state) {
    (void)state;
    sl_arena a = {0};
    assert_non_null(sl_arena_alloc(&a, 100));
    void *large = sl_arena_alloc(&a, 3 << 20);
    for (int i = 0; i < 1000; i++) assert_non_null(sl_arena_alloc(&a, 1000));
    sl_arena_reset(&a);
    assert_true(a.total >= 3 << 20 && a.total < (3 << 20) + 4096);
    assert_ptr_equal(sl_arena_alloc(&a, 1 << 20), large);
    sl_arena_free(&a);
}

static void texts_of_an_arena_are_copies_and_too_much_is_refused(void **state) {
    (void)state;
    sl_arena a = {0};
    assert_string_equal(sl_arena_printf(&a, "%d-%s", 7, "x").s, "7-x");
    assert_string_equal(sl_arena_strndup(&a, "abcdef", 3), "abc");
    assert_non_null(sl_arena_text(&a, (sl_text){NULL, 0}).s);
    assert_null(sl_arena_calloc(&a, SIZE_MAX / 2, 4));
    assert_null(sl_arena_grow(&a, SIZE_MAX));
    sl_arena_free(&a);
}

static void buffer_latches_what_does_not_fit(void **state) {
    (void)state;
    sl_error err = {0};
    sl_buf b = {.limit = 1000};
    for (int i = 0; i < 100; i++) sl_buf_str(&b, "0123456789");
    assert_int_equal(sl_buf_check(&b, &err), SL_OK);
    assert_int_equal(b.len, 1000);
    sl_buf_byte(&b, 'x');
    assert_int_equal(b.len, 1000);
    assert_int_equal(sl_buf_check(&b, &err), SL_E_MEMORY);
    assert_non_null(strstr(err.text, "1000"));
    sl_buf_clear(&b);
    sl_buf_printf(&b, "%s=%d", "n", 5);
    assert_string_equal(sl_buf_cstr(&b), "n=5");
    assert_int_equal(sl_buf_check(&b, NULL), SL_OK);
    sl_buf_free(&b);
}

static void cursor_reads_what_was_written_and_no_more(void **state) {
    (void)state;
    sl_buf b = {0};
    sl_buf_u32(&b, 7);
    sl_buf_u64(&b, UINT64_MAX);
    sl_buf_str(&b, "ab");
    sl_cursor c = {b.data, b.data + b.len, false};
    assert_int_equal(sl_cursor_u32(&c), 7);
    assert_true(sl_cursor_u64(&c) == UINT64_MAX);
    assert_null(sl_cursor_bytes(&c, 3));
    assert_true(c.failed);
    assert_int_equal(sl_cursor_u32(&c), 0);
    assert_null(sl_cursor_bytes(&c, 1));
    sl_buf_free(&b);
}

static void arrays_grow_by_doubling_and_not_beyond_their_count(void **state) {
    (void)state;
    uint32_t *v = NULL, cap = 0;
    unsigned moves = 0;
    for (uint32_t n = 0; n < 5000; n++) {
        uint32_t before = cap;
        assert_true(SL_ROOM(v, cap, n + 1));
        moves += cap != before;
        v[n] = n;
    }
    for (uint32_t n = 0; n < 5000; n++) assert_int_equal(v[n], n);
    assert_true(cap >= 5000 && moves < 12);
    assert_true(SL_ROOM(v, cap, cap) && cap < 10000);
    uint32_t *whole = v, had = cap;
    size_t beyond = (size_t)UINT32_MAX + 1; /* what CAP can say */
    assert_false(SL_ROOM(v, cap, beyond));
    assert_ptr_equal(v, whole);
    assert_int_equal(cap, had);
    free(v);
    size_t wide = 0;
    char(*rows)[100] = NULL;
    assert_true(SL_ROOM(rows, wide, 1000) && wide == 1000);
    free(rows);
    rows = NULL;
    wide = 0;
    assert_false(SL_ROOM(rows, wide, SIZE_MAX / 50));
    assert_null(rows);
}

static void error_keeps_the_first_failure(void **state) {
    (void)state;
    sl_error err = {0};
    sl_error_at(&err, "nowhere", 1, 1);
    assert_int_equal(err.line, 0);
    assert_int_equal(sl_fail(&err, SL_E_DATA, "no column '%s'", "a\nb"), SL_E_DATA);
    assert_int_equal(sl_fail(&err, SL_E_IO, "later"), SL_E_IO);
    sl_error_at(&err, "x.csv", 3, 9);
    sl_error_at(&err, "y.csv", 4, 1);
    sl_error_step(&err, 3, "filter");
    sl_error_step(&err, 4, "sort");
    char out[200];
    assert_string_equal(sl_error_format(&err, out, sizeof out),
                        "x.csv:3:9: step 3 (filter): no column 'a\\nb'");
    assert_string_equal(sl_error_format(&err, out, 6), "x.csv");
    assert_int_equal(sl_fail(NULL, SL_E_DATA, "nobody listens"), SL_E_DATA);
}

static void error_leaves_out_unknown_parts(void **state) {
    (void)state;
    char out[400];
    sl_error bare = {0}, placed = {0}, stepped = {0};
    assert_int_equal(sl_oom(&bare), SL_E_MEMORY);
    assert_string_equal(sl_error_format(&bare, out, sizeof out), "out of memory");
    assert_int_equal(sl_fail_errno(&placed, ENOENT, "cannot open", "f"), SL_E_IO);
    sl_error_at(&placed, "p.json", 0, 0);
    assert_string_equal(sl_error_format(&placed, out, sizeof out),
                        "p.json: cannot open 'f': No such file or directory");
    assert_int_equal(sl_fail_errno(&stepped, ECONNREFUSED, "cannot connect", NULL), SL_E_TEMP);
    sl_error_step(&stepped, 2, NULL);
    assert_string_equal(sl_error_format(&stepped, out, sizeof out),
                        "step 2: cannot connect: Connection refused");
}

static void error_keeps_the_tail_of_a_long_source(void **state) {
    (void)state;
    char name[600];
    memset(name, 'a', sizeof name);
    memcpy(name + sizeof name - 5, ".csv", 5);
    sl_error err = {0};
    assert_int_equal(sl_fail(&err, SL_E_DATA, "bad"), SL_E_DATA);
    sl_error_at(&err, name, 1, 0);
    assert_int_equal(strlen(err.source), sizeof err.source - 1);
    assert_memory_equal(err.source, "...aaa", 6);
    assert_string_equal(err.source + sizeof err.source - 5, ".csv");
}

static void every_status_has_its_exit_code(void **state) {
    (void)state;
    static const int codes[] = {0, 0, 2, 2, 1, 1, 75, 1, 130, 70};
    for (unsigned s = 0; s < SL_COUNT(codes); s++) assert_int_equal(sl_exit_code((sl_status)s), codes[s]);
}

static void version_begins_with_the_numbers_of_the_header(void **state) {
    (void)state;
    char numbers[64];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", SL_VERSION_MAJOR, SL_VERSION_MINOR, SL_VERSION_PATCH);
    assert_memory_equal(sl_version(), numbers, strlen(numbers));
}

static void text_is_found_from_any_place_and_trimmed(void **state) {
    (void)state;
    sl_text hay = SL_TEXT("abcabcabd");
    assert_int_equal(sl_text_find(hay, SL_TEXT("abd"), 0), 6);
    assert_int_equal(sl_text_find(hay, SL_TEXT("abc"), 1), 3);
    assert_int_equal(sl_text_find(hay, SL_TEXT("x"), 0), -1);
    assert_int_equal(sl_text_find(hay, SL_TEXT(""), 9), 9);
    assert_int_equal(sl_text_find(hay, SL_TEXT(""), 10), -1);
    assert_int_equal(sl_text_find((sl_text){NULL, 0}, SL_TEXT("a"), 0), -1);
    assert_true(sl_text_is(sl_text_trim(SL_TEXT("\t a b\r\n")), "a b"));
    assert_int_equal(sl_text_trim(SL_TEXT(" \v\f ")).n, 0);
    assert_true(sl_text_eq_nocase(SL_TEXT("TiTle"), SL_TEXT("title")));
    assert_false(sl_text_eq_nocase(SL_TEXT("title"), SL_TEXT("titles")));
    assert_true(sl_text_cmp(SL_TEXT("ab"), SL_TEXT("abc")) < 0);
}

static void text_nearest_is_near(void **state) {
    (void)state;
    static const char *const names[] = {"filter", "sort", "truncate", "uniq", NULL};
    assert_int_equal(sl_text_distance(SL_TEXT("kitten"), SL_TEXT("sitting"), 9), 3);
    assert_int_equal(sl_text_distance(SL_TEXT("kitten"), SL_TEXT("sitting"), 2), 2);
    assert_string_equal(sl_text_nearest(SL_TEXT("fliter"), names), "filter");
    assert_string_equal(sl_text_nearest(SL_TEXT("SORT"), names), "sort");
    assert_string_equal(sl_text_nearest(SL_TEXT("truncat"), names), "truncate");
    assert_null(sl_text_nearest(SL_TEXT("banana"), names));
}

static void hash_spreads_and_repeats(void **state) {
    (void)state;
    char bytes[64];
    uint64_t seen[65];
    memset(bytes, 0, sizeof bytes);
    for (size_t n = 0; n <= 64; n++) {
        seen[n] = sl_hash(bytes, n, 1);
        assert_true(seen[n] == sl_hash(bytes, n, 1));
        assert_true(seen[n] != sl_hash(bytes, n, 2));
        for (size_t k = 0; k < n; k++) assert_true(seen[k] != seen[n]);
        for (size_t k = 0; k < n; k++) {
            bytes[k] = 1;
            assert_true(sl_hash(bytes, n, 1) != seen[n]);
            bytes[k] = 0;
        }
    }
}

static void hash_fills_buckets_evenly(void **state) {
    (void)state;
    unsigned bucket[1024] = {0};
    for (uint32_t i = 0; i < 102400; i++) bucket[sl_hash(&i, sizeof i, 0) % 1024]++;
    for (unsigned i = 0; i < 1024; i++) assert_in_range(bucket[i], 50, 160);
}

static void utf8_is_decoded_as_it_was_encoded(void **state) {
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 97) {
        if (code >= 0xd800 && code <= 0xdfff) continue;
        char out[4];
        uint32_t back = UINT32_MAX;
        unsigned n = sl_utf8_encode(code, out);
        assert_int_equal(sl_utf8_decode(out, n, &back), n);
        assert_int_equal(back, code);
        assert_int_equal(sl_utf8_decode(out, n - 1, &back), 0);
    }
}

static void utf8_refuses_bad_bytes(void **state) {
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xc3(",
                                      "\xe2\x82"};
    char line[128];
    for (unsigned i = 0; i < SL_COUNT(bad); i++) {
        uint32_t code;
        assert_int_equal(sl_utf8_decode(bad[i], strlen(bad[i]), &code), 0);
        for (size_t at = 0; at < 70; at++) {
            memset(line, 'a', sizeof line);
            memcpy(line + at, bad[i], strlen(bad[i]));
            assert_int_equal(sl_utf8_valid_prefix(line, 80), at);
        }
    }
    assert_int_equal(sl_utf8_valid_prefix("gr\xc3\xbc\xc3\x9f", 6), 6);
}

static void utf8_counts_code_points(void **state) {
    (void)state;
    sl_text t = SL_TEXT("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z");
    assert_int_equal(sl_utf8_length(t), 5);
    static const uint32_t offsets[] = {0, 1, 3, 6, 10, 11, 11};
    for (uint32_t i = 0; i < SL_COUNT(offsets); i++) assert_int_equal(sl_utf8_offset(t, i), offsets[i]);
}

static void utf8_strips_white_space(void **state) {
    (void)state;
    assert_true(sl_text_is(sl_utf8_strip(sl_text_of("\t \xe3\x80\x80 a b\xc2\xa0\x1c\n")), "a b"));
    assert_true(sl_text_is(sl_utf8_strip(sl_text_of("\xa0 x \xe2\x80")), "\xa0 x \xe2\x80"));
    assert_int_equal(sl_utf8_strip(sl_text_of(" \xe2\x80\xa8 ")).n, 0);
}

static void clock_goes_forward(void **state) {
    (void)state;
    uint64_t before = sl_clock_ns();
    assert_true(sl_clock_ns() >= before);
    assert_true(sl_clock_epoch() > 1600000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_aligned_memory_that_does_not_overlap),
        cmocka_unit_test(arena_reset_keeps_the_largest_block),
        cmocka_unit_test(texts_of_an_arena_are_copies_and_too_much_is_refused),
        cmocka_unit_test(buffer_latches_what_does_not_fit),
        cmocka_unit_test(cursor_reads_what_was_written_and_no_more),
        cmocka_unit_test(arrays_grow_by_doubling_and_not_beyond_their_count),
        cmocka_unit_test(error_keeps_the_first_failure),
        cmocka_unit_test(error_leaves_out_unknown_parts),
        cmocka_unit_test(error_keeps_the_tail_of_a_long_source),
        cmocka_unit_test(every_status_has_its_exit_code),
        cmocka_unit_test(version_begins_with_the_numbers_of_the_header),
        cmocka_unit_test(text_is_found_from_any_place_and_trimmed),
        cmocka_unit_test(text_nearest_is_near),
        cmocka_unit_test(hash_spreads_and_repeats),
        cmocka_unit_test(hash_fills_buckets_evenly),
        cmocka_unit_test(utf8_is_decoded_as_it_was_encoded),
        cmocka_unit_test(utf8_refuses_bad_bytes),
        cmocka_unit_test(utf8_counts_code_points),
        cmocka_unit_test(utf8_strips_white_space),
        cmocka_unit_test(clock_goes_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
