/* range.c: the template of docs/adding-an-aggregate.md: the largest number of a group less its smallest. */
#include "base/error.h"
#include "operators/group/aggregates.h"
#include "record/decimal/decimal.h"
#include "record/number/number.h"
#include "record/pack.h"

typedef struct end {
    sl_value number;
    sl_buf digits; /* of a number that is written in digits: its bytes */
} end;

typedef struct range {
    bool any;
    end least, most;
} range;

static sl_status move(end *e, sl_value number, size_t *held, sl_error *err) {
    size_t before = e->digits.cap;
    sl_buf_clear(&e->digits);
    if (number.type == SL_DECIMAL) sl_buf_text(&e->digits, sl_bytes(number));
    TRY(sl_buf_check(&e->digits, err));
    *held += e->digits.cap - before;
    e->number = number;
    if (number.type == SL_DECIMAL) e->number.as.s = e->digits.data;
    return SL_OK;
}

static sl_status widen(range *r, sl_value number, size_t *held, sl_error *err) {
    if (!r->any || sl_number_compare(number, r->least.number) < 0) TRY(move(&r->least, number, held, err));
    if (!r->any || sl_number_compare(number, r->most.number) > 0) TRY(move(&r->most, number, held, err));
    r->any = true;
    return SL_OK;
}

/* A text that is a JSON number counts as what it says. */
static bool is_number(sl_value *v) {
    bool whole;
    if (sl_is_text(*v) && sl_json_number(v->as.s, v->n, &whole) == v->n) *v = sl_number_decode(sl_bytes(*v));
    return sl_is_number(*v) && sl_number_compare(*v, *v) == 0;
}

static sl_status add(void *state, const sl_addend *a, sl_error *err) {
    sl_value v = a->value;
    if (is_number(&v)) return widen(state, v, a->held, err);
    sl_text path = a->column->path.text;
    return sl_fail(err, SL_E_DATA, "a value at '%.*s' is no number: filter such items out", (int)path.n,
                   path.s);
}

static sl_status merge(void *into, const void *vfrom, size_t *held, sl_error *err) {
    const range *from = vfrom;
    if (!from->any) return SL_OK;
    TRY(widen(into, from->least.number, held, err));
    return widen(into, from->most.number, held, err);
}

static sl_status result(const void *state, const sl_group_column *c, sl_arena *arena, sl_value *out,
                        sl_error *err) {
    (void)c;
    const range *r = state;
    sl_value least, most;
    *out = sl_null();
    if (!r->any) return SL_OK;
    TRY(sl_decimal_from(r->least.number, arena, &least, err));
    TRY(sl_decimal_from(r->most.number, arena, &most, err));
    return sl_decimal_math(SL_SUBTRACT, most, least, arena, out, err);
}

static void save(const void *state, sl_buf *out) {
    const range *r = state;
    sl_buf_byte(out, r->any);
    if (!r->any) return;
    sl_value_pack(r->least.number, out);
    sl_value_pack(r->most.number, out);
}

static sl_status load(void *state, sl_cursor *from, sl_error *err) {
    const char *any = sl_cursor_bytes(from, 1);
    if (!any || !*any) return SL_OK;
    sl_arena arena = {0};
    sl_value number;
    size_t held = 0;
    sl_status s = SL_OK;
    for (int i = 0; i < 2 && s == SL_OK; i++) {
        s = sl_value_unpack(from, &arena, &number, err);
        if (s == SL_OK) s = widen(state, number, &held, err);
    }
    sl_arena_free(&arena);
    return s;
}

static void drop(void *state) {
    range *r = state;
    sl_buf_free(&r->least.digits);
    sl_buf_free(&r->most.digits);
}

const sl_aggregate sl_aggregate_range = {
    .size = sizeof(range),
    .add = add,
    .merge = merge,
    .result = result,
    .save = save,
    .load = load,
    .drop = drop,
};
