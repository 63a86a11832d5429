#include "engine/end/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"

static sl_status queue_emit(sl_out *out, sl_batch *take, sl_error *err) {
    return sl_queue_put((sl_queue *)(void *)out, take, err);
}

void sl_queue_init(sl_queue *q) {
    *q = (sl_queue){.out = {queue_emit}};
}

sl_status sl_queue_put(sl_queue *q, sl_batch *take, sl_error *err) {
    assert(q->head <= q->n && q->n <= q->cap);
    assert(take->nsel <= take->nrows);
    if (take->nsel == 0) {
        sl_batch_free(&take);
        return SL_OK;
    }
    if (q->head == q->n) q->head = q->n = 0;
    if (!SL_ROOM(q->v, q->cap, q->n + 1)) {
        sl_batch_free(&take);
        return sl_oom(err);
    }
    q->items += take->nsel;
    q->v[q->n++] = take;
    return SL_OK;
}

sl_batch *sl_queue_get(sl_queue *q) {
    assert(q->head <= q->n);
    return q->head < q->n ? q->v[q->head++] : NULL;
}

void sl_queue_put_back(sl_queue *q, sl_batch *take) {
    assert(q->head > 0); /* only what was got can come back */
    assert(take->nsel > 0);
    q->v[--q->head] = take;
}

void sl_queue_clear(sl_queue *q) {
    sl_batch *b;
    while ((b = sl_queue_get(q))) sl_batch_free(&b);
    free(q->v);
    q->v = NULL;
    q->n = q->head = q->cap = 0;
}
