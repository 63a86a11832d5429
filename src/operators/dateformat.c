/* dateformat: a date as a text of a given form. */
#include "operators/result/result.h"
#include "record/time.h"

typedef struct conf {
    sl_text format;
} conf;

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_buf *text = state;
    (void)item;
    sl_buf_clear(text);
    sl_time_format(field, c->format, text);
    return sl_scratch_result(text, results, err);
}

static const sl_option options[] = {
    {.name = "format",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, format),
     .fallback = "%m/%d/%Y %H:%M:%S",
     .help = "form of the text, with the conversions of strftime in the C locale"},
    {0},
};

const sl_pipe sl_pipe_dateformat = {
    .name = "dateformat",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Writes a date in another form",
    .details = "The field is read as a day, so the time of day is midnight, whatever it says. A value that "
               "is no date "
               "counts as 1970-01-01.",
    .example = "itembuilder attrs.0.key=date attrs.0.value=2015-05-04 | dateformat \"%d %b %Y\"",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "format",
    .flags = SL_PIPE_STEADY,
    .field = "date",
    .cast = SL_CAST_DATE,
    .start = sl_scratch_start,
    .stop = sl_scratch_stop,
    .each = each,
};
