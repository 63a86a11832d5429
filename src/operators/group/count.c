/* count: how many items, in all or for each value of a field. */
#include "operators/group/keyed.h"

typedef struct conf {
    sl_keyed keyed; /* first: the fold's conf */
    sl_text key;
} conf;

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    return sl_keyed_prepare(&c->keyed, "count", &sl_aggregate_count, (sl_text){0}, c->key, info, err);
}

static const sl_option options[] = {
    {.name = "count_key",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, key),
     .alias = "group_key",
     .help = "count the items of each value of this field: one item {value: count} each, in order of first "
             "appearance"},
    {0},
};

const sl_pipe sl_pipe_count = {
    .name = "count",
    .kind = SL_KIND_OPERATOR,
    .summary = "Counts items",
    .details = "Without a key the result is one item {\"count\": N}; @assign renames the key, @emit=true "
               "gives the bare number. With a "
               "key there is one item for each distinct value, {value: N}; absent values, lists and objects "
               "count under \"\".",
    .example = "itembuilder attrs.0.key=n attrs.0.value=2 | count",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "count_key",
    .flags = SL_PIPE_VALUE,
    .prepare = prepare,
    .fold = &sl_grouping_fold,
};
