/* log.h: what the library tells the calling program about what it does (sl_pipeline_on_log of sluice.h).
 *
 *     if (sl_log_wants(log, SL_LOG_TRACE)) sl_log_put(log, SL_LOG_TRACE, SL_LOG_COORDINATOR, "stage", "cut behind step %d", step);
 *
 * Thread rule: initialised and set by one thread before a run; any thread of the program may put into it then, one after the other
 * is let through. Not for worker processes: what they print would be the program's twice. */
#ifndef SL_BASE_LOG_H
#define SL_BASE_LOG_H

#include <locale.h>
#include <pthread.h>

#include "base/status.h"

enum { SL_LOG_COORDINATOR = -1 };

typedef struct sl_log {
    sl_log_fn fn; /* NULL: nothing is logged */
    void *user;
    sl_log_level most;
    uint64_t began;         /* monotonic ns, from which entries count */
    const locale_t *locale; /* of the program, in which FN runs */
    pthread_mutex_t lock;
} sl_log;

/* False: memory is out. The rest is zero before. */
bool sl_log_init(sl_log *l);
void sl_log_free(sl_log *l);

/* Cheap enough to be asked anywhere. L may be NULL. */
static inline bool sl_log_wants(const sl_log *l, sl_log_level level) {
    return SL_UNLIKELY(l && l->fn && level <= l->most);
}
/* Tells it, if that is wanted. WORKER from 0, or SL_LOG_COORDINATOR. */
void sl_log_put(sl_log *l, sl_log_level level, int worker, const char *part, const char *fmt, ...) SL_PRINTF(5, 6);

#endif
