/* api.c: the public functions of sluice.h over plan and run. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/ledger.h"
#include "base/locale.h"
#include "base/shared.h"
#include "base/signals.h"
#include "engine/apart.h"
#include "engine/changes.h"
#include "engine/run/run.h"
#include "net/cached.h"
#include "net/http/http.h"
#include "plan/host.h"
#include "plan/schema.h"
#include "record/cast.h"
#include "record/view.h"
#include "sources/push/push.h"

struct sl_pipeline {
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
    bool prepared, used;
    sl_status status; /* of the run */
    sl_error why;
    atomic_bool *stopping; /* in memory that worker processes share, so that they too can look at it */
    atomic_bool committing;
    sigset_t signals; /* blocked when the pipeline was made */
    sl_progress_fn progress;
    void *progress_user;
    sl_host host; /* what the program has put in; its locale is that of the thread that runs it */
    sl_output_fn output;
    void *output_user;
    sl_buf text;   /* what plan handed out last */
    sl_buf report; /* of the run; made when it ends */
};

struct sl_stream {
    sl_pipeline *p;
    sl_batch *batch; /* being read */
    uint32_t at;     /* next of its selected rows */
    sl_view view;
    sl_buf line;
};

sl_pipeline *sl_pipeline_new(void) {
    sl_pipeline *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    atomic_init(&p->committing, false);
    sl_signals_blocked(&p->signals);
    p->plan = sl_plan_new();
    p->stopping = sl_shared_map(sizeof *p->stopping);
    if (!p->plan || !p->stopping) sl_pipeline_free(&p);
    return p;
}

void sl_pipeline_free(sl_pipeline **pp) {
    sl_pipeline *p = *pp;
    if (!p) return;
    sl_run_free(&p->run);
    sl_http_free(&p->http);
    sl_cache_free(&p->cache);
    sl_changes_free(&p->changes);
    sl_ledger_free(&p->ledger);
    sl_shared_unmap(p->policy.counts, sizeof *p->policy.counts);
    sl_buf_free(&p->cache_dir);
    sl_permits_free(&p->permits);
    sl_targets_free(&p->targets);
    sl_plan_free(&p->plan);
    sl_push_free(&p->host);
    free(p->host.sinks);
    sl_buf_free(&p->text);
    sl_buf_free(&p->report);
    sl_shared_unmap(p->stopping, sizeof *p->stopping);
    free(p);
    *pp = NULL;
}

/* ---- building --------------------------------------------------------------------------------------------------------- */

sl_status sl_pipeline_set(sl_pipeline *p, const char *name, const char *value, sl_error *err) {
    SL_PLAIN_LOCALE;
    return sl_plan_set_variable(p->plan, sl_text_of(name), sl_text_of(value), err);
}

sl_status sl_pipeline_input(sl_pipeline *p, const char *name, const char *value, sl_error *err) {
    SL_PLAIN_LOCALE;
    return sl_plan_set_input(p->plan, sl_text_of(name), sl_text_of(value), err);
}

sl_status sl_pipeline_load_file(sl_pipeline *p, const char *path, sl_error *err) {
    SL_PLAIN_LOCALE;
    return sl_plan_load_file(p->plan, path, err);
}

sl_status sl_pipeline_load(sl_pipeline *p, const char *json, const char *name, sl_error *err) {
    SL_PLAIN_LOCALE;
    return sl_plan_parse(p->plan, json, strlen(json), name, NULL, err);
}

sl_status sl_pipeline_add(sl_pipeline *p, const char *pipe, const char *conf, sl_error *err) {
    SL_PLAIN_LOCALE;
    return sl_plan_add(p->plan, sl_text_of(pipe), conf, err);
}

sl_status sl_pipeline_add_text(sl_pipeline *p, const char *text, sl_error *err) {
    SL_PLAIN_LOCALE;
    return sl_plan_add_text(p->plan, text, err);
}

static sl_status parse_object(sl_pipeline *p, const char *json, const char *what, sl_value *out,
                              sl_error *err) {
    TRY(sl_json_parse(json, strlen(json), what, &p->plan->arena, out, err));
    if (out->type == SL_MAP) return SL_OK;
    return sl_fail(err, SL_E_USAGE, "%s must be a JSON object, not %s", what, sl_type_name(out->type));
}

sl_status sl_pipeline_source(sl_pipeline *p, const char *conf, sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_value v;
    TRY(parse_object(p, conf, "source", &v, err));
    return sl_plan_add_source(p->plan, v, err);
}

sl_status sl_pipeline_sink(sl_pipeline *p, const char *sink, sl_error *err) {
    SL_PLAIN_LOCALE;
    if (sink[0] != '{') return sl_plan_add_sink(p->plan, sl_text_of(sink), sl_missing(), err);
    sl_value v;
    TRY(parse_object(p, sink, "sink", &v, err));
    return sl_plan_add_sink(p->plan, (sl_text){0}, v, err);
}

bool sl_pipeline_has_sink(const sl_pipeline *p) {
    return p->plan->nsinks + p->host.nsinks > 0;
}

void sl_pipeline_drop_sinks(sl_pipeline *p) {
    p->plan->nsinks = p->host.nsinks = 0;
}

sl_status sl_pipeline_sink_function(sl_pipeline *p, sl_item_fn fn, void *user, sl_error *err) {
    if (p->prepared) return sl_fail(err, SL_E_USAGE, "sinks are added before the pipeline is checked or run");
    sl_host_sink *more = realloc(p->host.sinks, (p->host.nsinks + 1) * sizeof *more);
    if (!more) return sl_oom(err);
    p->host.sinks = more;
    more[p->host.nsinks++] = (sl_host_sink){fn, user};
    return SL_OK;
}

sl_source *sl_pipeline_push_source(sl_pipeline *p, const char *name, sl_error *err) {
    sl_source *s = NULL;
    if (p->prepared)
        sl_fail(err, SL_E_USAGE, "sources are added before the pipeline is checked or run");
    else if (sl_push_new(&p->host, name, &s, err) != SL_OK)
        s = NULL;
    return s;
}

sl_status sl_pipeline_option(sl_pipeline *p, const char *name, const char *value, sl_error *err) {
    SL_PLAIN_LOCALE;
    return sl_plan_set(p->plan, sl_text_of(name), sl_text_of(value), true, err);
}

/* ---- preparing -------------------------------------------------------------------------------------------------------- */

static unsigned cores(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

static unsigned worker_count(const sl_settings *s) {
    if (!s->parallel) return 1;
    return s->workers ? s->workers : cores();
}

static const char *temp_folder(void) {
    const char *t = getenv("TMPDIR");
    return t && *t ? t : "/tmp";
}

static sl_status prepare(sl_pipeline *p, sl_error *err) {
    if (p->prepared) return SL_OK;
    const sl_settings *s = &p->plan->settings;
    sl_env env = {.now = sl_clock_epoch(),
                  .tmpdir = temp_folder(),
                  .workers = worker_count(s),
                  .stopping = p->stopping,
                  .host = &p->host,
                  .signals = &p->signals};
    env.shared = !s->parallel || s->threads;
    if (s->if_changed) TRY(sl_ledger_new(env.tmpdir, &p->ledger, err));
    env.ledger = p->ledger;
    TRY(sl_plan_prepare(p->plan, &env, err));
    TRY(sl_push_check(&p->host, err));
    TRY(sl_stages_make(p->plan, &p->stages, err));
    p->plan->env.memory = sl_stages_memory(&p->stages, &p->plan->env);
    sl_plan_share_env(p->plan);
    p->sink_env = (sl_sink_env){.tmpdir = env.tmpdir,
                                .to_terminal = isatty(STDOUT_FILENO),
                                .out_fd = STDOUT_FILENO,
                                .now = env.now,
                                .stopping = p->stopping};
    TRY(sl_targets_make(p->plan, &p->sink_env, &p->targets, err));
    TRY(sl_apart_targets(&p->targets, err));
    p->prepared = true;
    return SL_OK;
}

sl_status sl_pipeline_check(sl_pipeline *p, sl_error *err) {
    SL_PLAIN_LOCALE;
    return prepare(p, err);
}

sl_status sl_pipeline_check_apart(sl_pipeline *p, const char *what, const char *path, sl_error *err) {
    SL_PLAIN_LOCALE;
    TRY(prepare(p, err));
    return sl_apart_check(p->plan, &p->targets, what, path, err);
}

const char *sl_pipeline_output(const sl_pipeline *p, unsigned i) {
    if (i >= p->targets.n || i >= p->plan->nsinks) return NULL; /* behind them stand functions */
    const sl_target *t = &p->targets.v[i];
    const char *file = t->sink->file ? t->sink->file(t->conf) : NULL;
    return file ? file : "";
}

const char *sl_pipeline_warning(const sl_pipeline *p, unsigned i) {
    return i < p->plan->nwarnings ? p->plan->warnings[i].s : NULL;
}

const char *sl_pipeline_failure(const sl_pipeline *p, unsigned i) {
    return p->run ? sl_run_failure(p->run, i) : NULL;
}

const char *sl_pipeline_describe(sl_pipeline *p, bool inputs, bool dependencies, sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_buf_clear(&p->text);
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
    SL_PLAIN_LOCALE;
    if (prepare(p, err) != SL_OK) return NULL;
    sl_buf_clear(&p->text);
    if (sl_explain(p->plan, &p->stages, &p->targets, &p->text, err) != SL_OK) return NULL;
    return sl_buf_cstr(&p->text);
}

/* A cache that has no place to be is none. */
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
    locale_t ours = sl_host_enter(&p->host);
    p->output(p->output_user);
    sl_host_leave(ours);
}

static void call_progress(void *user, const sl_progress *progress) {
    const sl_pipeline *p = user;
    locale_t ours = sl_host_enter(&p->host);
    p->progress(p->progress_user, progress);
    sl_host_leave(ours);
}

static sl_status start(sl_pipeline *p, bool to_sinks, sl_error *err) {
    if (p->used) return sl_fail(err, SL_E_USAGE, "a pipeline is run or opened once; make a new one");
    TRY(prepare(p, err));
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

void sl_pipeline_on_output(sl_pipeline *p, sl_output_fn fn, void *user) {
    p->output = fn;
    p->output_user = user;
}

void sl_pipeline_on_progress(sl_pipeline *p, sl_progress_fn fn, void *user) {
    p->progress = fn;
    p->progress_user = user;
}

static sl_status remember(sl_pipeline *p, sl_status s, const sl_error *err) {
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

int sl_done_exit_code(const sl_progress *totals) {
    return totals->quarantined || totals->failed ? 3 : 0;
}

int64_t sl_pipeline_unchanged(const sl_pipeline *p) {
    return p->unchanged_since;
}

sl_status sl_pipeline_run(sl_pipeline *p, sl_error *err) {
    SL_PLAIN_LOCALE;
    p->host.locale = plain_locale_.before;
    sl_error local = {0};
    if (!err) err = &local;
    if (!sl_pipeline_has_sink(p))
        return sl_fail(err, SL_E_USAGE, "the pipeline has no sink: add one, or open it");
    sl_status s = prepare(p, err);
    if (s == SL_OK) s = check_standard_output(p, err);
    if (s == SL_OK) s = start(p, true, err);
    if (s == SL_OK) s = look_for_changes(p, err);
    if (s == SL_OK && !p->unchanged_since) s = run_to_sinks(p, err);
    sl_push_over(&p->host);
    return remember(p, s, err);
}

void sl_pipeline_stop(sl_pipeline *p) {
    atomic_store_explicit(p->stopping, true, memory_order_relaxed);
}

bool sl_pipeline_committing(const sl_pipeline *p) {
    return atomic_load(&p->committing);
}

static sl_status make_report(sl_pipeline *p, sl_error *err) {
    sl_buf_clear(&p->report);
    return sl_run_report(p->run, p->status, &p->why, &p->report, err);
}

const char *sl_pipeline_report(sl_pipeline *p, sl_error *err) {
    SL_PLAIN_LOCALE;
    if (p->run && make_report(p, err) != SL_OK) return NULL;
    if (p->report.len) return sl_buf_cstr(&p->report);
    sl_fail(err, SL_E_USAGE, "there is no run to report on");
    return NULL;
}

sl_progress sl_pipeline_totals(const sl_pipeline *p) {
    return p->run ? sl_run_progress(p->run) : (sl_progress){0};
}

const char *sl_suggest(const char *word, const char *const *names) {
    return sl_text_nearest(sl_text_of(word), names);
}

/* ---- pulling ---------------------------------------------------------------------------------------------------------- */

sl_stream *sl_pipeline_open(sl_pipeline *p, sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_stream *s = calloc(1, sizeof *s);
    if (!s) {
        sl_oom(err);
        return NULL;
    }
    s->p = p;
    if (start(p, false, err) != SL_OK) sl_stream_close(&s);
    return s;
}

static sl_status next_batch(sl_stream *s, sl_error *err) {
    sl_batch_free(&s->batch);
    s->at = 0;
    if (!s->p->run) return SL_DONE;
    return sl_run_next(s->p->run, &s->batch, err);
}

static sl_status show_next(sl_stream *s, sl_error *err) {
    while (!s->batch || s->at == s->batch->nsel) {
        sl_status status = next_batch(s, err);
        if (status != SL_OK) return status == SL_DONE ? SL_DONE : remember(s->p, status, err);
    }
    return sl_view_row(&s->view, s->batch, sl_batch_row(s->batch, s->at++), err);
}

sl_status sl_stream_item(sl_stream *s, const sl_value **item, sl_error *err) {
    SL_PLAIN_LOCALE;
    s->p->host.locale = plain_locale_.before;
    *item = &s->view.item;
    return show_next(s, err);
}

sl_status sl_stream_next(sl_stream *s, const char **json, size_t *length, sl_error *err) {
    SL_PLAIN_LOCALE;
    s->p->host.locale = plain_locale_.before;
    TRY(show_next(s, err));
    sl_buf_clear(&s->line);
    sl_json_write(s->view.item, &s->line);
    TRY(sl_buf_check(&s->line, err));
    *json = sl_buf_cstr(&s->line);
    if (length) *length = s->line.len;
    return SL_OK;
}

/* Workers and sources end here; the report stays. */
void sl_stream_close(sl_stream **sp) {
    SL_PLAIN_LOCALE;
    sl_stream *s = *sp;
    if (!s) return;
    sl_batch_free(&s->batch);
    sl_buf_free(&s->line);
    sl_view_free(&s->view);
    if (s->p->run && make_report(s->p, NULL) != SL_OK) sl_buf_clear(&s->p->report);
    sl_run_free(&s->p->run);
    sl_push_over(&s->p->host);
    free(s);
    *sp = NULL;
}
