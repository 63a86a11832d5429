/* files.h: what a descriptor is good for, and by what a file is recognised.
 *
 * A standard descriptor that was closed when the program began has the null device in its place, opened the wrong way round
 * (src/cli/main.c), so that no file of ours gets its number and whoever needs it is told here. A host program's own closed ones are
 * seen as well, as long as no other file has their number. */
#ifndef SL_BASE_FILES_H
#define SL_BASE_FILES_H

#include "base/status.h"

struct stat;

/* openat, begun again where a signal has interrupted it (network and user-space file systems let one). FOLDER: AT_FDCWD for a path.
 * -1 with errno. */
int sl_open_at(int folder, const char *path, int flags, unsigned mode);

/* All N bytes of DATA at OFFSET of FD, whatever interrupts; false with errno. */
bool sl_write_at(int fd, const void *data, size_t n, uint64_t offset);

/* SL_E_IO when FD, or the standard stream that PATH is another name of, was closed at start. WRITE: it is to be written to. */
SL_MUST_CHECK sl_status sl_standard_check(int fd, bool write, sl_error *err);
SL_MUST_CHECK sl_status sl_standard_check_path(const char *path, bool write, sl_error *err);

/* One state of one file: another name may lead to it, and the same name to another. */
typedef struct sl_file_id {
    uint64_t device, inode, size;
    int64_t seconds, nanoseconds; /* of the last change of its content */
} sl_file_id;

sl_file_id sl_file_id_of(const struct stat *st);
bool sl_file_id_same(const sl_file_id *a, const sl_file_id *b);

#endif
