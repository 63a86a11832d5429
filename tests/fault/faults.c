/* MAP_ANONYMOUS and O_TMPFILE are none of POSIX's. */
#define _GNU_SOURCE
/* The linker gives calls of malloc to __wrap_malloc, and __real_malloc is the C library's. */
#include "faults.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What has happened since faults were armed, in this process and those it has forked. */
struct counts {
    atomic_uint_fast64_t calls, fired, turns;
};

/* The one state of these programs, for there is one C library. */
static faults armed;
static struct counts *counts;

void faults_arm(const faults *f) {
    atomic_store(&counts->calls, 0);
    atomic_store(&counts->fired, 0);
    atomic_store(&counts->turns, 0);
    armed = *f;
}

bool faults_disarm(void) {
    armed = (faults){0};
    return atomic_load(&counts->fired) > 0;
}

static bool fails(fault_call call) {
    if (armed.call != call || !armed.at) return false;
    uint64_t n = atomic_fetch_add(&counts->calls, 1) + 1;
    if (n < armed.at || (n > armed.at && !armed.on)) return false;
    atomic_fetch_add(&counts->fired, 1);
    errno = call == FAULT_MEMORY ? ENOMEM : armed.code;
    return true;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t size) {
    return fails(FAULT_MEMORY) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails(FAULT_MEMORY) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size) {
    return fails(FAULT_MEMORY) ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s) {
    return fails(FAULT_MEMORY) ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n) {
    return fails(FAULT_MEMORY) ? NULL : __real_strndup(s, n);
}

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size) {
    return fails(FAULT_MEMORY) ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *p, int size) {
    return fails(FAULT_MEMORY) ? NULL : sqlite_memory.xRealloc(p, size);
}

void faults_everywhere(void) {
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED) abort();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
    sqlite3_mem_methods ours = sqlite_memory;
    ours.xMalloc = sqlite_malloc;
    ours.xRealloc = sqlite_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool is_regular(int fd) {
    struct stat st;
    int kept = errno;
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    errno = kept;
    return regular;
}

static bool interrupted(void) {
    if (!armed.interrupt || atomic_fetch_add(&counts->turns, 1) % 2) return false;
    errno = EINTR;
    return true;
}

static size_t shortened(size_t n) {
    if (!armed.shorten) return n;
    size_t few = atomic_fetch_add(&counts->turns, 1) % 7 * 37 + 1;
    return n > few ? few : n;
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __real_pread64(int fd, void *p, size_t n, off_t at);
ssize_t __real_pwrite64(int fd, const void *p, size_t n, off_t at);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_sync_file_range(int fd, off_t from, off_t n, unsigned flags);
int __real_rename(const char *from, const char *to);
int __real_open64(const char *path, int flags, ...);
int __real_mkstemp64(char *path);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, off_t at);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_sync_file_range(int fd, off_t from, off_t n, unsigned flags);
int __wrap_rename(const char *from, const char *to);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_mkstemp64(char *path);

ssize_t __wrap_read(int fd, void *p, size_t n) {
    if (interrupted() || (is_regular(fd) && fails(FAULT_READ))) return -1;
    return __real_read(fd, p, shortened(n));
}

ssize_t __wrap_write(int fd, const void *p, size_t n) {
    if (interrupted() || (is_regular(fd) && fails(FAULT_WRITE))) return -1;
    return __real_write(fd, p, shortened(n));
}

ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t at) {
    if (interrupted() || fails(FAULT_READ)) return -1;
    return __real_pread64(fd, p, shortened(n), at);
}

ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, off_t at) {
    if (interrupted() || fails(FAULT_WRITE)) return -1;
    return __real_pwrite64(fd, p, shortened(n), at);
}

int __wrap_fsync(int fd) {
    return interrupted() || fails(FAULT_SYNC) ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd) {
    return interrupted() || fails(FAULT_EARLY) ? -1 : __real_fdatasync(fd);
}

int __wrap_sync_file_range(int fd, off_t from, off_t n, unsigned flags) {
    return interrupted() || fails(FAULT_LOST) ? -1 : __real_sync_file_range(fd, from, n, flags);
}

int __wrap_rename(const char *from, const char *to) {
    return fails(FAULT_RENAME) ? -1 : __real_rename(from, to);
}

int __wrap_open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    return fails(FAULT_OPEN) ? -1 : __real_open64(path, flags, mode);
}

int __wrap_mkstemp64(char *path) {
    return fails(FAULT_OPEN) ? -1 : __real_mkstemp64(path);
}

/* ---- workers ----------------------------------------------------------------------------------------------------- */

pid_t __real_fork(void);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);
pid_t __wrap_fork(void);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);

pid_t __wrap_fork(void) {
    return fails(FAULT_WORKER) ? -1 : __real_fork();
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg) {
    return fails(FAULT_WORKER) ? errno : __real_pthread_create(t, a, run, arg);
}
