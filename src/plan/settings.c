/* settings.c: the settings of a run, one row each. Three may have a say: the default, the definition and the caller; who has
 * set a setting is kept as a bit, so that the caller wins whatever the order in which they are read. */
#include "plan/internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "record/cast.h"
#include "record/number/number.h"

/* settings.given: bit i for the i-th row below when anybody set it, bit i + 32 when the caller did. */
enum { BY_CALLER = 32 };

enum { MIB = 1 << 20 };

#define ROW(setting, its_kind) .name = #setting, .kind = its_kind, .offset = offsetof(sl_settings, setting)
#define FLAG(setting, on)      ROW(setting, SL_SETTING_FLAG), .accepted = "true or false", .fallback = on

static const sl_setting rows[] = {
    {ROW(dialect, SL_SETTING_DIALECT), .accepted = "riko or native",
     .help = "how fields and confs are read; default: riko for its full format, else native"},
    {FLAG(parallel, "true"), .help = "use a pool of workers"},
    {FLAG(threads, "true"), .help = "the workers are threads; false: forked processes"},
    {FLAG(ordered, "true"), .help = "output in the order of the input"},
    {FLAG(keep_going, "false"), .help = "a source that cannot be opened or fetched is left out"},
    {FLAG(if_changed, "false"), .help = "do nothing when the input is that of the last committed run"},
    {FLAG(allow_files, "false"), .help = "data from the network may name local files"},
    {ROW(workers, SL_SETTING_COUNT), .max = 1024, .accepted = "0 to 1024 (0: one a core)", .fallback = "0",
     .help = "number of workers; 0: one a core"},
    {ROW(connections, SL_SETTING_COUNT), .min = 1, .max = 1024, .accepted = "1 to 1024", .fallback = "16",
     .help = "transfers at once"},
    {ROW(per_host, SL_SETTING_COUNT), .min = 1, .max = 1024, .accepted = "1 to 1024", .fallback = "6",
     .help = "transfers at once to one host"},
    {ROW(memory, SL_SETTING_SIZE), .min = MIB, .max = INT64_MAX,
     .accepted = "a size of at least 1M, such as 256M",
     .help = "what sorts, groups, joins and the like may hold before they use temporary files; default: half "
             "of the machine's, at most 4G"},
    {ROW(unit, SL_SETTING_SIZE), .min = 1, .max = 64 * MIB, .accepted = "a size from 1 byte to 64M",
     .fallback = "1M", .help = "bytes of input a worker gets at a time"},
    {ROW(cache, SL_SETTING_CACHE), .accepted = "true, false or refresh", .fallback = "true",
     .help = "keep copies of HTTP answers; refresh: and ask for all of them anew"},
    {ROW(cache_dir, SL_SETTING_FOLDER), .accepted = "the name of a folder", .help = "folder of these copies"},
    {ROW(cache_size, SL_SETTING_SIZE), .max = INT64_MAX, .accepted = "a size, such as 500M", .fallback = "1G",
     .help = "what they may take up"},
    {FLAG(cache_credentials, "false"), .help = "also keep answers to requests with credentials"},
    {ROW(limit, SL_SETTING_SIZE), .max = INT64_MAX, .accepted = "a number of items (0: all)", .fallback = "0",
     .help = "stop after so many items; 0: all"},
    {ROW(min_rows, SL_SETTING_SIZE), .max = INT64_MAX, .accepted = "a number of rows (0: any)",
     .fallback = "0",
     .help = "fail and commit nothing when fewer rows than this would be written; 0: any number will do"},
    {FLAG(allow_empty, "false"), .help = "an input without any record may replace records that are there"},
    {FLAG(test, "false"), .help = "input pipes without a value use their default"},
    {ROW(pipe_path, SL_SETTING_FOLDERS), .accepted = "a folder, or several separated by colons",
     .help = "where subpipes are looked for too"},
    {FLAG(unsafe_lua, "false"), .right = true},
    {FLAG(no_exec, "false"), .right = true},
    {FLAG(no_plugins, "false"), .right = true},
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

const sl_setting *sl_setting_at(unsigned i) {
    return i < SL_COUNT(rows) ? &rows[i] : NULL;
}

static const sl_setting *find_row(sl_text name) {
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

static bool set_count(const sl_setting *r, void *at, sl_text t) {
    int64_t n;
    if (!sl_parse_int(t, &n) || n < r->min || n > r->max) return false;
    *(unsigned *)at = (unsigned)n;
    return true;
}

static bool set_size(const sl_setting *r, void *at, sl_text t) {
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

static bool set_row(const sl_setting *r, sl_settings *s, sl_text t) {
    void *at = (char *)s + r->offset;
    switch (r->kind) {
    case SL_SETTING_FLAG: return set_flag(at, t);
    case SL_SETTING_COUNT: return set_count(r, at, t);
    case SL_SETTING_SIZE: return set_size(r, at, t);
    case SL_SETTING_DIALECT: return set_dialect(at, t);
    case SL_SETTING_FOLDERS: *(sl_text *)at = t; return t.n > 0;
    case SL_SETTING_CACHE: return set_cache(at, t);
    case SL_SETTING_FOLDER: return set_folder(at, t);
    }
    return false;
}

void sl_settings_init(sl_settings *s) {
    *s = (sl_settings){.memory = default_memory(), .dialect = SL_NATIVE};
    for (unsigned i = 0; i < SL_COUNT(rows); i++) {
        bool fits = !rows[i].fallback || set_row(&rows[i], s, sl_text_of(rows[i].fallback));
        assert(fits);
        (void)fits;
    }
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
    const sl_setting *r = find_row(name);
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
    const sl_setting *r = find_row(name);
    sl_text t = {0};
    if (sl_web_knows(name)) return sl_web_set(&p->web, name, v, false, SL_E_PLAN, &p->arena, err);
    if (r && r->right)
        return sl_fail(err, SL_E_PLAN, "'%s' is for whoever runs a definition to say, not for the definition",
                       r->name);
    if (r && r->kind == SL_SETTING_FOLDERS)
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
        if (rows[i].kind == SL_SETTING_DIALECT) s->dialect = from->dialect;
        s->given |= bit | bit << BY_CALLER;
    }
}

bool sl_plan_given(const sl_plan *p, sl_text name) {
    return p->settings.given >> (find_row(name) - rows) & 1;
}

void sl_plan_imply_dialect(sl_plan *p, sl_dialect dialect) {
    if (!sl_plan_given(p, SL_TEXT("dialect"))) p->settings.dialect = dialect;
}
