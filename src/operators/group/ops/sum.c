/* sum.c: sum and mean, of the same state: an exact sum and how many terms it has. */
#include <math.h>

#include "base/error.h"
#include "operators/group/aggregates.h"
#include "record/decimal/decimal.h"
#include "record/number/number.h"

typedef struct sums {
    uint64_t count;
    sl_sum sum;
} sums;

static size_t beyond(const sl_sum *s) {
    return s->big ? sl_sum_memory(s) : 0;
}

/* Natively every term is finite, and a float means the digits it shows. */
static sl_status add_term(sl_sum *sum, const sl_group_column *c, sl_value v, sl_error *err) {
    char digits[32];
    if (c->riko) return sl_sum_add(sum, v, err);
    if (v.type == SL_FLOAT) v = sl_text_value((sl_text){digits, sl_format_double(v.as.f, digits)});
    TRY(sl_sum_add(sum, v, err));
    if (!sum->nan) return SL_OK;
    return sl_fail(err, SL_E_DATA,
                   "'%.*s' at '%.*s' has no exact sum: filter such items out, or replace the value", (int)v.n,
                   v.as.s, (int)c->path.text.n, c->path.text.s);
}

static sl_status add(void *state, const sl_addend *a, sl_error *err) {
    sums *s = state;
    size_t before = beyond(&s->sum);
    TRY(add_term(&s->sum, a->column, a->value, err));
    *a->held += beyond(&s->sum) - before;
    s->count++;
    return SL_OK;
}

static sl_status merge(void *vinto, const void *vfrom, size_t *held, sl_error *err) {
    sums *into = vinto;
    const sums *from = vfrom;
    size_t before = beyond(&into->sum);
    TRY(sl_sum_merge(&into->sum, &from->sum, err));
    *held += beyond(&into->sum) - before;
    into->count += from->count;
    return SL_OK;
}

static sl_status result(const void *state, const sl_group_column *c, sl_arena *arena, sl_value *out,
                        sl_error *err) {
    const sums *s = state;
    return sl_sum_result(&s->sum, c->riko, arena, out, err);
}

static sl_status mean(const void *state, const sl_group_column *c, sl_arena *arena, sl_value *out,
                      sl_error *err) {
    const sums *s = state;
    *out = sl_null();
    if (!s->count) return SL_OK;
    sl_value sum, quotient;
    double f;
    TRY(sl_sum_result(&s->sum, c->riko, arena, &sum, err));
    TRY(sl_decimal_from(sl_int((int64_t)s->count), arena, &quotient, err));
    TRY(sl_decimal_math(SL_DIVIDE, sum, quotient, arena, &quotient, err));
    if (sl_parse_double(sl_bytes(quotient), &f)) *out = sl_float(f);
    if (out->type == SL_FLOAT && !isinf(f)) return SL_OK;
    return c->riko
               ? SL_OK
               : sl_fail(err, SL_E_DATA, "the mean of '%.*s' is beyond the range of a float: ask for its sum",
                         (int)c->path.text.n, c->path.text.s);
}

static void save(const void *state, sl_buf *out) {
    const sums *s = state;
    sl_buf_u64(out, s->count);
    sl_sum_save(&s->sum, out);
}

static sl_status load(void *state, sl_cursor *from, sl_error *err) {
    sums *s = state;
    s->count = sl_cursor_u64(from);
    return sl_sum_load(&s->sum, from, err);
}

static void drop(void *state) {
    sums *s = state;
    sl_sum_free(&s->sum);
}

const sl_aggregate sl_aggregate_sum = {
    .size = sizeof(sums),
    .add = add,
    .merge = merge,
    .result = result,
    .save = save,
    .load = load,
    .drop = drop,
};

const sl_aggregate sl_aggregate_mean = {
    .size = sizeof(sums),
    .add = add,
    .merge = merge,
    .result = mean,
    .save = save,
    .load = load,
    .drop = drop,
};
