/* sniff.h: which encoding a text is in, by how it begins. In this order:
 *
 *     a byte-order mark; zero bytes around the '<' of markup       utf-16, utf-32
 *     <?xml encoding="..."?>, or <meta charset> in markup          what is declared
 *     the charset of the media type                                what the server says
 *     a guess by ICU, where asked for or in markup other than XML, and only when the bytes are not valid UTF-8
 *
 * An unknown name is passed over. Nothing found: UTF-8. */
#ifndef SL_SOURCES_STREAM_SNIFF_H
#define SL_SOURCES_STREAM_SNIFF_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

enum { SL_SNIFF_ENOUGH = 4096 }; /* bytes in which a declaration is looked for */

typedef struct sl_sniffed {
    char name[48]; /* of the encoding to convert from; "": the bytes are taken for UTF-8 */
    bool guessed;
} sl_sniffed;

/* False: the bytes may be the beginning of something that only more of them tell. */
bool sl_sniff_enough(const char *data, size_t n);

/* DATA: the first bytes of the text, CHARSET: of the media type, may be empty. Fails only without ICU. */
SL_MUST_CHECK sl_status sl_sniff(const char *data, size_t n, sl_text charset, bool guess, sl_sniffed *out, sl_error *err);

#endif
