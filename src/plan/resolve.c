#include "plan/internal.h"

#include "base/error.h"

/* A walk through a conf in the order of conf.c, so that the compiled subkeys come by in their order. */
typedef struct resolver {
    const sl_node *node;
    sl_item item;
    sl_arena *arena;
    uint32_t subkey;
    sl_error *err;
} resolver;

static sl_status walk(resolver *r, sl_value *v);

static sl_status read_subkey(resolver *r, sl_value *v) {
    const sl_path *path = &r->node->subkeys[r->subkey++];
    *v = sl_missing();
    if (r->item.batch) TRY(sl_path_row(path, r->item.batch, r->item.row, v, r->err));
    if (v->type == SL_MISSING) *v = sl_null();
    return SL_OK;
}

static sl_status read_terminal(resolver *r, sl_text column, sl_value *v) {
    int c = r->item.batch ? sl_batch_find(r->item.batch, column, false) : -1;
    *v = sl_missing();
    if (c >= 0) TRY(sl_batch_cell(r->item.batch, (uint32_t)c, r->item.row, v, r->err));
    if (v->type == SL_MISSING) *v = sl_null();
    return SL_OK;
}

static sl_status walk_map(resolver *r, sl_value *v) {
    const sl_pair *from = v->as.map;
    if (v->n == 1 && sl_is_text(from->value) && from->value.n) {
        sl_text text = sl_bytes(from->value);
        if (sl_text_is(from->key, "subkey")) return read_subkey(r, v);
        if (sl_text_is(from->key, "terminal") && text.s[0] == SL_TERMINAL_MARK)
            return read_terminal(r, text, v);
    }
    sl_pair *copy = sl_arena_calloc(r->arena, v->n ? v->n : 1, sizeof *copy);
    if (!copy) return sl_oom(r->err);
    for (uint32_t i = 0; i < v->n; i++) {
        copy[i] = from[i];
        TRY(walk(r, &copy[i].value));
    }
    *v = sl_map(copy, v->n);
    return SL_OK;
}

static sl_status walk(resolver *r, sl_value *v) {
    if (v->type == SL_MAP) return walk_map(r, v);
    if (v->type != SL_LIST) return SL_OK;
    sl_value *copy = sl_arena_calloc(r->arena, v->n ? v->n : 1, sizeof *copy);
    if (!copy) return sl_oom(r->err);
    for (uint32_t i = 0; i < v->n; i++) {
        copy[i] = v->as.list[i];
        TRY(walk(r, &copy[i]));
    }
    *v = sl_list(copy, v->n);
    return SL_OK;
}

static sl_status resolve(const sl_node *node, sl_item item, sl_arena *arena, void *out, sl_error *err) {
    resolver r = {.node = node, .item = item, .arena = arena, .err = err};
    sl_value conf = node->conf;
    bool nocase = node->info.env && node->info.env->dialect == SL_RIKO;
    TRY(walk(&r, &conf));
    TRY(sl_options_parse(node->pipe->options, conf, nocase, out, arena, NULL, err));
    if (!node->pipe->prepare) return SL_OK;
    sl_step_info info = node->info;
    info.arena = arena;
    return node->pipe->prepare(out, &info, err);
}

sl_status sl_node_resolve(const sl_node *node, sl_item item, sl_arena *arena, void *out, sl_error *err) {
    sl_status status = resolve(node, item, arena, out, err);
    if (status != SL_OK) sl_error_step(err, node->step, node->pipe->name);
    return status;
}
