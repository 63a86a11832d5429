/* strfind: the part of a text before, after or at another one. Results are views into the field: nothing is copied. */
#include "base/error.h"
#include "base/unicode.h"
#include "operators/text/finding.h"

typedef struct rule {
    sl_find_rule common;
} rule;

typedef struct conf {
    sl_rules rules;
    bool riko;
} conf;

/* The characters from the one at byte AT on that come before the LENGTH-th of T: what riko cuts out instead of what it found. */
static sl_text cut_as_riko(sl_text t, uint32_t at, uint32_t length) {
    uint32_t end = sl_utf8_offset(t, length);
    return at < end ? (sl_text){t.s + at, end - at} : SL_TEXT("");
}

static sl_text kept(const sl_find_rule *r, bool riko, sl_text t) {
    int64_t place = r->param == SL_FIND_LAST ? sl_text_find_last(t, r->find) : sl_text_find(t, r->find, 0);
    if (place < 0) return r->location == SL_FIND_AFTER ? t : SL_TEXT("");
    uint32_t at = (uint32_t)place, end = at + r->find.n;
    if (r->location == SL_FIND_BEFORE) return (sl_text){t.s, at};
    if (r->location == SL_FIND_AFTER) return (sl_text){t.s + end, t.n - end};
    return riko ? cut_as_riko(t, at, sl_utf8_length(r->find)) : (sl_text){t.s + at, r->find.n};
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    const rule *rules = c->rules.v;
    sl_text t = field.n ? sl_bytes(field) : SL_TEXT("");
    (void)state, (void)item;
    for (uint32_t i = 0; i < c->rules.n; i++) t = sl_utf8_strip(kept(&rules[i].common, c->riko, t));
    return sl_result(results, sl_text_value(t), err);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    const rule *rules = c->rules.v;
    c->riko = info->env->dialect == SL_RIKO;
    for (uint32_t i = 0; i < c->rules.n; i++)
        if (!rules[i].common.find.n)
            return sl_fail(err, SL_E_PLAN, "key 'find' must not be empty: it is the text to look for");
    return SL_OK;
}

static const sl_option rule_options[] = {
    SL_FIND_ROWS(rule, "text to look for; upper and lower case differ"),
    {0},
};

static const sl_option options[] = {
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, rules),
     .rules = rule_options,
     .rule_size = sizeof(rule),
     .flags = SL_OPT_REQUIRED,
     .help = "where to cut, in order"},
    {0},
};

const sl_pipe sl_pipe_strfind = {
    .name = "strfind",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Takes the part of a text before, after or at another text",
    .details = "Plain text, no patterns. Rules are applied in order, each to the result of the one before, "
               "from which "
               "white space at both ends is taken off. What is not found leaves nothing before it and "
               "nothing at it, "
               "and everything after it.\n"
               "Under riko's dialect `at` counts as riko does: it gives the characters between the place of "
               "the find "
               "and its length, which is the find only at the very start.",
    .example =
        "itembuilder attrs.key=content attrs.value=\"name: Ann\" | strfind rule.find=: rule.location=after",
    .options = options,
    .conf_size = sizeof(conf),
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .each = each,
};
