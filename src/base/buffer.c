/* buffer.c: growing byte buffers, and cursors that read back what was written. Both latch their failure, so that code which
 * writes or reads fifty fields has one check at its end and no fifty error paths that no test ever takes. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

enum { SMALLEST = 256 };
static const size_t default_limit = (size_t)1 << 30;

static size_t limit_of(const sl_buf *b) {
    return b->limit ? b->limit : default_limit;
}

bool sl_buf_reserve(sl_buf *b, size_t extra) {
    if (extra <= b->cap - b->len) return true;
    size_t limit = limit_of(b);
    if (b->len > limit || extra > limit - b->len) return !(b->failed = true);
    size_t cap = b->cap < SMALLEST ? SMALLEST : b->cap * 2;
    if (cap < b->len + extra) cap = b->len + extra;
    if (cap > limit) cap = limit;
    char *data = realloc(b->data, cap);
    if (!data) return !(b->failed = true);
    b->data = data;
    b->cap = cap;
    return true;
}

void sl_buf_str(sl_buf *b, const char *z) {
    sl_buf_add(b, z, strlen(z));
}

void sl_buf_printf(sl_buf *b, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0)
        b->failed = true;
    else if (sl_buf_reserve(b, (size_t)n + 1)) { /* vsnprintf writes a NUL too */
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void sl_buf_u32(sl_buf *b, uint32_t v) {
    sl_buf_add(b, &v, sizeof v);
}

void sl_buf_u64(sl_buf *b, uint64_t v) {
    sl_buf_add(b, &v, sizeof v);
}

sl_status sl_buf_check(const sl_buf *b, sl_error *err) {
    if (!b->failed) return SL_OK;
    if (b->len > limit_of(b) / 2)
        return sl_fail(err, SL_E_MEMORY, "a buffer would exceed its limit of %zu bytes", limit_of(b));
    return sl_oom(err);
}

const char *sl_buf_cstr(sl_buf *b) {
    if (!sl_buf_reserve(b, 1)) return "";
    b->data[b->len] = 0;
    return b->data;
}

void sl_buf_clear(sl_buf *b) {
    b->len = 0;
    b->failed = false;
}

void sl_buf_free(sl_buf *b) {
    free(b->data);
    *b = (sl_buf){.limit = b->limit};
}

const char *sl_cursor_bytes(sl_cursor *c, size_t n) {
    if (c->failed || n > (size_t)(c->end - c->at)) {
        c->failed = true;
        return NULL;
    }
    const char *p = c->at;
    c->at += n;
    return p;
}

uint32_t sl_cursor_u32(sl_cursor *c) {
    uint32_t v = 0;
    const char *p = sl_cursor_bytes(c, sizeof v);
    if (p) memcpy(&v, p, sizeof v);
    return v;
}

uint64_t sl_cursor_u64(sl_cursor *c) {
    uint64_t v = 0;
    const char *p = sl_cursor_bytes(c, sizeof v);
    if (p) memcpy(&v, p, sizeof v);
    return v;
}
