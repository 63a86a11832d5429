/* strconcat, strreplace and strtransform. */
#include "pipe_case.h"

#include "base/unicode.h"
#include "operators/text/latin.h"

/* The texts FROM and TO as they stand in JSON. */
static void transforms(const char *dialect, const char *rules, const char *from, const char *to) {
    char input[256], steps[512], expected[256];
    snprintf(input, sizeof input, "[{\"content\": \"%s\"}]", from);
    snprintf(steps, sizeof steps,
             "{\"type\": \"strtransform\", \"assign\": \"content\", \"conf\": {\"rule\": %s}}", rules);
    snprintf(expected, sizeof expected, "{\"content\":%s}\n", to);
    expect_items(dialect, input, steps, expected);
}

static void replaces(const char *rules, const char *from, const char *to) {
    char input[256], steps[512], expected[256];
    snprintf(input, sizeof input, "[{\"content\": \"%s\"}]", from);
    snprintf(steps, sizeof steps,
             "{\"type\": \"strreplace\", \"assign\": \"content\", \"conf\": {\"rule\": %s}}", rules);
    snprintf(expected, sizeof expected, "{\"content\":\"%s\"}\n", to);
    expect_items(RIKO, input, steps, expected);
}

static void case_of_ascii_follows_python(void **state) {
    (void)state;
    transforms(NATIVE, "\"title\"", "hello wORLD they're x2y", "\"Hello World They'Re X2Y\"");
    transforms(NATIVE, "\"capitalize\"", "hELLO World", "\"Hello world\"");
    transforms(NATIVE, "\"swapcase\"", "hELLO 1", "\"Hello 1\"");
    transforms(NATIVE, "\"upper\"", "a-z", "\"A-Z\"");
    transforms(NATIVE, "\"lower\"", "A-Z", "\"a-z\"");
    transforms(NATIVE, "\"title\"", "", "\"\"");
}

static void case_of_unicode_follows_python(void **state) {
    (void)state;
    transforms(NATIVE, "\"upper\"", "stra\\u00dfe", "\"STRASSE\"");
    transforms(NATIVE, "\"capitalize\"", "\\u00e9T\\u00c9", "\"\xc3\x89t\xc3\xa9\"");
    transforms(NATIVE, "\"title\"", "\\u00e9t\\u00c9 \\u00dfa 1\\u00e9",
               "\"\xc3\x89t\xc3\xa9 Ssa 1\xc3\x89\"");
    transforms(NATIVE, "\"title\"", "\\u01c6a", "\"\xc7\x85\x61\"");
    transforms(NATIVE, "\"swapcase\"", "\\u00e9\\u00c9\\u00df-", "\"\xc3\x89\xc3\xa9SS-\"");
    transforms(NATIVE, "\"lower\"", "\\u03a3\\u0391\\u03a3", "\"\xcf\x83\xce\xb1\xcf\x82\"");
    transforms(NATIVE, "\"capitalize\"", "\\u03a3\\u0391\\u03a3", "\"\xce\xa3\xce\xb1\xcf\x82\"");
}

static void strip_takes_white_space_or_the_characters_given(void **state) {
    (void)state;
    transforms(NATIVE, "\"strip\"", " \\t\\u00a0a b\\u3000\\n", "\"a b\"");
    transforms(NATIVE, "\"lstrip\"", "  a ", "\"a \"");
    transforms(NATIVE, "\"rstrip\"", "  a ", "\"  a\"");
    transforms(NATIVE, "{\"transform\": \"strip\", \"args\": \"x\\u00e9\"}", "\\u00e9xa\\u00e9x\\u00e9",
               "\"a\"");
    transforms(NATIVE, "{\"transform\": \"strip\", \"args\": \"x\"}", "xxx", "\"\"");
}

static void parts_are_counted_found_and_replaced(void **state) {
    (void)state;
    transforms(NATIVE, "{\"transform\": \"count\", \"args\": \"aa\"}", "aaaaa", "2");
    transforms(NATIVE, "[\"lower\", {\"transform\": \"count\", \"args\": \"g\"}]", "Greetings", "2");
    transforms(NATIVE, "{\"transform\": \"find\", \"args\": \"b\"}", "\\u00e9\\u00e9b", "2");
    transforms(NATIVE, "{\"transform\": \"find\", \"args\": \"z\"}", "ab", "-1");
    transforms(NATIVE, "{\"transform\": \"replace\", \"args\": \"l,L\"}", "hello", "\"heLLo\"");
    transforms(NATIVE, "{\"transform\": \"replace\", \"args\": \",-\"}", "a\\u00e9", "\"-a-\xc3\xa9-\"");
    transforms(NATIVE, "{\"transform\": \"replace\", \"args\": \"l,\"}", "hello", "\"heo\"");
    transforms(RIKO, "[\"wobble\", \"upper\"]", "a", "\"A\"");
}

static void bad_transforms_are_refused(void **state) {
    (void)state;
#define BAD(dialect, rules, part)                                                                            \
    expect_failure(dialect, "[]", "{\"type\": \"strtransform\", \"conf\": {\"rule\": " rules "}}",           \
                   SL_E_PLAN, part)
    BAD(NATIVE, "\"tilte\"", "'title'");
    BAD(RIKO, "{\"transform\": \"zfill\", \"args\": \"3\"}", "zfill");
    BAD(RIKO, "{\"transform\": \"replace\", \"args\": \"a\"}", "takes 2 arguments");
    BAD(RIKO, "{\"transform\": \"replace\", \"args\": \"a,b,1\"}", "takes 2 arguments");
    BAD(RIKO, "{\"transform\": \"lower\", \"args\": \"a\"}", "takes 0 arguments");
    BAD(RIKO, "{\"transform\": \"count\"}", "takes 1 argument");
    BAD(RIKO, "[{\"transform\": \"count\", \"args\": \"a\"}, \"upper\"]", "gives a number");
#undef BAD
}

static void replace_takes_every_first_or_last_match(void **state) {
    (void)state;
    replaces("{\"find\": \"l\", \"replace\": \"L\", \"param\": \"last\"}", "hello world", "hello worLd");
    replaces("{\"find\": \"l\", \"replace\": \"L\", \"param\": \"first\"}", "hello world", "heLlo world");
    replaces("{\"find\": \"l\", \"replace\": \"\"}", "hello world", "heo word");
    replaces("{\"find\": \"aa\", \"replace\": \"b\"}", "aaaaa", "bba");
    replaces("{\"find\": \"aa\", \"replace\": \"b\", \"param\": \"last\"}", "aaaaa", "aaab");
    replaces("{\"find\": \"x\", \"replace\": \"b\", \"param\": \"last\"}", "aa", "aa");
    replaces("{\"find\": \"\", \"replace\": \"-\"}", "a\\u00e9", "-a-\xc3\xa9-");
    replaces("{\"find\": \"\", \"replace\": \"-\"}", "", "-");
    replaces("{\"find\": \"\", \"replace\": \"-\", \"param\": \"first\"}", "", "-");
    replaces("[{\"find\": \"Gr\", \"replace\": \"M\"}, {\"find\": \"e\", \"replace\": \"a\", \"param\": "
             "\"last\"}]",
             "Greetings", "Meatings");
    replaces("{\"find\": \"l\", \"replace\": \"L\", \"param\": \"second\"}", "ll", "LL");
    expect_failure(
        NATIVE, "[]",
        "{\"type\": \"strreplace\", \"conf\": {\"rule\": {\"find\": \"a\", \"replace\": \"\", \"param\": "
        "\"lats\"}}}",
        SL_E_PLAN, "'last'");
    expect_failure(
        RIKO, "[]",
        "{\"type\": \"strreplace\", \"conf\": {\"rule\": {\"find\": \"\", \"replace\": \"\", \"param\": "
        "\"last\"}}}",
        SL_E_PLAN, "last occurrence");
}

static void concat_joins_texts_and_text_forms(void **state) {
    (void)state;
    const char *input = "[{\"a\": \"x\", \"n\": 1.5, \"z\": 0, \"l\": [1, \"x\"]}]";
    expect_items(
        NATIVE, input,
        "{\"type\": \"strconcat\", \"emit\": true, \"conf\": {\"part\": [\"<\", {\"subkey\": \"a\"}, "
        "{\"subkey\": \"n\"}, {\"subkey\": \"z\"}, {\"subkey\": \"zz\"}, {\"subkey\": \"l\"}, true, \">\"]}}",
        "\"<x1.5[1, 'x']True>\"\n");
    expect_items(NATIVE, "[{\"a\": 1}]", "{\"type\": \"strconcat\", \"conf\": {\"part\": \"x\"}}",
                 "{\"a\":1,\"strconcat\":\"x\"}\n");
    expect_items(NATIVE, "[{\"a\": 1}]", "{\"type\": \"strconcat\", \"conf\": {\"part\": []}}",
                 "{\"a\":1,\"strconcat\":\"\"}\n");
    expect_failure(NATIVE, input, "{\"type\": \"strconcat\", \"conf\": {\"part\": null}}", SL_E_PLAN, "part");
    expect_failure(NATIVE, input, "{\"type\": \"strconcat\", \"conf\": {\"part\": {\"subkey\": \"zz\"}}}",
                   SL_E_PLAN, "part");
}

static void append_latin(sl_latin *l, const char *text, sl_buf *out) {
    sl_buf_clear(out);
    assert_int_equal(sl_latin_append(l, sl_text_of(text), out, NULL), SL_OK);
}

/* What is kept of single letters is what ICU makes of them between others: a Chinese character sends the whole text there. */
static void letters_that_are_kept_are_those_of_icu(void **state) {
    (void)state;
    static const char around[] = "a9%s9 %sb ";
    sl_latin *l = sl_latin_new();
    sl_buf kept = {0}, whole = {0};
    assert_non_null(l);
    for (uint32_t code = 0xa0; code < 0x2040; code = code == 0x24f ? 0x2010 : code + 1) {
        char c[5] = "", alone[64], mixed[80];
        sl_utf8_encode(code, c);
        snprintf(alone, sizeof alone, around, c, c);
        snprintf(mixed, sizeof mixed, "%s\xe4\xb8\xad", alone);
        append_latin(l, alone, &kept);
        append_latin(l, mixed, &whole);
        sl_buf_str(&kept, "zhong");
        assert_string_equal(sl_buf_cstr(&kept), sl_buf_cstr(&whole));
    }
    sl_buf_free(&kept);
    sl_buf_free(&whole);
    sl_latin_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_of_ascii_follows_python),
        cmocka_unit_test(case_of_unicode_follows_python),
        cmocka_unit_test(strip_takes_white_space_or_the_characters_given),
        cmocka_unit_test(parts_are_counted_found_and_replaced),
        cmocka_unit_test(bad_transforms_are_refused),
        cmocka_unit_test(replace_takes_every_first_or_last_match),
        cmocka_unit_test(concat_joins_texts_and_text_forms),
        cmocka_unit_test(letters_that_are_kept_are_those_of_icu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
