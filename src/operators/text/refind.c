/* refind: the part of a text before, after or at what a regular expression matches.
 *
 * The text is cut at the first match, or at every one: the pieces, and the groups of each match between two of them, are the
 * parts. `after` is the last part; `before` all others, joined by the pattern as it is written, which is what riko does. */
#include <stdlib.h>

#include "base/error.h"
#include "base/unicode.h"
#include "operators/text/finding.h"
#include "operators/text/text.h"

typedef struct rule {
    sl_find_rule common;
    sl_regex *regex;
} rule;

typedef struct conf {
    sl_rules rules;
    uint32_t groups; /* the most that a rule has */
    const _Atomic bool *stopping;
} conf;

typedef struct finder { /* a worker's own */
    sl_matcher *matcher;
    sl_buf parts;
} finder;

/* ---- matches ------------------------------------------------------------------------------------------------------------ */

/* A walk through the matches of one text. As in Python, an empty match may stand right behind another match, once. */
typedef struct walk {
    const rule *rule;
    sl_matcher *matcher;
    sl_subject subject;
    uint32_t from; /* the end of the last match */
    bool empty;    /* which had no characters */
    const size_t *spans;
} walk;

static sl_status next_match(walk *w, sl_error *err) {
    TRY(sl_regex_match(w->rule->regex, w->matcher, &w->subject, w->from, w->empty, &w->spans, err));
    if (!w->spans) return SL_DONE;
    w->empty = w->spans[0] == w->spans[1];
    return SL_OK;
}

static sl_text span_text(const walk *w, uint32_t group) {
    const size_t *span = w->spans + 2 * (size_t)group;
    if (span[0] == SL_NO_GROUP) return SL_TEXT("");
    return sl_text_n(w->subject.text.s + span[0], span[1] - span[0]);
}

/* ---- before and after ---------------------------------------------------------------------------------------------------- */

/* The parts that the match ends: the piece before it and its groups. */
static void add_parts(const walk *w, bool first, sl_buf *parts) {
    sl_text pattern = w->rule->common.find;
    if (!first) sl_buf_text(parts, pattern);
    sl_buf_add(parts, w->subject.text.s + w->from, w->spans[0] - w->from);
    for (uint32_t g = 1; g <= sl_regex_groups(w->rule->regex); g++) {
        sl_buf_text(parts, pattern);
        sl_buf_text(parts, span_text(w, g));
    }
}

static sl_status cut(walk *w, finder *f, sl_arena *arena, sl_text *out, sl_error *err) {
    const sl_find_rule *r = &w->rule->common;
    sl_text t = w->subject.text;
    sl_status s = SL_OK;
    uint64_t count = 0;
    sl_buf_clear(&f->parts);
    while ((count == 0 || r->param == SL_FIND_LAST) && (s = next_match(w, err)) == SL_OK) {
        if (r->location == SL_FIND_BEFORE) add_parts(w, count == 0, &f->parts);
        w->from = (uint32_t)w->spans[1];
        count++;
    }
    if (s > SL_DONE) return s;
    *out = (sl_text){t.s + w->from, t.n - w->from};
    if (r->location == SL_FIND_AFTER) return SL_OK;
    TRY(sl_buf_check(&f->parts, err));
    *out = sl_arena_text(arena, sl_utf8_strip(sl_text_n(f->parts.data, f->parts.len)));
    return out->s ? SL_OK : sl_oom(err);
}

/* ---- at ------------------------------------------------------------------------------------------------------------------ */

/* The first match as a whole; of the last one its group, if it has one. */
static sl_status take(walk *w, sl_text *out, sl_error *err) {
    bool last = w->rule->common.param == SL_FIND_LAST;
    sl_status s;
    *out = SL_TEXT("");
    while ((s = next_match(w, err)) == SL_OK) {
        *out = span_text(w, last ? sl_regex_groups(w->rule->regex) : 0);
        w->from = (uint32_t)w->spans[1];
        if (!last) break;
    }
    return s == SL_DONE ? SL_OK : s;
}

static sl_status find(const rule *r, finder *f, sl_text *t, sl_arena *arena, sl_error *err) {
    walk w = {.rule = r, .matcher = f->matcher, .subject = sl_subject_of(*t)};
    if (r->common.location == SL_FIND_AT)
        TRY(take(&w, t, err));
    else
        TRY(cut(&w, f, arena, t, err));
    *t = sl_utf8_strip(*t);
    return SL_OK;
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_text t = field.n ? sl_bytes(field) : SL_TEXT("");
    (void)item;
    for (uint32_t i = 0; i < c->rules.n; i++)
        TRY(find((const rule *)c->rules.v + i, state, &t, sl_results_arena(results), err));
    return sl_result(results, sl_text_value(t), err);
}

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static sl_status prepare_rule(rule *r, sl_error *err) {
    TRY(sl_regex_compile(r->common.find, 0, &r->regex, err));
    bool at_last = r->common.location == SL_FIND_AT && r->common.param == SL_FIND_LAST;
    if (!at_last || sl_regex_groups(r->regex) <= 1) return SL_OK;
    return sl_fail(
        err, SL_E_PLAN,
        "'%.*s' has %u groups: with location at and param last it may have one, which is the result",
        (int)r->common.find.n, r->common.find.s, sl_regex_groups(r->regex));
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    rule *rules = c->rules.v;
    c->stopping = info->env->stopping;
    for (uint32_t i = 0; i < c->rules.n; i++) {
        TRY(prepare_rule(&rules[i], err));
        uint32_t groups = sl_regex_groups(rules[i].regex);
        if (groups > c->groups) c->groups = groups;
    }
    return SL_OK;
}

static void destroy(void *vconf) {
    conf *c = vconf;
    rule *rules = c->rules.v;
    for (uint32_t i = 0; rules && i < c->rules.n; i++) sl_regex_free(&rules[i].regex);
}

static sl_status start(const void *vconf, void **state, sl_error *err) {
    const conf *c = vconf;
    finder *f = *state = calloc(1, sizeof *f);
    return f ? sl_matcher_new(c->groups, c->stopping, &f->matcher, err) : sl_oom(err);
}

static void stop(void *state) {
    finder *f = state;
    sl_matcher_free(&f->matcher);
    sl_buf_free(&f->parts);
    free(f);
}

static const sl_option rule_options[] = {
    SL_FIND_ROWS(rule, "regular expression to look for; upper and lower case differ"),
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

const sl_pipe sl_pipe_refind = {
    .name = "refind",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Takes the part of a text before, after or at what a regular expression matches",
    .details =
        "Rules are applied in order, each to the result of the one before, from which white space at both "
        "ends "
        "is taken off. A pattern that does not match leaves nothing before it and nothing at it, and "
        "everything "
        "after it.\n"
        "As in riko, every match before the last one, and what groups match, is given by `before` as a part "
        "of "
        "its own, with the text of the pattern between the parts: write (?:...) for groups, or look for the "
        "first match. `at` gives the first match as a whole; with param last, the group of the last match if "
        "the pattern has one.",
    .example =
        "itembuilder attrs.key=content attrs.value=\"9 km away\" | refind rule.find=[0-9]+ rule.location=at",
    .options = options,
    .conf_size = sizeof(conf),
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .destroy = destroy,
    .start = start,
    .stop = stop,
    .each = each,
};
