/* document.h: the splitter of formats whose unit is one whole document: html, xpath, page, table.
 *
 * The stream is held until its end and handed out as one unit, an empty one too (sl_cut.whole): what an empty document means
 * is the reader's to say. A document larger than SL_DOCUMENT_MOST is SL_E_DATA that names the limit, as soon as that much has
 * been shown. A byte-order mark is left to the reader.
 *
 * The three functions are those of sl_format; they do not look at the conf. */
#ifndef SL_FORMATS_DOCUMENT_DOCUMENT_H
#define SL_FORMATS_DOCUMENT_DOCUMENT_H

#include "formats/document/html_tags.h"
#include "formats/document/markup.h"
#include "formats/format.h"

#define SL_DOCUMENT_MOST SL_RECORD_MOST

sl_status sl_document_split_new(const void *conf, void **splitter, sl_error *err);
sl_status sl_document_split(void *splitter, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err);
void sl_document_split_free(void *splitter);

#endif
