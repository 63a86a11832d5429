#include "engine/stage/tally.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"

sl_status sl_tally_open(sl_tally *t, const sl_stage *stage, sl_error *err) {
    t->stage = stage;
    t->branches = calloc(stage->nbranches + 1, sizeof *t->branches);
    if (!t->branches) return sl_oom(err);
    for (uint32_t b = 0; b < stage->nbranches; b++) {
        t->branches[b].places = calloc(stage->branches[b].nsteps + 1, sizeof(sl_count));
        if (t->branches[b].places) continue;
        sl_tally_free(t);
        return sl_oom(err);
    }
    return SL_OK;
}

void sl_tally_add(sl_tally *t, const sl_outcome *o) {
    assert(o->branch < t->stage->nbranches);
    assert(o->ncounts == t->stage->branches[o->branch].nsteps + 1);
    sl_branch_tally *branch = &t->branches[o->branch];
    for (uint32_t i = 0; i < o->ncounts; i++) {
        branch->places[i].in += o->counts[i].in;
        branch->places[i].out += o->counts[i].out;
        branch->places[i].recovered += o->counts[i].recovered;
    }
    branch->quarantined += o->quarantined;
    branch->bytes += o->bytes;
}

uint64_t sl_tally_given(const sl_tally *t) {
    uint64_t n = 0;
    for (uint32_t b = 0; t->branches && b < t->stage->nbranches; b++)
        n += t->branches[b].places[t->stage->branches[b].nsteps].out;
    return n;
}

void sl_tally_free(sl_tally *t) {
    for (uint32_t b = 0; t->branches && b < t->stage->nbranches; b++) free(t->branches[b].places);
    free(t->branches);
    t->branches = NULL;
}
