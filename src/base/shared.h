/* shared.h: memory that stays shared across a fork: for what a whole run counts or takes turns at, in whatever process. */
#ifndef SL_BASE_SHARED_H
#define SL_BASE_SHARED_H

#include <stdbool.h>
#include <stddef.h>

#include <pthread.h>

/* SIZE zeroed bytes that children forked later share with this process; NULL when there are none. What two processes touch must
 * be atomic, or under a lock that is process-shared. */
void *sl_shared_map(size_t size);
void sl_shared_unmap(void *at, size_t size); /* NULL-safe */

/* A lock in such memory. A process that dies while it holds the lock gives it back: whoever has the lock next must be able to go on
 * with what the other has left. */
bool sl_shared_lock_init(pthread_mutex_t *lock);
void sl_shared_lock(pthread_mutex_t *lock);
void sl_shared_unlock(pthread_mutex_t *lock);

#endif
