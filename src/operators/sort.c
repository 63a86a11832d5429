/* sort: items in the order of one or more fields.
 *
 * A worker turns each row into a key whose byte order is the wanted order, and the row's bytes; the sorter (record/sorter.h) does the
 * rest, spilling beyond the memory share. A truncate right behind the sort bounds it, and most rows are then refused by their key
 * alone. Missing values come first; under riko's dialect they count as "" and mixing texts with numbers is an error, as there. */
#include <stdlib.h>

#include "base/error.h"
#include "plan/pipe.h"
#include "record/compare.h"
#include "record/rows.h"
#include "record/sorter.h"

enum { EMIT_ROWS = 4096 };

typedef struct rule {
    sl_text field, dir, type;
    sl_path path;
    bool desc, typed;
    sl_cast cast;
} rule;

typedef struct conf {
    sl_rules rules;
    sl_text old_key, old_dir; /* of the 2016 API */
    uint64_t limit;           /* only the first so many will be looked at; 0: all */
    const sl_env *env;
} conf;

typedef struct partial {
    const conf *conf;
    sl_sorter *sorter;
    sl_schemas *schemas;
    sl_buf key, row;
    const sl_value **columns; /* [rules] of the batch at hand */
    unsigned *kinds; /* [rules] bit set of the kinds of keys seen: texts and others do not mix (riko) */
    sl_row_reader *reader;
} partial;

enum { KIND_TEXT = 1, KIND_OTHER = 2 };

/* ---- conf -------------------------------------------------------------------------------------------------------------- */

static rule *rules_of(const conf *c) {
    return c->rules.v;
}

static sl_status default_rule(conf *c, sl_arena *arena, sl_error *err) {
    rule *r = sl_arena_calloc(arena, 1, sizeof *r);
    if (!r) return sl_oom(err);
    r->field = c->old_key.n ? c->old_key : SL_TEXT("content");
    r->dir = c->old_dir;
    c->rules = (sl_rules){r, 1};
    return SL_OK;
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->env = info->env;
    if (!c->rules.v) TRY(default_rule(c, info->arena, err));
    for (uint32_t i = 0; i < c->rules.n; i++) {
        rule *r = &rules_of(c)[i];
        r->desc = sl_text_eq_nocase(r->dir, SL_TEXT("desc"));
        r->typed = r->type.n && sl_cast_named(r->type, &r->cast) && r->cast < SL_CAST_LOCATION;
        TRY(sl_path_compile(&r->path, r->field, info->env->dialect, info->arena, err));
    }
    return SL_OK;
}

static void bound(void *vconf, uint64_t n) {
    conf *c = vconf;
    c->limit = n;
}

/* ---- keys --------------------------------------------------------------------------------------------------------------- */

static sl_status key_value(const rule *r, const conf *c, sl_value *v, sl_arena *a, sl_error *err) {
    if (r->typed) return sl_cast_value(r->cast, *v, c->env->now, a, v, err);
    bool nothing = sl_is_absent(*v) || v->type == SL_LIST || v->type == SL_MAP;
    if (c->env->dialect == SL_RIKO && nothing) *v = sl_text_value(SL_TEXT(""));
    return SL_OK;
}

static sl_status note_kind(partial *p, uint32_t i, sl_value v, sl_error *err) {
    p->kinds[i] |= sl_is_text(v) ? KIND_TEXT : KIND_OTHER;
    if (p->kinds[i] != (KIND_TEXT | KIND_OTHER)) return SL_OK;
    const rule *r = &rules_of(p->conf)[i];
    return sl_fail(err, SL_E_DATA,
                   "field '%.*s' mixes texts (or missing values) with numbers, which have no order; give the "
                   "rule a type",
                   (int)r->field.n, r->field.s);
}

static sl_status make_key(partial *p, sl_batch *b, uint32_t row, sl_error *err) {
    const conf *c = p->conf;
    sl_buf_clear(&p->key);
    for (uint32_t i = 0; i < c->rules.n; i++) {
        const rule *r = &rules_of(c)[i];
        if (!r->field.n) continue;
        sl_value v = p->columns[i][row];
        TRY(key_value(r, c, &v, sl_batch_arena(b), err));
        if (c->env->dialect == SL_RIKO && !r->typed) TRY(note_kind(p, i, v, err));
        sl_sort_key_append(v, r->desc, &p->key);
    }
    return sl_buf_check(&p->key, err);
}

/* ---- fold --------------------------------------------------------------------------------------------------------------- */

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
    p->conf = vconf;
    p->sorter = sl_sorter_new(env->memory / (env->workers + 1), p->conf->limit, env->tmpdir);
    p->schemas = sl_schemas_new();
    p->columns = calloc(p->conf->rules.n + 1, sizeof *p->columns);
    p->kinds = calloc(p->conf->rules.n + 1, sizeof *p->kinds);
    if (!p->sorter || !p->schemas || !p->columns || !p->kinds) {
        close_partial(p);
        return sl_oom(err);
    }
    *out = p;
    return SL_OK;
}

static sl_status add_row(partial *p, sl_batch *b, uint64_t schema, uint32_t row, uint64_t ordinal,
                         sl_error *err) {
    TRY(make_key(p, b, row, err));
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
    for (uint32_t i = 0; i < p->conf->rules.n; i++) {
        const rule *r = &rules_of(p->conf)[i];
        if (!r->field.n) continue;
        p->columns[i] = sl_path_column(&r->path, b, err);
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
    for (uint32_t i = 0; i < into->conf->rules.n; i++) {
        into->kinds[i] |= from->kinds[i];
        if (into->kinds[i] == (KIND_TEXT | KIND_OTHER)) TRY(note_kind(into, i, sl_null(), err));
    }
    TRY(sl_schemas_merge(into->schemas, from->schemas, err));
    return sl_sorter_absorb(into->sorter, from->sorter, err);
}

static sl_status save(void *vpartial, sl_buf *out, sl_error *err) {
    partial *p = vpartial;
    sl_sort_record r;
    sl_status s;
    sl_schemas_save(p->schemas, out);
    for (uint32_t i = 0; i < p->conf->rules.n; i++) sl_buf_u32(out, p->kinds[i]);
    while ((s = sl_sorter_next(p->sorter, &r, err)) == SL_OK) {
        sl_buf_u32(out, r.key.n);
        sl_buf_text(out, r.key);
        sl_buf_u64(out, r.ordinal);
        sl_buf_u32(out, r.payload.n);
        sl_buf_text(out, r.payload);
    }
    return s == SL_DONE ? sl_buf_check(out, err) : s;
}

static sl_text saved_text(sl_cursor *c) {
    uint32_t n = sl_cursor_u32(c);
    const char *s = sl_cursor_bytes(c, n);
    return (sl_text){s, s ? n : 0};
}

static sl_status load_records(partial *p, const char *data, size_t n, sl_error *err) {
    sl_cursor c = {.at = data, .end = data + n};
    TRY(sl_schemas_load(p->schemas, &c, err));
    for (uint32_t i = 0; i < p->conf->rules.n; i++) p->kinds[i] = sl_cursor_u32(&c);
    while (c.at < c.end && !c.failed) {
        sl_sort_record r = {.key = saved_text(&c)};
        r.ordinal = sl_cursor_u64(&c);
        r.payload = saved_text(&c);
        if (c.failed) return sl_fail(err, SL_E_INTERNAL, "a saved sort is damaged");
        TRY(sl_sorter_add(p->sorter, r, err));
    }
    return sl_sorter_sort(p->sorter, err);
}

static sl_status load(const void *vconf, const sl_env *env, const char *data, size_t n, void **out,
                      sl_error *err) {
    TRY(open_partial(vconf, env, out, err));
    return load_records(*out, data, n, err);
}

static sl_status finish(void *vpartial, sl_out *out, sl_error *err) {
    partial *p = vpartial;
    if (!p->reader) p->reader = sl_row_reader_new(p->schemas, sl_emit_batch, out);
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

static const sl_fold fold = {.open = open_partial,
                             .add = add,
                             .seal = seal,
                             .save = save,
                             .load = load,
                             .merge = merge,
                             .finish = finish,
                             .close = close_partial,
                             .limit = bound};

static const sl_option rule_options[] = {
    {.name = "field", .type = SL_OPT_PATH, .offset = offsetof(rule, field), .help = "field to sort by"},
    {.name = "dir",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, dir),
     .fallback = "asc",
     .help = "asc or desc, in any case"},
    {.name = "type",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, type),
     .help =
         "compare as int, float, decimal, text, date, datetime, url or bool; without it values as they are"},
    {0},
};

static const sl_option options[] = {
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, rules),
     .rules = rule_options,
     .rule_size = sizeof(rule),
     .flags = SL_OPT_SCALARS,
     .help = "what to sort by, most important first; default: the field content, ascending"},
    {.name = "sort_key",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, old_key),
     .flags = SL_OPT_HIDDEN,
     .help = "rule.field"},
    {.name = "sort_dir",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, old_dir),
     .flags = SL_OPT_HIDDEN,
     .help = "rule.dir"},
    {0},
};

const sl_pipe sl_pipe_sort = {
    .name = "sort",
    .kind = SL_KIND_OPERATOR,
    .summary = "Puts items in order",
    .details = "Sorts by one or more fields; the first rule is the primary key. Stable in both directions. "
               "Texts are ordered by code "
               "point, numbers by value; with a type, values are converted first, and what cannot be "
               "converted counts as the type's "
               "null value (0, NaN, 1970-01-01). Items without the field come first. Sorts beyond the memory "
               "setting go through "
               "temporary files. A truncate right behind a sort keeps only the rows it needs.",
    .example = "itembuilder attrs.0.key=n attrs.0.value=2 | sort n",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "rule",
    .prepare = prepare,
    .fold = &fold,
};
