/* jobs.c: the units of a stage that are with its pool.
 *
 * Jobs are made once, as many as the pool takes, and used again; those that are idle stand on a stack. All others are with the pool, and what
 * they hold when it stops is freed here. */
#include "engine/stage/jobs.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"

/* ---- the pool's calls ------------------------------------------------------------------------------------------------ */

static sl_status worker_start(void *ctx, unsigned worker, void **state, sl_error *err) {
    sl_stage_jobs *j = ctx;
    sl_walker *w = NULL;
    sl_status s = sl_walker_new(&j->walk, &w, err);
    if (s != SL_OK) {
        sl_walker_free(&w);
        return s;
    }
    j->walkers[worker] = w;
    *state = w;
    return SL_OK;
}

static void worker_stop(void *ctx, void *state) {
    sl_walker *w = state;
    (void)ctx;
    sl_walker_free(&w);
}

static sl_status worker_finish(void *ctx, void *state, sl_error *err) {
    (void)ctx;
    return sl_walker_finish(state, err);
}

static void tell_done(const sl_stage_jobs *j, const sl_job *job, sl_status s, uint64_t began) {
    const sl_outcome *o = job->out;
    double ms = (double)(sl_clock_ns() - began) / 1e6;
    if (s > SL_DONE || !o)
        SL_TRACE(j->log, unit, "stage %u unit %llu failed after %.1f ms", j->walk.id + 1,
                 (unsigned long long)job->seq, ms);
    else
        SL_TRACE(j->log, unit, "stage %u unit %llu: %llu items, %llu left, %.1f ms", j->walk.id + 1,
                 (unsigned long long)job->seq, (unsigned long long)o->counts[0].out,
                 (unsigned long long)o->counts[o->ncounts - 1].out, ms);
}

static sl_status walk(sl_stage_jobs *j, void *state, sl_job *job) {
    sl_outcome *outcome = NULL;
    uint64_t began = sl_log_wants(j->log, SL_LOG_TRACE) ? sl_clock_ns() : 0;
    sl_status s = sl_walk(state, job->seq, job->in, &outcome, &job->error);
    job->out = outcome;
    if (s > SL_DONE && outcome) sl_outcome_strip(outcome);
    if (began) tell_done(j, job, s, began);
    return s;
}

static sl_status worker_work(void *ctx, void *state, unsigned worker, sl_job *job) {
    sl_stage_jobs *j = ctx;
    const sl_task *task = job->in;
    bool entered = sl_log_enter(j->log, worker);
    sl_status s = task->seal ? sl_walker_seal(j->walkers[task->seal - 1], &job->error) : walk(j, state, job);
    if (entered) sl_log_leave(j->log);
    return s;
}

static sl_status job_send(void *ctx, const sl_job *job, sl_buf *frame) {
    (void)ctx;
    return sl_task_save(job->in, frame, NULL);
}

static sl_status job_receive(void *ctx, sl_job *job, const char *frame, size_t n) {
    sl_stage_jobs *j = ctx;
    sl_task *task = NULL;
    sl_status s = sl_task_load(frame, n, &j->names, &task, &job->error);
    job->in = task;
    return s;
}

/* What the worker's log has kept, also of jobs that left nothing, goes along. */
static sl_status job_reply(void *ctx, sl_job *job, sl_buf *frame) {
    sl_stage_jobs *j = ctx;
    sl_outcome *outcome = job->out;
    if (outcome && j->log) sl_log_take(j->log, &outcome->said);
    return outcome ? sl_outcome_save(outcome, frame, &job->error) : SL_OK;
}

static sl_status job_accept(void *ctx, sl_job *job, char *frame_take, size_t n) {
    sl_stage_jobs *j = ctx;
    sl_outcome *outcome = NULL;
    if (n == 0) {
        free(frame_take);
        return SL_OK;
    }
    sl_status s = sl_outcome_load(&j->walk, frame_take, n, &outcome, &job->error);
    job->out = outcome;
    if (s == SL_OK && j->log && !sl_log_bring(j->log, outcome->said.data, outcome->said.len))
        s = sl_fail(&job->error, SL_E_INTERNAL, "what a worker process has said is damaged");
    return s;
}

static void job_clean(void *ctx, sl_job *job) {
    sl_task *task = job->in;
    sl_outcome *outcome = job->out;
    (void)ctx;
    sl_task_free(&task);
    sl_outcome_free(&outcome);
    job->in = job->out = NULL;
}

/* ---- starting -------------------------------------------------------------------------------------------------------- */

/* Fetching waits for the network. */
static bool may_wait(const sl_step *step) {
    return step->kind == SL_STEP_FETCH;
}

static bool has_last_word(const sl_step *step) {
    return step->node->pipe->finish != NULL;
}

static sl_walk_plan plan_walk(const sl_stage *stage, const sl_lent *lent) {
    bool output = stage == lent->stages->output;
    return (sl_walk_plan){.branches = stage->branches,
                          .nbranches = stage->nbranches,
                          .id = stage->id,
                          .fold = stage->end.kind == SL_END_FOLD ? stage->end.node : NULL,
                          .bound = lent->bound,
                          .targets = output ? lent->targets : NULL,
                          .ntargets = output ? lent->ntargets : 0,
                          .env = lent->env,
                          .nest = lent->nest};
}

static sl_status start_pool(sl_stage_jobs *j, const sl_stage *stage, const sl_lent *lent, sl_error *err) {
    sl_pool_options options = lent->pool;
    sl_pool_calls calls = {.ctx = j,
                           .start = worker_start,
                           .stop = worker_stop,
                           .finish = sl_stage_find(stage, has_last_word) ? worker_finish : NULL,
                           .work = worker_work,
                           .send = job_send,
                           .receive = job_receive,
                           .reply = job_reply,
                           .accept = job_accept,
                           .clean = job_clean};
    options.join_in = !sl_stage_find(stage, may_wait);
    options.ordered = stage != lent->stages->output || lent->env->ordered;
    return sl_pool_start(&j->pool, &options, &calls, err);
}

sl_status sl_jobs_start(sl_stage_jobs *j, const sl_stage *stage, const sl_lent *lent, sl_error *err) {
    j->walk = plan_walk(stage, lent);
    j->log = lent->log;
    j->workers = lent->pool.workers;
    j->walkers = calloc(j->workers + 1, sizeof *j->walkers);
    if (!j->walkers) return sl_oom(err);
    TRY(start_pool(j, stage, lent, err));
    unsigned capacity = sl_pool_capacity(j->pool);
    j->jobs = calloc(capacity, sizeof *j->jobs);
    j->idle = calloc(capacity, sizeof(sl_job *));
    if (!j->jobs || !j->idle) return sl_oom(err);
    j->capacity = capacity;
    while (j->nidle < capacity) {
        j->idle[j->nidle] = &j->jobs[j->nidle];
        j->nidle++;
    }
    return SL_OK;
}

/* ---- running --------------------------------------------------------------------------------------------------------- */

sl_status sl_jobs_submit(sl_stage_jobs *j, sl_task *take, sl_error *err) {
    assert(j->nidle > 0 && j->nidle <= j->capacity);
    assert(take->seal || take->branch < j->walk.nbranches);
    sl_job *job = j->idle[--j->nidle];
    *job = (sl_job){.in = take};
    assert(sl_pool_pending(j->pool) < j->capacity);
    if (!take->seal)
        SL_TRACE(j->log, unit, "stage %u unit %llu sent", j->walk.id + 1, (unsigned long long)j->sent++);
    return sl_pool_submit(j->pool, job, err);
}

sl_status sl_jobs_take(sl_stage_jobs *j, sl_outcome **out, sl_error *err) {
    sl_job *job = NULL;
    *out = NULL;
    TRY(sl_pool_take(j->pool, &job, err));
    assert(job >= j->jobs && job < j->jobs + j->capacity && j->nidle < j->capacity);
    sl_task *task = job->in;
    *out = job->out;
    sl_status s = job->status;
    if (s != SL_OK && err && !err->code) *err = job->error;
    sl_task_free(&task);
    j->idle[j->nidle++] = job;
    return s;
}

sl_status sl_jobs_seal(sl_stage_jobs *j, sl_error *err) {
    assert(j->walk.fold && j->walk.env->shared);
    sl_outcome *none;
    for (unsigned w = 0; w < j->workers; w++) {
        if (!j->walkers[w]) continue;
        sl_task *task = calloc(1, sizeof *task);
        if (!task) return sl_oom(err);
        task->seal = w + 1;
        while (!sl_jobs_have_room(j)) TRY(sl_jobs_take(j, &none, err));
        TRY(sl_jobs_submit(j, task, err));
    }
    sl_status s;
    while ((s = sl_jobs_take(j, &none, err)) == SL_OK) assert(!none);
    return s == SL_DONE ? SL_OK : s;
}

void *sl_jobs_partial(sl_stage_jobs *j, unsigned w) {
    assert(w < j->workers && j->nidle == j->capacity);
    return j->walkers[w] ? sl_walker_partial(j->walkers[w]) : NULL;
}

sl_status sl_jobs_finish(sl_stage_jobs *j, sl_error *err) {
    assert(sl_pool_pending(j->pool) == 0);
    return sl_pool_finish(j->pool, err);
}

/* ---- stopping -------------------------------------------------------------------------------------------------------- */

static bool is_idle(const sl_stage_jobs *j, const sl_job *job) {
    bool idle = false;
    for (unsigned i = 0; i < j->nidle && !idle; i++) idle = j->idle[i] == job;
    return idle;
}

void sl_jobs_stop(sl_stage_jobs *j) {
    if (j->pool) j->stats = sl_pool_statistics(j->pool);
    sl_pool_stop(&j->pool);
    for (unsigned i = 0; i < j->capacity; i++) {
        if (is_idle(j, &j->jobs[i])) continue;
        job_clean(NULL, &j->jobs[i]);
        j->idle[j->nidle++] = &j->jobs[i];
    }
    assert(j->nidle == j->capacity);
}

void sl_jobs_free(sl_stage_jobs *j) {
    sl_jobs_stop(j);
    free(j->jobs);
    free(j->idle);
    free(j->walkers);
    sl_arena_free(&j->names.arena);
}
