/* coprocess.c: a command that runs beside a worker. Writing to it and reading from it happen in one poll loop, since a command
 * that answers while it is still being written to would otherwise wait for us as we wait for it. */
#include "operators/call/coprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

enum {
    NAP_MS = 1,      /* between its last byte and its end */
    LOOK_MS = 100,   /* between two looks at the clock and at `stopping` */
    GRACE_MS = 1000, /* for an end after its input was closed */
    HURRY_MS = 100,  /* the same when the run stops */
    BLOCK = 64 << 10
};

struct sl_coprocess {
    const char *name;
    pid_t pid;   /* 0: gone */
    int in, out; /* -1: closed */
    double timeout;
    const _Atomic bool *stopping;
};

/* ---- starting ----------------------------------------------------------------------------------------------------------- */

static void close_end(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void set_flags(int fd, bool nonblocking) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (nonblocking) fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* Signals as the program itself was given them: its mask, whatever the worker blocks. What the program ignored at its start is ignored,
 * what it catches is not. */
static int spawn(sl_coprocess *c, char *const *argv, char *const *env, const sigset_t *mask, int in,
                 int out) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&files);
    if (failed) return failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
        if (mask) posix_spawnattr_setsigmask(&attributes, mask);
        posix_spawnattr_setflags(&attributes, mask ? POSIX_SPAWN_SETSIGMASK : 0);
        failed = posix_spawnp(&c->pid, argv[0], &files, &attributes, argv, env);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    if (failed) c->pid = 0;
    return failed;
}

sl_status sl_coprocess_start(char *const *argv, char *const *env, const sigset_t *mask, double timeout,
                             const _Atomic bool *stopping, sl_coprocess **out, sl_error *err) {
    int in[2] = {-1, -1}, back[2] = {-1, -1};
    sl_coprocess *c = *out = calloc(1, sizeof *c);
    if (!c) return sl_oom(err);
    *c = (sl_coprocess){.name = argv[0], .in = -1, .out = -1, .timeout = timeout, .stopping = stopping};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, back) != 0) {
        sl_status s = sl_fail_errno(err, errno, "cannot make a channel to", argv[0]);
        close_end(&in[0]);
        close_end(&in[1]);
        return s;
    }
    int failed = spawn(c, argv, env, mask, in[1], back[1]);
    close_end(&in[1]);
    close_end(&back[1]);
    c->in = in[0];
    c->out = back[0];
    set_flags(c->in, true);
    set_flags(c->out, true);
    return failed ? sl_fail_errno(err, failed, "cannot run", argv[0]) : SL_OK;
}

/* ---- its end ------------------------------------------------------------------------------------------------------------- */

static bool is_stopping(const sl_coprocess *c) {
    return c->stopping && atomic_load_explicit(c->stopping, memory_order_relaxed);
}

/* Waits for the end, GRACE_MS at most, and kills then. The wait status, or -1. */
static int reap(sl_coprocess *c) {
    int status = -1;
    struct timespec nap = {.tv_nsec = 1000000};
    uint64_t since = sl_clock_ns();
    for (int flags = WNOHANG; c->pid;) {
        pid_t ended = waitpid(c->pid, &status, flags);
        if (ended == c->pid || (ended < 0 && errno != EINTR)) break;
        if (ended < 0) continue;
        nanosleep(&nap, NULL);
        if (sl_clock_ns() - since < (is_stopping(c) ? HURRY_MS : GRACE_MS) * UINT64_C(1000000)) continue;
        kill(c->pid, SIGKILL);
        flags = 0;
    }
    c->pid = 0;
    return status;
}

static sl_status bad_end(const sl_coprocess *c, int status, const char *when, sl_error *err) {
    if (status != -1 && WIFSIGNALED(status))
        return sl_fail(err, SL_E_DATA, "the command '%s' was killed by signal %d (%s) %s", c->name,
                       WTERMSIG(status), strsignal(WTERMSIG(status)), when);
    return sl_fail(err, SL_E_DATA, "the command '%s' ended with exit status %d %s", c->name,
                   status == -1 ? -1 : WEXITSTATUS(status), when);
}

static sl_status ended_early(sl_coprocess *c, sl_error *err) {
    close_end(&c->in);
    return bad_end(c, reap(c), "before it had answered", err);
}

static void kill_now(sl_coprocess *c) {
    if (c->pid) kill(c->pid, SIGKILL);
    reap(c);
}

void sl_coprocess_free(sl_coprocess **cp) {
    sl_coprocess *c = *cp;
    if (!c) return;
    close_end(&c->in);
    reap(c);
    close_end(&c->out);
    free(c);
    *cp = NULL;
}

/* ---- talking -------------------------------------------------------------------------------------------------------------- */

/* Bytes moved, 0 when the other side is gone or not ready; *GONE tells which. */
static size_t write_some(sl_coprocess *c, sl_text *in) {
    ssize_t n = send(c->in, in->s, in->n, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) close_end(&c->in); /* its end shows when its answers end */
        return 0;
    }
    in->s += n;
    in->n -= (uint32_t)n;
    return (size_t)n;
}

static size_t read_some(sl_coprocess *c, sl_buf *out, bool *ended) {
    if (!sl_buf_reserve(out, BLOCK)) return 0;
    ssize_t n = read(c->out, out->data + out->len, BLOCK);
    *ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    if (n <= 0) return 0;
    out->len += (size_t)n;
    return (size_t)n;
}

static sl_status silent(sl_coprocess *c, uint64_t since, sl_error *err) {
    if (is_stopping(c)) {
        kill_now(c);
        return sl_fail(err, SL_E_STOPPED, "stopped on request");
    }
    if (c->timeout <= 0 || (double)(sl_clock_ns() - since) < c->timeout * 1e9) return SL_OK;
    kill_now(c);
    return sl_fail(err, SL_E_DATA,
                   "the command '%s' was silent for %g s and was killed; 'timeout' sets the limit", c->name,
                   c->timeout);
}

sl_status sl_coprocess_talk(sl_coprocess *c, sl_text in, sl_buf *out,
                            bool (*enough)(void *user, const sl_buf *out), void *user, sl_error *err) {
    uint64_t since = sl_clock_ns();
    while (in.n || !enough(user, out)) {
        struct pollfd fds[2] = {{.fd = c->out, .events = POLLIN},
                                {.fd = in.n ? c->in : -1, .events = POLLOUT}};
        bool ended = false;
        size_t moved = 0;
        if (!c->pid) return sl_fail(err, SL_E_DATA, "the command '%s' has ended", c->name);
        int ready = poll(fds, 2, LOOK_MS);
        if (ready < 0 && errno != EINTR) return sl_fail_errno(err, errno, "cannot wait for", c->name);
        if (ready > 0 && fds[1].revents) moved += write_some(c, &in);
        if (ready > 0 && fds[0].revents) moved += read_some(c, out, &ended);
        TRY(sl_buf_check(out, err));
        if (ended && enough(user, out)) return SL_OK;
        if (ended) return ended_early(c, err);
        if (moved) since = sl_clock_ns();
        TRY(silent(c, since, err));
    }
    return SL_OK;
}

/* ---- the last word -------------------------------------------------------------------------------------------------------- */

static bool has_ended(sl_coprocess *c, int *status) {
    pid_t ended = waitpid(c->pid, status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
    c->pid = 0;
    return true;
}

sl_status sl_coprocess_finish(sl_coprocess *c, sl_buf *late, sl_error *err) {
    uint64_t since = sl_clock_ns();
    int status = -1;
    bool quiet = false;
    close_end(&c->in);
    while (!late->len && !has_ended(c, &status)) {
        struct pollfd out = {.fd = quiet ? -1 : c->out, .events = POLLIN};
        int ready = poll(&out, 1, quiet ? NAP_MS : LOOK_MS);
        if (ready > 0) read_some(c, late, &quiet);
        TRY(silent(c, since, err));
    }
    if (!c->pid) read_some(c, late, &quiet); /* what it wrote since the last look */
    if (late->len || late->failed) {
        kill_now(c);
        return sl_buf_check(late, err);
    }
    return status == 0 ? SL_OK : bad_end(c, status, "behind its last answer", err);
}
