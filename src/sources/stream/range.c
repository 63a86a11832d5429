/* Files that are read in ranges, by whoever has a unit of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/missing.h"
#include "formats/format.h"
#include "net/inflate.h"
#include "sources/stream/opener.h"

/* A named pipe is open at once, also while it has no writer: waiting is for reading, where the run can be stopped. */
static int open_again(const char *path) {
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* A name that is a format's, without that of a packer, is hardly given to a packed file. One that is packed all the same its worker
 * unpacks: to look into every file of a large collection costs as much as to read it. */
static bool sounds_plain(const char *name) {
    sl_text t = sl_text_of(name);
    return sl_format_for(t) && sl_name_unpacked(t).n == t.n;
}

static bool is_plain(const char *name) {
    char head[4];
    int fd = open_again(name);
    if (fd < 0) return false;
    ssize_t n = pread(fd, head, sizeof head, 0);
    close(fd);
    return n >= 0 && sl_coding_of(head, (size_t)n) == SL_CODING_NONE;
}

bool sl_source_is_short(const char *name, uint64_t most, uint64_t *size) {
    struct stat st;
    if (!sl_source_is_file(name) || stat(name, &st) || !S_ISREG(st.st_mode)) return false;
    *size = (uint64_t)st.st_size;
    return *size <= most && (sounds_plain(name) || is_plain(name));
}

void sl_range_close(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

sl_status sl_range_open(const char *path, int *fd, sl_error *err) {
    sl_range_close(fd);
    *fd = open_again(path);
    return *fd < 0 ? sl_fail_open(path, errno, err) : SL_OK;
}

sl_status sl_range_check(int fd, const char *path, const sl_file_id *id, sl_error *err) {
    struct stat st;
    if (fstat(fd, &st)) return sl_fail_errno(err, errno, "cannot read", path);
    sl_file_id now = sl_file_id_of(&st);
    if (sl_file_id_same(&now, id)) return SL_OK;
    const char *what = now.device != id->device || now.inode != id->inode ? "replaced by another file"
                       : now.size < id->size                              ? "cut"
                                                                          : "written to";
    return sl_fail(err, SL_E_TEMP, "'%s' was %s while it was read; try again when it is complete", path,
                   what);
}

sl_status sl_range_read(int fd, const char *path, uint64_t offset, char *buf, size_t length, sl_error *err) {
    for (size_t have = 0; have < length;) {
        ssize_t got = pread(fd, buf + have, length - have, (off_t)(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return sl_fail_errno(err, errno, "cannot read", path);
        if (!got)
            return sl_fail(err, SL_E_TEMP, "'%s' was cut while it was read; try again when it is complete",
                           path);
        have += (size_t)got;
    }
    return SL_OK;
}

/* ---- units --------------------------------------------------------------------------------------------- */

/* What the source has had open is no mistake of the user's when it is gone. */
static sl_status open_again_for(sl_range *r, const char *path, sl_error *err) {
    sl_error why = {0};
    struct stat st;
    sl_status status = sl_range_open(path, &r->fd, &why);
    if (status && stat(path, &st) && errno == ENOENT)
        return sl_fail(err, SL_E_TEMP, "'%s' was removed while it was read; try again", path);
    if (status && err && !err->code) *err = why;
    return status;
}

/* The file stays open for the next unit of it. Its name may lead to another one by now. */
static sl_status turn_to(sl_range *r, const sl_unit *unit, sl_error *err) {
    if (r->path && !strcmp(r->path, unit->path) && sl_file_id_same(&r->file, &unit->file)) return SL_OK;
    free(r->path);
    r->path = NULL;
    TRY(open_again_for(r, unit->path, err));
    TRY(sl_range_check(r->fd, unit->path, &unit->file, err));
    r->file = unit->file;
    r->path = strdup(unit->path);
    return r->path ? SL_OK : sl_oom(err);
}

sl_status sl_range_input(sl_range *r, const sl_unit *unit, sl_input **in, sl_error *err) {
    TRY(turn_to(r, unit, err));
    *in = sl_input_new((size_t)unit->length);
    if (!*in) return sl_oom(err);
    (*in)->len = (size_t)unit->length;
    sl_status status = sl_range_read(r->fd, unit->path, unit->offset, (*in)->data, (size_t)unit->length, err);
    if (!status) status = sl_range_check(r->fd, unit->path, &unit->file, err);
    if (status) sl_input_unref(in);
    return status;
}

void sl_range_free(sl_range *r) {
    sl_range_close(&r->fd);
    free(r->path);
    r->path = NULL;
}
