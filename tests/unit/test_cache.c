/* test_cache.c: the folder of cached answers: what is kept, what is thrown away, and what happens when files are damaged,
 * killed half-way or written by several at once. An entry is believed later, so each test ends with a look at what is found. */
#include "net/cache/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "files_fixture.h"

static scratch dir;

static int set_up(void **state) {
    (void)state;
    return scratch_make(&dir);
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir.dir);
    return system(command);
}

static sl_cache *open_cache(uint64_t max_size) {
    sl_cache *c = sl_cache_new(dir.dir, max_size);
    assert_non_null(c);
    return c;
}

static void key_of(const char *url, char key[SL_CACHE_KEY]) {
    sl_cache_key(sl_text_of(url), (sl_text){0}, key);
}

static sl_cache_writer *begin(sl_cache *c, const char *url) {
    char key[SL_CACHE_KEY];
    key_of(url, key);
    sl_cache_head head = {.key = sl_text_of(key),
                          .url = sl_text_of(url),
                          .final = sl_text_of(url),
                          .headers = SL_TEXT("< ETag: \"v1\"\n< Content-Type: text/csv\n")};
    return sl_cache_begin(c, &head);
}

static bool store(sl_cache *c, const char *url, const char *body, size_t n) {
    sl_cache_writer *w = begin(c, url);
    if (!w) return false;
    sl_cache_add(w, body, n / 2);
    sl_cache_add(w, body + n / 2, n - n / 2);
    return sl_cache_commit(&w, NULL);
}

static sl_cache_entry *find(sl_cache *c, const char *url) {
    char key[SL_CACHE_KEY];
    key_of(url, key);
    return sl_cache_find(c, key);
}

static void path_of(const char *url, char path[256]) {
    char key[SL_CACHE_KEY];
    key_of(url, key);
    scratch_path(&dir, key, path);
}

/* The entry is there, whole, with this body. */
static void expect_body(sl_cache *c, const char *url, const char *body, size_t n) {
    sl_cache_entry *e = find(c, url);
    assert_non_null(e);
    assert_true(sl_cache_entry_check(e));
    sl_buf got = {0};
    char part[1000];
    for (size_t k = 1; k;) {
        assert_int_equal(sl_cache_entry_read(e, part, sizeof part, &k, NULL), SL_OK);
        sl_buf_add(&got, part, k);
    }
    assert_int_equal(got.len, n);
    if (n) assert_memory_equal(got.data, body, n);
    sl_buf_free(&got);
    sl_cache_entry_close(&e);
}

static void expect_none(sl_cache *c, const char *url) {
    assert_null(find(c, url));
}

/* Files in the folder, temporary ones too. */
static unsigned files(void) {
    unsigned n = 0;
    DIR *d = opendir(dir.dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

/* ---- storing and finding --------------------------------------------------------------------------------- */

static void what_was_stored_is_found(void **state) {
    (void)state;
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    expect_none(c, "http://a/1");
    assert_true(store(c, "http://a/1", "hello", 5));
    assert_true(store(c, "http://a/empty", "", 0));
    expect_body(c, "http://a/1", "hello", 5);
    expect_body(c, "http://a/empty", "", 0);
    expect_none(c, "http://a/2");
    assert_true(store(c, "http://a/1", "other", 5));
    expect_body(c, "http://a/1", "other", 5);
    assert_null(sl_cache_trouble(c));
    sl_cache_free(&c);
    assert_int_equal(files(), 2);
}

static void the_head_is_kept(void **state) {
    (void)state;
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    assert_true(store(c, "http://a/1", "hello", 5));
    sl_cache_entry *e = find(c, "http://a/1");
    const sl_cache_head *h = sl_cache_entry_head(e);
    assert_true(sl_text_is(h->url, "http://a/1"));
    assert_true(sl_text_is(sl_cache_head_value(h, "etag"), "\"v1\""));
    assert_true(sl_text_is(sl_cache_head_value(h, "Content-Type"), "text/csv"));
    assert_int_equal(sl_cache_head_value(h, "Content").n, 0);
    assert_int_equal(h->length, 5);
    sl_cache_entry_close(&e);
    sl_cache_free(&c);
}

static void keys_tell_requests_apart(void **state) {
    (void)state;
    char a[SL_CACHE_KEY], b[SL_CACHE_KEY];
    sl_cache_key(SL_TEXT("http://a/1"), (sl_text){0}, a);
    sl_cache_key(SL_TEXT("http://a/1#part"), (sl_text){0}, b);
    assert_string_equal(a, b);
    sl_cache_key(SL_TEXT("http://a/1"), SL_TEXT("Accept: text/csv\n"), b);
    assert_string_not_equal(a, b);
    sl_cache_key(SL_TEXT("http://a/1?"), (sl_text){0}, b);
    assert_string_not_equal(a, b);
}

static void other_users_may_not_read(void **state) {
    (void)state;
    char below[256], path[512];
    struct stat st;
    scratch_path(&dir, "deep/er", below);
    sl_cache *c = sl_cache_new(below, SL_CACHE_SIZE);
    mode_t old = umask(0);
    assert_true(store(c, "http://a/1", "hello", 5));
    umask(old);
    char key[SL_CACHE_KEY];
    key_of("http://a/1", key);
    snprintf(path, sizeof path, "%s/%s", below, key);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(below, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    sl_cache_free(&c);
}

static void headers_stay_lines(void **state) {
    (void)state;
    char key[SL_CACHE_KEY];
    key_of("http://a/1", key);
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    sl_cache_head head = {.key = sl_text_of(key),
                          .url = SL_TEXT("http://a/1"),
                          .headers = SL_TEXT("sha256: x\n\n< ETag: 1\nlength: 7\n")};
    sl_cache_writer *w = sl_cache_begin(c, &head);
    sl_cache_add(w, "hello", 5);
    assert_true(sl_cache_commit(&w, NULL));
    sl_cache_entry *e = sl_cache_find(c, key);
    assert_true(sl_text_is(sl_cache_entry_head(e)->headers, "< ETag: 1\n"));
    sl_cache_entry_close(&e);
    head.url = SL_TEXT("http://a/1\nfinal: http://evil/");
    assert_null(sl_cache_begin(c, &head));
    sl_cache_free(&c);
}

/* ---- damage ---------------------------------------------------------------------------------------------- */

static void expect_dropped(sl_cache *c, const char *url) {
    char path[256];
    sl_cache_entry *e = find(c, url);
    if (e) assert_false(sl_cache_entry_check(e));
    sl_cache_entry_close(&e);
    path_of(url, path);
    assert_int_equal(access(path, F_OK), -1);
    assert_null(sl_cache_trouble(c));
}

/* Cut anywhere, or with any byte changed, an entry is dropped. */
static void damage_is_noticed(void **state) {
    (void)state;
    const char *url = "http://a/1";
    char path[256];
    struct stat st;
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    path_of(url, path);
    assert_true(store(c, url, "hello", 5));
    assert_int_equal(stat(path, &st), 0);
    for (off_t at = 0; at < st.st_size; at++) {
        assert_true(store(c, url, "hello", 5));
        assert_int_equal(truncate(path, at), 0);
        expect_dropped(c, url);
    }
    for (off_t at = st.st_size - 5; at < st.st_size; at++) {
        assert_true(store(c, url, "hello", 5));
        int fd = open(path, O_RDWR);
        assert_int_equal(pwrite(fd, "#", 1, at), 1);
        close(fd);
        expect_dropped(c, url);
    }
    sl_cache_free(&c);
}

static void strange_files_are_left_alone(void **state) {
    (void)state;
    char key[SL_CACHE_KEY], path[256];
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    key_of("http://a/fifo", key);
    scratch_path(&dir, key, path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(sl_cache_find(c, key)); /* and does not wait for a writer */
    key_of("http://a/link", key);
    scratch_path(&dir, key, path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_null(sl_cache_find(c, key));
    assert_null(sl_cache_find(c, "../../etc/passwd"));
    scratch_write(&dir, "notes.txt", "mine", 4);
    sl_cache_pruned pruned;
    assert_int_equal(sl_cache_clear(dir.dir, &pruned, NULL), SL_OK);
    scratch_path(&dir, "notes.txt", path);
    assert_int_equal(access(path, F_OK), 0);
    sl_cache_free(&c);
}

static void an_entry_under_another_name_is_ignored(void **state) {
    (void)state;
    char from[256], to[256];
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    assert_true(store(c, "http://a/1", "hello", 5));
    path_of("http://a/1", from);
    path_of("http://a/2", to);
    assert_int_equal(rename(from, to), 0);
    expect_dropped(c, "http://a/2");
    sl_cache_free(&c);
}

/* ---- dying, and full disks ------------------------------------------------------------------------------- */

static void nothing_is_there_before_the_commit(void **state) {
    (void)state;
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    assert_true(store(c, "http://a/1", "old", 3));
    sl_cache_writer *w = begin(c, "http://a/1");
    sl_cache_add(w, "newer", 5);
    expect_body(c, "http://a/1", "old", 3);
    sl_cache_abort(&w);
    expect_body(c, "http://a/1", "old", 3);
    sl_cache_free(&c);
    assert_int_equal(files(), 1);
}

/* A child that dies with an entry half written; what it leaves is removed once it is old. */
static void a_killed_writer_leaves_the_old_entry(void **state) {
    (void)state;
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    assert_true(store(c, "http://a/1", "old", 3));
    pid_t pid = fork();
    if (pid == 0) {
        sl_cache_writer *w = begin(c, "http://a/1");
        if (!w) _exit(1);
        sl_cache_add(w, "newer", 5);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(files(), 2);
    expect_body(c, "http://a/1", "old", 3);
    sl_cache_pruned pruned;
    assert_int_equal(sl_cache_prune(dir.dir, 0, SL_CACHE_SIZE, &pruned, NULL), SL_OK);
    assert_int_equal(pruned.files, 0); /* somebody may still be writing it */
    char command[256];
    snprintf(command, sizeof command, "touch -d '2 hours ago' %s/.sluice-part-*", dir.dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(sl_cache_prune(dir.dir, 0, SL_CACHE_SIZE, &pruned, NULL), SL_OK);
    assert_int_equal(pruned.files, 1);
    assert_int_equal(files(), 1);
    sl_cache_free(&c);
}

static void set_file_limit(rlim_t n) {
    struct rlimit limit = {n, RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Whatever the size at which the disk is full: the old entry stays, nothing is left behind, the trouble has a name. */
static void a_full_disk_costs_the_new_entry_only(void **state) {
    (void)state;
    static char large[20000];
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 0; limit < sizeof large; limit += 500) {
        sl_cache *c = open_cache(SL_CACHE_SIZE);
        assert_true(store(c, "http://a/1", "old", 3));
        set_file_limit(limit);
        bool stored = store(c, "http://a/1", large, sizeof large);
        set_file_limit(RLIM_INFINITY);
        assert_false(stored);
        assert_non_null(strstr(sl_cache_trouble(c), "cannot write to the cache's folder"));
        expect_body(c, "http://a/1", "old", 3);
        sl_cache_free(&c);
        assert_int_equal(files(), 1);
    }
    signal(SIGXFSZ, old);
}

static void a_folder_that_cannot_be_made_is_no_failure(void **state) {
    (void)state;
    char path[256];
    scratch_write(&dir, "file", "", 0);
    scratch_path(&dir, "file/cache", path);
    sl_cache *c = sl_cache_new(path, SL_CACHE_SIZE);
    assert_null(find(c, "http://a/1"));
    assert_false(store(c, "http://a/1", "hello", 5));
    assert_non_null(sl_cache_trouble(c));
    sl_cache_free(&c);
}

/* ---- many at once ---------------------------------------------------------------------------------------- */

enum { WRITERS = 4, ROUNDS = 60, BODY = 5000 };

/* Stores and reads the same entries as everybody else, each body of one letter. Returns how often something was wrong. */
static unsigned compete(int letter) {
    unsigned wrong = 0;
    char body[BODY], part[BODY], url[32];
    sl_cache *c = sl_cache_new(dir.dir, (uint64_t)BODY * 4); /* so that pruning joins in */
    memset(body, letter, sizeof body);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(url, sizeof url, "http://a/%d", i % 5);
        wrong += !store(c, url, body, sizeof body);
        sl_cache_entry *e = find(c, url);
        if (!e) continue; /* pruned by somebody */
        size_t n = 0;
        wrong += !sl_cache_entry_check(e) || sl_cache_entry_read(e, part, sizeof part, &n, NULL) != SL_OK;
        wrong += n != sizeof part || memcmp(part, part + 1, n - 1) != 0;
        sl_cache_entry_close(&e);
    }
    wrong += sl_cache_trouble(c) != NULL;
    sl_cache_free(&c);
    return wrong;
}

static void *compete_in_thread(void *letter) {
    return (void *)(uintptr_t)compete(*(const int *)letter);
}

static void threads_do_not_meet(void **state) {
    (void)state;
    pthread_t t[WRITERS];
    int letters[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        letters[i] = 'a' + i;
        assert_int_equal(pthread_create(&t[i], NULL, compete_in_thread, &letters[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *wrong;
        pthread_join(t[i], &wrong);
        assert_null(wrong);
    }
}

static void processes_do_not_meet(void **state) {
    (void)state;
    pid_t pids[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) _exit(compete('a' + i) != 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
}

/* ---- pruning --------------------------------------------------------------------------------------------- */

static void used_at(const char *url, time_t when) {
    char path[256];
    struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    path_of(url, path);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void three_entries(sl_cache *c) {
    assert_true(store(c, "http://a/1", "one", 3));
    assert_true(store(c, "http://a/2", "two", 3));
    assert_true(store(c, "http://a/3", "six", 3));
    used_at("http://a/1", 1000);
    used_at("http://a/2", 3000);
    used_at("http://a/3", 2000);
}

static uint64_t size_of(const char *url) {
    char path[256];
    struct stat st;
    path_of(url, path);
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

static void the_longest_unused_go_first(void **state) {
    (void)state;
    sl_cache_pruned pruned;
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    three_entries(c);
    uint64_t one = size_of("http://a/1");
    assert_int_equal(sl_cache_prune(dir.dir, 0, one * 2, &pruned, NULL), SL_OK);
    assert_int_equal(pruned.files, 1);
    assert_int_equal(pruned.bytes, one);
    assert_int_equal(pruned.files_left, 2);
    assert_int_equal(pruned.bytes_left, one * 2);
    expect_none(c, "http://a/1");
    sl_cache_entry *e = find(c, "http://a/3"); /* being used: now the other one is the oldest */
    assert_true(sl_cache_entry_check(e));
    sl_cache_entry_close(&e);
    assert_int_equal(sl_cache_prune(dir.dir, 0, one, &pruned, NULL), SL_OK);
    expect_none(c, "http://a/2");
    expect_body(c, "http://a/3", "six", 3);
    sl_cache_free(&c);
}

static void entries_go_by_their_age(void **state) {
    (void)state;
    sl_cache_pruned pruned;
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    three_entries(c);
    assert_int_equal(sl_cache_prune(dir.dir, 2000, SL_CACHE_SIZE, &pruned, NULL), SL_OK);
    assert_int_equal(pruned.files, 1);
    expect_none(c, "http://a/1");
    expect_body(c, "http://a/3", "six", 3);
    sl_cache_free(&c);
}

static void the_cap_holds(void **state) {
    (void)state;
    static char body[4000];
    char url[32];
    sl_cache *c = open_cache(20000);
    for (int i = 0; i < 40; i++) {
        snprintf(url, sizeof url, "http://a/%d", i);
        assert_true(store(c, url, body, sizeof body));
    }
    sl_cache_free(&c);
    sl_cache_pruned pruned;
    assert_int_equal(sl_cache_prune(dir.dir, 0, UINT64_MAX, &pruned, NULL), SL_OK);
    assert_in_range(pruned.bytes_left, 10000, 20000);
    c = open_cache(3000);
    assert_false(store(c, "http://a/large", body, sizeof body));
    assert_null(sl_cache_trouble(c)); /* too large is no trouble */
    sl_cache_free(&c);
}

typedef struct seen {
    char urls[256];
    unsigned n, damaged;
} seen;

static sl_status see(void *user, const sl_cache_item *item, sl_error *err) {
    (void)err;
    seen *s = user;
    s->n++;
    if (!item->url) {
        s->damaged++;
        return SL_OK;
    }
    assert_string_equal(item->etag, "\"v1\"");
    assert_string_equal(item->modified, "");
    assert_true(item->size > 3 && item->stored > 1000000);
    strcat(strcat(s->urls, item->url), " ");
    return SL_OK;
}

static void clearing_removes_every_listed_entry(void **state) {
    (void)state;
    seen s = {0};
    sl_cache_pruned pruned;
    sl_cache *c = open_cache(SL_CACHE_SIZE);
    three_entries(c);
    assert_true(store(c, "http://a/4", "bad", 3));
    char path[256];
    path_of("http://a/4", path);
    assert_int_equal(truncate(path, 10), 0);
    assert_int_equal(sl_cache_list(dir.dir, see, &s, NULL), SL_OK);
    assert_string_equal(s.urls, "http://a/1 http://a/3 http://a/2 ");
    assert_int_equal(s.damaged, 1);
    sl_cache_free(&c);
    assert_int_equal(sl_cache_clear(dir.dir, &pruned, NULL), SL_OK);
    assert_int_equal(pruned.files, 4);
    assert_int_equal(access(dir.dir, F_OK), -1);
    s = (seen){0};
    assert_int_equal(sl_cache_list(dir.dir, see, &s, NULL), SL_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(sl_cache_clear(dir.dir, &pruned, NULL), SL_OK);
}

static void the_folder_follows_the_environment(void **state) {
    (void)state;
    static const char *const cases[][4] = {
        {"/own", "/xdg", "/home/x", "/own"},
        {NULL, "/xdg", "/home/x", "/xdg/sluice"},
        {"", "", "/home/x", "/home/x/.cache/sluice"},
        {NULL, "relative", "/home/x", "/home/x/.cache/sluice"},
        {NULL, NULL, NULL, NULL},
    };
    static const char *const names[] = {"SLUICE_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        for (size_t k = 0; k < 3; k++) {
            if (cases[i][k]) {
                setenv(names[k], cases[i][k], 1);
            } else {
                unsetenv(names[k]);
            }
        }
        sl_buf path = {0};
        assert_int_equal(sl_cache_default_dir(&path), cases[i][3] != NULL);
        if (cases[i][3]) assert_string_equal(sl_buf_cstr(&path), cases[i][3]);
        sl_buf_free(&path);
    }
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(what_was_stored_is_found),
        WITH_FOLDER(the_head_is_kept),
        WITH_FOLDER(keys_tell_requests_apart),
        WITH_FOLDER(other_users_may_not_read),
        WITH_FOLDER(headers_stay_lines),
        WITH_FOLDER(damage_is_noticed),
        WITH_FOLDER(strange_files_are_left_alone),
        WITH_FOLDER(an_entry_under_another_name_is_ignored),
        WITH_FOLDER(nothing_is_there_before_the_commit),
        WITH_FOLDER(a_killed_writer_leaves_the_old_entry),
        WITH_FOLDER(a_full_disk_costs_the_new_entry_only),
        WITH_FOLDER(a_folder_that_cannot_be_made_is_no_failure),
        WITH_FOLDER(threads_do_not_meet),
        WITH_FOLDER(processes_do_not_meet),
        WITH_FOLDER(the_longest_unused_go_first),
        WITH_FOLDER(entries_go_by_their_age),
        WITH_FOLDER(the_cap_holds),
        WITH_FOLDER(clearing_removes_every_listed_entry),
        cmocka_unit_test(the_folder_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
