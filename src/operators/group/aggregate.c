/* aggregate: several results for each combination of values of some fields, folded in the workers; or what a function of the user's
 * makes of the whole stream, in the coordinator. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/group/grouping.h"
#include "operators/lua/lua.h"
#include "operators/call/plugin.h"

typedef struct op {
    int op;
    sl_text field, as;
} op;

typedef struct conf {
    sl_grouping grouping; /* first: the fold's conf */
    sl_texts by;
    sl_rules ops;
    sl_lua_conf function;
    sl_plugin_conf plugin;
    /* prepared, one of them when a function is given: */
    const sl_lua_program *program;
    sl_plugin_program library;
} conf;

static sl_status emit(const sl_grouping *g, const sl_value *keys, const sl_value *results, sl_builder *to,
                      sl_arena *arena, sl_error *err) {
    (void)arena;
    TRY(sl_builder_row(to, err));
    sl_arena *a = sl_builder_arena(to);
    sl_value v;
    for (uint32_t i = 0; i < g->nby; i++) {
        if (keys[i].type == SL_MISSING) continue;
        TRY(sl_value_copy(&v, keys[i], a, err));
        TRY(sl_builder_put(to, g->by_names[i], v, err));
    }
    for (uint32_t c = 0; c < g->ncolumns; c++) {
        TRY(sl_value_copy(&v, results[c], a, err));
        TRY(sl_builder_put(to, g->columns[c].name, v, err));
    }
    return SL_OK;
}

static sl_status column_of(const op *o, const sl_step_info *info, sl_group_column *c, sl_error *err) {
    const char *name = sl_aggregate_names[o->op];
    const sl_aggregate *a = sl_aggregates[o->op];
    if (!o->field.n && !a->bare) return sl_fail(err, SL_E_PLAN, "op '%s' needs a field", name);
    *c = (sl_group_column){.op = a, .name = o->as, .riko = info->env->dialect == SL_RIKO};
    if (!c->name.n && !o->field.n)
        c->name = sl_text_of(name);
    else if (!c->name.n)
        c->name = sl_arena_printf(info->arena, "%s_%.*s", name, (int)o->field.n, o->field.s);
    if (!c->name.s) return sl_oom(err);
    return o->field.n ? sl_path_compile(&c->path, o->field, info->env->dialect, info->arena, err) : SL_OK;
}

/* ---- a function --------------------------------------------------------------------------------------------------------- */

/* What runs: one of the two. */
typedef struct running {
    sl_lua *lua;
    sl_plugin_call *call;
} running;

static bool by_function(const void *vconf) {
    const conf *c = vconf;
    return sl_lua_given(&c->function) || c->plugin.plugin.s;
}

static sl_status open_function(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    const conf *c = vconf;
    running *r = *out = calloc(1, sizeof *r);
    (void)env;
    if (!r) return sl_oom(err);
    return c->program ? sl_lua_open(c->program, &r->lua, err) : sl_plugin_open(&c->library, &r->call, err);
}

static sl_status gather(void *vrunning, sl_batch *take, sl_out *out, sl_error *err) {
    running *r = vrunning;
    (void)out;
    sl_status s = r->lua ? sl_lua_gather(r->lua, take, err) : sl_plugin_gather(r->call, take, err);
    sl_batch_free(&take);
    return s;
}

static sl_status finish(void *vrunning, sl_out *out, sl_error *err) {
    running *r = vrunning;
    sl_status s = r->lua ? sl_lua_result(r->lua, out, err) : sl_plugin_result(r->call, out, err);
    return s == SL_OK ? SL_DONE : s;
}

static void close_function(void *vrunning) {
    running *r = vrunning;
    if (!r) return;
    sl_lua_free(&r->lua);
    sl_plugin_close(&r->call);
    free(r);
}

static const sl_serial serial = {
    .open = open_function, .pass = gather, .finish = finish, .close = close_function};

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static sl_status prepare_groups(conf *c, const sl_step_info *info, sl_error *err) {
    sl_group_column *columns = sl_arena_calloc(info->arena, c->ops.n + 1, sizeof *columns);
    sl_path *by = sl_arena_calloc(info->arena, c->by.n + 1, sizeof *by);
    if (!columns || !by) return sl_oom(err);
    for (uint32_t i = 0; i < c->by.n; i++)
        TRY(sl_path_compile(&by[i], c->by.v[i], info->env->dialect, info->arena, err));
    for (uint32_t i = 0; i < c->ops.n; i++) TRY(column_of((const op *)c->ops.v + i, info, &columns[i], err));
    c->grouping = (sl_grouping){.by = by,
                                .by_names = c->by.v,
                                .nby = c->by.n,
                                .columns = columns,
                                .ncolumns = c->ops.n,
                                .always = c->by.n == 0,
                                .emit = emit,
                                .owner = c};
    return SL_OK;
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    bool groups = c->ops.n + c->by.n > 0, function = by_function(c);
    TRY(sl_plugin_check(&c->plugin, sl_lua_given(&c->function), err));
    if (groups && function)
        return sl_fail(err, SL_E_PLAN,
                       "give a function ('lua', 'file', 'plugin') or groups ('by', 'ops'), not both");
    if (!groups && !function)
        return sl_fail(err, SL_E_PLAN,
                       "nothing to do: give 'by', 'ops' or both, or a function ('lua', 'file', 'plugin')");
    if (groups) return prepare_groups(c, info, err);
    c->plugin.function = c->function.function;
    if (c->plugin.plugin.s) return sl_plugin_load(&c->plugin, SL_PLUGIN_STREAM, info, &c->library, err);
    return sl_lua_prepare(&c->function, SL_LUA_STREAM, info, &c->program, err);
}

static void destroy(void *vconf) {
    sl_plugin_unload(&((conf *)vconf)->library);
}

static const sl_option op_options[] = {
    {.name = "op",
     .type = SL_OPT_ENUM,
     .offset = offsetof(op, op),
     .names = sl_aggregate_names,
     .flags = SL_OPT_REQUIRED,
     .help = sl_aggregate_help},
    {.name = "field",
     .type = SL_OPT_PATH,
     .offset = offsetof(op, field),
     .help = "field it works on; count does without"},
    {.name = "as",
     .type = SL_OPT_TEXT,
     .offset = offsetof(op, as),
     .help = "name of the result; default: op_field, or the op"},
    {0},
};

static const sl_option options[] = {
    {.name = "by",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(conf, by),
     .help = "fields whose values make a group; none: all items are one"},
    {.name = "ops",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, ops),
     .rules = op_options,
     .rule_size = sizeof(op),
     .flags = SL_OPT_SCALARS,
     .help = "what to compute for each group"},
    SL_LUA_OPTIONS(conf, function,
                   "in place of groups: function body or expression over 'items', all of them", "300"),
    SL_LUA_FILE_OPTIONS(conf, function),
    SL_PLUGIN_OPTIONS(conf, plugin),
    {0},
};

const sl_pipe sl_pipe_aggregate = {
    .name = "aggregate",
    .kind = SL_KIND_OPERATOR,
    .summary = "Counts, sums and more for each group of items",
    .details =
        "One item for each combination of values of the `by` fields, in order of first appearance: "
        "the fields, then a result for each "
        "op. Absent and empty values take no part, but for first and last. Groups beyond the memory setting "
        "go through temporary files.\n\n"
        "A function in Lua gets the list of all items, plain tables, and returns the items that take their "
        "place: a list of them, or one. It runs once, in order, and all items must fit its memory.\n\n"
        "A function in C, 'function' of 'plugin' (the only aggregate by default), sees the items one by one, "
        "in "
        "order, and makes the results at the end; what it keeps is its own affair. sluice_plugin.h says how "
        "to "
        "write one; --no-plugins forbids them.",
    .example = "itembuilder attrs.0.key=n attrs.0.value=2 | aggregate by=n ops.0.op=count",
    .flags = SL_PIPE_MAKES,
    .options = options,
    .conf_size = sizeof(conf),
    .main = "by",
    .prepare = prepare,
    .destroy = destroy,
    .fold = &sl_grouping_fold,
    .serial = &serial,
    .in_order = by_function,
};
