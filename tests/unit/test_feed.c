/* test_feed.c: feeds: cutting, mending, refusing. What the items hold is in tests/cases; here is what depends on where the
 * stream is cut. */
#include "format_fixture.h"

#include "formats/feed/feed.h"

extern const sl_format sl_format_feed;

static const char rss[] = "\n<?xml version=\"1.0\"?>\n"
                          "<!DOCTYPE rss [<!ENTITY me \"Me\">]>\n"
                          "<rss version=\"2.0\"><channel><title>c</title>\n"
                          "<item><title>one &me;</title><link>http://x/1</link></item>\n"
                          "<!-- <item><title>no</title></item> -->\n"
                          "<item><title><![CDATA[</item>]]></title></item>\n"
                          "<item><title>b&nbsp;<b>c</title></item><item/>\n"
                          "</channel></rss>\n";

static void *feed_conf(sl_arena *arena) {
    sl_feed_conf *conf = sl_arena_calloc(arena, 1, sl_format_feed.conf_size);
    assert_non_null(conf);
    assert_int_equal(sl_format_feed.prepare(conf, arena, NULL), SL_OK);
    return conf;
}

static format_run run_feed(const void *conf, const char *data, size_t n, size_t piece) {
    format_run run = {.format = &sl_format_feed, .conf = conf, .piece = piece};
    fixture_run(&run, data, n);
    return run;
}

/* Wherever the stream is cut into units, the items are the same, and their lines are. */
static void pieces_of_every_size_give_the_same_items(void **state) {
    (void)state;
    sl_arena arena = {0};
    void *conf = feed_conf(&arena);
    size_t n = sizeof rss - 1;
    format_run whole = run_feed(conf, rss, n, n);
    assert_int_equal(whole.status, SL_OK);
    const char *want = sl_buf_cstr(&whole.out);
    assert_non_null(strstr(want, "5:id=http://x/1|title=one Me|"));
    assert_non_null(strstr(want, "7:title=</item>|"));
    assert_non_null(strstr(want, "bozo_reason=line 8: Entity 'nbsp' not defined"));
    for (size_t piece = 1; piece < n; piece++) {
        format_run run = run_feed(conf, rss, n, piece);
        assert_int_equal(run.status, SL_OK);
        assert_string_equal(sl_buf_cstr(&run.out), want);
        if (piece == 1) assert_int_equal(run.units, 4);
        fixture_clear(&run);
    }
    fixture_clear(&whole);
    sl_arena_free(&arena);
}

/* A feed that ends anywhere before its root does is an error, never fewer items in silence. */
static void a_feed_that_is_cut_off_is_an_error(void **state) {
    (void)state;
    sl_arena arena = {0};
    void *conf = feed_conf(&arena);
    size_t whole = (size_t)(strstr(rss, "</rss>") + 6 - rss);
    for (size_t n = 0; n < sizeof rss; n++) {
        for (size_t piece = 7; piece <= 7000; piece *= 1000) {
            format_run run = run_feed(conf, rss, n, piece);
            assert_int_equal(run.status, n < whole ? SL_E_DATA : SL_OK);
            fixture_clear(&run);
        }
    }
    sl_arena_free(&arena);
}

static void refuse(const char *text, const char *why, uint64_t line) {
    sl_arena arena = {0};
    void *conf = feed_conf(&arena);
    for (size_t piece = 1; piece < 4000; piece = piece * 3 + 1) {
        format_run run = run_feed(conf, text, strlen(text), piece);
        assert_int_equal(run.status, SL_E_DATA);
        if (!strstr(run.err.text, why)) fail_msg("'%s' is not in '%s'", why, run.err.text);
        assert_int_equal(run.err.line, line);
        fixture_clear(&run);
    }
    sl_arena_free(&arena);
}

static void other_documents_are_refused_with_their_line(void **state) {
    (void)state;
    refuse("", "the document is empty", 1);
    refuse("\n\n<!DOCTYPE html>\n<html><body>", "HTML page", 4);
    refuse("\n<opml/>", "root element is <opml>", 2);
    refuse("\n\nhello", "begins with 'h", 3);
    refuse("<rss>\n<x/></rss>", "no channel", 2);
    refuse("<rss><channel>\n<item>\n<title>", "inside an item", 2);
    refuse("<rss><channel>\n<item/>\n", "before </rss>", 3);
}

/* Mended: the elements that were left open are closed where the one around them ends. */
static void mending_makes_well_formed_xml(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"<a>x & y &amp; &nbsp;</a>", "<a>x &amp; y &amp; \xC2\xA0</a>"},
        {"<a><b>x</a>", "<a><b>x</b></a>"},
        {"<a><b>x", "<a><b>x</b></a>"},
        {"<a></b>x</a>", "<a>x</a>"},
        {"<a>1 < 2 &#0;&#x41;\x01</a>", "<a>1 &lt; 2 &#x41;</a>"},
        {"<a b='x&y'><![CDATA[&nbsp;<]]></a>", "<a b='x&amp;y'><![CDATA[&nbsp;<]]></a>"},
        {"<a>\xE9\xFF</a>", "<a>\xEF\xBF\xBD\xEF\xBF\xBD</a>"},
    };
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        sl_buf out = {0};
        assert_int_equal(sl_feed_mend(sl_text_of(cases[i][0]), true, &out, NULL), SL_OK);
        assert_string_equal(sl_buf_cstr(&out), cases[i][1]);
        sl_buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_every_size_give_the_same_items),
        cmocka_unit_test(a_feed_that_is_cut_off_is_an_error),
        cmocka_unit_test(other_documents_are_refused_with_their_line),
        cmocka_unit_test(mending_makes_well_formed_xml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
