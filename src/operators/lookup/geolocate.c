/* geolocate: what is known of a place or a currency, from tables on this machine: nothing is asked of the network.
 *
 * The tables are currencies.def and, with `table`, a file of the user's, which a worker reads when the first item needs it. */
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/unicode.h"
#include "operators/lookup/reference.h"
#include "record/number/number.h"

enum { ADDRESS, COORDINATES, IP_ADDRESS, CURRENCY };

static const char *const types[] = {"street_address", "coordinates", "ip_address", "currency", NULL};

typedef struct conf {
    int type;
    sl_text table, key, encoding;
    const sl_env *env; /* filled by prepare */
} conf;

/* ---- a file of places ------------------------------------------------------------------------------------------------------ */

typedef struct place {
    sl_text key;
    sl_value item; /* the row without its key */
} place;

typedef struct places { /* a worker's own */
    sl_arena arena;
    sl_text table, key; /* what has been read; .s NULL: nothing yet */
    place *v;
    uint32_t n, cap;
    uint32_t *slots; /* hash table: index + 1 into v, 0 free */
    uint32_t nslots; /* a power of two */
    size_t most;     /* bytes the arena may hold */
} places;

static uint32_t *slot_of(const places *p, sl_text key) {
    uint32_t at = (uint32_t)sl_hash(key.s, key.n, 0) & (p->nslots - 1);
    while (p->slots[at] && !sl_text_eq(p->v[p->slots[at] - 1].key, key)) at = (at + 1) & (p->nslots - 1);
    return &p->slots[at];
}

static sl_status make_slots(places *p, sl_error *err) {
    uint32_t n = p->nslots ? 2 * p->nslots : 1024;
    free(p->slots);
    p->slots = calloc(n, sizeof *p->slots);
    p->nslots = p->slots ? n : 0;
    if (!p->slots) return sl_oom(err);
    for (uint32_t i = 0; i < p->n; i++) *slot_of(p, p->v[i].key) = i + 1;
    return SL_OK;
}

/* Room for one place more. */
static sl_status grow(places *p, sl_error *err) {
    if (p->n >= p->nslots / 2) TRY(make_slots(p, err));
    return SL_ROOM(p->v, p->cap, p->n + 1) ? SL_OK : sl_oom(err);
}

/* The pairs of ROW but the one called NAME, whose value goes to *KEY. */
static sl_status take_key(sl_value row, sl_text name, sl_arena *arena, sl_value *key, sl_value *rest,
                          sl_error *err) {
    sl_pair *pairs = sl_arena_alloc(arena, (row.n + 1) * sizeof *pairs);
    uint32_t n = 0;
    if (!pairs) return sl_oom(err);
    *key = sl_missing();
    for (uint32_t i = 0; i < row.n; i++) {
        if (sl_text_eq(row.as.map[i].key, name))
            *key = row.as.map[i].value;
        else
            pairs[n++] = row.as.map[i];
    }
    *rest = sl_map(pairs, n);
    return SL_OK;
}

/* The first row of a key counts. */
static sl_status add_place(places *p, sl_value row, sl_error *err) {
    sl_value key, rest;
    sl_text text;
    TRY(take_key(row, p->key, &p->arena, &key, &rest, err));
    if (key.type == SL_MISSING)
        return sl_fail(err, SL_E_DATA,
                       "a row has no '%.*s': key names the column that holds what is looked up",
                       (int)p->key.n, p->key.s);
    TRY(sl_to_text(key, "", &p->arena, &text, err));
    text = sl_arena_text(&p->arena, sl_utf8_strip(text));
    if (!text.s) return sl_oom(err);
    TRY(grow(p, err));
    uint32_t *slot = slot_of(p, text);
    if (*slot) return SL_OK;
    p->v[p->n] = (place){.key = text};
    TRY(sl_value_copy(&p->v[p->n].item, rest, &p->arena, err));
    *slot = ++p->n;
    if (p->arena.total <= p->most) return SL_OK;
    return sl_fail(err, SL_E_MEMORY,
                   "the table needs more than its share of memory, %zu bytes; raise memory, or use join",
                   p->most);
}

static sl_status add_batch(void *to, sl_batch *take, sl_error *err) {
    sl_status s = SL_OK;
    for (uint32_t i = 0; i < take->nsel && s == SL_OK; i++) {
        sl_value row;
        s = sl_batch_item(take, sl_batch_row(take, i), &row, err);
        if (s == SL_OK) s = add_place(to, row, err);
        if (s != SL_OK) sl_error_at(err, take->source, sl_batch_line(take, sl_batch_row(take, i)), 0);
    }
    sl_batch_free(&take);
    return s;
}

static void forget(places *p) {
    sl_arena_free(&p->arena);
    free(p->v);
    free(p->slots);
    *p = (places){0};
}

static sl_status read_places(const conf *c, places *p, sl_error *err) {
    if (p->table.s && sl_text_eq(p->table, c->table) && sl_text_eq(p->key, c->key)) return SL_OK;
    forget(p);
    p->most = sl_env_share(c->env);
    p->key = sl_arena_text(&p->arena, c->key);
    TRY(make_slots(p, err));
    if (!p->key.s) return sl_oom(err);
    TRY(sl_reference_read(c->table, (sl_text){0}, c->encoding, c->env, add_batch, p, err));
    p->table = sl_arena_text(&p->arena, c->table);
    return p->table.s ? SL_OK : sl_oom(err);
}

static sl_status look_up(const conf *c, places *p, sl_text what, sl_results *results, sl_error *err) {
    sl_value item = sl_map(NULL, 0);
    TRY(read_places(c, p, err));
    uint32_t *slot = slot_of(p, sl_utf8_strip(what));
    if (*slot) TRY(sl_value_copy(&item, p->v[*slot - 1].item, sl_results_arena(results), err));
    return sl_result(results, item, err);
}

/* ---- currencies ------------------------------------------------------------------------------------------------------------ */

typedef struct currency {
    char code[4];
    int digits;
    double rounding;
    const char *location, *name, *plural, *symbol, *native, *code_2, *code_3, *continent, *number;
} currency;

static const currency currencies[] = {
#define X(code, digits, rounding, location, name, plural, symbol, native, code_2, code_3, continent, number) \
    {#code, digits, rounding, location, name, plural, symbol, native, code_2, code_3, continent, number},
#include "operators/lookup/currencies.def"
#undef X
};

static int by_code(const void *code, const void *row) {
    return strcmp(code, ((const currency *)row)->code);
}

static const currency *find_currency(sl_text t) {
    char code[sizeof currencies->code] = "";
    if (t.n != sizeof code - 1) return NULL;
    memcpy(code, t.s, t.n);
    return bsearch(code, currencies, SL_COUNT(currencies), sizeof *currencies, by_code);
}

typedef struct entry { /* an object being made */
    sl_pair *pairs;
    uint32_t n;
} entry;

enum { MOST_PAIRS = 16 };

static void put(entry *e, const char *key, sl_value v) {
    e->pairs[e->n++] = (sl_pair){sl_text_of(key), v};
}

static void put_text(entry *e, const char *key, const char *text) {
    put(e, key, sl_text_value(sl_text_of(text)));
}

static void put_country(entry *e, const currency *c) {
    put_text(e, "code_2", c->code_2);
    put_text(e, "code_3", c->code_3);
    put_text(e, "continent", c->continent);
    put_text(e, "country", c->location);
    put_text(e, "num", c->number);
}

static sl_status describe_currency(sl_text code, sl_arena *arena, sl_value *out, sl_error *err) {
    const currency *c = find_currency(code);
    entry e = {.pairs = sl_arena_alloc(arena, MOST_PAIRS * sizeof *e.pairs)};
    *out = sl_map(NULL, 0);
    if (!e.pairs) return sl_oom(err);
    if (!c) return SL_OK;
    bool whole = c->rounding == 0;
    put_text(&e, "code", c->code);
    put(&e, "decimal_digits", sl_int(c->digits));
    put_text(&e, "location", c->location);
    put_text(&e, "name", c->name);
    put_text(&e, "name_plural", c->plural);
    put(&e, "rounding", whole ? sl_int(0) : sl_float(c->rounding));
    put_text(&e, "symbol", c->symbol);
    put_text(&e, "symbol_native", c->native);
    if (c->code_2[0]) put_country(&e, c);
    *out = sl_map(e.pairs, e.n);
    return SL_OK;
}

/* ---- riko's placeholders ---------------------------------------------------------------------------------------------------- */

/* LAT, LON; both zero when that is not what it is. */
static void read_coordinates(sl_text t, double *lat, double *lon) {
    int64_t comma = sl_text_find(t, SL_TEXT(","), 0);
    *lat = *lon = 0;
    if (comma < 0) return;
    sl_text a = {t.s, (uint32_t)comma}, b = {t.s + comma + 1, t.n - (uint32_t)comma - 1};
    if (sl_parse_double(sl_text_trim(a), lat) && sl_parse_double(sl_text_trim(b), lon)) return;
    *lat = *lon = 0;
}

/* An address as a server knows it: the place without its exact point and street. */
static sl_status describe_place(int type, sl_text t, sl_arena *arena, sl_value *out, sl_error *err) {
    double lat = 0, lon = 0;
    if (type == COORDINATES) read_coordinates(t, &lat, &lon);
    TRY(sl_place_make(lat, lon, arena, out, err));
    if (type == IP_ADDRESS) *out = sl_map(out->as.map + 2, 5);
    return SL_OK;
}

/* ---- the pipe -------------------------------------------------------------------------------------------------------------- */

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_text t = sl_bytes(field);
    (void)item;
    if (c->table.n) return look_up(c, state, t, results, err);
    sl_value v;
    if (c->type == CURRENCY)
        TRY(describe_currency(t, sl_results_arena(results), &v, err));
    else
        TRY(describe_place(c->type, t, sl_results_arena(results), &v, err));
    return sl_result(results, v, err);
}

static sl_status start(const void *vconf, void **state, sl_error *err) {
    (void)vconf;
    *state = calloc(1, sizeof(places));
    return *state ? SL_OK : sl_oom(err);
}

static void stop(void *state) {
    forget(state);
    free(state);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    (void)err;
    c->env = info->env;
    return SL_OK;
}

static const sl_option options[] = {
    {.name = "type",
     .type = SL_OPT_ENUM,
     .offset = offsetof(conf, type),
     .fallback = "street_address",
     .names = types,
     .help = "what the field is"},
    {.name = "table",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, table),
     .help =
         "file or URL of places to look the field up in, read as fetchdata reads it: CSV, JSON Lines ..."},
    {.name = "key",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, key),
     .fallback = "key",
     .help = "column of the table that holds what is looked up"},
    {.name = "encoding", .type = SL_OPT_TEXT, .offset = offsetof(conf, encoding), .help = "of the table"},
    {0},
};

const sl_pipe sl_pipe_geolocate = {
    .name = "geolocate",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Looks up a place or a currency in a table",
    .details = "With a table, the field is looked up in its key column, whatever the type, and the result is "
               "the rest of the "
               "row; of several rows the first counts, no row gives an empty object. White space at the ends "
               "does not count. "
               "Every worker reads the table once, when an item first needs it, and holds it in memory: join "
               "is for large "
               "ones.\n"
               "Without a table, currency gives what is known of an ISO code: name, symbols, digits, and the "
               "country; an "
               "unknown code gives an empty object. The other types give, as in riko, an address that is "
               "always the same, "
               "with the coordinates \"LAT, LON\" that the field holds.",
    .example = "itembuilder attrs.key=content attrs.value=INR | geolocate currency",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "type",
    .flags = SL_PIPE_STEADY,
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .each = each,
};
