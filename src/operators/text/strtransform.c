/* strtransform: changes of a text's form, and counting and finding in it. */
#include "base/error.h"
#include "base/unicode.h"
#include "operators/text/text.h"
#include "plan/pipe.h"

typedef struct transform transform;

typedef struct rule {
    sl_text name, args;
    const transform *transform; /* NULL: unknown, no effect */
    sl_text arg[2];
    uint32_t nargs;
} rule;

typedef struct conf {
    sl_rules rules;
} conf;

struct transform {
    const char *name;
    uint32_t min, max; /* arguments */
    bool number;       /* the result is one, so it must be the last */
    sl_status (*run)(const rule *r, sl_value *v, sl_arena *arena, sl_error *err);
};

/* ---- case --------------------------------------------------------------------------------------------------------------- */

static sl_status map_case(sl_case to, sl_value *v, sl_arena *arena, sl_error *err) {
    sl_text t;
    TRY(sl_case_map(sl_bytes(*v), to, arena, &t, err));
    *v = sl_text_value(t);
    return SL_OK;
}

static sl_status run_lower(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    (void)r;
    return map_case(SL_LOWER, v, arena, err);
}

static sl_status run_upper(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    (void)r;
    return map_case(SL_UPPER, v, arena, err);
}

static sl_status run_capitalize(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    (void)r;
    return map_case(SL_CAPITALIZE, v, arena, err);
}

static sl_status run_title(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    (void)r;
    return map_case(SL_TITLE, v, arena, err);
}

static sl_status run_swapcase(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    (void)r;
    return map_case(SL_SWAPCASE, v, arena, err);
}

/* ---- ends --------------------------------------------------------------------------------------------------------------- */

/* Whether the character CODE, the bytes C, goes: white space, or one of the argument's characters. */
static bool is_stripped(const rule *r, sl_text c, uint32_t code) {
    if (r->nargs) return sl_text_find(r->arg[0], c, 0) >= 0;
    return sl_is_space(code);
}

static unsigned width(sl_text t, uint32_t at, uint32_t *code) {
    unsigned n = sl_utf8_decode(t.s + at, t.n - at, code);
    return n ? n : 1;
}

static sl_text strip_left(const rule *r, sl_text t) {
    while (t.n) {
        uint32_t code = 0;
        unsigned n = width(t, 0, &code);
        if (!is_stripped(r, (sl_text){t.s, n}, code)) break;
        t = (sl_text){t.s + n, t.n - n};
    }
    return t;
}

static sl_text strip_right(const rule *r, sl_text t) {
    while (t.n) {
        uint32_t code = 0, at = t.n - 1;
        while (at && t.n - at < 4 && ((unsigned char)t.s[at] & 0xc0) == 0x80) at--;
        if (at + width(t, at, &code) != t.n) break; /* no whole character */
        if (!is_stripped(r, (sl_text){t.s + at, t.n - at}, code)) break;
        t.n = at;
    }
    return t;
}

static sl_status run_lstrip(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    (void)arena, (void)err;
    *v = sl_text_value(strip_left(r, sl_bytes(*v)));
    return SL_OK;
}

static sl_status run_rstrip(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    (void)arena, (void)err;
    *v = sl_text_value(strip_right(r, sl_bytes(*v)));
    return SL_OK;
}

static sl_status run_strip(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    (void)arena, (void)err;
    *v = sl_text_value(strip_right(r, strip_left(r, sl_bytes(*v))));
    return SL_OK;
}

/* ---- parts -------------------------------------------------------------------------------------------------------------- */

/* Of a text with N bytes: how far to go on behind what was found at AT. */
static uint32_t step_over(sl_text t, sl_text what, uint32_t at) {
    uint32_t code;
    if (what.n) return what.n;
    return at < t.n ? width(t, at, &code) : 1;
}

static sl_status run_count(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    sl_text t = sl_bytes(*v);
    int64_t n = 0, at = sl_text_find(t, r->arg[0], 0);
    (void)arena, (void)err;
    while (at >= 0) {
        uint32_t next = (uint32_t)at + step_over(t, r->arg[0], (uint32_t)at);
        n++;
        at = next <= t.n ? sl_text_find(t, r->arg[0], next) : -1;
    }
    *v = sl_int(n);
    return SL_OK;
}

static sl_status run_find(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    sl_text t = sl_bytes(*v);
    int64_t at = sl_text_find(t, r->arg[0], 0);
    (void)arena, (void)err;
    *v = sl_int(at < 0 ? -1 : (int64_t)sl_utf8_length((sl_text){t.s, (uint32_t)at}));
    return SL_OK;
}

static sl_status run_replace(const rule *r, sl_value *v, sl_arena *arena, sl_error *err) {
    sl_text t = sl_bytes(*v), what = r->arg[0], with = r->arg[1];
    sl_buf out = {.limit = UINT32_MAX};
    uint32_t copied = 0;
    int64_t at = sl_text_find(t, what, 0);
    if (at < 0) return SL_OK;
    while (at >= 0) {
        uint32_t next = (uint32_t)at + step_over(t, what, (uint32_t)at);
        sl_buf_add(&out, t.s + copied, (uint32_t)at - copied);
        sl_buf_text(&out, with);
        copied = (uint32_t)at + what.n;
        at = next <= t.n ? sl_text_find(t, what, next) : -1;
    }
    sl_buf_add(&out, t.s + copied, t.n - copied);
    sl_status s = sl_buf_check(&out, err);
    if (s == SL_OK) {
        sl_text kept = sl_arena_text(arena, sl_text_n(out.data ? out.data : "", out.len));
        *v = sl_text_value(kept);
        if (!kept.s) s = sl_oom(err);
    }
    sl_buf_free(&out);
    return s;
}

static const transform transforms[] = {
    {"capitalize", 0, 0, false, run_capitalize},
    {"count", 1, 1, true, run_count},
    {"find", 1, 1, true, run_find},
    {"lower", 0, 0, false, run_lower},
    {"lstrip", 0, 1, false, run_lstrip},
    {"replace", 2, 2, false, run_replace},
    {"rstrip", 0, 1, false, run_rstrip},
    {"strip", 0, 1, false, run_strip},
    {"swapcase", 0, 0, false, run_swapcase},
    {"title", 0, 0, false, run_title},
    {"upper", 0, 0, false, run_upper},
};

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    (void)state, (void)item;
    if (!field.n) field = sl_text_value(SL_TEXT(""));
    for (uint32_t i = 0; i < c->rules.n; i++) {
        const rule *r = (const rule *)c->rules.v + i;
        if (r->transform) TRY(r->transform->run(r, &field, sl_results_arena(results), err));
    }
    return sl_result(results, field, err);
}

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static sl_status wrong_arguments(const rule *r, sl_error *err) {
    const transform *t = r->transform;
    return sl_fail(err, SL_E_PLAN, "transform '%s' takes %u%s%s argument%s separated by commas, got '%.*s'",
                   t->name, (unsigned)t->min, t->max > t->min ? " to " : "",
                   t->max > t->min ? (t->max == 1 ? "1" : "2") : "", t->max == 1 ? "" : "s", (int)r->args.n,
                   r->args.n ? r->args.s : "");
}

/* Arguments as they stand between the commas; none at all for an empty text. */
static sl_status split_arguments(rule *r, sl_error *err) {
    sl_text rest = r->args;
    r->nargs = 0;
    while (r->args.n) {
        int64_t comma = sl_text_find(rest, SL_TEXT(","), 0);
        if (r->nargs == r->transform->max) return wrong_arguments(r, err);
        r->arg[r->nargs++] = (sl_text){rest.s, comma < 0 ? rest.n : (uint32_t)comma};
        if (comma < 0) break;
        rest = (sl_text){rest.s + comma + 1, rest.n - (uint32_t)comma - 1};
    }
    return r->nargs < r->transform->min ? wrong_arguments(r, err) : SL_OK;
}

static sl_status unknown(const rule *r, sl_error *err) {
    const char *names[SL_COUNT(transforms) + 1] = {0};
    for (uint32_t i = 0; i < SL_COUNT(transforms); i++) names[i] = transforms[i].name;
    char hint[SL_HINT];
    return sl_fail(err, SL_E_PLAN,
                   "unknown transform '%.*s'%s; there are capitalize, count, find, lower, lstrip, replace, "
                   "rstrip, strip, swapcase, title and upper",
                   (int)r->name.n, r->name.s, sl_text_meant(r->name, names, hint));
}

/* Under riko's dialect an unknown transform has no effect. */
static sl_status prepare_rule(rule *r, bool riko, sl_error *err) {
    if (sl_text_is(r->name, "zfill"))
        return sl_fail(err, SL_E_PLAN, "transform 'zfill' needs a number, and arguments are texts");
    for (uint32_t i = 0; i < SL_COUNT(transforms); i++)
        if (sl_text_is(r->name, transforms[i].name)) r->transform = &transforms[i];
    if (!r->transform) return riko ? SL_OK : unknown(r, err);
    return split_arguments(r, err);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    rule *rules = c->rules.v;
    for (uint32_t i = 0; i < c->rules.n; i++) {
        TRY(prepare_rule(&rules[i], info->env->dialect == SL_RIKO, err));
        if (i && rules[i - 1].transform && rules[i - 1].transform->number)
            return sl_fail(err, SL_E_PLAN, "transform '%s' gives a number, so none can follow it",
                           rules[i - 1].transform->name);
    }
    return SL_OK;
}

static const sl_option rule_options[] = {
    {.name = "transform",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, name),
     .flags = SL_OPT_REQUIRED,
     .help = "capitalize, lower, upper, swapcase, title, strip, lstrip, rstrip, replace, count or find"},
    {.name = "args",
     .type = SL_OPT_TEXT,
     .offset = offsetof(rule, args),
     .fallback = "",
     .help = "its arguments, separated by commas"},
    {0},
};

static const sl_option options[] = {
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, rules),
     .rules = rule_options,
     .rule_size = sizeof(rule),
     .flags = SL_OPT_REQUIRED | SL_OPT_SCALARS,
     .help = "what to do, in order"},
    {0},
};

const sl_pipe sl_pipe_strtransform = {
    .name = "strtransform",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Changes the case of a text, trims it, counts or finds in it",
    .details = "Rules are applied in order. strip, lstrip and rstrip take the characters to remove, white "
               "space without; replace takes two texts; count gives how often its argument is there, find "
               "at which character, -1 for nowhere. Arguments are not trimmed. Case mapping is Unicode's: "
               "the capital of \xc3\x9f is SS. title begins every run of letters anew: they're becomes "
               "They'Re.",
    .example = "itembuilder attrs.key=content attrs.value=hello | strtransform title",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "rule",
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .each = each,
};
