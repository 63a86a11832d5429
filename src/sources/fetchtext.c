#include "sources/stream/stream.h"

typedef struct fetchtext_conf {
    sl_source_conf source; /* first: see stream/choice.h */
} fetchtext_conf;

static const sl_option *dialects(unsigned i) {
    return i ? NULL : sl_format_named(SL_TEXT("text"))->options;
}

static const sl_option options[] = {
    SL_SOURCE_ROWS(fetchtext_conf),
    SL_PAGES_ROW(fetchtext_conf),
    SL_DIALECT_ROW(fetchtext_conf, dialects),
    {.name = NULL},
};

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    fetchtext_conf *c = conf;
    TRY(sl_source_default(&c->source, "trim", sl_bool(true), info->arena, err));
    return sl_source_prepare(&c->source, sl_format_named(SL_TEXT("text")), info, err);
}

const sl_pipe sl_pipe_fetchtext = {
    .name = "fetchtext",
    .kind = SL_KIND_SOURCE,
    .summary = "Reads lines of text: one element a line, white space at both ends removed",
    .details = "The elements are bare texts; a pipe behind sees each as {\"content\": line}. Empty lines "
               "count. Bytes that are no "
               "text in the encoding are an error.",
    .example = "fetchtext url=data/book.txt | tokenizer delimiter=' ' | count count_key=content",
    .options = options,
    .conf_size = sizeof(fetchtext_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &sl_stream_source,
};
