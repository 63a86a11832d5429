/* fetches.h: a source pipe used on items: one fetch a row of a batch, all of them under way together.
 *
 * The confs of the next rows are resolved and their requests registered ahead in a session of this worker, while the
 * results of one row after another are read; so nothing waits for a slow host but its own items. How many transfers run
 * at once is for the permits of the run to say (net/http/permits.h).
 *
 * Rows are read in their order, so that results, and the first error, come as if there was only one request at a time;
 * where the run does not keep the order, a row whose answer is there goes before one that is still waited for.
 *
 * Thread rule: belongs to one worker. */
#ifndef SL_ENGINE_UNIT_FETCHES_H
#define SL_ENGINE_UNIT_FETCHES_H

#include "engine/unit/failures.h"
#include "plan/plan.h"
#include "sources/stream/stream.h"

typedef struct sl_fetches sl_fetches;

/* For NODE, whose pipe has `source`. Rows that are left out (keep_going) are added to FAILURES. */
SL_MUST_CHECK sl_status sl_fetches_new(const sl_node *node, sl_failures *failures, sl_fetches **out, sl_error *err);
void sl_fetches_free(sl_fetches **f); /* NULL-safe */

/* Called for the I-th selected row, with what is to be read for it; READING NULL: it is left out before it began. */
typedef sl_status (*sl_fetches_row)(void *to, uint32_t i, sl_reading *reading, sl_error *err);

/* Fetches for every selected row of B. ASKED: the batch whose rows confs are resolved against, B or B with the hidden
 * columns of terminals. ERR of the first row that fails has its place. */
SL_MUST_CHECK sl_status sl_fetches_run(sl_fetches *f, sl_batch *b, sl_batch *asked, sl_fetches_row row, void *to, sl_error *err);

#endif
