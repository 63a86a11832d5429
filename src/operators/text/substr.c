/* substr: part of a text, counted in code points, by Python's slice rules. */
#include "base/error.h"
#include "base/unicode.h"
#include "plan/pipe.h"

typedef struct conf {
    int64_t start, length;
} conf;

/* AT + BY, kept inside int64: such ends lie outside of every text anyway. */
static int64_t advanced(int64_t at, int64_t by) {
    if (by > 0 && at > INT64_MAX - by) return INT64_MAX;
    if (by < 0 && at < INT64_MIN - by) return INT64_MIN;
    return at + by;
}

/* A slice bound as a byte offset; CHARACTERS is the text's length, needed for negative bounds only. */
static uint32_t offset_of(sl_text t, int64_t bound, uint32_t characters) {
    if (bound < 0) bound += characters;
    if (bound <= 0) return 0;
    return bound >= t.n ? t.n : sl_utf8_offset(t, (uint32_t)bound);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    (void)state, (void)item;
    sl_text t = sl_bytes(field);
    int64_t end = c->length ? advanced(c->start, c->length) : INT64_MAX;
    uint32_t characters = c->start < 0 || end < 0 ? sl_utf8_length(t) : 0;
    uint32_t from = offset_of(t, c->start, characters), to = offset_of(t, end, characters);
    sl_text part = {t.s + from, to > from ? to - from : 0};
    return sl_result(results, sl_text_value(part), err);
}

static const sl_option options[] = {
    {.name = "start",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, start),
     .fallback = "0",
     .unit = "characters",
     .help = "where the part begins, from 0; negative: counted from the end"},
    {.name = "length",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, length),
     .fallback = "0",
     .unit = "characters",
     .help = "how long it is; 0: to the end"},
    {0},
};

const sl_pipe sl_pipe_substr = {
    .name = "substr",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Takes a part of a text",
    .details =
        "The characters start .. start+length-1 of the field, counted in Unicode code points. What lies "
        "outside of the text is left out. The end start+length is a position like start: where it is "
        "negative it counts from the end too, so start -3 with length 5 is empty while length 2 is not.",
    .example = "itembuilder attrs.0.key=content attrs.0.value=hello | substr start=1 length=3",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "start",
    .field = "content",
    .cast = SL_CAST_TEXT,
    .each = each,
};
