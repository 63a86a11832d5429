/* encode.c: batches as JSON Lines, or as elements of an array. The key of each column is written out once a batch, with quotes
 * and colon, and a number that has come as JSON leaves in its own digits. */
#include <assert.h>

#include "sinks/json/json.h"

#include "base/error.h"
#include "record/cast.h"
#include "record/number/number.h"
#include "record/raw.h"

/* Printable ASCII without quote and backslash stands for itself. */
static bool is_plain(sl_text t) {
    bool plain = true;
    for (uint32_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.s[i];
        plain &= (c >= 0x20) & (c < 0x7f) & (c != '"') & (c != '\\');
    }
    return plain;
}

static void put_text(sl_text t, sl_buf *out) {
    if (!is_plain(t)) {
        sl_json_text(t, out);
        return;
    }
    sl_buf_byte(out, '"');
    sl_buf_text(out, t);
    sl_buf_byte(out, '"');
}

static sl_status put_value(sl_value v, sl_arena *arena, sl_buf *out, sl_error *err) {
    char digits[24];
    if (v.type == SL_TEXT_TYPE) {
        if (v.flags & SL_RAW) TRY(sl_value_decode(&v, arena, err));
        put_text(sl_bytes(v), out);
    } else if ((v.type == SL_INT || v.type == SL_FLOAT) && (v.flags & SL_RAW_NUMBER)) {
        sl_buf_text(out, sl_bytes(v));
    } else if (v.type == SL_INT) {
        sl_buf_add(out, digits, sl_format_int(v.as.i, digits));
    } else {
        sl_json_write(v, out);
    }
    return SL_OK;
}

/* `"name":` of every column, made once a batch. */
static sl_text *keys_of(sl_batch *b) {
    sl_text *keys = sl_arena_alloc(sl_batch_arena(b), (b->ncols + 1) * sizeof *keys);
    sl_buf buf = {0};
    for (uint32_t c = 0; keys && c < b->ncols; c++) {
        sl_buf_clear(&buf);
        sl_json_text(b->cols[c].name, &buf);
        sl_buf_byte(&buf, ':');
        keys[c] = sl_arena_text(sl_batch_arena(b), sl_text_n(buf.data, buf.len));
        if (buf.failed || !keys[c].s) keys = NULL;
    }
    sl_buf_free(&buf);
    return keys;
}

static sl_status put_item(sl_batch *b, const sl_text *keys, uint32_t row, sl_buf *out, sl_error *err) {
    char before = '{';
    for (uint32_t c = 0; c < b->ncols; c++) {
        sl_value v = sl_batch_peek(b, c, row);
        if (v.type == SL_MISSING) continue;
        sl_buf_byte(out, before);
        before = ',';
        sl_buf_text(out, keys[c]);
        TRY(put_value(v, sl_batch_arena(b), out, err));
    }
    if (before == '{') sl_buf_byte(out, '{');
    sl_buf_byte(out, '}');
    return SL_OK;
}

sl_status sl_json_encode(const char *separator, sl_batch *b, sl_buf *frame, sl_error *err) {
    if (b->nsel == 0) return SL_OK;
    if (frame->len == 0) sl_buf_u64(frame, 0);
    const sl_text *keys = keys_of(b);
    if (!keys) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if (frame->len > sizeof(uint64_t)) sl_buf_str(frame, separator);
        if (b->bare)
            TRY(put_value(sl_batch_peek(b, 0, row), sl_batch_arena(b), frame, err));
        else
            TRY(put_item(b, keys, row, frame, err));
    }
    TRY(sl_buf_check(frame, err));
    uint64_t rows;
    assert(frame->len > sizeof rows);
    memcpy(&rows, frame->data, sizeof rows);
    rows += b->nsel;
    memcpy(frame->data, &rows, sizeof rows);
    return SL_OK;
}

sl_status sl_json_frame(const char *frame, size_t n, uint64_t *rows, sl_text *texts, sl_error *err) {
    *rows = 0;
    *texts = (sl_text){0};
    if (n == 0) return SL_OK;
    if (n < sizeof *rows || n - sizeof *rows > UINT32_MAX)
        return sl_fail(err, SL_E_INTERNAL, "a frame of items is damaged");
    memcpy(rows, frame, sizeof *rows);
    *texts = sl_text_n(frame + sizeof *rows, n - sizeof *rows);
    return SL_OK;
}
