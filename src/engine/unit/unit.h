/* unit.h: the worker's side of a stage: one unit through  intake -> steps -> end.
 *
 * A unit travels as a task, which says where it comes in, and comes home as an outcome, which holds what came of it and what was
 * counted on the way; for worker processes both are written as bytes. What takes it through is a walker, one a worker: it holds the
 * states of the steps and of the sinks, and, where workers share the coordinator's memory, this worker's partial of a fold. In a
 * process every job's partial travels home with the job, so that a killed worker costs one job and no more.
 *
 * Thread rule: a walker belongs to one worker; the plan of the walk, and all it points to, is read-only. */
#ifndef SL_ENGINE_UNIT_UNIT_H
#define SL_ENGINE_UNIT_UNIT_H

#include "engine/unit/failures.h"
#include "engine/unit/targets.h"
#include "record/builder.h"

typedef struct sl_stages sl_stages;

/* ---- the way ------------------------------------------------------------------------------------------------------- */

typedef enum sl_intake_kind {
    SL_INTAKE_SOURCE,
    SL_INTAKE_ONE,    /* one empty item */
    SL_INTAKE_CALLER, /* of a nested subpipe: the item it is run for */
    SL_INTAKE_STAGE,
    SL_INTAKE_SPOOL
} sl_intake_kind;

/* Where the units of a branch come from. */
typedef struct sl_intake {
    sl_intake_kind kind;
    const sl_node *source; /* SL_INTAKE_SOURCE, else NULL */
    uint32_t stage;        /* SL_INTAKE_STAGE, SL_INTAKE_SPOOL: id of the one that gives them */
} sl_intake;

typedef enum sl_step_kind {
    SL_STEP_EACH,  /* the processor shell around pipe->each */
    SL_STEP_FETCH, /* a source pipe as a processor: one fetch per item */
    SL_STEP_APPLY, /* pipe->apply */
    SL_STEP_PROBE, /* pipe->lookup->probe against a table */
    SL_STEP_PURE   /* pipe->serial->pure: the worker's half of the stage's own end */
} sl_step_kind;

typedef struct sl_step {
    sl_step_kind kind;
    const sl_node *node;
    uint32_t table;          /* SL_STEP_PROBE: id of the stage whose end makes the table */
    const sl_stages *nested; /* SL_STEP_EACH of a loop over a subpipe, else NULL */
} sl_step;

/* One of the ways that lead to the end of a stage. */
typedef struct sl_branch {
    sl_intake intake;
    sl_step *steps;
    uint32_t nsteps, cap;
} sl_branch;

/* Whether B's units are what another stage gave. */
static inline bool sl_branch_reads_stage(const sl_branch *b) {
    return b->intake.kind == SL_INTAKE_STAGE || b->intake.kind == SL_INTAKE_SPOOL;
}

/* SL_E_PLAN when a worker could not make what NODE asks of every processor (skip_if). */
SL_MUST_CHECK sl_status sl_step_check(const sl_node *node, sl_error *err);

/* What a run makes of a stage's end before the workers start that look into it. */
typedef struct sl_bound {
    void *conf;  /* compiled conf of the end: node->compiled, or resolved at the start */
    void *table; /* of a lookup: built */
} sl_bound;

/* Runs SUB, whose stages are STAGES, for the one row of TAKE, in the worker that has the row, and hands the results to SINK. SINK
 * may return SL_DONE: the sources of the subpipe are not read any further. FINDINGS grow. Where it goes on without sources that
 * fail (keep_going), a run none of whose sources could be read has no results: what SINK has got of it is to be dropped, which
 * *NO_SOURCE says. */
typedef sl_status (*sl_nest)(const sl_plan *sub, const sl_stages *stages, sl_batch *take, sl_batch_sink sink, void *to,
                             sl_findings *findings, bool *no_source, sl_error *err);

/* What every worker of a stage knows. */
typedef struct sl_walk_plan {
    const sl_branch *branches;
    uint32_t nbranches;
    uint32_t id;              /* of the stage */
    const sl_node *fold;      /* of an end that workers fold into, else NULL */
    const sl_bound *bound;    /* [stages], by id */
    const sl_target *targets; /* what workers encode for; none: the batches themselves go to the coordinator */
    uint32_t ntargets;
    const sl_env *env;
    sl_nest nest; /* of steps that run a subpipe */
} sl_walk_plan;

/* ---- what travels -------------------------------------------------------------------------------------------------- */

/* job->in */
typedef struct sl_task {
    uint32_t branch;
    uint32_t seal;   /* > 0: no unit; finish the partial of worker seal - 1 (shared memory only) */
    sl_unit unit;    /* SL_INTAKE_SOURCE */
    sl_batch *batch; /* other intakes; owned */
} sl_task;

/* Items through one place of a branch. RECOVERED: of those that a source gave there, the ones that were no well-formed text and had
 * to be mended. */
typedef struct sl_count {
    uint64_t in, out, recovered;
} sl_count;

/* What a step shows of a unit. */
typedef struct sl_shown {
    uint64_t limit; /* how many items of the run are shown there; 0: all */
    uint64_t n;     /* bytes of the lines */
    uint64_t place; /* of the step in outcome->counts */
} sl_shown;

/* job->out */
typedef struct sl_outcome {
    uint32_t branch;
    sl_count *counts; /* [1 + nsteps]: the intake (out only), then each step */
    uint32_t ncounts;
    uint64_t quarantined, bytes;
    sl_failures failures; /* of sources that were fetched item by item */
    bool enough;          /* a step of this unit wants no more input */
    sl_buf shown;         /* what steps show: sl_shown, each with its lines behind it */
    sl_buf said;          /* worker process: what its log has kept */
    sl_batch **batches;   /* what came out, in order; owned */
    uint32_t nbatches, cap_batches;
    sl_input *block; /* what a process sent, which frames and saved look into; else NULL, and the frames own their bytes */
    sl_buf *frames;  /* [ntargets] */
    uint32_t nframes;
    const sl_fold *fold; /* of the partial */
    void *partial;       /* worker process: of a fold, sealed; owned */
    sl_text saved;       /* coordinator of processes: the same, packed */
} sl_outcome;

void sl_task_free(sl_task **t); /* NULL-safe, as is the next */
void sl_outcome_free(sl_outcome **o);

/* Of a unit that failed: nothing is left of it but what was said. */
void sl_outcome_strip(sl_outcome *o);

/* Nothing has come yet of a unit of BRANCH; NULL when memory is out. */
sl_outcome *sl_outcome_new(const sl_walk_plan *plan, uint32_t branch);

/* Texts of units that must outlive the run, one copy for the units that follow one another with the same. */
typedef struct sl_names {
    sl_arena arena;
    sl_text path, source, note;
} sl_names;

/* The same things as bytes, for worker processes. */
SL_MUST_CHECK sl_status sl_task_save(const sl_task *t, sl_buf *frame, sl_error *err);
SL_MUST_CHECK sl_status sl_task_load(const char *data, size_t n, sl_names *names, sl_task **out, sl_error *err);
SL_MUST_CHECK sl_status sl_outcome_save(sl_outcome *o, sl_buf *frame, sl_error *err);
/* Takes DATA (malloc'ed). */
SL_MUST_CHECK sl_status sl_outcome_load(const sl_walk_plan *plan, char *data_take, size_t n, sl_outcome **out, sl_error *err);

/* ---- the walker ---------------------------------------------------------------------------------------------------- */

typedef struct sl_walker sl_walker;

SL_MUST_CHECK sl_status sl_walker_new(const sl_walk_plan *plan, sl_walker **out, sl_error *err);
void sl_walker_free(sl_walker **w); /* NULL-safe */

/* Does TASK: takes what it holds (the task itself stays) and makes the outcome. SEQ orders the items of all jobs. */
SL_MUST_CHECK sl_status sl_walk(sl_walker *w, uint64_t seq, sl_task *task, sl_outcome **out, sl_error *err);

/* The last words of this worker's steps, once no unit is left: pipe.h. */
SL_MUST_CHECK sl_status sl_walker_finish(sl_walker *w, sl_error *err);

/* This worker's share of the final work on what it has folded; by any one thread once no job runs. */
SL_MUST_CHECK sl_status sl_walker_seal(sl_walker *w, sl_error *err);

/* The partial that this worker has folded so far, now the caller's; NULL if it never folded. */
void *sl_walker_partial(sl_walker *w);

#endif
