/* retry.c: which failures pass, how long to wait for that, and what is said when it was in vain. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "net/http/internal.h"

#define FIRST_PAUSE   1.0 /* seconds: the most before the second attempt; doubled before each further one */
#define LONGEST_PAUSE 60.0
#define LONGEST_WISH  300.0 /* of a Retry-After that is obeyed */

static const char *phrase_of(long status) {
    switch (status) {
    case 400: return " Bad Request";
    case 401: return " Unauthorized";
    case 402: return " Payment Required";
    case 403: return " Forbidden";
    case 404: return " Not Found";
    case 405: return " Method Not Allowed";
    case 406: return " Not Acceptable";
    case 407: return " Proxy Authentication Required";
    case 408: return " Request Timeout";
    case 410: return " Gone";
    case 416: return " Range Not Satisfiable";
    case 425: return " Too Early";
    case 429: return " Too Many Requests";
    case 451: return " Unavailable For Legal Reasons";
    case 500: return " Internal Server Error";
    case 501: return " Not Implemented";
    case 502: return " Bad Gateway";
    case 503: return " Service Unavailable";
    case 504: return " Gateway Timeout";
    case 522: return " Connection Timed Out";
    case 524: return " A Timeout Occurred";
    default: return "";
    }
}

static bool status_passes(long status) {
    static const long passing[] = {408, 425, 429, 500, 502, 503, 504, 522, 524};
    for (size_t i = 0; i < SL_COUNT(passing); i++) {
        if (passing[i] == status) return true;
    }
    return false;
}

bool sl_retry_passes(const sl_fetch *f, CURLcode code) {
    if (f->refused[0]) return false;
    switch (code) {
    case CURLE_OK: return status_passes(f->status);
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    default: return false;
    }
}

/* ---- waiting ------------------------------------------------------------------------------------------- */

double sl_retry_after(const char *text, int64_t now) {
    size_t digits = strspn(text, "0123456789");
    if (digits && !text[digits]) return digits > 9 ? 1e9 : strtod(text, NULL);
    if (!strchr(text, ',')) return -1; /* what else curl_getdate takes, such as "-1", is no HTTP date */
    time_t at = curl_getdate(text, NULL);
    if (at == (time_t)-1) return -1;
    return (int64_t)at > now ? (double)((int64_t)at - now) : 0;
}

/* From 0 on, all of it: those who failed together do not come back together. */
static double draw_pause(sl_fetch *f) {
    f->http->chance = sl_hash_mix(f->http->chance + 1);
    double most = ldexp(FIRST_PAUSE, (int)(f->tries < 16 ? f->tries : 16) - 1);
    if (most > LONGEST_PAUSE) most = LONGEST_PAUSE;
    return most * (double)(f->http->chance >> 11) / (double)(1ull << 53);
}

/* Seconds the server asks to wait; -1: it does not. */
static double wish_of(sl_fetch *f, CURLcode code) {
    const char *text = code == CURLE_OK ? sl_transfer_header(f, "Retry-After") : NULL;
    return text ? sl_retry_after(text, sl_clock_epoch()) : -1;
}

static bool wish_is_too_long(sl_fetch *f, double wish, double left) {
    if (wish <= LONGEST_WISH && wish <= left) return false;
    sl_status set =
        sl_fail(&f->error, SL_E_TEMP,
                "cannot fetch %s: %ld%s, and it asks to wait %.0f s, more than the %.0f s there are",
                f->shown, f->status, phrase_of(f->status), wish, left < LONGEST_WISH ? left : LONGEST_WISH);
    (void)set;
    return true;
}

/* What arrived before is kept when the server can be asked for the rest of it. */
static bool continue_or_restart(sl_fetch *f) {
    bool rest = f->received && f->head && !f->inflate && f->validator && !f->copy;
    if (!rest && f->handed) return false;
    f->resume_from = rest ? f->received : 0;
    if (!rest) sl_body_reset(f);
    return true;
}

bool sl_retry_again(sl_fetch *f, CURLcode code) {
    const sl_manners *m = f->request.manners;
    if (f->tries > m->retries) return false;
    double left = m->retry_time - (double)(sl_clock_ns() - f->began) / SL_SECOND;
    double wish = wish_of(f, code), pause = wish >= 0 ? wish : draw_pause(f);
    if (wish >= 0 && wish_is_too_long(f, wish, left > 0 ? left : 0)) return false;
    if (pause > left || !continue_or_restart(f)) return false;
    f->start_at = sl_clock_ns() + (uint64_t)(pause * SL_SECOND);
    f->phase = SL_FETCH_WAITING;
    f->at = f->request.url;
    if (!sl_place_of(f->at, &f->place)) return false; /* it was one when the fetch was registered */
    f->hops = 0;
    f->http->retries++;
    SL_TRACE(f->http->options.log, retry, "in %.1f s (%s): %s", pause,
             code == CURLE_OK ? phrase_of(f->status) + 1
             : f->reason[0]   ? f->reason
                              : curl_easy_strerror(code),
             f->shown);
    sl_permits_retried(f->http->options.permits);
    return true;
}

/* ---- giving up ----------------------------------------------------------------------------------------- */

static sl_status say_refused(sl_fetch *f) {
    return sl_fail(
        &f->error, SL_E_IO,
        "cannot fetch %s: it leads to %s, which is not public, and the address comes from data; allow-net "
        "%s permits it",
        f->shown, f->refused, f->refused);
}

void sl_retry_fail(sl_fetch *f, CURLcode code, bool passing) {
    sl_status kind = passing ? SL_E_TEMP : SL_E_IO, set;
    const char *reason = f->reason[0] ? f->reason : curl_easy_strerror(code);
    char tries[64] = "";
    if (f->tries > 1)
        snprintf(tries, sizeof tries, " (attempt %u of %u)", f->tries, f->request.manners->retries + 1);
    if (f->error.code) {
        set = f->error.code;
    } else if (f->refused[0]) {
        set = say_refused(f);
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        set = sl_fail(&f->error, SL_E_STOPPED, "stopped while fetching %s", f->shown);
    } else if (code == CURLE_OK) {
        set = sl_fail(&f->error, kind, "cannot fetch %s: %ld%s%s", f->shown, f->status, phrase_of(f->status),
                      tries);
    } else if (f->handed) {
        set = sl_fail(&f->error, kind, "fetching %s broke off after %llu bytes: %s%s", f->shown,
                      (unsigned long long)f->received, reason, tries);
    } else {
        set = sl_fail(&f->error, kind, "cannot fetch %s: %s%s", f->shown, reason, tries);
    }
    (void)set;
    f->phase = SL_FETCH_ENDED;
    f->head = true;
}
