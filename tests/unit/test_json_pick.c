/* test_json_pick.c: one value picked out of a document: each document is fed in pieces of every size. */
#include "formats/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* What PATH finds in JSON, fed PIECE bytes at a time; "-": nothing; what begins with "!": the failure. */
static void picked(sl_json_pick *p, const char *json, size_t piece, const char *want) {
    sl_arena arena = {0};
    sl_text got;
    sl_error err = {0};
    size_t n = strlen(json);
    sl_json_pick_begin(p);
    for (size_t at = 0; at < n; at += piece) sl_json_pick_feed(p, json + at, n - at < piece ? n - at : piece);
    sl_status status = sl_json_pick_end(p, &arena, &got, &err);
    if (want[0] == '!') {
        if (status != SL_E_DATA) fail_msg("%.40s: no failure", json);
        if (!strstr(err.text, want + 1)) fail_msg("'%s' lacks '%s'", err.text, want + 1);
    } else {
        if (status) fail_msg("%s: %s", json, err.text);
        bool none = strcmp(want, "-") == 0;
        if (none != !got.s || (!none && !sl_text_is(got, want)))
            fail_msg("%s: '%.*s'", json, (int)got.n, got.s);
    }
    sl_arena_free(&arena);
}

static void picks(const char *path, const char *json, const char *want) {
    sl_json_pick *p;
    assert_int_equal(sl_json_pick_new(sl_text_of(path), &p, NULL), SL_OK);
    for (size_t piece = 1; piece < 40; piece += 6) picked(p, json, piece, want);
    sl_json_pick_free(&p);
}

static void the_value_is_found_wherever_it_stands(void **state) {
    (void)state;
    picks("next", "{\"next\": \"/2\", \"items\": [{\"next\": \"no\"}]}", "/2");
    picks("next", "{\"items\": [{\"next\": \"no\"}, {\"a\": {\"next\": 1}}], \"next\": \"/2\"}", "/2");
    picks("links.next", "{\"links\": {\"prev\": null, \"next\": \"/2\"}, \"next\": \"no\"}", "/2");
    picks("links.next", "{\"next\": \"no\", \"other\": {\"next\": \"no\"}, \"links\": {\"next\": \"/2\"}}",
          "/2");
    picks("links.0.href", "{\"links\": [{\"href\": \"/2\"}, {\"href\": \"/3\"}]}", "/2");
    picks("links.1.href", "{\"links\": [{\"href\": \"/2\"}, {\"href\": \"/3\"}]}", "/3");
    picks("1.next", "[[1, 2, {\"next\": 0}], {\"next\": \"x\"}]", "x");
    picks("@odata.nextLink", "{\"@odata.nextLink\": \"/2\", \"value\": []}", "/2");
    picks("a.b", "\xef\xbb\xbf{\"a\": {\"b\": \"c\"}}", "c");
}

static void texts_and_numbers_are_given_as_text(void **state) {
    (void)state;
    picks("c", "{\"c\": \"a\\u0062\\/\\n\"}", "ab/\n");
    picks("c", "{\"\\u0063\": \"x\"}", "x");
    picks("c", "{\"c\": 17}", "17");
    picks("c", "{\"c\": -1.50e3 }", "-1.50e3");
    picks("c", "{\"c\": 12345678901234567890123}", "12345678901234567890123");
    picks("c", "{\"c\": 1, \"c\": 2}", "2");
    picks("c", "{\"c\": 0}", "0");
}

static void null_false_empty_and_absent_end_the_pages(void **state) {
    (void)state;
    picks("c", "{\"c\": null}", "-");
    picks("c", "{\"c\": false}", "-");
    picks("c", "{\"c\": \"\"}", "-");
    picks("c", "{}", "-");
    picks("c", "{\"b\": {\"c\": 1}}", "-");
    picks("c", "[{\"c\": 1}]", "-");
    picks("a.c", "{\"a\": 1, \"c\": 2}", "-");
    picks("a.c", "{\"a\": null}", "-");
    picks("c", "17", "-");
    picks("c", "{}\n{\"c\": 1}", "-");
}

static void what_cannot_lead_on_is_an_error(void **state) {
    (void)state;
    picks("c", "{\"c\": {}}", "!'c', where the next page should be, is a list or an object");
    picks("c", "{\"c\": [1]}", "!a list or an object");
    picks("c", "{\"c\": true}", "!is true");
    picks("c", "{\"c\": 1", "!no complete JSON document");
    picks("c", "<html>", "!no complete JSON document");
    picks("c", "", "!no complete JSON document");
    char *large = malloc(100000);
    memset(large, 'x', 100000);
    memcpy(large, "{\"c\": \"", 7);
    memcpy(large + 99990, "\"}", 3);
    picks("c", large, "!longer than 64 KiB");
    free(large);
}

static void paths_that_cannot_be_followed_are_refused(void **state) {
    (void)state;
    sl_json_pick *p = NULL;
    sl_error err = {0};
    assert_int_equal(sl_json_pick_new(SL_TEXT(""), &p, &err), SL_E_PLAN);
    err = (sl_error){0};
    assert_int_equal(sl_json_pick_new(SL_TEXT("a.-1.b"), &p, &err), SL_E_PLAN);
    assert_non_null(strstr(err.text, "never from the end"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_value_is_found_wherever_it_stands),
        cmocka_unit_test(texts_and_numbers_are_given_as_text),
        cmocka_unit_test(null_false_empty_and_absent_end_the_pages),
        cmocka_unit_test(what_cannot_lead_on_is_an_error),
        cmocka_unit_test(paths_that_cannot_be_followed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
