/* host.h: what the program that runs a pipeline has put into it with the functions of sluice.h, for the parts of the pipeline that
 * call it back.
 *
 * Ownership: the pipeline's, as long as it lives. Thread rule: filled before the plan is prepared; read-only afterwards, but for
 * `locale`, which is set before each run. */
#ifndef SL_PLAN_HOST_H
#define SL_PLAN_HOST_H

#include <locale.h>

#include "base/status.h"

typedef struct sl_host_sink { /* sl_pipeline_sink_function */
    sl_item_fn fn;
    void *user;
} sl_host_sink;

typedef struct sl_host {
    sl_source *sources; /* sl_pipeline_push_source: sources/push/push.h */
    sl_host_sink *sinks;
    uint32_t nsinks;
    locale_t locale; /* of the program: its own code runs in it */
} sl_host;

/* Its code runs in its locale, whatever the thread that calls it is in. */
static inline locale_t sl_host_enter(const sl_host *h) {
    return uselocale(h->locale);
}
static inline void sl_host_leave(locale_t ours) {
    uselocale(ours);
}

#endif
