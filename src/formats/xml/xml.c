/* xml.c: reads a unit of an XML document: events of the parser become values (element.c) where the path leads, and are passed
 * over elsewhere. Also the descriptor of the format. */
#include "formats/xml/xml.h"

#include <stdlib.h>

#include "base/error.h"
#include "formats/xml/element.h"
#include "formats/json/json.h"
#include "formats/xml/sax.h"

/* What a worker keeps from unit to unit is memory. */
typedef struct state {
    sl_elements *elements;
    sl_arena arena; /* of the value being made */
} state;

/* A unit being read. */
typedef struct reading {
    const sl_xml_conf *conf;
    const sl_block *block;
    state *s;
    sl_xml *xml;
    sl_builder *builder;
    sl_json_out out; /* where batches go, made ready on the way */
    bool at_root, building;
    uint32_t wanted; /* level of the elements that the path means */
    uint32_t level;  /* open elements */
    uint32_t inside; /* of those, how many the path leads through, from the outermost on */
    char *space;     /* default namespace of the document, "" for none; riko */
} reading;

/* ---- events ------------------------------------------------------------------------------------------------------ */

static sl_status open_root(reading *r, const sl_xml_element *e, sl_error *err) {
    const char *space = "";
    for (uint32_t i = 0; i < e->nspaces; i++)
        if (!e->spaces[i].prefix[0]) space = e->spaces[i].uri;
    r->space = strdup(space);
    return r->space ? SL_OK : sl_oom(err);
}

/* NAME, with its prefix, is TEXT. */
static bool is_written(const sl_xml_name *name, sl_text text) {
    size_t n = strlen(name->prefix);
    if (!n) return sl_text_is(text, name->local);
    return text.n > n && !memcmp(text.s, name->prefix, n) && text.s[n] == ':' &&
           sl_text_is(sl_text_n(text.s + n + 1, text.n - n - 1), name->local);
}

static bool is_step(const reading *r, const sl_xml_name *name) {
    sl_text step = r->conf->steps[r->level - 2 + r->at_root];
    if (r->conf->dialect != SL_RIKO) return is_written(name, step);
    return sl_text_is(step, name->local) && !strcmp(name->uri, r->space);
}

static sl_status open_element(reading *r, const sl_xml_element *e, sl_error *err) {
    sl_elements *to = r->s->elements;
    TRY(sl_elements_open(to, sl_text_of(e->name.local), err));
    for (uint32_t i = 0; i < e->nattrs; i++)
        TRY(sl_elements_attribute(to, sl_text_of(e->attrs[i].name.local), e->attrs[i].value, err));
    return SL_OK;
}

static sl_status on_start(void *user, const sl_xml_element *e, sl_error *err) {
    reading *r = user;
    r->level++;
    if (r->building) return open_element(r, e, err);
    if (r->level <= r->wanted) sl_xml_record(r->xml);
    if (r->level == 1) TRY(open_root(r, e, err));
    bool on_path =
        r->inside == r->level - 1 && r->level <= r->wanted && (r->level == 1 || is_step(r, &e->name));
    if (!on_path) return SL_OK;
    r->inside = r->level;
    if (r->level < r->wanted) return SL_OK;
    r->building = true;
    sl_arena_reset(&r->s->arena);
    sl_elements_begin(r->s->elements, &r->s->arena);
    return open_element(r, e, err);
}

static sl_status on_end(void *user, const sl_xml_name *name, sl_error *err) {
    reading *r = user;
    (void)name;
    if (r->building) {
        bool done;
        sl_value v;
        TRY(sl_elements_close(r->s->elements, &done, &v, err));
        r->building = !done;
        if (done) TRY(sl_element_items(r->builder, v, err));
    }
    if (r->inside == r->level) r->inside--;
    r->level--;
    return SL_OK;
}

static sl_status on_text(void *user, sl_text text, sl_error *err) {
    reading *r = user;
    return r->building ? sl_elements_text(r->s->elements, text, err) : SL_OK;
}

static const sl_xml_handler handler = {.start = on_start, .end = on_end, .text = on_text};

/* ---- units ------------------------------------------------------------------------------------------------------- */

/* What is around the unit, and the unit itself. */
static sl_status feed(reading *r, const sl_xml_note *note, sl_error *err) {
    const sl_block *b = r->block;
    const char *data = b->input->data + b->from;
    size_t n = b->to - b->from;
    bool first = note->flags & SL_XML_FIRST;
    if (first && n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) {
        data += 3;
        n -= 3;
    }
    if (!first) {
        TRY(sl_xml_feed(r->xml, note->before.s, note->before.n, err));
        sl_xml_place(r->xml, b->line);
        sl_xml_column(r->xml, note->column);
    }
    TRY(sl_xml_feed(r->xml, data, n, err));
    if (!(note->flags & SL_XML_LAST)) TRY(sl_xml_feed(r->xml, note->after.s, note->after.n, err));
    return sl_xml_finish(r->xml, err);
}

static sl_status read_unit(reading *r, const sl_xml_note *note, sl_error *err) {
    r->at_root = note->flags & SL_XML_AT_ROOT;
    r->wanted = 1 + r->conf->nsteps - r->at_root;
    r->builder = sl_builder_new(0, NULL, sl_json_hand_on, &r->out);
    if (!r->builder) return sl_oom(err);
    TRY(sl_xml_new(&handler, r, SL_XML_COUNTED, SL_XML_RECORD, &r->xml, err));
    TRY(feed(r, note, err));
    return sl_builder_flush(r->builder, err);
}

static sl_status check_text(const sl_block *b, uint64_t column, sl_error *err) {
    const char *s = b->input->data + b->from;
    size_t n = b->to - b->from, valid = sl_encoding_valid(SL_UTF8, s, n);
    if (valid == n) return SL_OK;
    sl_status status =
        sl_fail(err, SL_E_DATA, "byte 0x%02X is not valid UTF-8, and the document declares no other encoding",
                (unsigned)(unsigned char)s[valid]);
    uint64_t lines = 0, at = sl_column_of(s, valid);
    for (size_t i = 0; i < valid; i++) lines += s[i] == '\n';
    sl_error_at(err, b->source, b->line + lines, lines ? at : column + at - 1);
    return status;
}

static sl_status start(const void *conf, void **out, sl_error *err) {
    (void)conf;
    state *s = calloc(1, sizeof *s);
    *out = s;
    if (!s) return sl_oom(err);
    s->elements = sl_elements_new();
    return s->elements ? SL_OK : sl_oom(err);
}

static void stop(void *state_) {
    state *s = state_;
    if (!s) return;
    sl_elements_free(&s->elements);
    sl_arena_free(&s->arena);
    free(s);
}

static sl_status read(const void *conf, void *state_, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)quarantined;
    reading r = {.conf = conf, .block = block, .s = state_};
    r.out = (sl_json_out){.sink = sink, .to = to, .block = block};
    sl_xml_note note;
    TRY(sl_xml_note_read(block->note, &note, err));
    TRY(check_text(block, note.column, err));
    sl_status status = read_unit(&r, &note, err);
    if (status > SL_DONE) sl_error_at(err, block->source, 0, 0);
    sl_xml_free(&r.xml);
    sl_builder_free(&r.builder);
    free(r.space);
    return status;
}

/* ---- the descriptor ---------------------------------------------------------------------------------------------- */

static const sl_option options[] = {
    {.name = "path",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(sl_xml_conf, path),
     .help = "elements that are items, e.g. catalog.book: names from the outermost element on; without: that "
             "one"},
    {.name = NULL},
};

const sl_format sl_format_xml = {
    .name = "xml",
    .summary = "the elements of an XML document that a path leads to",
    .suffixes = (const char *const[]){".xml", ".rss", ".atom", ".kml", ".gpx", NULL},
    .media_types = (const char *const[]){"application/xml", "text/xml", "+xml", NULL},
    .begins = (const char *const[]){"<", NULL},
    .options = options,
    .conf_size = sizeof(sl_xml_conf),
    .set_dialect = sl_xml_set_dialect,
    .prepare = sl_xml_prepare,
    .open = sl_xml_library,
    .split_new = sl_xml_split_new,
    .split = sl_xml_split,
    .split_free = sl_xml_split_free,
    .start = start,
    .stop = stop,
    .read = read,
};
