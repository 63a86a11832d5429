#include "sources/transcode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <iconv.h>

#include "base/error.h"

struct sl_transcode {
    iconv_t cd;
    char name[48];
    uint64_t at; /* bytes converted, for messages */
};

/* Names that differ between Python and iconv only by hyphens and case; the rest iconv knows itself. */
static const struct alias {
    const char *name, *iconv;
} aliases[] = {
    {"latin-1", "ISO-8859-1"},  {"latin_1", "ISO-8859-1"},     {"iso8859_1", "ISO-8859-1"},
    {"latin-9", "ISO-8859-15"}, {"iso8859_15", "ISO-8859-15"}, {"windows_1252", "CP1252"},
    {"utf_16", "UTF-16"},       {"utf_32", "UTF-32"},
};

bool sl_encoding_is_utf8(sl_text encoding) {
    static const char *const names[] = {"utf-8",     "utf8",  "utf_8",   "utf-8-sig",
                                        "utf_8_sig", "ascii", "us-ascii"};
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        if (sl_text_eq_nocase(encoding, sl_text_of(names[i]))) return true;
    }
    return encoding.n == 0;
}

sl_status sl_transcode_new(sl_text encoding, sl_transcode **out, sl_error *err) {
    sl_transcode *t = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    const char *from = t->name;
    snprintf(t->name, sizeof t->name, "%.*s", (int)encoding.n, encoding.s);
    for (size_t i = 0; i < SL_COUNT(aliases); i++) {
        if (sl_text_eq_nocase(encoding, sl_text_of(aliases[i].name))) from = aliases[i].iconv;
    }
    t->cd = iconv_open("UTF-8", from);
    if (t->cd == (iconv_t)-1) {
        sl_status status =
            sl_fail(err, SL_E_PLAN,
                    "unknown encoding '%s'; utf-8, latin-1, cp1252, utf-16 are some that are known", t->name);
        free(t);
        return status;
    }
    *out = t;
    return SL_OK;
}

void sl_transcode_free(sl_transcode **t) {
    if (!*t) return;
    iconv_close((*t)->cd);
    free(*t);
    *t = NULL;
}

sl_status sl_transcode_run(sl_transcode *t, const char **in, size_t *n, char *out, size_t cap, size_t *made,
                           sl_error *err) {
    char *from = (char *)(uintptr_t)*in, *to = out;
    size_t left = *n, room = cap;
    size_t rc = iconv(t->cd, &from, &left, &to, &room);
    int why = rc == (size_t)-1 ? errno : 0;
    t->at += *n - left;
    *in += *n - left;
    *n = left;
    *made = cap - room;
    if (why != EILSEQ || *made) return SL_OK; /* what comes before the bad byte is good */
    return sl_fail(err, SL_E_DATA, "byte 0x%02x at offset %llu is not %s text", (unsigned)(unsigned char)**in,
                   (unsigned long long)t->at, t->name);
}
