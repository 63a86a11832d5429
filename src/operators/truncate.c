/* truncate: a window of the stream. Stops the sources once the window is full. */
#include <stdlib.h>

#include "base/error.h"
#include "plan/pipe.h"

typedef struct conf {
    int64_t start, count;
} conf;

typedef struct window {
    uint64_t start, end, seen; /* items [start, end) pass */
} window;

static sl_status open_window(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    const conf *c = vconf;
    (void)env;
    window *w = calloc(1, sizeof *w);
    if (!w) return sl_oom(err);
    *w = (window){.start = (uint64_t)c->start, .end = (uint64_t)c->start + (uint64_t)c->count};
    *out = w;
    return SL_OK;
}

static uint64_t needs(const void *vconf) {
    const conf *c = vconf;
    return (uint64_t)c->start + (uint64_t)c->count;
}

/* A unit alone never contributes more than the whole window reaches. */
static sl_status pure(const void *vconf, void *state, sl_batch *take, uint64_t items_before, sl_out *out,
                      sl_error *err) {
    (void)state;
    uint64_t most = needs(vconf);
    uint64_t room = most > items_before ? most - items_before : 0;
    bool last = room <= take->nsel;
    sl_status s = room < take->nsel ? sl_batch_window(take, 0, (uint32_t)room, err) : SL_OK;
    if (s != SL_OK) {
        sl_batch_free(&take);
        return s;
    }
    TRY(sl_emit(out, take, err));
    return last ? SL_DONE : SL_OK;
}

static sl_status pass(void *vwindow, sl_batch *take, sl_out *out, sl_error *err) {
    window *w = vwindow;
    uint64_t first = w->seen, last = w->seen + take->nsel;
    uint64_t from = w->start > first ? w->start : first, to = w->end < last ? w->end : last;
    w->seen = last;
    sl_status s = SL_OK;
    if (from < to) {
        s = sl_batch_window(take, (uint32_t)(from - first), (uint32_t)(to - from), err);
        if (s == SL_OK) {
            s = sl_emit(out, take, err);
            take = NULL;
        }
    }
    sl_batch_free(&take);
    if (s == SL_OK && last >= w->end) s = SL_DONE;
    return s;
}

static uint64_t taken(const void *vwindow) {
    const window *w = vwindow;
    return w->seen < w->end ? w->seen : w->end;
}

static const sl_serial serial = {
    .pure = pure, .open = open_window, .pass = pass, .close = free, .needs = needs, .taken = taken};

static const sl_option options[] = {
    {.name = "count",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, count),
     .fallback = "0",
     .max = INT64_MAX / 2,
     .unit = "items",
     .help = "how many items to let through"},
    {.name = "start",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, start),
     .fallback = "0",
     .max = INT64_MAX / 2,
     .unit = "items",
     .help = "how many items to leave out first"},
    {0},
};

const sl_pipe sl_pipe_truncate = {
    .name = "truncate",
    .kind = SL_KIND_OPERATOR,
    .summary = "Lets a window of the stream through",
    .details = "Items start .. start+count-1, counted from 0. Nothing is read past the end of the window, so "
               "it bounds endless sources. "
               "Behind a sort it bounds the sort.",
    .example = "forever | truncate 3",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "count",
    .serial = &serial,
};
