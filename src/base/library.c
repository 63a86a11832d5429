#define _GNU_SOURCE /* dladdr1 */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum { LONGEST = PATH_MAX + 64 };

/* Where this code lies, without the last part: in a shared library, or in the program, whose name the loader does not keep. */
static bool own_folder(char out[PATH_MAX]) {
    static const char here = 0;
    Dl_info info;
    struct link_map *map = NULL;
    if (!dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP)) return false;
    if (!realpath(map->l_name[0] ? map->l_name : "/proc/self/exe", out)) return false;
    *strrchr(out, '/') = '\0';
    return true;
}

/* The folder that has FILE, or else the one it belongs into. False: that cannot be told. */
static bool find_folder(const char *file, char out[LONGEST]) {
    static const char *const from_here[] = {"sluice", "modules", SLUICE_LIBRARIES};
    char own[PATH_MAX], path[LONGEST + NAME_MAX];
    if (!own_folder(own)) return false;
    for (size_t i = 0; i < SL_COUNT(from_here); i++) {
        snprintf(out, LONGEST, "%s/%s", own, from_here[i]);
        snprintf(path, sizeof path, "%s/%s", out, file);
        if (access(path, F_OK) == 0) break;
    }
    return true;
}

sl_status sl_library_open(sl_library *l, sl_error *err) {
    char folder[LONGEST], path[LONGEST + NAME_MAX];
    if (atomic_load_explicit(&l->calls, memory_order_acquire)) return SL_OK;
    if (!find_folder(l->file, folder))
        return sl_fail(
            err, SL_E_IO,
            "%s is needed here, but sluice cannot tell where it lies itself, and so not where '%s' "
            "is: mount /proc",
            l->name, l->file);
    snprintf(path, sizeof path, "%s/%s", folder, l->file);
    errno = 0;
    void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!handle && errno == ENOMEM) return sl_oom(err);
    if (!handle)
        return sl_fail(
            err, SL_E_IO,
            "%s is needed here and cannot be opened: %s; install it, and '%s' of this sluice in '%s'",
            l->name, dlerror(), l->file, folder);
    const void *calls = dlsym(handle, l->symbol);
    if (!calls)
        return sl_fail(err, SL_E_IO,
                       "%s is needed here, but '%s' is of another version of sluice: install those of one "
                       "version",
                       l->name, path);
    atomic_store_explicit(&l->calls, calls, memory_order_release);
    return SL_OK;
}
