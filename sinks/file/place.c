/* place.c: where a target leads, whether what is there can be replaced, and what the new file keeps of it. */
/* For statx's word on mount points. */
#define _GNU_SOURCE
#include "sinks/file/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"

/* ---- where a path leads ---------------------------------------------------------------------------------------- */

/* As many as the kernel follows. */
enum { MOST_LINKS = 40 };

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *sl_file_folder(const char *path) {
    size_t n = (size_t)(last_part(path) - path);
    return n ? strndup(path, n) : strdup(".");
}

/* FOLDER (freed), a slash and NAME, malloc'ed. */
static char *joined(char *folder, const char *name) {
    size_t size = folder ? strlen(folder) + strlen(name) + 2 : 0;
    char *path = folder ? malloc(size) : NULL;
    if (path) snprintf(path, size, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", name);
    free(folder);
    return path;
}

/* What the link PATH holds, as a path from here; NULL: it is no link. */
static sl_status link_holds(const char *path, char **out, sl_error *err) {
    char to[PATH_MAX];
    *out = NULL;
    ssize_t n = readlink(path, to, sizeof to - 1);
    if (n <= 0) return SL_OK;
    to[n] = '\0';
    *out = to[0] == '/' ? strdup(to) : joined(sl_file_folder(path), to);
    return *out ? SL_OK : sl_oom(err);
}

static sl_status no_folder(const char *shown, const char *folder, int why, sl_error *err) {
    if (why == ENOENT)
        return sl_fail(err, SL_E_IO, "cannot write to '%s': there is no folder '%s'; make it first", shown,
                       folder);
    return sl_fail_errno(err, why, "cannot write to", shown);
}

/* PATH, which is not there yet, with its folder resolved. */
static sl_status resolve_new(char **real, const char *path, const char *shown, sl_error *err) {
    char *folder = sl_file_folder(path);
    if (!folder) return sl_oom(err);
    char *resolved = realpath(folder, NULL);
    sl_status s = resolved ? SL_OK : no_folder(shown, folder, errno, err);
    free(folder);
    if (s != SL_OK) return s;
    if (!*last_part(path)) {
        free(resolved);
        return sl_fail(err, SL_E_IO, "cannot write to '%s': it is the name of a folder, not of a file",
                       shown);
    }
    *real = joined(resolved, last_part(path));
    return *real ? SL_OK : sl_oom(err);
}

/* *AT, malloc'ed, is replaced by what the last of its links holds. */
static sl_status follow(char **at, sl_error *err) {
    for (int i = 0; i < MOST_LINKS; i++) {
        char *next;
        TRY(link_holds(*at, &next, err));
        if (!next) return SL_OK;
        free(*at);
        *at = next;
    }
    return SL_OK;
}

sl_status sl_file_resolve(char **real, const char *path, sl_error *err) {
    *real = realpath(path, NULL);
    if (*real) return SL_OK;
    if (errno == ENOMEM) return sl_oom(err);
    if (errno != ENOENT) return sl_fail_errno(err, errno, "cannot write to", path);
    char *at = strdup(path);
    sl_status s = at ? follow(&at, err) : sl_oom(err);
    if (s == SL_OK) s = resolve_new(real, at, path, err);
    free(at);
    return s;
}

/* ---- whether it can be replaced -------------------------------------------------------------------------------- */

static bool is_mount_point(const char *real) {
#ifdef STATX_ATTR_MOUNT_ROOT
    struct statx x;
    return statx(AT_FDCWD, real, 0, 0, &x) == 0 && (x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
#else
    (void)real;
    return false;
#endif
}

/* In a folder such as /tmp only the owner of a file, or of the folder, may give its name to another. */
static sl_status is_held_by_owner(const char *real, const struct stat *old, bool *held, sl_error *err) {
    uid_t me = geteuid();
    struct stat folder;
    char *name = sl_file_folder(real);
    if (!name) return sl_oom(err);
    bool sticky = stat(name, &folder) == 0 && (folder.st_mode & S_ISVTX);
    free(name);
    *held = sticky && me != 0 && old->st_uid != me && folder.st_uid != me;
    return SL_OK;
}

sl_status sl_file_replaceable(const char *real, const struct stat *old, sl_error *err) {
    bool held = false;
    if (S_ISDIR(old->st_mode)) return sl_fail_errno(err, EISDIR, "cannot write to", real);
    if (faccessat(AT_FDCWD, real, W_OK, AT_EACCESS) != 0)
        return sl_fail(err, SL_E_IO,
                       "cannot write to '%s': this user may not write to the file that is there; "
                       "change its mode, or write to another name",
                       real);
    if (is_mount_point(real))
        return sl_fail(err, SL_E_IO,
                       "cannot write to '%s': it is mounted there as a single file, which cannot be "
                       "replaced; mount its folder",
                       real);
    TRY(is_held_by_owner(real, old, &held, err));
    if (held)
        return sl_fail(err, SL_E_IO,
                       "cannot write to '%s': it belongs to another user, and its folder lets only owners "
                       "replace files",
                       real);
    return SL_OK;
}

/* ---- what stays ------------------------------------------------------------------------------------------------ */

#define ACL_NAME "system.posix_acl_access"

/* One attribute of the file FROM, to the open file FD. *COPIED false: it could not be read or written. */
static sl_status copy_attribute(int fd, const char *from, const char *name, bool *copied, sl_error *err) {
    ssize_t n = getxattr(from, name, NULL, 0);
    char *value = malloc(n > 0 ? (size_t)n : 1);
    if (!value) return sl_oom(err);
    if (n > 0) n = getxattr(from, name, value, (size_t)n);
    *copied = n >= 0 && fsetxattr(fd, name, value, (size_t)n, 0) == 0;
    free(value);
    return SL_OK;
}

/* What people and their rights have noted about a file; capabilities and the like are for the kernel to give. */
static bool is_kept(const char *name) {
    return strncmp(name, "user.", 5) == 0 || strcmp(name, ACL_NAME) == 0;
}

/* *LISTED false: FROM has an access list and FD did not get it. NAMES: N bytes of names, each with a NUL. */
static sl_status copy_named(int fd, const char *from, const char *names, ssize_t n, bool *listed,
                            sl_error *err) {
    for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
        bool copied = true;
        if (is_kept(name)) TRY(copy_attribute(fd, from, name, &copied, err));
        if (!copied && strcmp(name, ACL_NAME) == 0) *listed = false;
    }
    return SL_OK;
}

static sl_status copy_attributes(int fd, const char *from, bool *listed, sl_error *err) {
    ssize_t n = listxattr(from, NULL, 0);
    *listed = true;
    if (n <= 0) return SL_OK; /* none, or none on this file system */
    char *names = malloc((size_t)n);
    if (!names) return sl_oom(err);
    n = listxattr(from, names, (size_t)n);
    *listed = n >= 0;
    sl_status s = copy_named(fd, from, names, n, listed, err);
    free(names);
    return s;
}

/* Where the group, or the list behind its bits, is not the old one, it gets no more than everybody has. */
static mode_t mode_kept(mode_t mode, bool same_owner, bool same_group) {
    if (!same_group) mode = (mode & ~(mode_t)S_IRWXG) | (mode & (mode_t)((mode & S_IRWXO) << 3));
    if (!same_owner || !same_group) mode &= ~(mode_t)(S_ISUID | S_ISGID);
    return mode & 07777;
}

sl_status sl_file_keep(int fd, const char *real, const struct stat *old, sl_error *err) {
    bool same_group = fchown(fd, (uid_t)-1, old->st_gid) == 0;
    bool same_owner = fchown(fd, old->st_uid, (gid_t)-1) == 0;
    bool same_list;
    TRY(copy_attributes(fd, real, &same_list, err));
    if (fchmod(fd, mode_kept(old->st_mode, same_owner, same_group && same_list)) != 0)
        return sl_fail_errno(err, errno, "cannot keep the mode of", real);
    return SL_OK;
}
