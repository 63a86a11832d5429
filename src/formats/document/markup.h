/* markup.h: a document that is read as a whole by a worker: what html, xpath and table share around their trees. */
#ifndef SL_FORMATS_DOCUMENT_MARKUP_H
#define SL_FORMATS_DOCUMENT_MARKUP_H

#include "formats/json/json.h"
#include "formats/document/tree.h"

typedef struct sl_markup sl_markup;
struct sl_markup {
    sl_json_out out; /* where batches go, made ready on the way */
    sl_elements *elements;
    sl_arena arena; /* reset with each value */
    sl_builder *builder;
    struct _xmlDoc *doc;
};

/* Reads BLOCK into m->doc, as HTML or as XML; with the builder, whose batches go to SINK, nested as the dialect wants it. The
 * caller closes on failure too. */
SL_MUST_CHECK sl_status sl_markup_open(sl_markup *m, const sl_block *block, bool html, sl_batch_sink sink, void *to, sl_error *err);
void sl_markup_close(sl_markup *m);

/* The items of an element. */
SL_MUST_CHECK sl_status sl_markup_items(sl_markup *m, const struct _xmlNode *node, sl_error *err);

/* DATA without a UTF-8 byte-order mark. */
sl_text sl_markup_text(const sl_block *block);

#endif
