/* pack.c: the packed form.
 *
 *     block    magic, flags, rows, columns, first line, source, lines?, records?, columns, padding to 8
 *     records  nfields, quote, delim, plain, bytes; starts, ends (4-aligned), the records' bytes
 *     column   name, kind; lazy: field number; else one value a row
 *     value    type, flags, aux, n; then its bytes, 8 bytes of number, or its elements
 *
 * Numbers are native-endian. Texts and records are looked at where they lie; values are made anew in the arena, so the block
 * stays as it is and may be unpacked again. */
#include "record/pack.h"

#include <assert.h>

#include "base/error.h"

enum {
    MAGIC = 0x31424c53, /* SLB1 */
    HAS_RECORDS = 1,
    HAS_LINES = 2,
    HAS_SOURCE = 4,
    IS_PRISTINE = 8,
    IS_BARE = 16,
    KIND_LAZY = 0,
    KIND_VALUES = 1,
    KIND_RAW = 2,
    DEEPEST = 4096 /* nesting of lists and maps: the stack must hold */
};

static void align(sl_buf *out, size_t to) {
    static const char zeros[8] = {0};
    sl_buf_add(out, zeros, (to - out->len % to) % to);
}

static void pack_text(sl_text t, sl_buf *out) {
    sl_buf_u32(out, t.n);
    sl_buf_text(out, t);
}

/* ---- values -------------------------------------------------------------------------------------------------- */

static bool is_raw_number(sl_value v) {
    return (v.type == SL_INT || v.type == SL_FLOAT) && (v.flags & SL_RAW_NUMBER);
}

static bool holds_bytes(sl_value v) {
    return v.type == SL_TEXT_TYPE || v.type == SL_DECIMAL || is_raw_number(v);
}

static void pack_head(sl_value v, sl_buf *out) {
    if (v.type == SL_BOOL) v.n = v.as.b;
    sl_buf_add(out, &v, offsetof(sl_value, as));
}

void sl_value_pack(sl_value v, sl_buf *out) {
    pack_head(v, out);
    if (holds_bytes(v)) {
        sl_buf_text(out, sl_bytes(v));
    } else if (v.type == SL_INT || v.type == SL_FLOAT || v.type == SL_TIME) {
        sl_buf_add(out, &v.as, sizeof v.as);
    } else if (v.type == SL_LIST) {
        for (uint32_t i = 0; i < v.n; i++) sl_value_pack(v.as.list[i], out);
    } else if (v.type == SL_MAP) {
        for (uint32_t i = 0; i < v.n; i++) {
            pack_text(v.as.map[i].key, out);
            sl_value_pack(v.as.map[i].value, out);
        }
    }
}

static sl_status damaged(sl_error *err) {
    return sl_fail(err, SL_E_INTERNAL, "a packed batch is damaged");
}

static bool flags_fit(sl_value v) {
    switch ((sl_type)v.type) {
    case SL_TEXT_TYPE: return !v.flags || v.flags == SL_RAW_CSV || v.flags == SL_RAW_JSON;
    case SL_INT:
    case SL_FLOAT: return !v.flags || v.flags == SL_RAW_NUMBER;
    case SL_DECIMAL: return !v.flags || v.flags == SL_WRITTEN;
    case SL_TIME: return v.flags <= 4;
    default: return !v.flags && v.type <= SL_MAP;
    }
}

static size_t bytes_left(const sl_cursor *c) {
    return (size_t)(c->end - c->at);
}

static sl_status unpack_text(sl_cursor *c, sl_text *t, sl_error *err) {
    t->n = sl_cursor_u32(c);
    t->s = sl_cursor_bytes(c, t->n);
    return t->s ? SL_OK : damaged(err);
}

static sl_status unpack_value(sl_cursor *c, sl_arena *arena, unsigned depth, sl_value *out, sl_error *err);

static sl_status unpack_inner(sl_cursor *c, sl_arena *arena, unsigned depth, sl_value *out, sl_error *err) {
    TRY(unpack_value(c, arena, depth + 1, out, err));
    return out->type == SL_MISSING ? damaged(err) : SL_OK;
}

static sl_status unpack_list(sl_cursor *c, sl_arena *arena, unsigned depth, sl_value *v, sl_error *err) {
    if (v->n > bytes_left(c) / 8) return damaged(err);
    sl_value *list = sl_arena_alloc(arena, v->n * sizeof *list);
    if (!list) return sl_oom(err);
    for (uint32_t i = 0; i < v->n; i++) TRY(unpack_inner(c, arena, depth, &list[i], err));
    v->as.list = list;
    return SL_OK;
}

static sl_status unpack_map(sl_cursor *c, sl_arena *arena, unsigned depth, sl_value *v, sl_error *err) {
    if (v->n > bytes_left(c) / 12) return damaged(err);
    sl_pair *map = sl_arena_alloc(arena, v->n * sizeof *map);
    if (!map) return sl_oom(err);
    for (uint32_t i = 0; i < v->n; i++) {
        TRY(unpack_text(c, &map[i].key, err));
        TRY(unpack_inner(c, arena, depth, &map[i].value, err));
    }
    v->as.map = map;
    return SL_OK;
}

/* Bytes stay where they are. */
static sl_status unpack_value(sl_cursor *c, sl_arena *arena, unsigned depth, sl_value *out, sl_error *err) {
    const char *head = sl_cursor_bytes(c, offsetof(sl_value, as)), *payload = head;
    if (!head || depth > DEEPEST) return damaged(err);
    sl_value v = {0};
    memcpy(&v, head, offsetof(sl_value, as));
    if (!flags_fit(v)) return damaged(err);
    if (holds_bytes(v)) {
        payload = v.as.s = sl_cursor_bytes(c, v.n);
    } else if (v.type == SL_BOOL) {
        v.as.b = v.n != 0;
        v.n = 0;
    } else if (v.type == SL_INT || v.type == SL_FLOAT || v.type == SL_TIME) {
        payload = sl_cursor_bytes(c, sizeof v.as);
        if (payload) memcpy(&v.as, payload, sizeof v.as);
    } else if (v.type == SL_LIST) {
        TRY(unpack_list(c, arena, depth, &v, err));
    } else if (v.type == SL_MAP) {
        TRY(unpack_map(c, arena, depth, &v, err));
    }
    *out = v;
    return payload ? SL_OK : damaged(err);
}

sl_status sl_value_unpack(sl_cursor *c, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_value v;
    TRY(unpack_value(c, arena, 0, &v, err));
    return sl_value_copy(out, v, arena, err);
}

/* ---- packing ------------------------------------------------------------------------------------------------- */

static bool has_lazy(const sl_batch *b) {
    for (uint32_t c = 0; c < b->ncols; c++)
        if (!b->cols[c].values) return true;
    return false;
}

static uint64_t record_bytes(const sl_batch *b) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        total += sl_record_end(b->records, row) - b->records->start[row];
    }
    return total;
}

static void pack_starts(const sl_batch *b, sl_buf *out) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        sl_buf_u32(out, at);
        at += sl_record_end(b->records, row) - b->records->start[row];
    }
}

static void pack_ends(const sl_batch *b, sl_buf *out) {
    const sl_records *r = b->records;
    uint32_t at = 0;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i), start = r->start[row];
        assert(sl_record_end(r, row) >= start);
        const uint32_t *end = r->end + (size_t)row * r->nfields;
        for (uint32_t f = 0; f < r->nfields; f++)
            sl_buf_u32(out, end[f] == SL_NO_FIELD ? SL_NO_FIELD : end[f] - start + at);
        at += sl_record_end(r, row) - start;
    }
}

static sl_status pack_records(const sl_batch *b, sl_buf *out, sl_error *err) {
    const sl_records *r = b->records;
    uint64_t bytes = record_bytes(b);
    if (bytes >= SL_NO_FIELD) return sl_fail(err, SL_E_MEMORY, "a batch of more than 4 GiB cannot be packed");
    sl_buf_u32(out, r->nfields);
    sl_buf_u32(out, (uint32_t)bytes);
    const char marks[4] = {r->quote, r->delim, r->plain, 0};
    sl_buf_add(out, marks, sizeof marks);
    align(out, 8);
    if (!sl_buf_reserve(out, ((size_t)r->nfields + 1) * b->nsel * 4 + bytes)) return sl_buf_check(out, err);
    pack_starts(b, out);
    pack_ends(b, out);
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        sl_buf_add(out, r->base + r->start[row], sl_record_end(r, row) - r->start[row]);
    }
    return SL_OK;
}

static void pack_lines(const sl_batch *b, sl_buf *out) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint64_t line = sl_batch_line(b, sl_batch_row(b, i));
        sl_buf_u32(out, line ? (uint32_t)(line - b->first_line) : UINT32_MAX);
    }
}

/* The columns of a pristine batch are its records, whether or not somebody has looked at their values. */
static void pack_column(const sl_batch *b, uint32_t c, sl_buf *out) {
    const sl_column *col = &b->cols[c];
    pack_text(col->name, out);
    if (b->pristine || !col->values) {
        sl_buf_u32(out, KIND_LAZY);
        sl_buf_u32(out, b->pristine ? c : col->field);
        return;
    }
    sl_buf_u32(out, col->raw ? KIND_RAW : KIND_VALUES);
    for (uint32_t i = 0; i < b->nsel; i++) sl_value_pack(col->values[sl_batch_row(b, i)], out);
}

static uint32_t flags_of(const sl_batch *b) {
    uint32_t flags = b->first_line ? HAS_LINES : 0;
    if (b->records && (has_lazy(b) || b->pristine)) flags |= HAS_RECORDS;
    if (b->source) flags |= HAS_SOURCE;
    if (b->pristine) flags |= IS_PRISTINE;
    if (b->bare) flags |= IS_BARE;
    return flags;
}

sl_status sl_batch_pack(sl_batch *b, sl_buf *out, sl_error *err) {
    assert(!b->pristine || (b->records && b->ncols == b->records->nfields));
    align(out, 8);
    size_t begin = out->len;
    uint32_t flags = flags_of(b);
    sl_buf_u32(out, MAGIC);
    sl_buf_u32(out, flags);
    sl_buf_u64(out, 0); /* length, known at the end */
    sl_buf_u32(out, b->nsel);
    sl_buf_u32(out, b->ncols);
    sl_buf_u64(out, b->first_line);
    if (flags & HAS_SOURCE) pack_text(sl_text_of(b->source), out);
    if (flags & HAS_LINES) pack_lines(b, out);
    if (flags & HAS_RECORDS) TRY(pack_records(b, out, err));
    for (uint32_t c = 0; c < b->ncols; c++) pack_column(b, c, out);
    align(out, 8);
    TRY(sl_buf_check(out, err));
    uint64_t length = out->len - begin;
    assert(begin % 8 == 0 && length % 8 == 0);
    memcpy(out->data + begin + 8, &length, sizeof length);
    return SL_OK;
}

/* ---- unpacking ----------------------------------------------------------------------------------------------- */

/* An array of COUNT numbers, in place where it is aligned. */
static const uint32_t *unpack_u32s(sl_cursor *c, sl_arena *arena, uint64_t count) {
    if (count > bytes_left(c) / 4) return NULL;
    const char *p = sl_cursor_bytes(c, (size_t)count * 4);
    if (p && (uintptr_t)p % 4 == 0) return (const uint32_t *)(const void *)p;
    uint32_t *copy = sl_arena_alloc(arena, (size_t)count * 4);
    if (p && copy && count) memcpy(copy, p, (size_t)count * 4);
    return p ? copy : NULL;
}

/* Fields follow one another inside the bytes; after an absent one none is present. *SHORT is set when one is absent. */
static bool record_fits(const sl_records *r, uint32_t row, uint32_t bytes, bool *is_short) {
    const uint32_t *end = r->end + (size_t)row * r->nfields;
    uint64_t from = r->start[row];
    bool absent = from > bytes;
    if (absent) return false;
    for (uint32_t f = 0; f < r->nfields; f++) {
        if (end[f] == SL_NO_FIELD) {
            absent = *is_short = true;
            continue;
        }
        if (absent || end[f] < from || end[f] > bytes) return false;
        from = (uint64_t)end[f] + 1;
    }
    return true;
}

static sl_status unpack_records(sl_cursor *c, const char *begin, sl_batch *b, sl_error *err) {
    sl_arena *arena = sl_batch_arena(b);
    sl_records *r = sl_arena_calloc(arena, 1, sizeof *r);
    if (!r) return sl_oom(err);
    r->nfields = sl_cursor_u32(c);
    uint32_t bytes = sl_cursor_u32(c);
    const char *marks = sl_cursor_bytes(c, 4);
    if (!marks || !r->nfields) return damaged(err);
    r->quote = marks[0];
    r->delim = marks[1];
    r->plain = marks[2] != 0;
    sl_cursor_bytes(c, (8 - (size_t)(c->at - begin) % 8) % 8);
    r->start = unpack_u32s(c, arena, b->nrows);
    r->end = unpack_u32s(c, arena, (uint64_t)b->nrows * r->nfields);
    r->base = sl_cursor_bytes(c, bytes);
    if (!r->start || !r->end || !r->base) return damaged(err);
    bool is_short = false;
    for (uint32_t row = 0; row < b->nrows; row++)
        if (!record_fits(r, row, bytes, &is_short)) return damaged(err);
    if (is_short) b->pristine = false;
    b->records = r;
    return SL_OK;
}

static sl_status unpack_values(sl_cursor *c, sl_batch *b, sl_column *col, sl_error *err) {
    if (b->nrows > bytes_left(c) / 8) return damaged(err);
    sl_value *values = sl_arena_alloc(sl_batch_arena(b), b->nrows * sizeof *values);
    if (!values) return sl_oom(err);
    for (uint32_t row = 0; row < b->nrows; row++)
        TRY(unpack_value(c, sl_batch_arena(b), 0, &values[row], err));
    col->values = values;
    return SL_OK;
}

static sl_status unpack_column(sl_cursor *c, sl_batch *b, sl_column *col, sl_error *err) {
    *col = (sl_column){0};
    TRY(unpack_text(c, &col->name, err));
    uint32_t kind = sl_cursor_u32(c);
    if (c->failed || kind > KIND_RAW) return damaged(err);
    if (kind == KIND_LAZY) {
        col->field = sl_cursor_u32(c);
        return !c->failed && b->records && col->field < b->records->nfields ? SL_OK : damaged(err);
    }
    col->raw = kind == KIND_RAW;
    return unpack_values(c, b, col, err);
}

static sl_status unpack_columns(sl_cursor *c, sl_batch *b, uint32_t ncols, sl_error *err) {
    if (ncols > bytes_left(c) / 8) return damaged(err);
    b->cols = sl_arena_alloc(sl_batch_arena(b), ncols * sizeof *b->cols);
    if (!b->cols) return sl_oom(err);
    b->cap_cols = ncols;
    for (; b->ncols < ncols; b->ncols++) TRY(unpack_column(c, b, &b->cols[b->ncols], err));
    return b->pristine && (!b->records || b->ncols != b->records->nfields) ? damaged(err) : SL_OK;
}

static sl_status unpack_source(sl_cursor *c, sl_batch *b, sl_error *err) {
    sl_text source;
    TRY(unpack_text(c, &source, err));
    b->source = sl_arena_strndup(sl_batch_arena(b), source.s, source.n);
    return b->source ? SL_OK : sl_oom(err);
}

static sl_status unpack_body(sl_cursor *c, const char *begin, uint32_t flags, uint32_t ncols, sl_batch *b,
                             sl_error *err) {
    b->pristine = (flags & IS_PRISTINE) != 0;
    b->bare = (flags & IS_BARE) != 0;
    if (flags & HAS_SOURCE) TRY(unpack_source(c, b, err));
    if (flags & HAS_LINES) {
        b->line = unpack_u32s(c, sl_batch_arena(b), b->nrows);
        if (!b->line) return damaged(err);
    }
    if (flags & HAS_RECORDS) TRY(unpack_records(c, begin, b, err));
    TRY(unpack_columns(c, b, ncols, err));
    return c->failed ? damaged(err) : SL_OK;
}

sl_status sl_batch_unpack(sl_input *in, size_t at, size_t n, size_t *used, sl_batch **out, sl_error *err) {
    *out = NULL;
    if (at > in->len || n > in->len - at) return damaged(err);
    const char *shown = in->data + at, *begin = shown;
    while (begin < shown + n && begin < shown + 7 && !*begin) begin++; /* what pack aligned with */
    n -= (size_t)(begin - shown);
    sl_cursor c = {begin, begin + n, false};
    uint32_t magic = sl_cursor_u32(&c), flags = sl_cursor_u32(&c);
    uint64_t length = sl_cursor_u64(&c);
    uint32_t nrows = sl_cursor_u32(&c), ncols = sl_cursor_u32(&c);
    uint64_t first_line = sl_cursor_u64(&c);
    if (c.failed || magic != MAGIC || length > n || length < (uint64_t)(c.at - begin)) return damaged(err);
    c.end = begin + length;
    sl_batch *b = sl_batch_new(in, nrows);
    if (!b) return sl_oom(err);
    b->first_line = first_line;
    sl_status status = unpack_body(&c, begin, flags, ncols, b, err);
    if (status != SL_OK) {
        sl_batch_free(&b);
        return status;
    }
    *used = (size_t)(begin - shown) + (size_t)length;
    *out = b;
    return SL_OK;
}
