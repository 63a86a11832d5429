#include "base/missing.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <dirent.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"

enum { MOST_NAMES = 10000 }; /* looked at in a folder */

/* The file of FOLDER whose name is nearest to WORD, or NULL. */
static const char *neighbour(DIR *folder, const char *word, sl_arena *arena) {
    const char **names = sl_arena_calloc(arena, MOST_NAMES + 1, sizeof *names);
    const struct dirent *e;
    for (unsigned n = 0; names && n < MOST_NAMES && (e = readdir(folder)); n++)
        if (!(names[n] = sl_arena_strndup(arena, e->d_name, strlen(e->d_name)))) return NULL;
    return names ? sl_text_nearest(sl_text_of(word), names) : NULL;
}

/* FOLDER as a path from the root, for people who wonder where a relative one starts. */
static sl_text whole_path(sl_text folder, sl_arena *arena) {
    char here[PATH_MAX];
    if (folder.n && folder.s[0] == '/') return folder;
    if (!getcwd(here, sizeof here)) return folder;
    return sl_arena_printf(arena, "%s%s%.*s", here, folder.n ? "/" : "", (int)folder.n, folder.s);
}

/* As in example.org/x.csv. */
static bool is_host_like(const char *name) {
    size_t n = strcspn(name, "/");
    const char *dot = memchr(name, '.', n);
    return name[n] && dot && dot > name && name[n - 1] != '.';
}

static void describe(const char *name, sl_arena *arena, char *hint, size_t size) {
    const char *slash = strrchr(name, '/'), *word = slash ? slash + 1 : name;
    sl_text folder = whole_path(sl_text_n(name, (size_t)(slash ? slash - name + (slash == name) : 0)), arena);
    const char *path = folder.n ? sl_arena_strndup(arena, folder.s, folder.n) : NULL;
    DIR *d = path ? opendir(path) : NULL;
    const char *near = d ? neighbour(d, word, arena) : NULL;
    if (near)
        snprintf(hint, size, ", did you mean '%.*s%s'?", (int)(word - name), name, near);
    else if (d)
        snprintf(hint, size, "; it was looked for in '%s'", path);
    else if (path && errno == ENOENT)
        snprintf(hint, size, "; there is no folder '%s'%s", path,
                 is_host_like(name) ? "; a web address begins with https://" : "");
    if (d) closedir(d);
}

sl_status sl_fail_open(const char *name, int errnum, sl_error *err) {
    char hint[512] = "";
    sl_arena arena = {0};
    if (errnum != ENOENT) return sl_fail_errno(err, errnum, "cannot open", name);
    describe(name, &arena, hint, sizeof hint);
    sl_arena_free(&arena);
    return sl_fail(err, SL_E_IO, "cannot open '%s': No such file or directory%s", name, hint);
}
