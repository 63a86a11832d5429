/* mend.c: makes well-formed XML of what nearly is: bare ampersands, unknown entities, open and crossed tags. It only works on
 * an item that the parser has refused, because mending guesses, and what is right must not be touched. The item is marked as
 * mended, so that people can see it. */
#include "base/unicode.h"
#include "formats/feed/feed.h"
#include "formats/xml/xml.h"

static bool is_allowed(uint32_t c) {
    return c >= 0x20 ? c != 0xFFFE && c != 0xFFFF && c != 0x7F : c == '\t' || c == '\n' || c == '\r';
}

/* Characters of T[at] that are no markup, as they may stand in XML; returns behind them. */
static uint32_t add_character(sl_text t, uint32_t at, sl_buf *out) {
    uint32_t code;
    unsigned n = sl_utf8_decode(t.s + at, t.n - at, &code);
    if (!n) {
        sl_buf_str(out, "\xEF\xBF\xBD");
        return at + 1;
    }
    if (is_allowed(code)) sl_buf_add(out, t.s + at, n);
    return at + n;
}

static bool is_predefined(sl_text name) {
    static const char *const five[] = {"amp", "lt", "gt", "quot", "apos"};
    for (size_t i = 0; i < SL_COUNT(five); i++)
        if (sl_text_is(name, five[i])) return true;
    return false;
}

/* The ampersand at T[at]. */
static uint32_t add_reference(sl_text t, uint32_t at, sl_buf *out) {
    sl_text name, rest = {t.s + at, t.n - at};
    uint32_t code, n = sl_xml_reference(rest, &name, &code);
    char utf8[4];
    unsigned html = name.n && !is_predefined(name) ? sl_xml_html_entity(name, utf8) : 0;
    if (html) {
        sl_buf_add(out, utf8, html);
    } else if (n && (name.n ? is_predefined(name) : code != 0)) {
        sl_buf_add(out, rest.s, n);
    } else if (!n || name.n) {
        sl_buf_str(out, "&amp;");
        return at + 1;
    } /* a reference to a character that XML does not have is left out */
    return at + n;
}

static bool is_plain(char c) {
    return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\t' || c == '\r';
}

/* RAW: ampersands and < are what they are, as in a comment. TAG: only the < is, where it stands first. */
static void add_part(sl_text t, bool raw, bool tag, sl_buf *out) {
    for (uint32_t at = 0; at < t.n;) {
        char c = t.s[at];
        if (c == '&' && !raw) {
            at = add_reference(t, at, out);
        } else if (c == '<' && !raw && !(tag && !at)) {
            sl_buf_str(out, "&lt;");
            at++;
        } else if (is_plain(c)) {
            sl_buf_byte(out, c);
            at++;
        } else {
            at = add_character(t, at, out);
        }
    }
}

/* ---- tags ------------------------------------------------------------------------------------------------------------ */

typedef struct open_tags {
    sl_text name[SL_XML_DEPTH];
    uint32_t n;
} open_tags;

static void close_down_to(open_tags *open, uint32_t n, sl_buf *out) {
    while (open->n > n) {
        sl_text name = open->name[--open->n];
        sl_buf_str(out, "</");
        add_part(name, false, false, out);
        sl_buf_byte(out, '>');
    }
}

/* True: the end tag is written; elements in it that were left open are closed before. One that closes nothing is left out. */
static bool may_close(open_tags *open, sl_text name, sl_buf *out) {
    for (uint32_t i = open->n; i-- > 0;) {
        if (!sl_text_eq(open->name[i], name)) continue;
        close_down_to(open, i + 1, out);
        open->n = i;
        return true;
    }
    return false;
}

/* A start tag beyond what may be nested is written too: the parser refuses it. */
static void add_tag(open_tags *open, sl_xml_token token, sl_text tag, sl_buf *out) {
    sl_text name = sl_xml_tag_name(tag.s, 0, tag.n);
    if (token == SL_XML_END && !may_close(open, name, out)) return;
    if (token == SL_XML_START && open->n < SL_COUNT(open->name)) open->name[open->n++] = name;
    add_part(tag, false, true, out);
}

sl_status sl_feed_mend(sl_text text, bool close, sl_buf *out, sl_error *err) {
    sl_xml_scan s = {0};
    open_tags open = {.n = 0};
    size_t at = 0;
    for (sl_xml_token token; (token = sl_xml_scan_next(&s, text.s, text.n));) {
        add_part(sl_text_n(text.s + at, s.from - at), false, false, out);
        sl_text part = sl_text_n(text.s + s.from, s.at - s.from);
        if (token == SL_XML_START || token == SL_XML_EMPTY || token == SL_XML_END) {
            add_tag(&open, token, part, out);
        } else {
            add_part(part, true, false, out);
        }
        at = s.at;
    }
    add_part(sl_text_n(text.s + at, text.n - at), false, false, out);
    if (close) close_down_to(&open, 0, out);
    return sl_buf_check(out, err);
}
