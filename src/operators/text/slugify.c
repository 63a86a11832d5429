/* slugify: a text as it may stand in a URL.
 *
 * A text of ASCII without a & is cleaned in one pass. Anything else goes through up to three steps before: transliteration,
 * character references, decomposition. */
#include <stdlib.h>

#include "base/error.h"
#include "base/unicode.h"
#include "formats/xml/xml.h"
#include "operators/text/latin.h"
#include "plan/pipe.h"

typedef struct conf {
    sl_text separator;
} conf;

typedef struct slugger { /* a worker's own */
    sl_latin *latin;
    sl_buf text, next;
} slugger;

static bool is_alnum(char c) {
    return sl_ascii_digit(c) || sl_ascii_letter(c);
}

/* ---- cleaning ------------------------------------------------------------------------------------------------------------ */

/* Whether the comma at AT stands between two digits: LAST before it, and the next that is no quote. */
static bool joins_digits(sl_text t, uint32_t at, char last, bool drop_quotes) {
    do at++;
    while (drop_quotes && at < t.n && t.s[at] == '\'');
    return sl_ascii_digit(last) && at < t.n && sl_ascii_digit(t.s[at]);
}

/* T in lower case, SEPARATOR in place of every run of anything but letters and digits, none at the ends. Quotes count as such, or
 * vanish with DROP_QUOTES; commas between digits vanish. */
static sl_status clean(sl_text t, bool drop_quotes, sl_text separator, sl_arena *arena, sl_text *out,
                       sl_error *err) {
    uint64_t room = t.n + ((uint64_t)t.n / 2 + 1) * separator.n;
    bool gap = false;
    char last = 0;
    char *bytes = room <= UINT32_MAX ? sl_arena_alloc(arena, room) : NULL, *at = bytes;
    if (!bytes) return sl_oom(err);
    for (uint32_t i = 0; i < t.n; i++) {
        char c = t.s[i];
        if (drop_quotes && c == '\'') continue;
        bool dropped = c == ',' && joins_digits(t, i, last, drop_quotes);
        last = c;
        if (dropped) continue;
        if (!is_alnum(c)) {
            gap = true;
            continue;
        }
        if (gap && at > bytes && separator.n) at = (char *)memcpy(at, separator.s, separator.n) + separator.n;
        gap = false;
        *at++ = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
    }
    *out = sl_text_n(bytes, (size_t)(at - bytes));
    return SL_OK;
}

/* ---- character references ------------------------------------------------------------------------------------------------- */

/* UTF-8 of the reference whose NAME stands between & and ;, in OUT; 0: it is not a reference. */
static unsigned named(sl_text name, char out[4]) {
    return sl_xml_html_entity(name, out);
}

static unsigned numbered(sl_text name, char out[4]) {
    bool hex = name.n > 1 && name.s[0] == '#' && name.s[1] == 'x';
    uint32_t code = 0, i = hex ? 2 : 1;
    if (name.n <= i || name.s[0] != '#') return 0;
    for (; i < name.n; i++) {
        char c = name.s[i];
        bool letter = hex && (c | 32) >= 'a' && (c | 32) <= 'f';
        if (!sl_ascii_digit(c) && !letter) return 0;
        code = code * (hex ? 16 : 10) + (uint32_t)(letter ? (c | 32) - 'a' + 10 : c - '0');
        if (code > 0x10ffff) return 0;
    }
    return sl_utf8_encode(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code, out);
}

enum { LONGEST_NAME = 16 };

/* Appends T with the references that MEANING knows as their characters. */
static void decode(sl_text t, unsigned (*meaning)(sl_text, char[4]), sl_buf *out) {
    for (uint32_t i = 0; i < t.n; i++) {
        char bytes[4];
        uint32_t most = t.n - i - 1 < LONGEST_NAME ? t.n - i - 1 : LONGEST_NAME;
        const char *from = t.s + i + 1, *end = t.s[i] == '&' ? memchr(from, ';', most) : NULL;
        unsigned n = end ? meaning(sl_text_n(from, (size_t)(end - from)), bytes) : 0;
        sl_buf_add(out, n ? bytes : t.s + i, n ? n : 1);
        if (n) i = (uint32_t)(end - t.s);
    }
}

/* ---- all steps ------------------------------------------------------------------------------------------------------------ */

static sl_text view(const sl_buf *b) {
    return sl_text_n(b->data ? b->data : "", b->len);
}

/* What was made of S->text into S->next becomes the text. */
static sl_status advance(slugger *s, sl_error *err) {
    sl_buf made = s->next;
    s->next = s->text;
    s->text = made;
    sl_buf_clear(&s->next);
    return sl_buf_check(&s->text, err);
}

static bool is_ascii(sl_text t) {
    uint32_t i = 0;
    while (i < t.n && !(t.s[i] & 0x80)) i++;
    return i == t.n;
}

/* A copy in which quotes are dashes: those that come up later vanish. */
static void copy_text(sl_text t, sl_buf *out) {
    sl_buf_clear(out);
    sl_buf_text(out, t);
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] == '\'') out->data[i] = '-';
}

static sl_status make_ascii(slugger *s, sl_text t, sl_error *err) {
    copy_text(t, &s->text);
    sl_buf_clear(&s->next);
    TRY(sl_buf_check(&s->text, err));
    if (!is_ascii(view(&s->text))) {
        TRY(sl_latin_append(s->latin, view(&s->text), &s->next, err));
        TRY(advance(s, err));
    }
    if (s->text.len && memchr(s->text.data, '&', s->text.len)) {
        TRY(sl_xml_library(err));
        decode(view(&s->text), named, &s->next);
        TRY(advance(s, err));
        decode(view(&s->text), numbered, &s->next);
        TRY(advance(s, err));
    }
    if (is_ascii(view(&s->text))) return SL_OK;
    TRY(sl_latin_decompose(s->latin, view(&s->text), &s->next, err));
    return advance(s, err);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    slugger *s = state;
    sl_text t = sl_bytes(field);
    (void)item;
    bool simple = is_ascii(t) && !(t.n && memchr(t.s, '&', t.n));
    if (!simple) {
        TRY(make_ascii(s, t, err));
        t = view(&s->text);
    }
    TRY(clean(t, !simple, c->separator, sl_results_arena(results), &t, err));
    return sl_result(results, sl_text_value(t), err);
}

static sl_status start(const void *vconf, void **state, sl_error *err) {
    (void)vconf;
    slugger *s = *state = calloc(1, sizeof *s);
    if (s) s->latin = sl_latin_new();
    return s && s->latin ? SL_OK : sl_oom(err);
}

static void stop(void *state) {
    slugger *s = state;
    sl_latin_free(&s->latin);
    sl_buf_free(&s->text);
    sl_buf_free(&s->next);
    free(s);
}

static const sl_option options[] = {
    {.name = "separator",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, separator),
     .fallback = "-",
     .help = "what stands between words; may be empty"},
    {0},
};

const sl_pipe sl_pipe_slugify = {
    .name = "slugify",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Makes a slug of a text: lower-case letters and digits with dashes between the words",
    .details = "Other scripts are written in Latin letters, accents are left out, character references "
               "(&eacute; &#233; "
               "&#xe9;) are decoded. Every run of other characters becomes one separator, none stands at the "
               "ends; a comma "
               "between two digits is left out.\n"
               "Cyrillic is spelled as usual in English, everything else as ICU's transliterators read it: "
               "Chinese in "
               "pinyin.",
    .example = "itembuilder attrs.key=content attrs.value=\"Crème brûlée & more\" | slugify",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "separator",
    .flags = SL_PIPE_STEADY,
    .field = "content",
    .cast = SL_CAST_TEXT,
    .start = start,
    .stop = stop,
    .each = each,
};
