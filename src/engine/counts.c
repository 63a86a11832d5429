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
#include "base/clock.h"
#include "engine/run_internal.h"

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
    return s->node && s->node->pipe->flags & (SL_PIPE_VALUE | SL_PIPE_MAKES);
}

/* What branch B gave to the end, as counted. */
static uint64_t given(const sl_stage_run *sr, uint32_t b) {
    return sr->counts ? sr->counts[b][sl_counts_steps(&sr->stage->branches[b])].out : 0;
}

/* ---- where the cuts are ------------------------------------------------------------------------------------------------ */

static bool looks_at_all(const sl_stage_run *sr) {
    bool serial = sr->stage->end == SL_END_SERIAL;
    return sr->stage->end == SL_END_FOLD || (serial && !sr->handed_on && sr->phase >= SL_PHASE_FINISHING);
}

/* How many of the items that came to its end count. */
static uint64_t reach_of(const sl_stage_run *sr) {
    const sl_serial *serial = sr->stage->end == SL_END_SERIAL ? sr->stage->node->pipe->serial : NULL;
    if (sr->share.asked != ALL && !looks_at_all(sr)) return sr->share.asked;
    if (!serial || !sr->enough) return ALL;
    return serial->taken && sr->serial ? serial->taken(sr->serial) : sr->end_in;
}

/* The branch whose items make the REACH full. */
static void cut_at(sl_stage_run *sr, uint64_t reach) {
    sl_share *share = &sr->share;
    share->cut = reach != ALL;
    share->branch = 0;
    share->items = reach;
    while (share->cut && share->branch + 1 < sr->stage->nbranches && given(sr, share->branch) < share->items)
        share->items -= given(sr, share->branch++);
}

/* Whether FROM had not been asked for as much. */
static bool ask(sl_stage_run *from, uint64_t items) {
    bool more = !from->share.wanted || items > from->share.asked;
    if (more) from->share.asked = items;
    from->share.wanted = true;
    return more;
}

static bool ask_tables(const sl_stage_run *sr, const sl_branch *branch) {
    bool more = false;
    for (uint32_t i = 0; i < branch->nsteps; i++)
        if (branch->steps[i].lookup) more |= ask(sl_run_of(sr, branch->steps[i].lookup), ALL);
    return more;
}

/* One that gives an element to each item was asked for no more than there are items. */
static bool ask_terminal(const sl_stage_run *sr, sl_stage_run *from) {
    bool each = sr->stage->end == SL_END_ZIP && sr->share.asked != ALL;
    bool over = from->phase == SL_PHASE_DONE && !each;
    return ask(from, over ? ALL : each ? least(from->end_out, sr->share.asked) : from->end_out);
}

static bool ask_feeds(const sl_stage_run *sr) {
    const sl_stage *stage = sr->stage;
    bool more = false;
    for (uint32_t b = 0; b < stage->nbranches; b++) {
        const sl_feed *feed = &stage->branches[b].feed;
        bool whole = !sr->share.cut || b < sr->share.branch;
        more |= ask_tables(sr, &stage->branches[b]);
        if (feed->stage && (whole || b == sr->share.branch))
            more |= ask(sl_run_of(sr, feed->stage), whole ? ALL : sr->share.items);
    }
    for (uint32_t t = 0; t < stage->nterminals; t++)
        more |= ask_terminal(sr, sl_run_of(sr, stage->terminals[t]));
    return more;
}

/* Most stages come after those they read from, so that one round, backwards, is nearly always enough; but what several ask for is the most
 * that any of them does, and terminals come later. */
void sl_counts_settle(const sl_run *r) {
    for (uint32_t i = 0; i < r->o.stages->n; i++) r->stages[i].share = (sl_share){0};
    ask(&r->stages[r->o.stages->output->id], ALL);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = r->o.stages->n; i-- > 0;) {
            sl_stage_run *sr = &r->stages[i];
            if (!sr->share.wanted) continue;
            cut_at(sr, reach_of(sr));
            more |= ask_feeds(sr);
        }
    }
}

/* ---- what counts ------------------------------------------------------------------------------------------------------- */

sl_count sl_counts_at(const sl_stage_run *sr, uint32_t b, uint32_t i) {
    const sl_share *share = &sr->share;
    if (!sr->counts || !share->wanted || (share->cut && b > share->branch)) return (sl_count){0};
    sl_count c = sr->counts[b][i];
    if (share->cut && b == share->branch) c.in = c.out = share->items;
    return c;
}

sl_count sl_counts_end(const sl_stage_run *sr) {
    sl_count c = {0};
    for (uint32_t b = 0; b < sr->stage->nbranches; b++)
        c.in += sl_counts_at(sr, b, sl_counts_steps(&sr->stage->branches[b])).out;
    if (sr->share.wanted) c.out = least(sr->end_out, sr->share.asked);
    return c;
}

uint64_t sl_counts_dropped(const sl_stage_run *sr) {
    sl_end end = sr->stage->end;
    sl_count c = sl_counts_end(sr);
    bool drops = (end == SL_END_SERIAL || end == SL_END_FOLD) && !sl_counts_makes(sr->stage);
    return drops && c.in > c.out ? c.in - c.out : 0;
}

/* ---- the run as a whole ------------------------------------------------------------------------------------------------- */

static void add_source(const sl_stage_run *sr, uint32_t b, sl_progress *p) {
    uint64_t read = sl_counts_at(sr, b, 0).out;
    p->items_in += read + sr->quarantined[b];
    p->ahead += sr->counts[b][0].out - read;
    p->bytes_in += sr->bytes[b];
    p->bytes_total += sr->feeds[b].total;
}

static void add_branch(const sl_stage_run *sr, uint32_t b, sl_progress *p) {
    const sl_branch *branch = &sr->stage->branches[b];
    uint32_t steps = sl_counts_steps(branch);
    if (branch->feed.kind == SL_FEED_SOURCE) add_source(sr, b, p);
    p->quarantined += sr->quarantined[b];
    for (uint32_t i = 0; i <= steps; i++) {
        sl_count c = sl_counts_at(sr, b, i);
        p->recovered += c.recovered;
        if (i && c.in > c.out) p->filtered += c.in - c.out;
    }
}

static bool is_sized(const sl_stage_run *sr, uint32_t b) {
    return sr->stage->branches[b].feed.kind != SL_FEED_SOURCE || sr->feeds[b].total > 0;
}

/* Items that the run's last stage has given away. */
static uint64_t delivered(const sl_run *r) {
    const sl_stage_run *sr = &r->stages[r->o.stages->output->id];
    uint64_t n = 0;
    for (uint32_t b = 0; b < sr->stage->nbranches; b++) n += given(sr, b);
    return r->o.ntargets ? n : sr->end_out;
}

unsigned sl_run_missing_workers(const sl_run *r, int *why) {
    unsigned most = 0;
    for (uint32_t i = 0; i < r->o.stages->n; i++) {
        const sl_pool_stats *stats = &r->stages[i].pool_stats;
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
        for (uint32_t b = 0; sr->counts && b < sr->stage->nbranches; b++) {
            add_branch(sr, b, &p);
            known = known && is_sized(sr, b);
        }
        p.filtered += sl_counts_dropped(sr);
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
