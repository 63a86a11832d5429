/* test_cached.c: fetching over the cache, against a server of our own that says what it was asked: only the status it gave
 * tells a confirmed copy from an answer that was sent again. */
#include "net/cached.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "files_fixture.h"
#include "http_fixture.h"

static scratch dir;
static server web;
static char body_text[300000], folder[256];

static int set_up_server(void **state) {
    (void)state;
    if (scratch_make(&dir)) return -1;
    for (size_t i = 0; i < sizeof body_text; i++) body_text[i] = (char)('a' + (i * 7919 >> 5) % 26);
    scratch_write(&dir, "a.txt", body_text, sizeof body_text);
    scratch_write(&dir, "empty.txt", "", 0);
    return server_start(&web, dir.dir);
}

static int tear_down_server(void **state) {
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", dir.dir);
    return server_stop(&web) || system(command);
}

/* A cache of its own for each test. */
static int set_up(void **state) {
    static int n;
    (void)state;
    char name[32];
    snprintf(name, sizeof name, "cache%d", n++);
    scratch_path(&dir, name, folder);
    return 0;
}

/* ---- one run --------------------------------------------------------------------------------------------- */

typedef struct outcome {
    sl_status status;
    long answer;
    sl_buf body;
    sl_cache_counts counts;
} outcome;

static sl_status read_all(sl_fetch *f, sl_buf *out, sl_error *err) {
    char buf[5000];
    for (;;) {
        size_t n;
        sl_status status = sl_fetch_read(f, buf, sizeof buf, &n, err);
        if (status || !n) return status;
        sl_buf_add(out, buf, n);
    }
}

static void run(sl_cache_policy policy, const sl_request *request, outcome *out) {
    sl_http *h = NULL;
    sl_cache *c = NULL;
    sl_fetch *f = NULL;
    *out = (outcome){0};
    policy.dir = folder;
    policy.max_size = SL_CACHE_SIZE;
    policy.counts = &out->counts;
    assert_int_equal(sl_http_new(&(sl_http_options){0}, &h, NULL), SL_OK);
    assert_int_equal(sl_cached_open(&policy, false, &c, NULL), SL_OK);
    assert_int_equal(sl_cached_get(h, c, &policy, request, &f, NULL), SL_OK);
    out->status = read_all(f, &out->body, NULL);
    out->answer = sl_fetch_status(f);
    sl_fetch_close(&f);
    if (c) assert_null(sl_cache_trouble(c));
    sl_http_free(&h);
    sl_cache_free(&c);
}

static const sl_cache_policy on = {.mode = SL_CACHE_ON};

/* Fetches PATH; the answer must be STATUS, and the body the file's in any case. */
static void gets_with(sl_cache_policy policy, const sl_manners *manners, const char *path, long status) {
    char url[256];
    outcome o;
    sl_request request = {.url = server_url(&web, path, url), .manners = manners};
    run(policy, &request, &o);
    assert_int_equal(o.status, SL_OK);
    if (o.answer != status) fail_msg("%s: %ld, not %ld", path, o.answer, status);
    assert_int_equal(o.body.len, sizeof body_text);
    assert_memory_equal(o.body.data, body_text, sizeof body_text);
    assert_int_equal(o.counts.unchanged, status == 304);
    sl_buf_free(&o.body);
}

static void gets(const char *path, long status) {
    gets_with(on, NULL, path, status);
}

static unsigned entries(void) {
    sl_cache_pruned pruned;
    assert_int_equal(sl_cache_prune(folder, 0, UINT64_MAX, &pruned, NULL), SL_OK);
    return (unsigned)pruned.files_left;
}

/* ---- asking ---------------------------------------------------------------------------------------------- */

static void an_unchanged_answer_is_not_sent_again(void **state) {
    (void)state;
    gets("/keep/a.txt", 200);
    gets("/keep/a.txt", 304);
    gets("/keep/a.txt?with=modified", 200);
    gets("/keep/a.txt?with=modified", 304);
    gets("/keep/a.txt?with=both", 200);
    gets("/keep/a.txt?with=both", 304);
    gets("/keep/a.txt?cc=max-age=3600", 200);
    gets("/keep/a.txt?cc=max-age=3600", 304); /* asked all the same */
    assert_int_equal(entries(), 4);
}

static void a_packed_answer_is_not_sent_again(void **state) {
    (void)state;
    gets("/keep/a.txt?gzip=1", 200);
    gets("/keep/a.txt?gzip=1", 304);
}

static void an_empty_body_is_kept_too(void **state) {
    (void)state;
    char url[256];
    for (long want = 200; want <= 304; want += 104) {
        outcome o;
        run(on, &(sl_request){.url = server_url(&web, "/keep/empty.txt", url)}, &o);
        assert_int_equal(o.status, SL_OK);
        assert_int_equal(o.answer, want);
        assert_int_equal(o.body.len, 0);
    }
}

static void a_changed_answer_replaces_the_copy(void **state) {
    (void)state;
    char key[SL_CACHE_KEY], url[256];
    gets("/keep/a.txt?v=1", 200);
    gets("/keep/a.txt?v=2", 200);
    /* the entry of one under the key of the other: its ETag is not the server's any more */
    sl_cache *c = sl_cache_new(folder, SL_CACHE_SIZE);
    sl_text agent = SL_TEXT("agent sluice\n");
    sl_cache_key(sl_text_of(server_url(&web, "/keep/a.txt?v=1", url)), agent, key);
    sl_cache_entry *e = sl_cache_find(c, key);
    assert_non_null(e);
    sl_cache_entry_close(&e);
    sl_cache_head head = {.key = sl_text_of(key),
                          .url = sl_text_of(url),
                          .final = sl_text_of(url),
                          .headers = SL_TEXT("< ETag: \"old\"\n")};
    sl_cache_writer *w = sl_cache_begin(c, &head);
    sl_cache_add(w, "old", 3);
    assert_true(sl_cache_commit(&w, NULL));
    sl_cache_free(&c);
    gets("/keep/a.txt?v=1", 200);
    gets("/keep/a.txt?v=1", 304);
}

static void refresh_asks_without_validators_and_keeps_the_answer(void **state) {
    (void)state;
    sl_cache_policy refresh = {.mode = SL_CACHE_REFRESH};
    gets("/keep/a.txt", 200);
    gets_with(refresh, NULL, "/keep/a.txt", 200);
    gets("/keep/a.txt", 304);
}

static void switched_off_nothing_is_kept(void **state) {
    (void)state;
    sl_cache_policy off = {.mode = SL_CACHE_OFF};
    gets_with(off, NULL, "/keep/a.txt", 200);
    assert_int_equal(entries(), 0);
    assert_int_equal(access(folder, F_OK), -1);
}

static void a_damaged_copy_is_fetched_anew(void **state) {
    (void)state;
    char command[400];
    gets("/keep/a.txt", 200);
    snprintf(command, sizeof command,
             "for f in %s/*; do printf x | dd of=$f bs=1 seek=5000 conv=notrunc 2>/dev/null; done", folder);
    assert_int_equal(system(command), 0);
    gets("/keep/a.txt", 200);
    gets("/keep/a.txt", 304);
}

static void a_redirected_answer_is_confirmed_too(void **state) {
    (void)state;
    gets("/redirect/2/keep/a.txt", 200);
    gets("/redirect/2/keep/a.txt", 304);
}

/* ---- not keeping ----------------------------------------------------------------------------------------- */

static void what_has_no_validator_or_may_not_be_stored_is_not_kept(void **state) {
    (void)state;
    static const char *const paths[] = {"/a.txt", "/keep/a.txt?with=none", "/keep/a.txt?vary=*",
                                        "/keep/a.txt?cc=private,%20no-store"};
    for (size_t i = 0; i < SL_COUNT(paths); i++) {
        gets(paths[i], 200);
        gets(paths[i], 200);
    }
    assert_int_equal(entries(), 0);
}

static void a_body_that_breaks_off_is_not_kept(void **state) {
    (void)state;
    char url[256];
    outcome o;
    sl_manners once = sl_plain_manners;
    once.retries = 0;
    run(on, &(sl_request){.url = server_url(&web, "/keep/a.txt?cut=1", url), .manners = &once}, &o);
    assert_int_equal(o.status, SL_E_TEMP);
    sl_buf_free(&o.body);
    assert_int_equal(entries(), 0);
}

/* A reader that had enough: what it saw is not the whole body. */
static void a_body_that_was_not_read_to_its_end_is_not_kept(void **state) {
    (void)state;
    char url[256], some[100];
    size_t n;
    sl_http *h = NULL;
    sl_fetch *f = NULL;
    sl_cache_policy policy = {.mode = SL_CACHE_ON, .dir = folder, .max_size = SL_CACHE_SIZE};
    sl_cache *c = sl_cache_new(folder, SL_CACHE_SIZE);
    assert_int_equal(sl_http_new(&(sl_http_options){0}, &h, NULL), SL_OK);
    sl_request request = {.url = server_url(&web, "/keep/a.txt", url)};
    assert_int_equal(sl_cached_get(h, c, &policy, &request, &f, NULL), SL_OK);
    assert_int_equal(sl_fetch_read(f, some, sizeof some, &n, NULL), SL_OK);
    sl_http_free(&h);
    sl_cache_free(&c);
    assert_int_equal(entries(), 0);
}

static void answers_to_credentials_are_kept_only_when_asked(void **state) {
    (void)state;
    static const char *const secret[] = {"X-Api-Key: 123", NULL},
                             *const plain[] = {"Accept: text/plain", NULL},
                             *const part[] = {"If-None-Match: \"x\"", NULL};
    sl_manners basic = sl_plain_manners, key = sl_plain_manners, accept = sl_plain_manners,
               own = sl_plain_manners, other = sl_plain_manners;
    basic.user = "u:p";
    other.user = "u:q";
    key.headers = secret;
    accept.headers = plain;
    own.headers = part;
    gets_with(on, &basic, "/keep/a.txt", 200);
    gets_with(on, &key, "/keep/a.txt", 200);
    gets_with(on, &own, "/keep/a.txt", 200);
    assert_int_equal(entries(), 0);
    gets_with(on, &accept, "/keep/a.txt", 200);
    gets_with(on, &accept, "/keep/a.txt", 304);
    gets_with(on, NULL, "/keep/a.txt", 200); /* another question */
    sl_cache_policy all = on;
    all.credentials = true;
    gets_with(all, &basic, "/keep/a.txt", 200);
    gets_with(all, &basic, "/keep/a.txt", 304);
    gets_with(all, &other, "/keep/a.txt", 200); /* somebody else's */
    gets_with(all, &key, "/keep/a.txt", 200);
    gets_with(all, &key, "/keep/a.txt", 304);
    assert_int_equal(entries(), 5);
}

static void no_secret_is_in_an_entry(void **state) {
    (void)state;
    char url[256], command[300];
    static const char *const secret[] = {"X-Api-Key: kanaria", NULL};
    sl_manners m = sl_plain_manners;
    m.user = "u:kanaria";
    m.bearer = NULL;
    m.headers = secret;
    sl_cache_policy all = on;
    all.credentials = true;
    outcome o;
    snprintf(url, sizeof url, "http://me:kanaria@127.0.0.1:%d/keep/a.txt", web.port);
    for (long want = 200; want <= 304; want += 104) {
        run(all, &(sl_request){.url = url, .manners = &m}, &o);
        assert_int_equal(o.answer, want);
        sl_buf_free(&o.body);
    }
    assert_int_equal(entries(), 1);
    snprintf(command, sizeof command, "! grep -q kanaria %s/*", folder);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_unchanged_answer_is_not_sent_again, set_up),
        cmocka_unit_test_setup(a_packed_answer_is_not_sent_again, set_up),
        cmocka_unit_test_setup(an_empty_body_is_kept_too, set_up),
        cmocka_unit_test_setup(a_changed_answer_replaces_the_copy, set_up),
        cmocka_unit_test_setup(refresh_asks_without_validators_and_keeps_the_answer, set_up),
        cmocka_unit_test_setup(switched_off_nothing_is_kept, set_up),
        cmocka_unit_test_setup(a_damaged_copy_is_fetched_anew, set_up),
        cmocka_unit_test_setup(a_redirected_answer_is_confirmed_too, set_up),
        cmocka_unit_test_setup(what_has_no_validator_or_may_not_be_stored_is_not_kept, set_up),
        cmocka_unit_test_setup(a_body_that_breaks_off_is_not_kept, set_up),
        cmocka_unit_test_setup(a_body_that_was_not_read_to_its_end_is_not_kept, set_up),
        cmocka_unit_test_setup(answers_to_credentials_are_kept_only_when_asked, set_up),
        cmocka_unit_test_setup(no_secret_is_in_an_entry, set_up),
    };
    return cmocka_run_group_tests(tests, set_up_server, tear_down_server);
}
