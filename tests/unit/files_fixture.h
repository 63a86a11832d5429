/* files_fixture.h: a scratch directory for a test program, and files in it. */
#ifndef SL_TESTS_FILES_FIXTURE_H
#define SL_TESTS_FILES_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct scratch {
    char dir[64];
} scratch;

static inline int scratch_make(scratch *s) {
    strcpy(s->dir, "/tmp/sluice-test-XXXXXX");
    return mkdtemp(s->dir) ? 0 : -1;
}

static inline void scratch_path(const scratch *s, const char *name, char out[256]) {
    snprintf(out, 256, "%s/%s", s->dir, name);
}

/* A new file; aborts when it cannot be written. */
static inline void scratch_write(const scratch *s, const char *name, const void *data, size_t n) {
    char path[256];
    scratch_path(s, name, path);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f)) abort();
}

/* Removes the directory and the files in it. */
static inline int scratch_remove(scratch *s) {
    DIR *d = opendir(s->dir);
    if (!d) return -1;
    for (struct dirent *e; (e = readdir(d));) {
        char path[64 + 256 + 2];
        snprintf(path, sizeof path, "%s/%s", s->dir, e->d_name);
        if (e->d_name[0] != '.') unlink(path);
    }
    closedir(d);
    return rmdir(s->dir);
}

#endif
