/* program.c: the functions of sluice_program.h over pipelines. */
#include "engine/api/internal.h"
#include "engine/apart.h"

sl_status sl_pipeline_check_apart(sl_pipeline *p, const char *what, const char *path, sl_error *err) {
    SL_ENTER(p);
    TRY(sl_api_prepare(p, err));
    return sl_apart_check(p->plan, &p->targets, what, path, err);
}

const char *sl_pipeline_output(const sl_pipeline *p, unsigned i) {
    if (i >= p->targets.n || i >= p->plan->nsinks) return NULL; /* behind them stand functions */
    const sl_target *t = &p->targets.v[i];
    const char *file = t->sink->file ? t->sink->file(t->conf) : NULL;
    return file ? file : "";
}

int sl_done_exit_code(const sl_progress *totals) {
    return totals->quarantined || totals->failed ? 3 : 0;
}

void sl_pipeline_on_output(sl_pipeline *p, sl_output_fn fn, void *user) {
    p->output = fn;
    p->output_user = user;
}

const char *sl_suggest(const char *word, const char *const *names) {
    return sl_text_nearest(sl_text_of(word), names);
}
