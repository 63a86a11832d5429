/* walk.c: one unit through the steps of its branch, in a worker.
 *
 * A branch is a chain of links, one a step and one for the end; each gives what it makes to the next at once, so that a unit is never held
 * twice. A link counts what it is given, which is what the report says of the step before it as well. */
#include "engine/unit/unit.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "engine/unit/processor.h"

/* One place of a branch: hands what it is given to its step, whose output goes to the next link. */
typedef struct link {
    sl_out out; /* first: sl_out * is link * */
    sl_walker *walker;
    const sl_step *step;     /* NULL: the end of the stage */
    sl_processor *processor; /* SL_STEP_EACH, SL_STEP_FETCH */
    void *state;             /* SL_STEP_APPLY, _PROBE, _PURE */
    struct link *next;
    uint32_t place; /* in outcome->counts */
} link;

typedef struct branch_state {
    link *links; /* [nsteps + 1] */
    void *read_state;
} branch_state;

struct sl_walker {
    const sl_walk_plan *plan;
    branch_state *branches;
    void **sink_states; /* [ntargets] */
    void *partial;
    /* of the job at hand */
    sl_outcome *outcome;
    uint64_t seq, folded; /* items folded so far in this job: their ordinals */
};

/* Items of one job are numbered from seq << 32; a unit has far fewer. */
static uint64_t ordinal_of(const sl_walker *w) {
    return (w->seq << 32) + w->folded;
}

/* ---- the end of a stage ------------------------------------------------------------------------------------------ */

static sl_status keep_batch(sl_outcome *o, sl_batch *take, sl_error *err) {
    if (!SL_ROOM(o->batches, o->cap_batches, o->nbatches + 1)) {
        sl_batch_free(&take);
        return sl_oom(err);
    }
    o->batches[o->nbatches++] = take;
    return SL_OK;
}

static sl_status fold_batch(sl_walker *w, sl_batch *take, sl_error *err) {
    const sl_node *node = w->plan->fold;
    const sl_fold *fold = node->pipe->fold;
    uint64_t first = ordinal_of(w);
    w->folded += take->nsel;
    assert(w->folded >> 32 == 0);
    take->bare = false;
    if (!w->partial) {
        sl_status s = fold->open(w->plan->bound[w->plan->id].conf, node->info.env, &w->partial, err);
        if (s != SL_OK) {
            sl_batch_free(&take);
            return s;
        }
    }
    sl_status s = fold->add(w->partial, take, first, err);
    if (s > SL_DONE) sl_node_failed(node, err);
    return s;
}

static sl_status encode_batch(sl_walker *w, sl_batch *take, sl_error *err) {
    sl_status s = SL_OK;
    assert(w->outcome->nframes == w->plan->ntargets);
    for (uint32_t i = 0; i < w->plan->ntargets && s == SL_OK; i++) {
        const sl_target *t = &w->plan->targets[i];
        s = t->sink->encode(t->conf, w->sink_states[i], take, &w->outcome->frames[i], err);
    }
    sl_batch_free(&take);
    return s;
}

static sl_status end_batch(sl_walker *w, sl_batch *take, sl_error *err) {
    if (w->plan->fold) return fold_batch(w, take, err);
    if (w->plan->ntargets) return encode_batch(w, take, err);
    return keep_batch(w->outcome, take, err);
}

/* ---- the steps ---------------------------------------------------------------------------------------------------- */

static sl_status run_step(link *l, sl_batch *take, sl_error *err) {
    const sl_step *step = l->step;
    const sl_pipe *pipe = step->node->pipe;
    const void *conf = step->node->compiled;
    sl_count *count = &l->walker->outcome->counts[l->place];
    uint64_t before = count->in;
    assert(l->place < l->walker->outcome->ncounts);
    count->in += take->nsel;
    take->bare = take->bare && pipe->flags & SL_PIPE_BARE; /* what enters a pipe is an item */
    switch (step->kind) {
    case SL_STEP_EACH:
    case SL_STEP_FETCH: return sl_processor_run(l->processor, take, &l->next->out, err);
    case SL_STEP_APPLY: return pipe->apply(conf, l->state, take, &l->next->out, err);
    case SL_STEP_PROBE: {
        const sl_bound *bound = &l->walker->plan->bound[step->table];
        return pipe->lookup->probe(bound->conf, bound->table, l->state, take, &l->next->out, err);
    }
    case SL_STEP_PURE: return pipe->serial->pure(conf, l->state, take, before, &l->next->out, err);
    }
    return SL_E_INTERNAL;
}

/* A batch without rows goes on where its columns may become those of an empty table or file. */
static bool takes_heading(const link *l, const sl_batch *b) {
    if (!b->headed || b->ncols == 0) return false;
    if (!l->step) return l->walker->plan->ntargets > 0;
    return l->step->kind == SL_STEP_APPLY && l->step->node->pipe->flags & SL_PIPE_HEADINGS;
}

static sl_status link_emit(sl_out *out, sl_batch *take, sl_error *err) {
    link *l = (link *)(void *)out;
    if (take->nsel == 0 && !takes_heading(l, take)) {
        sl_batch_free(&take);
        return SL_OK;
    }
    sl_count *before = &l->walker->outcome->counts[l->place - 1];
    before->out += take->nsel;
    before->recovered += take->recovered;
    take->recovered = 0;
    if (!l->step) return end_batch(l->walker, take, err);
    sl_status s = run_step(l, take, err);
    if (s > SL_DONE) sl_node_failed(l->step->node, err);
    return s;
}

/* ---- making and freeing -------------------------------------------------------------------------------------------- */

static sl_status start_link(link *l, sl_error *err) {
    const sl_node *node = l->step->node;
    bool processor = l->step->kind == SL_STEP_EACH || l->step->kind == SL_STEP_FETCH;
    if (processor) return sl_processor_new(node, l->step->nested, l->walker->plan->nest, &l->processor, err);
    return node->pipe->start ? node->pipe->start(node->compiled, &l->state, err) : SL_OK;
}

static sl_status start_branch(sl_walker *w, const sl_branch *b, branch_state *bs, sl_error *err) {
    bs->links = calloc(b->nsteps + 1, sizeof *bs->links);
    if (!bs->links) return sl_oom(err);
    for (uint32_t i = 0; i <= b->nsteps; i++) {
        link *l = &bs->links[i];
        *l = (link){.out = {link_emit}, .walker = w, .next = l + 1, .place = i + 1};
        if (i == b->nsteps) break;
        l->step = &b->steps[i];
        TRY(start_link(l, err));
    }
    const sl_node *source = b->intake.source;
    if (source && source->pipe->start) return source->pipe->start(source->compiled, &bs->read_state, err);
    return SL_OK;
}

static sl_status start_sinks(sl_walker *w, sl_error *err) {
    w->sink_states = calloc(w->plan->ntargets + 1, sizeof *w->sink_states);
    if (!w->sink_states) return sl_oom(err);
    for (uint32_t i = 0; i < w->plan->ntargets; i++) {
        const sl_target *t = &w->plan->targets[i];
        if (t->sink->start) TRY(t->sink->start(t->conf, &w->sink_states[i], err));
    }
    return SL_OK;
}

/* Branches are started when their first unit comes: a collection may have thousands. */
sl_status sl_walker_new(const sl_walk_plan *plan, sl_walker **out, sl_error *err) {
    sl_walker *w = *out = calloc(1, sizeof *w);
    if (!w) return sl_oom(err);
    w->plan = plan;
    w->branches = calloc(plan->nbranches + 1, sizeof *w->branches);
    if (!w->branches) return sl_oom(err);
    return start_sinks(w, err);
}

static sl_status finish_link(link *l, sl_error *err) {
    const sl_pipe *pipe = l->step->node->pipe;
    sl_status s = SL_OK;
    if (l->processor)
        s = sl_processor_finish(l->processor, err);
    else if (l->state && pipe->finish)
        s = pipe->finish(l->state, err);
    if (s != SL_OK) sl_node_failed(l->step->node, err);
    return s;
}

sl_status sl_walker_finish(sl_walker *w, sl_error *err) {
    for (uint32_t b = 0; b < w->plan->nbranches; b++)
        for (uint32_t i = 0; w->branches[b].links && i < w->plan->branches[b].nsteps; i++)
            TRY(finish_link(&w->branches[b].links[i], err));
    return SL_OK;
}

static void stop_branch(const sl_branch *b, branch_state *bs) {
    for (uint32_t i = 0; bs->links && i < b->nsteps; i++) {
        link *l = &bs->links[i];
        sl_processor_free(&l->processor);
        if (l->state && l->step->node->pipe->stop) l->step->node->pipe->stop(l->state);
    }
    free(bs->links);
    if (bs->read_state && b->intake.source->pipe->stop) b->intake.source->pipe->stop(bs->read_state);
    *bs = (branch_state){0};
}

/* A branch that cannot be started is left out: the next unit meets the same failure, or better luck. */
static sl_status ready_branch(sl_walker *w, const sl_branch *b, branch_state *bs, sl_error *err) {
    if (bs->links) return SL_OK;
    sl_status s = start_branch(w, b, bs, err);
    if (s != SL_OK) stop_branch(b, bs);
    return s;
}

void sl_walker_free(sl_walker **wp) {
    sl_walker *w = *wp;
    if (!w) return;
    for (uint32_t i = 0; w->branches && i < w->plan->nbranches; i++)
        stop_branch(&w->plan->branches[i], &w->branches[i]);
    free(w->branches);
    for (uint32_t i = 0; w->sink_states && i < w->plan->ntargets; i++)
        if (w->sink_states[i] && w->plan->targets[i].sink->stop)
            w->plan->targets[i].sink->stop(w->sink_states[i]);
    free(w->sink_states);
    if (w->partial) w->plan->fold->pipe->fold->close(w->partial);
    free(w);
    *wp = NULL;
}

sl_status sl_walker_seal(sl_walker *w, sl_error *err) {
    if (!w->partial || !w->plan->fold->pipe->fold->seal) return SL_OK;
    return w->plan->fold->pipe->fold->seal(w->partial, err);
}

void *sl_walker_partial(sl_walker *w) {
    void *partial = w->partial;
    w->partial = NULL;
    return partial;
}

/* ---- a job ---------------------------------------------------------------------------------------------------------- */

/* The items that come in, into the first link. */
static sl_status take_in(sl_walker *w, const sl_branch *b, branch_state *bs, sl_task *task, sl_error *err) {
    sl_out *first = &bs->links[0].out;
    assert(!task->batch == (b->intake.kind == SL_INTAKE_SOURCE));
    if (task->batch) {
        sl_batch *take = task->batch;
        task->batch = NULL;
        return sl_emit(first, take, err);
    }
    const sl_node *source = b->intake.source;
    w->outcome->bytes = task->unit.bytes;
    sl_status s = source->pipe->source->read(source->compiled, bs->read_state, &task->unit, first,
                                             &w->outcome->quarantined, err);
    if (s > SL_DONE) sl_node_failed(source, err);
    return s;
}

/* What the steps met when they fetched for items. */
static void collect_findings(sl_walker *w, const sl_branch *b, branch_state *bs) {
    for (uint32_t i = 0; i < b->nsteps; i++) {
        const link *l = &bs->links[i];
        sl_findings *found = l->processor ? sl_processor_findings(l->processor) : NULL;
        if (!found) continue;
        w->outcome->counts[l->place].recovered += found->recovered;
        found->recovered = 0;
        sl_failures_join(&w->outcome->failures, &found->failures);
    }
}

/* What steps, and those of the subpipes that they have run, show of the unit. */
static void collect_shown(const sl_walker *w, const sl_branch *b, branch_state *bs) {
    for (uint32_t i = 0; bs->links && i < b->nsteps; i++) {
        const link *l = &bs->links[i];
        const sl_pipe *pipe = l->step->node->pipe;
        sl_shown head = {.place = l->place};
        sl_buf *lines = l->processor ? &sl_processor_findings(l->processor)->shown : NULL;
        if (l->state && pipe->shown) lines = pipe->shown(l->state, &head.limit);
        if (!lines || !lines->len) continue;
        head.n = lines->len;
        sl_buf_add(&w->outcome->shown, &head, sizeof head);
        sl_buf_add(&w->outcome->shown, lines->data, lines->len);
        sl_buf_clear(lines);
    }
}

static sl_status finish_frames(sl_walker *w, sl_error *err) {
    for (uint32_t i = 0; i < w->plan->ntargets; i++) {
        const sl_target *t = &w->plan->targets[i];
        if (t->sink->finish) TRY(t->sink->finish(t->conf, w->sink_states[i], &w->outcome->frames[i], err));
        TRY(sl_buf_check(&w->outcome->frames[i], err));
    }
    return SL_OK;
}

/* Where memory is not shared the job takes its partial home. */
static sl_status detach_partial(sl_walker *w, sl_error *err) {
    if (w->plan->env->shared || !w->partial) return SL_OK;
    TRY(sl_walker_seal(w, err));
    w->outcome->partial = sl_walker_partial(w);
    return SL_OK;
}

sl_status sl_walk(sl_walker *w, uint64_t seq, sl_task *task, sl_outcome **out, sl_error *err) {
    assert(task->branch < w->plan->nbranches && !task->seal && seq >> 32 == 0);
    const sl_branch *b = &w->plan->branches[task->branch];
    branch_state *bs = &w->branches[task->branch];
    w->seq = seq;
    w->folded = 0;
    w->outcome = *out = sl_outcome_new(w->plan, task->branch);
    if (!w->outcome) return sl_oom(err);
    TRY(ready_branch(w, b, bs, err));
    sl_status s = take_in(w, b, bs, task, err);
    collect_findings(w, b, bs);
    collect_shown(w, b, bs);
    w->outcome->enough = s == SL_DONE;
    if (s == SL_OK || s == SL_DONE) s = finish_frames(w, err);
    if (s == SL_OK) s = detach_partial(w, err);
    return s;
}
