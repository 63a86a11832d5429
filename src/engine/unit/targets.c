/* targets.c: the sinks of a plan. Each is an object of a definition whose keys are partly ours (which sink, which format) and
 * partly the sink's own; they are told apart here, once, so that a sink parses nothing but its own options. */
#include "engine/unit/targets.h"

#include "base/error.h"
#include "plan/host.h"
#include "sinks/function.h"
#include "sinks/stdout.h"

/* The member NAME of a sink's object as text, taken out of it. */
static sl_text take_member(sl_value *conf, const char *name) {
    sl_value v = sl_map_get_z(*conf, name);
    return sl_is_text(v) ? sl_bytes(v) : (sl_text){0};
}

/* A sink's own keys: the object without those that say which sink it is. */
static sl_status own_keys(sl_value conf, sl_arena *arena, sl_value *out, sl_error *err) {
    *out = sl_map(NULL, 0);
    if (conf.type != SL_MAP) return SL_OK;
    sl_pair *pairs = sl_arena_calloc(arena, conf.n + 1, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    uint32_t n = 0;
    for (uint32_t i = 0; i < conf.n; i++) {
        sl_text key = conf.as.map[i].key;
        if (!sl_text_is(key, "to") && !sl_text_is(key, "type") && !sl_text_is(key, "path"))
            pairs[n++] = conf.as.map[i];
    }
    *out = sl_map(pairs, n);
    return SL_OK;
}

static sl_status find_sink(const sl_sink_ref *ref, const sl_sink **sink, sl_text *target, sl_error *err) {
    sl_value conf = ref->conf;
    sl_text text = ref->text.n ? ref->text : take_member(&conf, "to");
    sl_text type = take_member(&conf, "type");
    if (!type.n) {
        *sink = sl_sink_for(text.n ? text : take_member(&conf, "path"), target, err);
        return *sink ? SL_OK : SL_E_USAGE;
    }
    *target = text.n ? text : take_member(&conf, "path");
    *sink = sl_sink_named(type);
    if (*sink) return SL_OK;
    return sl_fail(err, SL_E_PLAN, "unknown sink type '%.*s'", (int)type.n, type.s);
}

static sl_status make_target(sl_plan *plan, const sl_sink_ref *ref, const sl_sink_env *env, sl_target *t,
                             sl_error *err) {
    sl_text place = {0};
    sl_value conf;
    TRY(find_sink(ref, &t->sink, &place, err));
    TRY(own_keys(ref->conf, &plan->arena, &conf, err));
    t->conf = sl_arena_calloc(&plan->arena, 1, t->sink->conf_size + 1);
    t->text = sl_arena_strndup(&plan->arena, ref->text.n ? ref->text.s : place.s,
                               ref->text.n ? ref->text.n : place.n);
    if (!t->conf || !t->text) return sl_oom(err);
    TRY(sl_options_parse(t->sink->options, conf, false, t->conf, &plan->arena, NULL, err));
    return t->sink->prepare ? t->sink->prepare(t->conf, place, env, err) : SL_OK;
}

static sl_status make_targets(sl_plan *plan, const sl_sink_env *env, sl_targets *out, sl_error *err) {
    for (uint32_t i = 0; i < plan->nsinks; i++) {
        const sl_sink_ref *ref = &plan->sinks[i];
        sl_status s = make_target(plan, ref, env, &out->v[i], err);
        out->n = i + 1;
        if (s != SL_OK) {
            if (ref->line) sl_error_at(err, plan->file, ref->line, ref->column);
            return s;
        }
    }
    return SL_OK;
}

static sl_status to_function(sl_plan *plan, const sl_host_sink *sink, sl_target *t, sl_error *err) {
    sl_function_conf *conf = sl_arena_calloc(&plan->arena, 1, sizeof *conf);
    if (!conf) return sl_oom(err);
    *conf = (sl_function_conf){sink->fn, sink->user, &plan->env.host->locale};
    *t = (sl_target){&sl_sink_function, conf, "a function"};
    return SL_OK;
}

/* Standard output, only elsewhere. */
static sl_status to_descriptor(sl_plan *plan, const sl_host_sink *sink, const sl_sink_env *env, sl_target *t,
                               sl_error *err) {
    sl_pair *pair = sl_arena_calloc(&plan->arena, 1, sizeof *pair);
    if (!pair) return sl_oom(err);
    *pair = (sl_pair){SL_TEXT("format"), sl_text_value(sl_text_of(sink->format ? sink->format : "jsonl"))};
    TRY(make_target(plan, &(sl_sink_ref){.text = SL_TEXT("-"), .conf = sl_map(pair, 1)}, env, t, err));
    t->text = sl_stdout_to(t->conf, sink->fd);
    return SL_OK;
}

/* What the program takes comes last: what it is given is then written, if not yet committed. */
static sl_status add_host_sinks(sl_plan *plan, const sl_sink_env *env, const sl_host *host, sl_targets *out,
                                sl_error *err) {
    for (uint32_t i = 0; i < host->nsinks; i++) {
        const sl_host_sink *sink = &host->sinks[i];
        sl_target *t = &out->v[out->n++];
        TRY(sink->fn ? to_function(plan, sink, t, err) : to_descriptor(plan, sink, env, t, err));
    }
    return SL_OK;
}

sl_status sl_targets_make(sl_plan *plan, const sl_sink_env *env, sl_targets *out, sl_error *err) {
    static const sl_host none = {0};
    const sl_host *host = plan->env.host ? plan->env.host : &none;
    out->v = sl_arena_calloc(&plan->arena, plan->nsinks + host->nsinks + 1, sizeof *out->v);
    if (!out->v) return sl_oom(err);
    TRY(make_targets(plan, env, out, err));
    return add_host_sinks(plan, env, host, out, err);
}

void sl_targets_free(sl_targets *t) {
    for (uint32_t i = 0; i < t->n; i++)
        if (t->v[i].sink && t->v[i].sink->destroy && t->v[i].conf) t->v[i].sink->destroy(t->v[i].conf);
    t->n = 0;
}
