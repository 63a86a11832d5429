/* holds.c: whether a file holds any record, for the rule that an empty input replaces nothing. It reads no more than it takes
 * to find the first one, and where it cannot tell it says that there is something to lose. */
#include "sinks/file/file.h"

#include <errno.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* Looks at the next bytes; true when it has seen enough. */
typedef bool (*look_fn)(void *state, const char *bytes, size_t n);

/* A file that cannot be read, but replaced, may hold anything. */
static int open_regular(const char *path, bool *some) {
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *some = fd < 0 && st.st_size > 0;
    return fd;
}

static sl_status look_through(const char *path, look_fn look, void *state, bool *some, sl_error *err) {
    char bytes[65536];
    *some = false;
    int fd = open_regular(path, some);
    if (fd < 0) return SL_OK;
    sl_status s = SL_OK;
    while (!*some) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) s = sl_fail_errno(err, errno, "cannot read", path);
        if (n <= 0) break;
        *some = look(state, bytes, (size_t)n);
    }
    close(fd);
    return s;
}

/* ---- delimited text -------------------------------------------------------------------------------------------- */

typedef struct rows {
    char quote;
    unsigned header;    /* lines of it that are still to come */
    bool begun, quoted; /* something of its line was seen; in one of its cells */
} rows;

static bool look_for_rows(void *state, const char *bytes, size_t n) {
    rows *r = state;
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        bool ends = (c == '\n' || c == '\r') && !r->quoted;
        if (!ends && !r->header) return true;
        if (r->quote && c == r->quote) r->quoted = !r->quoted;
        r->header -= ends && r->begun;
        r->begun = !ends;
    }
    return false;
}

sl_status sl_file_holds_rows(const char *path, char quote, unsigned header, bool *some, sl_error *err) {
    rows r = {.quote = quote, .header = header};
    return look_through(path, look_for_rows, &r, some, err);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

typedef struct json {
    bool document; /* one, in which an empty array or null is nothing */
    char seen[8];
    size_t n;
} json;

static bool look_for_json(void *state, const char *bytes, size_t n) {
    static const char *const nothing[] = {"[]", "null"};
    json *j = state;
    for (size_t i = 0; i < n; i++) {
        if (strchr(" \t\r\n", bytes[i]) && bytes[i]) continue;
        j->seen[j->n++] = bytes[i];
        bool open = false;
        for (size_t k = 0; j->document && k < SL_COUNT(nothing); k++)
            open |= j->n <= strlen(nothing[k]) && memcmp(nothing[k], j->seen, j->n) == 0;
        if (!open) return true;
    }
    return false;
}

sl_status sl_file_holds_json(const char *path, bool document, bool *some, sl_error *err) {
    json j = {.document = document};
    return look_through(path, look_for_json, &j, some, err);
}
