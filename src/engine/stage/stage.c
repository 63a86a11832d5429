/* stage.c: a stage over its pool. It keeps as many units under way as the pool takes and hands outcomes to the end in their
 * order, so memory is bounded and the first failure in the input is the one that is reported, whichever worker met its own
 * first. */
#include "engine/stage/stage.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

void sl_stage_init(sl_stage_run *s, const sl_stage *stage, const sl_lent *lent) {
    s->stage = stage;
    s->lent = lent;
    s->end.end = &stage->end;
    s->end.bound = &lent->bound[stage->id];
    s->end.results = lent->results;
}

/* ---- starting -------------------------------------------------------------------------------------------------------- */

static sl_status build_table(const sl_supply *of, sl_error *err) {
    sl_batch *none = NULL;
    sl_status s = of->pull(of->from, &none, err);
    assert(s != SL_OK); /* all of it goes into the table */
    return s == SL_DONE ? SL_OK : s;
}

/* Tables that the steps look into are built before the workers start: forked ones get them with their memory. */
static sl_status build_tables(const sl_stage_run *s, sl_error *err) {
    for (uint32_t b = 0; b < s->stage->nbranches; b++) {
        const sl_branch *branch = &s->stage->branches[b];
        for (uint32_t i = 0; i < branch->nsteps; i++)
            if (branch->steps[i].kind == SL_STEP_PROBE)
                TRY(build_table(&s->lent->results[branch->steps[i].table], err));
    }
    return SL_OK;
}

sl_status sl_stage_start(sl_stage_run *s, sl_error *err) {
    if (s->phase != SL_PHASE_NEW) return SL_OK;
    s->phase = SL_PHASE_RUNNING;
    s->started = sl_clock_ns();
    TRY(sl_intake_open(&s->intake, s->stage, s->lent, err));
    TRY(sl_tally_open(&s->tally, s->stage, err));
    TRY(sl_end_open(&s->end, s->lent->env, err));
    TRY(build_tables(s, err));
    TRY(sl_jobs_start(&s->jobs, s->stage, s->lent, err));
    SL_TRACE(s->lent->log, stage, "%u begins: %s, %u workers", s->stage->id + 1,
             sl_pool_kind_name(s->lent->pool.kind), s->jobs.workers);
    return SL_OK;
}

/* ---- running --------------------------------------------------------------------------------------------------------- */

/* As many units as the pool takes. */
static sl_status fill_pool(sl_stage_run *s, sl_error *err) {
    while (!s->intake.over && !s->enough && sl_jobs_have_room(&s->jobs)) {
        sl_task *task = sl_intake_next(&s->intake);
        if (task) TRY(sl_jobs_submit(&s->jobs, task, err));
    }
    return SL_OK;
}

/* How many items came to the step of PLACE of branch B before this unit, in all branches that lead through it. */
static uint64_t came_before(const sl_stage_run *s, uint32_t b, uint64_t place) {
    const sl_node *node = s->stage->branches[b].steps[place - 1].node;
    uint64_t n = 0;
    for (uint32_t k = 0; k < s->stage->nbranches; k++)
        for (uint32_t i = 0; i < s->stage->branches[k].nsteps; i++)
            if (s->stage->branches[k].steps[i].node == node) n += s->tally.branches[k].places[i + 1].in;
    return n;
}

/* Those of LINES, which belong to items from number BEFORE on, that are within the limit. */
static void show_lines(const sl_stage_run *s, char *lines, size_t n, uint64_t before, uint64_t limit) {
    for (char *at = lines, *end; at < lines + n && (!limit || before < limit); at = end + 1, before++) {
        end = memchr(at, '\n', (size_t)(lines + n - at));
        assert(end);
        if (s->lent->shown) {
            sl_buf_add(s->lent->shown, at, (size_t)(end + 1 - at));
            continue;
        }
        *end = 0;
        sl_log_text(s->lent->env->log, SL_LOG_INFO, "tap", at);
    }
}

/* What the steps show of a unit, now that all before it are known. */
static void show(const sl_stage_run *s, const sl_outcome *o) {
    for (size_t at = 0; at < o->shown.len;) {
        sl_shown head;
        memcpy(&head, o->shown.data + at, sizeof head);
        at += sizeof head;
        uint64_t before = head.limit ? came_before(s, o->branch, head.place) : 0;
        show_lines(s, o->shown.data + at, head.n, before, head.limit);
        at += head.n;
    }
}

/* The outcome of the next unit, as the intake allows; SL_DONE when none is left or wanted. */
static sl_status next_outcome(sl_stage_run *s, sl_outcome **out, sl_error *err) {
    assert(s->phase == SL_PHASE_RUNNING && s->jobs.pool);
    if (sl_lent_stopping(s->lent)) return sl_fail(err, SL_E_STOPPED, "stopped on request");
    TRY(fill_pool(s, err));
    if (s->enough) return SL_DONE;
    sl_status status = sl_jobs_take(&s->jobs, out, err);
    if (*out) show(s, *out);
    if (status > SL_DONE) sl_outcome_free(out);
    if (status == SL_DONE && s->intake.status != SL_OK) {
        if (err && !err->code) *err = s->intake.error;
        return s->intake.status;
    }
    TRY(status);
    assert(*out);
    sl_failures_join(s->lent->failures, &(*out)->failures);
    sl_tally_add(&s->tally, *out);
    return SL_OK;
}

static sl_status hand_to_end(sl_stage_run *s, sl_outcome *o, sl_error *err) {
    sl_status status = SL_OK;
    for (uint32_t i = 0; i < o->nbatches && status == SL_OK; i++) {
        sl_batch *take = o->batches[i];
        o->batches[i] = NULL;
        status = sl_end_batch(&s->end, take, err);
    }
    if (status == SL_OK && o->saved.n) status = sl_end_saved(&s->end, o->saved, err);
    if (status == SL_DONE || o->enough) s->enough = true;
    return status == SL_DONE ? SL_OK : status;
}

/* Worker partials in shared memory: sealed in parallel, then merged. */
static sl_status gather_partials(sl_stage_run *s, sl_error *err) {
    if (s->stage->end.kind != SL_END_FOLD || !s->lent->env->shared) return SL_OK;
    TRY(sl_jobs_seal(&s->jobs, err));
    for (unsigned w = 0; w < s->jobs.workers; w++) {
        void *partial = sl_jobs_partial(&s->jobs, w);
        s->lent->tell(s->lent->run);
        if (partial) TRY(sl_end_partial(&s->end, partial, err));
    }
    return SL_OK;
}

static sl_status end_of_jobs(sl_stage_run *s, sl_error *err) {
    if (!s->enough) TRY(gather_partials(s, err));
    if (!s->enough) TRY(sl_jobs_finish(&s->jobs, err));
    sl_jobs_stop(&s->jobs);
    sl_intake_close(&s->intake);
    s->phase = SL_PHASE_FINISHING;
    return SL_OK;
}

static void end_stage(sl_stage_run *s) {
    assert(s->phase == SL_PHASE_FINISHING && !s->jobs.pool);
    s->phase = SL_PHASE_DONE;
    s->ended = sl_clock_ns();
    SL_TRACE(s->lent->log, stage, "%u ends after %.1f ms", s->stage->id + 1,
             (double)(s->ended - s->started) / 1e6);
}

static sl_status finish(sl_stage_run *s, sl_error *err) {
    if (sl_lent_stopping(s->lent)) return sl_fail(err, SL_E_STOPPED, "stopped on request");
    sl_status status = sl_end_finish(&s->end, err);
    if (status == SL_DONE) end_stage(s);
    return status == SL_DONE ? SL_OK : status;
}

/* One outcome further. */
static sl_status advance(sl_stage_run *s, sl_error *err) {
    s->lent->tell(s->lent->run);
    if (s->phase == SL_PHASE_FINISHING) return finish(s, err);
    sl_outcome *o = NULL;
    sl_status status = next_outcome(s, &o, err);
    if (status == SL_DONE) return end_of_jobs(s, err);
    TRY(status);
    status = hand_to_end(s, o, err);
    sl_outcome_free(&o);
    return status;
}

/* ---- the result ------------------------------------------------------------------------------------------------------ */

sl_status sl_stage_pull(sl_stage_run *s, sl_batch **out, sl_error *err) {
    TRY(sl_stage_start(s, err));
    while (!(*out = sl_end_get(&s->end))) {
        if (s->phase == SL_PHASE_DONE) return SL_DONE;
        TRY(advance(s, err));
    }
    return SL_OK;
}

sl_status sl_stage_outcome(sl_stage_run *s, sl_outcome **out, sl_error *err) {
    TRY(sl_stage_start(s, err));
    sl_status status = next_outcome(s, out, err);
    if (status == SL_OK && (*out)->enough) s->enough = true;
    if (status == SL_DONE) {
        TRY(end_of_jobs(s, err));
        end_stage(s);
    }
    return status;
}

static sl_status supply_pull(void *from, sl_batch **out, sl_error *err) {
    return sl_stage_pull(from, out, err);
}

/* Advances until there is a batch I. */
static sl_status supply_copy(void *from, uint32_t i, sl_batch **out, sl_error *err) {
    sl_stage_run *s = from;
    TRY(sl_stage_start(s, err));
    while (i >= sl_spool_count(s->end.spool)) {
        if (s->phase == SL_PHASE_DONE) return SL_DONE;
        TRY(advance(s, err));
    }
    return sl_spool_get(s->end.spool, i, out, err);
}

static void supply_put_back(void *from, sl_batch *take) {
    sl_stage_run *s = from;
    sl_end_put_back(&s->end, take);
}

sl_supply sl_stage_supply(sl_stage_run *s) {
    return (sl_supply){.from = s, .pull = supply_pull, .copy = supply_copy, .put_back = supply_put_back};
}

/* ---- ending ---------------------------------------------------------------------------------------------------------- */

void sl_stage_stop(sl_stage_run *s) {
    sl_jobs_stop(&s->jobs);
    sl_intake_close(&s->intake);
}

void sl_stage_close(sl_stage_run *s) {
    sl_jobs_free(&s->jobs);
    sl_end_close(&s->end);
    sl_intake_free(&s->intake);
    sl_tally_free(&s->tally);
}
