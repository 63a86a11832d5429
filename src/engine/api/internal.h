/* internal.h: what the files of the API share: build.c (how a pipeline is made), check.c (what it says of itself), run.c (what it
 * does), stream.c (what it hands out). */
#ifndef SL_ENGINE_API_INTERNAL_H
#define SL_ENGINE_API_INTERNAL_H

#include <stdatomic.h>

#include "base/error.h"
#include "base/ledger.h"
#include "base/locale.h"
#include "engine/changes.h"
#include "engine/run/run.h"
#include "net/cached.h"
#include "net/http/http.h"
#include "plan/host.h"
#include "sluice_program.h"

/* One of the calls that have made a pipeline. */
typedef sl_status sl_maker(sl_plan *plan, const char *a, const char *b, sl_error *err);
typedef struct sl_call {
    sl_maker *make;
    char *a, *b; /* its arguments; either may be NULL */
} sl_call;

struct sl_pipeline {
    sl_call *calls; /* [ncalls] what makes the plan anew */
    size_t ncalls, cap_calls;
    sl_host host; /* what the program has put in; its locale is that of the thread that runs it */
    sl_log log;
    sl_progress_fn progress;
    void *progress_user;
    sl_output_fn output;
    void *output_user;
    sigset_t signals;      /* blocked when the pipeline was made */
    atomic_bool *stopping; /* in memory that worker processes share, so that they too can look at it */
    atomic_bool committing;
    sl_buf text;   /* what plan handed out last */
    sl_buf report; /* of the run; made when it ends */

    /* Of one run, made anew for the next by sl_api_renew. */
    sl_plan *plan;
    sl_stages stages;
    sl_targets targets;
    sl_sink_env sink_env;
    sl_run *run;
    sl_http *http;
    sl_permits *permits;    /* of all HTTP sessions of the run */
    sl_cache_policy policy; /* and of all their caches */
    sl_buf cache_dir;
    sl_cache *cache;
    sl_ledger *ledger;       /* if_changed: what is read */
    sl_changes *changes;     /* NULL: there is no folder for it */
    int64_t unchanged_since; /* seconds since the epoch; 0: it was run, or is to be */
    bool touched;            /* the plan was prepared, or was to be: it cannot be added to */
    bool prepared, used;
    bool busy;        /* it is run, or a stream of it is open */
    sl_status status; /* of the run */
    sl_error why;
};

/* Begins a function of sluice.h that reads or writes anything. */
#define SL_ENTER(p)  \
    SL_PLAIN_LOCALE; \
    atomic_store_explicit(&(p)->host.locale, plain_locale_.before, memory_order_relaxed)

/* build.c: the plan as it was before it was prepared, and nothing of a run. SL_E_USAGE while one is under way. */
SL_MUST_CHECK sl_status sl_api_renew(sl_pipeline *p, sl_error *err);
/* check.c: compiles the plan, unless that has been done. */
SL_MUST_CHECK sl_status sl_api_prepare(sl_pipeline *p, sl_error *err);
/* run.c: makes ready for a run, also if there was one before; the pipeline is busy until sl_api_end. */
SL_MUST_CHECK sl_status sl_api_begin(sl_pipeline *p, sl_error *err);
/* Opens what a run needs. */
SL_MUST_CHECK sl_status sl_api_start(sl_pipeline *p, bool to_sinks, sl_error *err);
/* Notes how the run went; returns S. */
sl_status sl_api_remember(sl_pipeline *p, sl_status s, const sl_error *err);
void sl_api_end(sl_pipeline *p);
SL_MUST_CHECK sl_status sl_api_make_report(sl_pipeline *p, sl_error *err);

#endif
