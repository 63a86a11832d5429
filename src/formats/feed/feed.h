/* feed.h: what the files of the feed format share.
 *
 *   items.c  finds where items begin and end among the tags of a feed, for the splitter and the reader alike
 *   split.c  the splitter: sees what kind of feed it is, keeps its head for the note, cuts behind items
 *   read.c   the reader: head and items through the XML parser, strictly, and an item that fails once more, mended
 *   mend.c   makes XML of what is nearly XML
 *   entry.c  the parser's events of an item, gathered
 *   row.c    what was gathered, as an item of the stream: keys, their order, dates
 *   json.c   JSON Feed: the json format does the splitting and the reading
 *
 * A unit is whole items and whatever is between them. Its note is the kind of feed, the name of its items and its head: the
 * document type and the tags of the root and of the channel, in which the namespaces are that items use:
 *
 *     'r' item LF <!DOCTYPE ...><rss version="2.0"><channel>        (JSON: 'j' and the note of the json format)
 *
 * The parser is shown the head and then items one after another. What stands between items is not looked at, and a mistake in one
 * item is no concern of the next. So what is made of an item depends on nothing but the head and itself. */
#ifndef SL_FORMATS_FEED_FEED_H
#define SL_FORMATS_FEED_FEED_H

#include "formats/format.h"
#include "formats/xml/xml.h"

#define SL_FEED_RECORD SL_RECORD_MOST      /* of an item, and of the text in it, entities replaced */
#define SL_FEED_HEAD   ((size_t)256 << 10) /* bytes of a head */

typedef enum sl_feed_kind { SL_FEED_RSS = 'r', SL_FEED_RDF = 'd', SL_FEED_ATOM = 'a', SL_FEED_JSON = 'j' } sl_feed_kind;

typedef struct sl_feed_conf {
    sl_dialect dialect;
    int64_t now;           /* for dates that leave something out */
    const void *json_conf; /* of the json format, for JSON Feed */
} sl_feed_conf;

/* ---- items among tags -------------------------------------------------------------------------------------------- */

typedef enum sl_feed_mark {
    SL_FEED_NOTHING,
    SL_FEED_BEGIN, /* the token opens an item */
    SL_FEED_AGAIN, /* it opens an item, and the one before, which was not closed, ends before it */
    SL_FEED_END,   /* it closes the item */
    SL_FEED_WHOLE  /* it is an item by itself: <item/> */
} sl_feed_mark;

typedef struct sl_feed_items {
    sl_text name;    /* of items, as "rss:item"; case does not matter */
    bool open;       /* inside an item */
    uint32_t depth;  /* elements open in it */
    uint32_t nested; /* of these, of its own name */
} sl_feed_items;

/* What the tag of kind TOKEN at DATA[from, end) means. An item that stands directly in an open one means that its end tag was
 * forgotten; deeper in it, it is part of that one's content. */
sl_feed_mark sl_feed_items_tag(sl_feed_items *items, sl_xml_token token, const char *data, size_t from, size_t end);

/* ---- an item, gathered -------------------------------------------------------------------------------------------- */

/* Elements whose text is kept, each the first time that it is not empty. */
typedef enum sl_feed_field {
    SL_FEED_TITLE,
    SL_FEED_LINK,
    SL_FEED_DESCRIPTION,
    SL_FEED_SUMMARY,
    SL_FEED_ID,
    SL_FEED_GUID,
    SL_FEED_PUBDATE, /* the four dates of publication in the order of preference */
    SL_FEED_PUBLISHED,
    SL_FEED_ISSUED,
    SL_FEED_DATE,
    SL_FEED_LASTBUILD, /* the three of change */
    SL_FEED_UPDATED,
    SL_FEED_MODIFIED,
    SL_FEED_ENCODED,
    SL_FEED_CONTENT,
    SL_FEED_COMMENTS,
    SL_FEED_AUTHOR,
    SL_FEED_CREATOR,
    SL_FEED_FIELDS
} sl_feed_field;

/* A part of sl_feed_entry.text; NONE in `from`: there is none. */
#define SL_FEED_NONE UINT32_MAX
typedef struct sl_feed_piece {
    uint32_t from, n;
} sl_feed_piece;

/* A link, enclosure, tag, medium or thumbnail: pieces by place in the row of names that row.c writes it with. */
#define SL_FEED_PIECES 11
typedef struct sl_feed_part {
    sl_feed_piece piece[SL_FEED_PIECES];
} sl_feed_part;

typedef struct sl_feed_parts {
    sl_feed_part *v;
    uint32_t n, cap;
} sl_feed_parts;

enum { SL_LINK_REL, SL_LINK_TYPE, SL_LINK_HREF, SL_LINK_TITLE };
enum { SL_ENCLOSURE_URL, SL_ENCLOSURE_TYPE, SL_ENCLOSURE_LENGTH };
enum { SL_TAG_TERM, SL_TAG_SCHEME, SL_TAG_LABEL };
enum {
    SL_MEDIA_URL,
    SL_MEDIA_TYPE,
    SL_MEDIA_MEDIUM,
    SL_MEDIA_WIDTH,
    SL_MEDIA_HEIGHT,
    SL_MEDIA_TITLE,
    SL_MEDIA_TEXT,
    SL_MEDIA_DESCRIPTION,
    SL_MEDIA_CREDIT,
    SL_MEDIA_SCHEME,
    SL_MEDIA_THUMBNAIL
};

typedef struct sl_feed_entry {
    sl_buf text;
    sl_feed_piece field[SL_FEED_FIELDS];
    sl_feed_piece about;                                    /* rdf:about */
    sl_feed_piece content_type, content_lang, content_base; /* of SL_FEED_CONTENT */
    sl_feed_parts links, enclosures, categories, subjects, media, thumbnails;
} sl_feed_entry;

/* Gathers the events of one parser, whose user it is. */
typedef struct sl_feed_gather sl_feed_gather;
extern const sl_xml_handler sl_feed_gather_handler;

sl_feed_gather *sl_feed_gather_new(void);     /* NULL: no memory */
void sl_feed_gather_free(sl_feed_gather **g); /* NULL-safe */
/* A new parser begins: first comes the head. */
void sl_feed_gather_head(sl_feed_gather *g, sl_feed_kind kind, sl_dialect dialect);
/* What comes next is an item. */
void sl_feed_gather_item(sl_feed_gather *g);
/* The item, once it is complete; NULL before. Stays as it is until the next. */
const sl_feed_entry *sl_feed_gather_entry(const sl_feed_gather *g);
/* The item as far as it came, where recovery found no end of it. */
const sl_feed_entry *sl_feed_gather_rest(sl_feed_gather *g);

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

/* Appends the entry, which begins in LINE, as a row. REASON: why it had to be read by recovery; empty: it was well-formed. */
SL_MUST_CHECK sl_status sl_feed_row(sl_builder *bd, const sl_feed_entry *e, uint64_t line, sl_feed_kind kind,
                                    const sl_feed_conf *conf, sl_text reason, sl_error *err);

/* What follows the parser's own keys: everything that is derived from them (summary, author, y:id ...). MAP: the keys so far in
 * order, with room for 16 more. */
typedef struct sl_feed_keys {
    sl_pair pair[40];
    uint32_t n;
} sl_feed_keys;
void sl_feed_put(sl_feed_keys *k, const char *name, sl_value v);
/* "published" and "updated" from the first text of TEXTS that is not empty; *TIME is missing when there is no date. */
SL_MUST_CHECK sl_status sl_feed_date(const sl_feed_conf *conf, sl_text text, sl_arena *arena, sl_value *iso, sl_value *parts,
                                     sl_error *err);
SL_MUST_CHECK sl_status sl_feed_derive(sl_feed_keys *k, sl_text first_content, sl_value author, sl_value updated,
                                       sl_value published, sl_arena *arena, sl_error *err);
/* The text of HTML without its tags: entities decoded, white space collapsed, of the first 2048 characters, cut to 512. */
sl_text sl_feed_plain(sl_text html, sl_arena *arena); /* .s NULL: no memory */
SL_MUST_CHECK sl_status sl_feed_add_row(sl_builder *bd, const sl_feed_keys *k, sl_error *err);

/* ---- mending ------------------------------------------------------------------------------------------------------- */

/* TEXT as XML where that can be guessed: bytes that are no UTF-8 become U+FFFD, characters that XML forbids are left out, an
 * ampersand or < that begins nothing stands for itself, names of HTML entities become characters, elements that were left open are
 * closed where the one around them ends (CLOSE: and at the end), end tags that close nothing are left out. Appends to OUT. */
SL_MUST_CHECK sl_status sl_feed_mend(sl_text text, bool close, sl_buf *out, sl_error *err);

/* ---- the halves of JSON Feed --------------------------------------------------------------------------------------- */

SL_MUST_CHECK sl_status sl_feed_json_prepare(sl_feed_conf *conf, sl_arena *arena, sl_error *err);
SL_MUST_CHECK sl_status sl_feed_json_read(const sl_feed_conf *conf, void *json_state, const sl_block *block, sl_batch_sink sink,
                                          void *to, sl_error *err);

/* ---- the format ---------------------------------------------------------------------------------------------------- */

sl_status sl_feed_split_new(const void *conf, void **splitter, sl_error *err);
sl_status sl_feed_split(void *splitter, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err);
void sl_feed_split_free(void *splitter);

#endif
