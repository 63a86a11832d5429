/* tree.h: a document as a tree of libxml2's, for formats that must see it as a whole: html, xpath, table.
 *
 * HTML is read by libxml2's own parser, which takes anything; XML by xml/sax.h, with all its limits. In a tree of XML what is
 * written without a prefix is in no namespace, so that names in XPath are those in the document; comments are not kept.
 *
 * A document has at most 2 million tags, and tags of 1000 attributes. Thread rule: one thread at a time. */
#ifndef SL_FORMATS_DOCUMENT_TREE_H
#define SL_FORMATS_DOCUMENT_TREE_H

#include "formats/xml/xml.h"

struct _xmlDoc;
struct _xmlNode;

/* The text must be valid UTF-8. *OUT: to be freed by xmlFreeDoc; NULL when there is nothing in the document (HTML). */
SL_MUST_CHECK sl_status sl_tree_html(const char *data, size_t n, struct _xmlDoc **out, sl_error *err);
SL_MUST_CHECK sl_status sl_tree_xml(const char *data, size_t n, struct _xmlDoc **out, sl_error *err);

/* The value of an element (xml/element.h), in ARENA. */
SL_MUST_CHECK sl_status sl_tree_value(sl_elements *e, const struct _xmlNode *node, sl_arena *arena, sl_value *out, sl_error *err);

/* Appends the text in NODE and below it. */
void sl_tree_text(const struct _xmlNode *node, sl_buf *out);

/* The next node of a walk through TOP and all below it, in the order of the document; NULL: that was all. */
const struct _xmlNode *sl_tree_next(const struct _xmlNode *node, const struct _xmlNode *top);

/* An attribute of an element of HTML, or an empty text. */
sl_text sl_tree_attribute(const struct _xmlNode *node, const char *name);

#endif
