/* latin.c: Latin letters for any script. Making a transliterator of ICU takes longer than most texts do, so they are made on
 * demand, and what ICU makes of a common letter is kept in a table. */
#include "operators/text/latin.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/icu.h"
#include "base/unicode.h"

enum { CACHED = 512, CACHED_BYTES = 7 };

/* What ICU makes of one character. */
typedef struct letter {
    char text[CACHED_BYTES];
    uint8_t n; /* 0: nothing, or no ASCII */
    bool asked;
} letter;

struct sl_latin {
    UTransliterator *any; /* NULL until needed */
    letter cache[CACHED];
    UChar *from, *to; /* room for a text in UTF-16, before and after */
    int32_t room_from, room_to;
    sl_buf spelled; /* the text with what the table knows */
};

enum { LONGEST = 16 << 20, GROWTH = 8, MORE = 64 };

/* ---- by table ------------------------------------------------------------------------------------------------------------ */

enum { FIRST_CYRILLIC = 0x400, LAST_CYRILLIC = 0x45f, EURO = 0x20ac };

static const char *const cyrillic[] = {
    "Ie", "Io", "Dj", "Gj", "Ie", "Dz", "I",  "Yi", "J",  "Lj",   "Nj", "Tsh", "Kj", "I", "U",  "Dzh",
    "A",  "B",  "V",  "G",  "D",  "E",  "Zh", "Z",  "I",  "I",    "K",  "L",   "M",  "N", "O",  "P",
    "R",  "S",  "T",  "U",  "F",  "Kh", "Ts", "Ch", "Sh", "Shch", "",   "Y",   "",   "E", "Iu", "Ia",
    "a",  "b",  "v",  "g",  "d",  "e",  "zh", "z",  "i",  "i",    "k",  "l",   "m",  "n", "o",  "p",
    "r",  "s",  "t",  "u",  "f",  "kh", "ts", "ch", "sh", "shch", "",   "y",   "",   "e", "iu", "ia",
    "ie", "io", "dj", "gj", "ie", "dz", "i",  "yi", "j",  "lj",   "nj", "tsh", "kj", "i", "u",  "dzh",
};

_Static_assert(SL_COUNT(cyrillic) == LAST_CYRILLIC - FIRST_CYRILLIC + 1, "a spelling for every letter");

static const char *spelling(uint32_t code) {
    if (code >= FIRST_CYRILLIC && code <= LAST_CYRILLIC) return cyrillic[code - FIRST_CYRILLIC];
    return code == EURO ? "EUR" : NULL;
}

/* The place of CODE in the cache, or -1: European letters, and dashes and quotes, whose spelling does not depend on what stands
 * beside them. */
static int cache_place(uint32_t code) {
    const int letters = 0x250 - 0x80;
    if (code >= 0x80 && code < 0x250) return (int)code - 0x80;
    return code >= 0x2010 && code < 0x2040 ? letters + (int)code - 0x2010 : -1;
}

/* ---- by ICU -------------------------------------------------------------------------------------------------------------- */

sl_latin *sl_latin_new(void) {
    return calloc(1, sizeof(sl_latin));
}

void sl_latin_free(sl_latin **lp) {
    sl_latin *l = *lp;
    if (!l) return;
    if (l->any) utrans_close(l->any);
    free(l->from);
    free(l->to);
    sl_buf_free(&l->spelled);
    free(l);
    *lp = NULL;
}

static bool make_room(UChar **chars, int32_t *room, int32_t need) {
    if (need <= *room) return true;
    free(*chars);
    *chars = malloc((size_t)need * sizeof **chars);
    *room = *chars ? need : 0;
    return *chars != NULL;
}

static sl_status read_utf8(sl_latin *l, sl_text t, int32_t room, int32_t *n, sl_error *err) {
    UErrorCode code = U_ZERO_ERROR;
    if (t.n > LONGEST)
        return sl_fail(err, SL_E_DATA, "the text has %u bytes; at most %d can be transliterated", t.n,
                       LONGEST);
    if (room < (int32_t)t.n + MORE) room = (int32_t)t.n + MORE;
    if (!make_room(&l->from, &l->room_from, room)) return sl_oom(err);
    u_strFromUTF8WithSub(l->from, l->room_from, n, t.s, (int32_t)t.n, 0xfffd, NULL, &code);
    return U_SUCCESS(code) ? SL_OK : sl_oom(err);
}

static sl_status append_utf16(const UChar *s, int32_t n, sl_buf *out, sl_error *err) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t bytes = 0, room = 3 * n + 1;
    if (!sl_buf_reserve(out, (size_t)room)) return sl_buf_check(out, err);
    u_strToUTF8(out->data + out->len, room, &bytes, s, n, &code);
    if (U_FAILURE(code)) return sl_oom(err);
    out->len += (size_t)bytes;
    return SL_OK;
}

static sl_status open_any(sl_latin *l, sl_error *err) {
    static const char id[] = "Any-Latin; Latin-ASCII";
    UChar wide[sizeof id];
    UErrorCode code = U_ZERO_ERROR;
    if (l->any) return SL_OK;
    TRY(sl_library_open(&sl_icu_library, err));
    u_uastrcpy(wide, id);
    l->any = utrans_openU(wide, -1, UTRANS_FORWARD, NULL, 0, NULL, &code);
    if (code == U_MEMORY_ALLOCATION_ERROR) return sl_oom(err);
    if (U_SUCCESS(code)) return SL_OK;
    return sl_fail(err, SL_E_IO, "ICU has no transliterator %s (%s); its data files are not complete", id,
                   u_errorName(code));
}

/* ICU works in place and says how much room it lacks; then the text is read anew. */
static sl_status transliterate(sl_latin *l, sl_text t, sl_buf *out, sl_error *err) {
    int32_t room = 0;
    TRY(open_any(l, err));
    for (;;) {
        int32_t n = 0, limit;
        UErrorCode code = U_ZERO_ERROR;
        TRY(read_utf8(l, t, room, &n, err));
        limit = n;
        utrans_transUChars(l->any, l->from, &n, l->room_from, 0, &limit, &code);
        if (U_SUCCESS(code)) return append_utf16(l->from, n, out, err);
        if (code != U_BUFFER_OVERFLOW_ERROR || room > GROWTH * LONGEST) return sl_oom(err);
        room = (n > room ? n : 2 * room) + MORE;
    }
}

/* ---- both ---------------------------------------------------------------------------------------------------------------- */

static sl_status ask(sl_latin *l, sl_text c, letter *to, sl_error *err) {
    sl_buf text = {0};
    sl_status status = transliterate(l, c, &text, err);
    bool plain = text.len <= CACHED_BYTES;
    for (size_t i = 0; i < text.len; i++) plain = plain && !(text.data[i] & 0x80);
    if (status == SL_OK && plain && text.len) memcpy(to->text, text.data, text.len);
    to->n = plain ? (uint8_t)text.len : 0;
    to->asked = status == SL_OK;
    sl_buf_free(&text);
    return status;
}

/* What is kept of C, the character CODE; NULL: nothing that would do. */
static sl_status kept(sl_latin *l, sl_text c, uint32_t code, const letter **out, sl_error *err) {
    int place = cache_place(code);
    *out = NULL;
    if (place < 0) return SL_OK;
    if (!l->cache[place].asked) TRY(ask(l, c, &l->cache[place], err));
    if (l->cache[place].n) *out = &l->cache[place];
    return SL_OK;
}

/* Appends T with what the table and the cache know spelled out; *ASCII: nothing else is left. */
static sl_status spell(sl_latin *l, sl_text t, sl_buf *out, bool *ascii, sl_error *err) {
    *ascii = true;
    for (uint32_t at = 0; at < t.n;) {
        uint32_t code = 0;
        unsigned n = sl_utf8_decode(t.s + at, t.n - at, &code);
        const char *known = n ? spelling(code) : NULL;
        const letter *of = NULL;
        if (!known && code >= 0x80) TRY(kept(l, (sl_text){t.s + at, n}, code, &of, err));
        *ascii = *ascii && (known || of || (n && code < 0x80));
        if (known)
            sl_buf_str(out, known);
        else if (of)
            sl_buf_add(out, of->text, of->n);
        else
            sl_buf_add(out, t.s + at, n ? n : 1);
        at += n ? n : 1;
    }
    return sl_buf_check(out, err);
}

sl_status sl_latin_append(sl_latin *l, sl_text t, sl_buf *out, sl_error *err) {
    bool ascii;
    sl_buf_clear(&l->spelled);
    TRY(spell(l, t, &l->spelled, &ascii, err));
    sl_text spelled = sl_text_n(l->spelled.data ? l->spelled.data : "", l->spelled.len);
    if (!ascii) return transliterate(l, spelled, out, err);
    sl_buf_text(out, spelled);
    return sl_buf_check(out, err);
}

sl_status sl_latin_decompose(sl_latin *l, sl_text t, sl_buf *out, sl_error *err) {
    UErrorCode code = U_ZERO_ERROR;
    TRY(sl_library_open(&sl_icu_library, err));
    const UNormalizer2 *form = unorm2_getNFKDInstance(&code);
    int32_t n, need;
    if (U_FAILURE(code)) return sl_oom(err);
    TRY(read_utf8(l, t, 0, &n, err));
    need = unorm2_normalize(form, l->from, n, l->to, l->room_to, &code);
    if (code == U_BUFFER_OVERFLOW_ERROR) {
        code = U_ZERO_ERROR;
        if (!make_room(&l->to, &l->room_to, need + MORE)) return sl_oom(err);
        need = unorm2_normalize(form, l->from, n, l->to, l->room_to, &code);
    }
    return U_SUCCESS(code) ? append_utf16(l->to, need, out, err) : sl_oom(err);
}
