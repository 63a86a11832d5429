#include "sources/stream/stream.h"

typedef struct csv_conf {
    sl_source_conf source; /* first: see stream/choice.h */
} csv_conf;

static const sl_option *dialects(unsigned i) {
    return i ? NULL : sl_format_named(SL_TEXT("csv"))->options;
}

static const sl_option options[] = {
    SL_SOURCE_ROWS(csv_conf),
    SL_PAGES_ROW(csv_conf),
    SL_DIALECT_ROW(csv_conf, dialects),
    {.name = NULL},
};

/* A file that calls itself .tsv is one, unless the delimiter says otherwise. */
static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    csv_conf *c = conf;
    const sl_format *csv = sl_format_named(SL_TEXT("csv")), *tsv = sl_format_named(SL_TEXT("tsv"));
    bool tabs =
        sl_is_absent(sl_map_get_z(c->source.keys, "delimiter")) && sl_format_for(c->source.url) == tsv;
    return sl_source_prepare(&c->source, tabs ? tsv : csv, info, err);
}

const sl_pipe sl_pipe_csv = {
    .name = "csv",
    .kind = SL_KIND_SOURCE,
    .summary = "Reads delimited text: one item a record",
    .details = "The first record names the fields, unless has_header is false: then they are column_1, "
               "column_2 and so on, or what "
               "col_names says. Values stay text as they stand in the file. Records without anything in them "
               "are skipped. A file "
               "whose name ends in .tsv is taken to be separated by tabs.\n"
               "Under riko's dialect short records are filled up with nulls, surplus fields are dropped, "
               "stray quotes are kept, and "
               "names with dots nest.",
    .example = "csv url=data/stations.csv | truncate count=3",
    .options = options,
    .conf_size = sizeof(csv_conf),
    .main = "url",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .prepare = prepare,
    .start = sl_stream_start,
    .stop = sl_stream_stop,
    .source = &sl_stream_source,
};
