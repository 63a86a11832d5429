/* push.c: see push.h. What is pushed goes through a builder into packed batches; the coordinator takes one of those a unit, or else
 * whatever rows there are. */
#include "sources/push/push.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ledger.h"
#include "base/locale.h"
#include "base/unicode.h"
#include "formats/json/json.h"
#include "record/builder.h"
#include "record/pack.h"

enum { MOST_WAITING = 4 << 20, UNIT = 256 << 10, PATIENCE_MS = 50 };

/* A unit that waits. */
typedef struct block block;
struct block {
    block *next;
    sl_input *input;
    uint64_t line;
};

struct sl_source {
    sl_source *next; /* of the host's */
    sl_host *host;
    char *name;
    sl_need_fn need;
    void *need_user;

    /* The item being made: the pusher's alone. */
    sl_arena arena;
    sl_pair *pairs;
    uint32_t npairs, cap_pairs;
    sl_error failed;

    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    sl_builder *rows;
    size_t bytes;         /* about, of what it holds */
    uint64_t items, line; /* pushed so far; the first that the builder holds */
    block *first, **last;
    size_t waiting;          /* bytes of blocks */
    bool ended;              /* the program has no more for this run */
    bool wanted;             /* a step takes it */
    bool open, closed, over; /* the run takes from it; wants no more; is through */
};

/* ---- life --------------------------------------------------------------------------------------------------------------- */

static void drop_blocks(sl_source *s) {
    while (s->first) {
        block *gone = s->first;
        s->first = gone->next;
        sl_input_unref(&gone->input);
        free(gone);
    }
    s->last = &s->first;
    s->waiting = 0;
}

static void free_source(sl_source *s) {
    drop_blocks(s);
    sl_builder_free(&s->rows);
    sl_arena_free(&s->arena);
    free(s->pairs);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s->name);
    free(s);
}

void sl_push_free(sl_host *host) {
    while (host->sources) {
        sl_source *gone = host->sources;
        host->sources = gone->next;
        free_source(gone);
    }
}

/* Time-outs must not follow changes of the wall clock. */
static bool make_lock(sl_source *s) {
    pthread_condattr_t steady;
    if (pthread_condattr_init(&steady)) return false;
    bool made = !pthread_condattr_setclock(&steady, CLOCK_MONOTONIC) && !pthread_mutex_init(&s->lock, NULL);
    if (made && pthread_cond_init(&s->changed, &steady)) {
        pthread_mutex_destroy(&s->lock);
        made = false;
    }
    pthread_condattr_destroy(&steady);
    return made;
}

static sl_status hand_on(void *to, sl_batch *take, sl_error *err);

/* Rows from now on are those of a new run. */
static sl_status begin_rows(sl_source *s, sl_error *err) {
    sl_builder_free(&s->rows);
    s->bytes = s->items = s->line = 0;
    s->rows = sl_builder_new(0, NULL, hand_on, s);
    if (!s->rows) return sl_oom(err);
    sl_builder_source(s->rows, s->name);
    return SL_OK;
}

static sl_source *find(const sl_host *host, sl_text name) {
    sl_source *s = host ? host->sources : NULL;
    while (s && !sl_text_is(name, s->name)) s = s->next;
    return s;
}

sl_status sl_push_new(sl_host *host, const char *name, sl_source **out, sl_error *err) {
    if (!name || !*name || find(host, sl_text_of(name)))
        return sl_fail(err, SL_E_USAGE, "a source that is pushed into needs a name of its own, not '%s'",
                       name ? name : "");
    sl_source *s = calloc(1, sizeof *s);
    if (!s || !make_lock(s)) {
        free(s);
        return sl_oom(err);
    }
    s->host = host;
    s->last = &s->first;
    s->name = strdup(name);
    if (!s->name || begin_rows(s, err) != SL_OK) {
        free_source(s);
        return sl_oom(err);
    }
    sl_source **at = &host->sources;
    while (*at) at = &(*at)->next;
    *at = *out = s;
    return SL_OK;
}

sl_status sl_push_check(sl_host *host, sl_error *err) {
    for (sl_source *s = host->sources; s; s = s->next) {
        bool wanted = s->wanted;
        s->wanted = false; /* for the plan of the next run to say */
        if (!wanted)
            return sl_fail(err, SL_E_PLAN, "no step takes the items pushed into '%s': add the step 'push %s'",
                           s->name, s->name);
    }
    return SL_OK;
}

/* Both sides are through: the next run begins anew. */
static void settle(sl_source *s) {
    sl_error ignored = {0};
    if (!s->over || !s->ended) return;
    drop_blocks(s);
    s->ended = s->closed = s->over = false;
    if (begin_rows(s, &ignored) != SL_OK) s->closed = true;
}

/* The run wants no more items; the lock is held. */
static void close_inflow(sl_source *s) {
    s->open = false;
    s->closed = true;
    if (s->need) s->ended = true; /* it is asked no more */
    pthread_cond_broadcast(&s->changed);
}

static void end_run(sl_source *s) {
    pthread_mutex_lock(&s->lock);
    close_inflow(s);
    s->over = true;
    settle(s);
    pthread_mutex_unlock(&s->lock);
}

void sl_push_over(sl_host *host) {
    for (sl_source *s = host->sources; s; s = s->next) end_run(s);
}

/* ---- pushing ------------------------------------------------------------------------------------------------------------ */

/* A batch of the builder becomes a block. */
static sl_status hand_on(void *to, sl_batch *take, sl_error *err) {
    sl_source *s = to;
    sl_buf packed = {0};
    block *b = calloc(1, sizeof *b);
    sl_status status = b ? sl_batch_pack(take, &packed, err) : sl_oom(err);
    if (status == SL_OK) b->line = sl_batch_line(take, 0);
    sl_batch_free(&take);
    if (status == SL_OK) status = sl_buf_check(&packed, err);
    if (status == SL_OK && !(b->input = sl_input_copy(packed.data, packed.len))) status = sl_oom(err);
    sl_buf_free(&packed);
    if (status != SL_OK) {
        free(b);
        return status;
    }
    *s->last = b;
    s->last = &b->next;
    s->waiting += b->input->len;
    return SL_OK;
}

static sl_status flush(sl_source *s, sl_error *err) {
    s->bytes = 0;
    return sl_builder_flush(s->rows, err);
}

/* Whether the program may push; the lock is held. */
static sl_status may_push(const sl_source *s, sl_error *err) {
    if (s->closed) return SL_DONE;
    return s->ended ? sl_fail(err, SL_E_USAGE, "the source '%s' has ended for this run", s->name) : SL_OK;
}

/* One row, which takes about BYTES. A function that is asked for items cannot wait for the thread it runs in. */
static sl_status add_row(sl_source *s, sl_value item, size_t bytes, sl_error *err) {
    TRY(may_push(s, err));
    TRY(sl_builder_add(s->rows, item, err));
    sl_builder_line(s->rows, ++s->items);
    s->bytes += bytes;
    if (s->bytes >= UNIT) TRY(flush(s, err));
    pthread_cond_broadcast(&s->changed);
    while (s->open && !s->need && s->waiting > MOST_WAITING) pthread_cond_wait(&s->changed, &s->lock);
    return SL_OK;
}

static sl_status push(sl_source *s, sl_value item, size_t bytes, sl_error *err) {
    pthread_mutex_lock(&s->lock);
    sl_status status = add_row(s, item, bytes, err);
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* ---- sluice.h: making items --------------------------------------------------------------------------------------------- */

void sl_source_on_need(sl_source *s, sl_need_fn fn, void *user) {
    s->need = fn;
    s->need_user = user;
}

/* T in the arena of the item; what is wrong is kept for the push. */
static sl_text keep(sl_source *s, const char *text, size_t n) {
    sl_text t = {0};
    size_t valid = sl_utf8_valid_prefix(text, n);
    if (n > UINT32_MAX) {
        sl_fail(&s->failed, SL_E_MEMORY, "a text of %zu bytes is larger than one can be", n);
    } else if (valid < n) {
        sl_fail(&s->failed, SL_E_DATA, "a text pushed into '%s' is not UTF-8: byte %zu is wrong", s->name,
                valid + 1);
    } else if (!(t = sl_arena_text(&s->arena, sl_text_n(text, n))).s) {
        sl_oom(&s->failed);
    }
    return t;
}

static void put(sl_source *s, const char *name, sl_value v) {
    sl_text key = sl_text_of(name);
    for (uint32_t i = 0; i < s->npairs; i++) {
        if (!sl_text_eq(s->pairs[i].key, key)) continue;
        s->pairs[i].value = v;
        return;
    }
    key = keep(s, key.s, key.n);
    if (s->failed.code) return;
    if (SL_ROOM(s->pairs, s->cap_pairs, s->npairs + 1))
        s->pairs[s->npairs++] = (sl_pair){key, v};
    else
        sl_oom(&s->failed);
}

void sl_source_put_null(sl_source *s, const char *name) {
    put(s, name, sl_null());
}

void sl_source_put_bool(sl_source *s, const char *name, bool value) {
    put(s, name, sl_bool(value));
}

void sl_source_put_int(sl_source *s, const char *name, int64_t value) {
    put(s, name, sl_int(value));
}

void sl_source_put_double(sl_source *s, const char *name, double value) {
    put(s, name, sl_float(value));
}

void sl_source_put_text(sl_source *s, const char *name, const char *text, size_t length) {
    sl_value v = sl_text_value(keep(s, text, length));
    v.aux = SL_TYPED_TEXT;
    put(s, name, v);
}

static sl_status parse(sl_source *s, const char *json, size_t length, sl_value *out, sl_error *err) {
    sl_error why = {0};
    sl_status status = sl_json_document(json, length, false, &s->arena, out, &why);
    if (status == SL_OK) return SL_OK;
    sl_fail(err, status, "no JSON was pushed into '%s': column %llu: %s", s->name,
            (unsigned long long)why.column, why.text);
    return status;
}

void sl_source_put_json(sl_source *s, const char *name, const char *json, size_t length) {
    SL_PLAIN_LOCALE;
    sl_value v;
    if (!s->failed.code && parse(s, json, length, &v, &s->failed) == SL_OK) put(s, name, v);
}

void sl_source_put_value(sl_source *s, const char *name, const sl_value *value) {
    sl_value v = sl_missing();
    if (!s->failed.code && value && sl_value_copy(&v, *value, &s->arena, &s->failed) == SL_OK)
        put(s, name, v);
}

/* The item at hand is done with, and so are the bytes it took. */
static void forget_item(sl_source *s) {
    s->npairs = 0;
    s->failed = (sl_error){0};
    sl_arena_reset(&s->arena);
}

/* About what it will take in a batch. */
static size_t size_of_item(const sl_source *s) {
    size_t n = 0;
    for (uint32_t i = 0; i < s->npairs; i++)
        n += sizeof(sl_value) + (s->pairs[i].value.type >= SL_DECIMAL ? s->pairs[i].value.n : 0);
    return n;
}

sl_status sl_source_push_item(sl_source *s, sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_status status = s->failed.code;
    if (status && err && !err->code) *err = s->failed;
    if (!status) status = push(s, sl_map(s->pairs, s->npairs), size_of_item(s), err);
    forget_item(s);
    return status;
}

sl_status sl_source_push(sl_source *s, const char *json, size_t length, sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_value v;
    sl_arena *arena = &s->arena;
    sl_status status = parse(s, json, length, &v, err);
    if (status == SL_OK) status = push(s, v, length, err);
    if (!s->npairs) sl_arena_reset(arena);
    return status;
}

sl_status sl_source_push_value(sl_source *s, const sl_value *item, sl_error *err) {
    SL_PLAIN_LOCALE;
    if (!item) return sl_fail(err, SL_E_USAGE, "a missing value is no item");
    return push(s, *item, sizeof *item * (1 + item->n), err);
}

void sl_source_end(sl_source *s) {
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    settle(s);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the pipe: coordinator ---------------------------------------------------------------------------------------------- */

typedef struct push_conf {
    sl_text name;
    sl_source *source; /* found by prepare */
} push_conf;

typedef struct taking {
    sl_source *source;
    const sl_env *env;
    uint64_t index;
} taking;

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    push_conf *c = conf;
    c->source = find(info->env->host, c->name);
    if (c->source) c->source->wanted = true;
    if (c->source) return SL_OK;
    return sl_fail(err, SL_E_PLAN,
                   "items of '%.*s' come from the program that runs the pipeline (sl_pipeline_push_source), "
                   "but this one "
                   "has none of that name",
                   (int)c->name.n, c->name.s ? c->name.s : "");
}

static sl_status open_source(const void *conf, const sl_env *env, void **split, sl_error *err) {
    sl_source *s = ((const push_conf *)conf)->source;
    pthread_mutex_lock(&s->lock);
    bool taken = s->open;
    s->open = true;
    pthread_mutex_unlock(&s->lock);
    if (taken) return sl_fail(err, SL_E_PLAN, "the items pushed into '%s' can be read once a run", s->name);
    sl_ledger_spoil(env->ledger); /* whether they are those of the last run is not known */
    taking *t = *split = malloc(sizeof *t);
    if (!t) return sl_oom(err);
    *t = (taking){.source = s, .env = env};
    return SL_OK;
}

/* Asks the program for items, in its locale, without the lock. */
static sl_status ask(sl_source *s, sl_error *err) {
    pthread_mutex_unlock(&s->lock);
    locale_t ours = sl_locale_of_program(&s->host->locale);
    sl_status status = s->need(s->need_user, s, err);
    uselocale(ours);
    pthread_mutex_lock(&s->lock);
    if (status == SL_DONE) s->ended = true;
    if (status > SL_DONE && err && !err->code)
        sl_fail(err, status, "the program has no more items for '%s'", s->name);
    return status == SL_DONE ? SL_OK : status;
}

/* Until something has been pushed, or a moment has passed: a request to stop cannot wake anybody up. */
static sl_status wait(sl_source *s, const sl_env *env, sl_error *err) {
    if (env->stopping && atomic_load_explicit(env->stopping, memory_order_relaxed))
        return sl_fail(err, SL_E_STOPPED, "stopped on request");
    uint64_t until = sl_clock_ns() + PATIENCE_MS * 1000000ull;
    struct timespec at = {.tv_sec = (time_t)(until / 1000000000u), .tv_nsec = (long)(until % 1000000000u)};
    pthread_cond_timedwait(&s->changed, &s->lock, &at);
    return SL_OK;
}

/* The next block, or the rows that there are; SL_DONE at the end. The lock is held. */
static sl_status next_block(sl_source *s, const sl_env *env, block **out, sl_error *err) {
    for (;;) {
        if (!s->first) TRY(flush(s, err));
        block *b = *out = s->first;
        if (b) {
            s->first = b->next;
            if (!s->first) s->last = &s->first;
            s->waiting -= b->input->len;
            pthread_cond_broadcast(&s->changed);
            return SL_OK;
        }
        if (s->ended) return SL_DONE;
        TRY(s->need ? ask(s, err) : wait(s, env, err));
    }
}

static sl_status split_source(void *split, sl_unit *unit, sl_error *err) {
    taking *t = split;
    sl_source *s = t->source;
    block *b = NULL;
    pthread_mutex_lock(&s->lock);
    sl_status status = next_block(s, t->env, &b, err);
    pthread_mutex_unlock(&s->lock);
    if (status != SL_OK) return status;
    *unit = (sl_unit){.input = b->input,
                      .length = b->input->len,
                      .bytes = b->input->len,
                      .line = b->line,
                      .index = t->index++,
                      .source = s->name};
    free(b);
    return SL_OK;
}

/* Where a run fails, that may be after the run is over, when the source is for the next one. */
static void close_source(void *split) {
    taking *t = split;
    if (!t) return;
    pthread_mutex_lock(&t->source->lock);
    if (t->source->open) close_inflow(t->source);
    pthread_mutex_unlock(&t->source->lock);
    free(t);
}

/* ---- the pipe: worker --------------------------------------------------------------------------------------------------- */

static sl_status read_unit(const void *conf, void *state, const sl_unit *unit, sl_out *out,
                           uint64_t *quarantined, sl_error *err) {
    (void)conf, (void)state, (void)quarantined;
    sl_batch *b = NULL;
    size_t used;
    TRY(sl_batch_unpack(unit->input, unit->offset, unit->length, &used, &b, err));
    b->source = unit->source; /* which outlives the run, as the batch does not */
    return sl_emit(out, b, err);
}

static const sl_source_calls calls = {
    .open = open_source, .split = split_source, .close = close_source, .read = read_unit};

static const sl_option options[] = {
    {.name = "name",
     .type = SL_OPT_TEXT,
     .offset = offsetof(push_conf, name),
     .flags = SL_OPT_REQUIRED,
     .help = "the name that the program gave to sl_pipeline_push_source"},
    {.name = NULL},
};

extern const sl_pipe sl_pipe_push;
const sl_pipe sl_pipe_push = {
    .name = "push",
    .kind = SL_KIND_SOURCE,
    .summary = "Items that the calling program pushes",
    .options = options,
    .conf_size = sizeof(push_conf),
    .main = "name",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS | SL_PIPE_NO_LOOP,
    .prepare = prepare,
    .source = &calls,
};
