/* note.c: small notes beside the cached answers: what the last run of a pipeline has read. A note is replaced by rename and
 * dropped without needing memory, because one that stays by mistake would make a run do nothing. */
#include <stdio.h>
#include <stdlib.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/tempfile.h"
#include "net/cache/internal.h"

#define MOST_NOTE ((size_t)256 << 20) /* bytes */

/* DIR/NAME, to be freed; NULL: no memory. */
static char *path_of(const char *dir, const char *name, const char *key) {
    size_t size = strlen(dir) + strlen(name) + strlen(key) + 2;
    char *path = malloc(size);
    if (path) snprintf(path, size, "%s/%s%s", dir, name, key);
    return path;
}

enum { NAME_SIZE = sizeof SL_CACHE_NOTE + SL_CACHE_KEY };

static const char *name_of(const char *key, char name[NAME_SIZE]) {
    snprintf(name, NAME_SIZE, "%s%s", SL_CACHE_NOTE, key);
    return name;
}

/* What is read is believed: so the folder must be ours. */
static int open_note(const char *dir, const char *key) {
    int folder = sl_cache_open_dir(dir);
    if (folder < 0) return -1;
    char name[NAME_SIZE];
    int fd = sl_open_at(folder, name_of(key, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
    close(folder);
    return fd;
}

static bool read_all(int fd, sl_buf *out) {
    struct stat st;
    out->limit = MOST_NOTE + 1;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > MOST_NOTE) return false;
    if (!sl_buf_reserve(out, (size_t)st.st_size + 1)) return false;
    if (sl_tempfile_read(fd, out->data, (size_t)st.st_size, 0, NULL)) return false;
    out->len = (size_t)st.st_size;
    return true;
}

bool sl_cache_note_read(const char *dir, const char *key, sl_buf *out) {
    int fd = open_note(dir, key);
    if (fd < 0) return false;
    bool whole = read_all(fd, out);
    if (whole) futimens(fd, NULL); /* used now; where that is not possible it just goes sooner */
    close(fd);
    return whole;
}

/* TEXT in the new file FD, there for good. */
static bool fill(int fd, sl_text text) {
    bool done = sl_write_at(fd, text.s, text.n, 0) && fsync(fd) == 0;
    return close(fd) == 0 && done;
}

bool sl_cache_note_write(const char *dir, const char *key, sl_text text) {
    char *part = path_of(dir, &SL_CACHE_PART[1], ""), *path = path_of(dir, SL_CACHE_NOTE, key);
    int fd = part && path && sl_cache_make_dir(dir) == 0 ? mkstemp(part) : -1; /* mode 0600 */
    bool done = fd >= 0 && fill(fd, text) && rename(part, path) == 0;
    if (fd >= 0 && !done) unlink(part);
    free(part);
    free(path);
    return done;
}

/* Takes no memory: a note that stays would be believed. */
void sl_cache_note_drop(const char *dir, const char *key) {
    char name[NAME_SIZE];
    int folder = sl_cache_open_dir(dir);
    if (folder < 0) return;
    unlinkat(folder, name_of(key, name), 0);
    close(folder);
}
