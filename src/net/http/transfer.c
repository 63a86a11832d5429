/* transfer.c: one attempt. libcurl is told what to do, and what it calls is answered. Redirects are not followed here:
 * where one leads decides about credentials and trust, and so it is an attempt of its own (http.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http/internal.h"

#define HEAD_BYTES  ((size_t)300 << 10)
#define HEAD_LINES  5000
#define SKIP_LIMIT  (1u << 20) /* bytes of a page that explains an error */
#define ACCEPTED    "gzip, deflate, zstd"
#define BUFFER_SIZE (256L << 10)

long sl_transfer_status(sl_fetch *f) {
    long status = 0;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

const char *sl_transfer_header(sl_fetch *f, const char *name) {
    struct curl_header *h = NULL;
    return curl_easy_header(f->easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/* ---- the head of an answer ----------------------------------------------------------------------------- */

/* Two lengths that differ: whoever believes the wrong one takes a part for the whole. */
static bool lengths_agree(sl_fetch *f) {
    struct curl_header *h = NULL, *first = NULL;
    if (curl_easy_header(f->easy, "Content-Length", 0, CURLH_HEADER, -1, &first) != CURLHE_OK) return true;
    size_t n = first->amount;
    char *text = strdup(first->value); /* the next call takes the struct over */
    bool agree = text != NULL;
    for (size_t i = 1; i < n && agree; i++) {
        agree = curl_easy_header(f->easy, "Content-Length", i, CURLH_HEADER, -1, &h) == CURLHE_OK &&
                !strcmp(h->value, text);
    }
    free(text);
    return agree;
}

sl_status sl_transfer_keep(sl_fetch *f) {
    sl_buf lines = {.limit = 2 * HEAD_BYTES};
    for (struct curl_header *h = NULL; (h = curl_easy_nextheader(f->easy, CURLH_HEADER, -1, h));) {
        sl_buf_printf(&lines, "%s: %s\n", h->name, h->value);
    }
    const char *text = sl_buf_cstr(&lines);
    f->headers = lines.failed ? NULL : sl_arena_strndup(&f->arena, text, strlen(text));
    sl_buf_free(&lines);
    return f->headers ? SL_OK : sl_oom(&f->error);
}

static sl_status keep_text(sl_fetch *f, const char *name, const char **out) {
    const char *value = sl_transfer_header(f, name);
    *out = value ? sl_arena_strndup(&f->arena, value, strlen(value)) : NULL;
    return value && !*out ? sl_oom(&f->error) : SL_OK;
}

/* What a later attempt can name to be sure that it continues the same body. */
static sl_status keep_validator(sl_fetch *f) {
    TRY(keep_text(f, "ETag", &f->validator));
    bool strong = f->validator && f->validator[0] == '"';
    return strong ? SL_OK : keep_text(f, "Last-Modified", &f->validator);
}

sl_status sl_transfer_head(sl_fetch *f) {
    curl_off_t length = 0;
    f->status = sl_transfer_status(f);
    if (!lengths_agree(f)) {
        return sl_fail(&f->error, SL_E_IO, "cannot fetch %s: the answer gives two different lengths",
                       f->shown);
    }
    if (f->status == 206) {
        return sl_fail(&f->error, SL_E_IO, "cannot fetch %s: the server sends a part, asked for the whole",
                       f->shown);
    }
    curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    f->length = length > 0 ? (uint64_t)length : 0;
    TRY(sl_transfer_keep(f));
    TRY(keep_text(f, "Content-Type", &f->type));
    TRY(keep_validator(f));
    TRY(sl_body_decoder(f, sl_transfer_header(f, "Content-Encoding")));
    const sl_hook *hook = f->request.hook;
    if (hook && hook->began) hook->began(f->request.hook_user, f);
    f->head = true;
    return SL_OK;
}

/* ---- going on where an attempt before stopped ---------------------------------------------------------- */

/* "bytes 100-199/200" begins at 100. */
static bool range_begins_at(const char *range, uint64_t from) {
    if (!range || strncasecmp(range, "bytes ", 6) != 0) return false;
    char *end;
    return strtoull(range + 6, &end, 10) == from && *end == '-';
}

static sl_status begin_again(sl_fetch *f) {
    if (f->handed) {
        return sl_fail(
            &f->error, SL_E_TEMP,
            "fetching %s broke off after %llu bytes, and cannot be continued: the server has another "
            "version by now",
            f->shown, (unsigned long long)f->received);
    }
    sl_body_reset(f);
    return sl_transfer_head(f);
}

/* Looks at the head of this attempt's answer before the first byte of its body is taken. */
static sl_status look_at_head(sl_fetch *f) {
    f->answered = true;
    if (!f->resume_from) return sl_transfer_head(f);
    if (sl_transfer_status(f) != 206) return begin_again(f);
    if (range_begins_at(sl_transfer_header(f, "Content-Range"), f->resume_from)) return SL_OK;
    return sl_fail(&f->error, SL_E_IO, "cannot fetch %s: asked for the rest, the server sends another part",
                   f->shown);
}

/* ---- what libcurl calls -------------------------------------------------------------------------------- */

static size_t on_header(char *line, size_t size, size_t count, void *user) {
    sl_fetch *f = user;
    (void)line;
    f->moved = sl_clock_ns();
    f->head_bytes += size * count;
    f->head_lines++;
    if (f->head_bytes <= HEAD_BYTES && f->head_lines <= HEAD_LINES) return size * count;
    sl_status set =
        sl_fail(&f->error, SL_E_IO, "cannot fetch %s: the headers of the answer exceed %zu KiB or %d lines",
                f->shown, HEAD_BYTES >> 10, HEAD_LINES);
    (void)set;
    return 0;
}

/* The page that comes with an error or a redirect is of no use, but only at its end the connection is. */
static size_t skip_page(sl_fetch *f, size_t n) {
    f->skipped += n;
    f->cut = f->skipped > SKIP_LIMIT;
    return f->cut ? CURL_WRITEFUNC_ERROR : n;
}

static size_t on_body(char *data, size_t size, size_t count, void *user) {
    sl_fetch *f = user;
    size_t n = size * count;
    f->moved = sl_clock_ns();
    if (!sl_status_is_good(sl_transfer_status(f))) return skip_page(f, n);
    if (!f->answered && look_at_head(f)) return CURL_WRITEFUNC_ERROR;
    if (f->body.len - f->taken >= f->http->options.window) {
        f->held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    return sl_body_add(f, data, n) ? n : CURL_WRITEFUNC_ERROR;
}

/* Nothing has come for too long. libcurl's own limit of speed looks at the average of the last seconds, which a byte long
 * ago keeps up. */
static bool is_idle(sl_fetch *f) {
    double limit = f->request.manners->idle_timeout;
    if (!f->moved || f->held || (double)(sl_clock_ns() - f->moved) < limit * SL_SECOND) return false;
    return true;
}

void sl_transfer_name_limit(sl_fetch *f, CURLcode code) {
    const sl_manners *m = f->request.manners;
    curl_off_t asked = 0; /* when the request went out; 0: it did not come to that */
    if (code != CURLE_OPERATION_TIMEDOUT) return;
    curl_easy_getinfo(f->easy, CURLINFO_PRETRANSFER_TIME_T, &asked);
    bool whole = m->timeout > 0 && (asked || m->timeout < m->connect_timeout);
    if (f->idle)
        snprintf(f->reason, sizeof f->reason, "nothing came for %g s (--idle-timeout)", m->idle_timeout);
    else if (whole)
        snprintf(f->reason, sizeof f->reason, "it was not done within %g s (--max-time)", m->timeout);
    else
        snprintf(f->reason, sizeof f->reason, "there was no connection within %g s (--connect-timeout)",
                 m->connect_timeout);
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    sl_fetch *f = user;
    f->idle = is_idle(f);
    return f->idle || sl_http_stopping(f->http);
}

static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
    sl_fetch *f = user;
    const sl_http_options *o = &f->http->options;
    if (purpose == CURLSOCKTYPE_IPCXN && sl_fetch_is_guarded(f) &&
        !sl_address_allowed(&a->addr, o->allowed, o->nallowed)) {
        sl_address_show(&a->addr, f->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* A connection that is used again was opened for another fetch, maybe one that was allowed to. */
static int on_connected(void *user, char *address, char *local, int port, int local_port) {
    sl_fetch *f = user;
    const sl_http_options *o = &f->http->options;
    (void)local, (void)port, (void)local_port;
    f->moved = sl_clock_ns();
    if (!sl_fetch_is_guarded(f) || sl_address_text_allowed(address, o->allowed, o->nallowed)) {
        return CURL_PREREQFUNC_OK;
    }
    sl_text shown = sl_text_n(address, strnlen(address, SL_ADDRESS_TEXT - 1));
    memcpy(f->refused, shown.s, shown.n);
    f->refused[shown.n] = 0;
    return CURL_PREREQFUNC_ABORT;
}

/* ---- header lines -------------------------------------------------------------------------------------- */

static bool add_line(sl_fetch *f, const char *line) {
    struct curl_slist *longer = curl_slist_append(f->lines, line);
    if (longer) f->lines = longer;
    return longer != NULL;
}

static bool line_is(const char *line, const char *name) {
    size_t n = strlen(name);
    return !strncasecmp(line, name, n) && line[n] == ':';
}

/* What may follow a redirect to somebody else: nothing that could be a secret. */
bool sl_header_is_harmless(const char *line) {
    static const char *const names[] = {"Accept", "Accept-Language", "Cache-Control", "User-Agent"};
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        if (line_is(line, names[i])) return true;
    }
    return false;
}

static bool add_given(sl_fetch *f, bool at_home) {
    bool encoding = false;
    const char *const *lines = f->request.manners->headers;
    for (size_t i = 0; lines && lines[i]; i++) {
        if (!at_home && !sl_header_is_harmless(lines[i])) continue;
        encoding = encoding || line_is(lines[i], "Accept-Encoding");
        if (!add_line(f, lines[i])) return false;
    }
    return encoding || add_line(f, "Accept-Encoding: " ACCEPTED);
}

/* Each line of TEXT. */
static bool add_lines(sl_fetch *f, char *text) {
    for (char *end; *text; text = end) {
        end = text + strcspn(text, "\n");
        if (*end) *end++ = 0;
        if (!add_line(f, text)) return false;
    }
    return true;
}

static bool add_asked(sl_fetch *f) {
    const sl_hook *hook = f->request.hook;
    f->asked_copy = false;
    if (!hook || !hook->ask || f->resume_from) return true;
    sl_buf lines = {0};
    hook->ask(f->request.hook_user, f, &lines);
    f->asked_copy = lines.len > 0;
    bool added = !f->asked_copy || (sl_buf_cstr(&lines), !lines.failed && add_lines(f, lines.data));
    sl_buf_free(&lines);
    return added;
}

static bool add_range(sl_fetch *f) {
    if (!f->resume_from) return true;
    sl_text range = sl_arena_printf(&f->arena, "Range: bytes=%llu-", (unsigned long long)f->resume_from);
    sl_text same = sl_arena_printf(&f->arena, "If-Range: %s", f->validator);
    return range.s && same.s && add_line(f, range.s) && add_line(f, same.s);
}

static sl_status make_lines(sl_fetch *f, bool at_home, sl_error *err) {
    curl_slist_free_all(f->lines);
    f->lines = NULL;
    const char *token = at_home ? sl_auth_line(f) : NULL;
    bool made = add_given(f, at_home) && add_asked(f) && add_range(f) && (!token || add_line(f, token));
    return made ? SL_OK : sl_oom(err);
}

/* ---- setting up ---------------------------------------------------------------------------------------- */

static void set_callbacks(sl_fetch *f) {
    curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(f->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(f->easy, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(f->easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(f->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(f->easy, CURLOPT_XFERINFODATA, f);
    curl_easy_setopt(f->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(f->easy, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(f->easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(f->easy, CURLOPT_PREREQDATA, f);
}

static long milliseconds(double seconds) {
    return seconds > 0 && seconds < 0.001 ? 1 : seconds > 1e6 ? 1000000000L : (long)(seconds * 1000);
}

static void set_limits(sl_fetch *f) {
    const sl_manners *m = f->request.manners;
    curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(m->connect_timeout));
    curl_easy_setopt(f->easy, CURLOPT_TIMEOUT_MS, milliseconds(m->timeout));
    curl_easy_setopt(f->easy, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
    curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(f->easy, CURLOPT_FOLLOWLOCATION, 0L);
}

static void set_identity(sl_fetch *f, bool at_home) {
    const sl_manners *m = f->request.manners;
    curl_easy_setopt(f->easy, CURLOPT_USERAGENT, m->agent);
    if (m->cacert) curl_easy_setopt(f->easy, CURLOPT_CAINFO, m->cacert);
    curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYPEER, m->insecure ? 0L : 1L);
    curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYHOST, m->insecure ? 0L : 2L);
    curl_easy_setopt(f->easy, CURLOPT_NETRC, m->netrc ? CURL_NETRC_OPTIONAL : CURL_NETRC_IGNORED);
    if (!at_home) return;
    curl_easy_setopt(f->easy, CURLOPT_SSLCERT, m->cert);
    curl_easy_setopt(f->easy, CURLOPT_SSLKEY, m->key);
    curl_easy_setopt(f->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(f->easy, CURLOPT_USERPWD, m->user);
}

static sl_status set_up(sl_fetch *f, sl_error *err) {
    bool at_home = sl_place_same(&f->home, &f->place);
    if (f->easy) curl_easy_reset(f->easy);
    if (!f->easy) f->easy = curl_easy_init();
    if (!f->easy) return sl_oom(err);
    TRY(make_lines(f, at_home, err));
    curl_easy_setopt(f->easy, CURLOPT_URL, f->at);
    curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
    curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->reason);
    curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->lines);
    if (f->form) curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, f->form);
    set_callbacks(f);
    set_limits(f);
    set_identity(f, at_home);
    return SL_OK;
}

sl_status sl_transfer_start(sl_fetch *f, sl_error *err) {
    f->reason[0] = f->refused[0] = 0;
    f->answered = f->cut = f->held = f->idle = false;
    f->moved = 0;
    f->head_bytes = f->head_lines = 0;
    f->skipped = 0;
    TRY(sl_http_set_up(f->http, err));
    TRY(set_up(f, err));
    if (curl_multi_add_handle(f->http->multi, f->easy) != CURLM_OK) return sl_oom(err);
    f->phase = SL_FETCH_RUNNING;
    return SL_OK;
}

void sl_transfer_leave(sl_fetch *f) {
    if (f->phase != SL_FETCH_RUNNING) return;
    curl_multi_remove_handle(f->http->multi, f->easy);
    sl_permits_give(f->http->options.permits, f->permit);
    f->phase = SL_FETCH_ENDED;
}
