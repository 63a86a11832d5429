/* encoding.h: the encodings of text that readers take in; inside, everything is UTF-8.
 *
 * All are supersets of ASCII in which no other character contains an ASCII byte, so structure can be found before decoding. */
#ifndef SL_FORMATS_ENCODING_H
#define SL_FORMATS_ENCODING_H

#include "record/batch.h"

typedef enum sl_encoding { SL_UTF8, SL_ASCII, SL_LATIN1, SL_CP1252 } sl_encoding;

/* By any usual name, case and punctuation ignored. SL_E_PLAN names the ones there are. */
SL_MUST_CHECK sl_status sl_encoding_named(sl_text name, sl_encoding *out, sl_error *err);

/* Offset of the first byte that is no text in ENCODING (UTF-8 and ASCII only), or N. */
size_t sl_encoding_valid(sl_encoding encoding, const char *s, size_t n);

/* DATA as UTF-8: a new input with one reference, or NULL in *OUT when the bytes are UTF-8 as they stand. */
SL_MUST_CHECK sl_status sl_encoding_decode(sl_encoding encoding, const char *s, size_t n, sl_input **out, sl_error *err);

/* Where the bytes are no UTF-8: a new input in which each bad byte is U+FFFD instead; NULL in *OUT when they are. */
SL_MUST_CHECK sl_status sl_encoding_repair(const char *s, size_t n, sl_input **out, sl_error *err);

/* SL_E_DATA for a BYTE that is no text in ENCODING. */
sl_status sl_encoding_fail(sl_encoding encoding, char byte, sl_error *err);

/* Column (from 1, in characters) of S[at] in its line. */
uint64_t sl_column_of(const char *s, size_t at);
/* LF bytes in DATA[0, n). */
uint64_t sl_count_lf(const char *data, size_t n);

#endif
