/* element.h: an element of a document becomes a value, from events in the order of the document.
 *
 *     <r id="1">t<a k="v">x</a><a>y</a><b/>tail</r>   ->   {"id": "1", "content": "t", "a": [{"k": "v", "content": "x"}, "y"]}
 *
 * Attributes are keys; the text before the first child, trimmed, is under "content"; each child is under its name, without
 * prefix. What comes again under a key makes a list of it. An element of text alone is that text. Children with nothing in them
 * are left out, text behind a child is lost.
 *
 * Names and texts are copied into the arena. Thread rule: one thread at a time. */
#ifndef SL_FORMATS_XML_ELEMENT_H
#define SL_FORMATS_XML_ELEMENT_H

#include "record/builder.h"

typedef struct sl_elements sl_elements;

sl_elements *sl_elements_new(void);     /* NULL when memory is out */
void sl_elements_free(sl_elements **e); /* NULL-safe */

/* A new value is made, in ARENA; what was open is forgotten. */
void sl_elements_begin(sl_elements *e, sl_arena *arena);

SL_MUST_CHECK sl_status sl_elements_open(sl_elements *e, sl_text name, sl_error *err);
/* An attribute of the element just opened. */
SL_MUST_CHECK sl_status sl_elements_attribute(sl_elements *e, sl_text name, sl_text value, sl_error *err);
SL_MUST_CHECK sl_status sl_elements_text(sl_elements *e, sl_text text, sl_error *err);
/* *DONE: that was the outermost, whose value is *OUT: a map (empty: nothing was in it), a text or a list of texts. */
SL_MUST_CHECK sl_status sl_elements_close(sl_elements *e, bool *done, sl_value *out, sl_error *err);

/* What such a value is as items: a map is one, a text is {"content": text}, a list gives its elements. */
SL_MUST_CHECK sl_status sl_element_items(sl_builder *bd, sl_value v, sl_error *err);

/* White space of Unicode removed at both ends. */
sl_text sl_markup_trim(sl_text t);

#endif
