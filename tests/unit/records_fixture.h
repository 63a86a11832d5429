/* records_fixture.h: a structural index over a small delimited text, made the slow and obvious way. */
#ifndef SL_TESTS_RECORDS_FIXTURE_H
#define SL_TESTS_RECORDS_FIXTURE_H

#include "record_fixture.h"

/* The batch of TEXT, lines of NFIELDS fields or fewer, under the names a, b, c ... */
static inline sl_batch *records_batch(const char *text, uint32_t nfields, char quote) {
    static const char letters[] = "abcdefghij";
    uint32_t nrows = 0, row = 0, field = 0;
    bool quoted = false, full = true;
    for (const char *p = text; *p; p++) {
        quoted ^= quote && *p == quote;
        nrows += *p == '\n' && !quoted;
    }
    sl_input *in = sl_input_copy(text, strlen(text));
    sl_batch *b = sl_batch_new(in, nrows);
    sl_arena *arena = sl_batch_arena(b);
    sl_records *r = sl_arena_calloc(arena, 1, sizeof *r);
    uint32_t *start = sl_arena_calloc(arena, nrows, sizeof *start);
    uint32_t *end = sl_arena_alloc(arena, (size_t)nrows * nfields * sizeof *end);
    sl_text *names = sl_arena_alloc(arena, nfields * sizeof *names);
    memset(end, 0xff, (size_t)nrows * nfields * sizeof *end);
    for (uint32_t i = 0; i < nfields; i++) names[i] = sl_text_n(letters + i, 1);
    for (uint32_t i = 0; i < in->len; i++) {
        char c = in->data[i];
        quoted ^= quote && c == quote;
        if (quoted || (c != ',' && c != '\n')) continue;
        end[row * nfields + field++] = i;
        if (c == ',') continue;
        full &= field == nfields;
        field = 0;
        if (++row < nrows) start[row] = i + 1;
    }
    *r = (sl_records){in->data, start, end, nfields, quote, ',', !quote || !memchr(text, quote, in->len)};
    assert_int_equal(sl_batch_set_records(b, r, names, NULL), SL_OK);
    b->pristine = full;
    sl_input_unref(&in);
    return b;
}

#endif
