/* csv.c: items into a file of delimited text. */
#include "base/error.h"
#include "sinks/csv/csv.h"
#include "sinks/file/file.h"
#include "sinks/sink.h"

typedef struct csv_conf {
    sl_file_conf file; /* first */
    sl_csv_style style;
    bool header;
} csv_conf;

typedef struct csv_sink {
    sl_file_sink file; /* first */
    sl_csv_writer writer;
} csv_sink;

static sl_status csv_prepare(void *conf, sl_text target, const sl_sink_env *env, sl_error *err) {
    csv_conf *c = conf;
    bool tsv = sl_text_ends_nocase(target, ".tsv");
    if (!c->style.delimiter) c->style.delimiter = tsv ? '\t' : ',';
    TRY(sl_csv_style_check(&c->style, err));
    return sl_file_prepare(conf, target, env, err);
}

static sl_status csv_start(const void *conf, void **state, sl_error *err) {
    const csv_conf *c = conf;
    *state = sl_csv_encoder_new(&c->style);
    return *state ? SL_OK : sl_oom(err);
}

static void csv_stop(void *state) {
    sl_csv_encoder_free(state);
}

static sl_status csv_encode(const void *conf, void *state, sl_batch *b, sl_buf *frame, sl_error *err) {
    (void)conf;
    return sl_csv_encode(state, b, frame, err);
}

static sl_status csv_open(const void *conf, const sl_sink_env *env, void **sink, sl_error *err) {
    const csv_conf *c = conf;
    TRY(sl_file_open(sizeof(csv_sink), conf, env, sink, err));
    csv_sink *s = *sink;
    s->writer = (sl_csv_writer){.style = &c->style, .out = s->file.out, .header = c->header};
    return SL_OK;
}

static sl_status csv_write(void *sink, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    csv_sink *s = sink;
    return sl_csv_write(&s->writer, frame, n, rows, err);
}

static sl_status csv_ready(void *sink, sl_error *err) {
    csv_sink *s = sink;
    TRY(sl_csv_end(&s->writer, err));
    return sl_file_ready(s, err);
}

static void csv_close(void *sink) {
    csv_sink *s = sink;
    if (s) sl_csv_writer_free(&s->writer);
    sl_file_close(s);
}

static const char *const suffixes[] = {".csv", ".tsv", NULL};

static const sl_option options[] = {
    {.name = "delimiter",
     .type = SL_OPT_CHAR,
     .offset = offsetof(csv_conf, style.delimiter),
     .help = "between cells; a comma, for .tsv a tab, unless given"},
    {.name = "quote",
     .type = SL_OPT_CHAR,
     .offset = offsetof(csv_conf, style.quote),
     .fallback = "\"",
     .help = "around cells that need it, doubled inside"},
    {.name = "header",
     .type = SL_OPT_BOOL,
     .offset = offsetof(csv_conf, header),
     .fallback = "true",
     .help = "first line names the columns"},
    {.name = "crlf",
     .type = SL_OPT_BOOL,
     .offset = offsetof(csv_conf, style.crlf),
     .fallback = "false",
     .help = "end lines with CR LF instead of LF"},
    {.name = "columns",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(csv_conf, style.columns),
     .help = "exactly these columns in this order; otherwise those of the first item"},
    {0},
};

static sl_status csv_takes_away(const void *conf, bool *some, sl_error *err) {
    const csv_conf *c = conf;
    return sl_file_holds_rows(sl_file_of(conf), c->style.quote, c->header, some, err);
}

const sl_sink sl_sink_csv = {
    .name = "csv",
    .summary = "a file of comma- or otherwise separated values",
    .suffixes = suffixes,
    .options = options,
    .conf_size = sizeof(csv_conf),
    .file = sl_file_of,
    .takes_away = csv_takes_away,
    .prepare = csv_prepare,
    .destroy = sl_file_destroy,
    .start = csv_start,
    .stop = csv_stop,
    .encode = csv_encode,
    .open = csv_open,
    .write = csv_write,
    .ready = csv_ready,
    .commit = sl_file_commit,
    .close = csv_close,
};
