/* inline.c: the caller is the one worker, and a job runs when it is submitted. */
#include <assert.h>

#include "workers/pool_internal.h"

typedef struct inline_pool {
    sl_pool base;
    void *state;
    bool started; /* start was called, so stop must be */
} inline_pool;

static inline_pool *inline_of(sl_pool *pool) {
    return (inline_pool *)pool;
}

static unsigned one(unsigned workers) {
    (void)workers;
    return 1;
}

static sl_status start_inline(sl_pool *pool, sl_error *err) {
    inline_pool *p = inline_of(pool);
    p->started = true;
    return sl_pool_worker_start(pool, 0, &p->state, err);
}

static sl_status submit_inline(sl_pool *pool, sl_job *job, sl_error *err) {
    (void)err;
    assert(!sl_pool_has_done(pool));          /* the one before was taken */
    if (sl_pool_stopping(pool)) return SL_OK; /* take will say so */
    sl_pool_work(pool, inline_of(pool)->state, 0, job);
    sl_pool_put_done(pool, job);
    return SL_OK;
}

static sl_status take_inline(sl_pool *pool, sl_job **job, sl_error *err) {
    *job = sl_pool_next_done(pool);
    return *job ? SL_OK : sl_pool_stopped(err); /* a job is absent only when submit saw the stop */
}

static bool ready_inline(sl_pool *pool) {
    (void)pool;
    return true;
}

static sl_status finish_inline(sl_pool *pool, sl_error *err) {
    return sl_pool_worker_finish(pool, inline_of(pool)->state, err);
}

static void stop_inline(sl_pool *pool) {
    inline_pool *p = inline_of(pool);
    if (p->started) sl_pool_worker_stop(pool, p->state);
}

const sl_pool_class sl_pool_inline_class = {
    .size = sizeof(inline_pool),
    .capacity = one,
    .start = start_inline,
    .submit = submit_inline,
    .take = take_inline,
    .ready = ready_inline,
    .finish = finish_inline,
    .stop = stop_inline,
};
