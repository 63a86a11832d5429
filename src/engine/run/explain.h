/* explain.h: the plan for people and tools, as JSON: what runs where. */
#ifndef SL_ENGINE_RUN_EXPLAIN_H
#define SL_ENGINE_RUN_EXPLAIN_H

#include "engine/stage/stage.h"

SL_MUST_CHECK sl_status sl_explain(const sl_plan *plan, const sl_stages *stages, const sl_targets *targets, sl_buf *out,
                                   sl_error *err);
/* "url": URL without its password, into an object. */
void sl_explain_url(sl_text url, sl_buf *out);

#endif
