/* uniq: drops items whose value was seen among the last `limit` kept ones.
 *
 * The window makes it sequential, so the coordinator decides, over keys made of 8 bytes (hash) and compared in full. Memory: the keys of
 * the window only. */
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "plan/pipe.h"
#include "record/compare.h"

typedef struct conf {
    sl_text key;
    int64_t limit;
    sl_path path;
} conf;

typedef struct entry {
    uint64_t hash;
    char *key;
    uint32_t n;
    struct entry *next; /* same bucket */
} entry;

/* A hash set of the values kept, and a ring of them in order of age. */
typedef struct memory {
    const conf *conf;
    entry **buckets;
    size_t nbuckets, count;
    entry **ring; /* oldest at ring[at] once full; grows up to the limit */
    size_t cap_ring, at;
    sl_buf key;
    bool *keep;
    uint32_t cap_keep;
} memory;

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    return sl_path_compile(&c->path, c->key, info->env->dialect, info->arena, err);
}

static sl_status open_memory(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    (void)env;
    memory *m = calloc(1, sizeof *m);
    if (!m) return sl_oom(err);
    m->conf = vconf;
    *out = m;
    return SL_OK;
}

static void entry_free(entry *e) {
    if (e) free(e->key);
    free(e);
}

static void close_memory(void *vmemory) {
    memory *m = vmemory;
    if (!m) return;
    for (size_t i = 0; i < m->nbuckets; i++)
        for (entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            entry_free(e);
        }
    free(m->buckets);
    free(m->ring);
    free(m->keep);
    sl_buf_free(&m->key);
    free(m);
}

static sl_status rehash(memory *m, sl_error *err) {
    size_t n = m->nbuckets ? m->nbuckets * 2 : 1024;
    entry **buckets = calloc(n, sizeof *buckets);
    if (!buckets) return sl_oom(err);
    for (size_t i = 0; i < m->nbuckets; i++)
        for (entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            e->next = buckets[e->hash & (n - 1)];
            buckets[e->hash & (n - 1)] = e;
        }
    free(m->buckets);
    m->buckets = buckets;
    m->nbuckets = n;
    return SL_OK;
}

static bool seen(const memory *m, uint64_t hash) {
    if (!m->nbuckets) return false;
    for (const entry *e = m->buckets[hash & (m->nbuckets - 1)]; e; e = e->next)
        if (e->hash == hash && e->n == m->key.len && memcmp(e->key, m->key.data, e->n) == 0) return true;
    return false;
}

static void forget(memory *m, entry *old) {
    entry **at = &m->buckets[old->hash & (m->nbuckets - 1)];
    while (*at != old) at = &(*at)->next;
    *at = old->next;
    entry_free(old);
    m->count--;
}

static sl_status place_in_ring(memory *m, entry *e, sl_error *err) {
    size_t limit = (size_t)m->conf->limit;
    if (m->count == limit) {
        forget(m, m->ring[m->at]);
        m->ring[m->at] = e;
        m->at = (m->at + 1) % limit;
        return SL_OK;
    }
    if (m->count == m->cap_ring) {
        size_t cap = m->cap_ring ? m->cap_ring * 2 : 1024;
        if (cap > limit) cap = limit;
        entry **ring = realloc(m->ring, cap * sizeof *ring);
        if (!ring) return sl_oom(err);
        m->ring = ring;
        m->cap_ring = cap;
    }
    m->ring[m->count] = e;
    return SL_OK;
}

static sl_status remember(memory *m, uint64_t hash, sl_error *err) {
    if (m->count >= m->nbuckets) TRY(rehash(m, err));
    entry *e = calloc(1, sizeof *e);
    char *key = malloc(m->key.len + 1);
    if (!e || !key) {
        free(e);
        free(key);
        return sl_oom(err);
    }
    memcpy(key, m->key.data, m->key.len);
    *e = (entry){.hash = hash, .key = key, .n = (uint32_t)m->key.len};
    sl_status s = place_in_ring(m, e, err);
    if (s != SL_OK) {
        entry_free(e);
        return s;
    }
    entry **bucket = &m->buckets[hash & (m->nbuckets - 1)];
    e->next = *bucket;
    *bucket = e;
    m->count++;
    return SL_OK;
}

static sl_status decide(memory *m, sl_value v, bool *keep, sl_error *err) {
    sl_buf_clear(&m->key);
    sl_key_append(sl_is_absent(v) ? sl_null() : v, &m->key);
    TRY(sl_buf_check(&m->key, err));
    uint64_t hash = sl_hash(m->key.data, m->key.len, 0);
    *keep = !seen(m, hash);
    return *keep ? remember(m, hash, err) : SL_OK;
}

static sl_status decide_batch(memory *m, sl_batch *b, sl_error *err) {
    const sl_value *column = sl_path_column(&m->conf->path, b, err);
    if (!column) return SL_E_MEMORY;
    if (m->cap_keep < b->nsel) {
        bool *keep = realloc(m->keep, b->nsel * sizeof *keep);
        if (!keep) return sl_oom(err);
        m->keep = keep;
        m->cap_keep = b->nsel;
    }
    for (uint32_t i = 0; i < b->nsel; i++) TRY(decide(m, column[sl_batch_row(b, i)], &m->keep[i], err));
    return sl_batch_select(b, m->keep, err);
}

static sl_status pass(void *vmemory, sl_batch *take, sl_out *out, sl_error *err) {
    memory *m = vmemory;
    sl_status s = m->conf->limit ? decide_batch(m, take, err) : SL_OK;
    if (s == SL_OK) return sl_emit(out, take, err);
    sl_batch_free(&take);
    return s;
}

static const sl_serial serial = {.open = open_memory, .pass = pass, .close = close_memory};

static const sl_option options[] = {
    {.name = "uniq_key",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, key),
     .fallback = "content",
     .help = "field that tells items apart"},
    {.name = "limit",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, limit),
     .fallback = "1024",
     .max = (int64_t)1 << 40,
     .unit = "items",
     .help = "how many kept values are remembered, the newest; 0 lets everything through"},
    {0},
};

const sl_pipe sl_pipe_uniq = {
    .name = "uniq",
    .kind = SL_KIND_OPERATOR,
    .summary = "Drops items whose value was seen before",
    .details = "An item is kept when the value of its field is not among the last `limit` kept values. 1, "
               "1.0 and true are the same value, 1 and "
               "\"1\" are not; a missing value counts as null, so one such item is kept. Raise `limit` to "
               "the number of different values "
               "you expect: memory grows with it only as far as values come.",
    .example = "itembuilder attrs.0.key=n attrs.0.value=2 | uniq n",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "uniq_key",
    .prepare = prepare,
    .serial = &serial,
};
