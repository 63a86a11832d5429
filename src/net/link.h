/* link.h: the Link header of an answer (RFC 8288): where the next page is.
 *
 *     Link: <https://api.example.org/items?page=2>; rel="next", </items?page=9>; rel=last
 *
 * Thread rule: pure functions. */
#ifndef SL_NET_LINK_H
#define SL_NET_LINK_H

#include "base/text.h"

/* The target of the first link in HEADER whose relation types have REL among them, whatever its case: a view into HEADER,
 * to be resolved against the URL of the answer. False: there is none. Links about another document (with an anchor) do
 * not count. What comes behind a link that is not well formed is not looked at. */
bool sl_link_find(sl_text header, sl_text rel, sl_text *target);

#endif
