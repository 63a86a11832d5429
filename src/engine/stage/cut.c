/* cut.c: the graph of a plan cut into stages, from the output back to the sources.
 *
 * Each node adds to the flow that comes into it: a branch, a step of all its branches, or an end, which makes a stage of the flow and starts
 * a new one that reads the stage's result. So what needs no cut is never cut, and a union costs a branch and no stage. */
#include "engine/stage/cut.h"

#include <assert.h>

#include "base/error.h"

/* What a run takes besides: the program and its libraries, and for each unit under way its bytes, what is read from them and what is
 * written of them. */
enum { PROGRAM_BYTES = 16 << 20, UNIT_COPIES = 4 };

typedef struct planner {
    sl_plan *plan;
    sl_arena *arena;
    sl_stages *stages;
    sl_stage **spools; /* [node index]: the spool of a node with several readers, once made */
    sl_error *err;
} planner;

/* A stream under construction: branches that have not ended yet. */
typedef struct flow {
    sl_branch *v;
    uint32_t n, cap;
} flow;

static sl_status flow_of(planner *p, const sl_node *node, flow *out);

/* Room for one more element of SIZE in an arena array of N; NULL when memory is out. */
static void *grown(sl_arena *a, void *v, uint32_t n, uint32_t *cap, size_t size) {
    if (n < *cap) return v;
    uint32_t wider = *cap ? *cap * 2 : 4;
    void *w = sl_arena_calloc(a, wider, size);
    if (!w) return NULL;
    if (n) memcpy(w, v, n * size);
    *cap = wider;
    return w;
}

static sl_status add_branch(planner *p, flow *f, sl_branch b) {
    sl_branch *v = grown(p->arena, f->v, f->n, &f->cap, sizeof *v);
    if (!v) return sl_oom(p->err);
    f->v = v;
    f->v[f->n++] = b;
    return SL_OK;
}

static sl_status add_intake(planner *p, flow *f, sl_intake intake) {
    return add_branch(p, f, (sl_branch){.intake = intake});
}

static sl_status add_result(planner *p, flow *f, sl_intake_kind kind, const sl_stage *of) {
    return add_intake(p, f, (sl_intake){.kind = kind, .stage = of->id});
}

static sl_status add_step(planner *p, flow *f, sl_step step) {
    for (uint32_t i = 0; i < f->n; i++) {
        sl_branch *b = &f->v[i];
        sl_step *v = grown(p->arena, b->steps, b->nsteps, &b->cap, sizeof *v);
        if (!v) return sl_oom(p->err);
        b->steps = v;
        b->steps[b->nsteps++] = step;
    }
    return SL_OK;
}

const char *sl_end_reason(sl_end_kind end) {
    static const char *const reasons[] = {"sees the items in order",
                                          "takes an element of a terminal an item",
                                          "gives its results as a value",
                                          "has to see all items",
                                          "is the second stream of a join",
                                          "has several readers",
                                          "is the result"};
    return reasons[end];
}

static void tell_cut(const planner *p, const sl_stage *s) {
    const sl_node *node = s->end.node;
    if (node)
        SL_TRACE(p->plan->env.log, stage, "%u cut at step %d (%s): it %s", s->id + 1, node->step,
                 node->pipe->name, sl_end_reason(s->end.kind));
    else
        SL_TRACE(p->plan->env.log, stage, "%u cut: it %s", s->id + 1, sl_end_reason(s->end.kind));
}

/* Ends F as a stage of its own. */
static sl_status end_flow(planner *p, flow *f, sl_end_kind end, const sl_node *node, sl_stage **out) {
    sl_stages *all = p->stages;
    sl_stage *s = sl_arena_calloc(p->arena, 1, sizeof *s);
    sl_stage **v = grown(p->arena, all->v, all->n, &all->cap, sizeof *v);
    if (!s || !v) return sl_oom(p->err);
    all->v = v;
    *s = (sl_stage){.id = all->n, .branches = f->v, .nbranches = f->n, .end = {.kind = end, .node = node}};
    all->v[all->n++] = s;
    assert(all->v[s->id] == s && all->n <= all->cap);
    *out = s;
    tell_cut(p, s);
    return SL_OK;
}

/* Ends F, and makes the stage's result the new F. */
static sl_status cut_flow(planner *p, flow *f, sl_end_kind end, const sl_node *node, sl_stage **out) {
    TRY(end_flow(p, f, end, node, out));
    *f = (flow){0};
    return add_result(p, f, SL_INTAKE_STAGE, *out);
}

static const sl_wire *wire_of(const sl_node *node, sl_port port) {
    for (uint32_t i = 0; i < node->ninputs; i++)
        if (node->inputs[i].port == port) return &node->inputs[i];
    return NULL;
}

static sl_status input_flow(planner *p, const sl_node *node, flow *out) {
    const sl_wire *w = wire_of(node, SL_PORT_INPUT);
    return w ? flow_of(p, w->from, out) : SL_OK;
}

/* The streams bound to terminals of NODE become stages that END pulls from. */
static sl_status bind_terminals(planner *p, sl_end *end, const sl_node *node) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->ninputs; i++) n += node->inputs[i].port == SL_PORT_TERMINAL;
    if (!n) return SL_OK;
    end->terminals = sl_arena_calloc(p->arena, n, sizeof *end->terminals);
    end->terminal_names = sl_arena_calloc(p->arena, n, sizeof *end->terminal_names);
    if (!end->terminals || !end->terminal_names) return sl_oom(p->err);
    for (uint32_t i = 0; i < node->ninputs; i++) {
        const sl_wire *w = &node->inputs[i];
        if (w->port != SL_PORT_TERMINAL) continue;
        flow f = {0};
        sl_stage *terminal;
        TRY(flow_of(p, w->from, &f));
        TRY(end_flow(p, &f, SL_END_OUTPUT, NULL, &terminal));
        end->terminals[end->nterminals] = terminal->id;
        end->terminal_names[end->nterminals++] = w->terminal;
    }
    return SL_OK;
}

/* A processor whose conf takes one terminal element per item: a stage end that lays the elements beside the items. */
static sl_status zip_terminals(planner *p, const sl_node *node, flow *f) {
    if (!node->dynamic || !wire_of(node, SL_PORT_TERMINAL)) return SL_OK;
    sl_stage *s;
    TRY(cut_flow(p, f, SL_END_ZIP, node, &s));
    return bind_terminals(p, &s->end, node);
}

static sl_status refuse(const planner *p, const sl_node *node, const char *why) {
    sl_status s = sl_fail(p->err, SL_E_PLAN, "%s", why);
    sl_error_at(p->err, node->home->file, node->line, node->column);
    sl_error_step(p->err, node->step, node->pipe->name);
    return s;
}

static sl_status check_step(planner *p, const sl_node *node) {
    sl_status s = sl_step_check(node, p->err);
    if (s == SL_OK) return SL_OK;
    sl_error_at(p->err, p->plan->file, node->line, node->column);
    sl_error_step(p->err, node->step, node->pipe->name);
    return s;
}

/* A processor that nothing is wired to runs once, on an empty item; a loop is an operator, whose stream is empty then. */
static sl_status flow_of_processor(planner *p, const sl_node *node, sl_step_kind kind, flow *f) {
    TRY(check_step(p, node));
    if (wire_of(node, SL_PORT_INPUT) || node->loop)
        TRY(input_flow(p, node, f));
    else
        TRY(add_intake(p, f, (sl_intake){.kind = SL_INTAKE_ONE}));
    TRY(zip_terminals(p, node, f));
    return add_step(p, f, (sl_step){.kind = kind, .node = node});
}

static sl_status flow_of_nested(planner *p, const sl_node *node, flow *f) {
    sl_stages *nested = sl_arena_calloc(p->arena, 1, sizeof *nested);
    if (!nested) return sl_oom(p->err);
    TRY(sl_stages_make(node->nested, nested, p->err));
    TRY(input_flow(p, node, f));
    return add_step(p, f, (sl_step){.kind = SL_STEP_EACH, .node = node, .nested = nested});
}

static sl_status flow_of_source(planner *p, const sl_node *node, flow *f) {
    bool alone = !node->loop && !node->skip.n && !wire_of(node, SL_PORT_INPUT);
    if (alone && !node->dynamic && node->emit != 0 && node->count == 0)
        return add_intake(p, f, (sl_intake){.kind = SL_INTAKE_SOURCE, .source = node});
    return flow_of_processor(p, node, SL_STEP_FETCH, f);
}

static sl_status flow_of_union(planner *p, const sl_node *node, flow *f) {
    TRY(input_flow(p, node, f));
    for (uint32_t i = 0; i < node->ninputs; i++) {
        if (node->inputs[i].port != SL_PORT_OTHERS) continue;
        flow more = {0};
        TRY(flow_of(p, node->inputs[i].from, &more));
        for (uint32_t b = 0; b < more.n; b++) TRY(add_branch(p, f, more.v[b]));
    }
    return SL_OK;
}

static sl_status flow_of_lookup(planner *p, const sl_node *node, flow *f) {
    const sl_wire *other = wire_of(node, SL_PORT_OTHER);
    if (!other) other = wire_of(node, SL_PORT_OTHERS);
    if (!other) return refuse(p, node, "no second stream: wire one to its port 'other'");
    flow second = {0};
    sl_stage *table;
    TRY(flow_of(p, other->from, &second));
    TRY(end_flow(p, &second, SL_END_LOOKUP, node, &table));
    TRY(bind_terminals(p, &table->end, node));
    TRY(input_flow(p, node, f));
    return add_step(p, f, (sl_step){.kind = SL_STEP_PROBE, .node = node, .table = table->id});
}

/* The one stage F consists of when it is nothing but that stage's result. */
static sl_stage *bare_result(const planner *p, const flow *f) {
    bool bare = f->n == 1 && f->v[0].intake.kind == SL_INTAKE_STAGE && f->v[0].nsteps == 0;
    return bare ? p->stages->v[f->v[0].intake.stage] : NULL;
}

static sl_status flow_of_serial(planner *p, const sl_node *node, flow *f) {
    const sl_serial *serial = node->pipe->serial;
    TRY(input_flow(p, node, f));
    sl_stage *before = bare_result(p, f);
    const sl_node *fold = before && before->end.kind == SL_END_FOLD ? before->end.node : NULL;
    if (fold && serial->needs && !node->dynamic && !fold->dynamic && fold->nconsumers <= 1 &&
        fold->pipe->fold->limit && serial->needs(node->compiled))
        fold->pipe->fold->limit(fold->compiled, serial->needs(node->compiled));
    if (serial->pure && !node->dynamic) TRY(add_step(p, f, (sl_step){.kind = SL_STEP_PURE, .node = node}));
    sl_stage *s;
    TRY(cut_flow(p, f, SL_END_SERIAL, node, &s));
    return bind_terminals(p, &s->end, node);
}

static sl_status flow_of_fold(planner *p, const sl_node *node, flow *f) {
    TRY(input_flow(p, node, f));
    sl_stage *s;
    TRY(cut_flow(p, f, SL_END_FOLD, node, &s));
    return bind_terminals(p, &s->end, node);
}

static sl_status flow_of_apply(planner *p, const sl_node *node, flow *f) {
    if (node->pipe->kind == SL_KIND_PROCESSOR) {
        bool own = (node->pipe->flags & SL_PIPE_VALUE) && !node->loop; /* emits and assigns itself */
        bool by_item =
            node->dynamic || (node->emit == 0 && !own) || node->skip.n || (node->loop && node->count == 1);
        return flow_of_processor(p, node, by_item ? SL_STEP_EACH : SL_STEP_APPLY, f);
    }
    if (node->dynamic) return refuse(p, node, "its conf cannot come from items or terminals");
    TRY(input_flow(p, node, f));
    return add_step(p, f, (sl_step){.kind = SL_STEP_APPLY, .node = node});
}

/* An operator told not to emit stores each item it would emit under a key of a fresh item. */
static sl_status wrap_operator(planner *p, const sl_node *node, flow *f) {
    bool wraps = node->pipe && node->pipe->kind == SL_KIND_OPERATOR && node->emit == 0 && !node->loop &&
                 !(node->pipe->flags & SL_PIPE_VALUE);
    sl_stage *s;
    return wraps ? cut_flow(p, f, SL_END_WRAP, node, &s) : SL_OK;
}

static bool runs_in_order(const sl_node *node) {
    const sl_pipe *pipe = node->pipe;
    if (!pipe->serial) return false;
    if (!pipe->apply && !pipe->fold) return true;
    return node->in_order || (node->dynamic && pipe->apply);
}

static sl_status flow_of_pipe(planner *p, const sl_node *node, flow *f) {
    const sl_pipe *pipe = node->pipe;
    if (node == p->plan->caller) return add_intake(p, f, (sl_intake){.kind = SL_INTAKE_CALLER});
    if (!pipe) return input_flow(p, node, f); /* the output node */
    if (node->nested) return flow_of_nested(p, node, f);
    if (pipe->flags & SL_PIPE_OTHERS) return flow_of_union(p, node, f);
    if (pipe->kind == SL_KIND_SPLITTER) return input_flow(p, node, f);
    if (pipe->source) return flow_of_source(p, node, f);
    if (pipe->each) return flow_of_processor(p, node, SL_STEP_EACH, f);
    if (pipe->lookup) return flow_of_lookup(p, node, f);
    if (runs_in_order(node)) return flow_of_serial(p, node, f);
    if (pipe->fold) return flow_of_fold(p, node, f);
    return flow_of_apply(p, node, f);
}

static uint32_t index_of(const sl_plan *plan, const sl_node *node) {
    uint32_t i = 0;
    while (i < plan->nnodes && plan->nodes[i] != node) i++;
    return i;
}

/* The stream of NODE. One with several readers is made once, into a spool that each of them reads whole. */
static sl_status flow_of(planner *p, const sl_node *node, flow *out) {
    uint32_t at = index_of(p->plan, node);
    bool shared = node->nconsumers > 1 && at < p->plan->nnodes;
    assert(!out->n); /* what it gets is the stream, not more of one */
    if (shared && p->spools[at]) return add_result(p, out, SL_INTAKE_SPOOL, p->spools[at]);
    TRY(flow_of_pipe(p, node, out));
    TRY(wrap_operator(p, node, out));
    if (!shared) return SL_OK;
    TRY(end_flow(p, out, SL_END_SPOOL, NULL, &p->spools[at]));
    *out = (flow){0};
    return add_result(p, out, SL_INTAKE_SPOOL, p->spools[at]);
}

/* A truncate that is in no definition: --limit. */
static sl_status limit_flow(planner *p, flow *f, uint64_t limit) {
    const sl_pipe *pipe = sl_pipe_named(SL_TEXT("truncate"));
    sl_node *node = sl_arena_calloc(p->arena, 1, sizeof *node);
    sl_pair *count = sl_arena_calloc(p->arena, 1, sizeof *count);
    if (!pipe || !node || !count) return sl_oom(p->err);
    *count = (sl_pair){SL_TEXT("count"), sl_int((int64_t)limit)};
    *node = (sl_node){
        .home = p->plan, .id = SL_TEXT("limit"), .pipe = pipe, .emit = -1, .conf = sl_map(count, 1)};
    node->info = (sl_step_info){.env = &p->plan->env, .arena = p->arena, .emit = -1, .has_input = true};
    node->compiled = sl_arena_calloc(p->arena, 1, pipe->conf_size);
    if (!node->compiled) return sl_oom(p->err);
    TRY(sl_options_parse(pipe->options, node->conf, false, node->compiled, p->arena, NULL, p->err));
    if (pipe->prepare) TRY(pipe->prepare(node->compiled, &node->info, p->err));
    if (pipe->serial->pure) TRY(add_step(p, f, (sl_step){.kind = SL_STEP_PURE, .node = node}));
    sl_stage *s;
    return cut_flow(p, f, SL_END_SERIAL, node, &s);
}

sl_status sl_stages_make(sl_plan *plan, sl_stages *out, sl_error *err) {
    planner p = {.plan = plan, .arena = &plan->arena, .stages = out, .err = err};
    *out = (sl_stages){0};
    p.spools = sl_arena_calloc(p.arena, plan->nnodes + 1, sizeof *p.spools);
    if (!p.spools) return sl_oom(err);
    flow f = {0};
    TRY(flow_of(&p, plan->output, &f));
    if (plan->settings.limit) TRY(limit_flow(&p, &f, plan->settings.limit));
    return end_flow(&p, &f, SL_END_OUTPUT, NULL, &out->output);
}

/* ---- memory --------------------------------------------------------------------------------------------------------- */

bool sl_stage_gathers(const sl_stage *s) {
    sl_end_kind end = s->end.kind;
    if (end == SL_END_SERIAL) return s->end.node->pipe->serial->finish != NULL;
    return end == SL_END_FOLD || end == SL_END_LOOKUP || end == SL_END_SPOOL;
}

/* An eighth is left to what allocators lose; of a small setting a quarter stays. */
size_t sl_stages_memory(const sl_stages *s, const sl_env *env) {
    size_t jobs = 2 * (size_t)env->workers + 1, all = env->memory - env->memory / 8;
    size_t besides = PROGRAM_BYTES + jobs * env->unit * UNIT_COPIES, n = 0;
    size_t left = all > besides ? all - besides : 0;
    if (left < env->memory / 4) left = env->memory / 4;
    for (uint32_t i = 0; i < s->n; i++) n += sl_stage_gathers(s->v[i]);
    return n > 1 ? left / n : left;
}

const sl_step *sl_stage_find(const sl_stage *s, bool (*is)(const sl_step *step)) {
    for (uint32_t b = 0; b < s->nbranches; b++)
        for (uint32_t i = 0; i < s->branches[b].nsteps; i++)
            if (is(&s->branches[b].steps[i])) return &s->branches[b].steps[i];
    return NULL;
}
