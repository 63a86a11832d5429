#include "engine/nested.h"

#include "base/error.h"
#include "engine/run.h"

static void take_findings(sl_run *run, sl_findings *into, bool *no_source) {
    *no_source = sl_run_failures(run)->n && sl_run_read_nothing(run);
    into->recovered += sl_run_progress(run).recovered;
    sl_failures_join(&into->failures, sl_run_failures(run));
}

sl_status sl_nested_items(const sl_plan *sub, const sl_stages *stages, sl_batch *take, sl_batch_sink sink,
                          void *to, sl_findings *findings, bool *no_source, sl_error *err) {
    sl_run *run = NULL;
    *no_source = false;
    sl_run_options o = {.plan = sub, .stages = stages, .input = take, .pool = SL_POOL_INLINE, .workers = 1};
    o.stopping = (atomic_bool *)(uintptr_t)sub->env.stopping; /* nested runs only look at it */
    sl_status s = sl_run_new(&o, &run, err);
    if (!run) sl_batch_free(&take);
    while (s == SL_OK) {
        sl_batch *b = NULL;
        s = sl_run_next(run, &b, err);
        if (s == SL_OK) s = sink(to, b, err);
    }
    if (run) take_findings(run, findings, no_source);
    sl_run_free(&run);
    return s == SL_DONE ? SL_OK : s;
}
