/* rows.c: reads a block whose records are not all clean or not all of one length, record by record. Clean records still come
 * from the index; only one with stray quotes is parsed byte by byte, by libcsv, whose reading of them is the one that users
 * know. What becomes of ragged records is decided in one place, `judge`. */
#include "formats/csv/csv.h"

#include <csv.h>
#include <stdlib.h>

#include "base/error.h"
#include "record/raw.h"

enum { MIN_ROWS = 16, MAX_ROWS = 4096 }; /* of a batch */

/* The cells of the record at hand, and the batch that it goes into. */
typedef struct rows {
    const sl_csv_job *job;
    bool riko, lenient;
    sl_batch *batch;    /* NULL: none begun */
    sl_value **values;  /* [columns] of batch */
    uint32_t *line;     /* [rows] of batch */
    uint32_t n;         /* rows in batch */
    uint32_t room;      /* for how many */
    uint64_t lines;     /* before the record, from the block's first */
    size_t from;        /* of the record, in job->base */
    bool indexed;       /* the record was found in the index, its fields' ends are [first, next) there */
    bool stale;         /* the index does not go on at FROM */
    size_t origin;      /* of the index, in job->base */
    size_t first, next; /* of the index's ends */
    size_t inner;       /* its LF inside quotes that are passed */
    sl_csv_reading reading;
    sl_value *cells;
    uint32_t ncells, cap_cells;
    bool failed; /* out of memory among the cells */
    struct csv_parser parser;
} rows;

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static sl_status place(const rows *r, sl_status status, size_t at, sl_error *err) {
    const sl_csv_job *job = r->job;
    uint64_t line = job->block->line + r->lines + sl_count_lf(job->base + r->from, at - r->from);
    sl_error_at(err, job->block->source, line, sl_column_of(job->base, at));
    return status;
}

static sl_status fail_quote(const rows *r, sl_error *err) {
    const sl_csv_fields *f = &r->job->state->fields;
    if (f->stray == SIZE_MAX) {
        size_t open = f->n > 1 ? f->ends[f->n - 2] + 1 : r->from;
        return place(
            r, sl_fail(err, SL_E_DATA, "a quoted field is never closed; quotes: lenient takes it as it is"),
            open, err);
    }
    const char *what =
        f->after_quote ? "text after the closing quote of a field" : "a quote inside an unquoted field";
    return place(r, sl_fail(err, SL_E_DATA, "%s; quotes: lenient takes it as it is", what), f->stray, err);
}

static sl_status fail_ragged(const rows *r, sl_error *err) {
    const sl_csv_job *job = r->job;
    const uint32_t width = job->header->width;
    const bool pad = job->conf->ragged == SL_RAGGED_PAD;
    sl_status status = sl_fail(err, SL_E_DATA, "record has %u field%s, the header has %u; use ragged: %s",
                               r->ncells, r->ncells == 1 ? "" : "s", width, pad ? "skip" : "pad or skip");
    sl_error_at(err, job->block->source, job->block->line + r->lines, 0);
    return status;
}

static sl_status fail_encoding(const rows *r, sl_error *err) {
    const sl_csv_job *job = r->job;
    return place(r, sl_encoding_fail(job->conf->charset, job->base[job->valid], err), job->valid, err);
}

/* ---- batches ---------------------------------------------------------------------------------------------------- */

/* Room for the rows that the rest of the block is likely to hold; when it is full, another batch follows. */
static uint32_t likely_rows(const rows *r) {
    const size_t row = 4 * (size_t)r->job->header->width + 8;
    const size_t n = (r->job->n - r->from) / row;
    return n < MIN_ROWS ? MIN_ROWS : n > MAX_ROWS ? MAX_ROWS : (uint32_t)n;
}

static sl_status open_batch(rows *r, sl_error *err) {
    if (r->batch) return SL_OK;
    const sl_csv_job *job = r->job;
    const sl_csv_header *h = job->header;
    r->n = 0;
    r->room = likely_rows(r);
    r->batch = sl_batch_new(job->input, r->room);
    if (!r->batch) return sl_oom(err);
    r->values = sl_arena_calloc(sl_batch_arena(r->batch), h->ncols, sizeof *r->values);
    r->line = sl_arena_calloc(sl_batch_arena(r->batch), r->room, sizeof *r->line);
    if (!r->values || !r->line) return sl_oom(err);
    for (uint32_t c = 0; c < h->ncols; c++)
        TRY(sl_batch_add_column(r->batch, h->cols[c].name, &r->values[c], err));
    r->batch->line = r->line;
    r->batch->first_line = job->block->line;
    r->batch->source = job->block->source;
    return SL_OK;
}

static sl_status flush(rows *r, sl_error *err) {
    sl_batch *b = r->batch;
    r->batch = NULL;
    if (!b) return SL_OK;
    b->nrows = b->nsel = r->n;
    if (r->n) return sl_csv_emit(r->job, b, err);
    sl_batch_free(&b);
    return SL_OK;
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static void add_cell(rows *r, sl_value v) {
    if (r->ncells == r->cap_cells) {
        uint32_t cap = r->cap_cells ? r->cap_cells * 2 : 64;
        sl_value *p = cap > r->cap_cells ? realloc(r->cells, cap * sizeof *p) : NULL;
        if (!p) {
            r->failed = true;
            return;
        }
        r->cells = p;
        r->cap_cells = cap;
    }
    r->cells[r->ncells++] = v;
}

static sl_value clean_cell(sl_text t, char quote) {
    if (!quote || t.n < 2 || t.s[0] != quote) return sl_text_value(t);
    sl_value v = sl_text_value((sl_text){t.s + 1, t.n - 2});
    if (v.n && memchr(v.as.s, quote, v.n)) {
        v.flags = SL_RAW_CSV;
        v.aux = quote;
    }
    return v;
}

static void split_clean(rows *r) {
    const sl_csv_job *job = r->job;
    const sl_csv_fields *f = &job->state->fields;
    size_t from = r->from;
    for (size_t i = 0; i < f->n; i++) {
        add_cell(r, clean_cell(sl_text_n(job->base + from, f->ends[i] - from), job->dialect.quote));
        from = f->ends[i] + 1;
    }
}

static void split_indexed(rows *r) {
    const sl_csv_job *job = r->job;
    size_t from = r->from;
    for (size_t i = r->first; i < r->next; i++) {
        size_t end = i + 1 < r->next ? r->origin + job->state->index.ends[i] : r->reading.end;
        add_cell(r, clean_cell(sl_text_n(job->base + from, end - from), job->dialect.quote));
        from = end + 1;
    }
}

static void on_cell(void *bytes, size_t n, void *to) {
    rows *r = to;
    sl_text t = sl_arena_text(sl_batch_arena(r->batch), sl_text_n(bytes, n));
    if (!t.s) r->failed = true;
    add_cell(r, sl_text_value(t));
}

static void on_record(int end, void *to) {
    (void)end;
    (void)to;
}

/* A blank before a quote belongs to the field. */
static int no_space(unsigned char c) {
    (void)c;
    return 0;
}

static bool open_parser(rows *r) {
    const sl_csv_dialect *d = &r->job->dialect;
    if (csv_init(&r->parser, 0) != 0) return false;
    csv_set_delim(&r->parser, (unsigned char)d->delim);
    csv_set_quote(&r->parser, (unsigned char)d->quote);
    csv_set_space_func(&r->parser, no_space);
    return true;
}

/* A record with stray quotes, as libcsv reads it. */
static void split_lenient(rows *r) {
    const char *record = r->job->base + r->from;
    size_t n = r->reading.end - r->from;
    if (csv_parse(&r->parser, record, n, on_cell, on_record, r) != n) r->failed = true;
    if (csv_fini(&r->parser, on_cell, on_record, r) != 0) r->failed = true;
}

static sl_status split_record(rows *r, sl_error *err) {
    r->ncells = 0;
    if (r->indexed) {
        split_indexed(r);
    } else if (r->job->state->fields.stray == SIZE_MAX && r->reading.place != SL_CSV_QUOTED) {
        split_clean(r);
    } else if (r->lenient) {
        split_lenient(r);
    } else {
        return fail_quote(r, err);
    }
    return r->failed ? sl_oom(err) : SL_OK;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* riko: a record of nothing but white space is no item. */
static bool blank_cells(const rows *r) {
    for (uint32_t i = 0; i < r->ncells; i++)
        if (sl_text_trim(sl_bytes(r->cells[i])).n) return false;
    return true;
}

/* *TAKE false: the record is left out. */
static sl_status judge(rows *r, bool *take, sl_error *err) {
    const uint32_t width = r->job->header->width;
    const int policy = r->job->conf->ragged;
    *take = true;
    if (r->riko && blank_cells(r)) {
        *take = false;
    } else if (r->ncells == width) {
        return SL_OK;
    } else if (policy == SL_RAGGED_SKIP) {
        ++*r->job->quarantined;
        *take = false;
    } else if (!r->riko && (policy == SL_RAGGED_ERROR || r->ncells > width)) {
        return fail_ragged(r, err);
    }
    return SL_OK;
}

/* A short record's cells are missing, under riko null. */
static sl_status store(rows *r, sl_error *err) {
    const sl_csv_header *h = r->job->header;
    for (uint32_t c = 0; c < h->ncols; c++) {
        const uint32_t field = h->cols[c].field;
        sl_value *v = &r->values[c][r->n];
        *v = field < r->ncells ? r->cells[field] : r->riko ? sl_null() : sl_missing();
        if (v->flags) TRY(sl_value_decode(v, sl_batch_arena(r->batch), err));
    }
    r->line[r->n++] = (uint32_t)r->lines;
    return r->n == r->room ? flush(r, err) : SL_OK;
}

static bool no_record(const rows *r) {
    if (r->reading.place == SL_CSV_COMMENT) return true;
    return r->reading.end == r->from && (r->riko || r->job->header->width > 1);
}

static sl_status one_record(rows *r, sl_error *err) {
    const sl_csv_job *job = r->job;
    bool take;
    if (r->reading.at > job->valid) return fail_encoding(r, err);
    if (job->state->fields.failed) return sl_oom(err);
    if (no_record(r)) return SL_OK;
    TRY(open_batch(r, err));
    TRY(split_record(r, err));
    TRY(judge(r, &take, err));
    return take ? store(r, err) : SL_OK;
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

/* The next record by the index, where it has one: the same that the exact reading finds. */
static bool next_indexed(rows *r) {
    const sl_csv_job *job = r->job;
    const sl_csv_index *x = &job->state->index;
    size_t end = 0, i = r->next;
    bool whole = false;
    for (; i < x->n && !whole; i++) {
        end = r->origin + x->ends[i];
        whole = end == job->n || job->base[end] == '\n';
    }
    if (!whole) return false;
    r->first = r->next;
    r->next = i;
    r->reading = (sl_csv_reading){.place = SL_CSV_PLAIN, .at = end + (end < job->n), .end = end, .lines = 1};
    if (end > r->from && job->base[end - 1] == '\r') r->reading.end--;
    for (; r->inner < x->ninner && r->origin + x->inner[r->inner] < end; r->inner++) r->reading.lines++;
    return true;
}

static void next_exact(rows *r) {
    const sl_csv_job *job = r->job;
    r->reading = (sl_csv_reading){.at = r->from};
    sl_csv_fields_reset(&job->state->fields);
    (void)sl_csv_read_record(&job->dialect, &r->reading, job->base, job->n, true, &job->state->fields);
}

/* A record that is not clean is read exactly; behind it the index begins anew. */
static sl_status next_record(rows *r, sl_error *err) {
    if (r->stale) {
        TRY(sl_csv_index_job(r->job, r->from, err));
        r->origin = r->from;
        r->next = r->inner = 0;
    }
    r->indexed = next_indexed(r);
    if (!r->indexed) next_exact(r);
    r->stale = !r->indexed;
    return SL_OK;
}

static sl_status all_records(rows *r, sl_error *err) {
    const sl_csv_job *job = r->job;
    while (r->from < job->n) {
        TRY(next_record(r, err));
        TRY(one_record(r, err));
        r->lines += r->reading.lines;
        r->from = r->reading.at;
    }
    return flush(r, err);
}

sl_status sl_csv_read_rows(const sl_csv_job *job, sl_error *err) {
    const bool riko = job->block->dialect == SL_RIKO;
    rows r = {.job = job, .riko = riko, .lenient = riko || job->conf->quotes};
    r.stale = job->valid < job->n; /* else the lazy reading has left its index */
    if (!open_parser(&r)) return sl_oom(err);
    sl_status status = all_records(&r, err);
    sl_batch_free(&r.batch);
    csv_free(&r.parser);
    free(r.cells);
    return status;
}
