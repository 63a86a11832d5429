/* web.c: how sources ask. The layers of a run (definition, source, caller) are kept as they were written and put together for
 * each source; secrets are left out where an address comes from data, which is why the layers cannot simply be merged once. */
#include "plan/web.h"

#include "base/error.h"
#include "record/cast.h"
#include "record/number/number.h"

enum { MAX_HEADERS = 256, MAX_KEYS = 32, MAX_NETWORKS = 1024 };

typedef struct client_conf {
    sl_text token_url, id, secret, scope;
} client_conf;

/* Marks of keys, beside SL_OPT_*: somebody is trusted by what it says; what it says is the name of a file. */
enum { SECRET = 1 << 16, FROM_FILE = 1 << 17 };

/* ---- the keys ---------------------------------------------------------------------------------------------------- */

static const sl_option client_options[] = {
    {.name = "token_url",
     .type = SL_OPT_TEXT,
     .offset = offsetof(client_conf, token_url),
     .flags = SL_OPT_REQUIRED,
     .help = "where tokens are given out"},
    {.name = "client_id",
     .type = SL_OPT_TEXT,
     .offset = offsetof(client_conf, id),
     .flags = SL_OPT_REQUIRED,
     .help = "who asks"},
    {.name = "client_secret",
     .type = SL_OPT_TEXT,
     .offset = offsetof(client_conf, secret),
     .flags = SL_OPT_REQUIRED,
     .help = "the client's password"},
    {.name = "scope", .type = SL_OPT_TEXT, .offset = offsetof(client_conf, scope), .help = "what for"},
    {.name = NULL},
};

#define FLAG(name, letter, arg, value)
#define DEFAULT(text)       .fallback = text,
#define LIMITS(least, most) .min = least, .max = most,
#define RULES(table, its)   .rules = table, .rule_size = sizeof(its),
#define MARKS(marks)        .flags = marks,
#define HELP(text)          .help = text,

const sl_option sl_web_options[] = {
#define HTTP(key, its_type, columns)                                                                         \
    {.name = #key, .type = SL_OPT_##its_type, .offset = offsetof(sl_web_conf, key), columns},
#include "options/settings.def"
    {.name = NULL},
};

static bool is_marked(sl_text key, unsigned mark) {
    const sl_option *o = sl_web_options;
    while (o->name && !sl_text_is(key, o->name)) o++;
    return o->flags & mark;
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

static bool begins_with(sl_text t, sl_text head) {
    return t.n > head.n && !memcmp(t.s, head.s, head.n);
}

bool sl_web_knows(sl_text name) {
    return sl_text_is(name, "http") || sl_text_is(name, "allow_net") || begins_with(name, SL_TEXT("http."));
}

/* The member KEY of MAP becomes V; headers gather. */
static sl_status put_member(sl_value *map, sl_text key, sl_value v, sl_arena *arena, sl_error *err) {
    uint32_t n = map->type == SL_MAP ? map->n : 0;
    sl_pair *pairs = sl_arena_calloc(arena, n + 1, sizeof *pairs);
    sl_value *two = sl_arena_calloc(arena, 2, sizeof *two);
    if (!pairs || !two) return sl_oom(err);
    if (n) memcpy(pairs, map->as.map, n * sizeof *pairs);
    uint32_t at = 0;
    while (at < n && !sl_text_eq(pairs[at].key, key)) at++;
    bool gather = at < n && sl_text_is(key, "headers");
    two[0] = pairs[at].value;
    two[1] = v;
    pairs[at] = (sl_pair){key, gather ? sl_list(two, 2) : v};
    *map = sl_map(pairs, at == n ? n + 1 : n);
    return SL_OK;
}

/* Finds out at once what is wrong with MAP. */
static sl_status check_map(sl_value map, sl_status code, sl_arena *arena, sl_error *err) {
    sl_error why = {0};
    sl_text bad;
    sl_web web = {.http = map};
    sl_web_conf *conf = sl_arena_calloc(arena, 1, sizeof *conf);
    sl_manners manners;
    if (!conf) return sl_oom(err);
    sl_status status = sl_options_parse(sl_web_options, map, false, conf, arena, &bad, &why);
    if (!status) status = sl_web_manners(&web, sl_missing(), false, NULL, arena, &manners, &why);
    if (!status) return SL_OK;
    return sl_fail(err, status == SL_E_MEMORY ? status : code, "http: %s", why.text);
}

static sl_status set_http(sl_web *web, sl_text name, sl_value v, bool by_caller, sl_status code,
                          sl_arena *arena, sl_error *err) {
    sl_value *map = by_caller ? &web->called : &web->http, copy;
    TRY(sl_value_copy(&copy, v, arena, err));
    if (!sl_text_is(name, "http")) {
        sl_text key = sl_arena_text(arena, (sl_text){name.s + 5, name.n - 5});
        if (!key.s) return sl_oom(err);
        TRY(put_member(map, key, copy, arena, err));
    } else if (v.type != SL_MAP) {
        return sl_fail(err, code, "'http' must be an object such as {\"retries\": 5}, got %s",
                       sl_type_name((sl_type)v.type));
    } else {
        *map = copy;
    }
    return check_map(*map, code, arena, err);
}

static sl_status allow(sl_web *web, sl_text t, sl_status code, sl_arena *arena, sl_error *err) {
    if (!web->allowed) web->allowed = sl_arena_calloc(arena, MAX_NETWORKS, sizeof *web->allowed);
    if (!web->allowed) return sl_oom(err);
    if (web->nallowed == MAX_NETWORKS) {
        return sl_fail(err, code, "'allow_net' is given more than %d times", MAX_NETWORKS);
    }
    if (sl_network_parse(sl_text_trim(t), &web->allowed[web->nallowed])) {
        web->nallowed++;
        return SL_OK;
    }
    return sl_fail(err, code,
                   "'allow_net' must be a network or an address, such as 10.1.0.0/16 or fd00::/8, got '%.*s'",
                   (int)t.n, t.s);
}

sl_status sl_web_set(sl_web *web, sl_text name, sl_value v, bool by_caller, sl_status code, sl_arena *arena,
                     sl_error *err) {
    if (!sl_text_is(name, "allow_net")) return set_http(web, name, v, by_caller, code, arena, err);
    bool many = v.type == SL_LIST;
    for (uint32_t i = 0; i < (many ? v.n : 1); i++) {
        sl_value one = many ? v.as.list[i] : v;
        TRY(allow(web, sl_is_text(one) ? sl_bytes(one) : (sl_text){0}, code, arena, err));
    }
    return SL_OK;
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

typedef struct lines {
    const char *v[MAX_HEADERS + 1]; /* NULL-terminated */
    uint32_t n, earlier;            /* of them, those of layers before */
    bool harmless;                  /* only these are taken */
    sl_arena *arena;
    sl_error *err;
} lines;

static bool is_token(sl_text t) {
    for (uint32_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.s[i];
        if (c <= ' ' || c >= 127 || strchr("()<>@,;:\\\"/[]?={}", c)) return false;
    }
    return t.n > 0;
}

static bool is_value(sl_text t) {
    for (uint32_t i = 0; i < t.n; i++) {
        if (((unsigned char)t.s[i] < ' ' && t.s[i] != '\t') || t.s[i] == 127) return false;
    }
    return true;
}

/* Lines of an earlier layer with the same name make way. */
static void drop_earlier(lines *l, sl_text name) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        sl_text head = sl_text_n(l->v[i], strcspn(l->v[i], ":;"));
        if (i < l->earlier && sl_text_eq_nocase(head, name)) continue;
        l->v[kept++] = l->v[i];
    }
    l->earlier -= l->n - kept;
    l->n = kept;
}

static sl_status add_header(lines *l, sl_text name, sl_text value) {
    if (!is_token(name)) {
        return sl_fail(l->err, SL_E_PLAN, "key 'headers': '%.*s' is no name of a header", (int)name.n,
                       name.s);
    }
    if (!is_value(value)) {
        return sl_fail(l->err, SL_E_PLAN, "key 'headers': the value of %.*s has control characters",
                       (int)name.n, name.s);
    }
    drop_earlier(l, name);
    if (l->n == MAX_HEADERS) return sl_fail(l->err, SL_E_PLAN, "key 'headers': more than %d", MAX_HEADERS);
    sl_text line =
        value.n
            ? sl_arena_printf(l->arena, "%.*s: %.*s", (int)name.n, name.s, (int)value.n, value.s)
            : sl_arena_printf(l->arena, "%.*s;", (int)name.n, name.s); /* libcurl's way to send it empty */
    if (!line.s) return sl_oom(l->err);
    if (!l->harmless || sl_header_is_harmless(line.s)) l->v[l->n++] = line.s;
    return SL_OK;
}

/* "Name: value" */
static sl_status add_line(lines *l, sl_value v) {
    sl_text t = sl_is_text(v) ? sl_bytes(v) : (sl_text){0};
    const char *colon = t.n ? memchr(t.s, ':', t.n) : NULL;
    if (!colon) {
        return sl_fail(
            l->err, SL_E_PLAN,
            "key 'headers' must be an object {name: value} or lines 'Name: value'; one is neither");
    }
    sl_text name = sl_text_n(t.s, (size_t)(colon - t.s));
    return add_header(l, name, sl_text_trim((sl_text){colon + 1, t.n - name.n - 1}));
}

static sl_status add_pair(lines *l, const sl_pair *pair) {
    bool many = pair->value.type == SL_LIST;
    for (uint32_t i = 0; i < (many ? pair->value.n : 1); i++) {
        sl_text t;
        TRY(sl_to_text(many ? pair->value.as.list[i] : pair->value, "", l->arena, &t, l->err));
        TRY(add_header(l, pair->key, sl_text_trim(t)));
    }
    return SL_OK;
}

static sl_status add_headers(lines *l, sl_value v) {
    if (v.type == SL_LIST) {
        for (uint32_t i = 0; i < v.n; i++) TRY(add_headers(l, v.as.list[i]));
        return SL_OK;
    }
    if (v.type != SL_MAP) return add_line(l, v);
    for (uint32_t i = 0; i < v.n; i++) TRY(add_pair(l, &v.as.map[i]));
    return SL_OK;
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

typedef struct layers {
    sl_pair keys[MAX_KEYS];
    uint32_t nkeys;
    lines *headers;
    const char *base_dir; /* of the layer at hand */
    sl_arena *arena;
    sl_error *err;
} layers;

static sl_status place_file(const layers *l, sl_value *v) {
    sl_text t = sl_is_text(*v) ? sl_bytes(*v) : (sl_text){0};
    if (!l->base_dir || !l->base_dir[0] || !t.n || t.s[0] == '/') return SL_OK;
    sl_text path = sl_arena_printf(l->arena, "%s/%.*s", l->base_dir, (int)t.n, t.s);
    *v = sl_text_value(path);
    return path.s ? SL_OK : sl_oom(l->err);
}

static sl_status add_key(layers *l, sl_pair pair) {
    uint32_t at = 0;
    if (is_marked(pair.key, FROM_FILE)) TRY(place_file(l, &pair.value));
    while (at < l->nkeys && !sl_text_eq(l->keys[at].key, pair.key)) at++;
    if (at == MAX_KEYS) return sl_fail(l->err, SL_E_PLAN, "key 'http' has too many keys");
    l->keys[at] = pair;
    if (at == l->nkeys) l->nkeys++;
    return SL_OK;
}

/* The keys of MAP go before those of the layers so far. WARY: without secrets. */
static sl_status add_layer(layers *l, sl_value map, bool wary, const char *base_dir) {
    l->headers->earlier = l->headers->n;
    l->headers->harmless = wary;
    l->base_dir = base_dir;
    for (uint32_t i = 0; map.type == SL_MAP && i < map.n; i++) {
        sl_pair pair = map.as.map[i];
        if (sl_is_absent(pair.value) || (wary && is_marked(pair.key, SECRET))) continue;
        if (sl_text_is(pair.key, "headers"))
            TRY(add_headers(l->headers, pair.value));
        else
            TRY(add_key(l, pair));
    }
    return SL_OK;
}

/* ---- manners ----------------------------------------------------------------------------------------------------- */

/* "2/s" or "2" into the seconds between two requests. */
static sl_status read_rate(sl_text t, double *interval, sl_error *err) {
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    double n = 0, per = 1;
    const char *slash = t.n ? memchr(t.s, '/', t.n) : NULL;
    sl_text count = slash ? sl_text_n(t.s, (size_t)(slash - t.s)) : t;
    bool known = !slash;
    for (size_t i = 0; slash && i < SL_COUNT(units); i++) {
        if (!sl_text_is(sl_text_trim((sl_text){slash + 1, t.n - count.n - 1}), units[i].unit)) continue;
        per = units[i].seconds;
        known = true;
    }
    if (known && sl_parse_double(sl_text_trim(count), &n) && n > 0 && n <= 1e6) {
        *interval = per / n;
        return SL_OK;
    }
    return sl_fail(
        err, SL_E_PLAN,
        "key 'rate' must be a number of requests in a time, such as 2/s, 30/m or 500/h, got '%.*s'", (int)t.n,
        t.s);
}

/* T as a C string in ARENA; NULL where there is none. */
static sl_status keep(sl_text t, sl_arena *arena, const char **out, sl_error *err) {
    *out = t.n ? sl_arena_strndup(arena, t.s, t.n) : NULL;
    if (t.n && memchr(t.s, 0, t.n))
        return sl_fail(err, SL_E_PLAN, "key 'http': a text has a zero byte in it");
    return t.n && !*out ? sl_oom(err) : SL_OK;
}

static sl_status fill_client(const sl_web_conf *c, sl_arena *arena, sl_manners *m, sl_error *err) {
    if (!c->oauth2.n) return SL_OK;
    if (c->oauth2.n > 1) return sl_fail(err, SL_E_PLAN, "key 'oauth2' is one object, not several");
    const client_conf *from = c->oauth2.v;
    sl_oauth *to = sl_arena_calloc(arena, 1, sizeof *to);
    if (!to) return sl_oom(err);
    TRY(keep(from->token_url, arena, &to->token_url, err));
    TRY(keep(from->id, arena, &to->id, err));
    TRY(keep(from->secret, arena, &to->secret, err));
    TRY(keep(from->scope, arena, &to->scope, err));
    m->oauth = to;
    return SL_OK;
}

static sl_status fill(const sl_web_conf *c, sl_arena *arena, sl_manners *m, sl_error *err) {
    *m = (sl_manners){.netrc = c->netrc,
                      .insecure = c->insecure,
                      .retries = (unsigned)c->retries,
                      .retry_time = c->retry_time,
                      .timeout = c->timeout,
                      .connect_timeout = c->connect_timeout,
                      .idle_timeout = c->idle_timeout,
                      .max_body = c->max_body};
    TRY(keep(c->user_agent, arena, &m->agent, err));
    TRY(keep(c->user, arena, &m->user, err));
    TRY(keep(c->bearer, arena, &m->bearer, err));
    TRY(keep(c->cacert, arena, &m->cacert, err));
    TRY(keep(c->cert, arena, &m->cert, err));
    TRY(keep(c->key, arena, &m->key, err));
    TRY(fill_client(c, arena, m, err));
    if (c->rate.n) TRY(read_rate(c->rate, &m->interval, err));
    bool clean = !m->bearer || !m->bearer[strcspn(m->bearer, "\r\n")];
    return clean ? SL_OK : sl_fail(err, SL_E_PLAN, "key 'bearer' has a line break in it");
}

static sl_status fill_headers(const lines *l, sl_manners *m) {
    const char **kept = sl_arena_calloc(l->arena, l->n + 1, sizeof *kept);
    if (!kept) return sl_oom(l->err);
    memcpy(kept, l->v, l->n * sizeof *kept);
    m->headers = kept;
    return SL_OK;
}

sl_status sl_web_manners(const sl_web *web, sl_value own, bool from_data, const char *base_dir,
                         sl_arena *arena, sl_manners *out, sl_error *err) {
    static const sl_web none;
    if (!web) web = &none;
    lines headers = {.arena = arena, .err = err};
    layers l = {.headers = &headers, .arena = arena, .err = err};
    TRY(add_layer(&l, web->http, from_data, base_dir));
    TRY(add_layer(&l, own, false, base_dir));
    TRY(add_layer(&l, web->called, from_data, NULL));
    sl_web_conf c = {0};
    TRY(sl_options_parse(sl_web_options, sl_map(l.keys, l.nkeys), false, &c, arena, NULL, err));
    TRY(fill(&c, arena, out, err));
    return fill_headers(&headers, out);
}
