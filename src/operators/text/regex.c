/* regex: search and replace in fields.
 *
 * Rules are grouped by field. A column whose texts nothing matches is left as it is, lazy or not; else only the rows that
 * change get new texts, in the batch's arena. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/text/replacement.h"
#include "plan/pipe.h"

typedef struct rule {
    sl_text field, match, replace;
    sl_value fallback;
    bool keep_case, single_line;
    /* Of riko, without a meaning here. */
    sl_value series, offset, single;
    /* prepared: */
    sl_regex *regex;
    sl_replacement replacement;
    sl_text fallback_text; /* .s NULL: none */
} rule;

/* The rules of one field, in order. */
typedef struct group {
    sl_path path; /* where to read */
    sl_path head; /* riko: where to write the rebuilt parent of a dotted field */
    rule **rules;
    uint32_t n;
} group;

typedef struct conf {
    sl_rules rules;
    bool multi;
    sl_value convert;
    bool riko;
    group *groups;
    uint32_t ngroups, most; /* most groups of any pattern */
    const _Atomic bool *stopping;
} conf;

typedef struct state {
    sl_matcher *matcher;
    sl_buf text;
} state;

/* ---- one text ----------------------------------------------------------------------------------------------------------- */

/* The text gathered so far, from its room in the worker to the batch. */
static sl_status keep_text(state *st, sl_arena *arena, sl_text *out, sl_error *err) {
    TRY(sl_buf_check(&st->text, err));
    *out = sl_arena_text(arena, sl_text_n(st->text.data ? st->text.data : "", st->text.len));
    return out->s ? SL_OK : sl_oom(err);
}

static void copy_between(state *st, sl_text t, size_t from, size_t to) {
    if (to > from) sl_buf_add(&st->text, t.s + from, to - from);
}

/* All matches of R in *T replaced, the first only on a single line. An empty match right behind another match counts. */
static sl_status replace_all(const rule *r, state *st, sl_text *t, sl_arena *arena, sl_error *err) {
    sl_subject subject = sl_subject_of(*t);
    const size_t *spans;
    size_t copied = 0, from = 0;
    bool empty = false, any = false;
    sl_buf_clear(&st->text);
    for (;;) {
        TRY(sl_regex_match(r->regex, st->matcher, &subject, (uint32_t)from, empty, &spans, err));
        if (!spans) break;
        any = true;
        size_t start = spans[0], end = spans[1] > start ? spans[1] : start;
        copy_between(st, *t, copied, start);
        sl_replacement_write(&r->replacement, *t, spans, &st->text);
        copied = from = end;
        empty = start == end;
        if (r->single_line) break;
    }
    if (!any) {
        if (r->fallback_text.s) *t = r->fallback_text;
        return SL_OK;
    }
    copy_between(st, *t, copied, t->n);
    return keep_text(st, arena, t, err);
}

/* The rule that matches first from FROM on, the earlier one of two at the same place; its spans are the matcher's last. */
static sl_status first_match(const group *g, state *st, const sl_subject *s, uint32_t from, bool empty,
                             const rule **out, const size_t **spans, sl_error *err) {
    size_t best = SIZE_MAX;
    *out = NULL;
    for (uint32_t i = 0; i < g->n; i++) {
        TRY(sl_regex_match(g->rules[i]->regex, st->matcher, s, from, empty, spans, err));
        if (!*spans || (*spans)[0] >= best) continue;
        best = (*spans)[0];
        *out = g->rules[i];
    }
    if (!*out) return SL_OK;
    return sl_regex_match((*out)->regex, st->matcher, s, from, empty, spans, err);
}

/* All rules of G in one pass from left to right. */
static sl_status replace_multi(const group *g, state *st, sl_text *t, sl_arena *arena, sl_error *err) {
    sl_subject subject = sl_subject_of(*t);
    const size_t *spans;
    const rule *r;
    size_t copied = 0, from = 0;
    bool empty = false;
    sl_buf_clear(&st->text);
    for (uint32_t matches = 0;; matches++) {
        TRY(first_match(g, st, &subject, (uint32_t)from, empty, &r, &spans, err));
        if (!r && matches == 0) return SL_OK;
        if (!r) break;
        size_t start = spans[0], end = spans[1] > start ? spans[1] : start;
        copy_between(st, *t, copied, start);
        sl_replacement_write(&r->replacement, *t, spans, &st->text);
        copied = from = end;
        empty = start == end;
    }
    copy_between(st, *t, copied, t->n);
    return keep_text(st, arena, t, err);
}

/* The new value of V; missing where it stays as it is. */
static sl_status new_value(const conf *c, const group *g, state *st, sl_value v, sl_arena *arena,
                           sl_value *out, sl_error *err) {
    sl_text before, t;
    *out = sl_null();
    if (sl_is_absent(v)) return SL_OK;
    TRY(sl_to_text(v, "", arena, &before, err));
    t = before;
    *out = sl_missing();
    if (!t.n) return SL_OK;
    if (c->multi) {
        TRY(replace_multi(g, st, &t, arena, err));
    } else {
        for (uint32_t i = 0; i < g->n && t.n; i++) TRY(replace_all(g->rules[i], st, &t, arena, err));
    }
    if (t.s != before.s || !sl_is_text(v)) *out = sl_text_value(t);
    return SL_OK;
}

/* ---- columns ------------------------------------------------------------------------------------------------------------ */

/* The column that G reads and writes as it stands, or -1: it has the very name, all rows have it, and no other column could
 * be meant. */
static int own_column(const group *g, sl_batch *b, bool nocase) {
    int found = -1;
    if (g->path.n != 1) return -1;
    for (uint32_t c = 0; c < b->ncols; c++) {
        sl_text name = b->cols[c].name;
        if (sl_text_eq(name, g->path.segments[0].name))
            found = (int)c;
        else if (nocase && sl_text_eq_nocase(name, g->path.segments[0].name))
            return -1;
    }
    if (b->pristine) return found; /* whole records of texts */
    for (uint32_t i = 0; found >= 0 && i < b->nsel; i++) {
        uint8_t type = sl_batch_peek(b, (uint32_t)found, sl_batch_row(b, i)).type;
        if (type == SL_MISSING || type == SL_MAP) return -1;
    }
    return found;
}

/* The same with the place of ROW in messages. */
static sl_status changed_value(const conf *c, const group *g, state *st, sl_batch *b, uint32_t row,
                               sl_value v, sl_value *out, sl_error *err) {
    sl_status s = new_value(c, g, st, v, sl_batch_arena(b), out, err);
    if (s != SL_OK) sl_error_at(err, b->source, sl_batch_line(b, row), 0);
    return s;
}

static sl_status change_column(const conf *c, const group *g, state *st, sl_batch *b, uint32_t column,
                               sl_error *err) {
    const sl_value *values = sl_column_read(b, column, err);
    sl_value *changed = NULL;
    if (!values) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        sl_value v;
        TRY(changed_value(c, g, st, b, row, values[row], &v, err));
        if (v.type == SL_MISSING || (v.type == SL_NULL && values[row].type == SL_NULL)) continue;
        if (!changed) values = changed = sl_column_values(b, column, err);
        if (!changed) return sl_oom(err);
        changed[row] = v;
    }
    if (changed) sl_batch_touched(b);
    return SL_OK;
}

/* Under riko's dialect writing a.b makes a new map at a that has b only. */
static sl_status rebuild_parent(const group *g, sl_value *v, sl_arena *arena, sl_error *err) {
    sl_value whole;
    TRY(sl_path_set(&g->path, sl_map(NULL, 0), *v, arena, &whole, err));
    *v = whole.as.map[0].value;
    return SL_OK;
}

/* What to write for every row, in an array of its own. */
static sl_status new_values(const conf *c, const group *g, state *st, sl_batch *b, sl_value **out,
                            sl_error *err) {
    sl_arena *arena = sl_batch_arena(b);
    const sl_value *values = sl_path_column(&g->path, b, err);
    sl_value *v = *out = sl_arena_calloc(arena, b->nrows, sizeof *v);
    if (!values || !v) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if (sl_is_text(values[row]) && !values[row].n) continue;
        TRY(changed_value(c, g, st, b, row, values[row], &v[row], err));
        if (v[row].type == SL_MISSING) v[row] = values[row];
        if (c->riko && g->path.n > 1) TRY(rebuild_parent(g, &v[row], arena, err));
    }
    return SL_OK;
}

/* ---- batches ------------------------------------------------------------------------------------------------------------ */

typedef struct job {
    const conf *conf;
    state *state;
    uint32_t at; /* groups done */
    sl_out *out;
} job;

static sl_status run_groups(void *to, sl_batch *take, sl_error *err);

/* Writes a whole column; rows that get their key at different places go on in batches of their own. */
static sl_status write_group(const job *j, const group *g, sl_batch *take, sl_error *err) {
    sl_value *v;
    job next = *j;
    sl_status s = new_values(j->conf, g, j->state, take, &v, err);
    next.at++;
    const sl_path *path = j->conf->riko && g->path.n > 1 ? &g->head : &g->path;
    if (s == SL_OK) return sl_path_assign(path, take, v, run_groups, &next, err);
    sl_batch_free(&take);
    return s;
}

static sl_status run_groups(void *to, sl_batch *take, sl_error *err) {
    job j = *(const job *)to;
    for (; j.at < j.conf->ngroups; j.at++) {
        const group *g = &j.conf->groups[j.at];
        int column = own_column(g, take, j.conf->riko);
        if (column < 0) return write_group(&j, g, take, err);
        sl_status s = change_column(j.conf, g, j.state, take, (uint32_t)column, err);
        if (s == SL_OK) continue;
        sl_batch_free(&take);
        return s;
    }
    return sl_emit(j.out, take, err);
}

static sl_status apply(const void *vconf, void *vstate, sl_batch *take, sl_out *out, sl_error *err) {
    job j = {.conf = vconf, .state = vstate, .out = out};
    take->bare = false;
    return run_groups(&j, take, err);
}

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static sl_status prepare_rule(const conf *c, rule *r, sl_arena *arena, sl_error *err) {
    unsigned flags = (r->keep_case ? 0u : SL_REGEX_NOCASE);
    if (!r->single_line) flags |= SL_REGEX_LINES | SL_REGEX_DOTALL;
    TRY(sl_regex_compile(r->match, flags, &r->regex, err));
    if (!sl_is_absent(r->fallback)) {
        TRY(sl_to_text(r->fallback, "", arena, &r->fallback_text, err));
        if (!r->fallback_text.s) r->fallback_text = SL_TEXT("");
    }
    return sl_replacement_parse(r->replace, r->regex, c->riko, arena, &r->replacement, err);
}

static group *group_of(conf *c, sl_text field) {
    for (uint32_t i = 0; i < c->ngroups; i++)
        if (sl_text_eq(c->groups[i].path.text, field)) return &c->groups[i];
    return NULL;
}

static sl_status add_group(conf *c, sl_text field, const sl_step_info *info, group **out, sl_error *err) {
    group *g = *out = &c->groups[c->ngroups];
    sl_dialect dialect = info->env->dialect;
    g->rules = sl_arena_calloc(info->arena, c->rules.n, sizeof(rule *));
    if (!g->rules) return sl_oom(err);
    TRY(sl_path_compile(&g->path, field, dialect, info->arena, err));
    c->ngroups++;
    return g->path.n > 1 ? sl_path_compile(&g->head, g->path.segments[0].name, dialect, info->arena, err)
                         : SL_OK;
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->riko = info->env->dialect == SL_RIKO;
    c->stopping = info->env->stopping;
    c->groups = sl_arena_calloc(info->arena, (size_t)c->rules.n + 1, sizeof *c->groups);
    if (!c->groups) return sl_oom(err);
    for (uint32_t i = 0; i < c->rules.n; i++) {
        rule *r = (rule *)c->rules.v + i;
        group *g = group_of(c, r->field);
        if (!r->field.n) return sl_fail(err, SL_E_PLAN, "a rule needs the name of a field");
        TRY(prepare_rule(c, r, info->arena, err));
        if (!g) TRY(add_group(c, r->field, info, &g, err));
        g->rules[g->n++] = r;
        if (sl_regex_groups(r->regex) > c->most) c->most = sl_regex_groups(r->regex);
    }
    return SL_OK;
}

static void destroy(void *vconf) {
    conf *c = vconf;
    for (uint32_t i = 0; i < c->rules.n; i++) sl_regex_free(&((rule *)c->rules.v + i)->regex);
}

static sl_status start(const void *vconf, void **out, sl_error *err) {
    const conf *c = vconf;
    state *st = *out = calloc(1, sizeof *st);
    return st ? sl_matcher_new(c->most, c->stopping, &st->matcher, err) : sl_oom(err);
}

static void stop(void *vstate) {
    state *st = vstate;
    sl_matcher_free(&st->matcher);
    sl_buf_free(&st->text);
    free(st);
}

static const sl_option rule_options[] = {
    {.name = "field",
     .type = SL_OPT_PATH,
     .offset = offsetof(rule, field),
     .flags = SL_OPT_REQUIRED,
     .help = "field to change"},
    {.name = "match",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, match),
     .flags = SL_OPT_REQUIRED,
     .help = "regular expression"},
    {.name = "replace",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, replace),
     .fallback = "",
     .help = "what each match becomes; $1 or \\1 is the first group"},
    {.name = "default",
     .type = SL_OPT_VALUE,
     .offset = offsetof(rule, fallback),
     .help = "what the whole value becomes when nothing matches"},
    {.name = "casematch",
     .type = SL_OPT_BOOL,
     .offset = offsetof(rule, keep_case),
     .fallback = "false",
     .help = "tell upper from lower case"},
    {.name = "singlelinematch",
     .type = SL_OPT_BOOL,
     .offset = offsetof(rule, single_line),
     .fallback = "false",
     .help = "the first match only, ^ and $ at the ends of the text, . stops at a line end"},
    {.name = "seriesmatch",
     .type = SL_OPT_VALUE,
     .offset = offsetof(rule, series),
     .flags = SL_OPT_HIDDEN,
     .help = "no effect"},
    {.name = "offset",
     .type = SL_OPT_VALUE,
     .offset = offsetof(rule, offset),
     .flags = SL_OPT_HIDDEN,
     .help = "no effect"},
    {.name = "singlematch",
     .type = SL_OPT_VALUE,
     .offset = offsetof(rule, single),
     .flags = SL_OPT_HIDDEN,
     .help = "no effect"},
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
    {.name = "multi",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, multi),
     .fallback = "false",
     .help = "all rules of a field in one pass: at each place the first rule that matches"},
    {.name = "convert",
     .type = SL_OPT_VALUE,
     .offset = offsetof(conf, convert),
     .flags = SL_OPT_HIDDEN,
     .help = "no effect"},
    {0},
};

const sl_pipe sl_pipe_regex = {
    .name = "regex",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Replaces what regular expressions match in fields",
    .details =
        "Rules are applied to their field in order. Case does not matter unless casematch, ^ and $ match at "
        "every line and . matches line ends unless singlelinematch. Expressions are Perl's, with Unicode "
        "classes. In the replacement $1, \\1, \\g<1> and \\g<name> are groups, $0 is the whole match (a zero "
        "byte under riko's dialect), \\n and \\t are control characters, \\\\ is a backslash. An empty match "
        "right behind another match counts: (.*) replaced by <$1> in hello gives <hello><>. Values that are "
        "no text are changed in their text form. A field that is not there or null becomes null; an empty "
        "text is left alone. Under riko's dialect a dotted field loses its siblings.",
    .example = "itembuilder attrs.key=a attrs.value=hello | regex rule.field=a rule.match=l rule.replace=L",
    .options = options,
    .conf_size = sizeof(conf),
    .flags = SL_PIPE_EMITS | SL_PIPE_NO_FIELD | SL_PIPE_HEADINGS,
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .destroy = destroy,
    .start = start,
    .stop = stop,
    .apply = apply,
};
