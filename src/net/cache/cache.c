/* cache.c: the folder of cached answers. An entry is one file that gets its name when it is complete, so there is no index that
 * could disagree with the files, and any number of programs may share the folder without a lock. An entry that does not add up
 * is removed and counts as missing. */
#include "net/cache/cache.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "net/cache/internal.h"
#include "net/curl.h" /* libcrypto, which comes with libcurl: whoever has bodies has opened that */

#define BLOCK ((size_t)64 << 10) /* bytes the check reads at a time */

struct sl_cache {
    char *dir;
    uint64_t max_size;
    int fd;           /* the folder; -1: not open */
    uint64_t written; /* bytes since the folder was last pruned */
    bool leaves;      /* somebody else prunes in the end */
    sl_error trouble; /* the first */
    sl_cache_counts own, *counts;
};

struct sl_cache_entry {
    sl_cache *cache;
    int fd;
    sl_buf text; /* of the head */
    sl_cache_head head;
    uint64_t at; /* how much of the body was read */
};

struct sl_cache_writer {
    sl_cache *cache;
    sl_arena arena; /* the head's texts, the name of the temporary file */
    char *part;
    int fd;
    sl_cache_head head;
    EVP_MD_CTX *sha;
    bool failed; /* nothing more is written, the commit will say no */
};

/* ---- the folder ------------------------------------------------------------------------------------------ */

sl_cache *sl_cache_new(const char *dir, uint64_t max_size) {
    sl_cache *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->fd = -1;
    c->max_size = max_size;
    c->counts = &c->own;
    c->dir = strdup(dir);
    if (!c->dir) sl_cache_free(&c);
    return c;
}

static void note_trouble(sl_cache *c, int errnum, const char *what, const char *name) {
    sl_status seen = sl_fail_errno(&c->trouble, errnum, what, name); /* the first one stays */
    (void)seen;
}

static void prune(sl_cache *c) {
    sl_cache_pruned pruned;
    sl_status status = sl_cache_prune(c->dir, 0, c->max_size, &pruned, &c->trouble);
    (void)status; /* it is in c->trouble */
    c->written = 0;
}

void sl_cache_free(sl_cache **c) {
    sl_cache *gone = *c;
    if (!gone) return;
    if (!gone->leaves && atomic_load(&gone->counts->stored)) prune(gone);
    if (gone->fd >= 0) close(gone->fd);
    free(gone->dir);
    free(gone);
    *c = NULL;
}

void sl_cache_share(sl_cache *c, sl_cache_counts *counts, bool leaves) {
    c->counts = counts;
    c->leaves = leaves;
}

const char *sl_cache_trouble(const sl_cache *c) {
    return c->trouble.code ? c->trouble.text : NULL;
}

int sl_cache_make_dir(const char *dir) {
    char *path = strdup(dir);
    if (!path) return -1;
    int done = 0;
    for (char *p = path + 1; done == 0; p++) {
        if (*p && *p != '/') continue;
        char here = *p;
        *p = 0;
        if (mkdir(path, 0700) != 0 && errno != EEXIST) done = -1;
        *p = here;
        if (!here) break;
    }
    free(path);
    return done;
}

/* Entries are believed: so they must not be somebody else's. */
int sl_cache_open_dir(const char *dir) {
    struct stat st;
    int fd = sl_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return -1;
    bool ours = fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0);
    if (ours) return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

/* MAKE: also when it is not there yet. */
static bool open_folder(sl_cache *c, bool make) {
    if (c->fd >= 0) return true;
    if (make && sl_cache_make_dir(c->dir) != 0) {
        note_trouble(c, errno, "cannot make the cache's folder", c->dir);
        return false;
    }
    c->fd = sl_cache_open_dir(c->dir);
    if (c->fd < 0 && (make || errno != ENOENT))
        note_trouble(c, errno, "cannot use the cache's folder", c->dir);
    return c->fd >= 0;
}

/* ---- reading --------------------------------------------------------------------------------------------- */

static ssize_t read_at(int fd, char *buf, size_t cap, uint64_t offset) {
    ssize_t n;
    do {
        n = pread(fd, buf, cap, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    return n;
}

bool sl_cache_read_head(int fd, sl_buf *buf, sl_cache_head *out) {
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return false;
    size_t want = (uint64_t)st.st_size < SL_CACHE_HEAD_LIMIT ? (size_t)st.st_size : SL_CACHE_HEAD_LIMIT;
    sl_buf_clear(buf);
    if (!sl_buf_reserve(buf, want + 1)) return false;
    ssize_t n = read_at(fd, buf->data, want, 0);
    if (n != (ssize_t)want) return false;
    buf->len = want;
    if (!sl_cache_head_parse(sl_text_n(buf->data, buf->len), out)) return false;
    return (uint64_t)st.st_size - out->size == out->length;
}

static void drop(sl_cache *c, const char *key) {
    unlinkat(c->fd, key, 0); /* that somebody was faster is as good */
}

void sl_cache_forget(sl_cache *c, const char *key) {
    if (sl_cache_is_key(sl_text_of(key)) && open_folder(c, false)) drop(c, key);
}

sl_cache_entry *sl_cache_find(sl_cache *c, const char *key) {
    if (!sl_cache_is_key(sl_text_of(key)) || !open_folder(c, false)) return NULL;
    int fd = sl_open_at(c->fd, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
    sl_cache_entry *e = fd >= 0 ? calloc(1, sizeof *e) : NULL;
    if (!e) {
        if (fd >= 0) close(fd);
        return NULL;
    }
    e->cache = c;
    e->fd = fd;
    if (!sl_cache_read_head(fd, &e->text, &e->head) || !sl_text_is(e->head.key, key)) {
        drop(c, key);
        sl_cache_entry_close(&e);
    }
    return e;
}

void sl_cache_entry_close(sl_cache_entry **e) {
    if (!*e) return;
    close((*e)->fd);
    sl_buf_free(&(*e)->text);
    free(*e);
    *e = NULL;
}

const sl_cache_head *sl_cache_entry_head(const sl_cache_entry *e) {
    return &e->head;
}

/* The sum of the body as it stands in the file. */
static bool add_up(const sl_cache_entry *e, EVP_MD_CTX *sha, char *block, char sum[SL_CACHE_KEY]) {
    unsigned char raw[EVP_MAX_MD_SIZE];
    if (!EVP_DigestInit_ex(sha, EVP_sha256(), NULL)) return false;
    for (uint64_t at = 0; at < e->head.length;) {
        uint64_t left = e->head.length - at;
        ssize_t n = read_at(e->fd, block, left < BLOCK ? (size_t)left : BLOCK, e->head.size + at);
        if (n <= 0 || !EVP_DigestUpdate(sha, block, (size_t)n)) return false;
        at += (uint64_t)n;
    }
    if (!EVP_DigestFinal_ex(sha, raw, NULL)) return false;
    sl_cache_hex(raw, (SL_CACHE_KEY - 1) / 2, sum);
    return true;
}

bool sl_cache_entry_check(sl_cache_entry *e) {
    char sum[SL_CACHE_KEY], key[SL_CACHE_KEY];
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    char *block = malloc(BLOCK);
    bool good = sha && block && add_up(e, sha, block, sum) && sl_text_is(e->head.sum, sum);
    EVP_MD_CTX_free(sha);
    free(block);
    if (good) {
        futimens(e->fd, NULL); /* where that is not possible it just goes sooner */
    } else {
        snprintf(key, sizeof key, "%.*s", (int)e->head.key.n, e->head.key.s);
        drop(e->cache, key);
    }
    return good;
}

void sl_cache_entry_confirm(sl_cache_entry *e) {
    atomic_fetch_add(&e->cache->counts->unchanged, 1);
    atomic_fetch_add(&e->cache->counts->unchanged_bytes, e->head.length);
}

sl_status sl_cache_entry_read(sl_cache_entry *e, char *buf, size_t cap, size_t *n, sl_error *err) {
    uint64_t left = e->head.length - e->at;
    *n = 0;
    if (!left) return SL_OK;
    ssize_t got = read_at(e->fd, buf, left < cap ? (size_t)left : cap, e->head.size + e->at);
    if (got < 0) return sl_fail_errno(err, errno, "cannot read from the cache's folder", e->cache->dir);
    if (!got) return sl_fail(err, SL_E_IO, "an entry of the cache became shorter while it was read");
    *n = (size_t)got;
    e->at += *n;
    return SL_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------- */

static void fail_writer(sl_cache_writer *w, int errnum) {
    if (!w->failed) {
        note_trouble(w->cache, errnum, "cannot write to the cache's folder", w->cache->dir);
        atomic_fetch_add(&w->cache->counts->failed, 1);
    }
    w->failed = true;
}

/* Line ends would make other lines of it. */
static bool one_line(sl_text t) {
    return !t.n || (!memchr(t.s, '\n', t.n) && !memchr(t.s, '\r', t.n));
}

static bool copy_head(sl_cache_writer *w, const sl_cache_head *head) {
    w->head = (sl_cache_head){.key = sl_arena_text(&w->arena, head->key),
                              .url = sl_arena_text(&w->arena, head->url),
                              .final = sl_arena_text(&w->arena, head->final),
                              .headers = sl_arena_text(&w->arena, head->headers),
                              .stored = sl_clock_epoch()};
    return w->head.key.s && w->head.url.s && w->head.final.s && w->head.headers.s;
}

/* The head over the same bytes each time. */
static bool put_head(sl_cache_writer *w) {
    sl_buf text = {.limit = SL_CACHE_HEAD_LIMIT};
    sl_cache_head_write(&w->head, &text);
    bool fits = !text.failed && (!w->head.size || w->head.size == text.len);
    bool done = fits && sl_write_at(w->fd, text.data, text.len, 0);
    if (fits && !done) fail_writer(w, errno);
    w->head.size = text.len;
    sl_buf_free(&text);
    return done;
}

static bool open_part(sl_cache_writer *w) {
    w->part = (char *)(uintptr_t)sl_arena_printf(&w->arena, "%s" SL_CACHE_PART, w->cache->dir).s;
    if (!w->part) return false;
    w->fd = mkstemp(w->part); /* mode 0600 */
    if (w->fd < 0) {
        fail_writer(w, errno);
        w->part = NULL;
        return false;
    }
    fcntl(w->fd, F_SETFD, FD_CLOEXEC);
    return true;
}

sl_cache_writer *sl_cache_begin(sl_cache *c, const sl_cache_head *head) {
    if (!sl_cache_is_key(head->key) || !one_line(head->url) || !one_line(head->final)) return NULL;
    if (!open_folder(c, true)) return NULL;
    sl_cache_writer *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->cache = c;
    w->fd = -1;
    w->sha = EVP_MD_CTX_new();
    bool ok = w->sha && EVP_DigestInit_ex(w->sha, EVP_sha256(), NULL);
    if (!ok || !copy_head(w, head) || !open_part(w) || !put_head(w)) sl_cache_abort(&w);
    return w;
}

void sl_cache_add(sl_cache_writer *w, const char *data, size_t n) {
    if (w->failed) return;
    uint64_t room = w->cache->max_size - w->head.length;
    if (n > room || w->head.size > room - n) {
        w->failed = true; /* alone it would be more than all may be together */
    } else if (!sl_write_at(w->fd, data, n, w->head.size + w->head.length)) {
        fail_writer(w, errno);
    } else if (!EVP_DigestUpdate(w->sha, data, n)) {
        w->failed = true;
    }
    w->head.length += n;
}

static bool seal(sl_cache_writer *w, char sum[SL_CACHE_KEY]) {
    unsigned char raw[EVP_MAX_MD_SIZE];
    if (w->failed || !EVP_DigestFinal_ex(w->sha, raw, NULL)) return false;
    sl_cache_hex(raw, (SL_CACHE_KEY - 1) / 2, sum);
    w->head.sum = sl_text_of(sum);
    if (!put_head(w)) return false;
    int done;
    do {
        done = fsync(w->fd);
    } while (done != 0 && errno == EINTR);
    if (done != 0) fail_writer(w, errno);
    return done == 0;
}

/* Renaming to the key: from here on the entry is there. Its folder is not synchronised: losing the name with the power
 * costs one fetch. */
static bool publish(sl_cache_writer *w) {
    sl_text name = sl_arena_printf(&w->arena, "%s/%.*s", w->cache->dir, (int)w->head.key.n, w->head.key.s);
    if (!name.s) return false;
    if (rename(w->part, name.s) != 0) {
        fail_writer(w, errno);
        return false;
    }
    w->part = NULL;
    w->cache->written += w->head.size + w->head.length;
    atomic_fetch_add(&w->cache->counts->stored, 1);
    atomic_fetch_add(&w->cache->counts->stored_bytes, w->head.length);
    return true;
}

bool sl_cache_commit(sl_cache_writer **w, char sum[SL_CACHE_KEY]) {
    sl_cache *c = (*w)->cache;
    char own[SL_CACHE_KEY];
    bool done = seal(*w, sum ? sum : own) && publish(*w);
    sl_cache_abort(w);
    /* A long run may write more than all may be together: not only its end looks. */
    if (c->written > c->max_size / 4) prune(c);
    return done;
}

void sl_cache_abort(sl_cache_writer **w) {
    sl_cache_writer *gone = *w;
    if (!gone) return;
    if (gone->part) unlink(gone->part);
    if (gone->fd >= 0) close(gone->fd);
    EVP_MD_CTX_free(gone->sha);
    sl_arena_free(&gone->arena);
    free(gone);
    *w = NULL;
}
