/* entity.h: the entities of a document, as text.
 *
 * An entity is expanded once, when it is first asked for: to 64 KiB at most, through 20 levels at most. So a document of nested
 * entities costs no more than its own length and that. Thread rule: one thread at a time. */
#ifndef SL_FORMATS_XML_ENTITY_H
#define SL_FORMATS_XML_ENTITY_H

#include "base/arena.h"
#include "base/buffer.h"

typedef struct sl_xml_entity {
    sl_text name, content; /* as declared: character references already replaced */
    sl_text text;          /* expanded, with a NUL behind it; .s NULL: not yet */
    bool busy;             /* being expanded */
} sl_xml_entity;

typedef struct sl_xml_entities { /* zeroed: empty */
    sl_xml_entity **list;
    uint32_t n, cap;
    bool html; /* the names of HTML are known too */
    sl_arena arena;
} sl_xml_entities;

void sl_xml_entities_free(sl_xml_entities *e);

/* The first declaration of a name counts. At most 10,000. */
SL_MUST_CHECK sl_status sl_xml_entity_declare(sl_xml_entities *e, sl_text name, sl_text content, sl_error *err);

/* The entity, expanded; *OUT NULL: there is none of that name. SL_E_DATA when it is too large, too deep or refers to itself. */
SL_MUST_CHECK sl_status sl_xml_entity_find(sl_xml_entities *e, sl_text name, sl_xml_entity **out, sl_error *err);

/* Appends T with its references replaced; what is no reference, or names nothing, stays as it stands. */
SL_MUST_CHECK sl_status sl_xml_entity_replace(sl_xml_entities *e, sl_text t, sl_buf *out, sl_error *err);

/* The reference that T begins with, at its '&': returns its length, 0 when there is none. *NAME gets what is between & and ; or,
 * for a character reference, an empty text and *CODE the character (0: none that XML allows). */
uint32_t sl_xml_reference(sl_text t, sl_text *name, uint32_t *code);

#endif
