/* shim.c: a library that is loaded before all others (LD_PRELOAD) and makes calls of a program fail.
 *
 * It stands between the program, with every library it uses, and the C library: allocations and system calls go through here, are
 * counted, and the one that is asked for fails, once or from then on. Counting begins with main. Not seen: system calls that the C
 * library makes by itself (what fopen, opendir, mkstemp, fork and posix_spawn call inside; those functions are here instead), the
 * loader, and memory that the C library takes for thread stacks.
 *
 *     SLUICE_FAULT_NOTES  a file of NOTES_SIZE zero bytes, where the counts of all processes meet: struct notes
 *     SLUICE_FAULT        CLASS AT HOW WHAT WHERE, as numbers, separated by blanks:
 *                         CLASS  enum class; ANY: every system call
 *                         AT     the call that fails, from 1; 0: none, calls are only counted
 *                         HOW    0 once, 1 from then on, 2 every other one from then on
 *                         WHAT   an errno; 0: the transfer moves a few bytes only; -N: signal N is raised and the call goes on
 *                         WHERE  0 counted in all processes together, 1 in the coordinator, 2 in its workers together
 *
 * A crash leaves its signal and its stack in the notes. tests/fault/disturbed.py is what uses this. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dirent.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

/* disturbed.py has the same list. */
enum class {
    MEMORY,
    OPEN,     /* open, openat, creat, fopen, opendir, mkstemp */
    READ,     /* read, pread */
    WRITE,    /* write, pwrite */
    SYNC,     /* fsync, fdatasync, sync_file_range */
    RENAME,   /* rename, link */
    REMOVE,   /* unlink, rmdir */
    TRUNCATE, /* ftruncate, fallocate */
    CLOSE,    /* the descriptor is closed all the same, as Linux does it */
    STAT,     /* stat, lstat, fstat, access, readlink, getcwd, realpath */
    LOCK,     /* fcntl with a lock to take, flock */
    CONTROL,  /* fcntl without one, fchmod, fchown, futimens, setsockopt */
    START,    /* fork, pthread_create */
    PAIR,     /* socketpair, pipe, dup, socket */
    POLL,
    SEND, /* send, sendmsg */
    RECEIVE,
    MAP,    /* mmap, mremap */
    FOLDER, /* mkdir */
    WAIT,   /* waitpid, wait4 */
    ANY,
    CLASSES
};

enum { EVERYWHERE, COORDINATOR, WORKERS, PLACES };
enum { ONCE, ON, BY_TURNS };
enum { NOTES_SIZE = 16384, STACK = 64, CRASH_STACK = 65536, FEW = 3 };

struct notes {
    atomic_uint_fast64_t calls[PLACES][CLASSES];
    atomic_uint_fast64_t fired;
    atomic_uint_fast64_t crash; /* the signal of the first process that crashed */
    atomic_uint_fast64_t crash_place;
    char stack[8192];
};

/* The one state of this library; read-only once main runs, but for the notes. */
static struct notes *notes;
static struct {
    int class, how, what, where;
    uint64_t at;
} plan;
static pid_t coordinator;
static bool counting;

static int place(void) {
    return getpid() == coordinator ? COORDINATOR : WORKERS;
}

static uint64_t count(enum class class) {
    uint64_t n[PLACES] = {0};
    int here = place();
    n[EVERYWHERE] = atomic_fetch_add(&notes->calls[EVERYWHERE][class], 1) + 1;
    n[here] = atomic_fetch_add(&notes->calls[here][class], 1) + 1;
    return n[plan.where];
}

static bool chosen(uint64_t n) {
    if (!plan.at || n < plan.at) return false;
    return n == plan.at || plan.how == ON || (plan.how == BY_TURNS && (n - plan.at) % 2 == 0);
}

/* Whether the plan's fault hits this call. */
static bool hits(enum class class) {
    if (!counting) return false;
    uint64_t n = count(class), any = class == MEMORY ? 0 : count(ANY);
    if (plan.class != (int)class && (plan.class != ANY || class == MEMORY)) return false;
    return chosen(plan.class == ANY ? any : n);
}

static bool fails(enum class class) {
    if (!hits(class)) return false;
    atomic_fetch_add(&notes->fired, 1);
    if (plan.what < 0) kill(getpid(), -plan.what);
    if (plan.what <= 0) return false;
    errno = plan.what;
    return true;
}

/* As above, for a call that moves *N bytes: it may be told to move fewer. */
static bool fails_or_shrinks(enum class class, size_t *n) {
    if (!hits(class)) return false;
    atomic_fetch_add(&notes->fired, 1);
    if (plan.what < 0) kill(getpid(), -plan.what);
    if (plan.what == 0 && *n > FEW) *n = FEW;
    if (plan.what <= 0) return false;
    errno = plan.what;
    return true;
}

/* ---- crashes ------------------------------------------------------------------------------------------------------ */

static void add_number(char *text, size_t size, uintptr_t n) {
    char digits[2 * sizeof n + 1];
    size_t at = sizeof digits - 1, used = strlen(text);
    digits[at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[n % 16];
    } while (n /= 16);
    strncat(text, digits + at, size - used - 1);
}

/* "/path/of/object+offset", a line a frame. Offsets are what addr2line takes. */
static void add_frame(void *address) {
    char *text = notes->stack;
    size_t size = sizeof notes->stack;
    Dl_info info;
    if (!dladdr(address, &info) || !info.dli_fname) return;
    strncat(text, info.dli_fname, size - strlen(text) - 1);
    strncat(text, "+", size - strlen(text) - 1);
    add_number(text, size, (uintptr_t)address - (uintptr_t)info.dli_fbase);
    strncat(text, "\n", size - strlen(text) - 1);
}

static void on_crash(int number) {
    void *frames[STACK];
    uint_fast64_t none = 0;
    counting = false;
    if (atomic_compare_exchange_strong(&notes->crash, &none, (uint_fast64_t)number)) {
        atomic_store(&notes->crash_place, (uint_fast64_t)place());
        int n = backtrace(frames, STACK);
        for (int i = 0; i < n; i++) add_frame(frames[i]);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_crashes(void) {
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    static char space[CRASH_STACK];
    stack_t stack = {.ss_sp = space, .ss_size = sizeof space};
    void *frames[2];
    backtrace(frames, 2); /* loads what it needs while there is memory */
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
}

/* ---- the start ---------------------------------------------------------------------------------------------------- */

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **env) {
    coordinator = getpid();
    counting = notes != NULL;
    return real_main(argc, argv, env);
}

static void read_plan(void) {
    const char *text = getenv("SLUICE_FAULT"), *path = getenv("SLUICE_FAULT_NOTES");
    unsigned long long at = 0;
    if (!text || !path) return;
    if (sscanf(text, "%d %llu %d %d %d", &plan.class, &at, &plan.how, &plan.what, &plan.where) != 5) abort();
    plan.at = at;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, NOTES_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) abort();
    close(fd);
    notes = p;
    watch_crashes();
}

/* Calls the function of this name that comes next, as if ours were not there. */
#define NEXT(result, name, ...)                                                                              \
    static result (*next_##name)(__VA_ARGS__);                                                               \
    if (!next_##name) *(void **)&next_##name = dlsym(RTLD_NEXT, #name)

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack_end) {
    NEXT(int, __libc_start_main, int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
         void (*)(void), void *);
    real_main = main;
    read_plan();
    return next___libc_start_main(counted_main, argc, argv, init, fini, loader_fini, stack_end);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

/* The C library's own names, as dlsym allocates. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

void *malloc(size_t n) {
    return fails(MEMORY) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size) {
    return fails(MEMORY) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n) {
    return fails(MEMORY) ? NULL : __libc_realloc(p, n);
}

void *reallocarray(void *p, size_t n, size_t size) {
    size_t all;
    if (__builtin_mul_overflow(n, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, all);
}

void *aligned_alloc(size_t alignment, size_t n) {
    return fails(MEMORY) ? NULL : __libc_memalign(alignment, n);
}

void *memalign(size_t alignment, size_t n);
void *memalign(size_t alignment, size_t n) {
    return aligned_alloc(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n) {
    void *got = aligned_alloc(alignment, n);
    if (got) *p = got;
    return got ? 0 : ENOMEM;
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset) {
    NEXT(void *, mmap, void *, size_t, int, int, int, off_t);
    return fails(MAP) ? MAP_FAILED : next_mmap(at, n, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset) {
    return mmap(at, n, protection, flags, fd, offset);
}

void *mremap(void *old, size_t old_n, size_t n, int flags, ...) {
    NEXT(void *, mremap, void *, size_t, size_t, int, void *);
    va_list args;
    va_start(args, flags);
    void *fixed = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    return fails(MAP) ? MAP_FAILED : next_mremap(old, old_n, n, flags, fixed);
}

/* ---- files: opening ------------------------------------------------------------------------------------------------ */

static mode_t mode_of(int flags, va_list args) {
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(args, int) : 0;
}

int openat(int folder, const char *path, int flags, ...) {
    NEXT(int, openat, int, const char *, int, ...);
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return fails(OPEN) ? -1 : next_openat(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return openat(folder, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return openat(AT_FDCWD, path, flags, mode);
}

FILE *fopen(const char *path, const char *mode) {
    NEXT(FILE *, fopen, const char *, const char *);
    return fails(OPEN) ? NULL : next_fopen(path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
    return fopen(path, mode);
}

DIR *opendir(const char *path) {
    NEXT(DIR *, opendir, const char *);
    return fails(OPEN) ? NULL : next_opendir(path);
}

int mkstemp(char *path) {
    NEXT(int, mkstemp, char *);
    return fails(OPEN) ? -1 : next_mkstemp(path);
}

int mkstemp64(char *path) {
    return mkstemp(path);
}

int mkostemp(char *path, int flags) {
    NEXT(int, mkostemp, char *, int);
    return fails(OPEN) ? -1 : next_mkostemp(path, flags);
}

int mkostemp64(char *path, int flags) {
    return mkostemp(path, flags);
}

int close(int fd) {
    NEXT(int, close, int);
    bool failed = fails(CLOSE);
    int code = errno, result = next_close(fd);
    if (!failed) return result;
    errno = code;
    return -1;
}

/* ---- files: contents ------------------------------------------------------------------------------------------------ */

ssize_t read(int fd, void *p, size_t n) {
    NEXT(ssize_t, read, int, void *, size_t);
    return fails_or_shrinks(READ, &n) ? -1 : next_read(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at) {
    NEXT(ssize_t, pread, int, void *, size_t, off_t);
    return fails_or_shrinks(READ, &n) ? -1 : next_pread(fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off_t at) {
    return pread(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n) {
    NEXT(ssize_t, write, int, const void *, size_t);
    return fails_or_shrinks(WRITE, &n) ? -1 : next_write(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
    NEXT(ssize_t, pwrite, int, const void *, size_t, off_t);
    return fails_or_shrinks(WRITE, &n) ? -1 : next_pwrite(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) {
    return pwrite(fd, p, n, at);
}

int fsync(int fd) {
    NEXT(int, fsync, int);
    return fails(SYNC) ? -1 : next_fsync(fd);
}

int fdatasync(int fd) {
    NEXT(int, fdatasync, int);
    return fails(SYNC) ? -1 : next_fdatasync(fd);
}

int sync_file_range(int fd, off_t from, off_t n, unsigned flags) {
    NEXT(int, sync_file_range, int, off_t, off_t, unsigned);
    return fails(SYNC) ? -1 : next_sync_file_range(fd, from, n, flags);
}

int ftruncate(int fd, off_t n) {
    NEXT(int, ftruncate, int, off_t);
    return fails(TRUNCATE) ? -1 : next_ftruncate(fd, n);
}

int ftruncate64(int fd, off_t n) {
    return ftruncate(fd, n);
}

int fallocate(int fd, int mode, off_t at, off_t n) {
    NEXT(int, fallocate, int, int, off_t, off_t);
    return fails(TRUNCATE) ? -1 : next_fallocate(fd, mode, at, n);
}

int fallocate64(int fd, int mode, off_t at, off_t n) {
    return fallocate(fd, mode, at, n);
}

/* Returns what others leave in errno. */
int posix_fallocate(int fd, off_t at, off_t n) {
    NEXT(int, posix_fallocate, int, off_t, off_t);
    return fails(TRUNCATE) ? errno : next_posix_fallocate(fd, at, n);
}

int posix_fallocate64(int fd, off_t at, off_t n) {
    return posix_fallocate(fd, at, n);
}

/* ---- files: names and states ----------------------------------------------------------------------------------------- */

int rename(const char *from, const char *to) {
    NEXT(int, rename, const char *, const char *);
    return fails(RENAME) ? -1 : next_rename(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    NEXT(int, renameat, int, const char *, int, const char *);
    return fails(RENAME) ? -1 : next_renameat(from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    NEXT(int, renameat2, int, const char *, int, const char *, unsigned);
    return fails(RENAME) ? -1 : next_renameat2(from_folder, from, to_folder, to, flags);
}

int link(const char *from, const char *to) {
    NEXT(int, link, const char *, const char *);
    return fails(RENAME) ? -1 : next_link(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    NEXT(int, linkat, int, const char *, int, const char *, int);
    return fails(RENAME) ? -1 : next_linkat(from_folder, from, to_folder, to, flags);
}

int unlink(const char *path) {
    NEXT(int, unlink, const char *);
    return fails(REMOVE) ? -1 : next_unlink(path);
}

int unlinkat(int folder, const char *path, int flags) {
    NEXT(int, unlinkat, int, const char *, int);
    return fails(REMOVE) ? -1 : next_unlinkat(folder, path, flags);
}

int rmdir(const char *path) {
    NEXT(int, rmdir, const char *);
    return fails(REMOVE) ? -1 : next_rmdir(path);
}

int mkdir(const char *path, mode_t mode) {
    NEXT(int, mkdir, const char *, mode_t);
    return fails(FOLDER) ? -1 : next_mkdir(path, mode);
}

int fstatat(int folder, const char *path, struct stat *st, int flags) {
    NEXT(int, fstatat, int, const char *, struct stat *, int);
    return fails(STAT) ? -1 : next_fstatat(folder, path, st, flags);
}

int fstatat64(int folder, const char *path, struct stat64 *st, int flags) {
    NEXT(int, fstatat64, int, const char *, struct stat64 *, int);
    return fails(STAT) ? -1 : next_fstatat64(folder, path, st, flags);
}

int stat(const char *path, struct stat *st) {
    return fstatat(AT_FDCWD, path, st, 0);
}

int stat64(const char *path, struct stat64 *st) {
    return fstatat64(AT_FDCWD, path, st, 0);
}

int lstat(const char *path, struct stat *st) {
    return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int lstat64(const char *path, struct stat64 *st) {
    return fstatat64(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *st) {
    return fstatat(fd, "", st, AT_EMPTY_PATH);
}

int fstat64(int fd, struct stat64 *st) {
    return fstatat64(fd, "", st, AT_EMPTY_PATH);
}

int access(const char *path, int mode) {
    NEXT(int, access, const char *, int);
    return fails(STAT) ? -1 : next_access(path, mode);
}

ssize_t readlink(const char *path, char *to, size_t n) {
    NEXT(ssize_t, readlink, const char *, char *, size_t);
    return fails(STAT) ? -1 : next_readlink(path, to, n);
}

char *getcwd(char *to, size_t n) {
    NEXT(char *, getcwd, char *, size_t);
    return fails(STAT) ? NULL : next_getcwd(to, n);
}

char *realpath(const char *path, char *to) {
    NEXT(char *, realpath, const char *, char *);
    return fails(STAT) ? NULL : next_realpath(path, to);
}

/* ---- files: control ---------------------------------------------------------------------------------------------------- */

/* What gives a lock back has no reason to fail, and SQLite takes it for a failed commit. */
static bool gives_back(int command, const void *more) {
    const struct flock *lock = more;
    return (command == F_SETLK || command == F_SETLKW) && lock->l_type == F_UNLCK;
}

static bool is_lock(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW || command == F_OFD_GETLK;
}

int fcntl(int fd, int command, ...) {
    NEXT(int, fcntl, int, int, ...);
    va_list args;
    va_start(args, command);
    void *more = va_arg(args, void *);
    va_end(args);
    if (gives_back(command, more)) return next_fcntl(fd, command, more);
    return fails(is_lock(command) ? LOCK : CONTROL) ? -1 : next_fcntl(fd, command, more);
}

int fcntl64(int fd, int command, ...) {
    va_list args;
    va_start(args, command);
    void *more = va_arg(args, void *);
    va_end(args);
    return fcntl(fd, command, more);
}

int flock(int fd, int operation);
int flock(int fd, int operation) {
    NEXT(int, flock, int, int);
    return fails(LOCK) ? -1 : next_flock(fd, operation);
}

int fchmod(int fd, mode_t mode) {
    NEXT(int, fchmod, int, mode_t);
    return fails(CONTROL) ? -1 : next_fchmod(fd, mode);
}

int fchown(int fd, uid_t user, gid_t group) {
    NEXT(int, fchown, int, uid_t, gid_t);
    return fails(CONTROL) ? -1 : next_fchown(fd, user, group);
}

int futimens(int fd, const struct timespec times[2]) {
    NEXT(int, futimens, int, const struct timespec *);
    return fails(CONTROL) ? -1 : next_futimens(fd, times);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t n) {
    NEXT(int, setsockopt, int, int, int, const void *, socklen_t);
    return fails(CONTROL) ? -1 : next_setsockopt(fd, level, name, value, n);
}

/* ---- processes and what they say to each other --------------------------------------------------------------------------- */

pid_t fork(void) {
    NEXT(pid_t, fork, void);
    return fails(START) ? -1 : next_fork();
}

typedef struct thread_start {
    void *(*run)(void *);
    void *arg;
} thread_start;

/* A thread that has used up its stack crashes as well, and can say so only on another one. The room is mapped, not allocated, and lives as
 * long as the process. */
static void *run_watched(void *arg) {
    thread_start start = *(thread_start *)arg;
    stack_t stack = {.ss_size = CRASH_STACK};
    free(arg);
    stack.ss_sp = (void *)syscall(SYS_mmap, NULL, stack.ss_size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L);
    if (stack.ss_sp != MAP_FAILED) sigaltstack(&stack, NULL);
    return start.run(start.arg);
}

/* Returns what others leave in errno. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg) {
    NEXT(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (fails(START)) return errno;
    thread_start *start = __libc_malloc(sizeof *start);
    if (!start) return EAGAIN;
    *start = (thread_start){run, arg};
    int failed = next_pthread_create(thread, attr, run_watched, start);
    if (failed) free(start);
    return failed;
}

int socketpair(int domain, int type, int protocol, int pair[2]) {
    NEXT(int, socketpair, int, int, int, int *);
    return fails(PAIR) ? -1 : next_socketpair(domain, type, protocol, pair);
}

int pipe(int pair[2]) {
    NEXT(int, pipe, int *);
    return fails(PAIR) ? -1 : next_pipe(pair);
}

int pipe2(int pair[2], int flags) {
    NEXT(int, pipe2, int *, int);
    return fails(PAIR) ? -1 : next_pipe2(pair, flags);
}

int dup(int fd) {
    NEXT(int, dup, int);
    return fails(PAIR) ? -1 : next_dup(fd);
}

int socket(int domain, int type, int protocol) {
    NEXT(int, socket, int, int, int);
    return fails(PAIR) ? -1 : next_socket(domain, type, protocol);
}

int poll(struct pollfd *polled, nfds_t n, int ms) {
    NEXT(int, poll, struct pollfd *, nfds_t, int);
    return fails(POLL) ? -1 : next_poll(polled, n, ms);
}

int ppoll(struct pollfd *polled, nfds_t n, const struct timespec *most, const sigset_t *mask) {
    NEXT(int, ppoll, struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    return fails(POLL) ? -1 : next_ppoll(polled, n, most, mask);
}

ssize_t send(int fd, const void *p, size_t n, int flags) {
    NEXT(ssize_t, send, int, const void *, size_t, int);
    return fails_or_shrinks(SEND, &n) ? -1 : next_send(fd, p, n, flags);
}

/* A short one sends the beginning of the first piece. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    NEXT(ssize_t, sendmsg, int, const struct msghdr *, int);
    size_t first = message->msg_iovlen ? message->msg_iov[0].iov_len : 0, n = first;
    if (fails_or_shrinks(SEND, &n)) return -1;
    if (n < first) return send(fd, message->msg_iov[0].iov_base, n, flags);
    return next_sendmsg(fd, message, flags);
}

ssize_t recv(int fd, void *p, size_t n, int flags) {
    NEXT(ssize_t, recv, int, void *, size_t, int);
    return fails_or_shrinks(RECEIVE, &n) ? -1 : next_recv(fd, p, n, flags);
}

pid_t waitpid(pid_t pid, int *status, int flags) {
    NEXT(pid_t, waitpid, pid_t, int *, int);
    return fails(WAIT) ? -1 : next_waitpid(pid, status, flags);
}

struct rusage;
pid_t wait4(pid_t pid, int *status, int flags, struct rusage *usage);
pid_t wait4(pid_t pid, int *status, int flags, struct rusage *usage) {
    NEXT(pid_t, wait4, pid_t, int *, int, struct rusage *);
    return fails(WAIT) ? -1 : next_wait4(pid, status, flags, usage);
}
