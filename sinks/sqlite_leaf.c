#include "sinks/sqlite_leaf.h"

#include "base/error.h"

enum {
    LEAF = 13,
    HEAD = 8, /* bytes of a leaf's header */
    ROWID_BYTES = 5,
    LOCAL_MAX = (int)SL_LEAF_PAGE - 35, /* payloads up to here stay on their leaf */
    LOCAL_MIN = ((int)SL_LEAF_PAGE - 12) * 32 / 255 - 23,
    OVERFLOW_ROOM = (int)SL_LEAF_PAGE - 4
};

/* ---- bytes ----------------------------------------------------------------------------------------------------- */

uint8_t *sl_varint_put(uint8_t *out, uint64_t v) {
    if (v < 0x80) {
        *out = (uint8_t)v;
        return out + 1;
    }
    unsigned n = 1;
    for (uint64_t rest = v >> 7; rest; rest >>= 7) n++;
    for (unsigned i = n; i > 0; i--, v >>= 7) out[i - 1] = (uint8_t)((v & 0x7f) | (i == n ? 0 : 0x80));
    return out + n;
}

const uint8_t *sl_varint_get(const uint8_t *at, const uint8_t *end, uint64_t *v) {
    *v = 0;
    for (unsigned i = 0; i < 8 && at < end; i++) {
        *v = *v << 7 | (*at & 0x7f);
        if (!(*at++ & 0x80)) return at;
    }
    return NULL;
}

static void put_be16(uint8_t *out, uint32_t v) {
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
}

void sl_put_be32(uint8_t *out, uint32_t v) {
    put_be16(out, v >> 16);
    put_be16(out + 2, v);
}

uint32_t sl_get_be32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint8_t *put_big_endian(uint8_t *out, uint64_t v, unsigned n) {
    for (unsigned i = n; i > 0; i--, v >>= 8) out[i - 1] = (uint8_t)v;
    return out + n;
}

uint8_t *sl_record_int(uint8_t **head, uint8_t *body, int64_t i) {
    static const struct {
        int64_t limit;
        uint8_t type, bytes;
    } widths[] = {{0x7f, 1, 1}, {0x7fff, 2, 2}, {0x7fffff, 3, 3}, {0x7fffffff, 4, 4}, {0x7fffffffffff, 5, 6}};
    if (i == 0 || i == 1) {
        *(*head)++ = (uint8_t)(8 + i);
        return body;
    }
    int64_t size = i < 0 ? ~i : i;
    for (size_t w = 0; w < SL_COUNT(widths); w++) {
        if (size > widths[w].limit) continue;
        *(*head)++ = widths[w].type;
        return put_big_endian(body, (uint64_t)i, widths[w].bytes);
    }
    *(*head)++ = 6;
    return put_big_endian(body, (uint64_t)i, 8);
}

uint8_t *sl_record_real(uint8_t **head, uint8_t *body, double f) {
    uint64_t bits;
    memcpy(&bits, &f, sizeof bits);
    *(*head)++ = 7;
    return put_big_endian(body, bits, 8);
}

/* ---- pages ----------------------------------------------------------------------------------------------------- */

void sl_leaf_begin(sl_leaf_writer *w, sl_buf *frame) {
    w->frame = frame;
    w->page = SIZE_MAX;
    w->nrows = 0;
    sl_buf_clear(&w->kinds);
    sl_buf_clear(&w->log);
}

static uint8_t *page_at(const sl_leaf_writer *w, size_t offset) {
    return (uint8_t *)w->frame->data + offset;
}

/* Room for one page more at the frame's end; false when there is none. */
static bool add_page(sl_leaf_writer *w) {
    if (!sl_buf_reserve(w->frame, SL_LEAF_PAGE)) return false;
    w->page = w->frame->len;
    w->frame->len += SL_LEAF_PAGE;
    return true;
}

static void open_leaf(sl_leaf_writer *w) {
    w->cells = 0;
    w->top = SL_LEAF_PAGE;
    if (!add_page(w)) w->page = SIZE_MAX;
}

static void close_leaf(sl_leaf_writer *w, uint32_t flags) {
    if (w->page == SIZE_MAX) return;
    uint8_t *p = page_at(w, w->page);
    size_t used = HEAD + 2 * (size_t)w->cells;
    memset(p + used, 0, w->top - used);
    p[0] = LEAF;
    put_be16(p + 1, 0);
    put_be16(p + 3, w->cells);
    put_be16(p + 5, w->top); /* 65536 is written as 0, which is what it means */
    p[7] = 0;
    sl_buf_u32(&w->kinds, w->cells | flags);
    w->page = SIZE_MAX;
}

/* Room for a cell of N bytes in the open leaf; NULL: it is full. */
static uint8_t *add_cell(sl_leaf_writer *w, size_t n) {
    if (w->page == SIZE_MAX || HEAD + 2 * ((size_t)w->cells + 1) + n > w->top) return NULL;
    uint8_t *p = page_at(w, w->page);
    w->top -= (uint32_t)n;
    put_be16(p + HEAD + 2 * (size_t)w->cells, w->top);
    w->cells++;
    return p + w->top;
}

typedef struct payload { /* three pieces that follow one another */
    const uint8_t *piece[3];
    size_t n[3];
    size_t total;
} payload;

/* Copies the next N bytes. */
static void take(payload *p, uint8_t *out, size_t n) {
    for (unsigned i = 0; i < 3 && n; i++) {
        size_t k = p->n[i] < n ? p->n[i] : n;
        if (k) memcpy(out, p->piece[i], k);
        p->piece[i] += k;
        p->n[i] -= k;
        out += k;
        n -= k;
    }
}

static uint32_t local_part(uint64_t total) {
    if (total <= LOCAL_MAX) return (uint32_t)total;
    uint64_t k = LOCAL_MIN + (total - LOCAL_MIN) % OVERFLOW_ROOM;
    return (uint32_t)(k <= LOCAL_MAX ? k : LOCAL_MIN);
}

/* A row too long for a leaf: a leaf of its own, and a chain of pages behind it, linked by their number in the frame. */
static void spill(sl_leaf_writer *w, const uint8_t *prefix, size_t prefix_n, payload *p) {
    uint32_t local = local_part(p->total);
    close_leaf(w, 0);
    open_leaf(w);
    uint8_t *cell = add_cell(w, prefix_n + local + 4);
    if (!cell) return;
    memcpy(cell, prefix, prefix_n);
    take(p, cell + prefix_n, local);
    uint32_t number = (uint32_t)(w->page / SL_LEAF_PAGE) + 1;
    sl_put_be32(cell + prefix_n + local, number);
    close_leaf(w, SL_LEAF_SPILLS);
    for (size_t rest = p->total - local; rest > 0;) {
        size_t n = rest < OVERFLOW_ROOM ? rest : OVERFLOW_ROOM;
        rest -= n;
        if (!add_page(w)) return;
        uint8_t *page = page_at(w, w->page);
        sl_put_be32(page, rest ? ++number : 0);
        take(p, page + 4, n);
        memset(page + 4 + n, 0, OVERFLOW_ROOM - n);
        sl_buf_u32(&w->kinds, SL_LEAF_OVERFLOW);
    }
    w->page = SIZE_MAX;
}

/* The header's length counts itself. */
static size_t head_length(size_t n) {
    if (n + 1 < 0x80) return n + 1;
    return n + 2 < 0x4000 ? n + 2 : n + 3;
}

void sl_leaf_row(sl_leaf_writer *w, const uint8_t *head, size_t head_n, const uint8_t *body, size_t body_n) {
    uint8_t length[10], prefix[20];
    size_t length_n = (size_t)(sl_varint_put(length, head_length(head_n)) - length);
    payload p = {{length, head, body}, {length_n, head_n, body_n}, length_n + head_n + body_n};
    uint8_t *end = sl_varint_put(sl_varint_put(prefix, p.total), (uint64_t)(SL_LEAF_ROWID + w->nrows));
    size_t prefix_n = (size_t)(end - prefix);
    w->nrows++;
    if (p.total > LOCAL_MAX) {
        spill(w, prefix, prefix_n, &p);
        return;
    }
    uint8_t *cell = add_cell(w, prefix_n + p.total);
    if (!cell) {
        close_leaf(w, 0);
        open_leaf(w);
        cell = add_cell(w, prefix_n + p.total);
        if (!cell) return; /* the frame has failed */
    }
    memcpy(cell, prefix, prefix_n);
    cell += prefix_n;
    memcpy(cell, length, length_n);
    memcpy(cell + length_n, head, head_n);
    memcpy(cell + length_n + head_n, body, body_n);
}

void sl_leaf_log(sl_leaf_writer *w, uint32_t column, sl_text text) {
    sl_buf_u32(&w->log, column);
    sl_buf_u32(&w->log, w->nrows);
    sl_buf_u32(&w->log, text.n);
    sl_buf_text(&w->log, text);
}

static void put_trailer(sl_leaf_writer *w, const sl_text *names, const uint8_t *seen, uint32_t ncols) {
    sl_buf *frame = w->frame;
    sl_buf_u32(frame, (uint32_t)(w->kinds.len / 4));
    sl_buf_u32(frame, w->nrows);
    sl_buf_u32(frame, ncols);
    for (uint32_t c = 0; c < ncols; c++) {
        sl_buf_u32(frame, names[c].n);
        sl_buf_text(frame, names[c]);
    }
    sl_buf_add(frame, seen, ncols);
    sl_buf_add(frame, w->kinds.data, w->kinds.len);
    sl_buf_u64(frame, w->log.len);
    sl_buf_add(frame, w->log.data, w->log.len);
}

sl_status sl_leaf_finish(sl_leaf_writer *w, const sl_text *names, const uint8_t *seen, uint32_t ncols,
                         sl_error *err) {
    close_leaf(w, 0);
    uint64_t at = w->frame->len;
    put_trailer(w, names, seen, ncols);
    sl_buf_u64(w->frame, at);
    TRY(sl_buf_check(&w->kinds, err));
    TRY(sl_buf_check(&w->log, err));
    return sl_buf_check(w->frame, err);
}

void sl_leaf_free(sl_leaf_writer *w) {
    sl_buf_free(&w->kinds);
    sl_buf_free(&w->log);
}

/* ---- reading frames -------------------------------------------------------------------------------------------- */

static sl_status damaged(sl_error *err) {
    return sl_fail(err, SL_E_INTERNAL, "a frame of SQLite pages is damaged");
}

sl_status sl_leaf_open_parts(sl_leaf_frame *f, const char *pages, const char *trailer, size_t n,
                             sl_error *err) {
    sl_cursor c = {trailer, trailer + n, false};
    *f = (sl_leaf_frame){.pages = pages, .trailer = trailer, .trailer_n = n};
    f->npages = sl_cursor_u32(&c);
    f->nrows = sl_cursor_u32(&c);
    f->ncols = sl_cursor_u32(&c);
    const char *names = c.at;
    for (uint32_t i = 0; i < f->ncols && !c.failed; i++) sl_cursor_bytes(&c, sl_cursor_u32(&c));
    f->names = sl_text_n(names, (size_t)(c.at - names));
    f->seen = sl_cursor_bytes(&c, f->ncols);
    f->kinds = sl_cursor_bytes(&c, (size_t)f->npages * 4);
    f->log_n = sl_cursor_u64(&c);
    f->log = sl_cursor_bytes(&c, f->log_n);
    return c.failed ? damaged(err) : SL_OK;
}

sl_status sl_leaf_open(sl_leaf_frame *f, const char *data, size_t n, sl_error *err) {
    uint64_t at;
    if (n < sizeof at) return damaged(err);
    memcpy(&at, data + n - sizeof at, sizeof at);
    if (at > n - sizeof at) return damaged(err);
    TRY(sl_leaf_open_parts(f, data, data + at, n - sizeof at - at, err));
    return (uint64_t)f->npages * SL_LEAF_PAGE == at ? SL_OK : damaged(err);
}

uint32_t sl_leaf_kind(const sl_leaf_frame *f, uint32_t page) {
    uint32_t kind;
    memcpy(&kind, f->kinds + (size_t)page * 4, sizeof kind);
    return kind;
}

const uint8_t *sl_leaf_payload(const uint8_t *cell, uint64_t *length, uint32_t *local) {
    const uint8_t *at = sl_varint_get(cell, cell + 9, length);
    *local = local_part(*length);
    return at + ROWID_BYTES;
}
