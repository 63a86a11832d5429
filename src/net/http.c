#include "net/http.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "net/inflate.h"
#include "net/url.h"

#define SECOND        1000000000u /* nanoseconds */
#define FIRST_PAUSE   0.2         /* seconds before the first retry */
#define LONGEST_PAUSE 300.0
#define PAUSE_BUDGET  60.0 /* seconds of pauses of one fetch */
#define MAX_REDIRECTS 10L
#define TURN_MS       100 /* how soon a wait notices that the run stops */

typedef enum phase { WAITING, RUNNING, ENDED } phase;

struct sl_fetch {
    sl_http *http;
    sl_fetch *next; /* in the order of registration */
    sl_arena arena;
    const char *url, *shown; /* as given; without a password, for messages */
    sl_text host;
    CURL *easy;
    char reason[CURL_ERROR_SIZE];

    phase phase;
    uint64_t start_at; /* clock, while WAITING */
    unsigned tries;
    double paused_for; /* seconds of pauses before retries */

    bool head;   /* the answer that counts has begun */
    bool held;   /* paused: enough waits unread */
    bool handed; /* part of the body was given to the reader: no retry any more */
    sl_buf body;
    size_t at; /* first byte of body not yet read */
    uint64_t received, unpacked, length;
    const char *type;
    sl_inflate *inflate;
    sl_error error; /* of an ENDED fetch that failed */
};

struct sl_http {
    sl_http_options options;
    CURLM *multi;
    struct curl_slist *headers;
    sl_fetch *first;
    unsigned running;
    uint64_t retries, chance;
};

/* ---- the session --------------------------------------------------------------------------------------- */

/* libcurl wants to be set up once in a process, before any thread of it runs curl: the one piece of global state
 * here. A failure shows at the first curl_multi_init or curl_easy_init. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void set_up_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void apply_defaults(sl_http_options *o) {
    if (!o->connections) o->connections = 16;
    if (!o->per_host) o->per_host = 6;
    if (!o->retries) o->retries = 3;
    if (!(o->connect_timeout > 0)) o->connect_timeout = 10;
    if (!o->idle_timeout) o->idle_timeout = 30;
    if (!o->window) o->window = (size_t)4 << 20;
    if (!o->body_limit) o->body_limit = (uint64_t)1 << 30;
}

sl_status sl_http_new(const sl_http_options *options, sl_http **out, sl_error *err) {
    pthread_once(&curl_once, set_up_curl);
    sl_http *h = calloc(1, sizeof *h);
    if (!h) return sl_oom(err);
    h->options = *options;
    apply_defaults(&h->options);
    h->chance = sl_clock_ns();
    h->multi = curl_multi_init();
    h->headers = curl_slist_append(NULL, "Accept-Encoding: gzip");
    if (!h->multi || !h->headers) {
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
    curl_multi_cleanup((*h)->multi);
    curl_slist_free_all((*h)->headers);
    free(*h);
    *h = NULL;
}

uint64_t sl_http_retries(const sl_http *h) {
    return h->retries;
}

/* ---- what libcurl calls -------------------------------------------------------------------------------- */

static long status_of(sl_fetch *f) {
    long status = 0;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* A redirect that is left over leads nowhere, and "not modified" was not asked for. */
static bool is_good(long status) {
    return status >= 200 && status < 300;
}

/* The value of header NAME of the last answer, or NULL. */
static const char *header_of(sl_fetch *f, const char *name) {
    struct curl_header *h = NULL;
    return curl_easy_header(f->easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/* The final answer has begun: keeps what the reader may ask. */
static sl_status take_head(sl_fetch *f) {
    if (f->head) return SL_OK;
    f->head = true;
    const char *coding = header_of(f, "Content-Encoding"), *type = header_of(f, "Content-Type");
    curl_off_t length = 0;
    curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    f->length = length > 0 ? (uint64_t)length : 0;
    f->type = type ? sl_arena_strndup(&f->arena, type, strlen(type)) : "";
    if (!f->type) return sl_oom(&f->error);
    if (!coding || !strcasecmp(coding, "identity")) return SL_OK;
    if (strcasecmp(coding, "gzip") && strcasecmp(coding, "x-gzip")) {
        return sl_fail(&f->error, SL_E_IO,
                       "cannot fetch %s: its content encoding '%s' was not asked for (gzip was)", f->shown,
                       coding);
    }
    f->inflate = sl_inflate_new(SL_CODING_GZIP);
    return f->inflate ? SL_OK : sl_oom(&f->error);
}

static sl_status too_long(sl_fetch *f) {
    return sl_fail(&f->error, SL_E_IO, "cannot fetch %s: the body is longer than the limit of %llu bytes",
                   f->shown, (unsigned long long)f->http->options.body_limit);
}

static size_t on_body(char *data, size_t size, size_t count, void *user) {
    sl_fetch *f = user;
    size_t n = size * count;
    if (!is_good(status_of(f))) return n; /* the page that explains an error is of no use */
    if (take_head(f)) return CURL_WRITEFUNC_ERROR;
    if (f->body.len - f->at >= f->http->options.window) {
        f->held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    f->received += n;
    if (f->received > f->http->options.body_limit) {
        if (too_long(f)) return CURL_WRITEFUNC_ERROR;
    }
    sl_buf_add(&f->body, data, n);
    return sl_buf_check(&f->body, &f->error) ? CURL_WRITEFUNC_ERROR : n;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    sl_fetch *f = user;
    const atomic_bool *stopping = f->http->options.stopping;
    return stopping && atomic_load_explicit(stopping, memory_order_relaxed);
}

/* ---- starting and stopping ----------------------------------------------------------------------------- */

static void set_up_easy(sl_fetch *f) {
    const sl_http_options *o = &f->http->options;
    curl_easy_setopt(f->easy, CURLOPT_URL, f->url);
    curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
    curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->reason);
    curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->easy, CURLOPT_USERAGENT, "sluice");
    curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->http->headers);
    curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(f->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(f->easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(f->easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(o->connect_timeout * 1000));
    curl_easy_setopt(f->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(f->easy, CURLOPT_LOW_SPEED_TIME, (long)o->idle_timeout);
    curl_easy_setopt(f->easy, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(f->easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(f->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(f->easy, CURLOPT_XFERINFODATA, f);
}

static sl_status check_url(sl_fetch *f, const char *url, sl_error *err) {
    sl_url u;
    sl_text t = sl_text_of(url);
    f->url = sl_arena_strndup(&f->arena, url, t.n);
    f->shown = sl_url_shown(t, &f->arena).s;
    if (!f->url || !f->shown) return sl_oom(err);
    bool ok = sl_url_parse(sl_text_of(f->url), &u) && u.host.n;
    if (ok &&
        (sl_text_eq_nocase(u.scheme, SL_TEXT("http")) || sl_text_eq_nocase(u.scheme, SL_TEXT("https")))) {
        f->host = u.host;
        return SL_OK;
    }
    return sl_fail(err, SL_E_IO, "'%s' is not an http or https URL", f->shown);
}

static void append_fetch(sl_http *h, sl_fetch *f) {
    sl_fetch **at = &h->first;
    while (*at) at = &(*at)->next;
    *at = f;
}

sl_status sl_http_get(sl_http *h, const char *url, sl_fetch **out, sl_error *err) {
    sl_fetch *f = calloc(1, sizeof *f);
    if (!f) return sl_oom(err);
    f->http = h;
    f->body.limit = h->options.window + ((size_t)1 << 20); /* one delivery beyond the window */
    append_fetch(h, f);
    f->easy = curl_easy_init();
    sl_status status = f->easy ? check_url(f, url, err) : sl_oom(err);
    if (status) {
        sl_fetch_close(&f);
        return status;
    }
    set_up_easy(f);
    *out = f;
    return SL_OK;
}

static void leave_multi(sl_fetch *f) {
    if (f->phase != RUNNING) return;
    curl_multi_remove_handle(f->http->multi, f->easy);
    f->http->running--;
}

void sl_fetch_close(sl_fetch **f) {
    sl_fetch *gone = *f;
    if (!gone) return;
    leave_multi(gone);
    curl_easy_cleanup(gone->easy);
    sl_fetch **at = &gone->http->first;
    while (*at != gone) at = &(*at)->next;
    *at = gone->next;
    sl_inflate_free(&gone->inflate);
    sl_buf_free(&gone->body);
    sl_arena_free(&gone->arena);
    free(gone);
    *f = NULL;
}

/* ---- endings ------------------------------------------------------------------------------------------- */

static const char *phrase_of(long status) {
    switch (status) {
    case 400: return " Bad Request";
    case 401: return " Unauthorized";
    case 403: return " Forbidden";
    case 404: return " Not Found";
    case 405: return " Method Not Allowed";
    case 406: return " Not Acceptable";
    case 408: return " Request Timeout";
    case 410: return " Gone";
    case 425: return " Too Early";
    case 429: return " Too Many Requests";
    case 451: return " Unavailable For Legal Reasons";
    case 500: return " Internal Server Error";
    case 501: return " Not Implemented";
    case 502: return " Bad Gateway";
    case 503: return " Service Unavailable";
    case 504: return " Gateway Timeout";
    default: return "";
    }
}

/* Whether the same request may well succeed a little later. */
static bool is_passing(CURLcode code, long status) {
    switch (code) {
    case CURLE_OK: return status == 408 || status == 425 || status == 429 || status >= 500;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_WRITE_ERROR: /* ours */
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE: return false;
    default: return true;
    }
}

/* Seconds until the next attempt; the server's wish counts when it is longer. */
static double pause_of(sl_fetch *f) {
    f->http->chance = sl_hash_mix(f->http->chance + 1);
    double jitter = 0.75 + (double)(f->http->chance >> 40) / (double)(1u << 25);
    double pause = ldexp(FIRST_PAUSE, (int)f->tries - 1) * jitter;
    curl_off_t asked = 0;
    curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &asked);
    if ((double)asked > pause) pause = (double)asked;
    return pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
}

static bool try_again(sl_fetch *f) {
    if (f->handed || f->tries > f->http->options.retries) return false;
    double pause = pause_of(f);
    if (f->paused_for + pause > PAUSE_BUDGET) return false;
    f->paused_for += pause;
    f->start_at = sl_clock_ns() + (uint64_t)(pause * SECOND);
    f->phase = WAITING;
    f->head = f->held = false;
    sl_buf_clear(&f->body);
    f->at = 0;
    f->received = f->unpacked = 0;
    sl_inflate_free(&f->inflate);
    f->http->retries++;
    return true;
}

static void fail_fetch(sl_fetch *f, CURLcode code, long status, bool passing) {
    sl_status kind = passing ? SL_E_TEMP : SL_E_IO;
    const char *reason = f->reason[0] ? f->reason : curl_easy_strerror(code);
    sl_status set;
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        set = sl_fail(&f->error, SL_E_STOPPED, "stopped while fetching %s", f->shown);
    } else if (code == CURLE_OK) {
        set = sl_fail(&f->error, kind, "cannot fetch %s: %ld%s%s", f->shown, status, phrase_of(status),
                      f->tries > 1 ? ", again and again" : "");
    } else if (f->handed) {
        set = sl_fail(&f->error, kind, "fetching %s broke off after %llu bytes: %s", f->shown,
                      (unsigned long long)f->received, reason);
    } else {
        set = sl_fail(&f->error, kind, "cannot fetch %s: %s", f->shown, reason);
    }
    (void)set;
}

static void on_ended(sl_fetch *f, CURLcode code) {
    long status = status_of(f);
    leave_multi(f);
    f->phase = ENDED;
    if (f->error.code) return;
    bool good = code == CURLE_OK && is_good(status);
    if (good && take_head(f) == SL_OK) return;
    if (f->error.code) return;
    bool passing = is_passing(code, status);
    if (passing && try_again(f)) return;
    fail_fetch(f, code, status, passing);
    f->head = true;
}

/* ---- turning the wheel --------------------------------------------------------------------------------- */

static unsigned running_to(const sl_http *h, sl_text host) {
    unsigned n = 0;
    for (const sl_fetch *f = h->first; f; f = f->next) {
        n += f->phase == RUNNING && sl_text_eq_nocase(f->host, host);
    }
    return n;
}

static void start_fetch(sl_fetch *f) {
    f->tries++;
    f->reason[0] = 0;
    f->phase = RUNNING;
    f->http->running++;
    if (curl_multi_add_handle(f->http->multi, f->easy) == CURLM_OK) return;
    f->http->running--;
    f->phase = ENDED;
    f->head = true;
    if (sl_oom(&f->error)) return;
}

/* Starts what is due, first come first served; WANTED whatever the limits are. */
static void start_due(sl_http *h, const sl_fetch *wanted) {
    uint64_t now = sl_clock_ns();
    for (sl_fetch *f = h->first; f; f = f->next) {
        if (f->phase != WAITING || f->start_at > now) continue;
        bool room = h->running < h->options.connections && running_to(h, f->host) < h->options.per_host;
        if (room || f == wanted) start_fetch(f);
    }
}

/* Milliseconds to wait for the network: until something retries, MS at most. */
static int wait_of(const sl_http *h, int ms) {
    uint64_t now = sl_clock_ns();
    for (const sl_fetch *f = h->first; f; f = f->next) {
        if (f->phase != WAITING || !f->start_at) continue;
        uint64_t left = f->start_at > now ? (f->start_at - now) / 1000000 + 1 : 0;
        if (left && left < (uint64_t)ms) ms = (int)left;
    }
    return ms;
}

/* One round over all transfers; waits up to MS milliseconds for news. */
static void turn(sl_http *h, const sl_fetch *wanted, int ms) {
    int busy = 0, left = 0;
    start_due(h, wanted);
    if (ms) curl_multi_poll(h->multi, NULL, 0, wait_of(h, ms), NULL);
    curl_multi_perform(h->multi, &busy);
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
        if (m->msg != CURLMSG_DONE) continue;
        CURLcode code = m->data.result;
        void *f = NULL;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
        on_ended(f, code);
    }
}

static bool is_stopping(const sl_http *h) {
    return h->options.stopping && atomic_load_explicit(h->options.stopping, memory_order_relaxed);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static sl_status report(const sl_fetch *f, sl_error *err) {
    return sl_fail(err, f->error.code, "%s", f->error.text);
}

sl_status sl_fetch_head(sl_fetch *f, sl_error *err) {
    while (!f->head) {
        if (is_stopping(f->http)) return sl_fail(err, SL_E_STOPPED, "stopped while fetching %s", f->shown);
        turn(f->http, f, 0);
        if (!f->head) turn(f->http, f, TURN_MS);
    }
    return f->error.code ? report(f, err) : SL_OK;
}

const char *sl_fetch_type(const sl_fetch *f) {
    return f->type ? f->type : "";
}

uint64_t sl_fetch_length(const sl_fetch *f) {
    return f->length;
}

uint64_t sl_fetch_received(const sl_fetch *f) {
    return f->received;
}

/* Lets a paused transfer go on once half of its window is free, and moves what is unread to the front. */
static void make_room(sl_fetch *f) {
    if (f->at == f->body.len) {
        sl_buf_clear(&f->body);
        f->at = 0;
    } else if (f->at > f->body.len / 2) {
        memmove(f->body.data, f->body.data + f->at, f->body.len - f->at);
        f->body.len -= f->at;
        f->at = 0;
    }
    if (!f->held || f->body.len - f->at > f->http->options.window / 2) return;
    f->held = false;
    curl_easy_pause(f->easy, CURLPAUSE_CONT);
}

static sl_status take_plain(sl_fetch *f, char *buf, size_t cap, size_t *n) {
    size_t have = f->body.len - f->at;
    *n = have < cap ? have : cap;
    if (*n) memcpy(buf, f->body.data + f->at, *n);
    f->at += *n;
    return SL_OK;
}

static sl_status take_packed(sl_fetch *f, char *buf, size_t cap, size_t *n) {
    const char *in = f->body.data + f->at;
    size_t have = f->body.len - f->at, before = have;
    sl_status status = sl_inflate_run(f->inflate, &in, &have, buf, cap, n, &f->error);
    sl_error_at(&f->error, f->shown, 0, 0);
    f->at += before - have;
    f->unpacked += *n;
    if (status) return status;
    return f->unpacked > f->http->options.body_limit ? too_long(f) : SL_OK;
}

/* What has arrived, as far as it goes; *N 0: nothing yet. */
static sl_status take(sl_fetch *f, char *buf, size_t cap, size_t *n) {
    *n = 0;
    if (f->error.code) return f->error.code;
    bool have = f->body.len > f->at || (f->inflate && sl_inflate_pending(f->inflate));
    if (!have) return SL_OK;
    f->handed = true;
    sl_status status = f->inflate ? take_packed(f, buf, cap, n) : take_plain(f, buf, cap, n);
    if (f->phase == RUNNING) make_room(f);
    return status;
}

static sl_status finish(sl_fetch *f) {
    if (!f->inflate || f->error.code || !f->received) return f->error.code;
    sl_status status = sl_inflate_finish(f->inflate, &f->error);
    sl_error_at(&f->error, f->shown, 0, 0);
    return status;
}

static sl_status report_at(const sl_fetch *f, sl_error *err) {
    sl_status status = report(f, err);
    if (f->error.source[0]) sl_error_at(err, f->error.source, 0, 0);
    return status;
}

sl_status sl_fetch_read(sl_fetch *f, char *buf, size_t cap, size_t *n, sl_error *err) {
    for (;;) {
        if (take(f, buf, cap, n)) return report_at(f, err);
        if (*n) return SL_OK;
        if (f->phase == ENDED) return finish(f) ? report_at(f, err) : SL_OK;
        if (is_stopping(f->http)) return sl_fail(err, SL_E_STOPPED, "stopped while fetching %s", f->shown);
        turn(f->http, f, TURN_MS);
    }
}

bool sl_fetch_wait(sl_fetch *f, int ms) {
    uint64_t until = sl_clock_ns() + (uint64_t)ms * 1000000u;
    for (;;) {
        if (f->body.len > f->at || f->phase == ENDED) return true;
        uint64_t now = sl_clock_ns();
        if (now > until || is_stopping(f->http)) return false;
        turn(f->http, f, (int)((until - now) / 1000000));
    }
}
