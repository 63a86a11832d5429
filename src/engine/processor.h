/* processor.h: the shell around `each` pipes and around sources used on items.
 *
 * It does what all processors share, so that a pipe only computes: field lookup and cast, confs that refer to the item, and the
 * rules that turn results into a stream: emit or assign, first or all, one value or a list (docs/pipeline-format.md).
 *
 * Thread rule: a processor belongs to one worker. */
#ifndef SL_ENGINE_PROCESSOR_H
#define SL_ENGINE_PROCESSOR_H

#include "plan/plan.h"

typedef struct sl_processor sl_processor;

/* For NODE, whose pipe has `each` or `source`. */
SL_MUST_CHECK sl_status sl_processor_new(const sl_node *node, sl_processor **out, sl_error *err);
void sl_processor_free(sl_processor **p); /* NULL-safe */

/* Takes B; its results go to OUT in order. */
SL_MUST_CHECK sl_status sl_processor_run(sl_processor *p, sl_batch *take, sl_out *out, sl_error *err);

#endif
