/* test_pages.c: where the next page is, without a network: the pager is shown pages and asked for addresses. */
#include "sources/stream/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"

static sl_arena arena;

static sl_text text(const char *z) {
    return z ? sl_text_of(z) : (sl_text){0};
}

static sl_paginate shorthand(const char *by) {
    sl_paginate p = {.by = text(by), .max_pages = 10000, .ahead = true};
    sl_error err = {0};
    if (sl_paginate_prepare(&p, &arena, &err)) fail_msg("%s: %s", by, err.text);
    return p;
}

static sl_pager *pager(const sl_paginate *p, const char *url) {
    sl_pager *out = NULL;
    sl_error err = {0};
    if (sl_pager_new(p, text(url), &out, &err)) fail_msg("%s: %s", url, err.text);
    return out;
}

static void at(const sl_pager *p, const char *url) {
    sl_text u = sl_pager_url(p);
    if (!sl_text_is(u, url)) fail_msg("at '%.*s', not at '%s'", (int)u.n, u.s, url);
}

/* A page with this BODY and HEADER, not empty, comes to its end. */
static sl_status turn(sl_pager *p, const char *body, const char *header, sl_error *err) {
    sl_page_end end = {.url = sl_pager_url(p), .header = text(header)};
    if (body) sl_pager_see(p, body, strlen(body));
    return sl_pager_turn(p, &end, err);
}

static void leads_to(sl_pager *p, const char *body, const char *header, const char *url) {
    sl_error err = {0};
    if (turn(p, body, header, &err)) fail_msg("no page behind %s", err.text);
    at(p, url);
}

static void ends(sl_pager **p, const char *body, const char *header) {
    assert_int_equal(turn(*p, body, header, NULL), SL_DONE);
    sl_pager_free(p);
}

/* ---- the six kinds --------------------------------------------------------------------------------------- */

static void next_url_follows_the_address_in_the_page(void **state) {
    (void)state;
    sl_paginate conf = shorthand("next_url=links.next");
    sl_pager *p = pager(&conf, "http://a/x/items?n=1");
    at(p, "http://a/x/items?n=1");
    leads_to(p, "{\"links\": {\"next\": \"more?n=2#top\"}}", NULL, "http://a/x/more?n=2");
    leads_to(p, "{\"links\": {\"next\": \"/items?n=3\"}, \"x\": []}", NULL, "http://a/items?n=3");
    leads_to(p, "{\"x\": [1, 2], \"links\": {\"next\": \"https://b/4\"}}", NULL, "https://b/4");
    assert_int_equal(sl_pager_number(p), 4);
    ends(&p, "{\"links\": {\"next\": null}}", NULL);
}

static void link_header_follows_the_relation_next(void **state) {
    (void)state;
    sl_paginate conf = shorthand("link_header");
    sl_pager *p = pager(&conf, "http://a/items");
    assert_string_equal(sl_pager_header(p), "Link");
    leads_to(p, NULL, "</items?p=2>; rel=next, </items?p=9>; rel=last", "http://a/items?p=2");
    ends(&p, NULL, "</items>; rel=first");
}

static void page_counts_up_and_keeps_the_rest_of_the_query(void **state) {
    (void)state;
    sl_paginate conf = shorthand("page=p");
    sl_pager *p = pager(&conf, "http://a/items?q=x&p=7&r=%20y#f");
    sl_text ahead;
    at(p, "http://a/items?q=x&r=%20y&p=1");
    assert_int_equal(sl_pager_ahead(p, &ahead, NULL), SL_OK);
    assert_true(sl_text_is(ahead, "http://a/items?q=x&r=%20y&p=2"));
    leads_to(p, NULL, NULL, "http://a/items?q=x&r=%20y&p=2");
    sl_page_end end = {.url = sl_pager_url(p), .empty = true};
    assert_int_equal(sl_pager_turn(p, &end, NULL), SL_DONE);
    sl_pager_free(&p);
    conf = shorthand("page=p:0");
    p = pager(&conf, "http://a");
    at(p, "http://a?p=0");
    sl_pager_free(&p);
}

static void offset_goes_up_by_the_size_of_a_page(void **state) {
    (void)state;
    sl_paginate conf = shorthand("offset=o s:50");
    sl_pager *p = pager(&conf, "http://a/items");
    at(p, "http://a/items?o%20s=0");
    leads_to(p, NULL, NULL, "http://a/items?o%20s=50");
    leads_to(p, NULL, NULL, "http://a/items?o%20s=100");
    sl_pager_free(&p);
}

static void cursor_is_taken_from_the_page(void **state) {
    (void)state;
    sl_paginate conf = shorthand("cursor=after:meta.cursor");
    sl_pager *p = pager(&conf, "http://a/items?n=5");
    sl_text ahead;
    at(p, "http://a/items?n=5");
    assert_int_equal(sl_pager_ahead(p, &ahead, NULL), SL_OK);
    assert_int_equal(ahead.n, 0);
    leads_to(p, "{\"meta\": {\"cursor\": \"a&b=\\u00e9\"}}", NULL, "http://a/items?n=5&after=a%26b%3D%C3%A9");
    leads_to(p, "{\"meta\": {\"cursor\": 12}}", NULL, "http://a/items?n=5&after=12");
    ends(&p, "{\"meta\": {\"cursor\": \"\"}}", NULL);
}

static void header_cursor_is_taken_from_the_header(void **state) {
    (void)state;
    sl_paginate conf = shorthand("header_cursor=after:X-Next");
    sl_pager *p = pager(&conf, "http://a/items");
    assert_string_equal(sl_pager_header(p), "X-Next");
    leads_to(p, NULL, "abc", "http://a/items?after=abc");
    ends(&p, NULL, "");
}

/* ---- ends that are none ---------------------------------------------------------------------------------- */

static void a_page_that_comes_again_is_an_error(void **state) {
    (void)state;
    sl_error err = {0};
    sl_paginate conf = shorthand("next_url=next");
    sl_pager *p = pager(&conf, "http://u:secret@a/1");
    leads_to(p, "{\"next\": \"http://a/2\"}", NULL, "http://a/2");
    assert_int_equal(turn(p, "{\"next\": \"/2\"}", NULL, &err), SL_E_DATA);
    assert_string_equal(err.text,
                        "page 3 is 'http://a/2', which was fetched before: the pages lead in a circle");
    sl_pager_free(&p);
    p = pager(&conf, "http://u:secret@a/1");
    err = (sl_error){0};
    assert_int_equal(turn(p, "{\"next\": \"http://u:secret@a/1\"}", NULL, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "'http://a/1'"));
    sl_pager_free(&p);
}

/* A circle is found however long it is. */
static void a_circle_is_found_however_long_it_is(void **state) {
    (void)state;
    char body[64];
    sl_error err = {0};
    sl_paginate conf = shorthand("next_url=next");
    sl_pager *p = pager(&conf, "http://a/0");
    for (int i = 1; i < 3000; i++) {
        snprintf(body, sizeof body, "{\"next\": \"/%d\"}", i);
        assert_int_equal(turn(p, body, NULL, &err), SL_OK);
    }
    assert_int_equal(turn(p, "{\"next\": \"/1700\"}", NULL, &err), SL_E_DATA);
    sl_pager_free(&p);
}

static void no_more_pages_are_asked_for_than_allowed(void **state) {
    (void)state;
    sl_error err = {0};
    sl_text ahead;
    sl_paginate conf = shorthand("page=p");
    conf.max_pages = 2;
    sl_pager *p = pager(&conf, "http://a/");
    leads_to(p, NULL, NULL, "http://a/?p=2");
    assert_int_equal(sl_pager_ahead(p, &ahead, NULL), SL_OK);
    assert_int_equal(ahead.n, 0);
    assert_int_equal(turn(p, NULL, NULL, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "more than 2 pages"));
    sl_pager_free(&p);
    conf.at_limit = 1;
    p = pager(&conf, "http://a/");
    leads_to(p, NULL, NULL, "http://a/?p=2");
    ends(&p, NULL, NULL);
}

static void what_a_page_says_must_be_an_address_on_the_web(void **state) {
    (void)state;
    sl_paginate conf = shorthand("next_url=next");
    static const char *const bodies[] = {"{\"next\": {}}", "{\"next\": \"a b\"}",
                                         "{\"next\": \"file:///etc/passwd\"}", "<html>", ""};
    for (size_t i = 0; i < SL_COUNT(bodies); i++) {
        sl_error err = {0};
        sl_pager *p = pager(&conf, "http://a/");
        assert_int_equal(turn(p, bodies[i], NULL, &err), SL_E_DATA);
        assert_true(err.text[0]);
        sl_pager_free(&p);
    }
}

/* ---- the conf -------------------------------------------------------------------------------------------- */

static void refuses(sl_paginate p, const char *why) {
    sl_error err = {0};
    p.max_pages = 10;
    assert_int_equal(sl_paginate_prepare(&p, &arena, &err), SL_E_PLAN);
    if (!strstr(err.text, why)) fail_msg("'%s' lacks '%s'", err.text, why);
}

static void mistakes_say_what_each_kind_needs(void **state) {
    (void)state;
    refuses((sl_paginate){.by = text("next-url")}, "did you mean 'next_url'?");
    refuses((sl_paginate){.by = text("next_url")}, "pages by next_url need 'path'");
    refuses((sl_paginate){.by = text("next_url="), .path = text("")}, "need 'path'");
    refuses((sl_paginate){.by = text("next_url=a.-1")}, "from the end");
    refuses((sl_paginate){.by = text("link_header=next")}, "takes nothing more");
    refuses((sl_paginate){.by = text("link_header"), .path = text("x")}, "'path' means nothing");
    refuses((sl_paginate){.by = text("page")}, "need 'param'");
    refuses((sl_paginate){.by = text("page=p:x")}, "start must be a whole number from 0 on, not 'x'");
    refuses((sl_paginate){.by = text("offset=o")}, "need 'size'");
    refuses((sl_paginate){.by = text("offset=o:-5")}, "size must be");
    refuses((sl_paginate){.by = text("cursor=c")}, "need 'path'");
    refuses((sl_paginate){.by = text("header_cursor=c")}, "need 'header'");
    refuses((sl_paginate){.by = text("cursor=c:x"), .end_status = 404}, "'end_status' means nothing");
    refuses((sl_paginate){.by = text("cursor=c:x"), .start = text("1")}, "'start' means nothing");
}

static int tear_down(void **state) {
    (void)state;
    sl_arena_free(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_url_follows_the_address_in_the_page),
        cmocka_unit_test(link_header_follows_the_relation_next),
        cmocka_unit_test(page_counts_up_and_keeps_the_rest_of_the_query),
        cmocka_unit_test(offset_goes_up_by_the_size_of_a_page),
        cmocka_unit_test(cursor_is_taken_from_the_page),
        cmocka_unit_test(header_cursor_is_taken_from_the_header),
        cmocka_unit_test(a_page_that_comes_again_is_an_error),
        cmocka_unit_test(a_circle_is_found_however_long_it_is),
        cmocka_unit_test(no_more_pages_are_asked_for_than_allowed),
        cmocka_unit_test(what_a_page_says_must_be_an_address_on_the_web),
        cmocka_unit_test(mistakes_say_what_each_kind_needs),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
