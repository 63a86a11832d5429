/* report.c: the run report as JSON, in the order of the stages. */
#include <sys/resource.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/run/internal.h"
#include "net/cached.h"
#include "net/http/http.h"
#include "record/cast.h"
#include "record/time.h"
#include "sluice_program.h"

/* A member of an object, and what stands BEHIND it. */
static void member(sl_buf *o, const char *name, uint64_t v, const char *behind) {
    sl_buf_printf(o, "\"%s\": %llu%s", name, (unsigned long long)v, behind);
}

static void text_member(sl_buf *o, const char *name, const char *v, const char *behind) {
    sl_buf_printf(o, "\"%s\": ", name);
    if (v)
        sl_json_text(sl_text_of(v), o);
    else
        sl_buf_str(o, "null");
    sl_buf_str(o, behind);
}

static void write_step(sl_buf *o, const sl_step *step, sl_count c) {
    sl_buf_printf(o, "{\"step\": %d, ", step->node->step);
    text_member(o, "pipe", step->node->pipe->name, ", ");
    member(o, "in", c.in, ", ");
    member(o, "out", c.out, ", ");
    member(o, "filtered", c.in > c.out ? c.in - c.out : 0, "");
    if (step->kind == SL_STEP_FETCH || step->nested) {
        sl_buf_str(o, ", ");
        member(o, "recovered", c.recovered, "");
    }
    sl_buf_str(o, "}");
}

static const char *intake_name(const sl_intake *in) {
    switch (in->kind) {
    case SL_INTAKE_SOURCE: return in->source->pipe->name;
    case SL_INTAKE_STAGE: return "stage";
    case SL_INTAKE_SPOOL: return "spool";
    case SL_INTAKE_ONE: return "one";
    case SL_INTAKE_CALLER: return "caller";
    }
    return "";
}

static void write_intake(sl_buf *o, const sl_run *r, const sl_stage_run *sr, uint32_t b) {
    const sl_branch *branch = &sr->stage->branches[b];
    const sl_node *source = branch->intake.source;
    text_member(o, "from", intake_name(&branch->intake), ", ");
    if (source) {
        sl_value url = sl_map_get_z(source->conf, "url");
        if (sl_is_text(url)) {
            sl_explain_url(sl_bytes(url), o);
            sl_buf_str(o, ", ");
        }
        const sl_branch_tally *tally = sr->tally.branches ? &sr->tally.branches[b] : NULL;
        member(o, "bytes", tally ? tally->bytes : 0, ", ");
        member(o, "quarantined", tally ? tally->quarantined : 0, ", ");
        member(o, "recovered", sl_counts_at(r, sr->stage, b, 0).recovered, "");
        bool unchanged = sr->intake.inlets && sr->intake.inlets[b].unchanged;
        sl_buf_printf(o, ", \"unchanged\": %s, ", unchanged ? "true" : "false");
    } else if (sl_branch_reads_stage(branch)) {
        member(o, "stage", branch->intake.stage, ", ");
    }
}

static void write_branch(sl_buf *o, const sl_run *r, const sl_stage_run *sr, uint32_t b) {
    const sl_branch *branch = &sr->stage->branches[b];
    sl_buf_str(o, "{");
    write_intake(o, r, sr, b);
    member(o, "out", sl_counts_at(r, sr->stage, b, 0).out, ", \"steps\": [");
    for (uint32_t i = 0; i < sl_counts_steps(branch); i++) {
        if (i) sl_buf_str(o, ", ");
        write_step(o, &branch->steps[i], sl_counts_at(r, sr->stage, b, i + 1));
    }
    sl_buf_str(o, "]}");
}

static const char *end_name(const sl_stage *s) {
    static const char *const names[] = {"serial", "zip", "wrap", "fold", "lookup", "spool", "output"};
    return names[s->end.kind];
}

/* What came to the end of the stage, and what became of it. */
static void write_end(sl_buf *o, const sl_run *r, const sl_stage *stage) {
    const sl_node *node = stage->end.node;
    sl_count c = sl_counts_end(r, stage);
    text_member(o, "end", end_name(stage), ", ");
    if (node) {
        sl_buf_printf(o, "\"step\": %d, ", node->step);
        text_member(o, "pipe", node->pipe->name, ", ");
    }
    member(o, "in", c.in, ", ");
    if (node) {
        member(o, "out", c.out, ", ");
        member(o, "filtered", sl_counts_dropped(r, stage), ", ");
    }
    if (sl_counts_makes(stage) || stage->end.kind == SL_END_LOOKUP) {
        member(o, "folded", c.in, ", ");
    }
    sl_buf_printf(o, "\"cut\": %s, ", r->shares[stage->id].cut ? "true" : "false");
}

static void write_stage(sl_buf *o, const sl_run *r, const sl_stage_run *sr) {
    const sl_stage *stage = sr->stage;
    sl_buf_str(o, "    {");
    member(o, "stage", stage->id, ", \"branches\": [");
    for (uint32_t b = 0; b < stage->nbranches; b++) {
        if (b) sl_buf_str(o, ", ");
        write_branch(o, r, sr, b);
    }
    sl_buf_str(o, "], ");
    write_end(o, r, stage);
    uint64_t end = sr->ended ? sr->ended : sl_clock_ns();
    sl_buf_printf(o, "\"seconds\": %.6f, ", sr->started ? (double)(end - sr->started) / 1e9 : 0.0);
    member(o, "retries", sr->jobs.stats.retries, "}");
}

/* What the sink itself has to say. */
static void describe_sink(sl_buf *o, const sl_target *t, void *sink) {
    if (!t->sink->describe || !sink) return;
    sl_buf_str(o, ", ");
    if (t->sink->describe(sink, o, NULL) != SL_OK) o->failed = true;
}

static void write_sinks(sl_buf *o, const sl_run *r, bool done) {
    sl_buf_str(o, "  \"sinks\": [");
    for (uint32_t i = 0; i < r->o.ntargets; i++) {
        sl_buf_str(o, i ? ", {" : "{");
        text_member(o, "to", r->o.targets[i].text, ", ");
        member(o, "rows", r->rows[i], "");
        sl_buf_printf(o, ", \"committed\": %s", done ? "true" : "false");
        if (done) describe_sink(o, &r->o.targets[i], r->sinks[i]);
        sl_buf_byte(o, '}');
    }
    sl_buf_str(o, "],\n");
}

static uint64_t peak_memory(const sl_run *r) {
    struct rusage u;
    uint64_t peak = getrusage(RUSAGE_SELF, &u) == 0 ? (uint64_t)u.ru_maxrss * 1024 : 0;
    for (uint32_t i = 0; i < r->o.stages->n; i++)
        if (r->stages[i].jobs.stats.child_peak_bytes > peak) peak = r->stages[i].jobs.stats.child_peak_bytes;
    return peak;
}

static void write_warnings(sl_buf *o, const sl_plan *p) {
    sl_buf_str(o, "  \"warnings\": [");
    for (uint32_t i = 0; i < p->nwarnings; i++) {
        if (i) sl_buf_str(o, ", ");
        sl_json_text(p->warnings[i], o);
    }
    sl_buf_str(o, "],\n");
}

static void write_cache(sl_buf *o, const sl_env *env) {
    const sl_cache_counts *c = env->cache_policy ? env->cache_policy->counts : NULL;
    sl_buf_str(o, "\"cache\": {");
    member(o, "unchanged", c ? c->unchanged : 0, ", ");
    member(o, "unchanged_bytes", c ? c->unchanged_bytes : 0, ", ");
    member(o, "stored", c ? c->stored : 0, ", ");
    member(o, "stored_bytes", c ? c->stored_bytes : 0, ", ");
    member(o, "failed", c ? c->failed : 0, ", ");
    text_member(o, "trouble", env->cache ? sl_cache_trouble(env->cache) : NULL, "},\n");
}

static void write_failures(sl_buf *o, const sl_run *r) {
    const char *text;
    sl_buf_printf(o, "  \"failed\": %llu,\n  \"failures\": [", (unsigned long long)r->failures.n);
    for (unsigned i = 0; (text = sl_run_failure(r, i)); i++) {
        if (i) sl_buf_str(o, ", ");
        sl_json_text(sl_text_of(text), o);
    }
    sl_buf_str(o, "],\n");
}

static void write_totals(sl_buf *o, const sl_run *r) {
    sl_progress p = sl_run_progress(r);
    sl_buf_str(o, "  \"items\": {");
    member(o, "in", p.items_in, ", ");
    member(o, "out", p.items_out, ", ");
    member(o, "filtered", p.filtered, ", ");
    member(o, "quarantined", p.quarantined, ", ");
    member(o, "recovered", p.recovered, ", ");
    member(o, "ahead", p.ahead, "},\n  ");
    member(o, "bytes", p.bytes_in, "");
    sl_buf_printf(o, ",\n  \"seconds\": %.6f,\n  ", (double)p.nanoseconds / 1e9);
    member(o, "peak_memory", peak_memory(r), ",\n  ");
    member(o, "http_retries", r->env->permits ? sl_permits_retries(r->env->permits) : 0, ",\n  ");
    member(o, "http_unchanged", r->env->cache_policy ? r->env->cache_policy->counts->unchanged : 0, ",\n  ");
    write_cache(o, r->env);
}

static void write_unchanged(sl_buf *o, const sl_run *r) {
    sl_buf_printf(o, "\"unchanged\": %s,\n  \"unchanged_since\": ", r->unchanged_since ? "true" : "false");
    if (r->unchanged_since) {
        sl_buf_byte(o, '"');
        sl_time_iso(sl_time_make(SL_TIME_DATETIME, r->unchanged_since, 0, 0), o);
        sl_buf_byte(o, '"');
    } else {
        sl_buf_str(o, "null");
    }
    sl_buf_str(o, ",\n  ");
}

sl_status sl_run_report(const sl_run *r, sl_status status, const sl_error *why, sl_buf *out, sl_error *err) {
    char text[1200];
    sl_progress totals = sl_run_progress(r);
    sl_buf_str(out, "{\n  ");
    text_member(out, "version", sl_version(), ",\n  ");
    text_member(out, "status", status == SL_OK ? "done" : "failed", "");
    sl_buf_printf(out, ",\n  \"exit_code\": %d,\n  ",
                  status ? sl_exit_code(status) : sl_done_exit_code(&totals));
    write_unchanged(out, r);
    text_member(out, "error", why && why->code ? sl_error_format(why, text, sizeof text) : NULL, ",\n  ");
    text_member(out, "pool", sl_pool_kind_name(r->o.pool), ",\n  ");
    member(out, "workers", r->o.workers, ",\n");
    write_totals(out, r);
    write_failures(out, r);
    write_warnings(out, r->o.plan);
    sl_buf_str(out, "  \"stages\": [\n");
    for (uint32_t i = 0; i < r->o.stages->n; i++) {
        write_stage(out, r, &r->stages[i]);
        sl_buf_str(out, i + 1 < r->o.stages->n ? ",\n" : "\n");
    }
    sl_buf_str(out, "  ],\n");
    write_sinks(out, r, status == SL_OK && !r->unchanged_since);
    sl_buf_printf(out, "  \"balanced\": %s\n}\n", why && why->code == SL_E_INTERNAL ? "false" : "true");
    return sl_buf_check(out, err);
}
