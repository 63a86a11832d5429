/* pick.c: one value out of a document that passes by in pieces, such as the address of the next page. It walks along with the
 * bytes that are being read anyhow and keeps nothing but the value, so that a page of any size costs no second copy. */
#include "formats/json/json.h"

#include <stdlib.h>

#include "base/error.h"
#include "record/raw.h"

#define VALUE_LIMIT ((size_t)64 << 10)

typedef enum pick_state { MARK, WALK, OVER, BROKEN } pick_state; /* MARK: a byte-order mark may come */

struct sl_json_pick {
    sl_arena arena;
    sl_path path;
    int64_t *index; /* [path.n]: elements met in the list that is searched for this segment */
    sl_json_walk walk;
    pick_state state;
    uint32_t mark; /* bytes of it seen */
    uint32_t on;   /* containers open that the path leads through, the document's own being the first */
    bool hit;      /* the next value is the one that the key before it names */
    bool last;     /* and it is the one looked for */
    bool capturing;
    bool container; /* the value looked for is a list or an object */
    sl_buf value;   /* it, as written */
};

static const char mark[] = "\xef\xbb\xbf";

/* ---- beginning and ending -------------------------------------------------------------------------------- */

static sl_status check_path(const sl_json_pick *p, sl_error *err) {
    if (!p->path.n) return sl_fail(err, SL_E_PLAN, "the path to the next page is empty");
    for (uint32_t i = 0; i < p->path.n; i++) {
        const sl_segment *s = &p->path.segments[i];
        if (!s->is_index || s->index >= 0) continue;
        return sl_fail(err, SL_E_PLAN, "path '%.*s': places in lists count from 0, never from the end",
                       (int)p->path.text.n, p->path.text.s);
    }
    return SL_OK;
}

sl_status sl_json_pick_new(sl_text path, sl_json_pick **out, sl_error *err) {
    sl_json_pick *p = calloc(1, sizeof *p);
    if (!p) return sl_oom(err);
    sl_status status = sl_path_compile(&p->path, path, SL_NATIVE, &p->arena, err);
    if (!status) status = check_path(p, err);
    p->index = sl_arena_calloc(&p->arena, p->path.n ? p->path.n : 1, sizeof *p->index);
    if (!status && !p->index) status = sl_oom(err);
    if (status) {
        sl_json_pick_free(&p);
        return status;
    }
    p->value.limit = VALUE_LIMIT;
    sl_json_pick_begin(p);
    *out = p;
    return SL_OK;
}

void sl_json_pick_free(sl_json_pick **p) {
    if (!*p) return;
    sl_json_walk_free(&(*p)->walk);
    sl_buf_free(&(*p)->value);
    sl_arena_free(&(*p)->arena);
    free(*p);
    *p = NULL;
}

void sl_json_pick_begin(sl_json_pick *p) {
    p->walk.depth = 0;
    sl_json_walk_begin(&p->walk);
    p->state = MARK;
    p->mark = p->on = 0;
    p->hit = p->last = p->capturing = p->container = false;
    sl_buf_clear(&p->value);
    p->value.failed = false;
}

/* ---- on the way ------------------------------------------------------------------------------------------ */

static bool is_container(char c) {
    return c == '{' || c == '[';
}

/* The key between its quotes, its escapes taken off. */
static bool key_is(const sl_json_pick *p, sl_text name) {
    sl_arena scratch = {0};
    sl_value v = sl_text_value(sl_text_n(p->walk.key.data, p->walk.key.len));
    v.flags = v.n && memchr(v.as.s, '\\', v.n) ? SL_RAW_JSON : 0;
    bool same = sl_value_decode(&v, &scratch, NULL) == SL_OK && sl_text_eq(sl_bytes(v), name);
    sl_arena_free(&scratch);
    return same;
}

static void on_key(sl_json_pick *p) {
    if (!p->on || p->walk.depth != p->on) return;
    bool whole = p->on == 1 && key_is(p, p->path.text);
    p->hit = whole || key_is(p, p->path.segments[p->on - 1].name);
    p->last = whole || p->on == p->path.n;
}

static void enter(sl_json_pick *p) {
    p->index[p->on++] = 0;
}

/* An element of the list that is searched. */
static void on_element(sl_json_pick *p) {
    const sl_segment *s = &p->path.segments[p->on - 1];
    p->hit = p->index[p->on - 1]++ == s->index && s->is_index;
    p->last = p->on == p->path.n;
}

static void on_begin(sl_json_pick *p, char c) {
    uint32_t above = p->walk.depth - is_container(c);
    if (!above) {
        if (is_container(c)) enter(p);
        return;
    }
    if (above != p->on) return;
    if (p->walk.open[above - 1] == '[') on_element(p);
    bool hit = p->hit;
    p->hit = false;
    if (!hit) return;
    if (!p->last) {
        if (is_container(c)) enter(p);
        return;
    }
    sl_buf_clear(&p->value);
    p->value.failed = false;
    p->container = is_container(c);
    p->capturing = !p->container;
}

static void on_end(sl_json_pick *p, char c) {
    p->capturing = false;
    if ((c == '}' || c == ']') && p->on && p->walk.depth == p->on - 1) p->on--;
    if (!p->walk.depth) p->state = OVER;
}

static void step(sl_json_pick *p, char c) {
    sl_json_event event;
    do {
        event = sl_json_walk_byte(&p->walk, c);
        if (event == SL_JSON_BEGIN) on_begin(p, c);
        if (event == SL_JSON_KEY) on_key(p);
        if (event == SL_JSON_BAD) p->state = BROKEN;
        if (event == SL_JSON_AFTER) on_end(p, 0);
    } while (event == SL_JSON_AFTER && p->state == WALK);
    if (p->capturing) sl_buf_byte(&p->value, c);
    if (event == SL_JSON_END) on_end(p, c);
}

void sl_json_pick_feed(sl_json_pick *p, const char *data, size_t n) {
    size_t i = 0;
    while (i < n && p->state == MARK) {
        bool more = p->mark < sizeof mark - 1 && data[i] == mark[p->mark];
        i += more;
        p->mark += more;
        if (!more) p->state = WALK;
    }
    while (i < n && p->state == WALK) step(p, data[i++]);
}

/* ---- what was found -------------------------------------------------------------------------------------- */

static sl_status wrong_kind(const sl_json_pick *p, const char *kind, sl_error *err) {
    return sl_fail(err, SL_E_DATA, "'%.*s', where the next page should be, is %s", (int)p->path.text.n,
                   p->path.text.s, kind);
}

static sl_status text_of(const sl_json_pick *p, sl_arena *arena, sl_text *out, sl_error *err) {
    sl_text raw = sl_text_n(p->value.data, p->value.len);
    if (raw.s[0] != '"') {
        *out = sl_arena_text(arena, raw);
        return out->s ? SL_OK : sl_oom(err);
    }
    sl_text inner = {raw.s + 1, raw.n - 2};
    if (!inner.n) return SL_OK;
    sl_value v = sl_text_value(inner);
    v.flags = memchr(inner.s, '\\', inner.n) ? SL_RAW_JSON : 0;
    TRY(sl_value_decode(&v, arena, err));
    *out = sl_arena_text(arena, sl_bytes(v));
    return out->s ? SL_OK : sl_oom(err);
}

sl_status sl_json_pick_end(sl_json_pick *p, sl_arena *arena, sl_text *out, sl_error *err) {
    *out = (sl_text){0};
    if (p->state == WALK && sl_json_walk_finish(&p->walk) && sl_json_walk_complete(&p->walk)) p->state = OVER;
    if (p->state != OVER) {
        return sl_fail(err, SL_E_DATA,
                       "the page is no complete JSON document, in which '%.*s' could be found",
                       (int)p->path.text.n, p->path.text.s);
    }
    if (p->container) return wrong_kind(p, "a list or an object", err);
    if (p->value.failed) return wrong_kind(p, "longer than 64 KiB", err);
    sl_text raw = sl_text_n(p->value.data, p->value.len);
    if (!raw.n || sl_text_is(raw, "null") || sl_text_is(raw, "false")) return SL_OK;
    if (sl_text_is(raw, "true")) return wrong_kind(p, "true", err);
    return text_of(p, arena, out, err);
}
