/* udf: the user's own function for each item, in Lua. */
#include "base/error.h"
#include "operators/lua_function.h"

typedef struct conf {
    sl_lua_conf function;
    bool many;
    /* prepared: */
    const sl_lua_program *program;
    bool emits;
    sl_path assign;
} conf;

static sl_status store_results(const conf *c, sl_lua *l, sl_batch *take, sl_out *out, sl_error *err) {
    sl_value *v = sl_arena_calloc(sl_batch_arena(take), take->nrows, sizeof *v);
    sl_status s = v ? sl_lua_values(l, take, v, err) : sl_oom(err);
    if (s == SL_OK) return sl_path_assign(&c->assign, take, v, sl_emit_batch, out, err);
    sl_batch_free(&take);
    return s;
}

static sl_status apply(const void *vconf, void *state, sl_batch *take, sl_out *out, sl_error *err) {
    const conf *c = vconf;
    take->bare = false;
    return c->emits ? sl_lua_items(state, take, c->many, out, err) : store_results(c, state, take, out, err);
}

static sl_status start(const void *vconf, void **out, sl_error *err) {
    sl_lua *l = NULL;
    sl_status s = sl_lua_open(((const conf *)vconf)->program, &l, err);
    *out = l;
    return s;
}

static void stop(void *state) {
    sl_lua *l = state;
    sl_lua_free(&l);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->emits = info->emit != 0;
    if (!sl_lua_given(&c->function))
        return sl_fail(err, SL_E_PLAN, "no function: give 'lua', or 'file' and 'function'");
    sl_text assign = info->assign ? sl_text_of(info->assign) : SL_TEXT("udf");
    TRY(sl_path_compile(&c->assign, assign, info->env->dialect, info->arena, err));
    return sl_lua_prepare(&c->function, SL_LUA_ITEM, info, &c->program, err);
}

static const sl_option options[] = {
    SL_LUA_OPTIONS(conf, function, "function body or expression over 'item'", "10"),
    SL_LUA_FILE_OPTIONS(conf, function),
    {.name = "many",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, many),
     .fallback = "false",
     .help = "a list that the function returns is several results"},
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
        "--unsafe-lua is given. docs/user-functions.md has more.",
    .example = "itembuilder attrs.0.key=a attrs.0.value=2 | udf lua='item.a * 3'",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "lua",
    .flags = SL_PIPE_EMITS | SL_PIPE_NO_FIELD | SL_PIPE_VALUE,
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .apply = apply,
};
