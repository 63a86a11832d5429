#include "operators/lookup/reference.h"

#include "base/error.h"
#include "net/url.h"
#include "sources/stream/stream.h"

enum { KEYS = 3 };

/* The conf of a fetchdata of its own. */
static sl_status compile(const sl_pipe *pipe, sl_text url, sl_text type, sl_text encoding, const sl_env *env,
                         sl_arena *arena, void **out, sl_error *err) {
    sl_pair pairs[KEYS];
    uint32_t n = 0;
    pairs[n++] = (sl_pair){SL_TEXT("url"), sl_text_value(url)};
    if (type.n) pairs[n++] = (sl_pair){SL_TEXT("type"), sl_text_value(type)};
    if (encoding.n) pairs[n++] = (sl_pair){SL_TEXT("encoding"), sl_text_value(encoding)};
    const sl_step_info info = {.env = env, .arena = arena, .emit = -1};
    *out = sl_arena_calloc(arena, 1, pipe->conf_size);
    if (!*out) return sl_oom(err);
    TRY(sl_options_parse(pipe->options, sl_map(pairs, n), false, *out, arena, NULL, err));
    return pipe->prepare ? pipe->prepare(*out, &info, err) : SL_OK;
}

/* Where the failure has no place yet it is the file as a whole. */
static sl_status name_file(sl_text url, sl_status status, sl_arena *arena, sl_error *err) {
    if (status <= SL_DONE) return status;
    sl_text shown = sl_url_shown(url, arena);
    const char *name = shown.s ? sl_arena_strndup(arena, shown.s, shown.n) : NULL;
    if (name) sl_error_at(err, name, 0, 0);
    return status;
}

sl_status sl_reference_read(sl_text url, sl_text type, sl_text encoding, const sl_env *env,
                            sl_batch_sink sink, void *to, sl_error *err) {
    const sl_pipe *pipe = sl_pipe_named(SL_TEXT("fetchdata"));
    sl_arena arena = {0};
    void *conf = NULL;
    sl_status status = compile(pipe, url, type, encoding, env, &arena, &conf, err);
    if (status == SL_OK) status = sl_source_items(pipe, conf, env, sink, to, err);
    status = name_file(url, status, &arena, err);
    if (conf && pipe->destroy) pipe->destroy(conf);
    sl_arena_free(&arena);
    return status == SL_DONE ? SL_OK : status;
}
