/* test_number.c: numbers, both ways. The fast paths are compared with the C library over many random texts, and short cells
 * with the rule spelled out, since a fast path is only right if it never differs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/status.h"
#include "record/number/number.h"

static sl_number_kind classify(const char *z, int64_t *i, double *f) {
    return sl_number_classify(sl_text_of(z), i, f);
}

static void other_texts_stay_text(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "-",
                                        "+5",
                                        "01234",
                                        "-01",
                                        "00",
                                        "-0",
                                        "1_000",
                                        "0x1F",
                                        "NaN",
                                        "nan",
                                        "inf",
                                        "1e5",
                                        "1.",
                                        ".5",
                                        " 1",
                                        "1 ",
                                        "1.5 ",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "12345678901234567890",
                                        "1.5e",
                                        "1.5e+",
                                        "1,5",
                                        "1.2.3",
                                        "--1",
                                        "01.5",
                                        "0.1000000000000000055511151231257827",
                                        "123456789012345678.5",
                                        "1.5e400",
                                        "1.5e-400",
                                        "2014-01-02",
                                        "1.0f"};
    int64_t i = 77;
    double f = 77;
    for (size_t k = 0; k < SL_COUNT(texts); k++) {
        if (classify(texts[k], &i, &f) != SL_NOT_NUMBER) fail_msg("'%s' passed for a number", texts[k]);
    }
}

static void whole_numbers_are_exact(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {{"0", 0},
                 {"7", 7},
                 {"-1", -1},
                 {"1234567890", 1234567890},
                 {"9223372036854775807", INT64_MAX},
                 {"-9223372036854775808", INT64_MIN},
                 {"1000000000000000000", INT64_C(1000000000000000000)}};
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        int64_t i = 0;
        double f = 0;
        assert_int_equal(classify(cases[k].text, &i, &f), SL_WHOLE);
        assert_int_equal(i, cases[k].value);
        char out[24];
        uint32_t n = sl_format_int(i, out);
        assert_true(sl_text_is((sl_text){out, n}, cases[k].text));
    }
}

static void reals_are_correctly_rounded(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"0.0", 0},
                 {"-0.0", 0},
                 {"1.5", 1.5},
                 {"-12.25", -12.25},
                 {"0.1", 0.1},
                 {"0.30000000000000004", 0.30000000000000004},
                 {"123456.789", 123456.789},
                 {"1.7976931348623157e308", 1.7976931348623157e308},
                 {"5.0e-324", 5e-324},
                 {"0.10000000000000000000000", 0.1},
                 {"1.5E3", 1500},
                 {"1.0e22", 1e22},
                 {"0.0e999", 0}};
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        int64_t i = 0;
        double f = 99;
        if (classify(cases[k].text, &i, &f) != SL_REAL) fail_msg("'%s' is a real", cases[k].text);
        assert_true(f == cases[k].value);
    }
}

/* The rule of number/number.h spelled out a character at a time. */
static sl_number_kind plain_rule(const char *z) {
    const char *p = z + (*z == '-'), *whole = p;
    while (*p >= '0' && *p <= '9') p++;
    if (p == whole || (*whole == '0' && p - whole > 1)) return SL_NOT_NUMBER;
    if (!*p) return *z == '-' && *whole == '0' ? SL_NOT_NUMBER : SL_WHOLE;
    if (*p++ != '.' || *p < '0' || *p > '9') return SL_NOT_NUMBER;
    while (*p >= '0' && *p <= '9') p++;
    if (!*p) return SL_REAL;
    if (*p++ != 'e') return SL_NOT_NUMBER;
    if (*p == '-' || *p == '+') p++;
    if (!*p || strspn(p, "0123456789") != strlen(p)) return SL_NOT_NUMBER;
    return strtod(z, NULL) < HUGE_VAL && strtod(z, NULL) > -HUGE_VAL ? SL_REAL : SL_NOT_NUMBER;
}

static void short_cells_follow_the_rule(void **state) {
    (void)state;
    static const char letters[] = "00112345678999..-e+x";
    uint64_t seed = 3;
    for (int k = 0; k < 400000; k++) {
        char z[12] = {0};
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t r = seed >> 20;
        for (uint32_t n = 1 + (uint32_t)(seed >> 61) + (k & 1), c = 0; c < n; c++, r /= 11)
            z[c] = letters[r % (k % 4 ? 16 : 20)];
        int64_t i = 0;
        double f = 0;
        sl_number_kind want = plain_rule(z), got = classify(z, &i, &f);
        if (strchr(z, 'e') && want == SL_REAL && got == SL_NOT_NUMBER)
            continue; /* out of the range where doubles keep it */
        if (got != want) fail_msg("'%s' is of kind %d, not %d", z, got, want);
        if (want == SL_WHOLE) assert_true(i == strtoll(z, NULL, 10));
        if (want == SL_REAL) assert_true(f == strtod(z, NULL));
    }
}

static void literals_read_like_the_compilers(void **state) {
    (void)state;
#define CASE(x)                                                                                              \
    { #x, x }
    static const struct {
        const char *text;
        double value;
    } cases[] = {CASE(9007199254740993.0),
                 CASE(9007199254740992.9999999999),
                 CASE(2.2250738585072014e-308),
                 CASE(2.2250738585072011e-308),
                 CASE(4.9406564584124654e-324),
                 CASE(1.7976931348623158e308),
                 CASE(1e23),
                 CASE(8.5e-45),
                 CASE(123456789012345678901234567890.0),
                 CASE(0.000000000000000000000000000001),
                 CASE(1e-10),
                 CASE(5.),
                 CASE(.5),
                 CASE(6.02214076e23),
                 CASE(1e5)};
#undef CASE
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        double f = 0;
        assert_true(sl_parse_double(sl_text_of(cases[k].text), &f));
        if (f != cases[k].value) fail_msg("%s read as %a, not %a", cases[k].text, f, cases[k].value);
    }
    double f;
    assert_true(sl_parse_double(SL_TEXT("1e999999999999"), &f) && isinf(f));
    assert_true(sl_parse_double(SL_TEXT("-1e-999999999999"), &f) && f == 0 && signbit(f));
    static const char *const wrong[] = {"", ".", "e5", "1e", "1e+", "nan", "0x10", " 1", "1 "};
    for (size_t k = 0; k < SL_COUNT(wrong); k++) assert_false(sl_parse_double(sl_text_of(wrong[k]), &f));
}

static void doubles_have_pythons_form(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{1, "1.0"},
                 {-0.0, "-0.0"},
                 {0.1, "0.1"},
                 {1e16, "1e+16"},
                 {1e15, "1000000000000000.0"},
                 {123456789012345680.0, "1.2345678901234568e+17"},
                 {1e-4, "0.0001"},
                 {1e-5, "1e-05"},
                 {1.5e-7, "1.5e-07"},
                 {1e20, "1e+20"},
                 {1e100, "1e+100"},
                 {5e-324, "5e-324"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1.0 / 3, "0.3333333333333333"},
                 {2.0 / 3, "0.6666666666666666"},
                 {5.684341886080802e-14, "5.684341886080802e-14"},
                 {9007199254740993.0, "9007199254740992.0"},
                 {HUGE_VAL, "inf"},
                 {-HUGE_VAL, "-inf"},
                 {-1234.5, "-1234.5"},
                 {99999999999999.98, "99999999999999.98"},
                 {7.120236347223045e-307, "7.120236347223045e-307"}};
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        char out[32];
        uint32_t n = sl_format_double(cases[k].value, out);
        if (!sl_text_is((sl_text){out, n}, cases[k].text))
            fail_msg("%.*s instead of %s", (int)n, out, cases[k].text);
    }
    char out[32];
    assert_true(sl_text_is((sl_text){out, sl_format_double(NAN, out)}, "nan"));
}

static void every_double_reads_back(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int k = 0; k < 100000; k++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = seed ^ seed >> 29;
        double f, back = 0;
        memcpy(&f, &bits, sizeof f);
        if (k % 2) f = (double)(bits % 1000000000) / 1000;
        if (!isfinite(f)) continue;
        char out[32];
        uint32_t n = sl_format_double(f, out);
        assert_true(sl_parse_double((sl_text){out, n}, &back));
        if (memcmp(&f, &back, sizeof f) != 0) fail_msg("%.*s is not %a", (int)n, out, f);
    }
}

static void json_numbers_end_where_they_end(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        bool is_int;
    } cases[] = {{"0", 1, true},      {"-12,", 3, true}, {"1.5]", 3, false}, {"1e5", 3, false},
                 {"1E+5 ", 4, false}, {"01", 0, false},  {"1.", 0, false},   {".5", 0, false},
                 {"-", 0, false},     {"1e", 0, false},  {"+1", 0, false},   {"", 0, false}};
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        bool is_int = false;
        assert_int_equal(sl_json_number(cases[k].text, strlen(cases[k].text), &is_int), cases[k].length);
        if (cases[k].length) assert_int_equal(is_int, cases[k].is_int);
    }
    assert_int_equal(sl_number_decode(SL_TEXT("-12")).as.i, -12);
}

static sl_value plain(const char *z) {
    return sl_number_plain(sl_number_decode(sl_text_of(z)));
}

static void json_numbers_are_their_text(void **state) {
    (void)state;
    static const char *const written[] = {
        "-0", "1.10", "1e2", "1E400", "12345678901234567.89", "9223372036854775808", "0.5"};
    for (size_t k = 0; k < SL_COUNT(written); k++) {
        sl_value v = sl_number_decode(sl_text_of(written[k]));
        assert_true(sl_is_written(v));
        assert_true(sl_text_is(sl_bytes(v), written[k]));
    }
    assert_true(sl_number_decode(SL_TEXT("-9223372036854775808")).as.i == INT64_MIN);
    assert_true(plain("1e2").as.f == 100 && plain("1.10").as.f == 1.1);
    assert_true(isinf(plain("1E400").as.f));
    assert_false(sl_truthy(sl_written_value(SL_TEXT("0e5"))) ||
                 sl_truthy(sl_written_value(SL_TEXT("-0.0E10"))));
    assert_true(sl_truthy(sl_written_value(SL_TEXT("1e-400"))));
    assert_int_equal(plain("-0").type, SL_INT);
    assert_int_equal(plain("9223372036854775808").type, SL_DECIMAL);
    assert_false(sl_is_written(plain("9223372036854775808")));
}

static void python_keeps_what_a_double_keeps(void **state) {
    (void)state;
    assert_true(sl_number_python(SL_TEXT("1.10")).as.f == 1.1);
    assert_true(sl_number_python(SL_TEXT("1e23")).as.f == 1e23);
    assert_int_equal(sl_number_python(SL_TEXT("5e-324")).type, SL_FLOAT);
    assert_int_equal(sl_number_python(SL_TEXT("-0")).type, SL_INT);
    assert_true(sl_is_written(sl_number_python(SL_TEXT("12345678901234567.89"))));
    assert_true(sl_is_written(sl_number_python(SL_TEXT("1E400"))));
    assert_true(sl_is_written(sl_number_python(SL_TEXT("1e-400"))));
    assert_true(sl_is_written(sl_number_python(SL_TEXT("7e-324"))));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_cells_follow_the_rule),
        cmocka_unit_test(other_texts_stay_text),
        cmocka_unit_test(whole_numbers_are_exact),
        cmocka_unit_test(reals_are_correctly_rounded),
        cmocka_unit_test(literals_read_like_the_compilers),
        cmocka_unit_test(doubles_have_pythons_form),
        cmocka_unit_test(every_double_reads_back),
        cmocka_unit_test(json_numbers_end_where_they_end),
        cmocka_unit_test(json_numbers_are_their_text),
        cmocka_unit_test(python_keeps_what_a_double_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
