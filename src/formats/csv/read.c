/* read.c: reads a unit of delimited text. A clean block, whose records all have the same number of fields, becomes one lazy
 * batch straight from the index of its separators, without a look at single fields; that is nearly every block, and where the
 * speed comes from. Any other goes to rows.c. */
#include "formats/csv/csv.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"

/* ---- state ------------------------------------------------------------------------------------------------------ */

sl_status sl_csv_start(const void *conf, void **state, sl_error *err) {
    (void)conf;
    *state = calloc(1, sizeof(sl_csv_state));
    return *state ? SL_OK : sl_oom(err);
}

void sl_csv_state_free(sl_csv_state *state) {
    sl_csv_index_free(&state->index);
    sl_csv_fields_free(&state->fields);
    sl_buf_free(&state->note);
    sl_arena_free(&state->arena);
}

void sl_csv_stop(void *state) {
    if (state) sl_csv_state_free(state);
    free(state);
}

/* The columns of the block's note, made anew only when it is not the note seen last. */
static sl_status know_header(const sl_csv_conf *conf, sl_csv_state *s, const sl_block *block, sl_error *err) {
    if (s->known && s->dialect == block->dialect &&
        sl_text_eq(block->note, sl_text_n(s->note.data, s->note.len))) {
        return SL_OK;
    }
    s->known = false;
    sl_arena_reset(&s->arena);
    sl_buf_clear(&s->note);
    sl_buf_text(&s->note, block->note);
    TRY(sl_buf_check(&s->note, err));
    TRY(sl_csv_header_make(conf, block, &s->arena, &s->header, err));
    s->dialect = block->dialect;
    s->known = true;
    return SL_OK;
}

/* ---- a clean, rectangular block --------------------------------------------------------------------------------- */

/* Fills START from the index and takes the CR of line ends off the last fields. False: the block is not rectangular. */
static bool find_rows(const char *base, uint32_t *end, uint32_t *start, uint32_t nrows, uint32_t width,
                      uint32_t nlines) {
    uint32_t from = 0;
    for (uint32_t row = 0; row < nrows; row++) {
        uint32_t *last = end + (size_t)row * width + width - 1;
        const uint32_t at = *last;
        if (row < nlines && base[at] != '\n') return false;
        start[row] = from;
        *last = at - (at > from && base[at - 1] == '\r');
        from = at + 1;
    }
    return true;
}

/* Lines of the rows after the first: one each, and those inside quotes. */
static void number_rows(const uint32_t *start, uint32_t nrows, const sl_csv_index *x, uint32_t *line) {
    uint32_t inner = 0;
    for (uint32_t row = 0; row < nrows; row++) {
        while (inner < x->ninner && x->inner[inner] < start[row]) inner++;
        line[row] = row + inner;
    }
}

/* The index as records in the arena of B; *FITS false: not rectangular. */
static sl_status take_index(const sl_csv_job *job, sl_batch *b, sl_records *r, bool *fits, sl_error *err) {
    const sl_csv_index *x = &job->state->index;
    sl_arena *arena = sl_batch_arena(b);
    uint32_t *start = sl_arena_alloc(arena, b->nrows * sizeof *start);
    uint32_t *line = sl_arena_alloc(arena, b->nrows * sizeof *line);
    uint32_t *end = sl_arena_alloc(arena, x->n * sizeof *end);
    if (!start || !line || !end) return sl_oom(err);
    if (x->n) memcpy(end, x->ends, x->n * sizeof *end);
    *fits = find_rows(job->base, end, start, b->nrows, r->nfields, (uint32_t)x->lines);
    if (!*fits) return SL_OK;
    assert(!b->nrows || end[x->n - 1] <= job->n);
    number_rows(start, b->nrows, x, line);
    r->start = start;
    r->end = end;
    b->line = line;
    b->first_line = job->block->line;
    b->source = job->block->source;
    return SL_OK;
}

/* Names of the record's fields in the arena of B; those without a column have none. */
static sl_status field_names(const sl_csv_job *job, sl_batch *b, sl_text **names, sl_error *err) {
    const sl_csv_header *h = job->header;
    size_t bytes = 0;
    for (uint32_t c = 0; c < h->ncols; c++) bytes += h->cols[c].name.n;
    uint32_t n = h->ncols > h->width ? h->ncols : h->width;
    char *at = sl_arena_alloc(sl_batch_arena(b), bytes);
    *names = sl_arena_calloc(sl_batch_arena(b), n, sizeof **names);
    if (!at || !*names) return sl_oom(err);
    for (uint32_t c = 0; c < h->ncols; c++) {
        sl_text name = h->cols[c].name;
        if (name.n) memcpy(at, name.s, name.n);
        (*names)[c] = (sl_text){at, name.n};
        at += name.n;
    }
    return SL_OK;
}

/* The columns of the header where they are not simply the fields in order; beyond the record they are null. */
static sl_status arrange(const sl_csv_job *job, sl_batch *b, const sl_text *names, sl_error *err) {
    const sl_csv_header *h = job->header;
    const uint32_t lazy = h->ncols < h->width ? h->ncols : h->width;
    while (b->ncols > lazy) sl_batch_drop_column(b, b->ncols - 1);
    b->pristine = false;
    for (uint32_t c = 0; c < lazy; c++) b->cols[c].field = h->cols[c].field;
    for (uint32_t c = lazy; c < h->ncols; c++) {
        sl_value *values;
        TRY(sl_batch_add_column(b, names[c], &values, err));
        for (uint32_t row = 0; row < b->nrows; row++) values[row] = sl_null();
    }
    return SL_OK;
}

static bool blank_row(const sl_records *r, uint32_t row) {
    const uint32_t *end = r->end + (size_t)row * r->nfields;
    uint32_t from = r->start[row];
    for (uint32_t f = 0; f < r->nfields; f++) {
        if (!sl_csv_blank((sl_text){r->base + from, end[f] - from}, r->quote)) return false;
        from = end[f] + 1;
    }
    return true;
}

static sl_status drop_blank_rows(sl_batch *b, sl_error *err) {
    bool *keep = malloc(b->nrows);
    if (!keep) return sl_oom(err);
    for (uint32_t row = 0; row < b->nrows; row++) keep[row] = !blank_row(b->records, row);
    sl_status status = sl_batch_select(b, keep, err);
    free(keep);
    return status;
}

static sl_status fill_lazy(const sl_csv_job *job, sl_batch *b, bool *fits, sl_error *err) {
    sl_records *r = sl_arena_alloc(sl_batch_arena(b), sizeof *r);
    sl_text *names;
    if (!r) return sl_oom(err);
    *r = (sl_records){.base = job->base,
                      .nfields = job->header->width,
                      .quote = job->dialect.quote,
                      .delim = job->dialect.delim,
                      .plain = !job->state->index.quotes};
    TRY(take_index(job, b, r, fits, err));
    if (!*fits) return SL_OK;
    TRY(field_names(job, b, &names, err));
    TRY(sl_batch_set_records(b, r, names, err));
    if (!job->header->whole) TRY(arrange(job, b, names, err));
    return job->block->dialect == SL_RIKO ? drop_blank_rows(b, err) : SL_OK;
}

sl_status sl_csv_index_job(const sl_csv_job *job, size_t from, sl_error *err) {
    sl_csv_index *x = &job->state->index;
    const size_t n = job->n - from;
    TRY(sl_csv_index_block(job->conf->scanner, &job->dialect, x, job->base + from, n, err));
    /* a last line without an end gets one; a CR there is its line end */
    if (!x->dirty && !x->carry.inside && n && job->base[job->n - 1] != '\n') x->ends[x->n++] = (uint32_t)n;
    return SL_OK;
}

/* *DONE: the block was clean and rectangular, and has been handed on as one batch. */
static sl_status read_lazy(const sl_csv_job *job, bool *done, sl_error *err) {
    const sl_csv_index *x = &job->state->index;
    const uint32_t width = job->header->width;
    TRY(sl_csv_index_job(job, 0, err));
    if (x->dirty || x->carry.inside) return SL_OK;
    const bool open = x->n > 0 && x->ends[x->n - 1] == job->n;
    if (!width || x->n % width || x->n / width != x->lines + open) return SL_OK;
    sl_batch *b = sl_batch_new(job->input, (uint32_t)(x->n / width));
    if (!b) return sl_oom(err);
    sl_status status = fill_lazy(job, b, done, err);
    if (status || !*done) {
        sl_batch_free(&b);
        return status;
    }
    return sl_csv_emit(job, b, err);
}

sl_status sl_csv_emit(const sl_csv_job *job, sl_batch *take, sl_error *err) {
    if (job->block->dialect == SL_RIKO && job->header->dotted) {
        sl_status status = sl_batch_nest_dotted(take, err);
        if (status) {
            sl_batch_free(&take);
            return status;
        }
    }
    take->headed = true;
    return job->sink(job->to, take, err);
}

/* ---- any block -------------------------------------------------------------------------------------------------- */

sl_status sl_csv_read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    sl_csv_state own = {0};
    sl_csv_job job = {.conf = conf,
                      .block = block,
                      .state = state ? state : &own,
                      .dialect = sl_csv_dialect_of(conf),
                      .input = block->input,
                      .base = block->input->data + block->from,
                      .n = block->to - block->from,
                      .sink = sink,
                      .to = to,
                      .quarantined = quarantined};
    assert(block->from <= block->to && block->to <= block->input->len);
    sl_input *decoded = NULL;
    sl_status status = know_header(conf, job.state, block, err);
    if (!status) status = sl_encoding_decode(job.conf->charset, job.base, job.n, &decoded, err);
    if (decoded) {
        job.input = decoded;
        job.base = decoded->data;
        job.n = decoded->len;
    }
    job.header = &job.state->header;
    if (!status && job.n >= UINT32_MAX) status = sl_fail(err, SL_E_INTERNAL, "csv: a unit of 4 GiB or more");
    bool done = false;
    job.valid = sl_encoding_valid(job.conf->charset == SL_ASCII ? SL_ASCII : SL_UTF8, job.base, job.n);
    if (!status && job.valid == job.n) status = read_lazy(&job, &done, err);
    if (!status && !done) status = sl_csv_read_rows(&job, err);
    sl_input_unref(&decoded);
    sl_csv_state_free(&own);
    return status;
}
