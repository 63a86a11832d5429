/* seen.h: a set of the newest `limit` keys, oldest forgotten first. Memory grows with the keys that come, up to the limit.
 * Thread rule: one thread at a time. */
#ifndef SL_OPERATORS_UNIQ_SEEN_H
#define SL_OPERATORS_UNIQ_SEEN_H

#include "base/text.h"
#include "base/status.h"

typedef struct sl_seen sl_seen;

/* LIMIT at least 1. NULL when memory is out. */
sl_seen *sl_seen_new(uint64_t limit);
void sl_seen_free(sl_seen **s); /* NULL-safe */

/* *FRESH: KEY was not in the set; it is now (copied). A key that is in the set keeps its age. */
SL_MUST_CHECK sl_status sl_seen_add(sl_seen *s, sl_text key, bool *fresh, sl_error *err);

bool sl_seen_full(const sl_seen *s);     /* further keys push out old ones */
size_t sl_seen_memory(const sl_seen *s); /* bytes held */
uint64_t sl_seen_count(const sl_seen *s);
sl_text sl_seen_key(const sl_seen *s, uint64_t i); /* I below the count, in no promised order */

#endif
