/* pool.c: what the three kinds of pools have in common. Results wait in a ring by their number until their turn, which is where
 * the order of output comes from; the kinds (inline.c, threads.c, processes.c) only differ in who runs a job. */
#include "workers/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "workers/pool_internal.h"

enum { MAX_WORKERS = 1024, FOR_FILES = 24 };

const char *sl_pool_kind_name(sl_pool_kind kind) {
    static const char *const names[] = {"inline", "threads", "processes"};
    return names[kind];
}

/* ---- the ring ---------------------------------------------------------------------------------------------------- */

void sl_pool_put_done(sl_pool *pool, sl_job *job) {
    uint64_t place = pool->options.ordered ? job->seq : pool->finished;
    pool->finished++;
    assert(!pool->done[place % pool->capacity]);
    assert(pool->finished - pool->taken <= pool->capacity);
    pool->done[place % pool->capacity] = job;
}

bool sl_pool_has_done(const sl_pool *pool) {
    return pool->done[pool->taken % pool->capacity] != NULL;
}

sl_job *sl_pool_next_done(sl_pool *pool) {
    sl_job **place = &pool->done[pool->taken % pool->capacity], *job = *place;
    if (!job) return NULL;
    assert(!pool->options.ordered || job->seq == pool->taken);
    *place = NULL;
    pool->taken++;
    return job;
}

bool sl_pool_stopping(const sl_pool *pool) {
    return pool->options.stopping && atomic_load(pool->options.stopping);
}

sl_status sl_pool_stopped(sl_error *err) {
    return sl_fail(err, SL_E_STOPPED, "stopped before the end");
}

void sl_pool_do_with(sl_pool *pool, unsigned number, int errnum) {
    assert(number < pool->options.workers && errnum);
    pool->stats.missing = pool->options.workers - number;
    pool->stats.missing_why = errnum;
    pool->options.workers = number;
}

bool sl_pool_has_descriptors(unsigned more) {
    struct rlimit limit;
    int lowest = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (lowest < 0) return errno == EBADF;
    close(lowest);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return true;
    rlim_t files = limit.rlim_cur / 2 < FOR_FILES ? limit.rlim_cur / 2 : FOR_FILES;
    return (rlim_t)lowest + more + files <= limit.rlim_cur;
}

/* ---- the worker's side ------------------------------------------------------------------------------------------- */

sl_status sl_pool_worker_start(const sl_pool *pool, unsigned worker, void **state, sl_error *err) {
    *state = NULL;
    if (!pool->calls.start) return SL_OK;
    sl_status status = pool->calls.start(pool->calls.ctx, worker, state, err);
    return sl_is_failure(status) ? sl_fail(err, status, "worker %u cannot start", worker) : SL_OK;
}

void sl_pool_worker_stop(const sl_pool *pool, void *state) {
    if (pool->calls.stop) pool->calls.stop(pool->calls.ctx, state);
}

/* Makes workers overtake one another in tests; the same seq and worker always sleep equally long. */
static void stall(unsigned microseconds, unsigned worker, uint64_t seq) {
    if (!microseconds) return;
    uint64_t us = sl_hash_mix(seq * MAX_WORKERS + worker + 1) % ((uint64_t)microseconds + 1);
    struct timespec left = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    while (nanosleep(&left, &left) != 0) continue;
}

void sl_job_settle(sl_job *job, sl_status status) {
    job->status = status;
    if (status == SL_E_MEMORY) sl_oom(&job->error);
    if (sl_is_failure(status)) sl_fail(&job->error, status, "the work failed without giving a reason");
}

void sl_pool_work(const sl_pool *pool, void *state, unsigned worker, sl_job *job) {
    stall(pool->options.stall, worker, job->seq);
    sl_job_settle(job, pool->calls.work(pool->calls.ctx, state, worker, job));
}

sl_status sl_pool_worker_finish(const sl_pool *pool, void *state, sl_error *err) {
    if (!pool->calls.finish) return SL_OK;
    sl_status status = pool->calls.finish(pool->calls.ctx, state, err);
    return sl_is_failure(status) ? sl_fail(err, status, "a worker failed at its end without giving a reason")
                                 : SL_OK;
}

/* ---- the coordinator's side -------------------------------------------------------------------------------------- */

static const sl_pool_class *class_of(sl_pool_kind kind) {
    switch (kind) {
    case SL_POOL_INLINE: return &sl_pool_inline_class;
    case SL_POOL_THREADS: return &sl_pool_threads_class;
    case SL_POOL_PROCESSES: return &sl_pool_processes_class;
    }
    return NULL;
}

static sl_status check_options(const sl_pool_options *options, const sl_pool_calls *calls, sl_error *err) {
    if (options->workers < 1 || options->workers > MAX_WORKERS)
        return sl_fail(err, SL_E_USAGE, "%u workers asked for, 1 to %d are possible", options->workers,
                       MAX_WORKERS);
    bool framed = calls->send && calls->receive && calls->reply && calls->accept;
    if (!calls->work || (options->kind == SL_POOL_PROCESSES && !framed) || !class_of(options->kind))
        return sl_fail(err, SL_E_INTERNAL,
                       "a pool needs work, and processes need send, receive, reply and accept");
    return SL_OK;
}

sl_status sl_pool_start(sl_pool **pool, const sl_pool_options *options, const sl_pool_calls *calls,
                        sl_error *err) {
    *pool = NULL;
    TRY(check_options(options, calls, err));
    const sl_pool_class *kind = class_of(options->kind);
    sl_pool *p = calloc(1, kind->size);
    if (!p) return sl_oom(err);
    p->kind = kind;
    p->options = *options;
    p->calls = *calls;
    p->capacity = kind->capacity(options->workers);
    p->done = calloc(p->capacity, sizeof *p->done);
    sl_status status = p->done ? kind->start(p, err) : sl_oom(err);
    if (status != SL_OK) sl_pool_stop(&p);
    *pool = p;
    return status;
}

unsigned sl_pool_capacity(const sl_pool *pool) {
    return pool->capacity;
}

unsigned sl_pool_pending(const sl_pool *pool) {
    return pool->pending;
}

sl_status sl_pool_submit(sl_pool *pool, sl_job *job, sl_error *err) {
    if (pool->pending >= pool->capacity)
        return sl_fail(err, SL_E_INTERNAL, "a pool that is full (%u jobs) was given another", pool->capacity);
    job->seq = pool->submitted++;
    job->out = NULL;
    job->status = SL_OK;
    job->error = (sl_error){0};
    pool->pending++;
    pool->stats.jobs++;
    return pool->kind->submit(pool, job, err);
}

sl_status sl_pool_take(sl_pool *pool, sl_job **job, sl_error *err) {
    *job = NULL;
    if (sl_pool_stopping(pool)) return sl_pool_stopped(err);
    if (pool->pending == 0) return SL_DONE;
    TRY(pool->kind->take(pool, job, err));
    assert(*job && pool->pending <= pool->capacity);
    pool->pending--;
    return SL_OK;
}

bool sl_pool_ready(sl_pool *pool) {
    return pool->pending == 0 || sl_pool_stopping(pool) || pool->kind->ready(pool);
}

sl_status sl_pool_finish(sl_pool *pool, sl_error *err) {
    assert(pool->pending == 0);
    if (sl_pool_stopping(pool)) return sl_pool_stopped(err);
    return pool->calls.finish ? pool->kind->finish(pool, err) : SL_OK;
}

void sl_pool_stop(sl_pool **pool) {
    sl_pool *p = *pool;
    if (!p) return;
    p->kind->stop(p);
    free(p->done);
    free(p);
    *pool = NULL;
}

sl_pool_stats sl_pool_statistics(const sl_pool *pool) {
    return pool->stats;
}
