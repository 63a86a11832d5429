/* split.c: cuts an XML document between the elements that a path means. A unit is made readable on its own: the tags that are
 * open around it are put before and closed behind it, so that a worker needs nothing but the unit. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/encoding.h"
#include "formats/xml/xml.h"
#include "formats/xml/sax.h"
#include "formats/xml/scan.h"

#define SEEN_MOST ((size_t)200) /* bytes of names told when a path leads nowhere */

/* The elements that are open around what the path means, as they are written. */
typedef struct context {
    sl_buf tags;                   /* document type and start tags */
    size_t ends[SL_XML_DEPTH + 1]; /* of the tags of so many levels; [0]: of the document type */
    sl_buf names;                  /* one behind the other */
    size_t name_ends[SL_XML_DEPTH + 1];
    uint32_t depth;
    uint64_t version; /* changes with it */
} context;

typedef struct splitter {
    const sl_xml_conf *conf;
    sl_xml_scan scan;
    uint64_t line, column; /* of what is shown next */
    uint32_t depth;        /* open elements */
    uint32_t wanted; /* level of the elements that the path means, the outermost being 1; 0: not known yet */
    bool at_root, ended, begun, over;
    uint32_t found;  /* levels of the path that were seen */
    uint32_t inside; /* of those, how many are open now, from the outermost on */
    sl_buf seen;
    context open;
    /* The last place to cut at that was met: behind it, and what was open there. */
    size_t cut;
    uint64_t cut_version;
    sl_buf cut_before, cut_after;
    sl_buf unit_before; /* around the next unit */
    sl_buf note;
} splitter;

/* ---- failures --------------------------------------------------------------------------------------------------- */

static sl_status fail_at(const splitter *s, const char *data, size_t at, sl_status status, sl_error *err) {
    uint64_t lines = sl_count_lf(data, at);
    uint64_t column = sl_column_of(data, at);
    sl_error_at(err, NULL, s->line + lines, lines ? column : s->column + column - 1);
    return status;
}

static sl_status too_long(const splitter *s, const char *data, sl_error *err) {
    sl_status status =
        s->wanted > 1
            ? sl_fail(err, SL_E_DATA, "a record is longer than 64 MiB")
            : sl_fail(err, SL_E_DATA,
                      "the document is larger than 64 MiB; with the path of its records it is read in parts");
    return fail_at(s, data, 0, status, err);
}

static sl_status too_many(const splitter *s, const char *data, sl_error *err) {
    sl_status status = sl_fail(err, SL_E_DATA, "an element has more than %d attributes", SL_XML_ATTRIBUTES);
    return fail_at(s, data, s->scan.from, status, err);
}

static sl_text step_at(const splitter *s, uint32_t level) {
    return s->conf->steps[level - 2 + s->at_root];
}

static sl_status leads_nowhere(const splitter *s, sl_error *err) {
    sl_text name = step_at(s, s->found + 1);
    return sl_fail(
        err, SL_E_DATA, "the path leads nowhere: there is no element '%.*s' at its place; there are %.*s",
        (int)name.n, name.s, s->seen.len ? (int)s->seen.len : 9, s->seen.len ? s->seen.data : "no others");
}

/* ---- what is open ----------------------------------------------------------------------------------------------- */

/* White space in a tag is as good as blanks, which keep the lines of messages simple. */
static void add_tag(sl_buf *out, const char *tag, size_t n) {
    for (size_t i = 0; i < n; i++) sl_buf_byte(out, tag[i] == '\n' || tag[i] == '\r' ? ' ' : tag[i]);
}

static sl_status remember(splitter *s, const char *data, sl_text name, sl_error *err) {
    context *c = &s->open;
    c->tags.len = c->ends[c->depth];
    c->names.len = c->name_ends[c->depth];
    add_tag(&c->tags, data + s->scan.from, s->scan.at - s->scan.from);
    sl_buf_text(&c->names, name);
    c->depth++;
    c->ends[c->depth] = c->tags.len;
    c->name_ends[c->depth] = c->names.len;
    c->version++;
    TRY(sl_buf_check(&c->tags, err));
    TRY(sl_buf_check(&c->names, err));
    if (c->tags.len <= SL_XML_CONTEXT) return SL_OK;
    sl_fail(err, SL_E_DATA, "the tags around the records are longer than 64 KiB together");
    return fail_at(s, data, s->scan.from, SL_E_DATA, err);
}

static sl_status remember_doctype(splitter *s, const char *data, sl_error *err) {
    context *c = &s->open;
    if (s->depth || c->tags.len) return SL_OK;
    add_tag(&c->tags, data + s->scan.from, s->scan.at - s->scan.from);
    c->ends[0] = c->tags.len;
    TRY(sl_buf_check(&c->tags, err));
    if (c->tags.len <= SL_XML_CONTEXT) return SL_OK;
    sl_fail(err, SL_E_DATA, "the document type is longer than 64 KiB");
    return fail_at(s, data, s->scan.from, SL_E_DATA, err);
}

static void add_end_tags(const context *c, sl_buf *out) {
    for (uint32_t i = c->depth; i > 0; i--) {
        size_t from = c->name_ends[i - 1];
        sl_buf_str(out, "</");
        sl_buf_add(out, c->names.data + from, c->name_ends[i] - from);
        sl_buf_byte(out, '>');
    }
}

/* The unit may end here. */
static sl_status mark(splitter *s, sl_error *err) {
    const context *c = &s->open;
    s->cut = s->scan.at;
    if (s->cut_version == c->version && s->cut_before.len) return SL_OK;
    s->cut_version = c->version;
    sl_buf_clear(&s->cut_before);
    sl_buf_clear(&s->cut_after);
    sl_buf_add(&s->cut_before, c->tags.data, c->ends[c->depth]);
    add_end_tags(c, &s->cut_after);
    TRY(sl_buf_check(&s->cut_before, err));
    return sl_buf_check(&s->cut_after, err);
}

/* ---- along the path --------------------------------------------------------------------------------------------- */

/* True when the tag declares a default namespace. */
static bool has_default_space(const char *tag, size_t n) {
    char quote = 0;
    for (size_t i = 1; i + 6 < n; i++) {
        if (quote) {
            if (tag[i] == quote) quote = 0;
        } else if (tag[i] == '"' || tag[i] == '\'') {
            quote = tag[i];
        } else if (sl_ascii_space(tag[i - 1]) && !memcmp(tag + i, "xmlns", 5) &&
                   (tag[i + 5] == '=' || sl_ascii_space(tag[i + 5]))) {
            return true;
        }
    }
    return false;
}

static void note_seen(splitter *s, sl_text name) {
    if (s->seen.len + name.n + 2 > SEEN_MOST) return;
    sl_text seen = sl_text_n(s->seen.data, s->seen.len);
    int64_t at = s->seen.len ? sl_text_find(seen, name, 0) : -1;
    if (at >= 0) return; /* or a part of another name: good enough for a hint */
    if (s->seen.len) sl_buf_str(&s->seen, ", ");
    sl_buf_text(&s->seen, name);
}

static bool is_step(const splitter *s, sl_text name, uint32_t level) {
    return sl_text_eq(step_at(s, level), s->conf->dialect == SL_RIKO ? sl_xml_local(name) : name);
}

/* An element at LEVEL begins, above those that the path means. */
static void follow(splitter *s, sl_text name, uint32_t level) {
    if (level > 1 && s->inside != level - 1) return;
    if (level > 1 && !is_step(s, name, level)) {
        if (s->found == level - 1) note_seen(s, name);
        return;
    }
    s->inside = level;
    if (s->found >= level) return;
    s->found = level;
    sl_buf_clear(&s->seen);
}

/* A web page was sent instead of the document, and would be its one record. */
static sl_status refuse_page(const splitter *s, const char *data, sl_error *err) {
    sl_status status = sl_fail(err, SL_E_DATA,
                               "this is a web page (its outermost element is html), where xml was expected; "
                               "fetchdata with type html "
                               "reads pages, and a path names the elements that are records");
    return fail_at(s, data, s->scan.from, status, err);
}

static void begin_root(splitter *s, const char *data, sl_text name) {
    size_t n = s->scan.at - s->scan.from;
    s->begun = true;
    s->at_root = sl_xml_names_root(s->conf, name, has_default_space(data + s->scan.from, n));
    s->wanted = 1 + s->conf->nsteps - s->at_root;
}

static sl_status start_tag(splitter *s, const char *data, bool empty, sl_error *err) {
    sl_text name = sl_xml_tag_name(data, s->scan.from, s->scan.at);
    if (s->scan.values > SL_XML_ATTRIBUTES) return too_many(s, data, err);
    bool whole = !s->begun && !s->conf->nsteps && s->conf->dialect != SL_RIKO;
    if (whole && sl_text_eq_nocase(name, SL_TEXT("html"))) return refuse_page(s, data, err);
    if (!s->begun) begin_root(s, data, name);
    uint32_t level = s->depth + 1;
    bool around = !s->ended && level < s->wanted && level <= SL_XML_DEPTH;
    if (around) follow(s, name, level);
    if (empty) {
        s->ended |= level == 1;
        if (s->inside == level) s->inside--;
        return SL_OK;
    }
    if (around) TRY(remember(s, data, name, err));
    s->depth = level;
    return SL_OK;
}

static void end_tag(splitter *s) {
    if (!s->depth) return;
    if (s->inside == s->depth) s->inside--;
    if (s->open.depth == s->depth) {
        s->open.depth--;
        s->open.version++;
    }
    s->depth--;
    s->ended |= !s->depth;
}

static sl_status on_token(splitter *s, sl_xml_token token, const char *data, sl_error *err) {
    switch (token) {
    case SL_XML_START:
    case SL_XML_EMPTY: TRY(start_tag(s, data, token == SL_XML_EMPTY, err)); break;
    case SL_XML_END: end_tag(s); break;
    case SL_XML_DOCTYPE: TRY(remember_doctype(s, data, err)); break;
    default: break;
    }
    bool between = s->depth && s->depth < s->wanted && !s->ended && s->depth == s->open.depth;
    return between && token != SL_XML_START ? mark(s, err) : SL_OK;
}

/* ---- units ------------------------------------------------------------------------------------------------------ */

/* White space up to the end of the line goes with the elements before it, so that the next unit begins with a line. */
static size_t with_line_end(const char *data, size_t at, size_t n) {
    size_t end = at;
    for (size_t i = at; i < n && sl_ascii_blank(data[i]); i++)
        if (data[i] == '\n') end = i + 1;
    return end;
}

static void moved(splitter *s, const char *data, size_t n) {
    uint64_t lines = sl_count_lf(data, n), column = sl_column_of(data, n);
    s->line += lines;
    s->column = lines ? column : s->column + column - 1;
    sl_xml_scan_moved(&s->scan, n);
}

/* DATA[0, to) is a unit, behind which AFTER closes what is open. */
static sl_status hand_out(splitter *s, const char *data, size_t to, sl_text after, unsigned flags,
                          sl_cut *cut, sl_error *err) {
    if (!s->unit_before.len) flags |= SL_XML_FIRST;
    if (s->at_root) flags |= SL_XML_AT_ROOT;
    sl_xml_note note = {.flags = (uint8_t)flags,
                        .column = s->column,
                        .before = sl_text_n(s->unit_before.data, s->unit_before.len),
                        .after = after};
    sl_buf_clear(&s->note);
    sl_xml_note_write(&note, &s->note);
    TRY(sl_buf_check(&s->note, err));
    *cut = (sl_cut){
        .to = to, .end = to, .line = s->line, .whole = true, .note = sl_text_n(s->note.data, s->note.len)};
    moved(s, data, to);
    return SL_OK;
}

static sl_status cut_off(splitter *s, const char *data, size_t n, sl_cut *cut, sl_error *err) {
    size_t to = with_line_end(data, s->cut, n);
    sl_text after = sl_text_n(s->cut_after.data, s->cut_after.len);
    s->cut = 0;
    TRY(hand_out(s, data, to, after, 0, cut, err));
    sl_buf_clear(&s->unit_before);
    sl_buf_add(&s->unit_before, s->cut_before.data, s->cut_before.len);
    return sl_buf_check(&s->unit_before, err);
}

/* All of the document that is left. An outermost element that is missing or not closed is the reader's to find. */
static sl_status finish(splitter *s, const char *data, size_t n, sl_cut *cut, sl_error *err) {
    size_t from = 0;
    while (from < n && sl_ascii_blank(data[from])) from++;
    if (!s->begun && from == n) {
        sl_fail(err, SL_E_DATA, "the document is empty: expected an XML element");
        sl_error_at(err, NULL, 1, 1);
        return SL_E_DATA;
    }
    bool nowhere = s->ended && s->found + 1 < s->wanted && s->conf->dialect != SL_RIKO;
    if (nowhere) return leads_nowhere(s, err);
    TRY(hand_out(s, data, n, (sl_text){0}, SL_XML_LAST, cut, err));
    cut->done = true;
    return SL_OK;
}

sl_status sl_xml_split_new(const void *conf, void **splitter_, sl_error *err) {
    splitter *s = calloc(1, sizeof *s);
    *splitter_ = s;
    if (!s) return sl_oom(err);
    s->conf = conf;
    s->line = s->column = 1;
    s->cut_version = UINT64_MAX;
    return SL_OK;
}

sl_status sl_xml_split(void *splitter_, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    splitter *s = splitter_;
    *cut = (sl_cut){.line = s->line};
    for (sl_xml_token t; (t = sl_xml_scan_next(&s->scan, data, n)) != SL_XML_MORE;)
        TRY(on_token(s, t, data, err));
    if (last) return finish(s, data, n, cut, err);
    if (s->cut) return cut_off(s, data, n, cut, err);
    return n > SL_XML_RECORD ? too_long(s, data, err) : SL_OK;
}

void sl_xml_split_free(void *splitter_) {
    splitter *s = splitter_;
    if (!s) return;
    sl_buf *const bufs[] = {&s->seen,      &s->open.tags,   &s->open.names, &s->cut_before,
                            &s->cut_after, &s->unit_before, &s->note};
    for (size_t i = 0; i < SL_COUNT(bufs); i++) sl_buf_free(bufs[i]);
    free(s);
}
