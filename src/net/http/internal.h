/* internal.h: what the files behind http.h share. See there for who does what. */
#ifndef SL_NET_HTTP_INTERNAL_H
#define SL_NET_HTTP_INTERNAL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "net/curl.h"
#include "net/http/http.h"
#include "net/inflate.h"
#include "net/url.h"

#define SL_SECOND 1000000000u /* nanoseconds */

/* Of a fetch: waiting for its turn, under way, or over. */
typedef enum sl_fetch_phase { SL_FETCH_WAITING, SL_FETCH_RUNNING, SL_FETCH_ENDED } sl_fetch_phase;

/* Where a request goes: two URLs with the same place share credentials and trust. */
typedef struct sl_place {
    sl_text scheme, host; /* views into the URL */
    unsigned port;
    uint64_t hash; /* of the host's name, in small letters */
} sl_place;

typedef struct sl_token sl_token; /* auth.c */

struct sl_fetch {
    sl_http *http;
    sl_fetch *before, *next; /* in the order of registration */
    sl_arena arena;
    sl_request request; /* url and origin in the arena, manners never NULL */
    const char *shown;  /* the url without a password, for messages */
    sl_place home;      /* whose credentials they are: that of request.url, or of its origin */
    const char *at;     /* where the next attempt goes: request.url, or where a redirect led */
    sl_place place;     /* of it */
    const char *form;   /* what to POST; NULL: a GET */

    sl_fetch_phase phase;
    uint64_t start_at; /* monotonic ns, while waiting; 0: now */
    uint64_t began;    /* of the first attempt; 0: there was none */
    unsigned tries, hops;
    int permit;           /* while running */
    sl_token *token;      /* auth.c: that is sent */
    uint64_t token_issue; /* which of it was sent last */
    bool renewed;         /* a token that was refused has been replaced once */

    /* One attempt. */
    CURL *easy; /* NULL before the first */
    struct curl_slist *lines;
    char reason[CURL_ERROR_SIZE];
    char refused[SL_ADDRESS_TEXT]; /* an address that the guard did not let through */
    uint64_t moved;                /* monotonic ns of the last byte or of the connection; 0: not connected yet */
    bool idle;                     /* it was given up as nothing came */
    bool answered;                 /* the head of this attempt has been looked at */
    bool cut;                      /* a page of no use was too long to be skipped to its end */
    bool asked_copy;               /* the hook asked whether its copy still holds */
    size_t head_bytes, head_lines;
    uint64_t skipped;     /* bytes of such a page */
    uint64_t resume_from; /* the attempt continues here; 0: from the start */

    /* The answer. */
    bool head;   /* the answer that counts has begun, or the fetch has failed */
    bool held;   /* paused: enough waits unread */
    bool handed; /* part of the body was given to the reader: it cannot start again */
    bool copy;   /* the hook's copy is read */
    bool whole;  /* read to its end in good order */
    long status;
    const char *headers, *type, *validator; /* validator: for If-Range, or NULL */
    uint64_t received, unpacked, length;
    sl_buf body;
    size_t taken; /* bytes of body that the decoder or the reader has had */
    sl_inflate *inflate;
    sl_error error; /* of a fetch that failed */
};

struct sl_http {
    sl_http_options options;
    sl_permits *own; /* when the options bring none */
    CURLM *multi;    /* NULL: nothing was transferred yet */
    sl_fetch *first, *last;
    sl_token *tokens;
    size_t unread; /* bytes of all bodies */
    bool crowded;  /* something waits for a permit */
    uint64_t retries, chance;
};

/* ---- http.c ---- */
/* Registers a fetch of REQUEST whose url and origin are copied. FORM: see sl_fetch. */
SL_MUST_CHECK sl_status sl_fetch_new(sl_http *h, const sl_request *request, const char *form, sl_fetch **out, sl_error *err);
/* libcurl, before the first transfer. */
SL_MUST_CHECK sl_status sl_http_set_up(sl_http *h, sl_error *err);
/* One round over all transfers; WANTED (may be NULL) is begun whatever sleeps. Waits up to MS milliseconds for news. */
void sl_http_turn(sl_http *h, const sl_fetch *wanted, int ms);
bool sl_http_stopping(const sl_http *h);
/* Takes URL apart. False: it is not http or https. */
bool sl_place_of(const char *url, sl_place *out);
bool sl_place_same(const sl_place *a, const sl_place *b);
/* The fetch may not leave the public internet on its way to where it goes now. */
bool sl_fetch_is_guarded(const sl_fetch *f);

/* ---- transfer.c ---- */
SL_MUST_CHECK sl_status sl_transfer_start(sl_fetch *f, sl_error *err);
/* Where CODE is that a limit of time was reached: which one, and the option that sets it. Before the handle is left. */
void sl_transfer_name_limit(sl_fetch *f, CURLcode code);
void sl_transfer_leave(sl_fetch *f); /* of the multi handle; the answer can still be asked */
long sl_transfer_status(sl_fetch *f);
/* The value of header NAME of the attempt's last answer, or NULL. */
const char *sl_transfer_header(sl_fetch *f, const char *name);
/* Keeps the headers of the attempt's last answer. */
SL_MUST_CHECK sl_status sl_transfer_keep(sl_fetch *f);
/* The attempt's answer is the final one: keeps what the reader may ask, or finds out what is wrong with it. */
SL_MUST_CHECK sl_status sl_transfer_head(sl_fetch *f);
static inline bool sl_status_is_good(long status) {
    return status >= 200 && status < 300;
}

/* ---- retry.c ---- */
/* What ended with CODE (and, if that is CURLE_OK, with f->status) may succeed later. */
bool sl_retry_passes(const sl_fetch *f, CURLcode code);
/* Puts F back in line, to continue or to start again. False: there is no use or no time; the error says why. */
bool sl_retry_again(sl_fetch *f, CURLcode code);
/* Fails F for good. */
void sl_retry_fail(sl_fetch *f, CURLcode code, bool passing);
/* Seconds that TEXT, a Retry-After, asks to wait from NOW (epoch) on; -1: it does not say. */
double sl_retry_after(const char *text, int64_t now);

/* ---- body.c ---- */
/* Bytes that arrived; false: F has failed. */
bool sl_body_add(sl_fetch *f, const char *data, size_t n);
/* Forgets what has arrived. */
void sl_body_reset(sl_fetch *f);
/* Makes the decoder that CODING (a Content-Encoding, may be NULL) wants. */
SL_MUST_CHECK sl_status sl_body_decoder(sl_fetch *f, const char *coding);

/* ---- auth.c ---- */
/* Whether F has the token it needs. If not, one is on its way, or F has failed. WANTED: somebody waits for F alone. */
bool sl_auth_ready(sl_fetch *f, bool wanted);
/* What asks for tokens moves. */
void sl_auth_touch(sl_http *h);
/* The answer was 401: a fresh token may help, once. */
bool sl_auth_renew(sl_fetch *f);
/* The header line of the token, or NULL. In the fetch's arena. */
const char *sl_auth_line(sl_fetch *f);
void sl_auth_free(sl_http *h);

#endif
