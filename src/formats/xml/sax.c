/* sax.c: libxml2's push parser behind an interface of our own. Everything by which it could reach outside is left unset, what
 * it does not limit is counted here, and its errors are caught, as it would print them. Places in messages are corrected for
 * what a worker does not see: a unit begins in the middle of a document. */
#include "formats/xml/sax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "base/error.h"
#include "formats/encoding.h"
#include "formats/xml/quiet.h"
#include "formats/json/json.h"
#include "formats/xml/entity.h"
#include "formats/xml/scan.h"
#include "formats/xml2.h"

#define FREE_EXPANSION                                                                                       \
    ((uint64_t)64 << 10) /* of entities, in a record; beyond that EXPANSION times its bytes */
#define EXPANSION     8
#define LARGEST_PIECE ((size_t)1 << 20) /* libxml2 lets go of what it has read between two pieces only */

struct sl_xml {
    const sl_xml_handler *handler;
    void *user;
    unsigned flags;
    xmlParserCtxtPtr ctxt;
    sl_error *err; /* of the call at hand */
    sl_status status;
    bool malformed;
    uint32_t depth;
    uint64_t text_limit, text, fed, expanded; /* bytes in this record */
    uint64_t lines;                           /* line feeds fed */
    int64_t line_shift;                       /* from libxml2's lines to those of the document */
    int64_t cut_line;     /* libxml2's line of which the beginning is not known; 0: none */
    int64_t column_shift; /* in that line, from libxml2's columns; INT64_MIN: not known either */
    uint64_t column;      /* of the next byte fed, by libxml2's count */
    sl_xml_scan scan;
    sl_xml_entities entities;
    xmlEntity stand_in;
    sl_xml_attr *attrs;
    sl_xml_name *spaces;
    uint32_t cap_attrs, cap_spaces;
    sl_buf values; /* of attributes in which something was replaced */
};

/* libxml2 wants to be set up once in a process, before threads use it: the one piece of global state here. */
static pthread_once_t xml_once = PTHREAD_ONCE_INIT;

/* ---- failing ---------------------------------------------------------------------------------------------------- */

static const char *or_empty(const xmlChar *z) {
    return z ? (const char *)z : "";
}

static void stop(sl_xml *x, sl_status status) {
    if (x->status) return;
    x->status = status;
    xmlStopParser(x->ctxt);
}

static void add_place(sl_xml *x, int line, int column) {
    int64_t l = line + x->line_shift, c = column;
    if (line == x->cut_line) c = x->column_shift == INT64_MIN ? 0 : c + x->column_shift;
    sl_error_at(x->err, NULL, l > 0 ? (uint64_t)l : 0, c > 0 ? (uint64_t)c : 0);
}

static void limit(sl_xml *x, sl_status status) {
    if (x->ctxt->input) add_place(x, x->ctxt->input->line, x->ctxt->input->col);
    stop(x, status);
}

static bool is_bad(const xmlError *e) {
    if (e->level == XML_ERR_FATAL) return true;
    return e->level == XML_ERR_ERROR &&
           (e->domain == XML_FROM_NAMESPACE || e->code == XML_WAR_UNDECLARED_ENTITY);
}

/* libxml2's sentence, without its line feed and its idea of lines. */
static void say(sl_xml *x, const xmlError *e) {
    const char *text = e->message ? e->message : "an error without a name";
    if (e->code == XML_ERR_TAG_NAME_MISMATCH && e->str1 && e->str2) {
        sl_fail(x->err, SL_E_DATA, "no well-formed XML: <%.80s> is closed by </%.80s>", e->str1, e->str2);
    } else if (e->code == XML_ERR_TAG_NOT_FINISHED ||
               (e->code == XML_ERR_DOCUMENT_END && x->ctxt->instate != XML_PARSER_EPILOG)) {
        sl_fail(x->err, SL_E_DATA, "no well-formed XML: it ends before all elements are closed");
    } else {
        sl_fail(x->err, SL_E_DATA, "no well-formed XML: %.*s", (int)strcspn(text, "\n"), text);
    }
}

static void on_error(void *user, xmlErrorPtr e) {
    sl_xml *x = user;
    if (!is_bad(e) || x->status || (x->flags & SL_XML_RECOVER && e->code != XML_ERR_NO_MEMORY)) return;
    if (e->code == XML_ERR_NO_MEMORY) {
        stop(x, sl_oom(x->err));
        return;
    }
    x->malformed = true;
    say(x, e);
    add_place(x, e->line, e->int2);
    stop(x, SL_E_DATA);
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static bool count_text(sl_xml *x, size_t n) {
    x->text += n;
    if (!x->text_limit || x->text <= x->text_limit) return true;
    limit(x, sl_fail(x->err, SL_E_DATA, "a record has more than %llu MiB of text",
                     (unsigned long long)(x->text_limit >> 20)));
    return false;
}

static void on_text(void *user, const xmlChar *s, int n) {
    sl_xml *x = user;
    if (x->status || n <= 0 || !count_text(x, (size_t)n)) return;
    sl_status status = x->handler->text(x->user, sl_text_n((const char *)s, (size_t)n), x->err);
    if (status) stop(x, status);
}

/* ---- entities --------------------------------------------------------------------------------------------------- */

static void on_entity(void *user, const xmlChar *name, int type, const xmlChar *public, const xmlChar *system,
                      xmlChar *content) {
    sl_xml *x = user;
    (void)public, (void)system;
    if (type != XML_INTERNAL_GENERAL_ENTITY || !content || x->status) return;
    sl_status status = sl_xml_entity_declare(&x->entities, sl_text_of((const char *)name),
                                             sl_text_of((const char *)content), x->err);
    if (status) limit(x, status);
}

static bool may_expand(sl_xml *x, const sl_xml_entity *found) {
    x->expanded += found->text.n;
    if (x->expanded <= FREE_EXPANSION + EXPANSION * x->fed) return true;
    limit(x, sl_fail(x->err, SL_E_DATA, "entities make too much of a small text: that is refused"));
    return false;
}

/* In text, what libxml2 takes to be a predefined entity is handed on as its characters; in an attribute it puts only the first byte
 * of such a one, but leaves a reference to any other as it stands, and we replace it. It also asks while it reads declarations,
 * when there is nothing to tell yet. */
static xmlEntityPtr on_reference(void *user, const xmlChar *name) {
    sl_xml *x = user;
    bool attribute = x->ctxt->instate == XML_PARSER_ATTRIBUTE_VALUE;
    if (x->status || (!attribute && x->ctxt->instate != XML_PARSER_CONTENT)) return NULL;
    x->entities.html = x->flags & SL_XML_HTML || x->ctxt->hasExternalSubset;
    sl_xml_entity *found = NULL;
    sl_status status = sl_xml_entity_find(&x->entities, sl_text_of((const char *)name), &found, x->err);
    if (status) limit(x, status);
    if (!found || status || !may_expand(x, found)) return NULL;
    x->stand_in = (xmlEntity){
        .type = XML_ENTITY_DECL,
        .name = (const xmlChar *)found->name.s,
        .content = attribute ? NULL : (xmlChar *)(uintptr_t)found->text.s,
        .length = (int)found->text.n,
        .etype = attribute ? XML_INTERNAL_GENERAL_ENTITY : XML_INTERNAL_PREDEFINED_ENTITY,
        .checked = 2,
    };
    return &x->stand_in;
}

/* ---- elements --------------------------------------------------------------------------------------------------- */

static bool reserve(sl_xml *x, uint32_t nattrs, uint32_t nspaces) {
    if (nattrs > x->cap_attrs) {
        sl_xml_attr *attrs = realloc(x->attrs, (nattrs + 8) * sizeof *attrs);
        if (!attrs) return false;
        x->attrs = attrs;
        x->cap_attrs = nattrs + 8;
    }
    if (nspaces > x->cap_spaces) {
        sl_xml_name *spaces = realloc(x->spaces, (nspaces + 8) * sizeof *spaces);
        if (!spaces) return false;
        x->spaces = spaces;
        x->cap_spaces = nspaces + 8;
    }
    return true;
}

/* Replaced values gather in one buffer, which may move while it grows: so first the offset, then the address. */
static sl_status decode_value(sl_xml *x, sl_xml_attr *a, sl_error *err) {
    size_t from = x->values.len;
    if (!a->value.n || !memchr(a->value.s, '&', a->value.n)) return SL_OK;
    TRY(sl_xml_entity_replace(&x->entities, a->value, &x->values, err));
    a->value = (sl_text){NULL, (uint32_t)from};
    return SL_OK;
}

static void place_values(sl_xml *x, uint32_t n) {
    size_t end = x->values.len;
    for (uint32_t i = n; i-- > 0;) {
        sl_text *v = &x->attrs[i].value;
        if (v->s) continue;
        size_t from = v->n;
        *v = sl_text_n(x->values.data ? x->values.data + from : "", end - from);
        end = from;
    }
}

static sl_status take_attributes(sl_xml *x, const xmlChar **a, uint32_t n) {
    sl_buf_clear(&x->values);
    for (uint32_t i = 0; i < n; i++, a += 5) {
        x->attrs[i] = (sl_xml_attr){{or_empty(a[0]), or_empty(a[1]), or_empty(a[2])},
                                    sl_text_n((const char *)a[3], (size_t)(a[4] - a[3]))};
        if (!count_text(x, x->attrs[i].value.n)) return x->status;
        TRY(decode_value(x, &x->attrs[i], x->err));
    }
    place_values(x, n);
    return sl_buf_check(&x->values, x->err);
}

static void on_start(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri, int nspaces,
                     const xmlChar **spaces, int nattrs, int ndefaulted, const xmlChar **attrs) {
    sl_xml *x = user;
    (void)ndefaulted;
    if (x->status) return;
    if (++x->depth > SL_XML_DEPTH) {
        limit(x, sl_fail(x->err, SL_E_DATA, "elements are nested more than %d deep", SL_XML_DEPTH));
        return;
    }
    uint32_t na = (uint32_t)nattrs, ns = (uint32_t)nspaces;
    if (!reserve(x, na, ns)) {
        stop(x, sl_oom(x->err));
        return;
    }
    for (uint32_t i = 0; i < ns; i++)
        x->spaces[i] = (sl_xml_name){"", or_empty(spaces[2 * i]), or_empty(spaces[2 * i + 1])};
    sl_status status = take_attributes(x, attrs, na);
    sl_xml_element e = {{or_empty(local), or_empty(prefix), or_empty(uri)}, x->attrs, na, x->spaces, ns};
    if (!status) status = x->handler->start(x->user, &e, x->err);
    if (status) stop(x, status);
}

static void on_end(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri) {
    sl_xml *x = user;
    if (x->status) return;
    if (x->depth) x->depth--;
    sl_xml_name name = {or_empty(local), or_empty(prefix), or_empty(uri)};
    sl_status status = x->handler->end(x->user, &name, x->err);
    if (status) stop(x, status);
}

sl_text sl_xml_attribute(const sl_xml_element *e, const char *local) {
    for (uint32_t i = 0; i < e->nattrs; i++)
        if (!e->attrs[i].name.prefix[0] && !strcmp(e->attrs[i].name.local, local)) return e->attrs[i].value;
    return (sl_text){0};
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

/* Every way in which libxml2 could reach for something outside is left empty: no external subset, no parameter entity, no
 * entity that is not text of the document's own. */
static xmlSAXHandler callbacks(void) {
    return (xmlSAXHandler){
        .initialized = XML_SAX2_MAGIC,
        .getEntity = on_reference,
        .entityDecl = on_entity,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .serror = on_error,
    };
}

static void set_up_library(void) {
    sl_xml_hush before = sl_xml_quiet();
    xmlInitParser();
    sl_xml_loud(&before);
}

sl_status sl_xml_library(sl_error *err) {
    TRY(sl_library_open(&sl_xml2_library, err));
    pthread_once(&xml_once, set_up_library);
    return SL_OK;
}

static bool make_parser(sl_xml *x) {
    xmlSAXHandler sax = callbacks();
    sl_xml_hush before = sl_xml_quiet();
    x->ctxt = xmlCreatePushParserCtxt(&sax, x, NULL, 0, NULL);
    sl_xml_loud(&before);
    /* Records, depth, attributes and entities are limited here; libxml2's own limit is 10 MB for a text. */
    int options = XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_BIG_LINES | XML_PARSE_HUGE;
    if (x->ctxt) xmlCtxtUseOptions(x->ctxt, options | (x->flags & SL_XML_RECOVER ? XML_PARSE_RECOVER : 0));
    return x->ctxt != NULL;
}

sl_status sl_xml_new(const sl_xml_handler *handler, void *user, unsigned flags, uint64_t text_limit,
                     sl_xml **out, sl_error *err) {
    *out = NULL;
    TRY(sl_xml_library(err));
    sl_xml *x = *out = calloc(1, sizeof *x);
    if (!x) return sl_oom(err);
    x->handler = handler;
    x->user = user;
    x->flags = flags;
    x->text_limit = text_limit;
    x->column = 1;
    if (!make_parser(x)) {
        sl_xml_free(out);
        return sl_oom(err);
    }
    return SL_OK;
}

void sl_xml_free(sl_xml **xp) {
    sl_xml *x = *xp;
    *xp = NULL;
    if (!x) return;
    if (x->ctxt) {
        xmlFreeDoc(x->ctxt->myDoc); /* libxml2 keeps declarations there */
        x->ctxt->myDoc = NULL;
        xmlFreeParserCtxt(x->ctxt);
    }
    sl_xml_entities_free(&x->entities);
    sl_buf_free(&x->values);
    free(x->attrs);
    free(x->spaces);
    free(x);
}

void sl_xml_record(sl_xml *x) {
    x->text = x->fed = x->expanded = 0;
}

void sl_xml_place(sl_xml *x, uint64_t line) {
    x->cut_line = (int64_t)x->lines + 1;
    x->line_shift = (int64_t)line - x->cut_line;
    x->column_shift = INT64_MIN;
}

void sl_xml_column(sl_xml *x, uint64_t column) {
    x->column_shift = (int64_t)column - (int64_t)x->column;
}

bool sl_xml_malformed(const sl_xml *x) {
    return x->malformed;
}

/* ---- feeding ---------------------------------------------------------------------------------------------------- */

/* libxml2's time for one tag grows with the square of its attributes, so they are counted before it sees them. */
static sl_status check_attributes(sl_xml *x, const char *data, size_t n, sl_error *err) {
    if (x->flags & SL_XML_COUNTED) return SL_OK;
    sl_xml_token token;
    do {
        token = sl_xml_scan_next(&x->scan, data, n);
        if (x->scan.values > SL_XML_ATTRIBUTES)
            return x->status =
                       sl_fail(err, SL_E_DATA, "a tag has more than %d attributes", SL_XML_ATTRIBUTES);
    } while (token != SL_XML_MORE);
    sl_xml_scan_moved(&x->scan, n);
    return SL_OK;
}

static sl_status chunk(sl_xml *x, const char *data, size_t n, int last, sl_error *err) {
    x->err = err;
    x->fed += n;
    uint64_t lines = sl_json_count_lines(data, n), column = sl_column_of(data, n);
    x->lines += lines;
    x->column = lines ? column : x->column + column - 1;
    sl_xml_hush before = sl_xml_quiet();
    int rc = xmlParseChunk(x->ctxt, data, (int)n, last);
    sl_xml_loud(&before);
    x->err = NULL;
    if (x->status || !rc || x->flags & SL_XML_RECOVER || x->ctxt->wellFormed) return x->status;
    x->malformed = true; /* libxml2 has not said why */
    return x->status = sl_fail(err, SL_E_DATA, "no well-formed XML: error %d", rc);
}

sl_status sl_xml_feed(sl_xml *x, const char *data, size_t n, sl_error *err) {
    if (x->status) return sl_fail(err, x->status, "this text was given up");
    TRY(check_attributes(x, data, n, err));
    while (n > LARGEST_PIECE) {
        TRY(chunk(x, data, LARGEST_PIECE, 0, err));
        data += LARGEST_PIECE;
        n -= LARGEST_PIECE;
    }
    return n ? chunk(x, data, n, 0, err) : SL_OK;
}

sl_status sl_xml_finish(sl_xml *x, sl_error *err) {
    if (x->status) return sl_fail(err, x->status, "this text was given up");
    return chunk(x, "", 0, 1, err);
}
