#include "formats/document/markup.h"

#include "base/error.h"
#include "formats/encoding.h"
#include "formats/xml2.h"

sl_text sl_markup_text(const sl_block *b) {
    sl_text t = sl_text_n(b->input->data + b->from, b->to - b->from);
    bool mark = t.n >= 3 && !memcmp(t.s, "\xef\xbb\xbf", 3);
    return mark ? (sl_text){t.s + 3, t.n - 3} : t;
}

static sl_status read_html(sl_markup *m, sl_text text, sl_error *err) {
    sl_input *repaired;
    TRY(sl_encoding_repair(text.s, text.n, &repaired, err));
    if (repaired) text = sl_text_n(repaired->data, repaired->len);
    sl_status status = sl_tree_html(text.s, text.n, &m->doc, err);
    sl_input_unref(&repaired);
    return status;
}

sl_status sl_markup_open(sl_markup *m, const sl_block *block, bool html, sl_batch_sink sink, void *to,
                         sl_error *err) {
    *m = (sl_markup){.out = {.sink = sink, .to = to, .block = block}};
    m->elements = sl_elements_new();
    m->builder = sl_builder_new(0, NULL, sl_json_hand_on, &m->out);
    if (!m->elements || !m->builder) return sl_oom(err);
    sl_text text = sl_markup_text(block);
    return html ? read_html(m, text, err) : sl_tree_xml(text.s, text.n, &m->doc, err);
}

void sl_markup_close(sl_markup *m) {
    if (m->doc) xmlFreeDoc(m->doc);
    sl_builder_free(&m->builder);
    sl_elements_free(&m->elements);
    sl_arena_free(&m->arena);
}

sl_status sl_markup_items(sl_markup *m, const xmlNode *node, sl_error *err) {
    sl_value v;
    sl_arena_reset(&m->arena);
    TRY(sl_tree_value(m->elements, node, &m->arena, &v, err));
    return sl_element_items(m->builder, v, err);
}
