/* internal.h: what the files of a run share. */
#ifndef SL_ENGINE_RUN_INTERNAL_H
#define SL_ENGINE_RUN_INTERNAL_H

#include "engine/run/run.h"

/* What of a stage counts, where somebody behind it has had enough: see counts.c. */
typedef struct sl_share {
    bool wanted;    /* somebody has asked for its result */
    uint64_t asked; /* how many items of the result were wanted; UINT64_MAX: all */
    bool cut; /* not all that came in counts: what its branches in front of BRANCH gave, ITEMS of that one, none of later ones */
    uint32_t branch;
    uint64_t items;
} sl_share;

struct sl_run {
    sl_run_options o;
    const sl_env *env;
    sl_stage_run *stages; /* [stages->n], by id, as are the next three */
    sl_bound *bound;
    sl_supply *results;
    sl_share *shares; /* counts.c */
    sl_lent lent;
    void **sinks;                      /* [ntargets]: opened */
    uint64_t *rows;                    /* [ntargets]: written */
    sl_buf shown;                      /* of a run of a subpipe: what its steps show */
    sl_failures failures;              /* sources that were left out */
    int64_t unchanged_since;           /* seconds since the epoch; 0: it was run */
    uint64_t started, ended, reported; /* monotonic ns */
    bool committing;
};

/* ---- counts.c: what the report says ---- */

/* Works out every stage's share; before the others are asked. */
void sl_counts_settle(const sl_run *r);
/* Items through place I of branch B of a stage: 0 the intake, 1 + i its i-th step. */
sl_count sl_counts_at(const sl_run *r, const sl_stage *s, uint32_t b, uint32_t i);
/* Items through the end of the stage. */
sl_count sl_counts_end(const sl_run *r, const sl_stage *s);
/* Items that were given to the end but were neither handed on nor made into others. */
uint64_t sl_counts_dropped(const sl_run *r, const sl_stage *s);
/* Whether what comes out of the end is made of the items that came, rather than some of them. */
bool sl_counts_makes(const sl_stage *s);
/* The steps of BRANCH but the worker's half of the stage's own end, which is the end's business. */
uint32_t sl_counts_steps(const sl_branch *branch);

/* Calls the run's progress function, if it has one, about ten times a second at most; NOW: whenever that was. */
void sl_run_tell(sl_run *r, bool now);

/* ---- guard.c ---- */

/* When all is written and nothing is ready yet: fails where too little came for what it would replace. */
SL_MUST_CHECK sl_status sl_run_guard(const sl_run *r, sl_error *err);

#endif
