/* grouping.h: hash aggregation, shared by aggregate, count and sum.
 *
 * Each worker folds its items into a table of its own; tables are merged in the coordinator. Results do not depend on who folded what:
 * sums are exact, first and last go by the item's ordinal, groups come out in the order in which their first item stood in the
 * input. A table beyond its memory share is spilled as records sorted by key; then groups are combined by a merge over the runs and
 * brought back into order by a second sort.
 *
 * A pipe embeds an sl_grouping as the first member of its conf, fills it in prepare and uses sl_grouping_fold. */
#ifndef SL_OPERATORS_GROUP_GROUPING_H
#define SL_OPERATORS_GROUP_GROUPING_H

#include "plan/pipe.h"
#include "record/builder.h"

typedef enum sl_group_op {
    SL_GROUP_COUNT, /* items; with a field: items where it is neither absent nor "" */
    SL_GROUP_SUM,   /* decimal, exact */
    SL_GROUP_MIN,   /* numbers (also as text, with the text's own digits) by value before texts by code point */
    SL_GROUP_MAX,
    SL_GROUP_MEAN,  /* float, of the exact sum; null without values */
    SL_GROUP_FIRST, /* by input order, absent ones too */
    SL_GROUP_LAST,
    SL_GROUP_DISTINCT /* how many different values */
} sl_group_op;

extern const char *const sl_group_op_names[]; /* NULL-terminated, in the order of the enum */

typedef struct sl_group_column {
    sl_group_op op;
    sl_path path; /* empty: none (count) */
    sl_text name; /* of the result */
    bool strict;  /* sum: absent values are errors too */
    bool riko;    /* sums are rounded to 28 digits, floats count by their binary value, NaN and infinities make a sum NaN */
} sl_group_column;

typedef struct sl_grouping {
    sl_path *by;
    sl_text *by_names;
    uint32_t nby;
    bool by_text; /* group by the text form; absent values, lists and maps are "" */
    sl_group_column *columns;
    uint32_t ncolumns;
    uint32_t batch_rows; /* of the result; 0: as usual. Few where every item has a key of its own */
    bool always; /* one group even without input (nby is 0) */
    /* Writes one group as an item: KEYS[nby], RESULTS[ncolumns]. */
    sl_status (*emit)(const struct sl_grouping *g, const sl_value *keys, const sl_value *results,
                      sl_builder *to, sl_arena *arena, sl_error *err);
    const void *owner; /* the pipe's conf */
} sl_grouping;

/* Conf of the fold is the pipe's conf, whose first member is an sl_grouping. */
extern const sl_fold sl_grouping_fold;

#endif
