#include "plan/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "record/cast.h"
#include "record/number.h"

/* settings.given: bit i for the i-th row below when anybody set it, bit i + 32 when the caller did. */
enum { BY_CALLER = 32 };

enum { MIB = 1 << 20 };

/* RIGHT: a flag that no definition can give itself. */
typedef enum kind { FLAG, RIGHT, COUNT, SIZE, DIALECT, FOLDERS, CACHE, FOLDER } kind;

static const struct row {
    const char *name;
    kind kind;
    size_t offset;
    int64_t min, max;
    const char *accepted;
} rows[] = {
    {"dialect", DIALECT, offsetof(sl_settings, dialect), 0, 0, "riko or native"},
    {"parallel", FLAG, offsetof(sl_settings, parallel), 0, 0, "true or false"},
    {"threads", FLAG, offsetof(sl_settings, threads), 0, 0, "true or false"},
    {"ordered", FLAG, offsetof(sl_settings, ordered), 0, 0, "true or false"},
    {"keep_going", FLAG, offsetof(sl_settings, keep_going), 0, 0, "true or false"},
    {"if_changed", FLAG, offsetof(sl_settings, if_changed), 0, 0, "true or false"},
    {"allow_files", FLAG, offsetof(sl_settings, allow_files), 0, 0, "true or false"},
    {"workers", COUNT, offsetof(sl_settings, workers), 0, 1024, "0 to 1024 (0: one a core)"},
    {"connections", COUNT, offsetof(sl_settings, connections), 1, 1024, "1 to 1024"},
    {"per_host", COUNT, offsetof(sl_settings, per_host), 1, 1024, "1 to 1024"},
    {"memory", SIZE, offsetof(sl_settings, memory), MIB, INT64_MAX, "a size of at least 1M, such as 256M"},
    {"unit", SIZE, offsetof(sl_settings, unit), 1, 64 * MIB, "a size from 1 byte to 64M"},
    {"cache", CACHE, offsetof(sl_settings, cache), 0, 0, "true, false or refresh"},
    {"cache_dir", FOLDER, offsetof(sl_settings, cache_dir), 0, 0, "the name of a folder"},
    {"cache_size", SIZE, offsetof(sl_settings, cache_size), 0, INT64_MAX, "a size, such as 500M"},
    {"cache_credentials", FLAG, offsetof(sl_settings, cache_credentials), 0, 0, "true or false"},
    {"limit", SIZE, offsetof(sl_settings, limit), 0, INT64_MAX, "a number of items (0: all)"},
    {"test", FLAG, offsetof(sl_settings, test), 0, 0, "true or false"},
    {"pipe_path", FOLDERS, offsetof(sl_settings, pipe_path), 0, 0,
     "a folder, or several separated by colons"},
    {"unsafe_lua", RIGHT, offsetof(sl_settings, unsafe_lua), 0, 0, "true or false"},
    {"no_exec", RIGHT, offsetof(sl_settings, no_exec), 0, 0, "true or false"},
    {"no_plugins", RIGHT, offsetof(sl_settings, no_plugins), 0, 0, "true or false"},
};

/* Half of the machine's memory, at most 4 GiB; 1 GiB where the machine does not say. */
static uint64_t default_memory(void) {
    const uint64_t most = (uint64_t)4096 * MIB;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0) return (uint64_t)1024 * MIB;
    uint64_t half = (uint64_t)pages * (uint64_t)page / 2;
    if (half < MIB) return MIB;
    return half < most ? half : most;
}

void sl_settings_init(sl_settings *s) {
    *s = (sl_settings){
        .parallel = true,
        .threads = true,
        .ordered = true,
        .connections = 16,
        .per_host = 6,
        .memory = default_memory(),
        .unit = MIB,
        .dialect = SL_NATIVE,
        .cache = SL_CACHE_ON,
        .cache_size = SL_CACHE_SIZE,
    };
}

static const struct row *find_row(sl_text name) {
    for (unsigned i = 0; i < SL_COUNT(rows); i++)
        if (sl_text_is(name, rows[i].name)) return &rows[i];
    return NULL;
}

bool sl_setting_known(sl_text name) {
    return find_row(name) || sl_web_knows(name);
}

static bool one_of(sl_text t, const char *const *words) {
    for (; *words; words++)
        if (sl_text_eq_nocase(t, sl_text_of(*words))) return true;
    return false;
}

static bool set_flag(void *at, sl_text t) {
    static const char *const yes[] = {"true", "yes", "on", "1", NULL}, *const no[] = {"false", "no", "off",
                                                                                      "0", NULL};
    bool on = one_of(t, yes);
    if (!on && !one_of(t, no)) return false;
    *(bool *)at = on;
    return true;
}

static bool set_count(const struct row *r, void *at, sl_text t) {
    int64_t n;
    if (!sl_parse_int(t, &n) || n < r->min || n > r->max) return false;
    *(unsigned *)at = (unsigned)n;
    return true;
}

static bool set_size(const struct row *r, void *at, sl_text t) {
    uint64_t n;
    if (!sl_size_parse(t, &n) || n < (uint64_t)r->min || n > (uint64_t)r->max) return false;
    *(uint64_t *)at = n;
    return true;
}

static bool set_dialect(void *at, sl_text t) {
    bool riko = sl_text_is(t, "riko");
    if (!riko && !sl_text_is(t, "native")) return false;
    *(sl_dialect *)at = riko ? SL_RIKO : SL_NATIVE;
    return true;
}

static bool set_cache(void *at, sl_text t) {
    bool on = true, refresh = sl_text_is(t, "refresh");
    if (!refresh && !set_flag(&on, t)) return false;
    *(sl_cache_mode *)at = refresh ? SL_CACHE_REFRESH : on ? SL_CACHE_ON : SL_CACHE_OFF;
    return true;
}

static bool set_folder(void *at, sl_text t) {
    *(sl_text *)at = t;
    return t.n && !memchr(t.s, 0, t.n);
}

static bool set_row(const struct row *r, sl_settings *s, sl_text t) {
    void *at = (char *)s + r->offset;
    switch (r->kind) {
    case FLAG:
    case RIGHT: return set_flag(at, t);
    case COUNT: return set_count(r, at, t);
    case SIZE: return set_size(r, at, t);
    case DIALECT: return set_dialect(at, t);
    case FOLDERS: *(sl_text *)at = t; return t.n > 0;
    case CACHE: return set_cache(at, t);
    case FOLDER: return set_folder(at, t);
    }
    return false;
}

static sl_status unknown_setting(sl_text name, sl_error *err) {
    const char *names[SL_COUNT(rows) + 1] = {NULL};
    for (unsigned i = 0; i < SL_COUNT(rows); i++) names[i] = rows[i].name;
    const char *near = sl_text_nearest(name, names);
    return sl_fail(err, SL_E_USAGE, "unknown setting '%.*s'%s%s%s", (int)name.n, name.s,
                   near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* CODE is how a bad value is reported: the caller's mistake, or the definition's. */
static sl_status set(sl_plan *p, sl_text name, sl_text value, bool by_caller, sl_status code, sl_error *err) {
    const struct row *r = find_row(name);
    if (!r) return unknown_setting(name, err);
    uint64_t bit = UINT64_C(1) << (r - rows);
    sl_text kept = sl_arena_text(&p->arena, sl_text_trim(value)); /* folders outlive the call */
    if (!kept.s) return sl_oom(err);
    sl_settings trial = p->settings;
    if (!set_row(r, &trial, kept))
        return sl_fail(err, code, "'%s' must be %s, got '%.*s'", r->name, r->accepted, (int)value.n, value.s);
    bool overruled = !by_caller && (p->settings.given & bit << BY_CALLER);
    if (!overruled) p->settings = trial;
    p->settings.given |= by_caller ? bit | bit << BY_CALLER : bit;
    return SL_OK;
}

sl_status sl_plan_set(sl_plan *p, sl_text name, sl_text value, bool by_caller, sl_error *err) {
    if (!sl_web_knows(name)) return set(p, name, value, by_caller, SL_E_USAGE, err);
    return sl_web_set(&p->web, name, sl_text_value(value), by_caller, SL_E_USAGE, &p->arena, err);
}

/* A definition's folders, one or a list, start at its own; as one text. */
static sl_status folders(sl_plan *p, sl_value v, sl_text *out, sl_error *err) {
    sl_buf text = {.limit = MIB};
    uint32_t n = v.type == SL_LIST ? v.n : 1;
    for (uint32_t i = 0; i < n; i++) {
        sl_text folder = {0};
        TRY(sl_to_text(v.type == SL_LIST ? v.as.list[i] : v, "", &p->arena, &folder, err));
        if (i) sl_buf_byte(&text, ':');
        if (p->base_dir && folder.n && folder.s[0] != '/') sl_buf_printf(&text, "%s/", p->base_dir);
        sl_buf_text(&text, folder);
    }
    sl_status status = sl_buf_check(&text, err);
    if (status == SL_OK) *out = sl_arena_text(&p->arena, sl_text_n(text.data, text.len));
    sl_buf_free(&text);
    return status == SL_OK && !out->s ? sl_oom(err) : status;
}

sl_status sl_plan_setting(sl_plan *p, sl_text name, sl_value v, sl_error *err) {
    const struct row *r = find_row(name);
    sl_text t = {0};
    if (sl_web_knows(name)) return sl_web_set(&p->web, name, v, false, SL_E_PLAN, &p->arena, err);
    if (r && r->kind == RIGHT)
        return sl_fail(err, SL_E_PLAN, "'%s' is for whoever runs a definition to say, not for the definition",
                       r->name);
    if (r && r->kind == FOLDERS)
        TRY(folders(p, v, &t, err));
    else
        TRY(sl_to_text(v, "null", &p->arena, &t, err));
    return set(p, name, t, false, SL_E_PLAN, err);
}

void sl_settings_inherit(sl_settings *s, const sl_settings *from) {
    uint64_t by_caller = from->given >> BY_CALLER;
    for (unsigned i = 0; i < SL_COUNT(rows); i++) {
        uint64_t bit = UINT64_C(1) << i;
        if (!(by_caller & bit)) continue;
        if (rows[i].kind == DIALECT) s->dialect = from->dialect;
        s->given |= bit | bit << BY_CALLER;
    }
}

bool sl_plan_given(const sl_plan *p, sl_text name) {
    return p->settings.given >> (find_row(name) - rows) & 1;
}

void sl_plan_imply_dialect(sl_plan *p, sl_dialect dialect) {
    if (!sl_plan_given(p, SL_TEXT("dialect"))) p->settings.dialect = dialect;
}
