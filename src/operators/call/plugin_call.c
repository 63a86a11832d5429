/* plugin_call.c: what a function of a plugin sees of an item, and what it makes of it. */
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "operators/call/plugin.h"
#include "plan/host.h"
#include "plan/plan.h"
#include "record/builder.h"
#include "record/number/number.h"

enum { MOST_RESULTS = 256 << 20 }; /* bytes for the results of one call */

struct sl_plugin_call {
    const sl_plugin_program *program;
    void *state;
    sl_error error; /* the first thing that went wrong in the call at hand */

    /* The item at hand. */
    sl_batch *batch; /* NULL: none, in `result` */
    uint32_t row;
    sl_arena scratch; /* until the next item */

    /* Its results, in `arena`. */
    sl_arena *arena;
    sl_value *results; /* [nresults] */
    uint32_t nresults, cap_results;
    sl_pair *pairs; /* [npairs] of the item that was begun, with `begun` */
    uint32_t npairs, cap_pairs;
    bool begun;
    size_t used; /* bytes */
};

/* ---- the item -------------------------------------------------------------------------------------------------------------- */

static sl_value value_of(sl_plugin_call *c, const char *name) {
    int column = c->batch ? sl_batch_find(c->batch, sl_text_of(name), c->program->dialect == SL_RIKO) : -1;
    const sl_value *v = column < 0 ? NULL : sl_column_read(c->batch, (uint32_t)column, &c->error);
    return v ? v[c->row] : sl_missing();
}

static sl_plugin_type type(sl_plugin_call *c, const char *name) {
    static const sl_plugin_type types[] = {
        [SL_MISSING] = SL_PLUGIN_MISSING, [SL_NULL] = SL_PLUGIN_NULL,    [SL_BOOL] = SL_PLUGIN_BOOL,
        [SL_INT] = SL_PLUGIN_INT,         [SL_FLOAT] = SL_PLUGIN_DOUBLE, [SL_DECIMAL] = SL_PLUGIN_DECIMAL,
        [SL_TEXT_TYPE] = SL_PLUGIN_TEXT,  [SL_TIME] = SL_PLUGIN_TIME,    [SL_LIST] = SL_PLUGIN_LIST,
        [SL_MAP] = SL_PLUGIN_MAP};
    return types[sl_number_plain(value_of(c, name)).type];
}

/* Columns stand in the order of the item; those that it lacks are passed over. */
static const char *field(sl_plugin_call *c, size_t i) {
    for (uint32_t k = 0; c->batch && k < c->batch->ncols; k++) {
        if (sl_batch_peek(c->batch, k, c->row).type == SL_MISSING || i-- > 0) continue;
        sl_text name = c->batch->cols[k].name;
        const char *z = sl_arena_strndup(&c->scratch, name.s, name.n);
        if (!z) sl_oom(&c->error);
        return z;
    }
    return NULL;
}

static sl_status json_of(sl_value v, sl_arena *arena, sl_text *out, sl_error *err) {
    sl_buf json = {.limit = MOST_RESULTS};
    sl_json_write(v, &json);
    sl_status s = sl_buf_check(&json, err);
    if (s == SL_OK) *out = sl_arena_text(arena, sl_text_n(json.data, json.len));
    sl_buf_free(&json);
    return s == SL_OK && !out->s ? sl_oom(err) : s;
}

static int get_text(sl_plugin_call *c, const char *name, const char **text, size_t *n) {
    sl_value v = value_of(c, name);
    sl_text t = {0};
    if (sl_is_absent(v)) return 0;
    bool json = v.type == SL_BOOL || v.type == SL_LIST || v.type == SL_MAP;
    sl_status s =
        json ? json_of(v, &c->scratch, &t, &c->error) : sl_to_text(v, "", &c->scratch, &t, &c->error);
    if (s != SL_OK) return 0;
    *text = t.s ? t.s : "";
    *n = t.n;
    return 1;
}

static int get_double(sl_plugin_call *c, const char *name, double *out) {
    sl_value v = value_of(c, name);
    return sl_value_double(&v, out);
}

static int get_int(sl_plugin_call *c, const char *name, int64_t *out) {
    sl_value v = value_of(c, name);
    return sl_value_int(&v, out);
}

static int get_bool(sl_plugin_call *c, const char *name, int *out) {
    sl_value v = value_of(c, name);
    bool yes;
    if (!sl_value_bool(&v, &yes)) return 0;
    *out = yes;
    return 1;
}

/* ---- results --------------------------------------------------------------------------------------------------------------- */

static int failed(sl_plugin_call *c) {
    return c->error.code ? -1 : 0;
}

/* Counts N bytes of results. */
static bool allowed(sl_plugin_call *c, size_t n) {
    if (n <= MOST_RESULTS && c->used <= MOST_RESULTS - n) {
        c->used += n;
        return true;
    }
    sl_fail(&c->error, SL_E_MEMORY, "the results of a call are larger than %d MiB", MOST_RESULTS >> 20);
    return false;
}

static sl_text keep(sl_plugin_call *c, const char *s, size_t n) {
    sl_text t = {0};
    if (!allowed(c, n)) return t;
    t = sl_arena_text(c->arena, sl_text_n(s, n));
    if (!t.s) sl_oom(&c->error);
    return t;
}

static void add_result(sl_plugin_call *c, sl_value v) {
    if (!allowed(c, sizeof v)) return;
    if (SL_ROOM(c->results, c->cap_results, c->nresults + 1))
        c->results[c->nresults++] = v;
    else
        sl_oom(&c->error);
}

static void add_pair(sl_plugin_call *c, sl_text key, sl_value v) {
    if (!allowed(c, sizeof *c->pairs)) return;
    if (SL_ROOM(c->pairs, c->cap_pairs, c->npairs + 1))
        c->pairs[c->npairs++] = (sl_pair){key, v};
    else
        sl_oom(&c->error);
}

/* The item that was begun is complete. */
static void finish_item(sl_plugin_call *c) {
    if (!c->begun) return;
    c->begun = false;
    sl_pair *pairs = sl_arena_calloc(c->arena, (size_t)c->npairs + 1, sizeof *pairs);
    if (!pairs) {
        sl_oom(&c->error);
        return;
    }
    if (c->npairs) memcpy(pairs, c->pairs, c->npairs * sizeof *pairs);
    add_result(c, sl_map(pairs, c->npairs));
}

static int start_item(sl_plugin_call *c) {
    finish_item(c);
    c->begun = true;
    c->npairs = 0;
    return failed(c);
}

static int start_copy(sl_plugin_call *c) {
    sl_value item = sl_map(NULL, 0);
    start_item(c);
    if (!c->batch)
        sl_fail(&c->error, SL_E_DATA, "it copies an item where there is none: start_item begins one");
    if (failed(c)) return -1;
    if (sl_batch_item(c->batch, c->row, &item, &c->error) != SL_OK) return -1;
    for (uint32_t i = 0; i < item.n; i++) add_pair(c, item.as.map[i].key, item.as.map[i].value);
    return failed(c);
}

static void put_named(sl_plugin_call *c, sl_text name, sl_value v) {
    for (uint32_t i = 0; i < c->npairs; i++) {
        if (!sl_text_eq(c->pairs[i].key, name)) continue;
        c->pairs[i].value = v;
        return;
    }
    sl_text key = keep(c, name.s, name.n);
    if (key.s) add_pair(c, key, v);
}

static int put(sl_plugin_call *c, const char *name, sl_value v) {
    if (failed(c)) return -1;
    if (!name) {
        finish_item(c);
        add_result(c, v);
    } else if (c->begun) {
        put_named(c, sl_text_of(name), v);
    } else {
        sl_fail(&c->error, SL_E_DATA, "it puts '%s' into no item: start_item or start_copy comes first",
                name);
    }
    return failed(c);
}

static int put_text(sl_plugin_call *c, const char *name, const char *text, size_t n) {
    sl_text t = keep(c, text, n);
    return t.s ? put(c, name, sl_text_value(t)) : -1;
}

static int put_int(sl_plugin_call *c, const char *name, int64_t value) {
    return put(c, name, sl_int(value));
}

static int put_double(sl_plugin_call *c, const char *name, double value) {
    return put(c, name, sl_float(value));
}

static int put_bool(sl_plugin_call *c, const char *name, int value) {
    return put(c, name, sl_bool(value != 0));
}

static int put_null(sl_plugin_call *c, const char *name) {
    return put(c, name, sl_null());
}

static int put_json(sl_plugin_call *c, const char *name, const char *json, size_t n) {
    sl_value v;
    sl_error why = {0};
    if (failed(c) || !allowed(c, n)) return -1;
    if (sl_json_parse(json, n, "", c->arena, &v, &why) != SL_OK) {
        sl_fail(&c->error, SL_E_DATA, "it put what is no JSON: %.*s%s", n > 80 ? 80 : (int)n, json,
                n > 80 ? "..." : "");
        return -1;
    }
    return put(c, name, v);
}

static int fail(sl_plugin_call *c, const char *message) {
    sl_fail(&c->error, SL_E_DATA, "%s", message);
    return -1;
}

static const sl_plugin_host host = {.abi = SL_PLUGIN_ABI,
                                    .size = sizeof(sl_plugin_host),
                                    .type = type,
                                    .field = field,
                                    .get_text = get_text,
                                    .get_int = get_int,
                                    .get_double = get_double,
                                    .get_bool = get_bool,
                                    .start_item = start_item,
                                    .start_copy = start_copy,
                                    .put_text = put_text,
                                    .put_int = put_int,
                                    .put_double = put_double,
                                    .put_bool = put_bool,
                                    .put_null = put_null,
                                    .put_json = put_json,
                                    .fail = fail};

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

typedef int function(void *state, const sl_plugin_host *host, sl_plugin_call *call);

/* The program's own code runs in its locale. */
static int run(sl_plugin_call *c, function *f) {
    if (!c->program->host) return f(c->state, &host, c);
    locale_t ours = sl_locale_of_program(&c->program->host->locale);
    int result = f(c->state, &host, c);
    uselocale(ours);
    return result;
}

/* Calls F with ROW of B, or with no item; its results are in c->results, their bytes in ARENA. */
static sl_status call(sl_plugin_call *c, function *f, sl_batch *b, uint32_t row, sl_arena *arena,
                      sl_error *err) {
    sl_arena_reset(&c->scratch);
    c->error = (sl_error){0};
    c->batch = b;
    c->row = row;
    c->arena = arena;
    c->nresults = c->npairs = 0;
    c->begun = false;
    c->used = 0;
    bool bad = run(c, f) != 0;
    finish_item(c);
    if (!bad && !c->error.code) return SL_OK;
    sl_status s = c->error.code ? c->error.code : SL_E_DATA;
    sl_fail(err, s, "the function '%s' failed%s%s", c->program->function.name, c->error.code ? ": " : "",
            c->error.text);
    if (b) sl_error_at(err, b->source, sl_batch_line(b, row), 0);
    return s;
}

static sl_status call_item(sl_plugin_call *c, sl_batch *b, uint32_t row, sl_arena *arena, sl_error *err) {
    return call(c, c->program->function.item, b, row, arena, err);
}

static sl_status add_results(const sl_plugin_call *c, uint32_t most, sl_builder *to, sl_error *err) {
    for (uint32_t k = 0; k < c->nresults && k < most; k++) TRY(sl_builder_add(to, c->results[k], err));
    return SL_OK;
}

static sl_status add_items(sl_plugin_call *c, sl_batch *b, uint32_t most, sl_builder *to, sl_error *err) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        TRY(call_item(c, b, sl_batch_row(b, i), &c->scratch, err));
        TRY(add_results(c, most, to, err));
    }
    return sl_builder_flush(to, err);
}

sl_status sl_plugin_items(sl_plugin_call *c, sl_batch *take, uint32_t most, sl_out *out, sl_error *err) {
    sl_builder *to = sl_builder_new(0, NULL, sl_emit_batch, out);
    if (to) sl_builder_source(to, take->source);
    sl_status s = to ? add_items(c, take, most, to, err) : sl_oom(err);
    sl_builder_free(&to);
    sl_batch_free(&take);
    return s;
}

/* The results as a list. */
static sl_status list_results(const sl_plugin_call *c, sl_value *out, sl_error *err) {
    sl_value *list = sl_arena_calloc(c->arena, c->nresults, sizeof *list);
    if (!list) return sl_oom(err);
    if (c->nresults) memcpy(list, c->results, c->nresults * sizeof *list);
    *out = sl_list(list, c->nresults);
    return SL_OK;
}

sl_status sl_plugin_values(sl_plugin_call *c, sl_batch *b, sl_value *v, sl_error *err) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        TRY(call_item(c, b, row, sl_batch_arena(b), err));
        TRY(list_results(c, &v[row], err));
    }
    return SL_OK;
}

/* ---- the whole stream ------------------------------------------------------------------------------------------------------ */

static sl_status too_early(const sl_plugin_call *c, const sl_batch *b, uint32_t row, sl_error *err) {
    sl_fail(err, SL_E_DATA,
            "the function '%s' failed: it makes a result of an item; 'result' makes them at the end",
            c->program->function.name);
    sl_error_at(err, b->source, sl_batch_line(b, row), 0);
    return SL_E_DATA;
}

sl_status sl_plugin_gather(sl_plugin_call *c, sl_batch *b, sl_error *err) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        TRY(call_item(c, b, row, &c->scratch, err));
        if (c->nresults) return too_early(c, b, row, err);
    }
    return SL_OK;
}

sl_status sl_plugin_result(sl_plugin_call *c, sl_out *out, sl_error *err) {
    sl_builder *to = sl_builder_new(0, NULL, sl_emit_batch, out);
    sl_status s = to ? call(c, c->program->function.result, NULL, 0, &c->scratch, err) : sl_oom(err);
    if (s == SL_OK) s = add_results(c, UINT32_MAX, to, err);
    if (s == SL_OK) s = sl_builder_flush(to, err);
    sl_builder_free(&to);
    return s;
}

/* ---- its life -------------------------------------------------------------------------------------------------------------- */

sl_status sl_plugin_open(const sl_plugin_program *p, sl_plugin_call **out, sl_error *err) {
    const sl_plugin_aggregate *f = &p->function;
    char why[256] = "";
    sl_plugin_call *c = calloc(1, sizeof *c);
    if (!c) return sl_oom(err);
    c->program = p;
    c->state = p->state;
    if (f->open && f->open(p->conf, &host, &c->state, why, sizeof why)) {
        free(c);
        why[sizeof why - 1] = '\0';
        return sl_fail(err, SL_E_DATA, "the function '%s' does not open%s%s", f->name, *why ? ": " : "", why);
    }
    *out = c;
    return SL_OK;
}

void sl_plugin_close(sl_plugin_call **cp) {
    sl_plugin_call *c = *cp;
    if (!c) return;
    if (c->program->function.close) c->program->function.close(c->state);
    sl_arena_free(&c->scratch);
    free(c->results);
    free(c->pairs);
    free(c);
    *cp = NULL;
}
