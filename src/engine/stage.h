/* stage.h: the graph of a plan cut into stages.
 *
 * A stage is one walk of units through  feed -> pure steps -> end.  Several branches (sources of a union, each with steps of its own)
 * may run into one end, one after another in order. What must see all input, or see it in order, ends a stage; its result is the
 * feed of a later one:
 *
 *     feed                      steps (workers)         end
 *     a source's units          each, apply, probe      serial   (coordinator, in order: truncate, uniq, zip of terminals)
 *     the result of a stage                             fold     (partials merged: sort, count, aggregate)
 *     a spool (split)                                   lookup   (a join's second stream becomes its table)
 *     one empty item                                    spool    (kept for several readers)
 *                                                       output   (sinks or the caller)
 *
 * The stages of a subpipe that a loop runs for each item hang on the loop's step; any worker may run them at any time.
 *
 * Ownership: everything in the plan's arena. Read-only once built; what a run makes of a stage is in its sl_bound. */
#ifndef SL_ENGINE_STAGE_H
#define SL_ENGINE_STAGE_H

#include "plan/plan.h"
#include "sinks/sink.h"

typedef struct sl_stage sl_stage;
typedef struct sl_stages sl_stages;

typedef enum sl_feed_kind {
    SL_FEED_SOURCE,
    SL_FEED_ONE,
    SL_FEED_CALLER, /* of a nested subpipe: the item it is run for */
    SL_FEED_STAGE,
    SL_FEED_SPOOL
} sl_feed_kind;

typedef struct sl_feed {
    sl_feed_kind kind;
    const sl_node *source; /* SL_FEED_SOURCE */
    sl_stage *stage;       /* SL_FEED_STAGE, SL_FEED_SPOOL: where the items come from */
} sl_feed;

typedef enum sl_step_kind {
    SL_STEP_EACH,  /* the processor shell around pipe->each */
    SL_STEP_FETCH, /* a source pipe as a processor: one fetch per item */
    SL_STEP_APPLY, /* pipe->apply */
    SL_STEP_PROBE, /* pipe->lookup->probe against the table of `lookup` */
    SL_STEP_PURE   /* pipe->serial->pure: the worker's half of the stage's own end */
} sl_step_kind;

typedef struct sl_step {
    sl_step_kind kind;
    const sl_node *node;
    sl_stage *lookup; /* SL_STEP_PROBE */
    const sl_stages *nested; /* SL_STEP_EACH of a loop over a subpipe */
} sl_step;

typedef struct sl_branch {
    sl_feed feed;
    sl_step *steps;
    uint32_t nsteps, cap;
} sl_branch;

typedef enum sl_end {
    SL_END_SERIAL,
    SL_END_ZIP,
    SL_END_WRAP,
    SL_END_FOLD,
    SL_END_LOOKUP,
    SL_END_SPOOL,
    SL_END_OUTPUT
} sl_end;

struct sl_stage {
    unsigned id; /* from 0, in the order of making */
    sl_branch *branches;
    uint32_t nbranches, cap;
    sl_end end;
    const sl_node *node;  /* of the end: serial, fold, lookup, zip, wrap */
    sl_stage **terminals; /* streams bound to names the node's conf uses, ends of kind SL_END_OUTPUT */
    sl_text *terminal_names;
    uint32_t nterminals;
};

/* What a run makes of a stage before the stage's workers start. */
typedef struct sl_bound {
    void *conf;  /* compiled conf of the end: node->compiled, or resolved at the start */
    void *table; /* SL_END_LOOKUP: built */
} sl_bound;

struct sl_stages {
    sl_stage **v; /* every stage, in the order of making; a stage comes after those it reads from, except terminals */
    uint32_t n, cap;
    sl_stage *output;
};

/* Cuts the prepared plan. LIMIT > 0 puts a truncate before the output. Adjacent sort and truncate become one bounded sort. */
SL_MUST_CHECK sl_status sl_stages_make(sl_plan *plan, sl_stages *out, sl_error *err);

/* What each gathering stage may hold for a run whose memory setting is env->memory. */
size_t sl_stages_share(const sl_stages *s, const sl_env *env);

/* The first step of S for which IS holds; NULL: there is none. */
const sl_step *sl_stage_find(const sl_stage *s, bool (*is)(const sl_step *step));

/* The conf a node's data functions get: compiled, or NULL when it is resolved per item. */
static inline const void *sl_step_conf(const sl_step *step) {
    return step->node->dynamic ? NULL : step->node->compiled;
}

#endif
