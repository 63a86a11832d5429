/* intake.c: the units of a stage, branch after branch.
 *
 * A source is asked here, in the coordinator; another stage is asked through the functions of its supply, and may well have to work for it:
 * that is how a pull goes up to the sources. Whatever goes wrong is kept, with its place among the units: it is for the stage to bring up when
 * those before it are done. */
#include "engine/stage/intake.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "net/url.h"

sl_status sl_intake_open(sl_intake_run *in, const sl_stage *stage, const sl_lent *lent, sl_error *err) {
    in->stage = stage;
    in->lent = lent;
    in->inlets = calloc(stage->nbranches + 1, sizeof *in->inlets);
    return in->inlets ? SL_OK : sl_oom(err);
}

/* ---- sources --------------------------------------------------------------------------------------------------------- */

/* How many sources of a collection are open at once: the one being read and those after it, so that slow hosts overlap. */
static uint32_t open_ahead(const sl_intake_run *in) {
    unsigned n = in->lent->env->connections;
    return n ? n : 1;
}

/* Where the trace says a source is: its URL without a password. */
static const char *place_of(const sl_node *node, sl_arena *arena) {
    sl_value url = sl_map_get_z(node->conf, "url");
    sl_text shown = sl_is_text(url) ? sl_url_shown(sl_bytes(url), arena) : (sl_text){0};
    return shown.s ? shown.s : node->pipe->name;
}

static void tell_opened(const sl_intake_run *in, uint32_t b, sl_status s) {
    const sl_node *node = in->stage->branches[b].intake.source;
    char size[SL_SIZE_TEXT];
    sl_arena arena = {0};
    if (s != SL_OK)
        SL_TRACE(in->lent->log, split, "cannot be opened: %s", place_of(node, &arena));
    else if (in->inlets[b].total)
        SL_TRACE(in->lent->log, split, "opened, %s: %s", sl_size_text(in->inlets[b].total, size),
                 place_of(node, &arena));
    else
        SL_TRACE(in->lent->log, split, "opened, size unknown: %s", place_of(node, &arena));
    sl_arena_free(&arena);
}

static void tell_unit(const sl_intake_run *in, const sl_unit *u) {
    char size[SL_SIZE_TEXT];
    SL_TRACE(in->lent->log, split, "unit %llu, %s from line %llu on: %s", (unsigned long long)u->index,
             sl_size_text(u->length ? u->length : u->bytes, size), (unsigned long long)u->line,
             u->source ? u->source : "");
}

static sl_status open_source(sl_intake_run *in, uint32_t b, sl_error *err) {
    sl_inlet *inlet = &in->inlets[b];
    const sl_node *node = in->stage->branches[b].intake.source;
    if (inlet->opened || !node) return SL_OK;
    const sl_source_calls *source = node->pipe->source;
    inlet->opened = true;
    inlet->env = *node->info.env;
    if (in->lent->nested) inlet->env.keep = &in->keep;
    sl_status s = source->open(node->compiled, &inlet->env, &inlet->split, err);
    if (s == SL_OK && source->total) inlet->total = source->total(inlet->split);
    if (sl_log_wants(in->lent->log, SL_LOG_TRACE)) tell_opened(in, b, s);
    if (s > SL_DONE) sl_source_failed(node, err);
    return s;
}

/* Where a run goes on without sources that fail, S and WHY are noted, and the source is at its end; unless something of it is
 * under way already: the first of its pages, of its files. */
static sl_status pass_over(sl_intake_run *in, uint32_t b, sl_status s, const sl_error *why, sl_error *err) {
    if (!in->inlets[b].begun && sl_failure_is_passed_over(in->lent->env, s)) {
        sl_failures_add(in->lent->failures, why);
        return SL_DONE;
    }
    if (s > SL_DONE && err && err->code == SL_OK) *err = *why;
    return s;
}

static sl_status try_source(sl_intake_run *in, uint32_t b, sl_error *err) {
    sl_error why = {0};
    sl_status s = pass_over(in, b, open_source(in, b, &why), &why, err);
    return s == SL_DONE ? SL_OK : s;
}

static sl_status open_sources(sl_intake_run *in, sl_error *err) {
    uint32_t last = in->branch + open_ahead(in);
    for (uint32_t b = in->branch; b < in->stage->nbranches && b < last; b++) TRY(try_source(in, b, err));
    return SL_OK;
}

static void close_source(sl_intake_run *in, uint32_t b) {
    const sl_node *node = in->stage->branches[b].intake.source;
    sl_inlet *inlet = &in->inlets[b];
    assert(!inlet->split || (node && inlet->opened));
    if (inlet->split) {
        const sl_source_calls *source = node->pipe->source;
        inlet->unchanged = source->unchanged && source->unchanged(inlet->split);
        source->close(inlet->split);
    }
    inlet->split = NULL;
}

void sl_intake_close(sl_intake_run *in) {
    for (uint32_t b = 0; in->inlets && b < in->stage->nbranches; b++) close_source(in, b);
}

void sl_intake_free(sl_intake_run *in) {
    sl_intake_close(in);
    free(in->inlets);
    in->inlets = NULL;
    sl_arena_free(&in->keep);
}

/* ---- units ----------------------------------------------------------------------------------------------------------- */

static sl_status next_of_source(sl_intake_run *in, const sl_node *node, sl_task *t, sl_error *err) {
    TRY(open_sources(in, err));
    sl_inlet *inlet = &in->inlets[in->branch];
    if (!inlet->split) return SL_DONE; /* it could not be opened, and is left out */
    sl_error why = {0};
    sl_status s = node->pipe->source->split(inlet->split, &t->unit, &why);
    if (node->pipe->source->total) inlet->total = node->pipe->source->total(inlet->split);
    if (s > SL_DONE) sl_source_failed(node, &why);
    inlet->begun = inlet->begun || s == SL_OK;
    if (s == SL_OK && sl_log_wants(in->lent->log, SL_LOG_TRACE)) tell_unit(in, &t->unit);
    return pass_over(in, in->branch, s, &why, err);
}

static sl_status next_one(sl_inlet *inlet, sl_task *t, sl_error *err) {
    if (inlet->next) return SL_DONE;
    inlet->next = 1;
    t->batch = sl_batch_new(NULL, 1);
    return t->batch ? SL_OK : sl_oom(err);
}

/* A nested subpipe's one unit. */
static sl_status next_caller(const sl_lent *lent, sl_task *t) {
    t->batch = *lent->item;
    *lent->item = NULL;
    return t->batch ? SL_OK : SL_DONE;
}

static sl_status next_of_branch(sl_intake_run *in, sl_task *t, sl_error *err) {
    const sl_intake *from = &in->stage->branches[in->branch].intake;
    const sl_supply *result = &in->lent->results[from->stage];
    sl_inlet *inlet = &in->inlets[in->branch];
    t->branch = in->branch;
    switch (from->kind) {
    case SL_INTAKE_SOURCE: return next_of_source(in, from->source, t, err);
    case SL_INTAKE_STAGE: return result->pull(result->from, &t->batch, err);
    case SL_INTAKE_SPOOL: return result->copy(result->from, inlet->next++, &t->batch, err);
    case SL_INTAKE_ONE: return next_one(inlet, t, err);
    case SL_INTAKE_CALLER: return next_caller(in->lent, t);
    }
    return SL_E_INTERNAL;
}

static sl_status next_task(sl_intake_run *in, sl_task *t, sl_error *err) {
    sl_status s = SL_DONE;
    while (s == SL_DONE && in->branch < in->stage->nbranches) {
        s = next_of_branch(in, t, err);
        if (s != SL_DONE) break;
        close_source(in, in->branch);
        in->branch++;
    }
    return s;
}

sl_task *sl_intake_next(sl_intake_run *in) {
    assert(!in->over && in->branch <= in->stage->nbranches);
    sl_task *t = calloc(1, sizeof *t);
    sl_status s = t ? next_task(in, t, &in->error) : sl_oom(&in->error);
    assert(s != SL_OK || in->stage->branches[t->branch].intake.kind == SL_INTAKE_SOURCE || t->batch);
    if (s == SL_OK) return t;
    sl_task_free(&t);
    in->over = true;
    in->status = s == SL_DONE ? SL_OK : s;
    return NULL;
}
