/* The three pools do the same jobs and must agree; then each way in which a worker can fail. */
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

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifdef SANITIZED
enum { HUGE_BYTES = 20000000 };
#else
enum { HUGE_BYTES = 100000000 };
#endif

/* ---- the work ---------------------------------------------------------------------------------------------------- */

typedef enum act { SQUARE, FAIL, MUTE_FAIL, ENOUGH, INVERT, KILLED, EXITS, HANGS, SLEEPS, INTERRUPTED } act;

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
    atomic_uint sick; /* start fails from this worker number on; 0: never */
} board;

static sl_status start(void *ctx, unsigned worker, void **state, sl_error *err) {
    board *b = ctx;
    atomic_fetch_add(&b->started, 1);
    unsigned sick = atomic_load(&b->sick);
    if (sick && worker >= sick) return sl_fail(err, SL_E_IO, "worker %u is sick", worker);
    *state = malloc(1);
    return *state ? SL_OK : sl_oom(err);
}

static void stop(void *ctx, void *state) {
    board *b = ctx;
    atomic_fetch_add(&b->stopped, 1);
    free(state);
}

static void nap(unsigned ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0) continue;
}

static void misbehave(board *b, const task *t) {
    if (atomic_fetch_add(&b->attempts, 1) >= t->times) return;
    if (t->act == KILLED) raise(SIGKILL);
    if (t->act == EXITS) _exit(3);
    nap(60000);
}

static sl_status invert(const task *t, answer *a, sl_error *err) {
    a->data = malloc(t->bytes ? t->bytes : 1);
    if (!a->data) return sl_oom(err);
    a->bytes = t->bytes;
    for (uint64_t i = 0; i < t->bytes; i++) a->data[i] = (char)~t->data[i];
    return SL_OK;
}

static sl_status work(void *ctx, void *state, unsigned worker, sl_job *job) {
    (void)state, (void)worker;
    board *b = ctx;
    const task *t = job->in;
    atomic_fetch_add(&b->begun, 1);
    if (t->act == KILLED || t->act == EXITS || t->act == HANGS) misbehave(b, t);
    if (t->act == SLEEPS) nap((unsigned)t->value);
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

static sl_status send_task(void *ctx, const sl_job *job, sl_buf *frame) {
    (void)ctx;
    const task *t = job->in;
    sl_buf_add(frame, t, sizeof *t);
    sl_buf_add(frame, t->data, t->bytes);
    return SL_OK;
}

static sl_status receive_task(void *ctx, sl_job *job, const char *frame, size_t n) {
    (void)ctx;
    task *t = malloc(sizeof *t);
    if (!t) return sl_oom(&job->error);
    job->in = t;
    memcpy(t, frame, sizeof *t);
    t->data = frame + sizeof *t;
    return n == sizeof *t + t->bytes ? SL_OK : sl_fail(&job->error, SL_E_INTERNAL, "frame of %zu bytes", n);
}

static sl_status reply_answer(void *ctx, sl_job *job, sl_buf *frame) {
    (void)ctx;
    const answer *a = job->out;
    sl_buf_u64(frame, a->value);
    sl_buf_add(frame, a->data, a->bytes);
    return SL_OK;
}

static sl_status accept_answer(void *ctx, sl_job *job, char *frame_take, size_t n) {
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

static void free_answer(sl_job *job) {
    answer *a = job->out;
    if (a) free(a->data);
    free(a);
    job->out = NULL;
}

static void clean(void *ctx, sl_job *job) {
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

static unsigned open_fds(void) {
    unsigned n = 0;
    for (int fd = 0; fd < 512; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int set_up(void **state) {
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
static int tear_down(void **state) {
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

static sl_status open_pool(fixture *f, sl_pool_options options) {
    sl_pool_calls calls = {.ctx = f->b,
                           .start = start,
                           .stop = stop,
                           .work = work,
                           .send = send_task,
                           .receive = receive_task,
                           .reply = reply_answer,
                           .accept = accept_answer,
                           .clean = clean};
    return sl_pool_start(&f->pool, &options, &calls, &f->err);
}

static void submit(fixture *f, sl_job *job, task *t) {
    job->in = t;
    assert_int_equal(sl_pool_submit(f->pool, job, &f->err), SL_OK);
}

static sl_job *take(fixture *f) {
    sl_job *job;
    assert_int_equal(sl_pool_take(f->pool, &job, &f->err), SL_OK);
    assert_non_null(job);
    return job;
}

static uint64_t value_of(sl_job *job) {
    assert_int_equal(job->status, SL_OK);
    uint64_t value = ((const answer *)job->out)->value;
    free_answer(job);
    return value;
}

/* One job from submit to take. */
static sl_job *do_one(fixture *f, sl_job *job, task *t) {
    submit(f, job, t);
    sl_job *done = take(f);
    assert_ptr_equal(done, job);
    return done;
}

static const sl_pool_kind kinds[] = {SL_POOL_INLINE, SL_POOL_THREADS, SL_POOL_PROCESSES};

/* ---- all kinds agree --------------------------------------------------------------------------------------------- */

enum { JOBS = 60 };

typedef struct crowd {
    task tasks[JOBS];
    sl_job jobs[JOBS];
    bool seen[JOBS];
    unsigned given, taken;
} crowd;

static void check_one(fixture *f, crowd *c, bool ordered) {
    sl_job *job = take(f);
    assert_true(job->seq < c->given);
    assert_ptr_equal(job, &c->jobs[job->seq]);
    assert_false(c->seen[job->seq]);
    if (ordered) assert_int_equal(job->seq, c->taken);
    c->seen[job->seq] = true;
    c->taken++;
    if (job->seq % 10 == 7) {
        assert_int_equal(job->status, SL_E_DATA);
        assert_int_equal(job->error.line, job->seq);
        assert_string_equal(job->error.source, "input.csv");
        assert_non_null(strstr(job->error.text, "is bad"));
    } else
        assert_int_equal(value_of(job), job->seq * job->seq);
}

static void run_crowd(fixture *f, sl_pool_options options) {
    crowd c = {.given = 0};
    sl_job *none;
    assert_int_equal(open_pool(f, options), SL_OK);
    unsigned capacity = sl_pool_capacity(f->pool);
    assert_int_equal(capacity, options.kind == SL_POOL_INLINE ? 1 : 2 * options.workers + 1);
    while (c.taken < JOBS) {
        for (; c.given < JOBS && sl_pool_pending(f->pool) < capacity; c.given++) {
            c.tasks[c.given] = (task){.act = c.given % 10 == 7 ? FAIL : SQUARE, .value = c.given};
            submit(f, &c.jobs[c.given], &c.tasks[c.given]);
        }
        check_one(f, &c, options.ordered);
    }
    assert_int_equal(sl_pool_take(f->pool, &none, &f->err), SL_DONE);
    assert_null(none);
    assert_int_equal(sl_pool_statistics(f->pool).jobs, JOBS);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 0);
    assert_true((options.kind == SL_POOL_PROCESSES) == (sl_pool_statistics(f->pool).child_peak_bytes > 0));
    sl_pool_stop(&f->pool);
    assert_int_equal(atomic_load(&f->b->begun), JOBS);
    assert_int_equal(atomic_exchange(&f->b->started, 0),
                     options.kind == SL_POOL_INLINE ? 1 : options.workers);
    assert_int_equal(atomic_exchange(&f->b->stopped, 0),
                     options.kind == SL_POOL_INLINE ? 1 : options.workers);
    atomic_store(&f->b->begun, 0);
}

static void all_kinds_give_every_job_its_result(void **state) {
    static const unsigned workers[] = {1, 2, 3, 8}, stalls[] = {0, 1500};
    for (size_t k = 0; k < SL_COUNT(kinds); k++)
        for (size_t w = 0; w < SL_COUNT(workers); w++)
            for (size_t s = 0; s < SL_COUNT(stalls); s++)
                for (int ordered = 0; ordered < 2; ordered++)
                    run_crowd(*state, (sl_pool_options){.kind = kinds[k],
                                                        .workers = workers[w],
                                                        .ordered = ordered,
                                                        .stall = stalls[s]});
}

static void unordered_lets_a_quick_job_overtake(void **state) {
    fixture *f = *state;
    for (size_t k = 1; k < SL_COUNT(kinds); k++) {
        task slow = {.act = SLEEPS, .value = 400}, quick = {.act = SQUARE, .value = 3};
        sl_job first = {0}, second = {0};
        assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 2}), SL_OK);
        submit(f, &first, &slow);
        submit(f, &second, &quick);
        assert_ptr_equal(take(f), &second);
        assert_ptr_equal(take(f), &first);
        assert_int_equal(value_of(&second), 9);
        assert_int_equal(value_of(&first), 160000);
        sl_pool_stop(&f->pool);
    }
}

static void enough_and_a_failure_without_reason_travel(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        task enough = {.act = ENOUGH, .value = 5}, mute = {.act = MUTE_FAIL};
        sl_job job = {0};
        assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 1, .ordered = true}),
                         SL_OK);
        assert_int_equal(do_one(f, &job, &enough)->status, SL_DONE);
        assert_int_equal(((answer *)job.out)->value, 25);
        free_answer(&job);
        assert_int_equal(do_one(f, &job, &mute)->status, SL_E_DATA);
        assert_int_equal(job.error.code, SL_E_DATA);
        assert_true(job.error.text[0] != 0);
        assert_null(job.out);
        sl_pool_stop(&f->pool);
    }
}

static void a_full_pool_takes_no_more(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        task t = {.act = SQUARE, .value = 1};
        sl_job jobs[4] = {0};
        assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 1, .ordered = true}),
                         SL_OK);
        unsigned capacity = sl_pool_capacity(f->pool);
        assert_true(sl_pool_ready(f->pool));
        for (unsigned i = 0; i < capacity; i++) submit(f, &jobs[i], &t);
        assert_int_equal(sl_pool_submit(f->pool, &jobs[capacity], NULL), SL_E_INTERNAL);
        assert_int_equal(sl_pool_pending(f->pool), capacity);
        while (!sl_pool_ready(f->pool)) nap(1);
        for (unsigned i = 0; i < capacity; i++) assert_int_equal(value_of(take(f)), 1);
        sl_pool_stop(&f->pool);
    }
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

static void check_inverted(sl_job *job, const char *data, size_t n) {
    assert_int_equal(job->status, SL_OK);
    answer *a = job->out;
    assert_int_equal(a->bytes, n);
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong += a->data[i] != (char)~data[i];
    assert_int_equal(wrong, 0);
    free_answer(job);
}

static void huge_frames_pass_both_ways(void **state) {
    fixture *f = *state;
    char *data = malloc(HUGE_BYTES);
    assert_non_null(data);
    for (size_t i = 0; i < HUGE_BYTES; i++) data[i] = (char)(i * 31 + (i >> 12));
    task t = {.act = INVERT, .bytes = HUGE_BYTES, .data = data};
    sl_job jobs[3] = {0};
    assert_int_equal(
        open_pool(f, (sl_pool_options){.kind = SL_POOL_PROCESSES, .workers = 1, .ordered = true}), SL_OK);
    for (size_t i = 0; i < 3; i++) submit(f, &jobs[i], &t);
    for (size_t i = 0; i < 3; i++) check_inverted(take(f), data, HUGE_BYTES);
    assert_true(sl_pool_statistics(f->pool).child_peak_bytes > HUGE_BYTES);
    free(data);
}

static void frames_of_all_sizes_pass(void **state) {
    fixture *f = *state;
    static char data[1 << 19];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i % 251);
    assert_int_equal(
        open_pool(f, (sl_pool_options){.kind = SL_POOL_PROCESSES, .workers = 2, .ordered = true}), SL_OK);
    for (size_t n = 1; n <= sizeof data; n *= 2) {
        task t[3] = {{.act = INVERT, .bytes = n - 1, .data = data},
                     {.act = INVERT, .bytes = n, .data = data},
                     {.act = INVERT, .bytes = n + n / 2 < sizeof data ? n + n / 2 : 0, .data = data}};
        sl_job jobs[3] = {0};
        for (size_t i = 0; i < 3; i++) submit(f, &jobs[i], &t[i]);
        for (size_t i = 0; i < 3; i++) check_inverted(take(f), data, t[i].bytes);
    }
}

/* ---- workers that fail ------------------------------------------------------------------------------------------- */

static void start_processes(fixture *f, unsigned workers, unsigned silent) {
    sl_pool_options options = {
        .kind = SL_POOL_PROCESSES, .workers = workers, .ordered = true, .silent = silent};
    assert_int_equal(open_pool(f, options), SL_OK);
}

static void a_worker_killed_costs_one_retry(void **state) {
    fixture *f = *state;
    static const act acts[] = {KILLED, EXITS};
    start_processes(f, 2, 0);
    for (size_t i = 0; i < SL_COUNT(acts); i++) {
        task bad = {.act = acts[i], .value = 12, .times = 1};
        sl_job job = {0};
        atomic_store(&f->b->attempts, 0);
        assert_int_equal(value_of(do_one(f, &job, &bad)), 144);
        assert_int_equal(atomic_load(&f->b->attempts), 2);
        assert_int_equal(sl_pool_statistics(f->pool).retries, i + 1);
    }
}

static void check_verdict(fixture *f, task bad, const char *verdict) {
    sl_job job = {0};
    atomic_store(&f->b->attempts, 0);
    assert_int_equal(do_one(f, &job, &bad)->status, SL_E_INTERNAL);
    assert_int_equal(job.error.code, SL_E_INTERNAL);
    if (!strstr(job.error.text, verdict)) fail_msg("'%s' lacks '%s'", job.error.text, verdict);
    assert_null(job.out);
    assert_int_equal(atomic_load(&f->b->attempts), 2);
}

static void a_worker_killed_twice_is_reported(void **state) {
    fixture *f = *state;
    task good = {.act = SQUARE, .value = 4};
    sl_job job = {0};
    start_processes(f, 1, 0);
    check_verdict(f, (task){.act = KILLED, .times = 9}, "worker process was killed by signal 9 (Killed)");
    check_verdict(f, (task){.act = EXITS, .times = 9}, "worker process exited with status 3");
    assert_int_equal(value_of(do_one(f, &job, &good)), 16);
}

/* The poisonous job kills two workers; those that waited behind it and beside it come through. */
static void only_the_running_job_pays(void **state) {
    fixture *f = *state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        task tasks[3] = {
            {.act = KILLED, .times = 9}, {.act = SQUARE, .value = 5}, {.act = SQUARE, .value = 6}};
        sl_job jobs[3] = {0};
        atomic_store(&f->b->attempts, 0);
        start_processes(f, workers, 0);
        for (size_t i = 0; i < 3; i++) submit(f, &jobs[i], &tasks[i]);
        assert_int_equal(take(f)->status, SL_E_INTERNAL);
        assert_int_equal(value_of(take(f)), 25);
        assert_int_equal(value_of(take(f)), 36);
        assert_int_equal(atomic_load(&f->b->attempts), 2);
        sl_pool_stop(&f->pool);
    }
}

static void a_silent_worker_is_replaced(void **state) {
    fixture *f = *state;
    task hangs = {.act = HANGS, .value = 7, .times = 1};
    sl_job job = {0};
    start_processes(f, 2, 1);
    uint64_t before = sl_clock_ns();
    assert_int_equal(value_of(do_one(f, &job, &hangs)), 49);
    assert_in_range(sl_clock_ns() - before, 900000000, 20000000000);
    check_verdict(f, (task){.act = HANGS, .times = 9}, "no sign of life for 1 seconds");
}

/* The coordinator was away for longer than a worker may be silent; the answer has been there for long. */
static void a_busy_coordinator_does_not_blame_its_workers(void **state) {
    fixture *f = *state;
    task t[2] = {{.act = SLEEPS, .value = 100}, {.act = SQUARE, .value = 2}};
    sl_job jobs[2] = {0};
    start_processes(f, 1, 1);
    for (size_t i = 0; i < 2; i++) submit(f, &jobs[i], &t[i]);
    nap(1300);
    assert_int_equal(value_of(take(f)), 10000);
    assert_int_equal(value_of(take(f)), 4);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 0);
}

static void workers_leave_interrupts_to_the_coordinator(void **state) {
    fixture *f = *state;
    task t = {.act = INTERRUPTED, .value = 11};
    sl_job job = {0};
    start_processes(f, 1, 0);
    assert_int_equal(value_of(do_one(f, &job, &t)), 121);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 0);
}

/* A coordinator that is killed takes its workers along, even one that is busy. */
static void workers_die_with_the_coordinator(void **state) {
    fixture *f = *state;
    int pipe_fds[2];
    char byte;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t coordinator = fork();
    if (coordinator == 0) {
        task t = {.act = SLEEPS, .value = 60000};
        sl_job job = {.in = &t};
        close(pipe_fds[0]);
        sl_pool_options options = {.kind = SL_POOL_PROCESSES, .workers = 3};
        if (open_pool(f, options) != SL_OK || sl_pool_submit(f->pool, &job, NULL) != SL_OK) _exit(1);
        while (atomic_load(&f->b->begun) == 0) nap(1);
        raise(SIGKILL);
    }
    close(pipe_fds[1]);
    uint64_t before = sl_clock_ns();
    assert_int_equal(read(pipe_fds[0], &byte, 1), 0); /* the last holder of the other end is gone */
    assert_in_range(sl_clock_ns() - before, 0, 30000000000);
    close(pipe_fds[0]);
    int status;
    assert_int_equal(waitpid(coordinator, &status, 0), coordinator);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- beginnings and ends ----------------------------------------------------------------------------------------- */

static void a_failed_start_fails_the_pool(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        bool alone = kinds[k] == SL_POOL_INLINE;
        atomic_store(&f->b->sick, 1);
        f->err = (sl_error){0};
        sl_status status = open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 4});
        assert_int_equal(status, alone ? SL_OK : SL_E_IO);
        if (!alone) assert_string_equal(f->err.text, "worker 1 is sick");
        if (!alone) assert_null(f->pool);
        sl_pool_stop(&f->pool);
        assert_int_equal(atomic_exchange(&f->b->started, 0), alone ? 1 : 4);
        assert_int_equal(atomic_exchange(&f->b->stopped, 0), alone ? 1 : 4);
    }
}

static void unusable_options_are_refused(void **state) {
    fixture *f = *state;
    static const unsigned bad[] = {0, 1025};
    for (size_t k = 0; k < SL_COUNT(kinds); k++)
        for (size_t i = 0; i < SL_COUNT(bad); i++)
            assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = bad[i]}),
                             SL_E_USAGE);
    sl_pool_options options = {.kind = SL_POOL_PROCESSES, .workers = 1};
    sl_pool_calls calls = {.work = work};
    assert_int_equal(sl_pool_start(&f->pool, &options, &calls, NULL), SL_E_INTERNAL);
    assert_null(f->pool);
}

static void stop_drops_what_is_not_begun(void **state) {
    fixture *f = *state;
    for (size_t k = 1; k < SL_COUNT(kinds); k++) {
        task t = {.act = SLEEPS, .value = 200};
        sl_job jobs[5] = {0};
        atomic_store(&f->b->begun, 0);
        assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 2, .ordered = true}),
                         SL_OK);
        for (size_t i = 0; i < 5; i++) submit(f, &jobs[i], &t);
        while (atomic_load(&f->b->begun) == 0) nap(1);
        sl_pool_stop(&f->pool);
        assert_in_range(atomic_load(&f->b->begun), 1, 2);
        for (size_t i = 0; i < 5; i++) {
            assert_ptr_equal(jobs[i].in, &t);
            free_answer(&jobs[i]);
        }
    }
}

static void a_hanging_process_does_not_hold_up_stop(void **state) {
    fixture *f = *state;
    task t = {.act = HANGS, .times = 9};
    sl_job jobs[4] = {0};
    start_processes(f, 4, 0);
    for (size_t i = 0; i < 4; i++) submit(f, &jobs[i], &t);
    while (atomic_load(&f->b->begun) < 4) nap(1);
    uint64_t before = sl_clock_ns();
    sl_pool_stop(&f->pool);
    assert_in_range(sl_clock_ns() - before, 0, 20000000000);
}

static void the_flag_stops_a_pool_with_jobs_pending(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        atomic_bool stopping = false;
        task t = {.act = SLEEPS, .value = 100};
        sl_job jobs[3] = {0}, *job;
        sl_pool_options options = {.kind = kinds[k], .workers = 1, .ordered = true, .stopping = &stopping};
        assert_int_equal(open_pool(f, options), SL_OK);
        unsigned n = sl_pool_capacity(f->pool);
        atomic_store(&f->b->begun, 0);
        submit(f, &jobs[0], &t);
        value_of(take(f));
        for (unsigned i = 0; i < n; i++) {
            if (i == n - 1) atomic_store(&stopping, true);
            submit(f, &jobs[i], &t);
        }
        f->err = (sl_error){0};
        assert_true(sl_pool_ready(f->pool));
        assert_int_equal(sl_pool_take(f->pool, &job, &f->err), SL_E_STOPPED);
        assert_null(job);
        assert_int_equal(f->err.code, SL_E_STOPPED);
        sl_pool_stop(&f->pool);
        assert_in_range(atomic_load(&f->b->begun), 1, n);
        for (unsigned i = 0; i < n; i++) free_answer(&jobs[i]);
    }
}

static void *raise_flag(void *flag) {
    nap(200);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

/* The flag is raised while take waits. */
static void the_flag_wakes_a_waiting_take(void **state) {
    fixture *f = *state;
    for (size_t k = 1; k < SL_COUNT(kinds); k++) {
        atomic_bool stopping = false;
        pthread_t later;
        task t = {.act = SLEEPS, .value = 900};
        sl_job first = {0}, *job;
        sl_pool_options options = {.kind = kinds[k], .workers = 1, .stopping = &stopping};
        assert_int_equal(open_pool(f, options), SL_OK);
        submit(f, &first, &t);
        assert_int_equal(pthread_create(&later, NULL, raise_flag, &stopping), 0);
        uint64_t before = sl_clock_ns();
        assert_int_equal(sl_pool_take(f->pool, &job, &f->err), SL_E_STOPPED);
        assert_in_range(sl_clock_ns() - before, 0, 850000000);
        pthread_join(later, NULL);
        sl_pool_stop(&f->pool);
        free_answer(&first);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(all_kinds_give_every_job_its_result),
        CASE(unordered_lets_a_quick_job_overtake),
        CASE(enough_and_a_failure_without_reason_travel),
        CASE(a_full_pool_takes_no_more),
        CASE(frames_of_all_sizes_pass),
        CASE(huge_frames_pass_both_ways),
        CASE(a_worker_killed_costs_one_retry),
        CASE(a_worker_killed_twice_is_reported),
        CASE(only_the_running_job_pays),
        CASE(a_silent_worker_is_replaced),
        CASE(a_busy_coordinator_does_not_blame_its_workers),
        CASE(workers_leave_interrupts_to_the_coordinator),
        CASE(workers_die_with_the_coordinator),
        CASE(a_failed_start_fails_the_pool),
        CASE(unusable_options_are_refused),
        CASE(stop_drops_what_is_not_begun),
        CASE(a_hanging_process_does_not_hold_up_stop),
        CASE(the_flag_stops_a_pool_with_jobs_pending),
        CASE(the_flag_wakes_a_waiting_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
