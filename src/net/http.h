/* http.h: fetching over HTTP and HTTPS, many at a time, by libcurl's multi interface.
 *
 *     session new ( get ( head? read* ) close )* free
 *
 * A session owns the connections. Every fetch registered with it makes progress whenever any of them is waited for,
 * so a collection of sources is fetched concurrently although it is read one after another. At most `connections`
 * transfers run at once and `per_host` to one host; only the one being waited for may go over that, so that it can
 * never starve behind transfers that are paused because nobody reads them yet.
 *
 * Bodies are read while they arrive. When `window` bytes wait unread the transfer is paused. gzip is asked for and
 * taken off here, with a check that it is complete. A body shorter than announced is an error.
 *
 * Answers 408, 425, 429 and 5xx and broken connections are tried again, with growing pauses (0.2 s, doubling, with
 * jitter, or what Retry-After asks for), as long as no byte of the body was handed out and the pauses sum up to less
 * than a minute; then the failure is SL_E_TEMP. Any other answer than 2xx is SL_E_IO. Redirects: ten at most, to
 * http and https only.
 *
 * Ownership: a fetch belongs to its session; texts asked of it live as long as it does. Thread rule: a session and
 * its fetches belong to one thread, and to one process: it is not carried across a fork. */
#ifndef SL_NET_HTTP_H
#define SL_NET_HTTP_H

#include <stdatomic.h>

#include "base/status.h"

typedef struct sl_http sl_http;
typedef struct sl_fetch sl_fetch;

typedef struct sl_http_options {
    unsigned connections;        /* transfers at once; 0: 16 */
    unsigned per_host;           /* of them to one host; 0: 6 */
    unsigned retries;            /* after the first attempt; 0: 3 */
    double connect_timeout;      /* seconds; 0: 10 */
    unsigned idle_timeout;       /* seconds without a byte; 0: 30 */
    size_t window;               /* bytes that may wait unread; 0: 4 MiB */
    uint64_t body_limit;         /* bytes of one body, packed or not; 0: 1 GiB */
    const atomic_bool *stopping; /* true: every wait ends with SL_E_STOPPED; may be NULL */
} sl_http_options;

SL_MUST_CHECK sl_status sl_http_new(const sl_http_options *options, sl_http **out, sl_error *err);
void sl_http_free(sl_http **h); /* NULL-safe; closes fetches that are still open */

/* Attempts made again, over all fetches so far. */
uint64_t sl_http_retries(const sl_http *h);

/* Registers a GET of URL (copied). No waiting: the transfer runs while something is waited for. */
SL_MUST_CHECK sl_status sl_http_get(sl_http *h, const char *url, sl_fetch **out, sl_error *err);
void sl_fetch_close(sl_fetch **f); /* NULL-safe; stops the transfer */

/* Waits until the answer has begun (or is known to have failed). */
SL_MUST_CHECK sl_status sl_fetch_head(sl_fetch *f, sl_error *err);
/* After sl_fetch_head: the Content-Type as sent, or "". */
const char *sl_fetch_type(const sl_fetch *f);
/* After sl_fetch_head: bytes of the body as it travels, 0: unknown. */
uint64_t sl_fetch_length(const sl_fetch *f);
/* Bytes of the body that have arrived so far, as they travel. */
uint64_t sl_fetch_received(const sl_fetch *f);

/* Up to CAP bytes of the body, as soon as there are any; *N 0: the end, reached in good order. */
SL_MUST_CHECK sl_status sl_fetch_read(sl_fetch *f, char *buf, size_t cap, size_t *n, sl_error *err);

/* True when sl_fetch_read would return at once; waits for that up to MS milliseconds. */
bool sl_fetch_wait(sl_fetch *f, int ms);

#endif
