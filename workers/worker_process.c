/* worker_process.c: the life of a forked worker. It only ever blocks in its own socket, serves one request at a time and ends
 * by _exit. Signals of the terminal are the coordinator's to judge, so a worker catches and forgets them; it leaves when its
 * socket reaches the end, which happens however the coordinator ends. */
#define _DEFAULT_SOURCE /* wait4, which tells the memory of a process that was killed */

#include "workers/worker_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/error.h"
#include "record/batch.h"

static uint64_t peak_of(const struct rusage *usage) {
    return (uint64_t)usage->ru_maxrss * 1024;
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

ssize_t sl_frame_send(int fd, void *head, size_t head_size, char *body, size_t n, size_t sent) {
    size_t head_sent = sent < head_size ? sent : head_size, body_sent = sent - head_sent;
    struct iovec parts[2] = {
        {.iov_base = (char *)head + head_sent, .iov_len = head_size - head_sent},
        {.iov_base = n ? body + body_sent : NULL, .iov_len = n - body_sent},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* ---- the worker -------------------------------------------------------------------------------------------------- */

typedef struct self {
    const sl_pool *pool;
    unsigned number;
    int fd;
    void *state;
    sl_buf in, out; /* recycled from job to job */
    int left;       /* what it exits with */
    sl_reply_head head;
} self;

static void nothing(int number) {
    (void)number;
}

/* A signal from the terminal or a service manager reaches the whole group: the coordinator decides what it means, and the handlers it has
 * installed must not run here. They are caught and not ignored, so that a command started by a worker has them as the program had:
 * exec forgets handlers, but not that a signal is ignored. */
static void leave_signals_to_coordinator(void) {
    static const int theirs[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    struct sigaction catch = {.sa_handler = nothing, .sa_flags = SA_RESTART}, now;
    sigset_t none;
    sigemptyset(&catch.sa_mask);
    for (size_t i = 0; i < SL_COUNT(theirs); i++)
        if (sigaction(theirs[i], NULL, &now) != 0 || now.sa_handler != SIG_IGN)
            sigaction(theirs[i], &catch, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The end of the coordinator shows as end of file; this is for a worker that is busy for long, where the system has it. */
static void die_with(pid_t parent) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent) _exit(0);
}

/* false when the coordinator is gone or has closed its end, or cannot be heard. */
static bool receive_all(self *me, void *to, size_t n) {
    for (size_t got = 0; got < n;) {
        ssize_t r = recv(me->fd, (char *)to + got, n - got, 0);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) me->left = SL_CUT_OFF;
        if (r <= 0) return false;
        got += (size_t)r;
    }
    return true;
}

static bool answer(self *me, uint64_t seq, sl_status status, const sl_error *error) {
    struct rusage usage;
    memset(&me->head, 0, sizeof me->head);
    me->head.seq = seq;
    me->head.n = me->out.len;
    me->head.status = status;
    if (sl_is_failure(status)) me->head.error = *error;
    if (getrusage(RUSAGE_SELF, &usage) == 0) me->head.peak_bytes = peak_of(&usage);
    for (size_t sent = 0; sent < sizeof me->head + me->out.len;) {
        ssize_t r = sl_frame_send(me->fd, &me->head, sizeof me->head, me->out.data, me->out.len, sent);
        if (r < 0 && errno != EINTR) return false;
        if (r > 0) sent += (size_t)r;
    }
    return true;
}

static void work(self *me, sl_job *job) {
    const sl_pool_calls *calls = &me->pool->calls;
    sl_job_settle(job, calls->receive(calls->ctx, job, me->in.data, me->in.len - SL_PADDING));
    if (job->status == SL_OK) sl_pool_work(me->pool, me->state, me->number, job);
    bool failed = sl_is_failure(job->status);
    if (failed && !job->out) return;
    sl_status status = calls->reply(calls->ctx, job, &me->out);
    if (!sl_is_failure(status)) status = sl_buf_check(&me->out, &job->error);
    if (!sl_is_failure(status)) return;
    if (!failed) sl_job_settle(job, status);
    sl_buf_clear(&me->out);
}

/* Reads a request's bytes and SL_PADDING more. *GOOD is false when there is no memory for them. */
static bool receive_request(self *me, size_t n, bool *good) {
    sl_buf_clear(&me->in);
    *good = sl_buf_reserve(&me->in, n + SL_PADDING);
    if (!*good) return true;
    me->in.len = n + SL_PADDING;
    memset(me->in.data + n, 0, SL_PADDING);
    return receive_all(me, me->in.data, n);
}

static bool say_last_word(self *me) {
    sl_error error = {0};
    sl_buf_clear(&me->out);
    sl_status status = sl_pool_worker_finish(me->pool, me->state, &error);
    if (answer(me, SL_LAST_WORD, status, &error)) return true;
    me->left = SL_CUT_OFF;
    return false;
}

/* false: time to leave. */
static bool serve_one(self *me) {
    sl_request_head request;
    bool good;
    if (!receive_all(me, &request, sizeof request)) return false;
    if (request.seq == SL_LAST_WORD) return say_last_word(me);
    if (!receive_request(me, request.n, &good)) return false;
    sl_job job = {.seq = request.seq};
    sl_buf_clear(&me->out);
    if (good)
        work(me, &job);
    else
        sl_job_settle(&job, sl_oom(&job.error));
    bool told = answer(me, request.seq, job.status, &job.error);
    if (!told) me->left = SL_CUT_OFF;
    if (me->pool->calls.clean) me->pool->calls.clean(me->pool->calls.ctx, &job);
    return good && told; /* a request not read is in the way of the next: a fresh worker takes over */
}

_Noreturn void sl_worker_process_run(const sl_pool *pool, unsigned number, int fd, pid_t parent) {
    self me = {.pool = pool, .number = number, .fd = fd, .in.limit = SL_FRAME_LIMIT + SL_PADDING};
    sl_error error = {0};
    leave_signals_to_coordinator();
    die_with(parent);
    sl_status status = sl_pool_worker_start(pool, number, &me.state, &error);
    bool greeted = answer(&me, SL_GREETING, status, &error);
    if (!greeted) me.left = SL_CUT_OFF;
    if (greeted && status == SL_OK)
        while (serve_one(&me)) continue;
    sl_pool_worker_stop(pool, me.state);
    _exit(me.left); /* without atexit handlers and stdio buffers, which are copies of the coordinator's */
}

/* ---- without a process ---------------------------------------------------------------------------------------- */

sl_status sl_worker_process_here(const sl_pool *pool, void *state, sl_job *job) {
    const sl_pool_calls *calls = &pool->calls;
    sl_buf frame = {0}, reply = {0};
    sl_job mine = {.seq = job->seq};
    sl_status status = calls->send(calls->ctx, job, &frame);
    size_t n = frame.len;
    if (!sl_is_failure(status) && sl_buf_reserve(&frame, SL_PADDING)) {
        memset(frame.data + n, 0, SL_PADDING);
        status = calls->receive(calls->ctx, &mine, frame.data, n);
    }
    if (!sl_is_failure(status)) status = sl_buf_check(&frame, &mine.error);
    if (!sl_is_failure(status)) {
        sl_pool_work(pool, state, 0, &mine);
        status = mine.status;
    }
    if (!sl_is_failure(status)) status = calls->reply(calls->ctx, &mine, &reply);
    n = reply.len;
    if (!sl_is_failure(status) && sl_buf_reserve(&reply, SL_PADDING)) memset(reply.data + n, 0, SL_PADDING);
    if (!sl_is_failure(status)) status = sl_buf_check(&reply, &mine.error);
    job->error = mine.error;
    if (calls->clean) calls->clean(calls->ctx, &mine);
    sl_buf_free(&frame);
    if (!sl_is_failure(status)) {
        status = calls->accept(calls->ctx, job, reply.data, n);
    } else {
        sl_buf_free(&reply);
    }
    return status;
}

/* ---- its end ----------------------------------------------------------------------------------------------------- */

static pid_t wait_for(pid_t pid, int flags, int *wait_status, uint64_t *peak_bytes) {
    struct rusage usage = {0};
    pid_t ended;
    do ended = wait4(pid, wait_status, flags, &usage);
    while (ended < 0 && errno == EINTR);
    if (ended == pid && peak_of(&usage) > *peak_bytes) *peak_bytes = peak_of(&usage);
    return ended;
}

uint64_t sl_process_time(pid_t pid) {
    clockid_t clock;
    struct timespec t;
    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

int sl_process_reap(pid_t pid, uint64_t deadline, uint64_t *peak_bytes) {
    int wait_status = 0, flags = WNOHANG;
    struct timespec nap = {.tv_nsec = 100000};
    for (;;) {
        pid_t ended = wait_for(pid, flags, &wait_status, peak_bytes);
        if (ended != 0) return ended == pid ? wait_status : -1;
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < 5000000) nap.tv_nsec *= 2;
        if (sl_clock_ns() < deadline) continue;
        kill(pid, SIGKILL);
        flags = 0;
    }
}

void sl_process_describe(int wait_status, char *out, size_t size) {
    if (wait_status != -1 && WIFSIGNALED(wait_status))
        snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(wait_status),
                 strsignal(WTERMSIG(wait_status)));
    else if (wait_status != -1 && WIFEXITED(wait_status))
        snprintf(out, size, "exited with status %d", WEXITSTATUS(wait_status));
    else
        snprintf(out, size, "ended for an unknown reason");
}
