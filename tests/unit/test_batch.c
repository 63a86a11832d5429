/* test_batch.c: batches: lazy columns, selections, slices. Most tests change one slice and look at another, because sharing is
 * where a batch can go wrong without anybody noticing. */
#include "records_fixture.h"
#include "record/raw.h"

static const char people[] = "ann,1,x\nbob,2,y\ncyd,3,z\n";

static void lazy_columns_show_the_fields(void **state) {
    (void)state;
    sl_batch *b = records_batch(people, 3, '"');
    assert_null(b->cols[0].values);
    assert_rows(b, "{\"a\":\"ann\",\"b\":\"1\",\"c\":\"x\"}\n{\"a\":\"bob\",\"b\":\"2\",\"c\":\"y\"}\n"
                   "{\"a\":\"cyd\",\"b\":\"3\",\"c\":\"z\"}\n");
    assert_null(b->cols[0].values); /* cells do not make columns */
    sl_value *v = sl_column_values(b, 1, NULL);
    assert_true(sl_text_is(sl_bytes(v[2]), "3"));
    assert_true(b->pristine);
    assert_true(sl_text_is(sl_batch_record(b, 1), "bob,2,y"));
    sl_batch_free(&b);
    assert_null(b);
    sl_batch_free(&b);
}

static void quoted_fields_are_decoded_when_asked(void **state) {
    (void)state;
    sl_batch *b = records_batch("\"a,b\",\"\",\"he said \"\"no\"\"\"\nx,\"y\n\",\"\"\"\"\n", 3, '"');
    const sl_value *raw = sl_column_raw(b, 2, NULL);
    assert_int_equal(raw[0].flags, SL_RAW_CSV);
    assert_true(sl_text_is(sl_bytes(raw[0]), "he said \"\"no\"\""));
    assert_rows(b, "{\"a\":\"a,b\",\"b\":\"\",\"c\":\"he said \\\"no\\\"\"}\n"
                   "{\"a\":\"x\",\"b\":\"y\\n\",\"c\":\"\\\"\"}\n");
    const sl_value *v = sl_column_values(b, 2, NULL);
    assert_true(sl_text_is(sl_bytes(v[0]), "he said \"no\""));
    assert_int_equal(v[0].flags, 0);
    sl_batch_free(&b);
}

static void another_quote_is_undoubled_too(void **state) {
    (void)state;
    sl_batch *b = records_batch("'it''s',\"\n", 2, '\'');
    assert_rows(b, "{\"a\":\"it's\",\"b\":\"\\\"\"}\n");
    sl_batch_free(&b);
    b = records_batch("'it''s',\"\n", 2, 0);
    assert_rows(b, "{\"a\":\"'it''s'\",\"b\":\"\\\"\"}\n");
    sl_batch_free(&b);
}

static void short_records_lack_keys(void **state) {
    (void)state;
    sl_batch *b = records_batch("1,2,3\n4\n5,\n", 3, '"');
    assert_false(b->pristine);
    assert_rows(b, "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n{\"a\":\"4\"}\n{\"a\":\"5\",\"b\":\"\"}\n");
    assert_int_equal(sl_column_values(b, 2, NULL)[1].type, SL_MISSING);
    sl_batch_free(&b);
}

static void select_and_window_narrow(void **state) {
    (void)state;
    sl_batch *b = records_batch("0,\n1,\n2,\n3,\n4,\n5,\n", 2, '"');
    static const bool odd[] = {false, true, false, true, false, true};
    static const bool last[] = {false, true, true};
    assert_int_equal(sl_batch_select(b, odd, NULL), SL_OK);
    assert_int_equal(b->nsel, 3);
    assert_int_equal(sl_batch_select(b, last, NULL), SL_OK);
    assert_rows(b, "{\"a\":\"3\",\"b\":\"\"}\n{\"a\":\"5\",\"b\":\"\"}\n");
    assert_int_equal(sl_batch_window(b, 1, 9, NULL), SL_OK);
    assert_rows(b, "{\"a\":\"5\",\"b\":\"\"}\n");
    assert_true(sl_text_is(sl_bytes(sl_column_values(b, 0, NULL)[5]), "5"));
    assert_true(b->pristine);
    assert_int_equal(sl_batch_window(b, 5, 1, NULL), SL_OK);
    assert_int_equal(b->nsel, 0);
    sl_batch_free(&b);
}

static void a_window_keeps_the_rows_within_it(void **state) {
    (void)state;
    for (uint32_t from = 0; from <= 7; from++)
        for (uint32_t count = 0; count <= 7; count++) {
            sl_batch *b = records_batch("0\n1\n2\n3\n4\n5\n", 1, '"');
            assert_int_equal(sl_batch_window(b, from, count, NULL), SL_OK);
            uint32_t rest = from > 6 ? 0 : 6 - from;
            assert_int_equal(b->nsel, count < rest ? count : rest);
            const sl_value *v = sl_column_values(b, 0, NULL);
            for (uint32_t i = 0; i < b->nsel; i++)
                assert_int_equal(v[sl_batch_row(b, i)].as.s[0], '0' + (char)(from + i));
            sl_batch_free(&b);
        }
}

static void columns_come_go_and_move(void **state) {
    (void)state;
    sl_batch *b = records_batch(people, 3, '"');
    sl_value *v;
    for (unsigned i = 0; i < 9; i++) {
        char name[4] = {'n', (char)('0' + i), 0, 0};
        assert_int_equal(sl_batch_add_column(b, sl_text_of(name), &v, NULL), SL_OK);
        v[1] = sl_int(i);
    }
    assert_false(b->pristine);
    for (unsigned i = 0; i < 7; i++) sl_batch_drop_column(b, 3);
    assert_int_equal(sl_batch_move_last(b, 0, SL_TEXT("Name"), NULL), SL_OK);
    assert_rows(b, "{\"b\":\"1\",\"c\":\"x\",\"Name\":\"ann\"}\n"
                   "{\"b\":\"2\",\"c\":\"y\",\"n7\":7,\"n8\":8,\"Name\":\"bob\"}\n"
                   "{\"b\":\"3\",\"c\":\"z\",\"Name\":\"cyd\"}\n");
    assert_int_equal(sl_batch_find(b, SL_TEXT("name"), false), -1);
    assert_int_equal(sl_batch_find(b, SL_TEXT("name"), true), 4);
    sl_batch_free(&b);
}

static void slices_do_not_see_each_others_changes(void **state) {
    (void)state;
    sl_batch *b = batch_of("[{\"x\":1},{\"x\":2},{\"x\":3}]");
    static const uint32_t first[] = {0, 1}, second[] = {1, 2};
    sl_batch *s = sl_batch_slice(b, first, 2), *t = sl_batch_slice(b, second, 2);
    sl_column_values(s, 0, NULL)[1] = sl_int(20);
    sl_column_values(b, 0, NULL)[1] = sl_int(30);
    sl_batch_drop_column(b, 0);
    sl_batch_free(&b);
    assert_rows(s, "{\"x\":1}\n{\"x\":20}\n");
    sl_batch_free(&s);
    assert_int_equal(sl_column_read(t, 0, NULL)[1].as.i, 2);
    assert_rows(t, "{\"x\":2}\n{\"x\":3}\n");
    sl_batch_free(&t);
}

static void slices_of_lazy_columns_outlive_their_parent(void **state) {
    (void)state;
    sl_batch *b = records_batch("\"a\"\"1\"\nb\n\"c\"\"\"\n", 1, '"');
    static const uint32_t rows[] = {0, 2};
    sl_batch *lazy = sl_batch_slice(b, rows, 2);
    assert_non_null(sl_column_raw(b, 0, NULL));
    sl_batch *raw = sl_batch_slice(b, rows, 2);
    sl_batch_free(&b);
    assert_true(sl_text_is(sl_bytes(sl_column_values(raw, 0, NULL)[2]), "c\""));
    sl_batch_free(&raw);
    assert_rows(lazy, "{\"a\":\"a\\\"1\"}\n{\"a\":\"c\\\"\"}\n");
    sl_batch_free(&lazy);
}

static void cuts_are_parts(void **state) {
    (void)state;
    sl_batch *b = records_batch("0,a\n1,b\n2,c\n3,d\n4,e\n", 2, '"');
    static const bool keep[] = {true, false, true, true, true};
    assert_int_equal(sl_batch_select(b, keep, NULL), SL_OK);
    assert_non_null(sl_column_values(b, 0, NULL));
    sl_batch *head = sl_batch_cut(b, 0, 2), *tail = sl_batch_cut(b, 2, 3);
    sl_batch_free(&b);
    assert_rows(head, "{\"a\":\"0\",\"b\":\"a\"}\n");
    assert_rows(tail, "{\"a\":\"2\",\"b\":\"c\"}\n{\"a\":\"3\",\"b\":\"d\"}\n{\"a\":\"4\",\"b\":\"e\"}\n");
    assert_true(sl_text_is(sl_batch_record(tail, 1), "3,d"));
    sl_batch_free(&head);
    sl_batch_free(&tail);
}

static void kept_stores_stay(void **state) {
    (void)state;
    sl_batch *from = batch_of("[{\"x\":\"a long text in another store\"}]");
    sl_batch *b = sl_batch_new(NULL, 1);
    sl_value *v;
    assert_int_equal(sl_batch_add_column(b, SL_TEXT("y"), &v, NULL), SL_OK);
    v[0] = sl_column_read(from, 0, NULL)[0];
    for (int i = 0; i < 3; i++) assert_int_equal(sl_batch_keep_batch(b, from, NULL), SL_OK);
    assert_int_equal(sl_batch_keep_batch(b, b, NULL), SL_OK);
    sl_batch_free(&from);
    assert_rows(b, "{\"y\":\"a long text in another store\"}\n");
    sl_batch_free(&b);
}

static void a_row_knows_its_line_where_it_is_known(void **state) {
    (void)state;
    sl_batch *b = records_batch(people, 3, '"');
    static const uint32_t lines[] = {0, 5, UINT32_MAX};
    assert_int_equal(sl_batch_line(b, 1), 0);
    b->first_line = 10;
    assert_int_equal(sl_batch_line(b, 0), 10);
    assert_int_equal(sl_batch_line(b, 1), 0);
    b->line = lines;
    assert_int_equal(sl_batch_line(b, 1), 15);
    assert_int_equal(sl_batch_line(b, 2), 0);
    sl_batch_free(&b);
}

/* ---- values -------------------------------------------------------------------------------------------------- */

static void assert_decodes(const char *raw, const char *expected, uint32_t n) {
    sl_arena arena = {0};
    sl_value v = sl_text_value(sl_text_of(raw));
    v.flags = SL_RAW_JSON;
    assert_int_equal(sl_value_decode(&v, &arena, NULL), SL_OK);
    assert_int_equal(v.flags, 0);
    assert_int_equal(v.n, n);
    assert_memory_equal(v.as.s, expected, n);
    sl_arena_free(&arena);
}

static void json_escapes_are_decoded(void **state) {
    (void)state;
    assert_decodes("plain", "plain", 5);
    assert_decodes("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8);
    assert_decodes("a\\u0041\\u00fc\\u20AC", "aA\xc3\xbc\xe2\x82\xac", 7);
    assert_decodes("\\u0000", "\0", 1);
    assert_decodes("\\ud83d\\ude00!", "\xf0\x9f\x98\x80!", 5);
    assert_decodes("\\ud83d", "\xef\xbf\xbd", 3);
    assert_decodes("\\ude00x", "\xef\xbf\xbdx", 4);
    assert_decodes("\\ud83d\\u0041",
                   "\xef\xbf\xbd"
                   "A",
                   4);
    assert_decodes("\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7);
}

static void raw_numbers_become_integers_when_asked(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_value v = {.type = SL_INT, .flags = SL_RAW_NUMBER, .n = 2, .as.s = "42"};
    assert_int_equal(sl_value_decode(&v, &arena, NULL), SL_OK);
    assert_int_equal(v.type, SL_INT);
    assert_int_equal(v.as.i, 42);
    sl_arena_free(&arena);
}

static void truth_is_pythons(void **state) {
    (void)state;
    sl_arena a = {0};
    static const char *const no[] = {"null", "false", "0", "0.0", "\"\"", "[]", "{}"};
    static const char *const yes[] = {"true", "1", "-0.5", "\"0\"", "\" \"", "[0]", "{\"a\":null}"};
    for (unsigned i = 0; i < SL_COUNT(no); i++) assert_false(sl_truthy(parse(&a, no[i])));
    for (unsigned i = 0; i < SL_COUNT(yes); i++) assert_true(sl_truthy(parse(&a, yes[i])));
    assert_false(sl_truthy(sl_missing()));
    assert_false(sl_truthy(sl_decimal_value(SL_TEXT("-0.00"))));
    assert_true(sl_truthy(sl_decimal_value(SL_TEXT("0.01"))));
    assert_true(sl_truthy(sl_decimal_value(SL_TEXT("NaN"))));
    sl_arena_free(&a);
}

static void copies_are_deep(void **state) {
    (void)state;
    sl_arena from = {0}, to = {0};
    sl_value copy;
    assert_int_equal(
        sl_value_copy(&copy, parse(&from, "{\"a\":[1,\"two\",{\"b\":{}}],\"c\":1.5}"), &to, NULL), SL_OK);
    sl_arena_free(&from);
    assert_shows(copy, "{\"a\":[1,\"two\",{\"b\":{}}],\"c\":1.5}");
    assert_shows(sl_map_get_z(copy, "c"), "1.5");
    assert_int_equal(sl_map_get_z(copy, "C").type, SL_MISSING);
    assert_string_equal(sl_type_name(SL_MAP), "map");
    sl_arena_free(&to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lazy_columns_show_the_fields),
        cmocka_unit_test(quoted_fields_are_decoded_when_asked),
        cmocka_unit_test(another_quote_is_undoubled_too),
        cmocka_unit_test(short_records_lack_keys),
        cmocka_unit_test(select_and_window_narrow),
        cmocka_unit_test(a_window_keeps_the_rows_within_it),
        cmocka_unit_test(columns_come_go_and_move),
        cmocka_unit_test(slices_do_not_see_each_others_changes),
        cmocka_unit_test(slices_of_lazy_columns_outlive_their_parent),
        cmocka_unit_test(cuts_are_parts),
        cmocka_unit_test(kept_stores_stay),
        cmocka_unit_test(a_row_knows_its_line_where_it_is_known),
        cmocka_unit_test(json_escapes_are_decoded),
        cmocka_unit_test(raw_numbers_become_integers_when_asked),
        cmocka_unit_test(truth_is_pythons),
        cmocka_unit_test(copies_are_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
