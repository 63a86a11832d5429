/* json_pick.h: one value out of a JSON document that passes by: the address of the next page, a cursor.
 *
 *     new ( feed* ( end | begin ) )* free
 *
 * The bytes are looked at as they come and only the value looked for is kept, at most 64 KiB of it: the document is never
 * held, and the value may stand anywhere in it. Under one key given twice the last counts. What follows the first document is
 * not looked at.
 *
 * Thread rule: one thread at a time. */
#ifndef SL_FORMATS_JSON_PICK_H
#define SL_FORMATS_JSON_PICK_H

#include "base/arena.h"
#include "base/status.h"

typedef struct sl_json_pick sl_json_pick;

/* PATH as in a field: names of keys and places in lists, from 0, with dots between them ("meta.next", "links.0.href"); a key of
 * the document's own that is the whole path counts too. SL_E_PLAN: it is empty, or counts from the end of a list. */
SL_MUST_CHECK sl_status sl_json_pick_new(sl_text path, sl_json_pick **out, sl_error *err);
void sl_json_pick_free(sl_json_pick **p); /* NULL-safe */

/* Forgets what was seen: another document begins. */
void sl_json_pick_begin(sl_json_pick *p);
/* More of the document, in UTF-8. */
void sl_json_pick_feed(sl_json_pick *p, const char *data, size_t n);
/* The document is over. *OUT, in ARENA: the text, or the number as it was written; .s NULL: there is none (the path leads
 * nowhere, or to null, false or an empty text). SL_E_DATA: no JSON, or a value of another kind. */
SL_MUST_CHECK sl_status sl_json_pick_end(sl_json_pick *p, sl_arena *arena, sl_text *out, sl_error *err);

#endif
