/* body.c: the reader's side of a fetch: bytes that wait, what takes their encoding off, and their end. */
#include <stdlib.h>
#include <string.h>

#include <strings.h>

#include "base/clock.h"
#include "net/http/internal.h"

#define TURN_MS                                                                                              \
    50 /* how soon a wait notices that the run stops, and how often a permit says that it is awake */
#define COPY_STEP ((size_t)64 << 10)

/* ---- what arrives -------------------------------------------------------------------------------------- */

static sl_status too_long(sl_fetch *f) {
    return sl_fail(&f->error, SL_E_IO,
                   "cannot fetch %s: the body is longer than the limit of %llu bytes (max_body)", f->shown,
                   (unsigned long long)f->request.manners->max_body);
}

bool sl_body_add(sl_fetch *f, const char *data, size_t n) {
    const sl_hook *hook = f->request.hook;
    f->received += n;
    if (f->received > f->request.manners->max_body) return !too_long(f);
    sl_buf_add(&f->body, data, n);
    if (sl_buf_check(&f->body, &f->error)) return false;
    f->http->unread += n;
    if (hook && hook->bytes && !f->copy) hook->bytes(f->request.hook_user, data, n);
    return true;
}

void sl_body_reset(sl_fetch *f) {
    f->http->unread -= f->body.len - f->taken;
    sl_buf_clear(&f->body);
    f->taken = 0;
    f->received = f->unpacked = f->length = 0;
    f->head = f->held = false;
    f->validator = NULL;
    sl_inflate_free(&f->inflate);
}

sl_status sl_body_decoder(sl_fetch *f, const char *coding) {
    sl_inflate_free(&f->inflate);
    if (!coding || !coding[0] || !strcasecmp(coding, "identity")) return SL_OK;
    if (strchr(coding, ',')) {
        return sl_fail(&f->error, SL_E_IO, "cannot fetch %s: several content encodings at once ('%s')",
                       f->shown, coding);
    }
    sl_coding known = sl_coding_named(coding);
    if (known == SL_CODING_NONE) {
        return sl_fail(
            &f->error, SL_E_IO,
            "cannot fetch %s: its content encoding '%s' was not asked for (gzip, deflate and zstd were)",
            f->shown, coding);
    }
    f->inflate = sl_inflate_new(known);
    return f->inflate ? SL_OK : sl_oom(&f->error);
}

/* ---- the hook's copy ----------------------------------------------------------------------------------- */

/* More of the copy into the empty buffer. */
static sl_status fill_from_copy(sl_fetch *f) {
    size_t n = 0;
    sl_buf_clear(&f->body);
    f->taken = 0;
    if (!sl_buf_reserve(&f->body, COPY_STEP)) return sl_buf_check(&f->body, &f->error);
    TRY(f->request.hook->read(f->request.hook_user, f->body.data, COPY_STEP, &n, &f->error));
    f->body.len = n;
    f->received += n;
    f->http->unread += n;
    if (!n) f->held = false;
    return SL_OK;
}

static bool copy_has_more(sl_fetch *f) {
    return f->copy && f->held; /* no transfer to hold: set until the copy has come to its end */
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static void consume(sl_fetch *f, size_t n) {
    f->taken += n;
    f->http->unread -= n;
}

/* Lets a paused transfer go on once half of its window is free, and moves what is unread to the front. */
static void make_room(sl_fetch *f) {
    if (f->taken == f->body.len) {
        sl_buf_clear(&f->body);
        f->taken = 0;
    } else if (f->taken > f->body.len / 2) {
        memmove(f->body.data, f->body.data + f->taken, f->body.len - f->taken);
        f->body.len -= f->taken;
        f->taken = 0;
    }
    if (!f->held || f->body.len - f->taken > f->http->options.window / 2) return;
    f->held = false;
    f->moved = sl_clock_ns(); /* so that it does not count as idle */
    curl_easy_pause(f->easy, CURLPAUSE_CONT);
}

static void take_plain(sl_fetch *f, char *buf, size_t cap, size_t *n) {
    size_t have = f->body.len - f->taken;
    *n = have < cap ? have : cap;
    if (*n) memcpy(buf, f->body.data + f->taken, *n);
    consume(f, *n);
}

static sl_status take_packed(sl_fetch *f, char *buf, size_t cap, size_t *n) {
    const char *in = f->body.data + f->taken;
    size_t have = f->body.len - f->taken, before = have;
    sl_status status = sl_inflate_run(f->inflate, &in, &have, buf, cap, n, &f->error);
    sl_error_at(&f->error, f->shown, 0, 0);
    consume(f, before - have);
    f->unpacked += *n;
    if (status) return status;
    return f->unpacked > f->request.manners->max_body ? too_long(f) : SL_OK;
}

static bool has_bytes(const sl_fetch *f) {
    return f->body.len > f->taken || (f->inflate && sl_inflate_pending(f->inflate));
}

/* What has arrived, as far as it goes; *N 0: nothing yet. */
static sl_status take(sl_fetch *f, char *buf, size_t cap, size_t *n) {
    *n = 0;
    sl_status status = SL_OK;
    if (!has_bytes(f)) return f->error.code;
    f->handed = true;
    if (f->inflate) {
        status = take_packed(f, buf, cap, n);
    } else {
        take_plain(f, buf, cap, n);
    }
    if (f->phase == SL_FETCH_RUNNING) make_room(f);
    return status;
}

static sl_status finish(sl_fetch *f) {
    if (f->error.code) return f->error.code;
    if (f->inflate && f->received) {
        TRY(sl_inflate_finish(f->inflate, &f->error));
    }
    f->whole = true;
    return SL_OK;
}

static sl_status report(const sl_fetch *f, sl_error *err) {
    sl_status status = sl_fail(err, f->error.code, "%s", f->error.text);
    if (f->error.source[0]) sl_error_at(err, f->error.source, 0, 0);
    return status;
}

static sl_status stopped(const sl_fetch *f, sl_error *err) {
    return sl_fail(err, SL_E_STOPPED, "stopped while fetching %s", f->shown);
}

sl_status sl_fetch_head(sl_fetch *f, sl_error *err) {
    while (!f->head) {
        if (sl_http_stopping(f->http)) return stopped(f, err);
        sl_http_turn(f->http, f, 0);
        if (!f->head) sl_http_turn(f->http, f, TURN_MS);
    }
    return f->error.code ? report(f, err) : SL_OK;
}

/* The end: of the bytes that arrived, in good order or not. */
static sl_status end_of(sl_fetch *f, sl_error *err) {
    if (finish(f) == SL_OK) return SL_OK;
    if (f->inflate) sl_error_at(&f->error, f->shown, 0, 0);
    return report(f, err);
}

sl_status sl_fetch_read(sl_fetch *f, char *buf, size_t cap, size_t *n, sl_error *err) {
    for (;;) {
        if (take(f, buf, cap, n)) return report(f, err);
        if (*n) return SL_OK;
        if (copy_has_more(f)) {
            if (fill_from_copy(f)) return report(f, err);
            continue;
        }
        if (f->phase == SL_FETCH_ENDED) return end_of(f, err);
        if (sl_http_stopping(f->http)) return stopped(f, err);
        sl_http_turn(f->http, f, TURN_MS);
    }
}

bool sl_fetch_wait(sl_fetch *f, int ms) {
    uint64_t until = sl_clock_ns() + (uint64_t)ms * 1000000u;
    for (;;) {
        if (f->body.len > f->taken || f->phase == SL_FETCH_ENDED) return true;
        uint64_t now = sl_clock_ns();
        if (now > until || sl_http_stopping(f->http)) return false;
        sl_http_turn(f->http, f, (int)((until - now) / 1000000));
    }
}

bool sl_fetch_settled(const sl_fetch *f) {
    return f->phase == SL_FETCH_ENDED || f->held;
}

bool sl_fetch_move(sl_fetch *f, int ms) {
    if (sl_http_stopping(f->http)) return false;
    sl_http_turn(f->http, f, ms);
    return true;
}

/* ---- asking -------------------------------------------------------------------------------------------- */

long sl_fetch_status(const sl_fetch *f) {
    return f->status;
}

const char *sl_fetch_headers(const sl_fetch *f) {
    return f->headers ? f->headers : "";
}

/* The value of NAME among LINES, copied. */
static const char *find_line(sl_arena *arena, const char *lines, const char *name) {
    size_t n = strlen(name);
    for (const char *end; *lines; lines = end) {
        end = lines + strcspn(lines, "\n");
        bool found = !strncasecmp(lines, name, n) && !strncmp(lines + n, ": ", 2);
        if (found) return sl_arena_strndup(arena, lines + n + 2, (size_t)(end - lines) - n - 2);
        if (*end) end++;
    }
    return NULL;
}

const char *sl_fetch_header(sl_fetch *f, const char *name) {
    const sl_hook *hook = f->request.hook;
    if (f->copy) return hook->header ? hook->header(f->request.hook_user, name) : NULL;
    return find_line(&f->arena, sl_fetch_headers(f), name);
}

const char *sl_fetch_url(const sl_fetch *f) {
    return f->at;
}

const char *sl_fetch_shown(const sl_fetch *f) {
    return f->shown;
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
