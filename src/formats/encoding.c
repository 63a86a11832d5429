/* encoding.c: finds, checks and decodes encodings. The encodings of one byte are tables; UTF-8 is only validated, as nothing
 * has to be decoded inside of it. Decoding makes a new input, so that views into the old one stay right. */
#include "formats/encoding.h"

#include <ctype.h>

#include "base/error.h"
#include "base/unicode.h"

/* Windows-1252 where it differs from Latin-1; the five unused bytes stand for the controls, as on the web. */
static const uint16_t cp1252_high[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                         0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                         0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                         0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

static const struct {
    const char *name; /* lower case, letters and digits only */
    sl_encoding encoding;
} names[] = {
    {"utf8", SL_UTF8},     {"utf8sig", SL_UTF8},    {"ascii", SL_ASCII}, {"usascii", SL_ASCII},
    {"latin1", SL_LATIN1}, {"iso88591", SL_LATIN1}, {"l1", SL_LATIN1},   {"windows1252", SL_CP1252},
    {"cp1252", SL_CP1252}, {"ansi", SL_CP1252},
};

sl_status sl_encoding_named(sl_text name, sl_encoding *out, sl_error *err) {
    char plain[24];
    size_t n = 0;
    for (uint32_t i = 0; i < name.n && n + 1 < sizeof plain; i++) {
        unsigned char c = (unsigned char)name.s[i];
        if (isalnum(c)) plain[n++] = (char)tolower(c);
    }
    plain[n] = 0;
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        if (strcmp(plain, names[i].name) != 0) continue;
        *out = names[i].encoding;
        return SL_OK;
    }
    return sl_fail(err, SL_E_PLAN,
                   "encoding '%.*s' is not known; there are utf-8, ascii, latin-1 and windows-1252",
                   (int)(name.n < 60 ? name.n : 60), name.s ? name.s : "");
}

static size_t ascii_prefix(const char *s, size_t n) {
    size_t i = 0;
    for (uint64_t x; i + 8 <= n; i += 8) {
        memcpy(&x, s + i, 8);
        if (x & UINT64_C(0x8080808080808080)) break;
    }
    while (i < n && !(s[i] & 0x80)) i++;
    return i;
}

size_t sl_encoding_valid(sl_encoding encoding, const char *s, size_t n) {
    if (encoding == SL_UTF8) return sl_utf8_valid_prefix(s, n);
    return encoding == SL_ASCII ? ascii_prefix(s, n) : n;
}

static uint32_t code_of(sl_encoding encoding, unsigned char c) {
    return encoding == SL_CP1252 && c >= 0x80 && c < 0xA0 ? cp1252_high[c - 0x80] : c;
}

sl_status sl_encoding_decode(sl_encoding encoding, const char *s, size_t n, sl_input **out, sl_error *err) {
    *out = NULL;
    if (encoding == SL_UTF8 || encoding == SL_ASCII) return SL_OK;
    size_t plain = ascii_prefix(s, n), high = 0;
    if (plain == n) return SL_OK;
    for (size_t i = plain; i < n; i++) high += (unsigned char)s[i] >> 7;
    sl_input *in = sl_input_new(n + 2 * high);
    if (!in) return sl_oom(err);
    memcpy(in->data, s, plain);
    char *o = in->data + plain;
    for (size_t i = plain; i < n; i++) {
        if (s[i] & 0x80) {
            o += sl_utf8_encode(code_of(encoding, (unsigned char)s[i]), o);
        } else {
            *o++ = s[i];
        }
    }
    in->len = (size_t)(o - in->data);
    *out = in;
    return SL_OK;
}

sl_status sl_encoding_repair(const char *s, size_t n, sl_input **out, sl_error *err) {
    *out = NULL;
    size_t valid = sl_utf8_valid_prefix(s, n);
    if (valid == n) return SL_OK;
    sl_buf b = {0};
    while (n) {
        sl_buf_add(&b, s, valid);
        if (valid < n) sl_buf_str(&b, "\xef\xbf\xbd");
        size_t step = valid < n ? valid + 1 : n;
        s += step;
        n -= step;
        valid = sl_utf8_valid_prefix(s, n);
    }
    sl_status status = sl_buf_check(&b, err);
    if (!status) *out = sl_input_copy(b.data, b.len);
    sl_buf_free(&b);
    return status || *out ? status : sl_oom(err);
}

uint64_t sl_column_of(const char *s, size_t at) {
    size_t from = at;
    while (from > 0 && s[from - 1] != '\n' && s[from - 1] != '\r') from--;
    uint64_t column = 1;
    for (; from < at; from++) column += (s[from] & 0xC0) != 0x80;
    return column;
}

sl_status sl_encoding_fail(sl_encoding encoding, char byte, sl_error *err) {
    return sl_fail(err, SL_E_DATA,
                   "byte 0x%02X is not %s; name the encoding of the input (latin-1, windows-1252)",
                   (unsigned)(unsigned char)byte, encoding == SL_ASCII ? "ASCII" : "valid UTF-8");
}

uint64_t sl_count_lf(const char *data, size_t n) {
    uint64_t lines = 0;
    for (const char *p = data, *end = data + n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines++;
    return lines;
}
