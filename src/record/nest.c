/* nest.c: dotted names become nested maps, as riko does with every mapping that becomes an item. */
#include "base/error.h"
#include "record/path_internal.h"

static int64_t last_dot(sl_text t) {
    int64_t at = (int64_t)t.n - 1;
    while (at >= 0 && t.s[at] != '.') at--;
    return at;
}

/* CHILD is PARENT, a dot, and a last segment. */
static bool is_child(sl_text child, sl_text parent) {
    int64_t dot = last_dot(child);
    return dot >= 0 && sl_text_eq((sl_text){child.s, (uint32_t)dot}, parent);
}

static bool has_child(sl_value map, sl_text key) {
    for (uint32_t i = 0; i < map.n; i++)
        if (is_child(map.as.map[i].key, key)) return true;
    return false;
}

static bool has_dots(sl_value map) {
    for (uint32_t i = 0; i < map.n; i++)
        if (last_dot(map.as.map[i].key) >= 0) return true;
    return false;
}

/* The path of a key: a key without a dot is one name, even an empty one. */
static sl_status path_of_key(sl_path *path, sl_text key, sl_arena *arena, sl_error *err) {
    TRY(sl_path_compile(path, key, SL_RIKO, arena, err));
    if (path->n || last_dot(key) >= 0) return SL_OK;
    path->segments = sl_arena_calloc(arena, 1, sizeof *path->segments);
    if (!path->segments) return sl_oom(err);
    path->segments[0].name = key.s ? key : SL_TEXT("");
    path->n = 1;
    return SL_OK;
}

sl_status sl_nest_dotted(sl_value map, sl_arena *arena, sl_value *out, sl_error *err) {
    *out = map;
    if (map.type != SL_MAP || !has_dots(map)) return SL_OK;
    *out = sl_map(NULL, 0);
    for (uint32_t i = 0; i < map.n; i++) {
        const sl_pair *pair = &map.as.map[i];
        if (has_child(map, pair->key)) continue;
        sl_path path;
        TRY(path_of_key(&path, pair->key, arena, err));
        if (path.n) TRY(sl_path_set_from(&path, 0, *out, pair->value, arena, out, err));
    }
    return SL_OK;
}

/* ---- columns ------------------------------------------------------------------------------------------------- */

static bool has_dotted_columns(const sl_batch *b) {
    for (uint32_t c = 0; c < b->ncols; c++)
        if (last_dot(b->cols[c].name) >= 0) return true;
    return false;
}

/* A deeper name for what column C holds is present in ROW. */
static bool row_has_child(const sl_batch *b, uint32_t c, uint32_t row) {
    for (uint32_t k = 0; k < b->ncols; k++)
        if (is_child(b->cols[k].name, b->cols[c].name) && sl_batch_peek(b, k, row).type != SL_MISSING)
            return true;
    return false;
}

static bool column_has_child(const sl_batch *b, uint32_t c) {
    for (uint32_t k = 0; k < b->ncols; k++)
        if (is_child(b->cols[k].name, b->cols[c].name)) return true;
    return false;
}

/* Some row shows column C although it has deeper names: only then does the column stay at its place. */
static bool is_shown(const sl_batch *b, uint32_t c) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if (sl_batch_peek(b, c, row).type != SL_MISSING && !row_has_child(b, c, row)) return true;
    }
    return false;
}

/* Sets column C of B at PATH in VALUES, row by row. */
static sl_status merge_column(sl_batch *b, uint32_t c, const sl_path *path, bool parent, sl_value *values,
                              sl_error *err) {
    const sl_value *from = sl_column_read(b, c, err);
    if (!from) return SL_E_MEMORY;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if (from[row].type == SL_MISSING || (parent && row_has_child(b, c, row))) continue;
        if (path->n == 1)
            values[row] = from[row];
        else
            TRY(sl_path_set_from(path, 1, values[row], from[row], sl_batch_arena(b), &values[row], err));
    }
    return SL_OK;
}

static sl_status nest_column(sl_batch *b, uint32_t c, sl_batch *table, sl_error *err) {
    bool parent = column_has_child(b, c);
    if (parent && !is_shown(b, c)) return SL_OK;
    sl_path path;
    TRY(path_of_key(&path, b->cols[c].name, sl_batch_arena(b), err));
    if (!path.n) return SL_OK;
    sl_text head = path.segments[0].name;
    int at = sl_batch_find(table, head, true);
    sl_value *values;
    if (at < 0) {
        TRY(sl_batch_add_column(table, head, &values, err));
        if (path.n == 1 && !parent) { /* as it is, lazy if it was */
            table->cols[table->ncols - 1] = b->cols[c];
            table->cols[table->ncols - 1].name = head;
            return SL_OK;
        }
        return merge_column(b, c, &path, parent, values, err);
    }
    values = sl_column_values(table, (uint32_t)at, err);
    if (!values) return SL_E_MEMORY;
    table->cols[at].name = head;
    return merge_column(b, c, &path, parent, values, err);
}

sl_status sl_batch_nest_dotted(sl_batch *b, sl_error *err) {
    if (!has_dotted_columns(b)) return SL_OK;
    sl_batch table = *b; /* the same rows and backing */
    table.cols = NULL;
    table.ncols = table.cap_cols = 0;
    for (uint32_t c = 0; c < b->ncols; c++) TRY(nest_column(b, c, &table, err));
    *b = table;
    sl_batch_touched(b);
    return SL_OK;
}
