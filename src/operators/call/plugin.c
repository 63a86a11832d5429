/* plugin.c: shared libraries are loaded and asked for a function. */
#include "operators/call/plugin.h"

#include <dlfcn.h>

#include "base/error.h"
#include "base/ledger.h"
#include "plan/host.h"
#include "record/cast.h"

enum { MOST_CONF = 16 << 20, MOST_FUNCTIONS = 4096 };

/* Of a plugin when version 1 of the interface was new. */
#define FIRST_SIZE offsetof(sl_plugin, aggregates)

typedef const sl_plugin *entry(uint32_t host_version);

/* A name with a slash starts at the folder of the definition; others are for the dynamic loader to find. */
static sl_status open_library(sl_text name, const sl_step_info *info, void **out, sl_error *err) {
    const char *base = info->env->base_dir;
    if (!name.n || memchr(name.s, '\0', name.n))
        return sl_fail(err, SL_E_PLAN, "'plugin' is the file of a shared library, such as ./libx.so");
    bool relative = base && name.s[0] != '/' && memchr(name.s, '/', name.n);
    sl_text path = sl_arena_printf(info->arena, "%s%s%.*s", relative ? base : "", relative ? "/" : "",
                                   (int)name.n, name.s);
    if (!path.s) return sl_oom(err);
    if (memchr(name.s, '/', name.n)) sl_ledger_note_path(info->env->ledger, path.s);
    *out = dlopen(path.s, RTLD_NOW | RTLD_LOCAL);
    return *out ? SL_OK : sl_fail(err, SL_E_PLAN, "cannot load the plugin: %s", dlerror());
}

static sl_status ask(void *library, sl_text name, const sl_plugin **out, sl_error *err) {
    entry *f = NULL;
    void *symbol = dlsym(library, "sluice_plugin");
    if (!symbol)
        return sl_fail(err, SL_E_PLAN, "'%.*s' is no plugin: it does not export 'sluice_plugin'", (int)name.n,
                       name.s);
    memcpy(&f, &symbol, sizeof f); /* C has no cast from objects to functions */
    const sl_plugin *plugin = *out = f(SL_PLUGIN_ABI);
    if (!plugin)
        return sl_fail(err, SL_E_PLAN, "the plugin '%.*s' does not work with version %u of the interface",
                       (int)name.n, name.s, SL_PLUGIN_ABI);
    if (plugin->abi != SL_PLUGIN_ABI || plugin->size < FIRST_SIZE)
        return sl_fail(err, SL_E_PLAN,
                       "the plugin '%.*s' was made for version %u of the interface (%u bytes), not for "
                       "version %u (%zu bytes or more): compile it with the sluice_plugin.h of this sluice",
                       (int)name.n, name.s, plugin->abi, plugin->size, SL_PLUGIN_ABI, FIRST_SIZE);
    return SL_OK;
}

/* ---- its functions -------------------------------------------------------------------------------------------------------- */

/* The functions of one kind, of both kinds as aggregates. */
typedef struct choice {
    const sl_plugin *plugin;
    sl_plugin_role role;
    size_t n;
} choice;

/* A plugin made before there were aggregates ends before them. */
static size_t aggregates_of(const sl_plugin *p) {
    return p->size >= sizeof *p && p->aggregates ? p->naggregates : 0;
}

static choice functions_of(const sl_plugin *p, sl_plugin_role role) {
    size_t n = role == SL_PLUGIN_STREAM ? aggregates_of(p) : p->functions ? p->nfunctions : 0;
    return (choice){p, role, n};
}

static sl_plugin_aggregate function_at(choice c, size_t i) {
    if (c.role == SL_PLUGIN_STREAM) return c.plugin->aggregates[i];
    const sl_plugin_function *f = &c.plugin->functions[i];
    return (sl_plugin_aggregate){.name = f->name, .open = f->open, .item = f->item, .close = f->close};
}

static sl_status check_functions(choice c, sl_text name, sl_error *err) {
    bool stream = c.role == SL_PLUGIN_STREAM;
    for (size_t i = 0; i < c.n && c.n <= MOST_FUNCTIONS; i++) {
        sl_plugin_aggregate f = function_at(c, i);
        if (!f.name || !f.item || (stream && !f.result))
            return sl_fail(err, SL_E_PLAN, "the plugin '%.*s' has %s without 'name'%s", (int)name.n, name.s,
                           stream ? "an aggregate" : "a function",
                           stream ? ", 'item' or 'result'" : " or 'item'");
    }
    if (c.n && c.n <= MOST_FUNCTIONS) return SL_OK;
    return sl_fail(err, SL_E_PLAN, "the plugin '%.*s' has %zu functions for %s; it must have 1 to %d",
                   (int)name.n, name.s, c.n, stream ? "aggregate" : "udf", MOST_FUNCTIONS);
}

/* "'a', 'b' and 'c'" is more than a message needs: one near name, or the first. */
static sl_status no_function(choice all, const sl_plugin_conf *c, sl_arena *arena, sl_error *err) {
    const char **names = sl_arena_calloc(arena, all.n + 1, sizeof *names);
    if (!names) return sl_oom(err);
    for (size_t i = 0; i < all.n; i++) names[i] = function_at(all, i).name;
    const char *near = sl_text_nearest(c->function, names);
    return sl_fail(err, SL_E_PLAN, "the plugin '%.*s' has no function '%.*s' for %s%s'%s'%s",
                   (int)c->plugin.n, c->plugin.s, (int)c->function.n, c->function.s,
                   all.role == SL_PLUGIN_STREAM ? "aggregate" : "udf", near ? ", did you mean " : "; it has ",
                   near ? near : names[0],
                   near        ? "?"
                   : all.n > 1 ? " and others"
                               : "");
}

static sl_status choose(choice all, const sl_plugin_conf *c, sl_arena *arena, sl_plugin_aggregate *out,
                        sl_error *err) {
    TRY(check_functions(all, c->plugin, err));
    if (!c->function.s && all.n > 1)
        return sl_fail(err, SL_E_PLAN,
                       "the plugin '%.*s' has %zu functions: 'function' says which, such as '%s'",
                       (int)c->plugin.n, c->plugin.s, all.n, function_at(all, 0).name);
    for (size_t i = 0; i < all.n; i++) {
        *out = function_at(all, i);
        if (!c->function.s || sl_text_is(c->function, out->name)) return SL_OK;
    }
    return no_function(all, c, arena, err);
}

/* ---- loading --------------------------------------------------------------------------------------------------------------- */

static sl_status write_conf(sl_value conf, sl_arena *arena, const char **out, sl_error *err) {
    sl_buf json = {.limit = MOST_CONF};
    if (conf.type != SL_MISSING && conf.type != SL_MAP)
        return sl_fail(err, SL_E_PLAN, "'conf' is an object, not a %s", sl_type_name((sl_type)conf.type));
    sl_json_write(conf.type == SL_MAP ? conf : sl_map(NULL, 0), &json);
    sl_status s = sl_buf_check(&json, err);
    if (s == SL_OK) *out = sl_arena_strndup(arena, json.data, json.len);
    sl_buf_free(&json);
    return s == SL_OK && !*out ? sl_oom(err) : s;
}

/* Whether the function takes its conf is found out before any input is read. */
static sl_status try_out(const sl_plugin_program *p, sl_error *err) {
    sl_plugin_call *trial = NULL;
    sl_error why = {0};
    sl_status s = sl_plugin_open(p, &trial, &why);
    sl_plugin_close(&trial);
    if (s == SL_OK) return SL_OK;
    return sl_fail(err, s == SL_E_DATA ? SL_E_PLAN : s, "%s", why.text);
}

sl_status sl_plugin_check(const sl_plugin_conf *c, bool elsewhere, sl_error *err) {
    if (c->plugin.s && elsewhere) return sl_fail(err, SL_E_PLAN, "give one of 'lua', 'file' and 'plugin'");
    if (!c->plugin.s && c->conf.type != SL_MISSING)
        return sl_fail(err, SL_E_PLAN, "'conf' goes with 'plugin'");
    return SL_OK;
}

sl_status sl_plugin_load(const sl_plugin_conf *c, sl_plugin_role role, const sl_step_info *info,
                         sl_plugin_program *p, sl_error *err) {
    const sl_plugin *plugin = NULL;
    if (info->env->no_plugins)
        return sl_fail(err, SL_E_PLAN, "plugins are not allowed in this run (--no-plugins)");
    p->dialect = info->env->dialect;
    TRY(write_conf(c->conf, info->arena, &p->conf, err));
    TRY(open_library(c->plugin, info, &p->library, err));
    TRY(ask(p->library, c->plugin, &plugin, err));
    TRY(choose(functions_of(plugin, role), c, info->arena, &p->function, err));
    return try_out(p, err);
}

sl_status sl_plugin_of_host(sl_text name, const sl_step_info *info, sl_plugin_program *p, sl_error *err) {
    const sl_host *host = p->host = info->env->host;
    p->dialect = info->env->dialect;
    for (uint32_t i = 0; host && i < host->nfunctions; i++) {
        const sl_host_function *f = &host->functions[i];
        if (!sl_text_is(name, f->name)) continue;
        p->function = (sl_plugin_aggregate){.name = f->name, .item = f->fn};
        p->state = f->user;
        return SL_OK;
    }
    return sl_fail(
        err, SL_E_PLAN,
        "the program that runs the pipeline has no function '%.*s' (sl_pipeline_function); for one of a "
        "file or library give 'file' or 'plugin' too",
        (int)name.n, name.s);
}

void sl_plugin_unload(sl_plugin_program *p) {
    if (p->library) dlclose(p->library);
    p->library = NULL;
}
