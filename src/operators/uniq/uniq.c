/* uniq: drops items whose value was seen among the last `limit` kept ones.
 *
 * The window makes it sequential, so the coordinator decides, over keys that the workers have decoded. While the values fit into memory
 * items flow on at once. Beyond that, and as long as the window has forgotten nothing, "seen before" no longer depends on age: the
 * remaining items go through a sort by value, which leaves the first of each, and a second sort that restores their order. */
#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "operators/uniq/seen.h"
#include "plan/pipe.h"
#include "record/compare.h"
#include "record/rows.h"
#include "record/sorter/sorter.h"

enum { EMIT_ROWS = 4096 };

typedef struct conf {
    sl_text key;
    int64_t limit;
    sl_path path;
} conf;

typedef struct uniq {
    const conf *conf;
    const sl_env *env;
    sl_seen *seen;
    sl_buf key, row;
    bool *keep;
    uint32_t cap_keep;
    /* Once the values do not fit: */
    sl_sorter *by_value; /* payload: the row; a value kept before has ordinal 0 and no row */
    sl_sorter *by_order;
    sl_schemas *schemas;
    sl_row_reader *reader;
    uint64_t items, kept;
} uniq;

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    return sl_path_compile(&c->path, c->key, info->env->dialect, info->arena, err);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

static void close_uniq(void *vuniq) {
    uniq *u = vuniq;
    if (!u) return;
    sl_row_reader_free(&u->reader);
    sl_sorter_free(&u->by_value);
    sl_sorter_free(&u->by_order);
    sl_schemas_free(&u->schemas);
    sl_seen_free(&u->seen);
    sl_buf_free(&u->key);
    sl_buf_free(&u->row);
    free(u->keep);
    free(u);
}

static sl_status open_uniq(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    uniq *u = calloc(1, sizeof *u);
    if (!u) return sl_oom(err);
    u->conf = vconf;
    u->env = env;
    if (u->conf->limit) u->seen = sl_seen_new((uint64_t)u->conf->limit);
    if (u->conf->limit && !u->seen) {
        close_uniq(u);
        return sl_oom(err);
    }
    *out = u;
    return SL_OK;
}

/* ---- within memory -------------------------------------------------------------------------------------------------------- */

static sl_status make_key(uniq *u, sl_value v, sl_error *err) {
    sl_buf_clear(&u->key);
    sl_key_append(sl_is_absent(v) ? sl_null() : v, &u->key);
    return sl_buf_check(&u->key, err);
}

static sl_text key_text(const uniq *u) {
    return sl_text_n(u->key.data, u->key.len);
}

static sl_status decide_batch(uniq *u, sl_batch *b, const sl_value *column, sl_error *err) {
    if (!SL_ROOM(u->keep, u->cap_keep, b->nsel)) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        TRY(make_key(u, column[sl_batch_row(b, i)], err));
        TRY(sl_seen_add(u->seen, key_text(u), &u->keep[i], err));
    }
    return sl_batch_select(b, u->keep, err);
}

/* ---- beyond memory -------------------------------------------------------------------------------------------------------- */

static sl_status too_many(const uniq *u, sl_error *err) {
    return sl_fail(
        err, SL_E_MEMORY,
        "more than %lld different values, the limit, and they do not fit into the memory setting; lower the "
        "limit or raise memory",
        (long long)u->conf->limit);
}

/* The values seen so far move to the sort, as if they had come first. */
static sl_status spill(uniq *u, sl_error *err) {
    if (sl_seen_full(u->seen)) return too_many(u, err);
    size_t budget = u->env->memory / 4;
    u->by_value = sl_sorter_new(budget, 0, u->env->tmpdir);
    u->by_order = sl_sorter_new(budget, 0, u->env->tmpdir);
    sl_sorter_stopping(u->by_value, u->env->stopping);
    sl_sorter_stopping(u->by_order, u->env->stopping);
    sl_sorter_log(u->by_value, u->env->log, "uniq by value");
    sl_sorter_log(u->by_order, u->env->log, "uniq by order");
    u->schemas = sl_schemas_new();
    if (!u->by_value || !u->by_order || !u->schemas) return sl_oom(err);
    u->kept = sl_seen_count(u->seen);
    SL_TRACE(u->env->log, spill, "uniq: after %llu values it is sorted instead", (unsigned long long)u->kept);
    for (uint64_t i = 0; i < u->kept; i++)
        TRY(sl_sorter_add(u->by_value, (sl_sort_record){.key = sl_seen_key(u->seen, i)}, err));
    sl_seen_free(&u->seen);
    return SL_OK;
}

static sl_status set_aside(uniq *u, sl_batch *b, const sl_value *column, sl_error *err) {
    uint64_t schema;
    TRY(sl_schemas_of(u->schemas, b, &schema, err));
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        TRY(make_key(u, column[row], err));
        sl_buf_clear(&u->row);
        TRY(sl_row_save(b, schema, row, &u->row, err));
        TRY(sl_buf_check(&u->row, err));
        sl_sort_record r = {key_text(u), ++u->items, sl_text_n(u->row.data, u->row.len)};
        TRY(sl_sorter_add(u->by_value, r, err));
    }
    return SL_OK;
}

/* The first item of every value not kept before, into the second sort. */
static sl_status pick_first(uniq *u, sl_error *err) {
    sl_sort_record r;
    sl_status s;
    bool any = false;
    TRY(sl_sorter_sort(u->by_value, err));
    while ((s = sl_sorter_next(u->by_value, &r, err)) == SL_OK) {
        assert(!any || sl_text_cmp(key_text(u), r.key) <= 0);
        if (any && sl_text_eq(key_text(u), r.key)) continue;
        any = true;
        sl_buf_clear(&u->key);
        sl_buf_text(&u->key, r.key);
        TRY(sl_buf_check(&u->key, err));
        if (r.ordinal == 0) continue;
        if (++u->kept > (uint64_t)u->conf->limit) return too_many(u, err);
        TRY(sl_sorter_add(u->by_order, (sl_sort_record){.ordinal = r.ordinal, .payload = r.payload}, err));
    }
    return s == SL_DONE ? sl_sorter_sort(u->by_order, err) : s;
}

static sl_status finish(void *vuniq, sl_out *out, sl_error *err) {
    uniq *u = vuniq;
    if (!u->by_value) return SL_DONE;
    if (!u->reader) {
        u->reader = sl_row_reader_new(u->schemas, u->env->unit, sl_emit_batch, out);
        if (!u->reader) return sl_oom(err);
        TRY(pick_first(u, err));
    }
    for (uint32_t i = 0; i < EMIT_ROWS; i++) {
        sl_sort_record r;
        sl_status s = sl_sorter_next(u->by_order, &r, err);
        if (s == SL_DONE) TRY(sl_row_reader_flush(u->reader, err));
        TRY(s);
        TRY(sl_row_reader_add(u->reader, r.payload, err));
    }
    return SL_OK;
}

/* ---- the pipe --------------------------------------------------------------------------------------------------------------- */

/* The worker decodes the column, so that the coordinator only looks. */
static sl_status pure(const void *vconf, void *state, sl_batch *take, uint64_t items_before, sl_out *out,
                      sl_error *err) {
    const conf *c = vconf;
    (void)state, (void)items_before;
    if (sl_path_column(&c->path, take, err)) return sl_emit(out, take, err);
    sl_batch_free(&take);
    return SL_E_MEMORY;
}

static sl_status pass_batch(uniq *u, sl_batch *b, sl_error *err) {
    const sl_value *column = sl_path_column(&u->conf->path, b, err);
    if (!column) return SL_E_MEMORY;
    if (u->by_value) {
        TRY(set_aside(u, b, column, err));
        return sl_batch_window(b, 0, 0, err);
    }
    TRY(decide_batch(u, b, column, err));
    return sl_seen_memory(u->seen) > u->env->memory / 2 ? spill(u, err) : SL_OK;
}

static sl_status pass(void *vuniq, sl_batch *take, sl_out *out, sl_error *err) {
    uniq *u = vuniq;
    sl_status s = u->conf->limit ? pass_batch(u, take, err) : SL_OK;
    if (s == SL_OK) return sl_emit(out, take, err);
    sl_batch_free(&take);
    return s;
}

static const sl_serial serial = {
    .pure = pure, .open = open_uniq, .pass = pass, .finish = finish, .close = close_uniq};

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
               "\"1\" are not; a missing value counts as null, so one such item is kept. Set `limit` above "
               "the number of different values you "
               "expect: memory grows only with the values that come, and beyond the memory setting temporary "
               "files are used.",
    .example = "itembuilder attrs.0.key=n attrs.0.value=2 | uniq n",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "uniq_key",
    .prepare = prepare,
    .serial = &serial,
};
