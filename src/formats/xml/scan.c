/* scan.c: finds the markup of XML in pieces, without understanding it. Splitting has to tell tags from comments and CDATA, and
 * no more; a parser would look at names, attributes and entities that the workers look at anyhow. */
#include "formats/xml/scan.h"

#include <string.h>

enum {
    TEXT,
    OPEN,  /* behind < */
    TAG,   /* behind the first byte of a name */
    VALUE, /* in quotes in a tag */
    CLOSE, /* behind </ */
    PI,
    BANG, /* behind <! while it is not clear what comes */
    COMMENT,
    CDATA,
    DECLARATION, /* <!ELEMENT and anything else */
    DOCTYPE,
    DOCTYPE_VALUE,
    DOCTYPE_COMMENT
};

static bool begins_name(char c) {
    return (c | 0x20) >= 'a' ? (c | 0x20) <= 'z' : c == '_' || c == ':' || (c & 0x80);
}

static size_t find(const char *data, size_t from, size_t n, char c) {
    const char *p = from < n ? memchr(data + from, c, n - from) : NULL;
    return p ? (size_t)(p - data) : n;
}

static sl_xml_token finish(sl_xml_scan *s, sl_xml_token token) {
    s->state = TEXT;
    s->at++;
    return token;
}

/* A '<' where none may be: what came before it was not markup. */
static void reopen(sl_xml_scan *s) {
    s->from = s->at++;
    s->state = OPEN;
}

static void open_markup(sl_xml_scan *s, char c) {
    s->values = s->brackets = s->ends = 0;
    s->back = c;
    if (begins_name(c)) {
        s->state = TAG;
    } else if (c == '/') {
        s->state = CLOSE;
    } else if (c == '?') {
        s->state = PI;
    } else if (c == '!') {
        s->state = BANG;
    } else {
        s->state = TEXT;
    }
    if (c != '<') s->at++; /* that one may begin something */
}

static sl_xml_token in_tag(sl_xml_scan *s, const char *data, size_t n) {
    for (; s->at < n; s->at++) {
        char c = data[s->at];
        if (c == '>') return finish(s, s->back == '/' ? SL_XML_EMPTY : SL_XML_START);
        if (c == '<') {
            reopen(s);
            return SL_XML_MORE;
        }
        if ((c == '"' || c == '\'') && s->back == '=') {
            s->values++;
            s->quote = c;
            s->state = VALUE;
            s->at++;
            return SL_XML_MORE;
        }
        if (!sl_ascii_blank(c)) s->back = c;
    }
    return SL_XML_MORE;
}

static void in_value(sl_xml_scan *s, const char *data, size_t n) {
    size_t end = find(data, s->at, n, s->quote), next = find(data, s->at, end, '<');
    s->at = next;
    if (next < end) {
        reopen(s);
    } else if (end < n) {
        s->back = s->quote;
        s->state = TAG;
        s->at++;
    }
}

static sl_xml_token in_close(sl_xml_scan *s, const char *data, size_t n) {
    size_t end = find(data, s->at, n, '>'), next = find(data, s->at, end, '<');
    s->at = next;
    if (next < end) {
        reopen(s);
    } else if (end < n) {
        return finish(s, SL_XML_END);
    }
    return SL_XML_MORE;
}

/* Up to '>' behind COUNT times MARK. LEAST: bytes that the shortest of these has before its '>'. */
static bool closed(sl_xml_scan *s, const char *data, size_t n, char mark, uint8_t count, size_t least) {
    for (; s->at < n; s->at++) {
        char c = data[s->at];
        if (c == '>' && s->ends >= count && s->at - s->from >= least) return true;
        if (c == mark) {
            if (s->ends < count) s->ends++;
        } else {
            s->ends = 0;
            s->at = find(data, s->at, n, mark) - 1; /* is counted when the loop comes to it */
        }
    }
    return false;
}

/* One byte more of <!-- , <![CDATA[ or <!DOCTYPE: `back` says which it can be, `ends` how many bytes behind <! agree. */
static void in_bang(sl_xml_scan *s, char c) {
    static const struct {
        const char *text;
        uint8_t state;
    } kinds[] = {{"--", COMMENT}, {"[CDATA[", CDATA}, {"DOCTYPE", DOCTYPE}};
    if (!s->ends) s->back = c;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (s->back != kinds[i].text[0] || c != kinds[i].text[s->ends]) continue;
        s->ends++;
        if (!kinds[i].text[s->ends]) {
            s->state = kinds[i].state;
            s->ends = 0;
        }
        s->at++;
        return;
    }
    s->state = DECLARATION;
}

static void in_doctype_byte(sl_xml_scan *s, char c) {
    static const char comment[] = "<!--";
    s->ends = c == comment[s->ends] ? s->ends + 1 : c == '<';
    if (c == '"' || c == '\'') {
        s->quote = c;
        s->state = DOCTYPE_VALUE;
    } else if (c == '[') {
        s->brackets = 1;
    } else if (c == ']') {
        s->brackets = 0;
    } else if (s->ends == 4) {
        s->state = DOCTYPE_COMMENT;
        s->ends = 0;
    }
}

static sl_xml_token in_doctype(sl_xml_scan *s, const char *data, size_t n) {
    for (; s->at < n && s->state == DOCTYPE; s->at++) {
        if (data[s->at] == '>' && !s->brackets) return finish(s, SL_XML_DOCTYPE);
        in_doctype_byte(s, data[s->at]);
    }
    return SL_XML_MORE;
}

static void in_doctype_other(sl_xml_scan *s, const char *data, size_t n) {
    bool over;
    if (s->state == DOCTYPE_VALUE) {
        s->at = find(data, s->at, n, s->quote);
        over = s->at < n;
    } else {
        over = closed(s, data, n, '-', 2, 0);
    }
    if (!over) return;
    s->state = DOCTYPE;
    s->ends = 0;
    s->at++;
}

static sl_xml_token step(sl_xml_scan *s, const char *data, size_t n) {
    switch (s->state) {
    case TEXT:
        s->at = find(data, s->at, n, '<');
        if (s->at < n) reopen(s);
        return SL_XML_MORE;
    case OPEN: open_markup(s, data[s->at]); return SL_XML_MORE;
    case TAG: return in_tag(s, data, n);
    case VALUE: in_value(s, data, n); return SL_XML_MORE;
    case CLOSE: return in_close(s, data, n);
    case BANG: in_bang(s, data[s->at]); return SL_XML_MORE;
    case COMMENT: return closed(s, data, n, '-', 2, 6) ? finish(s, SL_XML_OTHER) : SL_XML_MORE;
    case CDATA: return closed(s, data, n, ']', 2, 11) ? finish(s, SL_XML_OTHER) : SL_XML_MORE;
    case PI: return closed(s, data, n, '?', 1, 3) ? finish(s, SL_XML_PI) : SL_XML_MORE;
    case DECLARATION:
        s->at = find(data, s->at, n, '>');
        return s->at < n ? finish(s, SL_XML_OTHER) : SL_XML_MORE;
    case DOCTYPE: return in_doctype(s, data, n);
    default: in_doctype_other(s, data, n); return SL_XML_MORE;
    }
}

sl_xml_token sl_xml_scan_next(sl_xml_scan *s, const char *data, size_t n) {
    while (s->at < n) {
        sl_xml_token token = step(s, data, n);
        if (token != SL_XML_MORE) return token;
    }
    return SL_XML_MORE;
}

void sl_xml_scan_moved(sl_xml_scan *s, size_t bytes) {
    s->at -= bytes;
    s->from -= bytes; /* of no meaning, and not used, when it was among them */
}

bool sl_xml_scan_inside(const sl_xml_scan *s) {
    return s->state != TEXT;
}

const char *sl_xml_scan_what(const sl_xml_scan *s) {
    switch (s->state) {
    case TEXT: return "the text";
    case COMMENT: return "a comment";
    case CDATA: return "a CDATA section";
    case PI: return "a processing instruction";
    case DOCTYPE:
    case DOCTYPE_VALUE:
    case DOCTYPE_COMMENT: return "the document type";
    case BANG:
    case DECLARATION: return "a declaration";
    default: return "a tag";
    }
}

static bool ends_name(char c) {
    return sl_ascii_blank(c) || c == '>' || c == '/' || c == '?';
}

static size_t begin_of_name(const char *data, size_t from, size_t end) {
    size_t at = from + 1;
    return at < end && (data[at] == '/' || data[at] == '?') ? at + 1 : at;
}

sl_text sl_xml_tag_name(const char *data, size_t from, size_t end) {
    size_t begin = begin_of_name(data, from, end), at = begin;
    while (at < end && !ends_name(data[at])) at++;
    return sl_text_n(data + begin, at - begin);
}

bool sl_xml_tag_is(const char *data, size_t from, size_t end, sl_text name) {
    size_t at = begin_of_name(data, from, end);
    if (at > end || end - at < name.n || !sl_text_eq_nocase((sl_text){data + at, name.n}, name)) return false;
    return end - at == name.n || ends_name(data[at + name.n]);
}

sl_text sl_xml_local(sl_text name) {
    const char *colon = name.n ? memchr(name.s, ':', name.n) : NULL;
    if (!colon) return name;
    return sl_text_n(colon + 1, name.n - (size_t)(colon + 1 - name.s));
}
