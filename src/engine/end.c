/* end.c: the coordinator's half of a stage's end: serial operators, merged folds, join tables, spools, terminals. */
#include <stdlib.h>

#include "base/error.h"
#include "engine/run_internal.h"
#include "record/builder.h"

/* ---- queue ---------------------------------------------------------------------------------------------------------- */

sl_status sl_queue_put(sl_queue *q, sl_batch *take, sl_error *err) {
    if (take->nsel == 0) {
        sl_batch_free(&take);
        return SL_OK;
    }
    if (q->head == q->n) q->head = q->n = 0;
    if (q->n == q->cap) {
        uint32_t cap = q->cap ? q->cap * 2 : 16;
        sl_batch **v = realloc(q->v, cap * sizeof *v);
        if (!v) {
            sl_batch_free(&take);
            return sl_oom(err);
        }
        q->v = v;
        q->cap = cap;
    }
    q->items += take->nsel;
    q->v[q->n++] = take;
    return SL_OK;
}

sl_batch *sl_queue_get(sl_queue *q) {
    return q->head < q->n ? q->v[q->head++] : NULL;
}

void sl_queue_clear(sl_queue *q) {
    sl_batch *b;
    while ((b = sl_queue_get(q))) sl_batch_free(&b);
    free(q->v);
    q->v = NULL;
    q->n = q->head = q->cap = 0;
}

static sl_status queue_emit(sl_out *out, sl_batch *take, sl_error *err) {
    return sl_queue_put((sl_queue *)(void *)out, take, err);
}

/* ---- terminals ------------------------------------------------------------------------------------------------------ */

/* One element of a terminal's stream; null once it is exhausted. Copied into ARENA. */
static sl_status next_element(sl_stage_run *from, sl_arena *arena, sl_value *out, sl_error *err) {
    *out = sl_null();
    sl_batch *b = NULL;
    sl_status s = sl_stage_pull(from, &b, err);
    if (s == SL_DONE) return SL_OK;
    TRY(s);
    uint32_t row = sl_batch_row(b, 0);
    s = b->bare ? sl_batch_cell(b, 0, row, out, err) : sl_batch_item(b, row, out, err);
    if (s == SL_OK) s = sl_value_copy(out, *out, arena, err);
    if (s == SL_OK) s = sl_batch_window(b, 1, b->nsel - 1, err);
    if (s != SL_OK || b->nsel == 0) {
        sl_batch_free(&b);
        return s;
    }
    from->end_out -= b->nsel; /* the rest goes back to where it was taken from */
    from->ready.v[--from->ready.head] = b;
    return SL_OK;
}

static sl_text hidden_name(sl_text terminal, sl_arena *arena) {
    return sl_arena_printf(arena, "%c%.*s", SL_TERMINAL_MARK, (int)terminal.n, terminal.s);
}

/* Lays the next elements of every terminal beside the items of B, under hidden names. */
static sl_status zip_batch(sl_stage_run *sr, sl_batch *b, sl_error *err) {
    for (uint32_t t = 0; t < sr->stage->nterminals; t++) {
        sl_stage_run *from = sl_run_of(sr, sr->stage->terminals[t]);
        sl_arena *arena = sl_batch_arena(b);
        sl_text name = hidden_name(sr->stage->terminal_names[t], arena);
        sl_value *values;
        if (!name.s) return sl_oom(err);
        TRY(sl_batch_add_column(b, name, &values, err));
        for (uint32_t i = 0; i < b->nsel; i++)
            TRY(next_element(from, arena, &values[sl_batch_row(b, i)], err));
    }
    return SL_OK;
}

/* An operator's conf is resolved once, against the first elements of its terminals and otherwise an empty item. */
static sl_status resolve_conf(sl_stage_run *sr, sl_error *err) {
    const sl_node *node = sr->stage->node;
    sl_batch *b = sl_batch_new(NULL, 1);
    void *conf = sr->bound->conf = sl_arena_calloc(&sr->arena, 1, node->pipe->conf_size + 1);
    if (!b || !conf) {
        sl_batch_free(&b);
        return sl_oom(err);
    }
    sl_status s = zip_batch(sr, b, err);
    if (s == SL_OK) s = sl_node_resolve(node, (sl_item){b, 0}, &sr->arena, conf, err);
    if (s > SL_DONE) sl_node_failed(node, err);
    sl_batch_free(&b);
    return s;
}

/* ---- ends ------------------------------------------------------------------------------------------------------------ */

static sl_status open_operator(sl_stage_run *sr, sl_error *err) {
    const sl_stage *stage = sr->stage;
    const sl_pipe *pipe = stage->node->pipe;
    const sl_env *env = stage->node->info.env;
    sl_bound *bound = sr->bound;
    if (stage->end == SL_END_SERIAL) return pipe->serial->open(bound->conf, env, &sr->serial, err);
    if (stage->end == SL_END_LOOKUP) return pipe->lookup->open(bound->conf, env, &bound->table, err);
    TRY(pipe->fold->open(bound->conf, env, &sr->partial, err));
    return pipe->fold->seal ? pipe->fold->seal(sr->partial, err)
                            : SL_OK; /* merging wants both sides sealed */
}

sl_status sl_end_open(sl_stage_run *sr, sl_error *err) {
    const sl_stage *stage = sr->stage;
    sr->ready.out.emit = queue_emit;
    if (stage->end == SL_END_SPOOL) {
        sr->spool = sl_spool_new(sr->run->env->memory / 2, sr->run->env->tmpdir);
        return sr->spool ? SL_OK : sl_oom(err);
    }
    if (!stage->node || stage->end == SL_END_ZIP || stage->end == SL_END_WRAP) return SL_OK;
    if (stage->node->dynamic) TRY(resolve_conf(sr, err));
    sl_status s = open_operator(sr, err);
    if (s > SL_DONE) sl_node_failed(stage->node, err);
    return s;
}

/* Each item becomes the value of one key of a fresh item. */
static sl_status wrap_batch(sl_stage_run *sr, sl_batch *take, sl_error *err) {
    const sl_node *node = sr->stage->node;
    sl_text key = node->assign.s ? node->assign : sl_text_of(node->pipe->name);
    sl_batch *b = sl_batch_new(NULL, take->nsel);
    sl_value *values = NULL;
    sl_status s = b ? sl_batch_add_column(b, key, &values, err) : sl_oom(err);
    for (uint32_t i = 0; i < take->nsel && s == SL_OK; i++) {
        uint32_t row = sl_batch_row(take, i);
        s = take->bare ? sl_batch_cell(take, 0, row, &values[i], err)
                       : sl_batch_item(take, row, &values[i], err);
        if (s == SL_OK) s = sl_value_copy(&values[i], values[i], sl_batch_arena(b), err);
    }
    sr->wrapped = true;
    sl_batch_free(&take);
    if (s == SL_OK) return sl_queue_put(&sr->ready, b, err);
    sl_batch_free(&b);
    return s;
}

static sl_status spool_batch(sl_stage_run *sr, sl_batch *take, sl_error *err) {
    sl_status s = sl_spool_add(sr->spool, take, err);
    sl_batch_free(&take);
    return s;
}

static sl_status zip_and_put(sl_stage_run *sr, sl_batch *take, sl_error *err) {
    sl_status s = zip_batch(sr, take, err);
    if (s == SL_OK) return sl_queue_put(&sr->ready, take, err);
    sl_batch_free(&take);
    return s;
}

static sl_status pass_batch(sl_stage_run *sr, sl_batch *take, sl_error *err) {
    uint64_t before = sr->ready.items;
    sl_status s = sr->stage->node->pipe->serial->pass(sr->serial, take, &sr->ready.out, err);
    sr->handed_on = sr->handed_on || sr->ready.items > before;
    return s;
}

sl_status sl_end_batch(sl_stage_run *sr, sl_batch *take, sl_error *err) {
    const sl_stage *stage = sr->stage;
    sl_status s = SL_E_INTERNAL;
    sr->end_in += take->nsel;
    if (stage->end == SL_END_SERIAL || stage->end == SL_END_LOOKUP) take->bare = false;
    switch (stage->end) {
    case SL_END_SERIAL: s = pass_batch(sr, take, err); break;
    case SL_END_LOOKUP: s = stage->node->pipe->lookup->add(sr->bound->table, take, err); break;
    case SL_END_ZIP: s = zip_and_put(sr, take, err); break;
    case SL_END_WRAP: s = wrap_batch(sr, take, err); break;
    case SL_END_SPOOL: s = spool_batch(sr, take, err); break;
    case SL_END_OUTPUT: s = sl_queue_put(&sr->ready, take, err); break;
    case SL_END_FOLD: sl_batch_free(&take); break;
    }
    if (s > SL_DONE && stage->node) sl_node_failed(stage->node, err);
    return s;
}

sl_status sl_end_partial(sl_stage_run *sr, void *take, sl_error *err) {
    const sl_fold *fold = sr->stage->node->pipe->fold;
    sl_status s = fold->merge(sr->partial, take, err);
    fold->close(take);
    if (s > SL_DONE) sl_node_failed(sr->stage->node, err);
    return s;
}

sl_status sl_end_saved(sl_stage_run *sr, sl_text saved, sl_error *err) {
    const sl_stage *stage = sr->stage;
    void *partial = NULL;
    sl_status s = stage->node->pipe->fold->load(sr->bound->conf, stage->node->info.env, saved.s, saved.n,
                                                &partial, err);
    if (s == SL_OK) return sl_end_partial(sr, partial, err);
    stage->node->pipe->fold->close(partial);
    return s;
}

static sl_status finish_wrap(sl_stage_run *sr, sl_error *err) {
    if (sr->wrapped) return SL_DONE;
    sr->wrapped = true;
    sl_batch *empty = sl_batch_new(NULL, 1);
    return empty ? sl_queue_put(&sr->ready, empty, err) : sl_oom(err);
}

sl_status sl_end_finish(sl_stage_run *sr, sl_error *err) {
    const sl_stage *stage = sr->stage;
    const sl_pipe *pipe = stage->node ? stage->node->pipe : NULL;
    sl_status s = SL_DONE;
    if (stage->end == SL_END_SERIAL && pipe->serial->finish)
        s = pipe->serial->finish(sr->serial, &sr->ready.out, err);
    else if (stage->end == SL_END_FOLD)
        s = pipe->fold->finish(sr->partial, &sr->ready.out, err);
    else if (stage->end == SL_END_LOOKUP)
        s = pipe->lookup->seal(sr->bound->table, err);
    else if (stage->end == SL_END_WRAP)
        s = finish_wrap(sr, err);
    if (s > SL_DONE && pipe) sl_node_failed(stage->node, err);
    return stage->end == SL_END_LOOKUP && s == SL_OK ? SL_DONE : s;
}

void sl_end_close(sl_stage_run *sr) {
    const sl_stage *stage = sr->stage;
    const sl_pipe *pipe = stage->node ? stage->node->pipe : NULL;
    if (sr->serial) pipe->serial->close(sr->serial);
    if (sr->partial) pipe->fold->close(sr->partial);
    if (sr->bound->table) pipe->lookup->close(sr->bound->table);
    sr->serial = sr->partial = sr->bound->table = NULL;
    if (pipe && stage->node->dynamic && sr->bound->conf && pipe->destroy) pipe->destroy(sr->bound->conf);
    sr->bound->conf = NULL;
    sl_spool_free(&sr->spool);
    sl_queue_clear(&sr->ready);
    sl_arena_free(&sr->arena);
}
