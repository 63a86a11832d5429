/* stdout.c: items to standard output: a table for people, JSON Lines for programs, or what is asked for. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/files.h"
#include "sinks/csv/csv.h"
#include "sinks/json/json.h"
#include "sinks/sink.h"
#include "sinks/stdout.h"
#include "sinks/table.h"

enum { AUTO, JSON_LINES, JSON_ARRAY, CSV, TSV, TABLE };

typedef struct stdout_conf {
    int format;
    bool header;
    sl_csv_style style; /* csv, tsv, and the cells of a table */
    int fd;
    char name[32]; /* of the descriptor; empty: it is standard output */
} stdout_conf;

typedef struct stdout_sink {
    int format;
    const sl_sink_env *env; /* NULL: it is not standard output */
    sl_file_out *out;
    sl_csv_writer csv;
    sl_json_writer json;
    sl_table table;
} stdout_sink;

static sl_status stdout_prepare(void *conf, sl_text target, const sl_sink_env *env, sl_error *err) {
    (void)target;
    stdout_conf *c = conf;
    if (c->format == AUTO) c->format = env->to_terminal ? TABLE : JSON_LINES;
    c->style.delimiter = c->format == TSV ? '\t' : ',';
    c->style.quote = '"';
    c->fd = env->out_fd;
    return sl_csv_style_check(&c->style, err);
}

const char *sl_stdout_to(void *conf, int fd) {
    stdout_conf *c = conf;
    c->fd = fd;
    snprintf(c->name, sizeof c->name, "file descriptor %d", fd);
    return c->name;
}

static sl_status stdout_start(const void *conf, void **state, sl_error *err) {
    const stdout_conf *c = conf;
    *state = sl_csv_encoder_new(&c->style);
    return *state ? SL_OK : sl_oom(err);
}

static void stdout_stop(void *state) {
    sl_csv_encoder_free(state);
}

static bool is_json(int f) {
    return f == JSON_LINES || f == JSON_ARRAY;
}

static sl_status stdout_encode(const void *conf, void *state, sl_batch *b, sl_buf *frame, sl_error *err) {
    const stdout_conf *c = conf;
    if (!is_json(c->format)) return sl_csv_encode(state, b, frame, err);
    return sl_json_encode(sl_json_separator(c->format == JSON_ARRAY), b, frame, err);
}

static sl_status stdout_open(const void *conf, const sl_sink_env *env, void **sink, sl_error *err) {
    const stdout_conf *c = conf;
    stdout_sink *s = calloc(1, sizeof *s);
    *sink = s;
    if (!s) return sl_oom(err);
    s->format = c->format;
    s->env = *c->name ? NULL : env;
    TRY(sl_standard_check(c->fd, true, err));
    TRY(sl_file_out_over(&s->out, c->fd, *c->name ? c->name : "standard output", env->stopping, err));
    s->csv = (sl_csv_writer){.style = &c->style, .out = s->out, .header = c->header};
    s->json = (sl_json_writer){.out = s->out, .array = s->format == JSON_ARRAY};
    s->table.style = &c->style;
    s->table.out = s->out;
    return SL_OK;
}

static void announce(const stdout_sink *s) {
    if (s->env && s->env->before_output) s->env->before_output(s->env->output_user);
}

/* A unit is shown as soon as it is there: somebody may be waiting at the other end. */
static sl_status stdout_write(void *sink, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    stdout_sink *s = sink;
    announce(s);
    if (is_json(s->format))
        TRY(sl_json_put(&s->json, frame, n, rows, err));
    else if (s->format == TABLE)
        TRY(sl_table_put(&s->table, frame, n, rows, err));
    else
        TRY(sl_csv_write(&s->csv, frame, n, rows, err));
    return sl_file_out_flush(s->out, err);
}

static sl_status stdout_ready(void *sink, sl_error *err) {
    stdout_sink *s = sink;
    announce(s);
    if (is_json(s->format))
        TRY(sl_json_end(&s->json, err));
    else if (s->format == TABLE)
        TRY(sl_table_end(&s->table, err));
    else
        TRY(sl_csv_end(&s->csv, err));
    return sl_file_out_ready(s->out, err);
}

static sl_status stdout_commit(void *sink, sl_error *err) {
    stdout_sink *s = sink;
    return sl_file_out_commit(s->out, err);
}

static void stdout_close(void *sink) {
    stdout_sink *s = sink;
    if (!s) return;
    sl_csv_writer_free(&s->csv);
    sl_table_free(&s->table);
    sl_file_out_close(&s->out);
    free(s);
}

static const char *const formats[] = {"auto", "jsonl", "json", "csv", "tsv", "table", NULL};

static const sl_option options[] = {
    {.name = "format",
     .type = SL_OPT_ENUM,
     .offset = offsetof(stdout_conf, format),
     .names = formats,
     .fallback = "auto",
     .help = "auto: a table on a terminal, jsonl otherwise"},
    {.name = "header",
     .type = SL_OPT_BOOL,
     .offset = offsetof(stdout_conf, header),
     .fallback = "true",
     .help = "csv, tsv: first line names the columns"},
    {.name = "columns",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(stdout_conf, style.columns),
     .help = "csv, tsv, table: exactly these columns in this order"},
    {0},
};

const sl_sink sl_sink_stdout = {
    .name = "stdout",
    .summary = "standard output, written -",
    .options = options,
    .conf_size = sizeof(stdout_conf),
    .prepare = stdout_prepare,
    .start = stdout_start,
    .stop = stdout_stop,
    .encode = stdout_encode,
    .open = stdout_open,
    .write = stdout_write,
    .ready = stdout_ready,
    .commit = stdout_commit,
    .close = stdout_close,
};
