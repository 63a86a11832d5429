/* value.c: parses values. It is strict, as RFC 8259 has it, because a lenient reader turns a broken transfer into wrong data.
 * Texts and numbers stay as they are spelled until somebody asks for them, and nested values are built on one stack, which
 * moves to the arena when a container closes. */
#include "formats/json/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/unicode.h"
#include "record/number/number.h"
#include "record/raw.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#define HAVE_SSE2 1
#else
#define HAVE_SSE2 0
#endif

#define CONTEXT 40  /* bytes shown of what stands before a failure */
#define FEW     16u /* so many keys are compared one with another */

/* ---- failures ------------------------------------------------------------------------------------------------ */

/* 0 when the line began before the bytes that are there. */
static uint64_t column_at(const sl_json_in *in, const char *at) {
    const char *p = at;
    while (p > in->floor && p[-1] != '\n') p--;
    return p > in->floor || in->by_line ? (uint64_t)(at - p) + 1 : 0;
}

/* What stands before AT, for a document that is one long line and has no other landmarks. */
static sl_text text_before(const sl_json_in *in, const char *at) {
    const char *p = at - in->start > CONTEXT ? at - CONTEXT : in->start;
    while (p < at && ((unsigned char)*p & 0xc0) == 0x80) p++;
    return sl_text_n(p, (size_t)(at - p));
}

const char *sl_json_bad(sl_json_in *in, const char *at, const char *expected) {
    if (in->err && in->err->code) return NULL;
    if (at > in->end) at = in->end;
    uint64_t column = column_at(in, at);
    sl_text before = column ? (sl_text){0} : text_before(in, at);
    const char *after = before.n ? ", after " : "";
    unsigned char c = (unsigned char)*at;
    char got[32];
    bool ends = at >= in->end || (in->by_line && c == '\n'), plain = c > ' ' && c < 0x7f;
    if (ends)
        snprintf(got, sizeof got, "but the record ends");
    else
        snprintf(got, sizeof got, plain ? "not '%c'" : "not byte 0x%02x", c);
    sl_fail(in->err, SL_E_DATA, "expected %s, %s%s%.*s", expected, got, after, (int)before.n,
            before.n ? before.s : "");
    sl_error_at(in->err, NULL, in->line, column);
    return NULL;
}

static const char *no_memory(sl_json_in *in) {
    sl_oom(in->err);
    return NULL;
}

/* ---- small parts --------------------------------------------------------------------------------------------- */

const char *sl_json_space_slow(sl_json_in *in, const char *p) {
    for (; p < in->end; p++) {
        if (*p == '\n') {
            if (in->by_line) return p;
            in->line++;
        } else if (*p != ' ' && *p != '\t' && *p != '\r') {
            return p;
        }
    }
    return in->end;
}

/* First quote, backslash or control character at or after P, or the end. */
static const char *string_stop(const sl_json_in *in, const char *p) {
#if HAVE_SSE2
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), low = _mm_set1_epi8(0x1f);
    for (; p < in->end; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash));
        stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(x, low), x));
        unsigned found = (unsigned)_mm_movemask_epi8(stop);
        if (!found) continue;
        p += __builtin_ctz(found);
        break;
    }
    return p < in->end ? p : in->end;
#else
    while (p < in->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) p++;
    return p;
#endif
}

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* P at a backslash. */
static const char *escape(sl_json_in *in, const char *p) {
    if (in->end - p < 2) return sl_json_bad(in, in->end, "the closing quote");
    if (!p[1] || !strchr("\"\\/bfnrtu", p[1])) return sl_json_bad(in, p + 1, "one of \"\\/bfnrtu");
    if (p[1] != 'u') return p + 2;
    p += 2;
    for (unsigned i = 0; i < 4; i++, p++)
        if (p >= in->end || !is_hex(*p)) return sl_json_bad(in, p, "four hexadecimal digits");
    return p;
}

/* The bytes between the quotes; *RAW: with escapes. P at the opening quote. */
static const char *string(sl_json_in *in, const char *p, sl_text *out, bool *raw) {
    const char *begin = ++p;
    *raw = false;
    for (;;) {
        p = string_stop(in, p);
        if (p >= in->end) return sl_json_bad(in, p, "the closing quote");
        if (*p == '"') break;
        if (*p != '\\') return sl_json_bad(in, p, "an escape for a control character");
        *raw = true;
        if (!(p = escape(in, p))) return NULL;
    }
    *out = sl_text_n(begin, (size_t)(p - begin));
    return p + 1;
}

static const char *digits(const sl_json_in *in, const char *p) {
    while (p < in->end && (unsigned char)(*p - '0') < 10) p++;
    return p;
}

static const char *fraction(sl_json_in *in, const char *p) {
    const char *q = digits(in, p + 1);
    return q > p + 1 ? q : sl_json_bad(in, q, "a digit");
}

static const char *exponent(sl_json_in *in, const char *p) {
    p++;
    if (p < in->end && (*p == '+' || *p == '-')) p++;
    const char *q = digits(in, p);
    return q > p ? q : sl_json_bad(in, q, "a digit");
}

/* A number or word must not run into the next. */
static const char *delimited(sl_json_in *in, const char *p) {
    if (p >= in->end || *p == ',' || *p == '}') return p;
    unsigned char c = (unsigned char)*p;
    bool part = (unsigned)(c - '0') < 10 || (unsigned)((c | 0x20) - 'a') < 26 || c == '.' || c == '-' ||
                c == '+' || c == '_' || c >= 0x80;
    return part ? sl_json_bad(in, p, "the end of the value") : p;
}

static const char *number(sl_json_in *in, const char *begin, sl_value *out) {
    const char *p = begin + (*begin == '-');
    const char *whole = p;
    p = digits(in, p);
    if (p == whole) return sl_json_bad(in, p, "a digit");
    if (*whole == '0' && p > whole + 1) return sl_json_bad(in, whole + 1, "no digit behind a leading zero");
    bool is_int = true;
    if (p < in->end && *p == '.') {
        is_int = false;
        if (!(p = fraction(in, p))) return NULL;
    }
    if (p < in->end && (*p | 0x20) == 'e') {
        is_int = false;
        if (!(p = exponent(in, p))) return NULL;
    }
    *out = (sl_value){.type = is_int ? SL_INT : SL_FLOAT,
                      .flags = SL_RAW_NUMBER,
                      .aux = in->python ? SL_PYTHON_NUMBER : 0,
                      .n = (uint32_t)(p - begin),
                      .as.s = begin};
    return delimited(in, p);
}

static const char *word(sl_json_in *in, const char *p, const char *want, size_t n, sl_value v,
                        sl_value *out) {
    for (size_t i = 1; i < n; i++)
        if (p + i >= in->end || p[i] != want[i]) return sl_json_bad(in, p, "a value");
    *out = v;
    return delimited(in, p + n);
}

/* ---- the index of names -------------------------------------------------------------------------------------- */

bool sl_json_index_clear(sl_json_index *x, uint32_t many) {
    uint32_t cap = 32;
    while (cap / 2 < many) cap *= 2;
    if (cap > x->cap) {
        uint32_t *slots = realloc(x->slots, cap * sizeof *slots);
        if (!slots) return false;
        x->slots = slots;
        x->cap = cap;
    }
    x->n = cap;
    memset(x->slots, 0, cap * sizeof *x->slots);
    return true;
}

uint32_t *sl_json_index_slot(sl_json_index *x, sl_text name, const void *names, size_t stride) {
    const char *base = names;
    for (uint32_t at = (uint32_t)sl_hash(name.s, name.n, 0);; at++) {
        uint32_t *slot = &x->slots[at & (x->n - 1)];
        if (!*slot) return slot;
        sl_text other;
        memcpy(&other, base + stride * (*slot - 1), sizeof other);
        if (sl_text_eq(other, name)) return slot;
    }
}

/* ---- containers ---------------------------------------------------------------------------------------------- */

static bool push(sl_json_in *in, sl_text key, sl_value v) {
    if (in->npairs == in->cap_pairs) {
        uint32_t cap = in->cap_pairs ? in->cap_pairs * 2 : 256;
        sl_pair *pairs = realloc(in->pairs, cap * sizeof *pairs);
        if (!pairs) return false;
        in->pairs = pairs;
        in->cap_pairs = cap;
    }
    in->pairs[in->npairs++] = (sl_pair){key, v};
    return true;
}

/* The member before AT with the key of AT, or AT. */
static uint32_t same_key(sl_json_in *in, sl_pair *pairs, uint32_t at, bool few) {
    if (few) {
        for (uint32_t i = 0; i < at; i++)
            if (sl_text_eq(pairs[i].key, pairs[at].key)) return i;
        return at;
    }
    uint32_t *slot = sl_json_index_slot(&in->index, pairs[at].key, &pairs[0].key, sizeof pairs[0]);
    if (!*slot) *slot = at + 1;
    return *slot - 1;
}

uint32_t sl_json_unite(sl_json_in *in, sl_pair *pairs, uint32_t n) {
    bool few = n <= FEW;
    uint32_t kept = 0;
    if (!few && !sl_json_index_clear(&in->index, n)) return UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        pairs[kept] = pairs[i];
        uint32_t same = same_key(in, pairs, kept, few);
        if (same == kept)
            kept++;
        else if (in->distinct)
            break;
        else
            pairs[same].value = pairs[i].value;
    }
    return kept;
}

/* A key with escapes has no place in the text any more: then it is the end of the map, P, that is told. */
static const char *twice(sl_json_in *in, const char *p, sl_text key) {
    const char *at = key.s > in->start && key.s < in->end ? key.s - 1 : p - 1;
    sl_fail(in->err, SL_E_DATA, "the key '%.*s' comes twice", (int)key.n, key.s);
    sl_error_at(in->err, NULL, in->line - sl_json_count_lines(at, (size_t)(p - at)), column_at(in, at));
    return NULL;
}

static const char *finish_map(sl_json_in *in, const char *p, uint32_t base, sl_value *out) {
    sl_pair *pairs = in->pairs ? in->pairs + base : NULL; /* none yet when the first container is empty */
    uint32_t given = in->npairs - base, n = sl_json_unite(in, pairs, given);
    if (n == UINT32_MAX) return no_memory(in);
    if (in->distinct && n < given) return twice(in, p, pairs[n].key);
    sl_pair *copy = sl_arena_alloc(in->arena, n * sizeof *copy);
    if (!copy) return no_memory(in);
    if (n) memcpy(copy, pairs, n * sizeof *copy);
    in->npairs = base;
    *out = sl_map(copy, n);
    return p;
}

static const char *finish_list(sl_json_in *in, const char *p, uint32_t base, sl_value *out) {
    uint32_t n = in->npairs - base;
    sl_value *copy = sl_arena_alloc(in->arena, n * sizeof *copy);
    if (!copy) return no_memory(in);
    for (uint32_t i = 0; i < n; i++) copy[i] = in->pairs[base + i].value;
    in->npairs = base;
    *out = sl_list(copy, n);
    return p;
}

/* Behind an element or member: past the comma and to what follows, or past the bracket SHUT (*DONE). */
static const char *more(sl_json_in *in, const char *p, char shut, bool *done) {
    p = sl_json_space(in, p);
    if (p >= in->end || (*p != ',' && *p != shut))
        return sl_json_bad(in, p, shut == ']' ? "',' or ']'" : "',' or '}'");
    *done = *p++ == shut;
    return *done ? p : sl_json_space(in, p);
}

static const char *map_members(sl_json_in *in, const char *p, uint32_t base, sl_value *out) {
    for (bool done = false; !done;) {
        sl_text key = {0};
        sl_value v;
        if (!(p = sl_json_key(in, p, &key))) return NULL;
        p = sl_json_space(in, p);
        if (p >= in->end || *p != ':') return sl_json_bad(in, p, "':'");
        if (!(p = sl_json_value(in, sl_json_space(in, p + 1), false, &v))) return NULL;
        if (!push(in, key, v)) return no_memory(in);
        if (!(p = more(in, p, '}', &done))) return NULL;
    }
    return finish_map(in, p, base, out);
}

static const char *map(sl_json_in *in, const char *p, sl_value *out) {
    p = sl_json_space(in, p + 1);
    if (p < in->end && *p == '}') return finish_map(in, p + 1, in->npairs, out);
    return map_members(in, p, in->npairs, out);
}

static const char *list_elements(sl_json_in *in, const char *p, uint32_t base, sl_value *out) {
    for (bool done = false; !done;) {
        sl_value v;
        if (!(p = sl_json_value(in, p, false, &v))) return NULL;
        if (!push(in, (sl_text){0}, v)) return no_memory(in);
        if (!(p = more(in, p, ']', &done))) return NULL;
    }
    return finish_list(in, p, base, out);
}

static const char *list(sl_json_in *in, const char *p, sl_value *out) {
    p = sl_json_space(in, p + 1);
    if (p < in->end && *p == ']') return finish_list(in, p + 1, in->npairs, out);
    return list_elements(in, p, in->npairs, out);
}

static const char *container(sl_json_in *in, const char *p, sl_value *out) {
    if (in->depth == SL_JSON_DEPTH) return sl_json_bad(in, p, "at most 1000 levels of nesting");
    in->depth++;
    p = *p == '{' ? map(in, p, out) : list(in, p, out);
    in->depth--;
    return p;
}

/* ---- values -------------------------------------------------------------------------------------------------- */

static const char *text_value(sl_json_in *in, const char *p, sl_value *out) {
    sl_text t = {0};
    bool raw;
    if (!(p = string(in, p, &t, &raw))) return NULL;
    *out = sl_text_value(t);
    out->flags = raw ? SL_RAW_JSON : 0;
    out->aux = SL_TYPED_TEXT;
    return p;
}

static const char *decoded(sl_json_in *in, const char *p, sl_value *v) {
    if (!p || !(v->flags & SL_RAW)) return p;
    return sl_value_decode(v, in->arena, in->err) ? NULL : p;
}

const char *sl_json_value(sl_json_in *in, const char *p, bool raw, sl_value *out) {
    if (p >= in->end) return sl_json_bad(in, p, "a value");
    switch (*p) {
    case '"': p = text_value(in, p, out); break;
    case '{':
    case '[': return container(in, p, out);
    case 't': return word(in, p, "true", 4, sl_bool(true), out);
    case 'f': return word(in, p, "false", 5, sl_bool(false), out);
    case 'n': return word(in, p, "null", 4, sl_null(), out);
    default:
        if (*p != '-' && (unsigned char)(*p - '0') >= 10) return sl_json_bad(in, p, "a value");
        p = number(in, p, out);
    }
    return raw ? p : decoded(in, p, out);
}

const char *sl_json_key(sl_json_in *in, const char *p, sl_text *out) {
    if (p >= in->end || *p != '"') return sl_json_bad(in, p, "a key in quotes");
    sl_value v;
    if (!(p = decoded(in, text_value(in, p, &v), &v))) return NULL;
    *out = sl_bytes(v);
    return p;
}

void sl_json_in_free(sl_json_in *in) {
    free(in->pairs);
    free(in->index.slots);
}

/* ---- a document --------------------------------------------------------------------------------------------------- */

/* One value and white space around it, nothing else. */
static sl_status read_document(sl_json_in *in, sl_value *out) {
    const char *p = sl_json_value(in, sl_json_space(in, in->start), false, out);
    if (p) p = sl_json_space(in, p);
    if (p && p < in->end) sl_json_bad(in, p, "nothing behind the value");
    return in->err->code;
}

/* The text is read as a copy behind a line feed, for columns are counted from one, and before SL_PADDING. */
sl_status sl_json_document(const char *json, size_t n, bool distinct, sl_arena *arena, sl_value *out,
                           sl_error *err) {
    sl_error why = {0};
    char *copy = sl_arena_calloc(arena, 1, n + 1 + SL_PADDING);
    if (!copy) return sl_oom(err);
    copy[0] = '\n';
    if (n) memcpy(copy + 1, json, n);
    sl_json_in in = {.start = copy + 1,
                     .end = copy + 1 + n,
                     .floor = copy,
                     .line = 1,
                     .distinct = distinct,
                     .arena = arena,
                     .err = &why};
    size_t valid = sl_utf8_valid_prefix(in.start, n);
    if (valid < n) {
        in.line += sl_json_count_lines(in.start, valid);
        sl_json_bad(&in, in.start + valid, "UTF-8");
    }
    if (!why.code) read_document(&in, out);
    sl_json_in_free(&in);
    if (why.code && err && !err->code) *err = why;
    return why.code;
}
