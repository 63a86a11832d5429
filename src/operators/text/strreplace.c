/* strreplace: plain search and replace in one field. */
#include "base/error.h"
#include "base/unicode.h"
#include "plan/pipe.h"

typedef enum which { FIRST, LAST, EVERY } which;

typedef struct rule {
    sl_text find, replace, param;
    which which;
} rule;

typedef struct conf {
    sl_rules rules;
} conf;

/* ---- replacing ---------------------------------------------------------------------------------------------------------- */

static char *put(char *at, const char *s, size_t n) {
    if (n) memcpy(at, s, n);
    return at + n;
}

static sl_status make_room(uint64_t n, sl_arena *arena, char **out, sl_error *err) {
    if (n > UINT32_MAX) return sl_fail(err, SL_E_MEMORY, "the text is longer than 4 GiB");
    *out = sl_arena_alloc(arena, n);
    return *out ? SL_OK : sl_oom(err);
}

static sl_status replace_at(const rule *r, int64_t place, sl_text *t, sl_arena *arena, sl_error *err) {
    char *bytes, *at;
    if (place < 0) return SL_OK;
    uint32_t from = (uint32_t)place, end = from + r->find.n;
    TRY(make_room((uint64_t)t->n - r->find.n + r->replace.n, arena, &bytes, err));
    at = put(bytes, t->s, from);
    at = put(at, r->replace.s, r->replace.n);
    at = put(at, t->s + end, t->n - end);
    *t = sl_text_n(bytes, (size_t)(at - bytes));
    return SL_OK;
}

static sl_status replace_every(const rule *r, sl_text *t, sl_arena *arena, sl_error *err) {
    uint64_t count = 0;
    char *bytes, *at;
    uint32_t from = 0;
    int64_t hit = sl_text_find(*t, r->find, 0);
    if (hit < 0) return SL_OK;
    for (int64_t k = hit; k >= 0; k = sl_text_find(*t, r->find, (uint32_t)k + r->find.n)) count++;
    TRY(make_room(t->n - count * r->find.n + count * r->replace.n, arena, &bytes, err));
    for (at = bytes; hit >= 0; hit = sl_text_find(*t, r->find, from)) {
        at = put(at, t->s + from, (uint32_t)hit - from);
        at = put(at, r->replace.s, r->replace.n);
        from = (uint32_t)hit + r->find.n;
    }
    at = put(at, t->s + from, t->n - from);
    *t = sl_text_n(bytes, (size_t)(at - bytes));
    return SL_OK;
}

/* An empty text is found before every character and at the end. */
static sl_status replace_between(const rule *r, sl_text *t, sl_arena *arena, sl_error *err) {
    char *bytes, *at;
    TRY(make_room(t->n + ((uint64_t)t->n + 1) * r->replace.n, arena, &bytes, err));
    at = put(bytes, r->replace.s, r->replace.n);
    for (uint32_t from = 0; from < t->n;) {
        uint32_t code;
        unsigned n = sl_utf8_decode(t->s + from, t->n - from, &code);
        if (!n) n = 1;
        at = put(at, t->s + from, n);
        at = put(at, r->replace.s, r->replace.n);
        from += n;
    }
    *t = sl_text_n(bytes, (size_t)(at - bytes));
    return SL_OK;
}

static sl_status replace(const rule *r, sl_text *t, sl_arena *arena, sl_error *err) {
    if (r->which == FIRST) return replace_at(r, sl_text_find(*t, r->find, 0), t, arena, err);
    if (r->which == LAST) return replace_at(r, sl_text_find_last(*t, r->find), t, arena, err);
    return r->find.n ? replace_every(r, t, arena, err) : replace_between(r, t, arena, err);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_text t = field.n ? sl_bytes(field) : SL_TEXT("");
    (void)state, (void)item;
    for (uint32_t i = 0; i < c->rules.n; i++)
        TRY(replace((const rule *)c->rules.v + i, &t, sl_results_arena(results), err));
    return sl_result(results, sl_text_value(t), err);
}

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static const char *const params[] = {"first", "last", "every", NULL};

/* Under riko's dialect any other word means every. */
static sl_status prepare_rule(rule *r, bool riko, sl_error *err) {
    r->which = sl_text_is(r->param, "first") ? FIRST : sl_text_is(r->param, "last") ? LAST : EVERY;
    if (r->which == LAST && !r->find.n)
        return sl_fail(err, SL_E_PLAN, "an empty text has no last occurrence");
    if (riko || r->which != EVERY || sl_text_is(r->param, "every")) return SL_OK;
    char hint[SL_HINT];
    return sl_fail(err, SL_E_PLAN, "param must be first, last or every, got '%.*s'%s", (int)r->param.n,
                   r->param.s, sl_text_meant(r->param, params, hint));
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    for (uint32_t i = 0; i < c->rules.n; i++)
        TRY(prepare_rule((rule *)c->rules.v + i, info->env->dialect == SL_RIKO, err));
    return SL_OK;
}

static const sl_option rule_options[] = {
    {.name = "find",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, find),
     .flags = SL_OPT_REQUIRED,
     .help = "text to look for"},
    {.name = "replace",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, replace),
     .flags = SL_OPT_REQUIRED,
     .help = "text in its place"},
    {.name = "param",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, param),
     .fallback = "every",
     .help = "which occurrence: first, last or every"},
    {0},
};

static const sl_option options[] = {
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, rules),
     .rules = rule_options,
     .rule_size = sizeof(rule),
     .flags = SL_OPT_REQUIRED,
     .help = "what to replace, in order"},
    {0},
};

const sl_pipe sl_pipe_strreplace = {
    .name = "strreplace",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Replaces text in a field",
    .details =
        "Plain text, no patterns; upper and lower case differ. Rules are applied in order, each to the "
        "result of the one before. An empty text is found before every character and at the end.",
    .example = "itembuilder attrs.key=content attrs.value=hello | strreplace rule.find=l rule.replace=L",
    .options = options,
    .conf_size = sizeof(conf),
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .each = each,
};
