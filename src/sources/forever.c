#include <stdlib.h>

#include "base/error.h"
#include "plan/pipe.h"

enum { ROWS = 1024 }; /* of a unit: what is behind decides when it is enough */

static const sl_option options[] = {{.name = NULL}};

static sl_status open_count(const void *conf, const sl_env *env, void **split, sl_error *err) {
    (void)conf, (void)env;
    uint64_t *next = calloc(1, sizeof *next);
    if (!next) return sl_oom(err);
    *split = next;
    return SL_OK;
}

static sl_status split_count(void *split, sl_unit *unit, sl_error *err) {
    (void)err;
    uint64_t *next = split;
    *unit = (sl_unit){.index = (*next)++};
    return SL_OK;
}

static uint64_t total(void *split) {
    (void)split;
    return 0;
}

static sl_status read_rows(const void *conf, void *state, const sl_unit *unit, sl_out *out,
                           uint64_t *quarantined, sl_error *err) {
    (void)conf, (void)state, (void)unit, (void)quarantined;
    sl_batch *b = sl_batch_new(NULL, ROWS);
    sl_value *values;
    if (!b) return sl_oom(err);
    sl_status status = sl_batch_add_column(b, SL_TEXT("forever"), &values, err);
    if (status) {
        sl_batch_free(&b);
        return status;
    }
    for (uint32_t i = 0; i < ROWS; i++) values[i] = sl_bool(true);
    return sl_emit(out, b, err);
}

static const sl_source_calls source = {
    .open = open_count,
    .split = split_count,
    .total = total,
    .close = free,
    .read = read_rows,
};

const sl_pipe sl_pipe_forever = {
    .name = "forever",
    .kind = SL_KIND_SOURCE,
    .summary = "An endless stream of {\"forever\": true}",
    .details = "Bound it with truncate, or with count: first.",
    .example = "forever | truncate count=3",
    .options = options,
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .source = &source,
};
