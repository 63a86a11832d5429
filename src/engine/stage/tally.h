/* tally.h: what the workers of a stage have counted, added up as their outcomes come home.
 *
 * Thread rule: the coordinator. */
#ifndef SL_ENGINE_STAGE_TALLY_H
#define SL_ENGINE_STAGE_TALLY_H

#include "engine/stage/cut.h"

typedef struct sl_branch_tally {
    sl_count *places;     /* [1 + nsteps]: the intake, then each step */
    uint64_t quarantined; /* items that were left out as asked */
    uint64_t bytes;       /* of its source, read */
} sl_branch_tally;

typedef struct sl_tally {
    const sl_stage *stage;
    sl_branch_tally *branches; /* [nbranches]; NULL: the stage has not begun */
} sl_tally;

SL_MUST_CHECK sl_status sl_tally_open(sl_tally *t, const sl_stage *stage, sl_error *err);
void sl_tally_add(sl_tally *t, const sl_outcome *o);
/* What all branches gave to the stage's end. */
uint64_t sl_tally_given(const sl_tally *t);
void sl_tally_free(sl_tally *t);

#endif
