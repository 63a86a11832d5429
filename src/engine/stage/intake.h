/* intake.h: the units of a stage, branch after branch.
 *
 *     open  next* until it is over  close  free
 *
 * The sources of the next branches are opened ahead, so that slow hosts overlap. Where a run goes on without sources that fail
 * (keep_going), one that gave nothing yet is noted and left out.
 *
 * Thread rule: the coordinator. */
#ifndef SL_ENGINE_STAGE_INTAKE_H
#define SL_ENGINE_STAGE_INTAKE_H

#include "engine/stage/lent.h"

/* Of one branch. */
typedef struct sl_inlet {
    void *split; /* SL_INTAKE_SOURCE: opened */
    sl_env env;  /* of its source, for as long as that is open */
    bool opened;
    bool begun;     /* SL_INTAKE_SOURCE: units were handed out, so it cannot be left out any more */
    bool unchanged; /* SL_INTAKE_SOURCE, once closed */
    uint32_t next;  /* SL_INTAKE_SPOOL: batch to read next; SL_INTAKE_ONE: 1 once handed out */
    uint64_t total; /* bytes if known */
} sl_inlet;

/* The intake of a stage at work. */
typedef struct sl_intake_run {
    const sl_stage *stage;
    const sl_lent *lent;
    sl_inlet *inlets; /* [nbranches] */
    uint32_t branch;  /* whose units come now */
    bool over;        /* there is no further unit */
    sl_status status; /* why, if it is no good reason: for the caller, when all units before have been done */
    sl_error error;
    sl_arena keep; /* of a nested run: what units name */
} sl_intake_run;

SL_MUST_CHECK sl_status sl_intake_open(sl_intake_run *in, const sl_stage *stage, const sl_lent *lent, sl_error *err);
/* The next task; NULL when it is over. */
sl_task *sl_intake_next(sl_intake_run *in);
/* Closes the sources. */
void sl_intake_close(sl_intake_run *in);
/* When no unit is held any more. */
void sl_intake_free(sl_intake_run *in);

#endif
