/* ordering.h: rows brought into another order, shared by sort and reverse.
 *
 * A worker turns each row into a key whose byte order is the wanted order, and the row's bytes; the sorter (record/sorter/sorter.h)
 * does the rest, spilling beyond the memory share. Equal keys keep their input order. A truncate right behind it bounds the result,
 * and most rows are then refused by their key alone.
 *
 * A pipe embeds an sl_ordering as the first member of its conf, fills it in prepare and uses sl_ordering_fold. */
#ifndef SL_OPERATORS_SORT_ORDERING_H
#define SL_OPERATORS_SORT_ORDERING_H

#include "plan/pipe.h"

typedef struct sl_ordering {
    const sl_path *paths; /* columns that keys are made of */
    uint32_t npaths;
    uint64_t limit; /* only the first so many are wanted; 0: all */
    /* Appends the key of a row: COLUMNS[npaths] are indexed by row. KINDS[npaths] are the worker's own notes, or-ed when
     * partials meet; check (may be NULL) then looks at them. */
    sl_status (*key)(const void *owner, const sl_value *const *columns, sl_batch *b, uint32_t row, uint64_t ordinal,
                     unsigned *kinds, sl_buf *key, sl_error *err);
    sl_status (*check)(const void *owner, const unsigned *kinds, sl_error *err);
    const void *owner; /* the pipe's conf */
} sl_ordering;

extern const sl_fold sl_ordering_fold;

#endif
