#include "record/value.h"

#include "base/error.h"
#include "base/unicode.h"
#include "record/number.h"

const char *sl_type_name(sl_type type) {
    static const char *const names[] = {"missing", "null", "bool", "int",  "float",
                                        "decimal", "text", "time", "list", "map"};
    return (unsigned)type < SL_COUNT(names) ? names[type] : "unknown";
}

/* ---- decoding ------------------------------------------------------------------------------------------------ */

/* Takes one quote of every two. */
static uint32_t undouble(sl_text raw, char quote, char *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < raw.n; i++) {
        out[n++] = raw.s[i];
        if (raw.s[i] == quote && i + 1 < raw.n && raw.s[i + 1] == quote) i++;
    }
    return n;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Four hex digits at T.s[AT], or -1. */
static int32_t hex_unit(sl_text t, uint32_t at) {
    if (at > t.n || t.n - at < 4) return -1;
    int32_t unit = 0;
    for (uint32_t i = 0; i < 4; i++) {
        int digit = hex_digit(t.s[at + i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_high(int32_t unit) {
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int32_t unit) {
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The code point of the escape whose first digit is at *AT, which moves behind it. Halves of a pair that stand alone become
 * U+FFFD. */
static uint32_t unicode_escape(sl_text t, uint32_t *at) {
    int32_t unit = hex_unit(t, *at);
    if (unit < 0) return 'u'; /* no escape at all; readers refuse it before */
    *at += 4;
    if (!is_high(unit)) return is_low(unit) ? 0xfffd : (uint32_t)unit;
    if (t.n - *at < 6 || t.s[*at] != '\\' || t.s[*at + 1] != 'u') return 0xfffd;
    int32_t low = hex_unit(t, *at + 2);
    if (!is_low(low)) return 0xfffd;
    *at += 6;
    return 0x10000u + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

static char simple_escape(char c) {
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'b': return '\b';
    case 'f': return '\f';
    default: return c;
    }
}

/* An escape is never shorter than what it stands for, so OUT needs no more than the raw length. */
static uint32_t unescape(sl_text raw, char *out) {
    uint32_t n = 0, i = 0;
    while (i < raw.n) {
        const char *slash = memchr(raw.s + i, '\\', raw.n - i);
        uint32_t plain = slash ? (uint32_t)(slash - raw.s) - i : raw.n - i;
        memcpy(out + n, raw.s + i, plain);
        n += plain;
        i += plain + 1;
        if (i >= raw.n) break;
        char c = raw.s[i++];
        if (c == 'u')
            n += sl_utf8_encode(unicode_escape(raw, &i), out + n);
        else
            out[n++] = simple_escape(c);
    }
    return n;
}

sl_status sl_value_decode(sl_value *v, sl_arena *arena, sl_error *err) {
    if (v->type == SL_TIME || !(v->flags & SL_RAW)) return SL_OK;
    sl_text raw = sl_bytes(*v);
    if (v->flags & SL_RAW_NUMBER) {
        int16_t python = v->aux;
        *v = sl_number_decode(raw);
        if (sl_is_written(*v)) v->aux = python;
        return SL_OK;
    }
    char *out = sl_arena_alloc(arena, (size_t)raw.n + 4);
    if (!out) return sl_oom(err);
    uint32_t n = v->flags & SL_RAW_CSV ? undouble(raw, v->aux ? (char)v->aux : '"', out) : unescape(raw, out);
    int16_t typed = sl_is_typed_text(*v) ? SL_TYPED_TEXT : 0;
    *v = sl_text_value((sl_text){out, n});
    v->aux = typed;
    return SL_OK;
}

/* ---- copying ------------------------------------------------------------------------------------------------- */

static sl_status copy_bytes(sl_value *v, sl_arena *arena, sl_error *err) {
    char *p = sl_arena_alloc(arena, v->n);
    if (!p) return sl_oom(err);
    if (v->n) memcpy(p, v->as.s, v->n);
    v->as.s = p;
    return SL_OK;
}

static sl_status copy_list(sl_value *v, sl_arena *arena, sl_error *err) {
    sl_value *list = sl_arena_alloc(arena, v->n * sizeof *list);
    if (!list) return sl_oom(err);
    for (uint32_t i = 0; i < v->n; i++) TRY(sl_value_copy(&list[i], v->as.list[i], arena, err));
    v->as.list = list;
    return SL_OK;
}

static sl_status copy_map(sl_value *v, sl_arena *arena, sl_error *err) {
    sl_pair *map = sl_arena_alloc(arena, v->n * sizeof *map);
    if (!map) return sl_oom(err);
    for (uint32_t i = 0; i < v->n; i++) {
        map[i].key = sl_arena_text(arena, v->as.map[i].key);
        if (!map[i].key.s) return sl_oom(err);
        TRY(sl_value_copy(&map[i].value, v->as.map[i].value, arena, err));
    }
    v->as.map = map;
    return SL_OK;
}

static bool holds_bytes(sl_value v) {
    return v.type == SL_TEXT_TYPE || v.type == SL_DECIMAL || (v.type != SL_TIME && (v.flags & SL_RAW_NUMBER));
}

sl_status sl_value_copy(sl_value *out, sl_value v, sl_arena *arena, sl_error *err) {
    *out = v;
    if (holds_bytes(v)) return copy_bytes(out, arena, err);
    if (v.type == SL_LIST) return copy_list(out, arena, err);
    if (v.type == SL_MAP) return copy_map(out, arena, err);
    return SL_OK;
}

/* ---- asking -------------------------------------------------------------------------------------------------- */

/* Decimals are zero when no digit before their exponent is not; NaN and the infinities have other letters. */
static bool decimal_is_zero(sl_text t) {
    for (uint32_t i = 0; i < t.n && (t.s[i] | 0x20) != 'e'; i++)
        if (t.s[i] != '0' && t.s[i] != '.' && t.s[i] != '-') return false;
    return true;
}

bool sl_truthy(sl_value v) {
    switch ((sl_type)v.type) {
    case SL_MISSING:
    case SL_NULL: return false;
    case SL_BOOL: return v.as.b;
    case SL_INT: return v.as.i != 0;
    case SL_FLOAT: return v.as.f < 0 || v.as.f > 0 || v.as.f != v.as.f;
    case SL_DECIMAL: return !decimal_is_zero(sl_bytes(v));
    case SL_TIME: return true;
    case SL_TEXT_TYPE:
    case SL_LIST:
    case SL_MAP: break;
    }
    return v.n != 0;
}

sl_value sl_map_get(sl_value map, sl_text key) {
    if (map.type != SL_MAP) return sl_missing();
    for (uint32_t i = 0; i < map.n; i++)
        if (sl_text_eq(map.as.map[i].key, key)) return map.as.map[i].value;
    return sl_missing();
}

sl_value sl_map_get_z(sl_value map, const char *key) {
    return sl_map_get(map, sl_text_of(key));
}
