/* file.c: a file that is either all new or still the old one. Everything is written beside it and renamed at the end; what may
 * fail is done before the rename, as nothing can be taken back after it. A lock on the temporary file tells a living writer
 * from one that was killed. */
#include "sinks/file/file.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"

/* Calls of less cost more than they carry. */
enum { GATHER = 256 * 1024, LOOK_MS = 50 };

struct sl_file_out {
    int fd;
    int folder; /* open from the start, so that nothing but the disk can fail once the file has its name; -1: none */
    bool borrowed; /* fd is the caller's */
    const _Atomic bool *stopping;
    char *path; /* what the file will be called, links followed */
    char *temp; /* what it is called until then; NULL: written in place */
    char *buf;  /* GATHER bytes */
    size_t len;
    uint64_t written; /* bytes */
    sl_early_sync early;
};

/* ---- names beside a file --------------------------------------------------------------------------------------- */

/* Length of the folder part of PATH, with its slash; 0: the working directory. */
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Length of the "file://" or "https://" or "file:" that T begins with, or 0. */
static uint32_t scheme_length(sl_text t) {
    uint32_t n = 0;
    while (n < t.n && sl_ascii_letter(t.s[n])) n++;
    if (n > 0 && t.n - n >= 3 && memcmp(t.s + n, "://", 3) == 0) return n + 3;
    return n == 4 && t.n > n && t.s[n] == ':' && memcmp(t.s, "file", 4) == 0 ? n + 1 : 0;
}

sl_status sl_file_path(char **path, sl_text target, sl_error *err) {
    uint32_t scheme = scheme_length(target);
    if (target.n == 0) return sl_fail(err, SL_E_PLAN, "the sink does not say where to write");
    if (memchr(target.s, 0, target.n))
        return sl_fail(err, SL_E_PLAN, "a file's name has a NUL character in it");
    if (scheme)
        return sl_fail(err, SL_E_PLAN,
                       "a sink is a path and no URL: '%.*s'; a name that begins like one is written ./%.*s",
                       (int)target.n, target.s, (int)target.n, target.s);
    *path = strndup(target.s, target.n);
    return *path ? SL_OK : sl_oom(err);
}

/* What a name beside NAME takes more than NAME: dots, "sluice-", a process, an extension. */
enum { BESIDE = 36, HASH = 17 };

static size_t longest_name(const char *path) {
    char *folder = sl_file_folder(path);
    long n = folder ? pathconf(folder, _PC_NAME_MAX) : -1;
    free(folder);
    return n > BESIDE + HASH ? (size_t)n : NAME_MAX;
}

/* ".NAME.sluice-", or with as much of NAME as leaves room for the rest; OUT has NAME_MAX + BESIDE bytes. Whole characters: some file
 * systems take nothing else. */
static void write_prefix(const char *path, char *out, size_t size) {
    const char *name = path + folder_length(path);
    size_t n = strlen(name), most = longest_name(path);
    if (n + BESIDE <= most) {
        snprintf(out, size, ".%s.sluice-", name);
        return;
    }
    size_t kept = most - BESIDE - HASH;
    while (kept > 0 && ((unsigned char)name[kept] & 0xc0) == 0x80) kept--;
    snprintf(out, size, ".%.*s~%016llx.sluice-", (int)kept, name, (unsigned long long)sl_hash(name, n, 0));
}

/* ".NAME.sluice-PID.EXT" in PATH's folder, malloc'ed; NULL: no memory. */
static char *beside(const char *path, const char *ext) {
    assert(strlen(ext) <= 12);
    char prefix[2 * NAME_MAX];
    size_t folder = folder_length(path), size;
    write_prefix(path, prefix, sizeof prefix);
    size = folder + strlen(prefix) + strlen(ext) + 24;
    char *name = malloc(size);
    if (name) snprintf(name, size, "%.*s%s%ld.%s", (int)folder, path, prefix, (long)getpid(), ext);
    return name;
}

/* A file that is being written is locked by who has it open, for as long as that lives, in whatever container. False: somebody has swept
 * it away between its making and this. Where there are no locks the process in its name must do. */
static bool hold(int fd) {
    struct stat st;
    int locked;
    do {
        locked = flock(fd, LOCK_EX);
    } while (locked != 0 && errno == EINTR);
    return fstat(fd, &st) != 0 || st.st_nlink > 0;
}

sl_status sl_file_create_beside(const char *path, const char *ext, unsigned mode, char **name, int *fd,
                                sl_error *err) {
    for (unsigned number = 1;; number++) {
        char numbered[32];
        snprintf(numbered, sizeof numbered, "%s%.0u", ext,
                 number > 1 ? number : 0); /* %.0u of 0 is nothing */
        char *file = beside(path, numbered);
        if (!file) return sl_oom(err);
        *fd = sl_open_at(AT_FDCWD, file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (*fd >= 0 && hold(*fd)) {
            *name = file;
            return SL_OK;
        }
        int why = *fd >= 0 ? EEXIST : errno;
        if (*fd >= 0) close(*fd);
        free(file);
        if (why != EEXIST || number == 1000)
            return sl_fail_errno(err, why, "cannot create a file beside", path);
    }
}

/* True when ENTRY is PREFIX, a process that is gone, and an extension. A process may be gone that had our number: in a container all
 * have low ones. */
static bool is_orphan(const char *entry, const char *prefix) {
    size_t n = strlen(prefix);
    if (strncmp(entry, prefix, n) != 0) return false;
    char *end;
    long pid = strtol(entry + n, &end, 10);
    if (pid < 1 || pid > INT_MAX || *end != '.') return false;
    return pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

/* Whether a living process has it open: one of another container is not known here by its number. */
static bool is_held(int folder, const char *entry) {
    int fd = openat(folder, entry, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0) close(fd);
    return held;
}

void sl_file_sweep(const char *path) {
    char *folder = sl_file_folder(path), prefix[2 * NAME_MAX];
    DIR *dir = folder ? opendir(folder) : NULL;
    if (dir) {
        write_prefix(path, prefix, sizeof prefix);
        for (struct dirent *e; (e = readdir(dir));)
            if (is_orphan(e->d_name, prefix) && !is_held(dirfd(dir), e->d_name))
                unlinkat(dirfd(dir), e->d_name, 0);
        closedir(dir);
    }
    free(folder);
}

int sl_file_sync(int fd) {
    int done;
    do {
        done = fsync(fd);
    } while (done != 0 && errno == EINTR);
    return done;
}

sl_status sl_file_open_folder(const char *path, int *fd, sl_error *err) {
    char *folder = sl_file_folder(path);
    if (!folder) return sl_oom(err);
    *fd = sl_open_at(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    sl_status s = *fd >= 0 ? SL_OK : sl_fail_errno(err, errno, "cannot open the folder of", path);
    free(folder);
    return s;
}

sl_status sl_file_sync_folder(int fd, const char *path, sl_error *err) {
    /* Some file systems cannot synchronise a folder and say EINVAL: nothing to be done there. */
    if (sl_file_sync(fd) == 0 || errno == EINVAL) return SL_OK;
    int failed = errno;
    char reason[128];
    if (strerror_r(failed, reason, sizeof reason)) snprintf(reason, sizeof reason, "error %d", failed);
    return sl_fail(err, SL_E_IO,
                   "'%s' is replaced, but its folder cannot be synchronised (%s): after a power failure the "
                   "old one may be back",
                   path, reason);
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

static sl_status new_out(sl_file_out **out, const char *path, const _Atomic bool *stopping, sl_error *err) {
    sl_file_out *o = calloc(1, sizeof *o);
    *out = o;
    if (!o) return sl_oom(err);
    o->fd = o->folder = -1;
    o->stopping = stopping;
    o->buf = malloc(GATHER);
    o->path = strdup(path);
    return o->buf && o->path ? SL_OK : sl_oom(err);
}

static bool is_stopping(const sl_file_out *o) {
    return o->stopping && atomic_load_explicit(o->stopping, memory_order_relaxed);
}

static sl_status stopped(const sl_file_out *o, sl_error *err) {
    return sl_fail(err, SL_E_STOPPED, "stopped while waiting for a reader of '%s'", o->path);
}

/* A named pipe without a reader cannot be opened yet: so wait where the run can be stopped. It stays one that does not block. */
static sl_status open_in_place(sl_file_out *o, sl_error *err) {
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    for (;;) {
        o->fd = open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (o->fd >= 0) return SL_OK;
        if (errno != EINTR && errno != ENXIO) return sl_fail_errno(err, errno, "cannot write to", o->path);
        if (is_stopping(o)) return stopped(o, err);
        nanosleep(&look, NULL);
    }
}

static void wait_for_reader(const sl_file_out *o) {
    struct pollfd p = {.fd = o->fd, .events = POLLOUT};
    poll(&p, 1, LOOK_MS); /* whatever it says, writing will tell */
}

/* A link is written through to the file it leads to. */
static sl_status follow_links(sl_file_out *o, sl_error *err) {
    char *real = NULL;
    TRY(sl_file_resolve(&real, o->path, err));
    free(o->path);
    o->path = real;
    return SL_OK;
}

static sl_status open_temp(sl_file_out *o, sl_error *err) {
    struct stat old;
    TRY(follow_links(o, err));
    bool replaces = stat(o->path, &old) == 0;
    if (replaces) TRY(sl_file_replaceable(o->path, &old, err));
    sl_file_sweep(o->path);
    TRY(sl_file_create_beside(o->path, "tmp", replaces ? 0600 : 0666, &o->temp, &o->fd, err));
    o->early.fd = o->fd;
    TRY(sl_file_open_folder(o->path, &o->folder, err));
    return replaces ? sl_file_keep(o->fd, o->path, &old, err) : SL_OK;
}

/* What is no file is known by the name it was given: that of a pipe behind /dev/stdout leads nowhere. */
sl_status sl_file_out_open(sl_file_out **out, const char *path, const _Atomic bool *stopping, sl_error *err) {
    TRY(new_out(out, path, stopping, err));
    TRY(sl_standard_check_path(path, true, err));
    sl_file_out *o = *out;
    struct stat there;
    bool in_place = stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode);
    return in_place ? open_in_place(o, err) : open_temp(o, err);
}

sl_status sl_file_out_over(sl_file_out **out, int fd, const char *name, const _Atomic bool *stopping,
                           sl_error *err) {
    TRY(new_out(out, name, stopping, err));
    (*out)->fd = fd;
    (*out)->borrowed = true;
    return SL_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static sl_status put(sl_file_out *o, const char *p, size_t n, sl_error *err) {
    while (n > 0) {
        ssize_t k = write(o->fd, p, n);
        if (k < 0 && (errno == EINTR || errno == EAGAIN)) {
            if (is_stopping(o)) return stopped(o, err);
            if (errno == EAGAIN) wait_for_reader(o);
            continue;
        }
        if (k < 0 && errno == EPIPE) return sl_fail(err, SL_E_STOPPED, "nobody reads %s any more", o->path);
        if (k < 0) return sl_fail_errno(err, errno, "cannot write to", o->path);
        p += k;
        n -= (size_t)k;
        o->written += (uint64_t)k;
    }
    if (o->temp) sl_early_sync_step(&o->early, o->written);
    return SL_OK;
}

sl_status sl_file_out_flush(sl_file_out *o, sl_error *err) {
    size_t n = o->len;
    o->len = 0;
    return put(o, o->buf, n, err);
}

sl_status sl_file_out_write(sl_file_out *o, const void *data, size_t n, sl_error *err) {
    assert(o->len <= GATHER);
    if (n > GATHER - o->len) {
        TRY(sl_file_out_flush(o, err));
        if (n >= GATHER) return put(o, data, n, err);
    }
    if (n) memcpy(o->buf + o->len, data, n);
    o->len += n;
    return SL_OK;
}

/* ---- ending ---------------------------------------------------------------------------------------------------- */

/* The file stays open, and so locked, until it has its name, so that no other run sweeps it away. What close could fail with, fsync has said. */
sl_status sl_file_out_ready(sl_file_out *o, sl_error *err) {
    TRY(sl_file_out_flush(o, err));
    if (!o->temp) return SL_OK;
    int failed = sl_early_sync_finish(&o->early);
    return failed ? sl_fail_errno(err, failed, "cannot write to", o->path) : SL_OK;
}

sl_status sl_file_out_commit(sl_file_out *o, sl_error *err) {
    assert(!o->len); /* it is ready */
    if (!o->temp) return SL_OK;
    if (rename(o->temp, o->path) != 0) return sl_fail_errno(err, errno, "cannot replace", o->path);
    free(o->temp);
    o->temp = NULL;
    return sl_file_sync_folder(o->folder, o->path, err);
}

void sl_file_out_close(sl_file_out **out) {
    sl_file_out *o = *out;
    *out = NULL;
    if (!o) return;
    sl_early_sync_stop(&o->early);
    if (o->fd >= 0 && !o->borrowed) close(o->fd);
    if (o->folder >= 0) close(o->folder);
    if (o->temp) unlink(o->temp);
    free(o->temp);
    free(o->path);
    free(o->buf);
    free(o);
}
