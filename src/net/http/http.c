/* http.c: the session: what is registered, what is started when, and what follows when an attempt ends. */
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "net/http/internal.h"

#define MAX_REDIRECTS 10
#define CROWDED_MS    10 /* how soon a permit is asked for again that another session may have given back */

const sl_manners sl_plain_manners = {
    .agent = "sluice",
    .retries = 3,
    .retry_time = 60,
    .connect_timeout = 10,
    .idle_timeout = 30,
    .max_body = (uint64_t)1 << 30,
};

void sl_manners_forget(sl_manners *m) {
    m->headers = NULL;
    m->user = m->bearer = m->cert = m->key = NULL;
    m->oauth = NULL;
    m->netrc = false;
}

/* ---- the session --------------------------------------------------------------------------------------- */

/* libcurl wants to be set up once in a process, before any thread of it runs curl: the one piece of global state
 * here. A failure shows at the first curl_multi_init or curl_easy_init. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void set_up_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* With it comes OpenSSL, which takes thousands of allocations, does not stand that one of them fails, and is not needed for files. */
sl_status sl_http_set_up(sl_http *h, sl_error *err) {
    if (h->multi) return SL_OK;
    pthread_once(&curl_once, set_up_curl);
    h->multi = curl_multi_init();
    return h->multi ? SL_OK : sl_oom(err);
}

sl_status sl_http_library(sl_error *err) {
    return sl_library_open(&sl_curl_library, err);
}

static void apply_defaults(sl_http_options *o) {
    if (!o->connections) o->connections = 16;
    if (!o->per_host) o->per_host = 6;
    if (!o->window) o->window = (size_t)4 << 20;
    if (!o->backlog) o->backlog = (size_t)64 << 20;
}

sl_status sl_http_new(const sl_http_options *options, sl_http **out, sl_error *err) {
    sl_http *h = calloc(1, sizeof *h);
    if (!h) return sl_oom(err);
    h->options = *options;
    apply_defaults(&h->options);
    h->chance = sl_hash_mix(sl_clock_ns() ^ (uint64_t)getpid() << 40 ^ (uintptr_t)h);
    if (!h->options.permits) {
        h->own = sl_permits_new(h->options.connections, h->options.per_host);
        h->options.permits = h->own;
    }
    if (!h->options.permits) {
        sl_http_free(&h);
        return sl_oom(err);
    }
    *out = h;
    return SL_OK;
}

void sl_http_free(sl_http **h) {
    if (!*h) return;
    while ((*h)->first) {
        sl_fetch *f = (*h)->first;
        sl_fetch_close(&f);
    }
    sl_auth_free(*h);
    if ((*h)->multi) curl_multi_cleanup((*h)->multi);
    sl_permits_free(&(*h)->own);
    free(*h);
    *h = NULL;
}

uint64_t sl_http_retries(const sl_http *h) {
    return h->retries;
}

bool sl_http_stopping(const sl_http *h) {
    return h->options.stopping && atomic_load_explicit(h->options.stopping, memory_order_relaxed);
}

/* ---- places -------------------------------------------------------------------------------------------- */

static uint64_t hash_of_host(sl_text host) {
    uint64_t hash = host.n;
    for (uint32_t i = 0; i < host.n; i++) {
        char c = host.s[i];
        hash = sl_hash_mix(hash ^ (unsigned char)(c >= 'A' && c <= 'Z' ? c | 32 : c)) + i;
    }
    return hash;
}

static unsigned port_of(const sl_url *u, bool secure) {
    unsigned port = 0;
    for (uint32_t i = 0; i < u->port.n && port <= 65535; i++)
        port = port * 10 + (unsigned)(u->port.s[i] - '0');
    return u->port.n ? port : secure ? 443 : 80;
}

bool sl_place_of(const char *url, sl_place *out) {
    sl_url u;
    if (!sl_url_parse(sl_text_of(url), &u) || !u.host.n) return false;
    bool secure = sl_text_eq_nocase(u.scheme, SL_TEXT("https"));
    if (!secure && !sl_text_eq_nocase(u.scheme, SL_TEXT("http"))) return false;
    *out = (sl_place){u.scheme, u.host, port_of(&u, secure), hash_of_host(u.host)};
    return true;
}

bool sl_place_same(const sl_place *a, const sl_place *b) {
    return a->port == b->port && sl_text_eq_nocase(a->host, b->host) &&
           sl_text_eq_nocase(a->scheme, b->scheme);
}

/* The same host, also where http at its usual port became https at its own. */
static bool same_host(const sl_place *a, const sl_place *b) {
    bool usual = (a->port == 80 || a->port == 443) && (b->port == 80 || b->port == 443);
    return sl_text_eq_nocase(a->host, b->host) && (a->port == b->port || usual);
}

bool sl_fetch_is_guarded(const sl_fetch *f) {
    sl_place origin;
    if (!f->request.from_data) return !same_host(&f->home, &f->place);
    return !f->request.origin || !sl_place_of(f->request.origin, &origin) || !same_host(&origin, &f->place);
}

/* ---- registering --------------------------------------------------------------------------------------- */

/* The usual mistakes have a word of their own. */
static sl_status refuse_url(const sl_fetch *f, sl_error *err) {
    const char *advice = "it has to look like https://host/path";
    if (strpbrk(f->request.url, " \t\r\n")) advice = "it has a blank in it; write %20 in its place";
    return sl_fail(err, SL_E_IO, "'%s' is not an http or https URL: %s", f->shown, advice);
}

static sl_status keep_urls(sl_fetch *f, const sl_request *request, const char *form, sl_error *err) {
    sl_text url = sl_text_of(request->url);
    f->request = *request;
    if (!f->request.manners) f->request.manners = &sl_plain_manners;
    f->request.url = f->at = sl_arena_strndup(&f->arena, url.s, url.n);
    f->shown = sl_url_shown(url, &f->arena).s;
    if (form) f->form = sl_arena_strndup(&f->arena, form, strlen(form));
    if (request->origin)
        f->request.origin = sl_arena_strndup(&f->arena, request->origin, strlen(request->origin));
    bool lost = !f->at || !f->shown || (form && !f->form) || (request->origin && !f->request.origin);
    if (lost) return sl_oom(err);
    if (!sl_place_of(f->at, &f->home)) {
        return refuse_url(f, err);
    }
    f->place = f->home;
    sl_place origin;
    if (f->request.origin && sl_place_of(f->request.origin, &origin)) f->home = origin;
    return SL_OK;
}

static void link_fetch(sl_http *h, sl_fetch *f) {
    f->before = h->last;
    if (h->last) h->last->next = f;
    if (!h->first) h->first = f;
    h->last = f;
}

static void unlink_fetch(sl_http *h, sl_fetch *f) {
    if (f->before) f->before->next = f->next;
    if (f->next) f->next->before = f->before;
    if (h->first == f) h->first = f->next;
    if (h->last == f) h->last = f->before;
}

static const char *copy_header(const sl_fetch *f, const char *name) {
    const sl_hook *hook = f->request.hook;
    return hook->header ? hook->header(f->request.hook_user, name) : NULL;
}

/* The hook's copy is the answer. */
static void read_copy(sl_fetch *f) {
    sl_body_reset(f);
    f->phase = SL_FETCH_ENDED;
    f->copy = f->head = true;
    f->type = copy_header(f, "Content-Type");
    const char *length = copy_header(f, "Content-Length");
    f->length = length ? strtoull(length, NULL, 10) : 0;
    f->held = sl_body_decoder(f, copy_header(f, "Content-Encoding")) == SL_OK;
}

/* The server says that the hook's copy still holds. */
static bool take_copy(sl_fetch *f) {
    const sl_hook *hook = f->request.hook;
    if (sl_transfer_keep(f)) return false;
    if (hook->began) hook->began(f->request.hook_user, f);
    read_copy(f);
    return true;
}

sl_status sl_fetch_new(sl_http *h, const sl_request *request, const char *form, sl_fetch **out,
                       sl_error *err) {
    TRY(sl_http_library(err));
    sl_fetch *f = calloc(1, sizeof *f);
    if (!f) return sl_oom(err);
    f->http = h;
    f->body.limit = h->options.window + ((size_t)1 << 20); /* one delivery beyond the window */
    link_fetch(h, f);
    sl_status status = keep_urls(f, request, form, err);
    if (status) {
        f->request.hook = NULL; /* it never began */
        sl_fetch_close(&f);
        return status;
    }
    const sl_hook *hook = request->hook;
    if (hook && hook->serves && hook->serves(request->hook_user)) read_copy(f);
    *out = f;
    return SL_OK;
}

sl_status sl_http_get(sl_http *h, const sl_request *request, sl_fetch **out, sl_error *err) {
    return sl_fetch_new(h, request, NULL, out, err);
}

void sl_fetch_close(sl_fetch **fp) {
    sl_fetch *f = *fp;
    if (!f) return;
    sl_transfer_leave(f);
    const sl_hook *hook = f->request.hook;
    if (hook && hook->ended) hook->ended(f->request.hook_user, f->whole);
    f->http->unread -= f->body.len - f->taken;
    unlink_fetch(f->http, f);
    curl_easy_cleanup(f->easy);
    curl_slist_free_all(f->lines);
    sl_inflate_free(&f->inflate);
    sl_buf_free(&f->body);
    sl_arena_free(&f->arena);
    free(f);
    *fp = NULL;
}

/* ---- endings ------------------------------------------------------------------------------------------- */

static bool is_redirect(long status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void tell_led(sl_fetch *f) {
    const char *shown = sl_url_shown(sl_text_of(f->at), &f->arena).s;
    SL_TRACE(f->http->options.log, request, "%ld leads to %s", f->status, shown ? shown : "");
}

static void tell_answer(const sl_fetch *f) {
    char size[SL_SIZE_TEXT];
    SL_TRACE(f->http->options.log, request, "%ld, %s after %.0f ms: %s", f->status,
             sl_size_text(f->received, size), (double)(sl_clock_ns() - f->began) / 1e6, f->shown);
}

/* Puts F back in line for where its answer leads. */
static sl_status follow(sl_fetch *f) {
    char *url = NULL;
    sl_place place;
    curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_URL, &url);
    if (!url || f->form) {
        return sl_fail(&f->error, SL_E_IO, "cannot fetch %s: %ld leads nowhere", f->shown, f->status);
    }
    if (++f->hops > MAX_REDIRECTS) {
        return sl_fail(&f->error, SL_E_IO, "cannot fetch %s: more than %d redirects", f->shown,
                       MAX_REDIRECTS);
    }
    const char *at = sl_arena_strndup(&f->arena, url, strlen(url));
    if (!at) return sl_oom(&f->error);
    if (!sl_place_of(at, &place)) {
        const char *shown = sl_url_shown(sl_text_of(at), &f->arena).s;
        return sl_fail(&f->error, SL_E_IO,
                       "cannot fetch %s: it redirects to '%s', which is not http or https", f->shown,
                       shown ? shown : "");
    }
    sl_place_of(at, &f->place);
    f->at = at;
    f->phase = SL_FETCH_WAITING;
    f->start_at = 0;
    if (sl_log_wants(f->http->options.log, SL_LOG_TRACE)) tell_led(f);
    return SL_OK;
}

/* The rest that was asked for is nothing: the attempt before had it all. */
static bool had_it_all(sl_fetch *f) {
    const char *range = f->resume_from && f->status == 416 ? sl_transfer_header(f, "Content-Range") : NULL;
    const char *size = range ? strstr(range, "*/") : NULL;
    if (!size || strtoull(size + 2, NULL, 10) != f->resume_from) return false;
    f->status = 200;
    return true;
}

static void put_back(sl_fetch *f) {
    f->phase = SL_FETCH_WAITING;
    f->start_at = 0;
}

/* What an answer that came to its end means. True: F is dealt with. */
static bool accept_answer(sl_fetch *f) {
    if (sl_status_is_good(f->status)) return f->answered || sl_transfer_head(f) == SL_OK;
    if (is_redirect(f->status)) return follow(f) == SL_OK;
    if (f->status == 401 && sl_auth_renew(f)) {
        put_back(f);
        return true;
    }
    if (f->status == 304 && f->asked_copy) return take_copy(f);
    return had_it_all(f);
}

static void on_ended(sl_fetch *f, CURLcode code) {
    bool resumed = f->resume_from != 0;
    long status = sl_transfer_status(f);
    if (!resumed || !sl_status_is_good(status)) f->status = status;
    if (f->cut) code = CURLE_OK;
    if (f->idle) code = CURLE_OPERATION_TIMEDOUT;
    sl_transfer_name_limit(f, code);
    sl_transfer_leave(f);
    f->phase = SL_FETCH_ENDED;
    if (code == CURLE_OK && !is_redirect(f->status)) tell_answer(f);
    if (!f->error.code && code == CURLE_OK && accept_answer(f)) return;
    bool passing = !f->error.code && sl_retry_passes(f, code);
    if (passing && sl_retry_again(f, code)) return;
    sl_retry_fail(f, code, passing);
}

/* ---- turning the wheel --------------------------------------------------------------------------------- */

static void give_up(sl_fetch *f) {
    f->phase = SL_FETCH_ENDED;
    f->head = true;
}

static void start_fetch(sl_fetch *f, int permit) {
    if (!f->began) f->began = sl_clock_ns();
    if (!f->hops) f->tries++;
    f->permit = permit;
    if (sl_transfer_start(f, &f->error) == SL_OK) {
        SL_TRACE(f->http->options.log, request, "%s, attempt %u: %s", f->form ? "POST" : "GET", f->tries,
                 f->shown);
        return;
    }
    sl_permits_give(f->http->options.permits, permit);
    give_up(f);
}

/* Starts F if there is a permit for it. */
static int try_start(sl_http *h, sl_fetch *f, bool wanted) {
    sl_permit_wish wish = {f->place.hash, (uint64_t)(f->request.manners->interval * SL_SECOND), wanted};
    int permit = sl_permits_take(h->options.permits, &wish, &f->start_at);
    if (permit >= 0) start_fetch(f, permit);
    if (permit == SL_PERMIT_CROWDED) h->crowded = true;
    return permit;
}

/* The token that a wanted fetch waits for is as wanted. */
static bool is_wanted(const sl_fetch *f, const sl_fetch *wanted) {
    return f == wanted || (f->form && wanted && wanted->request.manners->oauth);
}

/* Starts what is due, first come first served; a host that is full is not asked for twice. */
static void start_due(sl_http *h, const sl_fetch *wanted) {
    uint64_t now = sl_clock_ns(), full = 0;
    h->crowded = false;
    for (sl_fetch *f = h->first; f; f = f->next) {
        bool must = is_wanted(f, wanted);
        if (f->phase != SL_FETCH_WAITING || f->start_at > now || !sl_auth_ready(f, must)) continue;
        if (!must && (h->unread > h->options.backlog || f->place.hash == full)) continue;
        if (try_start(h, f, must) == SL_PERMIT_CROWDED) full = f->place.hash;
    }
}

/* Milliseconds to wait for the network: until something may begin, MS at most. */
static int wait_of(const sl_http *h, int ms) {
    uint64_t now = sl_clock_ns();
    if (h->crowded && ms > CROWDED_MS) ms = CROWDED_MS;
    for (const sl_fetch *f = h->first; f; f = f->next) {
        if (f->phase != SL_FETCH_WAITING || !f->start_at) continue;
        uint64_t left = f->start_at > now ? (f->start_at - now) / 1000000 + 1 : 0;
        if (left && left < (uint64_t)ms) ms = (int)left;
    }
    return ms;
}

/* What moves says so; what is paused or left alone falls asleep. */
static void touch_permits(sl_http *h) {
    sl_auth_touch(h);
    for (sl_fetch *f = h->first; f; f = f->next) {
        if (f->phase == SL_FETCH_RUNNING && !f->held) sl_permits_touch(h->options.permits, f->permit);
    }
}

/* While nothing has begun there is nothing to hear from. */
static void wait_for_news(sl_http *h, int ms) {
    int busy = 0;
    if (!h->multi) {
        if (ms) poll(NULL, 0, wait_of(h, ms));
        return;
    }
    if (ms) curl_multi_poll(h->multi, NULL, 0, wait_of(h, ms), NULL);
    curl_multi_perform(h->multi, &busy);
}

void sl_http_turn(sl_http *h, const sl_fetch *wanted, int ms) {
    int left = 0;
    start_due(h, wanted);
    touch_permits(h);
    wait_for_news(h, ms);
    if (!h->multi) return;
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
        if (m->msg != CURLMSG_DONE) continue;
        CURLcode code = m->data.result;
        void *f = NULL;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
        on_ended(f, code);
    }
}
