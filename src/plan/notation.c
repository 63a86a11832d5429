/* The pipe notation of the command line:
 *
 *     fetchdata url=crime.json path=value.items | filter rule.field=province rule.op=eq rule.value=GP | truncate count=5
 *
 * Steps are separated by |, words by blanks. A word is KEY=VALUE, or bare: then it sets the pipe's main key. '...' keeps all it
 * holds, "..." keeps all but \" and \\; outside of quotes a backslash protects a blank, a quote, | or a backslash.
 *
 * Dots in a key nest (rule.field), numbers build lists (rule.0.field). A key given again starts a new element: of the list that
 * its parent becomes (rule.field=a rule.field=b), or, without a parent, of values (part=a part=b). @field, @assign, @emit,
 * @count and @skip_if are call options.
 *
 * A value is text, except true, false, null and what is valid JSON as a number, list or object. A value that was
 * quoted as a whole stays text unless it is a JSON list or object. */
#include "plan/internal.h"

#include <ctype.h>

#include "base/error.h"
#include "record/number/number.h"

#define NOTATION "pipe" /* stands for the file in messages */

typedef struct word {
    sl_text text;   /* without quotes */
    uint32_t split; /* position of the = behind the key; 0: bare */
    bool quoted;    /* the value, or all of a bare word, began with a quote */
} word;

/* A conf under construction. */
typedef struct tree tree;
struct tree {
    sl_text key; /* of this node in its parent; a list's elements have none */
    tree *first, *last, *next;
    uint32_t n; /* children */
    enum { LEAF, MAP, LIST } kind;
    sl_value value;
};

typedef struct reader {
    sl_plan *plan;
    const char *begin, *at;
    sl_error *err;
} reader;

static sl_status fail_here(const reader *r, const char *at, sl_status status) {
    sl_error_at(r->err, NOTATION, 1, (uint64_t)(at - r->begin) + 1);
    return status;
}

/* ---- words ---------------------------------------------------------------------------------------------------------- */

static void skip_blank(reader *r) {
    while (*r->at && isspace((unsigned char)*r->at)) r->at++;
}

static bool ends_word(char c) {
    return !c || c == '|' || isspace((unsigned char)c);
}

static sl_status read_quoted(reader *r, sl_buf *out) {
    const char *open = r->at;
    char quote = *r->at++;
    for (; *r->at && *r->at != quote; r->at++) {
        bool escape = quote == '"' && *r->at == '\\' && (r->at[1] == '"' || r->at[1] == '\\');
        if (escape) r->at++;
        sl_buf_byte(out, *r->at);
    }
    if (*r->at != quote)
        return fail_here(r, open, sl_fail(r->err, SL_E_PLAN, "the quote %c is not closed", quote));
    r->at++;
    return SL_OK;
}

/* Whether the N bytes so far can be a key: the = behind them then ends it. */
static bool is_key(const char *s, size_t n) {
    if (n && *s == '@') s++, n--;
    if (!n || (!isalpha((unsigned char)*s) && *s != '_')) return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !memchr("_.-", s[i], 3)) return false;
    return true;
}

static sl_status read_word(reader *r, word *w, sl_buf *out) {
    bool fresh = true; /* nothing of the value yet */
    *w = (word){0};
    while (!ends_word(*r->at)) {
        char c = *r->at;
        if (c == '\'' || c == '"') {
            w->quoted |= fresh;
            fresh = false;
            TRY(read_quoted(r, out));
            continue;
        }
        bool key_ends = c == '=' && !w->split && !w->quoted && is_key(out->data, out->len);
        if (key_ends) w->split = (uint32_t)out->len;
        if (c == '\\' && r->at[1] && strchr(" '\"|\\", r->at[1])) c = *++r->at;
        sl_buf_byte(out, c);
        r->at++;
        fresh = key_ends;
    }
    TRY(sl_buf_check(out, r->err));
    w->text = sl_arena_text(&r->plan->arena, sl_text_n(out->data, out->len));
    return w->text.s ? SL_OK : sl_oom(r->err);
}

static sl_status next_word(reader *r, word *w) {
    sl_buf out = {.limit = 16 << 20};
    sl_status status = read_word(r, w, &out);
    sl_buf_free(&out);
    return status;
}

/* ---- values --------------------------------------------------------------------------------------------------------- */

static bool looks_like_json(sl_text t, bool quoted) {
    bool whole;
    if (!t.n) return false;
    if (t.s[0] == '[' || t.s[0] == '{') return true;
    if (quoted) return false;
    if (sl_text_is(t, "true") || sl_text_is(t, "false") || sl_text_is(t, "null")) return true;
    return sl_json_number(t.s, t.n, &whole) == t.n;
}

static sl_status value_of(const reader *r, sl_text t, bool quoted, sl_value *out) {
    sl_error ignored = {0};
    *out = sl_text_value(t);
    if (!looks_like_json(t, quoted)) return SL_OK;
    sl_value parsed;
    sl_status status = sl_json_parse(t.s, t.n, NULL, &r->plan->arena, &parsed, &ignored);
    if (status == SL_E_MEMORY) return sl_oom(r->err);
    if (status == SL_OK) *out = parsed;
    return SL_OK;
}

/* ---- the conf under construction -------------------------------------------------------------------------------------- */

static tree *add_child(const reader *r, tree *to, sl_text key) {
    tree *child = sl_arena_calloc(&r->plan->arena, 1, sizeof *child);
    if (!child) return NULL;
    child->key = key;
    if (to->last)
        to->last->next = child;
    else
        to->first = child;
    to->last = child;
    to->n++;
    return child;
}

static tree *child_named(const tree *of, sl_text key) {
    for (tree *c = of->first; c; c = c->next)
        if (sl_text_eq(c->key, key)) return c;
    return NULL;
}

/* NODE becomes a list whose only element is what NODE was. */
static bool make_list(const reader *r, tree *node) {
    tree was = *node;
    node->first = node->last = NULL;
    node->n = 0;
    node->kind = LIST;
    tree *head = add_child(r, node, (sl_text){0});
    if (!head) return false;
    tree *next = head->next;
    *head = was;
    head->key = (sl_text){0};
    head->next = next;
    return true;
}

static bool is_index(sl_text s, uint32_t *index) {
    int64_t i;
    bool number = sl_parse_int(s, &i) && i >= 0 && i < 10000 && s.s[0] != '-' && s.s[0] != '+';
    if (number) *index = (uint32_t)i;
    return number;
}

/* The element INDEX of LIST; elements come in their order, so INDEX is at most one past the end. NULL otherwise. */
static tree *element(const reader *r, tree *list, uint32_t index) {
    tree *c = list->first;
    if (index > list->n) return NULL;
    if (index == list->n) return add_child(r, list, (sl_text){0});
    while (index--) c = c->next;
    return c;
}

/* The child of NODE that SEGMENT leads to, made if it is not there. LAST: a leaf will be put there, so a child that is there
 * already asks for a new element. */
static sl_status descend(const reader *r, tree **node, sl_text segment, bool last) {
    tree *at = *node;
    uint32_t index = 0;
    bool by_index = is_index(segment, &index);
    if (at->kind == LEAF && at->value.type == SL_MISSING) at->kind = by_index ? LIST : MAP;
    if (by_index && at->kind == LIST) {
        *node = element(r, at, index);
        if (*node) return SL_OK;
        return sl_fail(r->err, SL_E_PLAN, "element %u comes before element %u", (unsigned)index,
                       (unsigned)at->n);
    }
    if (at->kind == LIST) at = at->last;
    if (at->kind == LEAF && at->value.type == SL_MISSING) at->kind = MAP;
    if (at->kind != MAP)
        return sl_fail(r->err, SL_E_PLAN, "'%.*s' is inside of a key that has a value already",
                       (int)segment.n, segment.s);
    tree *child = child_named(at, segment);
    if (child && last) {
        if ((*node)->kind == MAP && !make_list(r, *node)) return sl_oom(r->err);
        at = add_child(r, *node, (sl_text){0});
        if (!at) return sl_oom(r->err);
        at->kind = MAP;
        child = NULL;
    }
    *node = child ? child : add_child(r, at, segment);
    return *node ? SL_OK : sl_oom(r->err);
}

/* A key without dots that is given again makes a list of its values. */
static sl_status put_simple(const reader *r, tree *root, sl_text key, sl_value v) {
    tree *child = child_named(root, key);
    if (child && child->kind != LIST && !make_list(r, child)) return sl_oom(r->err);
    child = add_child(r, child ? child : root, key);
    if (!child) return sl_oom(r->err);
    child->value = v;
    return SL_OK;
}

static sl_status put(const reader *r, tree *root, sl_text key, sl_value v) {
    int64_t dot = sl_text_find(key, SL_TEXT("."), 0);
    if (dot < 0) return put_simple(r, root, key, v);
    tree *node = root;
    bool top = true;
    for (sl_text rest = key; rest.n || top; top = false) {
        dot = sl_text_find(rest, SL_TEXT("."), 0);
        uint32_t n = dot < 0 ? rest.n : (uint32_t)dot;
        bool last = dot < 0;
        TRY(descend(r, &node, (sl_text){rest.s, n}, last));
        rest = last ? (sl_text){0} : (sl_text){rest.s + n + 1, rest.n - n - 1};
        if (!last && !rest.n)
            return sl_fail(r->err, SL_E_PLAN, "key '%.*s' ends with a dot", (int)key.n, key.s);
    }
    node->value = v;
    return SL_OK;
}

static sl_status finished(const reader *r, const tree *t, sl_value *out) {
    sl_arena *arena = &r->plan->arena;
    uint32_t i = 0;
    *out = t->value;
    if (t->kind == LIST) {
        sl_value *v = sl_arena_calloc(arena, t->n ? t->n : 1, sizeof *v);
        if (!v) return sl_oom(r->err);
        for (const tree *c = t->first; c; c = c->next) TRY(finished(r, c, &v[i++]));
        *out = sl_list(v, t->n);
    } else if (t->kind == MAP) {
        sl_pair *pairs = sl_arena_calloc(arena, t->n ? t->n : 1, sizeof *pairs);
        if (!pairs) return sl_oom(r->err);
        for (const tree *c = t->first; c; c = c->next) {
            pairs[i].key = c->key;
            TRY(finished(r, c, &pairs[i++].value));
        }
        *out = sl_map(pairs, t->n);
    }
    return SL_OK;
}

/* ---- steps ---------------------------------------------------------------------------------------------------------- */

static sl_status put_word(const reader *r, tree *conf, sl_text pipe, const word *w) {
    sl_value v;
    if (w->split) {
        sl_text value = {w->text.s + w->split + 1, w->text.n - w->split - 1};
        TRY(value_of(r, value, w->quoted, &v));
        return put(r, conf, (sl_text){w->text.s, w->split}, v);
    }
    const sl_pipe *known = r->plan->lookup(pipe);
    if (!known || !known->main)
        return sl_fail(r->err, SL_E_PLAN, "unexpected word '%.*s' after '%.*s', expected KEY=VALUE",
                       (int)w->text.n, w->text.s, (int)pipe.n, pipe.s);
    TRY(value_of(r, w->text, w->quoted, &v));
    return put(r, conf, sl_text_of(known->main), v);
}

static sl_status read_step(reader *r) {
    const char *start = r->at;
    word name, w;
    sl_value map;
    tree conf = {.kind = MAP};
    TRY(next_word(r, &name));
    if (!name.text.n)
        return fail_here(r, start, sl_fail(r->err, SL_E_PLAN, "the name of a pipe is missing here"));
    for (skip_blank(r); *r->at && *r->at != '|'; skip_blank(r)) {
        const char *at = r->at;
        TRY(next_word(r, &w));
        sl_status status = r->plan->lookup(name.text) ? put_word(r, &conf, name.text, &w) : SL_OK;
        if (status != SL_OK) return fail_here(r, at, status);
    }
    TRY(finished(r, &conf, &map));
    sl_status status = sl_plan_add_value(r->plan, name.text, map, r->err);
    if (status != SL_OK) return fail_here(r, start, status);
    if (r->plan->text) return SL_OK; /* places are those of the definition */
    r->plan->file = NOTATION;
    r->plan->tail->line = 1;
    r->plan->tail->column = (uint64_t)(start - r->begin) + 1;
    return SL_OK;
}

sl_status sl_plan_add_text(sl_plan *p, const char *text, sl_error *err) {
    reader r = {.plan = p, .begin = text, .at = text, .err = err};
    for (;;) {
        skip_blank(&r);
        TRY(read_step(&r));
        if (!*r.at) return SL_OK;
        r.at++;
    }
}
