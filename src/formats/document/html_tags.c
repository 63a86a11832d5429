/* html_tags.c: start tags and their attributes out of HTML that comes in pieces, by a state machine. Only the tag at hand is
 * kept: finding the feeds that a page names must not need the page as a tree, and must work on pages that no parser would take. */
#include "formats/document/html_tags.h"

#include "base/error.h"
#include "base/unicode.h"
#include "formats/xml/xml.h"

enum { LONGEST_TAG = 64 << 10, MOST_ATTRIBUTES = 256 };

enum {
    TEXT,
    OPEN,    /* behind < */
    TAG,     /* behind the first letter of a name */
    VALUE,   /* in quotes in a tag */
    END,     /* an end tag, a declaration, <? ...: up to > */
    BANG,    /* behind <! */
    COMMENT, /* behind <!-- */
    RAW      /* in script or style */
};

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

void sl_html_tags_free(sl_html_tags *t) {
    sl_buf_free(&t->tag);
    sl_arena_free(&t->arena);
    *t = (sl_html_tags){0};
}

sl_text sl_html_attribute(const sl_html_tag *tag, const char *name) {
    for (uint32_t i = 0; i < tag->nattrs; i++)
        if (sl_text_is(tag->attrs[i].name, name)) return tag->attrs[i].value;
    return (sl_text){0};
}

/* ---- a tag that is complete ------------------------------------------------------------------------------------------ */

static void put_character(sl_buf *out, uint32_t code) {
    char utf8[4];
    if (!code) code = 0xFFFD;
    sl_buf_add(out, utf8, sl_utf8_encode(code, utf8));
}

/* What stands at T[at] as text; returns behind it. */
static uint32_t put_next(sl_text t, uint32_t at, sl_buf *out) {
    sl_text name, rest = {t.s + at, t.n - at};
    uint32_t code, n;
    char utf8[4];
    if (t.s[at] == '&' && (n = sl_xml_reference(rest, &name, &code))) {
        unsigned size = name.n ? sl_xml_html_entity(name, utf8) : 0;
        if (size) {
            sl_buf_add(out, utf8, size);
        } else if (name.n) {
            sl_buf_byte(out, '&');
            return at + 1;
        } else {
            put_character(out, code);
        }
        return at + n;
    }
    n = sl_utf8_decode(rest.s, rest.n, &code);
    if (n) {
        sl_buf_add(out, rest.s, n);
    } else {
        put_character(out, 0);
    }
    return at + (n ? n : 1);
}

static sl_status decoded(sl_text t, bool name, sl_arena *arena, sl_text *out, sl_error *err) {
    sl_buf b = {0};
    for (uint32_t at = 0; at < t.n;) at = put_next(t, at, &b);
    for (size_t i = 0; name && i < b.len; i++) b.data[i] = lower(b.data[i]);
    sl_status status = sl_buf_check(&b, err);
    if (!status) *out = sl_arena_text(arena, sl_text_n(b.data, b.len));
    if (!status && !out->s) status = sl_oom(err);
    sl_buf_free(&b);
    return status;
}

static size_t skip_spaces(const sl_buf *b, size_t at) {
    while (at < b->len && (sl_ascii_space(b->data[at]) || b->data[at] == '/')) at++;
    return at;
}

static sl_text take_name(const sl_buf *b, size_t *at) {
    size_t from = *at;
    if (*at < b->len && b->data[*at] == '=') ++*at; /* a name may begin with it */
    while (*at < b->len && !sl_ascii_space(b->data[*at]) && b->data[*at] != '=' && b->data[*at] != '/') ++*at;
    return sl_text_n(b->data + from, *at - from);
}

/* Behind the equals sign. */
static sl_text take_value(const sl_buf *b, size_t *at) {
    while (*at < b->len && sl_ascii_space(b->data[*at])) ++*at;
    char quote = *at < b->len ? b->data[*at] : 0;
    bool quoted = quote == '"' || quote == '\'';
    size_t from = *at + quoted;
    *at = from;
    while (*at < b->len && (quoted ? b->data[*at] != quote : !sl_ascii_space(b->data[*at]))) ++*at;
    sl_text value = sl_text_n(b->data + from, *at - from);
    if (quoted && *at < b->len) ++*at;
    return value;
}

static void store(sl_html_attr *attrs, uint32_t *n, sl_html_attr a) {
    for (uint32_t i = 0; i < *n; i++) {
        if (!sl_text_eq(attrs[i].name, a.name)) continue;
        attrs[i].value = a.value;
        return;
    }
    if (*n < MOST_ATTRIBUTES) attrs[(*n)++] = a;
}

static sl_status take_attributes(sl_html_tags *t, size_t at, sl_html_attr *attrs, uint32_t *n,
                                 sl_error *err) {
    const sl_buf *b = &t->tag;
    while ((at = skip_spaces(b, at)) < b->len) {
        sl_html_attr a = {{0}, {0}};
        TRY(decoded(take_name(b, &at), true, &t->arena, &a.name, err));
        size_t eq = at;
        while (eq < b->len && sl_ascii_space(b->data[eq])) eq++;
        if (eq < b->len && b->data[eq] == '=') {
            at = eq + 1;
            TRY(decoded(take_value(b, &at), false, &t->arena, &a.value, err));
        }
        store(attrs, n, a);
    }
    return SL_OK;
}

static void pass_over(sl_html_tags *t, sl_text name) {
    if (!sl_text_is(name, "script") && !sl_text_is(name, "style")) return;
    memcpy(t->raw, name.s, name.n);
    t->raw[name.n] = 0;
    t->state = RAW;
    t->ends = 0;
}

static sl_status finish_tag(sl_html_tags *t, sl_html_tag_fn fn, void *user, sl_error *err) {
    t->state = TEXT;
    TRY(sl_buf_check(&t->tag, err));
    sl_arena_reset(&t->arena);
    sl_html_attr *attrs = sl_arena_calloc(&t->arena, MOST_ATTRIBUTES, sizeof *attrs);
    if (!attrs) return sl_oom(err);
    sl_html_tag tag = {.attrs = attrs, .line = t->tag_line + 1};
    size_t at = 0;
    TRY(decoded(take_name(&t->tag, &at), true, &t->arena, &tag.name, err));
    TRY(take_attributes(t, at, attrs, &tag.nattrs, err));
    pass_over(t, tag.name);
    return fn(user, &tag, err);
}

/* ---- finding tags ---------------------------------------------------------------------------------------------------- */

static void open_tag(sl_html_tags *t, char c) {
    sl_buf_clear(&t->tag);
    t->tag_line = t->line;
    t->back = 0;
    t->ends = 0;
    if (sl_ascii_letter(c)) {
        t->state = TAG;
        sl_buf_byte(&t->tag, c);
    } else if (c == '!') {
        t->state = BANG;
    } else if (c == '/' || c == '?') {
        t->state = END;
    } else if (c != '<') {
        t->state = TEXT;
    }
}

static void in_tag(sl_html_tags *t, char c) {
    if (t->tag.len >= LONGEST_TAG) {
        t->state = TEXT;
        return;
    }
    sl_buf_byte(&t->tag, c);
    if (t->state == VALUE) {
        if (c == t->quote) t->state = TAG;
    } else if ((c == '"' || c == '\'') && t->back == '=') {
        t->quote = c;
        t->state = VALUE;
    }
    if (!sl_ascii_space(c)) t->back = c;
}

/* <!-- or something else. */
static void in_bang(sl_html_tags *t, char c) {
    if (c == '-' && ++t->ends == 2) {
        t->state = COMMENT;
        t->ends = 2; /* <!--> is a comment as it stands */
    } else if (c != '-') {
        t->state = c == '>' ? TEXT : END;
    }
}

static void in_comment(sl_html_tags *t, char c) {
    if (c == '>' && t->ends >= 2) {
        t->state = TEXT;
    } else {
        t->ends = c == '-' ? (uint8_t)(t->ends + (t->ends < 2)) : 0;
    }
}

/* Looks for </script and the like. */
static void in_raw(sl_html_tags *t, char c) {
    size_t n = strlen(t->raw);
    if (c == '<') {
        t->ends = 1;
    } else if (t->ends == 1) {
        t->ends = c == '/' ? 2 : 0;
    } else if (t->ends >= 2) {
        bool same = (size_t)(t->ends - 2) < n && lower(c) == t->raw[t->ends - 2];
        bool over = (size_t)(t->ends - 2) == n && (sl_ascii_space(c) || c == '>' || c == '/');
        t->ends = same ? (uint8_t)(t->ends + 1) : 0;
        if (over) t->state = c == '>' ? TEXT : END;
    }
}

static void other(sl_html_tags *t, char c) {
    switch (t->state) {
    case TEXT:
        if (c == '<') t->state = OPEN;
        break;
    case OPEN: open_tag(t, c); break;
    case END:
        if (c == '>') t->state = TEXT;
        break;
    case BANG: in_bang(t, c); break;
    case COMMENT: in_comment(t, c); break;
    case RAW: in_raw(t, c); break;
    default: in_tag(t, c); break;
    }
}

sl_status sl_html_tags_feed(sl_html_tags *t, const char *data, size_t n, sl_html_tag_fn fn, void *user,
                            sl_error *err) {
    TRY(sl_xml_library(err));
    for (size_t i = 0; i < n; i++) {
        char c = data[i];
        if (t->state == TAG && c == '>') {
            TRY(finish_tag(t, fn, user, err));
        } else {
            other(t, c);
        }
        t->line += c == '\n';
    }
    return SL_OK;
}
