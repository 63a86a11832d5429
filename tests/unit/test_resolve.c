/* test_resolve.c: confs that refer to the item, to terminals or to what the caller gave: what is cast once and what for each
 * item. */
#include "plan_fixture.h"

#include "record/batch.h"

/* One row with the columns NAME and, hidden, the terminal "t". */
static sl_batch *row_of(const char *name, sl_value v, sl_value terminal) {
    sl_error err = {0};
    sl_value *cells;
    sl_batch *b = sl_batch_new(NULL, 1);
    assert_non_null(b);
    assert_int_equal(sl_batch_add_column(b, sl_text_of(name), &cells, &err), SL_OK);
    cells[0] = v;
    if (terminal.type == SL_MISSING) return b;
    assert_int_equal(sl_batch_add_column(b, SL_TEXT("\x01t"), &cells, &err), SL_OK);
    cells[0] = terminal;
    return b;
}

static void literals_are_cast_once(void **state) {
    (void)state;
    sl_plan *p =
        loaded("[{\"type\":\"truncate\",\"conf\":{\"count\":{\"type\":\"int\",\"value\":\"12.9\"},"
               "\"content\":[{\"value\":\"x\"},{\"type\":\"float\",\"value\":\"2\"},{\"type\":\"nosuch\","
               "\"value\":3},"
               "{\"type\":\"text\",\"value\":4},{\"a\":{\"type\":\"bool\",\"value\":1},\"subkey\":\"\"}]}}]");
    const sl_node *node = node_of(p, "sw-1");
    assert_false(node->dynamic);
    const fake_conf *c = node->compiled;
    assert_int_equal(c->count, 12);
    assert_json(c->content, "[\"x\",2.0,3,\"4\",{\"a\":true,\"subkey\":\"\"}]");
    sl_plan_free(&p);
}

static void subkeys_come_from_the_item(void **state) {
    (void)state;
    sl_error err = {0};
    sl_arena arena = {0};
    sl_plan *p =
        loaded("[{\"type\":\"strconcat\",\"conf\":{\"count\":{\"subkey\":\"n\"},"
               "\"content\":[{\"subkey\":\"n\",\"type\":\"int\"},{\"k\":{\"subkey\":\"zz\"}},\"x\"]}}]");
    const sl_node *node = node_of(p, "sw-1");
    assert_true(node->dynamic);
    assert_null(node->compiled);
    assert_int_equal(node->nsubkeys, 3);
    sl_batch *b = row_of("n", sl_int(5), sl_missing());
    fake_conf c = {0};
    assert_int_equal(sl_node_resolve(node, (sl_item){b, 0}, &arena, &c, &err), SL_OK);
    assert_int_equal(c.count, 5);
    assert_int_equal(c.prepared, 1);
    assert_json(c.content, "[5,{\"k\":null},\"x\"]");
    c = (fake_conf){0};
    assert_int_equal(sl_node_resolve(node, (sl_item){0}, &arena, &c, &err), SL_OK);
    assert_int_equal(c.count, 7);
    assert_json(c.content, "[null,{\"k\":null},\"x\"]");
    sl_batch_free(&b);
    b = row_of("n", sl_int(500), sl_missing());
    assert_int_equal(sl_node_resolve(node, (sl_item){b, 0}, &arena, &c, &err), SL_E_PLAN);
    assert_int_equal(err.step, 1);
    assert_string_equal(err.pipe, "strconcat");
    assert_string_equal(err.text, "key 'count' must be 0 to 100 items, got 500");
    sl_batch_free(&b);
    sl_arena_free(&arena);
    sl_plan_free(&p);
}

static void terminals_come_as_hidden_columns(void **state) {
    (void)state;
    sl_error err = {0};
    sl_arena arena = {0};
    sl_plan *p = loaded("{\"modules\":[{\"id\":\"a\",\"type\":\"csv\",\"conf\":{\"url\":\"x\"}},{\"id\":"
                        "\"s\",\"type\":\"strconcat\","
                        "\"conf\":{\"content\":[{\"terminal\":\"t\",\"type\":\"text\"},\"!\"]}}],\"wires\":[["
                        "\"a\",\"s\",\"t\"]]}");
    const sl_node *node = node_of(p, "s");
    assert_true(node->dynamic);
    sl_batch *b = row_of("n", sl_int(1), sl_text_value(SL_TEXT("el")));
    fake_conf c = {0};
    assert_int_equal(sl_node_resolve(node, (sl_item){b, 0}, &arena, &c, &err), SL_OK);
    assert_json(c.content, "[\"el\",\"!\"]");
    sl_batch_free(&b);
    b = row_of("n", sl_int(1), sl_missing());
    assert_int_equal(sl_node_resolve(node, (sl_item){b, 0}, &arena, &c, &err), SL_OK);
    assert_json(c.content, "[null,\"!\"]");
    sl_batch_free(&b);
    sl_arena_free(&arena);
    sl_plan_free(&p);
}

static void operators_see_null_for_subkeys(void **state) {
    (void)state;
    sl_plan *p = loaded(
        "[{\"type\":\"truncate\",\"conf\":{\"count\":{\"subkey\":\"n\"},\"content\":{\"subkey\":\"n\"}}}]");
    const sl_node *node = node_of(p, "sw-1");
    assert_false(node->dynamic);
    const fake_conf *c = node->compiled;
    assert_int_equal(c->count, 7);
    assert_int_equal(c->content.type, SL_NULL);
    sl_plan_free(&p);
}

static void a_source_may_ask_for_a_subkey(void **state) {
    (void)state;
    sl_error err = {0};
    sl_arena arena = {0};
    sl_plan *p = loaded("[{\"type\":\"truncate\"},{\"type\":\"fetchdata\",\"conf\":{\"url\":[{\"subkey\":"
                        "\"u\"},{\"subkey\":\"v\"}]}}]");
    assert_graph(p, "sw-1 sw-2.1<sw-1 sw-2.2<sw-1 sw-2<sw-2.1<u:sw-2.2 _OUTPUT<sw-2");
    assert_int_equal(node_of(p, "sw-1")->nconsumers, 2);
    sl_batch *b = row_of("v", sl_text_value(SL_TEXT("f")), sl_missing());
    fake_conf c = {0};
    assert_int_equal(sl_node_resolve(node_of(p, "sw-2.2"), (sl_item){b, 0}, &arena, &c, &err), SL_OK);
    assert_true(sl_text_is(c.url, "f"));
    assert_int_equal(sl_node_resolve(node_of(p, "sw-2.1"), (sl_item){b, 0}, &arena, &c, &err), SL_E_PLAN);
    assert_string_equal(err.text, "missing key 'url': file or URL");
    sl_batch_free(&b);
    sl_arena_free(&arena);
    sl_plan_free(&p);
}

static void inputs_and_the_environment_are_seen_by_the_conf(void **state) {
    (void)state;
    sl_error err = {0};
    sl_plan *p = fake_plan();
    assert_int_equal(sl_plan_set_input(p, SL_TEXT("a"), SL_TEXT("1"), &err), SL_OK);
    assert_int_equal(sl_plan_set_input(p, SL_TEXT("b"), SL_TEXT("2"), &err), SL_OK);
    assert_int_equal(sl_plan_set_input(p, SL_TEXT("a"), SL_TEXT("3"), &err), SL_OK);
    assert_int_equal(sl_plan_set(p, SL_TEXT("parallel"), SL_TEXT("true"), true, &err), SL_OK);
    assert_int_equal(sl_plan_set(p, SL_TEXT("threads"), SL_TEXT("0"), true, &err), SL_OK);
    assert_int_equal(sl_plan_set(p, SL_TEXT("paralel"), SL_TEXT("1"), true, &err), SL_E_USAGE);
    assert_string_equal(err.text, "unknown setting 'paralel', did you mean 'parallel'?");
    err = (sl_error){0};
    assert_int_equal(sl_plan_set(p, SL_TEXT("workers"), SL_TEXT("-1"), true, &err), SL_E_USAGE);
    err = (sl_error){0};
    assert_int_equal(load(p, "[{\"type\":\"truncate\"}]", &err), SL_OK);
    assert_json(p->env.inputs, "{\"b\":\"2\",\"a\":\"3\"}");
    assert_false(p->env.shared);
    assert_true(p->env.workers >= 1);
    assert_non_null(p->env.tmpdir);
    assert_int_equal(p->env.now, 1700000000);
    assert_int_equal(sl_plan_prepare(p, NULL, &err), SL_E_INTERNAL);
    sl_plan_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_cast_once),
        cmocka_unit_test(subkeys_come_from_the_item),
        cmocka_unit_test(terminals_come_as_hidden_columns),
        cmocka_unit_test(operators_see_null_for_subkeys),
        cmocka_unit_test(a_source_may_ask_for_a_subkey),
        cmocka_unit_test(inputs_and_the_environment_are_seen_by_the_conf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
