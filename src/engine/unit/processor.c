/* processor.c: the shell around `each` pipes.
 *
 * First all items of a batch are computed, one after another (or as their answers come in), and all results kept, a span an item; then what
 * they are decides how they go on. Results that all items store become a column, results of one shape become columns of a new batch, and
 * only what is neither is built item by item. */
#include "engine/unit/processor.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "engine/unit/fetches.h"
#include "engine/unit/skip.h"
#include "sources/stream/stream.h"

/* The results of one row are results.v[from, from + n). */
typedef struct span {
    size_t from;
    uint32_t n;
    uint32_t turn; /* of the span at [k]: the row that was computed as the k-th */
    bool many;
} span;

struct sl_processor {
    const sl_node *node;
    const sl_pipe *pipe;
    const sl_stages *nested; /* of the subpipe, NULL: the pipe itself computes */
    sl_nest nest;            /* runs it */
    sl_arena arena;          /* paths and names, for the processor's life */
    sl_path field, assign;
    bool whole_item, steady;
    sl_skip *skip; /* NULL: no item is passed over */
    void *state;   /* of a static conf, or a steady one */
    void *scratch; /* conf_size bytes for dynamic confs */
    sl_batch *
        zipped; /* the batch at hand with the hidden columns of terminals, which the conf reads; NULL: none */
    sl_fetches *fetches;  /* of a source pipe; else NULL */
    sl_findings findings; /* of sources and subpipes, not told yet */
    sl_results results;
    span *spans;    /* [selected rows] */
    uint32_t turns; /* of the rows at hand that have had theirs: fetches may come in another order */
    uint32_t cap_spans;
};

static sl_text assign_name(const sl_node *node) {
    if (node->assign.s) return node->assign;
    if (node->loop) return SL_TEXT("loop");
    if (node->pipe->assign) return sl_text_of(node->pipe->assign);
    return sl_text_of(node->pipe->kind == SL_KIND_SOURCE ? "content" : node->pipe->name);
}

static sl_status compile_paths(sl_processor *p, sl_error *err) {
    const sl_node *node = p->node;
    sl_dialect dialect = node->info.env->dialect;
    sl_text field = node->field.s ? node->field : sl_text_of(p->pipe->field);
    p->whole_item = field.n == 0;
    TRY(sl_path_compile(&p->field, field, dialect, &p->arena, err));
    return sl_path_compile(&p->assign, assign_name(node), dialect, &p->arena, err);
}

sl_status sl_processor_new(const sl_node *node, const sl_stages *nested, sl_nest nest, sl_processor **out,
                           sl_error *err) {
    sl_processor *p = *out = calloc(1, sizeof *p);
    if (!p) return sl_oom(err);
    p->node = node;
    p->nested = nested;
    p->nest = nest;
    p->pipe = node->pipe;
    TRY(compile_paths(p, err));
    TRY(sl_skip_new(node, &p->skip, err));
    if (p->pipe->source) return sl_fetches_new(node, &p->findings.failures, &p->fetches, err);
    p->steady = !node->dynamic || (p->pipe->flags & SL_PIPE_STEADY);
    if (node->dynamic && !(p->scratch = calloc(1, p->pipe->conf_size + 1))) return sl_oom(err);
    return p->steady && p->pipe->start ? p->pipe->start(node->compiled, &p->state, err) : SL_OK;
}

/* The workers make rules of their own; here they are made to see that they can be. */
sl_status sl_step_check(const sl_node *node, sl_error *err) {
    sl_skip *skip;
    sl_status s = sl_skip_new(node, &skip, err);
    sl_skip_free(&skip);
    return s;
}

sl_status sl_processor_finish(sl_processor *p, sl_error *err) {
    return p->pipe->finish && p->state ? p->pipe->finish(p->state, err) : SL_OK;
}

void sl_processor_free(sl_processor **pp) {
    sl_processor *p = *pp;
    if (!p) return;
    if (p->pipe->stop && p->state) p->pipe->stop(p->state);
    sl_fetches_free(&p->fetches);
    sl_failures_free(&p->findings.failures);
    sl_buf_free(&p->findings.shown);
    sl_skip_free(&p->skip);
    free(p->scratch);
    free(p->results.v);
    free(p->spans);
    sl_arena_free(&p->arena);
    free(p);
    *pp = NULL;
}

sl_findings *sl_processor_findings(sl_processor *p) {
    return &p->findings;
}

/* ---- computing ------------------------------------------------------------------------------------------------- */

typedef struct collector { /* a source's batches as results of the item it was fetched for */
    sl_processor *p;
    sl_batch *item;
    uint64_t wanted;    /* results after which to stop */
    uint64_t recovered; /* of them, those that had to be mended */
} collector;

static sl_status collect_batch(void *to, sl_batch *b, sl_error *err) {
    collector *c = to;
    sl_status status = SL_OK;
    c->recovered += b->recovered;
    for (uint32_t i = 0; i < b->nsel && status == SL_OK; i++) {
        sl_value v;
        if (b->bare)
            status = sl_batch_cell(b, 0, sl_batch_row(b, i), &v, err);
        else
            status = sl_batch_item(b, sl_batch_row(b, i), &v, err);
        if (status == SL_OK) status = sl_value_copy(&v, v, sl_batch_arena(c->item), err);
        if (status == SL_OK) status = sl_result(&c->p->results, v, err);
        if (status == SL_OK && --c->wanted == 0) status = SL_DONE;
    }
    sl_batch_free(&b);
    return status;
}

/* The batch whose rows are fetched for. */
typedef struct fetching {
    sl_processor *p;
    sl_batch *b;
} fetching;

static sl_status fetch_row(void *to, uint32_t i, sl_reading *reading, sl_error *err) {
    const fetching *f = to;
    sl_processor *p = f->p;
    assert(i < f->b->nsel);
    collector c = {.p = p, .item = f->b, .wanted = p->node->count == 1 ? 1 : UINT64_MAX};
    size_t from = p->results.n;
    sl_status s = reading ? sl_reading_run(reading, collect_batch, &c, err) : SL_OK;
    if (s > SL_DONE)
        p->results.n = from;
    else
        p->findings.recovered += c.recovered;
    assert(from <= p->results.n && p->turns < p->cap_spans);
    p->spans[i].from = from;
    p->spans[i].n = (uint32_t)(p->results.n - from);
    p->spans[i].many = true;
    p->spans[p->turns++].turn = i;
    return s == SL_DONE ? SL_OK : s;
}

static sl_status fetch_batch(sl_processor *p, sl_batch *b, sl_error *err) {
    fetching f = {p, b};
    p->turns = 0;
    return sl_fetches_run(p->fetches, b, p->zipped ? p->zipped : b, fetch_row, &f, err);
}

/* Where a pipe that works on batches leaves what it makes of one item. */
typedef struct apply_out {
    sl_out out; /* first: sl_out * is apply_out * */
    collector to;
} apply_out;

static sl_status collect_applied(sl_out *out, sl_batch *take, sl_error *err) {
    return collect_batch(&((apply_out *)(void *)out)->to, take, err);
}

/* A subpipe, run whole for one item. */
static sl_status nest_item(sl_processor *p, sl_item item, sl_error *err) {
    collector c = {.p = p, .item = item.batch, .wanted = p->node->count == 1 ? 1 : UINT64_MAX};
    sl_batch *one = sl_batch_slice(item.batch, &item.row, 1);
    p->results.many = true;
    if (!one) return sl_oom(err);
    size_t from = p->results.n;
    bool no_source;
    TRY(p->nest(p->node->nested, p->nested, one, collect_batch, &c, &p->findings, &no_source, err));
    if (no_source) p->results.n = from;
    return SL_OK;
}

/* A pipe that works on batches, for a conf that refers to the item or results that are stored in it: a batch of one row. */
static sl_status apply_item(sl_processor *p, const void *conf, void *state, sl_item item, sl_error *err) {
    apply_out o = {{collect_applied}, {.p = p, .item = item.batch, .wanted = UINT64_MAX}};
    sl_batch *one = sl_batch_slice(item.batch, &item.row, 1);
    return one ? p->pipe->apply(conf, state, one, &o.out, err) : sl_oom(err);
}

static sl_status compute(sl_processor *p, const void *conf, void *state, sl_value field, sl_item item,
                         sl_error *err) {
    if (p->nested) return nest_item(p, item, err);
    if (p->pipe->apply) return apply_item(p, conf, state, item, err);
    return p->pipe->each(conf, state, field, item, &p->results, err);
}

/* The conf resolved against the item, used once. */
static sl_status compute_dynamic(sl_processor *p, sl_value field, sl_item item, sl_error *err) {
    void *state = p->state;
    sl_item asked = {p->zipped ? p->zipped : item.batch, item.row};
    memset(p->scratch, 0, p->pipe->conf_size);
    sl_status s = sl_node_resolve(p->node, asked, sl_batch_arena(item.batch), p->scratch, err);
    if (s == SL_OK && !p->steady && p->pipe->start) s = p->pipe->start(p->scratch, &state, err);
    if (s == SL_OK) s = compute(p, p->scratch, state, field, item, err);
    if (s == SL_OK && !p->steady && p->pipe->finish) s = p->pipe->finish(state, err);
    if (!p->steady && p->pipe->stop && state) p->pipe->stop(state);
    if (p->pipe->destroy) p->pipe->destroy(p->scratch);
    return s;
}

static sl_status field_of(sl_processor *p, const sl_value *column, sl_batch *b, uint32_t row, sl_value *out,
                          sl_error *err) {
    *out = sl_null();
    if (p->pipe->flags & SL_PIPE_NO_FIELD) return SL_OK;
    if (column)
        *out = column[row];
    else
        TRY(sl_batch_item(b, row, out, err));
    if (p->pipe->cast == SL_CAST_PASS || (p->pipe->cast == SL_CAST_TEXT && sl_is_text(*out))) return SL_OK;
    return sl_cast_value(p->pipe->cast, *out, p->node->info.env->now, sl_batch_arena(b), out, err);
}

/* One item may be a lot of work. */
static bool is_stopping(const sl_processor *p) {
    const _Atomic bool *stopping = p->node->info.env->stopping;
    return stopping && atomic_load_explicit(stopping, memory_order_relaxed);
}

static sl_status compute_row(sl_processor *p, const sl_value *column, sl_batch *b, uint32_t i,
                             sl_error *err) {
    sl_item item = {b, sl_batch_row(b, i)};
    sl_value field;
    size_t from = p->results.n;
    p->results.many = false;
    TRY(field_of(p, column, b, item.row, &field, err));
    if (p->node->dynamic)
        TRY(compute_dynamic(p, field, item, err));
    else
        TRY(compute(p, p->node->compiled, p->state, field, item, err));
    assert(i < p->cap_spans && from <= p->results.n);
    p->spans[i] = (span){from, (uint32_t)(p->results.n - from), i, p->results.many};
    return SL_OK;
}

static sl_status compute_batch(sl_processor *p, sl_batch *b, sl_error *err) {
    if (!SL_ROOM(p->spans, p->cap_spans, b->nsel)) return sl_oom(err);
    const sl_value *column = NULL;
    if (!p->whole_item && !(p->pipe->flags & SL_PIPE_NO_FIELD)) {
        column = sl_path_column(&p->field, b, err);
        if (!column) return err && err->code ? err->code : SL_E_MEMORY;
    }
    p->results.n = 0;
    p->results.arena = sl_batch_arena(b);
    if (p->fetches) return fetch_batch(p, b, err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_status s = is_stopping(p) ? sl_fail(err, SL_E_STOPPED, "stopped on request")
                                     : compute_row(p, column, b, i, err);
        if (s != SL_OK) {
            sl_error_at(err, b->source, sl_batch_line(b, sl_batch_row(b, i)), 0);
            return s;
        }
    }
    return SL_OK;
}

/* ---- results to a stream ---------------------------------------------------------------------------------------- */

static bool emits(const sl_processor *p, const span *s) {
    if (p->node->emit >= 0 && (p->node->loop || !(p->pipe->flags & SL_PIPE_VALUE))) return p->node->emit;
    if (p->node->loop) return true;
    if ((p->pipe->flags & SL_PIPE_EMITS) || p->pipe->kind == SL_KIND_SOURCE) return true;
    return s->many || (s->n == 1 && p->results.v[s->from].type == SL_MAP);
}

static sl_status emit_row(sl_processor *p, const span *s, sl_builder *to, sl_error *err) {
    uint32_t n = p->node->count == 1 && s->n > 1 ? 1 : s->n;
    for (uint32_t k = 0; k < n; k++) TRY(sl_builder_add(to, p->results.v[s->from + k], err));
    return SL_OK;
}

static bool row_is_empty(sl_batch *b, uint32_t row, sl_error *err) {
    for (uint32_t c = 0; c < b->ncols; c++) {
        sl_value v;
        if (sl_batch_cell(b, c, row, &v, err) != SL_OK || v.type != SL_MISSING) return false;
    }
    return true;
}

/* Several results, in an item each. */
static bool is_assigned_apart(const sl_processor *p, sl_batch *b, uint32_t i, sl_error *err) {
    bool several = p->spans[i].n > 1 && p->node->count != 1;
    return several && (p->node->loop || row_is_empty(b, sl_batch_row(b, i), err));
}

/* Each result in a copy of ITEM: of loops, and of what gives several results for an empty item. */
static sl_status assign_apart(sl_processor *p, const span *s, sl_value item, sl_arena *a, sl_builder *to,
                              sl_error *err) {
    for (uint32_t k = 0; k < s->n; k++) {
        sl_value copy;
        TRY(sl_path_set(&p->assign, item, p->results.v[s->from + k], a, &copy, err));
        TRY(sl_builder_add(to, copy, err));
    }
    return SL_OK;
}

/* What the row stores: missing leaves it unchanged. */
static sl_status assigned_value(sl_processor *p, const span *s, sl_arena *a, sl_value *out, sl_error *err) {
    const sl_value *v = s->n ? p->results.v + s->from : NULL;
    *out = sl_missing();
    if (p->node->loop) {
        if (s->n > 0) *out = *v;
    } else if (p->node->count == 2 || (p->node->count == 0 && s->n > 1)) {
        sl_value *list = sl_arena_alloc(a, (size_t)s->n * sizeof *list);
        if (!list) return sl_oom(err);
        if (s->n) memcpy(list, v, s->n * sizeof *list);
        *out = sl_list(list, s->n);
    } else if (s->n > 0) {
        bool kept = p->node->count == 0 && sl_is_absent(*v);
        *out = kept ? sl_missing() : *v;
    }
    return SL_OK;
}

/* The common case: every row stores a value, so the results are a column. */
static sl_status assign_batch(sl_processor *p, sl_batch *take, sl_out *out, sl_error *err) {
    sl_arena *a = sl_batch_arena(take);
    sl_value *column = sl_arena_calloc(a, take->nrows, sizeof *column);
    sl_status s = column ? SL_OK : sl_oom(err);
    for (uint32_t i = 0; i < take->nsel && s == SL_OK; i++)
        s = assigned_value(p, &p->spans[i], a, &column[sl_batch_row(take, i)], err);
    if (s != SL_OK) {
        sl_batch_free(&take);
        return s;
    }
    return sl_path_assign(&p->assign, take, column, sl_emit_batch, out, err);
}

/* Hands on the rows [from, to) of B by assignment, as a batch of their own, behind what TO holds. */
static sl_status assign_one(sl_processor *p, sl_batch *b, uint32_t i, sl_builder *to, sl_error *err) {
    sl_arena *a = sl_batch_arena(b);
    uint32_t row = sl_batch_row(b, i);
    sl_value item, v;
    TRY(sl_batch_item(b, row, &item, err));
    if (is_assigned_apart(p, b, i, err)) return assign_apart(p, &p->spans[i], item, a, to, err);
    TRY(assigned_value(p, &p->spans[i], a, &v, err));
    if (v.type != SL_MISSING) TRY(sl_path_set(&p->assign, item, v, a, &item, err));
    return sl_builder_add(to, item, err);
}

static sl_status rebuild_batch(sl_processor *p, sl_batch *b, sl_out *out, sl_error *err) {
    sl_builder *to = sl_builder_new(0, NULL, sl_emit_batch, out);
    sl_status s = to ? SL_OK : sl_oom(err);
    for (uint32_t k = 0; k < b->nsel && s == SL_OK; k++) {
        uint32_t i = p->spans[k].turn;
        s = emits(p, &p->spans[i]) ? emit_row(p, &p->spans[i], to, err) : assign_one(p, b, i, to, err);
    }
    if (s == SL_OK) s = sl_builder_flush(to, err);
    sl_builder_free(&to);
    return s;
}

/* ---- results to columns ------------------------------------------------------------------------------------------- */

enum { MOST_ROWS = 8192 };

/* Maps with one and the same list of keys, or no maps at all. */
static bool same_shape(sl_value a, sl_value b) {
    if (a.type != SL_MAP || b.type != SL_MAP) return a.type != SL_MAP && b.type != SL_MAP;
    if (a.n != b.n) return false;
    for (uint32_t k = 0; k < a.n; k++)
        if (a.as.map[k].key.s != b.as.map[k].key.s || a.as.map[k].key.n != b.as.map[k].key.n) return false;
    return true;
}

/* Whether all results are emitted and have the same shape: then they are moved together at the start of results.v. */
static bool gather_alike(sl_processor *p, const sl_batch *b) {
    sl_value *v = p->results.v;
    size_t n = 0;
    for (uint32_t i = 0; i < b->nsel; i++) {
        const span *s = &p->spans[i];
        assert(s->from + s->n <= p->results.n);
        if (!emits(p, s)) return false;
        for (uint32_t k = 0; k < s->n; k++)
            if (!same_shape(v[0], v[s->from + k])) return false;
    }
    if (p->fetches) return true; /* they stand together already, as they came in */
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t take = p->node->count == 1 && p->spans[i].n > 1 ? 1 : p->spans[i].n;
        if (n != p->spans[i].from) memmove(v + n, v + p->spans[i].from, take * sizeof *v);
        n += take;
    }
    p->results.n = n;
    return true;
}

/* N alike results at V as a batch; they live on in the backing of B. */
static sl_status make_columns(sl_batch *to, const sl_value *v, uint32_t n, sl_error *err) {
    sl_value *values;
    to->bare = v->type != SL_MAP;
    if (to->bare) {
        TRY(sl_batch_add_column(to, SL_TEXT("content"), &values, err));
        memcpy(values, v, n * sizeof *v);
        return SL_OK;
    }
    for (uint32_t c = 0; c < v->n; c++) {
        TRY(sl_batch_add_column(to, v->as.map[c].key, &values, err));
        for (uint32_t i = 0; i < n; i++) values[i] = v[i].as.map[c].value;
    }
    return SL_OK;
}

/* Hands on what gather_alike has moved together, without copying a result. */
static sl_status emit_columns(sl_processor *p, const sl_batch *b, sl_out *out, sl_error *err) {
    for (size_t at = 0; at < p->results.n;) {
        size_t left = p->results.n - at;
        uint32_t n = left < MOST_ROWS ? (uint32_t)left : MOST_ROWS;
        sl_batch *to = sl_batch_new(NULL, n);
        if (!to) return sl_oom(err);
        to->source = b->source;
        sl_status s = sl_batch_keep_batch(to, b, err);
        if (s == SL_OK) s = make_columns(to, p->results.v + at, n, err);
        if (s != SL_OK) {
            sl_batch_free(&to);
            return s;
        }
        TRY(sl_emit(out, to, err));
        at += n;
    }
    return SL_OK;
}

/* Every row assigns, and none gives several items. */
static bool all_assign(const sl_processor *p, sl_batch *b, sl_error *err) {
    for (uint32_t i = 0; i < b->nsel; i++)
        if (emits(p, &p->spans[i]) || is_assigned_apart(p, b, i, err)) return false;
    return true;
}

static sl_status run(sl_processor *p, sl_batch *take, sl_out *out, sl_error *err) {
    sl_status s = compute_batch(p, take, err);
    if (s == SL_OK && all_assign(p, take, err)) {
        take->bare = false;
        return assign_batch(p, take, out, err);
    }
    if (s == SL_OK)
        s = gather_alike(p, take) ? emit_columns(p, take, out, err) : rebuild_batch(p, take, out, err);
    sl_batch_free(&take);
    return s;
}

static bool is_hidden(const sl_column *c) {
    return c->name.n && c->name.s[0] == SL_TERMINAL_MARK;
}

static void drop_hidden(sl_batch *b) {
    for (uint32_t c = b->ncols; c-- > 0;)
        if (is_hidden(&b->cols[c])) sl_batch_drop_column(b, c);
}

/* The same rows without hidden columns. */
static sl_batch *visible_part(sl_batch *b) {
    uint32_t *rows = sl_arena_alloc(sl_batch_arena(b), b->nsel * sizeof *rows);
    for (uint32_t i = 0; rows && i < b->nsel; i++) rows[i] = sl_batch_row(b, i);
    sl_batch *part = rows ? sl_batch_slice(b, rows, b->nsel) : NULL;
    if (part) drop_hidden(part);
    return part;
}

static sl_status run_visible(sl_processor *p, sl_batch *take, sl_out *out, sl_error *err) {
    bool zipped = p->node->dynamic && take->ncols && is_hidden(&take->cols[take->ncols - 1]);
    if (!zipped) return run(p, take, out, err);
    sl_batch *part = visible_part(take);
    p->zipped = take;
    sl_status s = part ? run(p, part, out, err) : sl_oom(err);
    p->zipped = NULL;
    sl_batch_free(&take);
    return s;
}

/* ---- skipping --------------------------------------------------------------------------------------------------------- */

/* Hands on the N rows ROWS of B, as they are or through the pipe. */
static sl_status hand_on(sl_processor *p, const sl_batch *b, const uint32_t *rows, uint32_t n, bool skip,
                         sl_out *out, sl_error *err) {
    sl_batch *part = sl_batch_slice(b, rows, n);
    if (!part) return sl_oom(err);
    if (!skip) return run_visible(p, part, out, err);
    drop_hidden(part);
    return sl_emit(out, part, err);
}

/* Neighbours that share a fate go together. */
static sl_status run_apart(sl_processor *p, sl_batch *b, sl_out *out, sl_error *err) {
    uint32_t *rows = sl_arena_alloc(sl_batch_arena(b), b->nsel * sizeof *rows), from = 0;
    bool skip = false;
    if (!rows) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        bool skip_this;
        rows[i] = sl_batch_row(b, i);
        TRY(sl_skip_row(p->skip, b, rows[i], &skip_this, err));
        if (i > from && skip_this != skip) {
            TRY(hand_on(p, b, rows + from, i - from, skip, out, err));
            from = i;
        }
        skip = skip_this;
    }
    return from < b->nsel ? hand_on(p, b, rows + from, b->nsel - from, skip, out, err) : SL_OK;
}

sl_status sl_processor_run(sl_processor *p, sl_batch *take, sl_out *out, sl_error *err) {
    if (!p->skip) return run_visible(p, take, out, err);
    sl_status s = run_apart(p, take, out, err);
    sl_batch_free(&take);
    return s;
}
