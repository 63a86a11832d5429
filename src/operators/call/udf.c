/* udf: the user's own function for each item, in Lua or in a shared library. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/lua/lua.h"
#include "operators/call/plugin.h"

typedef struct conf {
    sl_lua_conf function;
    bool many;
    sl_plugin_conf plugin;
    /* prepared: */
    const sl_lua_program *program; /* NULL: the function is the library's */
    sl_plugin_program library;
    bool emits;
    int count; /* 0 not given, 1 first, 2 all */
    sl_path assign;
} conf;

/* The state of a worker: one of the two. */
typedef struct state {
    sl_lua *lua;
    sl_plugin_call *call;
} state;

/* What an item stores, by V, its result or the list of its results: the one, a list of several, nothing for none. */
static sl_status settle(const conf *c, sl_value *v, sl_arena *arena, sl_error *err) {
    bool listed = v->type == SL_LIST && (c->many || !c->program);
    if (c->count == 2 && !listed) {
        sl_value *one = sl_arena_calloc(arena, 1, sizeof *one);
        if (!one) return sl_oom(err);
        *one = *v;
        *v = sl_list(one, v->type != SL_MISSING);
    } else if (c->count != 2 && listed && (c->count == 1 || v->n < 2)) {
        *v = v->n ? v->as.list[0] : sl_missing();
    }
    return SL_OK;
}

static sl_status results_of(const conf *c, state *st, sl_batch *b, sl_value *v, sl_error *err) {
    TRY(c->program ? sl_lua_values(st->lua, b, v, err) : sl_plugin_values(st->call, b, v, err));
    for (uint32_t i = 0; i < b->nsel; i++) TRY(settle(c, &v[sl_batch_row(b, i)], sl_batch_arena(b), err));
    return SL_OK;
}

static sl_status store_results(const conf *c, state *st, sl_batch *take, sl_out *out, sl_error *err) {
    sl_value *v = sl_arena_calloc(sl_batch_arena(take), take->nrows, sizeof *v);
    sl_status s = v ? results_of(c, st, take, v, err) : sl_oom(err);
    if (s == SL_OK) return sl_path_assign(&c->assign, take, v, sl_emit_batch, out, err);
    sl_batch_free(&take);
    return s;
}

static sl_status apply(const void *vconf, void *vstate, sl_batch *take, sl_out *out, sl_error *err) {
    const conf *c = vconf;
    state *st = vstate;
    take->bare = false;
    if (!c->emits) return store_results(c, st, take, out, err);
    uint32_t most = c->count == 1 ? 1 : UINT32_MAX;
    return c->program ? sl_lua_items(st->lua, take, c->many ? most : 0, out, err)
                      : sl_plugin_items(st->call, take, most, out, err);
}

static sl_status start(const void *vconf, void **out, sl_error *err) {
    const conf *c = vconf;
    state *st = *out = calloc(1, sizeof *st);
    if (!st) return sl_oom(err);
    return c->program ? sl_lua_open(c->program, &st->lua, err) : sl_plugin_open(&c->library, &st->call, err);
}

static void stop(void *vstate) {
    state *st = vstate;
    sl_lua_free(&st->lua);
    sl_plugin_close(&st->call);
    free(st);
}

static sl_status prepare_plugin(conf *c, const sl_step_info *info, sl_error *err) {
    c->plugin.function = c->function.function;
    if (c->many)
        return sl_fail(err, SL_E_PLAN,
                       "'many' is for Lua: a function of a plugin makes any number of results");
    return sl_plugin_load(&c->plugin, SL_PLUGIN_ITEM, info, &c->library, err);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->emits = info->emit != 0;
    c->count = info->count;
    sl_text assign = info->assign ? sl_text_of(info->assign) : SL_TEXT("udf");
    TRY(sl_path_compile(&c->assign, assign, info->env->dialect, info->arena, err));
    TRY(sl_plugin_check(&c->plugin, sl_lua_given(&c->function), err));
    if (c->plugin.plugin.s) return prepare_plugin(c, info, err);
    if (!sl_lua_given(&c->function) && c->function.function.n)
        return sl_plugin_of_host(c->function.function, info, &c->library, err);
    if (!sl_lua_given(&c->function))
        return sl_fail(err, SL_E_PLAN, "no function: give 'lua', or 'file' and 'function', or 'plugin'");
    return sl_lua_prepare(&c->function, SL_LUA_ITEM, info, &c->program, err);
}

static void destroy(void *vconf) {
    sl_plugin_unload(&((conf *)vconf)->library);
}

static const sl_option options[] = {
    SL_LUA_OPTIONS(conf, function, "function body or expression over 'item'", "10"),
    SL_LUA_FILE_OPTIONS(conf, function),
    {.name = "many",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, many),
     .fallback = "false",
     .help = "a list that the function returns is several results"},
    SL_PLUGIN_OPTIONS(conf, plugin),
    {0},
};

const sl_pipe sl_pipe_udf = {
    .name = "udf",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Calls a function of yours with each item",
    .details =
        "The Lua text is an expression (item.a * item.b) or the body of a function (return {total = item.a * "
        "item.b}); or 'function' of 'file' is called with the item. What it returns is emitted: a table with "
        "texts as keys is an item, a table 1..n a list, anything else a bare value; nil is no item, the "
        "value "
        "`null` is null. It may set fields of the item and return the item. With emit false the result is "
        "stored in the field 'assign' names, of several the list; count first keeps the first of several.\n\n"
        "CSV fields are strings, which Lua makes numbers in arithmetic, but not in comparisons: "
        "tonumber(item.a) > 5. Numbers without a fraction up to 2^53 become integers; numbers that a double "
        "would "
        "change (integers from 2^53 on, 12345678901234567.89), decimals and dates "
        "are handed over as text. Fields come in the order of the item, then in that of the function's "
        "text.\n\n"
        "Each worker has a state of its own, and which items it gets is not known, so a function cannot set "
        "globals, and there is no math.random. There is no os, io, ffi, package, debug or load either, "
        "unless "
        "--unsafe-lua is given.\n\n"
        "Or the function is one of a shared library in C, 'function' of 'plugin' (the only one by default), "
        "which "
        "gets 'conf' and emits any number of results for an item; memory and timeout do not bound it. A "
        "plugin with a slash in "
        "its name is looked up from the folder of the definition, others by the dynamic loader. "
        "sluice_plugin.h says how to "
        "write one; --no-plugins forbids them. 'function' alone names one that the program which runs the "
        "pipeline has given "
        "(sl_pipeline_function). docs/user-functions.md has more.",
    .example = "itembuilder attrs.0.key=a attrs.0.value=2 | udf lua='item.a * 3'",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "lua",
    .flags = SL_PIPE_EMITS | SL_PIPE_NO_FIELD | SL_PIPE_VALUE,
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .destroy = destroy,
    .start = start,
    .stop = stop,
    .apply = apply,
};
