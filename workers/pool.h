/* pool.h: who runs the pure part of a stage. One interface, three implementations:
 *
 *   inline     in the caller, at submit: the reference the other two must equal byte for byte
 *   threads    pthreads and a bounded queue; the coordinator may be one of the workers
 *   processes  forked workers, one poll loop in the coordinator, length-prefixed frames over socket pairs
 *
 *     start (submit | take)* finish? stop            submit at most `capacity` jobs ahead of take
 *
 * Jobs come back from sl_pool_take in the order of submission (ordered) or as they finish. Every job carries its own
 * status, so an error surfaces at the place in the input where it happened. A worker process that dies, or neither answers nor uses
 * the processor for `silent` seconds, costs one retry of its job on a fresh worker; the second time the job comes back as failed
 * (SL_E_INTERNAL naming the signal or exit status). Nothing here knows what a job is: `calls` do.
 *
 * The running job is the one that pays: a job that was only waiting behind it is sent again without a charge.
 *
 * Ownership: the pool owns neither jobs nor what they point to; between submit and take a job belongs to the pool.
 * Thread rule: submit, take and stop by the coordinator's thread only; calls->work runs on any worker. */
#ifndef SL_WORKERS_POOL_H
#define SL_WORKERS_POOL_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "base/status.h"

typedef struct sl_pool sl_pool;

typedef struct sl_job {
    uint64_t seq;     /* set by the pool: position in submission order */
    void *in;         /* what to do; the engine's */
    void *out;        /* what came of it; the engine's; NULL until done */
    sl_status status; /* of the work */
    sl_error error;   /* when status is a failure */
} sl_job;

typedef struct sl_pool_calls {
    void *ctx; /* read-only while the pool runs, shared by all workers (copied by fork in processes) */

    /* Worker side, each on one worker at a time. STATE is the worker's own, made by start. */
    sl_status (*start)(void *ctx, unsigned worker, void **state, sl_error *err); /* once a worker */
    void (*stop)(void *ctx, void *state);                                        /* once a worker; STATE may be NULL */
    sl_status (*work)(void *ctx, void *state, unsigned worker, sl_job *job);     /* parallel, pure; fills out, error */
    sl_status (*finish)(void *ctx, void *state, sl_error *err); /* parallel; once a worker, at sl_pool_finish; may be NULL */

    /* Only processes: a job's `in` and `out` as bytes. send/accept run in the coordinator, receive/reply in the worker. FRAME
     * is empty when send and reply get it, and at most 1 GiB. A retried job is not sent anew: its frame is. The error
     * of a job that failed travels by itself; reply and accept are called for it only if it has left something in `out`. receive,
     * reply and accept may say in job->error why they failed. The bytes given to receive and accept begin on a 16-byte boundary and
     * have SL_PADDING zero bytes behind them; receive's hold until clean. */
    sl_status (*send)(void *ctx, const sl_job *job, sl_buf *frame);
    sl_status (*receive)(void *ctx, sl_job *job, const char *frame, size_t n);
    sl_status (*reply)(void *ctx, sl_job *job, sl_buf *frame);
    /* FRAME is a malloc'ed block taken by the call. */
    sl_status (*accept)(void *ctx, sl_job *job, char *frame_take, size_t n);
    /* Frees job->in and job->out in the worker after reply; either may be NULL. */
    void (*clean)(void *ctx, sl_job *job);
} sl_pool_calls;

typedef enum sl_pool_kind { SL_POOL_INLINE, SL_POOL_THREADS, SL_POOL_PROCESSES } sl_pool_kind;

const char *sl_pool_kind_name(sl_pool_kind kind); /* "inline", "threads", "processes" */

typedef struct sl_pool_options {
    sl_pool_kind kind;
    unsigned workers;      /* 1..1024; fewer where the system has no room for them: see sl_pool_stats */
    bool ordered;          /* take in submission order */
    bool join_in;          /* threads: the coordinator is one of the workers, at work where take would wait; not for jobs that may
                            * wait for the world, which would hold everything up */
    unsigned silent;       /* seconds a worker process may do nothing with a job, 0: 300 */
    struct sl_log *log;    /* base/log.h: who was lost is told there; NULL: nothing is */
    unsigned stall;        /* test only: each job sleeps a pseudo-random time up to this many microseconds first */
    atomic_bool *stopping; /* may be NULL; true: workers take no further job and take returns SL_E_STOPPED */
} sl_pool_options;

SL_MUST_CHECK sl_status sl_pool_start(sl_pool **pool, const sl_pool_options *options, const sl_pool_calls *calls, sl_error *err);

/* How many jobs may be out at once: 2 x workers + 1 (inline: 1). */
unsigned sl_pool_capacity(const sl_pool *pool);
unsigned sl_pool_pending(const sl_pool *pool); /* submitted and not yet taken */

/* Queues JOB. Pending must be below the capacity. */
SL_MUST_CHECK sl_status sl_pool_submit(sl_pool *pool, sl_job *job, sl_error *err);

/* Waits for the next finished job. SL_DONE when none is pending. Look at job->status for the work's own outcome. */
SL_MUST_CHECK sl_status sl_pool_take(sl_pool *pool, sl_job **job, sl_error *err);
/* True when sl_pool_take would not wait. */
bool sl_pool_ready(sl_pool *pool);

/* The last word of every worker, when all jobs are taken: what it can only say at the end of its work (stop cannot fail). Waits for
 * all of them; the failure of the lowest worker is the one returned. A worker process that dies of it is not replaced: what it
 * would have said is lost, which is a failure (SL_E_INTERNAL). One that died before has nothing to say. Only stop may follow. */
SL_MUST_CHECK sl_status sl_pool_finish(sl_pool *pool, sl_error *err);

/* Ends the workers: running jobs finish, queued ones are dropped (their `in` stays with the caller). A worker process that is
 * still busy after a second, or soon when `stopping` is true, is killed, since its answer will not be read. Jobs done but not taken
 * keep their `out`. NULL-safe. */
void sl_pool_stop(sl_pool **pool);

typedef struct sl_pool_stats {
    unsigned missing; /* workers asked for that the system would not start: the others do their work. With processes the caller does
                       * it if none can be started */
    int missing_why;  /* errno */
    uint64_t jobs, retries;
    uint64_t child_peak_bytes; /* largest worker process so far */
} sl_pool_stats;
sl_pool_stats sl_pool_statistics(const sl_pool *pool);

#endif
