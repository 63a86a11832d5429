/* shared.h: memory that stays shared across a fork: for what a whole run counts or takes turns at, in whatever process. */
#ifndef SL_BASE_SHARED_H
#define SL_BASE_SHARED_H

#include <stddef.h>

/* SIZE zeroed bytes that children forked later share with this process; NULL when there are none. What two processes touch must
 * be atomic, or under a lock that is process-shared. */
void *sl_shared_map(size_t size);
void sl_shared_unmap(void *at, size_t size); /* NULL-safe */

#endif
