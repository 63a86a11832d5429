/* A conf from the definition to what an option table can parse: typed literals become their values now, {subkey} and bound
 * {terminal} maps stay for the item to decide, in a form that resolve.c finds again without looking around:
 * {"subkey": path} and {"terminal": "\x01name"}, the name being that of a hidden column. */
#include "plan/internal.h"

#include "base/error.h"

typedef struct walker {
    sl_plan *plan;
    sl_node *node;
    uint32_t cap_subkeys;
    sl_error *err;
} walker;

static sl_status walk(walker *w, sl_value *v);

/* ---- names ------------------------------------------------------------------------------------------------------- */

sl_text sl_plan_normal(sl_text id, sl_arena *arena) {
    bool digit = id.n && id.s[0] >= '0' && id.s[0] <= '9';
    char *out = sl_arena_alloc(arena, (size_t)id.n + 1);
    if (!out) return (sl_text){0};
    if (digit) out[0] = '_';
    for (uint32_t i = 0; i < id.n; i++) {
        char c = id.s[i];
        out[i + digit] = c == '-' || c == ':' || c == '/' ? '_' : c;
    }
    return (sl_text){out, id.n + digit};
}

static bool is_upper(sl_text key) {
    bool upper = false;
    for (uint32_t i = 0; i < key.n; i++) {
        if (key.s[i] >= 'a' && key.s[i] <= 'z') return false;
        upper |= key.s[i] >= 'A' && key.s[i] <= 'Z';
    }
    return upper;
}

static sl_text lowered(sl_text key, sl_arena *arena) {
    char *out = sl_arena_alloc(arena, key.n);
    if (!out) return (sl_text){0};
    for (uint32_t i = 0; i < key.n; i++)
        out[i] = (char)(key.s[i] | (key.s[i] >= 'A' && key.s[i] <= 'Z' ? 32 : 0));
    return (sl_text){out, key.n};
}

static sl_status lower_map(sl_value *v, sl_arena *arena, sl_error *err) {
    sl_pair *copy = sl_arena_calloc(arena, v->n ? v->n : 1, sizeof *copy);
    if (!copy) return sl_oom(err);
    for (uint32_t i = 0; i < v->n; i++) {
        copy[i] = v->as.map[i];
        if (is_upper(copy[i].key)) copy[i].key = lowered(copy[i].key, arena);
        if (!copy[i].key.s) return sl_oom(err);
        TRY(sl_conf_lower(&copy[i].value, arena, err));
    }
    *v = sl_map(copy, v->n);
    return SL_OK;
}

sl_status sl_conf_lower(sl_value *v, sl_arena *arena, sl_error *err) {
    if (v->type == SL_MAP) return lower_map(v, arena, err);
    if (v->type != SL_LIST) return SL_OK;
    sl_value *copy = sl_arena_calloc(arena, v->n ? v->n : 1, sizeof *copy);
    if (!copy) return sl_oom(err);
    for (uint32_t i = 0; i < v->n; i++) {
        copy[i] = v->as.list[i];
        TRY(sl_conf_lower(&copy[i], arena, err));
    }
    *v = sl_list(copy, v->n);
    return SL_OK;
}

/* ---- what the item decides ----------------------------------------------------------------------------------------- */

/* The name in a {"terminal": NAME, "type": ..., "path": ...} map, or an empty text. */
static sl_text terminal_name(sl_value v) {
    sl_value name = v.n <= 3 ? sl_map_get_z(v, "terminal") : sl_missing();
    return sl_is_text(name) ? sl_bytes(name) : (sl_text){0};
}

bool sl_conf_asks(sl_value conf, sl_text terminal, sl_arena *arena) {
    if (conf.type == SL_LIST)
        for (uint32_t i = 0; i < conf.n; i++)
            if (sl_conf_asks(conf.as.list[i], terminal, arena)) return true;
    if (conf.type != SL_MAP) return false;
    sl_text name = terminal_name(conf);
    if (name.n && sl_text_eq(sl_plan_normal(name, arena), terminal)) return true;
    for (uint32_t i = 0; i < conf.n; i++)
        if (sl_conf_asks(conf.as.map[i].value, terminal, arena)) return true;
    return false;
}

static const sl_wire *bound_wire(const walker *w, sl_value v) {
    sl_text name = terminal_name(v);
    if (!name.n) return NULL;
    sl_text normal = sl_plan_normal(name, &w->plan->arena);
    for (uint32_t i = 0; i < w->node->ninputs; i++) {
        const sl_wire *wire = &w->node->inputs[i];
        if (wire->port == SL_PORT_TERMINAL && sl_text_eq(wire->terminal, normal)) return wire;
    }
    return NULL;
}

/* V becomes {KEY: TEXT}. */
static sl_status single(const walker *w, sl_value *v, sl_text key, sl_text text) {
    sl_pair *pair = sl_arena_alloc(&w->plan->arena, sizeof *pair);
    if (!pair || !text.s) return sl_oom(w->err);
    *pair = (sl_pair){key, sl_text_value(text)};
    *v = sl_map(pair, 1);
    return SL_OK;
}

static sl_status keep_terminal(walker *w, sl_value *v, const sl_wire *wire) {
    w->node->dynamic = true;
    sl_text column =
        sl_arena_printf(&w->plan->arena, "%c%.*s", SL_TERMINAL_MARK, (int)wire->terminal.n, wire->terminal.s);
    return single(w, v, SL_TEXT("terminal"), column);
}

static sl_status add_subkey(walker *w, sl_text path) {
    sl_node *node = w->node;
    if (node->nsubkeys == w->cap_subkeys) {
        uint32_t cap = w->cap_subkeys ? 2 * w->cap_subkeys : 4;
        sl_path *more = sl_arena_calloc(&w->plan->arena, cap, sizeof *more);
        if (!more) return sl_oom(w->err);
        if (node->nsubkeys) memcpy(more, node->subkeys, node->nsubkeys * sizeof *more);
        node->subkeys = more;
        w->cap_subkeys = cap;
    }
    sl_path *slot = &node->subkeys[node->nsubkeys++];
    return sl_path_compile(slot, path, (sl_dialect)w->plan->settings.dialect, &w->plan->arena, w->err);
}

/* Operators see no single item: for them a subkey is null. */
static sl_status keep_subkey(walker *w, sl_value *v, sl_text path) {
    if (w->node->pipe->kind != SL_KIND_SOURCE && w->node->pipe->kind != SL_KIND_PROCESSOR) {
        *v = sl_null();
        return SL_OK;
    }
    w->node->dynamic = true;
    TRY(add_subkey(w, path));
    return single(w, v, SL_TEXT("subkey"), path);
}

/* ---- typed literals ------------------------------------------------------------------------------------------------ */

static bool is_literal(sl_value v) {
    if (sl_map_get_z(v, "value").type == SL_MISSING) return false;
    return v.n == 1 || (v.n == 2 && sl_is_text(sl_map_get_z(v, "type")));
}

/* Types without a cast (location, module, unknown ones) leave the value as it is. */
static sl_status apply_literal(walker *w, sl_value *v) {
    sl_value type = sl_map_get_z(*v, "type"), inner = sl_map_get_z(*v, "value");
    sl_cast to;
    *v = inner;
    if (inner.type == SL_LIST || inner.type == SL_MAP) return walk(w, v);
    if (!sl_is_text(type) || !sl_cast_named(sl_bytes(type), &to) || to == SL_CAST_LOCATION) return SL_OK;
    return sl_cast_value(to, inner, w->plan->env.now, &w->plan->arena, v, w->err);
}

static sl_status walk_members(walker *w, sl_value *v) {
    sl_pair *copy = sl_arena_calloc(&w->plan->arena, v->n ? v->n : 1, sizeof *copy);
    if (!copy) return sl_oom(w->err);
    for (uint32_t i = 0; i < v->n; i++) {
        copy[i] = v->as.map[i];
        TRY(walk(w, &copy[i].value));
    }
    *v = sl_map(copy, v->n);
    return SL_OK;
}

static sl_status walk_map(walker *w, sl_value *v) {
    sl_value subkey = sl_map_get_z(*v, "subkey");
    if (sl_is_text(subkey) && subkey.n) return keep_subkey(w, v, sl_bytes(subkey));
    const sl_wire *wire = bound_wire(w, *v);
    if (wire) return keep_terminal(w, v, wire);
    if (is_literal(*v)) return apply_literal(w, v);
    return walk_members(w, v);
}

static sl_status walk(walker *w, sl_value *v) {
    if (v->type == SL_MAP) return walk_map(w, v);
    if (v->type != SL_LIST) return SL_OK;
    sl_value *copy = sl_arena_calloc(&w->plan->arena, v->n ? v->n : 1, sizeof *copy);
    if (!copy) return sl_oom(w->err);
    for (uint32_t i = 0; i < v->n; i++) {
        copy[i] = v->as.list[i];
        TRY(walk(w, &copy[i]));
    }
    *v = sl_list(copy, v->n);
    return SL_OK;
}

sl_status sl_conf_resolve(sl_plan *p, sl_node *node, sl_error *err) {
    walker w = {.plan = p, .node = node, .err = err};
    node->dynamic = false;
    node->nsubkeys = 0;
    if (sl_is_absent(node->conf)) node->conf = sl_map(NULL, 0);
    if (node->conf.type == SL_MAP) return walk_members(&w, &node->conf);
    return sl_fail(err, SL_E_PLAN, "'conf' must be an object, got %s",
                   sl_type_name((sl_type)node->conf.type));
}

/* ---- checking before items are there --------------------------------------------------------------------------------- */

static bool is_open(sl_value v) {
    if (v.type != SL_MAP || v.n != 1 || !sl_is_text(v.as.map[0].value)) return false;
    sl_text key = v.as.map[0].key, text = sl_bytes(v.as.map[0].value);
    if (sl_text_is(key, "subkey")) return text.n > 0;
    return sl_text_is(key, "terminal") && text.n && text.s[0] == SL_TERMINAL_MARK;
}

sl_status sl_conf_blank(sl_value *v, sl_arena *arena, sl_error *err) {
    uint32_t n = v->n;
    if (is_open(*v)) {
        *v = sl_missing();
    } else if (v->type == SL_LIST) {
        sl_value *copy = sl_arena_calloc(arena, n ? n : 1, sizeof *copy);
        if (!copy) return sl_oom(err);
        for (uint32_t i = 0; i < n; i++) {
            copy[i] = v->as.list[i];
            TRY(sl_conf_blank(&copy[i], arena, err));
        }
        *v = sl_list(copy, n);
    } else if (v->type == SL_MAP) {
        sl_pair *copy = sl_arena_calloc(arena, n ? n : 1, sizeof *copy);
        if (!copy) return sl_oom(err);
        for (uint32_t i = 0; i < n; i++) {
            copy[i] = v->as.map[i];
            TRY(sl_conf_blank(&copy[i].value, arena, err));
        }
        *v = sl_map(copy, n);
    }
    return SL_OK;
}
