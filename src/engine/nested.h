/* nested.h: a subpipe run whole for one item, in the worker that has the item.
 *
 * Its confs are compiled and its stages cut once, in the coordinator; a run of it is a coordinator of its own over the inline pool, so
 * everything that a pipeline may hold may stand in a subpipe, further loops over subpipes included.
 *
 * Thread rule: any worker; runs share nothing that is written to. */
#ifndef SL_ENGINE_NESTED_H
#define SL_ENGINE_NESTED_H

#include "engine/processor.h"

/* An sl_nest: what the plan of a walk gives its processors, which cannot know the coordinator they are run by. */
SL_MUST_CHECK sl_status sl_nested_items(const sl_plan *sub, const sl_stages *stages, sl_batch *take, sl_batch_sink sink,
                                        void *to, sl_findings *findings, bool *no_source, sl_error *err);

#endif
