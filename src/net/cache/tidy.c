/* tidy.c: lists and prunes the cache. It judges by the time a file was last used, and works on a list of names: others may
 * write and remove files meanwhile, so a file that is gone is no error. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/cache/internal.h"

enum { FORGOTTEN = 3600 }; /* seconds after which a temporary file is not being written any more */

typedef enum file_kind { ENTRY, PART, NOTE } file_kind;

/* A file of ours in the folder. */
typedef struct found {
    const char *name;
    uint64_t size;
    struct timespec used;
    file_kind kind;
} found;

typedef struct folder {
    int fd; /* -1: there is none */
    sl_arena arena;
    found *v;
    size_t n, cap;
} folder;

/* ---- looking --------------------------------------------------------------------------------------------- */

static void close_folder(folder *f) {
    if (f->fd >= 0) close(f->fd);
    sl_arena_free(&f->arena);
    free(f->v);
}

static sl_status add(folder *f, const char *name, const struct stat *st, file_kind kind, sl_error *err) {
    if (!SL_ROOM(f->v, f->cap, f->n + 1)) return sl_oom(err);
    const char *copy = sl_arena_strndup(&f->arena, name, strlen(name));
    if (!copy) return sl_oom(err);
    f->v[f->n++] = (found){copy, (uint64_t)st->st_size, st->st_mtim, kind};
    return SL_OK;
}

static int by_use(const void *a, const void *b) {
    const found *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec) return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec) return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

static sl_status read_names(folder *f, DIR *d, sl_error *err) {
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        file_kind kind = sl_cache_is_part(e->d_name) ? PART : sl_cache_is_note(e->d_name) ? NOTE : ENTRY;
        if (kind == ENTRY && !sl_cache_is_key(sl_text_of(e->d_name))) continue;
        if (fstatat(f->fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) continue;
        TRY(add(f, e->d_name, &st, kind, err));
    }
    return SL_OK;
}

/* The files of DIR by last use, longest ago first. close_folder follows in any case. */
static sl_status open_folder(const char *dir, folder *f, sl_error *err) {
    *f = (folder){.fd = sl_cache_open_dir(dir)};
    if (f->fd < 0) {
        return errno == ENOENT ? SL_OK : sl_fail_errno(err, errno, "cannot use the cache's folder", dir);
    }
    int own = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = own >= 0 ? fdopendir(own) : NULL;
    if (!d) {
        int why = errno;
        if (own >= 0) close(own);
        return sl_fail_errno(err, why, "cannot read the cache's folder", dir);
    }
    sl_status status = read_names(f, d, err);
    closedir(d);
    if (f->n) qsort(f->v, f->n, sizeof *f->v, by_use);
    return status;
}

/* ---- listing --------------------------------------------------------------------------------------------- */

static const char *kept(folder *f, sl_text t) {
    return sl_arena_strndup(&f->arena, t.s ? t.s : "", t.n);
}

/* A damaged entry has a size and a time only. */
static sl_status show(folder *f, const found *file, sl_buf *text, sl_cache_visit visit, void *user,
                      sl_error *err) {
    sl_cache_item item = {
        .name = file->name, .etag = "", .modified = "", .size = file->size, .used = file->used.tv_sec};
    sl_cache_head head;
    int fd = openat(f->fd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return SL_OK; /* gone since */
    if (file->kind == ENTRY && sl_cache_read_head(fd, text, &head)) {
        item.stored = head.stored;
        item.url = kept(f, head.url);
        item.etag = kept(f, sl_cache_head_value(&head, "ETag"));
        item.modified = kept(f, sl_cache_head_value(&head, "Last-Modified"));
    }
    close(fd);
    if (!item.etag || !item.modified) return sl_oom(err);
    return visit(user, &item, err);
}

sl_status sl_cache_list(const char *dir, sl_cache_visit visit, void *user, sl_error *err) {
    folder f;
    sl_buf text = {0};
    sl_status status = open_folder(dir, &f, err);
    for (size_t i = 0; i < f.n && !status; i++)
        if (f.v[i].kind != NOTE) status = show(&f, &f.v[i], &text, visit, user, err);
    sl_buf_free(&text);
    close_folder(&f);
    return status;
}

/* ---- removing -------------------------------------------------------------------------------------------- */

/* Notes are no entries and not counted. */
static void remove_file(folder *f, found *file, sl_cache_pruned *out) {
    if (unlinkat(f->fd, file->name, 0) == 0 && file->kind != NOTE) {
        out->files++;
        out->bytes += file->size;
    }
}

/* Goes on from the longest unused: so the first that may stay is followed by others that may. A temporary file stays
 * while somebody may be writing it, and takes its room all the same. */
static void remove_surplus(folder *f, int64_t older, uint64_t max_size, sl_cache_pruned *out) {
    int64_t forgotten = sl_clock_epoch() - FORGOTTEN;
    uint64_t left = 0;
    for (size_t i = 0; i < f->n; i++) left += f->v[i].size;
    for (size_t i = 0; i < f->n; i++) {
        found *file = &f->v[i];
        bool go = file->used.tv_sec < (file->kind == PART ? forgotten : older);
        if (go || (file->kind == ENTRY && left > max_size)) {
            left -= file->size;
            remove_file(f, file, out);
        } else if (file->kind == ENTRY) {
            out->files_left++;
            out->bytes_left += file->size;
        }
    }
}

sl_status sl_cache_prune(const char *dir, int64_t older, uint64_t max_size, sl_cache_pruned *out,
                         sl_error *err) {
    folder f;
    *out = (sl_cache_pruned){0};
    sl_status status = open_folder(dir, &f, err);
    if (!status) remove_surplus(&f, older, max_size, out);
    close_folder(&f);
    return status;
}

sl_status sl_cache_clear(const char *dir, sl_cache_pruned *out, sl_error *err) {
    folder f;
    *out = (sl_cache_pruned){0};
    sl_status status = open_folder(dir, &f, err);
    for (size_t i = 0; i < f.n && !status; i++) remove_file(&f, &f.v[i], out);
    close_folder(&f);
    if (!status) rmdir(dir); /* unless there is something else in it */
    return status;
}
