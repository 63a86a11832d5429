/* raw.c: decodes values that are still spelled as in their input. Readers leave decoding to whoever looks at a value, because
 * most fields are copied from input to output unseen; and a field that needs no decoding stays a view of the input. */
#include "record/raw.h"

#include "base/error.h"
#include "base/unicode.h"
#include "record/number/number.h"

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
    if (sl_ascii_digit(c)) return c - '0';
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
