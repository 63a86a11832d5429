/* urlbuilder: a URL out of a base, a path and query parameters. */
#include "base/error.h"
#include "net/url.h"
#include "operators/url/query.h"
#include "operators/result/result.h"

typedef struct conf {
    sl_text base, ext;
    sl_texts path;
    sl_rules param;
} conf;

static sl_status join_path(const sl_texts *path, sl_arena *arena, sl_text *out, sl_error *err) {
    uint64_t total = path->n;
    for (uint32_t i = 0; i < path->n; i++) total += path->v[i].n;
    if (total > UINT32_MAX) return sl_fail(err, SL_E_MEMORY, "the path is longer than 4 GiB");
    char *bytes = sl_arena_alloc(arena, total), *at = bytes;
    if (!bytes) return sl_oom(err);
    for (uint32_t i = 0; i < path->n; i++) {
        if (i) *at++ = '/';
        if (path->v[i].n) memcpy(at, path->v[i].s, path->v[i].n);
        at += path->v[i].n;
    }
    *out = sl_text_n(bytes, (size_t)(at - bytes));
    return SL_OK;
}

/* A name for a file in place of the URL. */
static void make_file_name(sl_text ext, sl_buf *url) {
    for (size_t i = 0; i < url->len; i++)
        if (memchr("<>:\"/\\|*?%", url->data[i], 10)) url->data[i] = '_';
    sl_buf_byte(url, '.');
    sl_buf_text(url, ext);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_buf *url = state;
    sl_text path;
    (void)field, (void)item;
    sl_buf_clear(url);
    TRY(join_path(&c->path, sl_results_arena(results), &path, err));
    sl_url_join(c->base, path, url);
    TRY(sl_query_append(&c->param, "?", sl_results_arena(results), url, err));
    if (c->ext.n) make_file_name(c->ext, url);
    return sl_scratch_result(url, results, err);
}

static const sl_option options[] = {
    {.name = "base",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, base),
     .help = "what the path starts from; its last segment is replaced unless it ends with /"},
    {.name = "path",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(conf, path),
     .help = "where it leads from the base; parts of a list are joined with /"},
    {.name = "param",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, param),
     .rules = sl_query_rows,
     .rule_size = sizeof(sl_query_param),
     .flags = SL_OPT_REQUIRED,
     .help = "query parameters, encoded; an empty list: none"},
    {.name = "ext",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, ext),
     .help = "makes a file name with this suffix: characters that file names should not have become _"},
    {0},
};

const sl_pipe sl_pipe_urlbuilder = {
    .name = "urlbuilder",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Builds a URL",
    .details = "The path is looked up from the base as a link on a page would be (RFC 3986): it replaces "
               "what is behind "
               "the last /, and with a / in front the whole path. Base and path are taken as they are; keys "
               "and values "
               "of parameters are encoded as forms send them, a blank as +. Parameters without a key are "
               "left out, a "
               "value of null is the text None.",
    .example = "itembuilder attrs.key=q attrs.value=\"a b\" | urlbuilder base=http://example.com path=find "
               "param.key=q param.value.subkey=q",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "base",
    .flags = SL_PIPE_EMITS | SL_PIPE_NO_FIELD | SL_PIPE_STEADY,
    .cast = SL_CAST_PASS,
    .start = sl_scratch_start,
    .stop = sl_scratch_stop,
    .each = each,
};
