/* udf: the user's own function for each item, in Lua or in a shared library. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/lua_function.h"
#include "operators/plugin.h"

typedef struct conf {
    sl_lua_conf function;
    bool many;
    sl_text plugin;
    sl_value conf; /* for the plugin */
    /* prepared: */
    const sl_lua_program *program; /* NULL: the function is the library's */
    sl_plugin_program library;
    bool emits;
    sl_path assign;
} conf;

/* The state of a worker: one of the two. */
typedef struct state {
    sl_lua *lua;
    sl_plugin_call *call;
} state;

static sl_status store_results(const conf *c, state *st, sl_batch *take, sl_out *out, sl_error *err) {
    sl_value *v = sl_arena_calloc(sl_batch_arena(take), take->nrows, sizeof *v);
    sl_status s = !v           ? sl_oom(err)
                  : c->program ? sl_lua_values(st->lua, take, v, err)
                               : sl_plugin_values(st->call, take, v, err);
    if (s == SL_OK) return sl_path_assign(&c->assign, take, v, sl_emit_batch, out, err);
    sl_batch_free(&take);
    return s;
}

static sl_status apply(const void *vconf, void *vstate, sl_batch *take, sl_out *out, sl_error *err) {
    const conf *c = vconf;
    state *st = vstate;
    take->bare = false;
    if (!c->emits) return store_results(c, st, take, out, err);
    return c->program ? sl_lua_items(st->lua, take, c->many, out, err)
                      : sl_plugin_items(st->call, take, out, err);
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
    sl_plugin_conf given = {c->plugin, c->function.function, c->conf};
    if (sl_lua_given(&c->function)) return sl_fail(err, SL_E_PLAN, "give one of 'lua', 'file' and 'plugin'");
    if (c->many)
        return sl_fail(err, SL_E_PLAN,
                       "'many' is for Lua: a function of a plugin makes any number of results");
    return sl_plugin_load(&given, info, &c->library, err);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->emits = info->emit != 0;
    sl_text assign = info->assign ? sl_text_of(info->assign) : SL_TEXT("udf");
    TRY(sl_path_compile(&c->assign, assign, info->env->dialect, info->arena, err));
    if (c->plugin.s) return prepare_plugin(c, info, err);
    if (!sl_lua_given(&c->function))
        return sl_fail(err, SL_E_PLAN, "no function: give 'lua', or 'file' and 'function', or 'plugin'");
    if (c->conf.type != SL_MISSING) return sl_fail(err, SL_E_PLAN, "'conf' goes with 'plugin'");
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
    {.name = "plugin",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, plugin),
     .help = "shared library that has the function, such as ./libx.so"},
    {.name = "conf",
     .type = SL_OPT_VALUE,
     .offset = offsetof(conf, conf),
     .help = "an object for the function of the plugin"},
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
        "stored in the field 'assign' names.\n\n"
        "CSV fields are strings, which Lua makes numbers in arithmetic, but not in comparisons: "
        "tonumber(item.a) > 5. Numbers without a fraction up to 2^53 become integers; integers from 2^53 on, "
        "decimals and dates "
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
        "write one; --no-plugins forbids them. docs/user-functions.md has more.",
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
