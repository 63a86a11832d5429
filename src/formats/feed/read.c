/* read.c: reads a unit of a feed, item by item, with one strict parser for the head and the items behind it. What the parser
 * refuses is read once more, mended, by a parser of its own, and if need be as far as anything can be made of it; so a bad item
 * never takes its neighbours with it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/unicode.h"
#include "formats/feed/feed.h"
#include "formats/json/json.h"

/* What a worker keeps from unit to unit. */
typedef struct reader {
    void *json;
    sl_feed_gather *gather;
    sl_buf mended;
} reader;

/* One unit. */
typedef struct job {
    reader *r;
    const sl_feed_conf *conf;
    const sl_block *block;
    sl_feed_kind kind;
    sl_text head;
    sl_feed_items items;
    sl_builder *bd;
    sl_xml *xml; /* strict, the head and the items before read; NULL: none */
    bool valid;  /* the whole unit is UTF-8 */
    sl_error *err;
} job;

static sl_status start(const void *conf, void **out, sl_error *err) {
    const sl_feed_conf *c = conf;
    TRY(sl_xml_library(err));
    reader *r = *out = calloc(1, sizeof *r);
    if (!r) return sl_oom(err);
    r->gather = sl_feed_gather_new();
    return r->gather ? sl_json_start(c->json_conf, &r->json, err) : sl_oom(err);
}

static void stop(void *p) {
    reader *r = p;
    if (!r) return;
    sl_json_stop(r->json);
    sl_feed_gather_free(&r->gather);
    sl_buf_free(&r->mended);
    free(r);
}

/* ---- the parser ------------------------------------------------------------------------------------------------------ */

/* A parser that has read HEAD. */
static sl_status open_parser(job *j, unsigned flags, sl_text head, sl_error *err) {
    sl_feed_gather_head(j->r->gather, j->kind, j->conf->dialect);
    TRY(sl_xml_new(&sl_feed_gather_handler, j->r->gather, flags | SL_XML_COUNTED, SL_FEED_RECORD, &j->xml,
                   err));
    return sl_xml_feed(j->xml, head.s, head.n, err);
}

/* One item, completely. A failure that another way of reading may avoid is *WHY and SL_OK; so is an item without end. */
static sl_status feed_item(job *j, sl_text text, uint64_t line, sl_error *why) {
    sl_feed_gather_item(j->r->gather);
    sl_xml_record(j->xml);
    sl_xml_place(j->xml, line);
    sl_status status = sl_xml_feed(j->xml, text.s, text.n, why);
    if (!status && !sl_feed_gather_entry(j->r->gather)) {
        sl_fail(why, SL_E_DATA, "the item has no end tag");
        sl_error_at(why, NULL, line, 0);
    }
    return status;
}

/* Hands limits, memory and the like to the run; what the text itself is guilty of stays in WHY. */
static sl_status hard(job *j, sl_status status, const sl_error *why) {
    if (!status || (j->xml && sl_xml_malformed(j->xml))) return SL_OK;
    if (j->err && !j->err->code) *j->err = *why;
    return status;
}

static sl_status try_item(job *j, unsigned flags, sl_text head, sl_text text, uint64_t line, sl_error *why) {
    sl_status status = SL_OK;
    if (!j->xml) status = open_parser(j, flags, head, why);
    if (!status) status = feed_item(j, text, line, why);
    TRY(hard(j, status, why));
    if (why->code) sl_xml_free(&j->xml);
    return SL_OK;
}

/* ---- items ----------------------------------------------------------------------------------------------------------- */

static sl_status add_row(job *j, const sl_feed_entry *e, uint64_t line, sl_text reason) {
    return sl_feed_row(j->bd, e, line, j->kind, j->conf, reason, j->err);
}

/* The tags of the head without the document type, which is what may be wrong with it. */
static sl_text bare_head(sl_text head) {
    sl_xml_scan s = {0};
    if (sl_xml_scan_next(&s, head.s, head.n) != SL_XML_DOCTYPE) return head;
    return (sl_text){head.s + s.at, head.n - (uint32_t)s.at};
}

static sl_status mend(job *j, sl_text text, sl_text *head, sl_text *item) {
    sl_buf *b = &j->r->mended;
    sl_buf_clear(b);
    TRY(sl_feed_mend(bare_head(j->head), false, b, j->err));
    size_t at = b->len;
    TRY(sl_feed_mend(text, true, b, j->err));
    *head = sl_text_n(b->data, at);
    *item = sl_text_n(b->data + at, b->len - at);
    return SL_OK;
}

static sl_text reason_text(const sl_error *why, char *buf, size_t size) {
    static const char said[] = "no well-formed XML: ";
    const char *text = why->text;
    if (!strncmp(text, said, sizeof said - 1)) text += sizeof said - 1;
    int n = snprintf(buf, size, "line %llu: %s", (unsigned long long)why->line, text);
    sl_text t = sl_text_n(buf, n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1);
    t.n = (uint32_t)sl_utf8_valid_prefix(t.s, t.n);
    return t;
}

/* Once more: mended, and if that is no XML either, as far as libxml2 makes something of it. */
static sl_status recover(job *j, sl_text text, uint64_t line, const sl_error *why) {
    char buf[320];
    sl_text head, item, reason = reason_text(why, buf, sizeof buf);
    sl_error again = {0}, last = {0};
    sl_xml_free(&j->xml);
    TRY(mend(j, text, &head, &item));
    TRY(try_item(j, 0, head, item, line, &again));
    if (again.code) TRY(try_item(j, SL_XML_RECOVER | SL_XML_HTML, head, item, line, &last));
    const sl_feed_entry *e = sl_feed_gather_entry(j->r->gather);
    sl_status status = add_row(j, e ? e : sl_feed_gather_rest(j->r->gather), line, reason);
    sl_xml_free(&j->xml);
    return status;
}

static bool has_replacement(sl_text t) {
    const char *end = t.s + t.n;
    for (const char *p = t.s; end - p > 2 && (p = memchr(p, '\xEF', (size_t)(end - p) - 2)); p++)
        if (p[1] == '\xBF' && p[2] == '\xBD') return true;
    return false;
}

static sl_status read_item(job *j, sl_text text, uint64_t line) {
    sl_error why = {0};
    size_t bad = j->valid ? text.n : sl_utf8_valid_prefix(text.s, text.n);
    if (bad < text.n) {
        sl_fail(&why, SL_E_DATA, "byte 0x%02x is no UTF-8", (unsigned)(unsigned char)text.s[bad]);
        sl_error_at(&why, NULL, line + sl_json_count_lines(text.s, bad), 0);
    } else {
        TRY(try_item(j, 0, j->head, text, line, &why));
    }
    if (why.code) return recover(j, text, line, &why);
    static const sl_text replaced = {"characters that could not be decoded were replaced", 50};
    return add_row(j, sl_feed_gather_entry(j->r->gather), line,
                   has_replacement(text) ? replaced : (sl_text){0});
}

/* ---- units ----------------------------------------------------------------------------------------------------------- */

static sl_status read_items(job *j, const char *data, size_t n) {
    sl_xml_scan scan = {0};
    size_t from = 0, counted = 0;
    uint64_t line = j->block->line;
    for (sl_xml_token token; (token = sl_xml_scan_next(&scan, data, n));) {
        sl_feed_mark mark = sl_feed_items_tag(&j->items, token, data, scan.from, scan.at);
        size_t to = mark == SL_FEED_AGAIN ? scan.from : scan.at;
        if (mark == SL_FEED_NOTHING) continue;
        if (mark == SL_FEED_BEGIN || mark == SL_FEED_WHOLE) {
            line += sl_json_count_lines(data + counted, scan.from - counted);
            counted = from = scan.from;
        }
        if (mark == SL_FEED_BEGIN) continue;
        TRY(read_item(j, sl_text_n(data + from, to - from), line));
        line += sl_json_count_lines(data + counted, to - counted);
        counted = from = to;
    }
    return j->items.open ? read_item(j, sl_text_n(data + from, n - from), line) : SL_OK;
}

static sl_status read_note(job *j, sl_text note) {
    const char *lf = note.n > 1 ? memchr(note.s + 1, '\n', note.n - 1) : NULL;
    if (!lf) return sl_fail(j->err, SL_E_INTERNAL, "a unit of a feed has lost its head");
    j->kind = (sl_feed_kind)note.s[0];
    j->items.name = sl_text_n(note.s + 1, (size_t)(lf - note.s) - 1);
    j->head = (sl_text){lf + 1, note.n - j->items.name.n - 2};
    return SL_OK;
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    reader *r = state;
    (void)quarantined;
    if (block->from == block->to) return SL_OK;
    if (block->note.n && block->note.s[0] == SL_FEED_JSON)
        return sl_feed_json_read(conf, r->json, block, sink, to, err);
    job j = {.r = r, .conf = conf, .block = block, .err = err};
    TRY(read_note(&j, block->note));
    const char *data = block->input->data + block->from;
    size_t n = block->to - block->from;
    j.valid = sl_utf8_valid_prefix(data, n) == n;
    j.bd = sl_builder_new(0, NULL, sink, to);
    if (!j.bd) return sl_oom(err);
    sl_builder_source(j.bd, block->source);
    sl_status status = read_items(&j, data, n);
    if (!status) status = sl_builder_flush(j.bd, err);
    if (status == SL_E_DATA) sl_error_at(err, block->source, 0, 0);
    sl_builder_free(&j.bd);
    sl_xml_free(&j.xml);
    return status;
}

/* ---- the format ------------------------------------------------------------------------------------------------------ */

static void set_dialect(void *conf, sl_dialect dialect) {
    ((sl_feed_conf *)conf)->dialect = dialect;
}

static sl_status prepare(void *conf, sl_arena *arena, sl_error *err) {
    sl_feed_conf *c = conf;
    c->now = sl_clock_epoch();
    return sl_feed_json_prepare(c, arena, err);
}

static const sl_option options[] = {{.name = NULL}};

const sl_format sl_format_feed = {
    .name = "feed",
    .summary = "RSS, RDF, Atom and JSON Feed: an item an entry",
    .suffixes = (const char *const[]){".rss", ".atom", ".rdf", NULL},
    .options = options,
    .conf_size = sizeof(sl_feed_conf),
    .tolerant = true,
    .set_dialect = set_dialect,
    .prepare = prepare,
    .open = sl_xml_library,
    .split_new = sl_feed_split_new,
    .split = sl_feed_split,
    .split_free = sl_feed_split_free,
    .start = start,
    .stop = stop,
    .read = read,
};
