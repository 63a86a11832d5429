#include "engine/run.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/run_internal.h"

sl_status sl_run_new(const sl_run_options *options, sl_run **out, sl_error *err) {
    sl_run *r = *out = calloc(1, sizeof *r);
    if (!r) return sl_oom(err);
    r->o = *options;
    r->env = &options->plan->env;
    r->started = sl_clock_ns();
    r->stages = calloc(options->stages->n + 1, sizeof *r->stages);
    r->bound = calloc(options->stages->n + 1, sizeof *r->bound);
    r->sinks = calloc(options->ntargets + 1, sizeof *r->sinks);
    r->rows = calloc(options->ntargets + 1, sizeof *r->rows);
    for (uint32_t i = 0; r->stages && r->bound && i < options->stages->n; i++) {
        const sl_stage *stage = options->stages->v[i];
        r->bound[i].conf = stage->node ? stage->node->compiled : NULL;
        r->stages[i].run = r;
        r->stages[i].stage = stage;
        r->stages[i].bound = &r->bound[i];
    }
    return r->stages && r->bound && r->sinks && r->rows ? SL_OK : sl_oom(err);
}

static void close_sinks(sl_run *r) {
    for (uint32_t i = 0; r->sinks && i < r->o.ntargets; i++) {
        if (r->sinks[i]) r->o.targets[i].sink->close(r->sinks[i]);
        r->sinks[i] = NULL;
    }
}

/* Workers first, everywhere: they may look into the tables of other stages. */
void sl_run_free(sl_run **rp) {
    sl_run *r = *rp;
    if (!r) return;
    uint32_t n = r->stages && r->bound ? r->o.stages->n : 0;
    for (uint32_t i = n; i-- > 0;) sl_stage_stop(&r->stages[i]);
    for (uint32_t i = n; i-- > 0;) sl_end_close(&r->stages[i]);
    close_sinks(r);
    sl_batch_free(&r->o.input);
    free(r->stages);
    free(r->bound);
    free(r->sinks);
    free(r->rows);
    sl_failures_free(&r->failures);
    free(r);
    *rp = NULL;
}

static sl_stage_run *output_of(sl_run *r) {
    return &r->stages[r->o.stages->output->id];
}

/* After the workers are forked: no database handle crosses a fork. */
static sl_status open_sinks(sl_run *r, sl_error *err) {
    for (uint32_t i = 0; i < r->o.ntargets; i++) {
        const sl_target *t = &r->o.targets[i];
        TRY(t->sink->open(t->conf, r->o.sink_env, &r->sinks[i], err));
    }
    return SL_OK;
}

static sl_status write_frames(sl_run *r, const sl_outcome *o, sl_error *err) {
    for (uint32_t i = 0; i < o->nframes; i++) {
        const sl_buf *frame = &o->frames[i];
        TRY(r->o.targets[i].sink->write(r->sinks[i], frame->data, frame->len, &r->rows[i], err));
    }
    return SL_OK;
}

/* What the branches of a stage handed to its end. */
static uint64_t handed_over(const sl_stage_run *sr) {
    uint64_t n = 0;
    for (uint32_t b = 0; sr->counts && b < sr->stage->nbranches; b++)
        n += sr->counts[b][sr->stage->branches[b].nsteps].out;
    return n;
}

/* Nothing got lost between a stage and its readers, nor between its workers and its end. */
static bool stage_balances(const sl_stage_run *sr) {
    if (sr->phase != SL_PHASE_DONE || sr->enough) return true;
    bool counted = sr->stage->end != SL_END_FOLD && sr->stage->end != SL_END_OUTPUT;
    if (counted && handed_over(sr) != sr->end_in) return false;
    for (uint32_t b = 0; b < sr->stage->nbranches; b++) {
        const sl_feed *feed = &sr->stage->branches[b].feed;
        if (feed->kind == SL_FEED_STAGE && sr->counts[b][0].out != sl_run_of(sr, feed->stage)->end_out)
            return false;
    }
    return true;
}

static sl_status out_of_balance(const char *where, uint64_t expected, uint64_t counted, sl_error *err) {
    return sl_fail(err, SL_E_INTERNAL, "%llu items went to %s but it counted %llu; nothing was committed",
                   (unsigned long long)expected, where, (unsigned long long)counted);
}

/* Every item that left a step must have reached the next one, and every item that left the last one all sinks. */
static sl_status check_balance(sl_run *r, sl_error *err) {
    uint64_t items = handed_over(output_of(r));
    for (uint32_t i = 0; i < r->o.stages->n; i++)
        if (!stage_balances(&r->stages[i]))
            return out_of_balance("the end of a stage", handed_over(&r->stages[i]), r->stages[i].end_in, err);
    for (uint32_t i = 0; i < r->o.ntargets; i++)
        if (r->rows[i] != items) return out_of_balance(r->o.targets[i].text, items, r->rows[i], err);
    return SL_OK;
}

/* Items that came from a branch's source, or from sources and subpipes that its steps read for items. */
static uint64_t items_read(const sl_stage_run *sr, uint32_t b) {
    const sl_branch *branch = &sr->stage->branches[b];
    uint64_t n = branch->feed.kind == SL_FEED_SOURCE ? sr->counts[b][0].out : 0;
    for (uint32_t i = 0; i < branch->nsteps; i++) {
        const sl_node *node = branch->steps[i].node;
        if (node->nested || node->pipe->source) n += sr->counts[b][i + 1].out;
    }
    return n;
}

bool sl_run_read_nothing(const sl_run *r) {
    for (uint32_t i = 0; i < r->o.stages->n; i++)
        for (uint32_t b = 0; r->stages[i].counts && b < r->stages[i].stage->nbranches; b++)
            if (items_read(&r->stages[i], b)) return false;
    return true;
}

sl_failures *sl_run_failures(sl_run *r) {
    return &r->failures;
}

const char *sl_run_failure(const sl_run *r, unsigned i) {
    return sl_failures_at(&r->failures, i);
}

/* Without one source of several, not without any. */
static sl_status check_failures(const sl_run *r, sl_error *err) {
    if (!r->failures.n || sl_run_progress(r).items_in) return SL_OK;
    if (err && err->code == SL_OK) *err = r->failures.first;
    return r->failures.first.code;
}

void sl_run_skip(sl_run *r, int64_t since) {
    r->unchanged_since = since;
    r->ended = sl_clock_ns();
}

/* The sinks before target I that are of its kind are offered their transaction. */
static sl_status join_sinks(sl_run *r, uint32_t i, sl_error *err) {
    const sl_sink *sink = r->o.targets[i].sink;
    for (uint32_t k = 0; sink->join && k < i; k++)
        if (r->o.targets[k].sink == sink) TRY(sink->join(r->sinks[i], r->sinks[k], err));
    return SL_OK;
}

/* All that can fail, on every sink, before any of them shows anything. */
static sl_status ready_sinks(sl_run *r, sl_error *err) {
    for (uint32_t i = 0; i < r->o.ntargets; i++) TRY(join_sinks(r, i, err));
    for (uint32_t i = 0; i < r->o.ntargets; i++) {
        const sl_sink *sink = r->o.targets[i].sink;
        if (sink->ready) TRY(sink->ready(r->sinks[i], err));
    }
    return SL_OK;
}

/* Databases first: a commit there may still fail, a rename hardly. */
static sl_status commit_sinks(sl_run *r, sl_error *err) {
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < r->o.ntargets; i++)
            if ((r->o.targets[i].sink->table != NULL) == (pass == 0))
                TRY(r->o.targets[i].sink->commit(r->sinks[i], err));
    return SL_OK;
}

sl_status sl_run_to_sinks(sl_run *r, sl_error *err) {
    sl_stage_run *sr = output_of(r);
    TRY(sl_stage_start(sr, err));
    TRY(open_sinks(r, err));
    sl_status s;
    sl_outcome *o = NULL;
    while ((s = sl_stage_outcome(sr, &o, err)) == SL_OK) {
        s = write_frames(r, o, err);
        sl_outcome_free(&o, sr->stage);
        if (s != SL_OK) return s;
        sl_run_tell(r, false);
    }
    if (s != SL_DONE) return s;
    TRY(check_balance(r, err));
    TRY(check_failures(r, err));
    TRY(sl_run_guard(r, err));
    TRY(ready_sinks(r, err));
    if (r->o.stopping && atomic_load(r->o.stopping)) return sl_fail(err, SL_E_STOPPED, "stopped on request");
    if (r->o.committing) r->o.committing(r->o.committing_user);
    r->committing = true;
    sl_run_tell(r, true);
    s = commit_sinks(r, err);
    r->ended = sl_clock_ns();
    r->committing = false;
    sl_run_tell(r, true);
    return s;
}

sl_status sl_run_next(sl_run *r, sl_batch **out, sl_error *err) {
    sl_status s = sl_stage_pull(output_of(r), out, err);
    if (s != SL_OK) r->ended = sl_clock_ns();
    return s;
}
