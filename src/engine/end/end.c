/* end.c: the coordinator's half of a stage's end: serial operators, merged folds, join tables, spools, terminals. */
#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "engine/end/end.h"

/* ---- terminals ------------------------------------------------------------------------------------------------------ */

/* One element of a terminal's stream; null once it is exhausted. Copied into ARENA. */
static sl_status next_element(const sl_supply *from, sl_arena *arena, sl_value *out, sl_error *err) {
    *out = sl_null();
    sl_batch *b = NULL;
    sl_status s = from->pull(from->from, &b, err);
    if (s == SL_DONE) return SL_OK;
    TRY(s);
    uint32_t row = sl_batch_row(b, 0);
    s = b->bare ? sl_batch_cell(b, 0, row, out, err) : sl_batch_item(b, row, out, err);
    if (s == SL_OK) s = sl_value_copy(out, *out, arena, err);
    if (s == SL_OK) s = sl_batch_window(b, 1, b->nsel - 1, err);
    if (s == SL_OK && b->nsel > 0)
        from->put_back(from->from, b);
    else
        sl_batch_free(&b);
    return s;
}

static sl_text hidden_name(sl_text terminal, sl_arena *arena) {
    return sl_arena_printf(arena, "%c%.*s", SL_TERMINAL_MARK, (int)terminal.n, terminal.s);
}

/* Lays the next elements of every terminal beside the items of B, under hidden names. */
static sl_status zip_batch(sl_end_run *e, sl_batch *b, sl_error *err) {
    for (uint32_t t = 0; t < e->end->nterminals; t++) {
        const sl_supply *from = &e->results[e->end->terminals[t]];
        sl_arena *arena = sl_batch_arena(b);
        sl_text name = hidden_name(e->end->terminal_names[t], arena);
        sl_value *values;
        if (!name.s) return sl_oom(err);
        TRY(sl_batch_add_column(b, name, &values, err));
        for (uint32_t i = 0; i < b->nsel; i++)
            TRY(next_element(from, arena, &values[sl_batch_row(b, i)], err));
    }
    return SL_OK;
}

/* An operator's conf is resolved once, against the first elements of its terminals and otherwise an empty item. */
static sl_status resolve_conf(sl_end_run *e, sl_error *err) {
    const sl_node *node = e->end->node;
    sl_batch *b = sl_batch_new(NULL, 1);
    void *conf = e->bound->conf = sl_arena_calloc(&e->arena, 1, node->pipe->conf_size + 1);
    if (!b || !conf) {
        sl_batch_free(&b);
        return sl_oom(err);
    }
    sl_status s = zip_batch(e, b, err);
    if (s == SL_OK) s = sl_node_resolve(node, (sl_item){b, 0}, &e->arena, conf, err);
    if (s > SL_DONE) sl_node_failed(node, err);
    sl_batch_free(&b);
    return s;
}

/* ---- ends ------------------------------------------------------------------------------------------------------------ */

static sl_status open_operator(sl_end_run *e, sl_error *err) {
    const sl_pipe *pipe = e->end->node->pipe;
    const sl_env *env = e->end->node->info.env;
    sl_bound *bound = e->bound;
    if (e->end->kind == SL_END_SERIAL) return pipe->serial->open(bound->conf, env, &e->serial, err);
    if (e->end->kind == SL_END_LOOKUP) return pipe->lookup->open(bound->conf, env, &bound->table, err);
    TRY(pipe->fold->open(bound->conf, env, &e->partial, err));
    return pipe->fold->seal ? pipe->fold->seal(e->partial, err) : SL_OK; /* merging wants both sides sealed */
}

sl_status sl_end_open(sl_end_run *e, const sl_env *env, sl_error *err) {
    const sl_node *node = e->end->node;
    sl_queue_init(&e->ready);
    if (e->end->kind == SL_END_SPOOL) {
        e->spool = sl_spool_new(env->memory / 2, env->tmpdir);
        sl_spool_log(e->spool, env->log, "several readers");
        return e->spool ? SL_OK : sl_oom(err);
    }
    if (!node || e->end->kind == SL_END_ZIP || e->end->kind == SL_END_WRAP) return SL_OK;
    if (node->dynamic) TRY(resolve_conf(e, err));
    sl_status s = open_operator(e, err);
    if (s > SL_DONE) sl_node_failed(node, err);
    return s;
}

/* Each item becomes the value of one key of a fresh item. */
static sl_status wrap_batch(sl_end_run *e, sl_batch *take, sl_error *err) {
    const sl_node *node = e->end->node;
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
    e->wrapped = true;
    sl_batch_free(&take);
    if (s == SL_OK) return sl_queue_put(&e->ready, b, err);
    sl_batch_free(&b);
    return s;
}

static sl_status spool_batch(sl_end_run *e, sl_batch *take, sl_error *err) {
    sl_status s = sl_spool_add(e->spool, take, err);
    sl_batch_free(&take);
    return s;
}

static sl_status zip_and_put(sl_end_run *e, sl_batch *take, sl_error *err) {
    sl_status s = zip_batch(e, take, err);
    if (s == SL_OK) return sl_queue_put(&e->ready, take, err);
    sl_batch_free(&take);
    return s;
}

static sl_status pass_batch(sl_end_run *e, sl_batch *take, sl_error *err) {
    uint64_t before = e->ready.items;
    sl_status s = e->end->node->pipe->serial->pass(e->serial, take, &e->ready.out, err);
    e->handed_on = e->handed_on || e->ready.items > before;
    return s;
}

sl_status sl_end_batch(sl_end_run *e, sl_batch *take, sl_error *err) {
    const sl_node *node = e->end->node;
    sl_status s = SL_E_INTERNAL;
    assert(take->nsel > 0 && take->nsel <= take->nrows);
    e->in += take->nsel;
    if (e->end->kind == SL_END_SERIAL || e->end->kind == SL_END_LOOKUP) take->bare = false;
    switch (e->end->kind) {
    case SL_END_SERIAL: s = pass_batch(e, take, err); break;
    case SL_END_LOOKUP: s = node->pipe->lookup->add(e->bound->table, take, err); break;
    case SL_END_ZIP: s = zip_and_put(e, take, err); break;
    case SL_END_WRAP: s = wrap_batch(e, take, err); break;
    case SL_END_SPOOL: s = spool_batch(e, take, err); break;
    case SL_END_OUTPUT: s = sl_queue_put(&e->ready, take, err); break;
    case SL_END_FOLD: sl_batch_free(&take); break;
    }
    if (s > SL_DONE && node) sl_node_failed(node, err);
    return s;
}

sl_status sl_end_partial(sl_end_run *e, void *take, sl_error *err) {
    const sl_fold *fold = e->end->node->pipe->fold;
    assert(e->end->kind == SL_END_FOLD && e->partial && take != e->partial);
    sl_status s = fold->merge(e->partial, take, err);
    fold->close(take);
    if (s > SL_DONE) sl_node_failed(e->end->node, err);
    return s;
}

sl_status sl_end_saved(sl_end_run *e, sl_text saved, sl_error *err) {
    const sl_node *node = e->end->node;
    void *partial = NULL;
    sl_status s = node->pipe->fold->load(e->bound->conf, node->info.env, saved.s, saved.n, &partial, err);
    if (s == SL_OK) return sl_end_partial(e, partial, err);
    node->pipe->fold->close(partial);
    return s;
}

static sl_status finish_wrap(sl_end_run *e, sl_error *err) {
    if (e->wrapped) return SL_DONE;
    e->wrapped = true;
    sl_batch *empty = sl_batch_new(NULL, 1);
    return empty ? sl_queue_put(&e->ready, empty, err) : sl_oom(err);
}

sl_status sl_end_finish(sl_end_run *e, sl_error *err) {
    const sl_pipe *pipe = e->end->node ? e->end->node->pipe : NULL;
    sl_status s = SL_DONE;
    if (e->end->kind == SL_END_SERIAL && pipe->serial->finish)
        s = pipe->serial->finish(e->serial, &e->ready.out, err);
    else if (e->end->kind == SL_END_FOLD)
        s = pipe->fold->finish(e->partial, &e->ready.out, err);
    else if (e->end->kind == SL_END_LOOKUP)
        s = pipe->lookup->seal(e->bound->table, err);
    else if (e->end->kind == SL_END_WRAP)
        s = finish_wrap(e, err);
    if (s > SL_DONE && pipe) sl_node_failed(e->end->node, err);
    return e->end->kind == SL_END_LOOKUP && s == SL_OK ? SL_DONE : s;
}

sl_batch *sl_end_get(sl_end_run *e) {
    sl_batch *b = sl_queue_get(&e->ready);
    if (b) e->out += b->nsel;
    assert(e->out <= e->ready.items);
    return b;
}

void sl_end_put_back(sl_end_run *e, sl_batch *take) {
    assert(e->out >= take->nsel);
    e->out -= take->nsel;
    sl_queue_put_back(&e->ready, take);
}

void sl_end_close(sl_end_run *e) {
    const sl_pipe *pipe = e->end->node ? e->end->node->pipe : NULL;
    if (e->serial) pipe->serial->close(e->serial);
    if (e->partial) pipe->fold->close(e->partial);
    if (e->bound->table) pipe->lookup->close(e->bound->table);
    e->serial = e->partial = e->bound->table = NULL;
    if (pipe && e->end->node->dynamic && e->bound->conf && pipe->destroy) pipe->destroy(e->bound->conf);
    e->bound->conf = NULL;
    sl_spool_free(&e->spool);
    sl_queue_clear(&e->ready);
    sl_arena_free(&e->arena);
}
