/* input.c: input: one item with a value that the caller gave. Callers name it in several ways (input_key, name, or just
 * content), and the first of these that they have set counts. The value is cast once, before the run, so a wrong one is found
 * before anything is read. */
#include "base/error.h"
#include "plan/pipe.h"

typedef struct input_conf {
    int type; /* sl_cast */
    sl_value fallback;
    sl_text prompt, input_key, name, position;
    bool test, debug;
    sl_value value; /* made by prepare; missing: none was given */
} input_conf;

static const sl_option options[] = {
    {.name = "type",
     .type = SL_OPT_ENUM,
     .offset = offsetof(input_conf, type),
     .fallback = "text",
     .names = sl_cast_names,
     .help = "what the value is cast to"},
    {.name = "default",
     .type = SL_OPT_VALUE,
     .offset = offsetof(input_conf, fallback),
     .help = "value when none is given"},
    {.name = "input_key",
     .type = SL_OPT_TEXT,
     .offset = offsetof(input_conf, input_key),
     .help = "which of the values given; default: the name, then content"},
    {.name = "name", .type = SL_OPT_TEXT, .offset = offsetof(input_conf, name), .help = "name of the input"},
    {.name = "prompt",
     .type = SL_OPT_TEXT,
     .offset = offsetof(input_conf, prompt),
     .fallback = "Enter text",
     .help = "what the value is, for people"},
    {.name = "test",
     .type = SL_OPT_BOOL,
     .offset = offsetof(input_conf, test),
     .fallback = "false",
     .help = "use the default where no value is given"},
    {.name = "position",
     .type = SL_OPT_TEXT,
     .offset = offsetof(input_conf, position),
     .flags = SL_OPT_HIDDEN,
     .help = "place in a form"},
    {.name = "debug",
     .type = SL_OPT_BOOL,
     .offset = offsetof(input_conf, debug),
     .fallback = "false",
     .flags = SL_OPT_HIDDEN,
     .help = "of no effect"},
    {.name = NULL},
};

static const char *name_of(const input_conf *c, uint32_t *n) {
    sl_text t = c->input_key.n ? c->input_key : c->name.n ? c->name : SL_TEXT("content");
    *n = t.n;
    return t.s;
}

/* The value the caller gave under the most telling name, or missing. */
static sl_value given(const input_conf *c, sl_value inputs) {
    sl_text names[] = {c->input_key, c->name, SL_TEXT("content")};
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        sl_value v = names[i].n ? sl_map_get(inputs, names[i]) : sl_missing();
        if (v.type != SL_MISSING) return v;
        if (c->input_key.n) break; /* asked for by name: no other will do */
    }
    return sl_missing();
}

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    input_conf *c = conf;
    const sl_env *env = info->env;
    bool some = env->inputs.type == SL_MAP && env->inputs.n;
    sl_value v = given(c, env->inputs);
    if (v.type == SL_MISSING) v = c->fallback;
    if (v.type == SL_MISSING && (some || c->test || env->test)) v = sl_text_value(SL_TEXT(""));
    if (v.type == SL_MISSING) return SL_OK; /* an error only if the value is ever wanted */
    return sl_cast_value((sl_cast)c->type, v, env->now, info->arena, &c->value, err);
}

static sl_status each(const void *conf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    (void)state, (void)field, (void)item;
    const input_conf *c = conf;
    if (c->value.type != SL_MISSING) return sl_result(results, c->value, err);
    uint32_t n;
    const char *name = name_of(c, &n);
    return sl_fail(err, SL_E_USAGE, "no value for input '%.*s' (%.*s); give one with --input %.*s=VALUE",
                   (int)n, name, (int)c->prompt.n, c->prompt.s, (int)n, name);
}

const sl_pipe sl_pipe_input = {
    .name = "input",
    .kind = SL_KIND_SOURCE,
    .summary = "A value given from outside when the pipeline is run",
    .details = "The value is looked up under input_key, or else under the name, or else under content. "
               "Without one, the default; "
               "without that the run fails. Nothing is ever asked at the terminal.",
    .example = "input name=city default=Pretoria",
    .options = options,
    .conf_size = sizeof(input_conf),
    .main = "name",
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS | SL_PIPE_NO_LOOP,
    .cast = SL_CAST_PASS,
    .assign = "content",
    .prepare = prepare,
    .each = each,
};
