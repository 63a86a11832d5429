/* encode.c: batches as CSV, in the worker. Fields and records that are written in the sink's style already are copied as they
 * lie in the input, which is what makes copying and filtering fast. Items of one frame may have different keys: each change of
 * keys begins a section. */
#include "sinks/csv/csv.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "record/cast.h"
#include "record/number/number.h"
#include "record/raw.h"

enum { NOWHERE = -1, SECTION_HEAD = 16 };

struct sl_csv_encoder {
    const sl_csv_style *style;
    size_t section; /* where the open section begins in the frame; SIZE_MAX: none is open */
    size_t rows_at; /* where its rows begin */
    uint32_t nrows; /* of it */
    sl_text *names; /* of it, for the batch at hand: views into the frame are taken anew for each batch */
    int *place;     /* [ncols] column of the batch at hand, or NOWHERE */
    uint32_t ncols, cap_names, cap_place;
    bool *inside, *sparse; /* [columns of the batch]: is in the section; has rows without it */
    uint32_t cap_inside, cap_sparse;
};

sl_status sl_csv_style_check(const sl_csv_style *style, sl_error *err) {
    char d = style->delimiter, q = style->quote;
    if (!d || d == '\n' || d == '\r')
        return sl_fail(err, SL_E_PLAN, "the delimiter must be one character, no line end");
    if (!q || q == '\n' || q == '\r')
        return sl_fail(err, SL_E_PLAN, "the quote must be one character, no line end");
    if (d == q) return sl_fail(err, SL_E_PLAN, "delimiter and quote are both '%c'", d);
    return SL_OK;
}

sl_csv_encoder *sl_csv_encoder_new(const sl_csv_style *style) {
    sl_csv_encoder *e = calloc(1, sizeof *e);
    if (e) e->style = style;
    return e;
}

void sl_csv_encoder_free(sl_csv_encoder *e) {
    if (!e) return;
    free(e->names);
    free(e->place);
    free(e->inside);
    free(e->sparse);
    free(e);
}

/* ---- cells ----------------------------------------------------------------------------------------------------- */

static uint64_t spread(char c) {
    return 0x0101010101010101u * (unsigned char)c;
}

/* Not zero when a byte of X is zero. */
static uint64_t zero_byte(uint64_t x) {
    return (x - 0x0101010101010101u) & ~x & 0x8080808080808080u;
}

static bool is_special(const sl_csv_style *style, char c) {
    return c == style->delimiter || c == style->quote || c == '\n' || c == '\r';
}

static bool needs_quotes(const sl_csv_style *style, sl_text t) {
    uint64_t delimiter = spread(style->delimiter), quote = spread(style->quote), lf = spread('\n'),
             cr = spread('\r');
    uint32_t i = 0;
    for (; t.n - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, t.s + i, 8);
        if (zero_byte(w ^ delimiter) | zero_byte(w ^ quote) | zero_byte(w ^ lf) | zero_byte(w ^ cr))
            return true;
    }
    for (; i < t.n; i++)
        if (is_special(style, t.s[i])) return true;
    return false;
}

static void put_quoted(const sl_csv_style *style, sl_text t, sl_buf *out) {
    char q = style->quote;
    sl_buf_byte(out, q);
    while (t.n) {
        const char *hit = memchr(t.s, q, t.n);
        uint32_t n = hit ? (uint32_t)(hit - t.s) + 1 : t.n;
        sl_buf_add(out, t.s, n);
        if (hit) sl_buf_byte(out, q);
        t = (sl_text){t.s + n, t.n - n};
    }
    sl_buf_byte(out, q);
}

void sl_csv_end_line(const sl_csv_style *style, sl_buf *out) {
    if (style->crlf) sl_buf_byte(out, '\r');
    sl_buf_byte(out, '\n');
}

void sl_csv_put(const sl_csv_style *style, sl_text cell, sl_buf *out) {
    if (needs_quotes(style, cell))
        put_quoted(style, cell, out);
    else
        sl_buf_text(out, cell);
}

/* A field that still has its doubled quotes; they are the ones we would write unless the styles differ. */
static sl_status put_raw_csv(const sl_csv_style *style, sl_value v, sl_arena *arena, sl_buf *out,
                             sl_error *err) {
    char quote = v.aux ? (char)v.aux : '"';
    if (quote == style->quote) {
        sl_buf_byte(out, quote);
        sl_buf_text(out, sl_bytes(v));
        sl_buf_byte(out, quote);
        return SL_OK;
    }
    TRY(sl_value_decode(&v, arena, err));
    sl_csv_put(style, sl_bytes(v), out);
    return SL_OK;
}

/* Whatever has to be spelled first: written behind the frame's end, and quoted there if it must be. */
static void put_spelled(const sl_csv_style *style, sl_value v, sl_buf *out) {
    size_t from = out->len;
    if (v.type == SL_LIST || v.type == SL_MAP)
        sl_json_write(v, out);
    else
        sl_text_form(v, "", out);
    if (out->failed) return;
    sl_text t = sl_text_n(out->data + from, out->len - from);
    if (!needs_quotes(style, t)) return;
    sl_buf copy = {0};
    sl_buf_text(&copy, t);
    out->len = from;
    out->failed = out->failed || copy.failed;
    put_quoted(style, sl_text_n(copy.data, copy.len), out);
    sl_buf_free(&copy);
}

static sl_status put_value(const sl_csv_style *style, sl_value v, sl_arena *arena, sl_buf *out,
                           sl_error *err) {
    char digits[24];
    switch ((sl_type)v.type) {
    case SL_MISSING:
    case SL_NULL: return SL_OK;
    case SL_TEXT_TYPE:
        if (v.flags & SL_RAW_CSV) return put_raw_csv(style, v, arena, out, err);
        if (v.flags & SL_RAW) TRY(sl_value_decode(&v, arena, err));
        sl_csv_put(style, sl_bytes(v), out);
        return SL_OK;
    case SL_INT:
    case SL_FLOAT:
        if (v.flags & SL_RAW_NUMBER)
            sl_buf_text(out, sl_bytes(v));
        else if (v.type == SL_INT)
            sl_buf_add(out, digits, sl_format_int(v.as.i, digits));
        else
            put_spelled(style, v, out);
        return SL_OK;
    case SL_DECIMAL: sl_buf_text(out, sl_bytes(v)); return SL_OK;
    case SL_BOOL: sl_buf_str(out, v.as.b ? "true" : "false"); return SL_OK;
    default: put_spelled(style, v, out); return SL_OK;
    }
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/* What is known of the batch's records, when they are written in our style. */
typedef struct source {
    const sl_records *records; /* NULL: no such records */
    bool no_cr, no_quote;      /* anywhere in the block */
} source;

static source source_of(const sl_csv_style *style, const sl_batch *b) {
    const sl_records *r = b->records;
    if (!r || !b->nsel || r->delim != style->delimiter || r->quote != style->quote) return (source){0};
    uint32_t from = r->start[sl_batch_row(b, 0)], to = sl_record_end(r, sl_batch_row(b, b->nsel - 1));
    return (source){r, !memchr(r->base + from, '\r', to - from), r->plain};
}

/* The bytes of a field that can be written as they are; .s NULL: look at its value. */
static sl_text plain_field(const source *src, const sl_column *col, uint32_t row) {
    const sl_records *r = src->records;
    if (!r || col->values) return (sl_text){0};
    const uint32_t *end = r->end + (size_t)row * r->nfields + col->field;
    if (*end == SL_NO_FIELD) return (sl_text){0};
    uint32_t from = col->field ? end[-1] + 1 : r->start[row];
    sl_text t = {r->base + from, *end - from};
    bool clean = (src->no_quote || !memchr(t.s, r->quote, t.n)) && !memchr(t.s, '\r', t.n);
    return clean ? t : (sl_text){0};
}

static sl_status put_row(sl_csv_encoder *e, const source *src, sl_batch *b, uint32_t row, sl_buf *out,
                         sl_error *err) {
    const sl_csv_style *style = e->style;
    size_t from = out->len;
    for (uint32_t i = 0; i < e->ncols; i++) {
        if (i) sl_buf_byte(out, style->delimiter);
        if (e->place[i] == NOWHERE) continue;
        uint32_t c = (uint32_t)e->place[i];
        assert(c < b->ncols);
        sl_text t = plain_field(src, &b->cols[c], row);
        if (t.s)
            sl_buf_text(out, t);
        else
            TRY(put_value(style, sl_batch_peek(b, c, row), sl_batch_arena(b), out, err));
    }
    /* An empty line would be no record: a lone empty cell shows itself by its quotes. */
    if (e->ncols == 1 && out->len == from) put_quoted(style, SL_TEXT(""), out);
    sl_csv_end_line(style, out);
    e->nrows++;
    return SL_OK;
}

static bool copyable(const source *src, const sl_records *r, const sl_batch *b, uint32_t row,
                     sl_text *record) {
    if (r->end[(size_t)row * r->nfields + r->nfields - 1] == SL_NO_FIELD) return false;
    assert(b->pristine);
    *record = sl_batch_record(b, row);
    if (r->nfields == 1 && record->n == 0) return false;
    if (!src->no_quote && memchr(record->s, r->quote, record->n)) return false;
    return src->no_cr || !memchr(record->s, '\r', record->n);
}

/* Rows that are whole records in our style: neighbours go in one piece. */
static sl_status copy_rows(sl_csv_encoder *e, const source *src, sl_batch *b, sl_buf *out, sl_error *err) {
    const char *from = NULL, *to = NULL;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        sl_text t;
        bool whole = copyable(src, src->records, b, row, &t);
        if (whole && from && !e->style->crlf && to + 1 == t.s && *to == '\n') {
            to = t.s + t.n;
            e->nrows++;
            continue;
        }
        if (from) {
            sl_buf_add(out, from, (size_t)(to - from));
            sl_csv_end_line(e->style, out);
            from = NULL;
        }
        if (!whole) {
            TRY(put_row(e, src, b, row, out, err));
            continue;
        }
        from = t.s;
        to = t.s + t.n;
        e->nrows++;
    }
    if (!from) return SL_OK;
    sl_buf_add(out, from, (size_t)(to - from));
    sl_csv_end_line(e->style, out);
    return SL_OK;
}

/* ---- sections -------------------------------------------------------------------------------------------------- */

static bool grow_places(sl_csv_encoder *e, uint32_t n) {
    return SL_ROOM(e->names, e->cap_names, n) && SL_ROOM(e->place, e->cap_place, n);
}

static bool grow_flags(sl_csv_encoder *e, uint32_t n) {
    return SL_ROOM(e->inside, e->cap_inside, n) && SL_ROOM(e->sparse, e->cap_sparse, n);
}

/* Writes down how much the open section holds. */
static void note_section(const sl_csv_encoder *e, sl_buf *frame) {
    if (e->section == SIZE_MAX || frame->failed) return;
    assert(e->section + SECTION_HEAD <= e->rows_at && e->rows_at <= frame->len);
    uint64_t bytes = frame->len - e->rows_at;
    memcpy(frame->data + e->section + 4, &e->nrows, 4);
    memcpy(frame->data + e->section + 8, &bytes, 8);
}

/* Opens a section with the names in e->names. */
static void open_section(sl_csv_encoder *e, sl_buf *frame) {
    note_section(e, frame);
    e->section = frame->len;
    sl_buf_u32(frame, e->ncols);
    sl_buf_u32(frame, 0);
    sl_buf_u64(frame, 0);
    for (uint32_t i = 0; i < e->ncols; i++) {
        sl_buf_u32(frame, e->names[i].n);
        sl_buf_text(frame, e->names[i]);
    }
    e->rows_at = frame->len;
    e->nrows = 0;
}

/* A section of the columns of B that ROW has (all of them when ROW is UINT32_MAX). */
static sl_status section_for(sl_csv_encoder *e, sl_batch *b, uint32_t row, sl_buf *frame, sl_error *err) {
    if (!grow_places(e, b->ncols + 1)) return sl_oom(err);
    e->ncols = 0;
    for (uint32_t c = 0; c < b->ncols; c++) {
        e->inside[c] = row == UINT32_MAX || sl_batch_peek(b, c, row).type != SL_MISSING;
        if (!e->inside[c]) continue;
        e->names[e->ncols] = b->cols[c].name;
        e->place[e->ncols++] = (int)c;
    }
    open_section(e, frame);
    return SL_OK;
}

static int find_near(const sl_batch *b, sl_text name, uint32_t guess) {
    if (guess < b->ncols && sl_text_eq(b->cols[guess].name, name)) return (int)guess;
    return sl_batch_find(b, name, false);
}

/* Where the columns of the open section are in B, and which columns of B it has. */
static void place_section(sl_csv_encoder *e, const sl_batch *b, const sl_buf *frame) {
    sl_cursor names = {frame->data + e->section + SECTION_HEAD, frame->data + e->rows_at, false};
    memset(e->inside, 0, b->ncols * sizeof *e->inside);
    for (uint32_t i = 0; i < e->ncols; i++) {
        e->place[i] = find_near(b, sl_csv_next_name(&names), i);
        if (e->place[i] != NOWHERE) e->inside[e->place[i]] = true;
    }
}

/* The columns asked for, present or not. */
static sl_status fixed_section(sl_csv_encoder *e, const sl_batch *b, sl_buf *frame, sl_error *err) {
    const sl_texts *columns = &e->style->columns;
    if (!grow_places(e, columns->n + 1)) return sl_oom(err);
    e->ncols = columns->n;
    for (uint32_t i = 0; i < e->ncols; i++) {
        e->names[i] = columns->v[i];
        e->place[i] = find_near(b, columns->v[i], i);
    }
    if (e->section == SIZE_MAX) open_section(e, frame);
    return SL_OK;
}

static bool column_sparse(sl_batch *b, uint32_t c) {
    const sl_value *v = b->cols[c].values;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if ((v ? v[row] : sl_batch_peek(b, c, row)).type == SL_MISSING) return true;
    }
    return false;
}

static bool find_sparse(sl_csv_encoder *e, sl_batch *b) {
    bool any = false;
    for (uint32_t c = 0; c < b->ncols; c++) any |= e->sparse[c] = !b->pristine && column_sparse(b, c);
    return any;
}

static bool all_inside(const sl_csv_encoder *e, const sl_batch *b) {
    for (uint32_t c = 0; c < b->ncols; c++)
        if (!e->inside[c]) return false;
    return true;
}

static bool row_inside(const sl_csv_encoder *e, sl_batch *b, uint32_t row) {
    for (uint32_t c = 0; c < b->ncols; c++)
        if (!e->inside[c] && (!e->sparse[c] || sl_batch_peek(b, c, row).type != SL_MISSING)) return false;
    return true;
}

static bool is_identity(const sl_csv_encoder *e, const sl_batch *b) {
    if (!b->pristine || e->ncols != b->ncols || b->ncols != b->records->nfields) return false;
    for (uint32_t i = 0; i < e->ncols; i++)
        if (e->place[i] != (int)i) return false;
    return true;
}

static sl_status put_all(sl_csv_encoder *e, sl_batch *b, sl_buf *frame, sl_error *err) {
    source src = source_of(e->style, b);
    if (src.records && is_identity(e, b)) return copy_rows(e, &src, b, frame, err);
    for (uint32_t i = 0; i < b->nsel; i++) TRY(put_row(e, &src, b, sl_batch_row(b, i), frame, err));
    return SL_OK;
}

static sl_status put_sparse(sl_csv_encoder *e, sl_batch *b, sl_buf *frame, sl_error *err) {
    source src = source_of(e->style, b);
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if (e->section == SIZE_MAX || !row_inside(e, b, row)) TRY(section_for(e, b, row, frame, err));
        TRY(put_row(e, &src, b, row, frame, err));
    }
    return SL_OK;
}

static sl_status put_batch(sl_csv_encoder *e, sl_batch *b, sl_buf *frame, sl_error *err) {
    if (e->style->columns.given) {
        TRY(fixed_section(e, b, frame, err));
        return put_all(e, b, frame, err);
    }
    if (!grow_flags(e, b->ncols + 1)) return sl_oom(err);
    bool open = e->section != SIZE_MAX;
    if (open) place_section(e, b, frame);
    if (find_sparse(e, b)) return put_sparse(e, b, frame, err);
    if (!open || !all_inside(e, b)) TRY(section_for(e, b, UINT32_MAX, frame, err));
    return put_all(e, b, frame, err);
}

/* A section without rows. */
static sl_status put_heading(sl_csv_encoder *e, sl_batch *b, sl_buf *frame, sl_error *err) {
    if (e->style->columns.given) return SL_OK; /* the writer knows them */
    return grow_flags(e, b->ncols + 1) ? section_for(e, b, UINT32_MAX, frame, err) : sl_oom(err);
}

sl_status sl_csv_encode(sl_csv_encoder *e, sl_batch *b, sl_buf *frame, sl_error *err) {
    if (frame->len == 0) e->section = SIZE_MAX;
    if (b->nsel == 0 && frame->len) return SL_OK;
    sl_status s = b->nsel ? put_batch(e, b, frame, err) : put_heading(e, b, frame, err);
    note_section(e, frame);
    return s == SL_OK ? sl_buf_check(frame, err) : s;
}

/* ---- reading a frame back -------------------------------------------------------------------------------------- */

sl_text sl_csv_next_name(sl_cursor *names) {
    uint32_t n = sl_cursor_u32(names);
    const char *s = sl_cursor_bytes(names, n);
    return (sl_text){s, s ? n : 0};
}

sl_status sl_csv_next_section(sl_cursor *frame, sl_csv_section *out, sl_error *err) {
    if (frame->at == frame->end) return SL_DONE;
    out->ncols = sl_cursor_u32(frame);
    out->nrows = sl_cursor_u32(frame);
    out->n = sl_cursor_u64(frame);
    const char *names = frame->at;
    for (uint32_t i = 0; i < out->ncols && !frame->failed; i++) sl_csv_next_name(frame);
    out->names = sl_text_n(names, (size_t)(frame->at - names));
    out->rows = sl_cursor_bytes(frame, out->n);
    if (frame->failed) return sl_fail(err, SL_E_INTERNAL, "a frame of rows is damaged");
    return SL_OK;
}

static const char *quoted_end(char quote, const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at != quote) continue;
        if (at + 1 == end || at[1] != quote) return at + 1;
        at++;
    }
    return end;
}

sl_text sl_csv_next_cell(const sl_csv_style *style, const char **at, const char *end) {
    const char *from = *at, *to = from;
    if (to < end && *to == style->quote)
        to = quoted_end(style->quote, to, end);
    else
        while (to < end && *to != style->delimiter && *to != '\n' && *to != '\r') to++;
    *at = to + (to < end) + (to + 1 < end && to[0] == '\r' && to[1] == '\n');
    return sl_text_n(from, (size_t)(to - from));
}

sl_text sl_csv_cell_text(const sl_csv_style *style, sl_text cell, sl_buf *buf) {
    if (cell.n < 2 || cell.s[0] != style->quote) return cell;
    sl_buf_clear(buf);
    for (uint32_t i = 1; i + 1 < cell.n; i++) {
        sl_buf_byte(buf, cell.s[i]);
        i += cell.s[i] == style->quote;
    }
    return sl_text_n(buf->data, buf->len);
}
