/* value.c: values: names of types, deep copies, truth and lookup in maps. A copy is needed only where a value outlives its
 * batch; as long as it does not, 16 bytes are copied and the rest is shared. */
#include "record/value.h"

#include "base/error.h"

const char *sl_type_name(sl_type type) {
    static const char *const names[] = {"missing", "null", "bool", "int",  "float",
                                        "decimal", "text", "time", "list", "map"};
    return (unsigned)type < SL_COUNT(names) ? names[type] : "unknown";
}

/* ---- copying ------------------------------------------------------------------------------------------------- */

static sl_status copy_bytes(sl_value *v, sl_arena *arena, sl_error *err) {
    char *p = sl_arena_alloc(arena, v->n);
    if (!p) return sl_oom(err);
    if (v->n) memcpy(p, v->as.s, v->n);
    v->as.s = p;
    return SL_OK;
}

static sl_status copy_list(sl_value *v, sl_arena *arena, sl_error *err) {
    sl_value *list = sl_arena_alloc(arena, v->n * sizeof *list);
    if (!list) return sl_oom(err);
    for (uint32_t i = 0; i < v->n; i++) TRY(sl_value_copy(&list[i], v->as.list[i], arena, err));
    v->as.list = list;
    return SL_OK;
}

static sl_status copy_map(sl_value *v, sl_arena *arena, sl_error *err) {
    sl_pair *map = sl_arena_alloc(arena, v->n * sizeof *map);
    if (!map) return sl_oom(err);
    for (uint32_t i = 0; i < v->n; i++) {
        map[i].key = sl_arena_text(arena, v->as.map[i].key);
        if (!map[i].key.s) return sl_oom(err);
        TRY(sl_value_copy(&map[i].value, v->as.map[i].value, arena, err));
    }
    v->as.map = map;
    return SL_OK;
}

static bool holds_bytes(sl_value v) {
    return v.type == SL_TEXT_TYPE || v.type == SL_DECIMAL || (v.type != SL_TIME && (v.flags & SL_RAW_NUMBER));
}

sl_status sl_value_copy(sl_value *out, sl_value v, sl_arena *arena, sl_error *err) {
    *out = v;
    if (holds_bytes(v)) return copy_bytes(out, arena, err);
    if (v.type == SL_LIST) return copy_list(out, arena, err);
    if (v.type == SL_MAP) return copy_map(out, arena, err);
    return SL_OK;
}

/* ---- asking -------------------------------------------------------------------------------------------------- */

/* Decimals are zero when no digit before their exponent is not; NaN and the infinities have other letters. */
static bool decimal_is_zero(sl_text t) {
    for (uint32_t i = 0; i < t.n && (t.s[i] | 0x20) != 'e'; i++)
        if (t.s[i] != '0' && t.s[i] != '.' && t.s[i] != '-') return false;
    return true;
}

bool sl_truthy(sl_value v) {
    switch ((sl_type)v.type) {
    case SL_MISSING:
    case SL_NULL: return false;
    case SL_BOOL: return v.as.b;
    case SL_INT: return v.as.i != 0;
    case SL_FLOAT: return v.as.f < 0 || v.as.f > 0 || v.as.f != v.as.f;
    case SL_DECIMAL: return !decimal_is_zero(sl_bytes(v));
    case SL_TIME: return true;
    case SL_TEXT_TYPE:
    case SL_LIST:
    case SL_MAP: break;
    }
    return v.n != 0;
}

sl_value sl_map_get(sl_value map, sl_text key) {
    if (map.type != SL_MAP) return sl_missing();
    for (uint32_t i = 0; i < map.n; i++)
        if (sl_text_eq(map.as.map[i].key, key)) return map.as.map[i].value;
    return sl_missing();
}

sl_value sl_map_get_z(sl_value map, const char *key) {
    return sl_map_get(map, sl_text_of(key));
}
