/* run.c: the stages of a plan together, from the output stage's first pull to the commit of the sinks.
 *
 * Stages do not know one another. Each is lent the results of all, as functions to pull them by, and whatever else of the run it needs
 * (stage/lent.h); this file makes them and takes them apart again, in an order that leaves no worker with something freed. Before anything is
 * committed it checks that every item which left one place came to the next. */
#include "engine/run/run.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/run/internal.h"
#include "plan/host.h"

/* ---- making and freeing ---------------------------------------------------------------------------------------------- */

static sl_status nest(const sl_plan *sub, const sl_stages *stages, sl_batch *take, sl_batch_sink sink,
                      void *to, sl_findings *findings, bool *no_source, sl_error *err);

static void tell(void *run) {
    sl_run_tell(run, false);
}

static sl_lent lend(sl_run *r) {
    const sl_run_options *o = &r->o;
    return (sl_lent){.stages = o->stages,
                     .env = r->env,
                     .log = o->plan->parent ? NULL : r->env->log,
                     .shown = o->plan->parent ? &r->shown : NULL,
                     .pool = {.kind = o->pool,
                              .workers = o->workers,
                              .stall = o->stall,
                              .stopping = o->stopping,
                              .log = r->env->log},
                     .targets = o->targets,
                     .ntargets = o->ntargets,
                     .nested = o->plan->parent != NULL,
                     .item = &r->o.input,
                     .bound = r->bound,
                     .results = r->results,
                     .failures = &r->failures,
                     .nest = nest,
                     .tell = tell,
                     .run = r};
}

static void init_stage(sl_run *r, const sl_stage *stage) {
    assert(stage->id < r->o.stages->n);
    sl_stage_run *s = &r->stages[stage->id];
    r->bound[stage->id].conf = stage->end.node ? stage->end.node->compiled : NULL;
    sl_stage_init(s, stage, &r->lent);
    r->results[stage->id] = sl_stage_supply(s);
}

sl_status sl_run_new(const sl_run_options *options, sl_run **out, sl_error *err) {
    sl_run *r = *out = calloc(1, sizeof *r);
    if (!r) {
        sl_batch *item = options->input;
        sl_batch_free(&item);
        return sl_oom(err);
    }
    r->o = *options;
    r->env = &options->plan->env;
    r->started = sl_clock_ns();
    r->failures.log = r->env->host ? r->env->host->log : NULL;
    r->stages = calloc(options->stages->n + 1, sizeof *r->stages);
    r->bound = calloc(options->stages->n + 1, sizeof *r->bound);
    r->results = calloc(options->stages->n + 1, sizeof *r->results);
    r->shares = calloc(options->stages->n + 1, sizeof *r->shares);
    r->sinks = calloc(options->ntargets + 1, sizeof *r->sinks);
    r->rows = calloc(options->ntargets + 1, sizeof *r->rows);
    if (!r->stages || !r->bound || !r->results || !r->shares || !r->sinks || !r->rows) {
        sl_run_free(out);
        return sl_oom(err);
    }
    r->lent = lend(r);
    for (uint32_t i = 0; i < options->stages->n; i++) init_stage(r, options->stages->v[i]);
    return SL_OK;
}

static void close_sinks(sl_run *r) {
    for (uint32_t i = 0; r->sinks && i < r->o.ntargets; i++) {
        if (r->sinks[i]) r->o.targets[i].sink->close(r->sinks[i]);
        r->sinks[i] = NULL;
    }
}

static uint32_t stages_made(const sl_run *r) {
    return r->lent.run ? r->o.stages->n : 0;
}

void sl_run_stop(sl_run *r) {
    for (uint32_t i = stages_made(r); i-- > 0;) sl_stage_stop(&r->stages[i]);
}

/* Workers first, everywhere: they may look into the tables of other stages. */
void sl_run_free(sl_run **rp) {
    sl_run *r = *rp;
    if (!r) return;
    sl_run_stop(r);
    uint32_t n = stages_made(r);
    for (uint32_t i = n; i-- > 0;) sl_stage_close(&r->stages[i]);
    close_sinks(r);
    sl_batch_free(&r->o.input);
    free(r->stages);
    free(r->bound);
    free(r->results);
    free(r->shares);
    free(r->sinks);
    free(r->rows);
    sl_failures_free(&r->failures);
    sl_buf_free(&r->shown);
    free(r);
    *rp = NULL;
}

static sl_stage_run *output_of(sl_run *r) {
    return &r->stages[r->o.stages->output->id];
}

/* ---- sinks ----------------------------------------------------------------------------------------------------------- */

/* After the workers are forked: no database handle crosses a fork. */
static sl_status open_sinks(sl_run *r, sl_error *err) {
    for (uint32_t i = 0; i < r->o.ntargets; i++) {
        const sl_target *t = &r->o.targets[i];
        TRY(t->sink->open(t->conf, r->o.sink_env, &r->sinks[i], err));
        SL_TRACE(r->env->log, transaction, "%s opened: %s", t->sink->name, t->text);
    }
    return SL_OK;
}

static sl_status write_frames(sl_run *r, const sl_outcome *o, sl_error *err) {
    assert(o->nframes == r->o.ntargets && !o->nbatches);
    for (uint32_t i = 0; i < o->nframes; i++) {
        const sl_buf *frame = &o->frames[i];
        TRY(r->o.targets[i].sink->write(r->sinks[i], frame->data, frame->len, &r->rows[i], err));
    }
    return SL_OK;
}

/* ---- whether all came through ---------------------------------------------------------------------------------------- */

/* Nothing got lost between a stage and its readers, nor between its workers and its end. */
static bool stage_balances(const sl_run *r, const sl_stage_run *sr) {
    if (sr->phase != SL_PHASE_DONE || sr->enough) return true;
    bool counted = sr->stage->end.kind != SL_END_FOLD && sr->stage->end.kind != SL_END_OUTPUT;
    if (counted && sl_tally_given(&sr->tally) != sr->end.in) return false;
    for (uint32_t b = 0; b < sr->stage->nbranches; b++) {
        const sl_intake *in = &sr->stage->branches[b].intake;
        uint64_t came = sr->tally.branches[b].places[0].out;
        if (in->kind == SL_INTAKE_STAGE && came != r->stages[in->stage].end.out) return false;
    }
    return true;
}

static sl_status out_of_balance(const char *where, uint64_t expected, uint64_t counted, sl_error *err) {
    return sl_fail(err, SL_E_INTERNAL, "%llu items went to %s but it counted %llu; nothing was committed",
                   (unsigned long long)expected, where, (unsigned long long)counted);
}

/* Every item that left a step must have reached the next one, and every item that left the last one all sinks. */
static sl_status check_balance(sl_run *r, sl_error *err) {
    uint64_t items = sl_tally_given(&output_of(r)->tally);
    for (uint32_t i = 0; i < r->o.stages->n; i++)
        if (!stage_balances(r, &r->stages[i]))
            return out_of_balance("the end of a stage", sl_tally_given(&r->stages[i].tally),
                                  r->stages[i].end.in, err);
    for (uint32_t i = 0; i < r->o.ntargets; i++)
        if (r->rows[i] != items) return out_of_balance(r->o.targets[i].text, items, r->rows[i], err);
    return SL_OK;
}

/* Items that came from a branch's source, or from sources and subpipes that its steps read for items. */
static uint64_t items_read(const sl_stage_run *sr, uint32_t b) {
    const sl_branch *branch = &sr->stage->branches[b];
    const sl_count *places = sr->tally.branches[b].places;
    uint64_t n = branch->intake.source ? places[0].out : 0;
    for (uint32_t i = 0; i < branch->nsteps; i++) {
        const sl_node *node = branch->steps[i].node;
        if (node->nested || node->pipe->source) n += places[i + 1].out;
    }
    return n;
}

bool sl_run_read_nothing(const sl_run *r) {
    for (uint32_t i = 0; i < r->o.stages->n; i++)
        for (uint32_t b = 0; r->stages[i].tally.branches && b < r->stages[i].stage->nbranches; b++)
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

/* ---- running --------------------------------------------------------------------------------------------------------- */

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
        SL_TRACE(r->env->log, transaction, "ready, %llu rows: %s", (unsigned long long)r->rows[i],
                 r->o.targets[i].text);
    }
    return SL_OK;
}

/* Databases first: a commit there may still fail, a rename hardly. */
static sl_status commit_sinks(sl_run *r, sl_error *err) {
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < r->o.ntargets; i++)
            if ((r->o.targets[i].sink->table != NULL) == (pass == 0)) {
                TRY(r->o.targets[i].sink->commit(r->sinks[i], err));
                SL_TRACE(r->env->log, transaction, "committed: %s", r->o.targets[i].text);
            }
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
        sl_outcome_free(&o);
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

/* ---- runs within runs ------------------------------------------------------------------------------------------------ */

static void take_findings(sl_run *r, sl_findings *into, bool *no_source) {
    *no_source = r->failures.n && sl_run_read_nothing(r);
    into->recovered += sl_run_progress(r).recovered;
    sl_failures_join(&into->failures, &r->failures);
    sl_buf_add(&into->shown, r->shown.data, r->shown.len);
}

/* A subpipe run whole for one item, in the worker that has the item: by a coordinator of its own over the inline pool, so everything that
 * a pipeline may hold may stand in a subpipe, further loops over subpipes included. Its confs are compiled and its stages cut once; the
 * runs share nothing that is written to. */
static sl_status nest(const sl_plan *sub, const sl_stages *stages, sl_batch *take, sl_batch_sink sink,
                      void *to, sl_findings *findings, bool *no_source, sl_error *err) {
    sl_run *run = NULL;
    *no_source = false;
    sl_run_options o = {.plan = sub, .stages = stages, .input = take, .pool = SL_POOL_INLINE, .workers = 1};
    o.stopping = (atomic_bool *)(uintptr_t)sub->env.stopping; /* nested runs only look at it */
    sl_status s = sl_run_new(&o, &run, err);
    while (s == SL_OK) {
        sl_batch *b = NULL;
        s = sl_run_next(run, &b, err);
        if (s == SL_OK) s = sink(to, b, err);
    }
    if (run) take_findings(run, findings, no_source);
    sl_run_free(&run);
    return s == SL_DONE ? SL_OK : s;
}
