/* run.h: the coordinator. Runs the stages of a plan over a pool, serially and in order where the world is touched.
 *
 *     sl_run_new  ( sl_run_to_sinks | sl_run_next* )  sl_run_report?  sl_run_free
 *
 * The output stage takes in what it needs; an intake that is another stage's result pulls that stage, and so on up to the sources.
 * Each stage at work has a pool of its own with a bounded number of jobs out, so memory is bounded and a consumer that has enough
 * stops everything above it.
 *
 * Thread rule: one thread, the coordinator's. Ownership: borrows the plan and the targets, which outlive the run. */
#ifndef SL_ENGINE_RUN_RUN_H
#define SL_ENGINE_RUN_RUN_H

#include "engine/run/explain.h"
#include "engine/stage/stage.h"

typedef struct sl_run sl_run;

typedef struct sl_run_options {
    const sl_plan *plan;
    const sl_stages *stages;
    sl_batch *input;          /* of a nested subpipe: the caller's item; taken */
    const sl_target *targets; /* none: sl_run_next */
    uint32_t ntargets;
    const sl_sink_env *sink_env;
    sl_pool_kind pool;
    unsigned workers;
    unsigned stall; /* test only, see pool.h */
    atomic_bool *stopping;
    void (*committing)(void *user); /* the sinks are about to be committed; may be NULL */
    void *committing_user;
    sl_progress_fn progress; /* may be NULL */
    void *progress_user;
} sl_run_options;

/* *OUT is NULL when memory is out. */
SL_MUST_CHECK sl_status sl_run_new(const sl_run_options *options, sl_run **out, sl_error *err);
/* Ends workers and closes sources, which a run that failed has left at work; what was counted stays. */
void sl_run_stop(sl_run *r);
void sl_run_free(sl_run **r); /* NULL-safe; stops workers and sources, aborts sinks not committed */

/* Everything to the targets, committed. */
SL_MUST_CHECK sl_status sl_run_to_sinks(sl_run *r, sl_error *err);

/* The next batch of the result, owned by the caller: SL_OK, SL_DONE at the end. */
SL_MUST_CHECK sl_status sl_run_next(sl_run *r, sl_batch **out, sl_error *err);

sl_progress sl_run_progress(const sl_run *r);
/* The most workers that a stage which has ended had to do without, and the errno of that; 0: none. */
unsigned sl_run_missing_workers(const sl_run *r, int *why);
/* There was nothing to do, as nothing has changed SINCE: for the report. */
void sl_run_skip(sl_run *r, int64_t since);
/* Whether no source had an item so far, neither one of a branch nor one that was read for items. */
bool sl_run_read_nothing(const sl_run *r);
/* The sources that were left out; the run's. */
sl_failures *sl_run_failures(sl_run *r);
/* What was wrong with the I-th of them; NULL past the last. */
const char *sl_run_failure(const sl_run *r, unsigned i);

/* The run report as JSON into OUT. STATUS is how the run ended, ERR why (may be NULL). */
SL_MUST_CHECK sl_status sl_run_report(const sl_run *r, sl_status status, const sl_error *why, sl_buf *out, sl_error *err);

#endif
