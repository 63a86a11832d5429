/* permits.c: how many transfers run at once, for all sessions of a run. The table lies in memory that forked workers share,
 * under one lock that is held for a few stores; a permit is kept by a process and freed when that process is gone, so a worker
 * that is killed costs no connection. */
#include "net/http/permits.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shared.h"

#define ASLEEP_NS 150000000u /* a transfer not touched for so long stands still */

enum { SPARE = 256, HOSTS = 512 };

typedef struct slot {
    pid_t owner;            /* 0: free; under lock */
    uint64_t host;          /* under lock */
    _Atomic uint64_t moved; /* monotonic ns; by its owner at any time */
} slot;

typedef struct turn { /* when a host may be asked next */
    uint64_t host, next;
} turn;

struct sl_permits {
    size_t size;          /* of the mapping */
    unsigned connections; /* read-only, like per_host and n */
    unsigned per_host, n;
    sl_tokens *tokens; /* beside them, and as shared */
    _Atomic uint64_t retries;
    pthread_mutex_t
        lock; /* a process that died with it left nothing half done that matters: each permit is one store */
    turn turns[HOSTS]; /* under lock */
    slot v[];          /* [n] */
};

sl_permits *sl_permits_new(unsigned connections, unsigned per_host) {
    unsigned n = connections + SPARE;
    size_t size = sizeof(sl_permits) + n * sizeof(slot);
    sl_permits *p = sl_shared_map(size);
    if (!p) return NULL;
    *p = (sl_permits){.size = size, .connections = connections, .per_host = per_host, .n = n};
    p->tokens = sl_tokens_new();
    if (p->tokens && sl_shared_lock_init(&p->lock)) return p;
    sl_permits_free(&p);
    return NULL;
}

void sl_permits_free(sl_permits **p) {
    if (!*p) return;
    sl_tokens_free(&(*p)->tokens);
    sl_shared_unmap(*p, (*p)->size);
    *p = NULL;
}

/* ---- permits ------------------------------------------------------------------------------------------- */

/* Frees what belongs to processes that are gone. */
static void sweep(sl_permits *p) {
    pid_t self = getpid();
    for (unsigned i = 0; i < p->n; i++) {
        pid_t owner = p->v[i].owner;
        if (owner && owner != self && kill(owner, 0) && errno == ESRCH) p->v[i].owner = 0;
    }
}

static bool is_asleep(slot *v, uint64_t now) {
    uint64_t moved = atomic_load_explicit(&v->moved, memory_order_relaxed);
    return moved + ASLEEP_NS < now;
}

/* Whether another transfer may begin. */
static bool has_room(sl_permits *p, const sl_permit_wish *wish, uint64_t now) {
    unsigned all = 0, host = 0;
    for (unsigned i = 0; i < p->n; i++) {
        slot *v = &p->v[i];
        if (!v->owner || (wish->wanted && is_asleep(v, now))) continue;
        all++;
        host += v->host == wish->host;
    }
    return all < p->connections && host < p->per_host;
}

static int take_free(sl_permits *p, uint64_t host, uint64_t now) {
    for (unsigned i = 0; i < p->n; i++) {
        if (p->v[i].owner) continue;
        p->v[i].host = host;
        p->v[i].owner = getpid();
        atomic_store_explicit(&p->v[i].moved, now, memory_order_relaxed);
        return (int)i;
    }
    return SL_PERMIT_CROWDED;
}

/* The turn of HOST; when all are in use, the one that has been due longest makes room. */
static turn *turn_of(sl_permits *p, uint64_t host) {
    turn *oldest = &p->turns[0];
    for (unsigned i = 0; i < HOSTS; i++) {
        if (p->turns[i].host == host) return &p->turns[i];
        if (p->turns[i].next < oldest->next) oldest = &p->turns[i];
    }
    *oldest = (turn){.host = host};
    return oldest;
}

static int take(sl_permits *p, const sl_permit_wish *wish, uint64_t now, uint64_t *when) {
    turn *t = wish->interval ? turn_of(p, wish->host) : NULL;
    if (t && t->next > now) {
        *when = t->next;
        return SL_PERMIT_LATER;
    }
    if (!has_room(p, wish, now)) {
        sweep(p);
        if (!has_room(p, wish, now)) return SL_PERMIT_CROWDED;
    }
    int taken = take_free(p, wish->host, now);
    if (t && taken >= 0) t->next = now + wish->interval;
    return taken;
}

int sl_permits_take(sl_permits *p, const sl_permit_wish *wish, uint64_t *when) {
    sl_shared_lock(&p->lock);
    int taken = take(p, wish, sl_clock_ns(), when);
    sl_shared_unlock(&p->lock);
    return taken;
}

void sl_permits_touch(sl_permits *p, int permit) {
    atomic_store_explicit(&p->v[permit].moved, sl_clock_ns(), memory_order_relaxed);
}

void sl_permits_give(sl_permits *p, int permit) {
    sl_shared_lock(&p->lock);
    p->v[permit].owner = 0;
    sl_shared_unlock(&p->lock);
}

void sl_permits_retried(sl_permits *p) {
    atomic_fetch_add_explicit(&p->retries, 1, memory_order_relaxed);
}

uint64_t sl_permits_retries(const sl_permits *p) {
    return atomic_load_explicit(&p->retries, memory_order_relaxed);
}

unsigned sl_permits_out(sl_permits *p) {
    unsigned out = 0;
    sl_shared_lock(&p->lock);
    sweep(p);
    for (unsigned i = 0; i < p->n; i++) out += p->v[i].owner != 0;
    sl_shared_unlock(&p->lock);
    return out;
}

sl_tokens *sl_permits_tokens(const sl_permits *p) {
    return p->tokens;
}
