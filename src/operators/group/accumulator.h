/* accumulator.h: one running result of a group. Merging is associative and commutative, so any split over workers gives the same. */
#ifndef SL_OPERATORS_GROUP_ACCUMULATOR_H
#define SL_OPERATORS_GROUP_ACCUMULATOR_H

#include "operators/group/grouping.h"
#include "record/decimal/decimal.h"

typedef struct sl_value_set sl_value_set;

typedef struct sl_accumulator {
    uint64_t count;   /* items, or values that took part */
    uint64_t ordinal; /* first, last: of the value held */
    sl_sum sum;
    sl_value held; /* min, max, first, last: its bytes are in `bytes` */
    sl_buf bytes;
    sl_value_set *set; /* distinct */
} sl_accumulator;      /* all zero: nothing seen */

/* Takes in V of the item at ORDINAL. */
SL_MUST_CHECK sl_status sl_accumulate(sl_accumulator *a, const sl_group_column *c, sl_value v,
                                      uint64_t ordinal, sl_error *err);
SL_MUST_CHECK sl_status sl_accumulator_merge(sl_accumulator *into, const sl_accumulator *from,
                                             const sl_group_column *c, sl_error *err);
SL_MUST_CHECK sl_status sl_accumulator_result(const sl_accumulator *a, const sl_group_column *c,
                                              sl_arena *arena, sl_value *out, sl_error *err);
void sl_accumulator_save(const sl_accumulator *a, const sl_group_column *c, sl_buf *out);
SL_MUST_CHECK sl_status sl_accumulator_load(sl_accumulator *a, const sl_group_column *c, sl_cursor *from,
                                            sl_error *err);
void sl_accumulator_free(sl_accumulator *a);
size_t sl_accumulator_memory(const sl_accumulator *a); /* bytes beyond the struct */

#endif
