/* stage_run.c: one stage over its pool.
 *
 *     new -> running (feed, take, hand to the end) -> finishing (the end's own result) -> done
 *
 * The coordinator keeps the pool full, takes outcomes in order and gives what they hold to the end. A failed feed is kept back
 * until the jobs before it are done, so that the first error in the input's order is the one that is reported. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/nested.h"
#include "engine/run_internal.h"

/* ---- the pool's calls ------------------------------------------------------------------------------------------------ */

static sl_status worker_start(void *ctx, unsigned worker, void **state, sl_error *err) {
    sl_stage_run *sr = ctx;
    sl_walker *w = NULL;
    sl_status s = sl_walker_new(&sr->walk, &w, err);
    if (s != SL_OK) {
        sl_walker_free(&w);
        return s;
    }
    sr->walkers[worker] = w;
    *state = w;
    return SL_OK;
}

static void worker_stop(void *ctx, void *state) {
    sl_stage_run *sr = ctx;
    sl_walker *w = state;
    (void)sr;
    sl_walker_free(&w);
}

static sl_status worker_finish(void *ctx, void *state, sl_error *err) {
    (void)ctx;
    return sl_walker_finish(state, err);
}

static sl_status worker_work(void *ctx, void *state, unsigned worker, sl_job *job) {
    sl_stage_run *sr = ctx;
    sl_task *task = job->in;
    (void)worker;
    if (task->seal) return sl_walker_seal(sr->walkers[task->seal - 1], &job->error);
    sl_outcome *outcome = NULL;
    sl_status s = sl_walk(state, job->seq, task, &outcome, &job->error);
    job->out = outcome;
    return s;
}

static sl_status job_send(void *ctx, const sl_job *job, sl_buf *frame) {
    (void)ctx;
    return sl_task_save(job->in, frame, NULL);
}

static sl_status job_receive(void *ctx, sl_job *job, const char *frame, size_t n) {
    sl_stage_run *sr = ctx;
    sl_task *task = NULL;
    sl_status s = sl_task_load(frame, n, &sr->names, &task, &job->error);
    job->in = task;
    return s;
}

static sl_status job_reply(void *ctx, sl_job *job, sl_buf *frame) {
    sl_stage_run *sr = ctx;
    return job->out ? sl_outcome_save(&sr->walk, job->out, frame, &job->error) : SL_OK;
}

static sl_status job_accept(void *ctx, sl_job *job, char *frame_take, size_t n) {
    sl_stage_run *sr = ctx;
    sl_outcome *outcome = NULL;
    if (n == 0) {
        free(frame_take);
        return SL_OK;
    }
    sl_status s = sl_outcome_load(&sr->walk, frame_take, n, &outcome, &job->error);
    job->out = outcome;
    return s;
}

static void job_clean(void *ctx, sl_job *job) {
    sl_stage_run *sr = ctx;
    sl_task *task = job->in;
    sl_outcome *outcome = job->out;
    sl_task_free(&task);
    sl_outcome_free(&outcome, sr->stage);
    job->in = job->out = NULL;
}

/* ---- starting -------------------------------------------------------------------------------------------------------- */

/* Tables that the steps look into are built before the workers start: forked ones get them with their memory. */
static sl_status build_tables(sl_stage_run *sr, sl_error *err) {
    for (uint32_t b = 0; b < sr->stage->nbranches; b++) {
        const sl_branch *branch = &sr->stage->branches[b];
        for (uint32_t i = 0; i < branch->nsteps; i++) {
            if (branch->steps[i].kind != SL_STEP_PROBE) continue;
            sl_batch *none = NULL;
            sl_status s = sl_stage_pull(sl_run_of(sr, branch->steps[i].lookup), &none, err);
            if (s != SL_DONE) return s;
        }
    }
    return SL_OK;
}

static sl_status make_counts(sl_stage_run *sr, sl_error *err) {
    uint32_t n = sr->stage->nbranches;
    sr->feeds = calloc(n + 1, sizeof *sr->feeds);
    sr->counts = calloc(n + 1, sizeof *sr->counts);
    sr->quarantined = calloc(n + 1, sizeof *sr->quarantined);
    sr->bytes = calloc(n + 1, sizeof *sr->bytes);
    if (!sr->feeds || !sr->counts || !sr->quarantined || !sr->bytes) return sl_oom(err);
    for (uint32_t b = 0; b < n; b++) {
        sr->counts[b] = calloc(sr->stage->branches[b].nsteps + 1, sizeof **sr->counts);
        if (!sr->counts[b]) return sl_oom(err);
    }
    return SL_OK;
}

static sl_status make_jobs(sl_stage_run *sr, sl_error *err) {
    sr->capacity = sl_pool_capacity(sr->pool);
    sr->jobs = calloc(sr->capacity, sizeof *sr->jobs);
    sr->idle = calloc(sr->capacity, sizeof(sl_job *));
    if (!sr->jobs || !sr->idle) sr->capacity = 0;
    if (sr->capacity == 0) return sl_oom(err);
    for (unsigned i = 0; i < sr->capacity; i++) sr->idle[sr->nidle++] = &sr->jobs[i];
    return SL_OK;
}

/* Fetching waits for the network. */
static bool may_wait(const sl_step *step) {
    return step->kind == SL_STEP_FETCH;
}

static bool has_last_word(const sl_step *step) {
    return step->node->pipe->finish != NULL;
}

static sl_status start_pool(sl_stage_run *sr, sl_error *err) {
    const sl_run_options *o = &sr->run->o;
    bool output = sr->stage == o->stages->output;
    sr->walk = (sl_walk_plan){.stage = sr->stage,
                              .env = sr->run->env,
                              .bound = sr->run->bound,
                              .nest = sl_nested_items,
                              .as_items = !output || o->ntargets == 0};
    if (!sr->walk.as_items) {
        sr->walk.targets = o->targets;
        sr->walk.ntargets = o->ntargets;
    }
    sr->walkers = calloc(o->workers + 1, sizeof *sr->walkers);
    if (!sr->walkers) return sl_oom(err);
    sr->calls = (sl_pool_calls){.ctx = sr,
                                .start = worker_start,
                                .stop = worker_stop,
                                .finish = sl_stage_find(sr->stage, has_last_word) ? worker_finish : NULL,
                                .work = worker_work,
                                .send = job_send,
                                .receive = job_receive,
                                .reply = job_reply,
                                .accept = job_accept,
                                .clean = job_clean};
    sl_pool_options po = {.kind = o->pool,
                          .workers = o->workers,
                          .stall = o->stall,
                          .join_in = !sl_stage_find(sr->stage, may_wait),
                          .stopping = o->stopping,
                          .ordered = !output || o->plan->settings.ordered};
    return sl_pool_start(&sr->pool, &po, &sr->calls, err);
}

sl_status sl_stage_start(sl_stage_run *sr, sl_error *err) {
    if (sr->phase != SL_PHASE_NEW) return SL_OK;
    sr->phase = SL_PHASE_RUNNING;
    sr->started = sl_clock_ns();
    TRY(make_counts(sr, err));
    TRY(sl_end_open(sr, err));
    TRY(build_tables(sr, err));
    TRY(start_pool(sr, err));
    return make_jobs(sr, err);
}

/* ---- running --------------------------------------------------------------------------------------------------------- */

static bool stopping(const sl_stage_run *sr) {
    return sr->run->o.stopping && atomic_load_explicit(sr->run->o.stopping, memory_order_relaxed);
}

static sl_status submit(sl_stage_run *sr, sl_task *take, sl_error *err) {
    sl_job *job = sr->idle[--sr->nidle];
    *job = (sl_job){.in = take};
    return sl_pool_submit(sr->pool, job, err);
}

/* As many units as the pool takes. A feed's failure waits for the jobs before it. */
static sl_status fill_pool(sl_stage_run *sr, sl_error *err) {
    while (!sr->fed && !sr->enough && sr->nidle > 0) {
        sl_task *task = NULL;
        sl_status s = sl_feed_next(sr, &task, &sr->feed_error);
        if (s != SL_OK) {
            sr->fed = true;
            sr->feed_status = s == SL_DONE ? SL_OK : s;
            break;
        }
        TRY(submit(sr, task, err));
    }
    return SL_OK;
}

static void add_counts(sl_stage_run *sr, sl_outcome *o) {
    sl_failures_join(&sr->run->failures, &o->failures);
    for (uint32_t i = 0; i < o->ncounts; i++) {
        sr->counts[o->branch][i].in += o->counts[i].in;
        sr->counts[o->branch][i].out += o->counts[i].out;
        sr->counts[o->branch][i].recovered += o->counts[i].recovered;
    }
    sr->quarantined[o->branch] += o->quarantined;
    sr->bytes[o->branch] += o->bytes;
}

static sl_status feed_failure(sl_stage_run *sr, sl_error *err) {
    if (err && !err->code) *err = sr->feed_error;
    return sr->feed_status;
}

/* The outcome of the next finished job, NULL for a sealing job; SL_DONE when no job is left. */
static sl_status take_outcome(sl_stage_run *sr, sl_outcome **out, sl_error *err) {
    sl_job *job = NULL;
    *out = NULL;
    sl_status s = sl_pool_take(sr->pool, &job, err);
    if (s == SL_DONE && sr->feed_status != SL_OK) return feed_failure(sr, err);
    TRY(s);
    sl_task *task = job->in;
    *out = job->out;
    s = job->status;
    if (s != SL_OK && err && !err->code) *err = job->error;
    sl_task_free(&task);
    sr->idle[sr->nidle++] = job;
    if (s != SL_OK || !*out) {
        sl_outcome_free(out, sr->stage);
        return s;
    }
    add_counts(sr, *out);
    return SL_OK;
}

/* Drops what is still out: nobody wants it. */
static void drop_jobs(sl_stage_run *sr) {
    sl_pool_stats stats = sr->pool ? sl_pool_statistics(sr->pool) : (sl_pool_stats){0};
    if (sr->pool) sr->pool_stats = stats;
    sl_pool_stop(&sr->pool);
    for (unsigned i = 0; i < sr->capacity; i++) {
        bool out = true;
        for (unsigned k = 0; k < sr->nidle; k++) out = out && sr->idle[k] != &sr->jobs[i];
        if (!out) continue;
        sl_task *task = sr->jobs[i].in;
        sl_outcome *outcome = sr->jobs[i].out;
        sl_task_free(&task);
        sl_outcome_free(&outcome, sr->stage);
        sr->idle[sr->nidle++] = &sr->jobs[i];
    }
}

static sl_status hand_to_end(sl_stage_run *sr, sl_outcome *o, sl_error *err) {
    sl_status s = SL_OK;
    for (uint32_t i = 0; i < o->nbatches && s == SL_OK; i++) {
        sl_batch *take = o->batches[i];
        o->batches[i] = NULL;
        s = sl_end_batch(sr, take, err);
    }
    if (s == SL_OK && o->saved.n) s = sl_end_saved(sr, o->saved, err);
    if (s == SL_DONE || o->enough) sr->enough = true;
    return s == SL_DONE ? SL_OK : s;
}

/* Worker partials in shared memory: sealed in parallel, then merged. */
static sl_status gather_partials(sl_stage_run *sr, sl_error *err) {
    if (sr->stage->end != SL_END_FOLD || !sr->run->env->shared) return SL_OK;
    for (unsigned w = 0; w < sr->run->o.workers; w++) {
        if (!sr->walkers[w]) continue;
        sl_task *task = calloc(1, sizeof *task);
        if (!task) return sl_oom(err);
        task->seal = w + 1;
        while (sr->nidle == 0) {
            sl_outcome *none;
            TRY(take_outcome(sr, &none, err));
        }
        TRY(submit(sr, task, err));
    }
    sl_status s = SL_OK;
    sl_outcome *none;
    while ((s = take_outcome(sr, &none, err)) == SL_OK) continue;
    if (s != SL_DONE) return s;
    for (unsigned w = 0; w < sr->run->o.workers; w++) {
        void *partial = sr->walkers[w] ? sl_walker_partial(sr->walkers[w]) : NULL;
        sl_run_tell(sr->run, false);
        if (partial) TRY(sl_end_partial(sr, partial, err));
    }
    return SL_OK;
}

static sl_status end_of_jobs(sl_stage_run *sr, sl_error *err) {
    if (!sr->enough) TRY(gather_partials(sr, err));
    if (!sr->enough) TRY(sl_pool_finish(sr->pool, err));
    drop_jobs(sr);
    sl_feed_close(sr);
    sr->phase = SL_PHASE_FINISHING;
    return SL_OK;
}

static void end_stage(sl_stage_run *sr) {
    sr->phase = SL_PHASE_DONE;
    sr->ended = sl_clock_ns();
}

/* One outcome further. */
static sl_status advance(sl_stage_run *sr, sl_error *err) {
    sl_run_tell(sr->run, false);
    if (stopping(sr)) return sl_fail(err, SL_E_STOPPED, "stopped on request");
    if (sr->phase == SL_PHASE_FINISHING) {
        sl_status s = sl_end_finish(sr, err);
        if (s == SL_DONE) end_stage(sr);
        return s == SL_DONE ? SL_OK : s;
    }
    TRY(fill_pool(sr, err));
    sl_outcome *o = NULL;
    sl_status s = sr->enough ? SL_DONE : take_outcome(sr, &o, err);
    if (s == SL_DONE) return end_of_jobs(sr, err);
    TRY(s);
    s = hand_to_end(sr, o, err);
    sl_outcome_free(&o, sr->stage);
    return s;
}

sl_status sl_stage_pull(sl_stage_run *sr, sl_batch **out, sl_error *err) {
    TRY(sl_stage_start(sr, err));
    for (;;) {
        sl_batch *b = sl_queue_get(&sr->ready);
        if (b) {
            sr->end_out += b->nsel;
            *out = b;
            return SL_OK;
        }
        if (sr->phase == SL_PHASE_DONE) return SL_DONE;
        /* A spool's reader looks after every batch that came. */
        uint32_t spooled = sr->spool ? sl_spool_count(sr->spool) : 0;
        TRY(advance(sr, err));
        if (sr->spool && sl_spool_count(sr->spool) > spooled) return SL_OK;
    }
}

sl_status sl_stage_outcome(sl_stage_run *sr, sl_outcome **out, sl_error *err) {
    TRY(sl_stage_start(sr, err));
    if (stopping(sr)) return sl_fail(err, SL_E_STOPPED, "stopped on request");
    TRY(fill_pool(sr, err));
    sl_status s = sr->enough ? SL_DONE : take_outcome(sr, out, err);
    if (s == SL_OK && (*out)->enough) sr->enough = true;
    if (s == SL_DONE) {
        TRY(end_of_jobs(sr, err));
        end_stage(sr);
    }
    return s;
}

void sl_stage_stop(sl_stage_run *sr) {
    drop_jobs(sr);
    sl_feed_close(sr);
    for (uint32_t b = 0; sr->counts && b < sr->stage->nbranches; b++) free(sr->counts[b]);
    free(sr->counts);
    free(sr->feeds);
    free(sr->quarantined);
    free(sr->bytes);
    free(sr->jobs);
    free(sr->idle);
    free(sr->walkers);
    sl_arena_free(&sr->names.arena);
}
