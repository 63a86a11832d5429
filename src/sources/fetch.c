#include "sources/stream/stream.h"

typedef struct fetch_conf {
    sl_source_conf source; /* first: see stream/choice.h */
} fetch_conf;

static const sl_option options[] = {
    SL_SOURCE_ROWS(fetch_conf),
    SL_PAGES_ROW(fetch_conf),
    {.name = NULL},
};

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    fetch_conf *c = conf;
    c->source.may_be_empty = true;
    return sl_source_prepare(&c->source, sl_format_named(SL_TEXT("feed")), info, err);
}

const sl_pipe sl_pipe_fetch = {
    .name = "fetch",
    .kind = SL_KIND_SOURCE,
    .summary = "Reads a feed: RSS, RDF, Atom or JSON Feed, an item an entry",
    .details =
        "All kinds give items of one shape: id, title, description, link, published, updated, links, "
        "content, "
        "media_content, enclosures, comments, tags, author_detail, authors (those there are), and always "
        "summary, author, dc:creator, y:id, updated_parsed, published_parsed, y:published, pubDate, y:title. "
        "published and updated are ISO 8601 in UTC, pubDate and its like the same instant as a time.\n"
        "An entry that is no well-formed XML is mended as far as that can be done; its item then has bozo: "
        "true "
        "and a bozo_reason. A feed that was cut off, or a document that is none, is an error. "
        "A list of urls is read one after another; an empty url gives no items.",
    .example = "fetch url=data/news-selwal.xml | sort rule.field=pubDate rule.dir=desc | truncate count=3",
    .options = options,
    .conf_size = sizeof(fetch_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &sl_stream_source,
};
