/* rename: moves, copies and deletes fields.
 *
 * The usual rule, one plain column under a new name, touches no value: a lazy column stays lazy. */
#include "base/error.h"
#include "plan/pipe.h"

typedef struct rule {
    sl_text field, newval;
    bool copy;
    sl_value op; /* of Yahoo's definitions, without a meaning here */
    sl_path from, to;
} rule;

typedef struct conf {
    sl_rules rules;
    bool riko;
} conf;

typedef struct job {
    const conf *conf;
    uint32_t at; /* rules done */
    sl_out *out;
} job;

static sl_status run_rules(void *to, sl_batch *take, sl_error *err);

/* ---- moving ------------------------------------------------------------------------------------------------------------- */

/* Whether a column other than C could be meant by NAME. */
static bool has_other(const sl_batch *b, int c, sl_text name, bool nocase) {
    for (uint32_t k = 0; k < b->ncols; k++) {
        if ((int)k == c) continue;
        sl_text other = b->cols[k].name;
        if (nocase ? sl_text_eq_nocase(other, name) : sl_text_eq(other, name)) return true;
    }
    return false;
}

/* Whether the values of column C are what a lookup of its name gives: under riko's dialect maps may stand for others. */
static bool reads_plain(const sl_batch *b, uint32_t c) {
    const sl_column *col = &b->cols[c];
    for (uint32_t i = 0; col->values && i < b->nsel; i++)
        if (col->values[sl_batch_row(b, i)].type == SL_MAP) return false;
    return true;
}

/* The column that R moves as it stands, or -1. */
static int movable(const conf *c, const rule *r, const sl_batch *b) {
    if (r->copy || !r->from.n || r->to.n != 1) return -1;
    int col = sl_batch_find(b, r->field, false);
    if (r->from.n > 1 && (c->riko || has_other(b, col, r->from.segments[0].name, false))) return -1;
    if (col < 0 || has_other(b, col, r->to.segments[0].name, c->riko)) return -1;
    if (c->riko && (has_other(b, col, r->field, true) || !reads_plain(b, (uint32_t)col))) return -1;
    return col;
}

static bool lacks_values(const sl_batch *b, uint32_t c) {
    for (uint32_t i = 0; !b->pristine && i < b->nsel; i++)
        if (sl_batch_peek(b, c, sl_batch_row(b, i)).type == SL_MISSING) return true;
    return false;
}

/* Rows that lack the field get a null one under the new name. */
static sl_status move_column(sl_batch *b, uint32_t c, sl_text name, sl_error *err) {
    if (lacks_values(b, c)) {
        sl_value *values = sl_column_values(b, c, err);
        if (!values) return sl_oom(err);
        for (uint32_t i = 0; i < b->nsel; i++) {
            sl_value *v = &values[sl_batch_row(b, i)];
            if (v->type == SL_MISSING) *v = sl_null();
        }
    }
    return sl_batch_move_last(b, c, name, err);
}

/* ---- anything else ------------------------------------------------------------------------------------------------------ */

/* Values of the field in an array of their own, null where it is absent. */
static sl_status values_of(const rule *r, sl_batch *b, sl_value **out, sl_error *err) {
    const sl_value *values = sl_path_column(&r->from, b, err);
    sl_value *v = *out = sl_arena_calloc(sl_batch_arena(b), b->nrows, sizeof *v);
    if (!values || !v) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        v[row] = values[row].type == SL_MISSING ? sl_null() : values[row];
    }
    return SL_OK;
}

static void drop_field(const rule *r, sl_batch *b) {
    int c = sl_batch_find(b, r->field, false);
    if (c >= 0 && !r->copy) sl_batch_drop_column(b, (uint32_t)c);
}

/* Rows that get the new key at different places go on in batches of their own. */
static sl_status write_values(const job *j, const rule *r, sl_batch *take, sl_error *err) {
    sl_value *v;
    job next = *j;
    next.at++;
    sl_status s = values_of(r, take, &v, err);
    if (s != SL_OK) {
        sl_batch_free(&take);
        return s;
    }
    drop_field(r, take);
    return sl_path_assign(&r->to, take, v, run_rules, &next, err);
}

static sl_status run_rules(void *to, sl_batch *take, sl_error *err) {
    job j = *(const job *)to;
    for (; j.at < j.conf->rules.n; j.at++) {
        const rule *r = (const rule *)j.conf->rules.v + j.at;
        if (!r->newval.n) {
            drop_field(r, take);
            continue;
        }
        int c = movable(j.conf, r, take);
        if (c < 0) return write_values(&j, r, take, err);
        sl_status s = move_column(take, (uint32_t)c, r->to.segments[0].name, err);
        if (s == SL_OK) continue;
        sl_batch_free(&take);
        return s;
    }
    return sl_emit(j.out, take, err);
}

static sl_status apply(const void *vconf, void *state, sl_batch *take, sl_out *out, sl_error *err) {
    job j = {.conf = vconf, .out = out};
    (void)state;
    take->bare = false;
    return run_rules(&j, take, err);
}

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    sl_dialect dialect = info->env->dialect;
    c->riko = dialect == SL_RIKO;
    for (uint32_t i = 0; i < c->rules.n; i++) {
        rule *r = (rule *)c->rules.v + i;
        TRY(sl_path_compile(&r->from, r->field, dialect, info->arena, err));
        TRY(sl_path_compile(&r->to, r->newval, dialect, info->arena, err));
    }
    return SL_OK;
}

static const sl_option rule_options[] = {
    {.name = "field",
     .type = SL_OPT_PATH,
     .offset = offsetof(rule, field),
     .flags = SL_OPT_REQUIRED,
     .help = "field to rename"},
    {.name = "newval",
     .type = SL_OPT_PATH,
     .offset = offsetof(rule, newval),
     .help = "its new name; without one the field is deleted"},
    {.name = "copy",
     .type = SL_OPT_BOOL,
     .offset = offsetof(rule, copy),
     .fallback = "false",
     .help = "keep the field under its old name too"},
    {.name = "op",
     .type = SL_OPT_VALUE,
     .offset = offsetof(rule, op),
     .flags = SL_OPT_HIDDEN,
     .help = "no effect"},
    {.flags = SL_OPT_OPEN},
};

static const sl_option options[] = {
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, rules),
     .rules = rule_options,
     .rule_size = sizeof(rule),
     .flags = SL_OPT_REQUIRED,
     .help = "what to rename, in order"},
    {0},
};

const sl_pipe sl_pipe_rename = {
    .name = "rename",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Renames, copies and deletes fields",
    .details = "Rules are applied in order. A field under its new name stands at the end of the item, or in "
               "the place of a field that had this name. A field that is not there gives a null one. Only a "
               "field spelled exactly so is taken away: a part of a nested one (a.b) is copied, and a new "
               "name with dots nests.",
    .example = "itembuilder attrs.key=a attrs.value=1 | rename rule.field=a rule.newval=b",
    .options = options,
    .conf_size = sizeof(conf),
    .flags = SL_PIPE_EMITS | SL_PIPE_NO_FIELD | SL_PIPE_HEADINGS,
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .apply = apply,
};
