/* web.h: what a run says about the network: how its sources ask, and where data may lead.
 *
 * How to ask is said in three places, each an object with the same keys: `http` at the top of a definition, `http` in the
 * conf of a source, and by the caller (the program's flags). A source's own keys go before the definition's, the caller's
 * before both; headers are put together by name. Names, passwords, tokens, certificates and headers that may hold a secret
 * are for URLs that people wrote: a URL that comes from data gets only those of its source's own conf.
 *
 * Thread rule: set in the coordinator, read-only afterwards; sl_web_manners by any thread. */
#ifndef SL_PLAN_WEB_H
#define SL_PLAN_WEB_H

#include "net/http/http.h"
#include "options/option.h"

typedef struct sl_web {
    sl_value http;       /* the definition's, a map; or missing */
    sl_value called;     /* the caller's */
    sl_network *allowed; /* not public, but permitted to data */
    uint32_t nallowed;
} sl_web;

#define SL_HTTP_VALUE   sl_value
#define SL_HTTP_TEXT    sl_text
#define SL_HTTP_BOOL    bool
#define SL_HTTP_INT     int64_t
#define SL_HTTP_SIZE    uint64_t
#define SL_HTTP_SECONDS double
#define SL_HTTP_RULES   sl_rules

/* An `http` object, parsed: a member a key. */
typedef struct sl_web_conf {
#define HTTP(key, type, columns) SL_HTTP_##type key;
#include "options/settings.def"
} sl_web_conf;

extern const sl_option sl_web_options[]; /* its keys */

/* Whether NAME is one of the settings kept here: http, http.KEY, allow_net. */
bool sl_web_knows(sl_text name);
/* Sets NAME, which is known. V: an object for http, a text or a list of texts otherwise; copied into ARENA. A failure is
 * CODE. */
SL_MUST_CHECK sl_status sl_web_set(sl_web *web, sl_text name, sl_value v, bool by_caller, sl_status code, sl_arena *arena,
                                   sl_error *err);

/* How a source asks whose conf has OWN under `http` (a map, or missing). FROM_DATA: its URL comes from an item. Files of
 * certificates are relative to BASE_DIR, the caller's to the working directory. WEB may be NULL. OUT points into ARENA. */
SL_MUST_CHECK sl_status sl_web_manners(const sl_web *web, sl_value own, bool from_data, const char *base_dir, sl_arena *arena,
                                       sl_manners *out, sl_error *err);

#endif
