/* reverse: the stream from its end to its start. */
#include "operators/sort/ordering.h"

typedef struct conf {
    sl_ordering ordering; /* first: the fold's conf */
} conf;

/* The later the item, the smaller its key. */
static sl_status key(const void *owner, const sl_value *const *columns, sl_batch *b, uint32_t row,
                     uint64_t ordinal, unsigned *kinds, sl_buf *out, sl_error *err) {
    (void)owner, (void)columns, (void)b, (void)row, (void)kinds, (void)err;
    for (int shift = 56; shift >= 0; shift -= 8) sl_buf_byte(out, (char)(~ordinal >> shift));
    return SL_OK;
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    (void)info, (void)err;
    conf *c = vconf;
    c->ordering = (sl_ordering){.key = key, .owner = c};
    return SL_OK;
}

const sl_pipe sl_pipe_reverse = {
    .name = "reverse",
    .kind = SL_KIND_OPERATOR,
    .summary = "Puts the last item first",
    .details = "Needs the whole stream; beyond the memory setting it goes through temporary files.",
    .example = "itembuilder attrs.0.key=n attrs.0.value=2 | reverse",
    .conf_size = sizeof(conf),
    .prepare = prepare,
    .fold = &sl_ordering_fold,
};
