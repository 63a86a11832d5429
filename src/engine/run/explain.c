/* explain.c: what `sluice plan` prints: the stages as they were cut, with what each part does in words. */
#include "engine/run/explain.h"

#include <sys/stat.h>

#include "net/url.h"
#include "record/cast.h"
#include "sources/stream/stream.h"

static void put_text(sl_buf *o, const char *key, sl_text t) {
    sl_buf_printf(o, "\"%s\": ", key);
    sl_json_text(t, o);
}

void sl_explain_url(sl_text url, sl_buf *o) {
    sl_arena arena = {0};
    sl_text shown = sl_url_shown(url, &arena);
    put_text(o, "url", shown.s ? shown : SL_TEXT(""));
    sl_arena_free(&arena);
}

/* How a source will be cut, as far as that can be told without opening it. */
static void put_units(sl_buf *o, const sl_env *env, sl_text url) {
    struct stat st;
    sl_buf path = {0};
    bool file = url.n && sl_source_is_file(url.s), there = false;
    if (file && url.s[0] != '/' && env->base_dir) sl_buf_printf(&path, "%s/", env->base_dir);
    sl_buf_text(&path, url);
    if (file) there = stat(sl_buf_cstr(&path), &st) == 0 && S_ISREG(st.st_mode);
    if (there) {
        uint64_t bytes = (uint64_t)st.st_size;
        sl_buf_printf(o, ", \"bytes\": %llu, \"units\": %llu", (unsigned long long)bytes,
                      (unsigned long long)((bytes + env->unit - 1) / env->unit));
    }
    sl_buf_free(&path);
}

static void put_intake(sl_buf *o, const sl_intake *in) {
    if (in->kind == SL_INTAKE_SOURCE) {
        put_text(o, "read", sl_text_of(in->source->pipe->name));
        sl_value url = sl_map_get_z(in->source->conf, "url");
        if (sl_is_text(url)) {
            sl_buf_str(o, ", ");
            sl_explain_url(sl_bytes(url), o);
            put_units(o, in->source->info.env, sl_bytes(url));
        }
    } else if (in->kind == SL_INTAKE_ONE) {
        put_text(o, "read", SL_TEXT("one empty item"));
    } else if (in->kind == SL_INTAKE_CALLER) {
        put_text(o, "read", SL_TEXT("the item of the loop"));
    } else {
        sl_buf_printf(o, "\"stage\": %u", in->stage);
    }
}

static const char *step_work(sl_step_kind kind) {
    static const char *const names[] = {"item by item", "fetch per item", "batch by batch", "lookup",
                                        "cut down"};
    return names[kind];
}

static void put_branch(sl_buf *o, const sl_branch *b) {
    sl_buf_str(o, "{");
    put_intake(o, &b->intake);
    sl_buf_str(o, ", \"steps\": [");
    for (uint32_t i = 0; i < b->nsteps; i++) {
        const sl_step *s = &b->steps[i];
        sl_buf_str(o, i ? ", {" : "{");
        put_text(o, "pipe", sl_text_of(s->node->pipe->name));
        sl_buf_printf(o, ", \"step\": %d, \"runs\": \"%s\"", s->node->step, step_work(s->kind));
        if (s->kind == SL_STEP_PROBE) sl_buf_printf(o, ", \"table\": %u", s->table);
        sl_buf_str(o, "}");
    }
    sl_buf_str(o, "]}");
}

static const char *end_work(sl_end_kind end) {
    static const char *const names[] = {"in order, in the coordinator",
                                        "terminals laid beside the items",
                                        "results wrapped",
                                        "folded in the workers, merged in the coordinator",
                                        "becomes a lookup table",
                                        "kept for several readers",
                                        "encoded in the workers, written in order"};
    return names[end];
}

static void put_stage(sl_buf *o, const sl_stage *s) {
    sl_buf_printf(o, "    {\"stage\": %u, \"branches\": [", s->id);
    for (uint32_t b = 0; b < s->nbranches; b++) {
        if (b) sl_buf_str(o, ", ");
        put_branch(o, &s->branches[b]);
    }
    sl_buf_printf(o, "], \"end\": \"%s\", \"cut\": \"%s\", \"gathers\": %s", end_work(s->end.kind),
                  sl_end_reason(s->end.kind), sl_stage_gathers(s) ? "true" : "false");
    if (s->end.node) {
        sl_buf_str(o, ", ");
        put_text(o, "pipe", sl_text_of(s->end.node->pipe->name));
    }
    sl_buf_str(o, "}");
}

static const char *pool_name(const sl_settings *s) {
    return !s->parallel ? "inline" : s->threads ? "threads" : "processes";
}

sl_status sl_explain(const sl_plan *plan, const sl_stages *stages, const sl_targets *targets, sl_buf *out,
                     sl_error *err) {
    const sl_settings *s = &plan->settings;
    sl_buf_str(out, "{\n  ");
    put_text(out, "name", plan->name);
    sl_buf_printf(
        out, ",\n  \"pool\": \"%s\",\n  \"workers\": %u,\n  \"ordered\": %s,\n  \"memory\": %llu,\n",
        pool_name(s), plan->env.workers, s->ordered ? "true" : "false", (unsigned long long)s->memory);
    sl_buf_printf(out, "  \"unit\": %llu,\n  \"stage_memory\": %zu,\n  \"worker_memory\": %zu,\n",
                  (unsigned long long)plan->env.unit, plan->env.memory, sl_env_share(&plan->env));
    sl_buf_printf(out, "  \"dialect\": \"%s\",\n  \"stages\": [\n",
                  s->dialect == SL_RIKO ? "riko" : "native");
    for (uint32_t i = 0; i < stages->n; i++) {
        put_stage(out, stages->v[i]);
        sl_buf_str(out, i + 1 < stages->n ? ",\n" : "\n");
    }
    sl_buf_str(out, "  ],\n  \"sinks\": [");
    for (uint32_t i = 0; i < targets->n; i++) {
        sl_buf_str(out, i ? ", {" : "{");
        put_text(out, "to", sl_text_of(targets->v[i].text));
        sl_buf_str(out, ", ");
        put_text(out, "sink", sl_text_of(targets->v[i].sink->name));
        sl_buf_str(out, "}");
    }
    sl_buf_str(out, "]\n}\n");
    return sl_buf_check(out, err);
}
