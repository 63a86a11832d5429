#include "base/error.h"
#include "net/url.h"
#include "sources/stream/stream.h"

extern const sl_format sl_format_xpath;

typedef struct xpathfetchpage_conf {
    sl_source_conf source; /* first: see stream/choice.h */
    bool html5;
} xpathfetchpage_conf;

static const sl_option *dialects(unsigned i) {
    return i ? NULL : sl_format_xpath.options;
}

static const sl_option options[] = {
    SL_SOURCE_ROWS(xpathfetchpage_conf),
    SL_PAGES_ROW(xpathfetchpage_conf),
    {.name = "html5",
     .type = SL_OPT_BOOL,
     .offset = offsetof(xpathfetchpage_conf, html5),
     .fallback = "false",
     .flags = SL_OPT_HIDDEN,
     .help = "of no effect: documents of all ages are read in one way"},
    SL_DIALECT_ROW(xpathfetchpage_conf, dialects),
    {.name = NULL},
};

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    xpathfetchpage_conf *c = conf;
    const sl_format *format = sl_choice_by_suffix(c->source.url);
    bool known = format == sl_format_named(SL_TEXT("xml")) || format == sl_format_named(SL_TEXT("html"));
    if (format && known) {
        sl_value type = sl_text_value(sl_text_of(format->name));
        TRY(sl_source_default(&c->source, "type", type, info->arena, err));
    }
    return sl_source_prepare(&c->source, &sl_format_xpath, info, err);
}

const sl_pipe sl_pipe_xpathfetchpage = {
    .name = "xpathfetchpage",
    .kind = SL_KIND_SOURCE,
    .summary = "Reads what an XPath selects in an HTML or XML document",
    .details =
        "Each element selected is an item: its attributes are fields, the text before its first child is "
        "content, its children are fields under their names; a field that comes again is a list. An element "
        "of "
        "text alone, an attribute, a text() and the value of a function are {\"content\": value}.\n"
        "Names in the XPath are those in the document: without a prefix where it has none, whatever its "
        "default "
        "namespace, and with the document's own prefixes elsewhere.\n"
        "A document is read as a whole, of 64 MiB and 2 million tags at most; one that is not HTML has to be "
        "well-formed. Under riko's dialect only elements may be selected.",
    .example = "xpathfetchpage url=data/stations.html xpath=//caption",
    .options = options,
    .conf_size = sizeof(xpathfetchpage_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &sl_stream_source,
};
