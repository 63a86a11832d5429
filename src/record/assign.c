/* assign.c: the writing half of path.h.
 *
 * A batch keeps the key order of its rows, so a write is not the same for all of them: a row that has the key keeps its
 * place, a row that lacks it gets it at the end. Rows in turn that need the same treatment form a run; a batch of one run,
 * the usual case, is changed as it is, else it is cut into its runs. */
#include <assert.h>

#include "base/error.h"
#include "record/builder.h"
#include "record/path_internal.h"

/* ---- maps ---------------------------------------------------------------------------------------------------- */

/* MAP with KEY: V, in place of the old entry (which adopts the spelling) or at the end. */
static sl_status set_key(sl_value map, sl_text key, int64_t at, sl_value v, sl_arena *arena, sl_value *out,
                         sl_error *err) {
    sl_pair *pairs = sl_arena_alloc(arena, ((size_t)map.n + 1) * sizeof *pairs);
    if (!pairs) return sl_oom(err);
    if (map.n) memcpy(pairs, map.as.map, map.n * sizeof *pairs);
    uint32_t place = at < 0 ? map.n : (uint32_t)at;
    pairs[place] = (sl_pair){key, v};
    *out = sl_map(pairs, at < 0 ? map.n + 1 : map.n);
    return SL_OK;
}

sl_status sl_path_set_from(const sl_path *p, uint32_t from, sl_value map, sl_value v, sl_arena *arena,
                           sl_value *out, sl_error *err) {
    if (map.type != SL_MAP) map = sl_map(NULL, 0);
    sl_text key = p->segments[from].name;
    int64_t at = sl_map_find(map, key, p->dialect == SL_RIKO);
    sl_value inner = at < 0 ? sl_missing() : map.as.map[at].value;
    if (from + 1 < p->n) TRY(sl_path_set_from(p, from + 1, inner, v, arena, &v, err));
    return set_key(map, key, at, v, arena, out, err);
}

static sl_status no_field(sl_error *err) {
    return sl_fail(err, SL_E_PLAN, "an assignment needs the name of a field");
}

sl_status sl_path_set(const sl_path *p, sl_value map, sl_value v, sl_arena *arena, sl_value *out,
                      sl_error *err) {
    if (!p->n) return no_field(err);
    if (map.type != SL_MAP) map = sl_map(NULL, 0);
    int64_t literal = p->dialect == SL_NATIVE ? sl_map_find(map, p->text, false) : -1;
    if (literal >= 0) return set_key(map, p->text, literal, v, arena, out, err);
    return sl_path_set_from(p, 0, map, v, arena, out, err);
}

/* ---- columns ------------------------------------------------------------------------------------------------- */

/* One assignment under way. */
typedef struct job {
    const sl_path *path;
    sl_batch *batch;
    sl_value *values;  /* what to write by row, nested already where the path is */
    uint32_t *matches; /* columns that a row may have the key in, best spelling first */
    uint32_t nmatches;
} job;

enum { NO_COLUMN = -1 };

/* The name that column C takes when it is written: the head of the path, or its own under the native dialect. */
static sl_text written_name(const job *j, int64_t c) {
    if (c >= 0 && j->path->dialect == SL_NATIVE) return j->batch->cols[c].name;
    return j->path->segments[0].name;
}

static bool is_literal_column(const job *j, uint32_t c) {
    return j->path->dialect == SL_NATIVE && sl_text_eq(j->batch->cols[c].name, j->path->text);
}

static bool matches(const job *j, uint32_t c, int pass) {
    sl_text name = j->batch->cols[c].name, head = j->path->segments[0].name;
    if (j->path->dialect == SL_NATIVE)
        return pass ? !is_literal_column(j, c) && sl_text_eq(name, head) : is_literal_column(j, c);
    return pass ? !sl_text_eq(name, head) && sl_text_eq_nocase(name, head) : sl_text_eq(name, head);
}

static sl_status find_matches(job *j, sl_error *err) {
    j->matches = sl_arena_alloc(sl_batch_arena(j->batch), j->batch->ncols * sizeof *j->matches);
    if (!j->matches) return sl_oom(err);
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t c = 0; c < j->batch->ncols; c++)
            if (matches(j, c, pass)) j->matches[j->nmatches++] = c;
    return SL_OK;
}

/* The column in which ROW has the key. */
static int64_t column_of(const job *j, uint32_t row) {
    for (uint32_t i = 0; i < j->nmatches; i++)
        if (sl_batch_peek(j->batch, j->matches[i], row).type != SL_MISSING) return j->matches[i];
    return NO_COLUMN;
}

/* Replaces the values to write by the head's new map where the path has more segments. */
static sl_status nest_values(job *j, const sl_value *v, sl_error *err) {
    sl_arena *arena = sl_batch_arena(j->batch);
    j->values = sl_arena_calloc(arena, j->batch->nrows, sizeof *j->values);
    if (!j->values) return sl_oom(err);
    for (uint32_t i = 0; i < j->batch->nsel; i++) {
        uint32_t row = sl_batch_row(j->batch, i);
        if (v[row].type == SL_MISSING) continue;
        int64_t c = column_of(j, row);
        j->values[row] = v[row];
        if (c >= 0 && is_literal_column(j, (uint32_t)c)) continue;
        sl_value head = sl_missing();
        if (c >= 0) TRY(sl_batch_cell(j->batch, (uint32_t)c, row, &head, err));
        TRY(sl_path_set_from(j->path, 1, head, v[row], arena, &j->values[row], err));
    }
    return SL_OK;
}

/* Rows of equal treatment have equal numbers: the column, and whether it changes its spelling. */
static int64_t treatment(const job *j, uint32_t row) {
    int64_t c = column_of(j, row);
    if (c < 0) return NO_COLUMN;
    bool renames =
        j->values[row].type != SL_MISSING && !sl_text_eq(j->batch->cols[c].name, written_name(j, c));
    return c * 2 + renames;
}

static void drop_named(sl_batch *b, sl_text name, int64_t *keep) {
    int c = sl_batch_find(b, name, false);
    if (c < 0 || c == *keep) return;
    sl_batch_drop_column(b, (uint32_t)c);
    *keep -= *keep > c;
}

static bool writes_all(const sl_batch *b, const sl_value *v) {
    for (uint32_t i = 0; i < b->nsel; i++)
        if (v[sl_batch_row(b, i)].type == SL_MISSING) return false;
    return true;
}

static bool writes_any(const sl_batch *b, const sl_value *v) {
    for (uint32_t i = 0; i < b->nsel; i++)
        if (v[sl_batch_row(b, i)].type != SL_MISSING) return true;
    return false;
}

static void replace_values(sl_column *col, sl_value *v) {
    col->values = v;
    col->raw = col->shared = false;
}

static sl_status overwrite(sl_batch *b, int64_t c, sl_text name, sl_value *v, sl_error *err) {
    drop_named(b, name, &c);
    assert(c >= 0 && c < b->ncols);
    sl_column *col = &b->cols[c];
    col->name = name;
    if (writes_all(b, v)) {
        replace_values(col, v);
        return SL_OK;
    }
    sl_value *old = sl_column_values(b, (uint32_t)c, err);
    if (!old) return SL_E_MEMORY;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if (v[row].type != SL_MISSING) old[row] = v[row];
    }
    return SL_OK;
}

static sl_status append(sl_batch *b, sl_text name, sl_value *v, sl_error *err) {
    int64_t none = NO_COLUMN;
    drop_named(b, name, &none);
    sl_value *unused;
    TRY(sl_batch_add_column(b, name, &unused, err));
    replace_values(&b->cols[b->ncols - 1], v);
    return SL_OK;
}

/* B is one run whose rows have the key in column C or nowhere; V goes by its rows. */
static sl_status write_run(const job *j, sl_batch *b, int64_t c, sl_value *v, sl_error *err) {
    if (!writes_any(b, v)) return SL_OK;
    sl_batch_touched(b);
    sl_text name = sl_arena_text(sl_batch_arena(b), written_name(j, c));
    if (!name.s) return sl_oom(err);
    return c >= 0 ? overwrite(b, c, name, v, err) : append(b, name, v, err);
}

static int64_t column_of_treatment(int64_t t) {
    return t < 0 ? NO_COLUMN : t / 2;
}

/* Position behind the run that begins at position FROM. */
static uint32_t run_end(const job *j, uint32_t from) {
    int64_t t = treatment(j, sl_batch_row(j->batch, from));
    uint32_t i = from + 1;
    while (i < j->batch->nsel && treatment(j, sl_batch_row(j->batch, i)) == t) i++;
    return i;
}

static sl_status emit_run(const job *j, uint32_t from, uint32_t to, sl_batch_sink sink, void *sink_to,
                          sl_error *err) {
    sl_batch *b = j->batch;
    assert(from < to && to <= b->nsel);
    uint32_t first = from ? sl_batch_row(b, from) : 0, end = to < b->nsel ? sl_batch_row(b, to) : b->nrows;
    sl_batch *run = sl_batch_cut(b, first, end - first);
    if (!run) return sl_oom(err);
    int64_t c = column_of_treatment(treatment(j, sl_batch_row(b, from)));
    sl_status status = write_run(j, run, c, j->values + first, err);
    if (status == SL_OK) return sink(sink_to, run, err);
    sl_batch_free(&run);
    return status;
}

/* The batch is one run: changed as it is. It is the sink's afterwards. */
static sl_status emit_whole(job *j, sl_batch_sink sink, void *sink_to, sl_error *err) {
    sl_batch *b = j->batch;
    if (b->nsel) {
        int64_t c = column_of_treatment(treatment(j, sl_batch_row(b, 0)));
        TRY(write_run(j, b, c, j->values, err));
    }
    j->batch = NULL;
    return sink(sink_to, b, err);
}

static sl_status assign(job *j, sl_value *v, sl_batch_sink sink, void *to, sl_error *err) {
    if (!j->path->n) return no_field(err);
    TRY(find_matches(j, err));
    j->values = v;
    if (j->path->n > 1) TRY(nest_values(j, v, err));
    uint32_t end = j->nmatches && j->batch->nsel ? run_end(j, 0) : j->batch->nsel;
    if (end == j->batch->nsel) return emit_whole(j, sink, to, err);
    for (uint32_t from = 0; from < j->batch->nsel; from = end) {
        end = run_end(j, from);
        TRY(emit_run(j, from, end, sink, to, err));
    }
    return SL_OK;
}

sl_status sl_path_assign(const sl_path *p, sl_batch *take, sl_value *v, sl_batch_sink sink, void *to,
                         sl_error *err) {
    job j = {.path = p, .batch = take};
    sl_status status = assign(&j, v, sink, to, err);
    sl_batch_free(&j.batch);
    return status;
}
