/* jsonl.c: items into a file of JSON: one a line (jsonl), or one array (json). */
#include "sinks/json/json.h"
#include "sinks/file/file.h"
#include "sinks/sink.h"

typedef struct json_sink {
    sl_file_sink file; /* first */
    sl_json_writer writer;
} json_sink;

static sl_status encode_lines(const void *conf, void *state, sl_batch *b, sl_buf *frame, sl_error *err) {
    (void)conf, (void)state;
    return sl_json_encode(sl_json_separator(false), b, frame, err);
}

static sl_status encode_array(const void *conf, void *state, sl_batch *b, sl_buf *frame, sl_error *err) {
    (void)conf, (void)state;
    return sl_json_encode(sl_json_separator(true), b, frame, err);
}

static sl_status open_file(const void *conf, const sl_sink_env *env, bool array, void **sink, sl_error *err) {
    TRY(sl_file_open(sizeof(json_sink), conf, env, sink, err));
    json_sink *s = *sink;
    s->writer = (sl_json_writer){.out = s->file.out, .array = array};
    return SL_OK;
}

static sl_status open_lines(const void *conf, const sl_sink_env *env, void **sink, sl_error *err) {
    return open_file(conf, env, false, sink, err);
}

static sl_status open_array(const void *conf, const sl_sink_env *env, void **sink, sl_error *err) {
    return open_file(conf, env, true, sink, err);
}

static sl_status json_write(void *sink, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    json_sink *s = sink;
    return sl_json_put(&s->writer, frame, n, rows, err);
}

static sl_status json_ready(void *sink, sl_error *err) {
    json_sink *s = sink;
    TRY(sl_json_end(&s->writer, err));
    return sl_file_ready(s, err);
}

static const sl_option options[] = {{0}};
static const char *const lines_suffixes[] = {".jsonl", ".ndjson", NULL};
static const char *const array_suffixes[] = {".json", NULL};

static sl_status lines_take_away(const void *conf, bool *some, sl_error *err) {
    return sl_file_holds_json(sl_file_of(conf), false, some, err);
}

static sl_status array_takes_away(const void *conf, bool *some, sl_error *err) {
    return sl_file_holds_json(sl_file_of(conf), true, some, err);
}

const sl_sink sl_sink_jsonl = {
    .name = "jsonl",
    .summary = "a file of JSON Lines: one item a line",
    .suffixes = lines_suffixes,
    .options = options,
    .conf_size = sizeof(sl_file_conf),
    .file = sl_file_of,
    .takes_away = lines_take_away,
    .prepare = sl_file_prepare,
    .destroy = sl_file_destroy,
    .encode = encode_lines,
    .open = open_lines,
    .write = json_write,
    .ready = json_ready,
    .commit = sl_file_commit,
    .close = sl_file_close,
};

const sl_sink sl_sink_json = {
    .name = "json",
    .summary = "a file with one JSON array of all items",
    .suffixes = array_suffixes,
    .options = options,
    .conf_size = sizeof(sl_file_conf),
    .file = sl_file_of,
    .takes_away = array_takes_away,
    .prepare = sl_file_prepare,
    .destroy = sl_file_destroy,
    .encode = encode_array,
    .open = open_array,
    .write = json_write,
    .ready = json_ready,
    .commit = sl_file_commit,
    .close = sl_file_close,
};
