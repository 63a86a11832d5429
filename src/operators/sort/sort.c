/* sort: items in the order of one or more fields.
 *
 * Missing values come first; under riko's dialect they count as "" and mixing texts with numbers is an error, as there. */
#include "base/error.h"
#include "operators/sort/ordering.h"
#include "record/compare.h"

typedef struct rule {
    sl_text field, dir, type;
    bool desc, typed;
    sl_cast cast;
} rule;

typedef struct conf {
    sl_ordering ordering;     /* first: the fold's conf */
    sl_rules rules;           /* those with a field */
    sl_text old_key, old_dir; /* of the 2016 API */
    const sl_env *env;
} conf;

enum { KIND_TEXT = 1, KIND_OTHER = 2 }; /* of keys seen: under riko's dialect the two do not mix */

static const rule *rule_at(const conf *c, uint32_t i) {
    return (const rule *)c->rules.v + i;
}

/* ---- keys --------------------------------------------------------------------------------------------------------------- */

static sl_status key_value(const rule *r, const conf *c, sl_value *v, sl_arena *a, sl_error *err) {
    if (r->typed) return sl_cast_value(r->cast, *v, c->env->now, a, v, err);
    bool nothing = sl_is_absent(*v) || v->type == SL_LIST || v->type == SL_MAP;
    if (c->env->dialect == SL_RIKO && nothing) *v = sl_text_value(SL_TEXT(""));
    return SL_OK;
}

static sl_status check(const void *owner, const unsigned *kinds, sl_error *err) {
    const conf *c = owner;
    for (uint32_t i = 0; i < c->rules.n; i++) {
        const rule *r = rule_at(c, i);
        if (c->env->dialect == SL_RIKO && !r->typed && kinds[i] == (KIND_TEXT | KIND_OTHER))
            return sl_fail(err, SL_E_DATA,
                           "field '%.*s' mixes texts (or missing values) with numbers, which have no order; "
                           "give the rule a type",
                           (int)r->field.n, r->field.s);
    }
    return SL_OK;
}

static sl_status key(const void *owner, const sl_value *const *columns, sl_batch *b, uint32_t row,
                     uint64_t ordinal, unsigned *kinds, sl_buf *out, sl_error *err) {
    const conf *c = owner;
    (void)ordinal;
    for (uint32_t i = 0; i < c->rules.n; i++) {
        const rule *r = rule_at(c, i);
        sl_value v = columns[i][row];
        TRY(key_value(r, c, &v, sl_batch_arena(b), err));
        kinds[i] |= sl_is_text(v) ? KIND_TEXT : KIND_OTHER;
        sl_sort_key_append(v, r->desc, out);
    }
    return SL_OK;
}

/* ---- conf -------------------------------------------------------------------------------------------------------------- */

static sl_status default_rule(conf *c, sl_arena *arena, sl_error *err) {
    rule *r = sl_arena_calloc(arena, 1, sizeof *r);
    if (!r) return sl_oom(err);
    r->field = c->old_key.n ? c->old_key : SL_TEXT("content");
    r->dir = c->old_dir;
    c->rules = (sl_rules){r, 1};
    return SL_OK;
}

/* A rule without a field leaves the order as it is. */
static void drop_empty_rules(conf *c) {
    rule *rules = c->rules.v;
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->rules.n; i++)
        if (rules[i].field.n) rules[n++] = rules[i];
    c->rules.n = n;
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->env = info->env;
    if (!c->rules.v) TRY(default_rule(c, info->arena, err));
    drop_empty_rules(c);
    sl_path *paths = sl_arena_calloc(info->arena, c->rules.n + 1, sizeof *paths);
    if (!paths) return sl_oom(err);
    for (uint32_t i = 0; i < c->rules.n; i++) {
        rule *r = (rule *)c->rules.v + i;
        r->desc = sl_text_eq_nocase(r->dir, SL_TEXT("desc"));
        r->typed = r->type.n && sl_cast_named(r->type, &r->cast) && r->cast < SL_CAST_LOCATION;
        TRY(sl_path_compile(&paths[i], r->field, info->env->dialect, info->arena, err));
    }
    c->ordering = (sl_ordering){.paths = paths, .npaths = c->rules.n, .key = key, .check = check, .owner = c};
    return SL_OK;
}

static const sl_option rule_options[] = {
    {.name = "field",
     .type = SL_OPT_PATH,
     .offset = offsetof(rule, field),
     .alias = "sort_key",
     .help = "field to sort by"},
    {.name = "dir",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, dir),
     .alias = "sort_dir",
     .fallback = "asc",
     .help = "asc or desc, in any case"},
    {.name = "type",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, type),
     .help =
         "compare as int, float, decimal, text, date, datetime, url or bool; without it values as they are"},
    {0},
};

static const sl_option options[] = {
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, rules),
     .rules = rule_options,
     .rule_size = sizeof(rule),
     .flags = SL_OPT_SCALARS,
     .help = "what to sort by, most important first; default: the field content, ascending"},
    {.name = "sort_key",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, old_key),
     .flags = SL_OPT_HIDDEN,
     .help = "rule.field"},
    {.name = "sort_dir",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, old_dir),
     .flags = SL_OPT_HIDDEN,
     .help = "rule.dir"},
    {0},
};

const sl_pipe sl_pipe_sort = {
    .name = "sort",
    .kind = SL_KIND_OPERATOR,
    .summary = "Puts items in order",
    .details = "Sorts by one or more fields; the first rule is the primary key. Stable in both directions. "
               "Texts are ordered by code "
               "point, numbers by value; with a type, values are converted first, and what cannot be "
               "converted counts as the type's "
               "null value (0, NaN, 1970-01-01). Items without the field come first. Sorts beyond the memory "
               "setting go through "
               "temporary files. A truncate right behind a sort keeps only the rows it needs.",
    .example = "itembuilder attrs.0.key=n attrs.0.value=2 | sort n",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "rule",
    .prepare = prepare,
    .fold = &sl_ordering_fold,
};
