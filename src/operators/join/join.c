/* join: items of the input paired with items of a second stream.
 *
 * Where every item matches at most one row and the rows of the table share their columns, the batch itself goes on: narrowed to the items
 * that matched, with the table's columns beside its own, which stay lazy. Otherwise pairs are built one by one. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/join/table.h"
#include "plan/pipe.h"
#include "record/builder.h"
#include "record/raw.h"

typedef struct conf {
    sl_text key, other_key;
    bool lower;
    sl_path left, right;
} conf;

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    sl_text left = c->key.n ? c->key : c->other_key, right = c->other_key.n ? c->other_key : c->key;
    TRY(sl_path_compile(&c->left, left, info->env->dialect, info->arena, err));
    return sl_path_compile(&c->right, right, info->env->dialect, info->arena, err);
}

/* ---- the table ---------------------------------------------------------------------------------------------------------------- */

static sl_status open_table(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    const conf *c = vconf;
    sl_join_table *t = sl_join_table_new(&c->right, c->lower, env->memory / 2, env->tmpdir);
    sl_join_table_log(t, env->log);
    *out = t;
    return t ? SL_OK : sl_oom(err);
}

static sl_status add(void *table, sl_batch *take, sl_error *err) {
    return sl_join_table_add(table, take, err);
}

static sl_status seal(void *table, sl_error *err) {
    return sl_join_table_seal(table, err);
}

static void close_table(void *table) {
    sl_join_table *t = table;
    sl_join_table_free(&t);
}

/* ---- probing ------------------------------------------------------------------------------------------------------------------- */

typedef struct match {
    const sl_batch *b;
    uint32_t row;
} match;

typedef struct prober {
    const conf *conf;
    const sl_join_table *table;
    sl_batch *b;
    const sl_value *keys;
    sl_buf key;
    match *first; /* [selected rows] the first match of each; b NULL: none */
    bool *kept;   /* [selected rows] */
    bool single;  /* none of them has a second one */
} prober;

static sl_status next_match(prober *p, size_t *at, match *m, bool *owned, sl_error *err) {
    return sl_join_table_match(p->table, sl_text_n(p->key.data, p->key.len), at, &m->b, &m->row, owned, err);
}

static sl_status key_of(prober *p, uint32_t row, bool *usable, sl_error *err) {
    sl_buf_clear(&p->key);
    return sl_join_key(p->table, p->keys ? p->keys[row] : sl_null(), sl_batch_arena(p->b), &p->key, usable,
                       err);
}

static sl_status find_first(prober *p, uint32_t i, sl_error *err) {
    bool usable, owned;
    size_t at = 0;
    TRY(key_of(p, sl_batch_row(p->b, i), &usable, err));
    if (!usable) return SL_OK;
    sl_status s = next_match(p, &at, &p->first[i], &owned, err);
    if (s == SL_DONE) return SL_OK;
    TRY(s);
    match second;
    s = next_match(p, &at, &second, &owned, err);
    p->kept[i] = true;
    if (s == SL_OK) p->single = false;
    return s == SL_DONE ? SL_OK : s;
}

static sl_status find_all_first(prober *p, sl_error *err) {
    for (uint32_t i = 0; i < p->b->nsel && p->single; i++) TRY(find_first(p, i, err));
    return SL_OK;
}

/* ---- beside ---------------------------------------------------------------------------------------------------------------------- */

/* Column C of the table under its name in B: a new one, or in place of B's own. */
static sl_status lay_column(prober *p, const sl_batch *shape, uint32_t c, const match *matches,
                            sl_error *err) {
    sl_text name = shape->cols[c].name;
    int own = sl_batch_find(p->b, name, false);
    sl_value *values;
    if (own >= 0 && sl_text_eq(name, p->conf->right.text) && sl_text_eq(name, p->conf->left.text) &&
        sl_join_table_texts(p->table))
        return SL_OK; /* the same bytes on both sides */
    if (own >= 0) {
        values = sl_column_values(p->b, (uint32_t)own, err);
        if (!values) return SL_E_MEMORY;
        sl_batch_touched(p->b);
    } else {
        TRY(sl_batch_add_column(p->b, name, &values, err));
    }
    for (uint32_t i = 0; i < p->b->nsel; i++) {
        sl_value v = matches[i].b->cols[c].values[matches[i].row];
        if (v.type != SL_MISSING) values[sl_batch_row(p->b, i)] = v;
    }
    return SL_OK;
}

/* A key that an item lacks goes to its end, behind keys that other items of the batch have there: such items are built one by
 * one. */
static bool fills_gaps(const prober *p, const sl_batch *shape) {
    for (uint32_t c = 0; c < shape->ncols; c++) {
        int own = sl_batch_find(p->b, shape->cols[c].name, false);
        for (uint32_t i = 0; own >= 0 && i < p->b->nsel; i++) {
            bool lacks =
                p->kept[i] && sl_batch_peek(p->b, (uint32_t)own, sl_batch_row(p->b, i)).type == SL_MISSING;
            if (lacks && p->first[i].b->cols[c].values[p->first[i].row].type != SL_MISSING) return true;
        }
    }
    return false;
}

/* The values of the table outlive the batch only as long as the run does: they are kept with it. */
static sl_status lay_beside(prober *p, const sl_batch *shape, sl_error *err) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->b->nsel; i++)
        if (p->kept[i]) p->first[n++] = p->first[i];
    TRY(sl_batch_select(p->b, p->kept, err));
    for (uint32_t c = 0; c < shape->ncols; c++) TRY(lay_column(p, shape, c, p->first, err));
    return SL_OK;
}

/* ---- pairs ----------------------------------------------------------------------------------------------------------------------- */

static sl_status put_row(sl_builder *to, const sl_batch *b, uint32_t row, sl_error *err) {
    for (uint32_t c = 0; c < b->ncols; c++) {
        sl_value v = sl_batch_peek(b, c, row);
        if (v.type == SL_MISSING) continue;
        TRY(sl_value_decode(&v, sl_builder_arena(to), err));
        TRY(sl_value_copy(&v, v, sl_builder_arena(to), err));
        TRY(sl_builder_put(to, b->cols[c].name, v, err));
    }
    return SL_OK;
}

static sl_status pair_row(prober *p, uint32_t row, sl_builder *to, sl_error *err) {
    bool usable, owned = false;
    size_t at = 0;
    match m;
    sl_status s;
    TRY(key_of(p, row, &usable, err));
    if (!usable) return SL_OK;
    while ((s = next_match(p, &at, &m, &owned, err)) == SL_OK) {
        s = sl_builder_row(to, err);
        if (s == SL_OK) s = put_row(to, p->b, row, err);
        if (s == SL_OK) s = put_row(to, m.b, m.row, err);
        sl_batch *mine = owned ? (sl_batch *)(uintptr_t)m.b : NULL;
        sl_batch_free(&mine);
        if (s != SL_OK) return s;
    }
    return s == SL_DONE ? SL_OK : s;
}

static sl_status pair_rows(prober *p, sl_out *out, sl_error *err) {
    sl_builder *to = sl_builder_new(0, NULL, sl_emit_batch, out);
    if (!to) return sl_oom(err);
    sl_status s = SL_OK;
    for (uint32_t i = 0; i < p->b->nsel && s == SL_OK; i++) s = pair_row(p, sl_batch_row(p->b, i), to, err);
    if (s == SL_OK) s = sl_builder_flush(to, err);
    sl_builder_free(&to);
    return s;
}

static sl_status run(prober *p, sl_out *out, sl_error *err) {
    const sl_batch *shape = sl_join_table_shape(p->table);
    if (p->conf->left.n) {
        p->keys = sl_path_column(&p->conf->left, p->b, err);
        if (!p->keys) return SL_E_MEMORY;
    }
    p->single = shape != NULL;
    if (shape) TRY(find_all_first(p, err));
    if (!p->single || fills_gaps(p, shape)) return pair_rows(p, out, err);
    TRY(lay_beside(p, shape, err));
    sl_batch *take = p->b;
    p->b = NULL;
    return sl_emit(out, take, err);
}

static sl_status probe(const void *vconf, const void *table, void *state, sl_batch *take, sl_out *out,
                       sl_error *err) {
    prober p = {.conf = vconf, .table = table, .b = take};
    (void)state;
    p.first = calloc(take->nsel + 1, sizeof *p.first);
    p.kept = calloc(take->nsel + 1, sizeof *p.kept);
    sl_status s = p.first && p.kept ? run(&p, out, err) : sl_oom(err);
    free(p.first);
    free(p.kept);
    sl_buf_free(&p.key);
    sl_batch_free(&p.b);
    return s;
}

static const sl_lookup lookup = {
    .open = open_table, .add = add, .seal = seal, .close = close_table, .probe = probe};

static const sl_option options[] = {
    {.name = "join_key",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, key),
     .help = "field of the input to match by; default: other_join_key. Neither: every pair"},
    {.name = "other_join_key",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, other_key),
     .help = "field of the second stream to match by; default: join_key"},
    {.name = "lower",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, lower),
     .fallback = "false",
     .help = "texts match whatever their case"},
    {0},
};

const sl_pipe sl_pipe_join = {
    .name = "join",
    .kind = SL_KIND_OPERATOR,
    .summary = "Pairs items with those of a second stream",
    .details = "An inner join: for each item of the input, in order, one item for each item of the second "
               "stream (wired to the port `other`) with "
               "an equal key, in its order. The pair has the members of the left item, then those of the "
               "right, which win where both "
               "have one. Items without the key match nothing. The second stream is read first and kept in "
               "memory, beyond the memory "
               "setting in a temporary file.",
    .example = "{\"modules\": [\n"
               "  {\"id\": \"reports\", \"type\": \"itembuilder\", \"conf\": {\"attrs\": [{\"key\": "
               "\"code\", \"value\": \"GP\"}, {\"key\": \"n\", \"value\": 3}]}},\n"
               "  {\"id\": \"places\", \"type\": \"itembuilder\", \"conf\": {\"attrs\": [{\"key\": \"code\", "
               "\"value\": \"GP\"}, {\"key\": \"name\", \"value\": \"Gauteng\"}]}},\n"
               "  {\"id\": \"both\", \"type\": \"join\", \"conf\": {\"join_key\": \"code\", "
               "\"other_join_key\": \"code\"}}],\n"
               " \"wires\": [[\"reports\", \"both\"], [\"places\", \"both\", \"other\"]]}",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "join_key",
    .flags = SL_PIPE_OTHER,
    .prepare = prepare,
    .lookup = &lookup,
};
