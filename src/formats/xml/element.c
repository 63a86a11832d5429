/* element.c: elements as values. The children of an element become keys when it closes and not before, because only then is it
 * known which names come more than once and must become lists. Until then its pairs lie on a stack behind those of the elements
 * around it. */
#include "formats/xml/element.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/unicode.h"
#include "formats/json/json.h"

enum { FEW = 8 }; /* keys that are compared one by one */

typedef struct frame {
    sl_text name;
    uint32_t base; /* of its pairs */
    bool texts;    /* there was text before the first child, be it white space */
    bool has_child;
} frame;

/* The pairs of an element stand behind those of the elements around it, keys repeated, until it closes. */
struct sl_elements {
    sl_arena *arena;
    frame *frames;
    uint32_t depth, cap_frames;
    sl_pair *pairs;
    uint32_t npairs, cap_pairs;
    sl_buf text; /* of the innermost element, before its first child */
    sl_json_index index;
};

static const sl_text content = {"content", 7};

sl_elements *sl_elements_new(void) {
    return calloc(1, sizeof(sl_elements));
}

void sl_elements_free(sl_elements **e) {
    if (!*e) return;
    free((*e)->frames);
    free((*e)->pairs);
    free((*e)->index.slots);
    sl_buf_free(&(*e)->text);
    free(*e);
    *e = NULL;
}

void sl_elements_begin(sl_elements *e, sl_arena *arena) {
    e->arena = arena;
    e->depth = e->npairs = 0;
    sl_buf_clear(&e->text);
    e->text.failed = false;
}

/* ---- white space ----------------------------------------------------------------------------------------------- */

sl_text sl_markup_trim(sl_text t) {
    uint32_t code;
    for (unsigned n; t.n && (n = sl_utf8_decode(t.s, t.n, &code)) && sl_is_space(code);) {
        t.s += n;
        t.n -= n;
    }
    while (t.n) {
        uint32_t from = t.n - 1;
        while (from && (t.s[from] & 0xc0) == 0x80) from--;
        if (!sl_utf8_decode(t.s + from, t.n - from, &code) || !sl_is_space(code)) break;
        t.n = from;
    }
    return t;
}

/* ---- adding ---------------------------------------------------------------------------------------------------- */

/* ARRAY of N things of SIZE bytes with room for one more; NULL when memory is out. */
static void *grown(void *array, uint32_t n, uint32_t *cap, size_t size) {
    if (n < *cap) return array;
    uint32_t more = *cap ? *cap * 2 : 32;
    void *bigger = more > *cap ? realloc(array, more * size) : NULL;
    if (bigger) *cap = more;
    return bigger;
}

static sl_status push(sl_elements *e, sl_text key, sl_value v, sl_error *err) {
    sl_pair *pairs = grown(e->pairs, e->npairs, &e->cap_pairs, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    e->pairs = pairs;
    e->pairs[e->npairs++] = (sl_pair){key, v};
    return SL_OK;
}

static sl_status push_text(sl_elements *e, sl_text key, sl_text text, sl_error *err) {
    sl_text copy = sl_arena_text(e->arena, text);
    return copy.s ? push(e, key, sl_text_value(copy), err) : sl_oom(err);
}

/* No more text of the innermost element counts. */
static sl_status end_text(sl_elements *e, sl_error *err) {
    frame *f = &e->frames[e->depth - 1];
    if (f->has_child) return SL_OK;
    TRY(sl_buf_check(&e->text, err));
    f->texts = e->text.len > 0;
    sl_text t = sl_markup_trim(sl_text_n(e->text.data, e->text.len));
    sl_buf_clear(&e->text);
    return t.n ? push_text(e, content, t, err) : SL_OK;
}

sl_status sl_elements_open(sl_elements *e, sl_text name, sl_error *err) {
    if (e->depth) TRY(end_text(e, err));
    if (e->depth) e->frames[e->depth - 1].has_child = true;
    frame *frames = grown(e->frames, e->depth, &e->cap_frames, sizeof *frames);
    if (!frames) return sl_oom(err);
    e->frames = frames;
    frame *f = &e->frames[e->depth++];
    *f = (frame){.name = sl_arena_text(e->arena, name), .base = e->npairs};
    return f->name.s ? SL_OK : sl_oom(err);
}

sl_status sl_elements_attribute(sl_elements *e, sl_text name, sl_text value, sl_error *err) {
    sl_text key = sl_arena_text(e->arena, name);
    return key.s ? push_text(e, key, value, err) : sl_oom(err);
}

sl_status sl_elements_text(sl_elements *e, sl_text text, sl_error *err) {
    if (e->depth && !e->frames[e->depth - 1].has_child) sl_buf_text(&e->text, text);
    return sl_buf_check(&e->text, err);
}

/* ---- keys that come again --------------------------------------------------------------------------------------- */

/* A key and the values that came under it. */
typedef struct group {
    sl_text key;
    uint32_t pairs, values; /* the first pair's value may be a list already */
    sl_value *list;         /* room for all; NULL while there is one pair */
    uint32_t filled;
    sl_value only;
} group;

typedef struct groups {
    group *v;
    uint32_t n;
    uint32_t *place; /* of each pair: its group */
} groups;

static uint32_t place_of(sl_elements *e, const groups *g, sl_text key, bool few) {
    uint32_t i = 0;
    if (few) {
        while (i < g->n && !sl_text_eq(g->v[i].key, key)) i++;
        return i;
    }
    uint32_t *slot = sl_json_index_slot(&e->index, key, &g->v[0].key, sizeof *g->v);
    if (!*slot) *slot = g->n + 1;
    return *slot - 1;
}

static uint32_t values_in(sl_value v) {
    return v.type == SL_LIST ? v.n : 1;
}

static sl_status find_groups(sl_elements *e, const sl_pair *pairs, uint32_t n, groups *g, sl_error *err) {
    const bool few = n <= FEW;
    g->v = sl_arena_calloc(e->arena, n, sizeof *g->v);
    g->place = sl_arena_alloc(e->arena, n * sizeof *g->place);
    if (!g->v || !g->place || (!few && !sl_json_index_clear(&e->index, n))) return sl_oom(err);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = place_of(e, g, pairs[i].key, few);
        group *to = &g->v[at];
        if (at == g->n) {
            *to = (group){.key = pairs[i].key, .only = pairs[i].value};
            g->n++;
        }
        to->values += to->pairs++ ? 1 : values_in(pairs[i].value);
        g->place[i] = at;
    }
    return SL_OK;
}

/* What comes first may be a list, whose elements the others follow. */
static void append(group *to, sl_value v) {
    if (to->filled || v.type != SL_LIST) {
        to->list[to->filled++] = v;
        return;
    }
    memcpy(to->list, v.as.list, v.n * sizeof *to->list);
    to->filled = v.n;
}

static sl_status fill_lists(sl_elements *e, const sl_pair *pairs, uint32_t n, const groups *g,
                            sl_error *err) {
    for (uint32_t i = 0; i < n; i++) {
        group *to = &g->v[g->place[i]];
        if (to->pairs == 1) continue;
        if (!to->list) to->list = sl_arena_alloc(e->arena, to->values * sizeof *to->list);
        if (!to->list) return sl_oom(err);
        append(to, pairs[i].value);
    }
    return SL_OK;
}

static sl_status unite(sl_elements *e, const sl_pair *pairs, uint32_t n, sl_value *out, sl_error *err) {
    groups g = {0};
    sl_pair *united = sl_arena_alloc(e->arena, n * sizeof *united);
    if (!united) return sl_oom(err);
    TRY(find_groups(e, pairs, n, &g, err));
    TRY(fill_lists(e, pairs, n, &g, err));
    for (uint32_t i = 0; i < g.n; i++) {
        const group *from = &g.v[i];
        united[i] = (sl_pair){from->key, from->list ? sl_list(from->list, from->filled) : from->only};
    }
    *out = sl_map(united, g.n);
    return SL_OK;
}

/* ---- closing ---------------------------------------------------------------------------------------------------- */

static bool is_empty(sl_value v) {
    return v.n == 0;
}

sl_status sl_elements_close(sl_elements *e, bool *done, sl_value *out, sl_error *err) {
    TRY(end_text(e, err));
    frame f = e->frames[e->depth - 1];
    sl_value v = sl_map(NULL, 0);
    if (e->npairs > f.base) TRY(unite(e, e->pairs + f.base, e->npairs - f.base, &v, err));
    bool alone = v.n == 1 && sl_text_eq(v.as.map[0].key, content);
    if (alone && f.texts) v = v.as.map[0].value;
    e->npairs = f.base;
    e->depth--;
    *done = e->depth == 0;
    *out = v;
    return *done || is_empty(v) ? SL_OK : push(e, f.name, v, err);
}

sl_status sl_element_items(sl_builder *bd, sl_value v, sl_error *err) {
    if (v.type == SL_LIST) {
        for (uint32_t i = 0; i < v.n; i++) TRY(sl_builder_add(bd, v.as.list[i], err));
        return SL_OK;
    }
    if (v.type == SL_MAP) return sl_builder_add(bd, v, err);
    sl_pair pair = {content, v};
    return sl_builder_add(bd, sl_map(&pair, 1), err);
}
