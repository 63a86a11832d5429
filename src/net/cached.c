/* cached.c: fetches over the cache. It hangs between a request and its answer as a set of hooks: a copy is offered to the
 * server with its validators, and is read in the place of the body only when the server confirms it. A copy is checked before
 * it is offered, since after a 304 it would be too late. */
#include "net/cached.h"

#include <stdlib.h>
#include <string.h>

#include <strings.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/ledger.h"
#include "base/log.h"
#include "net/url.h"

/* A fetch over a cache: the user of the hook. */
typedef struct cached {
    sl_cache *cache;
    sl_ledger *ledger; /* may be NULL */
    sl_log *log;       /* likewise */
    sl_arena arena;
    char key[SL_CACHE_KEY];
    const char *url;       /* as asked for */
    sl_text shown;         /* without a password */
    bool refresh;          /* the copy is not asked about */
    bool looked;           /* entry is known */
    sl_cache_entry *entry; /* whole and checked; NULL: there is none */
    sl_cache_writer *writer;
    bool noted; /* in the ledger */
} cached;

static void free_cached(cached *c) {
    sl_cache_abort(&c->writer);
    sl_cache_entry_close(&c->entry);
    sl_arena_free(&c->arena);
    free(c);
}

static void tell(const cached *c, const char *what) {
    SL_TRACE(c->log, cache, "%s: %.*s", what, (int)c->shown.n, c->shown.s);
}

/* ---- what is for the cache ------------------------------------------------------------------------------- */

static bool has_name(const char *line, const char *const *names) {
    for (; *names; names++) {
        size_t n = strlen(*names);
        if (!strncasecmp(line, *names, n) && line[n] == ':') return true;
    }
    return false;
}

/* Headers that change what the answer is about: not a whole document, or an answer to another question. */
static bool is_own_question(const char *line) {
    static const char *const names[] = {
        "Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", NULL};
    return has_name(line, names);
}

static bool is_plain(const char *line) {
    static const char *const names[] = {
        "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "DNT", "Origin",
        "Pragma", "Prefer",          "Referer",         "User-Agent",    NULL};
    return has_name(line, names);
}

static bool has_user(const char *url) {
    sl_url u;
    return sl_url_parse(sl_text_of(url), &u) && u.user.n;
}

static bool has_credentials(const sl_request *r) {
    const sl_manners *m = r->manners;
    if (has_user(r->url)) return true;
    if (!m) return false;
    for (const char *const *line = m->headers; line && *line; line++) {
        if (!is_plain(*line)) return true;
    }
    return m->user || m->bearer || m->oauth || m->netrc || m->cert;
}

static bool is_for_cache(const sl_request *r, bool credentials) {
    const sl_manners *m = r->manners;
    for (const char *const *line = m ? m->headers : NULL; line && *line; line++) {
        if (is_own_question(*line)) return false;
    }
    return credentials || !has_credentials(r);
}

static void put_line(sl_buf *out, const char *name, const char *value) {
    if (value) sl_buf_printf(out, "%s %s\n", name, value);
}

/* Everything but the URL that decides about the answer. */
static void describe(const sl_manners *m, sl_buf *out) {
    if (!m) return;
    for (const char *const *line = m->headers; line && *line; line++) put_line(out, "header", *line);
    put_line(out, "agent", m->agent);
    put_line(out, "user", m->user);
    put_line(out, "bearer", m->bearer);
    put_line(out, "cert", m->cert);
    if (m->netrc) put_line(out, "netrc", "");
    if (!m->oauth) return;
    put_line(out, "oauth", m->oauth->token_url);
    put_line(out, "id", m->oauth->id);
    put_line(out, "secret", m->oauth->secret);
    put_line(out, "scope", m->oauth->scope);
}

static sl_status make_key(cached *c, const sl_request *r, sl_error *err) {
    sl_buf extra = {0};
    describe(r->manners ? r->manners : &sl_plain_manners, &extra);
    sl_status status = sl_buf_check(&extra, err);
    if (!status) sl_cache_key(sl_text_of(r->url), sl_text_n(extra.data, extra.len), c->key);
    if (extra.len) memset(extra.data, 0, extra.len);
    sl_buf_free(&extra);
    return status;
}

/* ---- the copy -------------------------------------------------------------------------------------------- */

/* The copy is checked before it is asked about: after a 304 it is too late to find that it is damaged. */
static void look(cached *c) {
    if (c->looked) return;
    c->looked = true;
    c->entry = sl_cache_find(c->cache, c->key);
    if (c->entry && !sl_cache_entry_check(c->entry)) sl_cache_entry_close(&c->entry);
}

/* URL up to its query: addresses that a redirect leads to are often signed anew for each answer. */
static sl_text bare(sl_text url) {
    const char *end = url.n ? memchr(url.s, '?', url.n) : NULL;
    return end ? (sl_text){url.s, (uint32_t)(end - url.s)} : url;
}

/* AT, an address on the way, as people may see it. */
static sl_text shown_at(cached *c, const char *at) {
    return strcmp(at, c->url) ? sl_url_shown(sl_text_of(at), &c->arena) : c->shown;
}

static bool came_from(const sl_cache_head *h, cached *c, const char *at) {
    sl_text now = shown_at(c, at);
    bool redirected = strcmp(at, c->url) != 0;
    return sl_text_eq(h->final, now) || (redirected && sl_text_eq(bare(h->final), bare(now)));
}

static void ask(void *user, const sl_fetch *f, sl_buf *lines) {
    cached *c = user;
    if (c->refresh) return;
    look(c);
    if (!c->entry) return;
    const sl_cache_head *h = sl_cache_entry_head(c->entry);
    if (!came_from(h, c, sl_fetch_url(f))) return;
    sl_text etag = sl_cache_head_value(h, "ETag"), modified = sl_cache_head_value(h, "Last-Modified");
    if (etag.n) sl_buf_printf(lines, "If-None-Match: %.*s\n", (int)etag.n, etag.s);
    if (modified.n) sl_buf_printf(lines, "If-Modified-Since: %.*s\n", (int)modified.n, modified.s);
    tell(c, "copy is asked about");
}

static const char *header(void *user, const char *name) {
    cached *c = user;
    sl_text v = sl_cache_head_value(sl_cache_entry_head(c->entry), name);
    return v.n ? sl_arena_strndup(&c->arena, v.s, v.n) : NULL;
}

static sl_status read_copy(void *user, char *buf, size_t cap, size_t *n, sl_error *err) {
    cached *c = user;
    return sl_cache_entry_read(c->entry, buf, cap, n, err);
}

/* ---- keeping --------------------------------------------------------------------------------------------- */

/* Whether any header NAME of LINES has WORD among its words. */
static bool says(const char *lines, const char *name, const char *word) {
    size_t n = strlen(name), w = strlen(word);
    for (; *lines; lines += strcspn(lines, "\n"), lines += *lines == '\n') {
        if (strncasecmp(lines, name, n) != 0 || lines[n] != ':') continue;
        const char *at = lines + n + 1;
        while (*at && *at != '\n') {
            at += strspn(at, " \t,;");
            size_t k = strcspn(at, " \t,;=\n");
            if (k == w && !strncasecmp(at, word, w)) return true;
            at += k;
            at += *at == '=';
        }
    }
    return false;
}

/* What belongs to the connection, or means nothing later. */
static bool is_passing(const char *line) {
    static const char *const names[] = {
        "Set-Cookie", "Set-Cookie2", "Connection",         "Keep-Alive",       "Transfer-Encoding",
        "Trailer",    "Upgrade",     "Proxy-Authenticate", "WWW-Authenticate", NULL};
    return has_name(line, names);
}

static void mark_lines(const char *lines, sl_buf *out) {
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        if (n && !is_passing(lines)) {
            sl_buf_str(out, "< ");
            sl_buf_add(out, lines, n);
            sl_buf_byte(out, '\n');
        }
        lines += n + (lines[n] == '\n');
    }
}

static bool may_be_kept(cached *c, sl_fetch *f) {
    const char *lines = sl_fetch_headers(f);
    if (says(lines, "Cache-Control", "no-store")) {
        sl_cache_forget(c->cache, c->key);
        tell(c, "not kept, as it says no-store");
        return false;
    }
    bool validators = sl_fetch_header(f, "ETag") || sl_fetch_header(f, "Last-Modified");
    return sl_fetch_status(f) == 200 && validators && !says(lines, "Vary", "*");
}

static void began(void *user, sl_fetch *f) {
    cached *c = user;
    sl_cache_abort(&c->writer); /* the body starts over */
    if (sl_fetch_unchanged(f)) {
        const sl_cache_head *h = sl_cache_entry_head(c->entry);
        sl_cache_entry_confirm(c->entry);
        tell(c, "copy holds and is read");
        sl_ledger_note(c->ledger, "http %s %.*s", c->key, (int)h->sum.n, h->sum.s);
        c->noted = true;
        return;
    }
    if (!may_be_kept(c, f)) return;
    sl_buf lines = {0};
    mark_lines(sl_fetch_headers(f), &lines);
    sl_cache_head head = {.key = sl_text_of(c->key),
                          .url = c->shown,
                          .final = shown_at(c, sl_fetch_url(f)),
                          .headers = sl_text_n(lines.data, lines.len)};
    if (!lines.failed) c->writer = sl_cache_begin(c->cache, &head);
    sl_buf_free(&lines);
}

static void bytes(void *user, const char *data, size_t n) {
    cached *c = user;
    if (c->writer) sl_cache_add(c->writer, data, n);
}

static void ended(void *user, bool whole) {
    cached *c = user;
    char sum[SL_CACHE_KEY];
    if (whole && c->writer && sl_cache_commit(&c->writer, sum)) { /* if not, the cache knows why */
        sl_ledger_note(c->ledger, "http %s %s", c->key, sum);
        c->noted = true;
        tell(c, "answer is kept");
    }
    if (!c->noted) sl_ledger_spoil(c->ledger);
    free_cached(c);
}

static const sl_hook hook = {
    .ask = ask, .began = began, .bytes = bytes, .header = header, .read = read_copy, .ended = ended};

/* ---- calls ----------------------------------------------------------------------------------------------- */

sl_status sl_cached_open(const sl_cache_policy *policy, bool leaves, sl_cache **out, sl_error *err) {
    *out = NULL;
    if (!policy || policy->mode == SL_CACHE_OFF) return SL_OK;
    *out = sl_cache_new(policy->dir, policy->max_size);
    if (!*out) return sl_oom(err);
    if (policy->counts) sl_cache_share(*out, policy->counts, leaves);
    return SL_OK;
}

static sl_status new_cached(sl_cache *cache, const sl_cache_policy *policy, const sl_request *r, cached **out,
                            sl_error *err) {
    cached *c = calloc(1, sizeof *c);
    if (!c) return sl_oom(err);
    *out = c;
    c->cache = cache;
    c->ledger = policy->ledger;
    c->log = policy->log;
    c->refresh = policy->mode == SL_CACHE_REFRESH;
    c->url = sl_arena_strndup(&c->arena, r->url, strlen(r->url));
    c->shown = sl_url_shown(sl_text_of(r->url), &c->arena);
    return c->url && c->shown.s ? make_key(c, r, err) : sl_oom(err);
}

sl_status sl_cached_get(sl_http *h, sl_cache *cache, const sl_cache_policy *policy, const sl_request *request,
                        sl_fetch **out, sl_error *err) {
    if (!cache || !is_for_cache(request, policy->credentials)) {
        if (policy) sl_ledger_spoil(policy->ledger);
        return sl_http_get(h, request, out, err);
    }
    cached *c = NULL;
    sl_status status = new_cached(cache, policy, request, &c, err);
    sl_request hooked = *request;
    hooked.hook = &hook;
    hooked.hook_user = c;
    if (!status) status = sl_http_get(h, &hooked, out, err);
    if (status && c) free_cached(c); /* no fetch has it */
    return status;
}
