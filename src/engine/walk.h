/* walk.h: the worker's side of a stage: one unit through feed -> steps -> end.
 *
 * A walker is one worker's: it holds the states of the steps and of the sinks, and, where workers share the coordinator's memory,
 * this worker's partial of a fold. In a process every job's partial travels home with the job, so that a killed worker costs
 * one job and no more.
 *
 * Thread rule: a walker belongs to one worker; the stage and the sinks are read-only. */
#ifndef SL_ENGINE_WALK_H
#define SL_ENGINE_WALK_H

#include "engine/failures.h"
#include "engine/processor.h"
#include "engine/stage.h"

/* A sink of the run with its compiled conf. */
typedef struct sl_target {
    const sl_sink *sink;
    void *conf;
    const char *text; /* as the user wrote it, for the report */
} sl_target;

/* What every worker of a stage knows. */
typedef struct sl_walk_plan {
    const sl_stage *stage;
    const sl_env *env;
    const sl_bound *bound; /* [stages], by id */
    const sl_target *targets; /* of an output stage */
    uint32_t ntargets;
    sl_nest nest;  /* of steps that run a subpipe */
    bool as_items; /* an output stage whose items the coordinator wants as batches */
} sl_walk_plan;

/* job->in */
typedef struct sl_task {
    uint32_t branch;
    uint32_t seal;   /* > 0: no unit; finish the partial of worker seal - 1 (shared memory only) */
    sl_unit unit;    /* SL_FEED_SOURCE */
    sl_batch *batch; /* other feeds; owned */
} sl_task;

/* Items through one place of a branch. RECOVERED: of those that a source gave there, the ones that were no well-formed text and had
 * to be mended. */
typedef struct sl_count {
    uint64_t in, out, recovered;
} sl_count;

/* job->out */
typedef struct sl_outcome {
    uint32_t branch;
    sl_count *counts; /* [1 + nsteps]: the feed (out only), then each step */
    uint32_t ncounts;
    uint64_t quarantined, bytes;
    sl_failures failures; /* of sources that were fetched item by item */
    bool enough;        /* a step of this unit wants no more input */
    sl_batch **batches; /* what came out, in order; owned */
    uint32_t nbatches, cap_batches;
    sl_input *block; /* what a process sent, which frames and saved look into; else NULL, and the frames own their bytes */
    sl_buf *frames; /* [ntargets] */
    uint32_t nframes;
    void *partial; /* worker process: of a fold, sealed; owned */
    sl_text saved; /* coordinator of processes: the same, packed */
} sl_outcome;

typedef struct sl_walker sl_walker;

SL_MUST_CHECK sl_status sl_walker_new(const sl_walk_plan *plan, sl_walker **out, sl_error *err);
void sl_walker_free(sl_walker **w); /* NULL-safe */

/* Does JOB: takes what job->in holds (the task itself stays) and fills job->out. SEQ orders the items of all jobs. */
SL_MUST_CHECK sl_status sl_walk(sl_walker *w, uint64_t seq, sl_task *task, sl_outcome **out, sl_error *err);

/* The last words of this worker's steps, once no unit is left: pipe.h. */
SL_MUST_CHECK sl_status sl_walker_finish(sl_walker *w, sl_error *err);

/* This worker's share of the final work on what it has folded; by any one thread once no job runs. */
SL_MUST_CHECK sl_status sl_walker_seal(sl_walker *w, sl_error *err);

/* The partial that this worker has folded so far, now the caller's; NULL if it never folded. */
void *sl_walker_partial(sl_walker *w);

void sl_task_free(sl_task **t);
void sl_outcome_free(sl_outcome **o, const sl_stage *stage);

/* Texts of units that must outlive the run, one copy for the units that follow one another with the same. */
typedef struct sl_names {
    sl_arena arena;
    sl_text path, source, note;
} sl_names;

/* The same things as bytes, for worker processes. */
SL_MUST_CHECK sl_status sl_task_save(const sl_task *t, sl_buf *frame, sl_error *err);
SL_MUST_CHECK sl_status sl_task_load(const char *data, size_t n, sl_names *names, sl_task **out,
                                     sl_error *err);
SL_MUST_CHECK sl_status sl_outcome_save(const sl_walk_plan *plan, sl_outcome *o, sl_buf *frame,
                                        sl_error *err);
/* Takes DATA (malloc'ed). */
SL_MUST_CHECK sl_status sl_outcome_load(const sl_walk_plan *plan, char *data_take, size_t n, sl_outcome **out,
                                        sl_error *err);

#endif
