/* JSON Feed: the items are elements of a list in a JSON document, so the json format finds and reads them, and each is written anew
 * under the keys of feeds. */
#include "base/error.h"
#include "formats/feed/feed.h"
#include "formats/json/json.h"

extern const sl_format sl_format_json;

typedef struct job {
    const sl_feed_conf *conf;
    sl_builder *bd;
    sl_arena *arena; /* of the row */
    sl_value item;
    sl_feed_keys keys;
    sl_error *err;
} job;

sl_status sl_feed_json_prepare(sl_feed_conf *conf, sl_arena *arena, sl_error *err) {
    sl_json_conf *json = sl_arena_calloc(arena, 1, sizeof *json);
    sl_pair path = {SL_TEXT("path"), sl_text_value(SL_TEXT("items"))};
    if (!json) return sl_oom(err);
    TRY(sl_options_parse(sl_format_json.options, sl_map(&path, 1), false, json, arena, NULL, err));
    sl_format_json.set_dialect(json, SL_NATIVE);
    conf->json_conf = json;
    return sl_format_json.prepare(json, arena, err);
}

static sl_text text_of(sl_value map, const char *name) {
    sl_value v = map.type == SL_MAP ? sl_map_get_z(map, name) : sl_missing();
    return sl_is_text(v) ? sl_text_trim(sl_bytes(v)) : (sl_text){0};
}

static void put_text(job *j, const char *name, sl_text t) {
    if (t.n) sl_feed_put(&j->keys, name, sl_text_value(t));
}

static void *room(job *j, size_t n, size_t size) {
    void *p = sl_arena_calloc(j->arena, n + 1, size);
    if (!p) (void)sl_oom(j->err);
    return p;
}

/* A map of NAMES; what is missing among VALUES is left out, or null where NULLS. */
static sl_status put_map(job *j, const char *const *names, const sl_value *values, uint32_t n, bool nulls,
                         sl_value *out) {
    sl_pair *pairs = room(j, n, sizeof *pairs);
    uint32_t k = 0;
    if (!pairs) return SL_E_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        sl_value v = values[i].type == SL_MISSING && nulls ? sl_null() : values[i];
        if (v.type != SL_MISSING) pairs[k++] = (sl_pair){sl_text_of(names[i]), v};
    }
    *out = sl_map(pairs, k);
    return SL_OK;
}

static sl_value maybe(sl_text t) {
    return t.n ? sl_text_value(t) : sl_missing();
}

static sl_status put_link(job *j, const char *rel, sl_text href, sl_value *list, uint32_t *n) {
    static const char *const names[] = {"rel", "type", "href"};
    if (!href.n) return SL_OK;
    sl_value v[] = {sl_text_value(sl_text_of(rel)), sl_text_value(SL_TEXT("text/html")), sl_text_value(href)};
    return put_map(j, names, v, 3, false, &list[(*n)++]);
}

static sl_status put_links(job *j, sl_text url) {
    uint32_t n = 0;
    sl_value *list = room(j, 2, sizeof *list);
    if (!list) return SL_E_MEMORY;
    TRY(put_link(j, "alternate", url, list, &n));
    TRY(put_link(j, "related", text_of(j->item, "external_url"), list, &n));
    sl_feed_put(&j->keys, "links", sl_list(list, n));
    return SL_OK;
}

static sl_status put_content(job *j, sl_text *content) {
    static const char *const names[] = {"type", "value"};
    *content = text_of(j->item, "content_html");
    bool html = content->n > 0;
    if (!html) *content = text_of(j->item, "content_text");
    if (!content->n) return SL_OK;
    sl_value v[] = {sl_text_value(html ? SL_TEXT("text/html") : SL_TEXT("text/plain")),
                    sl_text_value(*content)};
    sl_value *one = room(j, 1, sizeof *one);
    if (!one) return SL_E_MEMORY;
    TRY(put_map(j, names, v, 2, false, one));
    sl_feed_put(&j->keys, "content", sl_list(one, 1));
    return SL_OK;
}

static sl_value member(sl_value map, const char *name) {
    return map.type == SL_MAP ? sl_map_get_z(map, name) : sl_missing();
}

static sl_status put_enclosures(job *j) {
    static const char *const names[] = {"url", "type", "length"};
    sl_value all = member(j->item, "attachments");
    uint32_t n = 0;
    if (all.type != SL_LIST) return SL_OK;
    sl_value *list = room(j, all.n, sizeof *list);
    if (!list) return SL_E_MEMORY;
    for (uint32_t i = 0; i < all.n; i++) {
        sl_value a = all.as.list[i], size = member(a, "size_in_bytes");
        sl_value v[] = {maybe(text_of(a, "url")), maybe(text_of(a, "mime_type")),
                        size.type == SL_INT ? size : sl_missing()};
        if (v[0].type != SL_MISSING) TRY(put_map(j, names, v, 3, false, &list[n++]));
    }
    if (n) sl_feed_put(&j->keys, "enclosures", sl_list(list, n));
    return SL_OK;
}

static sl_status put_tags(job *j) {
    static const char *const names[] = {"term", "scheme", "label"};
    sl_value all = member(j->item, "tags");
    uint32_t n = 0;
    if (all.type != SL_LIST) return SL_OK;
    sl_value *list = room(j, all.n, sizeof *list);
    if (!list) return SL_E_MEMORY;
    for (uint32_t i = 0; i < all.n; i++) {
        sl_value v[] = {all.as.list[i], sl_missing(), sl_missing()};
        if (sl_is_text(v[0]) && v[0].n) TRY(put_map(j, names, v, 3, true, &list[n++]));
    }
    if (n) sl_feed_put(&j->keys, "tags", sl_list(list, n));
    return SL_OK;
}

/* The first author: authors of 1.1, author of 1.0. */
static sl_status put_author(job *j, sl_value *author) {
    static const char *const names[] = {"name"};
    sl_value all = member(j->item, "authors");
    sl_value who = all.type == SL_LIST && all.n ? all.as.list[0] : member(j->item, "author");
    *author = sl_null();
    sl_text name = text_of(who, "name");
    if (!name.n) return SL_OK;
    sl_value *one = room(j, 1, sizeof *one);
    if (!one) return SL_E_MEMORY;
    *author = sl_text_value(name);
    TRY(put_map(j, names, author, 1, false, one));
    sl_feed_put(&j->keys, "author_detail", *one);
    sl_feed_put(&j->keys, "authors", sl_list(one, 1));
    return SL_OK;
}

/* Ids should be texts, but numbers are seen too. */
static sl_status put_id(job *j, sl_text url) {
    sl_value id = member(j->item, "id");
    if (id.type == SL_INT) {
        sl_text digits = sl_arena_printf(j->arena, "%lld", (long long)id.as.i);
        if (!digits.s) return sl_oom(j->err);
        put_text(j, "id", digits);
        return SL_OK;
    }
    sl_text t = text_of(j->item, "id");
    put_text(j, "id", t.n ? t : url);
    return SL_OK;
}

static sl_status put_item(job *j) {
    sl_value item = j->item, published, updated, published_parts, updated_parts, author;
    sl_text url = text_of(item, "url"), title = text_of(item, "title"), content;
    sl_text summary = text_of(item, "summary");
    TRY(put_id(j, url));
    sl_feed_put(&j->keys, "title", sl_text_value(title.n ? title : SL_TEXT("")));
    sl_feed_put(&j->keys, "description", sl_text_value(summary.n ? summary : SL_TEXT("")));
    sl_value *description = &j->keys.pair[j->keys.n - 1].value;
    put_text(j, "link", url);
    TRY(sl_feed_date(j->conf, text_of(item, "date_published"), j->arena, &published, &published_parts,
                     j->err));
    TRY(sl_feed_date(j->conf, text_of(item, "date_modified"), j->arena, &updated, &updated_parts, j->err));
    sl_feed_put(&j->keys, "published", published.type == SL_MISSING ? updated : published);
    sl_feed_put(&j->keys, "updated", updated);
    if (published.type == SL_MISSING) published_parts = updated_parts;
    TRY(put_links(j, url));
    TRY(put_content(j, &content));
    if (!summary.n && content.n) {
        sl_text plain = sl_feed_plain(content, j->arena);
        if (!plain.s) return sl_oom(j->err);
        *description = sl_text_value(plain);
    }
    put_text(j, "image", text_of(item, "image"));
    TRY(put_enclosures(j));
    TRY(put_tags(j));
    TRY(put_author(j, &author));
    return sl_feed_derive(&j->keys, content, author, updated_parts, published_parts, j->arena, j->err);
}

/* Rows of the json format. What is no object is no item. */
static sl_status take(void *to, sl_batch *b, sl_error *err) {
    job *j = to;
    sl_status status = SL_OK;
    for (uint32_t i = 0; i < b->nsel && !status; i++) {
        uint32_t row = sl_batch_row(b, i);
        sl_value item;
        if (b->bare) continue;
        status = sl_builder_row(j->bd, err);
        if (!status) status = sl_batch_item(b, row, &item, err);
        if (status) break;
        sl_builder_line(j->bd, sl_batch_line(b, row));
        j->arena = sl_builder_arena(j->bd);
        j->keys.n = 0;
        j->err = err;
        status = sl_value_copy(&j->item, item, j->arena, err);
        if (!status) status = put_item(j);
        if (!status) status = sl_feed_add_row(j->bd, &j->keys, err);
    }
    sl_batch_free(&b);
    return status;
}

sl_status sl_feed_json_read(const sl_feed_conf *conf, void *json_state, const sl_block *block,
                            sl_batch_sink sink, void *to, sl_error *err) {
    job j = {.conf = conf, .bd = sl_builder_new(0, NULL, sink, to)};
    if (!j.bd) return sl_oom(err);
    sl_builder_source(j.bd, block->source);
    sl_block inner = *block;
    inner.note = (sl_text){block->note.s + 1, block->note.n - 1};
    inner.dialect = SL_NATIVE;
    sl_status status = sl_json_read_block(json_state, &inner, conf->json_conf, take, &j, err);
    if (!status) status = sl_builder_flush(j.bd, err);
    sl_builder_free(&j.bd);
    return status;
}
