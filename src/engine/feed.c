/* feed.c: the units of a stage, branch after branch. */
#include <stdlib.h>

#include "base/error.h"
#include "engine/run_internal.h"

/* How many sources of a collection are open at once: the one being read and those after it, so that slow hosts overlap. */
static uint32_t open_ahead(const sl_stage_run *sr) {
    unsigned n = sr->run->env->connections;
    return n ? n : 1;
}

static sl_status open_source(sl_stage_run *sr, uint32_t b, sl_error *err) {
    sl_feed_run *f = &sr->feeds[b];
    const sl_feed *feed = &sr->stage->branches[b].feed;
    if (f->opened || feed->kind != SL_FEED_SOURCE) return SL_OK;
    const sl_source_calls *source = feed->source->pipe->source;
    f->opened = true;
    f->env = *feed->source->info.env;
    if (sr->run->o.plan->parent) f->env.keep = &sr->arena;
    sl_status s = source->open(feed->source->compiled, &f->env, &f->split, err);
    if (s == SL_OK && source->total) f->total = source->total(f->split);
    if (s > SL_DONE) sl_source_failed(feed->source, err);
    return s;
}

/* Where a run goes on without sources that fail, S and WHY are noted, and the source is at its end; unless something of it is
 * under way already: the first of its pages, of its files. */
static sl_status pass_over(sl_stage_run *sr, uint32_t b, sl_status s, const sl_error *why, sl_error *err) {
    if (!sr->feeds[b].begun && sl_failure_is_passed_over(sr->run->env, s)) {
        sl_failures_add(&sr->run->failures, why);
        return SL_DONE;
    }
    if (s > SL_DONE && err && err->code == SL_OK) *err = *why;
    return s;
}

static sl_status try_source(sl_stage_run *sr, uint32_t b, sl_error *err) {
    sl_error why = {0};
    sl_status s = pass_over(sr, b, open_source(sr, b, &why), &why, err);
    return s == SL_DONE ? SL_OK : s;
}

static sl_status open_sources(sl_stage_run *sr, sl_error *err) {
    uint32_t last = sr->branch + open_ahead(sr);
    for (uint32_t b = sr->branch; b < sr->stage->nbranches && b < last; b++) TRY(try_source(sr, b, err));
    return SL_OK;
}

static void close_source(sl_stage_run *sr, uint32_t b) {
    const sl_feed *feed = &sr->stage->branches[b].feed;
    sl_feed_run *f = &sr->feeds[b];
    if (feed->kind == SL_FEED_SOURCE && f->split) {
        const sl_source_calls *source = feed->source->pipe->source;
        f->unchanged = source->unchanged && source->unchanged(f->split);
        source->close(f->split);
    }
    f->split = NULL;
}

void sl_feed_close(sl_stage_run *sr) {
    for (uint32_t b = 0; sr->feeds && b < sr->stage->nbranches; b++) close_source(sr, b);
}

static sl_status next_unit(sl_stage_run *sr, const sl_feed *feed, sl_task *t, sl_error *err) {
    TRY(open_sources(sr, err));
    sl_feed_run *f = &sr->feeds[sr->branch];
    if (!f->split) return SL_DONE; /* it could not be opened, and is left out */
    sl_error why = {0};
    sl_status s = feed->source->pipe->source->split(f->split, &t->unit, &why);
    if (feed->source->pipe->source->total) f->total = feed->source->pipe->source->total(f->split);
    if (s > SL_DONE) sl_source_failed(feed->source, &why);
    f->begun = f->begun || s == SL_OK;
    return pass_over(sr, sr->branch, s, &why, err);
}

static sl_status next_of_stage(sl_stage_run *sr, const sl_feed *feed, sl_task *t, sl_error *err) {
    return sl_stage_pull(sl_run_of(sr, feed->stage), &t->batch, err);
}

/* Pulls the spool's stage on until block NEXT exists. */
static sl_status next_of_spool(sl_stage_run *sr, const sl_feed *feed, sl_task *t, sl_error *err) {
    sl_stage_run *from = sl_run_of(sr, feed->stage);
    sl_feed_run *f = &sr->feeds[sr->branch];
    while (!from->spool || f->next == sl_spool_count(from->spool)) {
        sl_batch *none = NULL;
        sl_status s = sl_stage_pull(from, &none, err);
        sl_batch_free(&none);
        if (s == SL_DONE && from->spool && f->next < sl_spool_count(from->spool)) break;
        TRY(s);
    }
    return sl_spool_get(from->spool, f->next++, &t->batch, err);
}

static sl_status next_one(sl_stage_run *sr, sl_task *t, sl_error *err) {
    sl_feed_run *f = &sr->feeds[sr->branch];
    if (f->next) return SL_DONE;
    f->next = 1;
    t->batch = sl_batch_new(NULL, 1);
    return t->batch ? SL_OK : sl_oom(err);
}

/* A nested subpipe's one unit: the item it is run for. */
static sl_status next_caller(sl_stage_run *sr, sl_task *t) {
    t->batch = sr->run->o.input;
    sr->run->o.input = NULL;
    return t->batch ? SL_OK : SL_DONE;
}

static sl_status next_of_branch(sl_stage_run *sr, sl_task *t, sl_error *err) {
    const sl_feed *feed = &sr->stage->branches[sr->branch].feed;
    t->branch = sr->branch;
    switch (feed->kind) {
    case SL_FEED_SOURCE: return next_unit(sr, feed, t, err);
    case SL_FEED_STAGE: return next_of_stage(sr, feed, t, err);
    case SL_FEED_SPOOL: return next_of_spool(sr, feed, t, err);
    case SL_FEED_ONE: return next_one(sr, t, err);
    case SL_FEED_CALLER: return next_caller(sr, t);
    }
    return SL_E_INTERNAL;
}

sl_status sl_feed_next(sl_stage_run *sr, sl_task **out, sl_error *err) {
    sl_task *t = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    sl_status s = SL_DONE;
    while (s == SL_DONE && sr->branch < sr->stage->nbranches) {
        s = next_of_branch(sr, t, err);
        if (s != SL_DONE) break;
        close_source(sr, sr->branch);
        sr->branch++;
    }
    if (s == SL_OK)
        *out = t;
    else
        sl_task_free(&t);
    return s;
}
