/* entity.c: replaces the entities of a document. libxml2 would do it, but expands a nested entity again for every reference,
 * which is how a document of a kilobyte becomes gigabytes; here each is expanded once, to a limited length. */
#include "formats/xml/entity.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/unicode.h"
#include "formats/xml/sax.h"
#include "formats/xml2.h"

enum { MOST_ENTITIES = 10000, LARGEST = 64 << 10, DEEPEST = 20, LONGEST_NAME = 256 };

void sl_xml_entities_free(sl_xml_entities *e) {
    free(e->list);
    sl_arena_free(&e->arena);
    *e = (sl_xml_entities){.html = e->html};
}

unsigned sl_xml_html_entity(sl_text name, char out[4]) {
    char z[16];
    if (!name.n || name.n >= sizeof z) return 0;
    memcpy(z, name.s, name.n);
    z[name.n] = 0;
    const htmlEntityDesc *found = htmlEntityLookup((const xmlChar *)z);
    return found ? sl_utf8_encode(found->value, out) : 0;
}

/* ---- references ------------------------------------------------------------------------------------------------- */

static bool is_character(uint32_t c) {
    if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
    return c < 0xD800 || (c > 0xDFFF && c < 0xFFFE) || (c > 0xFFFF && c <= 0x10FFFF);
}

static int digit(char c, bool hex) {
    if (c >= '0' && c <= '9') return c - '0';
    char lower = c | 0x20;
    return hex && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Behind &# */
static uint32_t character_reference(sl_text t, uint32_t *code) {
    uint32_t at = 2, value = 0;
    bool hex = at < t.n && (t.s[at] | 0x20) == 'x';
    at += hex;
    uint32_t first = at;
    for (int d; at < t.n && (d = digit(t.s[at], hex)) >= 0; at++)
        if (value <= 0x10FFFF) value = value * (hex ? 16 : 10) + (uint32_t)d;
    if (at == first || at == t.n || t.s[at] != ';') return 0;
    *code = is_character(value) ? value : 0;
    return at + 1;
}

static bool in_name(char c) {
    char lower = c | 0x20;
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) || c == '_' || c == ':' ||
           c == '-' || c == '.';
}

uint32_t sl_xml_reference(sl_text t, sl_text *name, uint32_t *code) {
    *name = (sl_text){0};
    *code = 0;
    if (t.n > 1 && t.s[1] == '#') return character_reference(t, code);
    uint32_t at = 1;
    while (at < t.n && at <= LONGEST_NAME && in_name(t.s[at])) at++;
    if (at == 1 || at >= t.n || t.s[at] != ';') return 0;
    *name = (sl_text){t.s + 1, at - 1};
    return at + 1;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static sl_xml_entity *lookup(const sl_xml_entities *e, sl_text name) {
    for (uint32_t i = 0; i < e->n; i++)
        if (sl_text_eq(e->list[i]->name, name)) return e->list[i];
    return NULL;
}

static sl_status add(sl_xml_entities *e, sl_text name, sl_text content, sl_xml_entity **out, sl_error *err) {
    if (e->n == MOST_ENTITIES)
        return sl_fail(err, SL_E_DATA, "the document declares more than %d entities", MOST_ENTITIES);
    if (!SL_ROOM(e->list, e->cap, e->n + 1)) return sl_oom(err);
    sl_xml_entity *x = sl_arena_calloc(&e->arena, 1, sizeof *x);
    if (!x) return sl_oom(err);
    x->name = sl_arena_text(&e->arena, name);
    x->content = sl_arena_text(&e->arena, content);
    if (!x->name.s || !x->content.s) return sl_oom(err);
    e->list[e->n++] = x;
    if (out) *out = x;
    return SL_OK;
}

sl_status sl_xml_entity_declare(sl_xml_entities *e, sl_text name, sl_text content, sl_error *err) {
    return lookup(e, name) ? SL_OK : add(e, name, content, NULL, err);
}

static char predefined(sl_text name) {
    static const struct {
        const char *name;
        char c;
    } five[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < SL_COUNT(five); i++)
        if (sl_text_is(name, five[i].name)) return five[i].c;
    return 0;
}

/* ---- expanding -------------------------------------------------------------------------------------------------- */

static sl_status find_at(sl_xml_entities *e, sl_text name, int depth, sl_xml_entity **out, sl_error *err);

static sl_status replace(sl_xml_entities *e, sl_text t, int depth, sl_buf *out, sl_error *err) {
    for (uint32_t at = 0; at < t.n;) {
        const char *amp = memchr(t.s + at, '&', t.n - at);
        uint32_t plain = amp ? (uint32_t)(amp - t.s) - at : t.n - at, code;
        sl_buf_add(out, t.s + at, plain);
        at += plain;
        if (!amp) break;
        sl_text name, rest = {amp, t.n - at};
        uint32_t length = sl_xml_reference(rest, &name, &code);
        char utf8[4], c = name.n ? predefined(name) : 0;
        sl_xml_entity *found = NULL;
        if (name.n && !c) TRY(find_at(e, name, depth + 1, &found, err));
        if (code) sl_buf_add(out, utf8, sl_utf8_encode(code, utf8));
        if (c) sl_buf_byte(out, c);
        if (found) sl_buf_text(out, found->text);
        if (!code && !c && !found) sl_buf_text(out, (sl_text){amp, length ? length : 1});
        at += length ? length : 1;
    }
    return SL_OK;
}

static sl_status expand(sl_xml_entities *e, sl_xml_entity *x, int depth, sl_error *err) {
    const int n = (int)(x->name.n < 40 ? x->name.n : 40);
    if (x->busy || depth > DEEPEST)
        return sl_fail(err, SL_E_DATA, "the entity '%.*s' refers to itself or nests more than %d deep", n,
                       x->name.s, DEEPEST);
    sl_buf text = {.limit = LARGEST};
    x->busy = true;
    sl_status status = replace(e, x->content, depth, &text, err);
    x->busy = false;
    if (!status && text.failed)
        status = sl_fail(err, SL_E_DATA, "the entity '%.*s' stands for more than %d KiB", n, x->name.s,
                         LARGEST >> 10);
    if (!status) {
        x->text =
            (sl_text){sl_arena_strndup(&e->arena, text.data ? text.data : "", text.len), (uint32_t)text.len};
        if (!x->text.s) status = sl_oom(err);
    }
    sl_buf_free(&text);
    return status;
}

static sl_status find_at(sl_xml_entities *e, sl_text name, int depth, sl_xml_entity **out, sl_error *err) {
    sl_xml_entity *x = lookup(e, name);
    char utf8[4];
    unsigned n = !x && e->html ? sl_xml_html_entity(name, utf8) : 0;
    if (n) TRY(add(e, name, sl_text_n(utf8, n), &x, err));
    if (x && !x->text.s) TRY(expand(e, x, depth, err));
    *out = x;
    return SL_OK;
}

sl_status sl_xml_entity_find(sl_xml_entities *e, sl_text name, sl_xml_entity **out, sl_error *err) {
    return find_at(e, name, 0, out, err);
}

sl_status sl_xml_entity_replace(sl_xml_entities *e, sl_text t, sl_buf *out, sl_error *err) {
    return replace(e, t, 0, out, err);
}
