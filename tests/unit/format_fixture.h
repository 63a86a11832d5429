/* format_fixture.h: runs a format over a text that is shown to it in pieces, as the coordinator does, and writes what comes out
 * for people: one item a line, "LINE: name=value|name=value", ~ for null, absent keys left out. */
#ifndef SL_TESTS_FORMAT_FIXTURE_H
#define SL_TESTS_FORMAT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/format.h"

typedef struct format_run {
    const sl_format *format;
    const void *conf;
    sl_dialect dialect;
    size_t piece; /* bytes more in each showing */
    sl_buf out;
    uint64_t quarantined, units, batches, lazy; /* lazy: pristine batches over records */
    bool no_lines;
    sl_status status;
    sl_error err;
} format_run;

static inline void fixture_text(sl_buf *out, sl_text t) {
    for (uint32_t i = 0; i < t.n; i++) {
        switch (t.s[i]) {
        case '\n': sl_buf_str(out, "\\n"); break;
        case '\r': sl_buf_str(out, "\\r"); break;
        case '\0': sl_buf_str(out, "\\0"); break;
        case '|': sl_buf_str(out, "\\p"); break;
        default: sl_buf_byte(out, t.s[i]);
        }
    }
}

static inline void fixture_value(sl_buf *out, sl_value v) {
    if (v.type == SL_TEXT_TYPE) {
        fixture_text(out, sl_bytes(v));
    } else if (v.type == SL_MAP) {
        sl_buf_byte(out, '{');
        for (uint32_t i = 0; i < v.n; i++) {
            fixture_text(out, v.as.map[i].key);
            sl_buf_byte(out, '=');
            fixture_value(out, v.as.map[i].value);
        }
        sl_buf_byte(out, '}');
    } else {
        sl_buf_str(out, v.type == SL_NULL ? "~" : sl_type_name(v.type));
    }
}

static inline sl_status fixture_take(void *to, sl_batch *b, sl_error *err) {
    format_run *run = to;
    run->batches++;
    run->lazy += b->pristine && b->records;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        bool first = true;
        if (!run->no_lines) sl_buf_printf(&run->out, "%d:", (int)sl_batch_line(b, row));
        for (uint32_t c = 0; c < b->ncols; c++) {
            sl_value v;
            assert_int_equal(sl_batch_cell(b, c, row, &v, err), SL_OK);
            if (v.type == SL_MISSING) continue;
            if (!first) sl_buf_byte(&run->out, '|');
            first = false;
            if (!b->bare) {
                fixture_text(&run->out, b->cols[c].name);
                sl_buf_byte(&run->out, '=');
            }
            fixture_value(&run->out, v);
        }
        sl_buf_byte(&run->out, '\n');
    }
    sl_batch_free(&b);
    return SL_OK;
}

static inline sl_status fixture_unit(format_run *run, void *state, sl_input *in, const sl_cut *cut) {
    if (cut->from == cut->to && !cut->whole) return SL_OK;
    /* A unit of its own: what a worker sees begins and ends with it. */
    sl_input *unit = sl_input_copy(in->data + cut->from, cut->to - cut->from);
    assert_non_null(unit);
    memset(unit->data + unit->len, '"', SL_PADDING);
    sl_block block = {
        .input = unit, .to = unit->len, .line = cut->line, .note = cut->note, .source = "test", .dialect = run->dialect};
    run->units++;
    sl_status status = run->format->read(run->conf, state, &block, fixture_take, run, &run->quarantined, &run->err);
    sl_input_unref(&unit);
    return status;
}

/* Shows DATA in pieces; run->out, status and err say what came of it. */
static inline void fixture_run(format_run *run, const char *data, size_t n) {
    void *splitter = NULL, *state = NULL;
    size_t from = 0, shown = 0;
    bool over = false;
    run->status = run->format->split_new(run->conf, &splitter, &run->err);
    if (!run->status && run->format->start) run->status = run->format->start(run->conf, &state, &run->err);
    while (!run->status && !over) {
        sl_cut cut;
        shown = n - shown < run->piece ? n : shown + run->piece;
        over = shown == n;
        sl_input *in = sl_input_copy(data + from, shown - from);
        assert_non_null(in);
        memset(in->data + in->len, '\n', SL_PADDING);
        run->status = run->format->split(splitter, in->data, in->len, over, &cut, &run->err);
        if (!run->status) run->status = fixture_unit(run, state, in, &cut);
        if (!run->status) from += cut.end;
        sl_input_unref(&in);
    }
    if (!run->status) assert_int_equal(from, n);
    if (run->format->stop) run->format->stop(state);
    run->format->split_free(splitter);
    assert_int_equal(run->status, run->err.code);
}

static inline void fixture_clear(format_run *run) {
    sl_buf_free(&run->out);
}

/* A conf from lines "key=value"; a value with commas in it for a key that ends in s is a list. */
static inline void *fixture_conf(const sl_format *format, const char *spec, sl_arena *arena, sl_status expected, sl_error *err) {
    sl_pair pairs[16];
    uint32_t n = 0;
    for (const char *p = spec, *end; *p; p = *end ? end + 1 : end) {
        end = strchr(p, '\n');
        if (!end) end = p + strlen(p);
        const char *eq = memchr(p, '=', (size_t)(end - p));
        assert_non_null(eq);
        sl_text value = sl_text_n(eq + 1, (size_t)(end - eq - 1));
        pairs[n].key = sl_text_n(p, (size_t)(eq - p));
        pairs[n].value = sl_text_value(value);
        if (eq[-1] == 's' && value.n > 1 && memchr(value.s, ',', value.n)) {
            sl_value *list = sl_arena_calloc(arena, value.n, sizeof *list);
            uint32_t k = 0;
            for (uint32_t i = 0, at = 0; i <= value.n; i++) {
                if (i < value.n && value.s[i] != ',') continue;
                list[k++] = sl_text_value((sl_text){value.s + at, i - at});
                at = i + 1;
            }
            pairs[n].value = sl_list(list, k);
        }
        n++;
    }
    void *conf = sl_arena_calloc(arena, 1, format->conf_size);
    assert_non_null(conf);
    sl_status status = sl_options_parse(format->options, sl_map(pairs, n), false, conf, arena, NULL, err);
    if (!status && format->prepare) status = format->prepare(conf, arena, err);
    assert_int_equal(status, expected);
    return conf;
}

#endif
