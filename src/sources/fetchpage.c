#include "sources/stream/stream.h"

extern const sl_format sl_format_page;

typedef struct fetchpage_conf {
    sl_source_conf source; /* first: see stream/choice.h */
} fetchpage_conf;

static const sl_option *dialects(unsigned i) {
    return i ? NULL : sl_format_page.options;
}

static const sl_option options[] = {
    SL_SOURCE_ROWS(fetchpage_conf),
    SL_PAGES_ROW(fetchpage_conf),
    SL_DIALECT_ROW(fetchpage_conf, dialects),
    {.name = NULL},
};

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    fetchpage_conf *c = conf;
    return sl_source_prepare(&c->source, &sl_format_page, info, err);
}

const sl_pipe sl_pipe_fetchpage = {
    .name = "fetchpage",
    .kind = SL_KIND_SOURCE,
    .summary = "Reads the text of a page, or the part of it between two marks",
    .details =
        "The elements are bare texts, trimmed; a pipe behind sees each as {\"content\": text}. Where start "
        "is "
        "not found there is nothing. Bytes that are no text in the page's encoding are replaced.\n"
        "detag leaves out tags, comments, scripts and styles, and puts in characters for references like "
        "&eacute;.\n"
        "Under riko's dialect every line break is doubled, detag drops references and keeps scripts, and "
        "where "
        "start is not found there is one empty text.",
    .example = "fetchpage url=data/stations.html start='<caption>' end='</caption>'",
    .options = options,
    .conf_size = sizeof(fetchpage_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &sl_stream_source,
};
