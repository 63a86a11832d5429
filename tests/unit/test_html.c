/* Documents that are read as wholes: pages by path, by XPath, as tables, and the limits on all of them; XML in parts. */
#include <stdio.h>

#include "format_fixture.h"

#include "base/error.h"
#include "formats/document/document.h"
#include "formats/table/table.h"

extern const sl_format sl_format_html, sl_format_xml, sl_format_xpath, sl_format_page;

/* What comes of DATA under a conf of lines "key=value", shown in pieces of several sizes; "!words" for a failure. */
static void expect_n(const sl_format *format, const char *conf, const char *data, size_t n,
                     const char *want) {
    static const size_t pieces[] = {1, 2, 7, 64, 1 << 30};
    for (size_t i = n > 100000 ? SL_COUNT(pieces) - 1 : 0; i < SL_COUNT(pieces); i++) {
        sl_arena arena = {0};
        format_run r = {.format = format, .piece = pieces[i], .no_lines = true};
        r.conf = fixture_conf(format, conf, &arena, SL_OK, &r.err);
        fixture_run(&r, data, n);
        if (r.status && (want[0] != '!' || !strstr(r.err.text, want + 1)))
            fail_msg("%s: %s", conf, r.err.text);
        if (!r.status) assert_string_equal(sl_buf_cstr(&r.out), want);
        fixture_clear(&r);
        sl_arena_free(&arena);
    }
}

static void expect(const sl_format *format, const char *conf, const char *data, const char *want) {
    expect_n(format, conf, data, strlen(data), want);
}

static char *repeated(const char *before, const char *unit, size_t times, const char *after, size_t *n) {
    sl_buf out = {0};
    sl_buf_str(&out, before);
    for (size_t i = 0; i < times; i++) sl_buf_str(&out, unit);
    sl_buf_str(&out, after);
    (void)sl_buf_cstr(&out);
    *n = out.len;
    return out.data;
}

static void expect_many(const sl_format *format, const char *conf, const char *before, const char *unit,
                        size_t times, const char *after, const char *want) {
    size_t n;
    char *data = repeated(before, unit, times, after, &n);
    assert_non_null(data);
    expect_n(format, conf, data, n, want);
    free(data);
}

static void pages_are_read_as_browsers_read_them(void **state) {
    (void)state;
    expect(&sl_format_html, "path=html.body.p", "<p a=1>x<b>y</b>z<p>\xff",
           "a=1|content=x|b=y\ncontent=\xef\xbf\xbd\n");
    expect(&sl_format_html, "path=html.body.p", "\xef\xbb\xbf<p>x", "content=x\n");
    expect(&sl_format_html, "path=html.body.div.p", "<p>x", "!no element 'div'");
    expect(&sl_format_html, "path=html.body.i", "<p>x", "");
    expect(&sl_format_xpath, "xpath=//p/@a", "<p a=1>x<p a=2>y", "content=1\ncontent=2\n");
    expect(&sl_format_xpath, "xpath=//i\ntype=xml", "<r><i>1</i><i>2</i></r>", "content=1\ncontent=2\n");
    expect(&sl_format_page, "start=a\nend=d", "xabcdef", "bc\n");
    expect(&sl_format_table_html, "table=1", "<table><tr><th>A b<th>A b<tr><td rowspan=2>1<td>2<tr><td>3",
           "a_b=1|a_b_2=2\na_b=1|a_b_2=3\n");
    expect(&sl_format_table_fixed, "widths=2,3", "a b\n1 22\n3", "a=1|b=22\na=3|b=~\n");
}

static void bad_expressions_are_shown_before_any_document(void **state) {
    (void)state;
    static const char *const bad[] = {"//p[", "//p[@a=']", "a b", "//", "1 +"};
    for (size_t i = 0; i < SL_COUNT(bad); i++) {
        sl_arena arena = {0};
        sl_error err = {0};
        char conf[64];
        snprintf(conf, sizeof conf, "xpath=%s", bad[i]);
        (void)fixture_conf(&sl_format_xpath, conf, &arena, SL_E_PLAN, &err);
        if (!strstr(err.text, bad[i])) fail_msg("'%s' does not show '%s'", err.text, bad[i]);
        sl_arena_free(&arena);
    }
}

static void pages_have_limits(void **state) {
    (void)state;
    expect_many(&sl_format_html, "path=p", "<p", " a", 1001, ">", "!more than 1000 attributes");
    expect_many(&sl_format_html, "path=html.body.p", "<p", " a=\"x y\"", 1000, ">z", "a=x y|content=z\n");
    expect_many(&sl_format_html, "path=p", "", "<div>", 300, "x", "!nested more than 256 deep");
    expect_many(&sl_format_html, "path=p", "", "<b>", 2000001, "x", "!more than 2000000 tags");
    expect_many(&sl_format_xpath, "xpath=//*[count(//*) > 1]", "<div>", "<i></i>", 20000, "",
                "!more steps in this document than are allowed");
}

static void a_document_beyond_the_limit_is_refused(void **state) {
    (void)state;
    sl_input *in = sl_input_new(SL_DOCUMENT_MOST + 1);
    assert_non_null(in);
    memset(in->data, ' ', SL_DOCUMENT_MOST + 1);
    void *splitter = NULL;
    sl_cut cut;
    sl_error err = {0};
    assert_int_equal(sl_document_split_new(NULL, &splitter, &err), SL_OK);
    assert_int_equal(sl_document_split(splitter, in->data, SL_DOCUMENT_MOST, false, &cut, &err), SL_OK);
    assert_int_equal(cut.end, 0);
    assert_int_equal(sl_document_split(splitter, in->data, SL_DOCUMENT_MOST + 1, false, &cut, &err),
                     SL_E_DATA);
    assert_non_null(strstr(err.text, "64 MiB"));
    sl_document_split_free(splitter);
    sl_input_unref(&in);
}

static void an_empty_document_is_a_unit(void **state) {
    (void)state;
    expect(&sl_format_page, "start=", "", "\n");
    expect(&sl_format_html, "path=p", "", "");
    expect(&sl_format_xml, "path=p", "", "!the document is empty");
}

static void xml_is_read_in_parts_along_the_path(void **state) {
    (void)state;
    expect(&sl_format_xml, "path=r.s.a", "<r>\n<s k='>'><a/><!-- </s> --><a>1</a></s>\n<s><a>2</a></s></r>",
           "\ncontent=1\ncontent=2\n");
    expect(&sl_format_xml, "path=r.x.a", "<r><s/></r>", "!there is no element 'x' at its place; there are s");
    expect(&sl_format_xml, "path=a", "<r><a>1</a><a>2</b></r>", "!<a> is closed by </b>");
    expect(&sl_format_xml, "path=a", "<r><a>1</a><a>\xff</a></r>", "!byte 0xFF is not valid UTF-8");
    expect_many(&sl_format_xml, "path=a.b", "<r>", "<a b='", 20000, "", "!no well-formed XML");
    expect_many(&sl_format_xml, "path=a.b", "<r", " k=''", 1001, "/>", "!more than 1000 attributes");
    expect_many(&sl_format_xml, "path=a.b", "<r a='", "0123456789", 7000, "'><a><b/></a></r>", "!64 KiB");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_read_as_browsers_read_them),
        cmocka_unit_test(bad_expressions_are_shown_before_any_document),
        cmocka_unit_test(pages_have_limits),
        cmocka_unit_test(a_document_beyond_the_limit_is_refused),
        cmocka_unit_test(an_empty_document_is_a_unit),
        cmocka_unit_test(xml_is_read_in_parts_along_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
