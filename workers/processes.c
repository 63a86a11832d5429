/* processes.c: forked workers and the one poll loop that serves them.
 *
 * Each worker has a socket pair and at most two jobs: one it runs, one already on the way, so that it never waits for the
 * coordinator between jobs. `pump` is the only place that waits: it writes what the sockets take and reads what they have, so
 * two sides with full buffers cannot block one another. Request frames are kept until their reply is in, and a worker that
 * dies or falls silent is replaced by a fresh one that gets the same frames again. Only the job that was running is charged
 * with the death: the second one ends it. Everything here runs on the coordinator's thread. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/signals.h"
#include "record/batch.h"
#include "workers/worker_process.h"

#define SECOND UINT64_C(1000000000)
#define HURRY  UINT64_C(300000000)

enum {
    AHEAD = 2,            /* jobs a worker may have */
    LIVES = 2,            /* workers a job may cost */
    SILENT_SECONDS = 300, /* options.silent, when that is 0 */
    AT_WORK = 1000000,    /* nanoseconds of processor time that are a sign of life */
    LOOK_MS = 50,         /* how often a waiting coordinator looks at `stopping` */
    KEEP_BYTES = 4 << 20, /* frame buffers above this are not kept for the next job */
    ROOM_BYTES = 2 << 20  /* asked for in a socket, each way: a frame should fit in */
};

typedef struct request {
    sl_job *job;
    unsigned deaths; /* workers lost while they ran it */
    sl_request_head head;
    sl_buf frame;
    size_t sent; /* of head and frame together */
} request;

typedef struct child {
    unsigned number;
    pid_t pid; /* 0: none */
    int fd;    /* -1: none, exactly when pid is 0 */
    bool greeted;
    int unreached;          /* the errno with which it could not be written to; 0: none */
    unsigned stillborn;     /* deaths before a greeting */
    sl_status start_status; /* how the greeting went */
    sl_error start_error;
    request queue[AHEAD]; /* the oldest first */
    unsigned queued;
    sl_job last_word; /* what calls->finish said; no job of the coordinator's, and never in the ring */
    uint64_t since;   /* sl_clock_ns: last sign of life, or when the oldest job became that */
    uint64_t worked; /* its processor time when that job began, or when it was looked at since; nanoseconds */
    sl_reply_head head; /* of the reply being read */
    char *body;         /* NULL: the head is not complete */
    size_t got;         /* bytes of head or body */
} child;

typedef struct process_pool {
    sl_pool base;
    child *children;        /* [options.workers] */
    struct pollfd *polled;  /* the same */
    sl_job **todo;          /* [capacity] jobs [begun, submitted) at their seq */
    uint64_t begun, queued; /* jobs given to a worker, jobs submitted */
    uint64_t silent;        /* nanoseconds */
    void *state;            /* the coordinator's own, where no worker could be started */
} process_pool;

static process_pool *processes_of(sl_pool *pool) {
    return (process_pool *)pool;
}

/* ---- signs of life ------------------------------------------------------------------------------------------------ */

/* A job begins, or a start. */
static void begin_watch(child *c) {
    c->since = sl_clock_ns();
    c->worked = sl_process_time(c->pid);
}

/* One unit may well take an hour of computing, or of waiting by turns for slow servers: who works is alive. */
static bool has_worked(const child *c) {
    return sl_process_time(c->pid) >= c->worked + AT_WORK;
}

/* ---- one worker's queue ------------------------------------------------------------------------------------------ */

/* Takes the oldest request out and hands its job back. */
static void finish(process_pool *p, child *c) {
    assert(c->queued > 0 && c->queued <= AHEAD);
    request old = c->queue[0];
    if (old.job != &c->last_word) sl_pool_put_done(&p->base, old.job);
    sl_buf_clear(&old.frame);
    if (old.frame.cap > KEEP_BYTES) sl_buf_free(&old.frame);
    memmove(&c->queue[0], &c->queue[1], (AHEAD - 1) * sizeof c->queue[0]);
    c->queue[AHEAD - 1] = (request){.frame = old.frame};
    c->queued--;
    begin_watch(c);
}

static void fail_all(process_pool *p, child *c, sl_status status, const sl_error *why) {
    while (c->queued) {
        c->queue[0].job->error = *why;
        sl_job_settle(c->queue[0].job, status);
        finish(p, c);
    }
}

/* ---- life and death of a worker ---------------------------------------------------------------------------------- */

/* Only the worker's own end of its own pair may stay open in it, or no worker would ever see the coordinator go. */
static void close_coordinator_ends(const process_pool *p) {
    for (unsigned i = 0; i < p->base.options.workers; i++)
        if (p->children[i].fd >= 0) close(p->children[i].fd);
}

/* Signals wait while the child still has the coordinator's handlers. */
static pid_t fork_worker(process_pool *p, const child *c, const int pair[2]) {
    sigset_t before;
    pid_t parent = getpid();
    sl_signals_block(&before);
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        close_coordinator_ends(p);
        sl_worker_process_run(&p->base, c->number, pair[1], parent);
    }
    sl_signals_restore(&before);
    return pid;
}

/* The system may give less, which costs turns and nothing else. */
static void make_room(int fd) {
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ROOM_BYTES}, sizeof(int));
}

/* 0, or errno. */
static int try_spawn(process_pool *p, child *c) {
    int pair[2];
    assert(c->pid == 0 && c->fd == -1);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return errno;
    make_room(pair[0]);
    make_room(pair[1]);
    int flags = fcntl(pair[0], F_GETFL);
    pid_t pid = fcntl(pair[0], F_SETFL, flags | O_NONBLOCK) == 0 ? fork_worker(p, c, pair) : -1;
    int failed = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return failed;
    }
    c->pid = pid;
    c->fd = pair[0];
    c->greeted = false;
    c->unreached = 0;
    begin_watch(c);
    return 0;
}

static sl_status spawn(process_pool *p, child *c, sl_error *err) {
    int failed = try_spawn(p, c);
    return failed ? sl_fail_errno(err, failed, "cannot start", "a worker process") : SL_OK;
}

/* shutdown, because a worker of another pool may hold a copy of our end. */
static void hang_up(child *c) {
    if (c->fd < 0) return;
    shutdown(c->fd, SHUT_RDWR);
    close(c->fd);
    c->fd = -1;
    free(c->body);
    c->body = NULL;
    c->got = 0;
}

static int reap(process_pool *p, child *c, uint64_t deadline) {
    assert(c->pid > 0 && c->fd == -1);
    int wait_status = sl_process_reap(c->pid, deadline, &p->base.stats.child_peak_bytes);
    c->pid = 0;
    return wait_status;
}

/* A fresh worker for the requests that the last one left behind. */
static void replace(process_pool *p, child *c) {
    sl_error why = {0};
    if (!c->queued) return; /* made when there is a job for it */
    for (unsigned i = 0; i < c->queued; i++) c->queue[i].sent = 0;
    sl_status status = spawn(p, c, &why);
    if (status != SL_OK) fail_all(p, c, status, &why);
}

/* Charges the running job with the death that WHAT tells; CODE when that ends it. */
static void charge(process_pool *p, child *c, sl_status code, const char *what) {
    request *r = &c->queue[0];
    assert(r->deaths < LIVES);
    if (++r->deaths < LIVES) {
        p->base.stats.retries++;
        SL_TRACE(p->base.options.log, retry, "worker %u %s; unit %llu is sent again",
                 (unsigned)(c - p->children), what, (unsigned long long)r->job->seq);
        return;
    }
    bool last = r->job == &c->last_word;
    sl_status status = sl_fail(&r->job->error, code, "worker process %s%s", what,
                               last ? " at the end of its work" : ", twice with the same piece of input");
    sl_job_settle(r->job, status);
    finish(p, c);
}

/* A death before the greeting costs one retry too. */
static bool start_again(process_pool *p, child *c) {
    if (++c->stillborn >= LIVES || spawn(p, c, &c->start_error) != SL_OK) return false;
    p->base.stats.retries++;
    return true;
}

static void bury(process_pool *p, child *c, sl_status code, const char *what) {
    if (c->queued)
        charge(p, c, code, what);
    else if (!c->greeted && !start_again(p, c))
        c->start_status = sl_fail(&c->start_error, code, "worker process %s at its start", what);
    replace(p, c);
}

/* Whether the worker left because one of the two could not write to the other: that may pass. */
static bool out_of_reach(const child *c, int wait_status, char *what, size_t size) {
    int code = wait_status != -1 && WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    char reason[128] = "";
    if (code == SL_CUT_OFF) snprintf(what, size, "was cut off from the coordinator");
    if (code == 0 && c->unreached && strerror_r(c->unreached, reason, sizeof reason) == 0)
        snprintf(what, size, "could not be sent its work (%s)", reason);
    return code == SL_CUT_OFF || (code == 0 && c->unreached);
}

/* The worker has closed its end. */
static void lost(process_pool *p, child *c) {
    char what[192];
    hang_up(c);
    int wait_status = reap(p, c, sl_clock_ns() + SECOND);
    sl_process_describe(wait_status, what, sizeof what);
    bury(p, c, out_of_reach(c, wait_status, what, sizeof what) ? SL_E_TEMP : SL_E_INTERNAL, what);
}

/* The worker makes no sense or no sound: WHAT says which. */
static void put_down(process_pool *p, child *c, const char *what) {
    hang_up(c);
    reap(p, c, 0);
    bury(p, c, SL_E_INTERNAL, what);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void greet(process_pool *p, child *c) {
    c->greeted = true;
    c->got = 0;
    c->start_status = c->head.status;
    c->start_error = c->head.error;
    if (c->start_status == SL_OK) return;
    hang_up(c);
    reap(p, c, sl_clock_ns() + SECOND);
    fail_all(p, c, c->start_status, &c->start_error);
}

/* The reply is complete. */
static void accept_reply(process_pool *p, child *c) {
    const sl_pool_calls *calls = &p->base.calls;
    sl_job *job = c->queue[0].job;
    char *body = c->body;
    assert(body && c->got == c->head.n);
    c->body = NULL;
    c->got = 0;
    job->error = c->head.error;
    sl_job_settle(job, c->head.status);
    bool failed = sl_is_failure(job->status);
    if ((failed && !c->head.n) || job == &c->last_word)
        free(body);
    else {
        sl_status status = calls->accept(calls->ctx, job, body, c->head.n);
        if (sl_is_failure(status) && !failed) sl_job_settle(job, status);
    }
    finish(p, c);
}

/* The reply cannot be held: its job has failed, and the bytes on the way go with the worker. */
static void refuse_reply(process_pool *p, child *c) {
    sl_job *job = c->queue[0].job;
    sl_job_settle(job, sl_oom(&job->error));
    finish(p, c);
    hang_up(c);
    reap(p, c, 0);
    replace(p, c);
}

/* The head is complete. */
static void begin_reply(process_pool *p, child *c) {
    const sl_reply_head *h = &c->head;
    if (h->peak_bytes > p->base.stats.child_peak_bytes) p->base.stats.child_peak_bytes = h->peak_bytes;
    if (!c->greeted && h->seq == SL_GREETING) {
        greet(p, c);
        return;
    }
    if (!c->greeted || !c->queued || h->seq != c->queue[0].job->seq || h->n > SL_FRAME_LIMIT) {
        put_down(p, c, "sent a reply out of turn");
        return;
    }
    c->body = malloc(h->n + SL_PADDING);
    c->got = 0;
    if (!c->body) {
        refuse_reply(p, c);
        return;
    }
    memset(c->body + h->n, 0, SL_PADDING);
    if (h->n == 0) accept_reply(p, c);
}

/* false: nothing more to read for now. */
static bool read_some(process_pool *p, child *c) {
    char *to = c->body ? c->body : (char *)&c->head;
    size_t size = c->body ? c->head.n : sizeof c->head;
    ssize_t n = recv(c->fd, to + c->got, size - c->got, 0);
    if (n < 0 && errno == EINTR) return true;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (n <= 0) {
        lost(p, c);
        return false;
    }
    c->since = sl_clock_ns();
    c->got += (size_t)n;
    if (c->got < size) return true;
    if (c->body)
        accept_reply(p, c);
    else
        begin_reply(p, c);
    return c->fd >= 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static size_t request_size(const request *r) {
    return sizeof r->head + r->frame.len;
}

/* The first request that is not wholly on its way, or NULL. */
static request *unsent(child *c) {
    for (unsigned i = 0; i < c->queued; i++)
        if (c->queue[i].sent < request_size(&c->queue[i])) return &c->queue[i];
    return NULL;
}

/* What cannot be written to will not be waited for: the worker sees the end, answers what it has and leaves. */
static void give_up_writing(child *c, int why) {
    c->unreached = why;
    shutdown(c->fd, SHUT_WR);
}

/* Stops at a full socket, and at a broken one, whose end read_some will see behind the last replies. */
static void write_some(child *c) {
    for (request *r; !c->unreached && (r = unsent(c));) {
        ssize_t n = sl_frame_send(c->fd, &r->head, sizeof r->head, r->frame.data, r->frame.len, r->sent);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) give_up_writing(c, errno);
        if (n <= 0) return;
        r->sent += (size_t)n;
        c->since = sl_clock_ns();
    }
}

/* ---- giving out -------------------------------------------------------------------------------------------------- */

static child *least_busy(process_pool *p) {
    child *best = NULL;
    for (unsigned i = 0; i < p->base.options.workers; i++) {
        child *c = &p->children[i];
        if (c->queued < (best ? best->queued : AHEAD)) best = c;
    }
    return best;
}

static void give(process_pool *p, child *c, sl_job *job) {
    const sl_pool_calls *calls = &p->base.calls;
    assert(c->queued < AHEAD);
    request *r = &c->queue[c->queued];
    assert(!r->job && !r->sent);
    sl_status status = calls->send(calls->ctx, job, &r->frame);
    if (!sl_is_failure(status)) status = sl_buf_check(&r->frame, &job->error);
    if (sl_is_failure(status)) {
        sl_buf_free(&r->frame);
        sl_job_settle(job, status);
        sl_pool_put_done(&p->base, job);
        return;
    }
    *r = (request){.job = job, .frame = r->frame, .head = {.seq = job->seq, .n = r->frame.len}};
    if (c->queued++ == 0) begin_watch(c);
    if (c->pid == 0) replace(p, c);
    if (c->pid) write_some(c);
}

static void give_out(process_pool *p) {
    for (child *c; p->begun < p->queued && (c = least_busy(p));)
        give(p, c, p->todo[p->begun++ % p->base.capacity]);
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static bool owes(const child *c) {
    return c->pid && (c->queued || !c->greeted);
}

static int wait_ms(const process_pool *p) {
    uint64_t now = sl_clock_ns(), least = p->base.options.stopping ? LOOK_MS : INT_MAX;
    for (unsigned i = 0; i < p->base.options.workers; i++) {
        const child *c = &p->children[i];
        if (!owes(c)) continue;
        uint64_t due = c->since + p->silent, left = due > now ? (due - now) / 1000000 + 1 : 0;
        if (left < least) least = left;
    }
    return (int)least;
}

/* Only after reading: a coordinator that was busy elsewhere must not take its own absence for the worker's. */
static void check_silence(process_pool *p, child *c) {
    char what[64];
    if (!owes(c) || sl_clock_ns() - c->since < p->silent) return;
    if (has_worked(c)) {
        begin_watch(c);
        return;
    }
    snprintf(what, sizeof what, "gave no sign of life for %u seconds and was killed",
             (unsigned)(p->silent / SECOND));
    put_down(p, c, what);
}

/* Moves bytes both ways, waiting for the first up to TIMEOUT milliseconds, and gives out jobs. */
static sl_status pump(process_pool *p, int timeout, sl_error *err) {
    unsigned workers = p->base.options.workers;
    for (unsigned i = 0; i < workers; i++) {
        child *c = &p->children[i];
        bool more = !c->unreached && unsent(c);
        p->polled[i] = (struct pollfd){.fd = c->fd, .events = (short)(more ? POLLIN | POLLOUT : POLLIN)};
    }
    int ready = poll(p->polled, workers, timeout);
    if (ready < 0 && errno != EINTR) return sl_fail_errno(err, errno, "cannot wait for", "worker processes");
    for (unsigned i = 0; i < workers; i++) {
        child *c = &p->children[i];
        if (ready > 0 && (p->polled[i].revents & ~POLLOUT))
            while (read_some(p, c)) continue;
        if (c->fd >= 0 && unsent(c)) write_some(c);
        if (ready >= 0) check_silence(p, c);
    }
    give_out(p);
    return SL_OK;
}

/* ---- the pool ---------------------------------------------------------------------------------------------------- */

static unsigned two_each_and_one(unsigned workers) {
    return 2 * workers + 1;
}

/* The first worker that has not said how its start went, or NULL. */
static const child *not_greeted(const process_pool *p) {
    for (unsigned i = 0; i < p->base.options.workers; i++)
        if (owes(&p->children[i])) return &p->children[i];
    return NULL;
}

static sl_status await_greetings(process_pool *p, sl_error *err) {
    while (not_greeted(p)) {
        if (sl_pool_stopping(&p->base)) return sl_pool_stopped(err);
        TRY(pump(p, wait_ms(p), err));
    }
    for (unsigned i = 0; i < p->base.options.workers; i++) {
        const child *c = &p->children[i];
        if (c->start_status == SL_OK) continue;
        if (err) *err = c->start_error;
        return c->start_status;
    }
    return SL_OK;
}

static child *make_children(unsigned workers) {
    child *children = calloc(workers, sizeof *children);
    for (unsigned i = 0; children && i < workers; i++) {
        children[i].number = i;
        children[i].fd = -1;
    }
    return children;
}

static sl_status start_processes(sl_pool *pool, sl_error *err) {
    process_pool *p = processes_of(pool);
    unsigned workers = pool->options.workers, silent = pool->options.silent;
    p->silent = (silent ? silent : SILENT_SECONDS) * SECOND;
    p->children = make_children(workers);
    p->polled = calloc(workers, sizeof *p->polled);
    p->todo = calloc(pool->capacity, sizeof *p->todo);
    if (!p->children || !p->polled || !p->todo) return sl_oom(err);
    for (unsigned i = 0; i < pool->options.workers; i++) {
        int failed = i && !sl_pool_has_descriptors(2) ? EMFILE : try_spawn(p, &p->children[i]);
        if (failed) sl_pool_do_with(pool, i, failed);
    }
    if (!pool->options.workers) return sl_pool_worker_start(pool, 0, &p->state, err);
    return await_greetings(p, err);
}

static sl_status submit_processes(sl_pool *pool, sl_job *job, sl_error *err) {
    process_pool *p = processes_of(pool);
    assert(job->seq == p->queued);
    p->todo[p->queued++ % pool->capacity] = job;
    if (sl_pool_stopping(pool)) return SL_OK;
    if (!pool->options.workers) {
        sl_job_settle(job, sl_worker_process_here(pool, p->state, job));
        sl_pool_put_done(pool, job);
        return SL_OK;
    }
    assert(p->queued - p->begun <= pool->capacity);
    give_out(p);
    return pump(p, 0, err);
}

static sl_status take_processes(sl_pool *pool, sl_job **job, sl_error *err) {
    process_pool *p = processes_of(pool);
    while (!(*job = sl_pool_next_done(pool))) {
        TRY(pump(p, wait_ms(p), err));
        if (sl_pool_stopping(pool)) return sl_pool_stopped(err);
    }
    return SL_OK;
}

static bool ready_processes(sl_pool *pool) {
    sl_error ignored = {0}; /* take will meet the same failure, and report it */
    return sl_pool_has_done(pool) || pump(processes_of(pool), 0, &ignored) != SL_OK || sl_pool_has_done(pool);
}

/* What is lost with the worker is not said again by another: the first death ends it. */
static void ask_for_last_word(child *c) {
    assert(c->queued == 0);
    c->last_word = (sl_job){.seq = SL_LAST_WORD};
    request *r = &c->queue[c->queued++];
    *r = (request){
        .job = &c->last_word, .frame = r->frame, .head = {.seq = SL_LAST_WORD}, .deaths = LIVES - 1};
    begin_watch(c);
    write_some(c);
}

static bool all_have_spoken(const process_pool *p) {
    for (unsigned i = 0; i < p->base.options.workers; i++)
        if (p->children[i].queued) return false;
    return true;
}

static sl_status finish_processes(sl_pool *pool, sl_error *err) {
    process_pool *p = processes_of(pool);
    if (!pool->options.workers) return sl_pool_worker_finish(pool, p->state, err);
    for (unsigned i = 0; i < pool->options.workers; i++)
        if (p->children[i].pid) ask_for_last_word(&p->children[i]);
    while (!all_have_spoken(p)) {
        TRY(pump(p, wait_ms(p), err));
        if (sl_pool_stopping(pool)) return sl_pool_stopped(err);
    }
    for (unsigned i = 0; i < pool->options.workers; i++) {
        const sl_job *last = &p->children[i].last_word;
        if (!sl_is_failure(last->status)) continue;
        if (err) *err = last->error;
        return last->status;
    }
    return SL_OK;
}

static void free_child(child *c) {
    for (unsigned i = 0; i < AHEAD; i++) sl_buf_free(&c->queue[i].frame);
    free(c->body);
}

/* All hear of the end before the first is waited for, and they share one second of grace, or less when somebody waits for the run to
 * stop: they know of that too, and what they are at is not wanted any more. */
static void stop_processes(sl_pool *pool) {
    process_pool *p = processes_of(pool);
    unsigned workers = p->children ? pool->options.workers : 0;
    uint64_t deadline = sl_clock_ns() + (sl_pool_stopping(pool) ? HURRY : SECOND);
    for (unsigned i = 0; i < workers; i++) hang_up(&p->children[i]);
    for (unsigned i = 0; i < workers; i++) {
        if (p->children[i].pid) reap(p, &p->children[i], deadline);
        free_child(&p->children[i]);
    }
    if (p->children && !workers) sl_pool_worker_stop(pool, p->state);
    free(p->todo);
    free(p->polled);
    free(p->children);
}

const sl_pool_class sl_pool_processes_class = {
    .size = sizeof(process_pool),
    .capacity = two_each_and_one,
    .start = start_processes,
    .submit = submit_processes,
    .take = take_processes,
    .ready = ready_processes,
    .finish = finish_processes,
    .stop = stop_processes,
};
