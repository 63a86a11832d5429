/* test_notation.c: the notation of `sluice pipe`: steps, quotes, dots and lists, and the column that a message points at. */
#include "plan_fixture.h"

/* The conf that the only step of TEXT gets, as JSON. */
static void assert_conf(const char *text, const char *expected) {
    sl_error err = {0};
    sl_plan *p = fake_plan();
    if (sl_plan_add_text(p, text, &err) != SL_OK) fail_msg("%s: %s", text, err.text);
    assert_int_equal(p->nnodes, 1);
    assert_json(p->tail->conf, expected);
    sl_plan_free(&p);
}

static void assert_wrong(const char *text, const char *message) {
    sl_error err = {0};
    char out[1200];
    sl_plan *p = fake_plan();
    sl_status s = sl_plan_add_text(p, text, &err);
    if (s == SL_OK) s = sl_plan_prepare(p, NULL, &err);
    assert_int_equal(s, SL_E_PLAN);
    assert_string_equal(sl_error_format(&err, out, sizeof out), message);
    sl_plan_free(&p);
}

static void steps_follow_one_another(void **state) {
    (void)state;
    sl_error err = {0};
    sl_plan *p = fake_plan();
    const char *text =
        "fetchdata url=x.json|filter rule.field=province rule.op=eq rule.value=GP\n | truncate count=5 ";
    assert_int_equal(sl_plan_add_text(p, text, &err), SL_OK);
    assert_int_equal(sl_plan_prepare(p, NULL, &err), SL_OK);
    assert_graph(p, "sw-1 sw-2<sw-1 sw-3<sw-2 _OUTPUT<sw-3");
    assert_json(node_of(p, "sw-1")->conf, "{\"url\":\"x.json\"}");
    assert_json(node_of(p, "sw-2")->conf,
                "{\"rule\":{\"field\":\"province\",\"op\":\"eq\",\"value\":\"GP\"}}");
    const fake_conf *c = node_of(p, "sw-3")->compiled;
    assert_int_equal(c->count, 5);
    assert_int_equal(c->prepared, 1);
    assert_int_equal(node_of(p, "sw-2")->column, 22);
    sl_plan_free(&p);
}

static void values_are_text_unless_json(void **state) {
    (void)state;
    assert_conf("filter a=x b=5 c=-1.5 d=true e=null f=01 g=5x h= i=1e3 j=True",
                "{\"a\":\"x\",\"b\":5,\"c\":-1.5,\"d\":true,\"e\":null,\"f\":\"01\",\"g\":\"5x\",\"h\":\"\","
                "\"i\":1000.0,"
                "\"j\":\"True\"}");
    assert_conf("filter a=[1,2] b='{\"x\": [true]}' c=[0-9]+ d={",
                "{\"a\":[1,2],\"b\":{\"x\":[true]},\"c\":\"[0-9]+\",\"d\":\"{\"}");
    assert_conf("filter n=123456789012345678901234567890", "{\"n\":123456789012345678901234567890}");
}

static void quotes_as_in_a_shell(void **state) {
    (void)state;
    assert_conf("filter a='5' b=\"true\" c='x y|z' d=\"q\\\"r\\\\s\\d\" e=a'b c'\"d\" f='$x\\'",
                "{\"a\":\"5\",\"b\":\"true\",\"c\":\"x y|z\",\"d\":\"q\\\"r\\\\s\\\\d\",\"e\":\"ab "
                "cd\",\"f\":\"$x\\\\\"}");
    assert_conf("filter a=\\d+\\ x\\|y b=\\'", "{\"a\":\"\\\\d+ x|y\",\"b\":\"'\"}");
}

static void dots_nest_and_repeats_make_lists(void **state) {
    (void)state;
    assert_conf("filter a.b.c=1 a.b.d=2 a.e=3", "{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3}}");
    assert_conf("filter part=x part=y part=z", "{\"part\":[\"x\",\"y\",\"z\"]}");
    assert_conf("filter r.f=a r.d=1 r.f=b r.d=2 r.f=c",
                "{\"r\":[{\"f\":\"a\",\"d\":1},{\"f\":\"b\",\"d\":2},{\"f\":\"c\"}]}");
    assert_conf("filter r.0.f=a r.1.f=b r.0.g=c r.2=x",
                "{\"r\":[{\"f\":\"a\",\"g\":\"c\"},{\"f\":\"b\"},\"x\"]}");
}

static void a_bare_word_is_the_main_key(void **state) {
    (void)state;
    assert_conf("fetchdata 'http://h/x?a=b'", "{\"url\":\"http://h/x?a=b\"}");
    assert_conf("fetchdata http://h/x?a=b path=p.q", "{\"url\":\"http://h/x?a=b\",\"path\":\"p.q\"}");
    assert_conf("truncate 5", "{\"count\":5}");
    assert_conf("truncate '5'", "{\"count\":\"5\"}");
}

static void call_options_begin_with_an_at_sign(void **state) {
    (void)state;
    sl_error err = {0};
    sl_plan *p = fake_plan();
    assert_int_equal(
        sl_plan_add_text(p, "truncate @field=a.b @assign=c @emit=false @count=first count=1", &err), SL_OK);
    assert_true(sl_text_is(p->tail->field, "a.b") && sl_text_is(p->tail->assign, "c"));
    assert_int_equal(p->tail->emit, 0);
    assert_int_equal(p->tail->count, 1);
    assert_json(p->tail->conf, "{\"count\":1}");
    assert_int_equal(sl_plan_add_text(p, "truncate @skip_if.field=a @skip_if.text=b", &err), SL_OK);
    assert_json(p->tail->skip_if, "{\"field\":\"a\",\"text\":\"b\"}");
    sl_plan_free(&p);
}

static void mistakes_have_their_column(void **state) {
    (void)state;
    assert_wrong("", "pipe:1:1: the name of a pipe is missing here");
    assert_wrong("truncate | | sort", "pipe:1:12: the name of a pipe is missing here");
    assert_wrong("truncate |", "pipe:1:11: the name of a pipe is missing here");
    assert_wrong("truncate 'x", "pipe:1:10: the quote ' is not closed");
    assert_wrong("truncate | fliter a=b", "pipe:1:12: step 2: unknown pipe 'fliter', did you mean 'filter'?");
    assert_wrong("filter x", "pipe:1:8: unexpected word 'x' after 'filter', expected KEY=VALUE");
    assert_wrong("filter a.=x", "pipe:1:8: key 'a.' ends with a dot");
    assert_wrong("filter a=1 a.b=2", "pipe:1:12: 'b' is inside of a key that has a value already");
    assert_wrong("filter a.1=x", "pipe:1:8: element 1 comes before element 0");
    assert_wrong("truncate @feld=x", "pipe:1:1: step 1 (truncate): unknown call option '@feld', expected "
                                     "@field, @assign, @emit, @count, @skip_if or @embed");
    assert_wrong("truncate 1 | filter rule.fied=x",
                 "pipe:1:14: step 2 (filter): unknown key 'fied', did you mean 'field'?");
}

static void steps_added_one_by_one(void **state) {
    (void)state;
    sl_error err = {0};
    sl_plan *p = fake_plan();
    const char *json = "[{\"type\":\"csv\",\"conf\":{\"url\":\"a\"}}]";
    assert_int_equal(sl_plan_parse(p, json, strlen(json), "p", NULL, &err), SL_OK);
    assert_int_equal(sl_plan_add(p, SL_TEXT("truncate"), "{\"count\": 3, \"@emit\": true}", &err), SL_OK);
    assert_int_equal(sl_plan_add(p, SL_TEXT("split"), NULL, &err), SL_OK);
    assert_int_equal(sl_plan_prepare(p, NULL, &err), SL_OK);
    assert_graph(p, "sw-1 sw-2<sw-1 sw-3<sw-2 _OUTPUT<sw-3");
    assert_int_equal(node_of(p, "sw-2")->step, 2);
    assert_int_equal(node_of(p, "sw-2")->emit, 1);
    sl_plan_free(&p);
}

static void a_bad_conf_is_named(void **state) {
    (void)state;
    sl_error err = {0};
    char out[1200];
    sl_plan *p = fake_plan();
    assert_int_equal(sl_plan_add(p, SL_TEXT("truncate"), "{\n\"count\" 3}", &err), SL_E_PLAN);
    assert_string_equal(sl_error_format(&err, out, sizeof out),
                        "conf:2:9: step 1: not valid JSON: expected ':', not '3'");
    err = (sl_error){0};
    assert_int_equal(sl_plan_add(p, SL_TEXT("truncate"), "[]", &err), SL_E_PLAN);
    assert_string_equal(sl_error_format(&err, out, sizeof out),
                        "step 1 (truncate): the conf must be a JSON object, got list");
    sl_plan_free(&p);
}

static void broken_notation_is_survived(void **state) {
    (void)state;
    const char *text = "fetchdata 'x y' path=a.b | filter rule.0.field=\"p\" rule.1.op=eq r.a=1 r.a=2 | "
                       "truncate @emit=true 5";
    static const char marks[] = "|'\"\\=. 0@[";
    char copy[128];
    for (size_t i = 0; i < strlen(text) * sizeof marks; i++) {
        sl_error err = {0};
        sl_plan *p = fake_plan();
        snprintf(copy, sizeof copy, "%s", text);
        copy[i / sizeof marks] = marks[i % sizeof marks];
        sl_status s = sl_plan_add_text(p, copy, &err);
        assert_int_equal(s, err.code);
        assert_true(s == SL_OK || s == SL_E_PLAN);
        sl_plan_free(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_one_another),    cmocka_unit_test(values_are_text_unless_json),
        cmocka_unit_test(quotes_as_in_a_shell),        cmocka_unit_test(dots_nest_and_repeats_make_lists),
        cmocka_unit_test(a_bare_word_is_the_main_key), cmocka_unit_test(call_options_begin_with_an_at_sign),
        cmocka_unit_test(mistakes_have_their_column),  cmocka_unit_test(steps_added_one_by_one),
        cmocka_unit_test(a_bad_conf_is_named),         cmocka_unit_test(broken_notation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
