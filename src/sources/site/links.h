/* links.h: the feeds that a page names in its start tags.
 *
 * In the native dialect that is what browsers and feed readers take for one: an element with an href whose type is that of a feed
 * and, if it has a rel, with `alternate` or `feed` among the words of it; not strict: also what leads to a name like feed or
 * x.xml. Links are resolved against the page's <base> and address. In riko's dialect it is any element whose type ends in xml and
 * whose href does not begin with a slash; nothing is resolved.
 *
 * The format `links` makes an item of each: the attributes, link and tag. It is not among those that can be named. */
#ifndef SL_SOURCES_SITE_LINKS_H
#define SL_SOURCES_SITE_LINKS_H

#include "formats/format.h"
#include "formats/document/document.h"

extern const sl_format sl_format_links;

enum { SL_LINKS_LAST = 100 };

/* The place of the tag's type among those of feeds, from 0; SL_LINKS_LAST: it is one by its href alone; -1: it names no feed. */
int sl_links_rank(const sl_html_tag *tag, sl_dialect dialect, bool strict);

/* HREF as seen from the page at PAGE whose <base> is BASE (empty: none), in ARENA. */
SL_MUST_CHECK sl_status sl_links_resolve(sl_text page, sl_text base, sl_text href, sl_arena *arena, sl_text *out, sl_error *err);

#endif
