/* filter: keeps the items that fulfil its rules.
 *
 * Rules are tested a column at a time. With several that must all hold, each looks only at what the one before left. With
 * `stop` the first rejected item ends the stream, so the coordinator decides, in order. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/filter/rule.h"
#include "operators/lua/lua.h"

typedef struct conf {
    sl_rules rules;
    sl_lua_conf function;
    const sl_lua_program *program; /* the last of the conditions, or NULL */
    int combine;
    bool permit, stop;
    const _Atomic bool *stopping;
} conf;

enum { COMBINE_AND, COMBINE_OR };

typedef struct state {
    const conf *conf;
    sl_matcher *matcher;
    sl_lua *lua;
    bool *keep, *other; /* [cap] */
    uint32_t cap;
    uint64_t taken; /* stop: items looked at, up to the first that is rejected */
} state;

static const sl_filter_rule *rule_at(const conf *c, uint32_t i) {
    return (const sl_filter_rule *)c->rules.v + i;
}

/* ---- deciding ----------------------------------------------------------------------------------------------------------- */

static sl_status reserve(state *st, uint32_t n, sl_error *err) {
    if (n <= st->cap) return SL_OK;
    free(st->keep);
    free(st->other);
    st->keep = malloc(n);
    st->other = malloc(n);
    st->cap = st->keep && st->other ? n : 0;
    return st->cap ? SL_OK : sl_oom(err);
}

/* How many conditions there are; the I-th, of the rules in order and then the function, tested. */
static uint32_t conditions(const conf *c) {
    return c->rules.n + (c->program != NULL);
}

static sl_status test(state *st, uint32_t i, sl_batch *b, bool *keep, sl_error *err) {
    if (i == st->conf->rules.n) return sl_lua_test(st->lua, b, keep, err);
    return sl_filter_rule_test(rule_at(st->conf, i), st->matcher, b, keep, err);
}

/* All conditions must hold and what fulfils them is kept: narrow the selection one by one. */
static sl_status keep_all(state *st, sl_batch *b, sl_error *err) {
    for (uint32_t i = 0; i < conditions(st->conf) && b->nsel; i++) {
        TRY(test(st, i, b, st->keep, err));
        TRY(sl_batch_select(b, st->keep, err));
    }
    return SL_OK;
}

/* The combined answer of all conditions into st->keep. */
static sl_status combine(state *st, sl_batch *b, sl_error *err) {
    const conf *c = st->conf;
    bool all = c->combine == COMBINE_AND;
    if (!b->nsel) return SL_OK;
    memset(st->keep, all, b->nsel);
    for (uint32_t i = 0; i < conditions(c); i++) {
        TRY(test(st, i, b, st->other, err));
        for (uint32_t k = 0; k < b->nsel; k++)
            st->keep[k] = all ? st->keep[k] && st->other[k] : st->keep[k] || st->other[k];
    }
    for (uint32_t k = 0; k < b->nsel; k++) st->keep[k] = st->keep[k] == c->permit;
    return SL_OK;
}

static sl_status apply(const void *vconf, void *vstate, sl_batch *take, sl_out *out, sl_error *err) {
    const conf *c = vconf;
    state *st = vstate;
    sl_status s = reserve(st, take->nsel, err);
    if (s == SL_OK && c->permit && c->combine == COMBINE_AND) {
        s = keep_all(st, take, err);
    } else if (s == SL_OK) {
        s = combine(st, take, err);
        if (s == SL_OK) s = sl_batch_select(take, st->keep, err);
    }
    if (s == SL_OK) return sl_emit(out, take, err);
    sl_batch_free(&take);
    return s;
}

/* ---- state -------------------------------------------------------------------------------------------------------------- */

static void stop_state(void *vstate) {
    state *st = vstate;
    if (!st) return;
    sl_matcher_free(&st->matcher);
    sl_lua_free(&st->lua);
    free(st->keep);
    free(st->other);
    free(st);
}

static sl_status start_state(const void *vconf, void **out, sl_error *err) {
    state *st = *out = calloc(1, sizeof *st);
    if (!st) return sl_oom(err);
    st->conf = vconf;
    if (st->conf->program) TRY(sl_lua_open(st->conf->program, &st->lua, err));
    return sl_matcher_new(0, st->conf->stopping, &st->matcher, err);
}

/* ---- stop at the first rejected item -------------------------------------------------------------------------------------- */

static bool runs_in_order(const void *vconf) {
    return ((const conf *)vconf)->stop;
}

static sl_status open_serial(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    (void)env;
    return start_state(vconf, out, err);
}

static sl_status pass(void *vstate, sl_batch *take, sl_out *out, sl_error *err) {
    state *st = vstate;
    if (!st->conf->stop) return apply(st->conf, st, take, out, err);
    uint32_t before = take->nsel, n = 0;
    sl_status s = reserve(st, before, err);
    if (s == SL_OK) s = combine(st, take, err);
    while (s == SL_OK && n < before && st->keep[n]) n++;
    if (s == SL_OK) s = sl_batch_window(take, 0, n, err);
    if (s != SL_OK) {
        sl_batch_free(&take);
        return s;
    }
    TRY(sl_emit(out, take, err));
    st->taken += n < before ? n + 1 : n;
    return n < before ? SL_DONE : SL_OK;
}

static uint64_t taken(const void *vstate) {
    return ((const state *)vstate)->taken;
}

static const sl_serial serial = {.open = open_serial, .pass = pass, .close = stop_state, .taken = taken};

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->stopping = info->env->stopping;
    if (!c->rules.v && !c->function.lua.s)
        return sl_fail(err, SL_E_PLAN, "missing key 'rule': what to look for (or 'lua')");
    for (uint32_t i = 0; i < c->rules.n; i++)
        TRY(sl_filter_rule_prepare((sl_filter_rule *)c->rules.v + i, info, err));
    return c->function.lua.s ? sl_lua_prepare(&c->function, SL_LUA_FILTER, info, &c->program, err) : SL_OK;
}

static void destroy(void *vconf) {
    conf *c = vconf;
    for (uint32_t i = 0; i < c->rules.n; i++) sl_regex_free(&((sl_filter_rule *)c->rules.v + i)->regex);
}

static const char *const combine_names[] = {"and", "or", NULL};

static const sl_option rule_options[] = {
    {.name = "field",
     .type = SL_OPT_PATH,
     .offset = offsetof(sl_filter_rule, field),
     .flags = SL_OPT_REQUIRED,
     .help = "field to look at"},
    {.name = "op",
     .type = SL_OPT_ENUM,
     .offset = offsetof(sl_filter_rule, op),
     .names = sl_filter_op_names,
     .flags = SL_OPT_REQUIRED,
     .help = "what must be true of the field and the value"},
    {.name = "value",
     .type = SL_OPT_VALUE,
     .offset = offsetof(sl_filter_rule, value),
     .help = "what to compare with; not needed by truthy and falsy"},
    {0},
};

static const sl_option options[] = {
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, rules),
     .rules = rule_options,
     .rule_size = sizeof(sl_filter_rule),
     .help = "what to look for"},
    SL_LUA_OPTIONS(conf, function, "one condition more: a Lua expression over the item's fields", "10"),
    {.name = "combine",
     .type = SL_OPT_ENUM,
     .offset = offsetof(conf, combine),
     .fallback = "and",
     .names = combine_names,
     .help = "whether all rules (and lua) must be fulfilled or any"},
    {.name = "permit",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, permit),
     .fallback = "true",
     .help = "keep the items that fulfil the rules; false: keep the others"},
    {.name = "stop",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, stop),
     .fallback = "false",
     .help = "end the stream at the first item that is not kept"},
    {0},
};

const sl_pipe sl_pipe_filter = {
    .name = "filter",
    .kind = SL_KIND_OPERATOR,
    .summary = "Keeps the items that fulfil conditions",
    .details =
        "Operations: is (or eq), isnot: the same value; 5 is 5.0 and true is 1, but 5 is not \"5\", so a CSV "
        "field is compared with a text. greater, less: numbers by value, texts by code point; natively a "
        "text "
        "that is a number is one when the rule's value is a number. atleast, atmost: numbers, also as text. "
        "after, before: days. contains, doesnotcontain: part of the text form, in any case; an empty text "
        "fulfils neither. matches: a regular expression found anywhere. truthy, falsy: neither (or) absent, "
        "empty, zero, false. A field that is absent or cannot be converted fulfils nothing, isnot included, "
        "except falsy and doesnotcontain.\n\n"
        "lua: fields are variables (and item.NAME), as in incidents > 100 and province == 'GP'. A field that "
        "<, <=, > or >= compares with a number is taken as a number, and fulfils nothing where it is none; "
        "everywhere else a CSV field is a string. In Lua only nil and false are untrue. A field hides the "
        "function of Lua that has its name.",
    .example = "itembuilder attrs.key=n attrs.value=5 | filter rule.field=n rule.op=atleast rule.value=3",
    .options = options,
    .conf_size = sizeof(conf),
    .flags = SL_PIPE_HEADINGS,
    .prepare = prepare,
    .destroy = destroy,
    .start = start_state,
    .stop = stop_state,
    .apply = apply,
    .serial = &serial,
    .in_order = runs_in_order,
};
