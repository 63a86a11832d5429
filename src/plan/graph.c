#include "plan/internal.h"

#include <stdio.h>

#include "base/error.h"

enum { UNSEEN, OPEN, DONE }; /* node->mark */

typedef struct sorter {
    sl_node *stack[SL_MAX_NODES]; /* the path from the root to the node at hand */
    sl_node *order[SL_MAX_NODES];
    uint32_t depth, n;
    sl_error *err;
} sorter;

/* Names the modules on the stack from the second visit of BACK on. */
static sl_status report_cycle(const sorter *s, const sl_node *back) {
    char names[400];
    size_t n = 0;
    uint32_t i = s->depth;
    const sl_node *node;
    do {
        node = s->stack[--i];
        int more = snprintf(names + n, sizeof names - n, "'%.*s' -> ", (int)node->id.n, node->id.s);
        if (more > 0 && (size_t)more < sizeof names - n) n += (size_t)more;
    } while (node != back);
    names[n] = 0;
    node = s->stack[s->depth - 1];
    sl_status status = sl_fail(s->err, SL_E_PLAN, "the modules feed each other in a circle: %s'%.*s'", names,
                               (int)node->id.n, node->id.s);
    sl_error_at(s->err, back->home->file, back->line, back->column);
    return status;
}

/* Depth first, inputs in their order: a node is done after all it needs. The stack is bounded by SL_MAX_NODES. */
static sl_status visit(sorter *s, sl_node *node) {
    if (node->mark == DONE) return SL_OK;
    if (node->mark == OPEN) return report_cycle(s, node);
    node->mark = OPEN;
    s->stack[s->depth++] = node;
    for (uint32_t i = 0; i < node->ninputs; i++) TRY(visit(s, node->inputs[i].from));
    s->depth--;
    node->mark = DONE;
    s->order[s->n++] = node;
    return SL_OK;
}

sl_status sl_graph_order(sl_plan *p, sl_node *root, sl_error *err) {
    sorter *s = sl_arena_alloc(&p->arena, sizeof *s);
    if (!s) return sl_oom(err);
    *s = (sorter){.err = err};
    for (uint32_t i = 0; i < p->nnodes; i++) p->nodes[i]->mark = UNSEEN;
    if (root) TRY(visit(s, root));
    uint32_t wanted = s->n;
    for (uint32_t i = 0; i < p->nnodes; i++) TRY(visit(s, p->nodes[i]));
    for (uint32_t i = 0; i < wanted; i++) p->nodes[i] = s->order[i];
    p->nnodes = wanted;
    return SL_OK;
}
