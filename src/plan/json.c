/* json.c: definitions as values, by the JSON reader of the formats. That reader notices when memory is out and knows where it
 * stands, so a mistake in a definition has its line and column. Places inside are looked up only once something is wrong. */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "formats/json/json.h"
#include "record/number/number.h"

enum { MAX_DEFINITION = 64 << 20 };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct reader {
    sl_arena *arena;
    sl_error *err;
} reader;

static sl_status settle(const reader *r, sl_value *v);

static sl_status settle_list(const reader *r, sl_value *v) {
    sl_value *list = sl_arena_calloc(r->arena, v->n ? v->n : 1, sizeof *list);
    if (!list) return sl_oom(r->err);
    for (uint32_t i = 0; i < v->n; i++) {
        list[i] = v->as.list[i];
        TRY(settle(r, &list[i]));
    }
    v->as.list = list;
    return SL_OK;
}

static sl_status settle_map(const reader *r, sl_value *v) {
    sl_pair *pairs = sl_arena_calloc(r->arena, v->n ? v->n : 1, sizeof *pairs);
    if (!pairs) return sl_oom(r->err);
    for (uint32_t i = 0; i < v->n; i++) {
        pairs[i] = v->as.map[i];
        TRY(settle(r, &pairs[i].value));
    }
    v->as.map = pairs;
    return SL_OK;
}

/* A text of a definition may stand for a number, which one of an item read from JSON never does: it loses its mark. A
 * number is a double where that keeps it. */
static sl_status settle(const reader *r, sl_value *v) {
    if (v->type == SL_LIST) return settle_list(r, v);
    if (v->type == SL_MAP) return settle_map(r, v);
    if (v->type == SL_TEXT_TYPE) v->aux = 0;
    if (sl_is_written(*v)) *v = sl_number_python(sl_bytes(*v));
    return SL_OK;
}

/* What the reader found is a fault of the definition, at a place in FILE; or memory, at none. */
static sl_status refuse(const sl_error *why, const char *file, sl_error *err) {
    if (why->code != SL_E_DATA) return sl_fail(err, why->code, "%s", why->text);
    sl_status status = sl_fail(err, SL_E_PLAN, "not valid JSON: %s", why->text);
    sl_error_at(err, file, why->line, why->column);
    return status;
}

sl_status sl_json_parse(const char *json, size_t n, const char *file, sl_arena *arena, sl_value *out,
                        sl_error *err) {
    sl_error why = {0};
    if (n > MAX_DEFINITION) {
        sl_status status = sl_fail(err, SL_E_PLAN, "larger than %d MiB", MAX_DEFINITION >> 20);
        sl_error_at(err, file, 0, 0);
        return status;
    }
    if (sl_json_document(json, n, true, arena, out, &why) != SL_OK) return refuse(&why, file, err);
    return settle(&(reader){arena, err}, out);
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

typedef struct scanner {
    const char *at, *end;
} scanner;

static size_t skip_string(const char *s, size_t n) {
    size_t i = 1;
    while (i < n && s[i] != '"') i += s[i] == '\\' ? 2 : 1;
    return i < n ? i + 1 : n;
}

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
