/* rows.c: rows as bytes and back. A row of an untouched CSV batch is saved as its record, with the ends of its fields, and
 * comes back as a lazy batch; any other is saved value by value. The two kinds never share a batch, since the columns of the
 * one are views and those of the other are values. */
#include "record/rows.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/hash.h"
#include "record/pack.h"

enum { READ_ROWS = 4096, ROW_BYTES = 256, LEAST_BYTES = 1 << 16, MOST_BYTES = 1 << 20 };

typedef struct schema {
    uint64_t number;
    bool records; /* rows are CSV records */
    bool bare;
    char quote, delim;
    sl_text *names;
    uint32_t n;
} schema;

struct sl_schemas {
    sl_arena arena;
    schema *v;
    uint32_t n, cap;
};

sl_schemas *sl_schemas_new(void) {
    return calloc(1, sizeof(sl_schemas));
}

void sl_schemas_free(sl_schemas **s) {
    if (!*s) return;
    sl_arena_free(&(*s)->arena);
    free((*s)->v);
    free(*s);
    *s = NULL;
}

static bool saves_records(const sl_batch *b) {
    return b->pristine && b->records && !b->bare && b->ncols == b->records->nfields;
}

static schema schema_of(const sl_batch *b) {
    schema s = {.bare = b->bare, .n = b->ncols, .records = saves_records(b)};
    if (s.records) {
        s.quote = b->records->quote;
        s.delim = b->records->delim;
    }
    uint64_t head[4] = {s.records, s.bare, (unsigned char)s.quote, (unsigned char)s.delim};
    s.number = sl_hash(head, sizeof head, b->ncols);
    for (uint32_t c = 0; c < b->ncols; c++)
        s.number = sl_hash(b->cols[c].name.s, b->cols[c].name.n, s.number);
    return s;
}

static const schema *find_schema(const sl_schemas *s, uint64_t number) {
    for (uint32_t i = s->n; i-- > 0;)
        if (s->v[i].number == number) return &s->v[i];
    return NULL;
}

static sl_status copy_names(sl_schemas *s, schema *to, const sl_text *names, size_t stride, sl_error *err) {
    to->names = sl_arena_calloc(&s->arena, to->n + 1, sizeof *to->names);
    if (!to->names) return sl_oom(err);
    for (uint32_t c = 0; c < to->n; c++) {
        const sl_text *name = (const sl_text *)(const void *)((const char *)names + c * stride);
        to->names[c] = sl_arena_text(&s->arena, *name);
        if (!to->names[c].s) return sl_oom(err);
    }
    return SL_OK;
}

static sl_status add_schema(sl_schemas *s, schema found, const sl_text *names, size_t stride, sl_error *err) {
    if (!SL_ROOM(s->v, s->cap, s->n + 1)) return sl_oom(err);
    TRY(copy_names(s, &found, names, stride, err));
    s->v[s->n++] = found;
    return SL_OK;
}

sl_status sl_schemas_of(sl_schemas *s, sl_batch *b, uint64_t *number, sl_error *err) {
    schema found = schema_of(b);
    *number = found.number;
    if (find_schema(s, found.number)) return SL_OK;
    return add_schema(s, found, b->ncols ? &b->cols[0].name : NULL, sizeof(sl_column), err);
}

sl_status sl_schemas_merge(sl_schemas *into, const sl_schemas *from, sl_error *err) {
    for (uint32_t i = 0; i < from->n; i++) {
        const schema *f = &from->v[i];
        if (!find_schema(into, f->number)) TRY(add_schema(into, *f, f->names, sizeof(sl_text), err));
    }
    return SL_OK;
}

void sl_schemas_save(const sl_schemas *s, sl_buf *out) {
    sl_buf_u32(out, s->n);
    for (uint32_t i = 0; i < s->n; i++) {
        const schema *f = &s->v[i];
        sl_buf_u64(out, f->number);
        sl_buf_u32(out, (f->records ? 1u : 0u) | (f->bare ? 2u : 0u));
        sl_buf_u32(out, (unsigned char)f->quote);
        sl_buf_u32(out, (unsigned char)f->delim);
        sl_buf_u32(out, f->n);
        for (uint32_t c = 0; c < f->n; c++) {
            sl_buf_u32(out, f->names[c].n);
            sl_buf_text(out, f->names[c]);
        }
    }
}

static sl_status load_schema(sl_schemas *s, sl_cursor *c, sl_error *err) {
    schema f = {.number = sl_cursor_u64(c)};
    uint32_t flags = sl_cursor_u32(c);
    f.records = flags & 1;
    f.bare = flags & 2;
    f.quote = (char)sl_cursor_u32(c);
    f.delim = (char)sl_cursor_u32(c);
    f.n = sl_cursor_u32(c);
    if (c->failed || f.n > (uint64_t)(c->end - c->at))
        return sl_fail(err, SL_E_INTERNAL, "saved schemas are damaged");
    sl_text *names = calloc(f.n + 1, sizeof *names);
    if (!names) return sl_oom(err);
    for (uint32_t i = 0; i < f.n; i++) {
        uint32_t n = sl_cursor_u32(c);
        names[i] = (sl_text){sl_cursor_bytes(c, n), n};
    }
    sl_status status = c->failed ? sl_fail(err, SL_E_INTERNAL, "saved schemas are damaged") : SL_OK;
    if (status == SL_OK && !find_schema(s, f.number)) status = add_schema(s, f, names, sizeof(sl_text), err);
    free(names);
    return status;
}

sl_status sl_schemas_load(sl_schemas *s, sl_cursor *c, sl_error *err) {
    uint32_t n = sl_cursor_u32(c);
    for (uint32_t i = 0; i < n; i++) TRY(load_schema(s, c, err));
    return SL_OK;
}

/* ---- saving ---------------------------------------------------------------------------------------------------------- */

static void save_record(const sl_batch *b, uint64_t number, uint32_t row, sl_buf *out) {
    const sl_records *r = b->records;
    const uint32_t *end = r->end + (size_t)row * r->nfields;
    uint32_t start = r->start[row], n = end[r->nfields - 1] - start;
    assert(end[r->nfields - 1] != SL_NO_FIELD && end[r->nfields - 1] >= start);
    if (!sl_buf_reserve(out, 12 + 4 * (size_t)r->nfields + n)) return;
    sl_buf_u64(out, number);
    sl_buf_u32(out, n);
    uint32_t *to = (uint32_t *)(void *)(out->data + out->len);
    for (uint32_t k = 0; k < r->nfields; k++) {
        uint32_t relative = end[k] - start;
        memcpy(to + k, &relative, sizeof relative);
    }
    out->len += 4 * (size_t)r->nfields;
    sl_buf_add(out, r->base + start, n);
}

sl_status sl_row_save(sl_batch *b, uint64_t number, uint32_t row, sl_buf *out, sl_error *err) {
    if (saves_records(b)) {
        save_record(b, number, row, out);
        return SL_OK;
    }
    sl_buf_u64(out, number);
    for (uint32_t c = 0; c < b->ncols; c++) {
        sl_value v;
        TRY(sl_batch_cell(b, c, row, &v, err));
        sl_value_pack(v, out);
    }
    return SL_OK;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

struct sl_row_reader {
    const sl_schemas *schemas;
    size_t bytes; /* of a batch of records */
    sl_batch_sink sink;
    void *to;
    sl_arena scratch;    /* of one scalar */
    sl_builder *builder; /* rows saved value by value; never holds rows together with the record side */
    /* Records of one schema on their way into a batch: */
    const schema *schema;
    sl_input *input;
    uint32_t *start, *end;
    uint32_t nrows, cap_fields;
};

sl_row_reader *sl_row_reader_new(const sl_schemas *schemas, size_t bytes, sl_batch_sink sink, void *to) {
    sl_row_reader *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    bytes = bytes < LEAST_BYTES ? LEAST_BYTES : bytes > MOST_BYTES ? MOST_BYTES : bytes;
    *r = (sl_row_reader){.schemas = schemas, .bytes = bytes, .sink = sink, .to = to};
    r->builder = sl_builder_new((uint32_t)(bytes / ROW_BYTES), NULL, sink, to);
    r->start = calloc(READ_ROWS, sizeof *r->start);
    if (!r->builder || !r->start) sl_row_reader_free(&r);
    return r;
}

void sl_row_reader_free(sl_row_reader **rp) {
    sl_row_reader *r = *rp;
    if (!r) return;
    sl_builder_free(&r->builder);
    sl_input_unref(&r->input);
    sl_arena_free(&r->scratch);
    free(r->start);
    free(r->end);
    free(r);
    *rp = NULL;
}

static sl_records *records_in(sl_row_reader *r, sl_arena *a) {
    uint32_t nf = r->schema->n;
    sl_records *records = sl_arena_alloc(a, sizeof *records);
    uint32_t *start = sl_arena_alloc(a, r->nrows * sizeof *start);
    uint32_t *end = sl_arena_alloc(a, (size_t)r->nrows * nf * sizeof *end);
    if (!records || !start || !end) return NULL;
    memcpy(start, r->start, r->nrows * sizeof *start);
    memcpy(end, r->end, (size_t)r->nrows * nf * sizeof *end);
    *records = (sl_records){.base = r->input->data,
                            .start = start,
                            .end = end,
                            .nfields = nf,
                            .quote = r->schema->quote,
                            .delim = r->schema->delim};
    return records;
}

static sl_status flush_records(sl_row_reader *r, sl_error *err) {
    if (!r->nrows) return SL_OK;
    assert(r->schema->records && r->input && r->nrows <= READ_ROWS);
    sl_batch *b = sl_batch_new(r->input, r->nrows);
    sl_records *records = b ? records_in(r, sl_batch_arena(b)) : NULL;
    sl_status s = records ? sl_batch_set_records(b, records, r->schema->names, err) : sl_oom(err);
    sl_input_unref(&r->input);
    r->nrows = 0;
    if (s == SL_OK) return r->sink(r->to, b, err);
    sl_batch_free(&b);
    return s;
}

static sl_status room_for(sl_row_reader *r, const schema *f, uint32_t n, sl_error *err) {
    bool full = r->nrows == READ_ROWS || (r->input && r->input->cap - r->input->len < (size_t)n + 1);
    if (r->schema != f || full) TRY(flush_records(r, err));
    r->schema = f;
    if (r->cap_fields < f->n) {
        free(r->end);
        r->end = calloc((size_t)READ_ROWS * f->n, sizeof *r->end);
        r->cap_fields = r->end ? f->n : 0;
        if (!r->end) return sl_oom(err);
    }
    if (!r->input) r->input = sl_input_new(n + 1 > r->bytes ? n + 1 : r->bytes);
    return r->input ? SL_OK : sl_oom(err);
}

static sl_status add_record(sl_row_reader *r, const schema *f, sl_cursor *c, sl_error *err) {
    uint32_t n = sl_cursor_u32(c);
    const char *ends = sl_cursor_bytes(c, 4 * (size_t)f->n), *bytes = sl_cursor_bytes(c, n);
    if (!ends || !bytes) return sl_fail(err, SL_E_INTERNAL, "a saved row is damaged");
    TRY(sl_builder_flush(r->builder, err));
    TRY(room_for(r, f, n, err));
    assert(r->input->len + n < r->input->cap && r->input->len <= UINT32_MAX);
    uint32_t at = (uint32_t)r->input->len, *to = r->end + (size_t)r->nrows * f->n;
    memcpy(to, ends, 4 * (size_t)f->n);
    for (uint32_t k = 0; k < f->n; k++) to[k] += at;
    memcpy(r->input->data + at, bytes, n);
    r->input->data[at + n] = '\n';
    r->input->len += (size_t)n + 1;
    r->start[r->nrows++] = at;
    return SL_OK;
}

static sl_status add_values(sl_row_reader *r, const schema *f, sl_cursor *c, sl_error *err) {
    sl_value v;
    TRY(flush_records(r, err));
    if (f->bare) {
        sl_arena_reset(&r->scratch);
        TRY(sl_value_unpack(c, &r->scratch, &v, err));
        return sl_builder_add(r->builder, v, err);
    }
    TRY(sl_builder_row(r->builder, err));
    sl_arena *a = sl_builder_arena(r->builder);
    for (uint32_t i = 0; i < f->n; i++) {
        TRY(sl_value_unpack(c, a, &v, err));
        if (v.type != SL_MISSING) TRY(sl_builder_put(r->builder, f->names[i], v, err));
    }
    return SL_OK;
}

sl_status sl_row_reader_add(sl_row_reader *r, sl_text row, sl_error *err) {
    sl_cursor c = {.at = row.s, .end = row.s + row.n};
    const schema *f = find_schema(r->schemas, sl_cursor_u64(&c));
    if (!f) return sl_fail(err, SL_E_INTERNAL, "a saved row has no known schema");
    return f->records ? add_record(r, f, &c, err) : add_values(r, f, &c, err);
}

sl_status sl_row_reader_flush(sl_row_reader *r, sl_error *err) {
    TRY(flush_records(r, err));
    return sl_builder_flush(r->builder, err);
}
