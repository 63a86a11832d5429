/* split.c: cuts a feed between its items, so that all workers can read it. It does not parse: it looks for the tags of items by
 * their name, which it learns from the first one. What stands before the first item says what kind of feed it is and goes with
 * every unit. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/feed/feed.h"
#include "formats/json/json.h"

#define NONE SIZE_MAX

typedef struct splitter {
    const sl_feed_conf *conf;
    void *json;        /* the splitter of the json format; NULL: XML, or not known yet */
    bool begun, ended; /* behind leading white space; behind the root's end tag */
    sl_xml_scan scan;
    sl_feed_kind kind;
    sl_feed_items items;
    sl_text root;   /* its name */
    sl_text prefix; /* that items have */
    bool channel;   /* a channel was seen, so prefix is known */
    uint64_t line;  /* of the first byte that is shown next */
    size_t item;    /* where the open item begins; NONE: there is none */
    sl_buf head, note;
    sl_arena arena;
} splitter;

sl_status sl_feed_split_new(const void *conf, void **out, sl_error *err) {
    splitter *s = *out = calloc(1, sizeof *s);
    if (!s) return sl_oom(err);
    s->conf = conf;
    s->line = 1;
    s->item = NONE;
    s->head.limit = s->note.limit = SL_FEED_HEAD;
    return SL_OK;
}

void sl_feed_split_free(void *p) {
    splitter *s = p;
    if (!s) return;
    sl_json_split_free(s->json);
    sl_buf_free(&s->head);
    sl_buf_free(&s->note);
    sl_arena_free(&s->arena);
    free(s);
}

static uint64_t line_at(const splitter *s, const char *data, size_t at) {
    return s->line + sl_json_count_lines(data, at);
}

/* ---- what is no feed ---------------------------------------------------------------------------------------- */

static sl_status fail_at(uint64_t line, sl_error *err) {
    sl_error_at(err, NULL, line, 0);
    return SL_E_DATA;
}

static sl_status no_feed(uint64_t line, sl_text root, sl_error *err) {
    if (sl_text_eq_nocase(sl_xml_local(root), SL_TEXT("html"))) {
        sl_fail(err, SL_E_DATA,
                "this is an HTML page, no feed; fetchsitefeed reads the feed that a page names");
    } else {
        sl_fail(err, SL_E_DATA,
                "this is no feed (RSS, RDF, Atom or JSON Feed): its root element is <%.*s>; fetchdata reads "
                "other XML",
                (int)(root.n < 60 ? root.n : 60), root.s);
    }
    return fail_at(line, err);
}

static sl_status no_markup(const splitter *s, const char *data, size_t n, sl_error *err) {
    if (!n) {
        sl_fail(err, SL_E_DATA, "the document is empty: expected a feed (RSS, RDF, Atom or JSON Feed)");
    } else {
        size_t show = 0;
        while (show < n && show < 20 && data[show] >= ' ' && data[show] < 127) show++;
        sl_fail(err, SL_E_DATA, "this is no feed (RSS, RDF, Atom or JSON Feed): it begins with '%.*s'",
                (int)show, data);
    }
    return fail_at(s->line, err);
}

static sl_status cut_off(const splitter *s, const char *data, size_t n, sl_error *err) {
    if (s->item != NONE) {
        sl_fail(err, SL_E_DATA, "the feed ends inside an item that begins in this line: it was cut off");
        return fail_at(line_at(s, data, s->item), err);
    }
    if (sl_xml_scan_inside(&s->scan) || !s->root.n) {
        sl_fail(err, SL_E_DATA, "the feed ends inside %s: it was cut off", sl_xml_scan_what(&s->scan));
    } else {
        sl_fail(err, SL_E_DATA, "the feed ends before </%.*s>: it was cut off", (int)s->root.n, s->root.s);
    }
    return fail_at(line_at(s, data, n), err);
}

/* ---- the head -------------------------------------------------------------------------------------------------------- */

static sl_text prefix_of(sl_text name) {
    sl_text local = sl_xml_local(name);
    return (sl_text){name.s, name.n - local.n};
}

static sl_status keep(splitter *s, const char *data, size_t from, size_t to, sl_error *err) {
    sl_buf_add(&s->head, data + from, to - from);
    if (!s->head.failed) return SL_OK;
    if (s->head.len + (to - from) <= SL_FEED_HEAD) return sl_oom(err);
    sl_fail(err, SL_E_DATA, "the head of the feed, before its first item, has tags of more than %d KiB",
            (int)(SL_FEED_HEAD >> 10));
    return fail_at(s->line, err);
}

static sl_status begin_root(splitter *s, sl_text name, uint64_t line, sl_error *err) {
    static const struct {
        const char *name;
        sl_feed_kind kind;
    } kinds[] = {
        {"rss", SL_FEED_RSS}, {"rdf", SL_FEED_RDF}, {"feed", SL_FEED_ATOM}, {"channel", SL_FEED_RSS}};
    for (size_t i = 0; i < SL_COUNT(kinds); i++)
        if (sl_text_eq_nocase(sl_xml_local(name), sl_text_of(kinds[i].name))) s->kind = kinds[i].kind;
    if (!s->kind) return no_feed(line, name, err);
    s->root = sl_arena_text(&s->arena, name);
    if (!s->root.s) return sl_oom(err);
    s->prefix = prefix_of(s->root);
    return SL_OK;
}

/* The first item: its name is that of all. */
static sl_status begin_items(splitter *s, sl_text name, sl_error *err) {
    s->items.name = sl_arena_text(&s->arena, name);
    if (!s->items.name.s) return sl_oom(err);
    s->note.limit = SL_FEED_HEAD + name.n + 2;
    sl_buf_byte(&s->note, (char)s->kind);
    sl_buf_text(&s->note, name);
    sl_buf_byte(&s->note, '\n');
    sl_buf_add(&s->note, s->head.data, s->head.len);
    return sl_buf_check(&s->note, err);
}

static bool names_item(const splitter *s, sl_text name) {
    sl_text item = s->kind == SL_FEED_ATOM ? SL_TEXT("entry") : SL_TEXT("item");
    if (!sl_text_eq_nocase(sl_xml_local(name), item)) return false;
    bool known = s->kind == SL_FEED_ATOM || s->channel;
    return !known || sl_text_eq(prefix_of(name), s->prefix);
}

static sl_text tag_name(const splitter *s, const char *data) {
    return sl_xml_tag_name(data, s->scan.from, s->scan.at);
}

/* A tag of DATA before the first item. */
static sl_status head_tag(splitter *s, const char *data, sl_xml_token token, sl_error *err) {
    sl_text name = tag_name(s, data);
    size_t from = s->scan.from, to = s->scan.at;
    if (token == SL_XML_DOCTYPE) return s->root.n ? SL_OK : keep(s, data, from, to, err);
    if (token != SL_XML_START && token != SL_XML_EMPTY) return SL_OK;
    if (!s->root.n) {
        TRY(begin_root(s, name, line_at(s, data, from), err));
        s->ended = token == SL_XML_EMPTY;
        if (!sl_text_eq_nocase(sl_xml_local(name), SL_TEXT("channel"))) return keep(s, data, from, to, err);
    }
    if (names_item(s, name)) return begin_items(s, name, err);
    if (s->channel || s->kind == SL_FEED_ATOM || !sl_text_eq_nocase(sl_xml_local(name), SL_TEXT("channel")))
        return SL_OK;
    s->channel = true;
    sl_text own = sl_arena_text(&s->arena, name);
    if (!own.s) return sl_oom(err);
    s->prefix = prefix_of(own);
    return token == SL_XML_START ? keep(s, data, from, to, err) : SL_OK;
}

/* ---- items ----------------------------------------------------------------------------------------------------------- */

/* *TO: behind the last whole item, NONE: there is none yet. */
static void mark_item(splitter *s, const char *data, sl_xml_token token, size_t *to) {
    switch (sl_feed_items_tag(&s->items, token, data, s->scan.from, s->scan.at)) {
    case SL_FEED_BEGIN: s->item = s->scan.from; break;
    case SL_FEED_AGAIN:
        *to = s->scan.from;
        s->item = s->scan.from;
        break;
    case SL_FEED_END:
    case SL_FEED_WHOLE:
        *to = s->scan.at;
        s->item = NONE;
        break;
    case SL_FEED_NOTHING: break;
    }
}

/* Looks at all of DATA. */
static sl_status look(splitter *s, const char *data, size_t n, size_t *to, sl_error *err) {
    for (sl_xml_token token; !s->ended && (token = sl_xml_scan_next(&s->scan, data, n));) {
        if (s->scan.values > SL_XML_ATTRIBUTES) {
            sl_fail(err, SL_E_DATA, "a tag has more than %d attributes", SL_XML_ATTRIBUTES);
            return fail_at(line_at(s, data, s->scan.from), err);
        }
        if (!s->items.name.n) TRY(head_tag(s, data, token, err));
        if (s->items.name.n) mark_item(s, data, token, to);
        if (token == SL_XML_END && !s->items.open) s->ended = sl_text_eq(tag_name(s, data), s->root);
    }
    return SL_OK;
}

static void consume(splitter *s, const char *data, size_t end, sl_cut *cut) {
    cut->end = end;
    s->line += sl_json_count_lines(data, end);
    if (s->ended) return;
    sl_xml_scan_moved(&s->scan, end);
    if (s->item != NONE) s->item -= end;
}

/* What has to be shown again begins here. */
static size_t unfinished(const splitter *s, size_t n) {
    if (s->item != NONE) return s->item;
    return sl_xml_scan_inside(&s->scan) ? s->scan.from : n;
}

static sl_status finish(const splitter *s, const char *data, size_t n, sl_error *err) {
    if (!s->ended) return cut_off(s, data, n, err);
    if (s->kind != SL_FEED_RSS || s->channel || s->items.name.n) return SL_OK;
    sl_fail(err, SL_E_DATA, "this is no feed: its root element is <%.*s>, but there is no channel in it",
            (int)s->root.n, s->root.s);
    return fail_at(line_at(s, data, n), err);
}

static sl_status split_xml(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    size_t to = NONE;
    *cut = (sl_cut){.line = s->line, .done = last};
    TRY(look(s, data, n, &to, err));
    cut->note = sl_text_n(s->note.data, s->note.len);
    if (last) TRY(finish(s, data, n, err));
    size_t rest = s->ended ? n : to != NONE ? to : unfinished(s, n);
    if (n - rest > SL_FEED_RECORD) {
        sl_fail(err, SL_E_DATA, "an item or tag is longer than %d MiB", (int)(SL_FEED_RECORD >> 20));
        return fail_at(line_at(s, data, rest), err);
    }
    cut->to = to != NONE ? to : 0;
    consume(s, data, rest, cut);
    return SL_OK;
}

/* ---- the beginning --------------------------------------------------------------------------------------------------- */

/* Leading white space and a byte-order mark are passed over. */
static sl_status begin(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    size_t at = n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < n && sl_ascii_blank(data[at])) at++;
    *cut = (sl_cut){.line = s->line};
    if (at == n && last) return no_markup(s, data, 0, err);
    if (n < 4 && !last) return SL_OK;
    if (at == n) {
        consume(s, data, n, cut);
        return SL_OK;
    }
    if (data[at] != '<' && data[at] != '{') {
        consume(s, data, at, cut);
        return no_markup(s, data + at, n - at, err);
    }
    s->begun = true;
    if (data[at] == '{') return sl_json_split_new(s->conf->json_conf, &s->json, err);
    consume(s, data, at, cut);
    cut->from = cut->to = at;
    s->scan = (sl_xml_scan){0};
    return SL_OK;
}

/* The json format's own cut, with our letter before its note. */
static sl_status split_json(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    TRY(sl_json_split(s->json, data, n, last, cut, err));
    sl_text known = s->note.len ? sl_text_n(s->note.data + 1, s->note.len - 1) : (sl_text){0};
    if (!s->note.len || !sl_text_eq(known, cut->note)) {
        sl_buf_clear(&s->note);
        sl_buf_byte(&s->note, SL_FEED_JSON);
        sl_buf_text(&s->note, cut->note);
    }
    cut->note = sl_text_n(s->note.data, s->note.len);
    return sl_buf_check(&s->note, err);
}

sl_status sl_feed_split(void *p, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    splitter *s = p;
    size_t skipped = 0;
    if (!s->begun) {
        TRY(begin(s, data, n, last, cut, err));
        if (!s->begun) return SL_OK;
        skipped = cut->end;
    }
    if (s->json) return split_json(s, data, n, last, cut, err);
    TRY(split_xml(s, data + skipped, n - skipped, last, cut, err));
    cut->from += skipped;
    cut->to += skipped;
    cut->end += skipped;
    return SL_OK;
}
