/* prepare.c: from a graph to compiled confs. Nodes are prepared in topological order, because what a node may expect of its
 * items (can they come from the network?) depends on the nodes before it. A conf that refers to the item is parsed here too,
 * with its open places left out, so that `check` finds its other mistakes. */
#include "plan/internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/tempfile.h"

static unsigned cores(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 1024 ? 1024 : (unsigned)n;
}

enum { LEAST_UNIT = 32 << 10, UNIT_PART = 16 };

/* Units under way, read and written, must not need what the memory setting leaves to pipes that gather. */
static uint64_t unit_size(const sl_plan *p, unsigned workers) {
    const sl_settings *s = &p->settings;
    uint64_t jobs = 2 * (uint64_t)workers + 1, most = s->memory / (UNIT_PART * jobs);
    if (most < LEAST_UNIT) most = LEAST_UNIT;
    return s->unit < most || sl_settings_given(s, SL_TEXT("unit")) ? s->unit : most;
}

static void fill_env(sl_plan *p, const sl_env *given) {
    const sl_settings *s = &p->settings;
    sl_env *env = &p->env;
    *env = given ? *given : (sl_env){.now = sl_clock_epoch()};
    env->dialect = (sl_dialect)s->dialect;
    env->memory = (size_t)s->memory;
    if (!env->workers) env->workers = !s->parallel ? 1 : s->workers ? s->workers : cores();
    env->shared = !s->parallel || s->threads;
    env->base_dir = p->base_dir;
    env->unit = unit_size(p, env->workers);
    env->connections = s->connections;
    env->per_host = s->per_host;
    env->ordered = s->ordered;
    env->keep_going = s->keep_going;
    env->web = &p->web;
    env->allow_files = s->allow_files;
    env->test = s->test;
    env->unsafe_lua = s->unsafe_lua;
    env->no_exec = s->no_exec;
    env->no_plugins = s->no_plugins;
    if (env->inputs.type != SL_MAP) env->inputs = p->inputs;
    if (!env->tmpdir) env->tmpdir = sl_tempfile_folder();
}

/* A nested subpipe runs in one worker of many, inline, and has its share of the memory. */
void sl_plan_inherit_env(sl_plan *sub) {
    sl_env *env = &sub->env;
    *env = sub->parent->env;
    env->dialect = (sl_dialect)sub->settings.dialect;
    env->base_dir = sub->base_dir;
    if (!sub->nested) return;
    env->memory = sl_env_share(&sub->parent->env);
    env->workers = 1;
    env->shared = true;
    env->http = NULL;
}

void sl_plan_share_env(sl_plan *p) {
    for (sl_plan *sub = p->subs; sub; sub = sub->sibling) {
        sl_plan_inherit_env(sub);
        sl_plan_share_env(sub);
    }
}

/* The node that stands for the pipeline's result. */
static sl_status make_output(sl_plan *p, sl_error *err) {
    if (!p->tail) return sl_plan_fail(p, NULL, err, "the pipeline has no steps");
    TRY(sl_plan_node(p, SL_TEXT("_OUTPUT"), SL_TEXT("output"), &p->output, err));
    p->output->pipe = NULL;
    return sl_node_wire(p, p->output, SL_PORT_INPUT, p->tail, (sl_text){0}, err);
}

static void count_consumers(sl_plan *p) {
    for (uint32_t i = 0; i < p->nnodes; i++) p->nodes[i]->nconsumers = 0;
    for (uint32_t i = 0; i < p->nnodes; i++)
        for (uint32_t k = 0; k < p->nodes[i]->ninputs; k++) p->nodes[i]->inputs[k].from->nconsumers++;
}

/* Call options as C strings in an arena that lives as long as the plan. */
static sl_status call_option(sl_plan *p, sl_text t, const char **out, sl_error *err) {
    if (!t.s) return SL_OK;
    *out = sl_arena_strndup(&p->arena, t.s, t.n);
    return *out ? SL_OK : sl_oom(err);
}

static sl_value url_of(const sl_node *node) {
    for (uint32_t i = 0; node->conf.type == SL_MAP && i < node->conf.n; i++) {
        sl_text key = node->conf.as.map[i].key;
        if (sl_text_eq_nocase(key, SL_TEXT("url"))) return node->conf.as.map[i].value;
    }
    return sl_missing();
}

static bool is_web_url(sl_value v) {
    sl_text t = sl_is_text(v) ? sl_bytes(v) : (sl_text){0};
    return t.n > 4 && sl_text_eq_nocase((sl_text){t.s, 4}, SL_TEXT("http"));
}

/* Whether what comes out of NODE may have come from the network, its inputs being known. */
static void trace_network(sl_node *node) {
    sl_value url = url_of(node);
    bool source = node->pipe->source != NULL;
    node->info.url_from_data = source && url.type == SL_MAP;
    for (uint32_t i = 0; i < node->ninputs; i++) {
        if (node->inputs[i].from->networked) node->info.networked = true;
    }
    node->networked = node->info.networked || node->info.url_from_data || (source && is_web_url(url));
}

static sl_status fill_info(sl_node *node, sl_error *err) {
    node->info = (sl_step_info){
        .env = &node->home->env,
        .arena = &node->home->arena,
        .emit = node->loop ? -1 : node->emit,
        .count = node->count,
        .has_input = node->ninputs && node->inputs[0].port == SL_PORT_INPUT,
    };
    trace_network(node);
    TRY(call_option(node->home, node->field, &node->info.field, err));
    return call_option(node->home, node->assign, &node->info.assign, err);
}

/* A dynamic conf is parsed too, with its open places left out, to find what is wrong with the rest. */
static sl_status compile(sl_node *node, sl_error *err) {
    sl_text bad = {0};
    sl_value conf = node->conf;
    sl_arena *arena = &node->home->arena;
    const sl_pipe *pipe = node->pipe;
    if (node->dynamic) TRY(sl_conf_blank(&conf, arena, err));
    void *compiled = sl_arena_calloc(arena, 1, pipe->conf_size ? pipe->conf_size : 1);
    if (!compiled) return sl_oom(err);
    bool nocase = node->home->settings.dialect == SL_RIKO;
    sl_status status = sl_options_parse(pipe->options, conf, nocase, compiled, arena, &bad, err);
    if (status == SL_OK && !node->dynamic) {
        node->compiled = compiled;
        if (pipe->prepare) status = pipe->prepare(compiled, &node->info, err);
    }
    if (status == SL_OK) node->in_order = pipe->in_order && pipe->in_order(compiled);
    return status == SL_OK ? SL_OK : sl_node_blame(node, bad, status, err);
}

/* The subpipe of a loop: what its items may hold is known only now. */
static sl_status compile_nested(sl_node *node, sl_error *err) {
    sl_plan *sub = node->nested;
    if (!sub) return SL_OK;
    if (sub->caller) sub->caller->networked = node->info.networked;
    TRY(sl_plan_compile(sub, err));
    node->networked |= sub->tail->networked;
    return SL_OK;
}

static sl_status resolve_confs(sl_plan *p, sl_error *err) {
    for (uint32_t i = 0; i < p->nnodes; i++) {
        sl_node *node = p->nodes[i];
        if (!node->pipe) continue;
        sl_status status = sl_conf_resolve(node->home, node, err);
        if (status != SL_OK) return sl_node_blame(node, (sl_text){0}, status, err);
    }
    return SL_OK;
}

sl_status sl_plan_compile(sl_plan *p, sl_error *err) {
    TRY(make_output(p, err));
    TRY(sl_graph_order(p, p->output, err));
    TRY(resolve_confs(p, err));
    count_consumers(p);
    for (uint32_t i = 0; i < p->nnodes; i++) {
        if (!p->nodes[i]->pipe) continue; /* the output, the caller of a subpipe */
        TRY(fill_info(p->nodes[i], err));
        TRY(compile(p->nodes[i], err));
        TRY(compile_nested(p->nodes[i], err));
        TRY(sl_node_skips(p->nodes[i], err));
    }
    return SL_OK;
}

sl_status sl_plan_expand(sl_plan *p, sl_error *err) {
    TRY(sl_expand_mail(p, err));
    TRY(sl_expand_loops(p, err));
    TRY(sl_expand_subpipes(p, err));
    return sl_expand_urls(p, err);
}

static sl_status prepare(sl_plan *p, const sl_env *env, sl_error *err) {
    fill_env(p, env);
    TRY(sl_expand_sources(p, err));
    TRY(sl_plan_expand(p, err));
    return sl_plan_compile(p, err);
}

sl_status sl_plan_prepare(sl_plan *p, const sl_env *env, sl_error *err) {
    if (p->failure.code == SL_OK) {
        if (p->output) return sl_fail(err, SL_E_INTERNAL, "the plan is prepared already");
        if (prepare(p, env, &p->failure) == SL_OK) return SL_OK;
    }
    if (err && err->code == SL_OK) *err = p->failure;
    return p->failure.code;
}
