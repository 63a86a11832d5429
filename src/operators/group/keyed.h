/* keyed.h: the aggregators of one value, in all or for each value of one field: count and sum.
 *
 * Without a key the result is the bare value or an item {assign: value}; with one it is a stream of items {KEY: value}. */
#ifndef SL_OPERATORS_GROUP_KEYED_H
#define SL_OPERATORS_GROUP_KEYED_H

#include "operators/group/grouping.h"

typedef struct sl_keyed {
    sl_grouping grouping; /* first: the fold's conf */
    sl_group_column column;
    sl_path by;
    sl_text assign;
    bool emits; /* results become stream elements as they are */
    bool nest;  /* riko: a key with dots nests */
} sl_keyed;

/* For the operator NAME: OP over FIELD (empty: none), for each value of KEY (empty: in all). */
SL_MUST_CHECK sl_status sl_keyed_prepare(sl_keyed *k, const char *name, const sl_aggregate *op, sl_text field, sl_text key,
                                         const sl_step_info *info, sl_error *err);

#endif
