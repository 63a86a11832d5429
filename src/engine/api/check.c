/* check.c: a pipeline is compiled, and says what it is. */
#include <unistd.h>

#include "base/clock.h"
#include "base/tempfile.h"
#include "engine/api/internal.h"
#include "engine/apart.h"
#include "plan/schema.h"
#include "sources/push/push.h"

/* ---- preparing -------------------------------------------------------------------------------------------------------- */

sl_status sl_api_prepare(sl_pipeline *p, sl_error *err) {
    if (p->prepared) return SL_OK;
    p->touched = true;
    sl_log_here(&p->log);
    sl_env env = {.now = sl_clock_epoch(),
                  .tmpdir = sl_tempfile_folder(),
                  .stopping = p->stopping,
                  .host = &p->host,
                  .log = &p->log,
                  .signals = &p->signals};
    if (p->plan->settings.if_changed) TRY(sl_ledger_new(env.tmpdir, &p->ledger, err));
    env.ledger = p->ledger;
    TRY(sl_plan_prepare(p->plan, &env, err));
    TRY(sl_push_check(&p->host, err));
    TRY(sl_stages_make(p->plan, &p->stages, err));
    p->plan->env.memory = sl_stages_memory(&p->stages, &p->plan->env);
    sl_plan_share_env(p->plan);
    p->sink_env = (sl_sink_env){.tmpdir = env.tmpdir,
                                .to_terminal = isatty(STDOUT_FILENO),
                                .out_fd = STDOUT_FILENO,
                                .log = &p->log,
                                .now = env.now,
                                .stopping = p->stopping};
    TRY(sl_targets_make(p->plan, &p->sink_env, &p->targets, err));
    TRY(sl_apart_targets(&p->targets, err));
    p->prepared = true;
    return SL_OK;
}

/* ---- sluice.h ---------------------------------------------------------------------------------------------------------- */

sl_status sl_pipeline_check(sl_pipeline *p, sl_error *err) {
    SL_ENTER(p);
    return sl_api_prepare(p, err);
}

const char *sl_pipeline_warning(const sl_pipeline *p, unsigned i) {
    return i < p->plan->nwarnings ? p->plan->warnings[i].s : NULL;
}

const char *sl_pipeline_failure(const sl_pipeline *p, unsigned i) {
    return p->run ? sl_run_failure(p->run, i) : NULL;
}

const char *sl_pipeline_describe(sl_pipeline *p, bool inputs, bool dependencies, sl_error *err) {
    SL_ENTER(p);
    sl_buf_clear(&p->text);
    if (p->touched && sl_api_renew(p, err) != SL_OK)
        return NULL; /* what is prepared is not what was written */
    if (sl_plan_outline(p->plan, inputs, dependencies, &p->text, err) != SL_OK) return NULL;
    return sl_buf_cstr(&p->text);
}

/* TEXT, which is freed, as the caller keeps it; NULL: STATUS or memory. */
static char *handed_over(sl_buf *text, sl_status status, sl_error *err) {
    char *copy = status == SL_OK ? strdup(sl_buf_cstr(text)) : NULL;
    if (status == SL_OK && !copy) (void)sl_oom(err);
    sl_buf_free(text);
    return copy;
}

char *sl_convert_definition(const char *path, sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_buf text = {0};
    return handed_over(&text, sl_convert_file(path, &text, err), err);
}

char *sl_definition_schema(sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_buf text = {0};
    return handed_over(&text, sl_schema_write(&text, err), err);
}

const char *sl_pipeline_plan(sl_pipeline *p, sl_error *err) {
    SL_ENTER(p);
    if (sl_api_prepare(p, err) != SL_OK) return NULL;
    sl_buf_clear(&p->text);
    if (sl_explain(p->plan, &p->stages, &p->targets, &p->text, err) != SL_OK) return NULL;
    return sl_buf_cstr(&p->text);
}
