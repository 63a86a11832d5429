#include <errno.h>
#include <stdlib.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/missing.h"
#include "plan/plan.h"

enum { DEFINITION_LIMIT = 64 << 20 };

/* The folder of PATH, NULL for a plain name. Caller frees. */
static sl_status folder_of(const char *path, char **folder, sl_error *err) {
    const char *slash = strrchr(path, '/');
    *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    return slash && !*folder ? sl_oom(err) : SL_OK;
}

/* A name that leads to no definition is a mistake of the call; a lack of descriptors or memory is not. */
static sl_status cannot_open(const char *path, int why, sl_error *err) {
    bool passes = why == EMFILE || why == ENFILE || why == ENOMEM || why == EIO || why == EAGAIN;
    if (passes) return sl_fail_errno(err, why, "cannot open", path);
    if (why == ENOENT) {
        (void)sl_fail_open(path, why, err);
        if (err) err->code = SL_E_USAGE;
        return SL_E_USAGE;
    }
    return sl_fail(err, SL_E_USAGE, "cannot open '%s': %s", path, strerror(why));
}

static sl_status read_all(int fd, const char *path, sl_buf *out, sl_error *err) {
    char block[65536];
    out->limit = DEFINITION_LIMIT;
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sl_fail_errno(err, errno, "cannot read", path);
        if (n == 0) return sl_buf_check(out, err);
        sl_buf_add(out, block, (size_t)n);
    }
}

static sl_status read_file(const char *path, sl_buf *out, sl_error *err) {
    int fd = sl_open_at(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
    if (fd < 0) return cannot_open(path, errno, err);
    sl_status s = read_all(fd, path, out, err);
    close(fd);
    return s;
}

sl_status sl_plan_load_file(sl_plan *p, const char *path, sl_error *err) {
    sl_buf text = {0};
    char *folder;
    sl_status s = folder_of(path, &folder, err);
    if (s == SL_OK) s = read_file(path, &text, err);
    if (s == SL_OK) s = sl_plan_parse(p, text.len ? text.data : "", text.len, path, folder, err);
    free(folder);
    sl_buf_free(&text);
    return s;
}
