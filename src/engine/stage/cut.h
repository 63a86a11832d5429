/* cut.h: the graph of a plan cut into stages.
 *
 * A stage is one walk of units through  intake -> pure steps -> end.  Several branches (sources of a union, each with steps of its
 * own) may run into one end, one after another in order. What must see all input, or see it in order, ends a stage; its result is
 * the intake of a later one:
 *
 *     intake                    steps (workers)         end
 *     a source's units          each, apply, probe      serial   (coordinator, in order: truncate, uniq, zip of terminals)
 *     the result of a stage                             fold     (partials merged: sort, count, aggregate)
 *     a spool (split)                                   lookup   (a join's second stream becomes its table)
 *     one empty item                                    spool    (kept for several readers)
 *                                                       output   (sinks or the caller)
 *
 * The stages of a subpipe that a loop runs for each item hang on the loop's step; any worker may run them at any time.
 *
 * Ownership: everything in the plan's arena. Read-only once cut; what a run makes of a stage is in its sl_bound. */
#ifndef SL_ENGINE_STAGE_CUT_H
#define SL_ENGINE_STAGE_CUT_H

#include "engine/end/end.h"

typedef struct sl_stage {
    uint32_t id; /* from 0, in the order of making */
    sl_branch *branches;
    uint32_t nbranches;
    sl_end end;
} sl_stage;

struct sl_stages {
    sl_stage **v; /* every stage, by id; a stage comes after those it reads from, except terminals */
    uint32_t n, cap;
    sl_stage *output;
};

/* Cuts the prepared plan. LIMIT > 0 puts a truncate before the output. Adjacent sort and truncate become one bounded sort. */
SL_MUST_CHECK sl_status sl_stages_make(sl_plan *plan, sl_stages *out, sl_error *err);

/* Why a stage is cut where it ends so. */
const char *sl_end_reason(sl_end_kind end);

/* Whether S gathers items, and so has a share of the memory. */
bool sl_stage_gathers(const sl_stage *s);
/* What each gathering stage may hold for a run whose memory setting is env->memory. */
size_t sl_stages_memory(const sl_stages *s, const sl_env *env);

/* The first step of S for which IS holds; NULL: there is none. */
const sl_step *sl_stage_find(const sl_stage *s, bool (*is)(const sl_step *step));

#endif
