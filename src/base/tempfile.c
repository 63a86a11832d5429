/* tempfile.c: temporary files that have no name, or lose it at once, so that a process which is killed leaves nothing behind.
 * Every read and write states its offset, as forked workers share the descriptor and with it the file position. */
#define _GNU_SOURCE /* sync_file_range, O_TMPFILE */
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

const char *sl_tempfile_folder(void) {
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

/* A file that never has a name, so that no process that dies leaves it behind. -1 with EOPNOTSUPP, EISDIR or EINVAL where the file system
 * or the kernel knows none. */
static int open_nameless(const char *dir) {
    return sl_open_at(AT_FDCWD, dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
}

/* PATH ends in XXXXXX, which an attempt may have replaced. */
static int open_named(char *path) {
    size_t n = strlen(path);
    int fd;
    do {
        memcpy(path + n - 6, "XXXXXX", 6);
        fd = mkstemp(path);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return fd;
    unlink(path);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

sl_status sl_tempfile_open(const char *dir, int *fd, sl_error *err) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/sluice-XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return sl_fail(err, SL_E_IO, "the name of the temporary directory is too long");
    *fd = open_nameless(dir);
    if (*fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) *fd = open_named(path);
    return *fd < 0 ? sl_fail_errno(err, errno, "cannot create a temporary file in", dir) : SL_OK;
}

sl_status sl_tempfile_write(int fd, const void *data, size_t n, uint64_t offset, sl_error *err) {
    return sl_write_at(fd, data, n, offset)
               ? SL_OK
               : sl_fail_errno(err, errno, "cannot write to", "a temporary file");
}

/* Waiting for a byte far behind the end waits for nothing, and tells what earlier writing back has met. Other errors are of systems
 * that do not know the call. */
int sl_tempfile_lost(int fd) {
    int result;
    do {
        result = sync_file_range(fd, INT64_MAX - 1, 1, SYNC_FILE_RANGE_WAIT_BEFORE);
    } while (result != 0 && errno == EINTR);
    return result != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT) ? errno : 0;
}

sl_status sl_tempfile_read(int fd, void *data, size_t n, uint64_t offset, sl_error *err) {
    char *p = data;
    while (n > 0) {
        ssize_t k = pread(fd, p, n, (off_t)offset);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return sl_fail_errno(err, errno, "cannot read from", "a temporary file");
        if (k == 0)
            return sl_fail(err, SL_E_INTERNAL, "a temporary file is shorter than what was written to it");
        p += k;
        n -= (size_t)k;
        offset += (uint64_t)k;
    }
    int lost = sl_tempfile_lost(fd);
    return lost ? sl_fail_errno(err, lost, "cannot write to", "a temporary file") : SL_OK;
}
