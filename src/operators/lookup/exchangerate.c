/* exchangerate: what one unit of a currency is worth in another, by a table of rates.
 *
 * A worker reads a table when the first item needs it, once a run. Where the url depends on the item it keeps the tables it has read. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/url/query.h"
#include "operators/lookup/reference.h"
#include "record/decimal/decimal.h"

typedef struct conf {
    sl_text currency, url, encoding;
    sl_value param;
    int64_t precision;
    double delay;
    bool memoize;
    const sl_env *env; /* filled by prepare */
    sl_text from;      /* the url with the parameters */
} conf;

typedef struct table {
    sl_text url;
    sl_value rates; /* map: code -> units of it for a dollar; missing: the document has none */
} table;

enum { MOST_TABLES = 64 };

typedef struct reader { /* a worker's own */
    sl_arena arena;     /* of the tables */
    table tables[MOST_TABLES];
    uint32_t n;
} reader;

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

typedef struct taker {
    sl_arena *arena;
    sl_value *rates;
} taker;

/* The first item is the document. */
static sl_status take_rates(void *to, sl_batch *take, sl_error *err) {
    taker *t = to;
    sl_status s = SL_OK;
    sl_value v = sl_missing();
    int c = sl_batch_find(take, SL_TEXT("rates"), false);
    bool any = take->nsel > 0;
    if (any && c >= 0) s = sl_batch_cell(take, (uint32_t)c, sl_batch_row(take, 0), &v, err);
    if (s == SL_OK && v.type == SL_MAP) s = sl_value_copy(t->rates, v, t->arena, err);
    sl_batch_free(&take);
    return s == SL_OK && any ? SL_DONE : s;
}

static sl_status read_table(const conf *c, reader *r, table *t, sl_error *err) {
    taker to = {&r->arena, &t->rates};
    t->rates = sl_missing();
    t->url = sl_arena_text(&r->arena, c->from);
    if (!t->url.s) return sl_oom(err);
    TRY(sl_reference_read(c->from, SL_TEXT("json"), c->encoding, c->env, take_rates, &to, err));
    if (t->rates.type == SL_MAP || c->env->dialect == SL_RIKO) return SL_OK;
    return sl_fail(
        err, SL_E_DATA,
        "%.*s is no table of exchange rates: it should be a JSON object with a member `rates`, such as "
        "{\"rates\": {\"EUR\": 0.92}}",
        (int)c->url.n, c->url.s);
}

static sl_status find_table(const conf *c, reader *r, const table **out, sl_error *err) {
    for (uint32_t i = 0; i < r->n; i++) {
        *out = &r->tables[i];
        if (sl_text_eq(r->tables[i].url, c->from)) return SL_OK;
    }
    if (r->n == MOST_TABLES) {
        sl_arena_reset(&r->arena);
        r->n = 0;
    }
    *out = &r->tables[r->n];
    TRY(read_table(c, r, &r->tables[r->n], err));
    r->n++;
    return SL_OK;
}

/* ---- rates ----------------------------------------------------------------------------------------------------------------- */

/* Units of CURRENCY for a dollar; NaN when the table has no such rate, or an empty one. */
static sl_status rate_of(const table *t, sl_text currency, sl_arena *arena, sl_value *out, sl_error *err) {
    TRY(sl_decimal_from(sl_map_get(t->rates, currency), arena, out, err));
    if (sl_number_compare(*out, sl_int(0)) == 0) return sl_decimal_from(sl_null(), arena, out, err);
    return SL_OK;
}

static sl_status rate(const conf *c, const table *t, sl_text from, sl_arena *arena, sl_value *out,
                      sl_error *err) {
    sl_value one = sl_decimal_value(SL_TEXT("1")), a, b;
    TRY(rate_of(t, from, arena, &a, err));
    if (!sl_text_is(c->currency, "USD")) {
        TRY(rate_of(t, c->currency, arena, &b, err));
        TRY(sl_decimal_math(SL_DIVIDE, a, b, arena, &a, err));
    }
    TRY(sl_decimal_math(SL_DIVIDE, one, a, arena, &a, err));
    return sl_decimal_round(a, (unsigned)c->precision, arena, out, err);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    const table *t;
    sl_value v = sl_decimal_value(SL_TEXT("1"));
    (void)item;
    if (sl_text_eq(sl_bytes(field), c->currency)) return sl_result(results, v, err);
    TRY(find_table(c, state, &t, err));
    if (t->rates.type != SL_MAP || !t->rates.n) return sl_result(results, sl_int(0), err);
    TRY(rate(c, t, sl_bytes(field), sl_results_arena(results), &v, err));
    return sl_result(results, v, err);
}

static sl_status start(const void *vconf, void **state, sl_error *err) {
    (void)vconf;
    *state = calloc(1, sizeof(reader));
    return *state ? SL_OK : sl_oom(err);
}

static void stop(void *state) {
    reader *r = state;
    sl_arena_free(&r->arena);
    free(r);
}

/* ---- conf ------------------------------------------------------------------------------------------------------------------ */

/* An object {key: value, ...}, as riko takes it, in the form of the list that urlbuilder takes. */
static sl_status list_params(sl_value map, sl_arena *arena, sl_rules *out, sl_error *err) {
    sl_query_param *p = sl_arena_calloc(arena, map.n ? map.n : 1, sizeof *p);
    if (!p) return sl_oom(err);
    for (uint32_t i = 0; i < map.n; i++)
        p[i] = (sl_query_param){.key = map.as.map[i].key, .value = map.as.map[i].value};
    *out = (sl_rules){p, map.n};
    return SL_OK;
}

static bool is_http(sl_text url) {
    return url.n > 4 && sl_text_eq_nocase((sl_text){url.s, 4}, SL_TEXT("http"));
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    sl_rules params;
    c->env = info->env;
    c->from = c->url;
    if (c->param.type == SL_MISSING || c->param.type == SL_NULL) return SL_OK;
    if (c->param.type != SL_MAP)
        return sl_fail(err, SL_E_PLAN, "key 'param' must be an object of query parameters, got %s",
                       sl_type_name((sl_type)c->param.type));
    if (!is_http(c->url)) return SL_OK;
    sl_buf url = {0};
    sl_buf_text(&url, c->url);
    sl_status s = list_params(c->param, info->arena, &params, err);
    const char *mark = c->url.n && memchr(c->url.s, '?', c->url.n) ? "&" : "?";
    if (s == SL_OK) s = sl_query_append(&params, mark, info->arena, &url, err);
    if (s == SL_OK) s = sl_buf_check(&url, err);
    if (s == SL_OK) c->from = sl_arena_text(info->arena, sl_text_n(url.data, url.len));
    sl_buf_free(&url);
    return s != SL_OK || c->from.s ? s : sl_oom(err);
}

static const sl_option options[] = {
    {.name = "currency",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, currency),
     .fallback = "USD",
     .help = "ISO code of the currency to exchange into; case counts"},
    {.name = "url",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, url),
     .fallback = "https://openexchangerates.org/api/latest.json",
     .help =
         "file or http, https or file URL of the rates: JSON, {\"rates\": {CODE: units for a US dollar}}"},
    {.name = "param",
     .type = SL_OPT_VALUE,
     .offset = offsetof(conf, param),
     .help = "query parameters of an http url, as {\"app_id\": \"...\"}"},
    {.name = "precision",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, precision),
     .fallback = "6",
     .min = 0,
     .max = 28,
     .unit = "digits",
     .help = "behind the point of the result, which is rounded half to even"},
    {.name = "encoding", .type = SL_OPT_TEXT, .offset = offsetof(conf, encoding), .help = "of the rates"},
    {.name = "delay",
     .type = SL_OPT_SECONDS,
     .offset = offsetof(conf, delay),
     .fallback = "0",
     .flags = SL_OPT_HIDDEN,
     .help = "of no effect"},
    {.name = "memoize",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, memoize),
     .fallback = "true",
     .flags = SL_OPT_HIDDEN,
     .help = "of no effect: rates are read once"},
    {0},
};

const sl_pipe sl_pipe_exchangerate = {
    .name = "exchangerate",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Gives the exchange rate of a currency",
    .details = "The field is the ISO code of a currency; the result is what one unit of it is worth in the "
               "other one. A code "
               "without a rate gives NaN, the same code 1. Rates are read once a run by every worker, when "
               "an item first "
               "needs them; multiply with simplemath.\n"
               "The default url wants a key: param.app_id='${APP_ID}' takes it from the environment.",
    .example = "itembuilder attrs.key=content attrs.value=EUR | exchangerate url=data/rates.json precision=4",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "currency",
    .flags = SL_PIPE_STEADY,
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .each = each,
};
