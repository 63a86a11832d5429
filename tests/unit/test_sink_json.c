/* The JSON sinks: lines and arrays, escapes, absent keys, raw values, units that do not show. */
#define _XOPEN_SOURCE 700
#include "sink_fixture.h"

static void write_items(const char *path, const char *a, const char *b) {
    rig r = {0};
    rig_open(&r, path, "{}");
    rig_items(&r, a, 0);
    if (b) rig_items(&r, b, 1);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
}

static void each_item_is_a_line(void **state) {
    (void)state;
    write_items("x.jsonl", "[{\"a\":1,\"b\":[1,{\"c\":null}]},{\"b\":\"x\"}]", "[{},{\"a\":-1.5}]");
    assert_file("x.jsonl", "{\"a\":1,\"b\":[1,{\"c\":null}]}\n{\"b\":\"x\"}\n{}\n{\"a\":-1.5}\n");
}

static void an_array_holds_all_items(void **state) {
    (void)state;
    write_items("x.json", "[{\"a\":1},{\"a\":2}]", "[{\"a\":3}]");
    assert_file("x.json", "[{\"a\":1},\n{\"a\":2},\n{\"a\":3}]\n");
    write_items("x.json", "[]", "[]");
    assert_file("x.json", "[]\n");
    write_items("x.json", "[]", "[{\"a\":1}]");
    assert_file("x.json", "[{\"a\":1}]\n");
}

static void texts_are_escaped(void **state) {
    (void)state;
    write_items("x.jsonl", "[{\"a\\\"\\n\":\"\\\\ \\u0001 \\u00e9 \\ud83d\\ude00 \\t\"}]", NULL);
    rig r = {0};
    json_error_t error;
    json_t *j = json_load_file("x.jsonl", 0, &error);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "a\"\n")), "\\ \x01 \u00e9 \U0001F600 \t");
    json_decref(j);
    rig_close(&r);
}

static void bare_elements_stay_bare(void **state) {
    (void)state;
    write_items("x.jsonl", "[1,\"a\",[2]]", NULL);
    assert_file("x.jsonl", "1\n\"a\"\n[2]\n");
}

static void fields_of_csv_records_are_texts(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "x.jsonl", "{}");
    rig_csv(&r, "n,t", "1,\"a \"\"b\"\"\"\n2\n");
    rig_commit(&r);
    assert_ok(&r);
    assert_int_equal(r.rows, 2);
    rig_close(&r);
    assert_file("x.jsonl", "{\"n\":\"1\",\"t\":\"a \\\"b\\\"\"}\n{\"n\":\"2\"}\n");
}

/* Values that a reader has found but not decoded. */
static void raw_values_are_written_as_they_came(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "x.jsonl", "{}");
    sl_batch *b = sl_batch_new(NULL, 1);
    sl_value *text, *number;
    assert_int_equal(sl_batch_add_column(b, SL_TEXT("t"), &text, NULL), SL_OK);
    assert_int_equal(sl_batch_add_column(b, SL_TEXT("n"), &number, NULL), SL_OK);
    text[0] = sl_text_value(SL_TEXT("a\\/\\u0041"));
    text[0].flags = SL_RAW_JSON;
    number[0] = (sl_value){.type = SL_FLOAT, .flags = SL_RAW_NUMBER, .n = 4, .as.s = "1.50"};
    b->cols[0].raw = b->cols[1].raw = true;
    unit u = {.r = &r};
    assert_int_equal(unit_batch(&u, b, &r.err), SL_OK);
    unit_end(&u);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_file("x.jsonl", "{\"t\":\"a/A\",\"n\":1.50}\n");
}

static void without_commit_nothing_is_there(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "x.json", "{}");
    rig_items(&r, "[{\"a\":1}]", 0);
    assert_ok(&r);
    rig_close(&r);
    assert_int_equal(count_files(), 0);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(each_item_is_a_line),
        IN_FOLDER(an_array_holds_all_items),
        IN_FOLDER(texts_are_escaped),
        IN_FOLDER(bare_elements_stay_bare),
        IN_FOLDER(fields_of_csv_records_are_texts),
        IN_FOLDER(raw_values_are_written_as_they_came),
        IN_FOLDER(without_commit_nothing_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
