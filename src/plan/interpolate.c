/* ${NAME}, ${NAME:-default} and $${ (which gives ${) in the texts of a definition. Variables given by the caller come first,
 * then the environment; a variable that is neither is an error, so a load never runs with half a path. Riko knows no variables:
 * under its dialect what names none stays as it stands. */
#include "plan/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

enum { MAX_TEXT = 16 << 20, MAX_NAME = 255 };

typedef struct interpolator {
    sl_plan *plan;
    sl_buf path; /* of the value at hand: "modules.2.conf" */
    sl_error *err;
} interpolator;

static bool is_name(sl_text t) {
    if (!t.n || t.n > MAX_NAME || (t.s[0] >= '0' && t.s[0] <= '9')) return false;
    for (uint32_t i = 0; i < t.n; i++) {
        char c = t.s[i], low = (char)(c | 32);
        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
    }
    return true;
}

static bool look_up(const sl_plan *p, sl_text name, sl_text *out) {
    char zname[MAX_NAME + 1];
    for (uint32_t i = p->nvariables; i-- > 0;) {
        if (!sl_text_eq(p->variables[i].name, name)) continue;
        *out = p->variables[i].value;
        return true;
    }
    snprintf(zname, sizeof zname, "%.*s", (int)name.n, name.s);
    const char *value = getenv(zname);
    *out = sl_text_of(value);
    return value != NULL;
}

static sl_status keep(sl_text body, sl_buf *out) {
    sl_buf_str(out, "${");
    sl_buf_text(out, body);
    sl_buf_byte(out, '}');
    return SL_OK;
}

/* BODY is what stands between ${ and }. */
static sl_status substitute(const interpolator *in, sl_text body, sl_buf *out) {
    int64_t split = sl_text_find(body, SL_TEXT(":-"), 0);
    sl_text name = split < 0 ? body : (sl_text){body.s, (uint32_t)split}, value;
    bool literal = in->plan->settings.dialect == SL_RIKO;
    if (literal && !is_name(name)) return keep(body, out);
    if (!is_name(name))
        return sl_fail(in->err, SL_E_PLAN, "'${%.*s}' is no variable; write $${ for a literal ${",
                       (int)body.n, body.s);
    bool known = look_up(in->plan, name, &value);
    if (split >= 0 && (!known || value.n == 0)) {
        value = (sl_text){body.s + split + 2, body.n - (uint32_t)split - 2};
        known = true;
    }
    if (!known && literal) return keep(body, out);
    if (!known)
        return sl_fail(in->err, SL_E_PLAN,
                       "variable '%.*s' is not defined; set it, or give a default: ${%.*s:-default}",
                       (int)name.n, name.s, (int)name.n, name.s);
    sl_buf_text(out, value);
    return SL_OK;
}

/* Appends what the $ at S[AT] stands for and moves AT behind it. */
static sl_status expand_dollar(const interpolator *in, sl_text s, uint32_t *at, sl_buf *out) {
    sl_text rest = {s.s + *at, s.n - *at};
    if (rest.n > 2 && memcmp(rest.s, "$${", 3) == 0) {
        sl_buf_str(out, "${");
        *at += 3;
        return SL_OK;
    }
    if (rest.n < 2 || rest.s[1] != '{') {
        sl_buf_byte(out, '$');
        ++*at;
        return SL_OK;
    }
    int64_t close = sl_text_find(rest, SL_TEXT("}"), 2);
    if (close < 0 && in->plan->settings.dialect == SL_RIKO) {
        sl_buf_byte(out, '$');
        ++*at;
        return SL_OK;
    }
    if (close < 0) return sl_fail(in->err, SL_E_PLAN, "'${' without '}'; write $${ for a literal ${");
    *at += (uint32_t)close + 1;
    return substitute(in, (sl_text){rest.s + 2, (uint32_t)close - 2}, out);
}

static sl_status expand_text(const interpolator *in, sl_value *v) {
    sl_text s = sl_bytes(*v);
    if (sl_text_find(s, SL_TEXT("${"), 0) < 0) return SL_OK;
    sl_buf out = {.limit = MAX_TEXT};
    sl_status status = SL_OK;
    for (uint32_t i = 0; i < s.n && status == SL_OK;) {
        if (s.s[i] == '$')
            status = expand_dollar(in, s, &i, &out);
        else
            sl_buf_byte(&out, s.s[i++]);
    }
    if (status == SL_OK) status = sl_buf_check(&out, in->err);
    if (status == SL_OK) {
        sl_text copy = sl_arena_text(&in->plan->arena, sl_text_n(out.data, out.len));
        if (!copy.s) status = sl_oom(in->err);
        *v = sl_text_value(copy);
    }
    sl_buf_free(&out);
    return status;
}

static sl_status walk(interpolator *in, sl_value *v);

/* Walks into the member called NAME; on success the path is as before. */
static sl_status walk_member(interpolator *in, sl_text name, sl_value *v) {
    size_t before = in->path.len;
    if (before) sl_buf_byte(&in->path, '.');
    sl_buf_text(&in->path, name);
    TRY(walk(in, v));
    in->path.len = before;
    return SL_OK;
}

static sl_status walk_list(interpolator *in, sl_value *v) {
    char index[16];
    sl_value *copy = sl_arena_calloc(&in->plan->arena, v->n ? v->n : 1, sizeof *copy);
    if (!copy) return sl_oom(in->err);
    for (uint32_t i = 0; i < v->n; i++) {
        copy[i] = v->as.list[i];
        int n = snprintf(index, sizeof index, "%u", (unsigned)i);
        TRY(walk_member(in, sl_text_n(index, (size_t)n), &copy[i]));
    }
    *v = sl_list(copy, v->n);
    return SL_OK;
}

static sl_status walk_map(interpolator *in, sl_value *v) {
    sl_pair *copy = sl_arena_calloc(&in->plan->arena, v->n ? v->n : 1, sizeof *copy);
    if (!copy) return sl_oom(in->err);
    for (uint32_t i = 0; i < v->n; i++) {
        copy[i] = v->as.map[i];
        TRY(walk_member(in, copy[i].key, &copy[i].value));
    }
    *v = sl_map(copy, v->n);
    return SL_OK;
}

static sl_status walk(interpolator *in, sl_value *v) {
    switch ((sl_type)v->type) {
    case SL_TEXT_TYPE: return expand_text(in, v);
    case SL_LIST: return walk_list(in, v);
    case SL_MAP: return walk_map(in, v);
    default: return SL_OK;
    }
}

sl_status sl_interpolate(sl_plan *p, sl_value *v, const char **place, sl_error *err) {
    interpolator in = {.plan = p, .err = err};
    sl_status status = walk(&in, v);
    if (status != SL_OK) *place = sl_arena_strndup(&p->arena, sl_buf_cstr(&in.path), in.path.len);
    sl_buf_free(&in.path);
    return status;
}
