/* links.c: which links of a page are feeds. It works on start tags as they come by and needs no document; the ranking exists
 * because pages name feeds of comments and categories beside their own. */
#include "sources/site/links.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "formats/document/document.h"
#include "net/url.h"

enum { MOST_LINKS = 100000 };

typedef struct links_conf {
    bool strict, sort;
    sl_dialect dialect;
} links_conf;

/* ---- which tags ------------------------------------------------------------------------------------------------------ */

static int riko_rank(const sl_html_tag *tag, bool strict) {
    static const char *const suffixes[] = {"rss+xml", "atom+xml", "rdf+xml", "text/xml", "xml"};
    sl_text href = sl_html_attribute(tag, "href"), type = sl_html_attribute(tag, "type");
    if (!href.n || href.s[0] == '/') return -1;
    for (int i = 0; i < (int)SL_COUNT(suffixes); i++)
        if (sl_text_ends(type, suffixes[i])) return i;
    for (size_t i = 0; !strict && i < SL_COUNT(suffixes); i++)
        if (sl_text_ends(href, suffixes[i])) return SL_LINKS_LAST;
    return -1;
}

static bool has_word(sl_text t, const char *word) {
    for (uint32_t at = 0; at < t.n;) {
        uint32_t from = at;
        while (at < t.n && t.s[at] > ' ') at++;
        if (sl_text_eq_nocase((sl_text){t.s + from, at - from}, sl_text_of(word))) return true;
        while (at < t.n && t.s[at] <= ' ') at++;
    }
    return false;
}

static sl_text media_type(sl_text type) {
    for (uint32_t i = 0; i < type.n; i++)
        if (type.s[i] == ';') type.n = i;
    return sl_text_trim(type);
}

/* feed, feed.xml, index.rss ... in the path of HREF. */
static bool looks_like_feed(sl_text href) {
    static const char *const suffixes[] = {".xml", ".rss", ".atom", ".rdf"};
    static const char *const names[] = {"feed", "rss", "atom", "feed.json"};
    sl_url u;
    sl_url_split(href, &u);
    sl_text path = u.path;
    while (path.n && path.s[path.n - 1] == '/') path.n--;
    for (size_t i = 0; i < SL_COUNT(suffixes); i++)
        if (sl_text_ends_nocase(path, suffixes[i])) return true;
    sl_text name = sl_url_name(path);
    for (size_t i = 0; i < SL_COUNT(names); i++)
        if (sl_text_eq_nocase(name, sl_text_of(names[i]))) return true;
    return false;
}

static int native_rank(const sl_html_tag *tag, bool strict) {
    static const char *const types[] = {"application/rss+xml",   "application/atom+xml",
                                        "application/feed+json", "application/rdf+xml",
                                        "application/xml",       "text/xml"};
    sl_text href = sl_text_trim(sl_html_attribute(tag, "href")), rel = sl_html_attribute(tag, "rel");
    sl_text type = media_type(sl_html_attribute(tag, "type"));
    if (!href.n) return -1;
    bool related = !rel.n || has_word(rel, "alternate") || has_word(rel, "feed");
    for (int i = 0; related && i < (int)SL_COUNT(types); i++)
        if (sl_text_eq_nocase(type, sl_text_of(types[i]))) return i;
    return !strict && looks_like_feed(href) ? SL_LINKS_LAST : -1;
}

int sl_links_rank(const sl_html_tag *tag, sl_dialect dialect, bool strict) {
    return dialect == SL_RIKO ? riko_rank(tag, strict) : native_rank(tag, strict);
}

sl_status sl_links_resolve(sl_text page, sl_text base, sl_text href, sl_arena *arena, sl_text *out,
                           sl_error *err) {
    sl_buf from = {0}, to = {0};
    sl_url_join(page, sl_text_trim(base), &from);
    sl_url_join(sl_text_n(from.data, from.len), sl_text_trim(href), &to);
    sl_status status = sl_buf_check(&from, err);
    if (!status) status = sl_buf_check(&to, err);
    if (!status) *out = sl_arena_text(arena, sl_text_n(to.data, to.len));
    if (!status && !out->s) status = sl_oom(err);
    sl_buf_free(&from);
    sl_buf_free(&to);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

typedef struct found {
    sl_html_tag tag;
    int rank;
} found;

typedef struct job {
    const links_conf *conf;
    sl_arena arena; /* of what was found */
    found *v;
    uint32_t n, cap;
    bool based;
    sl_text base; /* of the first <base> */
} job;

static sl_status copy_tag(job *j, const sl_html_tag *tag, sl_html_tag *out, sl_error *err) {
    sl_html_attr *attrs = sl_arena_alloc(&j->arena, (tag->nattrs + 1) * sizeof *attrs);
    *out = *tag;
    out->attrs = attrs;
    out->name = sl_arena_text(&j->arena, tag->name);
    if (!attrs || !out->name.s) return sl_oom(err);
    for (uint32_t i = 0; i < tag->nattrs; i++) {
        attrs[i] = tag->attrs[i];
        attrs[i].name = sl_arena_text(&j->arena, attrs[i].name);
        if (attrs[i].value.s) attrs[i].value = sl_arena_text(&j->arena, attrs[i].value);
        if (!attrs[i].name.s || (tag->attrs[i].value.s && !attrs[i].value.s)) return sl_oom(err);
    }
    return SL_OK;
}

static sl_status take_base(job *j, const sl_html_tag *tag, sl_error *err) {
    sl_text href = sl_html_attribute(tag, "href");
    if (j->based || !href.s || !sl_text_is(tag->name, "base")) return SL_OK;
    j->based = true;
    j->base = sl_arena_text(&j->arena, href);
    return j->base.s ? SL_OK : sl_oom(err);
}

static sl_status take_tag(void *user, const sl_html_tag *tag, sl_error *err) {
    job *j = user;
    TRY(take_base(j, tag, err));
    int rank = sl_links_rank(tag, j->conf->dialect, j->conf->strict);
    if (rank < 0) return SL_OK;
    if (j->n == MOST_LINKS) return sl_fail(err, SL_E_DATA, "the page names more than %d feeds", MOST_LINKS);
    if (!SL_ROOM(j->v, j->cap, j->n + 1)) return sl_oom(err);
    j->v[j->n].rank = rank;
    return copy_tag(j, tag, &j->v[j->n++].tag, err);
}

static sl_status add_row(const job *j, const sl_html_tag *tag, sl_text page, uint64_t line, sl_builder *bd,
                         sl_error *err) {
    TRY(sl_builder_row(bd, err));
    sl_builder_line(bd, line + tag->line - 1);
    sl_arena *arena = sl_builder_arena(bd);
    sl_text link = sl_html_attribute(tag, "href"), name = sl_arena_text(arena, tag->name);
    for (uint32_t i = 0; i < tag->nattrs; i++) {
        sl_text value = tag->attrs[i].value;
        sl_text own = value.s ? sl_arena_text(arena, value) : value;
        if (value.s && !own.s) return sl_oom(err);
        TRY(sl_builder_put(bd, tag->attrs[i].name, own.s ? sl_text_value(own) : sl_null(), err));
    }
    if (j->conf->dialect == SL_RIKO) {
        link = sl_arena_text(arena, link);
    } else {
        TRY(sl_links_resolve(page, j->base, link, arena, &link, err));
    }
    if (!link.s || !name.s) return sl_oom(err);
    TRY(sl_builder_put(bd, SL_TEXT("link"), sl_text_value(link), err));
    return sl_builder_put(bd, SL_TEXT("tag"), sl_text_value(name), err);
}

/* In the order of the page, or by rank and then in that order. */
static sl_status add_rows(const job *j, sl_text page, uint64_t line, sl_builder *bd, sl_error *err) {
    if (!j->conf->sort) {
        for (uint32_t i = 0; i < j->n; i++) TRY(add_row(j, &j->v[i].tag, page, line, bd, err));
        return SL_OK;
    }
    for (int rank = 0; rank <= SL_LINKS_LAST; rank++)
        for (uint32_t i = 0; i < j->n; i++)
            if (j->v[i].rank == rank) TRY(add_row(j, &j->v[i].tag, page, line, bd, err));
    return SL_OK;
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)state, (void)quarantined;
    job j = {.conf = conf};
    sl_html_tags tags = {0};
    sl_text page = block->note.n ? block->note : sl_text_of(block->source);
    sl_builder *bd = sl_builder_new(0, NULL, sink, to);
    sl_status status = bd ? SL_OK : sl_oom(err);
    if (!status)
        status = sl_html_tags_feed(&tags, block->input->data + block->from, block->to - block->from, take_tag,
                                   &j, err);
    if (!status) sl_builder_source(bd, block->source);
    if (!status) status = add_rows(&j, page, block->line, bd, err);
    if (!status) status = sl_builder_flush(bd, err);
    sl_builder_free(&bd);
    sl_html_tags_free(&tags);
    sl_arena_free(&j.arena);
    free(j.v);
    return status;
}

/* ---- the format ------------------------------------------------------------------------------------------------------ */

/* The note is the address of the page. */
typedef struct splitter {
    sl_buf address;
} splitter;

static sl_status split_new(const void *conf, void **out, sl_error *err) {
    (void)conf;
    *out = calloc(1, sizeof(splitter));
    return *out ? SL_OK : sl_oom(err);
}

static sl_status split_address(void *p, sl_text address, sl_error *err) {
    splitter *s = p;
    sl_buf_text(&s->address, address);
    return sl_buf_check(&s->address, err);
}

static sl_status split(void *p, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    const splitter *s = p;
    TRY(sl_document_split(p, data, n, last, cut, err));
    cut->note = sl_text_n(s->address.data, s->address.len);
    return SL_OK;
}

static void split_free(void *p) {
    splitter *s = p;
    if (s) sl_buf_free(&s->address);
    free(s);
}

static void set_dialect(void *conf, sl_dialect dialect) {
    ((links_conf *)conf)->dialect = dialect;
}

static const sl_option options[] = {
    {.name = "strict",
     .type = SL_OPT_BOOL,
     .offset = offsetof(links_conf, strict),
     .fallback = "true",
     .help =
         "only what says by its type that it is a feed; false: also what leads to a name like feed or x.xml"},
    {.name = "sort",
     .type = SL_OPT_BOOL,
     .offset = offsetof(links_conf, sort),
     .fallback = "false",
     .help = "RSS before Atom before others, instead of the order of the page"},
    {.name = NULL},
};

const sl_format sl_format_links = {
    .name = "links",
    .summary = "the feeds that an HTML page names",
    .options = options,
    .conf_size = sizeof(links_conf),
    .tolerant = true,
    .set_dialect = set_dialect,
    .split_new = split_new,
    .split_address = split_address,
    .split = split,
    .split_free = split_free,
    .read = read,
};
