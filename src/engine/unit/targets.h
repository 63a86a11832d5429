/* targets.h: the sinks of a plan, found and prepared. */
#ifndef SL_ENGINE_UNIT_TARGETS_H
#define SL_ENGINE_UNIT_TARGETS_H

#include "plan/plan.h"
#include "sinks/sink.h"

/* A sink of the run with its compiled conf. */
typedef struct sl_target {
    const sl_sink *sink;
    void *conf;
    const char *text; /* as the user wrote it, for the report */
} sl_target;

typedef struct sl_targets {
    sl_target *v;
    uint32_t n;
} sl_targets;

/* Parses and checks the conf of every sink of PLAN; no I/O. Lives as long as the plan's arena, but for what destroy frees. */
SL_MUST_CHECK sl_status sl_targets_make(sl_plan *plan, const sl_sink_env *env, sl_targets *out, sl_error *err);
void sl_targets_free(sl_targets *t);

#endif
