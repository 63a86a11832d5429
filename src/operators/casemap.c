#include "operators/casemap.h"

#include <unicode/ucasemap.h>

#include "base/error.h"

static char ascii_mapped(char c, sl_case to) {
    if (to == SL_LOWER) return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* What a look at the bytes tells: nothing to do, ASCII only, or ICU's work. */
static void look(sl_text t, sl_case to, bool *changes, bool *ascii) {
    *changes = false;
    *ascii = true;
    for (uint32_t i = 0; i < t.n; i++) {
        *ascii = *ascii && !(t.s[i] & 0x80);
        *changes = *changes || ascii_mapped(t.s[i], to) != t.s[i];
    }
}

static sl_status map_by_icu(sl_text t, sl_case to, sl_arena *arena, sl_text *out, sl_error *err) {
    UErrorCode code = U_ZERO_ERROR;
    UCaseMap *map = ucasemap_open("", 0, &code);
    int32_t room = (int32_t)(t.n < UINT32_MAX / 8 ? t.n * 3 + 16 : 0); /* no mapping grows UTF-8 by more */
    char *bytes = map && room ? sl_arena_alloc(arena, (size_t)room) : NULL;
    int32_t n = 0;
    if (bytes) {
        n = to == SL_LOWER ? ucasemap_utf8ToLower(map, bytes, room, t.s, (int32_t)t.n, &code)
                           : ucasemap_utf8ToUpper(map, bytes, room, t.s, (int32_t)t.n, &code);
    }
    ucasemap_close(map);
    if (!bytes || U_FAILURE(code)) return sl_oom(err);
    *out = sl_text_n(bytes, (size_t)n);
    return SL_OK;
}

sl_status sl_case_map(sl_text t, sl_case to, sl_arena *arena, sl_text *out, sl_error *err) {
    bool changes, ascii;
    look(t, to, &changes, &ascii);
    *out = t;
    if (!ascii) return map_by_icu(t, to, arena, out, err);
    if (!changes) return SL_OK;
    char *bytes = sl_arena_alloc(arena, t.n);
    if (!bytes) return sl_oom(err);
    for (uint32_t i = 0; i < t.n; i++) bytes[i] = ascii_mapped(t.s[i], to);
    *out = sl_text_n(bytes, t.n);
    return SL_OK;
}
