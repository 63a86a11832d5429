/* typecast: the field's value as another type. */
#include "base/error.h"
#include "plan/pipe.h"

typedef struct conf {
    sl_value type; /* as given: null means unchanged, which an enum could not tell from absent */
    sl_cast to;
    int64_t now;
} conf;

static sl_status unknown_type(sl_text name, sl_error *err) {
    char hint[SL_HINT];
    return sl_fail(
        err, SL_E_PLAN,
        "key 'type' must be one of text, int, float, decimal, bool, date, datetime, url, location, "
        "pass, none, got '%.*s'%s",
        name.n > 40 ? 40 : (int)name.n, name.s, sl_text_meant(name, sl_cast_names, hint));
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    sl_text name;
    c->now = info->env->now;
    c->to = c->type.type == SL_NULL ? SL_CAST_PASS : SL_CAST_TEXT;
    if (sl_is_absent(c->type)) return SL_OK;
    TRY(sl_to_text(c->type, "", info->arena, &name, err));
    return sl_cast_named(name, &c->to) ? SL_OK : unknown_type(name, err);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_value v;
    (void)state, (void)item;
    TRY(sl_cast_value(c->to, field, c->now, sl_results_arena(results), &v, err));
    return sl_result(results, v, err);
}

static const sl_option options[] = {
    {.name = "type",
     .type = SL_OPT_VALUE,
     .offset = offsetof(conf, type),
     .help = "text (the default), int, float, decimal, bool, date, datetime, url, location, pass or none"},
    {0},
};

const sl_pipe sl_pipe_typecast = {
    .name = "typecast",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Converts a value to a type",
    .details =
        "What cannot be converted gives the type's null value: 0 for int, NaN for float and decimal, "
        "1970-01-01 for dates; converting never stops the run, except for a number too large for an int. "
        "int cuts toward zero (12.9 is 12). bool is true for any text but an empty one, false, 0, None and "
        "other literals that are empty or zero. url adds http:// where there is no scheme and escapes what "
        "may not stand in a URL. Dates may be free-form (\"5 May 2015\") or relative (\"+3 days\"). "
        "A type of null leaves the value as it is.",
    .example = "itembuilder attrs.0.key=content attrs.0.value=12.9 | typecast int",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "type",
    .field = "content",
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .each = each,
};
