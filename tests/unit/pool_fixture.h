/* pool_fixture.h: the work that the tests of the pools hand out, and the stage they stand on. */
#ifndef SL_TESTS_POOL_FIXTURE_H
#define SL_TESTS_POOL_FIXTURE_H

#include "workers/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"

/* ---- the work ---------------------------------------------------------------------------------------------------- */

typedef enum act { SQUARE, FAIL, MUTE_FAIL, ENOUGH, INVERT, KILLED, EXITS, HANGS, SLEEPS, TOILS, INTERRUPTED } act;

typedef struct task {
    uint64_t act, value;
    uint64_t times; /* KILLED, EXITS, HANGS: the first TIMES attempts */
    uint64_t bytes; /* INVERT */
    const char *data;
} task;

typedef struct answer {
    uint64_t value, bytes;
    char *data;
} answer;

/* What all workers see, forked ones too. */
typedef struct board {
    atomic_uint started, stopped, begun, attempts;
    atomic_uint sick;   /* start fails from this worker number on; 0: never */
    atomic_uint dying;  /* so many starts are killed */
    atomic_uint spoken; /* last words so far */
    atomic_uint sorry;  /* finish fails from this worker number on, from 1; 0: never */
    atomic_uint lost;   /* the worker of this number, from 1, is killed in finish; 0: none */
} board;

static inline sl_status start(void *ctx, unsigned worker, void **state, sl_error *err) {
    board *b = ctx;
    if (atomic_load(&b->dying) && atomic_fetch_sub(&b->dying, 1)) raise(SIGKILL);
    atomic_fetch_add(&b->started, 1);
    unsigned sick = atomic_load(&b->sick);
    if (sick && worker >= sick) return sl_fail(err, SL_E_IO, "worker %u is sick", worker);
    unsigned *number = *state = malloc(sizeof *number);
    if (!number) return sl_oom(err);
    *number = worker;
    return SL_OK;
}

static inline sl_status finish(void *ctx, void *state, sl_error *err) {
    board *b = ctx;
    unsigned number = *(unsigned *)state + 1, sorry = atomic_load(&b->sorry);
    if (atomic_load(&b->lost) == number) raise(SIGKILL);
    atomic_fetch_add(&b->spoken, 1);
    return sorry && number >= sorry ? sl_fail(err, SL_E_DATA, "worker %u is sorry", number) : SL_OK;
}

static inline void stop(void *ctx, void *state) {
    board *b = ctx;
    atomic_fetch_add(&b->stopped, 1);
    free(state);
}

static inline void nap(unsigned ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0) continue;
}

/* Keeps the processor busy. */
static inline void toil(uint64_t ms) {
    uint64_t end = sl_clock_ns() + ms * 1000000;
    while (sl_clock_ns() < end) continue;
}

static inline void misbehave(board *b, const task *t) {
    if (atomic_fetch_add(&b->attempts, 1) >= t->times) return;
    if (t->act == KILLED) raise(SIGKILL);
    if (t->act == EXITS) _exit(3);
    nap(60000);
}

static inline sl_status invert(const task *t, answer *a, sl_error *err) {
    a->data = malloc(t->bytes ? t->bytes : 1);
    if (!a->data) return sl_oom(err);
    a->bytes = t->bytes;
    for (uint64_t i = 0; i < t->bytes; i++) a->data[i] = (char)~t->data[i];
    return SL_OK;
}

static inline sl_status work(void *ctx, void *state, unsigned worker, sl_job *job) {
    (void)state, (void)worker;
    board *b = ctx;
    const task *t = job->in;
    atomic_fetch_add(&b->begun, 1);
    if (t->act == KILLED || t->act == EXITS || t->act == HANGS) misbehave(b, t);
    if (t->act == SLEEPS) nap((unsigned)t->value);
    if (t->act == TOILS) toil(t->value);
    if (t->act == INTERRUPTED) raise(SIGINT), raise(SIGTERM), raise(SIGHUP);
    if (t->act == MUTE_FAIL) return SL_E_DATA;
    if (t->act == FAIL) {
        sl_fail(&job->error, SL_E_DATA, "value %u is bad", (unsigned)t->value);
        sl_error_at(&job->error, "input.csv", t->value, 7);
        return SL_E_DATA;
    }
    answer *a = calloc(1, sizeof *a);
    if (!a) return sl_oom(&job->error);
    job->out = a;
    a->value = t->value * t->value;
    if (t->act == INVERT) return invert(t, a, &job->error);
    return t->act == ENOUGH ? SL_DONE : SL_OK;
}

static inline sl_status send_task(void *ctx, const sl_job *job, sl_buf *frame) {
    (void)ctx;
    const task *t = job->in;
    sl_buf_add(frame, t, sizeof *t);
    sl_buf_add(frame, t->data, t->bytes);
    return SL_OK;
}

static inline sl_status receive_task(void *ctx, sl_job *job, const char *frame, size_t n) {
    (void)ctx;
    task *t = malloc(sizeof *t);
    if (!t) return sl_oom(&job->error);
    job->in = t;
    memcpy(t, frame, sizeof *t);
    t->data = frame + sizeof *t;
    return n == sizeof *t + t->bytes ? SL_OK : sl_fail(&job->error, SL_E_INTERNAL, "frame of %zu bytes", n);
}

static inline sl_status reply_answer(void *ctx, sl_job *job, sl_buf *frame) {
    (void)ctx;
    const answer *a = job->out;
    sl_buf_u64(frame, a->value);
    sl_buf_add(frame, a->data, a->bytes);
    return SL_OK;
}

static inline sl_status accept_answer(void *ctx, sl_job *job, char *frame_take, size_t n) {
    (void)ctx;
    answer *a = calloc(1, sizeof *a);
    if (a && n >= 8) {
        memcpy(&a->value, frame_take, 8);
        a->bytes = n - 8;
        memmove(frame_take, frame_take + 8, n - 8);
        a->data = frame_take;
    } else
        free(frame_take);
    job->out = a;
    return a ? SL_OK : sl_oom(&job->error);
}

static inline void free_answer(sl_job *job) {
    answer *a = job->out;
    if (a) free(a->data);
    free(a);
    job->out = NULL;
}

static inline void clean(void *ctx, sl_job *job) {
    (void)ctx;
    free(job->in);
    free_answer(job);
}

/* ---- the stage for it -------------------------------------------------------------------------------------------- */

typedef struct fixture {
    board *b;
    unsigned fds; /* open before */
    sl_pool *pool;
    sl_error err;
} fixture;

static inline unsigned open_fds(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 512; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static inline int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    FILE *file = tmpfile();
    if (!f || !file || ftruncate(fileno(file), sizeof *f->b) != 0) return -1;
    f->b = mmap(NULL, sizeof *f->b, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    fclose(file);
    f->fds = open_fds();
    *state = f;
    return f->b == MAP_FAILED ? -1 : 0;
}

/* No worker, process or descriptor is left, whatever the test did. */
static inline int tear_down(void **state) {
    fixture *f = *state;
    sl_pool_stop(&f->pool);
    assert_null(f->pool);
    assert_int_equal(open_fds(), f->fds);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    munmap(f->b, sizeof *f->b);
    free(f);
    return 0;
}

static inline sl_status open_pool(fixture *f, sl_pool_options options) {
    sl_pool_calls calls = {.ctx = f->b,
                           .start = start,
                           .stop = stop,
                           .finish = finish,
                           .work = work,
                           .send = send_task,
                           .receive = receive_task,
                           .reply = reply_answer,
                           .accept = accept_answer,
                           .clean = clean};
    return sl_pool_start(&f->pool, &options, &calls, &f->err);
}

static inline void submit(fixture *f, sl_job *job, task *t) {
    job->in = t;
    assert_int_equal(sl_pool_submit(f->pool, job, &f->err), SL_OK);
}

static inline sl_job *take(fixture *f) {
    sl_job *job;
    assert_int_equal(sl_pool_take(f->pool, &job, &f->err), SL_OK);
    assert_non_null(job);
    return job;
}

static inline uint64_t value_of(sl_job *job) {
    assert_int_equal(job->status, SL_OK);
    uint64_t value = ((const answer *)job->out)->value;
    free_answer(job);
    return value;
}

/* One job from submit to take. */
static inline sl_job *do_one(fixture *f, sl_job *job, task *t) {
    submit(f, job, t);
    sl_job *done = take(f);
    assert_ptr_equal(done, job);
    return done;
}

static inline void start_processes(fixture *f, unsigned workers, unsigned silent) {
    sl_pool_options options = {.kind = SL_POOL_PROCESSES, .workers = workers, .ordered = true, .silent = silent};
    assert_int_equal(open_pool(f, options), SL_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
