/* urlparse: the six components of a URL. */
#include "base/error.h"
#include "net/url.h"
#include "operators/text/text.h"
#include "plan/pipe.h"

typedef struct conf {
    sl_text parse_key;
    sl_dialect dialect;
} conf;

/* What stands behind the first ; of the last path segment, which is cut off. */
static sl_text cut_params(sl_text *path) {
    uint32_t from = path->n;
    while (from && path->s[from - 1] != '/') from--;
    int64_t at = sl_text_find(*path, SL_TEXT(";"), from);
    if (at < 0) return SL_TEXT("");
    sl_text params = {path->s + at + 1, path->n - (uint32_t)at - 1};
    path->n = (uint32_t)at;
    return params;
}

/* T without white space and control characters in front and without line ends and tabs inside, which no URL has. */
static sl_status cleaned(sl_text *t, sl_arena *arena, sl_error *err) {
    uint32_t n = 0;
    while (t->n && (unsigned char)*t->s <= ' ') *t = (sl_text){t->s + 1, t->n - 1};
    char *copy = sl_arena_alloc(arena, t->n);
    if (!copy) return sl_oom(err);
    for (uint32_t i = 0; i < t->n; i++)
        if (!memchr("\t\r\n", t->s[i], 3)) copy[n++] = t->s[i];
    *t = (sl_text){copy, n};
    return SL_OK;
}

static sl_status give(const conf *c, sl_text name, sl_text part, sl_results *results, sl_error *err) {
    sl_arena *arena = sl_results_arena(results);
    sl_pair *pairs = sl_arena_alloc(arena, 2 * sizeof *pairs);
    if (!pairs) return sl_oom(err);
    if (!part.n) part = SL_TEXT("");
    pairs[0] = (sl_pair){SL_TEXT("component"), sl_text_value(name)};
    pairs[1] = (sl_pair){c->parse_key, sl_text_value(part)};
    bool same = sl_text_eq(c->parse_key, pairs[0].key);
    sl_value v = sl_map(same ? pairs + 1 : pairs, same ? 1 : 2);
    if (c->dialect == SL_RIKO) TRY(sl_nest_dotted(v, arena, &v, err));
    return sl_result(results, v, err);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_url u;
    sl_text t = sl_bytes(field), scheme;
    (void)state, (void)item;
    sl_results_many(results);
    if (t.n && ((unsigned char)*t.s <= ' ' || memchr(t.s, '\n', t.n) || memchr(t.s, '\r', t.n) ||
                memchr(t.s, '\t', t.n)))
        TRY(cleaned(&t, sl_results_arena(results), err));
    sl_url_split(t, &u);
    sl_text path = u.path, params = cut_params(&path);
    TRY(sl_case_map(u.scheme, SL_LOWER, sl_results_arena(results), &scheme, err));
    TRY(give(c, SL_TEXT("scheme"), scheme, results, err));
    TRY(give(c, SL_TEXT("netloc"), u.authority, results, err));
    TRY(give(c, SL_TEXT("path"), path, results, err));
    TRY(give(c, SL_TEXT("params"), params, results, err));
    TRY(give(c, SL_TEXT("query"), u.query, results, err));
    return give(c, SL_TEXT("fragment"), u.fragment, results, err);
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->dialect = info->env->dialect;
    if (c->parse_key.n) return SL_OK;
    return sl_fail(err, SL_E_PLAN, "key 'parse_key' must not be empty: it names the field of each component");
}

static const sl_option options[] = {
    {.name = "parse_key",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, parse_key),
     .fallback = "content",
     .help = "key of the component's text in its new item"},
    {0},
};

const sl_pipe sl_pipe_urlparse = {
    .name = "urlparse",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Takes a URL apart",
    .details =
        "Gives six items {component, content}, in this order: scheme, netloc (with user and port), path, "
        "params "
        "(behind a ; in the last segment of the path), query and fragment. Components that are not there are "
        "empty texts; nothing is decoded but the scheme, which is in lower case. Any text is taken apart, "
        "URL or "
        "not. With @emit=false the item keeps them as a list of objects.",
    .example = "itembuilder attrs.key=content attrs.value=http://example.com/a?b=1 | urlparse",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "parse_key",
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .each = each,
};
