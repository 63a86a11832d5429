/* entry.c: gathers one entry of a feed from the events of the XML parser. RSS, Atom and RDF use other names for the same
 * things, and publishers mix them, so each element is looked up by namespace and name, and what it means is noted in one shape.
 * What the shape becomes as an item is decided later, in row.c. */
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "formats/feed/feed.h"

#define XML_URI    "http://www.w3.org/XML/1998/namespace"
#define MOST_PARTS 100000 /* links, tags ... of one item */

typedef enum keeping {
    NOTHING, /* text is not kept */
    TEXT,    /* that of the elements within too */
    MARKUP,  /* with the tags within */
    OUTER    /* with its own tags as well: XHTML */
} keeping;

/* What the innermost element is that says how to take those within. */
typedef enum place { ITEM, AUTHOR, GROUP, MEDIUM, HEAD } place;

struct sl_feed_gather {
    sl_feed_kind kind;
    sl_dialect dialect;
    uint32_t depth, head; /* open elements; those of the head */
    bool in_item, complete;
    sl_feed_entry entry;
    char uri[128]; /* the namespace of the item, as much of it as tells one from another */

    place place;
    uint32_t place_depth; /* of the element that made it so; that of the item is head + 1 */
    keeping keeping;
    uint32_t keep_depth;
    sl_feed_piece *target; /* where the text goes; not moved while it is kept */
    uint32_t from;
    bool tag_open; /* the > of the last start tag is not written yet */

    sl_buf lang, base; /* of the head */
    sl_feed_piece item_lang, item_base;
};

static const sl_feed_piece none = {SL_FEED_NONE, 0};

sl_feed_gather *sl_feed_gather_new(void) {
    return calloc(1, sizeof(sl_feed_gather));
}

void sl_feed_gather_free(sl_feed_gather **gp) {
    sl_feed_gather *g = *gp;
    *gp = NULL;
    if (!g) return;
    sl_feed_entry *e = &g->entry;
    free(e->links.v);
    free(e->enclosures.v);
    free(e->categories.v);
    free(e->subjects.v);
    free(e->media.v);
    free(e->thumbnails.v);
    sl_buf_free(&e->text);
    sl_buf_free(&g->lang);
    sl_buf_free(&g->base);
    free(g);
}

/* ---- pieces and parts ---------------------------------------------------------------------------------------------- */

static sl_feed_piece put(sl_feed_gather *g, sl_text t) {
    if (!t.s) return none;
    sl_feed_piece piece = {(uint32_t)g->entry.text.len, t.n};
    sl_buf_text(&g->entry.text, t);
    return piece;
}

static sl_text attribute_of(const sl_xml_element *e, const char *uri, const char *local) {
    for (uint32_t i = 0; i < e->nattrs; i++)
        if (!strcmp(e->attrs[i].name.uri, uri) && !strcmp(e->attrs[i].name.local, local))
            return e->attrs[i].value;
    return (sl_text){0};
}

static sl_feed_piece put_attribute(sl_feed_gather *g, const sl_xml_element *e, const char *local) {
    return put(g, sl_xml_attribute(e, local));
}

static sl_status new_part(sl_feed_parts *parts, sl_feed_part **out, sl_error *err) {
    if (parts->n == MOST_PARTS)
        return sl_fail(err, SL_E_DATA, "an item has more than %d links, tags or media", MOST_PARTS);
    if (!SL_ROOM(parts->v, parts->cap, parts->n + 1)) return sl_oom(err);
    sl_feed_part *part = &parts->v[parts->n++];
    for (int i = 0; i < SL_FEED_PIECES; i++) part->piece[i] = none;
    *out = part;
    return SL_OK;
}

/* A part whose pieces are attributes: NAMES in their order, NULL-terminated. */
static sl_status add_part(sl_feed_gather *g, sl_feed_parts *parts, const sl_xml_element *e,
                          const char *const *names, sl_feed_part **out, sl_error *err) {
    TRY(new_part(parts, out, err));
    for (int i = 0; names[i]; i++) (*out)->piece[i] = put_attribute(g, e, names[i]);
    return SL_OK;
}

/* ---- keeping text --------------------------------------------------------------------------------------------------- */

static void keep(sl_feed_gather *g, keeping how, sl_feed_piece *target) {
    g->keeping = how;
    g->keep_depth = g->depth;
    g->target = target;
    g->from = (uint32_t)g->entry.text.len;
    g->tag_open = false;
}

static bool is_blank(const sl_buf *b, size_t from) {
    return sl_text_trim(sl_text_n(b->data + from, b->len - from)).n == 0;
}

static void kept(sl_feed_gather *g) {
    sl_buf *text = &g->entry.text;
    if (text->len > g->from && !is_blank(text, g->from))
        *g->target = (sl_feed_piece){g->from, (uint32_t)text->len - g->from};
    g->keeping = NOTHING;
}

static void close_tag(sl_feed_gather *g) {
    if (g->tag_open) sl_buf_byte(&g->entry.text, '>');
    g->tag_open = false;
}

static void put_name(sl_buf *out, const sl_xml_name *name) {
    if (name->prefix[0]) {
        sl_buf_str(out, name->prefix);
        sl_buf_byte(out, ':');
    }
    sl_buf_str(out, name->local);
}

static void put_escaped(sl_buf *out, sl_text t, bool value) {
    for (uint32_t i = 0; i < t.n; i++) {
        char c = t.s[i];
        if (c == '&') {
            sl_buf_str(out, "&amp;");
        } else if (c == '<') {
            sl_buf_str(out, "&lt;");
        } else if (c == '>') {
            sl_buf_str(out, "&gt;");
        } else if (c == '"' && value) {
            sl_buf_str(out, "&quot;");
        } else {
            sl_buf_byte(out, c);
        }
    }
}

static void put_space(sl_buf *out, const char *prefix, const char *uri) {
    sl_buf_str(out, prefix[0] ? " xmlns:" : " xmlns");
    sl_buf_str(out, prefix);
    sl_buf_str(out, "=\"");
    put_escaped(out, sl_text_of(uri), true);
    sl_buf_byte(out, '"');
}

/* The start tag but for its >; OWN: with the namespace of the element, which may be declared farther out. */
static void put_start(sl_feed_gather *g, const sl_xml_element *e, bool own) {
    sl_buf *out = &g->entry.text;
    close_tag(g);
    sl_buf_byte(out, '<');
    put_name(out, &e->name);
    for (uint32_t i = 0; i < e->nspaces; i++) {
        put_space(out, e->spaces[i].prefix, e->spaces[i].uri);
        if (!strcmp(e->spaces[i].prefix, e->name.prefix)) own = false;
    }
    if (own && e->name.uri[0]) put_space(out, e->name.prefix, e->name.uri);
    for (uint32_t i = 0; i < e->nattrs; i++) {
        sl_buf_byte(out, ' ');
        put_name(out, &e->attrs[i].name);
        sl_buf_str(out, "=\"");
        put_escaped(out, e->attrs[i].value, true);
        sl_buf_byte(out, '"');
    }
    g->tag_open = true;
}

static void put_end(sl_feed_gather *g, const sl_xml_name *name) {
    sl_buf *out = &g->entry.text;
    if (g->tag_open) {
        sl_buf_str(out, "/>");
        g->tag_open = false;
        return;
    }
    sl_buf_str(out, "</");
    put_name(out, name);
    sl_buf_byte(out, '>');
}

/* ---- elements of an item -------------------------------------------------------------------------------------------- */

static const struct known {
    const char *name;
    sl_feed_field field;
    keeping how;
} knowns[] = {
    {"title", SL_FEED_TITLE, TEXT},
    {"link", SL_FEED_LINK, TEXT},
    {"description", SL_FEED_DESCRIPTION, MARKUP},
    {"summary", SL_FEED_SUMMARY, MARKUP},
    {"id", SL_FEED_ID, TEXT},
    {"guid", SL_FEED_GUID, TEXT},
    {"pubdate", SL_FEED_PUBDATE, TEXT},
    {"published", SL_FEED_PUBLISHED, TEXT},
    {"issued", SL_FEED_ISSUED, TEXT},
    {"date", SL_FEED_DATE, TEXT},
    {"lastbuilddate", SL_FEED_LASTBUILD, TEXT},
    {"updated", SL_FEED_UPDATED, TEXT},
    {"modified", SL_FEED_MODIFIED, TEXT},
    {"encoded", SL_FEED_ENCODED, MARKUP},
    {"content", SL_FEED_CONTENT, MARKUP},
    {"comments", SL_FEED_COMMENTS, TEXT},
    {"author", SL_FEED_AUTHOR, TEXT},
    {"creator", SL_FEED_CREATOR, TEXT},
};

static bool is_called(const char *local, const char *name) {
    for (; *name && (*local | 0x20) == *name; local++, name++) {
    }
    return !*local && !*name;
}

static bool is_media(const sl_xml_name *n) {
    if (strstr(n->uri, "search.yahoo.com/mrss")) return true;
    return !n->uri[0] && !strcmp(n->prefix, "media");
}

static bool same_space(const sl_feed_gather *g, const sl_xml_name *name) {
    return !strncmp(name->uri, g->uri, sizeof g->uri - 1);
}

static sl_status add_link(sl_feed_gather *g, const sl_xml_element *e, sl_error *err) {
    static const char *const names[] = {"rel", "type", "href", "title", NULL};
    sl_feed_part *part;
    return add_part(g, &g->entry.links, e, names, &part, err);
}

static sl_status add_enclosure(sl_feed_gather *g, const sl_xml_element *e, sl_error *err) {
    static const char *const names[] = {"url", "type", "length", NULL};
    sl_feed_part *part;
    if (!sl_xml_attribute(e, "url").n) return SL_OK;
    return add_part(g, &g->entry.enclosures, e, names, &part, err);
}

/* Atom's categories are attributes, those of RSS text with a domain. */
static sl_status add_category(sl_feed_gather *g, const sl_xml_element *e, sl_error *err) {
    static const char *const atom[] = {"term", "scheme", "label", NULL};
    sl_feed_part *part;
    TRY(add_part(g, &g->entry.categories, e, atom, &part, err));
    if (part->piece[SL_TAG_TERM].from != SL_FEED_NONE) return SL_OK;
    part->piece[SL_TAG_SCHEME] = put_attribute(g, e, "domain");
    keep(g, TEXT, &part->piece[SL_TAG_TERM]);
    return SL_OK;
}

static sl_status add_subject(sl_feed_gather *g, sl_error *err) {
    sl_feed_part *part;
    TRY(new_part(&g->entry.subjects, &part, err));
    keep(g, TEXT, &part->piece[SL_TAG_TERM]);
    return SL_OK;
}

static void enter(sl_feed_gather *g, place where) {
    g->place = where;
    g->place_depth = g->depth;
}

static sl_status add_medium(sl_feed_gather *g, const sl_xml_element *e, sl_error *err) {
    static const char *const names[] = {"url", "type", "medium", "width", "height", NULL};
    sl_feed_part *part;
    enter(g, MEDIUM);
    return add_part(g, &g->entry.media, e, names, &part, err);
}

static sl_status add_thumbnail(sl_feed_gather *g, const sl_xml_element *e, sl_error *err) {
    static const char *const names[] = {"url", "", "", "width", "height", NULL};
    sl_feed_part *part;
    if (!sl_xml_attribute(e, "url").n) return SL_OK;
    return add_part(g, &g->entry.thumbnails, e, names, &part, err);
}

/* content, thumbnail or group of Media RSS; *TAKEN: it was one. */
static sl_status media_start(sl_feed_gather *g, const sl_xml_element *e, bool *taken, sl_error *err) {
    const char *local = e->name.local;
    *taken = true;
    if (is_called(local, "content")) return add_medium(g, e, err);
    if (is_called(local, "thumbnail")) return add_thumbnail(g, e, err);
    if (is_called(local, "group") && g->place == ITEM) {
        enter(g, GROUP);
        return SL_OK;
    }
    *taken = false;
    return SL_OK;
}

/* What is inside a media:content. */
static sl_status medium_child(sl_feed_gather *g, const sl_xml_element *e, sl_error *err) {
    static const struct {
        const char *name;
        int piece;
    } texts[] = {{"title", SL_MEDIA_TITLE},
                 {"text", SL_MEDIA_TEXT},
                 {"description", SL_MEDIA_DESCRIPTION},
                 {"credit", SL_MEDIA_CREDIT}};
    sl_feed_piece *piece = g->entry.media.v[g->entry.media.n - 1].piece;
    if (!is_media(&e->name)) return SL_OK;
    if (is_called(e->name.local, "thumbnail")) {
        if (piece[SL_MEDIA_THUMBNAIL].from == SL_FEED_NONE)
            piece[SL_MEDIA_THUMBNAIL] = put_attribute(g, e, "url");
        return add_thumbnail(g, e, err);
    }
    for (size_t i = 0; i < SL_COUNT(texts); i++) {
        if (!is_called(e->name.local, texts[i].name) || piece[texts[i].piece].from != SL_FEED_NONE) continue;
        if (texts[i].piece == SL_MEDIA_CREDIT) piece[SL_MEDIA_SCHEME] = put_attribute(g, e, "scheme");
        keep(g, TEXT, &piece[texts[i].piece]);
    }
    return SL_OK;
}

static sl_feed_piece own_or(sl_feed_gather *g, const sl_xml_element *e, const char *local,
                            sl_feed_piece outer) {
    sl_text own = attribute_of(e, XML_URI, local);
    return own.s ? put(g, own) : outer;
}

static keeping begin_content(sl_feed_gather *g, const sl_xml_element *e, keeping how) {
    sl_feed_entry *entry = &g->entry;
    sl_text type = sl_xml_attribute(e, "type");
    entry->content_type = put(g, type);
    entry->content_lang = own_or(g, e, "lang", g->item_lang);
    entry->content_base = own_or(g, e, "base", g->item_base);
    if (g->kind != SL_FEED_ATOM || !sl_text_eq_nocase(type, SL_TEXT("xhtml"))) return how;
    return OUTER;
}

static sl_status keep_field(sl_feed_gather *g, const sl_xml_element *e, const struct known *k) {
    sl_feed_piece *target = &g->entry.field[k->field];
    keeping how = k->how;
    if (target->from != SL_FEED_NONE) return SL_OK;
    if (k->field == SL_FEED_CONTENT) how = begin_content(g, e, how);
    if (k->field == SL_FEED_AUTHOR) enter(g, AUTHOR);
    keep(g, how, target);
    if (how == OUTER) put_start(g, e, true);
    return SL_OK;
}

static sl_status child_start(sl_feed_gather *g, const sl_xml_element *e, sl_error *err) {
    const char *local = e->name.local;
    bool taken = false;
    if (is_media(&e->name)) TRY(media_start(g, e, &taken, err));
    if (taken || (g->kind == SL_FEED_ATOM && !same_space(g, &e->name))) return SL_OK;
    if (is_called(local, "category")) return add_category(g, e, err);
    if (is_called(local, "subject") || is_called(local, "topic")) return add_subject(g, err);
    if (is_called(local, "enclosure")) return add_enclosure(g, e, err);
    if (is_called(local, "link") && (g->kind == SL_FEED_ATOM || sl_xml_attribute(e, "href").n))
        return add_link(g, e, err);
    for (size_t i = 0; i < SL_COUNT(knowns); i++)
        if (is_called(local, knowns[i].name)) return keep_field(g, e, &knowns[i]);
    return SL_OK;
}

/* An author with a name inside: that is what is kept, the rest (email, uri) is not. */
static void author_child(sl_feed_gather *g, const sl_xml_element *e) {
    sl_feed_piece *target = &g->entry.field[SL_FEED_AUTHOR];
    if (g->keeping != NOTHING) kept(g);
    if (is_called(e->name.local, "name") && target->from == SL_FEED_NONE) keep(g, TEXT, target);
}

/* ---- the item ------------------------------------------------------------------------------------------------------- */

static void clear(sl_feed_gather *g) {
    sl_feed_entry *e = &g->entry;
    sl_buf_clear(&e->text);
    e->text.failed = false;
    for (int i = 0; i < SL_FEED_FIELDS; i++) e->field[i] = none;
    e->about = e->content_type = e->content_lang = e->content_base = none;
    e->links.n = e->enclosures.n = e->categories.n = e->subjects.n = e->media.n = e->thumbnails.n = 0;
}

static void begin_item(sl_feed_gather *g, const sl_xml_element *e) {
    g->in_item = true;
    g->keeping = NOTHING;
    g->uri[0] = 0;
    strncat(g->uri, e->name.uri, sizeof g->uri - 1);
    enter(g, ITEM);
    for (uint32_t i = 0; i < e->nattrs; i++)
        if (is_called(e->attrs[i].name.local, "about")) g->entry.about = put(g, e->attrs[i].value);
    g->item_lang = g->item_base = none;
    if (g->dialect == SL_RIKO) return;
    if (g->lang.len) g->item_lang = put(g, sl_text_n(g->lang.data, g->lang.len));
    if (g->base.len) g->item_base = put(g, sl_text_n(g->base.data, g->base.len));
    g->item_lang = own_or(g, e, "lang", g->item_lang);
    g->item_base = own_or(g, e, "base", g->item_base);
}

static void head_start(sl_feed_gather *g, const sl_xml_element *e) {
    sl_text lang = attribute_of(e, XML_URI, "lang"), base = attribute_of(e, XML_URI, "base");
    if (lang.s) {
        sl_buf_clear(&g->lang);
        sl_buf_text(&g->lang, lang);
    }
    if (base.s) {
        sl_buf_clear(&g->base);
        sl_buf_text(&g->base, base);
    }
    g->head++;
}

static sl_status inside_start(sl_feed_gather *g, const sl_xml_element *e, sl_error *err) {
    if (g->place == AUTHOR && g->depth == g->place_depth + 1) {
        author_child(g, e);
        return SL_OK;
    }
    if (g->keeping != NOTHING) {
        if (g->keeping >= MARKUP) put_start(g, e, false);
        return SL_OK;
    }
    if (g->depth != g->place_depth + 1) return SL_OK;
    if (g->place == ITEM) return child_start(g, e, err);
    bool taken;
    if (g->place == GROUP && is_media(&e->name)) return media_start(g, e, &taken, err);
    return g->place == MEDIUM ? medium_child(g, e, err) : SL_OK;
}

static sl_status on_start(void *user, const sl_xml_element *e, sl_error *err) {
    sl_feed_gather *g = user;
    g->depth++;
    if (g->complete) return SL_OK;
    if (g->in_item) {
        TRY(inside_start(g, e, err));
    } else if (g->place == HEAD) {
        head_start(g, e);
    } else if (g->depth == g->head + 1) {
        begin_item(g, e);
    }
    return sl_buf_check(&g->entry.text, err);
}

static void leave(sl_feed_gather *g) {
    bool grouped = g->place == MEDIUM && g->place_depth > g->head + 2;
    g->place = grouped ? GROUP : ITEM;
    g->place_depth = grouped ? g->place_depth - 1 : g->head + 1;
}

static sl_status on_end(void *user, const sl_xml_name *name, sl_error *err) {
    sl_feed_gather *g = user;
    uint32_t depth = g->depth;
    if (g->depth) g->depth--;
    if (!g->in_item || g->complete) return SL_OK;
    if (g->keeping >= MARKUP && (depth > g->keep_depth || g->keeping == OUTER)) put_end(g, name);
    if (g->keeping != NOTHING && depth == g->keep_depth) kept(g);
    if (g->place != ITEM && depth == g->place_depth) leave(g);
    if (depth == g->head + 1) {
        g->in_item = false;
        g->complete = true;
    }
    return sl_buf_check(&g->entry.text, err);
}

static sl_status on_text(void *user, sl_text text, sl_error *err) {
    sl_feed_gather *g = user;
    if (g->keeping == NOTHING || g->complete) return SL_OK;
    close_tag(g);
    if (g->keeping == OUTER) {
        put_escaped(&g->entry.text, text, false);
    } else {
        sl_buf_text(&g->entry.text, text);
    }
    return g->entry.text.failed ? sl_buf_check(&g->entry.text, err) : SL_OK;
}

const sl_xml_handler sl_feed_gather_handler = {on_start, on_end, on_text};

void sl_feed_gather_head(sl_feed_gather *g, sl_feed_kind kind, sl_dialect dialect) {
    g->kind = kind;
    g->dialect = dialect;
    g->depth = g->head = 0;
    g->in_item = g->complete = false;
    g->keeping = NOTHING;
    g->place = HEAD;
    sl_buf_clear(&g->lang);
    sl_buf_clear(&g->base);
    clear(g);
}

void sl_feed_gather_item(sl_feed_gather *g) {
    g->in_item = g->complete = false;
    g->keeping = NOTHING;
    g->place = ITEM;
    clear(g);
}

const sl_feed_entry *sl_feed_gather_entry(const sl_feed_gather *g) {
    return g->complete ? &g->entry : NULL;
}

const sl_feed_entry *sl_feed_gather_rest(sl_feed_gather *g) {
    if (g->in_item && g->keeping != NOTHING) {
        close_tag(g);
        kept(g);
    }
    return &g->entry;
}
