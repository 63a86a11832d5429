/* xpath.c: what an XPath 1.0 expression selects in an HTML or XML document.
 *
 * Names without a prefix mean elements and attributes written without one, whatever their namespace; prefixes are those of the
 * document. Elements are converted as by fetchdata; natively, attributes, texts and the values of functions are
 * {"content": value}. An evaluation is cut off after OPERATIONS steps of libxml2's. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "formats/document/document.h"
#include "formats/document/markup.h"
#include "formats/xml/xml.h"
#include "formats/xml2.h"

enum { OPERATIONS = 20000000 };

typedef struct xpath_conf {
    sl_text xpath;
    int type;               /* AUTO, HTML, XML */
    const char *expression; /* xpath with a NUL behind it; NULL: the whole document */
} xpath_conf;

enum { AUTO, HTML, XML };

typedef struct failure {
    sl_error *err;
    sl_status kind; /* of what goes wrong: a bad expression, or bad data */
    sl_status status;
    const char *expression;
} failure;

/* ---- compiling --------------------------------------------------------------------------------------------------- */

static const char *reason(int code) {
    switch (code) {
    case XPATH_UNFINISHED_LITERAL_ERROR:
    case XPATH_START_LITERAL_ERROR: return "a text in quotes is not closed";
    case XPATH_UNDEF_VARIABLE_ERROR:
    case XPATH_VARIABLE_REF_ERROR: return "there are no variables here";
    case XPATH_INVALID_PREDICATE_ERROR: return "a predicate is wrong or not closed";
    case XPATH_UNCLOSED_ERROR: return "a parenthesis is not closed";
    case XPATH_UNKNOWN_FUNC_ERROR: return "there is no such function";
    case XPATH_INVALID_TYPE: return "a function or operator gets a value of the wrong kind";
    case XPATH_INVALID_ARITY: return "a function gets too many or too few values";
    case XPATH_UNDEF_PREFIX_ERROR: return "the document has no such prefix";
    case XPATH_OP_LIMIT_EXCEEDED: return "it takes more steps in this document than are allowed";
    default: return "it is no expression of XPath 1.0";
    }
}

static void on_error(void *user, xmlErrorPtr e) {
    failure *f = user;
    int code = e->code - XML_XPATH_EXPRESSION_OK;
    if (f->status) return;
    if (e->code == XML_ERR_NO_MEMORY || code == XPATH_MEMORY_ERROR) {
        f->status = sl_oom(f->err);
    } else if (f->kind == SL_E_PLAN) {
        f->status = sl_fail(f->err, SL_E_PLAN, "xpath '%.200s', character %d: %s", f->expression, e->int1 + 1,
                            reason(code));
    } else {
        f->status = sl_fail(f->err, f->kind, "xpath '%.200s': %s", f->expression, reason(code));
    }
}

static xmlXPathContextPtr new_context(xmlDocPtr doc, failure *f) {
    xmlXPathContextPtr x = xmlXPathNewContext(doc);
    if (!x) return NULL;
    x->error = on_error;
    x->userData = f;
    x->opLimit = OPERATIONS;
    return x;
}

static sl_status compile(const xpath_conf *c, xmlXPathCompExprPtr *out, sl_error *err) {
    TRY(sl_xml_library(err));
    failure f = {.err = err, .kind = SL_E_PLAN, .expression = c->expression};
    sl_xml_hush before = sl_xml_quiet();
    xmlXPathContextPtr x = new_context(NULL, &f);
    *out = x ? xmlXPathCtxtCompile(x, (const xmlChar *)c->expression) : NULL;
    bool no_memory = !x || x->lastError.code == XML_ERR_NO_MEMORY;
    xmlXPathFreeContext(x);
    sl_xml_loud(&before);
    if (*out) return SL_OK;
    if (no_memory && !f.status) return sl_oom(err);
    return f.status ? f.status : sl_fail(err, SL_E_PLAN, "xpath '%.200s' is no XPath", c->expression);
}

/* ---- what libxml2 only notices when it evaluates ------------------------------------------------------------------- */

/* The end of the literal that begins at S; the compiler has seen to it that there is one. */
static const char *behind_literal(const char *s) {
    const char *end = strchr(s + 1, *s);
    return end ? end + 1 : s + strlen(s);
}

static bool in_name(char c) {
    unsigned char u = (unsigned char)c;
    return u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') ||
           (c && strchr("_-.:", c));
}

/* The name in front of the parenthesis at AT, without an axis; empty when there is none. */
static sl_text name_before(const char *expression, const char *at) {
    while (at > expression && strchr(" \t\r\n", at[-1])) at--;
    const char *end = at;
    while (at > expression && in_name(at[-1]) && !(at[-1] == ':' && at - 1 > expression && at[-2] == ':'))
        at--;
    return sl_text_n(at, (size_t)(end - at));
}

/* Whether what stands in front of a parenthesis may: a function, a test of a node's kind, an operator. */
static bool is_callable(sl_text name, xmlXPathContextPtr x) {
    static const char *const others[] = {"text", "node", "comment", "processing-instruction",
                                         "and",  "or",   "div",     "mod"};
    char z[64];
    for (size_t i = 0; i < SL_COUNT(others); i++)
        if (sl_text_is(name, others[i])) return true;
    if (name.n >= sizeof z) return false;
    memcpy(z, name.s, name.n);
    z[name.n] = 0;
    return xmlXPathFunctionLookup(x, (const xmlChar *)z) != NULL;
}

static sl_status complain(const char *expression, const char *at, int code, sl_error *err) {
    return sl_fail(err, SL_E_PLAN, "xpath '%.200s', character %d: %s", expression, (int)(at - expression) + 1,
                   reason(code));
}

static sl_status check_calls(const char *expression, xmlXPathContextPtr x, sl_error *err) {
    const char *open[256];
    unsigned depth = 0;
    for (const char *s = expression; *s; s++) {
        if (*s == '\'' || *s == '"') s = behind_literal(s) - 1;
        if (*s == '$') return complain(expression, s, XPATH_UNDEF_VARIABLE_ERROR, err);
        if (*s == ')' && depth) depth--;
        if (*s != '(') continue;
        sl_text name = name_before(expression, s);
        if (name.n && !is_callable(name, x))
            return complain(expression, name.s, XPATH_UNKNOWN_FUNC_ERROR, err);
        if (depth == SL_COUNT(open))
            return sl_fail(err, SL_E_PLAN, "xpath '%.200s': more than %zu parentheses within one another",
                           expression, SL_COUNT(open));
        open[depth++] = s;
    }
    return depth ? complain(expression, open[depth - 1], XPATH_UNCLOSED_ERROR, err) : SL_OK;
}

static sl_status check(const xpath_conf *c, sl_error *err) {
    xmlXPathCompExprPtr probe;
    TRY(compile(c, &probe, err));
    xmlXPathFreeCompExpr(probe);
    sl_xml_hush before = sl_xml_quiet();
    xmlXPathContextPtr x = xmlXPathNewContext(NULL);
    sl_status s = x ? check_calls(c->expression, x, err) : sl_oom(err);
    xmlXPathFreeContext(x);
    sl_xml_loud(&before);
    return s;
}

static sl_status prepare(void *conf, sl_arena *arena, sl_error *err) {
    xpath_conf *c = conf;
    if (!c->xpath.n) return SL_OK;
    if (memchr(c->xpath.s, 0, c->xpath.n)) return sl_fail(err, SL_E_PLAN, "the xpath has a zero byte in it");
    c->expression = sl_arena_strndup(arena, c->xpath.s, c->xpath.n);
    if (!c->expression) return sl_oom(err);
    return check(c, err);
}

/* A compiled expression remembers what it looks up, so each worker has its own. */
static sl_status start(const void *conf, void **state, sl_error *err) {
    const xpath_conf *c = conf;
    xmlXPathCompExprPtr compiled = NULL;
    if (c->expression) TRY(compile(c, &compiled, err));
    *state = compiled;
    return SL_OK;
}

static void stop(void *state) {
    if (state) xmlXPathFreeCompExpr(state);
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

typedef struct evaluation {
    const xpath_conf *conf;
    sl_markup *markup;
    bool riko;
} evaluation;

static sl_status emit_value(evaluation *v, sl_value value, sl_error *err) {
    if (v->riko) {
        return sl_fail(err, SL_E_DATA,
                       "xpath '%.200s' selects something other than elements, which riko's dialect refuses",
                       v->conf->expression);
    }
    return sl_element_items(v->markup->builder, value, err);
}

static sl_status emit_text(evaluation *v, const xmlNode *node, sl_error *err) {
    sl_buf text = {0};
    if (node->type == XML_NAMESPACE_DECL) {
        sl_buf_str(&text, (const char *)((const xmlNs *)node)->href);
    } else if (node->type == XML_ATTRIBUTE_NODE) {
        if (node->children) sl_tree_text(node->children, &text);
    } else if (node->content) {
        sl_buf_str(&text, (const char *)node->content);
    }
    sl_status status = sl_buf_check(&text, err);
    sl_text t = sl_text_n(text.len ? text.data : "", text.len);
    if (!status) status = emit_value(v, sl_text_value(t), err);
    sl_buf_free(&text);
    return status;
}

static sl_status emit_nodes(evaluation *v, xmlNodeSetPtr set, sl_error *err) {
    if (!set) return SL_OK;
    xmlXPathNodeSetSort(set);
    for (int i = 0; i < set->nodeNr; i++) {
        const xmlNode *node = set->nodeTab[i];
        bool whole = node->type == XML_DOCUMENT_NODE || node->type == XML_HTML_DOCUMENT_NODE;
        if (whole) node = xmlDocGetRootElement(v->markup->doc);
        if (!node) continue;
        TRY(node->type == XML_ELEMENT_NODE ? sl_markup_items(v->markup, node, err) : emit_text(v, node, err));
    }
    return SL_OK;
}

static sl_value number(double d) {
    bool whole = d == floor(d) && fabs(d) < 9007199254740992.0;
    return whole ? sl_int((int64_t)d) : sl_float(d);
}

static sl_status emit_result(evaluation *v, const xmlXPathObject *o, sl_error *err) {
    switch (o->type) {
    case XPATH_NODESET: return emit_nodes(v, o->nodesetval, err);
    case XPATH_BOOLEAN: return emit_value(v, sl_bool(o->boolval), err);
    case XPATH_NUMBER: return emit_value(v, number(o->floatval), err);
    case XPATH_STRING: return emit_value(v, sl_text_value(sl_text_of((const char *)o->stringval)), err);
    default: return SL_OK;
    }
}

/* Of two namespaces with one prefix the first counts. */
static sl_status register_prefixes(xmlXPathContextPtr x, const xmlNode *root, sl_error *err) {
    for (const xmlNode *node = root; node; node = sl_tree_next(node, root)) {
        if (node->type != XML_ELEMENT_NODE) continue;
        for (const xmlNs *ns = node->nsDef; ns; ns = ns->next) {
            if (!ns->prefix || xmlXPathNsLookup(x, ns->prefix)) continue;
            if (xmlXPathRegisterNs(x, ns->prefix, ns->href)) return sl_oom(err);
        }
    }
    return SL_OK;
}

static sl_status evaluate(evaluation *v, xmlXPathCompExprPtr compiled, const xmlNode *root, sl_error *err) {
    sl_xml_watched watched = {0};
    sl_xml_hush before = sl_xml_watch(&watched);
    failure f = {.err = err, .kind = SL_E_DATA, .expression = v->conf->expression};
    xmlXPathContextPtr x = new_context(v->markup->doc, &f);
    xmlXPathObjectPtr result = NULL;
    sl_status status = x ? register_prefixes(x, root, err) : sl_oom(err);
    if (!status) {
        (void)xmlXPathOrderDocElems(v->markup->doc);
        result = xmlXPathCompiledEval(compiled, x);
        status = f.status ? f.status : watched.no_memory ? sl_oom(err) : SL_OK;
        if (!result && !status) status = sl_fail(err, SL_E_DATA, "xpath '%.200s' fails", f.expression);
    }
    if (!status) status = emit_result(v, result, err);
    xmlXPathFreeObject(result);
    xmlXPathFreeContext(x);
    sl_xml_loud(&before);
    return status;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static bool is_html(const xpath_conf *c, sl_text t) {
    if (c->type != AUTO) return c->type == HTML;
    t = sl_markup_trim(t);
    return t.n < 5 || memcmp(t.s, "<?xml", 5) != 0;
}

static sl_status read_document(evaluation *v, xmlXPathCompExprPtr compiled, sl_error *err) {
    const xmlNode *root = v->markup->doc ? xmlDocGetRootElement(v->markup->doc) : NULL;
    if (!root) return SL_OK;
    TRY(compiled ? evaluate(v, compiled, root, err) : sl_markup_items(v->markup, root, err));
    return sl_builder_flush(v->markup->builder, err);
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)quarantined;
    sl_markup m;
    evaluation v = {.conf = conf, .markup = &m, .riko = block->dialect == SL_RIKO};
    bool html = is_html(conf, sl_markup_text(block));
    sl_status status = sl_markup_open(&m, block, html, sink, to, err);
    if (!status) status = read_document(&v, state, err);
    if (status > SL_DONE) sl_error_at(err, block->source, 0, 0);
    sl_markup_close(&m);
    return status;
}

static const char *const types[] = {"auto", "html", "xml", NULL};

static const sl_option options[] = {
    {.name = "xpath",
     .type = SL_OPT_TEXT,
     .offset = offsetof(xpath_conf, xpath),
     .help = "XPath 1.0: //table/tr[td]; default: the whole document"},
    {.name = "type",
     .type = SL_OPT_ENUM,
     .offset = offsetof(xpath_conf, type),
     .names = types,
     .fallback = "auto",
     .help = "html or xml; auto: by the suffix, else xml where it begins with <?xml"},
    {.name = NULL},
};

const sl_format sl_format_xpath = {
    .name = "xpath",
    .summary = "what an XPath selects in an HTML or XML document",
    .options = options,
    .conf_size = sizeof(xpath_conf),
    .tolerant = true,
    .prepare = prepare,
    .split_new = sl_document_split_new,
    .split = sl_document_split,
    .split_free = sl_document_split_free,
    .start = start,
    .stop = stop,
    .read = read,
};
