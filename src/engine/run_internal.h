/* run_internal.h: what the files of the coordinator share: stage_run.c (one stage), feed.c (its input), run.c, report.c. */
#ifndef SL_ENGINE_RUN_INTERNAL_H
#define SL_ENGINE_RUN_INTERNAL_H

#include "engine/run.h"
#include "record/spool.h"

typedef struct sl_stage_run sl_stage_run;

typedef enum sl_phase { SL_PHASE_NEW, SL_PHASE_RUNNING, SL_PHASE_FINISHING, SL_PHASE_DONE } sl_phase;

/* Batches on their way from one stage to the next, first in first out. Also the sl_out that serial and fold ends emit to. */
typedef struct sl_queue {
    sl_out out; /* first */
    sl_batch **v;
    uint32_t head, n, cap;
    uint64_t items; /* ever put in */
} sl_queue;

/* Where a branch's units come from, while the stage runs. */
typedef struct sl_feed_run {
    void *split; /* SL_FEED_SOURCE: opened */
    sl_env env;  /* of its source, for as long as that is open */
    bool opened, done;
    bool begun;  /* SL_FEED_SOURCE: units were handed out, so it cannot be left out any more */
    uint32_t next;  /* SL_FEED_SPOOL: block to read next; SL_FEED_ONE: 1 once handed out */
    uint64_t total; /* bytes if known */
    bool unchanged; /* SL_FEED_SOURCE, once closed */
} sl_feed_run;

/* What a stage counts for, where somebody behind it has had enough: see counts.c. */
typedef struct sl_share {
    bool wanted;    /* somebody has asked for its result */
    uint64_t asked; /* how many items of the result were wanted; UINT64_MAX: all */
    bool cut;       /* not all of its input counts: what its branches in front of BRANCH gave, ITEMS of that one, none of later ones */
    uint32_t branch;
    uint64_t items;
} sl_share;

struct sl_stage_run {
    sl_run *run;
    const sl_stage *stage;
    sl_bound *bound; /* its own */
    sl_phase phase;
    sl_walk_plan walk;
    sl_pool *pool;
    sl_pool_calls calls;
    sl_walker **
        walkers; /* [workers]; each written by its worker at its start, read by the coordinator when no job runs */
    sl_names names; /* worker processes: texts of units */
    sl_job *jobs;   /* [capacity] */
    sl_job **idle;  /* jobs not with the pool */
    unsigned nidle, capacity;
    sl_feed_run *feeds;    /* [nbranches] */
    uint32_t branch;       /* being fed */
    bool fed;              /* no unit is left */
    bool enough;           /* nobody wants more */
    sl_status feed_status; /* a failed feed surfaces after the jobs before it */
    sl_error feed_error;
    sl_queue ready;
    void *serial;          /* SL_END_SERIAL: opened */
    void *partial;         /* SL_END_FOLD: merged so far */
    bool wrapped;          /* SL_END_WRAP: something came */
    sl_spool *spool;       /* SL_END_SPOOL */
    sl_arena arena;        /* resolved confs */
    sl_count **counts;     /* [nbranches]: [1 + nsteps] */
    uint64_t *quarantined; /* [nbranches] */
    uint64_t *bytes;       /* [nbranches] */
    uint64_t started, ended; /* monotonic ns; 0: not yet */
    uint64_t end_in, end_out;
    bool handed_on; /* SL_END_SERIAL: something came out before all had come in */
    sl_share share; /* counts.c */
    sl_pool_stats pool_stats;
};

struct sl_run {
    sl_run_options o;
    const sl_env *env;
    sl_stage_run *stages;              /* [stages->n], by id */
    sl_bound *bound;                   /* [stages->n], by id */
    void **sinks;                      /* [ntargets]: opened */
    uint64_t *rows;                    /* [ntargets]: written */
    sl_failures failures;              /* sources that were left out */
    int64_t unchanged_since;           /* seconds since the epoch; 0: it was run */
    uint64_t started, ended, reported; /* monotonic ns */
    bool committing;
};

/* ---- counts.c: what the report says ---- */
/* Works out every stage's share; before the others are asked. */
void sl_counts_settle(const sl_run *r);
/* Items through place I of branch B: 0 the feed, 1 + i its i-th step. */
sl_count sl_counts_at(const sl_stage_run *sr, uint32_t b, uint32_t i);
/* Items through the end of the stage. */
sl_count sl_counts_end(const sl_stage_run *sr);
/* Items that were given to the end but were neither handed on nor made into others. */
uint64_t sl_counts_dropped(const sl_stage_run *sr);
/* Whether what comes out of the end is made of the items that came, rather than some of them. */
bool sl_counts_makes(const sl_stage *s);
/* The steps of BRANCH but the worker's half of the stage's own end, which is the end's business. */
uint32_t sl_counts_steps(const sl_branch *branch);

/* Calls the run's progress function, if it has one, about ten times a second at most; NOW: whenever that was. */
void sl_run_tell(sl_run *r, bool now);

/* ---- stage_run.c ---- */
sl_status sl_stage_start(sl_stage_run *sr, sl_error *err);
/* The next batch of the stage's result. SL_DONE at its end. */
sl_status sl_stage_pull(sl_stage_run *sr, sl_batch **out, sl_error *err);
/* The next outcome of an output stage with sinks; SL_DONE at its end. Owned by the caller. */
sl_status sl_stage_outcome(sl_stage_run *sr, sl_outcome **out, sl_error *err);
void sl_stage_stop(sl_stage_run *sr);

/* ---- feed.c ---- */
/* The next task of the stage, SL_DONE when there is none. */
sl_status sl_feed_next(sl_stage_run *sr, sl_task **out, sl_error *err);
void sl_feed_close(sl_stage_run *sr);

/* ---- guard.c ---- */
/* When all is written and nothing is ready yet: fails where too little came for what it would replace. */
sl_status sl_run_guard(const sl_run *r, sl_error *err);

/* ---- queue ---- */
sl_status sl_queue_put(sl_queue *q, sl_batch *take, sl_error *err);
sl_batch *sl_queue_get(sl_queue *q); /* NULL when empty */
void sl_queue_clear(sl_queue *q);

/* ---- end.c: what the coordinator does with a stage's output ---- */
sl_status sl_end_open(sl_stage_run *sr, sl_error *err);
/* One batch, in order. SL_DONE: enough. */
sl_status sl_end_batch(sl_stage_run *sr, sl_batch *take, sl_error *err);
/* A worker's sealed partial. */
sl_status sl_end_partial(sl_stage_run *sr, void *take, sl_error *err);
/* One that a process has sent, packed; borrowed. */
sl_status sl_end_saved(sl_stage_run *sr, sl_text saved, sl_error *err);
/* Something more of the result into sr->ready; SL_DONE when there is no more. */
sl_status sl_end_finish(sl_stage_run *sr, sl_error *err);
void sl_end_close(sl_stage_run *sr);

static inline sl_stage_run *sl_run_of(const sl_stage_run *sr, const sl_stage *stage) {
    return &sr->run->stages[stage->id];
}

#endif
