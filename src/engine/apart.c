/* For realpath. */
#define _XOPEN_SOURCE 700
#include "engine/apart.h"

#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "base/error.h"
#include "sinks/file/file.h"
#include "sources/stream/stream.h"

/* The folder of PATH, and what the file is called there. */
static char *folder_of(const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    return real;
}

/* Two names that are not there yet are of one file when they are the same in one folder. */
static bool same_name(const char *a, const char *b) {
    const char *name_a, *name_b;
    char *folder_a = folder_of(a, &name_a), *folder_b = folder_of(b, &name_b);
    bool same = folder_a && folder_b && !strcmp(folder_a, folder_b) && !strcmp(name_a, name_b);
    free(folder_a);
    free(folder_b);
    return same;
}

/* What is no regular file (a terminal, /dev/null) may well be read and written by several. */
static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    bool has_a = stat(a, &x) == 0, has_b = stat(b, &y) == 0;
    if (!has_a && !has_b) return same_name(a, b);
    return has_a && has_b && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static sl_status refuse(const char *what, const char *path, const char *is, sl_error *err) {
    return sl_fail(err, SL_E_USAGE, "%s cannot go to '%s', which is %s of the same run", what, path, is);
}

/* Pattern and all; a URL that cannot be opened is for the run to say. */
static bool names_file(const sl_node *node, const char *path) {
    sl_arena arena = {0};
    sl_texts names = {0};
    sl_error ignored = {0};
    sl_value url = sl_map_get_z(node->conf, "url");
    const char *base = node->home ? node->home->base_dir : NULL;
    bool same = false;
    if (node->pipe && node->pipe->source && sl_is_text(url) && sl_bytes(url).n &&
        sl_source_names(sl_bytes(url), base, &arena, &names, &ignored) == SL_OK)
        for (uint32_t i = 0; i < names.n && !same; i++)
            same = sl_source_is_file(names.v[i].s) && same_file(names.v[i].s, path);
    sl_arena_free(&arena);
    return same;
}

sl_status sl_apart_check(const sl_plan *plan, const sl_targets *targets, const char *what, const char *path,
                         sl_error *err) {
    if (plan->file && same_file(plan->file, path)) return refuse(what, path, "the definition", err);
    for (uint32_t i = 0; i < plan->nnodes; i++)
        if (names_file(plan->nodes[i], path)) return refuse(what, path, "an input", err);
    for (uint32_t i = 0; i < targets->n; i++) {
        const sl_target *t = &targets->v[i];
        const char *file = t->sink->file ? t->sink->file(t->conf) : NULL;
        if (file && same_file(file, path)) return refuse(what, path, "an output", err);
    }
    return SL_OK;
}

/* Where T's file really is, malloc'ed; NULL where that makes no difference, or cannot be told and is for the run to say. */
static char *real_place(const sl_target *t) {
    const char *file = t->sink->file ? t->sink->file(t->conf) : NULL;
    struct stat there;
    char *real = NULL;
    sl_error ignored = {0};
    if (!file || (stat(file, &there) == 0 && !S_ISREG(there.st_mode))) return NULL;
    return sl_file_resolve(&real, file, &ignored) == SL_OK ? real : NULL;
}

static sl_status check_pair(const sl_target *a, const sl_target *b, sl_error *err) {
    bool tables = a->sink->table && b->sink->table;
    if (tables && !sl_text_eq_nocase(a->sink->table(a->conf), b->sink->table(b->conf))) return SL_OK;
    char *place_a = real_place(a), *place_b = real_place(b);
    bool same = place_a && place_b && !strcmp(place_a, place_b);
    free(place_a);
    free(place_b);
    if (!same) return SL_OK;
    return sl_fail(err, SL_E_USAGE, "two sinks write one %s: '%s' leads to the same as '%s'",
                   tables ? "table" : "file", b->text, a->text);
}

sl_status sl_apart_targets(const sl_targets *targets, sl_error *err) {
    for (uint32_t i = 0; i < targets->n; i++)
        for (uint32_t k = i + 1; k < targets->n; k++) TRY(check_pair(&targets->v[i], &targets->v[k], err));
    return SL_OK;
}
