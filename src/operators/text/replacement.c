/* replacement.c: what stands in the place of a match. The text is parsed once into pieces, literal or group, so that a
 * replacement is a few copies; both dialects end in the same pieces. */
#include "operators/text/replacement.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/unicode.h"
#include "record/number/number.h"

typedef struct parser {
    sl_text text;
    uint32_t at;
    const sl_regex *regex;
    bool riko;
    sl_arena *arena;
    sl_buf literal; /* gathered since the last piece */
    sl_piece *pieces;
    uint32_t n;
    sl_error *err;
} parser;

static bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

static char peek(const parser *p, uint32_t ahead) {
    return ahead < p->text.n - p->at ? p->text.s[p->at + ahead] : 0;
}

static sl_status refuse(const parser *p, const char *why) {
    int shown = p->text.n < 200 ? (int)p->text.n : 200;
    return sl_fail(p->err, SL_E_PLAN, "in the replacement '%.*s' at offset %u: %s", shown, p->text.s,
                   (unsigned)p->at, why);
}

static sl_status end_literal(parser *p) {
    if (!p->literal.len) return SL_OK;
    TRY(sl_buf_check(&p->literal, p->err));
    sl_text t = sl_arena_text(p->arena, sl_text_n(p->literal.data, p->literal.len));
    if (!t.s) return sl_oom(p->err);
    p->pieces[p->n++] = (sl_piece){.text = t, .group = -1};
    sl_buf_clear(&p->literal);
    return SL_OK;
}

static sl_status add_group(parser *p, int64_t group) {
    if (group < 0 || group > sl_regex_groups(p->regex)) return refuse(p, "the pattern has no such group");
    TRY(end_literal(p));
    p->pieces[p->n++] = (sl_piece){.group = group};
    return SL_OK;
}

static void add_code(parser *p, uint32_t code) {
    char bytes[4];
    sl_buf_add(&p->literal, bytes, sl_utf8_encode(code, bytes));
}

/* COUNT octal digits as a code point. */
static sl_status add_octal(parser *p, uint32_t count) {
    uint32_t code = 0;
    for (uint32_t i = 0; i < count; i++) code = code * 8 + (uint32_t)(peek(p, i) - '0');
    if (code > 0377) return refuse(p, "the octal escape is beyond \\377");
    add_code(p, code);
    p->at += count;
    return SL_OK;
}

/* At the first digit behind a backslash or dollar: a group of one or two digits, or an octal escape. */
static sl_status parse_number(parser *p) {
    char a = peek(p, 0), b = peek(p, 1), c = peek(p, 2);
    if (a == '0') return add_octal(p, !is_octal(b) ? 1 : !is_octal(c) ? 2 : 3);
    if (is_octal(a) && is_octal(b) && is_octal(c)) return add_octal(p, 3);
    uint32_t count = sl_ascii_digit(b) ? 2 : 1;
    int64_t group = count == 2 ? (a - '0') * 10 + (b - '0') : a - '0';
    TRY(add_group(p, group));
    p->at += count;
    return SL_OK;
}

/* At the g of \g<N> or \g<name>. */
static sl_status parse_named(parser *p) {
    sl_text rest = {p->text.s + p->at, p->text.n - p->at};
    int64_t close = sl_text_find(rest, SL_TEXT(">"), 0), group;
    if (rest.n < 2 || rest.s[1] != '<' || close < 3) return refuse(p, "\\g needs <N> or <name>");
    sl_text name = {rest.s + 2, (uint32_t)close - 2};
    if (!sl_parse_int(name, &group)) group = sl_regex_group(p->regex, name);
    TRY(add_group(p, group));
    p->at += (uint32_t)close + 1;
    return SL_OK;
}

/* Behind a backslash. */
static sl_status parse_escape(parser *p) {
    static const char letters[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v";
    char c = peek(p, 0);
    const char *letter = c ? strchr(letters, c) : NULL;
    if (sl_ascii_digit(c)) return parse_number(p);
    if (c == 'g') return parse_named(p);
    if (sl_ascii_letter(c) && !letter) return refuse(p, "the escape means nothing");
    if (p->at == p->text.n) return refuse(p, "a backslash stands at the end");
    if (!letter && c != '\\') sl_buf_byte(&p->literal, '\\');
    sl_buf_byte(&p->literal, letter ? meant[letter - letters] : c);
    p->at++;
    return SL_OK;
}

static sl_status parse_dollar(parser *p) {
    if (p->riko || peek(p, 0) != '0' || sl_ascii_digit(peek(p, 1))) return parse_number(p);
    p->at++;
    return add_group(p, 0);
}

static sl_status parse(parser *p) {
    while (p->at < p->text.n) {
        char c = p->text.s[p->at++];
        if (c == '\\')
            TRY(parse_escape(p));
        else if (c == '$' && sl_ascii_digit(peek(p, 0)))
            TRY(parse_dollar(p));
        else
            sl_buf_byte(&p->literal, c);
    }
    return end_literal(p);
}

sl_status sl_replacement_parse(sl_text text, const sl_regex *r, bool riko, sl_arena *arena,
                               sl_replacement *out, sl_error *err) {
    parser p = {.text = text, .regex = r, .riko = riko, .arena = arena, .err = err};
    p.pieces = sl_arena_calloc(arena, (size_t)text.n + 1, sizeof *p.pieces);
    if (!p.pieces) return sl_oom(err);
    sl_status s = parse(&p);
    sl_buf_free(&p.literal);
    *out = (sl_replacement){p.pieces, p.n};
    return s;
}

void sl_replacement_write(const sl_replacement *r, sl_text subject, const size_t *spans, sl_buf *out) {
    for (uint32_t i = 0; i < r->n; i++) {
        const sl_piece *p = &r->pieces[i];
        if (p->group < 0) {
            sl_buf_text(out, p->text);
        } else if (spans[2 * p->group] != SL_NO_GROUP && spans[2 * p->group + 1] > spans[2 * p->group]) {
            sl_buf_add(out, subject.s + spans[2 * p->group], spans[2 * p->group + 1] - spans[2 * p->group]);
        }
    }
}
