/* threads.c: one pthread a worker, one lock, two conditions.
 *
 * The lock guards two rings, of jobs not begun and of jobs done; it is held to move a pointer and never during work,
 * start or stop. It is the only lock, so there is no lock order. Workers block all signals: those are the coordinator's.
 *
 * A coordinator that joins in is worker 0 and has no thread: where it would wait for a job, it does one that is not begun. So
 * N workers are N threads, and none of them sleeps while there is work. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/locale.h"
#include "base/signals.h"
#include "workers/pool_internal.h"

/* A signal handler can set `stopping` but cannot wake a condition: how often a waiting coordinator looks. */
enum { LOOK_MS = 50 };

typedef struct thread_pool thread_pool;

typedef struct worker {
    thread_pool *pool; /* read-only while the thread runs */
    unsigned number;   /* the same */
    pthread_t thread;  /* coordinator only, as is the next */
    bool running;      /* to be joined */
    bool joined_in;    /* the coordinator itself: start was called, so stop must be */
    void *state;       /* its own thread only */
    /* Of start, then of finish: its own thread's before it counts itself in `started` and `finished`, the coordinator's after. */
    sl_status status;
    sl_error error;
} worker;

struct thread_pool {
    sl_pool base; /* done, finished, taken: under lock */
    pthread_mutex_t lock;
    pthread_cond_t work;    /* with lock: a job was queued, or ending */
    pthread_cond_t changed; /* with lock: the job that take waits for is done, or a worker has started */
    int primitives;         /* coordinator only: how many of lock, work, changed exist */
    sl_job **todo;          /* [capacity] under lock: jobs [begun, queued) at their seq */
    uint64_t begun, queued; /* under lock */
    unsigned started;       /* under lock: workers whose start has returned */
    unsigned finished;      /* under lock: workers whose finish has returned */
    bool finishing;         /* under lock: no job will come, workers shall finish */
    bool ending;            /* under lock: workers shall leave */
    worker *workers;        /* [options.workers] see the struct */
};

static thread_pool *threads_of(sl_pool *pool) {
    return (thread_pool *)pool;
}

static void lock(thread_pool *p) {
    pthread_mutex_lock(&p->lock);
}

static void unlock(thread_pool *p) {
    pthread_mutex_unlock(&p->lock);
}

/* ---- workers ----------------------------------------------------------------------------------------------------- */

/* With the lock held: the first that is not begun. */
static sl_job *begin_job(thread_pool *p) {
    assert(p->begun < p->queued && p->queued - p->begun <= p->base.capacity);
    sl_job *job = p->todo[p->begun % p->base.capacity];
    assert(job->seq == p->begun);
    p->begun++;
    return job;
}

/* Waits for a job. NULL: time to finish, or to leave. */
static sl_job *next_job(thread_pool *p) {
    sl_job *job = NULL;
    lock(p);
    while (!p->ending && !p->finishing && (p->begun == p->queued || sl_pool_stopping(&p->base)))
        pthread_cond_wait(&p->work, &p->lock);
    if (!p->ending && !p->finishing) job = begin_job(p);
    unlock(p);
    return job;
}

static void hand_back(thread_pool *p, sl_job *job) {
    lock(p);
    sl_pool_put_done(&p->base, job);
    if (sl_pool_has_done(&p->base)) pthread_cond_signal(&p->changed);
    unlock(p);
}

static void count(thread_pool *p, unsigned *workers) {
    lock(p);
    ++*workers;
    pthread_cond_signal(&p->changed);
    unlock(p);
}

static bool asked_to_finish(thread_pool *p) {
    lock(p);
    bool asked = p->finishing && !p->ending;
    unlock(p);
    return asked;
}

static void finish_one(worker *w) {
    w->status = sl_pool_worker_finish(&w->pool->base, w->state, &w->error);
    count(w->pool, &w->pool->finished);
}

static void *run_worker(void *arg) {
    SL_PLAIN_LOCALE;
    worker *w = arg;
    thread_pool *p = w->pool;
    w->status = sl_pool_worker_start(&p->base, w->number, &w->state, &w->error);
    bool good = w->status == SL_OK; /* the coordinator's to read from here on */
    count(p, &p->started);
    for (sl_job *job; good && (job = next_job(p));) {
        sl_pool_work(&p->base, w->state, w->number, job);
        hand_back(p, job);
    }
    if (good && asked_to_finish(p)) finish_one(w);
    sl_pool_worker_stop(&p->base, w->state);
    return NULL;
}

/* ---- coordinator ------------------------------------------------------------------------------------------------- */

/* Workers below this one have no thread. */
static unsigned first_thread(const thread_pool *p) {
    return p->base.options.join_in ? 1 : 0;
}

static sl_status make_primitives(thread_pool *p) {
    pthread_condattr_t steady; /* time-outs must not follow changes of the wall clock */
    int failed = pthread_mutex_init(&p->lock, NULL);
    if (failed) return SL_E_MEMORY;
    p->primitives = 1;
    if (pthread_condattr_init(&steady) != 0) return SL_E_MEMORY;
    failed = pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    if (!failed && !(failed = pthread_cond_init(&p->work, &steady))) p->primitives = 2;
    if (!failed && !(failed = pthread_cond_init(&p->changed, &steady))) p->primitives = 3;
    pthread_condattr_destroy(&steady);
    return failed ? SL_E_MEMORY : SL_OK;
}

static sl_status spawn(thread_pool *p, unsigned number, sl_error *err) {
    worker *w = &p->workers[number];
    w->pool = p;
    w->number = number;
    int failed =
        number && !sl_pool_has_descriptors(number) ? EMFILE : pthread_create(&w->thread, NULL, run_worker, w);
    if (failed && !number) return sl_fail_errno(err, failed, "cannot start", "a worker thread");
    if (failed) sl_pool_do_with(&p->base, number, failed);
    w->running = !failed;
    return SL_OK;
}

static sl_status spawn_all(thread_pool *p, sl_error *err) {
    sigset_t before;
    sl_status status = SL_OK;
    sl_signals_block(&before);
    for (unsigned i = first_thread(p); i < p->base.options.workers && status == SL_OK; i++)
        status = spawn(p, i, err);
    sl_signals_restore(&before);
    return status;
}

static void start_self(thread_pool *p) {
    worker *w = &p->workers[0];
    w->pool = p;
    w->status = sl_pool_worker_start(&p->base, 0, &w->state, &w->error);
    w->joined_in = true;
    count(p, &p->started);
}

/* The failure of the lowest worker, so that the message does not depend on who was first. */
static sl_status await_all(thread_pool *p, const unsigned *workers, sl_error *err) {
    lock(p);
    while (*workers < p->base.options.workers) pthread_cond_wait(&p->changed, &p->lock);
    unlock(p);
    for (unsigned i = 0; i < p->base.options.workers; i++) {
        const worker *w = &p->workers[i];
        if (w->status == SL_OK) continue;
        if (err) *err = w->error;
        return w->status;
    }
    return SL_OK;
}

static sl_status start_threads(sl_pool *pool, sl_error *err) {
    thread_pool *p = threads_of(pool);
    p->todo = calloc(pool->capacity, sizeof *p->todo);
    p->workers = calloc(pool->options.workers, sizeof *p->workers);
    if (!p->todo || !p->workers || make_primitives(p) != SL_OK) return sl_oom(err);
    TRY(spawn_all(p, err));
    if (pool->options.join_in) start_self(p);
    return await_all(p, &p->started, err);
}

static unsigned two_each_and_one(unsigned workers) {
    return 2 * workers + 1;
}

static sl_status submit_threads(sl_pool *pool, sl_job *job, sl_error *err) {
    (void)err;
    thread_pool *p = threads_of(pool);
    lock(p);
    assert(job->seq == p->queued && p->queued - p->begun < pool->capacity && !p->finishing);
    p->todo[p->queued++ % pool->capacity] = job;
    pthread_cond_signal(&p->work);
    unlock(p);
    return SL_OK;
}

/* Waits for `changed` with the lock held; for LOOK_MS at most when somebody may ask to stop. */
static void wait_changed(thread_pool *p) {
    if (!p->base.options.stopping) {
        pthread_cond_wait(&p->changed, &p->lock);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

/* With the lock held, which is let go of meanwhile: does the next job that is not begun. False: there is none, or the
 * coordinator does not join in. */
static bool work_self(thread_pool *p) {
    if (!p->base.options.join_in || p->begun == p->queued) return false;
    sl_job *job = begin_job(p);
    unlock(p);
    sl_pool_work(&p->base, p->workers[0].state, 0, job);
    lock(p);
    sl_pool_put_done(&p->base, job);
    return true;
}

static sl_status take_threads(sl_pool *pool, sl_job **job, sl_error *err) {
    thread_pool *p = threads_of(pool);
    bool stopped = false;
    lock(p);
    while (!stopped && !(*job = sl_pool_next_done(pool))) {
        if (!work_self(p)) wait_changed(p);
        stopped = sl_pool_stopping(pool);
    }
    unlock(p);
    return stopped ? sl_pool_stopped(err) : SL_OK;
}

static bool ready_threads(sl_pool *pool) {
    thread_pool *p = threads_of(pool);
    lock(p);
    bool ready = sl_pool_has_done(pool) || (pool->options.join_in && p->begun < p->queued);
    unlock(p);
    return ready;
}

/* A worker that hangs in its last word looks at `stopping` itself. */
static sl_status finish_threads(sl_pool *pool, sl_error *err) {
    thread_pool *p = threads_of(pool);
    lock(p);
    assert(p->begun == p->queued);
    p->finishing = true;
    pthread_cond_broadcast(&p->work);
    unlock(p);
    if (p->workers[0].joined_in) finish_one(&p->workers[0]);
    return await_all(p, &p->finished, err);
}

static void join_all(thread_pool *p) {
    lock(p);
    p->ending = true;
    pthread_cond_broadcast(&p->work);
    unlock(p);
    for (unsigned i = 0; i < p->base.options.workers; i++)
        if (p->workers[i].running) pthread_join(p->workers[i].thread, NULL);
    if (p->workers[0].joined_in) sl_pool_worker_stop(&p->base, p->workers[0].state);
}

static void stop_threads(sl_pool *pool) {
    thread_pool *p = threads_of(pool);
    if (p->primitives == 3) join_all(p);
    if (p->primitives > 2) pthread_cond_destroy(&p->changed);
    if (p->primitives > 1) pthread_cond_destroy(&p->work);
    if (p->primitives > 0) pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p->todo);
}

const sl_pool_class sl_pool_threads_class = {
    .size = sizeof(thread_pool),
    .capacity = two_each_and_one,
    .start = start_threads,
    .submit = submit_threads,
    .take = take_threads,
    .ready = ready_threads,
    .finish = finish_threads,
    .stop = stop_threads,
};
