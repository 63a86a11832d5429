/* queue.h: batches on their way from the end of a stage to whoever reads the stage's result, first in first out. Also the sl_out
 * that serial and fold ends emit to.
 *
 * Thread rule: the coordinator. Ownership: what is in it is the queue's. */
#ifndef SL_ENGINE_END_QUEUE_H
#define SL_ENGINE_END_QUEUE_H

#include "plan/pipe.h"

typedef struct sl_queue {
    sl_out out; /* first */
    sl_batch **v;
    uint32_t head, n, cap; /* v[head, n) */
    uint64_t items;        /* ever put in */
} sl_queue;

void sl_queue_init(sl_queue *q);
/* A batch without rows is dropped. */
SL_MUST_CHECK sl_status sl_queue_put(sl_queue *q, sl_batch *take, sl_error *err);
/* The oldest, the caller's; NULL when empty. */
sl_batch *sl_queue_get(sl_queue *q);
/* What is left of the one that was got last, in front of the others. */
void sl_queue_put_back(sl_queue *q, sl_batch *take);
void sl_queue_clear(sl_queue *q);

#endif
