/* build.c: how a pipeline is made, and made again. Each call that adds to it is noted, so that a plan, which is prepared once and used
 * once, can be made anew for the next run: with the time, the files and the environment of then. */
#include <stdlib.h>
#include <string.h>

#include "base/shared.h"
#include "base/signals.h"
#include "engine/api/internal.h"
#include "plan/plan.h"
#include "sources/push/push.h"

/* ---- life --------------------------------------------------------------------------------------------------------------- */

static sl_plan *new_plan(sl_pipeline *p) {
    sl_plan *plan = sl_plan_new();
    if (plan) plan->env.host = &p->host; /* warnings come early */
    return plan;
}

sl_pipeline *sl_pipeline_new(void) {
    sl_pipeline *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    atomic_init(&p->committing, false);
    sl_signals_blocked(&p->signals);
    p->host.log = &p->log;
    p->log.locale = &p->host.locale;
    p->stopping = sl_shared_map(sizeof *p->stopping);
    p->plan = new_plan(p);
    if (!p->stopping || !p->plan || !sl_log_init(&p->log)) sl_pipeline_free(&p);
    return p;
}

/* All that belongs to one run. */
static void drop_run(sl_pipeline *p) {
    sl_run_free(&p->run);
    sl_http_free(&p->http);
    sl_cache_free(&p->cache);
    sl_changes_free(&p->changes);
    sl_ledger_free(&p->ledger);
    sl_shared_unmap(p->policy.counts, sizeof *p->policy.counts);
    p->policy = (sl_cache_policy){0};
    sl_buf_clear(&p->cache_dir);
    sl_permits_free(&p->permits);
    sl_targets_free(&p->targets);
    sl_plan_free(&p->plan);
    p->stages = (sl_stages){0};
    p->targets = (sl_targets){0};
    p->unchanged_since = 0;
    p->touched = p->prepared = p->used = false;
    p->status = SL_OK;
    p->why = (sl_error){0};
}

static void free_calls(sl_pipeline *p) {
    for (size_t i = 0; i < p->ncalls; i++) {
        free(p->calls[i].a);
        free(p->calls[i].b);
    }
    free(p->calls);
}

void sl_pipeline_free(sl_pipeline **pp) {
    sl_pipeline *p = *pp;
    if (!p) return;
    drop_run(p);
    free_calls(p);
    sl_push_free(&p->host);
    sl_host_free(&p->host);
    sl_log_free(&p->log);
    sl_buf_free(&p->cache_dir);
    sl_buf_free(&p->text);
    sl_buf_free(&p->report);
    sl_shared_unmap(p->stopping, sizeof *p->stopping);
    free(p);
    *pp = NULL;
}

sl_status sl_api_renew(sl_pipeline *p, sl_error *err) {
    if (p->busy) return sl_fail(err, SL_E_USAGE, "the pipeline is being run, or a stream of it is open");
    sl_plan *plan = new_plan(p);
    if (!plan) return sl_oom(err);
    drop_run(p);
    p->plan = plan;
    atomic_store(p->stopping, false);
    atomic_store(&p->committing, false);
    p->touched = true; /* until it is whole */
    for (size_t i = 0; i < p->ncalls; i++) TRY(p->calls[i].make(p->plan, p->calls[i].a, p->calls[i].b, err));
    p->touched = false;
    return SL_OK;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

/* A copy of S, which may be NULL. */
static bool copy(const char *s, char **out) {
    *out = s ? strdup(s) : NULL;
    return !s || *out;
}

static sl_status note(sl_pipeline *p, sl_call call, sl_error *err) {
    if (p->ncalls == p->cap_calls) {
        size_t cap = p->cap_calls ? 2 * p->cap_calls : 16;
        sl_call *calls = realloc(p->calls, cap * sizeof *calls);
        if (!calls) return sl_oom(err);
        p->calls = calls;
        p->cap_calls = cap;
    }
    sl_call *kept = &p->calls[p->ncalls];
    kept->make = call.make;
    if (!copy(call.a, &kept->a)) return sl_oom(err);
    if (!copy(call.b, &kept->b)) {
        free(kept->a);
        return sl_oom(err);
    }
    p->ncalls++;
    return SL_OK;
}

/* An earlier call of MAKE with the same A: what it gave is replaced, also for what came after it. */
static sl_call *earlier(sl_pipeline *p, sl_maker *make, const char *a) {
    for (size_t i = 0; i < p->ncalls; i++)
        if (p->calls[i].make == make && strcmp(p->calls[i].a, a) == 0) return &p->calls[i];
    return NULL;
}

static sl_status call(sl_pipeline *p, sl_maker *make, const char *a, const char *b, sl_error *err) {
    SL_ENTER(p);
    if (p->touched) TRY(sl_api_renew(p, err));
    TRY(make(p->plan, a, b, err));
    return note(p, (sl_call){make, (char *)(uintptr_t)a, (char *)(uintptr_t)b}, err);
}

/* The same for a name and its value: between two runs it takes the place of the value before. */
static sl_status call_named(sl_pipeline *p, sl_maker *make, const char *name, const char *value,
                            sl_error *err) {
    sl_call *before = p->touched ? earlier(p, make, name) : NULL;
    if (!before) return call(p, make, name, value, err);
    char *changed;
    if (!copy(value, &changed)) return sl_oom(err);
    free(before->b);
    before->b = changed;
    SL_ENTER(p);
    return sl_api_renew(p, err);
}

static sl_status make_variable(sl_plan *plan, const char *name, const char *value, sl_error *err) {
    return sl_plan_set_variable(plan, sl_text_of(name), sl_text_of(value), err);
}

sl_status sl_pipeline_set(sl_pipeline *p, const char *name, const char *value, sl_error *err) {
    return call_named(p, make_variable, name, value, err);
}

static sl_status make_input(sl_plan *plan, const char *name, const char *value, sl_error *err) {
    return sl_plan_set_input(plan, sl_text_of(name), sl_text_of(value), err);
}

sl_status sl_pipeline_input(sl_pipeline *p, const char *name, const char *value, sl_error *err) {
    return call_named(p, make_input, name, value, err);
}

static sl_status make_file(sl_plan *plan, const char *path, const char *unused, sl_error *err) {
    (void)unused;
    return sl_plan_load_file(plan, path, err);
}

sl_status sl_pipeline_load_file(sl_pipeline *p, const char *path, sl_error *err) {
    return call(p, make_file, path, NULL, err);
}

static sl_status make_end(sl_plan *plan, const char *step, const char *unused, sl_error *err) {
    (void)unused;
    return sl_plan_until(plan, sl_text_of(step), err);
}

sl_status sl_pipeline_until(sl_pipeline *p, const char *step, sl_error *err) {
    return call(p, make_end, step, NULL, err);
}

static sl_status make_definition(sl_plan *plan, const char *json, const char *name, sl_error *err) {
    return sl_plan_parse(plan, json, strlen(json), name, NULL, err);
}

sl_status sl_pipeline_load(sl_pipeline *p, const char *json, const char *name, sl_error *err) {
    return call(p, make_definition, json, name, err);
}

static sl_status make_step(sl_plan *plan, const char *pipe, const char *conf, sl_error *err) {
    return sl_plan_add(plan, sl_text_of(pipe), conf, err);
}

sl_status sl_pipeline_add(sl_pipeline *p, const char *pipe, const char *conf, sl_error *err) {
    return call(p, make_step, pipe, conf, err);
}

static sl_status make_steps(sl_plan *plan, const char *text, const char *unused, sl_error *err) {
    (void)unused;
    return sl_plan_add_text(plan, text, err);
}

sl_status sl_pipeline_add_text(sl_pipeline *p, const char *text, sl_error *err) {
    return call(p, make_steps, text, NULL, err);
}

static sl_status parse_object(sl_plan *plan, const char *json, const char *what, sl_value *out,
                              sl_error *err) {
    TRY(sl_json_parse(json, strlen(json), what, &plan->arena, out, err));
    if (out->type == SL_MAP) return SL_OK;
    return sl_fail(err, SL_E_USAGE, "%s must be a JSON object, not %s", what, sl_type_name(out->type));
}

static sl_status make_source(sl_plan *plan, const char *conf, const char *unused, sl_error *err) {
    (void)unused;
    sl_value v;
    TRY(parse_object(plan, conf, "source", &v, err));
    return sl_plan_add_source(plan, v, err);
}

sl_status sl_pipeline_source(sl_pipeline *p, const char *conf, sl_error *err) {
    return call(p, make_source, conf, NULL, err);
}

static sl_status make_sink(sl_plan *plan, const char *sink, const char *unused, sl_error *err) {
    (void)unused;
    if (sink[0] != '{') return sl_plan_add_sink(plan, sl_text_of(sink), sl_missing(), err);
    sl_value v;
    TRY(parse_object(plan, sink, "sink", &v, err));
    return sl_plan_add_sink(plan, (sl_text){0}, v, err);
}

sl_status sl_pipeline_sink(sl_pipeline *p, const char *sink, sl_error *err) {
    return call(p, make_sink, sink, NULL, err);
}

static sl_status make_option(sl_plan *plan, const char *name, const char *value, sl_error *err) {
    return sl_plan_set(plan, sl_text_of(name), sl_text_of(value), true, err);
}

sl_status sl_pipeline_option(sl_pipeline *p, const char *name, const char *value, sl_error *err) {
    return call(p, make_option, name, value, err);
}

bool sl_pipeline_has_sink(const sl_pipeline *p) {
    return p->plan->nsinks + p->host.nsinks > 0;
}

static sl_status make_no_sinks(sl_plan *plan, const char *unused, const char *unused_too, sl_error *err) {
    (void)unused, (void)unused_too, (void)err;
    plan->nsinks = 0;
    return SL_OK;
}

void sl_pipeline_drop_sinks(sl_pipeline *p) {
    sl_host_drop_sinks(&p->host);
    (void)!call(p, make_no_sinks, NULL, NULL, NULL);
}

/* ---- what is the program's own ------------------------------------------------------------------------------------------ */

static sl_status add_sink(sl_pipeline *p, const sl_host_sink *sink, sl_error *err) {
    if (p->touched) TRY(sl_api_renew(p, err));
    return sl_host_add_sink(&p->host, sink, err);
}

sl_status sl_pipeline_sink_function(sl_pipeline *p, sl_item_fn fn, void *user, sl_error *err) {
    return add_sink(p, &(sl_host_sink){.fn = fn, .user = user}, err);
}

sl_status sl_pipeline_sink_fd(sl_pipeline *p, int fd, const char *format, sl_error *err) {
    return add_sink(p, &(sl_host_sink){.fd = fd, .format = (char *)(uintptr_t)format}, err);
}

sl_source *sl_pipeline_push_source(sl_pipeline *p, const char *name, sl_error *err) {
    sl_source *s = NULL;
    if (p->touched && sl_api_renew(p, err) != SL_OK) return NULL;
    return sl_push_new(&p->host, name, &s, err) == SL_OK ? s : NULL;
}

sl_status sl_pipeline_function(sl_pipeline *p, const char *name, sl_function_fn fn, void *user,
                               sl_error *err) {
    if (p->touched) TRY(sl_api_renew(p, err));
    return sl_host_add_function(&p->host, name, fn, user, err);
}

void sl_pipeline_on_log(sl_pipeline *p, sl_log_level most, sl_log_fn fn, void *user) {
    p->log.most = most;
    p->log.fn = fn;
    p->log.user = user;
}

void sl_pipeline_on_progress(sl_pipeline *p, sl_progress_fn fn, void *user) {
    p->progress = fn;
    p->progress_user = user;
}
