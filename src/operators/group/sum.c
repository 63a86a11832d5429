/* sum: the exact decimal sum of a field, in all or for each value of another. */
#include "operators/group/keyed.h"

typedef struct conf {
    sl_keyed keyed; /* first: the fold's conf */
    sl_text field, key;
} conf;

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    return sl_keyed_prepare(&c->keyed, "sum", &sl_aggregate_sum, c->field, c->key, info, err);
}

static const sl_option options[] = {
    {.name = "sum_key",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, field),
     .fallback = "content",
     .help = "field to add up"},
    {.name = "group_key",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, key),
     .help = "a sum for each value of this field: one item {value: sum} each, in order of first appearance"},
    {0},
};

const sl_pipe sl_pipe_sum = {
    .name = "sum",
    .kind = SL_KIND_OPERATOR,
    .summary = "Adds up a field",
    .details =
        "Values are added as exact decimals (numbers as text too), and the sum has all its digits. An item "
        "without a number in the field (NaN and infinities are none, nor is what has an exponent beyond a "
        "million) is an error that names it. Under riko's dialect the sum is rounded to 28 digits. Without a "
        "key the result is one item {\"sum\": N}; @assign "
        "renames the key, "
        "@emit=true gives the bare number.",
    .example = "itembuilder attrs.0.key=n attrs.0.value=2 | sum n",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "sum_key",
    .flags = SL_PIPE_VALUE,
    .prepare = prepare,
    .fold = &sl_grouping_fold,
};
