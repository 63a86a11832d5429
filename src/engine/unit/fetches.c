/* fetches.c: one fetch a row, many at once.
 *
 * Rows are opened up to AHEAD of the one that is read, so that their requests are under way while it waits. Memory is bounded by what
 * the session may hold of answers (the backlog), and not by the number of rows that are open. */
#include "engine/unit/fetches.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "net/cached.h"
#include "net/http/http.h"

enum { AHEAD = 256, LOOK_MS = 50 };

#define WINDOW        ((size_t)1 << 20) /* bytes of one answer that may wait for their row's turn */
#define LEAST_BACKLOG ((size_t)4 << 20) /* bytes of all answers that may */
#define MOST_BACKLOG  ((size_t)64 << 20)

/* A row between being opened and having been read. */
typedef struct slot {
    sl_reading *reading;
    void *conf; /* of a dynamic node; else NULL */
    bool done;
    sl_status status; /* of opening, for when it is this row's turn */
    sl_error *error;  /* why; in the batch's arena, NULL: there was no memory for it */
} slot;

struct sl_fetches {
    const sl_node *node;
    sl_env env; /* the run's, with this worker's session and its cache */
    sl_http *http;
    sl_cache *cache;
    sl_failures *failures;
    slot *slots;             /* [rows of the batch at hand] */
    uint32_t n, first, next; /* rows before `first` are read, those from `next` on not opened */
};

/* ---- the session --------------------------------------------------------------------------------------------------- */

static size_t backlog_of(const sl_env *env) {
    size_t share = env->memory / (8 * (size_t)(env->workers ? env->workers : 1));
    return share < LEAST_BACKLOG ? LEAST_BACKLOG : share > MOST_BACKLOG ? MOST_BACKLOG : share;
}

/* The run's session belongs to the coordinator: this worker has its own, and files are read by itself. */
sl_status sl_fetches_new(const sl_node *node, sl_failures *failures, sl_fetches **out, sl_error *err) {
    const sl_env *env = node->info.env;
    sl_fetches *f = *out = calloc(1, sizeof *f);
    if (!f) return sl_oom(err);
    f->node = node;
    f->failures = failures;
    f->env = *env;
    f->env.shared = true;
    f->env.keep_going = false; /* results are dropped here, and need not wait for the end of an answer */
    sl_http_options options = {.permits = env->permits,
                               .connections = env->connections,
                               .per_host = env->per_host,
                               .window = WINDOW,
                               .backlog = backlog_of(env),
                               .allowed = env->web ? env->web->allowed : NULL,
                               .nallowed = env->web ? env->web->nallowed : 0,
                               .stopping = env->stopping,
                               .log = env->log};
    sl_status s = sl_http_new(&options, &f->http, err);
    if (s == SL_OK) s = sl_cached_open(env->cache_policy, true, &f->cache, err);
    f->env.http = f->http;
    f->env.cache = f->cache;
    return s;
}

void sl_fetches_free(sl_fetches **fp) {
    sl_fetches *f = *fp;
    if (!f) return;
    sl_http_free(&f->http);
    sl_cache_free(&f->cache);
    free(f->slots);
    free(f);
    *fp = NULL;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

static sl_status resolve(sl_fetches *f, slot *s, sl_item item, sl_arena *arena, sl_error *err) {
    size_t size = f->node->pipe->conf_size;
    s->conf = sl_arena_calloc(arena, 1, size ? size : 1);
    if (!s->conf) return sl_oom(err);
    return sl_node_resolve(f->node, item, arena, s->conf, err);
}

/* What goes wrong is said when it is this row's turn. */
static void open_row(sl_fetches *f, slot *s, sl_item item, sl_arena *arena) {
    sl_error err = {0};
    if (f->node->dynamic) s->status = resolve(f, s, item, arena, &err);
    const void *conf = f->node->dynamic ? s->conf : f->node->compiled;
    if (s->status == SL_OK) s->status = sl_reading_open(f->node->pipe, conf, &f->env, &s->reading, &err);
    if (s->status == SL_OK) return;
    s->error = sl_arena_alloc(arena, sizeof *s->error);
    if (s->error) *s->error = err;
}

static void close_row(sl_fetches *f, slot *s) {
    sl_reading_close(&s->reading);
    if (s->conf && f->node->pipe->destroy) f->node->pipe->destroy(s->conf);
    s->conf = NULL;
    s->done = true;
}

static void open_ahead(sl_fetches *f, sl_batch *b, sl_batch *asked) {
    for (; f->next < f->n && f->next < f->first + AHEAD; f->next++) {
        sl_item item = {asked, sl_batch_row(b, f->next)};
        open_row(f, &f->slots[f->next], item, sl_batch_arena(b));
    }
}

/* What one row's answer has brought may lead to another request: that is under way while the rows before it are read. */
static void advance_rows(sl_fetches *f) {
    if (!f->node->pipe->source->advance) return;
    for (uint32_t i = f->first; i < f->next; i++)
        if (f->slots[i].reading) sl_reading_advance(f->slots[i].reading);
}

/* The row to read next, F->n: none is left. */
static uint32_t choose_row(sl_fetches *f) {
    if (f->env.ordered || f->first == f->n) return f->first;
    for (;;) {
        slot *s = &f->slots[f->first];
        for (uint32_t i = f->first; i < f->next; i++) {
            const slot *other = &f->slots[i];
            if (!other->done && (!other->reading || sl_reading_settled(other->reading))) return i;
        }
        if (!sl_reading_move(s->reading, LOOK_MS)) return f->first;
        advance_rows(f);
    }
}

static sl_status report_row(const slot *s, sl_error *err) {
    if (!s->error) return sl_oom(err);
    if (err && err->code == SL_OK) *err = *s->error;
    return s->status;
}

/* The caller hears of every row, also of one whose reading could not begin. */
static sl_status skip_row(sl_fetches *f, uint32_t i, sl_fetches_row row, void *to, sl_error *err) {
    sl_status status = row(to, i, NULL, err);
    return status == SL_OK ? report_row(&f->slots[i], err) : status;
}

static sl_status read_row(sl_fetches *f, uint32_t i, sl_fetches_row row, void *to, sl_error *err) {
    slot *s = &f->slots[i];
    assert(i >= f->first && i < f->next && !s->done);
    sl_status status = s->status;
    if (status == SL_OK)
        status = row(to, i, s->reading, err);
    else
        status = skip_row(f, i, row, to, err);
    close_row(f, s);
    while (f->first < f->n && f->slots[f->first].done) f->first++;
    assert(f->first <= f->next && f->next <= f->n);
    return status;
}

static sl_status hand_up(const sl_error *why, sl_status s, sl_error *err) {
    if (err && err->code == SL_OK) *err = *why;
    return s;
}

static sl_status read_rows(sl_fetches *f, sl_batch *b, sl_batch *asked, sl_fetches_row row, void *to,
                           sl_error *err) {
    while (f->first < f->n) {
        open_ahead(f, b, asked);
        advance_rows(f);
        uint32_t i = choose_row(f);
        sl_error why = {0};
        sl_status s = read_row(f, i, row, to, &why);
        if (s == SL_OK) continue;
        sl_error_at(&why, b->source, sl_batch_line(b, sl_batch_row(b, i)), 0);
        if (!sl_failure_is_passed_over(f->node->info.env, s)) return hand_up(&why, s, err);
        sl_error_step(&why, f->node->step, f->node->pipe->name);
        sl_failures_add(f->failures, &why);
    }
    return SL_OK;
}

sl_status sl_fetches_run(sl_fetches *f, sl_batch *b, sl_batch *asked, sl_fetches_row row, void *to,
                         sl_error *err) {
    free(f->slots);
    f->slots = calloc(b->nsel ? b->nsel : 1, sizeof *f->slots);
    f->n = f->slots ? b->nsel : 0;
    f->first = f->next = 0;
    if (!f->slots) return sl_oom(err);
    sl_status s = read_rows(f, b, asked, row, to, err);
    for (uint32_t i = 0; i < f->next; i++) close_row(f, &f->slots[i]);
    return s;
}
