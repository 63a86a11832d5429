/* test_builder.c: items into batches. The same random items are built with batches of every size, and must come out the same:
 * what a batch holds must never show in the output. */
#include "record_fixture.h"

/* What comes out, and in how many batches. */
typedef struct tally {
    sl_buf lines;
    unsigned batches;
    uint32_t largest;
} tally;

static sl_status count_batch(void *to, sl_batch *take, sl_error *err) {
    (void)err;
    tally *t = to;
    t->batches++;
    if (take->nsel > t->largest) t->largest = take->nsel;
    show_batch(take, &t->lines);
    sl_batch_free(&take);
    return SL_OK;
}

static const uint32_t sizes[] = {1, 2, 7, 4096};

static void add_all(tally *t, uint32_t max_rows, sl_value list) {
    sl_builder *bd = sl_builder_new(max_rows, NULL, count_batch, t);
    for (uint32_t i = 0; i < list.n; i++) assert_int_equal(sl_builder_add(bd, list.as.list[i], NULL), SL_OK);
    assert_int_equal(sl_builder_flush(bd, NULL), SL_OK);
    assert_int_equal(sl_builder_flush(bd, NULL), SL_OK); /* nothing left */
    sl_builder_free(&bd);
}

static void assert_same_for_all_sizes(sl_value list, unsigned batches) {
    sl_buf expected = {0};
    for (uint32_t i = 0; i < list.n; i++) {
        show(list.as.list[i], &expected);
        sl_buf_byte(&expected, '\n');
    }
    for (unsigned s = 0; s < SL_COUNT(sizes); s++) {
        tally t = {0};
        add_all(&t, sizes[s], list);
        assert_string_equal(sl_buf_cstr(&t.lines), sl_buf_cstr(&expected));
        assert_true(t.largest <= sizes[s]);
        if (sizes[s] == 4096 && batches) assert_int_equal(t.batches, batches);
        sl_buf_free(&t.lines);
    }
    sl_buf_free(&expected);
}

static void assert_merges(const char *items, unsigned batches) {
    sl_arena arena = {0};
    assert_same_for_all_sizes(parse(&arena, items), batches);
    sl_arena_free(&arena);
}

static void equal_keys_make_one_batch(void **state) {
    (void)state;
    assert_merges("[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":null},{\"a\":3,\"b\":[1,{}]}]", 1);
}

static void absent_and_new_keys_merge(void **state) {
    (void)state;
    assert_merges(
        "[{\"a\":1,\"c\":3},{\"a\":1,\"b\":2,\"c\":3},{\"c\":3},{},{\"b\":2,\"d\":4},{\"0\":0,\"a\":1}]", 1);
    assert_merges("[{},{},{\"a\":1}]", 1);
}

static void contradicting_orders_split(void **state) {
    (void)state;
    assert_merges("[{\"a\":1,\"b\":2},{\"b\":1,\"a\":2}]", 2);
    assert_merges(
        "[{\"a\":1,\"b\":2},{\"a\":1},{\"n\":0,\"b\":1,\"a\":2,\"z\":9},{\"b\":5,\"z\":1},{\"a\":1,\"b\":2}]",
        3);
    assert_merges("[{\"a\":1,\"b\":2},{\"b\":1,\"a\":2},{\"a\":1,\"b\":2},{\"b\":1,\"a\":2}]", 4);
}

static void bare_elements_stay_apart(void **state) {
    (void)state;
    assert_merges("[1,\"two\",null,{\"content\":3},[4],5]", 3);
}

static void finished_rows_do_not_show_columns_of_the_next(void **state) {
    (void)state;
    sl_arena arena = {0};
    batch_list made = {0};
    sl_value list = parse(&arena, "[{\"a\":1,\"b\":2},{\"new\":0,\"b\":1,\"a\":2}]");
    sl_builder *bd = sl_builder_new(0, NULL, keep_batch, &made);
    for (uint32_t i = 0; i < list.n; i++) assert_int_equal(sl_builder_add(bd, list.as.list[i], NULL), SL_OK);
    assert_int_equal(sl_builder_flush(bd, NULL), SL_OK);
    assert_int_equal(made.n, 2);
    assert_int_equal(made.batch[0]->ncols, 2);
    assert_int_equal(made.batch[1]->ncols, 3);
    sl_builder_free(&bd);
    drop_batches(&made);
    sl_arena_free(&arena);
}

static void repeated_keys_overwrite_in_place(void **state) {
    (void)state;
    for (unsigned s = 0; s < SL_COUNT(sizes); s++) {
        tally t = {0};
        sl_builder *bd = sl_builder_new(sizes[s], NULL, count_batch, &t);
        static const char *const rows[] = {"abab", "ba", "abba", "bab"};
        for (unsigned r = 0; r < SL_COUNT(rows); r++) {
            assert_int_equal(sl_builder_row(bd, NULL), SL_OK);
            for (uint32_t i = 0; rows[r][i]; i++)
                assert_int_equal(sl_builder_put(bd, sl_text_n(rows[r] + i, 1), sl_int(i), NULL), SL_OK);
            assert_int_equal(sl_builder_put(bd, SL_TEXT("none"), sl_missing(), NULL), SL_OK);
        }
        assert_int_equal(sl_builder_flush(bd, NULL), SL_OK);
        assert_string_equal(sl_buf_cstr(&t.lines), "{\"a\":2,\"b\":3}\n{\"b\":0,\"a\":1}\n{\"a\":3,\"b\":2}\n"
                                                   "{\"b\":2,\"a\":1}\n");
        sl_builder_free(&bd);
        sl_buf_free(&t.lines);
    }
}

static uint32_t next_random(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Items with random subsets of ten keys, mostly in order, sometimes shuffled. */
static sl_value random_items(sl_arena *arena, uint32_t n, uint32_t *seed) {
    static const char keys[] = "abcdefghij";
    sl_value *items = sl_arena_alloc(arena, n * sizeof *items);
    for (uint32_t i = 0; i < n; i++) {
        sl_pair *pairs = sl_arena_alloc(arena, 10 * sizeof *pairs);
        uint32_t k = 0;
        for (uint32_t c = 0; c < 10; c++)
            if (next_random(seed) % 3) pairs[k++] = (sl_pair){sl_text_n(keys + c, 1), sl_int(i * 10 + c)};
        for (uint32_t c = 1; c < k && i % 5 == 0; c++) {
            uint32_t other = next_random(seed) % (c + 1);
            sl_pair swap = pairs[c];
            pairs[c] = pairs[other];
            pairs[other] = swap;
        }
        items[i] = sl_map(pairs, k);
    }
    return sl_list(items, n);
}

static void random_items_survive_every_batch_size(void **state) {
    (void)state;
    uint32_t seed = 2463534242u;
    for (int round = 0; round < 30; round++) {
        sl_arena arena = {0};
        assert_same_for_all_sizes(random_items(&arena, 200, &seed), 0);
        sl_arena_free(&arena);
    }
}

static void many_different_keys_stay_bounded(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_value *items = sl_arena_alloc(&arena, 3000 * sizeof *items);
    for (uint32_t i = 0; i < 3000; i++) {
        sl_pair *pairs = sl_arena_alloc(&arena, 40 * sizeof *pairs);
        for (uint32_t k = 0; k < 40; k++)
            pairs[k] = (sl_pair){sl_arena_printf(&arena, "key-%u-%u", i, k), sl_int(k)};
        items[i] = sl_map(pairs, 40);
    }
    tally t = {0};
    add_all(&t, 0, sl_list(items, 3000));
    assert_in_range(t.batches, 2, 3000);
    sl_buf_free(&t.lines);
    sl_arena_free(&arena);
}

static void raw_values_are_decoded_later(void **state) {
    (void)state;
    batch_list made = {0};
    sl_input *in = sl_input_copy("tab\\there", 9);
    sl_builder *bd = sl_builder_new(0, in, keep_batch, &made);
    assert_int_equal(sl_builder_row(bd, NULL), SL_OK);
    sl_value v = sl_text_value(sl_text_n(in->data, 9));
    v.flags = SL_RAW_JSON;
    assert_int_equal(sl_builder_put(bd, SL_TEXT("t"), v, NULL), SL_OK);
    assert_int_equal(sl_builder_flush(bd, NULL), SL_OK);
    sl_builder_free(&bd);
    sl_input_unref(&in);
    assert_int_equal(sl_column_raw(made.batch[0], 0, NULL)[0].flags, SL_RAW_JSON);
    assert_true(sl_text_is(sl_bytes(sl_column_values(made.batch[0], 0, NULL)[0]), "tab\there"));
    drop_batches(&made);
}

static void lines_and_source_are_told(void **state) {
    (void)state;
    batch_list made = {0};
    sl_builder *bd = sl_builder_new(0, NULL, keep_batch, &made);
    sl_builder_source(bd, "x.json");
    static const uint64_t lines[] = {0, 7, 3, 9};
    for (unsigned i = 0; i < SL_COUNT(lines); i++) {
        assert_int_equal(sl_builder_row(bd, NULL), SL_OK);
        sl_builder_line(bd, lines[i]);
        assert_int_equal(sl_builder_put(bd, SL_TEXT("a"), sl_int(i), NULL), SL_OK);
    }
    assert_int_equal(sl_builder_flush(bd, NULL), SL_OK);
    for (uint32_t i = 0; i < SL_COUNT(lines); i++)
        assert_int_equal(sl_batch_line(made.batch[0], i), lines[i]);
    assert_string_equal(made.batch[0]->source, "x.json");
    sl_builder_free(&bd);
    drop_batches(&made);
}

static sl_status refuse(void *to, sl_batch *take, sl_error *err) {
    (void)to, (void)err;
    sl_batch_free(&take);
    return SL_DONE;
}

static void a_full_sink_is_told_upwards(void **state) {
    (void)state;
    sl_builder *bd = sl_builder_new(1, NULL, refuse, NULL);
    assert_int_equal(sl_builder_add(bd, sl_int(1), NULL), SL_OK);
    assert_int_equal(sl_builder_add(bd, sl_int(2), NULL), SL_DONE);
    sl_builder_free(&bd);
    sl_builder_free(&bd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_keys_make_one_batch),
        cmocka_unit_test(absent_and_new_keys_merge),
        cmocka_unit_test(contradicting_orders_split),
        cmocka_unit_test(bare_elements_stay_apart),
        cmocka_unit_test(finished_rows_do_not_show_columns_of_the_next),
        cmocka_unit_test(repeated_keys_overwrite_in_place),
        cmocka_unit_test(random_items_survive_every_batch_size),
        cmocka_unit_test(many_different_keys_stay_bounded),
        cmocka_unit_test(raw_values_are_decoded_later),
        cmocka_unit_test(lines_and_source_are_told),
        cmocka_unit_test(a_full_sink_is_told_upwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
