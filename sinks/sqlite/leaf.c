/* leaf.c: pages of a table B-tree, written and read without SQLite, because building them takes a fraction of the time of
 * inserting rows and any worker can do it. Rowids are filled in later by the coordinator, who alone knows how many rows come
 * before. */
#include "sinks/sqlite/leaf.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"

enum {
    LEAF = 13,
    HEAD = 8, /* bytes of a leaf's header */
    ROWID_ROOM = 4,
    LOCAL_MAX = (int)SL_LEAF_PAGE - 35, /* payloads up to here stay on their leaf */
    LOCAL_MIN = ((int)SL_LEAF_PAGE - 12) * 32 / 255 - 23,
    OVERFLOW_ROOM = (int)SL_LEAF_PAGE - 4
};

/* ---- bytes ----------------------------------------------------------------------------------------------------- */

uint8_t *sl_varint_put_wide(uint8_t *out, uint64_t v, unsigned n) {
    assert(n && n <= 8 && v >> 7 * n == 0);
    for (unsigned i = n; i > 0; i--, v >>= 7) out[i - 1] = (uint8_t)((v & 0x7f) | (i == n ? 0 : 0x80));
    return out + n;
}

uint8_t *sl_varint_put(uint8_t *out, uint64_t v) {
    if (v < 0x80) {
        *out = (uint8_t)v;
        return out + 1;
    }
    unsigned n = 1;
    for (uint64_t rest = v >> 7; rest; rest >>= 7) n++;
    return sl_varint_put_wide(out, v, n);
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

uint8_t *sl_record_bool(uint8_t **head, uint8_t *body, bool b) {
    *(*head)++ = 1;
    *body = b;
    return body + 1;
}

uint8_t *sl_record_real(uint8_t **head, uint8_t *body, double f) {
    uint64_t bits;
    memcpy(&bits, &f, sizeof bits);
    *(*head)++ = 7;
    return put_big_endian(body, bits, 8);
}

/* ---- pages ----------------------------------------------------------------------------------------------------- */

void sl_leaf_begin(sl_leaf_writer *w, sl_buf *frame, int64_t before) {
    assert(!frame->len);
    w->frame = frame;
    w->before = before;
    w->page = SIZE_MAX;
    w->nrows = w->spelled = 0;
    w->stretch = UINT32_MAX;
    sl_buf_clear(&w->kinds);
    sl_buf_clear(&w->spellings);
    sl_buf_clear(&w->places);
    for (uint32_t i = 0; i < w->nmarks * SL_MARKS; i++) sl_buf_clear(&w->marks[i]);
}

uint32_t sl_leaf_pages(const sl_leaf_writer *w) {
    return (uint32_t)(w->kinds.len / 4);
}

static uint8_t *page_at(const sl_leaf_writer *w, size_t offset) {
    return (uint8_t *)w->frame->data + offset;
}

/* A page more at the frame's end, of KIND; SIZE_MAX when there is no room. */
static size_t add_page(sl_leaf_writer *w, uint32_t kind) {
    if (!sl_buf_reserve(w->frame, SL_LEAF_PAGE)) return SIZE_MAX;
    size_t at = w->frame->len;
    w->frame->len += SL_LEAF_PAGE;
    sl_buf_u32(&w->kinds, kind);
    assert(w->kinds.failed || w->kinds.len / 4 == w->frame->len / SL_LEAF_PAGE);
    return at;
}

static void open_leaf(sl_leaf_writer *w) {
    w->cells = 0;
    w->top = SL_LEAF_PAGE;
    w->page = add_page(w, 0);
}

static size_t used_head(const sl_leaf_writer *w) {
    return HEAD + 2 * (size_t)w->cells;
}

/* The header of the open leaf. */
static void head_leaf(sl_leaf_writer *w) {
    assert(w->page % SL_LEAF_PAGE == 0 && used_head(w) <= w->top && w->top <= SL_LEAF_PAGE);
    uint8_t *p = page_at(w, w->page);
    p[0] = LEAF;
    put_be16(p + 1, 0);
    put_be16(p + 3, w->cells);
    put_be16(p + 5, w->top);
    p[7] = 0;
    if (!w->kinds.failed) memcpy(w->kinds.data + w->page / SL_LEAF_PAGE * 4, &w->cells, 4);
}

static void close_leaf(sl_leaf_writer *w) {
    if (w->page == SIZE_MAX) return;
    memset(page_at(w, w->page) + used_head(w), 0, w->top - used_head(w));
    head_leaf(w);
    w->page = SIZE_MAX;
}

/* The last leaf without the room between its pointers and its cells. Returns its bytes; 0: it is whole. */
static uint32_t cut_tail(sl_leaf_writer *w) {
    if (w->page == SIZE_MAX || w->page + SL_LEAF_PAGE != w->frame->len) {
        close_leaf(w);
        return 0;
    }
    uint8_t *p = page_at(w, w->page);
    size_t used = used_head(w), n = SL_LEAF_PAGE - w->top;
    head_leaf(w);
    memmove(p + used, p + w->top, n);
    w->frame->len = w->page + used + n;
    w->page = SIZE_MAX;
    return (uint32_t)(used + n);
}

/* Room for a cell of N bytes in the open leaf; NULL: it is full. */
static uint8_t *fit_cell(sl_leaf_writer *w, size_t n) {
    if (w->page == SIZE_MAX || used_head(w) + 2 + n > w->top) return NULL;
    uint8_t *p = page_at(w, w->page);
    w->top -= (uint32_t)n;
    put_be16(p + used_head(w), w->top);
    w->cells++;
    return p + w->top;
}

/* The same, in a new leaf if need be; NULL: the frame has failed. */
static uint8_t *add_cell(sl_leaf_writer *w, size_t n) {
    uint8_t *cell = fit_cell(w, n);
    if (SL_LIKELY(cell != NULL)) return cell;
    close_leaf(w);
    open_leaf(w);
    cell = fit_cell(w, n);
    assert(cell || w->page == SIZE_MAX); /* one cell fits an empty leaf */
    return cell;
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
    assert(!n);
}

static uint32_t local_part(uint64_t total) {
    if (total <= LOCAL_MAX) return (uint32_t)total;
    uint64_t k = LOCAL_MIN + (total - LOCAL_MIN) % OVERFLOW_ROOM;
    return (uint32_t)(k <= LOCAL_MAX ? k : LOCAL_MIN);
}

/* The part of a long row that is not on its leaf: a chain of pages at the frame's end, linked by their number in the frame. */
static void add_chain(sl_leaf_writer *w, payload *p, size_t rest) {
    while (rest > 0) {
        size_t n = rest < OVERFLOW_ROOM ? rest : OVERFLOW_ROOM;
        size_t at = add_page(w, SL_LEAF_OVERFLOW);
        if (at == SIZE_MAX) return;
        uint8_t *page = page_at(w, at);
        rest -= n;
        sl_put_be32(page, rest ? (uint32_t)(at / SL_LEAF_PAGE) + 1 : 0);
        take(p, page + 4, n);
        memset(page + 4 + n, 0, OVERFLOW_ROOM - n);
    }
}

/* A row too long for a leaf shares one with others all the same. */
static void spill(sl_leaf_writer *w, const uint8_t *prefix, size_t prefix_n, payload *p) {
    uint32_t local = local_part(p->total);
    uint8_t *cell = add_cell(w, prefix_n + local + 4);
    if (!cell) return;
    memcpy(cell, prefix, prefix_n);
    take(p, cell + prefix_n, local);
    sl_put_be32(cell + prefix_n + local, (uint32_t)(w->frame->len / SL_LEAF_PAGE));
    add_chain(w, p, p->total - local);
}

void sl_leaf_put_rowid(uint8_t *cell, int64_t rowid) {
    while (*cell & 0x80) cell++; /* the payload's length */
    sl_varint_put_wide(cell + 1, (uint64_t)rowid, ROWID_ROOM);
}

/* What stands before a payload of TOTAL bytes; the row counts from here on. Returns its end. */
static uint8_t *put_prefix(sl_leaf_writer *w, uint8_t *out, uint64_t total) {
    out = sl_varint_put(out, total);
    w->nrows++;
    return w->before < 0 ? sl_varint_put_wide(out, 0, ROWID_ROOM)
                         : sl_varint_put(out, (uint64_t)w->before + w->nrows);
}

static void put_payload(sl_leaf_writer *w, payload *p) {
    uint8_t prefix[20];
    size_t prefix_n = (size_t)(put_prefix(w, prefix, p->total) - prefix);
    if (SL_UNLIKELY(p->total > LOCAL_MAX)) {
        spill(w, prefix, prefix_n, p);
        return;
    }
    uint8_t *cell = add_cell(w, prefix_n + p->total);
    if (!cell) return;
    memcpy(cell, prefix, prefix_n);
    take(p, cell + prefix_n, p->total);
}

/* The header's length counts itself. */
static size_t head_length(size_t n) {
    if (n + 1 < 0x80) return n + 1;
    return n + 2 < 0x4000 ? n + 2 : n + 3;
}

void sl_leaf_row(sl_leaf_writer *w, const uint8_t *head, size_t head_n, const uint8_t *body, size_t body_n) {
    static const uint8_t null[1] = {0};
    uint8_t length[10], prefix[30];
    if (!head_n) head = null; /* SQLite has no use for a record without any column */
    if (!head_n) head_n = 1;
    size_t n = (size_t)(sl_varint_put(length, head_length(head_n)) - length), total = n + head_n + body_n;
    if (SL_UNLIKELY(total > LOCAL_MAX)) {
        payload p = {{length, head, body}, {n, head_n, body_n}, total};
        put_payload(w, &p);
        return;
    }
    uint8_t *end = put_prefix(w, prefix, total);
    memcpy(end, length, n);
    size_t prefix_n = (size_t)(end - prefix) + n;
    uint8_t *cell = add_cell(w, prefix_n + head_n + body_n);
    if (!cell) return;
    memcpy(cell, prefix, prefix_n);
    memcpy(cell + prefix_n, head, head_n);
    memcpy(cell + prefix_n + head_n, body, body_n);
}

void sl_leaf_record(sl_leaf_writer *w, const uint8_t *record, size_t n) {
    payload p = {{record}, {n}, n};
    put_payload(w, &p);
}

/* ---- beside the pages ------------------------------------------------------------------------------------------ */

static void put_varint(sl_buf *b, uint64_t v) {
    uint8_t bytes[10];
    sl_buf_add(b, bytes, (size_t)(sl_varint_put(bytes, v) - bytes));
}

void sl_leaf_spell(sl_leaf_writer *w, uint32_t column, sl_text text) {
    assert(w->spelled <= w->nrows);
    put_varint(&w->spellings, w->nrows - w->spelled);
    put_varint(&w->spellings, column);
    put_varint(&w->spellings, text.n);
    sl_buf_text(&w->spellings, text);
    w->spelled = w->nrows;
}

static bool room_for_marks(sl_leaf_writer *w, uint32_t column) {
    if (column < w->nmarks) return true;
    uint32_t n = column + 16;
    sl_buf *marks = realloc(w->marks, (size_t)n * SL_MARKS * sizeof *marks);
    if (!marks) return false;
    memset(marks + w->nmarks * SL_MARKS, 0, (size_t)(n - w->nmarks) * SL_MARKS * sizeof *marks);
    w->marks = marks;
    w->nmarks = n;
    return true;
}

static void mark_row(sl_leaf_writer *w, uint32_t column, sl_mark mark, uint32_t row) {
    if (!room_for_marks(w, column)) {
        w->kinds.failed = true;
        return;
    }
    sl_buf *bits = &w->marks[column * SL_MARKS + mark];
    size_t at = row / 8;
    if (at >= bits->len) {
        size_t more = at + 1 - bits->len;
        if (!sl_buf_reserve(bits, more)) return;
        memset(bits->data + bits->len, 0, more);
        bits->len += more;
    }
    bits->data[at] = (char)(bits->data[at] | 1 << row % 8);
}

void sl_leaf_mark(sl_leaf_writer *w, uint32_t column, sl_mark mark) {
    mark_row(w, column, mark, w->nrows);
}

/* The count of rows that its beginning leaves room for. */
static void close_stretch(sl_leaf_writer *w) {
    assert(w->stretch == UINT32_MAX || w->places.failed || w->stretch < w->places.len);
    if (w->stretch != UINT32_MAX && !w->places.failed)
        memcpy(w->places.data + w->stretch, &w->stretch_rows, sizeof w->stretch_rows);
    w->stretch = UINT32_MAX;
}

static void open_stretch(sl_leaf_writer *w, sl_text source) {
    close_stretch(w);
    w->stretch = (uint32_t)w->places.len;
    w->stretch_rows = 0;
    w->line = 0;
    sl_buf_u32(&w->places, 0);
    sl_buf_u32(&w->places, source.n);
    sl_buf_text(&w->places, source);
}

/* A stretch of rows of one source: u32 rows, u32 length and bytes of its name; then for each row the varint of twice the lines since the
 * row before (since 0 for the first of a stretch), or of twice those back to it and one. */
void sl_leaf_place(sl_leaf_writer *w, sl_text source, bool same_source, uint64_t line) {
    if (!same_source || w->stretch == UINT32_MAX) open_stretch(w, source);
    uint64_t step = line >= w->line ? (line - w->line) << 1 : (w->line - line) << 1 | 1;
    if (SL_LIKELY(step < 0x80))
        sl_buf_byte(&w->places, (char)step);
    else
        put_varint(&w->places, step);
    w->line = line;
    w->stretch_rows++;
}

static void put_marks(sl_leaf_writer *w, uint32_t ncols) {
    static const sl_buf none = {0};
    for (uint32_t i = 0; i < ncols * SL_MARKS; i++) {
        const sl_buf *bits = i < w->nmarks * SL_MARKS ? &w->marks[i] : &none;
        w->frame->failed |= bits->failed;
        sl_buf_u32(w->frame, (uint32_t)bits->len);
        sl_buf_add(w->frame, bits->data, bits->len);
    }
}

static void put_trailer(sl_leaf_writer *w, uint32_t tail, const sl_text *names, const uint8_t *seen,
                        uint32_t ncols) {
    sl_buf *frame = w->frame;
    sl_buf_u32(frame, sl_leaf_pages(w));
    sl_buf_u32(frame, tail);
    sl_buf_u32(frame, w->nrows);
    sl_buf_u32(frame, ncols);
    for (uint32_t c = 0; c < ncols; c++) {
        sl_buf_u32(frame, names[c].n);
        sl_buf_text(frame, names[c]);
    }
    sl_buf_add(frame, seen, ncols);
    sl_buf_add(frame, w->kinds.data, w->kinds.len);
    put_marks(w, ncols);
    sl_buf_u64(frame, w->spellings.len);
    sl_buf_add(frame, w->spellings.data, w->spellings.len);
    sl_buf_u64(frame, w->places.len);
    sl_buf_add(frame, w->places.data, w->places.len);
}

sl_status sl_leaf_finish(sl_leaf_writer *w, const sl_text *names, const uint8_t *seen, uint32_t ncols,
                         sl_error *err) {
    uint32_t tail = cut_tail(w);
    close_stretch(w);
    uint64_t at = w->frame->len;
    put_trailer(w, tail, names, seen, ncols);
    sl_buf_u64(w->frame, at);
    TRY(sl_buf_check(&w->kinds, err));
    TRY(sl_buf_check(&w->spellings, err));
    TRY(sl_buf_check(&w->places, err));
    return sl_buf_check(w->frame, err);
}

void sl_leaf_free(sl_leaf_writer *w) {
    for (uint32_t i = 0; i < w->nmarks * SL_MARKS; i++) sl_buf_free(&w->marks[i]);
    free(w->marks);
    w->marks = NULL;
    w->nmarks = 0;
    sl_buf_free(&w->kinds);
    sl_buf_free(&w->spellings);
    sl_buf_free(&w->places);
}

/* ---- reading frames -------------------------------------------------------------------------------------------- */

static sl_status damaged(sl_error *err) {
    return sl_fail(err, SL_E_INTERNAL, "a frame of SQLite pages is damaged");
}

/* COUNT pieces, each behind its length. */
static sl_text pieces(sl_cursor *c, size_t count) {
    const char *from = c->at;
    for (size_t i = 0; i < count && !c->failed; i++) sl_cursor_bytes(c, sl_cursor_u32(c));
    return sl_text_n(from, (size_t)(c->at - from));
}

static sl_text long_piece(sl_cursor *c) {
    uint64_t n = sl_cursor_u64(c);
    return sl_text_n(sl_cursor_bytes(c, n), n);
}

sl_status sl_leaf_open_parts(sl_leaf_frame *f, const char *pages, uint32_t base, const char *trailer,
                             size_t n, sl_error *err) {
    sl_cursor c = {trailer, trailer + n, false};
    *f = (sl_leaf_frame){.pages = pages, .base = base, .trailer = trailer, .trailer_n = n};
    f->npages = sl_cursor_u32(&c);
    sl_cursor_u32(&c); /* the tail: the pages are whole */
    f->nrows = sl_cursor_u32(&c);
    f->ncols = sl_cursor_u32(&c);
    f->names = pieces(&c, f->ncols);
    f->seen = sl_cursor_bytes(&c, f->ncols);
    f->kinds = sl_cursor_bytes(&c, (size_t)f->npages * 4);
    f->marks = pieces(&c, (size_t)f->ncols * SL_MARKS);
    f->spellings = long_piece(&c);
    f->places = long_piece(&c);
    return c.failed ? damaged(err) : SL_OK;
}

sl_status sl_leaf_open(sl_leaf_frame *f, const char *data, size_t n, sl_error *err) {
    uint64_t at;
    if (n < sizeof at) return damaged(err);
    memcpy(&at, data + n - sizeof at, sizeof at);
    if (at > n - sizeof at) return damaged(err);
    TRY(sl_leaf_open_parts(f, data, 0, data + at, n - sizeof at - at, err));
    memcpy(&f->tail, data + at + 4, 4);
    uint64_t whole = (uint64_t)f->npages * SL_LEAF_PAGE;
    return at == (f->tail ? whole - SL_LEAF_PAGE + f->tail : whole) ? SL_OK : damaged(err);
}

/* ---- frames put together --------------------------------------------------------------------------------------- */

static void join_marks(sl_leaf_writer *w, const sl_leaf_frame *f) {
    sl_cursor c = {f->marks.s, f->marks.s + f->marks.n, false};
    for (uint32_t i = 0; i < f->ncols * SL_MARKS; i++) {
        uint32_t n = sl_cursor_u32(&c);
        const char *bits = sl_cursor_bytes(&c, n);
        for (uint32_t row = 0; bits && row < n * 8; row++)
            if ((unsigned char)bits[row / 8] >> row % 8 & 1)
                mark_row(w, i / SL_MARKS, (sl_mark)(i % SL_MARKS), w->nrows + row);
    }
}

/* The first one counts its rows from the last of W, the others go over as they are. */
static void join_spellings(sl_leaf_writer *w, const sl_leaf_frame *f) {
    const uint8_t *at = (const uint8_t *)f->spellings.s, *end = at + f->spellings.n;
    if (!f->spellings.n) return;
    uint64_t row, more, column, n;
    at = sl_varint_get(at, end, &row);
    put_varint(&w->spellings, w->nrows + row - w->spelled);
    sl_buf_add(&w->spellings, at, (size_t)(end - at));
    for (;;) {
        at = sl_varint_get(sl_varint_get(at, end, &column), end, &n) + n;
        if (at >= end) break;
        at = sl_varint_get(at, end, &more);
        row += more;
    }
    w->spelled = w->nrows + (uint32_t)row;
}

/* A row without any column is a record of one NULL, which in a wider frame would say that its first column is null. */
static void mark_rows_without_columns(sl_leaf_writer *w, const sl_leaf_frame *f) {
    for (uint32_t row = 0; row < f->nrows; row++) mark_row(w, 0, SL_MARK_MISSING, w->nrows + row);
}

void sl_leaf_join(sl_leaf_writer *w, const sl_leaf_frame *f) {
    if (f->ncols == 0) mark_rows_without_columns(w, f);
    join_marks(w, f);
    join_spellings(w, f);
    close_stretch(w);
    sl_buf_text(&w->places, f->places);
}

uint32_t sl_leaf_kind(const sl_leaf_frame *f, uint32_t page) {
    assert(page < f->npages);
    uint32_t kind;
    memcpy(&kind, f->kinds + (size_t)page * 4, sizeof kind);
    return kind;
}

static bool is_cut(const sl_leaf_frame *f, uint32_t page) {
    return f->tail && page + 1 == f->npages;
}

const uint8_t *sl_leaf_cell(const sl_leaf_frame *f, uint32_t page, uint32_t i) {
    assert(sl_leaf_kind(f, page) != SL_LEAF_OVERFLOW && i < sl_leaf_kind(f, page));
    const uint8_t *p = (const uint8_t *)f->pages + (size_t)page * SL_LEAF_PAGE, *pointer = p + HEAD + 2 * i;
    size_t offset = (size_t)pointer[0] << 8 | pointer[1];
    return p + (is_cut(f, page) ? offset - (SL_LEAF_PAGE - f->tail) : offset);
}

void sl_leaf_copy_pages(const sl_leaf_frame *f, sl_buf *out) {
    size_t whole = (size_t)f->npages * SL_LEAF_PAGE, at = out->len;
    if (!f->tail) {
        sl_buf_add(out, f->pages, whole);
        return;
    }
    if (!sl_buf_reserve(out, whole)) return;
    size_t head = HEAD + 2 * (size_t)sl_leaf_kind(f, f->npages - 1), before = whole - SL_LEAF_PAGE;
    const char *tail = f->pages + before;
    memcpy(out->data + at, f->pages, before + head);
    memset(out->data + at + before + head, 0, SL_LEAF_PAGE - f->tail);
    memcpy(out->data + at + before + head + (SL_LEAF_PAGE - f->tail), tail + head, f->tail - head);
    out->len += whole;
}

const uint8_t *sl_leaf_payload(const uint8_t *cell, uint64_t *length, uint32_t *local) {
    const uint8_t *at = sl_varint_get(cell, cell + 9, length);
    *local = local_part(*length);
    while (*at & 0x80) at++;
    return at + 1;
}
