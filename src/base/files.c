#include "base/files.h"

#include <errno.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

int sl_open_at(int folder, const char *path, int flags, unsigned mode) {
    int fd;
    do {
        fd = folder == AT_FDCWD ? open(path, flags, (mode_t)mode) : openat(folder, path, flags, (mode_t)mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

bool sl_write_at(int fd, const void *data, size_t n, uint64_t offset) {
    for (const char *p = data; n > 0;) {
        ssize_t k = pwrite(fd, p, n, (off_t)offset);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return false;
        p += k;
        n -= (size_t)k;
        offset += (uint64_t)k;
    }
    return true;
}

sl_status sl_standard_check(int fd, bool write, sl_error *err) {
    int flags = fcntl(fd, F_GETFL), access = flags < 0 ? -1 : flags & O_ACCMODE;
    if (access == O_RDWR || access == (write ? O_WRONLY : O_RDONLY)) return SL_OK;
    static const char *const names[] = {"standard input", "standard output", "standard error"};
    return sl_fail(err, SL_E_IO, "%s is closed", fd >= 0 && fd <= 2 ? names[fd] : "the descriptor");
}

sl_status sl_standard_check_path(const char *path, bool write, sl_error *err) {
    static const char *const names[][3] = {{"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"},
                                           {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"},
                                           {"/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"}};
    for (int fd = 0; fd < 3; fd++)
        for (int k = 0; k < 3; k++)
            if (strcmp(path, names[fd][k]) == 0) return sl_standard_check(fd, write, err);
    return SL_OK;
}

sl_file_id sl_file_id_of(const struct stat *st) {
    return (sl_file_id){.device = (uint64_t)st->st_dev,
                        .inode = (uint64_t)st->st_ino,
                        .size = (uint64_t)st->st_size,
                        .seconds = (int64_t)st->st_mtim.tv_sec,
                        .nanoseconds = (int64_t)st->st_mtim.tv_nsec};
}

bool sl_file_id_same(const sl_file_id *a, const sl_file_id *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->seconds == b->seconds &&
           a->nanoseconds == b->nanoseconds;
}
