/* cached.h: fetching over a cache (cache/cache.h): every answer is asked for, none is fetched twice unchanged.
 *
 * A copy is never used on its age: a load that runs now must see what the server says now. So every fetch asks, with
 * If-None-Match and If-Modified-Since when there is a copy; 304 means that its body is the copy's. What max-age and
 * Expires promise is not looked at. An answer 200 with an ETag or a Last-Modified is written to the cache while it is
 * read, as it travels, and becomes an entry when it came to its end in good order.
 *
 * Not kept: what Cache-Control: no-store forbids (a copy from before goes too), what has Vary: *, and answers to
 * requests with credentials: a user, a token, a certificate, a netrc, a password in the URL, or any header that is not
 * known to be harmless. Where those are asked to be kept, the credentials decide about the key, so that no client is
 * given what others may see; they are not in the entry. All other headers of a request are part of its key as well, which is
 * more than Vary asks for.
 *
 * Validators go only to where the copy came from: after a redirect to somewhere else they would mean something else.
 *
 * Thread rule: that of the session and the cache. */
#ifndef SL_NET_CACHED_H
#define SL_NET_CACHED_H

#include "net/cache/cache.h"
#include "net/http/http.h"

/* What a run wants of its caches. Outlives them. */
typedef struct sl_cache_policy {
    sl_cache_mode mode;
    const char *dir;
    uint64_t max_size;        /* bytes */
    bool credentials;         /* also answers to requests with credentials are kept */
    sl_cache_counts *counts;  /* shared by all processes of the run; NULL: each cache has its own */
    struct sl_log *log;       /* base/log.h: what becomes of copies is told there; NULL: nothing is */
    struct sl_ledger *ledger; /* base/ledger.h: answers are noted there; NULL: they are not noted */
} sl_cache_policy;

/* A cache by POLICY; *OUT NULL without a policy (NULL, or SL_CACHE_OFF). LEAVES: see sl_cache_share. */
SL_MUST_CHECK sl_status sl_cached_open(const sl_cache_policy *policy, bool leaves, sl_cache **out, sl_error *err);

/* sl_http_get over C, which outlives the fetch. C NULL: just that. REQUEST brings no hook. */
SL_MUST_CHECK sl_status sl_cached_get(sl_http *h, sl_cache *c, const sl_cache_policy *policy, const sl_request *request,
                                      sl_fetch **out, sl_error *err);

/* After sl_fetch_head: the server has confirmed the copy. */
static inline bool sl_fetch_unchanged(const sl_fetch *f) {
    return sl_fetch_status(f) == 304;
}

#endif
