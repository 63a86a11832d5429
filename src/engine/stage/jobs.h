/* jobs.h: the units of a stage that are with its pool.
 *
 *     start  ( has_room submit | take )*  (gather take*)?  finish?  stop  free
 *
 * At most `capacity` are out at once, so memory is bounded. What the pool knows nothing of, how a unit is done and how it travels,
 * is here: for the pool a job is a task that becomes an outcome.
 *
 * Thread rule: the coordinator, but for what the pool calls. The walk's plan is read-only once started. */
#ifndef SL_ENGINE_STAGE_JOBS_H
#define SL_ENGINE_STAGE_JOBS_H

#include "engine/stage/lent.h"

typedef struct sl_stage_jobs {
    sl_walk_plan walk;
    sl_log *log;
    sl_pool *pool;
    unsigned workers;
    sl_walker **walkers; /* [workers]; each written by its worker at its start, read by the coordinator when no job runs */
    sl_names names;      /* worker processes: texts of units */
    sl_job *jobs;        /* [capacity] */
    sl_job **idle;       /* those not with the pool */
    unsigned nidle, capacity;
    uint64_t sent;       /* as the trace tells it */
    sl_pool_stats stats; /* once stopped */
} sl_stage_jobs;

SL_MUST_CHECK sl_status sl_jobs_start(sl_stage_jobs *j, const sl_stage *stage, const sl_lent *lent, sl_error *err);

/* Whether another task can be submitted before one is taken. */
static inline bool sl_jobs_have_room(const sl_stage_jobs *j) {
    return j->nidle > 0;
}
SL_MUST_CHECK sl_status sl_jobs_submit(sl_stage_jobs *j, sl_task *take, sl_error *err);
/* The outcome of the next finished job, the caller's, also of one that failed, NULL for a sealing one; SL_DONE when no job is left.
 */
SL_MUST_CHECK sl_status sl_jobs_take(sl_stage_jobs *j, sl_outcome **out, sl_error *err);
/* Where workers fold in shared memory: their partials are sealed, all at once. None of their jobs may be out. */
SL_MUST_CHECK sl_status sl_jobs_seal(sl_stage_jobs *j, sl_error *err);
/* The partial of worker W, then the caller's; NULL: it has none. */
void *sl_jobs_partial(sl_stage_jobs *j, unsigned w);
/* The last words of the workers. */
SL_MUST_CHECK sl_status sl_jobs_finish(sl_stage_jobs *j, sl_error *err);
/* Drops what is still out: it is not wanted. Ends the workers. */
void sl_jobs_stop(sl_stage_jobs *j);
void sl_jobs_free(sl_stage_jobs *j);

#endif
