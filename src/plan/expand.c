/* What stands for several nodes: the sources of a collection, and a conf whose url is a list. Both become one node a URL and a
 * union that passes their items on in the order of the list. */
#include "plan/internal.h"

#include "base/error.h"
#include "formats/format.h"

/* The pipe that reads what a URL of this ending is likely to hold. */
static sl_text type_of_url(sl_text url) {
    const sl_format *format = sl_format_for(url);
    return format && format->source ? sl_text_of(format->source) : SL_TEXT("fetchdata");
}

/* The first URL of a source's conf: a text, a literal, or the head of a list of them. */
static sl_text first_url(sl_value v) {
    if (v.type == SL_LIST && v.n) return first_url(v.as.list[0]);
    if (v.type == SL_MAP) return first_url(sl_map_get_z(v, "value"));
    return sl_is_text(v) ? sl_bytes(v) : (sl_text){0};
}

sl_text sl_source_type(sl_value conf) {
    sl_value type = sl_map_get_z(conf, "type");
    if (sl_is_text(type)) return sl_bytes(type);
    bool told = !sl_is_absent(sl_map_get_z(conf, "format")); /* fetchdata takes any */
    return told ? SL_TEXT("fetchdata") : type_of_url(first_url(sl_map_get_z(conf, "url")));
}

/* The conf without its `type`, which names the pipe. */
static sl_status split_type(sl_plan *p, sl_value conf, sl_text *type, sl_value *rest, sl_error *err) {
    sl_pair *kept = sl_arena_calloc(&p->arena, conf.n ? conf.n : 1, sizeof *kept);
    uint32_t n = 0;
    if (!kept) return sl_oom(err);
    *type = sl_source_type(conf);
    for (uint32_t i = 0; i < conf.n; i++) {
        sl_pair pair = conf.as.map[i];
        if (!sl_text_is(pair.key, "type") || !sl_is_text(pair.value)) kept[n++] = pair;
    }
    *rest = sl_map(kept, n);
    return SL_OK;
}

/* STEP: of sources that have no place in a text and no steps beside them, else 0. */
static sl_status source_node(sl_plan *p, uint32_t i, int step, sl_node **out, sl_error *err) {
    sl_text type, id = sl_arena_printf(&p->arena, "source-%u", (unsigned)i + 1);
    sl_value conf;
    sl_node *node;
    if (!id.s) return sl_oom(err);
    TRY(split_type(p, p->sources[i].conf, &type, &conf, err));
    TRY(sl_plan_node(p, id, type, &node, err));
    node->step = step;
    node->place = p->sources[i].place;
    node->conf = conf;
    if (node->place && p->text)
        sl_json_locate(p->text, strlen(p->text), node->place, &node->line, &node->column);
    TRY(sl_node_known(node, err));
    *out = node;
    if (node->pipe && node->pipe->kind == SL_KIND_SOURCE) return SL_OK;
    sl_status status = sl_fail(err, SL_E_PLAN, "'%.*s' is not a source", (int)type.n, type.s);
    return sl_node_blame(node, SL_TEXT("type"), status, err);
}

static sl_status make_union(sl_plan *p, sl_node *node, sl_error *err) {
    node->type = SL_TEXT("union");
    node->pipe = p->lookup(node->type);
    node->conf = sl_map(NULL, 0);
    node->ninputs = 0;
    node->inputs = NULL;
    return node->pipe ? SL_OK : sl_fail(err, SL_E_INTERNAL, "no pipe 'union'");
}

static sl_status join_sources(sl_plan *p, sl_node **out, sl_error *err) {
    sl_node *all = NULL, *node = NULL;
    bool alone = p->nnodes == 0 && !p->text;
    if (p->nsources > 1) {
        TRY(sl_plan_node(p, SL_TEXT("sources"), SL_TEXT("union"), &all, err));
        TRY(make_union(p, all, err));
    }
    for (uint32_t i = 0; i < p->nsources; i++) {
        TRY(source_node(p, i, alone ? (int)i + 1 : 0, &node, err));
        *out = all ? all : node;
        if (all) TRY(sl_node_wire(p, all, i ? SL_PORT_OTHERS : SL_PORT_INPUT, node, (sl_text){0}, err));
    }
    return SL_OK;
}

static bool wants_input(const sl_node *node) {
    bool source = node->pipe && node->pipe->kind == SL_KIND_SOURCE;
    return !source && !sl_node_receives(node) && (!node->ninputs || node->inputs[0].port != SL_PORT_INPUT);
}

sl_status sl_expand_sources(sl_plan *p, sl_error *err) {
    sl_node *first = NULL, *all = NULL;
    if (!p->nsources) return SL_OK;
    for (uint32_t i = 0; i < p->nnodes; i++)
        if (wants_input(p->nodes[i]) && (!first || p->nodes[i]->step < first->step)) first = p->nodes[i];
    if (!first && p->tail)
        return sl_plan_fail(p, p->sources[0].place, err,
                            "the sources feed nothing: every module has an input of its own");
    TRY(join_sources(p, &all, err));
    if (first) return sl_node_wire(p, first, SL_PORT_INPUT, all, (sl_text){0}, err);
    p->tail = all;
    return SL_OK;
}

/* ---- lists of URLs --------------------------------------------------------------------------------------------------- */

/* CONF with URL for its url. */
static sl_status with_url(sl_plan *p, sl_value conf, sl_value url, sl_value *out, sl_error *err) {
    sl_pair *pairs = sl_arena_calloc(&p->arena, conf.n, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    memcpy(pairs, conf.as.map, conf.n * sizeof *pairs);
    for (uint32_t i = 0; i < conf.n; i++)
        if (sl_text_is(pairs[i].key, "url")) pairs[i].value = url;
    *out = sl_map(pairs, conf.n);
    return SL_OK;
}

/* NODE becomes the union of copies of itself, one a URL. */
static sl_status spread(sl_plan *p, sl_node *node, sl_value urls, sl_error *err) {
    sl_node was = *node;
    TRY(make_union(p, node, err));
    node->emit = -1;
    node->count = 0;
    node->field = node->assign = (sl_text){0};
    for (uint32_t i = 0; i < urls.n; i++) {
        sl_text id = sl_arena_printf(&p->arena, "%.*s.%u", (int)was.id.n, was.id.s, (unsigned)i + 1);
        sl_node *copy;
        if (!id.s) return sl_oom(err);
        TRY(sl_plan_node(p, id, was.type, &copy, err));
        *copy = was;
        copy->id = id;
        copy->inputs = NULL;
        copy->ninputs = 0;
        for (uint32_t k = 0; k < was.ninputs; k++)
            TRY(sl_node_wire(p, copy, was.inputs[k].port, was.inputs[k].from, was.inputs[k].terminal, err));
        TRY(with_url(p, was.conf, urls.as.list[i], &copy->conf, err));
        TRY(sl_node_wire(p, node, i ? SL_PORT_OTHERS : SL_PORT_INPUT, copy, (sl_text){0}, err));
    }
    return SL_OK;
}

sl_status sl_expand_urls(sl_plan *p, sl_error *err) {
    uint32_t n = p->nnodes;
    for (uint32_t i = 0; i < n; i++) {
        sl_node *node = p->nodes[i];
        sl_value urls = sl_map_get_z(node->conf, "url");
        if (urls.type != SL_LIST || !node->pipe || node->pipe->kind != SL_KIND_SOURCE) continue;
        if (urls.n == 1)
            TRY(with_url(p, node->conf, urls.as.list[0], &node->conf, err));
        else
            TRY(spread(p, node, urls, err));
    }
    return SL_OK;
}
