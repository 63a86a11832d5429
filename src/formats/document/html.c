/* html.c: the elements of an HTML document that a path leads to. */
#include "base/error.h"
#include "formats/document/document.h"
#include "formats/document/markup.h"
#include "formats/xml/xml.h"
#include "formats/xml2.h"

typedef struct search {
    const sl_xml_conf *conf;
    sl_markup *markup;
    uint32_t found; /* steps that led somewhere */
} search;

/* The items of what the steps from STEP on lead to in NODE. The depth is that of the path, at most that of documents. */
static sl_status follow(search *s, const xmlNode *node, uint32_t step, sl_error *err) {
    if (step > s->found) s->found = step;
    if (step == s->conf->nsteps) return sl_markup_items(s->markup, node, err);
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE &&
            sl_text_eq_nocase(sl_text_of((const char *)child->name), s->conf->steps[step]))
            TRY(follow(s, child, step + 1, err));
    }
    return SL_OK;
}

static sl_status leads_nowhere(const search *s, sl_error *err) {
    sl_text step = s->conf->steps[s->found];
    return sl_fail(err, SL_E_DATA, "the path leads nowhere: there is no element '%.*s' at its place",
                   (int)step.n, step.s);
}

static sl_status read_document(search *s, sl_error *err) {
    const xmlNode *root = xmlDocGetRootElement(s->markup->doc);
    if (!root) return SL_OK;
    bool at_root = sl_xml_names_root(s->conf, sl_text_of((const char *)root->name), false);
    TRY(follow(s, root, at_root, err));
    if (s->conf->dialect != SL_RIKO && s->found + 1 < s->conf->nsteps) return leads_nowhere(s, err);
    return sl_builder_flush(s->markup->builder, err);
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)state, (void)quarantined;
    sl_markup m;
    search s = {.conf = conf, .markup = &m};
    sl_status status = sl_markup_open(&m, block, true, sink, to, err);
    if (!status && m.doc) status = read_document(&s, err);
    if (status > SL_DONE) sl_error_at(err, block->source, 0, 0);
    sl_markup_close(&m);
    return status;
}

static const sl_option options[] = {
    {.name = "path",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(sl_xml_conf, path),
     .help = "elements that are items, e.g. html.body.p: names from the outermost element on"},
    {.name = NULL},
};

const sl_format sl_format_html = {
    .name = "html",
    .summary = "the elements of an HTML document that a path leads to",
    .suffixes = (const char *const[]){".html", ".htm", ".xhtml", NULL},
    .media_types = (const char *const[]){"text/html", NULL},
    .begins = (const char *const[]){"<!doctype html", "<html", NULL},
    .options = options,
    .conf_size = sizeof(sl_xml_conf),
    .tolerant = true,
    .set_dialect = sl_xml_set_dialect,
    .prepare = sl_xml_prepare,
    .open = sl_xml_library,
    .split_new = sl_document_split_new,
    .split = sl_document_split,
    .split_free = sl_document_split_free,
    .read = read,
};
