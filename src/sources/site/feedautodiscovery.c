#include "sources/site/links.h"
#include "sources/stream/stream.h"

typedef struct discovery_conf {
    sl_source_conf source; /* first: see stream/choice.h */
} discovery_conf;

static const sl_option *dialects(unsigned i) {
    return i ? NULL : sl_format_links.options;
}

static const sl_option options[] = {
    SL_SOURCE_ROWS(discovery_conf),
    SL_DIALECT_ROW(discovery_conf, dialects),
    {.name = NULL},
};

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    discovery_conf *c = conf;
    return sl_source_prepare(&c->source, &sl_format_links, info, err);
}

const sl_pipe sl_pipe_feedautodiscovery = {
    .name = "feedautodiscovery",
    .kind = SL_KIND_SOURCE,
    .summary = "Finds the feeds that an HTML page names, an item each",
    .details = "An item has the attributes of the element (rel, type, title, href ...), its href made "
               "absolute as link "
               "(by the page's base element or address) and the element's name as tag. The page need not be "
               "proper HTML. "
               "In riko's dialect every element counts whose type ends in xml, and nothing is resolved.",
    .example = "feedautodiscovery url=data/site.html",
    .options = options,
    .conf_size = sizeof(discovery_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &sl_stream_source,
};
