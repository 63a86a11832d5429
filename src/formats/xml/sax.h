/* sax.h: XML by libxml2's push parser, set up so that a document can do no harm.
 *
 *   - Nothing is opened or fetched: no external entity, no external subset, whatever the document says.
 *   - Entities of the internal subset are replaced by text of their own, at most 64 KiB each and, in a record, 64 KiB and eight
 * times its bytes together; those of HTML are known where the document has an external subset or SL_XML_HTML asks for it.
 *   - Elements nest 256 deep and have 1000 attributes at most; a record has as much text as the caller allows.
 *
 * The text must be UTF-8 by now (an encoding in the XML declaration is not looked at) and comes in pieces of any size. Events
 * arrive while it is fed:
 *
 *     sl_xml_new  { sl_xml_record | sl_xml_feed }  [ sl_xml_finish ]  sl_xml_free
 *
 * A text that is not well-formed is SL_E_DATA with line and column counted from the first byte fed (sl_xml_place moves that), and
 * sl_xml_malformed says that it was that and no limit. With SL_XML_RECOVER libxml2 makes what it can of such a text instead.
 *
 * Ownership: everything in an event lives until the function returns. Thread rule: one thread at a time. */
#ifndef SL_FORMATS_XML_SAX_H
#define SL_FORMATS_XML_SAX_H

#include "base/status.h"
#include "base/text.h"

#define SL_XML_DEPTH      256
#define SL_XML_ATTRIBUTES 1000

enum {
    SL_XML_RECOVER = 1, /* go on after errors; what is never closed has no end event */
    SL_XML_HTML = 2,    /* the entities of HTML are known */
    SL_XML_COUNTED = 4  /* the caller has seen to it that no tag has too many attributes: saves a scan */
};

typedef struct sl_xml_name {
    const char *local, *prefix, *uri; /* "" for none */
} sl_xml_name;

typedef struct sl_xml_attr {
    sl_xml_name name;
    sl_text value;
} sl_xml_attr;

typedef struct sl_xml_element {
    sl_xml_name name;
    const sl_xml_attr *attrs; /* those of namespaces are not among them */
    uint32_t nattrs;
    const sl_xml_name *spaces; /* namespaces declared here: prefix and uri */
    uint32_t nspaces;
} sl_xml_element;

/* A status other than SL_OK stops the parser and is handed up. */
typedef struct sl_xml_handler {
    sl_status (*start)(void *user, const sl_xml_element *element, sl_error *err);
    sl_status (*end)(void *user, const sl_xml_name *name, sl_error *err);
    sl_status (*text)(void *user, sl_text text, sl_error *err); /* in pieces; CDATA too */
} sl_xml_handler;

typedef struct sl_xml sl_xml;

/* HANDLER outlives the parser. TEXT_LIMIT: bytes of text and attribute values in a record, 0: any. */
SL_MUST_CHECK sl_status sl_xml_new(const sl_xml_handler *handler, void *user, unsigned flags, uint64_t text_limit, sl_xml **out,
                                   sl_error *err);
void sl_xml_free(sl_xml **x); /* NULL-safe */

/* A record begins: what the limits count starts anew. A document of one record need not say so. */
void sl_xml_record(sl_xml *x);

SL_MUST_CHECK sl_status sl_xml_feed(sl_xml *x, const char *data, size_t n, sl_error *err);
/* The document is complete: what is still open is an error. */
SL_MUST_CHECK sl_status sl_xml_finish(sl_xml *x, sl_error *err);

/* The next byte fed is in LINE (from 1) of the original document, for messages; the column of what is wrong in that line is not
 * told then. */
void sl_xml_place(sl_xml *x, uint64_t line);
/* Behind sl_xml_place: the next byte is in COLUMN (from 1, in characters) of that line, so that its columns can be told too. */
void sl_xml_column(sl_xml *x, uint64_t column);

/* After SL_E_DATA: the text is not well-formed, or a prefix is not bound. */
bool sl_xml_malformed(const sl_xml *x);

/* Opens libxml2 and sets it up, once in a process: before anything else of it is used beside sl_xml_new. Any thread. */
SL_MUST_CHECK sl_status sl_xml_library(sl_error *err);

/* The value of the attribute LOCAL without namespace, or an empty text with .s NULL. */
sl_text sl_xml_attribute(const sl_xml_element *element, const char *local);

/* The text of the entity NAME of HTML (nbsp, eacute ...) as UTF-8 in OUT; returns how many bytes, 0: there is none. libxml2 is
 * open. */
unsigned sl_xml_html_entity(sl_text name, char out[4]);

#endif
