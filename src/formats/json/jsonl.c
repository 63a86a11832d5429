/* jsonl.c: JSON Lines: one value a line. Line feeds cannot stand inside a JSON text on one line, so splitting is a search for
 * line feeds, and reading is that of the json format without its path. */
#include "formats/json/json.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"

static const sl_option options[] = {
    {.name = "encoding",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sl_json_conf, encoding_name),
     .fallback = "utf-8",
     .help = "utf-8, ascii, latin-1 or windows-1252"},
    {.name = NULL},
};

static sl_status prepare(void *conf, sl_arena *arena, sl_error *err) {
    (void)arena;
    sl_json_conf *c = conf;
    return sl_encoding_named(c->encoding_name, &c->encoding, err);
}

typedef struct splitter {
    bool begun;
    uint64_t line;
    size_t looked; /* bytes of what is shown next that have no line feed */
} splitter;

static sl_status split_new(const void *conf, void **out, sl_error *err) {
    (void)conf;
    splitter *s = calloc(1, sizeof *s);
    *out = s;
    if (!s) return sl_oom(err);
    s->line = 1;
    return SL_OK;
}

/* Behind the last line feed at or after FROM, or 0. */
static size_t last_line_end(const char *data, size_t from, size_t n) {
    while (n > from && data[n - 1] != '\n') n--;
    return n > from ? n : 0;
}

static sl_status split(void *splitter_, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    splitter *s = splitter_;
    size_t from = 0;
    assert(s->looked <= n);
    *cut = (sl_cut){.line = s->line, .note = SL_TEXT("l")};
    if (!s->begun && n < 4 && !last) return SL_OK;
    if (!s->begun) TRY(sl_json_mark(data, n, &from, err));
    size_t to = last ? n : last_line_end(data, s->looked > from ? s->looked : from, n);
    if (!to && n > SL_JSON_RECORD) {
        sl_fail(err, SL_E_DATA, "a line is longer than 64 MiB");
        sl_error_at(err, NULL, s->line, 1);
        return SL_E_DATA;
    }
    s->begun = s->begun || to;
    s->looked = n - to;
    if (!to) return SL_OK;
    cut->from = from;
    cut->to = cut->end = to;
    s->line += sl_json_count_lines(data + from, to - from);
    return SL_OK;
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)quarantined;
    return sl_json_read_block(state, block, conf, sink, to, err);
}

const sl_format sl_format_jsonl = {
    .name = "jsonl",
    .summary = "JSON Lines: an item a line",
    .suffixes = (const char *const[]){".jsonl", ".ndjson", ".ldjson", NULL},
    .media_types = (const char *const[]){"application/jsonl", "application/x-jsonl", "application/x-ndjson",
                                         "application/ndjson", NULL},
    .refuses = SL_REFUSES_PAGES,
    .options = options,
    .conf_size = sizeof(sl_json_conf),
    .prepare = prepare,
    .split_new = split_new,
    .split = split,
    .split_free = free,
    .start = sl_json_start,
    .stop = sl_json_stop,
    .read = read,
};
