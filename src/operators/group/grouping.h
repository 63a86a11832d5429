/* grouping.h: hash aggregation, shared by aggregate, count and sum.
 *
 * Each worker folds its items into a table of its own; tables are merged in the coordinator. Results do not depend on who folded
 * what: sums are exact, first and last go by the item's ordinal, groups come out in the order in which their first item stood in
 * the input. A table beyond its memory share is spilled as records sorted by key; then groups are combined by a merge over the runs
 * and brought back into order by a second sort.
 *
 * A pipe embeds an sl_grouping as the first member of its conf, fills it in prepare and uses sl_grouping_fold. */
#ifndef SL_OPERATORS_GROUP_GROUPING_H
#define SL_OPERATORS_GROUP_GROUPING_H

#include "operators/group/aggregates.h"
#include "plan/pipe.h"
#include "record/builder.h"

typedef struct sl_grouping {
    sl_path *by;
    sl_text *by_names;
    uint32_t nby;
    bool by_text; /* group by the text form; absent values, lists and maps are "" */
    sl_group_column *columns;
    uint32_t ncolumns;
    uint32_t batch_rows; /* of the result; 0: as usual. Few where every item has a key of its own */
    bool always;         /* one group even without input (nby is 0) */
    /* Writes one group as an item: KEYS[nby], RESULTS[ncolumns]. */
    sl_status (*emit)(const struct sl_grouping *g, const sl_value *keys, const sl_value *results, sl_builder *to, sl_arena *arena,
                      sl_error *err);
    const void *owner; /* the pipe's conf */
} sl_grouping;

/* Conf of the fold is the pipe's conf, whose first member is an sl_grouping. */
extern const sl_fold sl_grouping_fold;

#endif
