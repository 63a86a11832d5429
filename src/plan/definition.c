/* From the JSON of a definition to nodes and wires.
 *
 * Three forms, told apart by `wires`: none (each module feeds the next), pairs [source, target] or triples with a port, and
 * objects {id, src, tgt}, riko's full format. What they have in common comes first, wiring by form after it. A module of type
 * `output` makes no node: what feeds it becomes the plan's tail. */
#include "plan/internal.h"

#include <stdio.h>

#include "base/error.h"

typedef struct module {
    sl_text id;    /* normalised */
    sl_text embed; /* that of a loop's submodule, normalised; .s NULL: none */
    sl_node *node; /* NULL: the output module */
    const char *place;
    bool feeds; /* is the source of a pair */
} module;

typedef struct reader {
    sl_plan *plan;
    sl_value modules, wires;
    const char *modules_place; /* "modules", or "" when the definition is the list itself */
    bool single;               /* "modules" is one object, not a list */
    bool full;
    module *all;
    uint32_t n;
    const module *output;
    sl_error *err;
} reader;

/* ---- places -------------------------------------------------------------------------------------------------------- */

/* PLACE.NAME in the arena. */
static const char *member(const reader *r, const char *place, const char *name) {
    sl_text t = sl_arena_printf(&r->plan->arena, "%s%s%s", place, *place ? "." : "", name);
    return t.s ? t.s : place;
}

static const char *element(const reader *r, const char *place, uint32_t i) {
    char index[16];
    snprintf(index, sizeof index, "%u", (unsigned)i);
    return member(r, place, index);
}

/* ---- top level ------------------------------------------------------------------------------------------------------- */

static sl_status read_setting(reader *r, const sl_pair *pair) {
    sl_status status = sl_plan_setting(r->plan, pair->key, pair->value, r->err);
    if (status != SL_OK) sl_plan_point(r->plan, "", pair->key, r->err);
    return status;
}

static sl_status read_name(reader *r, sl_value v) {
    if (!sl_is_text(v)) return sl_plan_fail(r->plan, "name", r->err, "'name' must be text");
    r->plan->name = sl_bytes(v);
    return SL_OK;
}

/* A list, or one element standing for itself. */
static sl_status read_each(reader *r, const char *key, sl_value v,
                           sl_status (*read)(reader *r, sl_value v, const char *place)) {
    if (v.type != SL_LIST) return read(r, v, key);
    for (uint32_t i = 0; i < v.n; i++) TRY(read(r, v.as.list[i], element(r, key, i)));
    return SL_OK;
}

static sl_status read_source(reader *r, sl_value v, const char *place) {
    TRY(sl_conf_lower(&v, &r->plan->arena, r->err));
    return sl_plan_source(r->plan, v, place, r->err);
}

static sl_status read_sink(reader *r, sl_value v, const char *place) {
    return sl_plan_sink(r->plan, (sl_text){0}, v, place, r->err);
}

/* Keys of the top level that are no settings; those without code here are read elsewhere, or not at all. */
static const char *const members[] = {"modules", "wires",  "name",         "sources",
                                      "sinks",   "layout", "terminaldata", "description",
                                      "$schema", "http",   "allow_net"};

static sl_status unknown_member(const reader *r, sl_text key, const char *const *names, const char *what,
                                const char *place) {
    char hint[SL_HINT];
    sl_status status = sl_fail(r->err, SL_E_PLAN, "unknown key '%.*s' in the %s%s", (int)key.n, key.s, what,
                               sl_text_meant(key, names, hint));
    sl_plan_point(r->plan, place, key, r->err);
    return status;
}

static sl_status unknown_at_top(const reader *r, sl_text key) {
    const char *names[SL_COUNT(members) + SL_MAX_SETTINGS + 1] = {NULL};
    memcpy(names, members, sizeof members);
    sl_setting_names(names + SL_COUNT(members), false);
    return unknown_member(r, key, names, "pipeline", "");
}

static sl_status read_member(reader *r, const sl_pair *pair) {
    sl_text key = pair->key;
    if (sl_text_is(key, "dialect")) return SL_OK; /* read before the others */
    if (sl_setting_named(key) || sl_web_knows(key)) return read_setting(r, pair);
    if (sl_text_is(key, "name")) return read_name(r, pair->value);
    if (sl_text_is(key, "sources")) return read_each(r, "sources", pair->value, read_source);
    if (sl_text_is(key, "sinks")) return read_each(r, "sinks", pair->value, read_sink);
    for (unsigned i = 0; i < SL_COUNT(members); i++)
        if (sl_text_is(key, members[i])) return SL_OK;
    return unknown_at_top(r, key);
}

/* A single module may stand for a list of one. */
static sl_status find_modules(reader *r, sl_value root) {
    sl_value m = sl_map_get_z(root, "modules");
    r->modules_place = "modules";
    r->modules = m;
    r->wires = sl_map_get_z(root, "wires");
    if (m.type == SL_MISSING && !r->plan->nsources)
        return sl_plan_fail(r->plan, "", r->err, "the pipeline has neither 'modules' nor 'sources'");
    if (m.type == SL_MAP) {
        sl_value *one = sl_arena_alloc(&r->plan->arena, sizeof *one);
        if (!one) return sl_oom(r->err);
        *one = m;
        r->single = true;
        r->modules = sl_list(one, 1);
    } else if (m.type != SL_LIST && m.type != SL_MISSING) {
        return sl_plan_fail(r->plan, "modules", r->err, "'modules' must be a list of objects");
    }
    if (!sl_is_absent(r->wires) && r->wires.type != SL_LIST)
        return sl_plan_fail(r->plan, "wires", r->err, "'wires' must be a list");
    return SL_OK;
}

/* Before anything else: it says how the rest is read. */
static sl_status read_dialect(reader *r, sl_value root) {
    sl_settings *settings = &r->plan->settings;
    sl_value wires = sl_map_get_z(root, "wires"), dialect = sl_map_get_z(root, "dialect");
    r->full = wires.type == SL_LIST && wires.n && wires.as.list[0].type == SL_MAP;
    if (r->full && !sl_settings_given(settings, SL_TEXT("dialect"))) settings->dialect = SL_RIKO;
    sl_pair pair = {SL_TEXT("dialect"), dialect};
    return dialect.type == SL_MISSING ? SL_OK : read_setting(r, &pair);
}

static sl_status read_top(reader *r, sl_value root) {
    if (root.type == SL_LIST) {
        r->modules = root;
        r->modules_place = "";
        return SL_OK;
    }
    if (root.type != SL_MAP)
        return sl_plan_fail(r->plan, "", r->err,
                            "a pipeline is a list of modules or an object with 'modules'");
    for (uint32_t i = 0; i < root.n; i++) TRY(read_member(r, &root.as.map[i]));
    return find_modules(r, root);
}

/* ---- modules ---------------------------------------------------------------------------------------------------------- */

static const module *find_module(const reader *r, sl_value id) {
    if (!sl_is_text(id)) return NULL;
    sl_text normal = sl_plan_normal(sl_bytes(id), &r->plan->arena);
    for (uint32_t i = 0; i < r->n; i++)
        if (sl_text_eq(r->all[i].id, normal)) return &r->all[i];
    return NULL;
}

/* A wire into the submodule of a loop leads into the loop. */
static const module *find_target(const reader *r, sl_value id) {
    const module *found = find_module(r, id);
    if (found || !sl_is_text(id)) return found;
    sl_text normal = sl_plan_normal(sl_bytes(id), &r->plan->arena);
    for (uint32_t i = 0; i < r->n; i++)
        if (r->all[i].embed.s && sl_text_eq(r->all[i].embed, normal)) return &r->all[i];
    return NULL;
}

static sl_status module_id(const reader *r, sl_value v, const char *place, sl_text *id) {
    sl_value given = sl_map_get_z(v, "id");
    if (sl_is_text(given) && given.n) {
        *id = sl_bytes(given);
    } else if (!sl_is_absent(given)) {
        return sl_plan_fail(r->plan, member(r, place, "id"), r->err, "a module's 'id' must be text");
    } else if (r->full) {
        return sl_plan_fail(r->plan, place, r->err, "module without 'id'");
    } else {
        *id = sl_arena_printf(&r->plan->arena, "sw-%u", (unsigned)r->n + 1);
        if (!id->s) return sl_oom(r->err);
        return SL_OK;
    }
    if (find_module(r, given))
        return sl_plan_fail(r->plan, member(r, place, "id"), r->err, "two modules have the id '%.*s'",
                            (int)id->n, id->s);
    return SL_OK;
}

/* What editors leave in riko's modules is passed over; in our own forms an unknown member is a slip of the pen. */
static sl_status check_names(const reader *r, sl_value v, const char *const *names, const char *what,
                             const char *place) {
    for (uint32_t i = 0; v.type == SL_MAP && i < v.n && !r->full; i++) {
        bool known = false;
        for (unsigned k = 0; names[k]; k++) known |= sl_text_is(v.as.map[i].key, names[k]);
        if (!known) return unknown_member(r, v.as.map[i].key, names, what, place);
    }
    return SL_OK;
}

static sl_status check_members(const reader *r, sl_value v, const char *place) {
    static const char *const names[] = {"id",    "type",  "conf",    "emit",  "assign",
                                        "field", "count", "skip_if", "embed", NULL};
    static const char *const embed[] = {"id", "type", NULL};
    TRY(check_names(r, v, names, "module", place));
    return check_names(r, sl_map_get_z(v, "embed"), embed, "embed", member(r, place, "embed"));
}

/* Riko wants the submodule beside the conf; a loop without one cannot be meant. */
static sl_status read_embed(const reader *r, sl_node *node, sl_value v, const char *place) {
    sl_value embed = sl_map_get_z(v, "embed");
    bool loop = node->pipe && !strcmp(node->pipe->name, "loop");
    sl_status status = SL_OK;
    if (loop && sl_is_absent(embed))
        status = sl_fail(r->err, SL_E_PLAN, SL_LOOP_WITHOUT_EMBED);
    else if (!sl_is_absent(embed) && (loop || !r->full))
        status = sl_node_embed(r->plan, node, embed, r->err);
    if (status == SL_OK) return SL_OK;
    sl_plan_point(r->plan, place, SL_TEXT("embed"), r->err);
    sl_error_step(r->err, node->step, node->pipe ? node->pipe->name : NULL);
    return status;
}

static sl_status read_calls(const reader *r, sl_node *node, sl_value v, const char *place) {
    static const char *const calls[] = {"emit", "assign", "field", "count", "skip_if"};
    for (unsigned i = 0; i < SL_COUNT(calls); i++) {
        sl_status status = sl_node_call(r->plan, node, calls[i], sl_map_get_z(v, calls[i]), r->err);
        if (status == SL_OK) continue;
        sl_plan_point(r->plan, place, sl_text_of(calls[i]), r->err);
        sl_error_step(r->err, node->step, node->pipe ? node->pipe->name : NULL);
        return status;
    }
    return SL_OK;
}

static sl_status read_node(reader *r, sl_value v, sl_text id, const char *place, const char *conf,
                           sl_node **out) {
    sl_plan *p = r->plan;
    sl_node *node;
    TRY(sl_plan_node(p, id, sl_bytes(sl_map_get_z(v, "type")), &node, r->err));
    node->step = (int)r->n + 1;
    node->place = member(r, place, conf);
    node->conf = sl_map_get_z(v, "conf");
    sl_json_locate(p->text, strlen(p->text), place, &node->line, &node->column);
    TRY(sl_conf_lower(&node->conf, &p->arena, r->err));
    TRY(check_members(r, v, place));
    TRY(read_calls(r, node, v, place));
    TRY(read_embed(r, node, v, place));
    sl_status status = sl_node_translate(node, r->err);
    if (status != SL_OK) return sl_node_blame(node, (sl_text){0}, status, r->err);
    p->tail = *out = node;
    return SL_OK;
}

/* The id of a submodule, for wires that lead to it. */
static sl_status embed_id(const reader *r, sl_value v, module *m) {
    sl_value id = sl_map_get_z(sl_map_get_z(v, "embed"), "id");
    if (!sl_is_text(id) || !id.n) return SL_OK;
    m->embed = sl_plan_normal(sl_bytes(id), &r->plan->arena);
    return m->embed.s ? SL_OK : sl_oom(r->err);
}

static sl_status read_module(reader *r, sl_value v, const char *place) {
    const char *conf = "conf";
    if (v.type != SL_MAP)
        return sl_plan_fail(r->plan, place, r->err, "a module must be an object, got %s",
                            sl_type_name((sl_type)v.type));
    sl_value type = sl_map_get_z(v, "type");
    if (!sl_is_text(type) || !type.n)
        return sl_plan_fail(r->plan, place, r->err, "module without 'type': the name of its pipe");
    module m = {.place = place};
    sl_text id;
    TRY(module_id(r, v, place, &id));
    m.id = sl_plan_normal(id, &r->plan->arena);
    if (!m.id.s) return sl_oom(r->err);
    if (sl_legacy_loop(v)) {
        TRY(sl_legacy_unfold(r->plan, &v, r->err));
        conf = "conf.embed.value.conf";
    }
    TRY(embed_id(r, v, &m));
    bool output = sl_text_is(sl_bytes(type), "output");
    if (output && r->output) return sl_plan_fail(r->plan, place, r->err, "two modules of type 'output'");
    if (!output) TRY(read_node(r, v, id, place, conf, &m.node));
    r->all[r->n] = m;
    if (output) r->output = &r->all[r->n];
    r->n++;
    return SL_OK;
}

static sl_status read_modules(reader *r) {
    uint32_t n = r->modules.type == SL_LIST ? r->modules.n : 0;
    if (!n && !r->plan->nsources)
        return sl_plan_fail(r->plan, r->modules_place, r->err, "the list of modules is empty");
    r->all = sl_arena_calloc(&r->plan->arena, n ? n : 1, sizeof *r->all);
    if (!r->all) return sl_oom(r->err);
    for (uint32_t i = 0; i < n; i++) {
        const char *place = r->single ? r->modules_place : element(r, r->modules_place, i);
        TRY(read_module(r, r->modules.as.list[i], place));
    }
    return SL_OK;
}

/* ---- wires ------------------------------------------------------------------------------------------------------------- */

static sl_status further_stream(const reader *r, sl_node *to, sl_node *from, const char *place) {
    if (!to->pipe && !sl_subpipe_id(to->type).n) return SL_OK; /* reported when it leads to the output */
    if (!to->pipe) return sl_plan_fail(r->plan, place, r->err, "a subpipe takes one stream only");
    if (to->pipe->flags & SL_PIPE_OTHERS)
        return sl_node_wire(r->plan, to, SL_PORT_OTHERS, from, (sl_text){0}, r->err);
    if (to->pipe->flags & SL_PIPE_OTHER)
        return sl_node_wire(r->plan, to, SL_PORT_OTHER, from, (sl_text){0}, r->err);
    return sl_plan_fail(r->plan, place, r->err, "'%s' takes one stream only", to->pipe->name);
}

/* A terminal that the conf does not ask for would only be run to be thrown away. */
static sl_status terminal(const reader *r, sl_node *to, sl_node *from, sl_text port, const char *place) {
    static const char *const taken[] = {"conf", "field", "assign", "emit"};
    for (unsigned i = 0; i < SL_COUNT(taken); i++)
        if (sl_text_is(port, taken[i]))
            return sl_plan_fail(r->plan, place, r->err, "a stream cannot be wired to '%s'", taken[i]);
    sl_text name = sl_plan_normal(port, &r->plan->arena);
    if (!name.s) return sl_oom(r->err);
    if (!sl_conf_asks(to->conf, name, &r->plan->arena)) return SL_OK;
    return sl_node_wire(r->plan, to, SL_PORT_TERMINAL, from, name, r->err);
}

static sl_status connect(reader *r, module *from, const module *to, sl_text port, const char *place) {
    from->feeds = true;
    if (!to->node) {
        if (sl_text_is(port, "_INPUT") && !r->plan->tail) r->plan->tail = from->node;
        return SL_OK;
    }
    if (sl_text_is(port, "_INPUT"))
        return sl_node_wire(r->plan, to->node, SL_PORT_INPUT, from->node, (sl_text){0}, r->err);
    bool other = to->node->pipe && (to->node->pipe->flags & SL_PIPE_OTHER) && sl_text_is(port, "other");
    if (other || sl_text_begins(port, "_OTHER")) return further_stream(r, to->node, from->node, place);
    return terminal(r, to->node, from->node, port, place);
}

static sl_status find_end(const reader *r, sl_value id, const char *place, module **out) {
    const module *m = find_target(r, id);
    if (m) {
        *out = &r->all[m - r->all];
        return SL_OK;
    }
    if (!sl_is_text(id)) return sl_plan_fail(r->plan, place, r->err, "a wire needs the id of a module here");
    return sl_plan_fail(r->plan, place, r->err, "no module has the id '%.*s'", (int)id.n, id.as.s);
}

static sl_status has_stream(const reader *r, const module *from, const char *place) {
    return from->node ? SL_OK : sl_plan_fail(r->plan, place, r->err, "nothing can follow the output module");
}

static sl_status find_source(const reader *r, sl_value id, const char *place, module **out) {
    TRY(find_end(r, id, place, out));
    return has_stream(r, *out, place);
}

static sl_status check_wire_id(const reader *r, uint32_t i, const char *place) {
    sl_value id = sl_map_get_z(r->wires.as.list[i], "id");
    for (uint32_t k = 0; k < i && sl_is_text(id); k++) {
        sl_value earlier = sl_map_get_z(r->wires.as.list[k], "id");
        if (sl_is_text(earlier) && sl_text_eq(sl_bytes(earlier), sl_bytes(id)))
            return sl_plan_fail(r->plan, member(r, place, "id"), r->err, "two wires have the id '%.*s'",
                                (int)id.n, id.as.s);
    }
    return SL_OK;
}

/* {"id", "src": {"id": PORT, "moduleid": MODULE}, "tgt": {"id": PORT, "moduleid": MODULE}} */
static sl_status read_full_wire(reader *r, uint32_t i, const char *place) {
    sl_value w = r->wires.as.list[i], src = sl_map_get_z(w, "src"), tgt = sl_map_get_z(w, "tgt");
    sl_value out = sl_map_get_z(src, "id"), port = sl_map_get_z(tgt, "id");
    module *from, *to;
    if (src.type != SL_MAP || tgt.type != SL_MAP || !sl_is_text(out) || !sl_is_text(port))
        return sl_plan_fail(r->plan, place, r->err,
                            "a wire needs src and tgt, each {\"id\": PORT, \"moduleid\": MODULE}");
    TRY(check_wire_id(r, i, place));
    if (!sl_text_begins(sl_bytes(out), "_OUTPUT")) return SL_OK;
    TRY(find_source(r, sl_map_get_z(src, "moduleid"), member(r, place, "src.moduleid"), &from));
    TRY(find_end(r, sl_map_get_z(tgt, "moduleid"), member(r, place, "tgt.moduleid"), &to));
    return connect(r, from, to, sl_bytes(port), member(r, place, "tgt.id"));
}

/* [SOURCE, TARGET] or [SOURCE, TARGET, PORT] */
static sl_status read_pair(reader *r, uint32_t i, const char *place) {
    sl_value w = r->wires.as.list[i];
    module *from, *to;
    if (w.type != SL_LIST || w.n < 2 || w.n > 3 || (w.n == 3 && !sl_is_text(w.as.list[2])))
        return sl_plan_fail(r->plan, place, r->err,
                            "a wire is a pair of module ids, [SOURCE, TARGET], or with a port as third");
    TRY(find_source(r, w.as.list[0], element(r, place, 0), &from));
    TRY(find_end(r, w.as.list[1], element(r, place, 1), &to));
    return connect(r, from, to, w.n == 3 ? sl_bytes(w.as.list[2]) : SL_TEXT("_INPUT"), place);
}

static sl_status wire_linear(reader *r) {
    for (uint32_t i = 0; i + 1 < r->n; i++) {
        const char *place = r->all[i + 1].place;
        TRY(has_stream(r, &r->all[i], place));
        TRY(connect(r, &r->all[i], &r->all[i + 1], SL_TEXT("_INPUT"), place));
    }
    return SL_OK;
}

static bool is_read(const sl_plan *p, const sl_node *node) {
    for (uint32_t i = 0; i < p->nnodes; i++)
        for (uint32_t k = 0; k < p->nodes[i]->ninputs; k++)
            if (p->nodes[i]->inputs[k].from == node) return true;
    return false;
}

/* Without an output module the first module that feeds nothing is the end; in the full format it must be the only one. */
static sl_status find_tail(reader *r) {
    const module *first = NULL;
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->all[i].feeds || !r->all[i].node || is_read(r->plan, r->all[i].node)) continue;
        if (first && r->full)
            return sl_plan_fail(r->plan, r->all[i].place, r->err,
                                "which module is the end? Add one of type 'output' and wire the end to it");
        if (!first) first = &r->all[i];
    }
    if (first) r->plan->tail = first->node;
    return SL_OK;
}

static sl_status read_wires(reader *r) {
    uint32_t n = r->wires.type == SL_LIST ? r->wires.n : 0;
    r->plan->tail = NULL;
    if (!n) TRY(wire_linear(r));
    for (uint32_t i = 0; i < n; i++) {
        const char *place = element(r, "wires", i);
        TRY(r->full ? read_full_wire(r, i, place) : read_pair(r, i, place));
    }
    TRY(sl_mail_wires(r->plan, r->err));
    if (r->plan->tail) return SL_OK;
    if (r->output && (r->full || r->n > 1))
        return sl_plan_fail(r->plan, r->output->place, r->err, "nothing is wired into the output module");
    return find_tail(r);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------------- */

static sl_status keep_text(sl_plan *p, const char *json, size_t n, const char *file, const char *base_dir,
                           sl_error *err) {
    p->text = sl_arena_strndup(&p->arena, json, n);
    p->file = sl_arena_strndup(&p->arena, file ? file : "", file ? strlen(file) : 0);
    p->base_dir = base_dir ? sl_arena_strndup(&p->arena, base_dir, strlen(base_dir)) : NULL;
    return p->text && p->file && (p->base_dir || !base_dir) ? SL_OK : sl_oom(err);
}

static sl_status interpolate(sl_plan *p, sl_value *root, sl_error *err) {
    const char *place = NULL;
    sl_status status = sl_interpolate(p, root, &place, err);
    if (status != SL_OK) sl_plan_point(p, place, (sl_text){0}, err);
    return status;
}

static sl_status check_pipes(const sl_plan *p, sl_error *err) {
    for (uint32_t i = 0; i < p->nnodes; i++) TRY(sl_node_known(p->nodes[i], err));
    return SL_OK;
}

static sl_status keep_all(sl_plan *p, sl_error *err) {
    p->all = sl_arena_calloc(&p->arena, p->nnodes + 1, sizeof(sl_node *));
    if (!p->all) return sl_oom(err);
    for (uint32_t i = 0; i < p->nnodes; i++) p->all[i] = p->nodes[i];
    p->nall = p->nnodes;
    return SL_OK;
}

sl_status sl_plan_parse(sl_plan *p, const char *json, size_t n, const char *file, const char *base_dir,
                        sl_error *err) {
    sl_value root;
    reader r = {.plan = p, .err = err};
    if (p->nnodes)
        return sl_fail(err, SL_E_USAGE, "a definition is loaded before any step is added, and only one");
    TRY(keep_text(p, json, n, file, base_dir, err));
    TRY(sl_json_parse(json, n, p->file, &p->arena, &root, err));
    TRY(read_dialect(&r, root));
    if (!p->verbatim) TRY(interpolate(p, &root, err));
    p->root = root;
    TRY(read_top(&r, root));
    TRY(read_modules(&r));
    TRY(read_wires(&r));
    TRY(keep_all(p, err));
    TRY(sl_graph_order(p, p->tail, err));
    return check_pipes(p, err);
}
