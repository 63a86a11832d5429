#include "base/error.h"
#include "sources/stream/stream.h"

typedef struct fetchdata_conf {
    sl_source_conf source; /* first: see stream/choice.h */
    sl_text type;
    bool html5;
} fetchdata_conf;

static const char *word(unsigned i) {
    const sl_format *f = sl_format_at(i);
    return f ? f->name : NULL;
}

static const sl_option *dialects(unsigned i) {
    const sl_format *f = sl_format_at(i);
    static const sl_option none[] = {{0}};
    return !f ? NULL : f->options ? f->options : none;
}

static const sl_option options[] = {
    SL_SOURCE_ROWS(fetchdata_conf),
    SL_PAGES_ROW(fetchdata_conf),
    {.name = "type",
     .type = SL_OPT_TEXT,
     .offset = offsetof(fetchdata_conf, type),
     .alias = "format",
     .word = word,
     .help = "default: by the suffix, the media type, the first bytes"},
    {.name = "html5",
     .type = SL_OPT_BOOL,
     .offset = offsetof(fetchdata_conf, html5),
     .fallback = "false",
     .flags = SL_OPT_HIDDEN,
     .help = "for HTML documents; of no effect on other formats"},
    SL_DIALECT_ROW(fetchdata_conf, dialects),
    {.name = NULL},
};

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    fetchdata_conf *c = conf;
    char list[256];
    const sl_format *format = c->type.n ? sl_format_named(c->type) : sl_choice_by_suffix(c->source.url);
    if (c->type.n && !format)
        return sl_fail(err, SL_E_PLAN, "unknown type '%.*s'; accepted: %s", (int)c->type.n, c->type.s,
                       sl_option_words(word, list, sizeof list));
    return sl_source_prepare(&c->source, format, info, err);
}

const sl_pipe sl_pipe_fetchdata = {
    .name = "fetchdata",
    .kind = SL_KIND_SOURCE,
    .summary = "Reads a data file or document: JSON, JSON Lines, XML, HTML, delimited text or lines",
    .details =
        "The format is what type says, or else the suffix of the url (.gz and .zst taken off first), "
        "the media type of the answer, or the first bytes: { and [ begin JSON, <html and <!doctype html "
        "HTML, any other < XML.\n"
        "JSON: a list gives one item an element, an object one item, several documents one after "
        "another are read in turn; "
        "path leads to the list inside a document. The document is never held as a whole.\n"
        "XML: path names the elements that are items, from the outermost element on: catalog.book. Without "
        "it that element is the one item. Attributes are fields, the text before the first child is "
        "content, children are fields under their names; a field that comes again is a list. With a path "
        "the document is read in parts, however large it is. Names are those in the document, with their "
        "prefixes (soap:Body); when there is a / in the path, it separates the names instead of the dot.\n"
        "HTML is read as browsers read it, whatever is wrong with it, as a whole of 64 MiB at most; path "
        "as for XML.",
    .example = "fetchdata url=data/crime.json path=value.items | truncate count=3",
    .options = options,
    .conf_size = sizeof(fetchdata_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &sl_stream_source,
};
