/* text.c: lines. An item is {"content": line}, written as the bare line. LF, CRLF and CR end a line; the last one needs no
 * end. A line is a record of one field without quotes, so splitting and indexing are those of csv, and a line is not
 * touched until somebody asks for it. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/csv/csv.h"

typedef struct text_conf {
    sl_text encoding;
    bool trim;
    sl_csv_conf lines; /* the csv of one column that a text is */
} text_conf;

typedef struct text_state {
    sl_csv_index index;
} text_state;

/* The lines of a block, on their way into a batch. */
typedef struct job {
    const text_conf *conf;
    const char *base;
    size_t n;
    sl_csv_index *index;
} job;

static const sl_option options[] = {
    {.name = "encoding",
     .type = SL_OPT_TEXT,
     .offset = offsetof(text_conf, encoding),
     .fallback = "utf-8",
     .help = "utf-8, ascii, latin-1 or windows-1252"},
    {.name = "trim",
     .type = SL_OPT_BOOL,
     .offset = offsetof(text_conf, trim),
     .fallback = "false",
     .help = "text: without white space at both ends of a line; fetchtext: true"},
    {.name = NULL},
};

static sl_status prepare(void *p, sl_arena *arena, sl_error *err) {
    text_conf *c = p;
    (void)arena;
    c->lines = (sl_csv_conf){.delimiter = '\n', .lines = true, .scanner = sl_csv_scanner_best()};
    return sl_encoding_named(c->encoding, &c->lines.charset, err);
}

static sl_status split_new(const void *conf, void **splitter, sl_error *err) {
    return sl_csv_split_new(&((const text_conf *)conf)->lines, splitter, err);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static sl_status start(const void *conf, void **state, sl_error *err) {
    (void)conf;
    *state = calloc(1, sizeof(text_state));
    return *state ? SL_OK : sl_oom(err);
}

static void stop(void *p) {
    text_state *state = p;
    if (state) sl_csv_index_free(&state->index);
    free(state);
}

/* Line ends of a block in which a CR alone ends lines; the index has room for as many as there are bytes. */
static void index_exactly(const job *j) {
    const char *s = j->base;
    sl_csv_index *x = j->index;
    x->n = 0;
    for (size_t i = 0; i < j->n; i++) {
        bool half = s[i] == '\r' && i + 1 < j->n && s[i + 1] == '\n';
        if ((s[i] == '\n' || s[i] == '\r') && !half) x->ends[x->n++] = (uint32_t)i;
    }
}

static sl_status find_lines(const job *j, sl_error *err) {
    const sl_csv_dialect d = {.delim = '\n'};
    sl_csv_index *x = j->index;
    TRY(sl_csv_index_block(j->conf->lines.scanner, &d, x, j->base, j->n, err));
    if (x->dirty || j->base[j->n - 1] == '\r') {
        TRY(sl_csv_index_room(x, j->n + 1, err));
        index_exactly(j);
    }
    const char last = j->base[j->n - 1];
    if (last != '\n' && last != '\r') x->ends[x->n++] = (uint32_t)j->n;
    return SL_OK;
}

static void fill(const job *j, uint32_t *start_at, uint32_t *end, uint32_t *line) {
    const char *s = j->base;
    uint32_t next = 0;
    for (uint32_t row = 0; row < j->index->n; row++) {
        uint32_t from = next, to = j->index->ends[row];
        next = to + 1;
        if (to > from && s[to - 1] == '\r') to--;
        sl_text text = {s + from, to - from};
        if (j->conf->trim) text = sl_text_trim(text);
        start_at[row] = text.n ? (uint32_t)(text.s - s) : from;
        end[row] = start_at[row] + text.n;
        line[row] = row;
    }
}

static sl_status fill_batch(const job *j, sl_batch *b, sl_error *err) {
    static const sl_text name = {"content", 7};
    sl_arena *arena = sl_batch_arena(b);
    uint32_t *start_at = sl_arena_alloc(arena, b->nrows * sizeof *start_at);
    uint32_t *end = sl_arena_alloc(arena, b->nrows * sizeof *end);
    uint32_t *line = sl_arena_alloc(arena, b->nrows * sizeof *line);
    sl_records *r = sl_arena_alloc(arena, sizeof *r);
    if (!start_at || !end || !line || !r) return sl_oom(err);
    fill(j, start_at, end, line);
    *r = (sl_records){
        .base = j->base, .start = start_at, .end = end, .nfields = 1, .delim = '\n', .plain = true};
    b->line = line;
    b->bare = true;
    return sl_batch_set_records(b, r, &name, err);
}

/* Line ends in S[0, n), a CR alone among them. */
static uint64_t count_ends(const char *s, size_t n) {
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += s[i] == '\n' || (s[i] == '\r' && (i + 1 == n || s[i + 1] != '\n'));
    return count;
}

static sl_status check_text(const job *j, const sl_block *block, sl_error *err) {
    const sl_encoding charset = j->conf->lines.charset;
    size_t valid = sl_encoding_valid(charset == SL_ASCII ? SL_ASCII : SL_UTF8, j->base, j->n);
    if (valid == j->n) return SL_OK;
    sl_status status = sl_encoding_fail(charset, j->base[valid], err);
    sl_error_at(err, block->source, block->line + count_ends(j->base, valid), sl_column_of(j->base, valid));
    return status;
}

static sl_status read_lines(const job *j, sl_input *input, const sl_block *block, sl_batch_sink sink,
                            void *to, sl_error *err) {
    if (j->n >= UINT32_MAX) return sl_fail(err, SL_E_INTERNAL, "text: a unit of 4 GiB or more");
    TRY(check_text(j, block, err));
    TRY(find_lines(j, err));
    sl_batch *b = sl_batch_new(input, (uint32_t)j->index->n);
    if (!b) return sl_oom(err);
    b->first_line = block->line;
    b->source = block->source;
    sl_status status = fill_batch(j, b, err);
    if (!status) return sink(to, b, err);
    sl_batch_free(&b);
    return status;
}

static sl_status read_block(const void *conf, void *state, const sl_block *block, sl_batch_sink sink,
                            void *to, uint64_t *quarantined, sl_error *err) {
    (void)quarantined;
    if (block->from == block->to) return SL_OK;
    text_state own = {0}, *s = state ? state : &own;
    sl_input *decoded;
    job j = {conf, block->input->data + block->from, block->to - block->from, &s->index};
    TRY(sl_encoding_decode(j.conf->lines.charset, j.base, j.n, &decoded, err));
    if (decoded) {
        j.base = decoded->data;
        j.n = decoded->len;
    }
    sl_status status = read_lines(&j, decoded ? decoded : block->input, block, sink, to, err);
    sl_input_unref(&decoded);
    sl_csv_index_free(&own.index);
    return status;
}

const sl_format sl_format_text = {
    .name = "text",
    .summary = "lines: one item each, as {\"content\": line}",
    .suffixes = (const char *const[]){".txt", ".text", ".log", ".md", NULL},
    .source = "fetchtext",
    .options = options,
    .conf_size = sizeof(text_conf),
    .prepare = prepare,
    .split_new = split_new,
    .split = sl_csv_split,
    .split_free = sl_csv_split_free,
    .start = start,
    .stop = stop,
    .read = read_block,
};
