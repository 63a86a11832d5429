/* sqlite_recode.c: a frame's rows decoded and written again with other columns, or with texts where numbers were. The rare way:
 * items whose keys come in another order, and columns that turned out to be TEXT after they had looked like numbers. */
#include <stdlib.h>

#include "base/error.h"
#include "record/number.h"
#include "sinks/sqlite_leaf.h"

typedef struct cell {
    uint64_t type; /* serial type */
    const uint8_t *at;
    uint32_t n;
    sl_text log; /* .s NULL: none */
} cell;

typedef struct recoder {
    const sl_leaf_frame *from;
    const uint32_t *place;
    const bool *to_text;
    uint32_t ncols;
    cell *cells;   /* [ncols] of the row at hand, by new place */
    uint8_t *seen; /* [ncols] */
    uint8_t *head; /* 9 bytes a column */
    sl_buf body, record;
    sl_cursor log;
    uint32_t row;
    sl_leaf_writer out;
} recoder;

/* ---- decoding -------------------------------------------------------------------------------------------------- */

static uint32_t serial_bytes(uint64_t type) {
    static const uint8_t bytes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return type < SL_COUNT(bytes) ? bytes[type] : (uint32_t)((type - 12) / 2);
}

static int64_t serial_int(const cell *c) {
    if (c->type >= 8) return (int64_t)c->type - 8;
    uint64_t v = c->n && c->at[0] & 0x80 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < c->n; i++) v = v << 8 | c->at[i];
    return (int64_t)v;
}

static double serial_real(const cell *c) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < 8; i++) bits = bits << 8 | c->at[i];
    double f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* The whole payload of a cell whose page numbers are still the frame's own, or, when they are not, of a chain whose pages follow
 * one another behind page PAGE all the same. */
static const uint8_t *whole_payload(recoder *r, uint32_t page, const uint8_t *at, uint64_t length,
                                    uint32_t local) {
    if (local == length) return at;
    sl_buf_clear(&r->record);
    sl_buf_add(&r->record, at, local);
    for (uint64_t rest = length - local; rest > 0;) {
        size_t n = rest < SL_LEAF_PAGE - 4 ? (size_t)rest : SL_LEAF_PAGE - 4;
        page++;
        sl_buf_add(&r->record, r->from->pages + (size_t)page * SL_LEAF_PAGE + 4, n);
        rest -= n;
    }
    return r->record.failed ? NULL : (const uint8_t *)r->record.data;
}

/* Columns that the record has; a record may be shorter than its table. */
static bool split_record(recoder *r, const uint8_t *record, uint64_t length) {
    memset(r->cells, 0, r->ncols * sizeof *r->cells);
    uint64_t head_n;
    const uint8_t *at = sl_varint_get(record, record + length, &head_n);
    if (!at || head_n > length) return false;
    const uint8_t *head_end = record + head_n, *body = head_end;
    for (uint32_t c = 0; at < head_end; c++) {
        uint64_t type;
        at = sl_varint_get(at, head_end, &type);
        if (!at || c >= r->from->ncols) return false;
        uint32_t n = serial_bytes(type);
        if (n > (size_t)(record + length - body)) return false;
        r->cells[r->place[c]] = (cell){type, body, n, {0}};
        body += n;
    }
    return true;
}

/* Gives the cells of the row their logged texts. */
static void attach_log(recoder *r) {
    while (r->log.at < r->log.end) {
        sl_cursor peek = r->log;
        uint32_t column = sl_cursor_u32(&peek), row = sl_cursor_u32(&peek), n = sl_cursor_u32(&peek);
        const char *s = sl_cursor_bytes(&peek, n);
        if (peek.failed || row != r->row || column >= r->from->ncols) return;
        r->cells[r->place[column]].log = (sl_text){s, n};
        r->log = peek;
    }
}

/* ---- encoding -------------------------------------------------------------------------------------------------- */

static uint8_t *put_text(recoder *r, uint8_t *head, sl_text t) {
    sl_buf_text(&r->body, t);
    return sl_varint_put(head, 13 + 2 * (uint64_t)t.n);
}

static uint8_t *put_as_text(recoder *r, uint8_t *head, uint32_t c) {
    const cell *v = &r->cells[c];
    char digits[32];
    if (v->log.s) return put_text(r, head, v->log);
    if (v->type == 7) return put_text(r, head, (sl_text){digits, sl_format_double(serial_real(v), digits)});
    return put_text(r, head, (sl_text){digits, sl_format_int(serial_int(v), digits)});
}

static bool is_stored_text(uint64_t type) {
    return type >= 12;
}

static uint8_t *put_cell(recoder *r, uint8_t *head, uint32_t c) {
    const cell *v = &r->cells[c];
    if (r->to_text[c] && !is_stored_text(v->type) && (v->type || v->log.s)) return put_as_text(r, head, c);
    if (v->log.s) sl_leaf_log(&r->out, c, v->log);
    sl_buf_add(&r->body, v->at, v->n);
    return sl_varint_put(head, v->type);
}

static bool recode_row(recoder *r, uint32_t page, const uint8_t *at) {
    uint64_t length;
    uint32_t local;
    at = sl_leaf_payload(at, &length, &local);
    const uint8_t *record = whole_payload(r, page, at, length, local);
    if (!record || !split_record(r, record, length)) return false;
    attach_log(r);
    sl_buf_clear(&r->body);
    uint8_t *head = r->head;
    for (uint32_t c = 0; c < r->ncols; c++) head = put_cell(r, head, c);
    if (r->body.failed) return false;
    sl_leaf_row(&r->out, r->head, (size_t)(head - r->head), (const uint8_t *)r->body.data, r->body.len);
    r->row++;
    return true;
}

static bool recode_page(recoder *r, uint32_t page, uint32_t cells) {
    const uint8_t *p = (const uint8_t *)r->from->pages + (size_t)page * SL_LEAF_PAGE;
    for (uint32_t i = 0; i < cells; i++) {
        uint32_t offset = (uint32_t)p[8 + 2 * i] << 8 | p[9 + 2 * i];
        if (!recode_row(r, page, p + offset)) return false;
    }
    return true;
}

/* What the new columns show: numbers that have become texts are texts. */
static void carry_evidence(recoder *r) {
    for (uint32_t c = 0; c < r->from->ncols; c++) {
        uint8_t seen = (uint8_t)r->from->seen[c];
        uint32_t to = r->place[c];
        r->seen[to] = r->to_text[to] && seen ? SL_SEEN_TEXT : seen;
    }
}

static sl_status recode_all(recoder *r, const sl_text *names, sl_error *err) {
    for (uint32_t page = 0; page < r->from->npages; page++) {
        uint32_t kind = sl_leaf_kind(r->from, page);
        if (kind == SL_LEAF_OVERFLOW) continue;
        if (recode_page(r, page, kind & ~SL_LEAF_SPILLS)) continue;
        TRY(sl_buf_check(&r->body, err));
        TRY(sl_buf_check(&r->record, err));
        return sl_fail(err, SL_E_INTERNAL, "a row of a frame of SQLite pages is damaged");
    }
    carry_evidence(r);
    return sl_leaf_finish(&r->out, names, r->seen, r->ncols, err);
}

sl_status sl_leaf_recode(const sl_leaf_frame *f, const uint32_t *place, const bool *to_text,
                         const sl_text *names, uint32_t ncols, sl_buf *frame, sl_error *err) {
    recoder r = {.from = f,
                 .place = place,
                 .to_text = to_text,
                 .ncols = ncols,
                 .log = {f->log, f->log + f->log_n, false}};
    r.cells = calloc(ncols + 1, sizeof *r.cells);
    r.seen = calloc(ncols + 1, 1);
    r.head = malloc((size_t)ncols * 9 + 9);
    sl_buf_reserve(&r.body, 1);
    sl_leaf_begin(&r.out, frame);
    sl_status s = r.cells && r.seen && r.head ? recode_all(&r, names, err) : sl_oom(err);
    sl_leaf_free(&r.out);
    sl_buf_free(&r.body);
    sl_buf_free(&r.record);
    free(r.head);
    free(r.seen);
    free(r.cells);
    return s;
}
