/* html_tags.h: the start tags of an HTML page and their attributes, as browsers read them, without making a document of it.
 *
 * Any bytes will do: names in any case, values in either kind of quotes or none, references in values, comments, the contents of
 * script and style passed over, tags that are never closed. The page comes in pieces of any size; a piece is let go of when feed
 * returns. A tag of more than 64 KiB is passed over.
 *
 * Ownership: a zeroed struct is ready; free returns its memory. Thread rule: one thread at a time. */
#ifndef SL_FORMATS_DOCUMENT_HTML_TAGS_H
#define SL_FORMATS_DOCUMENT_HTML_TAGS_H

#include "base/arena.h"
#include "base/buffer.h"

typedef struct sl_html_attr {
    sl_text name;  /* in lower case */
    sl_text value; /* references replaced, valid UTF-8; .s NULL: none was given */
} sl_html_attr;

typedef struct sl_html_tag {
    sl_text name;              /* in lower case */
    const sl_html_attr *attrs; /* in their order; of repeated names the last value, at the first place */
    uint32_t nattrs;
    uint64_t line; /* from 1 */
} sl_html_tag;

/* What is in TAG lives until the function returns. A status other than SL_OK ends the feeding and is handed up. */
typedef sl_status (*sl_html_tag_fn)(void *user, const sl_html_tag *tag, sl_error *err);

typedef struct sl_html_tags {
    uint8_t state; /* private */
    char quote, back;
    uint8_t ends;
    uint64_t line, tag_line;
    char raw[8]; /* the name of the element whose contents are passed over */
    sl_buf tag;  /* of the tag at hand, behind its < */
    sl_arena arena;
} sl_html_tags;

SL_MUST_CHECK sl_status sl_html_tags_feed(sl_html_tags *t, const char *data, size_t n, sl_html_tag_fn fn, void *user,
                                          sl_error *err);
void sl_html_tags_free(sl_html_tags *t);

/* The value of NAME; .s NULL: not there, or without a value. */
sl_text sl_html_attribute(const sl_html_tag *tag, const char *name);

#endif
