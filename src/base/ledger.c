/* ledger.c: what a run has read, noted in one unlinked file. All processes of the run append to the same open file description,
 * so a note is one write and needs no lock. The notes are sorted when they are read, as the order in which workers make them
 * differs from run to run. */
#include "base/ledger.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/shared.h"
#include "base/tempfile.h"

enum { MOST_LINE = 8192 };

/* In memory that forks share. The file is opened for appending: the lines of several processes do not mix. */
struct sl_ledger {
    int fd;
    atomic_bool spoiled;
};

sl_status sl_ledger_new(const char *tmpdir, sl_ledger **out, sl_error *err) {
    sl_ledger *l = sl_shared_map(sizeof *l);
    if (!l) return sl_oom(err);
    l->fd = -1;
    sl_status status = sl_tempfile_open(tmpdir, &l->fd, err);
    if (!status && fcntl(l->fd, F_SETFL, O_APPEND))
        status = sl_fail_errno(err, errno, "cannot append to", "a temporary file");
    if (status) {
        sl_ledger_free(&l);
    } else {
        *out = l;
    }
    return status;
}

void sl_ledger_free(sl_ledger **l) {
    if (!*l) return;
    if ((*l)->fd >= 0) close((*l)->fd);
    sl_shared_unmap(*l, sizeof **l);
    *l = NULL;
}

/* ---- notes --------------------------------------------------------------------------------------------------------- */

void sl_ledger_spoil(sl_ledger *l) {
    if (l) atomic_store(&l->spoiled, true);
}

bool sl_ledger_spoiled(const sl_ledger *l) {
    return l && atomic_load(&l->spoiled);
}

void sl_ledger_note(sl_ledger *l, const char *fmt, ...) {
    char line[MOST_LINE];
    va_list ap;
    if (!l) return;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    bool fits = n >= 0 && (size_t)n < sizeof line - 1 && !memchr(line, '\n', (size_t)n);
    if (fits) line[n++] = '\n';
    if (!fits || write(l->fd, line, (size_t)n) != n) sl_ledger_spoil(l);
}

void sl_ledger_stamp(const struct stat *st, char out[SL_STAMP]) {
    snprintf(out, SL_STAMP, "%lld %lld.%09ld %llu", (long long)st->st_size, (long long)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, (unsigned long long)st->st_ino);
}

void sl_ledger_note_file(sl_ledger *l, const char *name, const struct stat *st) {
    char stamp[SL_STAMP];
    if (S_ISREG(st->st_mode)) {
        sl_ledger_stamp(st, stamp);
        sl_ledger_note(l, "file %s %s", stamp, name);
    } else {
        sl_ledger_spoil(l);
    }
}

void sl_ledger_note_path(sl_ledger *l, const char *path) {
    struct stat st;
    if (!l) return;
    if (stat(path, &st)) {
        sl_ledger_spoil(l);
    } else {
        sl_ledger_note_file(l, path, &st);
    }
}

/* ---- reading them -------------------------------------------------------------------------------------------------- */

sl_ledger_mark sl_ledger_here(const sl_ledger *l) {
    struct stat st = {0};
    bool known = fstat(l->fd, &st) == 0;
    return (sl_ledger_mark){(uint64_t)st.st_size, sl_ledger_spoiled(l) || !known};
}

void sl_ledger_back(sl_ledger *l, sl_ledger_mark to) {
    bool cut = ftruncate(l->fd, (off_t)to.bytes) == 0;
    atomic_store(&l->spoiled, to.spoiled || !cut);
}

static int by_bytes(const void *a, const void *b) {
    return sl_text_cmp(*(const sl_text *)a, *(const sl_text *)b);
}

/* The lines of T, each with its end. */
static sl_text *split_lines(sl_text t, size_t *n) {
    size_t lines = 0;
    for (uint32_t i = 0; i < t.n; i++) lines += t.s[i] == '\n';
    sl_text *v = calloc(lines + 1, sizeof *v);
    for (*n = 0; v && *n < lines; (*n)++) {
        const char *end = memchr(t.s, '\n', t.n);
        v[*n] = sl_text_n(t.s, (size_t)(end - t.s) + 1);
        t = sl_text_n(end + 1, t.n - v[*n].n);
    }
    return v;
}

static sl_status add_sorted(sl_text t, sl_buf *out, sl_error *err) {
    size_t n;
    sl_text *v = split_lines(t, &n);
    if (!v) return sl_oom(err);
    if (n) qsort(v, n, sizeof *v, by_bytes);
    for (size_t i = 0; i < n; i++)
        if (!i || !sl_text_eq(v[i - 1], v[i])) sl_buf_text(out, v[i]);
    free(v);
    return sl_buf_check(out, err);
}

sl_status sl_ledger_read(const sl_ledger *l, sl_buf *out, sl_error *err) {
    sl_buf raw = {0};
    size_t size = (size_t)sl_ledger_here(l).bytes;
    sl_status status = sl_buf_reserve(&raw, size + 1) ? SL_OK : sl_oom(err);
    if (!status) status = sl_tempfile_read(l->fd, raw.data, size, 0, err);
    if (!status) status = add_sorted(sl_text_n(raw.data, size), out, err);
    sl_buf_free(&raw);
    return status;
}
