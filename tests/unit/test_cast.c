/* test_cast.c: casts and text forms, against what Python gives for the same values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "record/cast.h"
#include "record/time.h"

enum { NOW = 1416657600 }; /* Saturday 2014-11-22 12:00:00 */

static sl_value text(const char *z) {
    return sl_text_value(sl_text_of(z));
}

static void assert_form(sl_value v, const char *want) {
    sl_buf b = {0};
    sl_text_form(v, "None", &b);
    assert_string_equal(sl_buf_cstr(&b), want);
    sl_buf_free(&b);
}

static void assert_json(sl_value v, const char *want) {
    sl_buf b = {0};
    sl_json_write(v, &b);
    assert_string_equal(sl_buf_cstr(&b), want);
    sl_buf_free(&b);
}

static void casts_never_fail_on_text(void **state) {
    (void)state;
    const struct {
        sl_cast to;
        sl_value from;
        const char *want;
    } cases[] = {
        {SL_CAST_TEXT, sl_null(), ""},
        {SL_CAST_TEXT, sl_float(1), "1.0"},
        {SL_CAST_INT, text("12.9"), "12"},
        {SL_CAST_INT, text("-12.9"), "-12"},
        {SL_CAST_INT, text("1e3"), "1000"},
        {SL_CAST_INT, text("1.0"), "1"},
        {SL_CAST_INT, text(" 7 "), "7"},
        {SL_CAST_INT, text("foo"), "0"},
        {SL_CAST_INT, sl_null(), "0"},
        {SL_CAST_INT, text("nan"), "0"},
        {SL_CAST_INT, sl_bool(true), "1"},
        {SL_CAST_FLOAT, text("foo"), "nan"},
        {SL_CAST_FLOAT, text(" 1_000.5 "), "1000.5"},
        {SL_CAST_FLOAT, text("-Inf"), "-inf"},
        {SL_CAST_FLOAT, text(".5"), "0.5"},
        {SL_CAST_FLOAT, sl_missing(), "nan"},
        {SL_CAST_DECIMAL, text("1.50"), "1.50"},
        {SL_CAST_DECIMAL, text("x"), "NaN"},
        {SL_CAST_BOOL, text("no"), "True"},
        {SL_CAST_BOOL, text("0"), "False"},
        {SL_CAST_BOOL, text("0.0"), "False"},
        {SL_CAST_BOOL, text("FALSE"), "False"},
        {SL_CAST_BOOL, text("True"), "True"},
        {SL_CAST_BOOL, text("None"), "False"},
        {SL_CAST_BOOL, text("''"), "False"},
        {SL_CAST_BOOL, text(""), "False"},
        {SL_CAST_BOOL, sl_float(0), "False"},
        {SL_CAST_DATE, text("2015-05-04T13:14:15Z"), "2015-05-04"},
        {SL_CAST_DATE, text("foo"), "1970-01-01"},
        {SL_CAST_DATE, sl_int(86400), "1970-01-02"},
        {SL_CAST_DATE, text("2014-05-04T23:00:00-05:00"), "2014-05-04"},
        {SL_CAST_DATE, text("tomorrow"), "2014-11-23"},
        {SL_CAST_DATETIME, text("5/4/82"), "1982-05-04 00:00:00+00:00"},
        {SL_CAST_DATETIME, sl_null(), "1970-01-01 00:00:00+00:00"},
        {SL_CAST_DATETIME, sl_int(INT64_MAX), "1970-01-01 00:00:00+00:00"},
        {SL_CAST_URL, text("http://a b.com/x y"), "http://a%20b.com/x%20y"},
        {SL_CAST_URL, text("\xc3\xa9.org/?a=1&b=%20"), "http://%C3%A9.org/?a=1&b=%20"},
        {SL_CAST_URL, sl_null(), ""},
        {SL_CAST_LOCATION, text("x"),
         "{'lat': 0.0, 'lon': 0.0, 'country': 'United States', 'admin1': 'state', 'admin2': 'county', "
         "'admin3': 'city', 'city': 'city', 'street': 'street', 'postal': '61605'}"},
        {SL_CAST_LOCATION, sl_null(), "{}"},
        {SL_CAST_PASS, sl_int(3), "3"},
        {SL_CAST_NONE, sl_int(3), "None"}};
    sl_arena arena = {0};
    for (size_t k = 0; k < SL_COUNT(cases); k++) {
        sl_value v;
        assert_int_equal(sl_cast_value(cases[k].to, cases[k].from, NOW, &arena, &v, NULL), SL_OK);
        assert_form(v, cases[k].want);
    }
    sl_arena_free(&arena);
}

static void integers_beyond_64_bits_are_errors(void **state) {
    (void)state;
    static const char *const texts[] = {"inf", "-inf", "1e19", "9223372036854775808"};
    sl_arena arena = {0};
    for (size_t k = 0; k < SL_COUNT(texts); k++) {
        sl_error err = {0};
        sl_value v;
        assert_int_equal(sl_cast_value(SL_CAST_INT, text(texts[k]), NOW, &arena, &v, &err), SL_E_DATA);
        assert_string_not_equal(err.text, "");
    }
    sl_arena_free(&arena);
}

static void casts_have_names(void **state) {
    (void)state;
    sl_cast c;
    for (int k = 0; sl_cast_names[k]; k++) {
        assert_true(sl_cast_named(sl_text_of(sl_cast_names[k]), &c));
        assert_int_equal(c, k);
    }
    assert_false(sl_cast_named(SL_TEXT("zzz"), &c));
}

static void text_forms_are_pythons(void **state) {
    (void)state;
    sl_value members[] = {sl_int(1),
                          text("x"),
                          text("it's"),
                          text("\"it's\""),
                          text("a\\b\n\x01\xc3\xa9\xc2\xa0"),
                          sl_null(),
                          sl_bool(false),
                          sl_decimal_value(SL_TEXT("1.50")),
                          sl_float(1e20)};
    assert_form(sl_list(members, 9), "[1, 'x', \"it's\", '\"it\\'s\"', 'a\\\\b\\n\\x01\xc3\xa9\\xa0', None, "
                                     "False, Decimal('1.50'), 1e+20]");
    sl_pair pair = {SL_TEXT("a"), sl_list(members, 1)};
    assert_form(sl_map(&pair, 1), "{'a': [1]}");
    assert_form(sl_map(NULL, 0), "{}");
    assert_form(sl_time_make(SL_TIME_PARTS, 1388639167, 0, 0),
                "time.struct_time(tm_year=2014, tm_mon=1, tm_mday=2, tm_hour=5, tm_min=6, tm_sec=7, "
                "tm_wday=3, tm_yday=2, tm_isdst=-1)");
    sl_value day = sl_time_make(SL_TIME_DATE, 0, 0, 0);
    assert_form(sl_list(&day, 1), "[datetime.date(1970, 1, 1)]");
}

static void json_is_json(void **state) {
    (void)state;
    sl_value members[] = {sl_int(-1),
                          sl_float(2),
                          sl_float(NAN),
                          sl_decimal_value(SL_TEXT("1.50")),
                          sl_decimal_value(SL_TEXT("NaN")),
                          sl_null(),
                          sl_bool(true)};
    sl_pair pairs[] = {{SL_TEXT("a\"b"), sl_list(members, 7)},
                       {SL_TEXT(""), sl_time_make(SL_TIME_DATE, 0, 0, 0)}};
    assert_json(sl_map(pairs, 2), "{\"a\\\"b\":[-1,2.0,null,1.50,null,null,true],\"\":\"1970-01-01\"}");
    assert_json(text("a\\b/\b\f\n\r\t\x01\x0b\x1f\x7f"),
                "\"a\\\\b/\\b\\f\\n\\r\\t\\u0001\\u000b\\u001f\x7f\"");
    assert_json(text("\xc3\xa9\xff z\xe2\x82"), "\"\xc3\xa9\xef\xbf\xbd z\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Every byte at every place of texts of many lengths, against an escaper of one byte at a time. */
static void json_text_finds_every_special_byte(void **state) {
    (void)state;
    char t[40];
    for (uint32_t n = 1; n < 40; n++) {
        for (uint32_t at = 0; at < n; at++) {
            for (int c = 0; c < 128; c++) {
                memset(t, 'x', n);
                t[at] = (char)c;
                sl_buf got = {0}, want = {0};
                sl_json_text((sl_text){t, n}, &got);
                const char *shorts = c ? strchr("\"\"\\\\\bb\ff\nn\rr\tt", c) : NULL;
                sl_buf_printf(&want, "\"%.*s", (int)at, t);
                if (shorts && (c < 0x20 || c == '"' || c == '\\'))
                    sl_buf_printf(&want, "\\%c", shorts[1]);
                else if (c < 0x20)
                    sl_buf_printf(&want, "\\u%04x", (unsigned)c);
                else
                    sl_buf_byte(&want, (char)c);
                sl_buf_printf(&want, "%.*s\"", (int)(n - at - 1), t + at + 1);
                assert_string_equal(sl_buf_cstr(&got), sl_buf_cstr(&want));
                sl_buf_free(&got);
                sl_buf_free(&want);
            }
        }
    }
}

static void a_text_becomes_text_without_a_copy(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_value v = text("abc"), list = sl_list(&v, 1);
    sl_text t;
    assert_int_equal(sl_to_text(v, "", &arena, &t, NULL), SL_OK);
    assert_ptr_equal(t.s, v.as.s);
    assert_int_equal(sl_to_text(list, "", &arena, &t, NULL), SL_OK);
    assert_true(sl_text_is(t, "['abc']"));
    assert_int_equal(sl_to_text(sl_null(), "None", &arena, &t, NULL), SL_OK);
    assert_true(sl_text_is(t, "None"));
    assert_int_equal(sl_to_text(sl_int(-5), "", &arena, &t, NULL), SL_OK);
    assert_true(sl_text_is(t, "-5"));
    sl_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(casts_never_fail_on_text),
        cmocka_unit_test(integers_beyond_64_bits_are_errors),
        cmocka_unit_test(casts_have_names),
        cmocka_unit_test(text_forms_are_pythons),
        cmocka_unit_test(json_is_json),
        cmocka_unit_test(json_text_finds_every_special_byte),
        cmocka_unit_test(a_text_becomes_text_without_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
