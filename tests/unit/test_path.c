/* test_path.c: field paths in both dialects, read and assigned, row by row and by column, which must agree. */
#include "record/path.h"
#include "records_fixture.h"

static sl_path path_of(sl_arena *arena, const char *text, sl_dialect dialect) {
    sl_path p;
    assert_int_equal(sl_path_compile(&p, sl_text_of(text), dialect, arena, NULL), SL_OK);
    return p;
}

/* By value, by row and by column: all three must agree. */
static void assert_gets(sl_dialect dialect, const char *path, const char *of, const char *expected) {
    sl_arena arena = {0};
    sl_path p = path_of(&arena, path, dialect);
    sl_value v;
    assert_int_equal(sl_path_get(&p, parse(&arena, of), &arena, &v, NULL), SL_OK);
    assert_shows(v, expected);
    sl_buf list = {0};
    sl_buf_printf(&list, "[%s]", of);
    sl_batch *b = batch_of(sl_buf_cstr(&list));
    assert_int_equal(sl_path_row(&p, b, 0, &v, NULL), SL_OK);
    assert_shows(v, expected);
    assert_shows(sl_path_column(&p, b, NULL)[0], expected);
    sl_batch_free(&b);
    sl_buf_free(&list);
    sl_arena_free(&arena);
}

static void riko_paths_ignore_case_and_look_into_lists(void **state) {
    (void)state;
    static const char *const vectors[][3] = {
        {"author.name", "{\"Author\":{\"NAME\":\"x\"}}", "\"x\""},
        {"a.b", "{\"a\":[{\"b\":1},{\"b\":2}]}", "[1,2]"},
        {"a.b", "{\"a\":[{\"b\":1},{\"c\":2}]}", "missing"},
        {"a.1", "{\"a\":[10,20]}", "20"},
        {"a.-1", "{\"a\":[10,20]}", "20"},
        {"a.0", "{\"a\":[{\"b\":1}]}", "missing"},
        {"y:id.value", "{\"y:id\":\"q\"}", "\"q\""},
        {"a", "{\"a\":{\"type\":\"int\",\"value\":\"5\"}}", "5"},
        {"a", "{\"a\":{\"value\":5,\"x\":1}}", "{\"value\":5,\"x\":1}"},
        {"a.b.0", "{\"a\":[{\"b\":[1,2]},{\"b\":[3]}]}", "[[1,2],[3]]"},
    };
    for (unsigned i = 0; i < SL_COUNT(vectors); i++)
        assert_gets(SL_RIKO, vectors[i][0], vectors[i][1], vectors[i][2]);
}

static void riko_indexes_lists_and_passes_scalars_through(void **state) {
    (void)state;
    assert_gets(SL_RIKO, "", "{\"a\":1}", "{\"a\":1}");
    assert_gets(SL_RIKO, "a..", "{\"A\":1}", "1");
    assert_gets(SL_RIKO, "a.2", "{\"a\":[10,20]}", "missing");
    assert_gets(SL_RIKO, "a.-3", "{\"a\":[10,20]}", "missing");
    assert_gets(SL_RIKO, "a. 1", "{\"a\":[10,20]}", "20");
    assert_gets(SL_RIKO, "a.+0_1", "{\"a\":[\"x\",\"y\"]}", "\"y\"");
    assert_gets(SL_RIKO, "a.b", "{\"a\":[\"x\"]}", "missing");
    assert_gets(SL_RIKO, "a.b", "{\"a\":[1.5,2]}", "[1.5,2]");
    assert_gets(SL_RIKO, "a.5", "{\"a\":[]}", "[]");
    assert_gets(SL_RIKO, "a.0", "{\"a\":{\"0\":1}}", "missing");
    assert_gets(SL_RIKO, "0", "{\"0\":1}", "missing");
    assert_gets(SL_RIKO, "a.b", "{\"a\":null}", "missing");
    assert_gets(SL_RIKO, "a", "{\"a\":null}", "null");
    assert_gets(SL_RIKO, "a.b.c", "{\"a\":true}", "true");
    assert_gets(SL_RIKO, "a.B", "{\"a\":[{\"b\":1}]}", "missing");
    assert_gets(SL_RIKO, "a", "{\"a\":{\"value\":[1]}}", "[1]");
    assert_gets(SL_RIKO, "a.b", "{\"a\":{\"b\":{\"value\":\"x\",\"type\":\"nosuch\"}}}", "\"x\"");
}

static void native_paths_try_the_whole_name_first(void **state) {
    (void)state;
    assert_gets(SL_NATIVE, "", "{\"a\":1}", "{\"a\":1}");
    assert_gets(SL_NATIVE, "No. of", "{\"No. of\":7,\"No\":{\" of\":8}}", "7");
    assert_gets(SL_NATIVE, "No. of", "{\"No\":{\" of\":8}}", "8");
    assert_gets(SL_NATIVE, "a.", "{\"a.\":7,\"a\":1}", "7");
    assert_gets(SL_NATIVE, "A", "{\"a\":1}", "missing");
    assert_gets(SL_NATIVE, "a.b", "{\"a\":\"text\"}", "missing");
    assert_gets(SL_NATIVE, "a.b", "{\"a\":[{\"b\":1},{\"b\":2}]}", "[1,2]");
    assert_gets(SL_NATIVE, "a.0.b", "{\"a\":[{\"b\":1},{\"b\":2}]}", "1");
    assert_gets(SL_NATIVE, "a.-1", "{\"a\":[1.5,null]}", "null");
    assert_gets(SL_NATIVE, "a.1", "{\"a\":{\"1\":\"one\"}}", "\"one\"");
    assert_gets(SL_NATIVE, "0", "{\"0\":\"zero\"}", "\"zero\"");
    assert_gets(SL_NATIVE, "a", "{\"a\":{\"type\":\"int\",\"value\":\"5\"}}",
                "{\"type\":\"int\",\"value\":\"5\"}");
}

static void riko_reads_every_spelling_in_a_batch(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_batch *b = batch_of("[{\"Title\":1},{\"title\":2},{\"TITLE\":{\"value\":3}},{\"x\":4}]");
    sl_path p = path_of(&arena, "title", SL_RIKO);
    const sl_value *v = sl_path_column(&p, b, NULL);
    static const char *const expected[] = {"1", "2", "3", "missing"};
    for (uint32_t row = 0; row < 4; row++) {
        sl_value one;
        assert_shows(v[row], expected[row]);
        assert_int_equal(sl_path_row(&p, b, row, &one, NULL), SL_OK);
        assert_shows(one, expected[row]);
    }
    sl_batch_free(&b);
    sl_arena_free(&arena);
}

static void the_column_itself_answers(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_batch *b = records_batch("1,2\n3,4\n", 2, '"');
    sl_path p = path_of(&arena, "b", SL_RIKO);
    const sl_value *v = sl_path_column(&p, b, NULL);
    assert_non_null(v);
    assert_ptr_equal(v, b->cols[1].values);
    assert_null(b->cols[0].values);
    assert_true(b->pristine);
    sl_batch_free(&b);
    sl_arena_free(&arena);
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* VALUES is a JSON array by row; the text "-" leaves a row unchanged. */
static unsigned assign(sl_dialect dialect, const char *path, const char *items, const char *values,
                       const char *expected) {
    sl_arena arena = {0};
    batch_list made = {0};
    sl_path p = path_of(&arena, path, dialect);
    sl_batch *b = batch_of(items);
    sl_value list = parse(&arena, values), *v = sl_arena_calloc(sl_batch_arena(b), b->nrows, sizeof *v);
    for (uint32_t i = 0; i < list.n; i++)
        if (!sl_is_text(list.as.list[i]) || !sl_text_is(sl_bytes(list.as.list[i]), "-"))
            v[i] = list.as.list[i];
    assert_int_equal(sl_path_assign(&p, b, v, keep_batch, &made, NULL), SL_OK);
    assert_all_rows(&made, expected);
    unsigned batches = made.n;
    drop_batches(&made);
    sl_arena_free(&arena);
    return batches;
}

static void assigns_in_place_or_at_the_end(void **state) {
    (void)state;
    assert_int_equal(assign(SL_NATIVE, "a", "[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]", "[7,8]",
                            "{\"a\":7,\"b\":2}\n{\"a\":8,\"b\":4}\n"),
                     1);
    assert_int_equal(
        assign(SL_NATIVE, "c", "[{\"a\":1},{\"a\":3}]", "[7,\"-\"]", "{\"a\":1,\"c\":7}\n{\"a\":3}\n"), 1);
    assert_int_equal(
        assign(SL_NATIVE, "a", "[{\"a\":1},{\"a\":3}]", "[\"-\",null]", "{\"a\":1}\n{\"a\":null}\n"), 1);
    assert_int_equal(
        assign(SL_NATIVE, "c", "[{\"a\":1},{\"a\":3}]", "[\"-\",\"-\"]", "{\"a\":1}\n{\"a\":3}\n"), 1);
}

static void rows_that_lack_the_key_get_it_last(void **state) {
    (void)state;
    assert_int_equal(
        assign(SL_NATIVE, "a", "[{\"a\":1,\"b\":2},{\"b\":4},{\"b\":5},{\"a\":6,\"b\":7}]", "[10,11,12,13]",
               "{\"a\":10,\"b\":2}\n{\"b\":4,\"a\":11}\n{\"b\":5,\"a\":12}\n{\"a\":13,\"b\":7}\n"),
        3);
    assign(SL_NATIVE, "a", "[{\"a\":1,\"b\":2},{\"b\":4},{\"a\":6,\"b\":7}]", "[\"-\",\"-\",13]",
           "{\"a\":1,\"b\":2}\n{\"b\":4}\n{\"a\":13,\"b\":7}\n");
}

static void riko_adopts_the_latest_spelling(void **state) {
    (void)state;
    assert_int_equal(assign(SL_RIKO, "TITLE", "[{\"Title\":1,\"b\":2},{\"Title\":3,\"b\":4}]", "[7,8]",
                            "{\"TITLE\":7,\"b\":2}\n{\"TITLE\":8,\"b\":4}\n"),
                     1);
    assign(SL_RIKO, "title", "[{\"Title\":1,\"b\":2},{\"Title\":3,\"b\":4},{\"title\":5,\"b\":6},{\"b\":0}]",
           "[7,\"-\",8,9]",
           "{\"title\":7,\"b\":2}\n{\"Title\":3,\"b\":4}\n{\"title\":8,\"b\":6}\n{\"b\":0,\"title\":9}\n");
}

static void nested_paths_extend_or_replace(void **state) {
    (void)state;
    assign(SL_RIKO, "a.b.c",
           "[{\"a\":{\"x\":1},\"z\":0},{\"z\":1},{\"a\":5,\"z\":0},{\"A\":{\"B\":{\"q\":1}},\"z\":0}]",
           "[1,2,3,4]",
           "{\"a\":{\"x\":1,\"b\":{\"c\":1}},\"z\":0}\n{\"z\":1,\"a\":{\"b\":{\"c\":2}}}\n{\"a\":{\"b\":{"
           "\"c\":3}},\"z\":0}\n"
           "{\"a\":{\"b\":{\"q\":1,\"c\":4}},\"z\":0}\n");
    assign(SL_NATIVE, "a.b", "[{\"a.b\":1,\"z\":0},{\"a\":{\"x\":1},\"z\":0},{\"z\":0}]", "[7,8,9]",
           "{\"a.b\":7,\"z\":0}\n{\"a\":{\"x\":1,\"b\":8},\"z\":0}\n{\"z\":0,\"a\":{\"b\":9}}\n");
}

/* However the rows are cut into batches, the items are the same. */
static void assigning_does_not_depend_on_batches(void **state) {
    (void)state;
    static const char *const items[] = {"{\"a\":1,\"b\":2}",         "{\"b\":2}", "{\"B\":{\"x\":1}}",
                                        "{\"a\":1,\"b\":{\"c\":1}}", "{}",        "{\"b.c\":1,\"b\":{}}",
                                        "{\"z\":1,\"b\":[]}"};
    for (int dialect = SL_NATIVE; dialect <= SL_RIKO; dialect++)
        for (unsigned i = 0; i < SL_COUNT(items); i++)
            for (unsigned k = 0; k < SL_COUNT(items); k++) {
                sl_arena arena = {0};
                sl_path p = path_of(&arena, "b.c", (sl_dialect)dialect);
                sl_value one, other;
                assert_int_equal(sl_path_set(&p, parse(&arena, items[i]), sl_int(1), &arena, &one, NULL),
                                 SL_OK);
                assert_int_equal(sl_path_set(&p, parse(&arena, items[k]), sl_int(2), &arena, &other, NULL),
                                 SL_OK);
                sl_buf list = {0}, expected = {0};
                sl_buf_printf(&list, "[%s,%s]", items[i], items[k]);
                show(one, &expected);
                sl_buf_byte(&expected, '\n');
                show(other, &expected);
                sl_buf_byte(&expected, '\n');
                assign((sl_dialect)dialect, "b.c", sl_buf_cstr(&list), "[1,2]", sl_buf_cstr(&expected));
                sl_buf_free(&list);
                sl_buf_free(&expected);
                sl_arena_free(&arena);
            }
}

static void assigning_leaves_slices_alone(void **state) {
    (void)state;
    sl_arena arena = {0};
    batch_list made = {0};
    sl_batch *b = batch_of("[{\"a\":1},{\"a\":2}]");
    static const uint32_t rows[] = {0, 1};
    sl_batch *slice = sl_batch_slice(b, rows, 2);
    sl_value *v = sl_arena_calloc(sl_batch_arena(b), 2, sizeof *v);
    v[1] = sl_int(9);
    sl_path p = path_of(&arena, "a", SL_NATIVE);
    assert_int_equal(sl_path_assign(&p, b, v, keep_batch, &made, NULL), SL_OK);
    assert_all_rows(&made, "{\"a\":1}\n{\"a\":9}\n");
    assert_rows(slice, "{\"a\":1}\n{\"a\":2}\n");
    drop_batches(&made);
    sl_batch_free(&slice);
    sl_arena_free(&arena);
}

static void nothing_can_be_assigned_to_the_whole_item(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_path p = path_of(&arena, "", SL_NATIVE);
    sl_batch *b = batch_of("[{\"a\":1}]");
    sl_error err = {0};
    sl_value *v = sl_arena_calloc(sl_batch_arena(b), 1, sizeof *v);
    assert_int_equal(sl_path_assign(&p, b, v, keep_batch, NULL, &err), SL_E_PLAN);
    assert_int_equal(err.code, SL_E_PLAN);
    sl_arena_free(&arena);
}

/* ---- dotted names -------------------------------------------------------------------------------------------- */

static void assert_nests(const char *item, const char *expected) {
    sl_arena arena = {0};
    sl_value v;
    assert_int_equal(sl_nest_dotted(parse(&arena, item), &arena, &v, NULL), SL_OK);
    assert_shows(v, expected);
    sl_buf list = {0}, line = {0};
    sl_buf_printf(&list, "[%s,%s]", item, item);
    sl_buf_printf(&line, "%s\n%s\n", expected, expected);
    sl_batch *b = batch_of(sl_buf_cstr(&list));
    assert_int_equal(sl_batch_nest_dotted(b, NULL), SL_OK);
    assert_rows(b, sl_buf_cstr(&line));
    sl_batch_free(&b);
    sl_buf_free(&list);
    sl_buf_free(&line);
    sl_arena_free(&arena);
}

static void dotted_names_nest(void **state) {
    (void)state;
    assert_nests("{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}");
    assert_nests("{\"author\":\"z\",\"author.name\":\"n\"}", "{\"author\":{\"name\":\"n\"}}");
    assert_nests("{\"author.name\":\"n\",\"author\":\"z\"}", "{\"author\":{\"name\":\"n\"}}");
    assert_nests("{\"No. of Journeys\":7}", "{\"No\":{\" of Journeys\":7}}");
    assert_nests("{\"a.x\":1,\"b\":2,\"a.y\":3}", "{\"a\":{\"x\":1,\"y\":3},\"b\":2}");
    assert_nests("{\"\":1,\"b\":2,\"d.e\":3}", "{\"\":1,\"b\":2,\"d\":{\"e\":3}}");
    assert_nests("{\"a\":{\"x\":1},\"a.b.c\":2}", "{\"a\":{\"x\":1,\"b\":{\"c\":2}}}");
    assert_nests("{\"end.\":1}", "{\"end\":1}");
}

static void rows_without_the_deeper_name_keep_theirs(void **state) {
    (void)state;
    sl_batch *b = batch_of("[{\"author\":\"z\",\"b\":1},{\"author\":\"y\",\"b\":2,\"author.name\":\"n\"}]");
    assert_int_equal(sl_batch_nest_dotted(b, NULL), SL_OK);
    assert_rows(b, "{\"author\":\"z\",\"b\":1}\n{\"author\":{\"name\":\"n\"},\"b\":2}\n");
    sl_batch_free(&b);
}

static void plain_columns_beside_dotted_ones_stay_lazy(void **state) {
    (void)state;
    sl_batch *b = records_batch("1,2,3\n4,5,6\n", 3, '"');
    b->cols[1].name = SL_TEXT("x.y");
    b->cols[2].name = SL_TEXT("x.z");
    assert_int_equal(sl_batch_nest_dotted(b, NULL), SL_OK);
    assert_int_equal(b->ncols, 2);
    assert_null(b->cols[0].values);
    assert_rows(
        b, "{\"a\":\"1\",\"x\":{\"y\":\"2\",\"z\":\"3\"}}\n{\"a\":\"4\",\"x\":{\"y\":\"5\",\"z\":\"6\"}}\n");
    sl_batch_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(riko_paths_ignore_case_and_look_into_lists),
        cmocka_unit_test(riko_indexes_lists_and_passes_scalars_through),
        cmocka_unit_test(native_paths_try_the_whole_name_first),
        cmocka_unit_test(riko_reads_every_spelling_in_a_batch),
        cmocka_unit_test(the_column_itself_answers),
        cmocka_unit_test(assigns_in_place_or_at_the_end),
        cmocka_unit_test(rows_that_lack_the_key_get_it_last),
        cmocka_unit_test(riko_adopts_the_latest_spelling),
        cmocka_unit_test(nested_paths_extend_or_replace),
        cmocka_unit_test(assigning_does_not_depend_on_batches),
        cmocka_unit_test(assigning_leaves_slices_alone),
        cmocka_unit_test(nothing_can_be_assigned_to_the_whole_item),
        cmocka_unit_test(dotted_names_nest),
        cmocka_unit_test(rows_without_the_deeper_name_keep_theirs),
        cmocka_unit_test(plain_columns_beside_dotted_ones_stay_lazy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
