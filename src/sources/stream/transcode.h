/* transcode.h: text of another encoding to UTF-8, step by step, by ICU. Bytes that stand for nothing in it are
 * SL_E_DATA with their offset; a lenient converter puts U+FFFD in their place. Thread rule: one thread at a time. */
#ifndef SL_SOURCES_STREAM_TRANSCODE_H
#define SL_SOURCES_STREAM_TRANSCODE_H

#include "base/status.h"
#include "base/text.h"

typedef struct sl_transcode sl_transcode;

/* True for the names of UTF-8 (and ASCII, and nothing at all): no conversion is needed. */
bool sl_encoding_is_utf8(sl_text encoding);

/* SL_E_PLAN when the encoding is not known. Names as in Python, HTTP or ICU, case and hyphens ignored: latin-1, cp1252,
 * utf-16 ... */
SL_MUST_CHECK sl_status sl_transcode_new(sl_text encoding, sl_transcode **out, sl_error *err);
/* The encoding, as it was given. */
const char *sl_transcode_name(const sl_transcode *t);
void sl_transcode_free(sl_transcode **t); /* NULL-safe */

/* From now on bad bytes are replaced. */
void sl_transcode_lenient(sl_transcode *t);

/* Takes from *IN (advancing it and *N), puts up to CAP (at least 16) bytes to OUT. All is taken that there is room for; the
 * beginning of a character is kept here. */
SL_MUST_CHECK sl_status sl_transcode_run(sl_transcode *t, const char **in, size_t *n, char *out, size_t cap, size_t *made,
                                         sl_error *err);

/* No more bytes follow: SL_E_DATA when they end within a character, which a lenient converter puts U+FFFD for, once. */
SL_MUST_CHECK sl_status sl_transcode_finish(sl_transcode *t, char *out, size_t *made, sl_error *err);

#endif
