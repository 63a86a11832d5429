/* cells.c: rows of a frame as cells, and cells as rows. It is for frames that cannot stay as they are: columns in another order,
 * or a column that became TEXT. Reading goes through the overflow pages of long rows, so a row may be of any size. */
#include "sinks/sqlite/cells.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "record/number/number.h"

sl_text sl_cell_text(const sl_cell *cell, char digits[32]) {
    switch (cell->kind) {
    case SL_CELL_BOOL: return cell->i ? SL_TEXT("true") : SL_TEXT("false");
    case SL_CELL_INT: return (sl_text){digits, sl_format_int(cell->i, digits)};
    case SL_CELL_REAL:
        return cell->text.s ? cell->text : (sl_text){digits, sl_format_double(cell->f, digits)};
    case SL_CELL_TEXT: return cell->text;
    case SL_CELL_EMPTY:
    case SL_CELL_MISSING:
    case SL_CELL_NULL: break;
    }
    return (sl_text){"", 0};
}

/* ---- records --------------------------------------------------------------------------------------------------- */

static sl_status damaged(sl_error *err) {
    return sl_fail(err, SL_E_INTERNAL, "a row of a frame of SQLite pages is damaged");
}

/* The whole payload of CELL, in ROOM when it goes on in overflow pages. NULL: no memory. */
static const uint8_t *payload_of(const sl_leaf_frame *f, const uint8_t *cell, uint64_t *length,
                                 sl_buf *room) {
    uint32_t local;
    const uint8_t *at = sl_leaf_payload(cell, length, &local);
    if (SL_LIKELY(local == *length)) return at;
    sl_buf_clear(room);
    sl_buf_add(room, at, local);
    uint32_t number = sl_get_be32(at + local);
    for (uint64_t rest = *length - local; rest > 0 && number >= f->base && number - f->base < f->npages;) {
        const char *page = f->pages + (size_t)(number - f->base) * SL_LEAF_PAGE;
        size_t n = rest < SL_LEAF_PAGE - 4 ? (size_t)rest : SL_LEAF_PAGE - 4;
        sl_buf_add(room, page + 4, n);
        number = sl_get_be32((const uint8_t *)page);
        rest -= n;
    }
    return room->failed ? NULL : (const uint8_t *)room->data;
}

static uint32_t serial_bytes(uint64_t type) {
    static const uint8_t bytes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return type < SL_COUNT(bytes) ? bytes[type] : (uint32_t)((type - 12) / 2);
}

static int64_t serial_int(uint64_t type, const uint8_t *at, uint32_t n) {
    if (type >= 8) return (int64_t)type - 8;
    uint64_t v = n && at[0] & 0x80 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < n; i++) v = v << 8 | at[i];
    return (int64_t)v;
}

static double serial_real(const uint8_t *at) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < 8; i++) bits = bits << 8 | at[i];
    double f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static sl_cell cell_of(uint64_t type, const uint8_t *at, uint32_t n) {
    if (type == 0) return (sl_cell){.kind = SL_CELL_NULL};
    if (type == 7) return (sl_cell){.kind = SL_CELL_REAL, .f = serial_real(at)};
    if (type >= 12) return (sl_cell){.kind = n ? SL_CELL_TEXT : SL_CELL_EMPTY, .text = {(const char *)at, n}};
    bool is_bool = type == 1 && (at[0] == 0 || at[0] == 1);
    return (sl_cell){.kind = is_bool ? SL_CELL_BOOL : SL_CELL_INT, .i = serial_int(type, at, n)};
}

/* A record may be shorter than its frame has columns: those behind are missing. */
static bool split_record(sl_cells_reader *r, const uint8_t *record, uint64_t length) {
    for (uint32_t c = 0; c < r->ncols; c++) r->cells[c].kind = SL_CELL_MISSING;
    uint64_t head_n;
    const uint8_t *end = record + length, *at = sl_varint_get(record, end, &head_n);
    if (!at || head_n > length) return false;
    const uint8_t *head_end = record + head_n, *body = head_end;
    for (uint32_t c = 0; at < head_end; c++) {
        uint64_t type;
        at = sl_varint_get(at, head_end, &type);
        if (!at || (c >= r->frame->ncols && type)) return false;
        if (c >= r->frame->ncols) break; /* the NULL of a row without any column */
        uint32_t n = serial_bytes(type);
        if (n > (size_t)(end - body)) return false;
        r->cells[r->place[c]] = cell_of(type, body, n);
        body += n;
    }
    return true;
}

/* ---- what stands beside ---------------------------------------------------------------------------------------- */

static uint64_t take_varint(sl_cursor *c) {
    uint64_t v;
    const uint8_t *at = (const uint8_t *)c->at, *end = (const uint8_t *)c->end;
    const uint8_t *next = at < end ? sl_varint_get(at, end, &v) : NULL;
    if (!next) {
        c->failed = true;
        c->at = c->end;
        return 0;
    }
    c->at = (const char *)next;
    return v;
}

static void next_spelling(sl_cells_reader *r) {
    if (r->spellings.at < r->spellings.end)
        r->spelled += take_varint(&r->spellings);
    else
        r->spelled = UINT64_MAX;
}

/* A number with a spelling is a real, also where it is held as an integer. */
static void spell_cells(sl_cells_reader *r) {
    while (r->spelled == r->row && !r->spellings.failed) {
        uint64_t column = take_varint(&r->spellings), n = take_varint(&r->spellings);
        const char *s = sl_cursor_bytes(&r->spellings, n);
        if (!s || column >= r->frame->ncols) {
            r->spellings.failed = true;
            return;
        }
        sl_cell *cell = &r->cells[r->place[column]];
        if (cell->kind != SL_CELL_REAL) cell->f = (double)cell->i;
        cell->kind = SL_CELL_REAL;
        cell->text = sl_text_n(s, n);
        next_spelling(r);
    }
}

static bool is_marked(const sl_cells_reader *r, uint32_t column, sl_mark mark) {
    sl_text bits = r->marks[column * SL_MARKS + mark];
    uint32_t at = r->row / 8;
    return at < bits.n && (unsigned char)bits.s[at] >> r->row % 8 & 1;
}

static void mark_cells(sl_cells_reader *r) {
    for (uint32_t c = 0; c < r->frame->ncols; c++) {
        sl_cell *cell = &r->cells[r->place[c]];
        if (cell->kind != SL_CELL_NULL) continue;
        if (is_marked(r, c, SL_MARK_MISSING)) cell->kind = SL_CELL_MISSING;
        if (is_marked(r, c, SL_MARK_EMPTY)) cell->kind = SL_CELL_EMPTY;
    }
}

static void read_place(sl_cells_reader *r) {
    if (!r->stretch) {
        if (r->places.at == r->places.end) {
            r->source = (sl_text){0};
            r->line = 0;
            return;
        }
        r->stretch = sl_cursor_u32(&r->places);
        uint32_t n = sl_cursor_u32(&r->places);
        r->source = sl_text_n(sl_cursor_bytes(&r->places, n), n);
        r->line = 0;
    }
    assert(r->stretch || r->places.failed);
    uint64_t step = take_varint(&r->places);
    r->line = step & 1 ? r->line - (step >> 1) : r->line + (step >> 1);
    r->stretch--;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static sl_status make_room(sl_cells_reader *r, uint32_t ncols, uint32_t nmarks, sl_error *err) {
    return SL_ROOM(r->cells, r->cap_cells, ncols + 1) && SL_ROOM(r->marks, r->cap_marks, nmarks + 1)
               ? SL_OK
               : sl_oom(err);
}

static sl_cursor over(sl_text t) {
    return (sl_cursor){t.s, t.s + t.n, false};
}

sl_status sl_cells_open(sl_cells_reader *r, const sl_leaf_frame *frame, const uint32_t *place, uint32_t ncols,
                        sl_error *err) {
    TRY(make_room(r, ncols, frame->ncols * SL_MARKS, err));
    for (uint32_t c = 0; c < frame->ncols; c++) assert(place[c] < ncols);
    r->frame = frame;
    r->place = place;
    r->ncols = ncols;
    r->page = r->at = 0;
    r->row = UINT32_MAX; /* before the first */
    r->spellings = over(frame->spellings);
    r->places = over(frame->places);
    r->stretch = 0;
    r->spelled = 0;
    next_spelling(r);
    sl_cursor marks = over(frame->marks);
    for (uint32_t i = 0; i < frame->ncols * SL_MARKS; i++) {
        uint32_t n = sl_cursor_u32(&marks);
        r->marks[i] = sl_text_n(sl_cursor_bytes(&marks, n), n);
    }
    return SL_OK;
}

/* The next cell of the frame's leaves; NULL behind the last. */
static const uint8_t *next_cell(const sl_leaf_frame *f, uint32_t *page, uint32_t *at) {
    for (; *page < f->npages; ++*page, *at = 0) {
        uint32_t kind = sl_leaf_kind(f, *page);
        if (kind != SL_LEAF_OVERFLOW && *at < kind) return sl_leaf_cell(f, *page, (*at)++);
    }
    return NULL;
}

sl_status sl_cells_next(sl_cells_reader *r, sl_error *err) {
    const uint8_t *cell = next_cell(r->frame, &r->page, &r->at);
    if (!cell) return SL_DONE;
    uint64_t length;
    const uint8_t *record = payload_of(r->frame, cell, &length, &r->record);
    if (!record) return sl_buf_check(&r->record, err);
    r->row++;
    if (!split_record(r, record, length)) return damaged(err);
    mark_cells(r);
    spell_cells(r);
    read_place(r);
    return r->spellings.failed || r->places.failed ? damaged(err) : SL_OK;
}

void sl_cells_free(sl_cells_reader *r) {
    free(r->cells);
    free(r->marks);
    sl_buf_free(&r->record);
    *r = (sl_cells_reader){0};
}

/* ---- frames put together --------------------------------------------------------------------------------------- */

static sl_status append_records(sl_leaf_writer *w, const sl_leaf_frame *f, sl_buf *room, sl_error *err) {
    uint32_t page = 0, at = 0;
    for (const uint8_t *cell; (cell = next_cell(f, &page, &at));) {
        uint64_t length;
        const uint8_t *record = payload_of(f, cell, &length, room);
        if (!record) return sl_buf_check(room, err);
        sl_leaf_record(w, record, length);
    }
    return SL_OK;
}

sl_status sl_cells_append_all(sl_leaf_writer *w, const sl_leaf_frame *f, sl_buf *room, sl_error *err) {
    sl_leaf_join(w, f);
    return append_records(w, f, room, err);
}

/* ---- records of cells ------------------------------------------------------------------------------------------ */

sl_status sl_cells_writer_open(sl_cells_writer *rw, uint32_t ncols, sl_error *err) {
    if (rw->head && ncols <= rw->ncols) return SL_OK;
    uint8_t *head = realloc(rw->head, (size_t)ncols * 9 + 9);
    if (!head) return sl_oom(err);
    rw->head = head;
    rw->ncols = ncols;
    return sl_buf_reserve(&rw->body, 1) ? SL_OK : sl_oom(err);
}

void sl_cells_writer_free(sl_cells_writer *rw) {
    free(rw->head);
    sl_buf_free(&rw->body);
}

static uint8_t *put_null(uint8_t *head) {
    *head = 0;
    return head + 1;
}

static uint8_t *put_text(sl_cells_writer *rw, uint8_t *head, sl_text t) {
    sl_buf_text(&rw->body, t);
    return sl_varint_put(head, 13 + 2 * (uint64_t)t.n);
}

/* KEEP: booleans stay told from integers. */
static uint8_t *put_number(sl_cells_writer *rw, uint8_t *head, const sl_cell *cell, bool keep) {
    if (!sl_buf_reserve(&rw->body, 8)) return head;
    uint8_t *body = (uint8_t *)rw->body.data + rw->body.len, *end;
    if (cell->kind == SL_CELL_BOOL && keep)
        end = sl_record_bool(&head, body, cell->i);
    else if (cell->kind != SL_CELL_REAL)
        end = sl_record_int(&head, body, cell->i);
    else if (sl_record_is_whole(cell->f))
        end = sl_record_int(&head, body, (int64_t)cell->f);
    else
        end = sl_record_real(&head, body, cell->f);
    rw->body.len += (size_t)(end - body);
    return head;
}

static sl_status end_row(sl_cells_writer *rw, const uint8_t *head, sl_leaf_writer *out, sl_error *err) {
    assert(head >= rw->head && head <= rw->head + (size_t)rw->ncols * 9);
    TRY(sl_buf_check(&rw->body, err));
    sl_leaf_row(out, rw->head, (size_t)(head - rw->head), (const uint8_t *)rw->body.data, rw->body.len);
    return SL_OK;
}

static uint8_t *put_cell(sl_cells_writer *rw, uint8_t *head, const sl_cell *cell, bool to_text) {
    char digits[32];
    bool null = cell->kind <= SL_CELL_NULL || (cell->kind == SL_CELL_EMPTY && !to_text && !cell->text.s);
    if (null) return put_null(head);
    if (to_text || cell->kind == SL_CELL_TEXT || cell->kind == SL_CELL_EMPTY)
        return put_text(rw, head, sl_cell_text(cell, digits));
    return put_number(rw, head, cell, false);
}

sl_status sl_cells_write(sl_cells_writer *rw, const sl_cell *cells, const bool *to_text, sl_leaf_writer *out,
                         sl_error *err) {
    uint8_t *head = rw->head;
    sl_buf_clear(&rw->body);
    for (uint32_t c = 0; c < rw->ncols; c++) head = put_cell(rw, head, &cells[c], to_text[c]);
    return end_row(rw, head, out, err);
}

static uint8_t *keep_cell(sl_cells_writer *rw, uint8_t *head, const sl_cell *cell, uint32_t column,
                          sl_leaf_writer *out) {
    switch (cell->kind) {
    case SL_CELL_MISSING: sl_leaf_mark(out, column, SL_MARK_MISSING); return put_null(head);
    case SL_CELL_NULL: return put_null(head);
    case SL_CELL_TEXT: return put_text(rw, head, cell->text);
    case SL_CELL_EMPTY:
        if (cell->text.s) return put_text(rw, head, cell->text);
        sl_leaf_mark(out, column, SL_MARK_EMPTY);
        return put_null(head);
    case SL_CELL_REAL:
        if (cell->text.s) sl_leaf_spell(out, column, cell->text);
        break;
    case SL_CELL_INT:
    case SL_CELL_BOOL: break;
    }
    return put_number(rw, head, cell, true);
}

sl_status sl_cells_keep(sl_cells_writer *rw, const sl_cell *cells, sl_leaf_writer *out, sl_error *err) {
    uint8_t *head = rw->head;
    sl_buf_clear(&rw->body);
    for (uint32_t c = 0; c < rw->ncols; c++) head = keep_cell(rw, head, &cells[c], c, out);
    return end_row(rw, head, out, err);
}
