/* url.h: taking URLs apart and putting them together (RFC 3986), without any I/O.
 *
 * Parts are views into the text that was parsed, still percent-encoded. Ownership: results live in the arena or
 * buffer the caller names. Thread rule: pure functions. */
#ifndef SL_NET_URL_H
#define SL_NET_URL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"

typedef struct sl_url {
    sl_text scheme;    /* without the colon; empty in a relative reference */
    sl_text authority; /* user, host and port as they stand */
    sl_text user;      /* "name:password" before the @ */
    sl_text host;      /* with the brackets of an IPv6 address */
    sl_text port;      /* digits, or empty */
    sl_text path;
    sl_text query;    /* without the ? */
    sl_text fragment; /* without the # */
    bool has_authority, has_query, has_fragment;
} sl_url;

/* Splits T into its parts. Any text without control characters and spaces is a URL or a relative reference; false
 * otherwise, and when the port is not made of digits. */
bool sl_url_parse(sl_text t, sl_url *out);

/* The same for any text whatever, without a look at its characters: user, host and port stay empty. */
void sl_url_split(sl_text t, sl_url *out);

/* The scheme of T ("http"), or an empty text: a plain file name. One letter is no scheme. */
sl_text sl_url_scheme(sl_text t);

/* REF as seen from BASE (an absolute URL): RFC 3986, 5.2, dot segments removed. SL_E_DATA when either is not a URL. */
SL_MUST_CHECK sl_status sl_url_resolve(sl_text base, sl_text ref, sl_arena *arena, sl_text *out, sl_error *err);

/* Appends REF as seen from BASE by the same rules, where BASE may be relative and neither needs to be a URL: "x/y" and "z" give
 * "x/z". Where one is empty it is the other. */
void sl_url_join(sl_text base, sl_text ref, sl_buf *out);

/* Appends T with every byte that is neither unreserved (letters, digits, - . _ ~) nor in SAFE as %XX. */
void sl_url_encode(sl_text t, const char *safe, sl_buf *out);

/* Appends T as forms are sent: a space as +, every other byte that is not unreserved as %XX. */
void sl_url_form(sl_text t, sl_buf *out);

/* Appends T with %XX decoded; a % that starts no pair of hex digits stays. */
void sl_url_decode(sl_text t, sl_buf *out);

/* Whether A and B go to the same scheme, host and port, as they are written: a port left out is not the usual one written out. */
bool sl_url_same_place(sl_text a, sl_text b);

/* The last component of the path, without query and fragment: what a suffix is looked for in. */
sl_text sl_url_name(sl_text t);

/* T as people may see it, in messages, reports and lists: without "name:password@", and with *** for the values of parameters that
 * are secrets by their names (key, api_key, token, access_token, password, secret, sig ...: shown.c), in the query and behind the
 * #. Any text will do; one without a scheme and // is a file name and stays as it is. In ARENA; .s is NULL when memory is out. */
sl_text sl_url_shown(sl_text t, sl_arena *arena);
void sl_url_redact(sl_text t, sl_buf *out); /* the same, appended */

#endif
