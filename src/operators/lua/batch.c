/* batch.c: a function over the items of a batch. The loops are in driver.lua. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/lua/internal.h"
#include "record/number/number.h"

enum { ROOM = 16 << 10 }; /* bytes for texts of results, at a time */

/* ---- for the driver ------------------------------------------------------------------------------------------------------ */

static sl_lua *self(sl_lua_frame *f) {
    return (sl_lua *)(void *)f;
}

/* A column of missing values, for a name that the batch does not have. */
static const sl_value *no_column(sl_lua *l, uint32_t rows) {
    if (rows > l->cap_none || !l->none) {
        free(l->none);
        l->none = calloc((size_t)rows + 1, sizeof *l->none);
        l->cap_none = l->none ? rows : 0;
        if (!l->none) sl_oom(&l->error);
    }
    return l->none;
}

static bool has_written(const sl_lua *l, const sl_value *v) {
    for (uint32_t i = 0; i < l->frame.count; i++)
        if (sl_is_written(v[l->rows[i]])) return true;
    return false;
}

/* Column C as the driver reads it: numbers that are still their text become doubles where these keep them. */
static const sl_value *read_column(sl_lua *l, uint32_t c) {
    const sl_value *v = sl_column_read(l->batch, c, &l->error);
    if (!v || !has_written(l, v)) return v;
    sl_value *plain = sl_arena_alloc(sl_batch_arena(l->batch), l->batch->nrows * sizeof *plain);
    for (uint32_t i = 0; plain && i < l->frame.count; i++) {
        uint32_t row = l->rows[i];
        plain[row] = sl_is_written(v[row]) ? sl_number_python(sl_bytes(v[row])) : v[row];
    }
    if (!plain) sl_oom(&l->error);
    return plain;
}

static const sl_value *column(sl_lua_frame *f, const char *name, size_t n) {
    sl_lua *l = self(f);
    if (!l->batch) {
        sl_fail(&l->error, SL_E_DATA, "'item' is only there while the function runs");
        return NULL;
    }
    int c = sl_batch_find(l->batch, sl_text_n(name, n), l->program->dialect == SL_RIKO);
    return c < 0 ? no_column(l, l->batch->nrows) : read_column(l, (uint32_t)c);
}

static sl_value *output(sl_lua_frame *f, uint32_t number) {
    return self(f)->outputs[number];
}

static bool more(sl_lua_frame *f, size_t n) {
    sl_lua *l = self(f);
    size_t size = n > ROOM ? n : ROOM;
    f->bytes = sl_arena_alloc(l->arena, size);
    f->room = f->bytes ? (uint32_t)size : 0;
    if (!f->bytes) sl_oom(&l->error);
    return f->bytes != NULL;
}

void sl_lua_frame_functions(sl_lua_frame *f) {
    f->column = column;
    f->output = output;
    f->more = more;
}

static void results_into(sl_lua *l, sl_arena *arena) {
    l->arena = arena;
    l->frame.bytes = l->nothing;
    l->frame.room = 0;
}

static sl_status add_item(sl_lua *l, int index, sl_error *err) {
    sl_value v;
    TRY(sl_lua_to_value(l, index, &v, err));
    if (!l->most || v.type != SL_LIST) return sl_builder_add(l->builder, v, err);
    for (uint32_t i = 0; i < v.n && i < l->most; i++) TRY(sl_builder_add(l->builder, v.as.list[i], err));
    return SL_OK;
}

static int take(lua_State *L) {
    sl_lua *l = sl_lua_self(L);
    sl_status s = lua_isnil(L, 1) ? SL_OK : add_item(l, 1, &l->error);
    if (s == SL_OK) return 0;
    l->error.code = s; /* SL_DONE too */
    return sl_lua_raise(l);
}

void sl_lua_batch_functions(sl_lua *l) {
    sl_lua_add_function(l, "take", take);
}

/* ---- batches ------------------------------------------------------------------------------------------------------------- */

static sl_status reserve(sl_lua *l, uint32_t n, sl_error *err) {
    if (n <= l->cap_rows && l->rows) return SL_OK;
    free(l->rows);
    free(l->keep);
    l->rows = calloc((size_t)n + 1, sizeof *l->rows);
    l->keep = calloc((size_t)n + 1, sizeof *l->keep);
    l->cap_rows = l->rows && l->keep ? n : 0;
    return l->rows && l->keep ? SL_OK : sl_oom(err);
}

static sl_status begin(sl_lua *l, sl_batch *b, sl_error *err) {
    TRY(reserve(l, b->nsel, err));
    for (uint32_t i = 0; i < b->nsel; i++) l->rows[i] = sl_batch_row(b, i);
    l->batch = b;
    l->frame.rows = l->rows;
    l->frame.keep = l->keep;
    l->frame.count = b->nsel;
    l->frame.made = 0;
    results_into(l, sl_batch_arena(b));
    return SL_OK;
}

sl_status sl_lua_test(sl_lua *l, sl_batch *b, bool *keep, sl_error *err) {
    TRY(begin(l, b, err));
    l->frame.keep = keep;
    sl_status s = sl_lua_call(l, "test", 0, 0, err);
    l->batch = NULL;
    return s;
}

sl_status sl_lua_values(sl_lua *l, sl_batch *b, sl_value *v, sl_error *err) {
    TRY(begin(l, b, err));
    l->frame.values = v;
    sl_status s = sl_lua_call(l, "values", 0, 0, err);
    l->batch = NULL;
    return s;
}

/* ---- results as columns ---------------------------------------------------------------------------------------------------- */

/* How far the results of a batch are: those before `from` are done; if `has`, that of `from` is on top of Lua's stack. */
typedef struct progress {
    uint32_t from;
    bool has;
} progress;

/* Calls NAME(from, result, nkeys), which says how far it came. */
static sl_status go_on(sl_lua *l, const char *name, progress *p, sl_error *err) {
    lua_State *L = l->state;
    if (!p->has) lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)p->from);
    lua_insert(L, -2);
    lua_pushinteger(L, (lua_Integer)l->nkeys);
    TRY(sl_lua_call(l, name, 3, 2, err));
    p->from = (uint32_t)lua_tointeger(L, -2);
    p->has = p->from < l->frame.count;
    lua_remove(L, -2);
    if (!p->has) lua_pop(L, 1);
    return SL_OK;
}

static sl_status reserve_outputs(sl_lua *l, sl_error *err) {
    sl_value **more_outputs = realloc(l->outputs, ((size_t)l->nkeys + 1) * sizeof *more_outputs);
    if (!more_outputs) return sl_oom(err);
    l->outputs = more_outputs;
    return SL_OK;
}

static sl_status fill_columns(sl_lua *l, sl_batch *to, progress *p, sl_error *err) {
    to->source = l->batch->source;
    TRY(reserve_outputs(l, err));
    for (uint32_t k = 0; k < l->nkeys; k++) TRY(sl_batch_add_column(to, l->keys[k], &l->outputs[k], err));
    results_into(l, sl_batch_arena(to));
    TRY(go_on(l, "columns", p, err));
    results_into(l, sl_batch_arena(l->batch));
    return sl_batch_window(to, 0, l->frame.made, err);
}

static sl_status run_columns(sl_lua *l, progress *p, sl_out *out, sl_error *err) {
    sl_batch *to = sl_batch_new(NULL, l->frame.count);
    if (!to) return sl_oom(err);
    sl_status s = fill_columns(l, to, p, err);
    if (s == SL_OK && to->nsel) return sl_emit(out, to, err);
    sl_batch_free(&to);
    return s;
}

/* ---- items that were changed ------------------------------------------------------------------------------------------------ */

bool sl_lua_lacks_some(const sl_batch *b, uint32_t column) {
    if (b->pristine) return false;
    for (uint32_t i = 0; i < b->nsel; i++)
        if (sl_batch_peek(b, column, sl_batch_row(b, i)).type == SL_MISSING) return true;
    return false;
}

/* Whether the new values can simply take the place of columns, or stand behind them: a column that some rows lack would get their
 * value at a place that is not the last. */
static bool fits_columns(const sl_lua *l, const sl_batch *b) {
    for (uint32_t k = 0; k < l->nkeys; k++) {
        int c = sl_batch_find(b, l->keys[k], false);
        if (c >= 0 && sl_lua_lacks_some(b, (uint32_t)c)) return false;
    }
    return true;
}

static sl_status set_columns(sl_lua *l, sl_batch *b, sl_error *err) {
    for (uint32_t k = 0; k < l->nkeys; k++) {
        int c = sl_batch_find(b, l->keys[k], false);
        sl_value *values;
        if (c < 0) {
            TRY(sl_batch_add_column(b, l->keys[k], &values, err));
            c = (int)b->ncols - 1;
        }
        b->cols[c].values = l->outputs[k];
        b->cols[c].raw = b->cols[c].shared = false;
        sl_batch_touched(b);
    }
    return SL_OK;
}

static sl_status rebuild_row(sl_lua *l, sl_batch *b, uint32_t row, sl_builder *to, sl_error *err) {
    sl_value item;
    sl_pair *pairs = sl_arena_calloc(l->arena, (size_t)l->nkeys + 1, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    for (uint32_t k = 0; k < l->nkeys; k++) pairs[k] = (sl_pair){l->keys[k], l->outputs[k][row]};
    TRY(sl_batch_item(b, row, &item, err));
    TRY(sl_lua_merge(item, sl_map(pairs, l->nkeys), l->arena, &item, err));
    return sl_builder_add(to, item, err);
}

static sl_status rebuild(sl_lua *l, sl_batch *b, sl_out *out, sl_error *err) {
    sl_builder *to = sl_builder_new(0, NULL, sl_emit_batch, out);
    sl_status s = to ? SL_OK : sl_oom(err);
    if (to) sl_builder_source(to, b->source);
    for (uint32_t i = 0; i < b->nsel && s == SL_OK; i++) s = rebuild_row(l, b, sl_batch_row(b, i), to, err);
    if (s == SL_OK) s = sl_builder_flush(to, err);
    sl_builder_free(&to);
    return s;
}

/* Of the first N items those that are kept, as a batch. */
static sl_batch *kept_part(sl_lua *l, uint32_t n) {
    uint32_t kept = 0;
    uint32_t *rows = sl_arena_alloc(l->arena, ((size_t)n + 1) * sizeof *rows);
    for (uint32_t i = 0; rows && i < n; i++)
        if (l->keep[i]) rows[kept++] = l->rows[i];
    return rows ? sl_batch_slice(l->batch, rows, kept) : NULL;
}

static sl_status run_changes(sl_lua *l, progress *p, sl_out *out, sl_error *err) {
    TRY(reserve_outputs(l, err));
    for (uint32_t k = 0; k < l->nkeys; k++) {
        l->outputs[k] = sl_arena_calloc(l->arena, l->batch->nrows, sizeof **l->outputs);
        if (!l->outputs[k]) return sl_oom(err);
    }
    TRY(go_on(l, "change", p, err));
    sl_batch *part = kept_part(l, p->from);
    if (!part) return sl_oom(err);
    bool fits = fits_columns(l, part);
    sl_status s = fits ? set_columns(l, part, err) : rebuild(l, part, out, err);
    if (s == SL_OK && fits && part->nsel) return sl_emit(out, part, err);
    sl_batch_free(&part);
    return s;
}

/* ---- any results -------------------------------------------------------------------------------------------------------------- */

static sl_status run_each(sl_lua *l, progress *p, sl_out *out, sl_error *err) {
    l->builder = sl_builder_new(0, NULL, sl_emit_batch, out);
    sl_status s = l->builder ? SL_OK : sl_oom(err);
    if (l->builder) sl_builder_source(l->builder, l->batch->source);
    lua_State *L = l->state;
    if (!p->has) lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)p->from);
    lua_insert(L, -2);
    if (s == SL_OK) s = sl_lua_call(l, "each", 2, 0, err);
    if (s == SL_OK) s = sl_builder_flush(l->builder, err);
    sl_builder_free(&l->builder);
    return s;
}

static sl_status find_shape(sl_lua *l, progress *p, sl_error *err) {
    lua_State *L = l->state;
    TRY(sl_lua_call(l, "first", 0, 2, err));
    p->from = (uint32_t)lua_tointeger(L, -2);
    p->has = p->from < l->frame.count;
    lua_remove(L, -2);
    if (!p->has) lua_pop(L, 1);
    return SL_OK;
}

/* Results of the shape the last ones had go into columns; where one has another the rest of the batch is taken one by one, and the
 * next batch shows a shape anew. */
static sl_status run_items(sl_lua *l, sl_out *out, sl_error *err) {
    progress p = {0};
    if (!sl_lua_shape_holds(l)) l->shape = SL_LUA_ANY;
    if (!l->most && l->shape == SL_LUA_ANY) TRY(find_shape(l, &p, err));
    if (!sl_lua_shape_holds(l)) l->shape = SL_LUA_ANY;
    if (!l->most && l->shape == SL_LUA_MAPS && p.from < l->frame.count) TRY(run_columns(l, &p, out, err));
    if (!l->most && l->shape == SL_LUA_CHANGES && p.from < l->frame.count) TRY(run_changes(l, &p, out, err));
    if (p.from >= l->frame.count) return SL_OK;
    l->shape = SL_LUA_ANY;
    return run_each(l, &p, out, err);
}

sl_status sl_lua_items(sl_lua *l, sl_batch *take, uint32_t most, sl_out *out, sl_error *err) {
    l->most = most;
    sl_status s = begin(l, take, err);
    if (s == SL_OK) s = run_items(l, out, err);
    l->batch = NULL;
    lua_settop(l->state, 0);
    sl_batch_free(&take);
    return s;
}
