/* test_decimal.c: decimals: conversion, arithmetic and rounding as in Python's decimal module. Sums are taken in many orders
 * and groupings, as workers take them. */
#include <math.h>
#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "record/decimal/decimal.h"

static sl_value text(const char *z) {
    return sl_text_value(sl_text_of(z));
}

static void assert_digits(sl_value v, const char *want) {
    assert_int_equal(v.type, SL_DECIMAL);
    if (!sl_text_is(sl_bytes(v), want)) fail_msg("%.*s instead of %s", (int)v.n, v.as.s, want);
}

static void conversion_is_exact(void **state) {
    (void)state;
    const struct {
        sl_value from;
        const char *want;
    } cases[] = {{sl_int(-12), "-12"},
                 {sl_bool(true), "1"},
                 {sl_float(0.1), "0.1000000000000000055511151231257827021181583404541015625"},
                 {sl_float(-2.5), "-2.5"},
                 {sl_float(1e22), "10000000000000000000000"},
                 {sl_float(0), "0"},
                 {sl_float(NAN), "NaN"},
                 {sl_float(-HUGE_VAL), "-Infinity"},
                 {text("1.50"), "1.50"},
                 {text(" 1_000.5 "), "1000.5"},
                 {text("+007"), "7"},
                 {text(".5"), "0.5"},
                 {text("5."), "5"},
                 {text("12e-3"), "0.012"},
                 {text("1.5e3"), "1500"},
                 {text("1e999999999"), "Infinity"},
                 {text("inf"), "Infinity"},
                 {text("-Infinity"), "-Infinity"},
                 {text("12345678901234567890123456789012345678901234567890.5"),
                  "12345678901234567890123456789012345678901234567890.5"},
                 {text("foo"), "NaN"},
                 {text("1__0"), "NaN"},
                 {text(""), "NaN"},
                 {sl_null(), "NaN"}};
    sl_arena arena = {0};
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        sl_value v;
        assert_int_equal(sl_decimal_from(cases[k].from, &arena, &v, NULL), SL_OK);
        assert_digits(v, cases[k].want);
    }
    sl_arena_free(&arena);
}

static void arithmetic_is_pythons(void **state) {
    (void)state;
    static const struct {
        sl_math op;
        const char *a, *b, *want; /* NULL: an error */
    } cases[] = {{SL_ADD, "1", "2.50", "3.50"},
                 {SL_SUBTRACT, "1", "1.000", "0.000"},
                 {SL_MULTIPLY, "1.50", "-2", "-3.00"},
                 {SL_MULTIPLY, "12345678901234567890", "12345678901234567890",
                  "152415787532388367501905199900000000000"},
                 {SL_DIVIDE, "10", "4", "2.5"},
                 {SL_DIVIDE, "1", "3", "0.3333333333333333333333333333"},
                 {SL_DIVIDE, "2", "-3", "-0.6666666666666666666666666667"},
                 {SL_DIVIDE, "1", "0", NULL},
                 {SL_FLOOR, "-10", "3", "-3"},
                 {SL_FLOOR, "1", "0", NULL},
                 {SL_MODULO, "-10", "3", "-1"},
                 {SL_MODULO, "10", "6", "4"},
                 {SL_MODULO, "7.5", "0", NULL},
                 {SL_POWER, "2", "10", "1024"},
                 {SL_POWER, "1.50", "2", "2.2500"},
                 {SL_POWER, "4", "-1", "0.25"},
                 {SL_POWER, "2", "0.5", "1.414213562373095048801688724"},
                 {SL_POWER, "9", "1.5", "27.00000000000000000000000000"},
                 {SL_POWER, "2", "100", "1267650600228229401496703205000"},
                 {SL_POWER, "-8", "0.5", NULL},
                 {SL_POWER, "0", "0", NULL},
                 {SL_MEAN, "1", "2", "1.5"},
                 {SL_ADD, "NaN", "1", "NaN"},
                 {SL_DIVIDE, "NaN", "0", "NaN"},
                 {SL_ADD, "Infinity", "1", "Infinity"},
                 {SL_SUBTRACT, "Infinity", "Infinity", NULL},
                 {SL_DIVIDE, "5", "Infinity", "0"}};
    sl_arena arena = {0};
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        sl_value a = sl_decimal_value(sl_text_of(cases[k].a)), b = sl_decimal_value(sl_text_of(cases[k].b)),
                 v;
        sl_status status = sl_decimal_math(cases[k].op, a, b, &arena, &v, NULL);
        assert_int_equal(status, cases[k].want ? SL_OK : SL_E_DATA);
        if (cases[k].want) assert_digits(v, cases[k].want);
    }
    sl_arena_free(&arena);
}

static void rounding_is_half_even_at_any_place(void **state) {
    (void)state;
    static const struct {
        const char *from;
        unsigned places;
        const char *want;
    } cases[] = {{"1.5", 3, "1.500"},    {"2.5", 0, "2"},        {"3.5", 0, "4"},
                 {"-0.125", 2, "-0.12"}, {"0.0004", 3, "0.000"}, {"999.9996", 3, "1000.000"},
                 {"12", 0, "12"},        {"NaN", 2, "NaN"},      {"-Infinity", 2, "-Infinity"}};
    sl_arena arena = {0};
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        sl_value v;
        assert_int_equal(
            sl_decimal_round(sl_decimal_value(sl_text_of(cases[i].from)), cases[i].places, &arena, &v, NULL),
            SL_OK);
        assert_digits(v, cases[i].want);
    }
    sl_arena_free(&arena);
}

static void assert_sum(const sl_sum *s, const char *want) {
    sl_arena arena = {0};
    sl_value v;
    assert_int_equal(sl_sum_result(s, true, &arena, &v, NULL), SL_OK);
    assert_digits(v, want);
    sl_arena_free(&arena);
}

static void sums_are_exact_and_refuse_texts_without_a_number(void **state) {
    (void)state;
    sl_sum s = {0};
    assert_sum(&s, "0");
    assert_int_equal(sl_sum_add(&s, sl_int(1), NULL), SL_OK);
    assert_int_equal(sl_sum_add(&s, text("2.5"), NULL), SL_OK);
    assert_sum(&s, "3.5");
    assert_int_equal(sl_sum_add(&s, text("three"), NULL), SL_E_DATA);
    assert_int_equal(sl_sum_add(&s, sl_null(), NULL), SL_E_DATA);
    sl_sum_free(&s);
    assert_int_equal(sl_sum_add(&s, sl_float(0.1), NULL), SL_OK);
    assert_int_equal(sl_sum_add(&s, sl_float(0.2), NULL), SL_OK);
    assert_sum(&s, "0.3000000000000000166533453694");
    assert_int_equal(sl_sum_add(&s, sl_float(NAN), NULL), SL_OK);
    assert_sum(&s, "NaN");
    sl_sum_free(&s);
}

/* Terms that drive the sum through every representation. */
static sl_value term(uint32_t k, char room[64]) {
    uint64_t x = k * UINT64_C(0x9e3779b97f4a7c15);
    int n = 0;
    switch (k % 7) {
    case 0: return sl_int((int64_t)x);
    case 1: return sl_float((double)(int64_t)x / 1024);
    case 2: return sl_float((double)(x >> 40) / 1000);
    case 3: n = snprintf(room, 64, "%llu.%03u", (unsigned long long)(x >> 30), k % 1000); break;
    case 4:
        n = snprintf(room, 64, "-%llu.%018llu", (unsigned long long)(x >> 62), (unsigned long long)(x >> 8));
        break;
    case 5:
        n = snprintf(room, 64, "%llu%llue-25", (unsigned long long)x, (unsigned long long)(x >> 1));
        break;
    default: return sl_bool(x & 1);
    }
    return sl_text_value(sl_text_n(room, (size_t)n));
}

static void the_order_and_grouping_of_terms_do_not_show(void **state) {
    (void)state;
    enum { N = 2100, PARTS = 5 };
    sl_sum all = {0}, merged = {0};
    char room[64];
    for (uint32_t k = 0; k < N; k++) assert_int_equal(sl_sum_add(&all, term(k, room), NULL), SL_OK);
    for (uint32_t p = PARTS; p-- > 0;) {
        sl_sum part = {0}, loaded;
        for (uint32_t k = N; k-- > 0;)
            if (k % PARTS == p) assert_int_equal(sl_sum_add(&part, term(k, room), NULL), SL_OK);
        sl_buf saved = {0};
        sl_sum_save(&part, &saved);
        sl_cursor c = {saved.data, saved.data + saved.len, false};
        assert_int_equal(sl_sum_load(&loaded, &c, NULL), SL_OK);
        assert_ptr_equal(c.at, c.end);
        assert_int_equal(sl_sum_merge(&merged, &loaded, NULL), SL_OK);
        sl_sum_free(&part);
        sl_sum_free(&loaded);
        sl_buf_free(&saved);
    }
    assert_int_equal(merged.terms, N);
    sl_arena arena = {0};
    sl_value a;
    assert_int_equal(sl_sum_result(&all, true, &arena, &a, NULL), SL_OK);
    char want[80];
    snprintf(want, sizeof want, "%.*s", (int)a.n, a.as.s);
    assert_sum(&merged, want);
    sl_arena_free(&arena);
    sl_sum_free(&all);
    sl_sum_free(&merged);
}

static void a_damaged_sum_is_refused(void **state) {
    (void)state;
    sl_sum s = {0}, back;
    assert_int_equal(sl_sum_add(&s, sl_float(0.1), NULL), SL_OK);
    sl_buf saved = {0};
    sl_sum_save(&s, &saved);
    for (size_t n = 0; n < saved.len; n++) {
        sl_cursor c = {saved.data, saved.data + n, false};
        assert_int_equal(sl_sum_load(&back, &c, NULL), SL_E_INTERNAL);
        sl_sum_free(&back);
    }
    sl_buf_free(&saved);
    sl_sum_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversion_is_exact),
        cmocka_unit_test(arithmetic_is_pythons),
        cmocka_unit_test(rounding_is_half_even_at_any_place),
        cmocka_unit_test(sums_are_exact_and_refuse_texts_without_a_number),
        cmocka_unit_test(the_order_and_grouping_of_terms_do_not_show),
        cmocka_unit_test(a_damaged_sum_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
