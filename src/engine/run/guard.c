/* guard.c: what stands between an answer that fell out empty and the data of yesterday. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "engine/run/internal.h"
#include "net/url.h"

/* ---- what was read --------------------------------------------------------------------------------------------- */

/* What the run has read from. */
typedef struct inputs {
    unsigned n;           /* sources of branches, and steps that read for items */
    const sl_node *first; /* of the former */
} inputs;

static void add_branch(const sl_branch *b, inputs *in) {
    if (b->intake.source) {
        if (!in->first) in->first = b->intake.source;
        in->n++;
    }
    for (uint32_t i = 0; i < b->nsteps; i++)
        in->n += b->steps[i].node->nested || b->steps[i].node->pipe->source;
}

static inputs find_inputs(const sl_run *r) {
    inputs in = {0};
    for (uint32_t i = 0; i < r->o.stages->n; i++)
        for (uint32_t b = 0; b < r->o.stages->v[i]->nbranches; b++)
            add_branch(&r->o.stages->v[i]->branches[b], &in);
    return in;
}

/* "in.csv", or "3 sources". */
static void name_inputs(const inputs *in, char *out, size_t size) {
    sl_arena arena = {0};
    sl_value url =
        in->first && in->first->conf.type == SL_MAP ? sl_map_get_z(in->first->conf, "url") : sl_missing();
    if (sl_is_text(url) && sl_text_is(sl_bytes(url), "-")) url = sl_text_value(SL_TEXT("stdin"));
    sl_text shown = in->n == 1 && sl_is_text(url) ? sl_url_shown(sl_bytes(url), &arena) : (sl_text){0};
    if (shown.n)
        snprintf(out, size, "'%.*s'", (int)shown.n, shown.s);
    else
        snprintf(out, size, "%u source%s", in->n, in->n == 1 ? "" : "s");
    sl_arena_free(&arena);
}

/* ---- whether anything came ------------------------------------------------------------------------------------- */

/* Whether there were records in what the branch read last: what a source gave that was asked for items counts for more than the items
 * that it was asked for, and tables that items are looked up in do not count. SOME: the same of stages, by id. */
static bool branch_has_some(const sl_stage_run *sr, uint32_t b, const bool *some) {
    const sl_branch *branch = &sr->stage->branches[b];
    const sl_count *counts = sr->tally.branches ? sr->tally.branches[b].places : NULL;
    for (uint32_t i = branch->nsteps; counts && i > 0; i--) {
        const sl_node *node = branch->steps[i - 1].node;
        if (counts[i].in && node->pipe->source && !node->nested) return counts[i].out > 0;
    }
    if (branch->intake.source) return counts && counts[0].out > 0;
    return sl_branch_reads_stage(branch) && some[branch->intake.stage];
}

/* *SOME: any record that led to the output. A stage comes after those it reads from. */
static sl_status find_records(const sl_run *r, bool *some, sl_error *err) {
    const sl_stages *stages = r->o.stages;
    bool *has = calloc(stages->n + 1, sizeof *has);
    if (!has) return sl_oom(err);
    for (uint32_t i = 0; i < stages->n; i++)
        for (uint32_t b = 0; b < stages->v[i]->nbranches; b++)
            has[stages->v[i]->id] |= branch_has_some(&r->stages[stages->v[i]->id], b, has);
    *some = has[stages->output->id];
    free(has);
    return SL_OK;
}

/* ---- whether it will do ---------------------------------------------------------------------------------------- */

static sl_status refuse(const sl_run *r, const inputs *in, const sl_target *t, sl_error *err) {
    char from[256], left_out[64] = "";
    sl_progress p = sl_run_progress(r);
    name_inputs(in, from, sizeof from);
    if (p.quarantined)
        snprintf(left_out, sizeof left_out, " but %llu left out as asked", (unsigned long long)p.quarantined);
    return sl_fail(err, SL_E_DATA,
                   "'%s' holds records, and there is none in %s (%llu bytes)%s: it is left as it is; "
                   "allow_empty (--allow-empty) replaces it all the same",
                   t->text, from, (unsigned long long)p.bytes_in, left_out);
}

/* An input without any record replaces nothing that has some. What a filter leaves nothing of is another matter. */
static sl_status check_empty(const sl_run *r, sl_error *err) {
    inputs in = find_inputs(r);
    bool came = false;
    TRY(find_records(r, &came, err));
    if (r->o.plan->settings.allow_empty || !in.n || came) return SL_OK;
    for (uint32_t i = 0; i < r->o.ntargets; i++) {
        const sl_target *t = &r->o.targets[i];
        bool some = false;
        if (t->sink->takes_away) TRY(t->sink->takes_away(t->conf, &some, err));
        if (some) return refuse(r, &in, t, err);
    }
    return SL_OK;
}

static sl_status check_rows(const sl_run *r, sl_error *err) {
    uint64_t least = r->o.plan->settings.min_rows;
    for (uint32_t i = 0; i < r->o.ntargets; i++)
        if (r->rows[i] < least)
            return sl_fail(
                err, SL_E_DATA,
                "'%s' would get %llu rows, and min_rows (--min-rows) asks for at least %llu: nothing "
                "was committed",
                r->o.targets[i].text, (unsigned long long)r->rows[i], (unsigned long long)least);
    return SL_OK;
}

sl_status sl_run_guard(const sl_run *r, sl_error *err) {
    TRY(check_empty(r, err));
    return check_rows(r, err);
}
