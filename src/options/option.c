/* option.c: reads a conf by its table of options. Each type has one parser, which checks range and choices and says what it
 * expected, so no pipe checks types and ranges itself and all of them use the same words for the same mistake. Rules (lists of
 * small objects) are tables again, read by the same code. */
#include "options/option.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "record/cast.h"
#include "record/number/number.h"

enum { MAX_NAMES = 128 };

typedef struct parser {
    sl_arena *arena;
    bool nocase;
    sl_text *bad_key;
    sl_error *err;
} parser;

static sl_status parse_table(const parser *ps, const sl_option *table, sl_value map, void *conf);
static sl_status parse_value(const parser *ps, const sl_option *o, sl_value v, void *conf);

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static bool is_called(const sl_option *o, sl_text key, bool nocase) {
    sl_text names[] = {sl_text_of(o->name), sl_text_of(o->alias)};
    for (int i = 0; i < (o->alias ? 2 : 1); i++)
        if (nocase ? sl_text_eq_nocase(key, names[i]) : sl_text_eq(key, names[i])) return true;
    return false;
}

static const sl_option *find_own(const sl_option *table, sl_text key, bool nocase) {
    for (const sl_option *o = table; o && o->name; o++)
        if (!o->further && is_called(o, key, nocase)) return o;
    return NULL;
}

static const sl_option *find_further(const sl_option *table, sl_text key, bool nocase) {
    const sl_option *more, *found = NULL;
    for (const sl_option *o = table; o && o->name; o++)
        for (unsigned i = 0; o->further && !found && (more = o->further(i)); i++)
            found = find_own(more, key, nocase);
    return found;
}

const sl_option *sl_option_named(const sl_option *table, sl_text key, bool nocase) {
    const sl_option *own = find_own(table, key, nocase);
    return own ? own : find_further(table, key, nocase);
}

const sl_option *sl_option_next(sl_option_walk *w) {
    if (!w->at) w->at = w->table;
    while (w->at) {
        const sl_option *o = w->at;
        if (o->further) w->from = o;
        bool ends = !o->name || o->further;
        w->at = !ends ? o + 1 : w->from ? w->from->further(w->next++) : NULL;
        if (!ends && (!w->from || sl_option_named(w->table, sl_text_of(o->name), false) == o)) return o;
    }
    w->table = NULL;
    return NULL;
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static sl_status blame(const parser *ps, sl_text key, const char *fmt, ...) SL_PRINTF(3, 4);

static sl_status blame(const parser *ps, sl_text key, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (ps->bad_key) *ps->bad_key = key;
    return sl_fail(ps->err, SL_E_PLAN, "%s", text);
}

/* V as messages show it: scalars by their text, cut at 40 bytes. */
static const char *shown(sl_value v, char out[64]) {
    char digits[32];
    sl_text t = {digits, 0};
    switch ((sl_type)v.type) {
    case SL_BOOL: t = v.as.b ? SL_TEXT("true") : SL_TEXT("false"); break;
    case SL_INT: t.n = sl_format_int(v.as.i, digits); break;
    case SL_FLOAT: t.n = sl_format_double(v.as.f, digits); break;
    case SL_TEXT_TYPE:
    case SL_DECIMAL: t = sl_bytes(v); break;
    default: t = sl_text_of(sl_type_name((sl_type)v.type)); break;
    }
    const char *quote = sl_is_text(v) ? "'" : "";
    snprintf(out, 64, "%s%.*s%s%s", quote, t.n > 40 ? 40 : (int)t.n, t.s, t.n > 40 ? "..." : "", quote);
    return out;
}

static sl_status expected(const parser *ps, const sl_option *o, const char *what, sl_value v) {
    char got[64];
    return blame(ps, sl_text_of(o->name), "key '%s' must be %s, got %s", o->name, what, shown(v, got));
}

/* The keys of TABLE that people may use, for suggestions and lists. */
static void visible_names(const sl_option *table, const char *names[MAX_NAMES + 1]) {
    uint32_t n = 0;
    sl_option_walk w = {.table = table};
    for (const sl_option *o; n < MAX_NAMES && (o = sl_option_next(&w));)
        if (!(o->flags & SL_OPT_HIDDEN)) names[n++] = o->name;
    names[n] = NULL;
}

/* N is how much of OUT is filled. */
static size_t join_name(const char *name, char *out, size_t size, size_t n) {
    int more = n < size ? snprintf(out + n, size - n, "%s%s", n ? ", " : "", name) : 0;
    return n + (more > 0 ? (size_t)more : 0);
}

static void join_names(const char *const *names, char *out, size_t size) {
    size_t n = 0;
    out[0] = 0;
    for (uint32_t i = 0; names[i]; i++) n = join_name(names[i], out, size, n);
}

const char *sl_option_words(const char *(*word)(unsigned i), char *out, size_t size) {
    size_t n = 0;
    out[0] = 0;
    for (unsigned i = 0; word(i); i++) n = join_name(word(i), out, size, n);
    return out;
}

static sl_status unknown_key(const parser *ps, const sl_option *table, sl_text key) {
    const char *names[MAX_NAMES + 1];
    char list[256];
    visible_names(table, names);
    const char *near = sl_text_nearest(key, names);
    if (near) return blame(ps, key, "unknown key '%.*s', did you mean '%s'?", (int)key.n, key.s, near);
    if (!names[0]) return blame(ps, key, "unknown key '%.*s': this pipe takes none", (int)key.n, key.s);
    join_names(names, list, sizeof list);
    return blame(ps, key, "unknown key '%.*s', expected one of: %s", (int)key.n, key.s, list);
}

static sl_status missing_key(const parser *ps, const sl_option *o) {
    return blame(ps, (sl_text){0}, "missing key '%s': %s", o->name, o->help ? o->help : "it is required");
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* A scalar as text; false for lists and maps. */
static bool scalar_text(const parser *ps, sl_value v, sl_text *out, sl_status *status) {
    if (v.type == SL_LIST || v.type == SL_MAP) return false;
    *status = sl_to_text(v, "", ps->arena, out, ps->err);
    return true;
}

static sl_status parse_text(const parser *ps, const sl_option *o, sl_value v, sl_text *out) {
    sl_status status = SL_OK;
    return scalar_text(ps, v, out, &status) ? status : expected(ps, o, "text", v);
}

static sl_status parse_bool(const parser *ps, const sl_option *o, sl_value v, bool *out) {
    sl_value cast;
    if (v.type == SL_BOOL || sl_is_number(v)) {
        *out = sl_truthy(v);
        return SL_OK;
    }
    if (!sl_is_text(v)) return expected(ps, o, "true or false", v);
    sl_text t = sl_bytes(v);
    *out = sl_text_eq_nocase(t, SL_TEXT("true")) || sl_text_is(t, "1");
    if (*out || t.n == 0 || sl_text_eq_nocase(t, SL_TEXT("false")) || sl_text_is(t, "0")) return SL_OK;
    if (!ps->nocase) return expected(ps, o, "true or false", v);
    TRY(sl_cast_value(SL_CAST_BOOL, v, 0, ps->arena, &cast, ps->err));
    *out = sl_truthy(cast);
    return SL_OK;
}

static sl_status out_of_range(const parser *ps, const sl_option *o, int64_t got) {
    const char *unit = o->unit ? o->unit : "", *gap = o->unit ? " " : "";
    sl_text key = sl_text_of(o->name);
    if (o->max == INT64_MAX)
        return blame(ps, key, "key '%s' must be at least %" PRId64 "%s%s, got %" PRId64, o->name, o->min, gap,
                     unit, got);
    return blame(ps, key, "key '%s' must be %" PRId64 " to %" PRId64 "%s%s, got %" PRId64, o->name, o->min,
                 o->max, gap, unit, got);
}

/* Riko's dialect takes what is no number as 0; the native one says so. */
static sl_status parse_int(const parser *ps, const sl_option *o, sl_value v, int64_t *out) {
    sl_value cast;
    double d;
    bool scalar = v.type == SL_BOOL || sl_is_number(v) || sl_is_text(v);
    bool number = !sl_is_text(v) || sl_parse_double(sl_text_trim(sl_bytes(v)), &d);
    if (!scalar || (!number && !ps->nocase)) return expected(ps, o, "a whole number", v);
    sl_status status = sl_cast_value(SL_CAST_INT, v, 0, ps->arena, &cast, NULL);
    if (status == SL_E_MEMORY) return sl_oom(ps->err);
    if (status || cast.type != SL_INT) return expected(ps, o, "a whole number of 64 bits", v);
    if ((o->min || o->max) && (cast.as.i < o->min || cast.as.i > o->max))
        return out_of_range(ps, o, cast.as.i);
    *out = cast.as.i;
    return SL_OK;
}

/* Splits "1.5G" into its number and its unit. */
static bool parse_quantity(sl_text t, double *number, sl_text *unit) {
    t = sl_text_trim(t);
    uint32_t n = t.n;
    while (n && ((t.s[n - 1] | 32) >= 'a' && (t.s[n - 1] | 32) <= 'z')) n--;
    *unit = (sl_text){t.s + n, t.n - n};
    return sl_parse_double(sl_text_trim((sl_text){t.s, n}), number) && *number >= 0;
}

bool sl_size_parse(sl_text t, uint64_t *out) {
    static const char *const units[] = {"", "k", "m", "g", "t"};
    double number;
    sl_text unit;
    int64_t whole;
    if (sl_parse_int(t, &whole) && whole >= 0) {
        *out = (uint64_t)whole;
        return true;
    }
    if (!parse_quantity(t, &number, &unit)) return false;
    if (unit.n > 1 && (unit.s[unit.n - 1] | 32) == 'b') unit.n--;
    if (unit.n > 1 && unit.s[unit.n - 1] == 'i') unit.n--;
    for (unsigned i = 0; i < SL_COUNT(units); i++) {
        double bytes = number * (double)(1ULL << (10 * i));
        if (!sl_text_eq_nocase(unit, sl_text_of(units[i]))) continue;
        if (bytes >= 9e18) return false;
        *out = (uint64_t)bytes;
        return true;
    }
    return false;
}

static sl_status parse_size(const parser *ps, const sl_option *o, sl_value v, uint64_t *out) {
    sl_text t = {0};
    sl_status status = SL_OK;
    bool scalar = scalar_text(ps, v, &t, &status);
    TRY(status);
    if (!scalar || !sl_size_parse(t, out)) return expected(ps, o, "a size such as 1048576, 256M or 1G", v);
    if (o->max && (*out < (uint64_t)o->min || *out > (uint64_t)o->max))
        return out_of_range(ps, o, (int64_t)*out);
    return SL_OK;
}

static sl_status parse_seconds(const parser *ps, const sl_option *o, sl_value v, double *out) {
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    sl_text t = {0}, unit = {0};
    double number = 0;
    sl_status status = SL_OK;
    bool valid = scalar_text(ps, v, &t, &status) && status == SL_OK && parse_quantity(t, &number, &unit);
    TRY(status);
    for (unsigned i = 0; valid && i < SL_COUNT(units); i++) {
        if (!sl_text_is(unit, units[i].unit)) continue;
        *out = number * units[i].seconds;
        return SL_OK;
    }
    return expected(ps, o, "a time such as 1.5, 30s, 500ms or 2m", v);
}

/* Index of T in NAMES, or -1. */
static int name_index(const char *const *names, sl_text t) {
    for (int i = 0; names[i]; i++)
        if (sl_text_eq_nocase(t, sl_text_of(names[i]))) return i;
    return -1;
}

static sl_status parse_enum(const parser *ps, const sl_option *o, sl_value v, int *out) {
    char list[256], got[64], hint[SL_HINT];
    sl_text t;
    TRY(parse_text(ps, o, v, &t));
    int found = name_index(o->names, t);
    if (found < 0 && ps->nocase && (o->flags & SL_OPT_LOOSE))
        found = name_index(o->names, sl_text_of(o->fallback));
    if (found >= 0) {
        *out = found;
        return SL_OK;
    }
    join_names(o->names, list, sizeof list);
    return blame(ps, sl_text_of(o->name), "key '%s' must be one of %s, got %s%s", o->name, list,
                 shown(v, got), sl_text_meant(t, o->names, hint));
}

static sl_status parse_char(const parser *ps, const sl_option *o, sl_value v, char *out) {
    sl_text t;
    TRY(parse_text(ps, o, v, &t));
    if (sl_text_is(t, "\\t") || sl_text_eq_nocase(t, SL_TEXT("tab"))) t = SL_TEXT("\t");
    if (t.n > 1) return expected(ps, o, "one byte, or tab", v);
    *out = t.n ? t.s[0] : 0;
    return SL_OK;
}

/* A list of segments stands for the path that joins them with dots. */
static sl_status parse_path(const parser *ps, const sl_option *o, sl_value v, sl_text *out) {
    if (v.type != SL_LIST) return parse_text(ps, o, v, out);
    sl_text joined = {0}, piece;
    for (uint32_t i = 0; i < v.n; i++) {
        TRY(parse_text(ps, o, v.as.list[i], &piece));
        joined = sl_arena_printf(ps->arena, "%.*s%s%.*s", (int)joined.n, joined.n ? joined.s : "",
                                 i ? "." : "", (int)piece.n, piece.n ? piece.s : "");
        if (!joined.s) return sl_oom(ps->err);
    }
    *out = joined;
    return SL_OK;
}

static sl_status parse_texts(const parser *ps, const sl_option *o, sl_value v, sl_texts *out) {
    bool many = v.type == SL_LIST;
    const sl_value *from = many ? v.as.list : &v;
    uint32_t n = many ? v.n : 1;
    out->v = sl_arena_calloc(ps->arena, n ? n : 1, sizeof *out->v);
    if (!out->v) return sl_oom(ps->err);
    for (uint32_t i = 0; i < n; i++)
        if (from[i].type != SL_MISSING) TRY(parse_text(ps, o, from[i], &out->v[i]));
    out->n = n;
    out->given = true;
    return SL_OK;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

/* Whether V is the value of a rule's first key rather than a rule: any scalar; and where a rule has one key only, also a map
 * that does not show this key. */
static bool is_bare(const parser *ps, const sl_option *o, sl_value v) {
    if (!(o->flags & SL_OPT_SCALARS)) return false;
    if (v.type != SL_MAP) return true;
    return !o->rules[1].name && v.n > 0 && !sl_option_named(o->rules, v.as.map[0].key, ps->nocase);
}

/* Puts WHERE before the key that a rule was blamed for. */
static sl_status prefix_key(const parser *ps, sl_text where, sl_status status) {
    if (!ps->bad_key) return status;
    sl_text key = *ps->bad_key;
    sl_text full = sl_arena_printf(ps->arena, "%.*s%s%.*s", (int)where.n, where.s, key.n ? "." : "",
                                   (int)key.n, key.n ? key.s : "");
    if (full.s) *ps->bad_key = full;
    return status;
}

/* On failure the bad key is the one inside of the rule; none where the rule as a whole is wrong. */
/* A bare scalar is the first option; the others have their defaults. */
static sl_status parse_bare(const parser *ps, const sl_option *o, sl_value v, void *rule) {
    TRY(parse_value(ps, &o->rules[0], v, rule));
    for (const sl_option *other = o->rules + 1; other->name; other++) {
        if (other->fallback) TRY(parse_value(ps, other, sl_text_value(sl_text_of(other->fallback)), rule));
    }
    return SL_OK;
}

static sl_status parse_rule(const parser *ps, const sl_option *o, sl_value v, void *rule) {
    if (v.type == SL_MISSING) return SL_OK;
    if (v.type == SL_MAP && !is_bare(ps, o, v)) return parse_table(ps, o->rules, v, rule);
    sl_status status =
        is_bare(ps, o, v) ? parse_bare(ps, o, v, rule) : expected(ps, o, "an object or a list of objects", v);
    if (ps->bad_key) *ps->bad_key = (sl_text){0};
    return status;
}

static sl_status parse_rules(const parser *ps, const sl_option *o, sl_value v, sl_rules *out) {
    bool many = v.type == SL_LIST;
    const sl_value *from = many ? v.as.list : &v;
    uint32_t n = many ? v.n : 1;
    char *rules = sl_arena_calloc(ps->arena, n ? n : 1, o->rule_size);
    if (!rules) return sl_oom(ps->err);
    for (uint32_t i = 0; i < n; i++) {
        if (ps->bad_key) *ps->bad_key = (sl_text){0};
        sl_status status = parse_rule(ps, o, from[i], rules + (size_t)i * o->rule_size);
        if (status == SL_OK) continue;
        sl_text where =
            many ? sl_arena_printf(ps->arena, "%s.%u", o->name, (unsigned)i) : sl_text_of(o->name);
        return where.s ? prefix_key(ps, where, status) : sl_oom(ps->err);
    }
    *out = (sl_rules){rules, n};
    return SL_OK;
}

/* Parsed into a struct that is thrown away: whoever completes the object parses it again. */
static sl_status parse_object(const parser *ps, const sl_option *o, sl_value v, sl_value *out) {
    *out = v;
    if (v.type != SL_MAP) return expected(ps, o, "an object", v);
    void *scratch = sl_arena_calloc(ps->arena, 1, o->rule_size);
    if (!scratch) return sl_oom(ps->err);
    sl_status status = parse_table(ps, o->rules, v, scratch);
    return status == SL_OK ? SL_OK : prefix_key(ps, sl_text_of(o->name), status);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static sl_status parse_value(const parser *ps, const sl_option *o, sl_value v, void *conf) {
    void *at = (char *)conf + o->offset;
    switch (o->type) {
    case SL_OPT_TEXT: return parse_text(ps, o, v, at);
    case SL_OPT_BOOL: return parse_bool(ps, o, v, at);
    case SL_OPT_INT: return parse_int(ps, o, v, at);
    case SL_OPT_SIZE: return parse_size(ps, o, v, at);
    case SL_OPT_SECONDS: return parse_seconds(ps, o, v, at);
    case SL_OPT_ENUM: return parse_enum(ps, o, v, at);
    case SL_OPT_CHAR: return parse_char(ps, o, v, at);
    case SL_OPT_PATH: return parse_path(ps, o, v, at);
    case SL_OPT_TEXTS: return parse_texts(ps, o, v, at);
    case SL_OPT_VALUE: *(sl_value *)at = v; return SL_OK;
    case SL_OPT_RULES: return parse_rules(ps, o, v, at);
    case SL_OPT_OBJECT: return parse_object(ps, o, v, at);
    case SL_OPT_FURTHER: break;
    }
    return sl_fail(ps->err, SL_E_INTERNAL, "option '%s' has no type", o->name);
}

static const sl_value *given_value(const parser *ps, const sl_option *o, sl_value map) {
    const sl_value *found = NULL;
    for (uint32_t i = 0; map.type == SL_MAP && i < map.n; i++) {
        if (is_called(o, map.as.map[i].key, ps->nocase)) found = &map.as.map[i].value;
    }
    return found;
}

/* Of a key that comes again, under whatever of its names, the last counts. */
static sl_status parse_further(const parser *ps, const sl_option *table, const sl_option *o, sl_value map,
                               sl_value *out) {
    uint32_t given = map.type == SL_MAP ? map.n : 0, n = 0, at;
    sl_pair *pairs = sl_arena_calloc(ps->arena, given + 1, sizeof *pairs);
    if (!pairs) return sl_oom(ps->err);
    for (uint32_t i = 0; i < given; i++) {
        sl_pair pair = map.as.map[i];
        const sl_option *row =
            find_own(table, pair.key, ps->nocase) ? NULL : find_further(o, pair.key, ps->nocase);
        if (!row || sl_is_absent(pair.value)) continue;
        for (at = 0; at < n && !sl_text_is(pairs[at].key, row->name); at++) continue;
        pairs[at] = (sl_pair){sl_text_of(row->name), pair.value};
        n += at == n;
    }
    *out = sl_map(pairs, n);
    return SL_OK;
}

static sl_status parse_option(const parser *ps, const sl_option *o, sl_value map, void *conf) {
    const sl_value *v = given_value(ps, o, map);
    bool null = v && v->type == SL_NULL;
    if (v && v->type == SL_MISSING) return SL_OK;
    if (v && (!null || (o->type == SL_OPT_VALUE && !o->fallback && !(o->flags & SL_OPT_REQUIRED))))
        return parse_value(ps, o, *v, conf);
    if (o->flags & SL_OPT_REQUIRED) return missing_key(ps, o);
    if (!o->fallback) return SL_OK;
    return parse_value(ps, o, sl_text_value(sl_text_of(o->fallback)), conf);
}

static bool is_open(const sl_option *table) {
    while (table && table->name) table++;
    return table && (table->flags & SL_OPT_OPEN);
}

static sl_status parse_table(const parser *ps, const sl_option *table, sl_value map, void *conf) {
    if (map.type != SL_MAP && !sl_is_absent(map))
        return blame(ps, (sl_text){0}, "expected an object of options, got %s",
                     sl_type_name((sl_type)map.type));
    bool open = ps->nocase && is_open(table);
    for (uint32_t i = 0; map.type == SL_MAP && i < map.n; i++)
        if (!open && !sl_option_named(table, map.as.map[i].key, ps->nocase))
            return unknown_key(ps, table, map.as.map[i].key);
    for (const sl_option *o = table; o && o->name; o++)
        TRY(o->further ? parse_further(ps, table, o, map, (void *)((char *)conf + o->offset))
                       : parse_option(ps, o, map, conf));
    return SL_OK;
}

sl_status sl_options_parse(const sl_option *table, sl_value map, bool nocase, void *conf, sl_arena *arena,
                           sl_text *bad_key, sl_error *err) {
    if (bad_key) *bad_key = (sl_text){0};
    parser ps = {.arena = arena, .nocase = nocase, .bad_key = bad_key, .err = err};
    return parse_table(&ps, table, map, conf);
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

static void describe_names(const char *const *names, sl_buf *out) {
    for (uint32_t i = 0; names[i]; i++) sl_buf_printf(out, "%s%s", i ? "|" : "", names[i]);
}

static void describe_rules(const sl_option *rules, sl_buf *out) {
    const char *names[MAX_NAMES + 1];
    visible_names(rules, names);
    sl_buf_byte(out, '{');
    for (uint32_t i = 0; names[i]; i++) sl_buf_printf(out, "%s%s", i ? ", " : "", names[i]);
    sl_buf_str(out, "}, one or a list");
}

static void describe_type(const sl_option *o, sl_buf *out) {
    static const char *const types[] = {[SL_OPT_TEXT] = "TEXT",
                                        [SL_OPT_BOOL] = "BOOL",
                                        [SL_OPT_INT] = "INT",
                                        [SL_OPT_SIZE] = "SIZE",
                                        [SL_OPT_SECONDS] = "SECONDS",
                                        [SL_OPT_ENUM] = "ENUM",
                                        [SL_OPT_CHAR] = "CHAR",
                                        [SL_OPT_PATH] = "PATH",
                                        [SL_OPT_TEXTS] = "TEXT or a list",
                                        [SL_OPT_VALUE] = "ANY",
                                        [SL_OPT_RULES] = "RULE or a list",
                                        [SL_OPT_OBJECT] = "OBJECT"};
    if (o->type == SL_OPT_ENUM)
        describe_names(o->names, out);
    else if (o->word)
        for (unsigned i = 0; o->word(i); i++) sl_buf_printf(out, "%s%s", i ? "|" : "", o->word(i));
    else if (o->type == SL_OPT_RULES)
        describe_rules(o->rules, out);
    else
        sl_buf_str(out, types[o->type]);
}

static void describe_range(const sl_option *o, sl_buf *out) {
    if (!o->min && !o->max) return;
    if (o->max == INT64_MAX)
        sl_buf_printf(out, ", at least %" PRId64, o->min);
    else
        sl_buf_printf(out, ", %" PRId64 " to %" PRId64, o->min, o->max);
}

void sl_option_describe(const sl_option *o, sl_buf *out) {
    describe_type(o, out);
    if (o->fallback) sl_buf_printf(out, " = %s", o->fallback[0] ? o->fallback : "\"\"");
    describe_range(o, out);
    if (o->unit) sl_buf_printf(out, ", %s", o->unit);
    if (o->flags & SL_OPT_REQUIRED) sl_buf_str(out, ", required");
}
