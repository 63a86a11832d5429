/* tail: the last items of the stream. */
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "plan/pipe.h"
#include "record/spool.h"

typedef struct conf {
    int64_t count;
} conf;

/* The newest batches, just enough of them to hold `count` items, packed: a batch as it comes holds on to the whole unit it was read
 * from, however few of its items are left. */
typedef struct keeper {
    uint64_t count, held;
    sl_spool *spool;
    uint32_t *items; /* [number in the spool] */
    uint32_t first, cap;
} keeper;

static void close_keeper(void *vkeeper) {
    keeper *k = vkeeper;
    if (!k) return;
    sl_spool_free(&k->spool);
    free(k->items);
    free(k);
}

static sl_status open_keeper(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    keeper *k = calloc(1, sizeof *k);
    if (!k) return sl_oom(err);
    k->count = (uint64_t)((const conf *)vconf)->count;
    k->spool = sl_spool_new(env->memory, env->tmpdir);
    sl_spool_log(k->spool, env->log, "tail");
    if (!k->spool) {
        close_keeper(k);
        return sl_oom(err);
    }
    *out = k;
    return SL_OK;
}

/* A batch alone never contributes more than the whole. */
static sl_status last_items(sl_batch *b, uint64_t count, sl_error *err) {
    if (b->nsel <= count) return SL_OK;
    return sl_batch_window(b, b->nsel - (uint32_t)count, (uint32_t)count, err);
}

static sl_status pure(const void *vconf, void *state, sl_batch *take, uint64_t items_before, sl_out *out,
                      sl_error *err) {
    const conf *c = vconf;
    (void)state, (void)items_before;
    sl_status s = last_items(take, (uint64_t)c->count, err);
    if (s == SL_OK) return sl_emit(out, take, err);
    sl_batch_free(&take);
    return s;
}

static sl_status keep(keeper *k, sl_batch *b, sl_error *err) {
    uint32_t n = sl_spool_count(k->spool);
    if (!SL_ROOM(k->items, k->cap, n + 1)) return sl_oom(err);
    TRY(last_items(b, k->count, err));
    TRY(sl_spool_add(k->spool, b, err));
    k->items[n] = b->nsel;
    k->held += b->nsel;
    for (; k->first < n && k->held - k->items[k->first] >= k->count; k->first++) {
        k->held -= k->items[k->first];
        sl_spool_drop(k->spool, k->first);
    }
    return SL_OK;
}

static sl_status pass(void *vkeeper, sl_batch *take, sl_out *out, sl_error *err) {
    keeper *k = vkeeper;
    (void)out;
    sl_status s = k->count ? keep(k, take, err) : SL_OK;
    sl_batch_free(&take);
    return s;
}

static sl_status finish(void *vkeeper, sl_out *out, sl_error *err) {
    keeper *k = vkeeper;
    sl_batch *b = NULL;
    if (k->first == sl_spool_count(k->spool)) return SL_DONE;
    uint64_t surplus = k->held > k->count ? k->held - k->count : 0;
    k->held -= surplus;
    sl_status s = sl_spool_get(k->spool, k->first, &b, err);
    sl_spool_drop(k->spool, k->first++);
    if (s == SL_OK) s = sl_batch_window(b, (uint32_t)surplus, b->nsel - (uint32_t)surplus, err);
    if (s == SL_OK) return sl_emit(out, b, err);
    sl_batch_free(&b);
    return s;
}

static const sl_serial serial = {
    .pure = pure, .open = open_keeper, .pass = pass, .finish = finish, .close = close_keeper};

static const sl_option options[] = {
    {.name = "count",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, count),
     .fallback = "0",
     .max = INT64_MAX / 2,
     .unit = "items",
     .help = "how many items to keep"},
    {0},
};

const sl_pipe sl_pipe_tail = {
    .name = "tail",
    .kind = SL_KIND_OPERATOR,
    .summary = "Keeps the last items",
    .details = "Reads the whole stream and gives its last `count` items in order. Items beyond the memory "
               "setting wait in a temporary file.",
    .example = "forever | truncate 5 | tail 2",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "count",
    .serial = &serial,
};
