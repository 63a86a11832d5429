/* lent.h: what a run lends its stages while they run. They know the run by this alone, and one another by the results in it.
 *
 * Thread rule: the coordinator; workers see what is in the plan of a walk. */
#ifndef SL_ENGINE_STAGE_LENT_H
#define SL_ENGINE_STAGE_LENT_H

#include "engine/stage/cut.h"
#include "workers/pool.h"

typedef struct sl_lent {
    const sl_stages *stages;
    const sl_env *env;
    sl_buf *shown;            /* of a run of a subpipe: what its steps show goes there; else NULL: it is told */
    sl_log *log;              /* NULL: nothing is told, or the run is one of many */
    sl_pool_options pool;     /* as of a stage whose jobs come back in order, and never wait for the world */
    const sl_target *targets; /* of the output stage; none: its items are pulled */
    uint32_t ntargets;
    bool nested;           /* the run is one of a subpipe */
    sl_batch **item;       /* that the subpipe is run for; *ITEM is taken by the first who wants it */
    sl_bound *bound;       /* [stages], by id */
    sl_supply *results;    /* [stages], by id */
    sl_failures *failures; /* sources that are left out are added */
    sl_nest nest;
    void (*tell)(void *run); /* something has come */
    void *run;
} sl_lent;

static inline bool sl_lent_stopping(const sl_lent *lent) {
    return lent->pool.stopping && atomic_load_explicit(lent->pool.stopping, memory_order_relaxed);
}

#endif
