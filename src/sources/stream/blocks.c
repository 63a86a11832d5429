/* blocks.c: input buffers that are used again. Batches let go of a buffer on any thread, so buffers come back under a lock; the
 * buffer itself knows where to, by its release function, and the pool lives until its last buffer is back. */
#include "sources/stream/blocks.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <pthread.h>

enum { KEPT = 16 }; /* more than a pool of eight workers has under way */

struct sl_blocks {
    pthread_mutex_t lock;
    sl_input *kept[KEPT];          /* under lock */
    unsigned nkept;                /* under lock */
    unsigned out;                  /* under lock: buffers that are somewhere else */
    bool closed;                   /* under lock: no more are taken */
    void (*discard)(sl_input *in); /* what a buffer's release was; set before the first is out */
};

sl_blocks *sl_blocks_new(void) {
    sl_blocks *b = calloc(1, sizeof *b);
    if (b && pthread_mutex_init(&b->lock, NULL)) {
        free(b);
        b = NULL;
    }
    return b;
}

static void destroy(sl_blocks *b) {
    while (b->nkept) b->discard(b->kept[--b->nkept]);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

void sl_blocks_free(sl_blocks **b) {
    sl_blocks *gone = *b;
    *b = NULL;
    if (!gone) return;
    pthread_mutex_lock(&gone->lock);
    gone->closed = true;
    bool last = gone->out == 0;
    pthread_mutex_unlock(&gone->lock);
    if (last) destroy(gone);
}

/* The last reference to IN is gone. */
static void give_back(sl_input *in) {
    sl_blocks *b = in->owner;
    pthread_mutex_lock(&b->lock);
    b->out--;
    bool keep = !b->closed && b->nkept < KEPT, last = b->closed && b->out == 0;
    if (keep) b->kept[b->nkept++] = in;
    void (*discard)(sl_input *) = b->discard;
    pthread_mutex_unlock(&b->lock); /* unless this was the last one out, B may be gone from here on */
    if (!keep) discard(in);
    if (last) destroy(b);
}

/* A kept buffer of about the size wanted: a huge one, made for a huge record, is not worth holding for small units. */
static sl_input *find_kept(sl_blocks *b, size_t cap) {
    for (unsigned i = b->nkept; i-- > 0;) {
        sl_input *in = b->kept[i];
        if (in->cap < cap || in->cap / 4 > cap) continue;
        b->kept[i] = b->kept[--b->nkept];
        return in;
    }
    return NULL;
}

static sl_input *make(sl_blocks *b, size_t cap) {
    sl_input *in = sl_input_new(cap);
    if (!in) return NULL;
    b->discard = in->release;
    in->release = give_back;
    in->owner = b;
    return in;
}

sl_input *sl_blocks_take(sl_blocks *b, size_t cap) {
    pthread_mutex_lock(&b->lock);
    sl_input *in = find_kept(b, cap);
    if (!in) in = make(b, cap);
    if (in) b->out++;
    pthread_mutex_unlock(&b->lock);
    if (!in) return NULL;
    in->len = 0;
    atomic_store_explicit(&in->refs, 1, memory_order_relaxed);
    return in;
}
