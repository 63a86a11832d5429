/* tail: the last items of the stream. */
#include <stdlib.h>

#include "base/error.h"
#include "plan/pipe.h"

typedef struct conf {
    int64_t count;
} conf;

/* The newest batches, just enough of them to hold `count` items. */
typedef struct keeper {
    uint64_t count, held;
    sl_batch **v;
    size_t head, n, cap;
} keeper;

static sl_status open_keeper(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    (void)env;
    keeper *k = calloc(1, sizeof *k);
    if (!k) return sl_oom(err);
    k->count = (uint64_t)((const conf *)vconf)->count;
    *out = k;
    return SL_OK;
}

static void close_keeper(void *vkeeper) {
    keeper *k = vkeeper;
    if (!k) return;
    for (size_t i = k->head; i < k->n; i++) sl_batch_free(&k->v[i]);
    free(k->v);
    free(k);
}

static sl_status make_room(keeper *k, sl_error *err) {
    if (k->n < k->cap) return SL_OK;
    if (k->head > k->cap / 2) {
        memmove(k->v, k->v + k->head, (k->n - k->head) * sizeof(sl_batch *));
        k->n -= k->head;
        k->head = 0;
        return SL_OK;
    }
    size_t cap = k->cap ? k->cap * 2 : 16;
    sl_batch **v = realloc(k->v, cap * sizeof *v);
    if (!v) return sl_oom(err);
    k->v = v;
    k->cap = cap;
    return SL_OK;
}

static sl_status pass(void *vkeeper, sl_batch *take, sl_out *out, sl_error *err) {
    keeper *k = vkeeper;
    (void)out;
    sl_status s = make_room(k, err);
    if (s != SL_OK) {
        sl_batch_free(&take);
        return s;
    }
    k->v[k->n++] = take;
    k->held += take->nsel;
    while (k->head < k->n && k->held - k->v[k->head]->nsel >= k->count) {
        k->held -= k->v[k->head]->nsel;
        sl_batch_free(&k->v[k->head++]);
    }
    return SL_OK;
}

static sl_status finish(void *vkeeper, sl_out *out, sl_error *err) {
    keeper *k = vkeeper;
    if (k->head == k->n) return SL_DONE;
    sl_batch *b = k->v[k->head++];
    uint64_t surplus = k->held > k->count ? k->held - k->count : 0;
    k->held -= surplus;
    sl_status s = sl_batch_window(b, (uint32_t)surplus, b->nsel - (uint32_t)surplus, err);
    if (s == SL_OK) return sl_emit(out, b, err);
    sl_batch_free(&b);
    return s;
}

static const sl_serial serial = {.open = open_keeper, .pass = pass, .finish = finish, .close = close_keeper};

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
    .details = "Reads the whole stream and gives its last `count` items in order.",
    .example = "forever | truncate 5 | tail 2",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "count",
    .serial = &serial,
};
