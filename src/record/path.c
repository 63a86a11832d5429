/* path.c: field paths: compiled once, then followed for a row or a whole column. A path is first matched against the names of
 * columns, so that what it says of every row is decided once a batch and not once a row. The riko dialect is looser than the
 * native one, and each has its own step. */
#include "record/path.h"

#include <assert.h>

#include "base/error.h"
#include "record/cast.h"
#include "record/path_internal.h"

/* ---- compiling ----------------------------------------------------------------------------------------------- */

/* Digits, single underscores between them allowed when LOOSE; saturates, for no list is that long. */
static bool parse_digits(sl_text t, bool loose, int64_t *out) {
    int64_t n = 0;
    for (uint32_t i = 0; i < t.n; i++) {
        bool joint = loose && t.s[i] == '_' && i && i + 1 < t.n && sl_ascii_digit(t.s[i - 1]);
        if (joint) continue;
        if (!sl_ascii_digit(t.s[i])) return false;
        n = n > INT64_MAX / 16 ? n : n * 10 + (t.s[i] - '0');
    }
    *out = n;
    return t.n > 0;
}

/* What riko takes for an integer is what Python's int() takes; natively it is -?digits. */
static bool parse_index(sl_text t, bool loose, int64_t *out) {
    if (loose) t = sl_text_trim(t);
    bool minus = t.n && t.s[0] == '-';
    if (minus || (loose && t.n && t.s[0] == '+')) t.s++, t.n--;
    if (!parse_digits(t, loose, out)) return false;
    if (minus) *out = -*out;
    return true;
}

static uint32_t count_segments(sl_text t) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < t.n; i++) n += t.s[i] == '.';
    return n;
}

sl_status sl_path_compile(sl_path *p, sl_text text, sl_dialect dialect, sl_arena *arena, sl_error *err) {
    *p = (sl_path){.text = sl_arena_text(arena, text), .dialect = dialect};
    if (!p->text.s) return sl_oom(err);
    if (!text.n) return SL_OK;
    sl_text rest = p->text;
    while (rest.n && rest.s[rest.n - 1] == '.') rest.n--;
    p->segments = sl_arena_alloc(arena, count_segments(rest) * sizeof *p->segments);
    if (!p->segments) return sl_oom(err);
    for (;;) {
        const char *dot = rest.n ? memchr(rest.s, '.', rest.n) : NULL;
        sl_segment *s = &p->segments[p->n++];
        *s = (sl_segment){.name = {rest.s, dot ? (uint32_t)(dot - rest.s) : rest.n}};
        s->is_index = parse_index(s->name, dialect == SL_RIKO, &s->index);
        if (!dot) break;
        rest.n -= s->name.n + 1;
        rest.s = dot + 1;
    }
    assert(p->n <= count_segments(p->text));
    if (dialect == SL_NATIVE && p->n == 1) p->segments[0].name = p->text;
    return SL_OK;
}

/* ---- typed literals ------------------------------------------------------------------------------------------ */

static bool is_literal(sl_value v) {
    if (v.type != SL_MAP || v.n < 1 || v.n > 2) return false;
    if (sl_map_get_z(v, "value").type == SL_MISSING) return false;
    return v.n == 1 || sl_map_get_z(v, "type").type != SL_MISSING;
}

/* {value} and {type, value} stand for the value; unknown types, `module` and `location` leave it as it is. */
static sl_status unwrap(sl_value *v, sl_arena *arena, sl_error *err) {
    if (!is_literal(*v)) return SL_OK;
    sl_value type = sl_map_get_z(*v, "type"), inner = sl_map_get_z(*v, "value");
    sl_cast cast;
    *v = inner;
    if (!sl_is_text(type) || !sl_cast_named(sl_bytes(type), &cast) || cast == SL_CAST_LOCATION) return SL_OK;
    return sl_cast_value(cast, inner, 0, arena, v, err);
}

/* ---- one step ------------------------------------------------------------------------------------------------ */

int64_t sl_map_find(sl_value map, sl_text key, bool nocase) {
    for (uint32_t i = 0; i < map.n; i++)
        if (sl_text_eq(map.as.map[i].key, key)) return i;
    for (uint32_t i = 0; nocase && i < map.n; i++)
        if (sl_text_eq_nocase(map.as.map[i].key, key)) return i;
    return -1;
}

/* KEY of every element of a list of maps; missing when one element lacks it. */
static sl_status collect(sl_value list, sl_text key, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_value *all = sl_arena_alloc(arena, list.n * sizeof *all);
    if (!all) return sl_oom(err);
    *out = sl_missing();
    for (uint32_t i = 0; i < list.n; i++) {
        all[i] = sl_map_get(list.as.list[i], key);
        if (all[i].type == SL_MISSING) return SL_OK;
    }
    *out = sl_list(all, list.n);
    return SL_OK;
}

static sl_value element(sl_value list, int64_t index) {
    if (index < 0) index += list.n;
    return index >= 0 && index < list.n ? list.as.list[index] : sl_missing();
}

static bool is_indexable(sl_value first) {
    return first.type == SL_TEXT_TYPE || first.type == SL_INT || first.type == SL_BOOL;
}

static sl_status step_riko_list(const sl_segment *s, sl_value *v, sl_arena *arena, sl_error *err) {
    sl_type first = v->n ? (sl_type)v->as.list[0].type : SL_MISSING;
    if (first == SL_MAP && !s->is_index) return collect(*v, s->name, arena, v, err);
    if (first == SL_MAP)
        *v = sl_missing();
    else if (v->n && is_indexable(v->as.list[0]))
        *v = s->is_index ? element(*v, s->index) : sl_missing();
    return SL_OK;
}

static sl_status step_riko(const sl_segment *s, sl_value *v, sl_arena *arena, sl_error *err) {
    if (v->type == SL_LIST) return step_riko_list(s, v, arena, err);
    if (v->type == SL_NULL) *v = sl_missing();
    if (v->type != SL_MAP) return SL_OK; /* scalars pass through */
    int64_t at = s->is_index ? -1 : sl_map_find(*v, s->name, true);
    *v = at < 0 ? sl_missing() : v->as.map[at].value;
    return unwrap(v, arena, err);
}

static sl_status step_native(const sl_segment *s, sl_value *v, sl_arena *arena, sl_error *err) {
    sl_value from = *v;
    *v = sl_missing();
    if (from.type == SL_MAP) *v = sl_map_get(from, s->name);
    if (from.type != SL_LIST) return SL_OK;
    if (s->is_index) *v = element(from, s->index);
    if (!s->is_index && from.n && from.as.list[0].type == SL_MAP)
        return collect(from, s->name, arena, v, err);
    return SL_OK;
}

/* Segments FROM .. of P applied to *V. */
static sl_status walk(const sl_path *p, uint32_t from, sl_value *v, sl_arena *arena, sl_error *err) {
    for (uint32_t i = from; i < p->n && v->type != SL_MISSING; i++)
        TRY(p->dialect == SL_RIKO ? step_riko(&p->segments[i], v, arena, err)
                                  : step_native(&p->segments[i], v, arena, err));
    return SL_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

sl_status sl_path_get(const sl_path *p, sl_value from, sl_arena *arena, sl_value *out, sl_error *err) {
    *out = from;
    if (p->dialect == SL_NATIVE && p->text.n && from.type == SL_MAP) {
        sl_value literal = sl_map_get(from, p->text);
        if (literal.type != SL_MISSING) {
            *out = literal;
            return SL_OK;
        }
    }
    return walk(p, 0, out, arena, err);
}

/* What remains to be done with a cell of column C for P: the number of segments used up, or 0 when C is not on the path. PASS
 * orders the spellings: the literal or exact name first. */
static uint32_t segments_used(const sl_path *p, sl_text name, int pass) {
    assert(p->n);
    sl_text head = p->segments[0].name;
    if (p->dialect == SL_NATIVE) {
        if (!pass) return sl_text_eq(name, p->text) ? p->n : 0;
        return p->n > 1 && sl_text_eq(name, head) ? 1 : 0;
    }
    if (p->segments[0].is_index) return 0;
    bool exact = sl_text_eq(name, head);
    return !pass ? exact : !exact && sl_text_eq_nocase(name, head);
}

static sl_status finish_cell(const sl_path *p, uint32_t used, sl_value *v, sl_arena *arena, sl_error *err) {
    if (p->dialect == SL_RIKO) TRY(unwrap(v, arena, err));
    return walk(p, used, v, arena, err);
}

sl_status sl_path_row(const sl_path *p, sl_batch *b, uint32_t row, sl_value *out, sl_error *err) {
    if (!p->n) return sl_batch_item(b, row, out, err);
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t c = 0; c < b->ncols; c++) {
            uint32_t used = segments_used(p, b->cols[c].name, pass);
            if (!used) continue;
            TRY(sl_batch_cell(b, c, row, out, err));
            if (out->type != SL_MISSING) return finish_cell(p, used, out, sl_batch_arena(b), err);
        }
    *out = sl_missing();
    return SL_OK;
}

/* Fills in the rows of column C that no better spelling has filled. */
static sl_status read_column(const sl_path *p, sl_batch *b, uint32_t c, uint32_t used, sl_value *out,
                             sl_error *err) {
    const sl_value *values = sl_column_read(b, c, err);
    if (!values) return SL_E_MEMORY;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if (out[row].type != SL_MISSING || values[row].type == SL_MISSING) continue;
        out[row] = values[row];
        TRY(finish_cell(p, used, &out[row], sl_batch_arena(b), err));
    }
    return SL_OK;
}

static sl_status read_columns(const sl_path *p, sl_batch *b, sl_value *out, sl_error *err) {
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t c = 0; c < b->ncols; c++) {
            uint32_t used = segments_used(p, b->cols[c].name, pass);
            if (used) TRY(read_column(p, b, c, used, out, err));
        }
    return SL_OK;
}

static sl_status read_items(sl_batch *b, sl_value *out, sl_error *err) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        TRY(sl_batch_item(b, row, &out[row], err));
    }
    return SL_OK;
}

/* The one column that is the whole answer, or -1: the path ends at it and no other is on the path. */
static int64_t lone_column(const sl_path *p, const sl_batch *b) {
    int64_t lone = -1;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t c = 0; c < b->ncols; c++) {
            uint32_t used = segments_used(p, b->cols[c].name, pass);
            if (!used) continue;
            if (lone >= 0 || used < p->n) return -1;
            lone = c;
        }
    return lone;
}

static bool any_literal(const sl_batch *b, const sl_value *values) {
    for (uint32_t i = 0; i < b->nsel; i++)
        if (is_literal(values[sl_batch_row(b, i)])) return true;
    return false;
}

const sl_value *sl_path_column(const sl_path *p, sl_batch *b, sl_error *err) {
    int64_t lone = p->n ? lone_column(p, b) : -1;
    if (lone >= 0) {
        const sl_value *values = sl_column_read(b, (uint32_t)lone, err);
        if (!values || p->dialect == SL_NATIVE || !any_literal(b, values)) return values;
    }
    sl_value *out = sl_arena_calloc(sl_batch_arena(b), b->nrows, sizeof *out);
    if (!out) sl_oom(err);
    if (!out || (p->n ? read_columns(p, b, out, err) : read_items(b, out, err)) != SL_OK) return NULL;
    return out;
}
