/* markdown.c: items as the rows of a table in a Markdown file. The template of docs/adding-a-sink.md. */
#include <stdlib.h>

#include "base/error.h"
#include "record/cast.h"
#include "sinks/file/file.h"

typedef struct conf {
    sl_file_conf file; /* first */
    sl_texts columns;
} conf;

/* ---- the worker's half ---------------------------------------------------------------------------------------------------- */

static sl_status start(const void *vconf, void **state, sl_error *err) {
    (void)vconf;
    *state = calloc(1, sizeof(sl_buf));
    return *state ? SL_OK : sl_oom(err);
}

static void stop(void *state) {
    if (state) sl_buf_free(state);
    free(state);
}

/* A bar would end the cell, a line's end the row. */
static void put_cell(sl_text text, sl_buf *out) {
    sl_buf_str(out, " ");
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.s[i] == '\n')
            sl_buf_str(out, "<br>");
        else if (text.s[i] == '|')
            sl_buf_str(out, "\\|");
        else
            sl_buf_byte(out, text.s[i]);
    }
    sl_buf_str(out, " |");
}

static sl_status put_row(const conf *c, sl_buf *text, sl_batch *b, uint32_t row, sl_buf *frame,
                         sl_error *err) {
    sl_buf_byte(frame, '|');
    for (uint32_t i = 0; i < c->columns.n; i++) {
        sl_value v = sl_missing();
        int column = sl_batch_find(b, c->columns.v[i], false);
        if (column >= 0) TRY(sl_batch_cell(b, (uint32_t)column, row, &v, err));
        sl_buf_clear(text);
        sl_text_form(v, "", text);
        TRY(sl_buf_check(text, err));
        put_cell(sl_text_n(text->data, text->len), frame);
    }
    sl_buf_byte(frame, '\n');
    return SL_OK;
}

static sl_status encode(const void *vconf, void *state, sl_batch *b, sl_buf *frame, sl_error *err) {
    if (b->bare) return sl_fail(err, SL_E_DATA, "a table has items with fields, and these are bare values");
    for (uint32_t i = 0; i < b->nsel; i++) TRY(put_row(vconf, state, b, sl_batch_row(b, i), frame, err));
    return sl_buf_check(frame, err);
}

/* ---- the coordinator's half ----------------------------------------------------------------------------------------------- */

static sl_status write_header(const conf *c, sl_file_out *out, sl_error *err) {
    sl_buf lines = {0};
    sl_buf_byte(&lines, '|');
    for (uint32_t i = 0; i < c->columns.n; i++) put_cell(c->columns.v[i], &lines);
    sl_buf_str(&lines, "\n|");
    for (uint32_t i = 0; i < c->columns.n; i++) sl_buf_str(&lines, "---|");
    sl_buf_byte(&lines, '\n');
    sl_status s = sl_buf_check(&lines, err);
    if (s == SL_OK) s = sl_file_out_write(out, lines.data, lines.len, err);
    sl_buf_free(&lines);
    return s;
}

static sl_status open_table(const void *vconf, const sl_sink_env *env, void **sink, sl_error *err) {
    TRY(sl_file_open(sizeof(sl_file_sink), vconf, env, sink, err));
    return write_header(vconf, ((sl_file_sink *)*sink)->out, err);
}

static sl_status write_rows(void *sink, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    for (size_t i = 0; i < n; i++) *rows += frame[i] == '\n';
    return sl_file_out_write(((sl_file_sink *)sink)->out, frame, n, err);
}

static sl_status takes_away(const void *vconf, bool *some, sl_error *err) {
    return sl_file_holds_rows(sl_file_of(vconf), 0, 2, some, err);
}

/* ---- the descriptor ------------------------------------------------------------------------------------------------------- */

static const char *const suffixes[] = {".md", NULL};

static const sl_option options[] = {
    {.name = "columns",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(conf, columns),
     .flags = SL_OPT_REQUIRED,
     .help = "exactly these columns in this order"},
    {0},
};

const sl_sink sl_sink_markdown = {
    .name = "markdown",
    .summary = "a file with a Markdown table",
    .suffixes = suffixes,
    .options = options,
    .conf_size = sizeof(conf),
    .file = sl_file_of,
    .takes_away = takes_away,
    .prepare = sl_file_prepare,
    .destroy = sl_file_destroy,
    .start = start,
    .stop = stop,
    .encode = encode,
    .open = open_table,
    .write = write_rows,
    .ready = sl_file_ready,
    .commit = sl_file_commit,
    .close = sl_file_close,
};
