/* http.h: fetching over HTTP and HTTPS, many at a time, by libcurl's multi interface.
 *
 *     session new ( get ( head? read* ) close )* free
 *
 * A session owns the connections. Every fetch registered with it makes progress whenever any of them is waited for,
 * so a collection of sources is fetched concurrently although it is read one after another. How many transfers run at
 * once, in all and to one host, is a matter of the whole run: its sessions share permits (permits.h).
 *
 *     http.c       the session: what is started when, and what follows when it ends
 *     transfer.c   one attempt: what libcurl is told, and what it calls
 *     retry.c      which failures pass, how long to wait, what is said in the end
 *     body.c       the reader's side: decoding, the end, back-pressure
 *     auth.c       tokens of OAuth2 clients
 *     guard.c      addresses that data may not lead to
 *
 * Bodies are read while they arrive. When `window` bytes wait unread the transfer is paused, and while `backlog` bytes
 * wait unread in all of the session no further transfer begins. gzip, deflate and zstd are asked for and taken off
 * here, with a check that the stream is complete. A body shorter than announced is an error.
 *
 * Connections that break, time-outs and the answers 408, 425, 429, 500, 502, 503, 504, 522 and 524 are tried again:
 * `retries` times, within `retry_time`, after pauses drawn from 0 to 1, 2, 4 ... 60 seconds, or as long as Retry-After
 * asks for. A body that broke off is continued where it stopped (Range, If-Range) when the server gave a strong ETag
 * or a Last-Modified and no content encoding; otherwise it starts again as long as no byte of it was handed out. Then
 * the failure is SL_E_TEMP. Any other answer than 2xx is SL_E_IO.
 *
 * Redirects: ten at most, to http and https only. Credentials, and all headers but a few harmless ones, stay with the
 * host and port they were given for.
 *
 * Ownership: a fetch belongs to its session; texts asked of it live as long as it does. Thread rule: a session and
 * its fetches belong to one thread, and to one process: it is not carried across a fork. */
#ifndef SL_NET_HTTP_HTTP_H
#define SL_NET_HTTP_HTTP_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "base/status.h"
#include "net/http/guard.h"
#include "net/http/permits.h"

typedef struct sl_http sl_http;
typedef struct sl_fetch sl_fetch;

/* ---- the session ------------------------------------------------------------------------------------------------ */

typedef struct sl_http_options {
    sl_permits *permits;       /* shared with the run's other sessions; NULL: the session has its own */
    unsigned connections;      /* without permits: transfers at once; 0: 16 */
    unsigned per_host;         /* without permits: of them to one host; 0: 6 */
    size_t window;             /* bytes of one body that may wait unread; 0: 4 MiB */
    size_t backlog;            /* bytes of all bodies that may wait unread before another begins; 0: 64 MiB */
    const sl_network *allowed; /* networks that data may lead to although they are not public */
    size_t nallowed;
    const atomic_bool *stopping; /* true: every wait ends with SL_E_STOPPED; may be NULL */
    struct sl_log *log;          /* base/log.h: requests and answers are told there; NULL: nothing is */
} sl_http_options;

/* Opens libcurl, which sl_http_get does too: to know early whether it is there, and to have it in workers that are forked later. */
SL_MUST_CHECK sl_status sl_http_library(sl_error *err);

SL_MUST_CHECK sl_status sl_http_new(const sl_http_options *options, sl_http **out, sl_error *err);
void sl_http_free(sl_http **h); /* NULL-safe; closes fetches that are still open */

/* Attempts made again, over all fetches so far. */
uint64_t sl_http_retries(const sl_http *h);

/* ---- requests --------------------------------------------------------------------------------------------------- */

/* An OAuth2 client that gets its tokens by client credentials (RFC 6749, 4.4). */
typedef struct sl_oauth {
    const char *token_url, *id, *secret;
    const char *scope; /* NULL: none */
} sl_oauth;

/* How a source asks. */
typedef struct sl_manners {
    const char *const *headers; /* "Name: value", NULL behind the last; NULL: none */
    const char *agent;          /* User-Agent */
    const char *user;           /* "name:password", basic; NULL: none */
    const char *bearer;         /* a token; NULL: none */
    const sl_oauth *oauth;      /* NULL: none */
    bool netrc;                 /* name and password of ~/.netrc */
    bool insecure;              /* certificates are not checked */
    const char *cacert;         /* file of certificates to trust; NULL: the system's */
    const char *cert, *key;     /* files of a client's certificate and key; NULL: none */
    unsigned retries;           /* after the first attempt */
    double retry_time;          /* seconds from the first attempt on in which others may begin */
    double timeout;             /* seconds for one attempt as a whole; 0: any */
    double connect_timeout;     /* seconds */
    double idle_timeout;        /* seconds without a byte */
    double interval;            /* seconds between two requests to one host; 0: none */
    uint64_t max_body;          /* bytes of one body, packed or not */
} sl_manners;

/* Three retries within 60 s, 10 s to connect, 30 s idle, 1 GiB. */
extern const sl_manners sl_plain_manners;

/* Takes everything out of M that could tell who asks, or be a secret: for a host that it was not given for. */
void sl_manners_forget(sl_manners *m);

/* One who may know the answer already, and who may keep it: a cache. All calls come from the session's thread, in the
 * order  serves (ask (began bytes*)*)? (header, read)* ended. Any may be NULL. */
typedef struct sl_hook {
    /* The copy at hand is good as it is: nothing is asked. */
    bool (*serves)(void *user);
    /* Before an attempt, which goes to sl_fetch_url(F): adds header lines, each "Name: value\n" (If-None-Match ...). Then
     * 304 is an answer. */
    void (*ask)(void *user, const sl_fetch *f, sl_buf *lines);
    /* An answer has begun: see sl_fetch_status and sl_fetch_header. Comes again when the body starts over. */
    void (*began)(void *user, sl_fetch *f);
    /* More of the body, as it travels. */
    void (*bytes)(void *user, const char *data, size_t n);
    /* After serves or a 304: the header NAME of the copy (NULL: none), and its body as it travelled; *N 0: the end. */
    const char *(*header)(void *user, const char *name);
    sl_status (*read)(void *user, char *buf, size_t cap, size_t *n, sl_error *err);
    /* The fetch is closed. WHOLE: the body came to its end in good order and was read to it. */
    void (*ended)(void *user, bool whole);
} sl_hook;

/* Whether LINE ("Name: value") may go to anybody, as there can be no secret in it: Accept, Accept-Language, Cache-Control,
 * User-Agent. */
bool sl_header_is_harmless(const char *line);

/* All but the url may be zero. What it points to is copied (url, origin) or borrowed as long as the fetch lives. */
typedef struct sl_request {
    const char *url;
    bool from_data;            /* the URL comes from data: it may lead to public addresses only (guard.h) */
    const char *origin;        /* of a URL from data: the trusted URL it was found behind. Its host and port may be asked, and
                                * they alone get the credentials. NULL: none */
    const sl_manners *manners; /* NULL: sl_plain_manners */
    const sl_hook *hook;       /* NULL: none */
    void *hook_user;
} sl_request;

/* Registers a GET. No waiting: the transfer runs while something is waited for. */
SL_MUST_CHECK sl_status sl_http_get(sl_http *h, const sl_request *request, sl_fetch **out, sl_error *err);
void sl_fetch_close(sl_fetch **f); /* NULL-safe; stops the transfer */

/* ---- answers ---------------------------------------------------------------------------------------------------- */

/* Waits until the answer has begun (or is known to have failed). */
SL_MUST_CHECK sl_status sl_fetch_head(sl_fetch *f, sl_error *err);

/* After sl_fetch_head. The status of the final answer: 2xx, or 304 where a hook asked. 0: served without asking. */
long sl_fetch_status(const sl_fetch *f);
/* The value of header NAME of the final answer (of the copy, where that is what is read), or NULL. */
const char *sl_fetch_header(sl_fetch *f, const char *name);
/* All headers of the final answer, each "Name: value\n"; "" when nothing was asked. */
const char *sl_fetch_headers(const sl_fetch *f);
/* Where the answer came from, after redirects. */
const char *sl_fetch_url(const sl_fetch *f);
/* The URL as asked for, without a password: for messages. */
const char *sl_fetch_shown(const sl_fetch *f);
/* The Content-Type as sent, or "". */
const char *sl_fetch_type(const sl_fetch *f);
/* Bytes of the body as it travels, 0: unknown. */
uint64_t sl_fetch_length(const sl_fetch *f);
/* Bytes of the body that have arrived so far, as they travel. */
uint64_t sl_fetch_received(const sl_fetch *f);

/* Up to CAP bytes of the body, as soon as there are any; *N 0: the end, reached in good order. */
SL_MUST_CHECK sl_status sl_fetch_read(sl_fetch *f, char *buf, size_t cap, size_t *n, sl_error *err);

/* True when sl_fetch_read would return at once; waits for that up to MS milliseconds. */
bool sl_fetch_wait(sl_fetch *f, int ms);
/* True when waiting gains nothing: the body has arrived, or as much of it as may wait unread, or the fetch has failed. */
bool sl_fetch_settled(const sl_fetch *f);
/* Lets all fetches of the session move for up to MS milliseconds, F before others. False: the run stops. */
bool sl_fetch_move(sl_fetch *f, int ms);

#endif
