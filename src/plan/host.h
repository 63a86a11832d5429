/* host.h: what the program that runs a pipeline has put into it with the functions of sluice.h, for the parts of the pipeline that
 * call it back.
 *
 * Ownership: the pipeline's, as long as it lives; names are copied. Thread rule: filled before the plan is prepared; read-only
 * afterwards, but for `locale`, which every call of the API sets. */
#ifndef SL_PLAN_HOST_H
#define SL_PLAN_HOST_H

#include "base/log.h"

typedef struct sl_host_sink {
    sl_item_fn fn; /* sl_pipeline_sink_function; NULL: it is the next */
    void *user;
    int fd; /* sl_pipeline_sink_fd */
    char *format;
} sl_host_sink;

typedef struct sl_host_function { /* sl_pipeline_function */
    char *name;
    sl_function_fn fn;
    void *user;
} sl_host_function;

typedef struct sl_host {
    sl_source *sources; /* sl_pipeline_push_source: sources/push/push.h */
    sl_host_sink *sinks;
    uint32_t nsinks;
    sl_host_function *functions;
    uint32_t nfunctions;
    sl_log *log;
    sl_program_locale locale; /* its code runs in it, whatever the thread that calls it is in */
} sl_host;

SL_MUST_CHECK sl_status sl_host_add_sink(sl_host *h, const sl_host_sink *sink, sl_error *err);
/* SL_E_USAGE: the name is taken, or not a name. */
SL_MUST_CHECK sl_status sl_host_add_function(sl_host *h, const char *name, sl_function_fn fn, void *user, sl_error *err);
void sl_host_drop_sinks(sl_host *h);
/* All but the sources. */
void sl_host_free(sl_host *h);

#endif
