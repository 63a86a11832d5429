/* pool_internal.h: what the three kinds of pool share, and nothing outside workers/ sees.
 *
 * A kind embeds sl_pool as its first member and is made and freed by pool.c. Finished jobs meet the coordinator in one ring,
 * `done`: an ordered pool puts a job at its seq, an unordered one at the next free place, and take always looks at `taken`.
 * Pending jobs never exceed the capacity, so a place in the ring is free when its turn comes. */
#ifndef SL_WORKERS_POOL_INTERNAL_H
#define SL_WORKERS_POOL_INTERNAL_H

#include "workers/pool.h"

/* One kind of pool. All calls come from the coordinator's thread. */
typedef struct sl_pool_class {
    size_t size; /* of the struct that embeds sl_pool */
    unsigned (*capacity)(unsigned workers);
    sl_status (*start)(sl_pool *pool, sl_error *err);
    sl_status (*submit)(sl_pool *pool, sl_job *job, sl_error *err);
    /* Waits until the ring has the next job and hands it out; SL_E_STOPPED once stopping is seen. */
    sl_status (*take)(sl_pool *pool, sl_job **job, sl_error *err);
    bool (*ready)(sl_pool *pool);
    sl_status (*finish)(sl_pool *pool, sl_error *err); /* no job is pending, and there is a call for it */
    /* Ends the workers and frees what start made; runs after a failed start too, on a half-made or zeroed struct. */
    void (*stop)(sl_pool *pool);
} sl_pool_class;

extern const sl_pool_class sl_pool_inline_class, sl_pool_threads_class, sl_pool_processes_class;

struct sl_pool {
    const sl_pool_class *kind; /* read-only after start, as are the next three */
    sl_pool_options options;
    sl_pool_calls calls;
    unsigned capacity;
    unsigned pending;   /* coordinator only, as are the next two */
    uint64_t submitted; /* jobs so far: the next seq */
    sl_pool_stats stats;
    sl_job **done;     /* [capacity] threads: under the pool's lock; else coordinator only; as are the next two */
    uint64_t finished; /* unordered: jobs put into the ring so far */
    uint64_t taken;    /* jobs handed out so far */
};

/* The ring. Threads: call with the lock held. */
void sl_pool_put_done(sl_pool *pool, sl_job *job);
bool sl_pool_has_done(const sl_pool *pool); /* take would not wait */
sl_job *sl_pool_next_done(sl_pool *pool);   /* NULL: take would wait */

/* Any thread. */
bool sl_pool_stopping(const sl_pool *pool);
sl_status sl_pool_stopped(sl_error *err); /* SL_E_STOPPED */

/* Worker side. start, stop and finish tolerate absent calls; work leaves its outcome in the job, after the test-only stall. */
sl_status sl_pool_worker_start(const sl_pool *pool, unsigned worker, void **state, sl_error *err);
void sl_pool_worker_stop(const sl_pool *pool, void *state);
void sl_pool_work(const sl_pool *pool, void *state, unsigned worker, sl_job *job);
sl_status sl_pool_worker_finish(const sl_pool *pool, void *state, sl_error *err);

/* Worker NUMBER could not be started, because of ERRNUM: the pool does with those before it. */
void sl_pool_do_with(sl_pool *pool, unsigned number, int errnum);
/* Whether MORE descriptors leave enough for files: workers shall not take the last ones. */
bool sl_pool_has_descriptors(unsigned more);

/* Sets STATUS, and code in an error that a call forgot to fill. */
void sl_job_settle(sl_job *job, sl_status status);

static inline bool sl_is_failure(sl_status status) {
    return status > SL_DONE;
}

#endif
