/* plan.c: the plan: its nodes and wires, and what is said when something is wrong with them. Messages name the place in the
 * definition by a path such as modules[2].conf, and the line is found from that when it is needed; so nodes need not carry
 * places. */
#include "plan/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "plan/host.h"

sl_plan *sl_plan_new(void) {
    sl_plan *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->lookup = sl_pipe_named;
    sl_settings_init(&p->settings);
    return p;
}

void sl_plan_free(sl_plan **plan) {
    sl_plan *p = *plan;
    if (!p) return;
    for (uint32_t i = 0; i < p->nnodes; i++) {
        const sl_node *node = p->nodes[i];
        if (node->compiled && node->pipe->destroy) node->pipe->destroy(node->compiled);
    }
    while (p->subs) {
        sl_plan *sub = p->subs;
        p->subs = sub->sibling;
        sl_plan_free(&sub);
    }
    sl_arena_free(&p->arena);
    free(p);
    *plan = NULL;
}

/* An array in the arena with room for one element more: it doubles whenever N is a power of two. NULL: no memory. */
static void *grown(sl_arena *arena, void *array, uint32_t n, size_t size) {
    if (n & (n - 1)) return array;
    void *more = sl_arena_calloc(arena, n ? (size_t)n * 2 : 1, size);
    if (more && n) memcpy(more, array, n * size);
    return more;
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

enum { MAX_FOLDERS = 1 << 20 };

/* Folders outlive the call. CODE is how a bad value is reported: the caller's mistake, or the definition's. */
static sl_status set_setting(sl_plan *p, sl_text name, sl_text value, bool by_caller, sl_status code,
                             sl_error *err) {
    sl_text kept = sl_arena_text(&p->arena, sl_text_trim(value));
    return kept.s ? sl_settings_set(&p->settings, name, kept, by_caller, code, err) : sl_oom(err);
}

sl_status sl_plan_set(sl_plan *p, sl_text name, sl_text value, bool by_caller, sl_error *err) {
    if (!sl_web_knows(name)) return set_setting(p, name, value, by_caller, SL_E_USAGE, err);
    return sl_web_set(&p->web, name, sl_text_value(value), by_caller, SL_E_USAGE, &p->arena, err);
}

/* A definition's folders, one or a list, start at its own; as one text. */
static sl_status folders(sl_plan *p, sl_value v, sl_text *out, sl_error *err) {
    sl_buf text = {.limit = MAX_FOLDERS};
    uint32_t n = v.type == SL_LIST ? v.n : 1;
    for (uint32_t i = 0; i < n; i++) {
        sl_text folder = {0};
        TRY(sl_to_text(v.type == SL_LIST ? v.as.list[i] : v, "", &p->arena, &folder, err));
        if (i) sl_buf_byte(&text, ':');
        if (p->base_dir && folder.n && folder.s[0] != '/') sl_buf_printf(&text, "%s/", p->base_dir);
        sl_buf_text(&text, folder);
    }
    sl_status status = sl_buf_check(&text, err);
    if (status == SL_OK) *out = sl_arena_text(&p->arena, sl_text_n(text.data, text.len));
    sl_buf_free(&text);
    return status == SL_OK && !out->s ? sl_oom(err) : status;
}

sl_status sl_plan_setting(sl_plan *p, sl_text name, sl_value v, sl_error *err) {
    const sl_setting *r = sl_setting_named(name);
    sl_text t = {0};
    if (sl_web_knows(name)) return sl_web_set(&p->web, name, v, false, SL_E_PLAN, &p->arena, err);
    if (r && r->callers)
        return sl_fail(err, SL_E_PLAN, "'%s' is for whoever runs a definition to say, not for the definition",
                       r->name);
    if (r && r->kind == SL_SETTING_FOLDERS)
        TRY(folders(p, v, &t, err));
    else
        TRY(sl_to_text(v, "null", &p->arena, &t, err));
    return set_setting(p, name, t, false, SL_E_PLAN, err);
}

/* ---- errors with places ------------------------------------------------------------------------------------------ */

static bool locate(const sl_plan *p, const char *place, sl_text key, uint64_t *line, uint64_t *column) {
    char path[1024];
    snprintf(path, sizeof path, "%s%s%.*s", place, *place && key.n ? "." : "", (int)key.n,
             key.n ? key.s : "");
    return p->text && sl_json_locate(p->text, strlen(p->text), path, line, column);
}

void sl_plan_point(const sl_plan *p, const char *place, sl_text key, sl_error *err) {
    uint64_t line = 0, column = 0;
    bool found =
        place && (locate(p, place, key, &line, &column) || locate(p, place, (sl_text){0}, &line, &column));
    if (found || p->text) sl_error_at(err, p->file, line, column);
}

sl_status sl_plan_fail(const sl_plan *p, const char *place, sl_error *err, const char *fmt, ...) {
    char text[768];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    sl_status status = sl_fail(err, SL_E_PLAN, "%s", text);
    sl_plan_point(p, place, (sl_text){0}, err);
    return status;
}

sl_status sl_node_blame(const sl_node *node, sl_text key, sl_status status, sl_error *err) {
    const sl_plan *p = node->home;
    uint64_t line, column;
    if (node->place && key.n && locate(p, node->place, key, &line, &column))
        sl_error_at(err, p->file, line, column);
    if (node->line) sl_error_at(err, p->file, node->line, node->column);
    sl_error_step(err, node->step, node->pipe ? node->pipe->name : NULL);
    return status;
}

/* What fails in a subpipe is a matter of the step that refers to it, at a place of its own. */
void sl_node_failed(const sl_node *node, sl_error *err) {
    if (!err || err->step || err->pipe[0]) return;
    int step = node->step;
    const sl_plan *home = node->home;
    if (home->parent) {
        char text[sizeof err->text];
        memcpy(text, err->text, sizeof text);
        snprintf(err->text, sizeof err->text, "%s:%llu:%llu: %.600s", home->file,
                 (unsigned long long)node->line, (unsigned long long)node->column, text);
    }
    for (; home->parent; home = home->parent) step = home->step;
    sl_error_step(err, step, node->pipe->name);
}

void sl_source_failed(const sl_node *node, sl_error *err) {
    bool placed = err && (err->step || err->source[0] || err->line);
    sl_node_failed(node, err);
    if (err && !placed && !node->home->parent) sl_node_blame(node, SL_TEXT("url"), err->code, err);
}

sl_status sl_plan_warn(const sl_node *node, sl_error *err, const char *fmt, ...) {
    char shown[1024];
    sl_error warning = {.code = SL_E_PLAN};
    va_list args;
    va_start(args, fmt);
    vsnprintf(warning.text, sizeof warning.text, fmt, args);
    va_end(args);
    (void)sl_node_blame(node, (sl_text){0}, SL_E_PLAN, &warning);
    sl_plan *p = node->home;
    while (p->parent) p = p->parent;
    return sl_plan_warn_text(p, sl_error_format(&warning, shown, sizeof shown), err);
}

sl_status sl_plan_warn_text(sl_plan *p, const char *warning, sl_error *err) {
    p->warnings = grown(&p->arena, p->warnings, p->nwarnings, sizeof *p->warnings);
    sl_text text = sl_arena_printf(&p->arena, "%s", warning);
    if (!p->warnings || !text.s) {
        p->nwarnings = 0;
        return sl_oom(err);
    }
    p->warnings[p->nwarnings++] = text;
    if (p->env.host) sl_log_put(p->env.host->log, SL_LOG_WARNING, SL_LOG_COORDINATOR, "plan", "%s", warning);
    return SL_OK;
}

/* ---- variables and inputs ----------------------------------------------------------------------------------------- */

static sl_status copy_text(sl_plan *p, sl_text *t, sl_error *err) {
    *t = sl_arena_text(&p->arena, *t);
    return t->s ? SL_OK : sl_oom(err);
}

sl_status sl_plan_set_variable(sl_plan *p, sl_text name, sl_text value, sl_error *err) {
    if (!name.n) return sl_fail(err, SL_E_USAGE, "a variable needs a name");
    TRY(copy_text(p, &name, err));
    TRY(copy_text(p, &value, err));
    p->variables = grown(&p->arena, p->variables, p->nvariables, sizeof *p->variables);
    if (!p->variables) {
        p->nvariables = 0;
        return sl_oom(err);
    }
    p->variables[p->nvariables++] = (sl_variable){name, value};
    return SL_OK;
}

sl_status sl_plan_set_input(sl_plan *p, sl_text name, sl_text value, sl_error *err) {
    uint32_t n = p->inputs.type == SL_MAP ? p->inputs.n : 0;
    TRY(copy_text(p, &name, err));
    TRY(copy_text(p, &value, err));
    sl_pair *pairs = sl_arena_calloc(&p->arena, (size_t)n + 1, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!sl_text_eq(p->inputs.as.map[i].key, name)) pairs[kept++] = p->inputs.as.map[i];
    pairs[kept] = (sl_pair){name, sl_text_value(value)};
    p->inputs = sl_map(pairs, kept + 1);
    return SL_OK;
}

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

static sl_status reserve_node(sl_plan *p, sl_error *err) {
    if (p->nnodes == SL_MAX_NODES) return sl_fail(err, SL_E_PLAN, "more than %d steps", SL_MAX_NODES);
    if (p->nnodes < p->cap_nodes) return SL_OK;
    uint32_t cap = p->cap_nodes ? 2 * p->cap_nodes : 16;
    sl_node **more = sl_arena_calloc(&p->arena, cap, sizeof(sl_node *));
    if (!more) return sl_oom(err);
    if (p->nnodes) memcpy(more, p->nodes, p->nnodes * sizeof(sl_node *));
    p->nodes = more;
    p->cap_nodes = cap;
    return SL_OK;
}

sl_status sl_plan_adopt(sl_plan *p, sl_node *node, sl_error *err) {
    TRY(reserve_node(p, err));
    p->nodes[p->nnodes++] = node;
    return SL_OK;
}

sl_status sl_plan_node(sl_plan *p, sl_text id, sl_text type, sl_node **out, sl_error *err) {
    sl_node *node = *out = sl_arena_calloc(&p->arena, 1, sizeof *node);
    if (!node) return sl_oom(err);
    *node = (sl_node){.home = p, .id = id, .type = type, .pipe = p->lookup(type), .emit = -1};
    return sl_plan_adopt(p, node, err);
}

static bool has_port(const sl_node *node, sl_port port) {
    for (uint32_t i = 0; i < node->ninputs; i++)
        if (node->inputs[i].port == port) return true;
    return false;
}

/* The first stream on a port that takes one wins. */
sl_status sl_node_wire(sl_plan *p, sl_node *to, sl_port port, sl_node *from, sl_text terminal,
                       sl_error *err) {
    if ((port == SL_PORT_INPUT || port == SL_PORT_OTHER) && has_port(to, port)) return SL_OK;
    sl_wire *wires = grown(&p->arena, to->inputs, to->ninputs, sizeof *wires);
    if (!wires) return sl_oom(err);
    uint32_t at = port == SL_PORT_INPUT ? 0 : to->ninputs;
    memmove(wires + at + 1, wires + at, (to->ninputs - at) * sizeof *wires);
    wires[at] = (sl_wire){.port = port, .from = from, .terminal = terminal};
    to->inputs = wires;
    to->ninputs++;
    return SL_OK;
}

/* A member of a module stands beside its conf, the type of a source in it. */
void sl_node_point(const sl_node *node, const char *name, sl_error *err) {
    char place[256];
    uint64_t line, column;
    if (!node->place) return;
    snprintf(place, sizeof place, "%s", node->place);
    char *conf = strrchr(place, '.');
    if (conf && !strcmp(conf, ".conf")) *conf = 0;
    sl_text key = sl_text_of(name);
    while (key.n && !locate(node->home, place, key, &line, &column))
        while (key.n && key.s[--key.n] != '.') continue;
    if (key.n) sl_error_at(err, node->home->file, line, column);
}

static sl_status unknown_pipe(sl_text type, sl_error *err) {
    if (sl_legacy_gone(type))
        return sl_fail(err, SL_E_PLAN, "'%.*s' was a service of Yahoo! Pipes and has no counterpart",
                       (int)type.n, type.s);
    if (type.n > 4 && !memcmp(type.s, "pipe:", 5))
        return sl_fail(err, SL_E_PLAN,
                       "'%.*s' is no subpipe: an ID is letters, digits, _, - and dots, none of them first",
                       (int)type.n, type.s);
    return sl_pipe_unknown(type, SL_E_PLAN, err);
}

sl_status sl_node_known(const sl_node *node, sl_error *err) {
    sl_text embed = node->embed;
    if (!node->pipe && !sl_subpipe_id(node->type).n) {
        sl_status status = unknown_pipe(node->type, err);
        sl_node_point(node, "type", err);
        return sl_node_blame(node, (sl_text){0}, status, err);
    }
    if (!embed.s || node->home->lookup(embed) || sl_subpipe_id(embed).n) return SL_OK;
    sl_status status = unknown_pipe(embed, err);
    sl_node_point(node, "embed.type", err);
    return sl_node_blame(node, (sl_text){0}, status, err);
}

/* Riko decides by Python's truth, where the text "false" is true. */
static sl_status call_emit(const sl_plan *p, sl_node *node, sl_value v, sl_error *err) {
    bool no = sl_is_text(v) && sl_text_eq_nocase(sl_bytes(v), SL_TEXT("false"));
    if (v.type == SL_LIST || v.type == SL_MAP) return sl_fail(err, SL_E_PLAN, "'emit' must be true or false");
    node->emit = sl_truthy(v) && !(no && p->settings.dialect == SL_NATIVE);
    return SL_OK;
}

static sl_status call_count(sl_node *node, sl_value v, sl_error *err) {
    sl_text t = sl_is_text(v) ? sl_bytes(v) : (sl_text){0};
    node->count = sl_text_is(t, "first") ? 1 : sl_text_is(t, "all") ? 2 : 0;
    return node->count ? SL_OK : sl_fail(err, SL_E_PLAN, "'count' must be \"first\" or \"all\"");
}

sl_status sl_node_embed(sl_plan *p, sl_node *node, sl_value v, sl_error *err) {
    sl_value type = v.type == SL_MAP ? sl_map_get_z(v, "type") : v;
    if (!node->pipe || strcmp(node->pipe->name, "loop"))
        return sl_fail(err, SL_E_PLAN, "'embed' belongs to a loop, and '%.*s' is none", (int)node->type.n,
                       node->type.s);
    if (!sl_is_text(type) || !type.n)
        return sl_fail(err, SL_E_PLAN,
                       "'embed' is the submodule of the loop, {\"type\": PIPE} or the name of a pipe");
    sl_text t = sl_arena_text(&p->arena, sl_bytes(type));
    if (!t.s) return sl_oom(err);
    node->embed = t;
    return SL_OK;
}

sl_status sl_node_call(sl_plan *p, sl_node *node, const char *key, sl_value v, sl_error *err) {
    if (sl_is_absent(v)) return SL_OK;
    if (!strcmp(key, "emit")) return call_emit(p, node, v, err);
    if (!strcmp(key, "count")) return call_count(node, v, err);
    if (!strcmp(key, "embed")) return sl_node_embed(p, node, v, err);
    if (!strcmp(key, "skip_if")) return sl_value_copy(&node->skip_if, v, &p->arena, err);
    if (!sl_is_text(v)) return sl_fail(err, SL_E_PLAN, "'%s' must be text, the path of a field", key);
    sl_text t = sl_arena_text(&p->arena, sl_bytes(v));
    if (!t.s) return sl_oom(err);
    *(!strcmp(key, "field") ? &node->field : &node->assign) = t;
    return SL_OK;
}

sl_status sl_node_translate(sl_node *node, sl_error *err) {
    sl_plan *p = node->home;
    bool loop = node->embed.s;
    TRY(sl_legacy_translate(p, loop ? &node->embed : &node->type, &node->conf, node->field, err));
    if (!loop) node->pipe = p->lookup(node->type);
    return SL_OK;
}

/* ---- linear steps --------------------------------------------------------------------------------------------------- */

static int next_step(const sl_plan *p) {
    int step = 0;
    for (uint32_t i = 0; i < p->nnodes; i++)
        if (p->nodes[i]->step > step) step = p->nodes[i]->step;
    return step + 1;
}

/* Splits MAP into the call options, which NODE gets, and its conf. */
static sl_status take_calls(sl_plan *p, sl_node *node, sl_value map, sl_error *err) {
    static const char *const calls[] = {"field", "assign", "emit", "count", "skip_if", "embed", NULL};
    sl_pair *kept = sl_arena_calloc(&p->arena, map.n ? map.n : 1, sizeof *kept);
    uint32_t n = 0;
    if (!kept) return sl_oom(err);
    for (uint32_t i = 0; i < map.n; i++) {
        sl_text key = map.as.map[i].key;
        if (!key.n || key.s[0] != '@') {
            kept[n++] = map.as.map[i];
            continue;
        }
        unsigned c = 0;
        while (calls[c] && !sl_text_is((sl_text){key.s + 1, key.n - 1}, calls[c])) c++;
        if (!calls[c])
            return sl_fail(
                err, SL_E_PLAN,
                "unknown call option '%.*s', expected @field, @assign, @emit, @count, @skip_if or @embed",
                (int)key.n, key.s);
        TRY(sl_node_call(p, node, calls[c], map.as.map[i].value, err));
    }
    TRY(sl_value_copy(&node->conf, sl_map(kept, n), &p->arena, err));
    return sl_node_translate(node, err);
}

sl_status sl_plan_add_value(sl_plan *p, sl_text pipe, sl_value conf, sl_error *err) {
    int step = next_step(p);
    sl_text id = sl_arena_printf(&p->arena, "sw-%d", step);
    TRY(copy_text(p, &pipe, err));
    sl_node *node;
    if (!id.s) return sl_oom(err);
    TRY(sl_plan_node(p, id, pipe, &node, err));
    node->step = step;
    TRY(sl_node_known(node, err));
    if (sl_is_absent(conf)) conf = sl_map(NULL, 0);
    sl_status status = conf.type == SL_MAP ? take_calls(p, node, conf, err)
                                           : sl_fail(err, SL_E_PLAN, "the conf must be a JSON object, got %s",
                                                     sl_type_name((sl_type)conf.type));
    if (status != SL_OK) return sl_node_blame(node, (sl_text){0}, status, err);
    if (p->tail) TRY(sl_node_wire(p, node, SL_PORT_INPUT, p->tail, (sl_text){0}, err));
    p->tail = node;
    return SL_OK;
}

sl_status sl_plan_add(sl_plan *p, sl_text pipe, const char *conf, sl_error *err) {
    sl_value map = sl_missing();
    if (conf) {
        sl_status status = sl_json_parse(conf, strlen(conf), "conf", &p->arena, &map, err);
        if (status != SL_OK) sl_error_step(err, next_step(p), NULL);
        TRY(status);
    }
    return sl_plan_add_value(p, pipe, map, err);
}

/* ---- sources and sinks ------------------------------------------------------------------------------------------------ */

sl_status sl_plan_source(sl_plan *p, sl_value conf, const char *place, sl_error *err) {
    sl_pair *url = sl_arena_alloc(&p->arena, sizeof *url);
    if (!url) return sl_oom(err);
    *url = (sl_pair){SL_TEXT("url"), conf};
    if (sl_is_text(conf)) conf = sl_map(url, 1);
    if (conf.type != SL_MAP)
        return sl_plan_fail(p, place, err,
                            "a source must be an object {\"url\": ..., \"type\": ...} or a URL, got %s",
                            sl_type_name((sl_type)conf.type));
    sl_source_ref *more = grown(&p->arena, p->sources, p->nsources, sizeof *more);
    if (!more) return sl_oom(err);
    p->sources = more;
    TRY(sl_value_copy(&conf, conf, &p->arena, err));
    p->sources[p->nsources++] = (sl_source_ref){conf, place};
    return SL_OK;
}

sl_status sl_plan_add_source(sl_plan *p, sl_value conf, sl_error *err) {
    return sl_plan_source(p, conf, NULL, err);
}

static sl_text text_member(sl_value map, const char *key) {
    sl_value v = sl_map_get_z(map, key);
    return sl_is_text(v) ? sl_bytes(v) : (sl_text){0};
}

/* Takes the text member KEY out of the N pairs; .s NULL when it is not there. */
static sl_text take_member(sl_pair *pairs, uint32_t *n, const char *key) {
    for (uint32_t i = 0; i < *n; i++) {
        if (!sl_text_is(pairs[i].key, key) || !sl_is_text(pairs[i].value)) continue;
        sl_text found = sl_bytes(pairs[i].value);
        memmove(pairs + i, pairs + i + 1, (--*n - i) * sizeof *pairs);
        return found;
    }
    return (sl_text){0};
}

/* {"to": "x.db:t", ...} or {"type": "sqlite", "path": "x.db", "table": "t", ...} */
static sl_status read_sink(sl_plan *p, sl_value conf, sl_sink_ref *ref, sl_error *err) {
    sl_pair *pairs = sl_arena_calloc(&p->arena, conf.n ? conf.n : 1, sizeof *pairs);
    uint32_t n = conf.n;
    if (!pairs) return sl_oom(err);
    if (n) memcpy(pairs, conf.as.map, n * sizeof *pairs);
    if (!ref->text.n) ref->text = take_member(pairs, &n, "to");
    if (!ref->text.n) ref->text = take_member(pairs, &n, "path");
    ref->conf = sl_map(pairs, n);
    if (!ref->text.n && sl_text_is(text_member(ref->conf, "type"), "stdout")) ref->text = SL_TEXT("-");
    return SL_OK;
}

/* "x.db:t" however it was written: with ./ before it, with the table as a key of its own. */
static sl_text full_place(sl_plan *p, const sl_sink_ref *ref) {
    sl_text path = ref->text, table = text_member(ref->conf, "table");
    while (path.n > 2 && path.s[0] == '.' && path.s[1] == '/') path = (sl_text){path.s + 2, path.n - 2};
    if (!table.n) return path;
    return sl_arena_printf(&p->arena, "%.*s:%.*s", (int)path.n, path.s, (int)table.n, table.s);
}

static sl_status check_places(sl_plan *p, const sl_sink_ref *ref, const char *place, sl_error *err) {
    sl_text mine = full_place(p, ref);
    for (uint32_t i = 0; i < p->nsinks; i++) {
        sl_text other = full_place(p, &p->sinks[i]);
        if (!mine.s || !other.s) return sl_oom(err);
        if (sl_text_eq(other, mine))
            return sl_plan_fail(p, place, err, "two sinks write '%.*s'", (int)mine.n, mine.s);
    }
    return SL_OK;
}

sl_status sl_plan_sink(sl_plan *p, sl_text text, sl_value conf, const char *place, sl_error *err) {
    sl_sink_ref ref = {.text = text, .conf = sl_map(NULL, 0)};
    if (sl_is_text(conf))
        ref.text = sl_bytes(conf);
    else if (!sl_is_absent(conf) && conf.type != SL_MAP)
        return sl_plan_fail(p, place, err,
                            "a sink must be text such as \"out.db:table\" or an object, got %s",
                            sl_type_name((sl_type)conf.type));
    else
        TRY(read_sink(p, conf, &ref, err));
    if (!ref.text.n) return sl_plan_fail(p, place, err, "a sink needs 'to' (or 'path'): where its items go");
    TRY(check_places(p, &ref, place, err));
    TRY(copy_text(p, &ref.text, err));
    TRY(sl_value_copy(&ref.conf, ref.conf, &p->arena, err));
    if (place && p->text) sl_json_locate(p->text, strlen(p->text), place, &ref.line, &ref.column);
    sl_sink_ref *more = grown(&p->arena, p->sinks, p->nsinks, sizeof *more);
    if (!more) return sl_oom(err);
    p->sinks = more;
    p->sinks[p->nsinks++] = ref;
    return SL_OK;
}

sl_status sl_plan_add_sink(sl_plan *p, sl_text text, sl_value conf, sl_error *err) {
    return sl_plan_sink(p, text, conf, NULL, err);
}

/* ---- ending early ------------------------------------------------------------------------------------------------------- */

/* Whether STEP means NODE: by its number, its id, the name of its pipe. */
static bool is_called(const sl_node *node, sl_text step) {
    char number[16];
    snprintf(number, sizeof number, "%d", node->step);
    return (node->step && sl_text_is(step, number)) || sl_text_eq(node->id, step) ||
           sl_text_eq(node->type, step);
}

sl_status sl_plan_until(sl_plan *p, sl_text step, sl_error *err) {
    const char *names[SL_MAX_NODES + 1];
    sl_node *found = NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->nnodes; i++) {
        const char *id = sl_arena_strndup(&p->arena, p->nodes[i]->id.s, p->nodes[i]->id.n);
        if (!id) return sl_oom(err);
        names[n++] = id;
        if (!is_called(p->nodes[i], step)) continue;
        if (found)
            return sl_fail(err, SL_E_USAGE, "there are several steps '%.*s': give one's number or id",
                           (int)step.n, step.s);
        found = p->nodes[i];
    }
    names[n] = NULL;
    if (found) {
        p->tail = found;
        return SL_OK;
    }
    const char *near = sl_text_nearest(step, names);
    if (near)
        return sl_fail(err, SL_E_USAGE, "no step '%.*s' leads to the output, did you mean '%s'?", (int)step.n,
                       step.s, near);
    return sl_fail(err, SL_E_USAGE,
                   "no step '%.*s' leads to the output; give a number from 1, an id or the name of a pipe",
                   (int)step.n, step.s);
}
