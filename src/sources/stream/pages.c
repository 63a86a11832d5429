/* pages.c: where the next page is. Each way is declared in the definition and has its own short function; a page that was asked
 * for before ends the run, because a server that sends its last page for ever would otherwise be asked for ever. */
#include "sources/stream/pages.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "formats/json/json.h"
#include "net/link.h"
#include "net/url.h"
#include "record/number/number.h"

enum { MOST_PAGES = 1000000, URL_LIMIT = 64 << 10 };

/* ---- the conf -------------------------------------------------------------------------------------------- */

static const char *const limit_names[] = {"error", "stop", NULL};

/* What each kind needs, and how its parts stand in the short form: KIND=first:second. */
static const struct kind_row {
    const char *name;
    sl_page_kind kind;
    const char *first, *second;
    bool path, param, header, start, size;
} kinds[] = {
    {"next_url", SL_PAGES_NEXT_URL, "path", NULL, .path = true},
    {"link_header", SL_PAGES_LINK_HEADER, NULL, NULL, .path = false},
    {"page", SL_PAGES_PAGE, "param", "start", .param = true, .start = true},
    {"offset", SL_PAGES_OFFSET, "param", "size", .param = true, .start = true, .size = true},
    {"cursor", SL_PAGES_CURSOR, "param", "path", .path = true, .param = true},
    {"header_cursor", SL_PAGES_HEADER_CURSOR, "param", "header", .param = true, .header = true},
};

const sl_option sl_paginate_options[] = {
    {.name = "by",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sl_paginate, by),
     .flags = SL_OPT_REQUIRED,
     .help = "next_url, link_header, page, offset, cursor or header_cursor; or all in short, as "
             "next_url=links.next"},
    {.name = "path",
     .type = SL_OPT_PATH,
     .offset = offsetof(sl_paginate, path),
     .help = "next_url, cursor: where in the page, a JSON document, the address or the cursor is"},
    {.name = "param",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sl_paginate, param),
     .help = "page, offset, cursor: the parameter of the url that is set"},
    {.name = "header",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sl_paginate, header),
     .help = "header_cursor: the header with the cursor"},
    {.name = "start",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sl_paginate, start),
     .help = "page, offset: the number of the first page; default 1 for page, 0 for offset"},
    {.name = "size",
     .type = SL_OPT_INT,
     .offset = offsetof(sl_paginate, size),
     .min = 0,
     .max = INT32_MAX,
     .unit = "items",
     .help = "offset: how many items a page has"},
    {.name = "max_pages",
     .type = SL_OPT_INT,
     .offset = offsetof(sl_paginate, max_pages),
     .min = 1,
     .max = MOST_PAGES,
     .fallback = "10000",
     .unit = "pages",
     .help = "the most there may be"},
    {.name = "at_limit",
     .type = SL_OPT_ENUM,
     .offset = offsetof(sl_paginate, at_limit),
     .names = limit_names,
     .fallback = "error",
     .help = "what another page behind max_pages is: an error, or left alone"},
    {.name = "end_status",
     .type = SL_OPT_INT,
     .offset = offsetof(sl_paginate, end_status),
     .min = 0,
     .max = 499,
     .fallback = "0",
     .help = "page, offset: an answer with this status (400, 404) behind the first page ends them; 0: none"},
    {.name = "ahead",
     .type = SL_OPT_BOOL,
     .offset = offsetof(sl_paginate, ahead),
     .fallback = "true",
     .help = "page, offset: ask for a page while the one before it is read"},
    {.name = NULL},
};

static const struct kind_row *kind_named(sl_text name) {
    for (size_t i = 0; i < SL_COUNT(kinds); i++) {
        if (sl_text_is(name, kinds[i].name)) return &kinds[i];
    }
    return NULL;
}

static sl_status unknown_kind(sl_text name, sl_error *err) {
    const char *names[SL_COUNT(kinds) + 1] = {NULL};
    for (size_t i = 0; i < SL_COUNT(kinds); i++) names[i] = kinds[i].name;
    char hint[SL_HINT];
    return sl_fail(
        err, SL_E_PLAN,
        "paginate: '%.*s' is no way to the next page%s; there are next_url, link_header, page, offset, "
        "cursor and header_cursor",
        (int)name.n, name.s, sl_text_meant(name, names, hint));
}

static sl_status read_number(const char *name, sl_text text, int64_t *out, sl_error *err) {
    if (sl_parse_int(text, out) && *out >= 0 && *out <= INT32_MAX) return SL_OK;
    return sl_fail(err, SL_E_PLAN, "paginate: %s must be a whole number from 0 on, not '%.*s'", name,
                   (int)text.n, text.s);
}

/* The part of the short form called NAME. */
static sl_status set_part(sl_paginate *p, const char *name, sl_text value, sl_error *err) {
    if (!strcmp(name, "size")) return read_number(name, value, &p->size, err);
    sl_text *texts[] = {&p->path, &p->param, &p->header, &p->start};
    static const char *const names[] = {"path", "param", "header", "start"};
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        if (!strcmp(name, names[i])) *texts[i] = value;
    }
    return SL_OK;
}

/* "page=page:1": what stands behind the equals sign. */
static sl_status read_short(sl_paginate *p, const struct kind_row *k, sl_text rest, sl_error *err) {
    int64_t colon = k->second ? sl_text_find(rest, SL_TEXT(":"), 0) : -1;
    sl_text first = colon >= 0 ? (sl_text){rest.s, (uint32_t)colon} : rest;
    if (!k->first) return sl_fail(err, SL_E_PLAN, "paginate: %s takes nothing more", k->name);
    TRY(set_part(p, k->first, first, err));
    if (colon < 0) return SL_OK;
    return set_part(p, k->second, (sl_text){rest.s + colon + 1, rest.n - (uint32_t)colon - 1}, err);
}

/* One part of P: it must be there when it is NEEDED, and only then. */
static sl_status check_part(const struct kind_row *k, const char *name, bool given, bool needed,
                            sl_error *err) {
    if (given == needed) return SL_OK;
    if (!needed)
        return sl_fail(err, SL_E_PLAN, "paginate: '%s' means nothing for pages by %s", name, k->name);
    return sl_fail(err, SL_E_PLAN, "paginate: pages by %s need '%s'", k->name, name);
}

static sl_status check_parts(const sl_paginate *p, const struct kind_row *k, sl_error *err) {
    TRY(check_part(k, "path", p->path.n > 0, k->path, err));
    TRY(check_part(k, "param", p->param.n > 0, k->param, err));
    TRY(check_part(k, "header", p->header.n > 0, k->header, err));
    TRY(check_part(k, "size", p->size > 0, k->size, err));
    if (!k->start) TRY(check_part(k, "start", p->start.n > 0, false, err));
    if (!k->start) TRY(check_part(k, "end_status", p->end_status > 0, false, err));
    return SL_OK;
}

sl_status sl_paginate_prepare(sl_paginate *p, sl_arena *arena, sl_error *err) {
    int64_t equals = sl_text_find(p->by, SL_TEXT("="), 0);
    sl_text name = equals >= 0 ? (sl_text){p->by.s, (uint32_t)equals} : p->by;
    const struct kind_row *k = kind_named(sl_text_trim(name));
    if (!k) return unknown_kind(name, err);
    if (equals >= 0) TRY(read_short(p, k, (sl_text){p->by.s + equals + 1, p->by.n - name.n - 1}, err));
    TRY(check_parts(p, k, err));
    p->kind = k->kind;
    p->first = k->kind == SL_PAGES_PAGE;
    if (p->start.n) TRY(read_number("start", p->start, &p->first, err));
    p->header = sl_arena_text(arena, p->header); /* with a NUL behind it */
    if (!p->header.s) return sl_oom(err);
    if (!sl_paginate_reads_body(p)) return SL_OK;
    sl_json_pick *probe = NULL;
    sl_status status = sl_json_pick_new(p->path, &probe, err);
    sl_json_pick_free(&probe);
    return status;
}

/* ---- the pager ------------------------------------------------------------------------------------------- */

typedef struct mark {
    uint64_t a, b; /* two sums of an address; both 0: free */
} mark;

struct sl_pager {
    const sl_paginate *conf;
    sl_arena arena; /* all addresses */
    sl_text base, url;
    uint64_t number; /* of the current page, from 1 */
    sl_json_pick *pick;
    mark *seen; /* open addressing */
    size_t nseen, cap;
};

/* ---- addresses that were fetched ---- */

static mark *find_mark(mark *v, size_t cap, mark m) {
    size_t i = m.a & (cap - 1);
    while ((v[i].a || v[i].b) && (v[i].a != m.a || v[i].b != m.b)) i = (i + 1) & (cap - 1);
    return &v[i];
}

static sl_status grow_seen(sl_pager *p, sl_error *err) {
    if (p->nseen * 2 < p->cap) return SL_OK;
    size_t cap = p->cap ? p->cap * 2 : 64;
    mark *v = calloc(cap, sizeof *v);
    if (!v) return sl_oom(err);
    for (size_t i = 0; i < p->cap; i++) {
        if (p->seen[i].a || p->seen[i].b) *find_mark(v, cap, p->seen[i]) = p->seen[i];
    }
    free(p->seen);
    p->seen = v;
    p->cap = cap;
    return SL_OK;
}

/* URL becomes the current page, unless it was that before. */
static sl_status visit(sl_pager *p, sl_text url, sl_error *err) {
    TRY(grow_seen(p, err));
    mark m = {sl_hash(url.s, url.n, 1), sl_hash(url.s, url.n, 2) | 1};
    mark *slot = find_mark(p->seen, p->cap, m);
    if (slot->b) {
        sl_text shown = sl_url_shown(url, &p->arena);
        return sl_fail(err, SL_E_DATA,
                       "page %llu is '%.*s', which was fetched before: the pages lead in a circle",
                       (unsigned long long)p->number + 1, (int)shown.n, shown.s ? shown.s : "");
    }
    *slot = m;
    p->nseen++;
    p->number++;
    p->url = url;
    if (p->pick) sl_json_pick_begin(p->pick);
    return SL_OK;
}

/* ---- making addresses ---- */

static bool names_param(sl_text pair, sl_text param) {
    sl_buf name = {0};
    int64_t equals = sl_text_find(pair, SL_TEXT("="), 0);
    sl_url_decode(equals >= 0 ? (sl_text){pair.s, (uint32_t)equals} : pair, &name);
    bool same = sl_text_eq(sl_text_n(name.data, name.len), param);
    sl_buf_free(&name);
    return same;
}

/* The query of U without PARAM, each pair as it is written, behind ? and &. */
static void append_others(const sl_url *u, sl_text param, sl_buf *out) {
    sl_text left = u->query;
    while (left.n) {
        int64_t end = sl_text_find(left, SL_TEXT("&"), 0);
        sl_text pair = {left.s, end >= 0 ? (uint32_t)end : left.n};
        left = (sl_text){left.s + pair.n + (end >= 0), left.n - pair.n - (end >= 0)};
        if (!pair.n || names_param(pair, param)) continue;
        sl_buf_byte(out, memchr(out->data, '?', out->len) ? '&' : '?');
        sl_buf_text(out, pair);
    }
}

/* The source's url with PARAM set to VALUE. */
static sl_status with_param(sl_pager *p, sl_text value, sl_text *out, sl_error *err) {
    sl_url u;
    sl_buf url = {.limit = URL_LIMIT};
    if (!sl_url_parse(p->base, &u)) {
        sl_text shown = sl_url_shown(p->base, &p->arena);
        return sl_fail(err, SL_E_DATA, "'%.*s' is not a URL", (int)shown.n, shown.s ? shown.s : "");
    }
    sl_buf_add(&url, p->base.s, (size_t)(u.path.s + u.path.n - p->base.s));
    append_others(&u, p->conf->param, &url);
    if (url.len) sl_buf_byte(&url, memchr(url.data, '?', url.len) ? '&' : '?');
    sl_url_encode(p->conf->param, "", &url);
    sl_buf_byte(&url, '=');
    sl_url_encode(value, "", &url);
    sl_status status = sl_buf_check(&url, err);
    if (!status) {
        *out = sl_arena_text(&p->arena, sl_text_n(url.data, url.len));
        if (!out->s) status = sl_oom(err);
    }
    sl_buf_free(&url);
    return status;
}

/* The address of page NUMBER, where pages are counted. */
static sl_status counted(sl_pager *p, uint64_t number, sl_text *out, sl_error *err) {
    int64_t step = p->conf->kind == SL_PAGES_PAGE ? 1 : p->conf->size;
    sl_text value =
        sl_arena_printf(&p->arena, "%lld", (long long)(p->conf->first + step * (int64_t)(number - 1)));
    return value.s ? with_param(p, value, out, err) : sl_oom(err);
}

/* REF, which came from a page at BASE. */
static sl_status resolved(sl_pager *p, sl_text base, sl_text ref, sl_text *out, sl_error *err) {
    if (ref.n > URL_LIMIT)
        return sl_fail(err, SL_E_DATA, "the address of the next page is longer than 64 KiB");
    TRY(sl_url_resolve(base, ref, &p->arena, out, err));
    sl_text scheme = sl_url_scheme(*out);
    if (!sl_text_eq_nocase(scheme, SL_TEXT("http")) && !sl_text_eq_nocase(scheme, SL_TEXT("https"))) {
        return sl_fail(err, SL_E_DATA, "the next page is said to be '%.*s', which is not http or https",
                       (int)(out->n < 200 ? out->n : 200), out->s);
    }
    const char *fragment = memchr(out->s, '#', out->n);
    if (!fragment) return SL_OK;
    *out = sl_arena_text(&p->arena, (sl_text){out->s, (uint32_t)(fragment - out->s)});
    return out->s ? SL_OK : sl_oom(err);
}

/* ---- calls ---- */

sl_status sl_pager_new(const sl_paginate *conf, sl_text url, sl_pager **out, sl_error *err) {
    sl_pager *p = calloc(1, sizeof *p);
    if (!p) return sl_oom(err);
    p->conf = conf;
    p->base = sl_arena_text(&p->arena, url);
    sl_text first = p->base;
    sl_status status = p->base.s ? SL_OK : sl_oom(err);
    if (!status && sl_paginate_counts(conf)) status = counted(p, 1, &first, err);
    if (!status && sl_paginate_reads_body(conf)) status = sl_json_pick_new(conf->path, &p->pick, err);
    if (!status) status = visit(p, first, err);
    if (status) {
        sl_pager_free(&p);
    } else {
        *out = p;
    }
    return status;
}

void sl_pager_free(sl_pager **p) {
    if (!*p) return;
    sl_json_pick_free(&(*p)->pick);
    sl_arena_free(&(*p)->arena);
    free((*p)->seen);
    free(*p);
    *p = NULL;
}

sl_text sl_pager_url(const sl_pager *p) {
    return p->url;
}

uint64_t sl_pager_number(const sl_pager *p) {
    return p->number;
}

sl_status sl_pager_ahead(sl_pager *p, sl_text *url, sl_error *err) {
    *url = (sl_text){0};
    bool known = sl_paginate_counts(p->conf) && p->conf->ahead && p->number < (uint64_t)p->conf->max_pages;
    return known ? counted(p, p->number + 1, url, err) : SL_OK;
}

void sl_pager_see(sl_pager *p, const char *data, size_t n) {
    if (p->pick) sl_json_pick_feed(p->pick, data, n);
}

const char *sl_pager_header(const sl_pager *p) {
    if (p->conf->kind == SL_PAGES_LINK_HEADER) return "Link";
    return p->conf->kind == SL_PAGES_HEADER_CURSOR ? p->conf->header.s : NULL;
}

/* The address of the next page; .s NULL: there is none. */
static sl_status next_url(sl_pager *p, const sl_page_end *end, sl_text *out, sl_error *err) {
    sl_text found = {0};
    *out = found;
    switch (p->conf->kind) {
    case SL_PAGES_PAGE:
    case SL_PAGES_OFFSET: return end->empty ? SL_OK : counted(p, p->number + 1, out, err);
    case SL_PAGES_NEXT_URL:
        TRY(sl_json_pick_end(p->pick, &p->arena, &found, err));
        return found.s ? resolved(p, end->url, found, out, err) : SL_OK;
    case SL_PAGES_LINK_HEADER:
        return sl_link_find(end->header, SL_TEXT("next"), &found) ? resolved(p, end->url, found, out, err)
                                                                  : SL_OK;
    case SL_PAGES_CURSOR:
        TRY(sl_json_pick_end(p->pick, &p->arena, &found, err));
        return found.s ? with_param(p, found, out, err) : SL_OK;
    case SL_PAGES_HEADER_CURSOR: return end->header.n ? with_param(p, end->header, out, err) : SL_OK;
    case SL_PAGES_NONE: break;
    }
    return SL_OK;
}

sl_status sl_pager_turn(sl_pager *p, const sl_page_end *end, sl_error *err) {
    sl_text next;
    TRY(next_url(p, end, &next, err));
    if (!next.s) return SL_DONE;
    if (p->number < (uint64_t)p->conf->max_pages) return visit(p, next, err);
    if (p->conf->at_limit) return SL_DONE;
    return sl_fail(err, SL_E_DATA,
                   "there are more than %lld pages, which is max_pages; at_limit: stop leaves it at them",
                   (long long)p->conf->max_pages);
}
