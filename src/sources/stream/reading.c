/* reading.c: a source as a processor: read from its start to its end by one worker. */
#include <stdlib.h>

#include "base/error.h"
#include "sources/stream/stream.h"

typedef struct sink_out { /* a sl_out that ends in a sl_batch_sink */
    sl_out out;
    sl_batch_sink sink;
    void *to;
} sink_out;

static sl_status emit_to_sink(sl_out *out, sl_batch *take, sl_error *err) {
    const sink_out *o = (const sink_out *)out; /* out is its first member */
    return o->sink(o->to, take, err);
}

struct sl_reading {
    const sl_pipe *pipe;
    const void *conf;
    sl_env env;
    void *split, *state;
};

sl_status sl_reading_open(const sl_pipe *pipe, const void *conf, const sl_env *env, sl_reading **out,
                          sl_error *err) {
    sl_reading *r = calloc(1, sizeof *r);
    if (!r) return sl_oom(err);
    r->pipe = pipe;
    r->conf = conf;
    r->env = *env;
    r->env.for_item = true; /* workers may not touch the arena of a conf */
    sl_status status = pipe->start ? pipe->start(conf, &r->state, err) : SL_OK;
    if (!status) status = pipe->source->open(conf, &r->env, &r->split, err);
    if (status) {
        sl_reading_close(&r);
    } else {
        *out = r;
    }
    return status;
}

void sl_reading_close(sl_reading **rp) {
    sl_reading *r = *rp;
    if (!r) return;
    r->pipe->source->close(r->split);
    if (r->pipe->stop) r->pipe->stop(r->state);
    free(r);
    *rp = NULL;
}

/* What it is read from; NULL: nothing that one waits for. */
static sl_inflow *inflow_of(const sl_reading *r) {
    return r->pipe->source->waits ? r->pipe->source->waits(r->split) : NULL;
}

void sl_reading_advance(sl_reading *r) {
    if (r->pipe->source->advance) r->pipe->source->advance(r->split);
}

bool sl_reading_settled(const sl_reading *r) {
    const sl_inflow *in = inflow_of(r);
    return !in || sl_inflow_settled(in);
}

bool sl_reading_move(sl_reading *r, int ms) {
    sl_inflow *in = inflow_of(r);
    return !in || sl_inflow_move(in, ms);
}

sl_status sl_source_drain(const sl_source_calls *source, const void *conf, void *split, void *state,
                          sl_out *out, uint64_t *quarantined, sl_error *err) {
    for (;;) {
        sl_unit unit = {0};
        sl_status status = source->split(split, &unit, err);
        if (status) return status == SL_DONE ? SL_OK : status;
        status = source->read(conf, state, &unit, out, quarantined, err);
        sl_input_unref(&unit.input);
        if (status) return status;
    }
}

sl_status sl_reading_run(sl_reading *r, sl_batch_sink sink, void *to, sl_error *err) {
    sink_out out = {{emit_to_sink}, sink, to};
    uint64_t quarantined = 0;
    return sl_source_drain(r->pipe->source, r->conf, r->split, r->state, &out.out, &quarantined, err);
}

sl_env sl_env_apart(const sl_env *env) {
    sl_env own = *env;
    own.http = NULL;
    own.cache = NULL;
    own.shared = true;
    return own;
}

sl_status sl_source_items(const sl_pipe *pipe, const void *conf, const sl_env *env, sl_batch_sink sink,
                          void *to, sl_error *err) {
    sl_env own = sl_env_apart(env);
    sl_reading *r = NULL;
    sl_status status = sl_reading_open(pipe, conf, &own, &r, err);
    if (!status) status = sl_reading_run(r, sink, to, err);
    sl_reading_close(&r);
    return status;
}
