/* test_text.c: lines of text: every kind of line end, in pieces of every size, as the splitter and the reader must agree on
 * where a line ends. */
#include "format_fixture.h"

#include "formats/csv/scan.h"

extern const sl_format sl_format_text;

#define WHOLE SIZE_MAX

static void expect_bytes(const char *spec, const char *data, size_t n, const char *want) {
    sl_arena arena = {0};
    sl_error err = {0};
    void *conf = fixture_conf(&sl_format_text, spec, &arena, SL_OK, &err);
    for (size_t piece = 0; piece <= n; piece++) {
        format_run run = {.format = &sl_format_text, .conf = conf, .piece = piece ? piece : WHOLE};
        fixture_run(&run, data, n);
        if (run.status) fail_msg("pieces of %zu: %s", run.piece, run.err.text);
        assert_string_equal(sl_buf_cstr(&run.out), want);
        fixture_clear(&run);
    }
    sl_arena_free(&arena);
}

static void expect(const char *spec, const char *data, const char *want) {
    expect_bytes(spec, data, strlen(data), want);
}

static void each_line_is_an_item(void **state) {
    (void)state;
    expect("", "a\n\nb\n", "1:a\n2:\n3:b\n");
    expect("", "a\nb", "1:a\n2:b\n");
    expect("", "one line", "1:one line\n");
    expect("", "\n", "1:\n");
    expect("", "", "");
    expect("", "\n\n \n", "1:\n2:\n3: \n");
    expect("",
           "\xEF\xBB\xBF"
           "a\n",
           "1:a\n");
    expect("", "it's \"quoted, or so\nx\n", "1:it's \"quoted, or so\n2:x\n");
}

static void every_kind_of_line_end_ends_a_line(void **state) {
    (void)state;
    expect("", "a\r\n\r\nb\r\n", "1:a\n2:\n3:b\n");
    expect("", "a\r\rb\r", "1:a\n2:\n3:b\n");
    expect("", "a\rb\nc\r\nd", "1:a\n2:b\n3:c\n4:d\n");
    expect("", "a\n\rb", "1:a\n2:\n3:b\n");
    expect("", "a\r\r\nb", "1:a\n2:\n3:b\n");
}

static void trim_takes_white_space_off(void **state) {
    (void)state;
    expect("trim=true", " a \n\n\tb c\r\n \nd", "1:a\n2:\n3:b c\n4:\n5:d\n");
    expect("trim=false", " a \n", "1: a \n");
}

static void lines_are_decoded_from_their_encoding(void **state) {
    (void)state;
    expect("encoding=latin-1", "\xE9t\xE9\nx\n", "1:\xC3\xA9t\xC3\xA9\n2:x\n");
    expect("", "\xC3\xA9\n", "1:\xC3\xA9\n");
    expect_bytes("", "a\0b\n", 4, "1:a\\0b\n");
}

static void errors_have_line_and_column(void **state) {
    (void)state;
    static const char data[] = "a\nb\nc\xC3\xA9\xC3\nd\n";
    sl_arena arena = {0};
    sl_error err = {0};
    void *conf = fixture_conf(&sl_format_text, "", &arena, SL_OK, &err);
    for (size_t piece = 1; piece <= sizeof data; piece++) {
        format_run run = {.format = &sl_format_text, .conf = conf, .piece = piece};
        fixture_run(&run, data, sizeof data - 1);
        assert_int_equal(run.status, SL_E_DATA);
        assert_int_equal(run.err.line, 3);
        assert_int_equal(run.err.column, 3);
        fixture_clear(&run);
    }
    (void)fixture_conf(&sl_format_text, "encoding=klingon", &arena, SL_E_PLAN, &err);
    sl_arena_free(&arena);
}

/* Lines of all lengths about the size of a vector, with each line end. */
static void lines_of_every_length_are_found(void **state) {
    (void)state;
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    for (size_t e = 0; e < SL_COUNT(ends); e++) {
        sl_buf data = {0}, want = {0};
        for (int n = 0; n < 200; n++) {
            sl_buf_printf(&want, "%d:", n + 1);
            for (int i = 0; i < n; i++) {
                sl_buf_byte(&data, (char)('a' + i % 26));
                sl_buf_byte(&want, (char)('a' + i % 26));
            }
            sl_buf_str(&data, ends[e]);
            sl_buf_byte(&want, '\n');
        }
        sl_arena arena = {0};
        sl_error err = {0};
        void *conf = fixture_conf(&sl_format_text, "", &arena, SL_OK, &err);
        for (size_t piece = 1; piece < 3000; piece += 37) {
            format_run run = {.format = &sl_format_text, .conf = conf, .piece = piece};
            fixture_run(&run, data.data, data.len);
            assert_int_equal(run.status, SL_OK);
            assert_string_equal(sl_buf_cstr(&run.out), sl_buf_cstr(&want));
            fixture_clear(&run);
        }
        sl_arena_free(&arena);
        sl_buf_free(&data);
        sl_buf_free(&want);
    }
}

/* Lines are views of the input and bare; nothing is made of them until asked. */
static sl_status look(void *to, sl_batch *b, sl_error *err) {
    const sl_input *in = to;
    assert_true(b->bare);
    assert_int_equal(b->nrows, 2);
    assert_int_equal(b->ncols, 1);
    assert_true(sl_text_is(b->cols[0].name, "content"));
    assert_null(b->cols[0].values);
    const sl_value *v = sl_column_values(b, 0, err);
    assert_ptr_equal(v[1].as.s, in->data + 4);
    sl_batch_free(&b);
    return SL_OK;
}

static void items_are_views_of_the_input(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    uint64_t quarantined = 0;
    void *conf = fixture_conf(&sl_format_text, "", &arena, SL_OK, &err);
    sl_input *in = sl_input_copy("one\ntwo\n", 8);
    sl_block block = {.input = in, .to = 8, .line = 1};
    assert_int_equal(sl_format_text.read(conf, NULL, &block, look, in, &quarantined, &err), SL_OK);
    assert_int_equal(quarantined, 0);
    sl_input_unref(&in);
    sl_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_an_item),
        cmocka_unit_test(every_kind_of_line_end_ends_a_line),
        cmocka_unit_test(trim_takes_white_space_off),
        cmocka_unit_test(lines_are_decoded_from_their_encoding),
        cmocka_unit_test(errors_have_line_and_column),
        cmocka_unit_test(lines_of_every_length_are_found),
        cmocka_unit_test(items_are_views_of_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
