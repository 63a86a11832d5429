/* subelement: the values found at a path, one item each. */
#include "base/error.h"
#include "operators/result/result.h"

typedef struct conf {
    sl_text path;
    sl_value token_key; /* as given: null means bare values, absent the default */
    sl_path from;
    sl_wrap wrap;
} conf;

/* A field given with the step is where the path starts. */
static sl_status compile_path(conf *c, const sl_step_info *info, sl_error *err) {
    sl_text path = c->path;
    if (info->field && *info->field) {
        path = sl_arena_printf(info->arena, "%s%s%.*s", info->field, path.n ? "." : "", (int)path.n,
                               path.n ? path.s : "");
        if (!path.s) return sl_oom(err);
    }
    return sl_path_compile(&c->from, path, info->env->dialect, info->arena, err);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    sl_text key = SL_TEXT("content");
    if (c->token_key.type != SL_MISSING) TRY(sl_to_text(c->token_key, "", info->arena, &key, err));
    c->wrap = sl_wrap_of(key, info->env->dialect);
    return compile_path(c, info, err);
}

/* Lists within lists are taken apart too; their depth is bounded by what the readers accept. */
static sl_status take_apart(const conf *c, sl_value v, sl_results *results, sl_error *err) {
    if (sl_is_absent(v)) return SL_OK;
    if (v.type != SL_LIST) return sl_wrap_result(&c->wrap, v, results, err);
    for (uint32_t i = 0; i < v.n; i++) TRY(take_apart(c, v.as.list[i], results, err));
    return SL_OK;
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_value v;
    (void)state, (void)field;
    sl_results_many(results);
    TRY(sl_path_row(&c->from, item.batch, item.row, &v, err));
    return take_apart(c, v, results, err);
}

static const sl_option options[] = {
    {.name = "path",
     .type = SL_OPT_PATH,
     .offset = offsetof(conf, path),
     .flags = SL_OPT_REQUIRED,
     .help = "where the values are; a list of names stands for the path that joins them"},
    {.name = "token_key",
     .type = SL_OPT_VALUE,
     .offset = offsetof(conf, token_key),
     .help = "key of each value in its new item, default content; null or \"\": the values themselves"},
    {0},
};

const sl_pipe sl_pipe_subelement = {
    .name = "subelement",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Makes items of the values at a path",
    .details =
        "A list gives an item for each element, lists within it included; an object or a scalar gives one "
        "item; null or nothing gives none. The original item is gone.",
    .example = "itembuilder attrs.0.key=a attrs.0.value=1 | subelement a",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "path",
    .flags = SL_PIPE_EMITS | SL_PIPE_NO_FIELD,
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .each = each,
};
