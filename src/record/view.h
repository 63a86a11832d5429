/* view.h: one row of a batch after another as a value, without a copy: a map, or the value itself where elements are bare.
 *
 * Ownership: the view owns its pairs; what they lead to is the batch's. Valid until the next row is shown. */
#ifndef SL_RECORD_VIEW_H
#define SL_RECORD_VIEW_H

#include "record/batch.h"

typedef struct sl_view {
    sl_value item;
    sl_pair *pairs;
    uint32_t cap;
} sl_view; /* zero at first */

/* Shows ROW of B in v->item; decodes the columns of B that are not yet. */
SL_MUST_CHECK sl_status sl_view_row(sl_view *v, sl_batch *b, uint32_t row, sl_error *err);
void sl_view_free(sl_view *v);

#endif
