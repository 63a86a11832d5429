/* scan.h: finds the markup of an XML text that comes in pieces, without understanding it.
 *
 * It knows tags and their quoted values, comments, CDATA sections, processing instructions and the document type with its internal
 * subset: enough to tell a tag from what only looks like one. It takes any bytes: a '<' that begins nothing is text, one inside a
 * tag begins the next. Works on every encoding in which no other character contains the bytes < > " ' (UTF-8, all of one byte,
 * EUC and Shift-JIS).
 *
 *     loop:  sl_xml_scan_next(s, data, n)  ->  a token, or SL_XML_MORE: all of DATA was looked at
 *            sl_xml_scan_moved(s, k)       before DATA is shown again without its first k bytes
 *
 * What an unfinished token begins with is kept by the caller and shown again; no byte is looked at twice.
 * Thread rule: one thread at a time. */
#ifndef SL_FORMATS_XML_SCAN_H
#define SL_FORMATS_XML_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

typedef enum sl_xml_token {
    SL_XML_MORE,    /* nothing more in DATA */
    SL_XML_START,   /* <a b="c"> */
    SL_XML_EMPTY,   /* <a/> */
    SL_XML_END,     /* </a> */
    SL_XML_DOCTYPE, /* <!DOCTYPE ...> with its internal subset */
    SL_XML_PI,      /* <?a ...?>, the XML declaration among them */
    SL_XML_OTHER    /* a comment, a CDATA section, another <!...> */
} sl_xml_token;

typedef struct sl_xml_scan { /* zeroed: before the first byte */
    size_t at;               /* the byte to look at next */
    size_t from;             /* of the last token: its '<'; its end is `at` */
    uint32_t values;         /* quoted values in that tag */
    uint8_t state;           /* private from here on */
    char quote, back;        /* the quote inside which we are; the last byte of a tag that was no white space */
    uint8_t brackets;
    uint8_t ends; /* bytes of the closing mark seen: -- of -->, ]] of ]]>, ? of ?> */
} sl_xml_scan;

sl_xml_token sl_xml_scan_next(sl_xml_scan *s, const char *data, size_t n);
void sl_xml_scan_moved(sl_xml_scan *s, size_t bytes);

/* True inside markup, which begins at `from`; false in text. */
bool sl_xml_scan_inside(const sl_xml_scan *s);
/* What the markup at hand is, for messages: "a comment", "a tag" ... */
const char *sl_xml_scan_what(const sl_xml_scan *s);

/* The name in the tag or processing instruction at DATA[from], as far as there is one before END: "a:b". */
sl_text sl_xml_tag_name(const char *data, size_t from, size_t end);
/* Whether that is NAME, but for case. */
bool sl_xml_tag_is(const char *data, size_t from, size_t end, sl_text name);
/* What follows the colon, or all of it. */
sl_text sl_xml_local(sl_text name);

#endif
