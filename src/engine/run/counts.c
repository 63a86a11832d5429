/* counts.c: what the report counts.
 *
 * Workers count what goes through each place. Those counts tell the truth as they are, as long as a stream is read to its end. Where
 * a step has enough before that (truncate, --limit, filter with stop) they do not: workers have read ahead, and how far depends on
 * how many they are and how large the units. So in front of such a cut only what reached it counts: a step there has as many items in
 * and out as the cut has taken, a source has read as many. The rest is told as one figure, `ahead`.
 *
 * The cut goes back to the sources, through every stage that hands items on as they come. It stops at an end that looks at all its
 * input before it hands on the first item (a sort, a fold, tail): what came before that is counted whole. Of the branches of a stage
 * those in front of the one where the cut fell are whole, those behind it are as if they had never been opened. */
#include <assert.h>

#include "base/clock.h"
#include "engine/run/internal.h"

#define ALL           UINT64_MAX
#define TELL_EVERY_NS 100000000u

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint32_t sl_counts_steps(const sl_branch *branch) {
    uint32_t n = branch->nsteps;
    return n && branch->steps[n - 1].kind == SL_STEP_PURE ? n - 1 : n;
}

bool sl_counts_makes(const sl_stage *s) {
    return s->end.node && s->end.node->pipe->flags & (SL_PIPE_VALUE | SL_PIPE_MAKES);
}

/* What branch B gave to the end, as counted. */
static uint64_t given(const sl_stage_run *sr, uint32_t b) {
    const sl_branch_tally *branches = sr->tally.branches;
    return branches ? branches[b].places[sl_counts_steps(&sr->stage->branches[b])].out : 0;
}

/* ---- where the cuts are ------------------------------------------------------------------------------------------------ */

static bool looks_at_all(const sl_stage_run *sr) {
    bool serial = sr->stage->end.kind == SL_END_SERIAL;
    bool all_came = serial && !sr->end.handed_on && sr->phase >= SL_PHASE_FINISHING;
    return sr->stage->end.kind == SL_END_FOLD || all_came;
}

/* How many of the items that came to its end count, of which ASKED are wanted. */
static uint64_t reach_of(const sl_stage_run *sr, uint64_t asked) {
    bool is_serial = sr->stage->end.kind == SL_END_SERIAL;
    const sl_serial *serial = is_serial ? sr->stage->end.node->pipe->serial : NULL;
    if (asked != ALL && !looks_at_all(sr)) return asked;
    if (!serial || !sr->enough) return ALL;
    return serial->taken && sr->end.serial ? serial->taken(sr->end.serial) : sr->end.in;
}

/* The branch whose items make the REACH full. */
static void cut_at(sl_share *share, const sl_stage_run *sr, uint64_t reach) {
    share->cut = reach != ALL;
    share->branch = 0;
    share->items = reach;
    while (share->cut && share->branch + 1 < sr->stage->nbranches && given(sr, share->branch) < share->items)
        share->items -= given(sr, share->branch++);
}

/* Whether FROM had not been asked for as much. */
static bool ask(sl_share *from, uint64_t items) {
    bool more = !from->wanted || items > from->asked;
    if (more) from->asked = items;
    from->wanted = true;
    return more;
}

static bool ask_tables(const sl_run *r, const sl_branch *branch) {
    bool more = false;
    for (uint32_t i = 0; i < branch->nsteps; i++)
        if (branch->steps[i].kind == SL_STEP_PROBE) more |= ask(&r->shares[branch->steps[i].table], ALL);
    return more;
}

/* One that gives an element to each item was asked for no more than there are items. */
static bool ask_terminal(const sl_run *r, const sl_stage *s, uint32_t terminal) {
    const sl_stage_run *from = &r->stages[terminal];
    uint64_t asked = r->shares[s->id].asked, took = from->end.out;
    bool each = s->end.kind == SL_END_ZIP && asked != ALL;
    bool over = from->phase == SL_PHASE_DONE && !each;
    return ask(&r->shares[terminal], over ? ALL : each ? least(took, asked) : took);
}

static bool ask_intakes(const sl_run *r, const sl_stage *s) {
    const sl_share *share = &r->shares[s->id];
    bool more = false;
    for (uint32_t b = 0; b < s->nbranches; b++) {
        const sl_branch *branch = &s->branches[b];
        bool whole = !share->cut || b < share->branch;
        more |= ask_tables(r, branch);
        if (sl_branch_reads_stage(branch) && (whole || b == share->branch))
            more |= ask(&r->shares[branch->intake.stage], whole ? ALL : share->items);
    }
    for (uint32_t t = 0; t < s->end.nterminals; t++) more |= ask_terminal(r, s, s->end.terminals[t]);
    return more;
}

/* Most stages come after those they read from, so that one round, backwards, is nearly always enough; but what several ask for is the most
 * that any of them does, and terminals come later. */
void sl_counts_settle(const sl_run *r) {
    uint32_t n = r->o.stages->n;
    for (uint32_t i = 0; i < n; i++) r->shares[i] = (sl_share){0};
    ask(&r->shares[r->o.stages->output->id], ALL);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = n; i-- > 0;) {
            const sl_stage_run *sr = &r->stages[i];
            sl_share *share = &r->shares[i];
            if (!share->wanted) continue;
            cut_at(share, sr, reach_of(sr, share->asked));
            more |= ask_intakes(r, sr->stage);
        }
    }
}

/* ---- what counts ------------------------------------------------------------------------------------------------------- */

sl_count sl_counts_at(const sl_run *r, const sl_stage *s, uint32_t b, uint32_t i) {
    const sl_share *share = &r->shares[s->id];
    const sl_branch_tally *branches = r->stages[s->id].tally.branches;
    assert(b < s->nbranches && i <= s->branches[b].nsteps);
    if (!branches || !share->wanted || (share->cut && b > share->branch)) return (sl_count){0};
    sl_count c = branches[b].places[i];
    if (share->cut && b == share->branch) c.in = c.out = share->items;
    return c;
}

sl_count sl_counts_end(const sl_run *r, const sl_stage *s) {
    const sl_share *share = &r->shares[s->id];
    sl_count c = {0};
    for (uint32_t b = 0; b < s->nbranches; b++)
        c.in += sl_counts_at(r, s, b, sl_counts_steps(&s->branches[b])).out;
    if (share->wanted) c.out = least(r->stages[s->id].end.out, share->asked);
    return c;
}

uint64_t sl_counts_dropped(const sl_run *r, const sl_stage *s) {
    sl_count c = sl_counts_end(r, s);
    bool drops = (s->end.kind == SL_END_SERIAL || s->end.kind == SL_END_FOLD) && !sl_counts_makes(s);
    return drops && c.in > c.out ? c.in - c.out : 0;
}

/* ---- the run as a whole ------------------------------------------------------------------------------------------------- */

static void add_source(const sl_run *r, const sl_stage_run *sr, uint32_t b, sl_progress *p) {
    const sl_branch_tally *branch = &sr->tally.branches[b];
    uint64_t read = sl_counts_at(r, sr->stage, b, 0).out;
    p->items_in += read + branch->quarantined;
    p->ahead += branch->places[0].out - read;
    p->bytes_in += branch->bytes;
    p->bytes_total += sr->intake.inlets[b].total;
}

static void add_branch(const sl_run *r, const sl_stage_run *sr, uint32_t b, sl_progress *p) {
    const sl_branch *branch = &sr->stage->branches[b];
    uint32_t steps = sl_counts_steps(branch);
    if (branch->intake.source) add_source(r, sr, b, p);
    p->quarantined += sr->tally.branches[b].quarantined;
    for (uint32_t i = 0; i <= steps; i++) {
        sl_count c = sl_counts_at(r, sr->stage, b, i);
        p->recovered += c.recovered;
        if (i && c.in > c.out) p->filtered += c.in - c.out;
    }
}

static bool is_sized(const sl_stage_run *sr, uint32_t b) {
    return !sr->stage->branches[b].intake.source || sr->intake.inlets[b].total > 0;
}

/* Items that the run's last stage has given away. */
static uint64_t delivered(const sl_run *r) {
    const sl_stage_run *sr = &r->stages[r->o.stages->output->id];
    uint64_t n = 0;
    for (uint32_t b = 0; b < sr->stage->nbranches; b++) n += given(sr, b);
    return r->o.ntargets ? n : sr->end.out;
}

unsigned sl_run_missing_workers(const sl_run *r, int *why) {
    unsigned most = 0;
    for (uint32_t i = 0; i < r->o.stages->n; i++) {
        const sl_pool_stats *stats = &r->stages[i].jobs.stats;
        if (stats->missing <= most) continue;
        most = stats->missing;
        *why = stats->missing_why;
    }
    return most;
}

sl_progress sl_run_progress(const sl_run *r) {
    sl_progress p = {.items_out = delivered(r), .failed = r->failures.n, .committing = r->committing};
    bool known = true;
    sl_counts_settle(r);
    for (uint32_t i = 0; i < r->o.stages->n; i++) {
        const sl_stage_run *sr = &r->stages[i];
        for (uint32_t b = 0; sr->tally.branches && b < sr->stage->nbranches; b++) {
            add_branch(r, sr, b, &p);
            known = known && is_sized(sr, b);
        }
        p.filtered += sl_counts_dropped(r, sr->stage);
    }
    if (!known) p.bytes_total = 0;
    p.nanoseconds = (r->ended ? r->ended : sl_clock_ns()) - r->started;
    return p;
}

void sl_run_tell(sl_run *r, bool now) {
    if (!r->o.progress) return;
    uint64_t ns = sl_clock_ns();
    if (!now && ns - r->reported < TELL_EVERY_NS) return;
    r->reported = ns;
    sl_progress p = sl_run_progress(r);
    r->o.progress(r->o.progress_user, &p);
}
