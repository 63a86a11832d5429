/* stage.h: one stage over its pool.
 *
 *     new -> running (take in, have done, hand to the end) -> finishing (the end's own result) -> done
 *
 * The coordinator keeps the pool full, takes outcomes in order and gives what they hold to the end. An intake that fails is kept
 * back until the jobs before it are done, so that the first error in the input's order is the one that is reported.
 *
 * A stage is pulled: it takes in no more than it needs for what is asked of it, and begins when something is.
 *
 *     init  ( pull | outcome | supply )*  stop  close
 *
 * Thread rule: the coordinator. Ownership: borrows the stage and what it is lent. */
#ifndef SL_ENGINE_STAGE_STAGE_H
#define SL_ENGINE_STAGE_STAGE_H

#include "engine/stage/intake.h"
#include "engine/stage/jobs.h"
#include "engine/stage/tally.h"

typedef enum sl_phase { SL_PHASE_NEW, SL_PHASE_RUNNING, SL_PHASE_FINISHING, SL_PHASE_DONE } sl_phase;

/* Others look at it for what is to be said of it. */
typedef struct sl_stage_run {
    const sl_stage *stage;
    const sl_lent *lent;
    sl_phase phase;
    bool enough; /* the readers want no more */
    sl_intake_run intake;
    sl_stage_jobs jobs;
    sl_end_run end;
    sl_tally tally;
    uint64_t started, ended; /* monotonic ns; 0: not yet */
} sl_stage_run;

/* S is all zero. */
void sl_stage_init(sl_stage_run *s, const sl_stage *stage, const sl_lent *lent);
/* Starts its workers, if it has not begun: pull and outcome do so themselves. */
SL_MUST_CHECK sl_status sl_stage_start(sl_stage_run *s, sl_error *err);
/* The next batch of the stage's result, the caller's. SL_DONE at its end. */
SL_MUST_CHECK sl_status sl_stage_pull(sl_stage_run *s, sl_batch **out, sl_error *err);
/* The next outcome of an output stage with sinks, the caller's. SL_DONE at its end. */
SL_MUST_CHECK sl_status sl_stage_outcome(sl_stage_run *s, sl_outcome **out, sl_error *err);
/* What other stages read its result by. */
sl_supply sl_stage_supply(sl_stage_run *s);
/* Ends its workers and closes its sources; what was counted stays. Again: nothing. */
void sl_stage_stop(sl_stage_run *s);
/* When no worker of any stage looks into it any more. */
void sl_stage_close(sl_stage_run *s);

#endif
