/* sniff.c: which encoding a text is in. The order of evidence is that of browsers, as people have checked their files in those;
 * a guess comes last, and only where it is asked for or the text is HTML. */
#include "sources/stream/sniff.h"

#include <ctype.h>
#include <stdio.h>

#include "base/icu.h"
#include "base/unicode.h"
#include "sources/stream/transcode.h"

#define GUESS_MOST 65536 /* bytes that a guess is made from */

/* ---- marks ----------------------------------------------------------------------------------------------------- */

static const struct mark {
    const char *bytes;
    size_t n;
    const char *encoding;
} marks[] = {
    {"\xff\xfe\0\0", 4, "UTF-32LE"}, {"\0\0\xfe\xff", 4, "UTF-32BE"}, {"\xef\xbb\xbf", 3, ""},
    {"\xff\xfe", 2, "UTF-16LE"},     {"\xfe\xff", 2, "UTF-16BE"},     {"<\0\0\0", 4, "UTF-32LE"},
    {"\0\0\0<", 4, "UTF-32BE"},      {"<\0", 2, "UTF-16LE"},          {"\0<", 2, "UTF-16BE"},
};

static const struct mark *mark_of(const char *data, size_t n) {
    for (size_t i = 0; i < SL_COUNT(marks); i++)
        if (n >= marks[i].n && !memcmp(data, marks[i].bytes, marks[i].n)) return &marks[i];
    return NULL;
}

/* ---- declarations ---------------------------------------------------------------------------------------------- */

static bool is_name_byte(char c) {
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == ':' || c == '.';
}

static size_t skip_space(const char *s, size_t at, size_t n) {
    while (at < n && sl_ascii_space(s[at])) at++;
    return at;
}

static bool is_xml(const char *s, size_t n) {
    return n > 5 && !memcmp(s, "<?xml", 5) && sl_ascii_space(s[5]);
}

/* The value behind KEY= in S[0, n), quoted or not; empty: there is none. */
static sl_text value_of(const char *s, size_t n, const char *key) {
    for (size_t i = 0; i < n; i++) {
        if (!sl_text_begins_nocase(sl_text_n(s + i, n - i), key)) continue;
        size_t at = skip_space(s, i + strlen(key), n);
        if (at == n || s[at] != '=') continue;
        at = skip_space(s, at + 1, n);
        if (at < n && (s[at] == '"' || s[at] == '\'')) at++;
        size_t end = at;
        while (end < n && is_name_byte(s[end])) end++;
        return sl_text_n(s + at, end - at);
    }
    return (sl_text){0};
}

static sl_text in_meta(const char *s, size_t n) {
    for (size_t i = 0; i + 5 < n; i++) {
        if (s[i] != '<' || !sl_text_begins_nocase(sl_text_n(s + i, n - i), "<meta")) continue;
        const char *end = memchr(s + i, '>', n - i);
        sl_text found = value_of(s + i, end ? (size_t)(end - s) - i : n - i, "charset");
        if (found.n) return found;
    }
    return (sl_text){0};
}

static sl_text declared(const char *s, size_t n) {
    if (!is_xml(s, n)) return in_meta(s, n);
    const char *end = memchr(s, '>', n);
    return value_of(s, end ? (size_t)(end - s) : n, "encoding");
}

/* ---- deciding -------------------------------------------------------------------------------------------------- */

static sl_status is_known(sl_text name, bool *known, sl_error *err) {
    sl_transcode *t = NULL;
    *known = name.n > 0;
    if (sl_encoding_is_utf8(name)) return SL_OK;
    TRY(sl_library_open(&sl_icu_library, err));
    *known = sl_transcode_new(name, &t, NULL) == SL_OK;
    sl_transcode_free(&t);
    return SL_OK;
}

static bool is_wide(sl_text name) {
    return sl_text_begins_nocase(name, "utf-16") || sl_text_begins_nocase(name, "utf16") ||
           sl_text_begins_nocase(name, "utf-32") || sl_text_begins_nocase(name, "ucs");
}

/* Pages that call themselves Latin-1 mean the encoding of Windows, as browsers take it. */
static void take_name(sl_sniffed *out, sl_text name, bool page) {
    if (sl_encoding_is_utf8(name)) return;
    bool latin1 =
        sl_text_eq_nocase(name, SL_TEXT("iso-8859-1")) || sl_text_eq_nocase(name, SL_TEXT("latin1"));
    if (page && latin1) name = SL_TEXT("windows-1252");
    snprintf(out->name, sizeof out->name, "%.*s", (int)name.n, name.s);
}

/* The last character may be cut off by the end of what there is. */
static bool is_utf8(const char *s, size_t n) {
    size_t valid = sl_utf8_valid_prefix(s, n);
    return valid == n || (n - valid < 4 && (s[valid] & 0xc0) == 0xc0);
}

static sl_status guess_name(sl_sniffed *out, const char *s, size_t n, sl_error *err) {
    UErrorCode status = U_ZERO_ERROR;
    bool known = false;
    TRY(sl_library_open(&sl_icu_library, err));
    UCharsetDetector *detector = ucsdet_open(&status);
    if (U_FAILURE(status)) return SL_OK;
    ucsdet_setText(detector, s, (int32_t)(n < GUESS_MOST ? n : GUESS_MOST), &status);
    const UCharsetMatch *match = ucsdet_detect(detector, &status);
    const char *name = match ? ucsdet_getName(match, &status) : NULL;
    sl_status failed = U_SUCCESS(status) && name ? is_known(sl_text_of(name), &known, err) : SL_OK;
    if (known) {
        take_name(out, sl_text_of(name), true);
        out->guessed = true;
    }
    ucsdet_close(detector);
    return failed;
}

bool sl_sniff_enough(const char *data, size_t n) {
    if (n < 4) return false;
    const struct mark *mark = mark_of(data, n);
    if (mark || n >= SL_SNIFF_ENOUGH) return true;
    size_t at = skip_space(data, 0, n);
    if (at < n && data[at] != '<') return true;
    return is_xml(data, n) && memchr(data, '>', n);
}

sl_status sl_sniff(const char *data, size_t n, sl_text charset, bool guess, sl_sniffed *out, sl_error *err) {
    *out = (sl_sniffed){0};
    const struct mark *mark = mark_of(data, n);
    if (mark) {
        snprintf(out->name, sizeof out->name, "%s", mark->encoding);
        return SL_OK;
    }
    size_t at = skip_space(data, 0, n), head = n < SL_SNIFF_ENOUGH ? n : SL_SNIFF_ENOUGH;
    bool known = false, markup = at < n && data[at] == '<', page = markup && !is_xml(data, n);
    sl_text name = markup && at < head ? declared(data + at, head - at) : (sl_text){0};
    if (!is_wide(name)) TRY(is_known(name, &known, err)); /* it could not be read if it were wide */
    if (!known) TRY(is_known(name = charset, &known, err));
    if (known) take_name(out, name, page);
    if (known || !(guess || page) || is_utf8(data, n)) return SL_OK;
    return guess_name(out, data, n, err);
}
