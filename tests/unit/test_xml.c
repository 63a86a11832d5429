/* XML by events, and the scanner that finds markup in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"
#include "formats/xml/sax.h"
#include "formats/xml/scan.h"

/* ---- events --------------------------------------------------------------------------------------------------------- */

static void put_name(sl_buf *out, const sl_xml_name *n) {
    if (n->uri[0])
        sl_buf_printf(out, "{%s}", n->uri);
    else if (n->prefix[0])
        sl_buf_printf(out, "%s:", n->prefix);
    sl_buf_str(out, n->local);
}

static sl_status on_start(void *user, const sl_xml_element *e, sl_error *err) {
    sl_buf *out = user;
    (void)err;
    sl_buf_byte(out, '<');
    put_name(out, &e->name);
    for (uint32_t i = 0; i < e->nattrs; i++) {
        sl_buf_byte(out, ' ');
        put_name(out, &e->attrs[i].name);
        sl_buf_byte(out, '=');
        sl_buf_text(out, e->attrs[i].value);
    }
    sl_buf_byte(out, '>');
    return SL_OK;
}

static sl_status on_end(void *user, const sl_xml_name *name, sl_error *err) {
    (void)err;
    sl_buf_str(user, "</");
    put_name(user, name);
    sl_buf_byte(user, '>');
    return SL_OK;
}

static sl_status on_text(void *user, sl_text text, sl_error *err) {
    (void)err;
    sl_buf_text(user, text);
    return SL_OK;
}

static const sl_xml_handler handler = {on_start, on_end, on_text};

typedef struct reading {
    sl_buf out;
    sl_status status;
    sl_error err;
    bool malformed;
} reading;

static reading read_text(const char *text, size_t n, size_t piece, unsigned flags, uint64_t most) {
    reading r = {0};
    sl_xml *x;
    assert_int_equal(sl_xml_new(&handler, &r.out, flags, most, &x, &r.err), SL_OK);
    for (size_t at = 0; at < n && !r.status; at += piece) {
        size_t size = piece < n - at ? piece : n - at;
        char *copy = malloc(size); /* so that a look behind its end is seen */
        assert_non_null(copy);
        memcpy(copy, text + at, size);
        r.status = sl_xml_feed(x, copy, size, &r.err);
        free(copy);
    }
    if (!r.status) r.status = sl_xml_finish(x, &r.err);
    r.malformed = sl_xml_malformed(x);
    sl_xml_free(&x);
    assert_int_equal(r.status, r.err.code);
    return r;
}

static void expect_flags(unsigned flags, const char *text, const char *want) {
    size_t n = strlen(text);
    for (size_t piece = 1; piece <= n; piece++) {
        reading r = read_text(text, n, piece, flags, 0);
        if (r.status) fail_msg("pieces of %zu: %s", piece, r.err.text);
        assert_string_equal(sl_buf_cstr(&r.out), want);
        sl_buf_free(&r.out);
    }
}

static void expect(const char *text, const char *want) {
    expect_flags(0, text, want);
}

static void refuse(const char *text, const char *why, uint64_t line, bool malformed) {
    size_t n = strlen(text);
    for (size_t piece = n; piece; piece = piece > 4096 ? piece / 4 : piece > 64 ? 64 : piece / 2) {
        reading r = read_text(text, n, piece, 0, 1 << 20);
        assert_int_equal(r.status, SL_E_DATA);
        if (!strstr(r.err.text, why)) fail_msg("'%s' is not in '%s'", why, r.err.text);
        if (line) assert_int_equal(r.err.line, line);
        assert_int_equal(r.malformed, malformed);
        sl_buf_free(&r.out);
    }
}

static void events_come_in_the_order_of_the_document(void **state) {
    (void)state;
    expect("<a/>", "<a></a>");
    expect(
        "<?xml version='1.0' encoding='windows-1251'?>\n<a b='1' c=\"x>y\"><!-- <n> -->t<![CDATA[<&]]></a>",
        "<a b=1 c=x>y>t<&</a>");
    expect("<a xmlns='u' xmlns:p='v' p:b='1'><p:c/></a>", "<{u}a {v}b=1><{v}c></{v}c></{u}a>");
    expect("<a b='&amp;&lt;&#233;&amp;lt;' c='&quot;'>&amp;&lt;&#x41;</a>",
           "<a b=&<\xC3\xA9&lt; c=\">&<A</a>");
}

static void entities_become_their_text(void **state) {
    (void)state;
    expect("<!DOCTYPE a [<!ENTITY e 'v&#38;w'><!ENTITY f 'x&e;y&gt;'>]><a b='1&f;2&e;'>&f;&e;</a>",
           "<a b=1xv&wy>2v&w>xv&wy>v&w</a>");
    expect("<!DOCTYPE rss PUBLIC '-//N' 'http://127.0.0.1:1/r.dtd'><a b='&eacute;'>&nbsp;</a>",
           "<a b=\xC3\xA9>\xC2\xA0</a>");
    expect_flags(SL_XML_HTML, "<a b='&eacute;&eacute;'>&Eacute;</a>", "<a b=\xC3\xA9\xC3\xA9>\xC3\x89</a>");
    expect_flags(SL_XML_RECOVER, "<a>&nothing;x<b>y</a>", "<a>x<b>y</b>");
}

static void malformed_documents_are_refused_with_their_line(void **state) {
    (void)state;
    refuse("<a>\n<b></a>", "<b> is closed by </a>", 2, true);
    refuse("<a>\n&nbsp;</a>", "nbsp", 2, true);
    refuse("<a>\n\n<p:b/></a>", "prefix p", 3, true);
    refuse("<a>", "before all elements are closed", 0, true);
    refuse("<a b=c/>", "AttValue", 1, true);
    refuse("<a/><b/>", "Extra content", 1, true);
    refuse("text", "no well-formed XML", 1, true);
    refuse("", "empty", 0, true);
    refuse("<a>\x01</a>", "Char", 1, true);
}

/* Nothing is opened: the files are there, their contents are not. */
static void nothing_outside_is_opened(void **state) {
    (void)state;
    refuse("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>", "'x' not defined", 1, true);
    refuse("<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/hostname'> %p;]><a/>", "p", 1, true);
    expect("<!DOCTYPE a SYSTEM 'file:///etc/hostname'><a>t</a>", "<a>t</a>");
}

static void entities_within_entities_are_limited(void **state) {
    (void)state;
    sl_buf t = {0};
    sl_buf_str(&t, "<!DOCTYPE a [<!ENTITY l0 'lol'>");
    for (int i = 1; i < 10; i++) {
        sl_buf_printf(&t, "<!ENTITY l%d '", i);
        for (int k = 0; k < 10; k++) sl_buf_printf(&t, "&l%d;", i - 1);
        sl_buf_str(&t, "'>");
    }
    sl_buf_str(&t, "]><a>&l9;</a>");
    refuse(sl_buf_cstr(&t), "more than 64 KiB", 1, false);
    sl_buf_clear(&t);
    sl_buf_str(&t, "<!DOCTYPE a [<!ENTITY q '");
    for (int i = 0; i < 50000; i++) sl_buf_byte(&t, 'q');
    sl_buf_str(&t, "'>]><a>");
    for (int i = 0; i < 1000; i++) sl_buf_str(&t, "&q;");
    sl_buf_str(&t, "</a>");
    refuse(sl_buf_cstr(&t), "too much", 1, false);
    sl_buf_free(&t);
    refuse("<!DOCTYPE a [<!ENTITY x '&y;'><!ENTITY y '&x;'>]><a>&x;</a>", "refers to itself", 1, false);
    refuse("<!DOCTYPE a [<!ENTITY x '&y;'><!ENTITY y '&x;'>]><a b='&x;'/>", "refers to itself", 1, false);
}

static void depth_attributes_and_text_are_limited(void **state) {
    (void)state;
    sl_buf t = {0};
    for (int i = 0; i < 256; i++) sl_buf_str(&t, "<a>");
    for (int i = 0; i < 256; i++) sl_buf_str(&t, "</a>");
    reading r = read_text(t.data, t.len, t.len, 0, 0);
    assert_int_equal(r.status, SL_OK);
    sl_buf_free(&r.out);
    sl_buf_clear(&t);
    for (int i = 0; i < 100000; i++) sl_buf_str(&t, "<a>");
    refuse(sl_buf_cstr(&t), "nested more than 256", 1, false);
    sl_buf_clear(&t);
    sl_buf_str(&t, "<a");
    for (int i = 0; i < 100000; i++) sl_buf_printf(&t, " a%d=''", i);
    sl_buf_str(&t, "/>");
    refuse(sl_buf_cstr(&t), "more than 1000 attributes", 0, false);
    sl_buf_clear(&t);
    sl_buf_str(&t, "<a>");
    for (int i = 0; i < 1100000; i++) sl_buf_byte(&t, 'x');
    refuse(sl_buf_cstr(&t), "more than 1 MiB of text", 1, false);
    sl_buf_free(&t);
}

static void places_are_those_of_the_whole_document(void **state) {
    (void)state;
    sl_buf out = {0};
    sl_error err = {0};
    sl_xml *x;
    assert_int_equal(sl_xml_new(&handler, &out, 0, 0, &x, &err), SL_OK);
    assert_int_equal(sl_xml_feed(x, "<a>\n\n", 5, &err), SL_OK);
    sl_xml_place(x, 100);
    assert_int_equal(sl_xml_feed(x, "<b>\n</c>", 8, &err), SL_E_DATA);
    assert_int_equal(err.line, 101);
    sl_xml_free(&x);
    sl_buf_free(&out);
}

/* ---- the scanner -------------------------------------------------------------------------------------------------- */

static void scan(const char *text, const char *want) {
    static const char letters[] = "-seydpo"; /* in the order of sl_xml_token */
    size_t n = strlen(text);
    for (size_t piece = 1; piece <= n; piece++) {
        sl_xml_scan s = {0};
        sl_buf got = {0};
        for (size_t shown = piece < n ? piece : n;; shown = shown + piece < n ? shown + piece : n) {
            for (sl_xml_token t; (t = sl_xml_scan_next(&s, text, shown));)
                sl_buf_printf(&got, "%c%zu-%zu ", letters[t], s.from, s.at);
            if (shown == n) break;
        }
        sl_buf_str(&got, sl_xml_scan_inside(&s) ? sl_xml_scan_what(&s) : ".");
        assert_string_equal(sl_buf_cstr(&got), want);
        sl_buf_free(&got);
    }
}

static void the_scanner_tells_tags_from_what_looks_like_one(void **state) {
    (void)state;
    scan("<a>t</a>", "s0-3 y4-8 .");
    scan("x<a b='>'/>", "e1-11 .");
    scan("<a b='/'>", "s0-9 .");
    scan("<!-- > <b> --><a>", "o0-14 s14-17 .");
    scan("<!--> --><a>", "o0-9 s9-12 .");
    scan("<![CDATA[ <a> ]] > ]]]>", "o0-23 .");
    scan("<?p > ?><a/>", "p0-8 e8-12 .");
    scan("<!DOCTYPE a [<!ENTITY b \"]>\"><!-- ' -->]><a>", "d0-41 s41-44 .");
    scan("<!ELEMENT x><!>", "o0-12 o12-15 .");
    scan("1 < 2 <<a>", "s7-10 .");
    scan("<a b=\"<c>", "s6-9 .");
    scan("<a it's><b>", "s0-8 s8-11 .");
    scan("<a", "a tag");
    scan("<!-- -", "a comment");
    scan("<![CDATA[", "a CDATA section");
    scan("</a <b>", "s4-7 .");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_the_order_of_the_document),
        cmocka_unit_test(entities_become_their_text),
        cmocka_unit_test(malformed_documents_are_refused_with_their_line),
        cmocka_unit_test(nothing_outside_is_opened),
        cmocka_unit_test(entities_within_entities_are_limited),
        cmocka_unit_test(depth_attributes_and_text_are_limited),
        cmocka_unit_test(places_are_those_of_the_whole_document),
        cmocka_unit_test(the_scanner_tells_tags_from_what_looks_like_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
