/* buffer.h: a growing byte buffer with a cap and a latched failure.
 *
 * Appending past the cap or without memory sets `failed` and drops the bytes, so a long run of appends is
 * checked once, at its end, by sl_buf_check. All zero is a valid empty buffer with the default cap of 1 GiB.
 * Ownership: the buffer owns data; sl_buf_free returns it. Thread rule: one thread at a time. */
#ifndef SL_BASE_BUFFER_H
#define SL_BASE_BUFFER_H

#include "base/status.h"
#include "base/text.h"

typedef struct sl_buf {
    char *data;
    size_t len, cap;
    size_t limit; /* largest cap allowed, 0: 1 GiB */
    bool failed;  /* an append was dropped */
} sl_buf;

/* Makes room for EXTRA more bytes. false (and failed) when the limit or memory is exceeded. */
bool sl_buf_reserve(sl_buf *b, size_t extra);

static inline void sl_buf_add(sl_buf *b, const void *p, size_t n) {
    if (SL_UNLIKELY(n > b->cap - b->len) && !sl_buf_reserve(b, n)) return;
    if (n) memcpy(b->data + b->len, p, n);
    b->len += n;
}

static inline void sl_buf_byte(sl_buf *b, char c) {
    if (SL_UNLIKELY(b->len == b->cap) && !sl_buf_reserve(b, 1)) return;
    b->data[b->len++] = c;
}

static inline void sl_buf_text(sl_buf *b, sl_text t) {
    sl_buf_add(b, t.s, t.n);
}

void sl_buf_str(sl_buf *b, const char *z);
void sl_buf_printf(sl_buf *b, const char *fmt, ...) SL_PRINTF(2, 3);

/* Native-endian 4 and 8 bytes, for frames that stay on this machine. */
void sl_buf_u32(sl_buf *b, uint32_t v);
void sl_buf_u64(sl_buf *b, uint64_t v);

/* SL_OK, or SL_E_MEMORY when an append was dropped. */
SL_MUST_CHECK sl_status sl_buf_check(const sl_buf *b, sl_error *err);

/* NUL behind the contents, not counted: data as a C string, or "" when out of memory. */
const char *sl_buf_cstr(sl_buf *b);

void sl_buf_clear(sl_buf *b); /* keeps the memory */
void sl_buf_free(sl_buf *b);

/* A reader over bytes written by the functions above. Reading past the end latches failed and gives zeros. */
typedef struct sl_cursor {
    const char *at, *end;
    bool failed;
} sl_cursor;

uint32_t sl_cursor_u32(sl_cursor *c);
uint64_t sl_cursor_u64(sl_cursor *c);
const char *sl_cursor_bytes(sl_cursor *c, size_t n); /* NULL past the end */

#endif
