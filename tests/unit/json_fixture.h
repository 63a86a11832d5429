/* json_fixture.h: a text goes through the splitter and reader of json or jsonl, and its items come out as lines. */
#ifndef SL_TESTS_JSON_FIXTURE_H
#define SL_TESTS_JSON_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/hash.h"
#include "formats/json/json.h"
#include "record/cast.h"

extern const sl_format sl_format_json, sl_format_jsonl;

typedef struct run {
    const sl_format *format;
    const char *path; /* NULL: none */
    sl_dialect dialect;
    size_t piece; /* bytes shown more each time; 0: all at once */
    sl_buf out;   /* an item a line */
    sl_error err;
    uint64_t units, batches;
    sl_arena arena;
    sl_json_conf conf;
    void *splitter, *state;
} run;

static inline sl_status run_sink(void *to, sl_batch *take, sl_error *err) {
    run *r = to;
    r->batches++;
    for (uint32_t i = 0; i < take->nsel; i++) {
        sl_value item;
        assert_int_equal(sl_batch_item(take, sl_batch_row(take, i), &item, err), SL_OK);
        sl_json_write(take->bare ? item.as.map[0].value : item, &r->out);
        sl_buf_byte(&r->out, '\n');
    }
    sl_batch_free(&take);
    return SL_OK;
}

/* The unit is read from a copy that ends where it ends, so that sanitizers see every look behind it. */
static inline sl_status run_unit(run *r, const char *data, const sl_cut *cut) {
    uint64_t quarantined = 0;
    sl_input *in = sl_input_copy(data + cut->from, cut->to - cut->from);
    assert_non_null(in);
    r->units++;
    sl_block block = {in, 0, in->len, cut->line, cut->note, "doc", r->dialect};
    sl_status status = r->format->read(&r->conf, r->state, &block, run_sink, r, &quarantined, &r->err);
    sl_input_unref(&in);
    return status;
}

static inline sl_status run_stream(run *r, const char *text, size_t n) {
    size_t at = 0, shown = 0;
    for (;;) {
        shown = !r->piece || n - shown <= r->piece ? n : shown + r->piece;
        sl_cut cut = {0};
        sl_input *in = sl_input_copy(text + at, shown - at);
        assert_non_null(in);
        sl_status status = r->format->split(r->splitter, in->data, in->len, shown == n, &cut, &r->err);
        assert_true(status || (cut.from <= cut.to && cut.to <= cut.end && cut.end <= in->len));
        if (status == SL_OK && cut.to > cut.from) status = run_unit(r, in->data, &cut);
        sl_input_unref(&in);
        if (status) return status;
        at += cut.end;
        if (shown == n && at == n) return SL_OK;
        assert_true(shown < n || cut.end > 0);
    }
}

static inline sl_status run_text(run *r, const char *text, size_t n) {
    r->conf.encoding_name = SL_TEXT("utf-8");
    sl_text path = sl_text_of(r->path);
    r->conf.path = (sl_texts){&path, r->path ? 1 : 0, r->path != NULL};
    if (r->format->set_dialect) r->format->set_dialect(&r->conf, r->dialect);
    assert_int_equal(r->format->prepare(&r->conf, &r->arena, &r->err), SL_OK);
    assert_int_equal(r->format->split_new(&r->conf, &r->splitter, &r->err), SL_OK);
    assert_int_equal(r->format->start(&r->conf, &r->state, &r->err), SL_OK);
    sl_status status = run_stream(r, text, n);
    r->format->split_free(r->splitter);
    r->format->stop(r->state);
    assert_true(status == r->err.code);
    return status;
}

static inline void run_free(run *r) {
    sl_buf_free(&r->out);
    sl_arena_free(&r->arena);
}

/* TEXT gives ITEMS, or the failure that ITEMS names a part of behind a '!'; in pieces of every size. */
static inline void expect_run(run like, const char *text, const char *items) {
    size_t n = strlen(text);
    for (size_t piece = 0; piece <= n && piece < 200; piece++) {
        run r = like;
        r.piece = piece;
        sl_status status = run_text(&r, text, n);
        if (items[0] == '!') {
            if (status != SL_E_DATA || !strstr(r.err.text, items + 1))
                fail_msg("%s (pieces of %zu): status %d '%s', expected '%s'", text, piece, status, r.err.text, items + 1);
        } else {
            if (status) fail_msg("%s (pieces of %zu): %s", text, piece, r.err.text);
            assert_string_equal(sl_buf_cstr(&r.out), items);
        }
        run_free(&r);
    }
}

static inline uint32_t next_random(uint64_t *seed) {
    *seed += 0x9e3779b97f4a7c15u;
    return (uint32_t)(sl_hash_mix(*seed) >> 32);
}

static inline uint32_t pick(uint64_t *seed, uint32_t n) {
    return next_random(seed) % n;
}

#endif
