/* pages.h: sources that come in pages: where the next page is, as the definition declares it. Nothing is guessed.
 *
 *     {"by": "next_url", "path": "links.next"}                          its address stands in the page, a JSON document
 *     {"by": "link_header"}                                             ... in the Link header (RFC 8288, rel="next")
 *     {"by": "page", "param": "page", "start": 1}                       a number in the address, going up by one
 *     {"by": "offset", "param": "offset", "size": 100}                  ... by the size of a page
 *     {"by": "cursor", "path": "meta.cursor", "param": "cursor"}        a text from the page goes into the address
 *     {"by": "header_cursor", "header": "X-Next", "param": "cursor"}    ... from a header
 *
 * or in short: "next_url=links.next", "link_header", "page=page:1", "offset=offset:100", "cursor=cursor:meta.cursor",
 * "header_cursor=cursor:X-Next".
 *
 *     pager new ( see* turn )* free
 *
 * The pages end where there is no next one (null, false, an empty text or nothing at all count as none) or, where pages
 * are counted, with the first that has no records. An address that was fetched before is an error: the server leads in a
 * circle. So is another page behind max_pages, unless at_limit says stop.
 *
 * What a page says is data: an address from it may lead to other hosts, but never to private networks unless the
 * url of the source is there itself, and never with credentials to another host than that.
 *
 * Thread rule: a sl_paginate is read-only once prepared; a pager belongs to one thread. */
#ifndef SL_SOURCES_STREAM_PAGES_H
#define SL_SOURCES_STREAM_PAGES_H

#include "options/option.h"

typedef enum sl_page_kind {
    SL_PAGES_NONE,
    SL_PAGES_NEXT_URL,
    SL_PAGES_LINK_HEADER,
    SL_PAGES_PAGE,
    SL_PAGES_OFFSET,
    SL_PAGES_CURSOR,
    SL_PAGES_HEADER_CURSOR
} sl_page_kind;

/* One rule of the option `paginate`. */
typedef struct sl_paginate {
    sl_text by; /* a kind, or the whole in short */
    sl_text path, param, header, start;
    int64_t size, max_pages, end_status;
    int at_limit; /* enum: 0 error, 1 stop */
    bool ahead;
    sl_page_kind kind; /* this and `first`, start as a number, are made by sl_paginate_prepare */
    int64_t first;
} sl_paginate;

extern const sl_option sl_paginate_options[];

/* Completes and checks P. SL_E_PLAN says what is missing or too much. */
SL_MUST_CHECK sl_status sl_paginate_prepare(sl_paginate *p, sl_arena *arena, sl_error *err);

/* The address of a page is found in its body, which must be JSON. */
static inline bool sl_paginate_reads_body(const sl_paginate *p) {
    return p->kind == SL_PAGES_NEXT_URL || p->kind == SL_PAGES_CURSOR;
}
/* The address of a page is another page's to choose. */
static inline bool sl_paginate_leads_away(const sl_paginate *p) {
    return p->kind == SL_PAGES_NEXT_URL || p->kind == SL_PAGES_LINK_HEADER;
}
/* The address of a page is known before the one before it has come. */
static inline bool sl_paginate_counts(const sl_paginate *p) {
    return p->kind == SL_PAGES_PAGE || p->kind == SL_PAGES_OFFSET;
}

typedef struct sl_pager sl_pager;

/* URL: that of the source. P outlives the pager. */
SL_MUST_CHECK sl_status sl_pager_new(const sl_paginate *p, sl_text url, sl_pager **out, sl_error *err);
void sl_pager_free(sl_pager **p); /* NULL-safe */

/* The address of the current page, at first that of the first; NUL-terminated, valid as long as the pager. */
sl_text sl_pager_url(const sl_pager *p);
/* Its number, from 1. */
uint64_t sl_pager_number(const sl_pager *p);
/* The address of the one that follows it, if that is known already and allowed, else an empty text. */
SL_MUST_CHECK sl_status sl_pager_ahead(sl_pager *p, sl_text *url, sl_error *err);

/* More of the current page's body, in UTF-8. */
void sl_pager_see(sl_pager *p, const char *data, size_t n);

/* What else decides about the next page. */
typedef struct sl_page_end {
    sl_text url;    /* where the page came from, after redirects */
    sl_text header; /* the header that kind of page looks at (sl_pager_header), or empty */
    bool empty;     /* it had no records */
} sl_page_end;

/* The name of the header to look at, or NULL. */
const char *sl_pager_header(const sl_pager *p);

/* The current page is at its end: the next becomes the current one, or SL_DONE. */
SL_MUST_CHECK sl_status sl_pager_turn(sl_pager *p, const sl_page_end *end, sl_error *err);

#endif
