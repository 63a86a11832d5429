/* test_pack.c: batches as blocks of bytes, for processes and spill files. Each byte of a block is damaged in turn: such a block
 * must be refused, and never lead outside of itself. */
#include "record/pack.h"
#include "record/time.h"
#include "records_fixture.h"

/* The batches packed one after another behind LEAD other bytes, as an input. */
static sl_input *pack_all(sl_batch *const *b, unsigned n, size_t lead) {
    sl_buf out = {0};
    for (size_t i = 0; i < lead; i++) sl_buf_byte(&out, '#');
    for (unsigned i = 0; i < n; i++) assert_int_equal(sl_batch_pack(b[i], &out, NULL), SL_OK);
    sl_input *in = sl_input_copy(out.data, out.len);
    sl_buf_free(&out);
    return in;
}

static sl_batch *unpack_one(sl_input *in, size_t at, size_t *used) {
    sl_batch *b = NULL;
    sl_error err = {0};
    assert_int_equal(sl_batch_unpack(in, at, in->len - at, used, &b, &err), SL_OK);
    return b;
}

/* Takes B and gives it back from its packed form. */
static sl_batch *through_pack(sl_batch *b) {
    size_t used;
    sl_input *in = pack_all(&b, 1, 0);
    sl_batch_free(&b);
    sl_batch *back = unpack_one(in, 0, &used);
    assert_int_equal(used, in->len);
    sl_input_unref(&in);
    return back;
}

static void values_of_every_type(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_buf out = {0};
    sl_value all = parse(&arena, "[null,true,false,-7,1.5,\"text\",\"\",[],{},[[1],{\"k\":[\"v\",null]}]]");
    sl_value_pack(all, &out);
    sl_value_pack(sl_decimal_value(SL_TEXT("1.50")), &out);
    sl_value_pack((sl_value){.type = SL_TIME, .flags = SL_TIME_DATETIME, .aux = -120, .n = 5, .as.i = -99},
                  &out);
    sl_value_pack(sl_missing(), &out);
    sl_cursor c = {out.data, out.data + out.len, false};
    sl_value v;
    assert_int_equal(sl_value_unpack(&c, &arena, &v, NULL), SL_OK);
    assert_shows(v, "[null,true,false,-7,1.5,\"text\",\"\",[],{},[[1],{\"k\":[\"v\",null]}]]");
    assert_int_equal(sl_value_unpack(&c, &arena, &v, NULL), SL_OK);
    assert_int_equal(v.type, SL_DECIMAL);
    assert_true(sl_text_is(sl_bytes(v), "1.50"));
    assert_int_equal(sl_value_unpack(&c, &arena, &v, NULL), SL_OK);
    assert_int_equal(v.flags, SL_TIME_DATETIME);
    assert_int_equal(v.aux, -120);
    assert_int_equal(v.n, 5);
    assert_int_equal(v.as.i, -99);
    assert_int_equal(sl_value_unpack(&c, &arena, &v, NULL), SL_OK);
    assert_int_equal(v.type, SL_MISSING);
    assert_int_equal(sl_value_unpack(&c, &arena, &v, NULL), SL_E_INTERNAL);
    sl_buf_free(&out);
    sl_arena_free(&arena);
}

static void selected_rows_travel(void **state) {
    (void)state;
    sl_batch *b = batch_of("[{\"a\":1},{\"a\":2,\"b\":[\"x\"]},{\"b\":3}]");
    static const bool keep[] = {false, true, true};
    assert_int_equal(sl_batch_select(b, keep, NULL), SL_OK);
    b->source = "x.json";
    sl_batch *back = through_pack(b);
    assert_int_equal(back->nrows, 2);
    assert_null(back->sel);
    assert_string_equal(back->source, "x.json");
    assert_rows(back, "{\"a\":2,\"b\":[\"x\"]}\n{\"b\":3}\n");
    sl_batch_free(&back);
}

static void records_stay_lazy_and_pristine(void **state) {
    (void)state;
    sl_batch *b = records_batch("1,\"a,b\"\n2,\"c\"\"d\"\n3,\n", 2, '"');
    static const bool keep[] = {true, true, false};
    static const uint32_t lines[] = {0, 1, 2};
    b->first_line = 5;
    b->line = lines;
    assert_int_equal(sl_batch_select(b, keep, NULL), SL_OK);
    assert_non_null(sl_column_values(b, 0, NULL)); /* looking at it does not change it */
    sl_batch *back = through_pack(b);
    assert_true(back->pristine);
    assert_null(back->cols[0].values);
    assert_true(sl_text_is(sl_batch_record(back, 1), "2,\"c\"\"d\""));
    assert_int_equal(sl_batch_line(back, 1), 6);
    assert_rows(back, "{\"a\":\"1\",\"b\":\"a,b\"}\n{\"a\":\"2\",\"b\":\"c\\\"d\"}\n");
    sl_batch_free(&back);
}

static void touched_records_travel_with_their_new_columns(void **state) {
    (void)state;
    sl_batch *b = records_batch("1,x\n2\n3,z\n", 2, '"');
    sl_value *v;
    assert_int_equal(sl_batch_add_column(b, SL_TEXT("n"), &v, NULL), SL_OK);
    v[1] = sl_int(20);
    sl_batch_drop_column(b, 0);
    sl_batch *back = through_pack(through_pack(b));
    assert_false(back->pristine);
    assert_rows(back, "{\"b\":\"x\"}\n{\"n\":20}\n{\"b\":\"z\"}\n");
    sl_batch_free(&back);
}

static void raw_columns_stay_raw(void **state) {
    (void)state;
    sl_batch *b = records_batch("'it''s'\n", 1, '\'');
    assert_non_null(sl_column_raw(b, 0, NULL));
    sl_batch_touched(b);
    sl_batch *back = through_pack(b);
    assert_int_equal(sl_column_raw(back, 0, NULL)[0].flags, SL_RAW_CSV);
    assert_rows(back, "{\"a\":\"it's\"}\n");
    sl_batch_free(&back);
}

static void bare_and_empty_batches(void **state) {
    (void)state;
    sl_batch *back = through_pack(batch_of("[1,\"two\",null]"));
    assert_true(back->bare);
    assert_rows(back, "1\n\"two\"\nnull\n");
    sl_batch_free(&back);
    back = through_pack(batch_of("[{},{}]"));
    assert_rows(back, "{}\n{}\n");
    sl_batch_free(&back);
    sl_batch *none = records_batch("1\n", 1, '"');
    assert_int_equal(sl_batch_window(none, 0, 0, NULL), SL_OK);
    back = through_pack(none);
    assert_int_equal(back->nsel, 0);
    sl_batch_free(&back);
}

static void blocks_follow_one_another_at_any_place(void **state) {
    (void)state;
    sl_batch *b[3] = {batch_of("[{\"a\":1}]"), records_batch("x,y\n", 2, '"'), batch_of("[\"s\"]")};
    for (size_t lead = 0; lead < 17; lead++) {
        sl_input *in = pack_all(b, 3, lead);
        size_t at = lead, used;
        sl_batch *back[3];
        for (unsigned i = 0; i < 3; i++, at += used) back[i] = unpack_one(in, at, &used);
        assert_int_equal(at, in->len);
        sl_input_unref(&in);
        assert_rows(back[0], "{\"a\":1}\n");
        assert_rows(back[1], "{\"a\":\"x\",\"b\":\"y\"}\n");
        assert_rows(back[2], "\"s\"\n");
        for (unsigned i = 0; i < 3; i++) sl_batch_free(&back[i]);
    }
    for (unsigned i = 0; i < 3; i++) sl_batch_free(&b[i]);
}

/* Walks over everything, for the sanitizers. */
static void look_at_all(sl_batch *b) {
    sl_buf out = {0};
    for (uint32_t c = 0; c < b->ncols; c++) assert_non_null(sl_column_values(b, c, NULL));
    show_batch(b, &out);
    for (uint32_t i = 0; b->pristine && i < b->nsel; i++) sl_buf_text(&out, sl_batch_record(b, i));
    sl_buf_free(&out);
}

/* Damage is refused or harmless; cut-off blocks are always refused. */
static void assert_survives_damage(sl_batch *b) {
    sl_input *in = pack_all(&b, 1, 0);
    size_t used;
    for (size_t n = 0; n < in->len; n++) {
        sl_batch *back;
        assert_int_equal(sl_batch_unpack(in, 0, n, &used, &back, NULL), SL_E_INTERNAL);
        assert_null(back);
    }
    for (size_t at = 0; at < in->len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            sl_batch *back;
            in->data[at] = (char)(in->data[at] ^ (1 << bit));
            if (sl_batch_unpack(in, 0, in->len, &used, &back, NULL) == SL_OK) look_at_all(back);
            sl_batch_free(&back);
            in->data[at] = (char)(in->data[at] ^ (1 << bit));
        }
    sl_input_unref(&in);
    sl_batch_free(&b);
}

static void damaged_blocks_are_refused(void **state) {
    (void)state;
    assert_survives_damage(batch_of("[{\"a\":1,\"b\":\"x\",\"c\":[1.5,{\"d\":null}]},{\"b\":true}]"));
    assert_survives_damage(records_batch("1,\"a,b\"\n2,\"c\"\"d\"\n3,\n", 2, '"'));
    assert_survives_damage(records_batch("1,x\n2\n", 2, '"'));
}

static void nothing_is_deeper_than_the_stack(void **state) {
    (void)state;
    sl_buf out = {0};
    sl_value level = {.type = SL_LIST, .n = 1};
    for (int i = 0; i < 100000; i++) sl_buf_add(&out, &level, 8);
    sl_value_pack(sl_null(), &out);
    sl_cursor c = {out.data, out.data + out.len, false};
    sl_arena arena = {0};
    sl_value v;
    assert_int_equal(sl_value_unpack(&c, &arena, &v, NULL), SL_E_INTERNAL);
    sl_arena_free(&arena);
    sl_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_type),
        cmocka_unit_test(selected_rows_travel),
        cmocka_unit_test(records_stay_lazy_and_pristine),
        cmocka_unit_test(touched_records_travel_with_their_new_columns),
        cmocka_unit_test(raw_columns_stay_raw),
        cmocka_unit_test(bare_and_empty_batches),
        cmocka_unit_test(blocks_follow_one_another_at_any_place),
        cmocka_unit_test(damaged_blocks_are_refused),
        cmocka_unit_test(nothing_is_deeper_than_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
