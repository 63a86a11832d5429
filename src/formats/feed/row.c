/* row.c: the keys of an item, made of what an entry holds. Which key gets what follows feedparser's rules, and riko's on top of
 * them, because definitions written for these must find the same fields; so the order of the keys and the fallbacks between
 * them are part of the format. */
#include <stdio.h>

#include "base/error.h"
#include "base/unicode.h"
#include "formats/feed/feed.h"
#include "formats/xml/xml.h"
#include "record/time.h"

enum { PLAIN_FROM = 2048, PLAIN_TO = 512 }; /* characters of content looked at for a description, and kept */

#define FIRST_SECOND (-INT64_C(62135596800)) /* of year 1 */
#define LAST_SECOND  INT64_C(253402300799)   /* of year 9999 */

/* One entry on its way into a row: its text is in the arena of the row by now. */
typedef struct job {
    const sl_feed_entry *e;
    sl_feed_kind kind;
    const sl_feed_conf *conf;
    const char *text;
    sl_arena *arena;
    sl_feed_keys keys;
    sl_error *err;
} job;

/* ---- pieces as values ------------------------------------------------------------------------------------------------ */

static sl_text raw_text(const job *j, sl_feed_piece p) {
    return p.from == SL_FEED_NONE ? (sl_text){0} : (sl_text){j->text + p.from, p.n};
}

static sl_text field_raw(const job *j, sl_feed_field f) {
    return raw_text(j, j->e->field[f]);
}

static sl_text field(const job *j, sl_feed_field f) {
    return sl_text_trim(field_raw(j, f));
}

static sl_text first(sl_text a, sl_text b) {
    return a.n ? a : b;
}

static sl_value text_or_null(sl_text t) {
    return t.s ? sl_text_value(t) : sl_null();
}

void sl_feed_put(sl_feed_keys *k, const char *name, sl_value v) {
    if (v.type != SL_MISSING && k->n < SL_COUNT(k->pair)) k->pair[k->n++] = (sl_pair){sl_text_of(name), v};
}

static void put_text(job *j, const char *name, sl_text t) {
    if (t.n) sl_feed_put(&j->keys, name, sl_text_value(t));
}

/* ---- text of HTML ---------------------------------------------------------------------------------------------------- */

/* Behind the tag or comment at S[at]. */
static uint32_t skip_tag(sl_text t, uint32_t at) {
    bool comment = t.n - at > 3 && !memcmp(t.s + at, "<!--", 4);
    for (at++; at < t.n; at++)
        if (t.s[at] == '>' && (!comment || (t.s[at - 1] == '-' && t.s[at - 2] == '-'))) return at + 1;
    return t.n;
}

static uint32_t plain_reference(sl_text t, uint32_t at, char *out, uint32_t *n) {
    sl_text name, rest = {t.s + at, t.n - at};
    uint32_t code, length = sl_xml_reference(rest, &name, &code);
    char utf8[4];
    unsigned size = name.n ? sl_xml_html_entity(name, utf8) : code ? sl_utf8_encode(code, utf8) : 0;
    if (!length || !size) {
        out[(*n)++] = '&';
        return at + 1;
    }
    bool space = size == 2 && !memcmp(utf8, "\xC2\xA0", 2);
    memcpy(out + *n, space ? " " : utf8, space ? 1 : size);
    *n += space ? 1 : size;
    return at + length;
}

static sl_text collapse(char *s, uint32_t n) {
    uint32_t to = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!sl_ascii_space(s[i]))
            s[to++] = s[i];
        else if (to && s[to - 1] != ' ')
            s[to++] = ' ';
    }
    while (to && s[to - 1] == ' ') to--;
    return (sl_text){s, to};
}

sl_text sl_feed_plain(sl_text html, sl_arena *arena) {
    sl_text from = {html.s, sl_utf8_offset(html, PLAIN_FROM)};
    char *out = sl_arena_alloc(arena, (size_t)from.n + 4);
    uint32_t n = 0;
    if (!out) return (sl_text){0};
    for (uint32_t at = 0; at < from.n;) {
        char c = from.s[at];
        if (c == '<') {
            at = skip_tag(from, at);
        } else if (c == '&') {
            at = plain_reference(from, at, out, &n);
        } else {
            out[n++] = c;
            at++;
        }
    }
    sl_text plain = collapse(out, n);
    plain.n = sl_utf8_offset(plain, PLAIN_TO);
    return sl_text_trim(plain);
}

/* ---- dates ----------------------------------------------------------------------------------------------------------- */

static char *put_two(char *s, int v, char after) {
    s[0] = (char)('0' + v / 10);
    s[1] = (char)('0' + v % 10);
    s[2] = after;
    return s + 3;
}

/* 2020-01-02T03:04:05+00:00, with the fraction where there is one. */
static sl_status iso_text(sl_value utc, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_parts p = sl_time_parts(utc);
    char *s = sl_arena_alloc(arena, 48), *at = s;
    if (!s) return sl_oom(err);
    at = put_two(at, (int)(p.year / 100), 0) - 1;
    at = put_two(at, (int)(p.year % 100), '-');
    at = put_two(at, p.month, '-');
    at = put_two(at, p.day, 'T');
    at = put_two(at, p.hour, ':');
    at = put_two(at, p.minute, ':');
    at = put_two(at, p.second, 0) - 1;
    if (utc.n) at += snprintf(at, 8, ".%06u", utc.n % 1000000);
    memcpy(at, "+00:00", 6);
    *out = sl_text_value(sl_text_n(s, (size_t)(at + 6 - s)));
    return SL_OK;
}

sl_status sl_feed_date(const sl_feed_conf *conf, sl_text text, sl_arena *arena, sl_value *iso,
                       sl_value *parts, sl_error *err) {
    bool had_zone;
    sl_value t;
    *iso = *parts = sl_missing();
    if (!text.n || text.n > 200 || !sl_time_parse(text, false, conf->now, &t, &had_zone)) return SL_OK;
    int64_t utc = t.as.i - (t.flags == SL_TIME_DATETIME ? (int64_t)t.aux * 60 : 0);
    if (utc < FIRST_SECOND || utc > LAST_SECOND) return SL_OK; /* the zone led out of the years there are */
    *parts = sl_time_make(SL_TIME_PARTS, utc, 0, 0);
    return iso_text(sl_time_make(SL_TIME_DATETIME, utc, t.n, 0), arena, iso, err);
}

/* 2020-01-02... : a guid may be or begin with a date, but 12 is not a date. */
static sl_text dated_guid(sl_text guid) {
    static const char shape[] = "0000-00-00";
    if (guid.n < 10) return (sl_text){0};
    for (int i = 0; i < 10; i++) {
        bool digit = guid.s[i] >= '0' && guid.s[i] <= '9';
        if (shape[i] == '0' ? !digit : guid.s[i] != '-') return (sl_text){0};
    }
    return guid;
}

static sl_text first_of(const job *j, const sl_feed_field *fields, size_t n) {
    sl_text t = {0};
    for (size_t i = 0; i < n && !t.n; i++) t = field(j, fields[i]);
    return t;
}

typedef struct dates {
    sl_value published, published_parts, updated, updated_parts;
} dates;

static sl_status find_dates(job *j, dates *d) {
    static const sl_feed_field published[] = {SL_FEED_PUBDATE, SL_FEED_PUBLISHED, SL_FEED_ISSUED,
                                              SL_FEED_DATE};
    static const sl_feed_field updated[] = {SL_FEED_LASTBUILD, SL_FEED_UPDATED, SL_FEED_MODIFIED};
    bool atom = j->kind == SL_FEED_ATOM;
    sl_text p = atom ? first_of(j, published + 1, 2) : first_of(j, published, 4);
    sl_text u = atom ? first_of(j, updated + 1, 2) : first_of(j, updated, 3);
    if (!p.n && !atom) p = dated_guid(field(j, SL_FEED_GUID));
    TRY(sl_feed_date(j->conf, p, j->arena, &d->published, &d->published_parts, j->err));
    TRY(sl_feed_date(j->conf, u, j->arena, &d->updated, &d->updated_parts, j->err));
    if (d->published.type == SL_MISSING) {
        d->published = d->updated;
        d->published_parts = d->updated_parts;
    }
    return SL_OK;
}

/* ---- lists of maps --------------------------------------------------------------------------------------------------- */

static const char *const link_names[] = {"rel", "type", "href", "title"};
static const char *const enclosure_names[] = {"url", "type", "length"};
static const char *const tag_names[] = {"term", "scheme", "label"};
static const char *const media_names[] = {"url",    "type",          "medium",       "width",
                                          "height", "title",         "text",         "description",
                                          "credit", "credit_scheme", "thumbnail_url"};

/* A size: an int where it is one, absent otherwise. */
static sl_value size_value(sl_text t) {
    int64_t v = 0;
    t = sl_text_trim(t);
    if (!t.n || t.n > 18) return sl_missing();
    for (uint32_t i = 0; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9') return sl_missing();
        v = v * 10 + (t.s[i] - '0');
    }
    return sl_int(v);
}

static bool is_size(const char *name) {
    return !strcmp(name, "width") || !strcmp(name, "height") || !strcmp(name, "length");
}

/* The pieces of PART under NAMES; NULLS: those that are absent too, as null. */
static sl_status part_map(job *j, const sl_feed_part *part, const char *const *names, uint32_t n, bool nulls,
                          sl_value *out) {
    sl_pair *pairs = sl_arena_alloc(j->arena, n * sizeof *pairs);
    uint32_t k = 0;
    if (!pairs) return sl_oom(j->err);
    for (uint32_t i = 0; i < n; i++) {
        sl_text t = raw_text(j, part->piece[i]);
        sl_value v = !t.s ? sl_missing() : is_size(names[i]) ? size_value(t) : sl_text_value(sl_text_trim(t));
        if (v.type == SL_MISSING && nulls) v = sl_null();
        if (v.type != SL_MISSING) pairs[k++] = (sl_pair){sl_text_of(names[i]), v};
    }
    *out = sl_map(pairs, k);
    return SL_OK;
}

static bool is_own_link(const job *j, const sl_feed_part *part) {
    sl_text rel = raw_text(j, part->piece[SL_LINK_REL]);
    return sl_text_eq_nocase(rel, SL_TEXT("self")) || sl_text_eq_nocase(rel, SL_TEXT("edit"));
}

static uint32_t first_alternate(const job *j) {
    const sl_feed_parts *links = &j->e->links;
    for (uint32_t i = 0; i < links->n; i++)
        if (sl_text_eq_nocase(raw_text(j, links->v[i].piece[SL_LINK_REL]), SL_TEXT("alternate")) &&
            links->v[i].piece[SL_LINK_HREF].n)
            return i;
    return SL_FEED_NONE;
}

static sl_status put_links(job *j) {
    const sl_feed_parts *links = &j->e->links;
    uint32_t n = 0, front = j->kind == SL_FEED_ATOM ? first_alternate(j) : SL_FEED_NONE;
    sl_value *v = sl_arena_alloc(j->arena, (links->n + 1) * sizeof *v);
    if (!v) return sl_oom(j->err);
    if (front != SL_FEED_NONE) TRY(part_map(j, &links->v[front], link_names, 4, true, &v[n++]));
    for (uint32_t i = 0; i < links->n; i++) {
        const sl_feed_part *part = &links->v[i];
        if (i == front || !part->piece[SL_LINK_HREF].n || is_own_link(j, part)) continue;
        TRY(part_map(j, part, link_names, 4, true, &v[n++]));
    }
    sl_feed_put(&j->keys, "links", sl_list(v, n));
    return SL_OK;
}

static sl_status put_enclosures(job *j) {
    const sl_feed_parts *parts = &j->e->enclosures;
    if (!parts->n) return SL_OK;
    sl_value *v = sl_arena_alloc(j->arena, parts->n * sizeof *v);
    if (!v) return sl_oom(j->err);
    for (uint32_t i = 0; i < parts->n; i++) TRY(part_map(j, &parts->v[i], enclosure_names, 3, false, &v[i]));
    sl_feed_put(&j->keys, "enclosures", sl_list(v, parts->n));
    return SL_OK;
}

static sl_status add_tags(job *j, const sl_feed_parts *parts, sl_value *v, uint32_t *n) {
    for (uint32_t i = 0; i < parts->n; i++)
        if (sl_text_trim(raw_text(j, parts->v[i].piece[SL_TAG_TERM])).n)
            TRY(part_map(j, &parts->v[i], tag_names, 3, true, &v[(*n)++]));
    return SL_OK;
}

static sl_status put_tags(job *j) {
    const sl_feed_entry *e = j->e;
    uint32_t n = 0, most = e->categories.n + e->subjects.n;
    if (!most) return SL_OK;
    sl_value *v = sl_arena_alloc(j->arena, most * sizeof *v);
    if (!v) return sl_oom(j->err);
    TRY(add_tags(j, &e->categories, v, &n));
    TRY(add_tags(j, &e->subjects, v, &n));
    if (n) sl_feed_put(&j->keys, "tags", sl_list(v, n));
    return SL_OK;
}

static sl_status put_media(job *j) {
    const bool thumbs = !j->e->media.n;
    const sl_feed_parts *parts = thumbs ? &j->e->thumbnails : &j->e->media;
    if (!parts->n) return SL_OK;
    sl_value *v = sl_arena_alloc(j->arena, parts->n * sizeof *v);
    if (!v) return sl_oom(j->err);
    for (uint32_t i = 0; i < parts->n; i++) {
        TRY(part_map(j, &parts->v[i], media_names, SL_FEED_PIECES, false, &v[i]));
        if (!thumbs) continue;
        sl_pair *pairs = sl_arena_alloc(j->arena, (v[i].n + 1) * sizeof *pairs);
        if (!pairs) return sl_oom(j->err);
        pairs[0] = v[i].as.map[0]; /* the url, without which there is no thumbnail */
        pairs[1] = (sl_pair){SL_TEXT("type"), sl_text_value(SL_TEXT("image/jpeg"))};
        for (uint32_t k = 1; k < v[i].n; k++) pairs[k + 1] = v[i].as.map[k];
        v[i] = sl_map(pairs, v[i].n + 1);
    }
    sl_feed_put(&j->keys, "media_content", sl_list(v, parts->n));
    return SL_OK;
}

/* ---- the keys of the parser ------------------------------------------------------------------------------------------ */

static bool is_http(sl_text t) {
    return (t.n > 7 && !memcmp(t.s, "http://", 7)) || (t.n > 8 && !memcmp(t.s, "https://", 8));
}

/* The link of the item: Atom's first with a href, or the first alternate. */
static sl_text link_of(const job *j) {
    const sl_feed_parts *links = &j->e->links;
    if (j->kind != SL_FEED_ATOM) {
        sl_text own = field(j, SL_FEED_LINK), guid = field(j, SL_FEED_GUID);
        return own.n || !is_http(guid) ? own : guid;
    }
    uint32_t at = first_alternate(j);
    for (uint32_t i = 0; i < links->n && at == SL_FEED_NONE; i++)
        if (links->v[i].piece[SL_LINK_HREF].n) at = i;
    return at == SL_FEED_NONE ? (sl_text){0} : sl_text_trim(raw_text(j, links->v[at].piece[SL_LINK_HREF]));
}

static sl_text id_of(const job *j, sl_text link) {
    sl_text id = field(j, SL_FEED_ID);
    if (j->kind != SL_FEED_ATOM)
        id = first(id, first(field(j, SL_FEED_GUID), sl_text_trim(raw_text(j, j->e->about))));
    return first(id, link);
}

/* Which text is the content; *VALUE empty: there is none. */
static bool content_of(const job *j, sl_text *value, bool *typed) {
    *typed = false;
    *value = field_raw(j, SL_FEED_ENCODED);
    if (j->kind == SL_FEED_RDF && j->conf->dialect == SL_RIKO) return false;
    if (value->n && j->kind != SL_FEED_ATOM) return true;
    *value = field_raw(j, SL_FEED_CONTENT);
    *typed = value->s || j->e->content_type.from != SL_FEED_NONE;
    if (*typed) return true;
    *value = field_raw(j, SL_FEED_DESCRIPTION);
    return j->kind == SL_FEED_RSS && value->s;
}

static sl_status put_content(job *j, sl_text value, bool typed) {
    const sl_feed_entry *e = j->e;
    sl_pair *pairs = sl_arena_alloc(j->arena, 4 * sizeof *pairs);
    sl_value *one = sl_arena_alloc(j->arena, sizeof *one);
    if (!pairs || !one) return sl_oom(j->err);
    sl_text type = typed ? sl_text_trim(raw_text(j, e->content_type)) : (sl_text){0};
    pairs[0] = (sl_pair){SL_TEXT("type"), sl_text_value(type.n ? type : SL_TEXT("text/html"))};
    pairs[1] = (sl_pair){SL_TEXT("language"), typed ? text_or_null(raw_text(j, e->content_lang)) : sl_null()};
    pairs[2] = (sl_pair){SL_TEXT("base"), typed ? text_or_null(raw_text(j, e->content_base)) : sl_null()};
    pairs[3] = (sl_pair){SL_TEXT("value"), sl_text_value(value.s ? value : SL_TEXT(""))};
    *one = sl_map(pairs, 4);
    sl_feed_put(&j->keys, "content", sl_list(one, 1));
    return SL_OK;
}

static sl_status put_author(job *j, sl_value *author) {
    sl_text name = first(field(j, SL_FEED_AUTHOR), field(j, SL_FEED_CREATOR));
    *author = sl_null();
    if (!name.n) return SL_OK;
    sl_pair *pair = sl_arena_alloc(j->arena, sizeof *pair);
    sl_value *one = sl_arena_alloc(j->arena, sizeof *one);
    if (!pair || !one) return sl_oom(j->err);
    *author = sl_text_value(name);
    *pair = (sl_pair){SL_TEXT("name"), *author};
    *one = sl_map(pair, 1);
    sl_feed_put(&j->keys, "author_detail", *one);
    sl_feed_put(&j->keys, "authors", sl_list(one, 1));
    return SL_OK;
}

/* id, title ... or, in Atom, title, id ... */
static void put_names(job *j, sl_text id, sl_text title) {
    if (j->kind != SL_FEED_ATOM) put_text(j, "id", id);
    sl_feed_put(&j->keys, "title", sl_text_value(title.n ? title : SL_TEXT("")));
    if (j->kind == SL_FEED_ATOM) put_text(j, "id", id);
}

static sl_status parser_keys(job *j, sl_text *content, sl_value *author, dates *d) {
    bool typed, has = content_of(j, content, &typed);
    sl_text link = link_of(j), description = field(j, SL_FEED_DESCRIPTION);
    if (!description.n) description = field(j, SL_FEED_SUMMARY);
    if (!description.n && has) {
        description = sl_feed_plain(*content, j->arena);
        if (!description.s) return sl_oom(j->err);
    }
    if (!has) *content = (sl_text){0};
    put_names(j, id_of(j, link), field(j, SL_FEED_TITLE));
    sl_feed_put(&j->keys, "description", sl_text_value(description.n ? description : SL_TEXT("")));
    put_text(j, "link", link);
    TRY(find_dates(j, d));
    sl_feed_put(&j->keys, "published", d->published);
    sl_feed_put(&j->keys, "updated", d->updated);
    TRY(put_links(j));
    if (has) TRY(put_content(j, *content, typed));
    TRY(put_media(j));
    TRY(put_enclosures(j));
    if (j->kind != SL_FEED_ATOM) put_text(j, "comments", field(j, SL_FEED_COMMENTS));
    TRY(put_tags(j));
    return put_author(j, author);
}

/* ---- the keys derived from them -------------------------------------------------------------------------------------- */

static sl_value *member(sl_feed_keys *k, const char *name) {
    for (uint32_t i = 0; i < k->n; i++)
        if (sl_text_is(k->pair[i].key, name)) return &k->pair[i].value;
    return NULL;
}

static sl_text member_text(sl_feed_keys *k, const char *name) {
    sl_value *v = member(k, name);
    return v && sl_is_text(*v) ? sl_bytes(*v) : (sl_text){0};
}

static void fill_in(sl_feed_keys *k, const char *name, sl_text text) {
    sl_value *v = member(k, name);
    if (!v) {
        sl_feed_put(k, name, sl_text_value(text));
    } else if (!sl_truthy(*v)) {
        *v = sl_text_value(text);
    }
}

sl_status sl_feed_derive(sl_feed_keys *k, sl_text first_content, sl_value author, sl_value updated,
                         sl_value published, sl_arena *arena, sl_error *err) {
    sl_pair *detail = sl_arena_alloc(arena, 2 * sizeof *detail);
    if (!detail) return sl_oom(err);
    sl_text title = member_text(k, "title"), id = member_text(k, "id"), text = member_text(k, "summary");
    text = first(text, first(member_text(k, "description"), first(first_content, title)));
    if (!text.s) text = SL_TEXT("");
    detail[0] = (sl_pair){SL_TEXT("name"), author};
    detail[1] = (sl_pair){SL_TEXT("uri"), sl_null()};
    fill_in(k, "summary", text);
    fill_in(k, "description", text);
    if (published.type == SL_MISSING) published = sl_null();
    sl_feed_put(k, "author", sl_map(detail, 2));
    sl_feed_put(k, "dc:creator", author);
    sl_feed_put(k, "y:id", id.n ? sl_text_value(id) : sl_null());
    sl_feed_put(k, "updated_parsed", updated.type == SL_MISSING ? published : updated);
    sl_feed_put(k, "published_parsed", published);
    sl_feed_put(k, "y:published", published);
    sl_feed_put(k, "pubDate", published);
    sl_feed_put(k, "y:title", sl_text_value(title.s ? title : SL_TEXT("")));
    return SL_OK;
}

sl_status sl_feed_add_row(sl_builder *bd, const sl_feed_keys *k, sl_error *err) {
    for (uint32_t i = 0; i < k->n; i++) TRY(sl_builder_put(bd, k->pair[i].key, k->pair[i].value, err));
    return SL_OK;
}

static sl_status put_reason(job *j, sl_text reason) {
    if (!reason.n) return SL_OK;
    sl_text own = sl_arena_text(j->arena, reason);
    if (!own.s) return sl_oom(j->err);
    sl_feed_put(&j->keys, "bozo", sl_bool(true));
    sl_feed_put(&j->keys, "bozo_reason", sl_text_value(own));
    return SL_OK;
}

sl_status sl_feed_row(sl_builder *bd, const sl_feed_entry *e, uint64_t line, sl_feed_kind kind,
                      const sl_feed_conf *conf, sl_text reason, sl_error *err) {
    TRY(sl_builder_row(bd, err));
    sl_builder_line(bd, line);
    if (reason.n) sl_builder_recovered(bd);
    job j = {.e = e, .kind = kind, .conf = conf, .arena = sl_builder_arena(bd), .err = err};
    j.text = sl_arena_strndup(j.arena, e->text.data ? e->text.data : "", e->text.len);
    if (!j.text) return sl_oom(err);
    sl_text content;
    sl_value author;
    dates d;
    TRY(parser_keys(&j, &content, &author, &d));
    TRY(sl_feed_derive(&j.keys, content, author, d.updated_parts, d.published_parts, j.arena, err));
    TRY(put_reason(&j, reason));
    return sl_feed_add_row(bd, &j.keys, err);
}
