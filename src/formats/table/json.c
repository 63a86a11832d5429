/* json.c: JSON for fetchtable. The documents are read by the json format; here fields get plain names, and the features of
 * GeoJSON become flat rows:
 *
 *     {"type": "Feature", "id": 7, "properties": {"Name": "x"}, "geometry": {"type": "Point", "coordinates": [18.4, -33.9]}}
 *     -> {"name": "x", "id": 7, "lon": 18.4, "lat": -33.9, "geometry": {...}}
 *
 * lon and lat only for points; id only where the feature has one. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/json/json.h"
#include "formats/table/table.h"

typedef struct table_conf {
    sl_json_conf json; /* first: it is the conf of the json format too */
    sl_csv_conf names;
    bool features;
} table_conf;

typedef struct state {
    void *json; /* of that format */
    sl_columns columns;
    sl_pair *pairs; /* of the row at hand */
    uint32_t npairs, cap_pairs;
} state;

/* A block being read. */
typedef struct job {
    const table_conf *conf;
    state *s;
    sl_builder *builder;
} job;

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool same_names(const sl_columns *c, const sl_pair *pairs, uint32_t n) {
    if (!c->known || c->n != n) return false;
    for (uint32_t i = 0; i < n; i++)
        if (!sl_text_eq(c->names[i], pairs[i].key)) return false;
    return true;
}

sl_status sl_columns_of(sl_columns *c, const sl_csv_conf *conf, const sl_pair *pairs, uint32_t n,
                        sl_error *err) {
    if (same_names(c, pairs, n)) return SL_OK;
    c->known = false;
    sl_arena_reset(&c->arena);
    c->names = sl_arena_calloc(&c->arena, n, sizeof *c->names);
    if (!c->names) return sl_oom(err);
    for (uint32_t i = 0; i < n; i++) {
        c->names[i] = sl_arena_text(&c->arena, pairs[i].key);
        if (!c->names[i].s) return sl_oom(err);
    }
    c->n = n;
    TRY(sl_csv_columns(conf, c->names, n, &c->arena, &c->header, err));
    c->known = true;
    return SL_OK;
}

void sl_columns_free(sl_columns *c) {
    sl_arena_free(&c->arena);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static sl_status add_pair(state *s, sl_text key, sl_value v, sl_error *err) {
    if (s->npairs == s->cap_pairs) {
        uint32_t cap = s->cap_pairs ? s->cap_pairs * 2 : 64;
        sl_pair *pairs = realloc(s->pairs, cap * sizeof *pairs);
        if (!pairs) return sl_oom(err);
        s->pairs = pairs;
        s->cap_pairs = cap;
    }
    s->pairs[s->npairs++] = (sl_pair){key, v};
    return SL_OK;
}

static sl_status add_all(state *s, sl_value map, sl_error *err) {
    for (uint32_t i = 0; map.type == SL_MAP && i < map.n; i++)
        TRY(add_pair(s, map.as.map[i].key, map.as.map[i].value, err));
    return SL_OK;
}

static sl_status add_feature(state *s, sl_value item, sl_error *err) {
    sl_value id = sl_map_get_z(item, "id"), geometry = sl_map_get_z(item, "geometry");
    sl_value place = geometry.type == SL_MAP ? sl_map_get_z(geometry, "coordinates") : sl_missing();
    sl_value type = geometry.type == SL_MAP ? sl_map_get_z(geometry, "type") : sl_missing();
    TRY(add_all(s, sl_map_get_z(item, "properties"), err));
    if (!sl_is_absent(id)) TRY(add_pair(s, SL_TEXT("id"), id, err));
    bool point = sl_is_text(type) && sl_text_is(sl_bytes(type), "Point");
    if (point && place.type == SL_LIST && place.n >= 2) {
        TRY(add_pair(s, SL_TEXT("lon"), place.as.list[0], err));
        TRY(add_pair(s, SL_TEXT("lat"), place.as.list[1], err));
    }
    return add_pair(s, SL_TEXT("geometry"), geometry.type == SL_MISSING ? sl_null() : geometry, err);
}

static sl_status add_row(job *j, sl_value item, sl_error *err) {
    state *s = j->s;
    s->npairs = 0;
    TRY(j->conf->features ? add_feature(s, item, err) : add_all(s, item, err));
    TRY(sl_columns_of(&s->columns, &j->conf->names, s->pairs, s->npairs, err));
    const sl_csv_header *h = &s->columns.header;
    for (uint32_t i = 0; i < h->ncols; i++) /* a field is not before its column */
        s->pairs[i] = (sl_pair){h->cols[i].name, s->pairs[h->cols[i].field].value};
    return sl_builder_add(j->builder, sl_map(s->pairs, h->ncols), err);
}

static sl_status add_rows(job *j, sl_batch *b, sl_error *err) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_value item;
        TRY(sl_batch_item(b, sl_batch_row(b, i), &item, err));
        TRY(b->bare ? sl_builder_add(j->builder, item.as.map[0].value, err) : add_row(j, item, err));
    }
    return SL_OK;
}

/* An sl_batch_sink. */
static sl_status take(void *to, sl_batch *b, sl_error *err) {
    job *j = to;
    sl_status status = add_rows(j, b, err);
    sl_batch_free(&b);
    return status;
}

/* ---- the descriptors --------------------------------------------------------------------------------------------- */

static sl_status start(const void *conf, void **out, sl_error *err) {
    state *s = calloc(1, sizeof *s);
    *out = s;
    return s ? sl_json_start(conf, &s->json, err) : sl_oom(err);
}

static void stop(void *state_) {
    state *s = state_;
    if (!s) return;
    sl_json_stop(s->json);
    sl_columns_free(&s->columns);
    free(s->pairs);
    free(s);
}

static sl_status read(const void *conf, void *state_, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)quarantined;
    sl_json_out out = {.sink = sink, .to = to, .block = block};
    job j = {.conf = conf, .s = state_};
    j.builder = sl_builder_new(0, NULL, sl_json_hand_on, &out);
    if (!j.builder) return sl_oom(err);
    sl_block flat = *block;
    flat.dialect = SL_NATIVE; /* names nest once they are final */
    sl_status status = sl_json_read_block(j.s->json, &flat, &j.conf->json, take, &j, err);
    if (!status) status = sl_builder_flush(j.builder, err);
    sl_builder_free(&j.builder);
    return status;
}

static void set_dialect(void *conf, sl_dialect dialect) {
    ((table_conf *)conf)->json.dialect = dialect;
}

static sl_status prepare(void *conf, sl_arena *arena, sl_error *err) {
    return sl_format_named(SL_TEXT("json"))->prepare(conf, arena, err);
}

static sl_status prepare_features(void *conf, sl_arena *arena, sl_error *err) {
    table_conf *c = conf;
    sl_text *features = sl_arena_alloc(arena, sizeof *features);
    if (!features) return sl_oom(err);
    *features = SL_TEXT("features");
    c->features = true;
    c->json.dialect = SL_NATIVE; /* a path that leads nowhere is an error */
    c->json.path = (sl_texts){.v = features, .n = 1, .given = true};
    return prepare(conf, arena, err);
}

#define JSON_ROWS                                                                                            \
    {.name = "encoding",                                                                                     \
     .type = SL_OPT_TEXT,                                                                                    \
     .offset = offsetof(table_conf, json.encoding_name),                                                     \
     .fallback = "utf-8",                                                                                    \
     .help = "utf-8, ascii, latin-1 or windows-1252"},                                                       \
        SL_NAME_ROWS(table_conf)

static const sl_option json_options[] = {
    {.name = "path",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(table_conf, json.path),
     .help = "json: where in the document the rows are, as value.items"},
    JSON_ROWS,
    {.name = NULL},
};

static const sl_option geojson_options[] = {JSON_ROWS, {.name = NULL}};

const sl_format sl_format_table_json = {
    .name = "json",
    .refuses = SL_REFUSES_PAGES,
    .json = true,
    .summary = "a JSON list of rows",
    .options = json_options,
    .conf_size = sizeof(table_conf),
    .set_dialect = set_dialect,
    .prepare = prepare,
    .split_new = sl_json_split_new,
    .split = sl_json_split,
    .split_free = sl_json_split_free,
    .start = start,
    .stop = stop,
    .read = read,
};

const sl_format sl_format_table_geojson = {
    .name = "geojson",
    .refuses = SL_REFUSES_PAGES,
    .json = true,
    .summary = "the features of GeoJSON as rows",
    .options = geojson_options,
    .conf_size = sizeof(table_conf),
    .prepare = prepare_features,
    .split_new = sl_json_split_new,
    .split = sl_json_split,
    .split_free = sl_json_split_free,
    .start = start,
    .stop = stop,
    .read = read,
};
