/* xml.h: what the files of the xml and html formats share.
 *
 *   path.c    which elements a path means
 *   split.c   cuts an XML document between the elements that the path means
 *   xml.c         reads such a part of a document, by sax.h; the descriptor
 *   document/html.c        the same of an HTML document, as a whole
 *
 * A path is names with dots between them, or with slashes where it has one, each one level deeper: the children, from the
 * document's outermost element on. A first name that is that of the outermost element stands for it. In riko's dialect it does only
 * where the path begins with a separator or the document has a default namespace, in which all the elements have to be then;
 * otherwise names are those in the document, prefixes and all.
 *
 * How a document is cut: where an element ends and the path leads on from the elements that are open there. What is open, and the
 * document type, are the note of the unit: the reader puts them around the unit's bytes and so reads a whole document, whose every
 * byte is checked by somebody.
 *
 *     <r><s>  <a/> <a/>  |  <a/> <a/>  |  <a/> </s></r>        path r.s.a
 *                          `---- unit: <r><s> [ <a/> <a/> ] </s></r> */
#ifndef SL_FORMATS_XML_XML_H
#define SL_FORMATS_XML_XML_H

#include "formats/format.h"
#include "formats/xml/element.h"
#include "formats/xml/entity.h"
#include "formats/xml/quiet.h"
#include "formats/xml/sax.h"
#include "formats/xml/scan.h"

#define SL_XML_RECORD  SL_RECORD_MOST     /* of an element that the path means */
#define SL_XML_CONTEXT ((size_t)64 << 10) /* bytes of the document type and the tags around it */

typedef struct sl_xml_conf {
    sl_texts path;
    sl_text *steps; /* of path, by prepare */
    uint32_t nsteps;
    bool absolute; /* it began with a separator */
    sl_dialect dialect;
} sl_xml_conf;

sl_status sl_xml_prepare(void *conf, sl_arena *arena, sl_error *err);
void sl_xml_set_dialect(void *conf, sl_dialect dialect);

/* Whether the first step stands for the outermost element, NAME (with prefix) in a document with or without a default namespace. */
bool sl_xml_names_root(const sl_xml_conf *conf, sl_text name, bool has_default);

/* ---- the note ---------------------------------------------------------------------------------------------------- */

enum {
    SL_XML_FIRST = 1,  /* the unit begins the document: there is nothing open */
    SL_XML_LAST = 2,   /* it ends the document */
    SL_XML_AT_ROOT = 4 /* the first step of the path stands for the outermost element */
};

typedef struct sl_xml_note {
    uint8_t flags;
    uint64_t column;       /* of the first byte in its line, from 1 */
    sl_text before, after; /* what opens and what closes the elements around the unit */
} sl_xml_note;

void sl_xml_note_write(const sl_xml_note *note, sl_buf *out);
SL_MUST_CHECK sl_status sl_xml_note_read(sl_text bytes, sl_xml_note *note, sl_error *err);

/* ---- the splitter ------------------------------------------------------------------------------------------------ */

sl_status sl_xml_split_new(const void *conf, void **splitter, sl_error *err);
sl_status sl_xml_split(void *splitter, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err);
void sl_xml_split_free(void *splitter);

#endif
