/* page.c: parts of a page's text: what stands between two marks, cut at a token, without tags if wanted.
 *
 * In riko's dialect the marks are looked for line by line first, every line break is doubled, and references to characters are
 * dropped with the tags; in the native one the text is taken as it stands, references become their characters, and a page in which the
 * first mark is not found has no part at all. */

#include "base/error.h"
#include "base/unicode.h"
#include "formats/document/document.h"
#include "formats/encoding.h"
#include "formats/document/markup.h"
#include "formats/xml/xml.h"

typedef struct page_conf {
    sl_text start, end, token;
    bool detag;
} page_conf;

/* ---- between the marks ------------------------------------------------------------------------------------------- */

/* What is behind START (empty: the beginning) and before END, which is looked for from the FROM-th byte of it on. */
static sl_text between(const page_conf *c, sl_text t, uint32_t from) {
    int64_t at = c->start.n ? sl_text_find(t, c->start, 0) : 0;
    if (at < 0) return (sl_text){t.s, 0};
    uint32_t skip = (uint32_t)at + c->start.n;
    t = (sl_text){t.s + skip, t.n - skip};
    int64_t end = c->end.n && t.n >= from ? sl_text_find(t, c->end, from) : -1;
    return end < 0 ? t : (sl_text){t.s, (uint32_t)end};
}

static sl_text line_at(sl_text t, uint32_t from) {
    const char *end = memchr(t.s + from, '\n', t.n - from);
    return (sl_text){t.s + from, end ? (uint32_t)(end + 1 - t.s) - from : t.n - from};
}

/* riko's lines: from the first with START in it to the first with END, with a line break between each two. */
static void keep_lines(const page_conf *c, sl_text t, sl_buf *out) {
    bool started = !c->start.n;
    sl_text line;
    for (uint32_t at = 0; at < t.n; at += line.n) {
        line = line_at(t, at);
        bool first = !started;
        if (!started) started = sl_text_find(line, c->start, 0) >= 0;
        if (!started) continue;
        if (!first && out->len) sl_buf_byte(out, '\n');
        sl_buf_text(out, line);
        if (c->end.n && sl_text_find(line, c->end, 0) >= 0) return;
    }
}

/* ---- without tags ------------------------------------------------------------------------------------------------ */

typedef struct detagging {
    sl_text t;
    uint32_t at;
    sl_buf *out;
    size_t node; /* where in out the text node at hand begins */
    bool riko;
} detagging;

/* A text node ends; natively one of white space alone does not count. */
static void end_node(detagging *d) {
    if (d->out->len == d->node) return;
    sl_text node = sl_text_n(d->out->data + d->node, d->out->len - d->node);
    if (!d->riko && !sl_markup_trim(node).n) {
        d->out->len = d->node;
    } else {
        sl_buf_byte(d->out, '\n');
    }
    d->node = d->out->len;
}

static bool looks_at(const detagging *d, const char *word) {
    sl_text w = sl_text_of(word);
    return d->t.n - d->at >= w.n && sl_text_eq_nocase((sl_text){d->t.s + d->at, w.n}, w);
}

/* Moves behind the next WORD, or to the end. */
static void skip_past(detagging *d, const char *word) {
    sl_text w = sl_text_of(word);
    while (d->at < d->t.n && !looks_at(d, word)) d->at++;
    d->at = d->t.n - d->at > w.n ? d->at + w.n : d->t.n;
}

static void skip_tag(detagging *d) {
    char quote = 0;
    for (; d->at < d->t.n; d->at++) {
        char c = d->t.s[d->at];
        if (quote) {
            if (c == quote) quote = 0;
        } else if (c == '>') {
            break;
        } else if ((c == '"' || c == '\'') && d->t.s[d->at - 1] == '=') {
            quote = c;
        }
    }
    if (d->at < d->t.n) d->at++;
}

/* The contents of scripts and styles are no markup, and natively no text either. */
static void pass_raw(detagging *d, const char *end) {
    uint32_t from = d->at;
    while (d->at < d->t.n && !looks_at(d, end)) d->at++;
    if (d->riko) sl_buf_add(d->out, d->t.s + from, d->at - from);
}

static void tag(detagging *d) {
    static const char *const raw[][2] = {{"<script", "</script"}, {"<style", "</style"}};
    const char *end = NULL;
    for (size_t i = 0; i < SL_COUNT(raw); i++)
        if (looks_at(d, raw[i][0])) end = raw[i][1];
    end_node(d);
    if (looks_at(d, "<!--")) {
        skip_past(d, "-->");
        return;
    }
    d->at++;
    skip_tag(d);
    if (end) pass_raw(d, end);
}

static bool is_markup(const detagging *d) {
    uint32_t left = d->t.n - d->at;
    const char *s = d->t.s + d->at;
    if (left < 2) return false;
    return s[1] == '!' || s[1] == '?' || sl_ascii_letter(s[1]) ||
           (s[1] == '/' && left > 2 && sl_ascii_letter(s[2]));
}

static void reference(detagging *d) {
    sl_text rest = {d->t.s + d->at, d->t.n - d->at}, name;
    uint32_t code, n = sl_xml_reference(rest, &name, &code);
    char text[4];
    unsigned k = 0;
    if (n && name.n) k = sl_xml_html_entity(name, text);
    if (n && !name.n && code) k = sl_utf8_encode(code, text);
    if (n && d->riko) {
        end_node(d);
    } else if (k) {
        sl_buf_add(d->out, text, k);
    } else {
        n = 1;
        sl_buf_byte(d->out, '&');
    }
    d->at += n;
}

static void detag(sl_text t, bool riko, sl_buf *out) {
    detagging d = {.t = t, .out = out, .riko = riko};
    while (d.at < t.n) {
        char c = t.s[d.at];
        if (c == '<' && is_markup(&d)) {
            tag(&d);
        } else if (c == '&') {
            reference(&d);
        } else {
            sl_buf_byte(out, c);
            d.at++;
        }
    }
    end_node(&d);
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static sl_status emit_part(sl_builder *bd, sl_text part, sl_error *err) {
    sl_text t = sl_markup_trim(part);
    return sl_builder_add(bd, sl_text_value(t.n ? t : SL_TEXT("")), err);
}

static sl_status emit_parts(const page_conf *c, sl_builder *bd, sl_text t, sl_error *err) {
    for (uint32_t from = 0;;) {
        int64_t at = c->token.n ? sl_text_find(t, c->token, from) : -1;
        uint32_t to = at < 0 ? t.n : (uint32_t)at;
        TRY(emit_part(bd, (sl_text){t.s + from, to - from}, err));
        if (at < 0) return sl_builder_flush(bd, err);
        from = to + c->token.n;
    }
}

/* KEPT and PLAIN hold the text in between. */
static sl_status read_page(const page_conf *c, sl_builder *bd, sl_text t, bool riko, sl_buf *kept,
                           sl_buf *plain, sl_error *err) {
    if (riko) {
        keep_lines(c, t, kept);
        TRY(sl_buf_check(kept, err));
        t = sl_text_n(kept->len ? kept->data : "", kept->len);
    }
    if (!riko && c->start.n && sl_text_find(t, c->start, 0) < 0) return SL_OK;
    t = between(c, t, riko);
    if (c->detag) {
        TRY(sl_xml_library(err));
        detag(t, riko, plain);
        TRY(sl_buf_check(plain, err));
        t = sl_text_n(plain->len ? plain->data : "", plain->len);
    }
    return emit_parts(c, bd, t, err);
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)state, (void)quarantined;
    sl_json_out out = {.sink = sink, .to = to, .block = block};
    sl_text t = sl_markup_text(block);
    sl_input *repaired = NULL;
    sl_buf kept = {0}, plain = {0};
    sl_builder *bd = sl_builder_new(0, NULL, sl_json_hand_on, &out);
    sl_status status = bd ? sl_encoding_repair(t.s, t.n, &repaired, err) : sl_oom(err);
    if (repaired) t = sl_text_n(repaired->data, repaired->len);
    if (!status) status = read_page(conf, bd, t, block->dialect == SL_RIKO, &kept, &plain, err);
    if (status > SL_DONE) sl_error_at(err, block->source, 0, 0);
    sl_buf_free(&plain);
    sl_buf_free(&kept);
    sl_input_unref(&repaired);
    sl_builder_free(&bd);
    return status;
}

static const sl_option options[] = {
    {.name = "start",
     .type = SL_OPT_TEXT,
     .offset = offsetof(page_conf, start),
     .help = "the text begins behind this; default: at the beginning of the page"},
    {.name = "end",
     .type = SL_OPT_TEXT,
     .offset = offsetof(page_conf, end),
     .help = "and ends before this; default, or where it is not found: at the end of the page"},
    {.name = "token",
     .type = SL_OPT_TEXT,
     .offset = offsetof(page_conf, token),
     .help = "cut the text here: an element for each part"},
    {.name = "detag",
     .type = SL_OPT_BOOL,
     .offset = offsetof(page_conf, detag),
     .fallback = "false",
     .help = "only the text between the tags, a line for each piece"},
    {.name = NULL},
};

const sl_format sl_format_page = {
    .name = "page",
    .summary = "the text of a page between two marks",
    .options = options,
    .conf_size = sizeof(page_conf),
    .tolerant = true,
    .split_new = sl_document_split_new,
    .split = sl_document_split,
    .split_free = sl_document_split_free,
    .read = read,
};
