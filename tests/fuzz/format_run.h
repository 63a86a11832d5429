/* format_run.h: a text goes through a format's two halves in pieces of changing size, and its items come out as lines of JSON. */
#ifndef SL_TESTS_FORMAT_RUN_H
#define SL_TESTS_FORMAT_RUN_H

#include "base/hash.h"
#include "formats/format.h"
#include "fuzz.h"
#include "record/cast.h"

typedef struct format_run {
    const sl_format *format;
    const void *conf;
    sl_dialect dialect;
    uint64_t seed; /* of the sizes of pieces; 0: all at once */
    bool anywhere; /* which of several failures is found first depends on the pieces */
    void *splitter, *state;
    sl_buf items; /* one a line */
    uint64_t quarantined;
    sl_status status;
    sl_error err;
} format_run;

static inline sl_status format_take(void *to, sl_batch *take, sl_error *err) {
    format_run *r = to;
    for (uint32_t i = 0; i < take->nsel; i++) {
        sl_value item;
        uint32_t row = sl_batch_row(take, i);
        FUZZ_CHECK(sl_batch_item(take, row, &item, err) == SL_OK);
        sl_buf_printf(&r->items, "%llu: ", (unsigned long long)sl_batch_line(take, row));
        sl_json_write(take->bare && item.n ? item.as.map[0].value : item, &r->items);
        sl_buf_byte(&r->items, '\n');
    }
    sl_batch_free(&take);
    return SL_OK;
}

/* The unit is read from a copy that ends where it ends. */
static inline sl_status format_unit(format_run *r, const char *data, const sl_cut *cut) {
    sl_input *in = sl_input_copy(data + cut->from, cut->to - cut->from);
    FUZZ_CHECK(in);
    sl_block block = {.input = in, .to = in->len, .line = cut->line, .note = cut->note, .source = "doc", .dialect = r->dialect};
    sl_status status = r->format->read(r->conf, r->state, &block, format_take, r, &r->quarantined, &r->err);
    sl_input_unref(&in);
    return status;
}

/* How many bytes more are shown next. */
static inline size_t format_piece(format_run *r, size_t left) {
    if (!r->seed) return left;
    r->seed = sl_hash_mix(r->seed + 0x9e3779b97f4a7c15u) | 1;
    size_t piece = (size_t)(r->seed >> 8) % ((r->seed >> 4 & 3) ? 9 : 100) + 1;
    return piece < left ? piece : left;
}

static inline sl_status format_stream(format_run *r, sl_text text) {
    size_t at = 0, shown = 0;
    do {
        shown += format_piece(r, text.n - shown);
        sl_cut cut = {0};
        sl_input *in = sl_input_copy(text.s + at, shown - at);
        FUZZ_CHECK(in);
        sl_status status = r->format->split(r->splitter, in->data, in->len, shown == text.n, &cut, &r->err);
        FUZZ_CHECK(status || (cut.from <= cut.to && cut.to <= cut.end && cut.end <= in->len));
        if (!status && (cut.to > cut.from || cut.whole)) status = format_unit(r, in->data, &cut);
        sl_input_unref(&in);
        if (status || cut.done) return status;
        FUZZ_CHECK(shown < text.n || at + cut.end == text.n || cut.end);
        at += cut.end;
    } while (at < text.n);
    return SL_OK;
}

/* r->items, status, err and quarantined say what came of TEXT. */
static inline void format_over(format_run *r, sl_text text) {
    r->status = r->format->split_new(r->conf, &r->splitter, &r->err);
    if (!r->status && r->format->start) r->status = r->format->start(r->conf, &r->state, &r->err);
    if (!r->status) r->status = format_stream(r, text);
    if (r->format->stop) r->format->stop(r->state);
    r->format->split_free(r->splitter);
    fuzz_agree(r->status, &r->err);
}

/* riko takes names that differ in case alone for one when dotted names of a batch are nested, so there the batch matters. */
static inline bool format_has_cases(sl_text t) {
    for (uint32_t i = 0; i < t.n; i++)
        if ((t.s[i] >= 'A' && t.s[i] <= 'Z') || t.s[i] == '\\') return true;
    return false;
}

/* Two readings of one text: the same items and counts, or the same failure at the same place. */
static inline bool format_equal(const format_run *a, const format_run *b) {
    if (a->status != b->status) return false;
    if (a->status) return a->anywhere || (a->err.line == b->err.line && a->err.column == b->err.column);
    return a->quarantined == b->quarantined && a->items.len == b->items.len &&
           (!a->items.len || memcmp(a->items.data, b->items.data, a->items.len) == 0);
}

static inline void format_show(const char *which, const format_run *r) {
    char text[1200];
    fprintf(stderr, "%s: %s\n%.*s", which, sl_error_format(&r->err, text, sizeof text), (int)r->items.len, r->items.data);
}

static inline void format_same(const format_run *a, const format_run *b) {
    if (format_equal(a, b)) return;
    format_show("one reading", a);
    format_show("the other", b);
    FUZZ_CHECK(format_equal(a, b));
}

static inline void format_free(format_run *r) {
    sl_buf_free(&r->items);
}

#endif
