/* ordering.c: rows into another order, for sort and reverse. The wanted order is put into the bytes of a key, so the sorter
 * compares bytes and needs to know neither types nor directions; `reverse` is a key that counts down. */
#include "operators/sort/ordering.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "record/rows.h"
#include "record/sorter/sorter.h"

enum { EMIT_ROWS = 4096 };

typedef struct partial {
    const sl_ordering *o;
    const sl_env *env;
    sl_sorter *sorter;
    sl_schemas *schemas;
    sl_buf key, row;
    const sl_value **columns; /* [npaths] of the batch at hand */
    unsigned *kinds;          /* [npaths] */
    sl_row_reader *reader;
} partial;

static void close_partial(void *vpartial) {
    partial *p = vpartial;
    if (!p) return;
    sl_row_reader_free(&p->reader);
    sl_sorter_free(&p->sorter);
    sl_schemas_free(&p->schemas);
    sl_buf_free(&p->key);
    sl_buf_free(&p->row);
    free(p->columns);
    free(p->kinds);
    free(p);
}

static sl_status open_partial(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    partial *p = calloc(1, sizeof *p);
    if (!p) return sl_oom(err);
    p->o = vconf;
    p->env = env;
    p->sorter = sl_sorter_new(sl_env_share(env), p->o->limit, env->tmpdir);
    sl_sorter_stopping(p->sorter, env->stopping);
    sl_sorter_log(p->sorter, env->log, "sort");
    p->schemas = sl_schemas_new();
    p->columns = calloc(p->o->npaths + 1, sizeof *p->columns);
    p->kinds = calloc(p->o->npaths + 1, sizeof *p->kinds);
    if (!p->sorter || !p->schemas || !p->columns || !p->kinds) {
        close_partial(p);
        return sl_oom(err);
    }
    *out = p;
    return SL_OK;
}

static sl_status add_row(partial *p, sl_batch *b, uint64_t schema, uint32_t row, uint64_t ordinal,
                         sl_error *err) {
    assert(!p->reader); /* results have not begun */
    sl_buf_clear(&p->key);
    TRY(p->o->key(p->o->owner, p->columns, b, row, ordinal, p->kinds, &p->key, err));
    TRY(sl_buf_check(&p->key, err));
    sl_text key = sl_text_n(p->key.data, p->key.len);
    if (sl_sorter_rejects(p->sorter, key, ordinal)) return SL_OK;
    sl_buf_clear(&p->row);
    TRY(sl_row_save(b, schema, row, &p->row, err));
    TRY(sl_buf_check(&p->row, err));
    return sl_sorter_add(p->sorter, (sl_sort_record){key, ordinal, sl_text_n(p->row.data, p->row.len)}, err);
}

static sl_status add_rows(partial *p, sl_batch *b, uint64_t ordinal, sl_error *err) {
    uint64_t schema;
    TRY(sl_schemas_of(p->schemas, b, &schema, err));
    for (uint32_t i = 0; i < p->o->npaths; i++) {
        p->columns[i] = sl_path_column(&p->o->paths[i], b, err);
        if (!p->columns[i]) return SL_E_MEMORY;
    }
    for (uint32_t i = 0; i < b->nsel; i++) TRY(add_row(p, b, schema, sl_batch_row(b, i), ordinal + i, err));
    return SL_OK;
}

static sl_status add(void *vpartial, sl_batch *take, uint64_t ordinal, sl_error *err) {
    sl_status s = add_rows(vpartial, take, ordinal, err);
    sl_batch_free(&take);
    return s;
}

static sl_status seal(void *vpartial, sl_error *err) {
    partial *p = vpartial;
    return sl_sorter_sort(p->sorter, err);
}

static sl_status merge(void *vinto, void *vfrom, sl_error *err) {
    partial *into = vinto, *from = vfrom;
    assert(into->o == from->o && !into->reader && !from->reader);
    for (uint32_t i = 0; i < into->o->npaths; i++) into->kinds[i] |= from->kinds[i];
    if (into->o->check) TRY(into->o->check(into->o->owner, into->kinds, err));
    TRY(sl_schemas_merge(into->schemas, from->schemas, err));
    return sl_sorter_absorb(into->sorter, from->sorter, err);
}

static sl_status save(void *vpartial, sl_buf *out, sl_error *err) {
    partial *p = vpartial;
    sl_schemas_save(p->schemas, out);
    for (uint32_t i = 0; i < p->o->npaths; i++) sl_buf_u32(out, p->kinds[i]);
    return sl_sorter_save(p->sorter, out, err);
}

static sl_status load_records(partial *p, const char *data, size_t n, sl_error *err) {
    sl_cursor c = {.at = data, .end = data + n};
    TRY(sl_schemas_load(p->schemas, &c, err));
    for (uint32_t i = 0; i < p->o->npaths; i++) p->kinds[i] = sl_cursor_u32(&c);
    if (c.failed) return sl_fail(err, SL_E_INTERNAL, "a saved sort is damaged");
    return sl_sorter_load(p->sorter, c.at, (size_t)(c.end - c.at), err);
}

static sl_status load(const void *vconf, const sl_env *env, const char *data, size_t n, void **out,
                      sl_error *err) {
    TRY(open_partial(vconf, env, out, err));
    return load_records(*out, data, n, err);
}

static sl_status finish(void *vpartial, sl_out *out, sl_error *err) {
    partial *p = vpartial;
    if (!p->reader) p->reader = sl_row_reader_new(p->schemas, p->env->unit, sl_emit_batch, out);
    if (!p->reader) return sl_oom(err);
    for (uint32_t i = 0; i < EMIT_ROWS; i++) {
        sl_sort_record r;
        sl_status s = sl_sorter_next(p->sorter, &r, err);
        if (s == SL_DONE) {
            TRY(sl_row_reader_flush(p->reader, err));
            return SL_DONE;
        }
        TRY(s);
        TRY(sl_row_reader_add(p->reader, r.payload, err));
    }
    return SL_OK;
}

static void bound(void *vconf, uint64_t n) {
    ((sl_ordering *)vconf)->limit = n;
}

const sl_fold sl_ordering_fold = {.open = open_partial,
                                  .add = add,
                                  .seal = seal,
                                  .save = save,
                                  .load = load,
                                  .merge = merge,
                                  .finish = finish,
                                  .close = close_partial,
                                  .limit = bound};
