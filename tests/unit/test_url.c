/* test_url.c: URLs: the examples of RFC 3986 for resolving, the rules for joining any two texts, and what people may see of an
 * address. */
#include "net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_text(sl_text got, const char *want) {
    char z[512];
    assert_true(got.n < sizeof z);
    if (got.n) memcpy(z, got.s, got.n);
    z[got.n] = 0;
    assert_string_equal(z, want);
}

static void urls_are_taken_apart(void **state) {
    (void)state;
    sl_url u;
    assert_true(sl_url_parse(sl_text_of("http://me:pw@host.example:8080/a/b.csv?x=1&y=/#top"), &u));
    assert_text(u.scheme, "http");
    assert_text(u.user, "me:pw");
    assert_text(u.host, "host.example");
    assert_text(u.port, "8080");
    assert_text(u.path, "/a/b.csv");
    assert_text(u.query, "x=1&y=/");
    assert_text(u.fragment, "top");
    assert_true(sl_url_parse(sl_text_of("http://[::1]:80/"), &u));
    assert_text(u.host, "[::1]");
    assert_text(u.port, "80");
    assert_true(sl_url_parse(sl_text_of("dir/x.csv"), &u));
    assert_int_equal(u.scheme.n, 0);
    assert_false(u.has_authority);
    assert_text(u.path, "dir/x.csv");
    assert_true(sl_url_parse(sl_text_of("file:///T/a%20b"), &u));
    assert_true(u.has_authority);
    assert_int_equal(u.host.n, 0);
    assert_text(u.path, "/T/a%20b");
}

static void malformed_urls_are_refused(void **state) {
    (void)state;
    sl_url u;
    assert_false(sl_url_parse(sl_text_of("http://a b/"), &u));
    assert_false(sl_url_parse(sl_text_of("http://h:8x/"), &u));
    assert_false(sl_url_parse(sl_text_of("http://h/\n"), &u));
    assert_false(sl_url_parse(sl_text_of("http://[::1/"), &u));
    assert_text(sl_url_scheme(sl_text_of("c:/x")), "");
    assert_text(sl_url_scheme(sl_text_of("1a:x")), "");
    assert_text(sl_url_scheme(sl_text_of("name")), "");
    assert_text(sl_url_scheme(sl_text_of("HTTPS://x")), "HTTPS");
}

/* The examples of RFC 3986, 5.4, and what it leaves open. */
static void references_are_resolved_by_the_standard(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"gg:h", "gg:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {" https://other.example/x ", "https://other.example/x"},
    };
    sl_arena arena = {0};
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        sl_text out;
        sl_status status =
            sl_url_resolve(sl_text_of("http://a/b/c/d;p?q"), sl_text_of(cases[i][0]), &arena, &out, NULL);
        assert_int_equal(status, SL_OK);
        assert_text(out, cases[i][1]);
    }
    sl_text out;
    sl_error err = {0};
    assert_int_equal(sl_url_resolve(sl_text_of("a/b"), sl_text_of("c"), &arena, &out, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "not an absolute URL"));
    assert_int_equal(sl_url_resolve(sl_text_of("http://host"), sl_text_of("c"), &arena, &out, NULL), SL_OK);
    assert_text(out, "http://host/c");
    sl_arena_free(&arena);
}

static void any_texts_are_joined_as_python_joins_them(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"http://x.com", "rss/headline", "http://x.com/rss/headline"},
        {"http://x.com/a/b?q=1#f", "c d", "http://x.com/a/c d"},
        {"http://me@:80/a/", "./b/../c", "http://me@:80/a/c"},
        {"http://x.com/a", "//y/b", "http://y/b"},
        {"http://x.com/a", "ftp://z", "ftp://z"},
        {"x.com/p q", "c", "x.com/c"},
        {"x/y", "/c", "/c"},
        {"x", "", "x"},
        {"", "a b", "a b"},
        {"", "", ""},
    };
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        sl_buf b = {0};
        sl_url_join(sl_text_of(cases[i][0]), sl_text_of(cases[i][1]), &b);
        assert_string_equal(sl_buf_cstr(&b), cases[i][2]);
        sl_buf_free(&b);
    }
}

static void encoding_and_decoding_are_inverse(void **state) {
    (void)state;
    sl_buf b = {0};
    sl_url_encode(sl_text_of("a b/\xc3\xa9~%&"), "/", &b);
    assert_string_equal(sl_buf_cstr(&b), "a%20b/%C3%A9~%25%26");
    sl_buf_clear(&b);
    sl_url_form(sl_text_of("a b+\xc3\xa9/-."), &b);
    assert_string_equal(sl_buf_cstr(&b), "a+b%2B%C3%A9%2F-.");
    sl_buf_clear(&b);
    sl_url_encode(sl_text_of("a b/\xc3\xa9~%&"), "/", &b);
    sl_buf back = {0};
    sl_url_decode(sl_text_n(b.data, b.len), &back);
    assert_string_equal(sl_buf_cstr(&back), "a b/\xc3\xa9~%&");
    sl_buf_clear(&back);
    sl_url_decode(sl_text_of("%zz%4%41%"), &back);
    assert_string_equal(sl_buf_cstr(&back), "%zz%4A%");
    sl_buf_free(&b);
    sl_buf_free(&back);
}

static void passwords_are_not_shown(void **state) {
    (void)state;
    sl_arena arena = {0};
    assert_text(sl_url_name(sl_text_of("http://h/a/b.csv?x=/y.json")), "b.csv");
    assert_text(sl_url_name(sl_text_of("http://h/")), "");
    assert_text(sl_url_name(sl_text_of("dir/what?.csv")), "what?.csv");
    assert_text(sl_url_shown(sl_text_of("http://me:pw@h:1/x?y"), &arena), "http://h:1/x?y");
    assert_text(sl_url_shown(sl_text_of("//me:pw@h/x?key=1"), &arena), "//h/x?key=***");
    assert_text(sl_url_shown(sl_text_of("dir/me@home.csv"), &arena), "dir/me@home.csv");
    sl_arena_free(&arena);
}

static void secrets_in_queries_are_not_shown(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"https://h/x?api_key=abc", "https://h/x?api_key=***"},
        {"https://h/x?a=1&token=abc&b=2", "https://h/x?a=1&token=***&b=2"},
        {"https://h/x?API-Key=a;Access_Token=b;c=d", "https://h/x?API-Key=***;Access_Token=***;c=d"},
        {"https://h/x?tok%65n=a%26b", "https://h/x?tok%65n=***"},
        {"https://h/x?token=a=b#access_token=c&d=e", "https://h/x?token=***#access_token=***&d=e"},
        {"https://me:pw@h:8/x?password=p&X-Amz-Signature=s",
         "https://h:8/x?password=***&X-Amz-Signature=***"},
        {"https://a@b:c@h/x", "https://h/x"},
        {"https://me:p w@h/a b?sig=x y&z", "https://h/a b?sig=***&z"},
        {"ftp://me:pw@h/x?secret=1", "ftp://h/x?secret=***"},
        {"https://h?key=1", "https://h?key=***"},
        {"https://h/me@home?key=&keys=1&monkey=2&key", "https://h/me@home?key=&keys=1&monkey=2&key"},
        {"https://h/x?a?token=b", "https://h/x?a?token=***"},
        {"https://h/token=x/key=y", "https://h/token=x/key=y"},
        {"file:///home/me@x/a?key=1", "file:///home/me@x/a?key=***"},
        {"dir/x?key=1", "dir/x?key=1"},
        {"https:x?key=1", "https:x?key=1"},
        {"https://", "https://"},
        {"", ""},
    };
    sl_arena arena = {0};
    for (size_t i = 0; i < SL_COUNT(cases); i++)
        assert_text(sl_url_shown(sl_text_of(cases[i][0]), &arena), cases[i][1]);
    sl_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(malformed_urls_are_refused),
        cmocka_unit_test(references_are_resolved_by_the_standard),
        cmocka_unit_test(any_texts_are_joined_as_python_joins_them),
        cmocka_unit_test(encoding_and_decoding_are_inverse),
        cmocka_unit_test(passwords_are_not_shown),
        cmocka_unit_test(secrets_in_queries_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
