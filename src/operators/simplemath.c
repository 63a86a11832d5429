/* simplemath: decimal arithmetic with one operand from the item and one from the conf. */
#include "base/error.h"
#include "plan/pipe.h"
#include "record/cast.h"
#include "record/decimal/decimal.h"

typedef struct conf {
    int op; /* sl_math */
    sl_value other;
} conf;

static const char *const ops[] = {"add",    "subtract", "multiply", "divide", "floor",
                                  "modulo", "power",    "mean",     NULL}; /* in the order of sl_math */

/* Riko's dialect computes with NaN where the operand is absent; elsewhere that can only be a slip, and a float means the digits it
 * shows. */
static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    bool riko = info->env->dialect == SL_RIKO;
    if (c->other.type == SL_MISSING && !riko)
        return sl_fail(err, SL_E_PLAN, "missing key 'other': the second operand");
    if (c->other.type == SL_FLOAT && !riko) {
        sl_text digits;
        TRY(sl_to_text(c->other, "", info->arena, &digits, err));
        c->other = sl_text_value(digits);
    }
    return sl_decimal_from(c->other, info->arena, &c->other, err);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_value v;
    (void)state, (void)item;
    TRY(sl_decimal_math((sl_math)c->op, field, c->other, sl_results_arena(results), &v, err));
    return sl_result(results, v, err);
}

static const sl_option options[] = {
    {.name = "op",
     .type = SL_OPT_ENUM,
     .offset = offsetof(conf, op),
     .names = ops,
     .flags = SL_OPT_REQUIRED,
     .help = "what to compute"},
    {.name = "other",
     .type = SL_OPT_VALUE,
     .offset = offsetof(conf, other),
     .help = "the second operand, a number"},
    {0},
};

const sl_pipe sl_pipe_simplemath = {
    .name = "simplemath",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Computes with a number",
    .details =
        "field OP other, in decimal arithmetic with 28 significant digits, rounded half to even. floor "
        "is the quotient cut toward zero, modulo has the sign of the field, mean is the half of the "
        "sum. A field that is no number gives NaN. Dividing by zero is an error.",
    .example = "itembuilder attrs.0.key=content attrs.0.value=10 | simplemath divide other=4",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "op",
    .field = "content",
    .cast = SL_CAST_DECIMAL,
    .prepare = prepare,
    .each = each,
};
