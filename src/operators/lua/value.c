/* value.c: values of items to values of Lua and back, one by one: what the driver does not do itself. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "operators/lua/internal.h"
#include "record/cast.h"
#include "record/number/number.h"

enum { MOST_DEPTH = 100 };

static const double exact = 9007199254740992.0; /* 2^53 */

/* ---- to Lua ------------------------------------------------------------------------------------------------------------- */

static void push_list(sl_lua *l, sl_value v) {
    lua_State *L = l->current;
    lua_createtable(L, (int)v.n, 0);
    for (uint32_t i = 0; i < v.n; i++) {
        if (sl_is_absent(v.as.list[i]))
            lua_pushlightuserdata(L, NULL);
        else
            sl_lua_push(l, v.as.list[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_getfield(L, LUA_REGISTRYINDEX, SL_LUA_LIST_MARK);
    lua_setmetatable(L, -2);
}

static void push_map(sl_lua *l, sl_value v) {
    lua_State *L = l->current;
    lua_createtable(L, 0, (int)v.n);
    for (uint32_t i = 0; i < v.n; i++) {
        sl_value member = v.as.map[i].value;
        lua_pushlstring(L, v.as.map[i].key.s, v.as.map[i].key.n);
        if (sl_is_absent(member))
            lua_pushlightuserdata(L, NULL);
        else
            sl_lua_push(l, member);
        lua_rawset(L, -3);
    }
}

/* Times, decimals, and numbers that a double would change. */
static void push_as_text(sl_lua *l, sl_value v) {
    sl_text t;
    if (sl_to_text(v, "", sl_batch_arena(l->batch), &t, &l->error) != SL_OK) {
        sl_lua_raise(l);
        return;
    }
    lua_pushlstring(l->current, t.s, t.n);
}

void sl_lua_push(sl_lua *l, sl_value v) {
    lua_State *L = l->current;
    if (sl_is_written(v)) v = sl_number_python(sl_bytes(v));
    luaL_checkstack(L, 8, "nested too deep");
    switch ((sl_type)v.type) {
    case SL_MISSING:
    case SL_NULL: lua_pushnil(L); return;
    case SL_BOOL: lua_pushboolean(L, v.as.b); return;
    case SL_FLOAT: lua_pushnumber(L, v.as.f); return;
    case SL_TEXT_TYPE: lua_pushlstring(L, v.as.s, v.n); return;
    case SL_LIST: push_list(l, v); return;
    case SL_MAP: push_map(l, v); return;
    case SL_INT:
        if (v.as.i >= (int64_t)exact || v.as.i <= -(int64_t)exact) break;
        lua_pushnumber(L, (double)v.as.i);
        return;
    case SL_DECIMAL:
    case SL_TIME: break;
    }
    push_as_text(l, v);
}

static int convert(lua_State *L) {
    sl_lua *l = sl_lua_self(L);
    sl_lua_push(l, *l->frame.cell);
    return 1;
}

/* ---- keys in order ------------------------------------------------------------------------------------------------------- */

/* What the text of the function writes, in its order; then the rest by alphabet. */
static uint64_t rank_of_new(const sl_lua *l, sl_text key) {
    const sl_lua_source *s = &l->program->source;
    for (uint32_t i = 0; i < s->nkeys; i++)
        if (sl_text_eq(s->keys[i], key)) return SL_LUA_WRITTEN + i;
    return SL_LUA_OTHER;
}

static bool item_has(const sl_lua *l, int column) {
    return column >= 0 &&
           sl_batch_peek(l->batch, (uint32_t)column, l->frame.rows[l->frame.at]).type != SL_MISSING;
}

/* Before those come fields that the item at hand has too and the text does not write, as they stand in it. So a copy of the item begins
 * as the item does, and {total = ..., name = ...} is as it is written. Nothing depends on other items: what a batch is does not show. */
static uint64_t rank_of(const sl_lua *l, sl_text key) {
    uint64_t rank = rank_of_new(l, key);
    if (rank != SL_LUA_OTHER) return rank;
    int column = l->batch ? sl_batch_find(l->batch, key, false) : -1;
    if (item_has(l, column)) return (uint64_t)column;
    for (uint32_t i = 0; i < l->nfields; i++)
        if (sl_text_eq(l->fields[i], key)) return i;
    return SL_LUA_OTHER;
}

/* The rank that KEY has for every item of the batch; false when it is not the same for all. */
static bool rank_of_all(const sl_lua *l, sl_text key, uint64_t *rank) {
    *rank = rank_of_new(l, key);
    int column = sl_batch_find(l->batch, key, false);
    if (*rank != SL_LUA_OTHER || column < 0) return true;
    *rank = (uint64_t)column;
    return l->batch->pristine || !sl_lua_lacks_some(l->batch, (uint32_t)column);
}

bool sl_lua_shape_holds(const sl_lua *l) {
    uint64_t before = 0, rank;
    for (uint32_t k = 0; l->shape == SL_LUA_MAPS && k < l->nkeys; k++) {
        if (!rank_of_all(l, l->keys[k], &rank)) return false;
        if (k && rank < before) return false;
        if (k && rank == before && sl_text_cmp(l->keys[k - 1], l->keys[k]) > 0) return false;
        before = rank;
    }
    return true;
}

typedef struct ranked {
    uint64_t rank;
    sl_pair pair;
} ranked;

static bool comes_before(const ranked *a, const ranked *b) {
    if (a->rank != b->rank) return a->rank < b->rank;
    return sl_text_cmp(a->pair.key, b->pair.key) < 0;
}

/* Bottom-up merge sort of V[0..N) with room for as many at SPARE; the result is in V. */
static void sort_ranked(ranked *v, ranked *spare, uint32_t n) {
    for (uint64_t width = 1; width < n; width *= 2) {
        for (uint64_t from = 0; from < n; from += 2 * width) {
            uint64_t a = from, mid = from + width < n ? from + width : n;
            uint64_t b = mid, end = from + 2 * width < n ? from + 2 * width : n;
            for (uint64_t k = from; k < end; k++) {
                bool left = a < mid && (b >= end || !comes_before(&v[b], &v[a]));
                spare[k] = left ? v[a++] : v[b++];
            }
        }
        memcpy(v, spare, n * sizeof *v);
    }
}

/* ---- from Lua ------------------------------------------------------------------------------------------------------------ */

static bool is_the_item(sl_lua *l, int index) {
    lua_getfield(l->current, LUA_REGISTRYINDEX, SL_LUA_ITEM_PROXY);
    bool same = lua_rawequal(l->current, -1, index);
    lua_pop(l->current, 1);
    return same;
}

static bool is_marked_list(sl_lua *l, int index) {
    lua_State *L = l->current;
    if (!lua_getmetatable(L, index)) return false;
    lua_getfield(L, LUA_REGISTRYINDEX, SL_LUA_LIST_MARK);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

/* Whether the table at INDEX is a list, and how many members it has; SL_E_DATA when it is neither that nor a map. */
static sl_status is_list(sl_lua *l, int index, bool *list, uint32_t *n, sl_error *err) {
    lua_State *L = l->current;
    uint32_t numbers = 0, texts = 0;
    double most = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            texts++;
            continue;
        }
        double key = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        if (key < 1 || key != floor(key) || key > UINT32_MAX)
            return sl_fail(err, SL_E_DATA, "a key of a result is a text, or a place in a list, not a %s",
                           luaL_typename(L, -1));
        numbers++;
        most = key > most ? key : most;
    }
    if (numbers && (texts || most != numbers))
        return sl_fail(
            err, SL_E_DATA,
            "a table of a result is a list with the keys 1..n, or has texts as keys; this one mixes them "
            "or has holes (fill them with 'null')");
    *n = numbers ? numbers : texts;
    *list = numbers || (!texts && is_marked_list(l, index));
    return SL_OK;
}

static sl_status from_lua(sl_lua *l, int index, unsigned depth, sl_value *out, sl_error *err);

static sl_status list_from(sl_lua *l, int index, uint32_t n, unsigned depth, sl_value *out, sl_error *err) {
    sl_value *v = sl_arena_calloc(l->arena, n ? n : 1, sizeof *v);
    if (!v) return sl_oom(err);
    for (uint32_t i = 0; i < n; i++) {
        lua_rawgeti(l->current, index, (int)i + 1);
        TRY(from_lua(l, lua_gettop(l->current), depth + 1, &v[i], err));
        lua_pop(l->current, 1);
    }
    *out = sl_list(v, n);
    return SL_OK;
}

static sl_status map_of_ranked(sl_lua *l, ranked *v, uint32_t n, sl_value *out, sl_error *err) {
    ranked *spare = sl_arena_calloc(l->arena, n ? n : 1, sizeof *spare);
    sl_pair *pairs = sl_arena_calloc(l->arena, n ? n : 1, sizeof *pairs);
    if (!spare || !pairs) return sl_oom(err);
    sort_ranked(v, spare, n);
    for (uint32_t i = 0; i < n; i++) pairs[i] = v[i].pair;
    *out = sl_map(pairs, n);
    return SL_OK;
}

static sl_status map_from(sl_lua *l, int index, uint32_t n, unsigned depth, sl_value *out, sl_error *err) {
    lua_State *L = l->current;
    ranked *v = sl_arena_calloc(l->arena, n ? n : 1, sizeof *v);
    uint32_t k = 0;
    if (!v) return sl_oom(err);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        size_t length;
        const char *key = lua_tolstring(L, -2, &length);
        v[k].pair.key = sl_arena_text(l->arena, sl_text_n(key, length));
        if (!v[k].pair.key.s) return sl_oom(err);
        v[k].rank = rank_of(l, v[k].pair.key);
        TRY(from_lua(l, lua_gettop(L), depth + 1, &v[k].pair.value, err));
        lua_pop(L, 1);
        k++;
    }
    return map_of_ranked(l, v, k, out, err);
}

static bool is_removed(sl_lua *l, int index) {
    lua_getfield(l->current, LUA_REGISTRYINDEX, SL_LUA_REMOVED);
    bool same = lua_rawequal(l->current, -1, index);
    lua_pop(l->current, 1);
    return same;
}

/* The fields that the function has set, by name; those it has taken away are missing. */
static sl_status changes_of(sl_lua *l, unsigned depth, sl_value *out, sl_error *err) {
    lua_State *L = l->current;
    uint32_t n = 0;
    lua_getfield(L, LUA_REGISTRYINDEX, SL_LUA_CHANGED);
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) n++;
    ranked *v = sl_arena_calloc(l->arena, n ? n : 1, sizeof *v);
    if (!v) return sl_oom(err);
    n = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1), n++) {
        size_t length;
        const char *key = lua_tolstring(L, -2, &length);
        v[n].pair.key = sl_arena_text(l->arena, sl_text_n(key, length));
        if (!v[n].pair.key.s) return sl_oom(err);
        v[n].rank = rank_of_new(l, v[n].pair.key);
        v[n].pair.value = sl_missing();
        if (is_removed(l, lua_gettop(L))) continue;
        TRY(from_lua(l, lua_gettop(L), depth + 1, &v[n].pair.value, err));
    }
    lua_pop(L, 1);
    return map_of_ranked(l, v, n, out, err);
}

sl_status sl_lua_merge(sl_value item, sl_value changes, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_pair *pairs = sl_arena_calloc(arena, (size_t)item.n + changes.n + 1, sizeof *pairs);
    uint32_t n = 0;
    if (!pairs) return sl_oom(err);
    for (uint32_t i = 0; i < item.n; i++) {
        sl_pair pair = item.as.map[i];
        for (uint32_t k = 0; k < changes.n; k++)
            if (sl_text_eq(changes.as.map[k].key, pair.key)) pair.value = changes.as.map[k].value;
        if (pair.value.type != SL_MISSING) pairs[n++] = pair;
    }
    for (uint32_t k = 0; k < changes.n; k++) {
        bool known = sl_map_get(item, changes.as.map[k].key).type != SL_MISSING;
        if (!known && changes.as.map[k].value.type != SL_MISSING) pairs[n++] = changes.as.map[k];
    }
    *out = sl_map(pairs, n);
    return SL_OK;
}

/* The item at hand with what the function did to it. */
static sl_status item_from(sl_lua *l, unsigned depth, sl_value *out, sl_error *err) {
    sl_value item, changes;
    TRY(sl_batch_item(l->batch, l->frame.rows[l->frame.at], &item, err));
    TRY(changes_of(l, depth, &changes, err));
    return sl_lua_merge(item, changes, l->arena, out, err);
}

/* Results in a batch of their own outlive the item's. */
static sl_status item_as_result(sl_lua *l, unsigned depth, sl_value *out, sl_error *err) {
    TRY(item_from(l, depth, out, err));
    return l->arena == sl_batch_arena(l->batch) ? SL_OK : sl_value_copy(out, *out, l->arena, err);
}

static sl_status table_from(sl_lua *l, int index, unsigned depth, sl_value *out, sl_error *err) {
    bool list = false;
    uint32_t n = 0;
    if (depth > MOST_DEPTH)
        return sl_fail(err, SL_E_DATA, "a result is nested deeper than %d tables", MOST_DEPTH);
    luaL_checkstack(l->current, 8, "nested too deep");
    if (is_the_item(l, index)) return item_as_result(l, depth, out, err);
    TRY(is_list(l, index, &list, &n, err));
    return list ? list_from(l, index, n, depth, out, err) : map_from(l, index, n, depth, out, err);
}

static sl_status text_from(sl_lua *l, int index, sl_value *out, sl_error *err) {
    size_t n;
    const char *s = lua_tolstring(l->current, index, &n);
    sl_text t = sl_arena_text(l->arena, sl_text_n(s, n));
    *out = sl_text_value(t);
    return t.s ? SL_OK : sl_oom(err);
}

static sl_value number_from(double f) {
    if (f == floor(f) && f <= exact && f >= -exact) return sl_int((int64_t)f);
    return sl_float(f);
}

static sl_status from_lua(sl_lua *l, int index, unsigned depth, sl_value *out, sl_error *err) {
    lua_State *L = l->current;
    switch (lua_type(L, index)) {
    case LUA_TNIL: *out = sl_null(); return SL_OK;
    case LUA_TBOOLEAN: *out = sl_bool(lua_toboolean(L, index)); return SL_OK;
    case LUA_TNUMBER: *out = number_from(lua_tonumber(L, index)); return SL_OK;
    case LUA_TSTRING: return text_from(l, index, out, err);
    case LUA_TTABLE: return table_from(l, index, depth, out, err);
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, index)) {
            *out = sl_null();
            return SL_OK;
        }
        break;
    default: break;
    }
    return sl_fail(
        err, SL_E_DATA,
        "a result holds a %s: only nil, booleans, numbers, strings and tables have a place in an item",
        luaL_typename(L, index));
}

sl_status sl_lua_to_value(sl_lua *l, int index, sl_value *out, sl_error *err) {
    return from_lua(l, index, 0, out, err);
}

static int store(lua_State *L) {
    sl_lua *l = sl_lua_self(L);
    sl_value *to = l->frame.out;
    return sl_lua_to_value(l, 1, to, &l->error) == SL_OK ? 0 : sl_lua_raise(l);
}

/* ---- the shape of results -------------------------------------------------------------------------------------------------- */

static sl_status keep_key(sl_lua *l, sl_text key, sl_error *err) {
    if (l->nkeys == l->cap_keys) {
        uint32_t cap = l->cap_keys ? 2 * l->cap_keys : 16;
        sl_text *keys = realloc(l->keys, cap * sizeof *keys);
        if (!keys) return sl_oom(err);
        memset(keys + l->cap_keys, 0, (cap - l->cap_keys) * sizeof *keys);
        l->keys = keys;
        l->cap_keys = cap;
    }
    char *bytes = malloc((size_t)key.n + 1);
    if (!bytes) return sl_oom(err);
    if (key.n) memcpy(bytes, key.s, key.n);
    free((char *)(uintptr_t)l->keys[l->nkeys].s);
    l->keys[l->nkeys++] = sl_text_n(bytes, key.n);
    return SL_OK;
}

/* Results like the table at INDEX go into columns, unless it is a list, empty, or an item that has lost a field. */
static sl_status learn_table(sl_lua *l, int index, sl_error *err) {
    sl_value map;
    bool item = is_the_item(l, index);
    TRY(item ? changes_of(l, 0, &map, err) : sl_lua_to_value(l, index, &map, err));
    l->nkeys = 0;
    if (map.type != SL_MAP || (!item && !map.n)) return SL_OK;
    for (uint32_t i = 0; i < map.n; i++) {
        if (map.as.map[i].value.type == SL_MISSING) return SL_OK;
        TRY(keep_key(l, map.as.map[i].key, err));
    }
    l->shape = item ? SL_LUA_CHANGES : SL_LUA_MAPS;
    return SL_OK;
}

static int learn(lua_State *L) {
    sl_lua *l = sl_lua_self(L);
    l->shape = SL_LUA_ANY;
    if (lua_type(L, 1) != LUA_TTABLE) return 0;
    return learn_table(l, 1, &l->error) == SL_OK ? 0 : sl_lua_raise(l);
}

static int name_at(lua_State *L) {
    sl_lua *l = sl_lua_self(L);
    sl_text key = l->keys[lua_tointeger(L, 1)];
    lua_pushlstring(L, key.s, key.n);
    return 1;
}

/* The names of the fields of the item at hand, in order, the function's own among them. */
static int keys(lua_State *L) {
    sl_lua *l = sl_lua_self(L);
    sl_value item;
    if (item_from(l, 0, &item, &l->error) != SL_OK) return sl_lua_raise(l);
    lua_createtable(L, (int)item.n, 0);
    for (uint32_t i = 0; i < item.n; i++) {
        lua_pushlstring(L, item.as.map[i].key.s, item.as.map[i].key.n);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

void sl_lua_value_functions(sl_lua *l) {
    sl_lua_add_function(l, "convert", convert);
    sl_lua_add_function(l, "store", store);
    sl_lua_add_function(l, "learn", learn);
    sl_lua_add_function(l, "name_at", name_at);
    sl_lua_add_function(l, "keys", keys);
}
