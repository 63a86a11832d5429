/* For realpath. */
#define _XOPEN_SOURCE 700
#include "sinks/file_out.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "sinks/early_sync.h"

/* Calls of less cost more than they carry. */
enum { GATHER = 256 * 1024 };

struct sl_file_out {
    int fd;
    bool borrowed; /* fd is the caller's */
    char *path;    /* what the file will be called */
    char *temp;    /* what it is called until then; NULL: written in place */
    char *buf;     /* GATHER bytes */
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

sl_status sl_file_path(char **path, sl_text target, sl_error *err) {
    if (target.n == 0) return sl_fail(err, SL_E_PLAN, "the sink does not say where to write");
    if (memchr(target.s, 0, target.n))
        return sl_fail(err, SL_E_PLAN, "a file's name has a NUL character in it");
    *path = strndup(target.s, target.n);
    return *path ? SL_OK : sl_oom(err);
}

char *sl_file_beside(const char *path, const char *ext) {
    size_t folder = folder_length(path), size = strlen(path) + strlen(ext) + 48;
    char *name = malloc(size);
    if (name)
        snprintf(name, size, "%.*s.%s.sluice-%ld.%s", (int)folder, path, path + folder, (long)getpid(), ext);
    return name;
}

sl_status sl_file_create_beside(const char *path, const char *ext, unsigned mode, char **name, int *fd,
                                sl_error *err) {
    for (unsigned number = 1;; number++) {
        char numbered[32];
        snprintf(numbered, sizeof numbered, "%s%.0u", ext,
                 number > 1 ? number : 0); /* %.0u of 0 is nothing */
        char *file = sl_file_beside(path, numbered);
        if (!file) return sl_oom(err);
        *fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
        if (*fd >= 0) {
            *name = file;
            return SL_OK;
        }
        int why = errno;
        free(file);
        if (why != EEXIST || number == 1000) return sl_fail_errno(err, why, "cannot create", path);
    }
}

static char *folder_of(const char *path) {
    size_t n = folder_length(path);
    return n ? strndup(path, n) : strdup(".");
}

/* True when ENTRY is PREFIX, a process that is gone, and an extension. */
static bool is_stale(const char *entry, const char *prefix) {
    size_t n = strlen(prefix);
    if (strncmp(entry, prefix, n) != 0) return false;
    char *end;
    long pid = strtol(entry + n, &end, 10);
    return pid > 1 && pid <= INT_MAX && *end == '.' && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void sl_file_sweep(const char *path) {
    const char *name = path + folder_length(path);
    char *folder = folder_of(path), *prefix = malloc(strlen(name) + 16);
    DIR *dir = folder && prefix ? opendir(folder) : NULL;
    if (dir) {
        snprintf(prefix, strlen(name) + 16, ".%s.sluice-", name);
        for (struct dirent *e; (e = readdir(dir));)
            if (is_stale(e->d_name, prefix)) unlinkat(dirfd(dir), e->d_name, 0);
        closedir(dir);
    }
    free(prefix);
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
    char *folder = folder_of(path);
    if (!folder) return sl_oom(err);
    *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sl_status s = *fd >= 0 ? SL_OK : sl_fail_errno(err, errno, "cannot open the folder of", path);
    free(folder);
    return s;
}

sl_status sl_file_sync_folder(int fd, const char *path, sl_error *err) {
    /* Some file systems cannot synchronise a folder and say EINVAL: nothing to be done there. */
    if (sl_file_sync(fd) == 0 || errno == EINVAL) return SL_OK;
    return sl_fail_errno(err, errno, "cannot synchronise the folder of", path);
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

static sl_status new_out(sl_file_out **out, const char *path, sl_error *err) {
    sl_file_out *o = calloc(1, sizeof *o);
    *out = o;
    if (!o) return sl_oom(err);
    o->fd = -1;
    o->buf = malloc(GATHER);
    o->path = strdup(path);
    return o->buf && o->path ? SL_OK : sl_oom(err);
}

/* A link is written through to the file it leads to. */
static sl_status follow_link(sl_file_out *o, sl_error *err) {
    char *real = realpath(o->path, NULL);
    if (!real) return errno == ENOENT ? SL_OK : sl_fail_errno(err, errno, "cannot open", o->path);
    free(o->path);
    o->path = real;
    return SL_OK;
}

static sl_status open_in_place(sl_file_out *o, sl_error *err) {
    o->fd = open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return o->fd >= 0 ? SL_OK : sl_fail_errno(err, errno, "cannot write to", o->path);
}

static sl_status open_temp(sl_file_out *o, const struct stat *old, sl_error *err) {
    sl_file_sweep(o->path);
    TRY(sl_file_create_beside(o->path, "tmp", 0666, &o->temp, &o->fd, err));
    o->early.fd = o->fd;
    if (old && fchmod(o->fd, old->st_mode & 07777) != 0)
        return sl_fail_errno(err, errno, "cannot keep the mode of", o->path);
    return SL_OK;
}

sl_status sl_file_out_open(sl_file_out **out, const char *path, sl_error *err) {
    TRY(new_out(out, path, err));
    sl_file_out *o = *out;
    TRY(follow_link(o, err));
    struct stat old;
    if (stat(o->path, &old) != 0) return open_temp(o, NULL, err);
    if (S_ISDIR(old.st_mode)) return sl_fail_errno(err, EISDIR, "cannot write to", o->path);
    return S_ISREG(old.st_mode) ? open_temp(o, &old, err) : open_in_place(o, err);
}

sl_status sl_file_out_over(sl_file_out **out, int fd, const char *name, sl_error *err) {
    TRY(new_out(out, name, err));
    (*out)->fd = fd;
    (*out)->borrowed = true;
    return SL_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static sl_status put(sl_file_out *o, const char *p, size_t n, sl_error *err) {
    while (n > 0) {
        ssize_t k = write(o->fd, p, n);
        if (k < 0 && errno == EINTR) continue;
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
    if (n > GATHER - o->len) {
        TRY(sl_file_out_flush(o, err));
        if (n >= GATHER) return put(o, data, n, err);
    }
    if (n) memcpy(o->buf + o->len, data, n);
    o->len += n;
    return SL_OK;
}

/* ---- ending ---------------------------------------------------------------------------------------------------- */

static sl_status close_temp(sl_file_out *o, sl_error *err) {
    int failed = sl_early_sync_finish(&o->early);
    if (failed) return sl_fail_errno(err, failed, "cannot write to", o->path);
    int fd = o->fd;
    o->fd = -1;
    return close(fd) == 0 || errno == EINTR ? SL_OK : sl_fail_errno(err, errno, "cannot write to", o->path);
}

static sl_status give_name(sl_file_out *o, sl_error *err) {
    if (rename(o->temp, o->path) != 0) return sl_fail_errno(err, errno, "cannot replace", o->path);
    free(o->temp);
    o->temp = NULL;
    return SL_OK;
}

sl_status sl_file_out_commit(sl_file_out *o, sl_error *err) {
    int folder = -1;
    TRY(sl_file_out_flush(o, err));
    if (!o->temp) return SL_OK;
    TRY(close_temp(o, err));
    /* Opened first: once the file has its name only the disk itself can fail. */
    sl_status s = sl_file_open_folder(o->path, &folder, err);
    if (s == SL_OK) s = give_name(o, err);
    if (s == SL_OK) s = sl_file_sync_folder(folder, o->path, err);
    if (folder >= 0) close(folder);
    return s;
}

void sl_file_out_close(sl_file_out **out) {
    sl_file_out *o = *out;
    *out = NULL;
    if (!o) return;
    sl_early_sync_stop(&o->early);
    if (o->fd >= 0 && !o->borrowed) close(o->fd);
    if (o->temp) unlink(o->temp);
    free(o->temp);
    free(o->path);
    free(o->buf);
    free(o);
}
