/* fetchsitefeed.c: fetchsitefeed: pages, and of each the feed that it names. It is one stream on top of another: which feed is
 * to be read is known once the page has come, and whatever a page names is data, which may lead to public addresses only. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "net/url.h"
#include "sources/site/links.h"
#include "sources/stream/stream.h"

#define PIECE ((size_t)16 << 10) /* bytes of a page read at a time: a feed is usually named early */

typedef struct site_conf {
    sl_source_conf source; /* first: see stream/choice.h; of the feed, but for its url */
} site_conf;

/* The pages one after another, and of each the feed that it names, which is read as any stream is. */
typedef struct site {
    const site_conf *conf;
    const sl_env *env;
    sl_arena own; /* the names of pages and feeds */
    sl_texts pages;
    uint32_t next;
    const char *name;    /* of the page at hand */
    sl_inflow *page;     /* it is asked for, or open; NULL: it is not, or has been searched */
    sl_error failed;     /* on the way, where it could not be returned */
    sl_source_conf feed; /* of the feed at hand */
    void *stream;        /* NULL: between two */
    bool any, changed;   /* something was read; part of it was not confirmed by its server */
} site;

/* ---- the page ---------------------------------------------------------------------------------------------------- */

typedef struct search {
    const site *site;
    sl_arena *arena;
    sl_text page, base, link; /* link.s: found */
} search;

static sl_status take_tag(void *user, const sl_html_tag *tag, sl_error *err) {
    search *s = user;
    sl_text href = sl_html_attribute(tag, "href");
    if (!s->base.s && href.s && sl_text_is(tag->name, "base")) {
        s->base = sl_arena_text(s->arena, href);
        if (!s->base.s) return sl_oom(err);
    }
    sl_dialect dialect = s->site->env->dialect;
    if (sl_links_rank(tag, dialect, true) < 0) return SL_OK;
    if (dialect == SL_RIKO) {
        s->link = sl_arena_text(s->arena, href);
    } else {
        TRY(sl_links_resolve(s->page, s->base, href, s->arena, &s->link, err));
    }
    return s->link.s ? SL_DONE : sl_oom(err);
}

static sl_status search_page(search *s, sl_inflow *in, char *buf, sl_error *err) {
    sl_html_tags tags = {0};
    sl_status status = SL_OK;
    for (size_t n = 1; n && !status;) {
        status = sl_inflow_read(in, buf, PIECE, &n, err);
        if (!s->page.s) s->page = sl_arena_text(s->arena, sl_text_of(sl_inflow_address(in)));
        if (!status) status = s->page.s ? sl_html_tags_feed(&tags, buf, n, take_tag, s, err) : sl_oom(err);
    }
    sl_html_tags_free(&tags);
    return status == SL_DONE ? SL_OK : status;
}

static sl_status open_page(site *t, sl_error *err) {
    const sl_source_conf *c = &t->conf->source;
    t->name = t->pages.v[t->next++].s;
    TRY(sl_inflow_open(t->name, c->convert, &c->access, t->env, &t->page, err));
    sl_inflow_lenient(t->page);
    return SL_OK;
}

static sl_status find_feed(site *t, search *s, sl_error *err) {
    char *buf = malloc(PIECE);
    sl_status status = buf ? search_page(s, t->page, buf, err) : sl_oom(err);
    if (!status) sl_inflow_finish(t->page);
    t->changed = t->changed || !sl_inflow_unchanged(t->page);
    free(buf);
    sl_inflow_close(&t->page);
    if (status || s->link.s) return status;
    sl_fail(err, SL_E_DATA,
            "this page names no feed; feedautodiscovery with strict=false shows what might be one");
    sl_text shown = sl_url_shown(sl_text_of(t->name), s->arena);
    sl_error_at(err, shown.s ? shown.s : "", 0, 0);
    return SL_E_DATA;
}

/* ---- the feed ---------------------------------------------------------------------------------------------------- */

/* What a page says is data: where it came over the network it leads to no file, and to no private address but its own host. */
static sl_status open_feed(site *t, sl_error *err) {
    const char *name = t->name;
    search s = {.site = t, .arena = &t->own};
    TRY(find_feed(t, &s, err));
    bool network = !sl_source_is_file(name);
    t->feed = t->conf->source;
    t->feed.url = s.link;
    t->feed.access.from_data = true;
    t->feed.access.origin = network && !t->conf->source.access.from_data ? name : NULL;
    t->feed.access.no_files = t->feed.access.no_files || (network && !t->env->allow_files);
    return sl_stream_source.open(&t->feed, t->env, &t->stream, err);
}

static void site_close(void *split) {
    site *t = split;
    if (!t) return;
    sl_stream_source.close(t->stream);
    sl_inflow_close(&t->page);
    sl_arena_free(&t->own);
    free(t);
}

static sl_status site_open(const void *conf, const sl_env *env, void **split, sl_error *err) {
    site *t = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    t->conf = conf;
    t->env = env;
    const sl_source_conf *c = &t->conf->source;
    sl_status status = sl_access_check(&c->access, c->url, err);
    if (!status) status = sl_source_names(c->url, env->base_dir, &t->own, &t->pages, err);
    if (!status) sl_source_note_names(env, c->url, &t->pages);
    if (!status && !sl_source_is_file(t->pages.v[0].s)) status = open_page(t, err);
    if (status) {
        site_close(t);
    } else {
        *split = t;
    }
    return status;
}

static sl_inflow *site_waits(void *split) {
    const site *t = split;
    return t->stream ? sl_stream_inflow(t->stream) : t->page;
}

/* The page has come: so the feed can be asked for. */
static void site_advance(void *split) {
    site *t = split;
    bool come = t->page && !t->failed.code && sl_inflow_settled(t->page);
    if (come && open_feed(t, &t->failed) && !t->failed.code) (void)sl_oom(&t->failed);
}

static sl_status report_failure(const site *t, sl_error *err) {
    if (err && !err->code) *err = t->failed;
    return t->failed.code;
}

static sl_status site_split(void *split, sl_unit *unit, sl_error *err) {
    site *t = split;
    if (t->failed.code) return report_failure(t, err);
    for (;;) {
        if (!t->stream && !t->page && t->next == t->pages.n) return SL_DONE;
        if (!t->stream && !t->page) TRY(open_page(t, err));
        if (!t->stream) TRY(open_feed(t, err));
        sl_status status = sl_stream_source.split(t->stream, unit, err);
        if (status != SL_DONE) return status;
        t->any = true;
        t->changed = t->changed || !sl_stream_source.unchanged(t->stream);
        sl_stream_source.close(t->stream);
        t->stream = NULL;
    }
}

static bool site_unchanged(void *split) {
    const site *t = split;
    return t->any && !t->changed && !t->stream && !t->page && t->next == t->pages.n;
}

/* Where the feed is stands in the page. */
static bool site_ask(void *split) {
    for (;;) {
        sl_unit unit = {0};
        sl_error why = {0};
        sl_status status = site_split(split, &unit, &why);
        sl_input_unref(&unit.input);
        if (status == SL_DONE) return true; /* for files there is no server to ask: the ledger knows them */
        if (status) return false;
    }
}

static uint64_t site_total(void *split) {
    const site *t = split;
    return t->stream ? sl_stream_source.total(t->stream) : 0;
}

static sl_status site_read(const void *conf, void *state, const sl_unit *unit, sl_out *out,
                           uint64_t *quarantined, sl_error *err) {
    return sl_stream_source.read(conf, state, unit, out, quarantined, err);
}

static const sl_source_calls source = {
    .open = site_open,
    .split = site_split,
    .total = site_total,
    .unchanged = site_unchanged,
    .ask = site_ask,
    .waits = site_waits,
    .advance = site_advance,
    .close = site_close,
    .read = site_read,
};

/* ---- the pipe ---------------------------------------------------------------------------------------------------- */

static const sl_option options[] = {
    SL_SOURCE_ROWS(site_conf),
    {.name = NULL},
};

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    site_conf *c = conf;
    return sl_source_prepare(&c->source, sl_format_named(SL_TEXT("feed")), info, err);
}

const sl_pipe sl_pipe_fetchsitefeed = {
    .name = "fetchsitefeed",
    .kind = SL_KIND_SOURCE,
    .summary = "Reads the feed that an HTML page names first",
    .details = "The page is searched as by feedautodiscovery, no further than to the first feed, and that is "
               "read as by fetch. "
               "A page that names none is an error. What the page says is data: a page from the network "
               "leads to no file "
               "of this machine and to no private address other than its own host.",
    .example = "fetchsitefeed url=data/site.html | truncate count=3",
    .options = options,
    .conf_size = sizeof(site_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &source,
};
