#include "base/error.h"
#include "formats/xml/xml.h"

static uint32_t count_steps(const sl_texts *path) {
    uint32_t n = path->n;
    for (uint32_t i = 0; i < path->n; i++)
        for (uint32_t k = 0; k < path->v[i].n; k++) n += path->v[i].s[k] == '.' || path->v[i].s[k] == '/';
    return n;
}

static void add_steps(sl_xml_conf *c, sl_text path, char separator) {
    for (uint32_t from = 0; from <= path.n;) {
        const char *end = from < path.n ? memchr(path.s + from, separator, path.n - from) : NULL;
        uint32_t to = end ? (uint32_t)(end - path.s) : path.n;
        if (to > from) c->steps[c->nsteps++] = (sl_text){path.s + from, to - from};
        from = to + 1;
    }
}

sl_status sl_xml_prepare(void *conf, sl_arena *arena, sl_error *err) {
    sl_xml_conf *c = conf;
    char separator = '.';
    c->steps = sl_arena_calloc(arena, count_steps(&c->path) + 1, sizeof *c->steps);
    if (!c->steps) return sl_oom(err);
    for (uint32_t i = 0; i < c->path.n; i++)
        if (c->path.v[i].n && memchr(c->path.v[i].s, '/', c->path.v[i].n)) separator = '/';
    for (uint32_t i = 0; i < c->path.n; i++) add_steps(c, c->path.v[i], separator);
    c->absolute = c->path.n && c->path.v[0].n && c->path.v[0].s[0] == separator;
    return SL_OK;
}

void sl_xml_set_dialect(void *conf, sl_dialect dialect) {
    ((sl_xml_conf *)conf)->dialect = dialect;
}

static sl_text local_name(sl_text name) {
    const char *colon = name.n ? memchr(name.s, ':', name.n) : NULL;
    if (!colon) return name;
    return sl_text_n(colon + 1, (size_t)(name.s + name.n - colon - 1));
}

bool sl_xml_names_root(const sl_xml_conf *c, sl_text name, bool has_default) {
    if (!c->nsteps) return false;
    if (c->dialect != SL_RIKO) return sl_text_eq(c->steps[0], name);
    return (c->absolute || has_default) && sl_text_eq(c->steps[0], local_name(name));
}

void sl_xml_note_write(const sl_xml_note *note, sl_buf *out) {
    sl_buf_u32(out, note->flags);
    sl_buf_u64(out, note->column);
    sl_buf_u32(out, note->before.n);
    sl_buf_text(out, note->before);
    sl_buf_text(out, note->after);
}

sl_status sl_xml_note_read(sl_text bytes, sl_xml_note *note, sl_error *err) {
    sl_cursor c = {bytes.s, bytes.s + bytes.n, false};
    note->flags = (uint8_t)sl_cursor_u32(&c);
    note->column = sl_cursor_u64(&c);
    note->before.n = sl_cursor_u32(&c);
    note->before.s = sl_cursor_bytes(&c, note->before.n);
    if (c.failed) return sl_fail(err, SL_E_INTERNAL, "xml: a unit came without what is around it");
    note->after = sl_text_n(c.at, (size_t)(c.end - c.at));
    return SL_OK;
}
