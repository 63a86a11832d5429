/* casemap.c: upper, lower and title case. ASCII is mapped by hand, as nearly all text is ASCII and ICU is slow; anything else
 * is ICU's, which knows letters whose case depends on their neighbours. */
#include "operators/text/text.h"

#include "base/error.h"
#include "base/icu.h"
#include "base/unicode.h"

/* ---- ASCII -------------------------------------------------------------------------------------------------------------- */

static inline bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static inline bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

/* AFTER: whether a letter stands before C (title), or anything (capitalize). */
static inline char ascii_mapped(char c, sl_case to, bool after) {
    bool up = to == SL_UPPER || to == SL_SWAPCASE || (to > SL_UPPER && !after);
    bool down = to == SL_LOWER || to == SL_SWAPCASE || (to > SL_UPPER && after);
    if (up && is_lower(c)) return (char)(c - 32);
    if (down && is_upper(c)) return (char)(c + 32);
    return c;
}

static inline bool next_after(char c, sl_case to) {
    return to == SL_CAPITALIZE || is_upper(c) || is_lower(c);
}

/* What a look at the bytes tells: nothing to do, ASCII only, or ICU's work. */
static void look(sl_text t, sl_case to, bool *changes, bool *ascii) {
    bool after = false;
    *changes = false;
    *ascii = true;
    for (uint32_t i = 0; i < t.n; i++) {
        *ascii = *ascii && !(t.s[i] & 0x80);
        *changes = *changes || ascii_mapped(t.s[i], to, after) != t.s[i];
        after = next_after(t.s[i], to);
    }
}

static sl_status map_ascii(sl_text t, sl_case to, sl_arena *arena, sl_text *out, sl_error *err) {
    bool after = false;
    char *bytes = sl_arena_alloc(arena, t.n);
    if (!bytes) return sl_oom(err);
    for (uint32_t i = 0; i < t.n; i++) {
        bytes[i] = ascii_mapped(t.s[i], to, after);
        after = next_after(t.s[i], to);
    }
    *out = sl_text_n(bytes, t.n);
    return SL_OK;
}

/* ---- anything else ------------------------------------------------------------------------------------------------------- */

/* A text under construction, in room for it all: no mapping makes UTF-8 more than three times as long. */
typedef struct mapper {
    UCaseMap *map;
    char *bytes;
    int32_t n, room;
    UErrorCode code;
} mapper;

enum { MORE = 16 };

/* Appends T in upper or lower case, or in title case where it is one character. */
static void map_part(mapper *m, sl_text t, sl_case to) {
    char *at = m->bytes + m->n;
    int32_t room = m->room - m->n, n = (int32_t)t.n;
    if (!n || U_FAILURE(m->code)) return;
    if (to == SL_LOWER)
        m->n += ucasemap_utf8ToLower(m->map, at, room, t.s, n, &m->code);
    else if (to == SL_UPPER)
        m->n += ucasemap_utf8ToUpper(m->map, at, room, t.s, n, &m->code);
    else
        m->n += ucasemap_utf8ToTitle(m->map, at, room, t.s, n, &m->code);
    if (m->n > m->room) m->n = m->room;
}

/* The character at byte AT, as a text; bytes that are no UTF-8 are characters of their own, without a case. */
static sl_text character(sl_text t, uint32_t at, uint32_t *code) {
    unsigned n = sl_utf8_decode(t.s + at, t.n - at, code);
    if (!n) *code = 0xfffd;
    return (sl_text){t.s + at, n ? n : 1};
}

/* Appends RUN with its first character in title case. The rest is lower case as it stands behind the first: a final sigma looks
 * back. */
static void map_run(mapper *m, sl_text run) {
    uint32_t code;
    int32_t start = m->n;
    if (!run.n) return;
    sl_text first = character(run, 0, &code);
    map_part(m, first, SL_LOWER);
    int32_t drop = m->n - start;
    m->n = start;
    map_part(m, first, SL_TITLE);
    int32_t title_end = m->n;
    map_part(m, run, SL_LOWER);
    if (U_FAILURE(m->code)) return;
    memmove(m->bytes + title_end, m->bytes + title_end + drop, (size_t)(m->n - title_end - drop));
    m->n -= drop;
}

static void copy_part(mapper *m, sl_text t) {
    if (U_FAILURE(m->code) || t.n > (uint32_t)(m->room - m->n)) return;
    memcpy(m->bytes + m->n, t.s, t.n);
    m->n += (int32_t)t.n;
}

static void map_title(mapper *m, sl_text t) {
    uint32_t run = 0, at = 0;
    bool in_run = false;
    while (at < t.n) {
        uint32_t code;
        sl_text c = character(t, at, &code);
        bool cased = u_hasBinaryProperty((UChar32)code, UCHAR_CASED);
        if (cased && !in_run) run = at;
        if (!cased && in_run) map_run(m, (sl_text){t.s + run, at - run});
        if (!cased) copy_part(m, c);
        in_run = cased;
        at += c.n;
    }
    if (in_run) map_run(m, (sl_text){t.s + run, t.n - run});
}

static void map_swapped(mapper *m, sl_text t) {
    for (uint32_t at = 0; at < t.n;) {
        uint32_t code;
        sl_text c = character(t, at, &code);
        if (u_hasBinaryProperty((UChar32)code, UCHAR_UPPERCASE))
            map_part(m, c, SL_LOWER);
        else if (u_hasBinaryProperty((UChar32)code, UCHAR_LOWERCASE))
            map_part(m, c, SL_UPPER);
        else
            copy_part(m, c);
        at += c.n;
    }
}

static sl_status map_by_icu(sl_text t, sl_case to, sl_arena *arena, sl_text *out, sl_error *err) {
    mapper m = {.code = U_ZERO_ERROR};
    TRY(sl_library_open(&sl_icu_library, err));
    if (t.n > INT32_MAX / 8) return sl_fail(err, SL_E_MEMORY, "the text is too long");
    m.room = (int32_t)t.n * (to > SL_UPPER ? 6 : 3) + MORE; /* a run is there twice for a moment */
    m.bytes = sl_arena_alloc(arena, (size_t)m.room);
    m.map = ucasemap_open("", U_TITLECASE_WHOLE_STRING | U_TITLECASE_NO_BREAK_ADJUSTMENT, &m.code);
    if (m.bytes && m.map && U_SUCCESS(m.code)) {
        if (to == SL_TITLE)
            map_title(&m, t);
        else if (to == SL_CAPITALIZE)
            map_run(&m, t);
        else if (to == SL_SWAPCASE)
            map_swapped(&m, t);
        else
            map_part(&m, t, to);
    }
    ucasemap_close(m.map);
    if (!m.bytes || U_FAILURE(m.code)) return sl_oom(err);
    *out = sl_text_n(m.bytes, (size_t)m.n);
    return SL_OK;
}

sl_status sl_case_map(sl_text t, sl_case to, sl_arena *arena, sl_text *out, sl_error *err) {
    bool changes, ascii;
    look(t, to, &changes, &ascii);
    *out = t;
    if (!ascii) return map_by_icu(t, to, arena, out, err);
    return changes ? map_ascii(t, to, arena, out, err) : SL_OK;
}
