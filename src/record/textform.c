/* Values as text (Python's str and repr) and as JSON. */
#include <math.h>

#include "base/error.h"
#include "base/unicode.h"
#include "record/cast.h"
#include "record/number/number.h"
#include "record/time.h"

static void put_int(int64_t i, sl_buf *out) {
    char digits[24];
    sl_buf_add(out, digits, sl_format_int(i, digits));
}

static void put_double(double f, sl_buf *out) {
    char text[32];
    sl_buf_add(out, text, sl_format_double(f, text));
}

/* ---- Python's forms ----------------------------------------------------------------------------------------------- */

/* Python keeps printable characters; of the others only the common ones are told apart here: controls, the C1 range, and
 * separators that are not the space. */
static bool unprintable(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || (c >= 0x2000 && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202f) || (c >= 0x205f && c <= 0x206f) || c == 0x3000 || c == 0xfeff ||
           (c >= 0xe000 && c <= 0xf8ff);
}

static void put_escape(uint32_t c, sl_buf *out) {
    if (c == '\n')
        sl_buf_str(out, "\\n");
    else if (c == '\r')
        sl_buf_str(out, "\\r");
    else if (c == '\t')
        sl_buf_str(out, "\\t");
    else if (c <= 0xff)
        sl_buf_printf(out, "\\x%02x", c);
    else
        sl_buf_printf(out, "\\u%04x", c);
}

/* A text literal: single quotes, unless the text has those and no double ones. */
static void put_quoted(sl_text t, sl_buf *out) {
    bool single = t.n && memchr(t.s, '\'', t.n), doubled = t.n && memchr(t.s, '"', t.n);
    char quote = single && !doubled ? '"' : '\'';
    sl_buf_byte(out, quote);
    for (uint32_t k = 0; k < t.n;) {
        uint32_t c = 0;
        unsigned size = sl_utf8_decode(t.s + k, t.n - k, &c);
        if (size == 0) {
            sl_buf_str(out, "\xef\xbf\xbd");
            size = 1;
        } else if (unprintable(c)) {
            put_escape(c, out);
        } else {
            if (c == '\\' || c == (uint32_t)quote) sl_buf_byte(out, '\\');
            sl_buf_add(out, t.s + k, size);
        }
        k += size;
    }
    sl_buf_byte(out, quote);
}

static void put_time(sl_value v, sl_buf *out) {
    if (v.flags != SL_TIME_PARTS && v.flags != SL_TIME_PARTS_ZONED) {
        size_t start = out->len;
        sl_time_iso(v, out);
        if (out->len > start + 10 && !out->failed) out->data[start + 10] = ' ';
        return;
    }
    sl_parts p = sl_time_parts(v);
    sl_buf_printf(out,
                  "time.struct_time(tm_year=%lld, tm_mon=%d, tm_mday=%d, tm_hour=%d, tm_min=%d, tm_sec=%d, "
                  "tm_wday=%d, tm_yday=%d, tm_isdst=%d)",
                  (long long)p.year, p.month, p.day, p.hour, p.minute, p.second, p.weekday, p.yearday,
                  v.flags == SL_TIME_PARTS ? -1 : 0);
}

static void put_time_literal(sl_value v, sl_buf *out) {
    if (v.flags == SL_TIME_PARTS || v.flags == SL_TIME_PARTS_ZONED) {
        put_time(v, out);
        return;
    }
    sl_parts p = sl_time_parts(v);
    if (v.flags == SL_TIME_DATE) {
        sl_buf_printf(out, "datetime.date(%lld, %d, %d)", (long long)p.year, p.month, p.day);
        return;
    }
    sl_buf_printf(out, "datetime.datetime(%lld, %d, %d, %d, %d", (long long)p.year, p.month, p.day, p.hour,
                  p.minute);
    if (p.second || v.n) sl_buf_printf(out, ", %d", p.second);
    if (v.n) sl_buf_printf(out, ", %u", v.n);
    if (!v.aux)
        sl_buf_str(out, ", tzinfo=datetime.timezone.utc)");
    else
        sl_buf_printf(out, ", tzinfo=datetime.timezone(datetime.timedelta(seconds=%d)))", v.aux * 60);
}

static void put_literal(sl_value v, sl_buf *out);

static void put_container(sl_value v, sl_buf *out) {
    bool map = v.type == SL_MAP;
    sl_buf_byte(out, map ? '{' : '[');
    for (uint32_t k = 0; k < v.n; k++) {
        if (k) sl_buf_add(out, ", ", 2);
        if (map) {
            put_quoted(v.as.map[k].key, out);
            sl_buf_add(out, ": ", 2);
        }
        put_literal(map ? v.as.map[k].value : v.as.list[k], out);
    }
    sl_buf_byte(out, map ? '}' : ']');
}

/* As inside a list: texts quoted, decimals named. */
static void put_literal(sl_value v, sl_buf *out) {
    v = sl_number_computed(v);
    switch (v.type) {
    case SL_TEXT_TYPE: put_quoted(sl_bytes(v), out); break;
    case SL_TIME: put_time_literal(v, out); break;
    case SL_DECIMAL:
        if (sl_is_written(v)) {
            sl_buf_text(out, sl_bytes(v));
            break;
        }
        sl_buf_str(out, "Decimal('");
        sl_buf_text(out, sl_bytes(v));
        sl_buf_str(out, "')");
        break;
    default: sl_text_form(v, "None", out);
    }
}

void sl_text_form(sl_value v, const char *null_text, sl_buf *out) {
    v = sl_number_computed(v);
    switch ((sl_type)v.type) {
    case SL_MISSING:
    case SL_NULL: sl_buf_str(out, null_text); break;
    case SL_BOOL: sl_buf_str(out, v.as.b ? "True" : "False"); break;
    case SL_INT: put_int(v.as.i, out); break;
    case SL_FLOAT: put_double(v.as.f, out); break;
    case SL_DECIMAL:
    case SL_TEXT_TYPE: sl_buf_text(out, sl_bytes(v)); break;
    case SL_TIME: put_time(v, out); break;
    case SL_LIST:
    case SL_MAP: put_container(v, out); break;
    }
}

sl_status sl_to_text(sl_value v, const char *null_text, sl_arena *arena, sl_text *out, sl_error *err) {
    v = sl_number_computed(v);
    if (v.type == SL_TEXT_TYPE || v.type == SL_DECIMAL) {
        *out = sl_bytes(v);
        return SL_OK;
    }
    if (sl_is_absent(v)) {
        *out = sl_text_of(null_text);
        return SL_OK;
    }
    if (v.type == SL_INT || v.type == SL_FLOAT) {
        char *s = sl_arena_alloc(arena, 32);
        if (!s) return sl_oom(err);
        *out = (sl_text){s, v.type == SL_INT ? sl_format_int(v.as.i, s) : sl_format_double(v.as.f, s)};
        return SL_OK;
    }
    sl_buf text = {.limit = UINT32_MAX};
    sl_text_form(v, null_text, &text);
    sl_status status = sl_buf_check(&text, err);
    if (!status) {
        *out = sl_arena_text(arena, sl_text_n(text.data, text.len));
        if (!out->s) status = sl_oom(err);
    }
    sl_buf_free(&text);
    return status;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* A high bit for every byte of W that is below N (N at most 128) or, by the last term, not ASCII. Bytes after a true hit may be
 * false hits, which costs only a second look. */
static inline uint64_t special_bytes(uint64_t w) {
    uint64_t quote = w ^ (ONES * '"'), slash = w ^ (ONES * '\\');
    return (((w - ONES * 0x20) | (quote - ONES) | (slash - ONES)) | w) & HIGHS;
}

static inline bool needs_care(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

/* Length of the run at P that can be copied as it stands. */
static inline size_t plain_run(const char *p, const char *end) {
    const char *from = p;
    for (; end - p >= 8; p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        if (special_bytes(w)) break;
    }
    while (p < end && !needs_care((unsigned char)*p)) p++;
    return (size_t)(p - from);
}

static void put_json_escape(unsigned char c, sl_buf *out) {
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "btn\0fr"; /* from 8 on; 11 has none */
    if (c == '"' || c == '\\') {
        sl_buf_add(out, (char[]){'\\', (char)c}, 2);
    } else if (c >= 8 && c <= 13 && c != 11) {
        sl_buf_add(out, (char[]){'\\', letters[c - 8]}, 2);
    } else {
        sl_buf_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    }
}

/* A run of bytes that are not ASCII. */
static const char *put_json_unicode(const char *p, const char *end, sl_buf *out) {
    const char *from = p;
    while (p < end && (unsigned char)*p >= 0x80) {
        uint32_t code;
        unsigned size = sl_utf8_decode(p, (size_t)(end - p), &code);
        if (size) {
            p += size;
            continue;
        }
        sl_buf_add(out, from, (size_t)(p - from));
        sl_buf_add(out, "\xef\xbf\xbd", 3);
        from = ++p;
    }
    sl_buf_add(out, from, (size_t)(p - from));
    return p;
}

void sl_json_text(sl_text t, sl_buf *out) {
    const char *p = t.s, *end = t.n ? t.s + t.n : t.s;
    sl_buf_byte(out, '"');
    while (p < end) {
        size_t run = plain_run(p, end);
        sl_buf_add(out, p, run);
        p += run;
        if (p == end) break;
        if ((unsigned char)*p >= 0x80)
            p = put_json_unicode(p, end, out);
        else
            put_json_escape((unsigned char)*p++, out);
    }
    sl_buf_byte(out, '"');
}

static void put_json_decimal(sl_text t, sl_buf *out) {
    char last = t.n ? t.s[t.n - 1] : 'N';
    if (sl_ascii_digit(last))
        sl_buf_text(out, t);
    else
        sl_buf_add(out, "null", 4); /* NaN and the infinities */
}

static void put_json_container(sl_value v, sl_buf *out) {
    bool map = v.type == SL_MAP;
    sl_buf_byte(out, map ? '{' : '[');
    for (uint32_t k = 0; k < v.n; k++) {
        if (k) sl_buf_byte(out, ',');
        if (map) {
            sl_json_text(v.as.map[k].key, out);
            sl_buf_byte(out, ':');
        }
        sl_json_write(map ? v.as.map[k].value : v.as.list[k], out);
    }
    sl_buf_byte(out, map ? '}' : ']');
}

void sl_json_write(sl_value v, sl_buf *out) {
    switch ((sl_type)v.type) {
    case SL_MISSING:
    case SL_NULL: sl_buf_add(out, "null", 4); break;
    case SL_BOOL: sl_buf_add(out, v.as.b ? "true" : "false", v.as.b ? 4 : 5); break;
    case SL_INT: put_int(v.as.i, out); break;
    case SL_FLOAT:
        if (isfinite(v.as.f))
            put_double(v.as.f, out);
        else
            sl_buf_add(out, "null", 4);
        break;
    case SL_DECIMAL: put_json_decimal(sl_bytes(v), out); break;
    case SL_TEXT_TYPE: sl_json_text(sl_bytes(v), out); break;
    case SL_TIME:
        sl_buf_byte(out, '"');
        sl_time_iso(v, out);
        sl_buf_byte(out, '"');
        break;
    case SL_LIST:
    case SL_MAP: put_json_container(v, out); break;
    }
}
