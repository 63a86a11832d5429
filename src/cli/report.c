/* report.c: where --report goes: a file that is all new or still the old one, and is known to be writable before the run begins. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static int complain(int code, const char *path) {
    return cli_complain(code, "cannot write the report to '%s': %s", path, strerror(errno));
}

/* A device or a pipe is written to directly. */
static bool is_replaced(const char *path, mode_t *mode) {
    struct stat st;
    bool there = stat(path, &st) == 0;
    *mode = there ? st.st_mode & 07777 : 0;
    return !there || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
}

/* The file that PATH, maybe a link, stands for; the caller frees it. */
static char *followed(const char *path) {
    char *real = realpath(path, NULL);
    return real || errno != ENOENT ? real : strdup(path);
}

/* A new file beside PATH, in the form that sinks use too. *TEMP is its name. */
static int create_beside(const char *path, char **temp) {
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    size_t size = strlen(path) + 48;
    *temp = malloc(size);
    if (!*temp) return -1;
    snprintf(*temp, size, "%.*s.%s.sluice-%ld.report", folder, path, path + folder, (long)getpid());
    unlink(*temp); /* of a killed process with our number */
    return open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

/* Whether the report can be there: a file beside it can be made, and a directory has not taken its name. */
static bool can_replace(const char *path) {
    struct stat st;
    char *temp = NULL;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    int fd = create_beside(path, &temp), why = errno;
    if (fd >= 0) {
        close(fd);
        unlink(temp);
    }
    free(temp);
    errno = why;
    return fd >= 0;
}

int cli_report_check(sl_pipeline *p, const char *path) {
    sl_error err = {0};
    mode_t mode;
    if (sl_pipeline_check_apart(p, "the report", path, &err) != SL_OK) return cli_error(&err);
    if (!is_replaced(path, &mode)) return access(path, W_OK) == 0 ? CLI_OK : complain(CLI_FAILED, path);
    char *file = followed(path);
    int code = file && can_replace(file) ? CLI_OK : complain(CLI_FAILED, path);
    free(file);
    return code;
}

static bool put(int fd, const char *text) {
    for (size_t n = strlen(text); n > 0;) {
        ssize_t k = write(fd, text, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return false;
        text += k;
        n -= (size_t)k;
    }
    return true;
}

static bool write_in_place(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    bool written = fd >= 0 && put(fd, text);
    if (fd >= 0 && close(fd) != 0) written = false;
    return written;
}

static bool replace(const char *path, mode_t mode, const char *text) {
    char *temp = NULL;
    int fd = create_beside(path, &temp);
    bool written = fd >= 0 && (!mode || fchmod(fd, mode) == 0) && put(fd, text) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0) written = false;
    written = written && rename(temp, path) == 0;
    int why = errno;
    if (!written && fd >= 0) unlink(temp);
    free(temp);
    errno = why;
    return written;
}

int cli_report_write(sl_pipeline *p, const char *path, int code) {
    sl_error err = {0};
    mode_t mode;
    const char *report = sl_pipeline_report(p, &err);
    if (!report) return code;
    bool replaced = is_replaced(path, &mode);
    char *file = replaced ? followed(path) : NULL;
    bool written = replaced ? file && replace(file, mode, report) : write_in_place(path, report);
    if (!written) code = complain(code ? code : CLI_FAILED, path);
    free(file);
    return code;
}
