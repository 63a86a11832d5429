/* test_jsonl.c: JSON Lines, in units of every size: what is tested is the ends of lines, as reading is that of the json format. */
#include "json_fixture.h"

static void expect(const char *text, const char *items) {
    expect_run((run){.format = &sl_format_jsonl}, text, items);
}

static void each_line_is_an_item(void **state) {
    (void)state;
    expect("{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n{\"a\":2}\n");
    expect("{\"a\":1}\r\n{\"a\":2}", "{\"a\":1}\n{\"a\":2}\n");
    expect("\n\n{\"a\":1}\n \t\n\r\n{\"b\":[2]}\n\n", "{\"a\":1}\n{\"b\":[2]}\n");
    expect("\xef\xbb\xbf{\"a\":1}\n", "{\"a\":1}\n");
    expect("", "");
    expect("\n", "");
    expect(" { \"a\" : 1 , \"b\" : { } } \n", "{\"a\":1,\"b\":{}}\n");
}

static void elements_may_be_of_any_type(void **state) {
    (void)state;
    expect("1\n\"x\"\nnull\n[1,null]\n{\"a\":null}\ntrue\n", "1\n\"x\"\n[1,null]\n{\"a\":null}\ntrue\n");
}

static void a_line_holds_one_whole_value(void **state) {
    (void)state;
    expect("{\"a\":1} {\"a\":2}\n", "!expected the end of the line, not '{'");
    expect("{\"a\":1},\n{\"a\":2}\n", "!expected the end of the line, not ','");
    expect("{\"a\":\n1}\n", "!expected a value, but the record ends");
    expect("{\"a\":1\n,\"b\":2}\n", "!expected ',' or '}', but the record ends");
    expect("{\"x\":1}\n{\"a\":1", "!expected ',' or '}', but the record ends");
    expect("{\"x\":1}\n{\"a\":\"b", "!expected the closing quote, but the record ends");
    expect("\xff\xfe{", "!UTF-16");
    expect("{\"a\":\"\xff\"}\n", "!UTF-8");
}

static void errors_have_line_and_column(void **state) {
    (void)state;
    const char *text = "{\"a\":1}\n\n{\"a\":2}\n{\"a\":03}\n";
    for (size_t piece = 0; piece < strlen(text); piece++) {
        run r = {.format = &sl_format_jsonl, .piece = piece};
        assert_int_equal(run_text(&r, text, strlen(text)), SL_E_DATA);
        assert_int_equal(r.err.line, 4);
        assert_int_equal(r.err.column, 7);
        assert_string_equal(r.err.source, "doc");
        run_free(&r);
    }
}

static void riko_nests_dotted_keys(void **state) {
    (void)state;
    run riko = {.format = &sl_format_jsonl, .dialect = SL_RIKO};
    expect_run(riko, "{\"a.b\":1,\"c\":2}\n", "{\"a\":{\"b\":1},\"c\":2}\n");
}

typedef struct lines_seen {
    uint64_t lines[8];
    unsigned n;
} lines_seen;

static sl_status note_lines(void *to, sl_batch *take, sl_error *err) {
    lines_seen *seen = to;
    (void)err;
    for (uint32_t i = 0; i < take->nsel && seen->n < 8; i++)
        seen->lines[seen->n++] = sl_batch_line(take, sl_batch_row(take, i));
    assert_string_equal(take->source, "doc");
    sl_batch_free(&take);
    return SL_OK;
}

static void rows_know_their_lines(void **state) {
    (void)state;
    const char *text = "\n{\"a\":1}\n\n{\"a\":2}\n{\"b\":1,\"a\":2}\n{\"a\":1,\"b\":2}\n3\n";
    sl_input *in = sl_input_copy(text, strlen(text));
    assert_non_null(in);
    sl_block block = {in, 0, in->len, 101, SL_TEXT("l"), "doc", SL_NATIVE};
    sl_json_conf conf = {.encoding = SL_UTF8};
    void *reader;
    uint64_t quarantined;
    sl_error err = {0};
    lines_seen seen = {0};
    assert_int_equal(sl_format_jsonl.start(&conf, &reader, &err), SL_OK);
    assert_int_equal(sl_format_jsonl.read(&conf, reader, &block, note_lines, &seen, &quarantined, &err),
                     SL_OK);
    sl_format_jsonl.stop(reader);
    sl_input_unref(&in);
    static const uint64_t want[] = {102, 104, 105, 106, 107};
    assert_int_equal(seen.n, 5);
    assert_memory_equal(seen.lines, want, sizeof want);
}

/* Rows of changing shape, more of them than a batch holds, in units of many sizes. */
static void units_change_nothing(void **state) {
    (void)state;
    static const char *const optional[] = {"", ",\"o\":null", ", \"p\" : [1]", ",\"q\":\"\\n\",\"o\":1"};
    sl_buf doc = {0}, want = {0};
    uint64_t s = 7;
    for (int i = 0; i < 20000; i++) {
        static const char *const as_written[] = {"", ",\"o\":null", ",\"p\":[1]", ",\"q\":\"\\n\",\"o\":1"};
        uint32_t k = pick(&s, 4) ? 0 : pick(&s, 4);
        sl_buf_printf(&doc, "{\"id\":%d%s,\"end\":%s}\n", i, optional[k], i % 7 ? "1.5" : "\"x\"");
        sl_buf_printf(&want, "{\"id\":%d%s,\"end\":%s}\n", i, as_written[k], i % 7 ? "1.5" : "\"x\"");
    }
    static const size_t pieces[] = {0, 37, 1000, 65536, 300000};
    for (size_t i = 0; i < SL_COUNT(pieces); i++) {
        run r = {.format = &sl_format_jsonl, .piece = pieces[i]};
        assert_int_equal(run_text(&r, doc.data, doc.len), SL_OK);
        assert_string_equal(sl_buf_cstr(&r.out), sl_buf_cstr(&want));
        assert_true(r.batches < r.units + 20000 / 50);
        run_free(&r);
    }
    sl_buf_free(&doc);
    sl_buf_free(&want);
}

static void a_line_is_decoded_from_its_encoding(void **state) {
    (void)state;
    const char *text = "{\"a\":\"caf\xe9\"}\n";
    sl_input *in = sl_input_copy(text, strlen(text));
    assert_non_null(in);
    run r = {.format = &sl_format_jsonl, .conf = {.encoding = SL_LATIN1}};
    sl_block block = {in, 0, in->len, 1, SL_TEXT("l"), "doc", SL_NATIVE};
    uint64_t quarantined;
    assert_int_equal(sl_json_start(&r.conf, &r.state, &r.err), SL_OK);
    assert_int_equal(sl_format_jsonl.read(&r.conf, r.state, &block, run_sink, &r, &quarantined, &r.err),
                     SL_OK);
    assert_string_equal(sl_buf_cstr(&r.out), "{\"a\":\"caf\xc3\xa9\"}\n");
    sl_json_stop(r.state);
    sl_input_unref(&in);
    run_free(&r);
}

static sl_status enough_sink(void *to, sl_batch *take, sl_error *err) {
    sl_status status = run_sink(to, take, err);
    return status == SL_OK ? SL_DONE : status;
}

/* A consumer that has enough ends the unit there, which is no failure. */
static void a_consumer_that_has_enough_is_no_failure(void **state) {
    (void)state;
    const char *text = "1\n{\"a\":2}\n3\nbad\n";
    sl_input *in = sl_input_copy(text, strlen(text));
    assert_non_null(in);
    run r = {.format = &sl_format_jsonl};
    sl_block block = {in, 0, in->len, 1, SL_TEXT("l"), "doc", SL_NATIVE};
    uint64_t quarantined;
    assert_int_equal(sl_json_start(&r.conf, &r.state, &r.err), SL_OK);
    assert_int_equal(sl_format_jsonl.read(&r.conf, r.state, &block, enough_sink, &r, &quarantined, &r.err),
                     SL_DONE);
    assert_string_equal(sl_buf_cstr(&r.out), "1\n");
    assert_int_equal(r.err.code, SL_OK);
    sl_json_stop(r.state);
    sl_input_unref(&in);
    run_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_an_item),
        cmocka_unit_test(elements_may_be_of_any_type),
        cmocka_unit_test(a_line_holds_one_whole_value),
        cmocka_unit_test(errors_have_line_and_column),
        cmocka_unit_test(riko_nests_dotted_keys),
        cmocka_unit_test(rows_know_their_lines),
        cmocka_unit_test(units_change_nothing),
        cmocka_unit_test(a_line_is_decoded_from_its_encoding),
        cmocka_unit_test(a_consumer_that_has_enough_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
