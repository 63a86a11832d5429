#include "formats/json/json.h"

#include "base/error.h"

static const sl_option options[] = {
    {.name = "path",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(sl_json_conf, path),
     .help = "json, xml, html: where in the document the items are, as value.items"},
    {.name = "encoding",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sl_json_conf, encoding_name),
     .fallback = "utf-8",
     .help = "utf-8, ascii, latin-1 or windows-1252"},
    {.name = NULL},
};

static sl_status join_path(sl_json_conf *c, sl_arena *arena, sl_error *err) {
    size_t n = c->path.n;
    for (uint32_t i = 0; i < c->path.n; i++) n += c->path.v[i].n;
    if (n > UINT16_MAX) return sl_fail(err, SL_E_PLAN, "the path is longer than 65535 bytes");
    char *at = sl_arena_alloc(arena, n);
    if (!at) return sl_oom(err);
    c->joined.s = at;
    for (uint32_t i = 0; i < c->path.n; i++) {
        if (i) *at++ = '.';
        if (c->path.v[i].n) memcpy(at, c->path.v[i].s, c->path.v[i].n);
        at += c->path.v[i].n;
    }
    c->joined.n = (uint32_t)(at - c->joined.s);
    while (c->joined.n && c->joined.s[c->joined.n - 1] == '.' && c->dialect == SL_RIKO) c->joined.n--;
    return SL_OK;
}

static sl_status prepare(void *conf, sl_arena *arena, sl_error *err) {
    sl_json_conf *c = conf;
    TRY(join_path(c, arena, err));
    return sl_encoding_named(c->encoding_name, &c->encoding, err);
}

static void set_dialect(void *conf, sl_dialect dialect) {
    ((sl_json_conf *)conf)->dialect = dialect;
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)quarantined;
    return sl_json_read_block(state, block, conf, sink, to, err);
}

const sl_format sl_format_json = {
    .name = "json",
    .summary =
        "a JSON array of items, one item, items one after another, or what a path in a document leads to",
    .suffixes = (const char *const[]){".json", ".geojson", NULL},
    .media_types = (const char *const[]){"application/json", "text/json", "application/geo+json",
                                         "application/ld+json", NULL},
    .begins = (const char *const[]){"{", "[", "", NULL},
    .refuses = SL_REFUSES_PAGES,
    .json = true,
    .options = options,
    .conf_size = sizeof(sl_json_conf),
    .set_dialect = set_dialect,
    .prepare = prepare,
    .split_new = sl_json_split_new,
    .split = sl_json_split,
    .split_free = sl_json_split_free,
    .start = sl_json_start,
    .stop = sl_json_stop,
    .read = read,
};
