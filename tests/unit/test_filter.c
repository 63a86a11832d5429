/* test_filter.c: filter, through the public functions. Most rules are run over records of CSV, whose fields are compared where
 * they lie, the rest over items, which take the slow way. */
#include "pipe_case.h"

/* One rule over CSV rows; expects the ids of the rows kept. */
static void keeps(const char *dialect, const char *rule, const char *ids) {
    static const char input[] =
        "id,t,n\n1,GP,5\n2,KZN,12\n3,\"GP\",9.50\n4,gp,abc\n5,,1e1\n6,\"G\"\"P\",007\n";
    char steps[512];
    sl_buf expected = {0};
    for (const char *c = ids; *c; c++) sl_buf_printf(&expected, "{\"id\":\"%c\"}\n", *c);
    snprintf(steps, sizeof steps,
             "{\"type\": \"filter\", \"conf\": {\"rule\": %s}}, {\"type\": \"rename\", \"conf\": {\"rule\": "
             "[{\"field\": \"t\"}, {\"field\": \"n\"}]}}",
             rule);
    expect_items(dialect, input, steps, sl_buf_cstr(&expected));
    sl_buf_free(&expected);
}

static void equality_compares_texts_in_the_case_of_the_dialect(void **state) {
    (void)state;
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"is\", \"value\": \"GP\"}", "13");
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"eq\", \"value\": \"GP\"}", "13");
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"is\", \"value\": \"\"}", "5");
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"is\", \"value\": \"G\\\"P\"}", "6");
    keeps(NATIVE, "{\"field\": \"T\", \"op\": \"is\", \"value\": \"GP\"}", "");
    keeps(RIKO, "{\"field\": \"T\", \"op\": \"is\", \"value\": \"GP\"}", "13");
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"isnot\", \"value\": \"GP\"}", "2456");
    keeps(NATIVE, "{\"field\": \"n\", \"op\": \"is\", \"value\": 5}", "");
    keeps(NATIVE, "{\"field\": \"zz\", \"op\": \"isnot\", \"value\": 5}", "");
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"is\", \"value\": null}", "");
}

static void texts_that_are_numbers_are_ordered_as_numbers_natively(void **state) {
    (void)state;
    keeps(NATIVE, "{\"field\": \"n\", \"op\": \"greater\", \"value\": 9}", "235");
    keeps(NATIVE, "{\"field\": \"n\", \"op\": \"less\", \"value\": 9}", "16");
    keeps(NATIVE, "{\"field\": \"n\", \"op\": \"atleast\", \"value\": 9.5}", "235");
    keeps(NATIVE, "{\"field\": \"n\", \"op\": \"atmost\", \"value\": \"9.5\"}", "136");
    keeps(RIKO, "{\"field\": \"n\", \"op\": \"greater\", \"value\": 9}", "");
    keeps(RIKO, "{\"field\": \"n\", \"op\": \"atleast\", \"value\": 9}", "235");
    keeps(NATIVE, "{\"field\": \"n\", \"op\": \"greater\", \"value\": \"9\"}", "34");
    keeps(NATIVE, "{\"field\": \"n\", \"op\": \"atleast\", \"value\": \"many\"}", "");
}

static void decimals_mean_their_digits(void **state) {
    (void)state;
    const char *input = "[{\"x\": \"0.1\"}, {\"x\": 0.1}, {\"x\": \"0.10000000000000000001\"}, "
                        "{\"x\": \"9007199254740993\"}]";
    expect_items(NATIVE, input,
                 "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\", \"op\": \"atmost\", "
                 "\"value\": 0.1}}}",
                 "{\"x\":\"0.1\"}\n{\"x\":0.1}\n");
    expect_items(RIKO, input,
                 "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\", \"op\": \"atleast\", "
                 "\"value\": 0.1}}}",
                 "{\"x\":0.1}\n{\"x\":\"9007199254740993\"}\n");
    expect_items(NATIVE, input,
                 "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\", \"op\": \"greater\", "
                 "\"value\": 9007199254740992}}}",
                 "{\"x\":\"9007199254740993\"}\n");
}

static void texts_are_searched_and_matched(void **state) {
    (void)state;
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"contains\", \"value\": \"p\"}", "1346");
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"doesnotcontain\", \"value\": \"P\"}", "2");
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"matches\", \"value\": \"^[A-Z]+$\"}", "123");
    keeps(RIKO, "{\"field\": \"zz\", \"op\": \"contains\", \"value\": \"non\"}", "123456");
    keeps(NATIVE, "{\"field\": \"zz\", \"op\": \"contains\", \"value\": \"non\"}", "");
    keeps(NATIVE, "{\"field\": \"zz\", \"op\": \"doesnotcontain\", \"value\": \"non\"}", "123456");
    expect_items(NATIVE, "[{\"x\": \"STRASSE \\u00c4\"}, {\"x\": \"b\"}]",
                 "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\", \"op\": \"contains\", "
                 "\"value\": \"\\u00e4\"}}}",
                 "{\"x\":\"STRASSE \xc3\x84\"}\n");
    expect_items(NATIVE, "[{\"x\": \"\\u0660\"}, {\"x\": \"b\"}]",
                 "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\", \"op\": \"matches\", "
                 "\"value\": \"^\\\\d$\"}}}",
                 "{\"x\":\"\xd9\xa0\"}\n");
}

static void truth_and_dates_are_compared_by_value(void **state) {
    (void)state;
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"truthy\"}", "12346");
    keeps(NATIVE, "{\"field\": \"t\", \"op\": \"falsy\"}", "5");
    keeps(NATIVE, "{\"field\": \"zz\", \"op\": \"falsy\"}", "123456");
    const char *input = "[{\"d\": \"2014-05-04\"}, {\"d\": \"2014-05-05T10:00:00Z\"}, {\"d\": \"foo\"}, {}]";
    expect_items(NATIVE, input,
                 "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"d\", \"op\": \"after\", "
                 "\"value\": \"May 4, 2014\"}}}",
                 "{\"d\":\"2014-05-05T10:00:00Z\"}\n");
    expect_items(NATIVE, input,
                 "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"d\", \"op\": \"before\", "
                 "\"value\": \"nonsense\"}}}",
                 "");
}

static void several_rules_are_combined_as_asked(void **state) {
    (void)state;
    const char *gp = "{\"field\": \"t\", \"op\": \"is\", \"value\": \"GP\"}";
    char rules[256];
    snprintf(rules, sizeof rules, "[%s, {\"field\": \"n\", \"op\": \"less\", \"value\": 6}]", gp);
    keeps(NATIVE, rules, "1");
    snprintf(rules, sizeof rules,
             "[{\"field\": \"n\", \"op\": \"less\", \"value\": 6}], \"combine\": \"or\"");
    keeps(NATIVE, rules, "1");
    snprintf(rules, sizeof rules,
             "[%s, {\"field\": \"n\", \"op\": \"is\", \"value\": \"abc\"}], \"combine\": \"or\"", gp);
    keeps(NATIVE, rules, "134");
    snprintf(rules, sizeof rules,
             "[%s, {\"field\": \"n\", \"op\": \"is\", \"value\": \"abc\"}], \"combine\": \"or\", \"permit\": "
             "false",
             gp);
    keeps(NATIVE, rules, "256");
    snprintf(rules, sizeof rules,
             "[%s, {\"field\": \"n\", \"op\": \"less\", \"value\": 6}], \"permit\": false", gp);
    keeps(NATIVE, rules, "23456");
    keeps(NATIVE, "[]", "123456");
    keeps(NATIVE, "[], \"combine\": \"or\"", "");
    keeps(NATIVE, "{\"field\": \"id\", \"op\": \"atmost\", \"value\": 2}, \"stop\": true", "12");
    keeps(NATIVE, "{\"field\": \"id\", \"op\": \"isnot\", \"value\": \"1\"}, \"stop\": true", "");
}

static void bad_rules_are_refused(void **state) {
    (void)state;
    expect_failure(RIKO, "[]",
                   "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\", \"op\": \"bogus\"}}}",
                   SL_E_PLAN, "bogus");
    expect_failure(NATIVE, "[]", "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\"}}}",
                   SL_E_PLAN, "op");
    expect_failure(NATIVE, "[]", "{\"type\": \"filter\", \"conf\": {}}", SL_E_PLAN, "rule");
    expect_failure(NATIVE, "[]",
                   "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\", \"op\": \"matches\", "
                   "\"value\": \"a(b\"}}}",
                   SL_E_PLAN, "offset 3");
    expect_failure(NATIVE, "[{\"x\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}]",
                   "{\"type\": \"filter\", \"conf\": {\"rule\": {\"field\": \"x\", \"op\": \"matches\", "
                   "\"value\": \"^(a|aa)+$\"}}}",
                   SL_E_DATA, "simpler");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_compares_texts_in_the_case_of_the_dialect),
        cmocka_unit_test(texts_that_are_numbers_are_ordered_as_numbers_natively),
        cmocka_unit_test(decimals_mean_their_digits),
        cmocka_unit_test(texts_are_searched_and_matched),
        cmocka_unit_test(truth_and_dates_are_compared_by_value),
        cmocka_unit_test(several_rules_are_combined_as_asked),
        cmocka_unit_test(bad_rules_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
