/* loop.c: what a loop runs for each item. Over a processor it becomes that processor, under the rules of loops; over a subpipe it keeps
 * the definition, prepared, to be run by the worker that has the item. */
#include "base/error.h"
#include "plan/internal.h"

static bool is_loop(const sl_node *node) {
    return node->pipe && !node->loop && !node->nested && !strcmp(node->pipe->name, "loop");
}

bool sl_pipe_loopable(const sl_pipe *pipe) {
    return (pipe->kind == SL_KIND_SOURCE || pipe->kind == SL_KIND_PROCESSOR) &&
           !(pipe->flags & SL_PIPE_NO_LOOP);
}

/* Nothing but its input is left of NODE. */
static void pass_through(sl_node *node) {
    node->pipe = node->home->lookup(SL_TEXT("union"));
    node->conf = sl_map(NULL, 0);
    node->emit = -1;
    if (node->ninputs) node->ninputs = node->inputs[0].port == SL_PORT_INPUT;
}

/* Riko logs such a loop and hands its input on. */
static sl_status not_loopable(sl_node *node, sl_error *err) {
    sl_text embed = node->embed;
    if (node->home->settings.dialect == SL_RIKO) {
        TRY(sl_plan_warn(node, err, "'%.*s' cannot be run for each item: the loop passes its input through",
                         (int)embed.n, embed.s));
        pass_through(node);
        return node->pipe ? SL_OK : sl_fail(err, SL_E_INTERNAL, "no pipe 'union'");
    }
    sl_status status =
        sl_fail(err, SL_E_PLAN,
                "'%.*s' cannot be run for each item: a loop takes a processor, a source other than "
                "input, or a subpipe (pipe:ID)",
                (int)embed.n, embed.s);
    sl_node_point(node, "embed.type", err);
    return sl_node_blame(node, (sl_text){0}, status, err);
}

/* The conf and the terminals of a loop do not reach its subpipe. */
static sl_status over_subpipe(sl_node *node, sl_error *err) {
    TRY(sl_subpipe_conf(node, err));
    if (node->ninputs) node->ninputs = node->inputs[0].port == SL_PORT_INPUT;
    return sl_subpipe_nest(node, sl_subpipe_id(node->embed), err);
}

static sl_status expand(sl_node *node, sl_error *err) {
    if (!node->embed.s) {
        sl_status status = sl_fail(err, SL_E_PLAN, SL_LOOP_WITHOUT_EMBED);
        return sl_node_blame(node, (sl_text){0}, status, err);
    }
    TRY(sl_node_known(node, err));
    const sl_pipe *pipe = node->home->lookup(node->embed);
    if (!pipe) return over_subpipe(node, err);
    if (!sl_pipe_loopable(pipe)) return not_loopable(node, err);
    node->pipe = pipe;
    node->loop = true;
    return SL_OK;
}

sl_status sl_expand_loops(sl_plan *p, sl_error *err) {
    for (uint32_t i = 0; i < p->nnodes; i++)
        if (is_loop(p->nodes[i])) TRY(expand(p->nodes[i], err));
    return SL_OK;
}
