/* state.c: a Lua state for one worker: made, given its driver (driver.lua) and limits, asked, freed. States are never shared,
 * so a function cannot see other workers. The collector is set for short-lived garbage, by measurement. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/ledger.h"
#include "operators/lua/driver.h"
#include "operators/lua/internal.h"

enum { CHECKS = 1000 };                    /* as in the driver */
enum { COLLECT_SOON = 110, ENOUGH = 200 }; /* percent of what was alive after a collection */

/* Percent of what is allocated meanwhile. What a function makes while a collection is under way counts as alive, so one that goes on for
 * long finds much and lets the next one come late. With the default of 200 the heap of a short function is several times as large, too
 * large for the caches near the core, and the whole function takes 7 % longer. */
enum { COLLECT_FAST = 3000 };

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

/* With much in use there is no room for garbage as large as what is alive: the next collection begins when that much more is held. */
static void tune_collector(sl_lua *l) {
    size_t limit = l->memory.limit, used = l->memory.used + 1;
    size_t percent = limit && limit / used < 2 ? limit * 90 / used : ENOUGH;
    lua_gc(l->state, LUA_GCSETPAUSE, percent < COLLECT_SOON ? COLLECT_SOON : (int)percent);
}

/* ---- time --------------------------------------------------------------------------------------------------------------- */

static bool late(sl_lua_frame *f) {
    sl_lua *l = (sl_lua *)(void *)f;
    const sl_lua_program *p = l->program;
    f->left = CHECKS;
    if (p->stopping && atomic_load_explicit(p->stopping, memory_order_relaxed)) {
        sl_fail(&l->error, SL_E_STOPPED, "stopped on request");
    } else {
        uint64_t now = sl_clock_ns();
        if (f->looks == 0) l->since = now;
        f->looks = 1;
        if (p->timeout <= 0 || (double)(now - l->since) < p->timeout * 1e9) return false;
        sl_fail(&l->error, SL_E_DATA,
                "the function took longer than %g s for one call; 'timeout' sets the limit", p->timeout);
    }
    f->left = 0; /* the next check fails too: no pcall gets around it */
    return true;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

sl_lua *sl_lua_self(lua_State *L) {
    sl_lua *l = lua_touserdata(L, lua_upvalueindex(1));
    l->current = L;
    return l;
}

int sl_lua_raise(sl_lua *l) {
    return luaL_error(l->current, "%s", l->error.text);
}

static sl_status failure(sl_lua *l, int status, sl_error *err) {
    lua_State *L = l->state;
    if (l->error.code) {
        if (l->error.code > SL_DONE && err && !err->code) *err = l->error;
        return l->error.code;
    }
    if (status == LUA_ERRMEM)
        return sl_fail(err, SL_E_MEMORY, "the function needs more than %.4g MiB; 'memory' sets the limit",
                       (double)l->program->memory / (1 << 20));
    const char *text = lua_tostring(L, -1);
    if (text) return sl_fail(err, SL_E_DATA, "%s", text);
    return sl_fail(err, SL_E_DATA, "the function failed with a %s, not a text", luaL_typename(L, -1));
}

/* What a call came to that ended with the status of lua_pcall. */
static sl_status outcome(sl_lua *l, int status, sl_error *err) {
    l->current = l->state;
    if (status == 0 && l->error.code == SL_OK) return SL_OK;
    sl_status s = failure(l, status, err);
    if (s > SL_DONE && l->batch && l->frame.at < l->frame.count)
        sl_error_at(err, l->batch->source, sl_batch_line(l->batch, l->frame.rows[l->frame.at]), 0);
    lua_settop(l->state, 0);
    return s;
}

sl_status sl_lua_call(sl_lua *l, const char *name, int nargs, int nresults, sl_error *err) {
    lua_State *L = l->state;
    tune_collector(l);
    lua_getfield(L, LUA_REGISTRYINDEX, SL_LUA_DRIVER);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_insert(L, -1 - nargs);
    return outcome(l, lua_pcall(L, nargs, nresults, 0), err);
}

sl_status sl_lua_protected(sl_lua *l, lua_CFunction f, sl_error *err) {
    tune_collector(l);
    return outcome(l, lua_cpcall(l->state, f, l), err);
}

/* ---- opening ------------------------------------------------------------------------------------------------------------- */

void sl_lua_add_function(sl_lua *l, const char *name, lua_CFunction f) {
    lua_pushlightuserdata(l->state, l);
    lua_pushcclosure(l->state, f, 1);
    lua_setfield(l->state, -2, name);
}

/* Moves the member NAME of the table on top to PLACE in the registry. */
static void keep_member(lua_State *L, const char *name, const char *place) {
    lua_getfield(L, -1, name);
    lua_setfield(L, LUA_REGISTRYINDEX, place);
}

static void make_list_mark(lua_State *L) {
    lua_newtable(L);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, SL_LUA_LIST_MARK);
    lua_setfield(L, -2, "list_mark");
}

/* The table `host` of the driver. */
static void make_host(sl_lua *l) {
    lua_State *L = l->state;
    lua_newtable(L);
    sl_lua_value_functions(l);
    sl_lua_batch_functions(l);
    make_list_mark(L);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}

static void load_driver(sl_lua *l) {
    lua_State *L = l->state;
    make_host(l);
    if (luaL_loadbuffer(L, sl_lua_driver, sizeof sl_lua_driver, "=driver") != 0) lua_error(L);
    lua_pushlightuserdata(L, &l->frame);
    lua_pushvalue(L, -3);
    lua_pushboolean(L, l->program->unsafe);
    lua_call(L, 3, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, SL_LUA_DRIVER);
    keep_member(L, "item", SL_LUA_ITEM_PROXY);
    keep_member(L, "changes", SL_LUA_CHANGED);
    keep_member(L, "removed", SL_LUA_REMOVED);
    lua_pop(L, 1);
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, SL_LUA_GATHERED);
}

static void push_texts(lua_State *L, const sl_text *texts, uint32_t n) {
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        lua_pushlstring(L, texts[i].s, texts[i].n);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* A list with the pieces of each value, or false for those that are not texts made of fields. */
static void push_pieces(lua_State *L, const sl_lua_row *row) {
    lua_createtable(L, (int)row->nkeys, 0);
    for (uint32_t k = 0; k < row->nkeys; k++) {
        if (row->texts[k].npieces)
            push_texts(L, row->texts[k].pieces, row->texts[k].npieces);
        else
            lua_pushboolean(L, 0);
        lua_rawseti(L, -2, (int)k + 1);
    }
}

/* For each constructor the list of its keys, whose member `texts` says what their values are. */
static void push_rows(lua_State *L, const sl_lua_source *s) {
    lua_createtable(L, (int)s->nrows, 0);
    for (uint32_t i = 0; i < s->nrows; i++) {
        push_texts(L, s->rows[i].keys, s->rows[i].nkeys);
        push_pieces(L, &s->rows[i]);
        lua_setfield(L, -2, "texts");
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static int set_up(lua_State *L) {
    sl_lua *l = lua_touserdata(L, 1);
    const sl_lua_program *p = l->program;
    l->current = L;
    luaL_openlibs(L);
    load_driver(l);
    lua_getfield(L, LUA_REGISTRYINDEX, SL_LUA_DRIVER);
    lua_getfield(L, -1, "open");
    lua_pushlstring(L, p->source.code.s, p->source.code.n);
    lua_pushstring(L, p->chunk);
    lua_pushboolean(L, p->is_file);
    lua_pushstring(L, p->function);
    lua_pushboolean(L, p->role == SL_LUA_FILTER);
    push_rows(L, &p->source);
    lua_call(L, 6, 0);
    return 0;
}

sl_status sl_lua_open(const sl_lua_program *p, sl_lua **out, sl_error *err) {
    sl_lua *l = *out = calloc(1, sizeof *l);
    if (!l) return sl_oom(err);
    l->program = p;
    sl_lua_frame_functions(&l->frame);
    l->frame.late = late;
    l->memory.limit = p->memory;
    l->state = lua_newstate(sl_lua_allocate, &l->memory);
    if (!l->state) return sl_oom(err);
    lua_gc(l->state, LUA_GCSETSTEPMUL, COLLECT_FAST);
    return sl_lua_protected(l, set_up, err);
}

void sl_lua_free(sl_lua **lp) {
    sl_lua *l = *lp;
    if (!l) return;
    if (l->state) lua_close(l->state);
    sl_lua_memory_free(&l->memory);
    free(l->rows);
    free(l->keep);
    free(l->none);
    free(l->outputs);
    for (uint32_t i = 0; i < l->cap_keys; i++) free((char *)(uintptr_t)l->keys[i].s);
    free(l->keys);
    sl_arena_free(&l->lasting);
    free(l);
    *lp = NULL;
}

/* ---- programs ------------------------------------------------------------------------------------------------------------ */

enum { MOST_CODE = 16 << 20 };

static sl_status read_file(const char *path, sl_arena *arena, sl_text *out, sl_error *err) {
    FILE *f = fopen(path, "re");
    if (!f) return sl_fail_errno(err, errno, "cannot open", path);
    sl_buf text = {.limit = MOST_CODE};
    char block[8192];
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0) sl_buf_add(&text, block, n);
    sl_status s = ferror(f) ? sl_fail_errno(err, errno, "cannot read", path) : sl_buf_check(&text, err);
    fclose(f);
    if (s == SL_OK) *out = sl_arena_text(arena, sl_text_n(text.data ? text.data : "", text.len));
    sl_buf_free(&text);
    return s == SL_OK && !out->s ? sl_oom(err) : s;
}

/* BEFORE TEXT AFTER as code. */
static sl_status wrap(sl_text *code, const char *before, const char *after, sl_arena *arena, sl_error *err) {
    size_t b = strlen(before), a = strlen(after);
    char *bytes = sl_arena_alloc(arena, b + code->n + a);
    if (!bytes) return sl_oom(err);
    memcpy(bytes, before, b);
    memcpy(bytes + b, code->s, code->n);
    memcpy(bytes + b + code->n, after, a);
    *code = sl_text_n(bytes, b + code->n + a);
    return SL_OK;
}

/* Whether BEFORE CODE compiles; if not its message is left on the stack. */
static sl_status compiles(lua_State *L, sl_text code, const char *before, sl_arena *arena, bool *out,
                          sl_error *err) {
    TRY(wrap(&code, before, "", arena, err));
    *out = luaL_loadbuffer(L, code.s, code.n, "=lua") == 0;
    return SL_OK;
}

/* An expression or a body? It is compiled as it stands, so that messages speak of nothing else. */
static sl_status compile_text(sl_lua_program *p, lua_State *L, sl_arena *arena, bool *expression,
                              sl_error *err) {
    bool body = false;
    TRY(compiles(L, p->source.code, "return ", arena, expression, err));
    if (*expression) return SL_OK;
    TRY(compiles(L, p->source.code, "local item; ", arena, &body, err));
    if (body && p->source.returns) return SL_OK;
    if (body)
        return sl_fail(err, SL_E_PLAN,
                       "the Lua text returns nothing: write 'return' and what it makes; == compares");
    return sl_fail(err, SL_E_PLAN, "%s", lua_tostring(L, p->source.returns ? -1 : -2));
}

static sl_status check_text(sl_lua_program *p, sl_arena *arena, bool *expression, sl_error *err) {
    lua_State *L = luaL_newstate();
    sl_status s = L ? compile_text(p, L, arena, expression, err) : sl_oom(err);
    if (L) lua_close(L);
    return s;
}

#define NAMES "local " SL_LUA_CHECK "," SL_LUA_NUMBER "," SL_LUA_ROWS "," SL_LUA_TEXTS "=... "

static sl_status wrap_text(sl_lua_program *p, bool expression, sl_arena *arena, sl_error *err) {
    bool stream = p->role == SL_LUA_STREAM;
    if (expression)
        return wrap(&p->source.code,
                    stream ? NAMES "return function(items) return (" : NAMES "return function(item) return (",
                    "\n) end", arena, err);
    return wrap(&p->source.code, stream ? NAMES "return function(items) " : NAMES "return function(item) ",
                "\nend", arena, err);
}

static sl_status load_file(sl_lua_program *p, const sl_lua_conf *c, const sl_step_info *info, sl_error *err) {
    const char *base = c->file.n && c->file.s[0] != '/' ? info->env->base_dir : NULL;
    sl_text path = sl_arena_printf(info->arena, "%s%s%.*s", base ? base : "", base ? "/" : "", (int)c->file.n,
                                   c->file.s);
    sl_text text, chunk = sl_arena_printf(info->arena, "@%.*s", (int)c->file.n, c->file.s);
    if (!path.s || !chunk.s) return sl_oom(err);
    p->is_file = true;
    p->chunk = chunk.s;
    if (c->function.s) {
        p->function = sl_arena_strndup(info->arena, c->function.s, c->function.n);
        if (!p->function) return sl_oom(err);
    }
    sl_ledger_note_path(info->env->ledger, path.s);
    TRY(read_file(path.s, info->arena, &text, err));
    TRY(sl_lua_scan(text, SL_LUA_PLAIN, info->arena, &p->source, err));
    return wrap(&p->source.code, NAMES, "", info->arena, err);
}

static sl_status load_text(sl_lua_program *p, const sl_lua_conf *c, const sl_step_info *info, sl_error *err) {
    if (c->function.s) return sl_fail(err, SL_E_PLAN, "'function' goes with 'file', not with 'lua'");
    p->chunk = "=lua";
    bool filter = p->role == SL_LUA_FILTER, expression = false;
    TRY(sl_lua_scan(c->lua, filter ? SL_LUA_NUMBERS : SL_LUA_PLAIN, info->arena, &p->source, err));
    TRY(check_text(p, info->arena, &expression, err));
    if (p->role == SL_LUA_ITEM) TRY(sl_lua_scan(c->lua, SL_LUA_RESULTS, info->arena, &p->source, err));
    return wrap_text(p, expression, info->arena, err);
}

sl_status sl_lua_prepare(const sl_lua_conf *c, sl_lua_role role, const sl_step_info *info,
                         const sl_lua_program **out, sl_error *err) {
    TRY(sl_library_open(&sl_luajit_library, err));
    sl_lua_program *p = sl_arena_calloc(info->arena, 1, sizeof *p);
    if (!p) return sl_oom(err);
    *p = (sl_lua_program){.role = role,
                          .memory = (size_t)c->memory,
                          .timeout = c->timeout,
                          .unsafe = info->env->unsafe_lua,
                          .dialect = info->env->dialect,
                          .stopping = info->env->stopping};
    if (c->lua.s && c->file.s) return sl_fail(err, SL_E_PLAN, "give 'lua' or 'file', not both");
    if (c->memory && c->memory < 1 << 20)
        return sl_fail(err, SL_E_PLAN, "'memory' must be at least 1M, or 0 for any amount");
    TRY(c->file.s ? load_file(p, c, info, err) : load_text(p, c, info, err));
    sl_lua *trial = NULL;
    sl_error why = {0};
    sl_status s = sl_lua_open(p, &trial, &why);
    sl_lua_free(&trial);
    *out = p;
    if (s == SL_OK) return SL_OK;
    return sl_fail(err, s == SL_E_DATA ? SL_E_PLAN : s, "%s", why.text);
}
