/* skip.c: skip_if. Rules are compiled once a worker, as a matcher has memory of its own that is written to. */
#include "engine/unit/skip.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/unicode.h"
#include "operators/text/text.h"

typedef struct rule {
    const sl_skip_rule *given;
    sl_path path;
    sl_text lowered; /* SL_SKIP_CONTAINS */
    sl_regex *regex; /* SL_SKIP_SEARCH */
} rule;

struct sl_skip {
    sl_arena arena;
    sl_matcher *matcher;
    rule *rules;
    uint32_t n;
};

static sl_status compile(sl_skip *s, rule *r, sl_dialect dialect, uint32_t *groups, sl_error *err) {
    const sl_skip_rule *given = r->given;
    TRY(sl_path_compile(&r->path, given->field, dialect, &s->arena, err));
    if (given->op == SL_SKIP_CONTAINS) return sl_case_map(given->text, SL_LOWER, &s->arena, &r->lowered, err);
    if (given->op != SL_SKIP_SEARCH) return SL_OK;
    TRY(sl_regex_compile(given->text, SL_REGEX_NOCASE, &r->regex, err));
    if (sl_regex_groups(r->regex) > *groups) *groups = sl_regex_groups(r->regex);
    return SL_OK;
}

static sl_status compile_all(sl_skip *s, const sl_node *node, sl_error *err) {
    uint32_t groups = 0;
    s->rules = sl_arena_calloc(&s->arena, node->skip.n, sizeof *s->rules);
    if (!s->rules) return sl_oom(err);
    s->n = node->skip.n;
    for (uint32_t i = 0; i < s->n; i++) {
        s->rules[i].given = (const sl_skip_rule *)node->skip.v + i;
        TRY(compile(s, &s->rules[i], node->info.env->dialect, &groups, err));
    }
    return sl_matcher_new(groups, node->info.env->stopping, &s->matcher, err);
}

sl_status sl_skip_new(const sl_node *node, sl_skip **out, sl_error *err) {
    *out = NULL;
    if (!node->skip.n) return SL_OK;
    sl_skip *s = *out = calloc(1, sizeof *s);
    return s ? compile_all(s, node, err) : sl_oom(err);
}

void sl_skip_free(sl_skip **sp) {
    sl_skip *s = *sp;
    if (!s) return;
    for (uint32_t i = 0; i < s->n; i++) sl_regex_free(&s->rules[i].regex);
    sl_matcher_free(&s->matcher);
    sl_arena_free(&s->arena);
    free(s);
    *sp = NULL;
}

/* ---- matching ------------------------------------------------------------------------------------------------------ */

static bool shares_character(sl_text a, sl_text b) {
    for (uint32_t at = 0; at < a.n;) {
        uint32_t code;
        unsigned n = sl_utf8_decode(a.s + at, a.n - at, &code);
        if (!n) n = 1;
        if (sl_text_find(b, (sl_text){a.s + at, n}, 0) >= 0) return true;
        at += n;
    }
    return false;
}

static sl_status matches(const sl_skip *s, const rule *r, sl_text t, sl_arena *arena, bool *hit,
                         sl_error *err) {
    const size_t *spans = NULL;
    sl_subject subject = sl_subject_of(t);
    switch ((sl_skip_op)r->given->op) {
    case SL_SKIP_CONTAINS:
        TRY(sl_case_map(t, SL_LOWER, arena, &t, err));
        *hit = sl_text_find(t, r->lowered, 0) >= 0;
        break;
    case SL_SKIP_INTERSECTION: *hit = shares_character(r->given->text, t); break;
    case SL_SKIP_SEARCH:
        TRY(sl_regex_match(r->regex, s->matcher, &subject, 0, false, &spans, err));
        *hit = spans != NULL;
        break;
    }
    return SL_OK;
}

sl_status sl_skip_row(sl_skip *s, sl_batch *b, uint32_t row, bool *skip, sl_error *err) {
    *skip = false;
    for (uint32_t i = 0; i < s->n && !*skip; i++) {
        const rule *r = &s->rules[i];
        sl_value v;
        sl_text t;
        bool hit = false;
        TRY(sl_path_row(&r->path, b, row, &v, err));
        TRY(sl_to_text(v, "", sl_batch_arena(b), &t, err));
        if (!t.n) t = SL_TEXT("");
        TRY(matches(s, r, t, sl_batch_arena(b), &hit, err));
        *skip = hit != r->given->include;
    }
    return SL_OK;
}
