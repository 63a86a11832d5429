/* seen.c: a set of the newest keys: a hash table over a ring. The ring says which key is the oldest without anything being
 * moved when one is forgotten. */
#include "operators/uniq/seen.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"

typedef struct entry {
    struct entry *next; /* same bucket */
    uint64_t hash;
    uint32_t n;
    char key[];
} entry;

struct sl_seen {
    entry **buckets;
    size_t nbuckets; /* power of two */
    entry **ring;    /* [count]; once full ring[oldest] goes next */
    size_t count, cap, oldest, bytes;
    uint64_t limit;
};

sl_seen *sl_seen_new(uint64_t limit) {
    sl_seen *s = calloc(1, sizeof *s);
    if (s) s->limit = limit;
    return s;
}

void sl_seen_free(sl_seen **sp) {
    sl_seen *s = *sp;
    if (!s) return;
    for (size_t i = 0; i < s->count; i++) free(s->ring[i]);
    free(s->ring);
    free(s->buckets);
    free(s);
    *sp = NULL;
}

static sl_status widen_table(sl_seen *s, sl_error *err) {
    size_t n = s->nbuckets ? s->nbuckets * 2 : 1024;
    entry **buckets = calloc(n, sizeof *buckets);
    if (!buckets) return sl_oom(err);
    for (size_t i = 0; i < s->count; i++) {
        entry **bucket = &buckets[s->ring[i]->hash & (n - 1)];
        s->ring[i]->next = *bucket;
        *bucket = s->ring[i];
    }
    free(s->buckets);
    s->buckets = buckets;
    s->nbuckets = n;
    return SL_OK;
}

static sl_status widen_ring(sl_seen *s, sl_error *err) {
    size_t cap = s->cap ? s->cap * 2 : 1024;
    if (cap > s->limit) cap = (size_t)s->limit;
    entry **ring = realloc(s->ring, cap * sizeof *ring);
    if (!ring) return sl_oom(err);
    s->ring = ring;
    s->cap = cap;
    return SL_OK;
}

static bool contains(const sl_seen *s, uint64_t hash, sl_text key) {
    if (!s->nbuckets) return false;
    for (const entry *e = s->buckets[hash & (s->nbuckets - 1)]; e; e = e->next)
        if (e->hash == hash && e->n == key.n && memcmp(e->key, key.s, key.n) == 0) return true;
    return false;
}

static void forget_oldest(sl_seen *s) {
    assert(s->count && s->oldest < s->count);
    entry *old = s->ring[s->oldest];
    entry **at = &s->buckets[old->hash & (s->nbuckets - 1)];
    while (*at != old) at = &(*at)->next;
    *at = old->next;
    assert(s->bytes >= sizeof *old + old->n);
    s->bytes -= sizeof *old + old->n;
    free(old);
}

/* The place in the ring for a new key. */
static sl_status free_place(sl_seen *s, entry ***place, sl_error *err) {
    if (sl_seen_full(s)) {
        forget_oldest(s);
        *place = &s->ring[s->oldest];
        s->oldest = (s->oldest + 1) % s->count;
        return SL_OK;
    }
    if (s->count == s->cap) TRY(widen_ring(s, err));
    if (s->count >= s->nbuckets) TRY(widen_table(s, err));
    *place = &s->ring[s->count++];
    return SL_OK;
}

sl_status sl_seen_add(sl_seen *s, sl_text key, bool *fresh, sl_error *err) {
    uint64_t hash = sl_hash(key.s, key.n, 0);
    *fresh = !contains(s, hash, key);
    if (!*fresh) return SL_OK;
    entry *e = malloc(sizeof *e + key.n);
    if (!e) return sl_oom(err);
    *e = (entry){.hash = hash, .n = key.n};
    if (key.n) memcpy(e->key, key.s, key.n);
    entry **place;
    sl_status status = free_place(s, &place, err);
    if (status != SL_OK) {
        free(e);
        return status;
    }
    assert(s->count <= s->limit && s->count <= s->nbuckets);
    *place = e;
    e->next = s->buckets[hash & (s->nbuckets - 1)];
    s->buckets[hash & (s->nbuckets - 1)] = e;
    s->bytes += sizeof *e + key.n;
    return SL_OK;
}

bool sl_seen_full(const sl_seen *s) {
    return s->count == s->limit;
}

size_t sl_seen_memory(const sl_seen *s) {
    return s->bytes + (s->cap + s->nbuckets) * sizeof(entry *) + s->count * 16; /* 16: what malloc adds */
}

uint64_t sl_seen_count(const sl_seen *s) {
    return s->count;
}

sl_text sl_seen_key(const sl_seen *s, uint64_t i) {
    return sl_text_n(s->ring[i]->key, s->ring[i]->n);
}
