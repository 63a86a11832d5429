/* skip.h: which items a processor passes on as they are: skip_if.
 *
 * A match is told by text: the field in its text form contains the rule's text, ignoring case; shares a character with it; or is
 * found by it as a regular expression, ignoring case. An item is skipped as soon as one rule asks for it.
 *
 * Thread rule: one worker's own. */
#ifndef SL_ENGINE_UNIT_SKIP_H
#define SL_ENGINE_UNIT_SKIP_H

#include "plan/plan.h"

typedef struct sl_skip sl_skip;

/* *OUT is NULL when NODE skips nothing. SL_E_PLAN when a rule is wrong. */
SL_MUST_CHECK sl_status sl_skip_new(const sl_node *node, sl_skip **out, sl_error *err);
void sl_skip_free(sl_skip **s); /* NULL-safe */

SL_MUST_CHECK sl_status sl_skip_row(sl_skip *s, sl_batch *b, uint32_t row, bool *skip, sl_error *err);

#endif
