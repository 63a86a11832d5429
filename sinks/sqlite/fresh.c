/* fresh.c: a database that does not exist yet. It is made under another name, and linked to its own when it is complete: a
 * link, unlike a rename, never covers one that somebody else has made meanwhile. Of several loads that find no database, the
 * lock lets one make it. */
#include "sinks/sqlite/fresh.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "sinks/file/file.h"

/* Files that SQLite puts beside a database. */
static const char *const companions[] = {"-journal", "-wal", "-shm"};

bool sl_fresh_exists(const char *file) {
    struct stat st;
    return stat(file, &st) == 0;
}

sl_status sl_fresh_check_name(const char *file, const char *path, sl_error *err) {
    const char *slash = strrchr(file, '/');
    size_t n = strlen(slash ? slash + 1 : file), longest = strlen(companions[0]);
    if (n + longest <= NAME_MAX) return SL_OK;
    return sl_fail(
        err, SL_E_IO,
        "the database's name '%s' is too long: SQLite puts files beside it, so it may have %zu bytes", path,
        (size_t)NAME_MAX - longest);
}

/* ---- the lock -------------------------------------------------------------------------------------------------- */

static void pause_a_little(void) {
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

/* ".sluice-HASH.lock" in the folder of FILE, which any name has room for; malloc'ed. */
static char *lock_name(const char *file) {
    char *folder = sl_file_folder(file);
    size_t size = folder ? strlen(folder) + 48 : 0;
    char *name = folder ? malloc(size) : NULL;
    unsigned long long hash = sl_hash(file, strlen(file), 0);
    if (name) snprintf(name, size, "%s/.sluice-%016llx.lock", folder, hash);
    free(folder);
    return name;
}

/* 1: what is locked has the name still. 0: the one who had it before has removed it. -1: that cannot be told. */
static int is_still_there(const sl_fresh *f) {
    struct stat mine, named;
    if (fstat(f->lock_fd, &mine) != 0) return -1;
    if (stat(f->lock, &named) != 0) return errno == ENOENT ? 0 : -1;
    return mine.st_ino == named.st_ino;
}

/* 1: it is ours; 0: somebody else's; -1: there is nothing to be locked here. */
static int try_lock(sl_fresh *f) {
    f->lock_fd = sl_open_at(AT_FDCWD, f->lock, O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
    if (f->lock_fd < 0) return -1;
    bool locked = flock(f->lock_fd, LOCK_EX | LOCK_NB) == 0;
    int result = locked ? is_still_there(f) : errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
    if (result > 0) return result;
    if (result < 0) unlink(f->lock);
    close(f->lock_fd);
    return result;
}

static void unlock(sl_fresh *f) {
    if (!f->lock) return;
    unlink(f->lock);
    close(f->lock_fd);
    free(f->lock);
    f->lock = NULL;
}

static sl_status lock(sl_fresh *f, const char *file, const char *path, double busy, const sl_sink_env *env,
                      sl_error *err) {
    uint64_t until = sl_clock_ns() + (uint64_t)(busy * 1e9);
    int got;
    f->lock = lock_name(file);
    if (!f->lock) return sl_oom(err);
    while ((got = try_lock(f)) == 0) {
        bool late = sl_clock_ns() >= until, stopped = sl_sink_stopping(env);
        if (!late && !stopped) {
            pause_a_little();
            continue;
        }
        free(f->lock);
        f->lock = NULL;
        if (stopped) return SL_E_STOPPED;
        return sl_fail(err, SL_E_TEMP, "the database '%s' is being made by another load: try again later",
                       path);
    }
    if (got > 0) return SL_OK;
    free(f->lock);
    f->lock = NULL;
    return SL_OK;
}

/* A load that was killed when its database had the name already has left its lock, which no process holds. */
static void sweep_lock(sl_fresh *f, const char *file) {
    f->lock = lock_name(file);
    f->lock_fd = f->lock ? sl_open_at(AT_FDCWD, f->lock, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (f->lock_fd >= 0) {
        if (flock(f->lock_fd, LOCK_EX | LOCK_NB) == 0 && is_still_there(f) > 0) unlink(f->lock);
        close(f->lock_fd);
    }
    free(f->lock);
    f->lock = NULL;
}

sl_status sl_fresh_begin(sl_fresh *f, const char *file, const char *path, double busy, const sl_sink_env *env,
                         sl_error *err) {
    if (sl_fresh_exists(file)) {
        sweep_lock(f, file);
        return SL_OK;
    }
    TRY(lock(f, file, path, busy, env, err));
    f->wanted = !sl_fresh_exists(file);
    if (!f->wanted) unlock(f);
    return SL_OK;
}

/* ---- the file -------------------------------------------------------------------------------------------------- */

sl_status sl_fresh_create(sl_fresh *f, const char *file, sl_error *err) {
    int fd;
    TRY(sl_file_create_beside(file, "tmp", 0666, &f->file, &fd, err));
    f->held_fd = fd;
    f->holds = true;
    return SL_OK;
}

/* Only when SQLite has closed it: its own locks go with any descriptor of the file. */
static void let_go(sl_fresh *f) {
    if (f->holds) close(f->held_fd);
    f->holds = false;
}

sl_status sl_fresh_take(sl_fresh *f, sl_store *s, sl_error *err) {
    f->file = strdup(s->path);
    if (!f->file) return sl_oom(err);
    f->held_fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    f->holds = f->held_fd >= 0;
    sl_store_leave(s);
    return SL_OK;
}

sl_status sl_fresh_sync(const sl_fresh *f, const char *path, sl_error *err) {
    int fd = sl_open_at(AT_FDCWD, f->file, O_RDONLY | O_CLOEXEC, 0);
    sl_status s =
        fd >= 0 && sl_file_sync(fd) == 0 ? SL_OK : sl_fail_errno(err, errno, "cannot write to", path);
    if (fd >= 0) close(fd);
    return s;
}

static sl_status remove_companions(const char *file, const char *path, sl_error *err) {
    char name[PATH_MAX];
    for (size_t i = 0; i < SL_COUNT(companions); i++) {
        int n = snprintf(name, sizeof name, "%s%s", file, companions[i]);
        if (n < 0 || (size_t)n >= sizeof name) return sl_fail_errno(err, ENAMETOOLONG, "cannot create", path);
        if (unlink(name) != 0 && errno != ENOENT)
            return sl_fail_errno(err, errno, "cannot remove what an earlier database has left:", name);
    }
    return SL_OK;
}

/* link, unlike rename, never covers a database that somebody else has made meanwhile. */
static sl_status give_name(sl_fresh *f, const char *file, const char *path, sl_error *err) {
    if (link(f->file, file) == 0) {
        unlink(f->file);
    } else if (errno == EEXIST) {
        return sl_fail(err, SL_E_TEMP, "the database '%s' has appeared meanwhile: try again", path);
    } else if (rename(f->file, file) != 0) {
        return sl_fail_errno(err, errno, "cannot create", path);
    }
    free(f->file);
    f->file = NULL;
    return SL_OK;
}

sl_status sl_fresh_publish(sl_fresh *f, const char *file, const char *path, sl_error *err) {
    int folder = -1;
    if (!f->file) return SL_OK;
    TRY(remove_companions(file, path, err));
    TRY(sl_file_open_folder(file, &folder, err));
    sl_status s = give_name(f, file, path, err);
    if (s == SL_OK) s = sl_file_sync_folder(folder, path, err);
    close(folder);
    let_go(f);
    unlock(f);
    return s;
}

void sl_fresh_end(sl_fresh *f) {
    if (f->file) unlink(f->file);
    free(f->file);
    f->file = NULL;
    let_go(f);
    unlock(f);
}
