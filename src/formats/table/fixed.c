/* fixed.c: lines whose fields begin at fixed places, for fetchtable. widths says how many characters each has; cells are
 * trimmed, those that a short line lacks are null, blank lines are left out. */
#include <stdlib.h>

#include "base/error.h"
#include "base/unicode.h"
#include "formats/json/json.h"
#include "formats/document/document.h"
#include "formats/table/table.h"

#define LINE_MOST SL_RECORD_MOST
enum { MOST_FIELDS = 4096, WIDEST = 1 << 20 };

typedef struct table_conf {
    sl_texts widths, col_names;
    int64_t skip_rows;
    bool has_header;
    sl_csv_conf names;
    uint32_t *width; /* of each field, in characters, by prepare */
} table_conf;

static sl_status prepare(void *conf, sl_arena *arena, sl_error *err) {
    table_conf *c = conf;
    if (!c->widths.n || c->widths.n > MOST_FIELDS)
        return sl_fail(err, SL_E_PLAN, "widths has to list the characters of 1 to %d fields, e.g. [5, 20, 8]",
                       MOST_FIELDS);
    c->width = sl_arena_calloc(arena, c->widths.n, sizeof *c->width);
    if (!c->width) return sl_oom(err);
    for (uint32_t i = 0; i < c->widths.n; i++) {
        sl_text t = c->widths.v[i];
        for (uint32_t k = 0; k < t.n && c->width[i] <= WIDEST; k++) {
            bool digit = t.s[k] >= '0' && t.s[k] <= '9';
            c->width[i] = digit ? c->width[i] * 10 + (uint32_t)(t.s[k] - '0') : WIDEST + 1u;
        }
        if (!c->width[i] || c->width[i] > WIDEST)
            return sl_fail(err, SL_E_PLAN, "widths: '%.*s' is not a number of characters, 1 to %d",
                           (int)(t.n < 40 ? t.n : 40), t.s, WIDEST);
    }
    return SL_OK;
}

/* ---- splitting --------------------------------------------------------------------------------------------------- */

typedef struct splitter {
    const table_conf *conf;
    uint64_t line;
    int64_t skip;
    bool begun, headed; /* behind the mark; the header was read or there is none */
    size_t looked;      /* bytes of what is shown next that have no line feed */
    sl_buf header;      /* the note */
} splitter;

static sl_status split_new(const void *conf, void **out, sl_error *err) {
    splitter *s = calloc(1, sizeof *s);
    *out = s;
    if (!s) return sl_oom(err);
    s->conf = conf;
    s->line = 1;
    s->skip = s->conf->skip_rows;
    s->headed = !s->conf->has_header;
    return SL_OK;
}

static void split_free(void *splitter_) {
    splitter *s = splitter_;
    if (s) sl_buf_free(&s->header);
    free(s);
}

/* The line at DATA[from] without its end; *NEXT: behind it. */
static sl_text line_at(const char *data, size_t from, size_t to, size_t *next) {
    const char *lf = memchr(data + from, '\n', to - from);
    size_t end = lf ? (size_t)(lf - data) : to;
    *next = lf ? end + 1 : to;
    if (end > from && data[end - 1] == '\r') end--;
    return sl_text_n(data + from, end - from);
}

/* The mark, the lines to skip and the header: where the rows begin in DATA[0, to). */
static size_t pass_head(splitter *s, const char *data, size_t to) {
    size_t from = 0, next;
    if (!s->begun && to >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) from = 3;
    s->begun = true;
    while (from < to && (s->skip || !s->headed)) {
        sl_text line = line_at(data, from, to, &next);
        if (!s->skip) {
            sl_buf_text(&s->header, line);
            s->headed = true;
        }
        s->skip -= s->skip > 0;
        s->line++;
        from = next;
    }
    return from;
}

static sl_status split(void *splitter_, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    splitter *s = splitter_;
    size_t to = n;
    while (!last && to > s->looked && data[to - 1] != '\n') to--;
    if (!last && to == s->looked) to = 0;
    *cut = (sl_cut){.line = s->line};
    s->looked = n - to;
    if (!to && n > LINE_MOST) {
        sl_fail(err, SL_E_DATA, "a line is longer than 64 MiB");
        sl_error_at(err, NULL, s->line, 1);
        return SL_E_DATA;
    }
    if (!to) return SL_OK;
    size_t from = pass_head(s, data, to);
    TRY(sl_buf_check(&s->header, err));
    *cut = (sl_cut){
        .from = from, .to = to, .end = to, .line = s->line, .note = sl_text_n(s->header.data, s->header.len)};
    s->line += sl_json_count_lines(data + from, to - from);
    return SL_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* A unit being read. */
typedef struct job {
    const table_conf *conf;
    const sl_block *block;
    sl_builder *builder;
    sl_arena arena;
    sl_csv_header header;
} job;

/* The next field of *LINE, of WIDTH characters, taken off. */
static sl_text next_field(sl_text *line, uint32_t width) {
    uint32_t n = sl_utf8_offset(*line, width);
    sl_text field = {line->s, n};
    *line = (sl_text){line->s + n, line->n - n};
    return sl_markup_trim(field);
}

static sl_status name_columns(job *j, sl_error *err) {
    const sl_texts *given = &j->conf->col_names;
    sl_text line = j->block->note;
    if (given->given && given->n != j->conf->widths.n)
        return sl_fail(err, SL_E_DATA, "col_names has %u names, widths %u fields", given->n,
                       j->conf->widths.n);
    if (given->given) return sl_csv_columns(&j->conf->names, given->v, given->n, &j->arena, &j->header, err);
    sl_text *names = sl_arena_calloc(&j->arena, j->conf->widths.n, sizeof *names);
    if (!names) return sl_oom(err);
    for (uint32_t i = 0; i < j->conf->widths.n; i++)
        names[i] = line.n ? next_field(&line, j->conf->width[i]) : SL_TEXT("");
    return sl_csv_columns(&j->conf->names, names, j->conf->widths.n, &j->arena, &j->header, err);
}

static sl_status read_line(job *j, sl_text line, uint64_t number, sl_text *fields, sl_error *err) {
    const uint32_t n = j->conf->widths.n;
    if (!sl_markup_trim(line).n) return SL_OK;
    for (uint32_t i = 0; i < n; i++) fields[i] = line.n ? next_field(&line, j->conf->width[i]) : (sl_text){0};
    if (sl_markup_trim(line).n) {
        sl_fail(err, SL_E_DATA, "the line goes on behind the last of the %u fields; check widths", n);
        sl_error_at(err, NULL, number, 0);
        return SL_E_DATA;
    }
    TRY(sl_builder_row(j->builder, err));
    sl_builder_line(j->builder, number);
    for (uint32_t i = 0; i < j->header.ncols; i++) {
        sl_text field = fields[j->header.cols[i].field];
        TRY(sl_builder_put(j->builder, j->header.cols[i].name, field.s ? sl_text_value(field) : sl_null(),
                           err));
    }
    return SL_OK;
}

static sl_status read_lines(job *j, sl_error *err) {
    const sl_block *b = j->block;
    const char *data = b->input->data + b->from;
    size_t n = b->to - b->from, valid = sl_utf8_valid_prefix(data, n);
    uint64_t number = b->line;
    if (valid < n) {
        sl_encoding_fail(SL_UTF8, data[valid], err);
        sl_error_at(err, NULL, b->line + sl_json_count_lines(data, valid), sl_column_of(data, valid));
        return SL_E_DATA;
    }
    TRY(name_columns(j, err));
    sl_text *fields = sl_arena_calloc(&j->arena, j->conf->widths.n, sizeof *fields);
    if (!fields) return sl_oom(err);
    for (size_t at = 0, next; at < n; at = next) {
        sl_text line = line_at(data, at, n, &next);
        TRY(read_line(j, line, number++, fields, err));
    }
    return sl_builder_flush(j->builder, err);
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)state, (void)quarantined;
    sl_json_out out = {.sink = sink, .to = to, .block = block};
    job j = {.conf = conf, .block = block};
    j.builder = sl_builder_new(0, block->input, sl_json_hand_on, &out);
    sl_status status = j.builder ? read_lines(&j, err) : sl_oom(err);
    if (status > SL_DONE) sl_error_at(err, block->source, 0, 0);
    sl_builder_free(&j.builder);
    sl_arena_free(&j.arena);
    return status;
}

static const sl_option options[] = {
    {.name = "widths",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(table_conf, widths),
     .help = "fixed: characters of each field, as [5, 20, 8]"},
    {.name = "has_header",
     .type = SL_OPT_BOOL,
     .offset = offsetof(table_conf, has_header),
     .fallback = "true",
     .help = "csv, fixed, html: the first row names the columns, else they are column_1, column_2 ..."},
    {.name = "col_names",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(table_conf, col_names),
     .help = "csv, fixed, html: names of the columns, instead of the header's"},
    {.name = "skip_rows",
     .type = SL_OPT_INT,
     .offset = offsetof(table_conf, skip_rows),
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .unit = "lines",
     .help = "csv, fixed: lines to skip before the header"},
    SL_NAME_ROWS(table_conf),
    {.name = NULL},
};

const sl_format sl_format_table_fixed = {
    .name = "fixed",
    .refuses = SL_REFUSES_PAGES,
    .summary = "lines cut at fixed widths",
    .options = options,
    .conf_size = sizeof(table_conf),
    .prepare = prepare,
    .split_new = split_new,
    .split = split,
    .split_free = split_free,
    .read = read,
};
