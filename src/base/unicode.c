/* unicode.c: UTF-8, decoded by hand. Nearly all input is ASCII, so validation looks for the first byte that is not and decodes
 * from there only. */
#include "base/unicode.h"

static bool is_tail(char c) {
    return ((unsigned char)c & 0xc0) == 0x80;
}

static unsigned decode_wide(const unsigned char *u, unsigned length, uint32_t smallest, uint32_t *code) {
    uint32_t c = u[0] & (0x7fu >> length);
    for (unsigned i = 1; i < length; i++) c = c << 6 | (u[i] & 0x3fu);
    if (c < smallest || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
    *code = c;
    return length;
}

unsigned sl_utf8_decode(const char *s, size_t n, uint32_t *code) {
    if (!n) return 0;
    const unsigned char *u = (const unsigned char *)s;
    if (u[0] < 0x80) {
        *code = u[0];
        return 1;
    }
    unsigned length = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (u[0] < 0xc2 || u[0] > 0xf4 || n < length) return 0;
    for (unsigned i = 1; i < length; i++)
        if (!is_tail(s[i])) return 0;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    return decode_wide(u, length, smallest[length], code);
}

unsigned sl_utf8_encode(uint32_t code, char out[4]) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    unsigned length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (unsigned i = length - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[length] | code);
    return length;
}

/* Bytes of pure ASCII at the start of S, in steps of 32 that the compiler turns into vector code. */
static size_t ascii_prefix(const char *s, size_t n) {
    size_t at = 0;
    for (; n - at >= 32; at += 32) {
        uint64_t w[4];
        memcpy(w, s + at, 32);
        if ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u) break;
    }
    while (at < n && (unsigned char)s[at] < 0x80) at++;
    return at;
}

size_t sl_utf8_valid_prefix(const char *s, size_t n) {
    size_t at = 0;
    for (;;) {
        at += ascii_prefix(s + at, n - at);
        if (at == n) return n;
        uint32_t code;
        unsigned length = sl_utf8_decode(s + at, n - at, &code);
        if (!length) return at;
        at += length;
    }
}

uint32_t sl_utf8_length(sl_text t) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < t.n; i++) count += !is_tail(t.s[i]);
    return count;
}

uint32_t sl_utf8_offset(sl_text t, uint32_t index) {
    uint32_t at = 0;
    for (; at < t.n; at++)
        if (!is_tail(t.s[at]) && index-- == 0) break;
    return at;
}

/* ---- white space ---------------------------------------------------------------------------------------------------- */

bool sl_is_space(uint32_t c) {
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Bytes of the white space that T begins with, 0 if it begins with anything else. */
static uint32_t leading_space(sl_text t) {
    uint32_t code;
    unsigned size = sl_utf8_decode(t.s, t.n, &code);
    return size && sl_is_space(code) ? size : 0;
}

static uint32_t trailing_space(sl_text t) {
    uint32_t back = 1;
    while (back < t.n && back < 4 && ((unsigned char)t.s[t.n - back] & 0xc0) == 0x80) back++;
    return leading_space((sl_text){t.s + t.n - back, back}) == back ? back : 0;
}

sl_text sl_utf8_strip(sl_text t) {
    for (uint32_t n; t.n && (n = leading_space(t)); t.n -= n) t.s += n;
    for (uint32_t n; t.n && (n = trailing_space(t)); t.n -= n) {
    }
    return t;
}
