/* mailbox.c: send and receive. A batch run needs no queue between them and no waiting: what is sent to a name is a stream, so each
 * receive of it is a further reader of its senders, in the order of the definition. */
#include "base/error.h"
#include "plan/internal.h"

static bool is_called(const sl_node *node, const char *pipe) {
    return node->pipe && !strcmp(node->pipe->name, pipe);
}

bool sl_node_receives(const sl_node *node) {
    return is_called(node, "receive");
}

/* A text of a conf, or the text in a typed literal. */
static sl_text text_in(sl_value v) {
    if (v.type == SL_MAP) v = sl_map_get_z(v, "value");
    return sl_is_text(v) ? sl_bytes(v) : (sl_text){0};
}

/* The I-th name of SEND's `others`; .n 0 past the last. */
static sl_text name_at(const sl_node *send, uint32_t i) {
    sl_value v = sl_map_get_z(send->conf, "others");
    if (v.type == SL_LIST) return i < v.n ? text_in(v.as.list[i]) : (sl_text){0};
    return i ? (sl_text){0} : text_in(v);
}

static bool sends_to(const sl_node *send, sl_text name) {
    for (uint32_t i = 0; name_at(send, i).n; i++)
        if (sl_text_eq(name_at(send, i), name)) return true;
    return false;
}

static bool has_wires(const sl_node *node) {
    return node->ninputs && node->inputs[node->ninputs - 1].port == SL_PORT_OTHERS;
}

/* Its own input does not matter to a receive. */
static sl_status wire_receive(sl_plan *p, sl_node *node, sl_error *err) {
    sl_text name = text_in(sl_map_get_z(node->conf, "name"));
    node->ninputs = 0;
    for (uint32_t i = 0; i < p->nnodes; i++) {
        sl_node *send = p->nodes[i];
        if (is_called(send, "send") && sends_to(send, name))
            TRY(sl_node_wire(p, node, SL_PORT_OTHERS, send, (sl_text){0}, err));
    }
    return SL_OK;
}

sl_status sl_mail_wires(sl_plan *p, sl_error *err) {
    for (uint32_t i = 0; i < p->nnodes; i++)
        if (sl_node_receives(p->nodes[i]) && !has_wires(p->nodes[i])) TRY(wire_receive(p, p->nodes[i], err));
    return SL_OK;
}

/* ---- checking -------------------------------------------------------------------------------------------------------- */

static bool is_received(const sl_plan *p, sl_text name) {
    sl_node *const *all = p->nall ? p->all : p->nodes;
    for (uint32_t i = 0; i < (p->nall ? p->nall : p->nnodes); i++)
        if (sl_node_receives(all[i]) && sl_text_eq(text_in(sl_map_get_z(all[i]->conf, "name")), name))
            return true;
    return false;
}

static sl_status check_send(const sl_plan *p, sl_node *send, sl_error *err) {
    for (uint32_t i = 0; name_at(send, i).n; i++) {
        sl_text name = name_at(send, i);
        if (is_received(p, name)) continue;
        if (p->settings.dialect == SL_RIKO) {
            TRY(sl_plan_warn(send, err, "nobody receives '%.*s'", (int)name.n, name.s));
            continue;
        }
        sl_status status = sl_fail(err, SL_E_PLAN, "no receive has the name '%.*s'", (int)name.n, name.s);
        return sl_node_blame(send, SL_TEXT("others"), status, err);
    }
    return SL_OK;
}

/* A bound on what waits drops the oldest: of a stream that is read at its end that leaves the last ones. */
static sl_status bound_receive(sl_plan *p, sl_node *node, sl_error *err) {
    sl_value most = sl_map_get_z(node->conf, "max_len");
    sl_pair *count = sl_arena_alloc(&p->arena, sizeof *count);
    sl_text id = sl_arena_printf(&p->arena, "%.*s.all", (int)node->id.n, node->id.s);
    sl_node *all;
    if (sl_is_absent(most)) return SL_OK;
    if (!count || !id.s) return sl_oom(err);
    TRY(sl_plan_node(p, id, node->type, &all, err));
    *all = *node;
    all->id = id;
    *count = (sl_pair){SL_TEXT("count"), most};
    node->conf = sl_map(count, 1);
    node->pipe = p->lookup(SL_TEXT("tail"));
    node->inputs = NULL;
    node->ninputs = 0;
    if (!node->pipe) return sl_fail(err, SL_E_INTERNAL, "no pipe 'tail'");
    return sl_node_wire(p, node, SL_PORT_INPUT, all, (sl_text){0}, err);
}

sl_status sl_expand_mail(sl_plan *p, sl_error *err) {
    uint32_t n = p->nnodes;
    TRY(sl_mail_wires(p, err));
    for (uint32_t i = 0; i < n; i++) {
        if (is_called(p->nodes[i], "send")) TRY(check_send(p, p->nodes[i], err));
        if (sl_node_receives(p->nodes[i])) TRY(bound_receive(p, p->nodes[i], err));
    }
    return SL_OK;
}
