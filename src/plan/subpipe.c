/* subpipe.c: definitions that others refer to as pipe:ID.
 *
 * pipe_ID.json is looked for beside the definition that names it, then in each folder of the setting pipe_path. As a module it moves
 * into the graph, so it is as parallel as if it were written there; in a loop it stays whole. Its first module without any wire gets
 * what the caller hands over; inputs and variables travel, confs do not. */
#include "plan/internal.h"

#include <errno.h>
#include <stdio.h>

#include <sys/stat.h>

#include "base/error.h"

enum { MOST_READ = 1000, MAX_PATH = 4096 };

static const sl_plan *root_of(const sl_plan *p) {
    while (p->parent) p = p->parent;
    return p;
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

/* An ID is part of a file's name and no more. */
static bool is_id(sl_text id) {
    for (uint32_t i = 0; i < id.n; i++) {
        char c = id.s[i], low = (char)(c | 32);
        bool plain = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        if (!plain) return false;
    }
    return id.n > 0 && id.n < 200 && id.s[0] != '.';
}

sl_text sl_subpipe_id(sl_text type) {
    static const uint32_t prefix = 5; /* pipe: or pipe_ */
    if (type.n <= prefix || memcmp(type.s, "pipe", 4) != 0) return (sl_text){0};
    sl_text id = {type.s + prefix, type.n - prefix};
    return (type.s[4] == ':' || type.s[4] == '_') && is_id(id) ? id : (sl_text){0};
}

static sl_status blame(const sl_node *node, sl_status status, sl_error *err) {
    sl_node_point(node, node->embed.s ? "embed.type" : "type", err);
    return sl_node_blame(node, (sl_text){0}, status, err);
}

/* ---- finding the file ------------------------------------------------------------------------------------------------ */

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static sl_status file_in(sl_plan *p, sl_text folder, sl_text id, const char **path, sl_error *err) {
    sl_text full =
        folder.n ? sl_arena_printf(&p->arena, "%.*s/pipe_%.*s.json", (int)folder.n, folder.s, (int)id.n, id.s)
                 : sl_arena_printf(&p->arena, "pipe_%.*s.json", (int)id.n, id.s);
    *path = full.s;
    return full.s ? SL_OK : sl_oom(err);
}

/* The next folder of the path *REST, which is cut down; an empty part is passed over. */
static bool next_folder(sl_text *rest, sl_text *folder) {
    while (rest->n) {
        const char *colon = memchr(rest->s, ':', rest->n);
        uint32_t n = colon ? (uint32_t)(colon - rest->s) : rest->n;
        *folder = (sl_text){rest->s, n};
        *rest = colon ? (sl_text){colon + 1, rest->n - n - 1} : (sl_text){0};
        if (n) return true;
    }
    return false;
}

static sl_status find_file(const sl_node *node, sl_text id, const char **path, sl_error *err) {
    sl_plan *p = node->home;
    sl_text folder = sl_text_of(p->base_dir), rest = root_of(p)->settings.pipe_path;
    sl_buf tried = {.limit = MAX_PATH};
    do {
        sl_status status = file_in(p, folder, id, path, err);
        if (status != SL_OK || is_file(*path)) {
            sl_buf_free(&tried);
            return status;
        }
        sl_buf_printf(&tried, "%s'%.*s'", tried.len ? ", " : "", folder.n ? (int)folder.n : 1,
                      folder.n ? folder.s : ".");
    } while (next_folder(&rest, &folder));
    sl_status status = sl_fail(err, SL_E_PLAN,
                               "no subpipe '%.*s': there is no file pipe_%.*s.json in %s; --pipe-path names "
                               "further folders",
                               (int)id.n, id.s, (int)id.n, id.s, sl_buf_cstr(&tried));
    sl_buf_free(&tried);
    return blame(node, status, err);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return a && b && stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* " -> " and the file of each definition from FROM down to P. */
static void write_chain(const sl_plan *from, const sl_plan *p, sl_buf *out) {
    if (p != from) write_chain(from, p->parent, out);
    sl_buf_printf(out, "%s -> ", p->file ? p->file : "the pipeline");
}

static sl_status check_circle(const sl_node *node, const char *path, sl_error *err) {
    sl_buf chain = {.limit = MAX_PATH};
    for (const sl_plan *p = node->home; p; p = p->parent) {
        if (!same_file(p->file, path)) continue;
        write_chain(p, node->home, &chain);
        sl_status status =
            sl_fail(err, SL_E_PLAN, "a subpipe contains itself: %s%s", sl_buf_cstr(&chain), path);
        sl_buf_free(&chain);
        return blame(node, status, err);
    }
    return SL_OK;
}

static sl_plan *adopt(const sl_node *node) {
    sl_plan *p = node->home, *sub = sl_plan_new();
    if (!sub) return NULL;
    sub->parent = p;
    sub->sibling = p->subs;
    p->subs = sub;
    sub->lookup = p->lookup;
    sub->step = node->step;
    sub->variables = p->variables;
    sub->nvariables = p->nvariables;
    sub->inputs = p->inputs;
    sl_settings_inherit(&sub->settings, &p->settings);
    return sub;
}

static sl_status read_subpipe(const sl_node *node, sl_text id, sl_plan **out, sl_error *err) {
    const char *path;
    sl_plan *root = (sl_plan *)(uintptr_t)root_of(node->home);
    TRY(find_file(node, id, &path, err));
    TRY(check_circle(node, path, err));
    if (++root->nread > MOST_READ)
        return blame(node, sl_fail(err, SL_E_PLAN, "more than %d subpipes", MOST_READ), err);
    sl_plan *sub = *out = adopt(node);
    if (!sub) return sl_oom(err);
    TRY(sl_plan_load_file(sub, path, err));
    sl_plan_inherit_env(sub);
    return SL_OK;
}

/* ---- its entry -------------------------------------------------------------------------------------------------------- */

/* What looks at an input, has none, and is in the definition: neither a source of the collection nor `input`. BARE: has no terminals
 * either, so that no module comes before it. */
static bool is_open(const sl_node *node, bool bare) {
    if (!node->step || sl_node_receives(node)) return false;
    if (node->pipe && (node->pipe->flags & SL_PIPE_NO_LOOP)) return false;
    return !node->ninputs || (!bare && node->inputs[0].port != SL_PORT_INPUT);
}

/* The first module, in the order of the definition, that no other comes before; then one that waits for terminals only. */
static sl_node *entry_of(const sl_plan *sub) {
    sl_node *entry = NULL;
    for (int bare = 1; bare >= 0 && !entry; bare--) {
        for (uint32_t i = 0; i < sub->nnodes; i++) {
            sl_node *node = sub->nodes[i];
            if (is_open(node, bare) && (!entry || node->step < entry->step)) entry = node;
        }
    }
    return entry;
}

static sl_status feed_entry(sl_plan *sub, sl_node *from, sl_error *err) {
    sl_node *entry = entry_of(sub);
    return entry && from ? sl_node_wire(sub, entry, SL_PORT_INPUT, from, (sl_text){0}, err) : SL_OK;
}

sl_status sl_subpipe_conf(sl_node *node, sl_error *err) {
    bool given = node->conf.type == SL_MAP && node->conf.n;
    bool called = node->field.s || (!node->embed.s && (node->assign.s || node->emit >= 0 || node->count));
    node->field = (sl_text){0};
    if (node->home->settings.dialect == SL_RIKO || (!given && !called)) {
        node->conf = sl_map(NULL, 0);
        return SL_OK;
    }
    sl_status status =
        sl_fail(err, SL_E_PLAN,
                "a subpipe takes the items as they are, without %s; what it shall know comes from "
                "its inputs and variables",
                given ? "a conf" : "call options");
    return sl_node_blame(node, (sl_text){0}, status, err);
}

/* ---- in a loop -------------------------------------------------------------------------------------------------------- */

sl_status sl_subpipe_nest(sl_node *node, sl_text id, sl_error *err) {
    sl_plan *sub;
    TRY(read_subpipe(node, id, &sub, err));
    sub->nested = true;
    sl_plan_inherit_env(sub);
    TRY(sl_expand_sources(sub, err));
    if (entry_of(sub)) {
        sl_node *entry = entry_of(sub);
        TRY(sl_plan_node(sub, SL_TEXT("_CALLER"), SL_TEXT("caller"), &sub->caller, err));
        sub->caller->pipe = NULL;
        TRY(sl_node_wire(sub, entry, SL_PORT_INPUT, sub->caller, (sl_text){0}, err));
    }
    TRY(sl_plan_expand(sub, err));
    node->nested = sub;
    node->loop = true;
    return SL_OK;
}

/* ---- as a module ------------------------------------------------------------------------------------------------------- */

/* Who reads NODE reads FROM instead. */
static void replace_reader(sl_plan *p, const sl_node *node, sl_node *from) {
    for (uint32_t i = 0; i < p->nnodes; i++)
        for (uint32_t k = 0; k < p->nodes[i]->ninputs; k++)
            if (p->nodes[i]->inputs[k].from == node) p->nodes[i]->inputs[k].from = from;
    if (p->tail == node) p->tail = from;
}

static sl_status move_in(sl_plan *p, const sl_node *node, sl_plan *sub, sl_error *err) {
    for (uint32_t i = 0; i < sub->nnodes; i++) {
        sl_node *moved = sub->nodes[i];
        moved->id = sl_arena_printf(&p->arena, "%.*s/%.*s", (int)node->id.n, node->id.s, (int)moved->id.n,
                                    moved->id.s);
        if (!moved->id.s) return sl_oom(err);
        TRY(sl_plan_adopt(p, moved, err));
    }
    replace_reader(p, node, sub->tail);
    sub->nnodes = 0;
    return SL_OK;
}

static sl_status expand(sl_plan *p, sl_node *node, sl_error *err) {
    sl_plan *sub;
    bool fed = node->ninputs && node->inputs[0].port == SL_PORT_INPUT;
    TRY(sl_subpipe_conf(node, err));
    TRY(read_subpipe(node, sl_subpipe_id(node->type), &sub, err));
    TRY(sl_expand_sources(sub, err));
    TRY(feed_entry(sub, fed ? node->inputs[0].from : NULL, err));
    TRY(sl_plan_expand(sub, err));
    return move_in(p, node, sub, err);
}

sl_status sl_expand_subpipes(sl_plan *p, sl_error *err) {
    uint32_t n = p->nnodes;
    for (uint32_t i = 0; i < n; i++) {
        sl_node *node = p->nodes[i];
        if (!node->pipe && sl_subpipe_id(node->type).n) TRY(expand(p, node, err));
    }
    return SL_OK;
}
