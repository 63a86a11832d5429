#include "operators/group/aggregates.h"

static sl_status add(void *state, const sl_addend *a, sl_error *err) {
    (void)a, (void)err;
    ++*(uint64_t *)state;
    return SL_OK;
}

static sl_status merge(void *into, const void *from, size_t *held, sl_error *err) {
    (void)held, (void)err;
    *(uint64_t *)into += *(const uint64_t *)from;
    return SL_OK;
}

static sl_status result(const void *state, const sl_group_column *c, sl_arena *arena, sl_value *out,
                        sl_error *err) {
    (void)c, (void)arena, (void)err;
    *out = sl_int(*(const int64_t *)state);
    return SL_OK;
}

static void save(const void *state, sl_buf *out) {
    sl_buf_u64(out, *(const uint64_t *)state);
}

static sl_status load(void *state, sl_cursor *from, sl_error *err) {
    (void)err;
    *(uint64_t *)state = sl_cursor_u64(from);
    return SL_OK;
}

const sl_aggregate sl_aggregate_count = {
    .size = sizeof(uint64_t),
    .bare = true,
    .add = add,
    .merge = merge,
    .result = result,
    .save = save,
    .load = load,
};
