/* run.c: a pipeline is run to its sinks, by the public functions that do it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "base/shared.h"
#include "engine/api/internal.h"
#include "record/cast.h"
#include "sources/push/push.h"

/* ---- starting ----------------------------------------------------------------------------------------------------------- */

/* Without a place for the cache there is no cache. */
static sl_status start_cache(sl_pipeline *p, sl_error *err) {
    const sl_settings *s = &p->plan->settings;
    if (s->cache_dir.n) {
        sl_buf_text(&p->cache_dir, s->cache_dir);
    } else if (s->cache != SL_CACHE_OFF && !sl_cache_default_dir(&p->cache_dir)) {
        return SL_OK;
    }
    p->policy = (sl_cache_policy){.mode = (sl_cache_mode)s->cache,
                                  .dir = sl_buf_cstr(&p->cache_dir),
                                  .max_size = s->cache_size,
                                  .credentials = s->cache_credentials,
                                  .ledger = p->ledger,
                                  .log = &p->log,
                                  .counts = sl_shared_map(sizeof *p->policy.counts)};
    if (!p->policy.counts) return sl_oom(err);
    TRY(sl_buf_check(&p->cache_dir, err));
    TRY(sl_cached_open(&p->policy, false, &p->cache, err));
    p->plan->env.cache_policy = &p->policy;
    p->plan->env.cache = p->cache;
    return SL_OK;
}

/* Permits first, and before any worker is forked: they are for all sessions of the run. */
static sl_status start_http(sl_pipeline *p, sl_error *err) {
    const sl_settings *s = &p->plan->settings;
    p->permits = sl_permits_new(s->connections, s->per_host);
    if (!p->permits) return sl_oom(err);
    sl_http_options options = {.permits = p->permits,
                               .allowed = p->plan->web.allowed,
                               .nallowed = p->plan->web.nallowed,
                               .log = &p->log,
                               .stopping = p->stopping};
    TRY(sl_http_new(&options, &p->http, err));
    p->plan->env.http = p->http;
    p->plan->env.permits = p->permits;
    return SL_OK;
}

static void committing(void *user) {
    sl_pipeline *p = user;
    atomic_store(&p->committing, true);
    if (p->changes) sl_changes_forget(p->changes);
}

/* The host's own code runs in its own locale. */
static void call_output(void *user) {
    const sl_pipeline *p = user;
    locale_t ours = sl_locale_of_program(&p->host.locale);
    p->output(p->output_user);
    uselocale(ours);
}

static bool call_progress(void *user, const sl_progress *progress) {
    sl_pipeline *p = user;
    locale_t ours = sl_locale_of_program(&p->host.locale);
    bool go_on = p->progress(p->progress_user, progress);
    uselocale(ours);
    if (!go_on) sl_pipeline_stop(p);
    return go_on;
}

sl_status sl_api_begin(sl_pipeline *p, sl_error *err) {
    if (p->busy || p->used) TRY(sl_api_renew(p, err)); /* which says no while it is busy */
    p->busy = true;
    return SL_OK;
}

void sl_api_end(sl_pipeline *p) {
    if (p->run) sl_run_stop(p->run); /* no worker calls a function of the program any more */
    p->busy = false;
    sl_push_over(&p->host);
}

sl_status sl_api_start(sl_pipeline *p, bool to_sinks, sl_error *err) {
    TRY(sl_api_prepare(p, err));
    p->used = true;
    p->sink_env.before_output = p->output ? call_output : NULL;
    p->sink_env.output_user = p;
    const sl_settings *s = &p->plan->settings;
    TRY(start_http(p, err));
    TRY(start_cache(p, err));
    sl_plan_share_env(p->plan);
    sl_run_options o = {.plan = p->plan,
                        .stages = &p->stages,
                        .sink_env = &p->sink_env,
                        .stall = s->stall,
                        .workers = p->plan->env.workers,
                        .stopping = p->stopping};
    o.pool = !s->parallel ? SL_POOL_INLINE : s->threads ? SL_POOL_THREADS : SL_POOL_PROCESSES;
    if (to_sinks) {
        o.targets = p->targets.v;
        o.ntargets = p->targets.n;
        o.committing = committing;
        o.committing_user = p;
        o.progress = p->progress ? call_progress : NULL;
        o.progress_user = p;
    }
    return sl_run_new(&o, &p->run, err);
}

/* ---- running ---------------------------------------------------------------------------------------------------------- */

sl_status sl_api_remember(sl_pipeline *p, sl_status s, const sl_error *err) {
    p->status = s;
    if (s != SL_OK && err) p->why = *err;
    return s;
}

/* Every run knows its note, if only to take it away: what it tells of will not be what the sinks hold. */
static sl_status look_for_changes(sl_pipeline *p, sl_error *err) {
    sl_buf dir = {0};
    bool asked = p->plan->settings.if_changed;
    bool known = p->cache_dir.len || sl_cache_default_dir(&dir);
    sl_buf *chosen = p->cache_dir.len ? &p->cache_dir : &dir;
    const char *folder = sl_buf_cstr(chosen);
    sl_status s = sl_buf_check(chosen, err);
    if (!s && asked && !p->cache)
        s = sl_fail(err, SL_E_USAGE,
                    "if_changed asks whether the copies in the cache still hold: it needs one (no-cache, and "
                    "HOME, decide about that)");
    if (!s && known) s = sl_changes_new(p->plan, &p->stages, &p->targets, folder, &p->changes, err);
    if (!s && asked) s = sl_changes_look(p->changes, &p->unchanged_since, err);
    sl_buf_free(&dir);
    if (!s && p->unchanged_since) sl_run_skip(p->run, p->unchanged_since);
    return s;
}

/* It is done, only by fewer. */
static sl_status warn_of_missing_workers(sl_pipeline *p, sl_error *err) {
    char text[256], reason[128];
    int why = 0;
    unsigned missing = sl_run_missing_workers(p->run, &why), all = p->plan->env.workers;
    if (!missing) return SL_OK;
    if (strerror_r(why, reason, sizeof reason)) snprintf(reason, sizeof reason, "error %d", why);
    snprintf(text, sizeof text, "only %u of %u workers could be started (%s)", all - missing, all, reason);
    return sl_plan_warn_text(p->plan, text, err);
}

/* What was left out is not what the note would say. */
static sl_status run_to_sinks(sl_pipeline *p, sl_error *err) {
    TRY(sl_run_to_sinks(p->run, err));
    sl_error ignored = {0}; /* the items are where they belong */
    (void)!warn_of_missing_workers(p, &ignored);
    if (p->changes && p->ledger && !sl_run_progress(p->run).failed) sl_changes_keep(p->changes);
    return SL_OK;
}

/* Before anything is read, as a join reads its second stream when it starts. */
static sl_status check_standard_output(const sl_pipeline *p, sl_error *err) {
    const char *file;
    for (unsigned i = 0; (file = sl_pipeline_output(p, i)); i++)
        if (!*file) TRY(sl_standard_check(p->sink_env.out_fd, true, err));
    return SL_OK;
}

int64_t sl_pipeline_unchanged(const sl_pipeline *p) {
    return p->unchanged_since;
}

static sl_status run(sl_pipeline *p, sl_error *err) {
    if (!sl_pipeline_has_sink(p))
        return sl_fail(err, SL_E_USAGE, "the pipeline has no sink: add one, or open it");
    TRY(sl_api_prepare(p, err));
    TRY(check_standard_output(p, err));
    TRY(sl_api_start(p, true, err));
    TRY(look_for_changes(p, err));
    return p->unchanged_since ? SL_OK : run_to_sinks(p, err);
}

sl_status sl_pipeline_run(sl_pipeline *p, sl_error *err) {
    SL_ENTER(p);
    sl_error local = {0};
    if (!err) err = &local;
    TRY(sl_api_begin(p, err));
    sl_status s = sl_api_remember(p, run(p, err), err);
    sl_api_end(p);
    return s;
}

void sl_pipeline_stop(sl_pipeline *p) {
    atomic_store_explicit(p->stopping, true, memory_order_relaxed);
}

bool sl_pipeline_committing(const sl_pipeline *p) {
    return atomic_load(&p->committing);
}

sl_status sl_api_make_report(sl_pipeline *p, sl_error *err) {
    sl_buf_clear(&p->report);
    return sl_run_report(p->run, p->status, &p->why, &p->report, err);
}

const char *sl_pipeline_report(sl_pipeline *p, sl_error *err) {
    SL_PLAIN_LOCALE;
    if (p->run && sl_api_make_report(p, err) != SL_OK) return NULL;
    if (p->report.len) return sl_buf_cstr(&p->report);
    sl_fail(err, SL_E_USAGE, "there is no run to report on");
    return NULL;
}

sl_progress sl_pipeline_totals(const sl_pipeline *p) {
    return p->run ? sl_run_progress(p->run) : (sl_progress){0};
}
