#include "sources/stream/stream.h"

typedef struct fetchdata_conf {
    sl_source_conf source; /* first: see stream/choice.h */
    sl_text type;
    sl_value path, trim;
    bool html5;
    SL_CSV_KEYS;
} fetchdata_conf;

static const sl_option options[] = {
    SL_SOURCE_ROWS(fetchdata_conf),
    SL_PAGES_ROW(fetchdata_conf),
    {.name = "type",
     .type = SL_OPT_TEXT,
     .offset = offsetof(fetchdata_conf, type),
     .alias = "format",
     .help =
         "csv, tsv, json, jsonl, xml, html or text; default: by the suffix, the media type, the first bytes"},
    SL_DIALECT_ROW(fetchdata_conf, path,
                   "json, xml, html: where in the document the items are, as value.items"),
    {.name = "html5",
     .type = SL_OPT_BOOL,
     .offset = offsetof(fetchdata_conf, html5),
     .fallback = "false",
     .flags = SL_OPT_HIDDEN,
     .help = "for HTML documents; of no effect on other formats"},
    SL_CSV_ROWS(fetchdata_conf),
    SL_DIALECT_ROW(fetchdata_conf, trim, "text: without white space at both ends of a line; default false"),
    {.name = NULL},
};

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    fetchdata_conf *c = conf;
    const sl_format *format = c->type.n ? NULL : sl_choice_by_suffix(c->source.url);
    if (c->type.n) TRY(sl_choice_named(c->type, &format, err));
    return sl_source_prepare(&c->source, format, options, conf, info, err);
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
