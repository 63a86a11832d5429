#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "plan/plan.h"

enum { DEFINITION_LIMIT = 64 << 20 };

/* The folder of PATH, NULL for a plain name. Caller frees. */
static sl_status folder_of(const char *path, char **folder, sl_error *err) {
    const char *slash = strrchr(path, '/');
    *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    return slash && !*folder ? sl_oom(err) : SL_OK;
}

static sl_status read_file(const char *path, sl_buf *out, sl_error *err) {
    FILE *f = fopen(path, "re");
    if (!f) return sl_fail(err, SL_E_USAGE, "cannot open '%s': %s", path, strerror(errno));
    char block[65536];
    size_t n;
    out->limit = DEFINITION_LIMIT;
    while ((n = fread(block, 1, sizeof block, f)) > 0) sl_buf_add(out, block, n);
    sl_status s = ferror(f) ? sl_fail_errno(err, errno, "cannot read", path) : sl_buf_check(out, err);
    fclose(f);
    return s;
}

/* A definition that cannot be read is a mistake of the call, not of the run. */
sl_status sl_plan_load_file(sl_plan *p, const char *path, sl_error *err) {
    sl_buf text = {0};
    char *folder;
    sl_status s = folder_of(path, &folder, err);
    if (s == SL_OK) s = read_file(path, &text, err);
    if (s == SL_OK) s = sl_plan_parse(p, sl_buf_cstr(&text), text.len, path, folder, err);
    free(folder);
    sl_buf_free(&text);
    return s;
}
