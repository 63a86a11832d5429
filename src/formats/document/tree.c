/* tree.c: documents as trees of libxml2, and values made of such trees. libxml2 has limits that are off, or grow with the
 * square of the input, for documents as long as we allow; so tags, attributes and depth are counted before or while it reads. */
#include "formats/document/tree.h"

#include <string.h>

#include "base/error.h"
#include "formats/xml/xml.h"
#include "formats/xml2.h"

enum { MOST_TAGS = 2000000 };

static sl_status too_many_tags(sl_error *err) {
    return sl_fail(err, SL_E_DATA, "the document has more than %d tags, and it can only be read as a whole",
                   MOST_TAGS);
}

/* ---- HTML ------------------------------------------------------------------------------------------------------- */

/* What libxml2 may take for attributes in the tag that begins at S: it compares each with all others. *END: behind it. */
static uint32_t count_attributes(const char *s, const char *limit, const char **end) {
    uint32_t n = 0;
    bool word = true, value = false; /* a name, the tag's first; behind '=' */
    for (; s < limit && *s != '>'; s++) {
        if (value && (*s == '"' || *s == '\'')) {
            const char *close = memchr(s + 1, *s, (size_t)(limit - s - 1));
            s = close ? close : limit - 1;
            word = value = false;
        } else if (sl_ascii_space(*s) || *s == '/') {
            word = false;
        } else {
            n += !word && !value;
            word = true;
            value = *s == '=';
        }
    }
    *end = s;
    return n;
}

static sl_status check_tags(const char *data, size_t n, sl_error *err) {
    uint32_t tags = 0;
    const char *limit = data + n;
    for (const char *s = data; (s = memchr(s, '<', (size_t)(limit - s)));) {
        if (++tags > MOST_TAGS) return too_many_tags(err);
        s++;
        if (s == limit || !sl_ascii_letter(*s)) continue;
        const char *end;
        if (count_attributes(s, limit, &end) > SL_XML_ATTRIBUTES)
            return sl_fail(err, SL_E_DATA, "an element has more than %d attributes", SL_XML_ATTRIBUTES);
    }
    return SL_OK;
}

/* With libxml2's limit of 10 MB for a text its limit for the depth is off too: this is ours. */
static void on_html_start(void *user, const xmlChar *name, const xmlChar **attrs) {
    htmlParserCtxtPtr ctxt = user;
    xmlSAX2StartElement(user, name, attrs);
    if (ctxt->nodeNr <= SL_XML_DEPTH + 1) return;
    *(bool *)ctxt->_private = true;
    xmlStopParser(ctxt);
}

static sl_status read_html(htmlParserCtxtPtr ctxt, const char *data, size_t n, xmlDocPtr *out,
                           sl_error *err) {
    int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                  HTML_PARSE_IGNORE_ENC | HTML_PARSE_COMPACT;
    bool deep = false;
    ctxt->options |= XML_PARSE_HUGE; /* documents are limited before; no option of HTML says so */
    ctxt->sax->startElement = on_html_start;
    ctxt->_private = &deep;
    *out = htmlCtxtReadMemory(ctxt, data, (int)n, NULL, "UTF-8", options);
    if (deep) return sl_fail(err, SL_E_DATA, "elements are nested more than %d deep", SL_XML_DEPTH);
    return SL_OK;
}

sl_status sl_tree_html(const char *data, size_t n, xmlDocPtr *out, sl_error *err) {
    *out = NULL;
    TRY(check_tags(data, n, err));
    if (!n) return SL_OK;
    TRY(sl_xml_library(err));
    sl_xml_watched watched = {0};
    sl_xml_hush before = sl_xml_watch(&watched);
    htmlParserCtxtPtr ctxt = watched.parser = htmlNewParserCtxt();
    sl_status status = ctxt ? read_html(ctxt, data, n, out, err) : sl_oom(err);
    if (watched.no_memory && status == SL_OK) status = sl_oom(err);
    if (ctxt) htmlFreeParserCtxt(ctxt);
    sl_xml_loud(&before);
    if (status && *out) {
        xmlFreeDoc(*out);
        *out = NULL;
    }
    return status;
}

/* ---- XML -------------------------------------------------------------------------------------------------------- */

typedef struct growth {
    xmlDocPtr doc;
    xmlNodePtr at; /* the element that is open, or NULL */
    sl_buf text;   /* to be put into it */
    uint32_t tags;
} growth;

static const xmlChar *chars(const char *s) {
    return (const xmlChar *)s;
}

static sl_status put_text(growth *g, sl_error *err) {
    TRY(sl_buf_check(&g->text, err));
    if (!g->text.len || !g->at) return SL_OK;
    xmlNodePtr text = xmlNewDocTextLen(g->doc, chars(g->text.data), (int)g->text.len);
    sl_buf_clear(&g->text);
    if (!text) return sl_oom(err);
    if (xmlAddChild(g->at, text)) return SL_OK;
    xmlFreeNode(text);
    return sl_oom(err);
}

static sl_status put_attribute(growth *g, xmlNodePtr node, const sl_xml_attr *a, sl_error *err) {
    xmlNsPtr ns = a->name.prefix[0] ? xmlSearchNs(g->doc, node, chars(a->name.prefix)) : NULL;
    xmlAttrPtr attr = xmlNewNsProp(node, ns, chars(a->name.local), NULL);
    xmlNodePtr text = xmlNewDocTextLen(g->doc, chars(a->value.s), (int)a->value.n);
    if (!attr || !text) {
        xmlFreeNode(text);
        return sl_oom(err);
    }
    attr->children = attr->last = text;
    text->parent = (xmlNodePtr)attr;
    return SL_OK;
}

static sl_status on_start(void *user, const sl_xml_element *e, sl_error *err) {
    growth *g = user;
    TRY(put_text(g, err));
    if (++g->tags > MOST_TAGS) return too_many_tags(err);
    xmlNodePtr node = xmlNewDocNode(g->doc, NULL, chars(e->name.local), NULL);
    if (!node) return sl_oom(err);
    if (g->at) {
        xmlAddChild(g->at, node);
    } else {
        xmlDocSetRootElement(g->doc, node);
    }
    g->at = node;
    for (uint32_t i = 0; i < e->nspaces; i++)
        if (e->spaces[i].prefix[0] && !xmlNewNs(node, chars(e->spaces[i].uri), chars(e->spaces[i].prefix)))
            return sl_oom(err);
    if (e->name.prefix[0]) xmlSetNs(node, xmlSearchNs(g->doc, node, chars(e->name.prefix)));
    for (uint32_t i = 0; i < e->nattrs; i++) TRY(put_attribute(g, node, &e->attrs[i], err));
    return SL_OK;
}

static sl_status on_end(void *user, const sl_xml_name *name, sl_error *err) {
    growth *g = user;
    (void)name;
    TRY(put_text(g, err));
    g->at = g->at->parent && g->at->parent->type == XML_ELEMENT_NODE ? g->at->parent : NULL;
    return SL_OK;
}

static sl_status on_text(void *user, sl_text text, sl_error *err) {
    growth *g = user;
    sl_buf_text(&g->text, text);
    return sl_buf_check(&g->text, err);
}

static const sl_xml_handler handler = {.start = on_start, .end = on_end, .text = on_text};

sl_status sl_tree_xml(const char *data, size_t n, xmlDocPtr *out, sl_error *err) {
    sl_xml *xml = NULL;
    *out = NULL;
    TRY(sl_xml_library(err));
    sl_xml_hush before = sl_xml_quiet();
    growth g = {.doc = xmlNewDoc(chars("1.0"))};
    sl_status status = g.doc ? sl_xml_new(&handler, &g, SL_XML_HTML, 0, &xml, err) : sl_oom(err);
    if (!status) status = sl_xml_feed(xml, data, n, err);
    if (!status) status = sl_xml_finish(xml, err);
    sl_xml_free(&xml);
    sl_xml_loud(&before);
    sl_buf_free(&g.text);
    if (status) {
        xmlFreeDoc(g.doc);
    } else {
        *out = g.doc;
    }
    return status;
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

const xmlNode *sl_tree_next(const xmlNode *node, const xmlNode *top) {
    if (node->type == XML_ELEMENT_NODE && node->children) return node->children;
    while (node != top && !node->next) node = node->parent;
    return node == top ? NULL : node->next;
}

static bool is_text(const xmlNode *node) {
    return (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) && node->content;
}

void sl_tree_text(const xmlNode *node, sl_buf *out) {
    for (const xmlNode *at = node; at; at = sl_tree_next(at, node))
        if (is_text(at)) sl_buf_str(out, (const char *)at->content);
}

/* The value of an attribute is one text, as references are replaced. */
static sl_text value_of(const xmlAttr *a) {
    const xmlNode *text = a->children;
    return sl_text_of(text && text->content ? (const char *)text->content : "");
}

sl_text sl_tree_attribute(const xmlNode *node, const char *name) {
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (!strcmp((const char *)a->name, name)) return value_of(a);
    return (sl_text){0};
}

static sl_status open_element(sl_elements *e, const xmlNode *node, sl_error *err) {
    TRY(sl_elements_open(e, sl_text_of((const char *)node->name), err));
    for (const xmlAttr *a = node->properties; a; a = a->next)
        TRY(sl_elements_attribute(e, sl_text_of((const char *)a->name), value_of(a), err));
    return SL_OK;
}

/* NODE and what is above it close, as far as nothing follows in them. *NEXT: the node that does; NULL: NODE was the last. */
static sl_status leave(sl_elements *e, const xmlNode *node, const xmlNode *top, const xmlNode **next,
                       sl_value *out, sl_error *err) {
    bool done = false;
    for (*next = NULL;; node = node->parent) {
        if (node->type == XML_ELEMENT_NODE) TRY(sl_elements_close(e, &done, out, err));
        if (node == top) return SL_OK;
        if (node->next) {
            *next = node->next;
            return SL_OK;
        }
    }
}

sl_status sl_tree_value(sl_elements *e, const xmlNode *top, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_elements_begin(e, arena);
    for (const xmlNode *node = top; node;) {
        if (node->type == XML_ELEMENT_NODE) TRY(open_element(e, node, err));
        if (is_text(node)) TRY(sl_elements_text(e, sl_text_of((const char *)node->content), err));
        if (node->type == XML_ELEMENT_NODE && node->children) {
            node = node->children;
        } else {
            TRY(leave(e, node, top, &node, out, err));
        }
    }
    return SL_OK;
}
