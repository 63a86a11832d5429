/* unicode.h: the little UTF-8 that every room needs. Case mapping and transliteration are ICU's. */
#ifndef SL_BASE_UNICODE_H
#define SL_BASE_UNICODE_H

#include "base/text.h"

/* Bytes of the valid sequence at S (at most N bytes), 0 when it is not valid UTF-8 (overlong forms, surrogates and
 * values above U+10FFFF are not). *CODE gets the code point. */
unsigned sl_utf8_decode(const char *s, size_t n, uint32_t *code);

/* Writes 1 to 4 bytes; CODE must be a valid scalar value. Returns how many. */
unsigned sl_utf8_encode(uint32_t code, char out[4]);

/* Offset of the first byte that is not valid UTF-8, or N. Vectorised over ASCII. */
size_t sl_utf8_valid_prefix(const char *s, size_t n);

/* Code points in a valid text. */
uint32_t sl_utf8_length(sl_text t);

/* Byte offset of code point INDEX (at most t.n). */
uint32_t sl_utf8_offset(sl_text t, uint32_t index);

/* White space: Unicode's, and the separators 0x1c to 0x1f, as Python has it. */
bool sl_is_space(uint32_t code);
/* T without white space at both ends. */
sl_text sl_utf8_strip(sl_text t);

#endif
