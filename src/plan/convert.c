/* convert.c: a definition in any accepted form as one in the native form: modules, pairs of ids for wires, the settings as they stand.
 * Old names become today's and plain literals their values; what does not lead to the output is left out. The dialect is written down
 * where the form implied it, because it changes what the pipes do. */
#include "base/error.h"
#include "plan/internal.h"
#include "record/cast.h"

static void put_text(sl_buf *o, const char *key, sl_text t) {
    sl_buf_printf(o, "\"%s\": ", key);
    sl_json_text(t, o);
}

static bool is_literal(sl_value v) {
    if (sl_map_get_z(v, "value").type == SL_MISSING) return false;
    return v.n == 1 || (v.n == 2 && sl_is_text(sl_map_get_z(v, "type")));
}

/* A typed literal that says nothing which its value alone would not. */
static bool is_plain(sl_value v) {
    sl_value type = sl_map_get_z(v, "type"), inner = sl_map_get_z(v, "value");
    if (!is_literal(v)) return false;
    if (inner.type < SL_NULL || inner.type > SL_TEXT_TYPE) return false;
    if (v.n == 1) return true;
    sl_text t = sl_bytes(type);
    return (sl_text_is(t, "text") && sl_is_text(inner)) || (sl_text_is(t, "int") && inner.type == SL_INT) ||
           (sl_text_is(t, "bool") && inner.type == SL_BOOL);
}

static void put_value(sl_buf *o, sl_value v) {
    if (v.type == SL_MAP && is_plain(v)) {
        sl_json_write(sl_map_get_z(v, "value"), o);
    } else if (v.type == SL_MAP && !is_literal(v)) {
        sl_buf_byte(o, '{');
        for (uint32_t i = 0; i < v.n; i++) {
            if (i) sl_buf_str(o, ", ");
            sl_json_text(v.as.map[i].key, o);
            sl_buf_str(o, ": ");
            put_value(o, v.as.map[i].value);
        }
        sl_buf_byte(o, '}');
    } else if (v.type == SL_LIST) {
        sl_buf_byte(o, '[');
        for (uint32_t i = 0; i < v.n; i++) {
            if (i) sl_buf_str(o, ", ");
            put_value(o, v.as.list[i]);
        }
        sl_buf_byte(o, ']');
    } else {
        sl_json_write(v, o);
    }
}

static void put_option(sl_buf *o, const char *key, sl_text t) {
    if (!t.s) return;
    sl_buf_str(o, ", ");
    put_text(o, key, t);
}

static void put_module(sl_buf *o, const sl_node *node) {
    sl_buf_byte(o, '{');
    put_text(o, "id", node->id);
    put_option(o, "type", node->type);
    if (node->embed.s) {
        sl_buf_str(o, ", \"embed\": {");
        put_text(o, "type", node->embed);
        sl_buf_byte(o, '}');
    }
    if (node->conf.type == SL_MAP && node->conf.n) {
        sl_buf_str(o, ", \"conf\": ");
        put_value(o, node->conf);
    }
    put_option(o, "field", node->field);
    put_option(o, "assign", node->assign);
    if (node->emit >= 0) sl_buf_printf(o, ", \"emit\": %s", node->emit ? "true" : "false");
    if (node->skip_if.type != SL_MISSING) {
        sl_buf_str(o, ", \"skip_if\": ");
        put_value(o, node->skip_if);
    }
    if (node->count) put_option(o, "count", node->count == 1 ? SL_TEXT("first") : SL_TEXT("all"));
    sl_buf_byte(o, '}');
}

static bool is_kept(const sl_plan *p, const sl_node *node) {
    for (uint32_t i = 0; i < p->nnodes; i++)
        if (p->nodes[i] == node) return true;
    return false;
}

static const char *separator(bool *first) {
    const char *text = *first ? "\n    " : ",\n    ";
    *first = false;
    return text;
}

static void put_modules(sl_buf *o, const sl_plan *p) {
    bool first = true;
    sl_buf_str(o, "  \"modules\": [");
    for (uint32_t i = 0; i < p->nall; i++) {
        if (!is_kept(p, p->all[i])) continue;
        sl_buf_str(o, separator(&first));
        put_module(o, p->all[i]);
    }
    sl_buf_str(o, first ? "]" : "\n  ]");
}

static sl_text port_of(const sl_wire *w) {
    static const char *const names[] = {[SL_PORT_INPUT] = NULL,
                                        [SL_PORT_OTHER] = "other",
                                        [SL_PORT_OTHERS] = "_OTHER",
                                        [SL_PORT_TERMINAL] = NULL};
    return w->port == SL_PORT_TERMINAL ? w->terminal : sl_text_of(names[w->port]);
}

static void put_wire(sl_buf *o, const sl_wire *w, const sl_node *to) {
    sl_text port = port_of(w);
    sl_buf_byte(o, '[');
    sl_json_text(w->from->id, o);
    sl_buf_str(o, ", ");
    sl_json_text(to->id, o);
    if (port.s) {
        sl_buf_str(o, ", ");
        sl_json_text(port, o);
    }
    sl_buf_byte(o, ']');
}

/* What is sent needs no wire. */
static void put_wires(sl_buf *o, const sl_plan *p) {
    bool first = true;
    for (uint32_t i = 0; i < p->nall; i++) {
        const sl_node *node = p->all[i];
        if (!is_kept(p, node)) continue;
        for (uint32_t k = 0; k < node->ninputs; k++) {
            if (sl_node_receives(node) && node->inputs[k].port == SL_PORT_OTHERS) continue;
            if (first) sl_buf_str(o, ",\n  \"wires\": [");
            sl_buf_str(o, separator(&first));
            put_wire(o, &node->inputs[k], node);
        }
    }
    if (!first) sl_buf_str(o, "\n  ]");
}

/* The settings, the collection and the sinks are the same in every form. */
static void put_top(sl_buf *o, const sl_plan *p) {
    static const char *const graph[] = {"modules", "wires", "layout", "terminaldata"};
    bool dialect = p->settings.dialect == SL_RIKO && sl_map_get_z(p->root, "dialect").type == SL_MISSING;
    if (dialect) sl_buf_str(o, "  \"dialect\": \"riko\",\n");
    for (uint32_t i = 0; p->root.type == SL_MAP && i < p->root.n; i++) {
        const sl_pair *pair = &p->root.as.map[i];
        bool rest = true;
        for (unsigned k = 0; k < SL_COUNT(graph); k++) rest = rest && !sl_text_is(pair->key, graph[k]);
        if (!rest) continue;
        sl_buf_str(o, "  ");
        sl_json_text(pair->key, o);
        sl_buf_str(o, ": ");
        sl_json_write(pair->value, o);
        sl_buf_str(o, ",\n");
    }
}

sl_status sl_convert_file(const char *path, sl_buf *out, sl_error *err) {
    sl_plan *p = sl_plan_new();
    if (!p) return sl_oom(err);
    p->verbatim = true;
    sl_status status = sl_plan_load_file(p, path, err);
    if (status == SL_OK) {
        sl_buf_str(out, "{\n");
        put_top(out, p);
        put_modules(out, p);
        put_wires(out, p);
        sl_buf_str(out, "\n}\n");
        status = sl_buf_check(out, err);
    }
    sl_plan_free(&p);
    return status;
}
