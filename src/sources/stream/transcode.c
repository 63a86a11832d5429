/* transcode.c: any encoding to UTF-8, by ICU, in steps of any size. ICU replaces what it cannot convert, or stops behind it;
 * the offset of the bad byte is worked out here, since a message without a place is of little use. */
#include "sources/stream/transcode.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/icu.h"
#include "base/unicode.h"

enum { NAME_MOST = 48, UNITS = 4096, UTF8_PER_UNIT = 3 };

struct sl_transcode {
    UConverter *from;
    char name[NAME_MOST];
    uint64_t at; /* bytes converted, for messages */
    UChar lead;  /* first half of a pair whose second has not come; 0: none */
    bool bad;    /* the next byte, bad_byte, is no text */
    bool stray;  /* the next character is half of a pair */
    bool lenient, finished;
    unsigned char bad_byte;
    UChar units[UNITS];
};

/* Names of Python that ICU has no alias for. */
static const struct alias {
    const char *name, *icu;
} aliases[] = {
    {"latin-9", "ISO-8859-15"}, {"l9", "ISO-8859-15"},         {"mac-roman", "macintosh"},
    {"macroman", "macintosh"},  {"windows1252", "CP1252"},     {"windows1251", "CP1251"},
    {"windows1250", "CP1250"},  {"iso8859_15", "ISO-8859-15"}, {"eucjp", "EUC-JP"},
};

bool sl_encoding_is_utf8(sl_text encoding) {
    static const char *const names[] = {"utf-8",     "utf8",  "utf_8",   "utf-8-sig",
                                        "utf_8_sig", "ascii", "us-ascii"};
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        if (sl_text_eq_nocase(encoding, sl_text_of(names[i]))) return true;
    }
    return encoding.n == 0;
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

/* What is no plain name could lead ICU to a file of tables. */
static bool is_name(sl_text t) {
    for (uint32_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.s[i];
        if (!isalnum(c) && c != '-' && c != '_' && c != ':') return false;
    }
    return t.n > 0 && t.n < NAME_MOST;
}

static UConverter *open_converter(const char *name) {
    UErrorCode status = U_ZERO_ERROR;
    for (size_t i = 0; i < SL_COUNT(aliases); i++)
        if (sl_text_eq_nocase(sl_text_of(name), sl_text_of(aliases[i].name))) name = aliases[i].icu;
    UConverter *made = ucnv_open(name, &status);
    if (U_FAILURE(status)) return NULL;
    ucnv_setToUCallBack(made, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &status);
    if (U_SUCCESS(status)) return made;
    ucnv_close(made);
    return NULL;
}

sl_status sl_transcode_new(sl_text encoding, sl_transcode **out, sl_error *err) {
    TRY(sl_library_open(&sl_icu_library, err));
    sl_transcode *t = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    if (is_name(encoding)) {
        memcpy(t->name, encoding.s, encoding.n);
        t->from = open_converter(t->name);
    }
    if (t->from) {
        *out = t;
        return SL_OK;
    }
    free(t);
    return sl_fail(err, SL_E_PLAN,
                   "unknown encoding '%.*s'; utf-8, latin-1, cp1252, utf-16 are some that are known",
                   (int)(encoding.n < NAME_MOST ? encoding.n : NAME_MOST), encoding.s);
}

const char *sl_transcode_name(const sl_transcode *t) {
    return t->name;
}

void sl_transcode_free(sl_transcode **t) {
    if (!*t) return;
    ucnv_close((*t)->from);
    free(*t);
    *t = NULL;
}

/* ICU's own function of the kind puts U+001A for single bytes. */
static void U_CALLCONV replace(const void *context, UConverterToUnicodeArgs *args, const char *bytes,
                               int32_t n, UConverterCallbackReason reason, UErrorCode *status) {
    static const UChar replacement = 0xfffd;
    (void)context, (void)bytes, (void)n;
    if (reason > UCNV_IRREGULAR) return;
    *status = U_ZERO_ERROR;
    ucnv_cbToUWriteUChars(args, &replacement, 1, 0, status);
}

void sl_transcode_lenient(sl_transcode *t) {
    UErrorCode status = U_ZERO_ERROR;
    ucnv_setToUCallBack(t->from, replace, NULL, NULL, NULL, &status);
    t->lenient = true;
}

/* ---- converting ------------------------------------------------------------------------------------------------ */

/* Half of a pair alone, which UTF-7 and its kin can spell. */
static unsigned put_stray(sl_transcode *t, char *out) {
    if (t->lenient) return sl_utf8_encode(0xfffd, out);
    t->stray = true;
    return 0;
}

/* Up to the first stray half, if that is an error. */
static size_t put_units(sl_transcode *t, size_t n, char *out) {
    char *o = out;
    for (size_t i = 0; i < n && !t->stray; i++) {
        UChar u = t->units[i], lead = t->lead;
        t->lead = 0;
        if (lead && U16_IS_TRAIL(u)) {
            o += sl_utf8_encode((uint32_t)U16_GET_SUPPLEMENTARY(lead, u), o);
            continue;
        }
        if (lead) o += put_stray(t, o);
        if (t->stray) break;
        if (u < 0x80)
            *o++ = (char)u;
        else if (U16_IS_LEAD(u))
            t->lead = u;
        else
            o += U16_IS_TRAIL(u) ? put_stray(t, o) : sl_utf8_encode(u, o);
    }
    return (size_t)(o - out);
}

/* ICU has taken the bytes that are no text, those of them that came before included. */
static void note_bad(sl_transcode *t) {
    UErrorCode status = U_ZERO_ERROR;
    char bytes[32];
    int8_t n = sizeof bytes;
    ucnv_getInvalidChars(t->from, bytes, &n, &status);
    if (U_FAILURE(status) || n < 1) n = 0;
    t->bad = true;
    t->bad_byte = n ? (unsigned char)bytes[0] : 0;
    int32_t again = ucnv_toUCountPending(t->from, &status); /* taken, but to be looked at once more */
    t->at -= (uint64_t)n + (uint64_t)(U_SUCCESS(status) && again > 0 ? again : 0);
}

sl_status sl_transcode_run(sl_transcode *t, const char **in, size_t *n, char *out, size_t cap, size_t *made,
                           sl_error *err) {
    UErrorCode status = U_ZERO_ERROR;
    UChar *to = t->units;
    size_t room = cap / UTF8_PER_UNIT - 1; /* one for a half that waits */
    const char *from = *in;
    *made = 0;
    if (!t->bad && !t->stray) {
        ucnv_toUnicode(t->from, &to, to + (room < UNITS ? room : UNITS), in, *in + *n, NULL, false, &status);
        t->at += (uint64_t)(*in - from);
        *n -= (size_t)(*in - from);
        if (U_FAILURE(status) && status != U_BUFFER_OVERFLOW_ERROR) note_bad(t);
        *made = put_units(t, (size_t)(to - t->units), out);
    }
    if ((!t->bad && !t->stray) || *made) return SL_OK; /* what comes before is good */
    if (t->stray)
        return sl_fail(err, SL_E_DATA, "half of a surrogate pair, before offset %llu, is not %s text",
                       (unsigned long long)t->at, t->name);
    return sl_fail(err, SL_E_DATA, "byte 0x%02x at offset %llu is not %s text", t->bad_byte,
                   (unsigned long long)t->at, t->name);
}

sl_status sl_transcode_finish(sl_transcode *t, char *out, size_t *made, sl_error *err) {
    UErrorCode status = U_ZERO_ERROR;
    bool whole = !t->lead && ucnv_toUCountPending(t->from, &status) == 0;
    *made = 0;
    if (whole || t->finished) return SL_OK;
    if (!t->lenient) return sl_fail(err, SL_E_DATA, "the last character is cut off");
    t->finished = true;
    *made = sl_utf8_encode(0xfffd, out);
    return SL_OK;
}
