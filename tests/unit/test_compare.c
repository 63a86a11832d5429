/* test_compare.c: equality, order and keys. A ladder of values, each above the one before, is compared pair by pair, and the
 * keys must agree with the comparison: a list of chosen pairs would miss the one that matters. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/status.h"
#include "record/compare.h"
#include "record/decimal/decimal.h"
#include "record/time.h"

static sl_value text(const char *z) {
    return sl_text_value(sl_text_of(z));
}

static sl_value decimal(const char *z) {
    return sl_decimal_value(sl_text_of(z));
}

static sl_value written(const char *z) {
    return sl_written_value(sl_text_of(z));
}

/* Every value is after the one before. */
static uint32_t ladder(sl_value *v) {
    static const char *const decimals[] = {"-10000000000000000000000", "-0.09999999999999999999",
                                           "0.09999999999999999999", "0.10000000000000000001",
                                           "9223372036854775808.5"};
    uint32_t n = 0;
    v[n++] = sl_null();
    v[n++] = sl_float(-HUGE_VAL);
    v[n++] = sl_float(-1e300);
    v[n++] = decimal(decimals[0]);
    v[n++] = sl_int(INT64_MIN);
    v[n++] = sl_int(INT64_MIN + 1);
    v[n++] = sl_int(-9007199254740993);
    v[n++] = sl_float(-9007199254740992.0);
    v[n++] = sl_float(-1.5);
    v[n++] = sl_float(-0.1); /* means the digits it shows */
    v[n++] = decimal(decimals[1]);
    v[n++] = decimal("-0.00000000000000000000000000000000000001");
    v[n++] = sl_int(0);
    v[n++] = sl_float(5e-324);
    v[n++] = decimal(decimals[2]);
    v[n++] = sl_float(0.1);
    v[n++] = decimal(decimals[3]);
    v[n++] = sl_bool(true);
    v[n++] = decimal("1.0000000000000000000000001");
    v[n++] = decimal("1.00000000000000000000000011");
    v[n++] = sl_int(2);
    v[n++] = sl_int(INT64_MAX - 1);
    v[n++] = sl_int(INT64_MAX);
    v[n++] = sl_float(9223372036854775808.0);
    v[n++] = decimal(decimals[4]);
    v[n++] = sl_float(HUGE_VAL);
    v[n++] = sl_time_make(SL_TIME_DATETIME, -5, 0, 0);
    v[n++] = sl_time_make(SL_TIME_DATETIME, 3600, 1, 60);
    v[n++] = sl_time_make(SL_TIME_DATE, 86400, 0, 0);
    v[n++] = text("");
    v[n++] = sl_text_value(SL_TEXT("\0"));
    v[n++] = sl_text_value(SL_TEXT("\0a"));
    v[n++] = text("\1");
    v[n++] = text("A");
    v[n++] = text("a");
    v[n++] = sl_text_value(SL_TEXT("a\0"));
    v[n++] = text("ab");
    v[n++] = text("\xc3\xa9");
    return n;
}

static int compare_bytes(const sl_buf *b, size_t cut) {
    return sl_text_cmp(sl_text_n(b->data, cut), sl_text_n(b->data + cut, b->len - cut));
}

static void keys_sort_as_values_do(void **state) {
    (void)state;
    sl_value v[64];
    uint32_t n = ladder(v);
    sl_buf b = {0};
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n; k++) {
            int want = (i > k) - (i < k);
            for (int desc = 0; desc < 2; desc++) {
                sl_buf_clear(&b);
                sl_sort_key_append(v[i], desc, &b);
                size_t cut = b.len;
                sl_sort_key_append(v[k], desc, &b);
                int c = compare_bytes(&b, cut);
                if ((c > 0) - (c < 0) != (desc ? -want : want))
                    fail_msg("values %u and %u, desc %d: %d", i, k, desc, c);
            }
            int order = sl_value_compare(v[i], v[k]);
            if (order != SL_UNORDERED) assert_int_equal(order, want);
            assert_int_equal(sl_value_equal(v[i], v[k]), i == k);
        }
    }
    sl_buf_free(&b);
}

static void assert_same(sl_value a, sl_value b) {
    sl_buf k = {0};
    sl_key_append(a, &k);
    size_t cut = k.len;
    sl_key_append(b, &k);
    assert_true(sl_value_equal(a, b));
    assert_int_equal(compare_bytes(&k, cut), 0);
    sl_buf_free(&k);
}

static void equal_values_are_the_same_key_whatever_their_type(void **state) {
    (void)state;
    assert_same(sl_int(1), sl_bool(true));
    assert_same(sl_int(1), sl_float(1));
    assert_same(sl_int(1), decimal("1.0"));
    assert_same(sl_int(0), sl_float(-0.0));
    assert_same(sl_int(0), decimal("0.000"));
    assert_same(decimal("0.5"), sl_float(0.5));
    assert_same(decimal("1.50"), decimal("1.5"));
    assert_same(decimal("0.10"), decimal("0.100"));
    assert_same(decimal("9223372036854775807"), sl_int(INT64_MAX));
    assert_same(decimal("-9223372036854775808.000"), sl_int(INT64_MIN));
    assert_same(decimal("Infinity"), sl_float(HUGE_VAL));
    assert_same(decimal("0.10"), sl_float(0.1));
    assert_same(written("0.10"), sl_float(0.1));
    assert_same(written("100e-3"), decimal("0.1"));
    assert_same(written("5e-324"), sl_float(5e-324));
    assert_same(written("-0"), sl_int(0));
    assert_same(written("9007199254740993.0"), sl_int(9007199254740993));
    assert_same(written("1E400"), written("10e399"));
    assert_same(decimal("99999999999999991611392"), sl_float(1e23));
    assert_false(sl_value_equal(written("1E400"), sl_float(HUGE_VAL)));
    assert_false(sl_value_equal(written("12345678901234567.89"), written("12345678901234567.88")));
    assert_same(decimal("100000000000000000000000"), decimal("100000000000000000000000.0"));
    assert_same(sl_missing(), sl_null());
    assert_same(sl_time_make(SL_TIME_DATETIME, 7200, 0, 120), sl_time_make(SL_TIME_DATETIME, 0, 0, 0));
}

static void lists_and_maps_are_equal_by_content(void **state) {
    (void)state;
    sl_pair ab[] = {{SL_TEXT("a"), sl_int(1)}, {SL_TEXT("b"), sl_null()}};
    sl_pair ba[] = {{SL_TEXT("b"), sl_null()}, {SL_TEXT("a"), sl_float(1)}};
    assert_same(sl_map(ab, 2), sl_map(ba, 2));
    assert_false(sl_value_equal(sl_map(ab, 2), sl_map(ab, 1)));
    sl_value one[] = {sl_int(1), text("x")}, two[] = {sl_bool(true), text("x")};
    assert_same(sl_list(one, 2), sl_list(two, 2));
    assert_false(sl_value_equal(sl_list(one, 2), sl_list(one, 1)));
    assert_false(sl_value_equal(sl_int(1), text("1")));
    assert_int_equal(sl_value_compare(sl_int(1), text("1")), SL_UNORDERED);
    assert_int_equal(sl_value_compare(sl_list(one, 2), sl_list(two, 2)), SL_UNORDERED);
}

static void keys_one_after_another_do_not_run_together(void **state) {
    (void)state;
    sl_value inner[] = {text("a")}, nested[] = {sl_list(inner, 1), text("b")},
             flat[] = {text("a"), text("b")};
    sl_buf b = {0};
    sl_key_append(sl_list(nested, 2), &b);
    size_t cut = b.len;
    sl_key_append(sl_list(flat, 2), &b);
    assert_int_not_equal(compare_bytes(&b, cut), 0);
    sl_buf_clear(&b);
    sl_key_append(text("a"), &b);
    sl_key_append(text("bc"), &b);
    cut = b.len;
    sl_key_append(text("ab"), &b);
    sl_key_append(text("c"), &b);
    assert_int_not_equal(compare_bytes(&b, cut), 0);
    sl_buf_free(&b);
}

static void nan_is_no_number_to_compare(void **state) {
    (void)state;
    assert_int_equal(sl_value_compare(sl_float(NAN), sl_int(1)), SL_UNORDERED);
    assert_false(sl_value_equal(sl_float(NAN), sl_float(NAN)));
    assert_int_equal(sl_value_compare(decimal("NaN"), sl_int(1)), SL_UNORDERED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sort_as_values_do),
        cmocka_unit_test(equal_values_are_the_same_key_whatever_their_type),
        cmocka_unit_test(lists_and_maps_are_equal_by_content),
        cmocka_unit_test(keys_one_after_another_do_not_run_together),
        cmocka_unit_test(nan_is_no_number_to_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
