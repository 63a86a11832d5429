/* test_regex.c: regex, through the public functions. Replacing follows Python's re, down to matches of nothing. */
#include "pipe_case.h"

#define REGEX(rule) "{\"type\": \"regex\", \"conf\": {\"rule\": " rule "}}"

static void empty_matches_are_replaced_as_in_python(void **state) {
    (void)state;
    const char *input = "[{\"a\": \"abxd\"}]";
    expect_items(RIKO, input, REGEX("{\"field\": \"a\", \"match\": \"x*\", \"replace\": \"-\"}"),
                 "{\"a\":\"-a-b--d-\"}\n");
    expect_items(RIKO, "[{\"a\": \"hello\"}]",
                 REGEX("{\"field\": \"a\", \"match\": \"(.*)\", \"replace\": \"<$1>\"}"),
                 "{\"a\":\"<hello><>\"}\n");
    expect_items(RIKO, "[{\"a\": \"\\u00e4\\u00f6\"}]",
                 REGEX("{\"field\": \"a\", \"match\": \"x*\", \"replace\": \"-\"}"),
                 "{\"a\":\"-\xc3\xa4-\xc3\xb6-\"}\n");
}

static void flags_change_the_case_lines_and_dots(void **state) {
    (void)state;
    const char *input = "[{\"a\": \"One\\none two\\u00c4\"}]";
    expect_items(NATIVE, input, REGEX("{\"field\": \"a\", \"match\": \"^one\", \"replace\": \"1\"}"),
                 "{\"a\":\"1\\n1 two\xc3\x84\"}\n");
    expect_items(NATIVE, input,
                 REGEX("{\"field\": \"a\", \"match\": \"^one\", \"replace\": \"1\", \"casematch\": true}"),
                 "{\"a\":\"One\\n1 two\xc3\x84\"}\n");
    expect_items(
        NATIVE, input,
        REGEX("{\"field\": \"a\", \"match\": \"o.e.\", \"replace\": \"1\", \"singlelinematch\": true}"),
        "{\"a\":\"One\\n1two\xc3\x84\"}\n");
    expect_items(NATIVE, input, REGEX("{\"field\": \"a\", \"match\": \"e.o\", \"replace\": \"\"}"),
                 "{\"a\":\"Onne two\xc3\x84\"}\n");
    expect_items(NATIVE, input, REGEX("{\"field\": \"a\", \"match\": \"\\u00e4\", \"replace\": \"!\"}"),
                 "{\"a\":\"One\\none two!\"}\n");
    expect_items(NATIVE, input,
                 REGEX("{\"field\": \"a\", \"match\": \"\\\\u00e4\\\\Z\", \"replace\": \"!\"}"),
                 "{\"a\":\"One\\none two!\"}\n");
}

static void replacements_name_groups_in_both_spellings(void **state) {
    (void)state;
    const char *input = "[{\"a\": \"k=v\"}]";
#define SWAP(replace)                                                                                        \
    REGEX("{\"field\": \"a\", \"match\": \"(?<key>\\\\w)=(\\\\w)(x)?\", \"replace\": \"" replace "\"}")
    expect_items(NATIVE, input, SWAP("$2=$1$3"), "{\"a\":\"v=k\"}\n");
    expect_items(NATIVE, input, SWAP("\\\\2\\\\g<key>\\\\g<0>"), "{\"a\":\"vkk=v\"}\n");
    expect_items(NATIVE, input, SWAP("\\\\t\\\\.\\\\\\\\\\\\101"), "{\"a\":\"\\t\\\\.\\\\A\"}\n");
    expect_items(NATIVE, input, SWAP("[$0]"), "{\"a\":\"[k=v]\"}\n");
    expect_items(RIKO, input, SWAP("[$0]"), "{\"a\":\"[\\u0000]\"}\n");
    expect_items(NATIVE, input, SWAP("$key $ {$}"), "{\"a\":\"$key $ {$}\"}\n");
    expect_failure(NATIVE, input, SWAP("$4"), SL_E_PLAN, "no such group");
    expect_failure(NATIVE, input, SWAP("\\\\q"), SL_E_PLAN, "means nothing");
    expect_failure(NATIVE, input, SWAP("\\\\777"), SL_E_PLAN, "octal");
    expect_failure(NATIVE, input, SWAP("\\\\g<nope>"), SL_E_PLAN, "no such group");
    expect_failure(NATIVE, input, SWAP("x\\\\"), SL_E_PLAN, "backslash");
#undef SWAP
}

static void rules_of_several_fields_apply_in_order(void **state) {
    (void)state;
    expect_items(
        RIKO, "[{\"a\": \"ab\", \"b\": \"cd\"}, {\"b\": \"c\"}, {\"a\": null, \"b\": 1}]",
        REGEX("[{\"field\": \"a\", \"match\": \"a\", \"replace\": \"1\"}, {\"field\": \"b\", \"match\": "
              "\"c\", \"replace\": \"2\"}, {\"field\": \"a\", \"match\": \"1\", \"replace\": \"3\"}]"),
        "{\"a\":\"3b\",\"b\":\"2d\"}\n{\"b\":\"2\",\"a\":null}\n{\"a\":null,\"b\":\"1\"}\n");
}

static void a_default_stands_where_nothing_matches(void **state) {
    (void)state;
    expect_items(NATIVE, "[{\"a\": \"abc\"}, {\"a\": \"z\"}, {\"a\": \"\"}, {\"a\": 5}]",
                 REGEX("{\"field\": \"a\", \"match\": \"z\", \"replace\": \"x\", \"default\": \"D\"}"),
                 "{\"a\":\"D\"}\n{\"a\":\"x\"}\n{\"a\":\"\"}\n{\"a\":\"D\"}\n");
}

static void dotted_fields_are_changed_in_place(void **state) {
    (void)state;
    const char *input = "[{\"a\": {\"b\": \"q\", \"c\": 1}, \"z\": 0}, {\"a\": {\"c\": 1}}]";
    const char *rule = REGEX("{\"field\": \"a.b\", \"match\": \"q\", \"replace\": \"x\"}");
    expect_items(RIKO, input, rule, "{\"a\":{\"b\":\"x\"},\"z\":0}\n{\"a\":{\"b\":null}}\n");
    expect_items(NATIVE, input, rule,
                 "{\"a\":{\"b\":\"x\",\"c\":1},\"z\":0}\n{\"a\":{\"c\":1,\"b\":null}}\n");
}

static void multi_rules_see_each_others_results(void **state) {
    (void)state;
    expect_items(
        NATIVE, "[{\"a\": \"ab ba\"}]",
        "{\"type\": \"regex\", \"conf\": {\"multi\": true, \"rule\": [{\"field\": \"a\", \"match\": \"a\", "
        "\"replace\": \"b\"}, {\"field\": \"a\", \"match\": \"b(.)?\", \"replace\": \"a$1\"}]}}",
        "{\"a\":\"ba aa\"}\n");
}

static void a_rule_may_come_from_the_item(void **state) {
    (void)state;
    expect_items(NATIVE, "[{\"a\": \"xy\", \"r\": \"1\"}, {\"a\": \"xx\", \"r\": \"2\"}]",
                 REGEX("{\"field\": \"a\", \"match\": \"x\", \"replace\": {\"subkey\": \"r\"}}"),
                 "{\"a\":\"1y\",\"r\":\"1\"}\n{\"a\":\"22\",\"r\":\"2\"}\n");
    expect_items(
        NATIVE, "[{\"a\": \"xy\"}]",
        "{\"type\": \"regex\", \"emit\": false, \"assign\": \"n\", \"conf\": {\"rule\": {\"field\": \"a\", "
        "\"match\": \"x\"}}}",
        "{\"a\":\"xy\",\"n\":{\"a\":\"y\"}}\n");
}

/* Rows that nothing matches keep their bytes; others get new ones. */
static void rows_that_do_not_match_keep_their_bytes(void **state) {
    (void)state;
    expect_items(
        NATIVE, "a,b\n\"x, y\",1\nz,2\n\"\"\"x\"\"\",3\n",
        REGEX("{\"field\": \"a\", \"match\": \"x\", \"replace\": \"X\"}"),
        "{\"a\":\"X, y\",\"b\":\"1\"}\n{\"a\":\"z\",\"b\":\"2\"}\n{\"a\":\"\\\"X\\\"\",\"b\":\"3\"}\n");
}

static void bad_rules_are_refused(void **state) {
    (void)state;
    expect_failure(NATIVE, "[]", REGEX("{\"field\": \"a\", \"match\": \"[a\"}"), SL_E_PLAN, "offset 2");
    expect_failure(NATIVE, "[]", REGEX("{\"field\": \"a\", \"match\": \"a\", \"repalce\": \"\"}"), SL_E_PLAN,
                   "replace");
    expect_failure(NATIVE, "[]", REGEX("{\"match\": \"a\"}"), SL_E_PLAN, "field");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_matches_are_replaced_as_in_python),
        cmocka_unit_test(flags_change_the_case_lines_and_dots),
        cmocka_unit_test(replacements_name_groups_in_both_spellings),
        cmocka_unit_test(rules_of_several_fields_apply_in_order),
        cmocka_unit_test(a_default_stands_where_nothing_matches),
        cmocka_unit_test(dotted_fields_are_changed_in_place),
        cmocka_unit_test(multi_rules_see_each_others_results),
        cmocka_unit_test(a_rule_may_come_from_the_item),
        cmocka_unit_test(rows_that_do_not_match_keep_their_bytes),
        cmocka_unit_test(bad_rules_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
