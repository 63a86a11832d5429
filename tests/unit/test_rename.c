/* test_rename.c: rename, through the public functions, on lazy columns and on items. */
#include "pipe_case.h"

#define RENAME(rule) "{\"type\": \"rename\", \"conf\": {\"rule\": " rule "}}"

static void a_field_is_moved_or_deleted(void **state) {
    (void)state;
    expect_items(NATIVE, "[{\"a\": 1, \"b\": 2}]", RENAME("{\"field\": \"a\", \"newval\": \"c\"}"),
                 "{\"b\":2,\"c\":1}\n");
    expect_items(NATIVE, "[{\"a\": 1, \"b\": 2}]", RENAME("{\"field\": \"a\"}"), "{\"b\":2}\n");
    expect_items(NATIVE, "[{\"a\": 1, \"b\": 2}]", RENAME("{\"field\": \"a\", \"newval\": \"a\"}"),
                 "{\"b\":2,\"a\":1}\n");
    expect_items(NATIVE, "[{\"a\": 1, \"b\": 2}]",
                 RENAME("[{\"field\": \"a\", \"newval\": \"b\"}, {\"field\": \"b\", \"newval\": \"c\"}]"),
                 "{\"c\":1}\n");
}

static void missing_fields_become_null(void **state) {
    (void)state;
    expect_items(NATIVE, "[{\"a\": 1}, {\"b\": 2}, {\"a\": 3, \"b\": 4}]",
                 RENAME("{\"field\": \"a\", \"newval\": \"c\"}"),
                 "{\"c\":1}\n{\"b\":2,\"c\":null}\n{\"b\":4,\"c\":3}\n");
    expect_items(RIKO, "[{\"a\": 1}]", RENAME("{\"field\": \"zz\", \"newval\": \"q\"}"),
                 "{\"a\":1,\"q\":null}\n");
}

/* A name that is there keeps its place, row by row. */
static void a_name_that_is_there_keeps_its_place(void **state) {
    (void)state;
    expect_items(NATIVE, "[{\"a\": 1, \"b\": 2, \"z\": 0}, {\"a\": 3, \"z\": 0}]",
                 RENAME("{\"field\": \"a\", \"newval\": \"b\"}"), "{\"b\":1,\"z\":0}\n{\"z\":0,\"b\":3}\n");
    expect_items(NATIVE, "[{\"b\": 2, \"a\": 1}]",
                 RENAME("{\"field\": \"a\", \"newval\": \"b\", \"copy\": true}"), "{\"b\":1,\"a\":1}\n");
}

static void case_of_names_counts_natively_only(void **state) {
    (void)state;
    const char *rule = RENAME("{\"field\": \"a\", \"newval\": \"z\"}");
    expect_items(RIKO, "[{\"A\": 1}]", rule, "{\"A\":1,\"z\":1}\n");
    expect_items(NATIVE, "[{\"A\": 1}]", rule, "{\"A\":1,\"z\":null}\n");
    expect_items(RIKO, "[{\"a\": 1, \"Z\": 2}]", rule, "{\"z\":1}\n");
    expect_items(NATIVE, "[{\"a\": 1, \"Z\": 2}]", rule, "{\"Z\":2,\"z\":1}\n");
    expect_items(RIKO, "[{\"a\": {\"value\": 5}}]", rule, "{\"z\":5}\n");
    expect_items(NATIVE, "[{\"a\": {\"value\": 5}}]", rule, "{\"z\":{\"value\":5}}\n");
}

static void dotted_names_reach_into_objects_natively(void **state) {
    (void)state;
    const char *nested = "[{\"a\": {\"b\": 1, \"c\": 2}}]";
    expect_items(RIKO, nested, RENAME("{\"field\": \"a.b\", \"newval\": \"x\"}"),
                 "{\"a\":{\"b\":1,\"c\":2},\"x\":1}\n");
    expect_items(NATIVE, nested, RENAME("{\"field\": \"a.b\", \"newval\": \"a.d\"}"),
                 "{\"a\":{\"b\":1,\"c\":2,\"d\":1}}\n");
    expect_items(NATIVE, "No. of trips,x\n5,6\n",
                 RENAME("{\"field\": \"No. of trips\", \"newval\": \"trips\"}"),
                 "{\"x\":\"6\",\"trips\":\"5\"}\n");
    expect_items(RIKO, "[{\"y:id\": \"q\"}]",
                 RENAME("{\"field\": \"y:id.value\", \"newval\": \"link\", \"copy\": true}"),
                 "{\"y:id\":\"q\",\"link\":\"q\"}\n");
}

/* Values of lazy columns survive the move, whatever is done to them afterwards. */
static void lazy_values_survive_the_move(void **state) {
    (void)state;
    expect_items(NATIVE, "a,b,c\n1,\"x\"\"y\",3\n4,\"5\n6\",7\n",
                 RENAME("[{\"field\": \"b\", \"newval\": \"B\"}, {\"field\": \"a\"}, {\"field\": \"B\", "
                        "\"newval\": \"copy\", \"copy\": true}]"),
                 "{\"c\":\"3\",\"B\":\"x\\\"y\",\"copy\":\"x\\\"y\"}\n{\"c\":\"7\",\"B\":\"5\\n6\",\"copy\":"
                 "\"5\\n6\"}\n");
}

static void a_rule_may_come_from_the_item(void **state) {
    (void)state;
    expect_items(NATIVE, "[{\"k\": \"x\", \"v\": 1}, {\"k\": \"y\", \"v\": 2}]",
                 RENAME("{\"field\": \"v\", \"newval\": {\"subkey\": \"k\"}}"),
                 "{\"k\":\"x\",\"x\":1}\n{\"k\":\"y\",\"y\":2}\n");
    expect_items(
        NATIVE, "[{\"a\": 1}]",
        "{\"type\": \"rename\", \"emit\": false, \"conf\": {\"rule\": {\"field\": \"a\", \"newval\": "
        "\"b\"}}}",
        "{\"a\":1,\"rename\":{\"b\":1}}\n");
}

static void bad_rules_are_refused(void **state) {
    (void)state;
    expect_failure(NATIVE, "[]", RENAME("{\"newval\": \"x\"}"), SL_E_PLAN, "field");
    expect_failure(NATIVE, "[]", RENAME("{\"field\": \"x\", \"newvall\": \"y\"}"), SL_E_PLAN, "newval");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_moved_or_deleted),
        cmocka_unit_test(missing_fields_become_null),
        cmocka_unit_test(a_name_that_is_there_keeps_its_place),
        cmocka_unit_test(case_of_names_counts_natively_only),
        cmocka_unit_test(dotted_names_reach_into_objects_natively),
        cmocka_unit_test(lazy_values_survive_the_move),
        cmocka_unit_test(a_rule_may_come_from_the_item),
        cmocka_unit_test(bad_rules_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
