/* latin.h: texts in any script as Latin letters without accents, as far as that goes.
 *
 * Cyrillic goes by a table of the usual English spelling (shch, zh, kh); other scripts by ICU's transliterators, which are made
 * when they are first needed: making them takes longer than most texts do. ICU is slow (60 us for a short line), so what it makes
 * of an accented letter is kept: such texts take a few.
 *
 * Ownership: a sl_latin is one worker's own. */
#ifndef SL_OPERATORS_TEXT_LATIN_H
#define SL_OPERATORS_TEXT_LATIN_H

#include "base/buffer.h"

typedef struct sl_latin sl_latin;

sl_latin *sl_latin_new(void);     /* NULL when memory is out */
void sl_latin_free(sl_latin **l); /* NULL-safe */

/* Appends T in ASCII; characters that have no such form stay as they are. What is no UTF-8 becomes U+FFFD. */
SL_MUST_CHECK sl_status sl_latin_append(sl_latin *l, sl_text t, sl_buf *out, sl_error *err);

/* Appends T in Unicode's form NFKD: letters apart from their accents, ligatures and other variants as plain letters. */
SL_MUST_CHECK sl_status sl_latin_decompose(sl_latin *l, sl_text t, sl_buf *out, sl_error *err);

#endif
