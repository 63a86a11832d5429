#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "record/number.h"

/* jansson refuses integers beyond int64. Such a number is handed to it as a text that begins with this byte and comes back as
 * a decimal. */
#define WIDE_MARK "\\u0001"
enum { WIDE_BYTE = 1, MAX_DEFINITION = 64 << 20 };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct reader {
    sl_arena *arena;
    sl_error *err;
    bool widened;
} reader;

static sl_status convert(const reader *r, json_t *from, sl_value *out);

static size_t skip_string(const char *s, size_t n) {
    size_t i = 1;
    while (i < n && s[i] != '"') i += s[i] == '\\' ? 2 : 1;
    return i < n ? i + 1 : n;
}

static bool is_wide(const char *s, size_t n) {
    int64_t fits;
    return n > 18 && !sl_parse_int(sl_text_n(s, n), &fits);
}

/* Copies S to OUT with integers that do not fit marked; true when there are any. */
static bool widen(const char *s, size_t n, sl_buf *out) {
    bool any = false;
    for (size_t i = 0; i < n;) {
        bool whole = false, number = s[i] == '-' || (s[i] >= '0' && s[i] <= '9');
        size_t len = s[i] == '"' ? skip_string(s + i, n - i)
                     : number    ? sl_json_number(s + i, n - i, &whole)
                                 : 1;
        bool wide = whole && is_wide(s + i, len);
        if (!len) len = 1;
        if (wide) sl_buf_str(out, "\"" WIDE_MARK);
        sl_buf_add(out, s + i, len);
        if (wide) sl_buf_byte(out, '"');
        any |= wide;
        i += len;
    }
    return any;
}

static sl_status convert_text(const reader *r, const char *s, size_t n, sl_value *out) {
    bool wide = r->widened && n > 1 && s[0] == WIDE_BYTE;
    sl_text t = sl_arena_text(r->arena, sl_text_n(s + wide, n - wide));
    if (!t.s) return sl_oom(r->err);
    *out = wide ? sl_decimal_value(t) : sl_text_value(t);
    return SL_OK;
}

static sl_status convert_list(const reader *r, json_t *from, sl_value *out) {
    size_t n = json_array_size(from);
    sl_value *v = sl_arena_calloc(r->arena, n ? n : 1, sizeof *v);
    if (!v) return sl_oom(r->err);
    for (size_t i = 0; i < n; i++) TRY(convert(r, json_array_get(from, i), &v[i]));
    *out = sl_list(v, (uint32_t)n);
    return SL_OK;
}

static sl_status convert_map(const reader *r, json_t *from, sl_value *out) {
    size_t n = json_object_size(from);
    sl_pair *pairs = sl_arena_calloc(r->arena, n ? n : 1, sizeof *pairs), *pair = pairs;
    if (!pairs) return sl_oom(r->err);
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at), pair++) {
        pair->key = sl_arena_text(r->arena, sl_text_of(json_object_iter_key(at)));
        if (!pair->key.s) return sl_oom(r->err);
        TRY(convert(r, json_object_iter_value(at), &pair->value));
    }
    *out = sl_map(pairs, (uint32_t)n);
    return SL_OK;
}

static sl_status convert(const reader *r, json_t *from, sl_value *out) {
    switch (json_typeof(from)) {
    case JSON_NULL: *out = sl_null(); return SL_OK;
    case JSON_TRUE:
    case JSON_FALSE: *out = sl_bool(json_is_true(from)); return SL_OK;
    case JSON_INTEGER: *out = sl_int(json_integer_value(from)); return SL_OK;
    case JSON_REAL: *out = sl_float(json_real_value(from)); return SL_OK;
    case JSON_STRING: return convert_text(r, json_string_value(from), json_string_length(from), out);
    case JSON_ARRAY: return convert_list(r, from, out);
    case JSON_OBJECT: return convert_map(r, from, out);
    }
    return sl_fail(r->err, SL_E_INTERNAL, "unknown kind of JSON value");
}

static sl_status syntax_error(const json_error_t *at, const char *file, sl_error *err) {
    if (json_error_code(at) == json_error_out_of_memory) return sl_oom(err);
    sl_status status = sl_fail(err, SL_E_PLAN, "not valid JSON: %s", at->text);
    uint64_t line = at->line > 0 ? (uint64_t)at->line : 0;
    sl_error_at(err, file, line, at->column > 0 ? (uint64_t)at->column : 0);
    return status;
}

sl_status sl_json_parse(const char *json, size_t n, const char *file, sl_arena *arena, sl_value *out,
                        sl_error *err) {
    json_error_t at;
    sl_buf wide = {.limit = (size_t)MAX_DEFINITION * 2};
    if (n > MAX_DEFINITION) {
        sl_status status = sl_fail(err, SL_E_PLAN, "larger than %d MiB", MAX_DEFINITION >> 20);
        sl_error_at(err, file, 0, 0);
        return status;
    }
    reader r = {.arena = arena, .err = err, .widened = widen(json, n, &wide)};
    sl_status status = sl_buf_check(&wide, err);
    json_t *root = NULL;
    if (status == SL_OK) {
        size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
        root = json_loadb(r.widened ? wide.data : json, r.widened ? wide.len : n, flags, &at);
        status = root ? convert(&r, root, out) : syntax_error(&at, file, err);
    }
    json_decref(root);
    sl_buf_free(&wide);
    return status;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

typedef struct scanner {
    const char *at, *end;
} scanner;

static void skip_blank(scanner *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) s->at++;
}

/* Steps over C and the blanks around it; false when something else is there. */
static bool take(scanner *s, char c) {
    skip_blank(s);
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    skip_blank(s);
    return true;
}

static void skip_value(scanner *s) {
    unsigned depth = 0;
    do {
        size_t n = 1;
        if (*s->at == '"')
            n = skip_string(s->at, (size_t)(s->end - s->at));
        else if (*s->at == '{' || *s->at == '[')
            depth++;
        else if ((*s->at == '}' || *s->at == ']') && depth)
            depth--;
        else if (!depth && (*s->at == ',' || *s->at == '}' || *s->at == ']'))
            return;
        s->at += n;
    } while (s->at < s->end && (depth || (*s->at != ',' && *s->at != '}' && *s->at != ']')));
}

/* What is left of PATH behind its first name KEY, or NULL when it does not begin so. */
static const char *behind(const char *path, sl_text key) {
    size_t n = strlen(path);
    if (n < key.n || !sl_text_eq_nocase(sl_text_n(path, key.n), key)) return NULL;
    if (path[key.n] == '.') return path + key.n + 1;
    return path[key.n] ? NULL : path + key.n;
}

static bool find(scanner *s, const char *path, const char **hit);

static bool find_member(scanner *s, const char *path, const char **hit) {
    while (s->at < s->end && *s->at == '"') {
        const char *key = s->at;
        size_t n = skip_string(key, (size_t)(s->end - key));
        const char *rest = n > 1 ? behind(path, sl_text_n(key + 1, n - 2)) : NULL;
        s->at += n;
        if (!take(s, ':')) return false;
        if (rest && !*rest) {
            *hit = key;
            return true;
        }
        scanner value = *s;
        if (rest && find(&value, rest, hit)) return true;
        if (s->at < s->end) skip_value(s);
        if (!take(s, ',')) return false;
    }
    return false;
}

static bool find_element(scanner *s, const char *path, const char **hit) {
    const char *rest = path + strspn(path, "0123456789");
    unsigned long index = strtoul(path, NULL, 10);
    if (rest == path || (*rest && *rest != '.')) return false;
    for (unsigned long i = 0; s->at < s->end && *s->at != ']'; i++) {
        if (i == index) return find(s, *rest ? rest + 1 : rest, hit);
        skip_value(s);
        if (!take(s, ',')) return false;
    }
    return false;
}

static bool find(scanner *s, const char *path, const char **hit) {
    skip_blank(s);
    if (!*path) {
        *hit = s->at;
        return s->at < s->end;
    }
    if (take(s, '{')) return find_member(s, path, hit);
    return take(s, '[') && find_element(s, path, hit);
}

bool sl_json_locate(const char *json, size_t n, const char *path, uint64_t *line, uint64_t *column) {
    scanner s = {json, json + n};
    const char *hit;
    if (!find(&s, path, &hit)) return false;
    *line = *column = 1;
    for (const char *c = json; c < hit; c++) {
        if (*c == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)*c & 0xc0) != 0x80) {
            ++*column;
        }
    }
    return true;
}
