/* stream.c: a function over the whole stream, for aggregate. The stream is a list in the state, so the state's memory bounds it. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/lua/internal.h"

/* ---- the names of fields, in order of appearance: results keep it ----------------------------------------------------------- */

static bool is_known(const sl_lua *l, sl_text name) {
    for (uint32_t i = 0; i < l->nfields; i++)
        if (sl_text_eq(l->fields[i], name)) return true;
    return false;
}

static sl_status add_field(sl_lua *l, sl_text name, sl_error *err) {
    if (l->nfields == l->cap_fields) {
        uint32_t cap = l->cap_fields ? 2 * l->cap_fields : 32;
        sl_text *wider = sl_arena_calloc(&l->lasting, cap, sizeof *wider);
        if (!wider) return sl_oom(err);
        if (l->nfields) memcpy(wider, l->fields, l->nfields * sizeof *wider);
        l->fields = wider;
        l->cap_fields = cap;
    }
    l->fields[l->nfields] = sl_arena_text(&l->lasting, name);
    return l->fields[l->nfields++].s ? SL_OK : sl_oom(err);
}

/* Item by item, for where a batch begins must not show. */
static sl_status learn_fields(sl_lua *l, const sl_batch *b, sl_error *err) {
    uint32_t unknown = 0;
    uint32_t *columns = calloc((size_t)b->ncols + 1, sizeof *columns);
    sl_status s = columns ? SL_OK : sl_oom(err);
    for (uint32_t c = 0; columns && c < b->ncols; c++)
        if (!is_known(l, b->cols[c].name)) columns[unknown++] = c;
    for (uint32_t i = 0; s == SL_OK && unknown && i < b->nsel; i++) {
        uint32_t left = 0;
        for (uint32_t k = 0; s == SL_OK && k < unknown; k++) {
            bool has = sl_batch_peek(b, columns[k], sl_batch_row(b, i)).type != SL_MISSING;
            if (has)
                s = add_field(l, b->cols[columns[k]].name, err);
            else
                columns[left++] = columns[k];
        }
        unknown = left;
    }
    free(columns);
    return s;
}

/* ---- the stream --------------------------------------------------------------------------------------------------------------- */

static int gather(lua_State *L) {
    sl_lua *l = lua_touserdata(L, 1);
    sl_batch *b = l->batch;
    l->current = L;
    lua_getfield(L, LUA_REGISTRYINDEX, SL_LUA_GATHERED);
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_value item;
        if (sl_batch_item(b, sl_batch_row(b, i), &item, &l->error) != SL_OK) return sl_lua_raise(l);
        sl_lua_push(l, item);
        lua_rawseti(L, -2, (int)++l->items);
    }
    return 0;
}

sl_status sl_lua_gather(sl_lua *l, sl_batch *b, sl_error *err) {
    TRY(learn_fields(l, b, err));
    l->batch = b;
    l->frame.count = 0; /* no item is to blame */
    sl_status s = sl_lua_protected(l, gather, err);
    l->batch = NULL;
    return s;
}

sl_status sl_lua_result(sl_lua *l, sl_out *out, sl_error *err) {
    sl_arena arena = {0};
    lua_State *L = l->state;
    l->builder = sl_builder_new(0, NULL, sl_emit_batch, out);
    if (!l->builder) return sl_oom(err);
    l->arena = &arena;
    l->most = UINT32_MAX;
    lua_getfield(L, LUA_REGISTRYINDEX, SL_LUA_GATHERED);
    sl_status s = sl_lua_call(l, "whole", 1, 0, err);
    if (s == SL_OK) s = sl_builder_flush(l->builder, err);
    sl_builder_free(&l->builder);
    sl_arena_free(&arena);
    l->arena = NULL;
    return s;
}
