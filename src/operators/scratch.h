/* scratch.h: a buffer as the state of a pipe that writes one text an item: start and stop for its descriptor, which also says
 * SL_PIPE_STEADY. */
#ifndef SL_OPERATORS_SCRATCH_H
#define SL_OPERATORS_SCRATCH_H

#include "plan/pipe.h"

/* *STATE is an empty sl_buf. */
sl_status sl_scratch_start(const void *conf, void **state, sl_error *err);
void sl_scratch_stop(void *state); /* NULL-safe */

/* A copy of TEXT as one result. */
SL_MUST_CHECK sl_status sl_scratch_result(const sl_buf *text, sl_results *results, sl_error *err);

#endif
