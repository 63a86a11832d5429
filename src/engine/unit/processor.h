/* processor.h: the shell around `each` pipes, around sources used on items and around subpipes that a loop runs for each item.
 *
 * It does what all processors share, so that a pipe only computes: field lookup and cast, confs that refer to the item, and the
 * rules that turn results into a stream: emit or assign, first or all, one value or a list (docs/pipeline-format.md). A loop has
 * rules of its own: it emits unless told not to, and then stores one result an item, never a list.
 *
 * Thread rule: a processor belongs to one worker. */
#ifndef SL_ENGINE_UNIT_PROCESSOR_H
#define SL_ENGINE_UNIT_PROCESSOR_H

#include "engine/unit/unit.h"

typedef struct sl_processor sl_processor;

/* For NODE, whose pipe has `each`, `apply` or `source`, or which is a loop over the subpipe whose stages are NESTED (else NULL),
 * and which NEST runs. */
SL_MUST_CHECK sl_status sl_processor_new(const sl_node *node, const sl_stages *nested, sl_nest nest, sl_processor **out,
                                         sl_error *err);
/* The last word of the pipe's state, if it has one: pipe.h. */
SL_MUST_CHECK sl_status sl_processor_finish(sl_processor *p, sl_error *err);
void sl_processor_free(sl_processor **p); /* NULL-safe */

/* What the sources met with that it has read so far, for the caller to take away. */
sl_findings *sl_processor_findings(sl_processor *p);

/* Takes B; its results go to OUT in order. */
SL_MUST_CHECK sl_status sl_processor_run(sl_processor *p, sl_batch *take, sl_out *out, sl_error *err);

#endif
