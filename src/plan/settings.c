/* settings.c: settings as rows and their texts as values. Three may have a say: the default, the definition and the caller; who has
 * set a setting is kept as a bit, so that the caller wins whatever the order in which they are read. */
#include "plan/settings.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "options/option.h"
#include "record/number/number.h"

/* settings.given: bit i for the i-th row below when anybody set it, bit i + BY_CALLER when the caller did. */
enum { BY_CALLER = SL_MAX_SETTINGS, MIB = 1 << 20 };

#define FLAG(name, letter, arg, value)
#define HIDDEN
#define CALLER              .callers = true,
#define DEFAULT(text)       .fallback = text,
#define DEFAULT_ZERO(what)  .fallback = "0", .zero = what,
#define LIMITS(least, most) .min = least, .max = most,
#define ACCEPTS(text)       .accepted = text,
#define WORDS(...)          .words = (const char *const[]){__VA_ARGS__, NULL},
#define HELP(text)          .help = text,

static const sl_setting rows[] = {
#define SETTING(its_name, its_kind, columns)                                                                 \
    {.name = #its_name, .kind = SL_SETTING_##its_kind, .offset = offsetof(sl_settings, its_name), columns},
#include "options/settings.def"
};

static_assert(SL_COUNT(rows) <= SL_MAX_SETTINGS, "settings.given has a bit for each");

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

const sl_setting *sl_setting_named(sl_text name) {
    for (unsigned i = 0; i < SL_COUNT(rows); i++)
        if (sl_text_is(name, rows[i].name)) return &rows[i];
    return NULL;
}

static uint64_t bit_of(const sl_setting *r) {
    return UINT64_C(1) << (r - rows);
}

static bool one_of(sl_text t, const char *const *words) {
    for (; *words; words++)
        if (sl_text_eq_nocase(t, sl_text_of(*words))) return true;
    return false;
}

static bool set_switch(void *at, sl_text t) {
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

/* Other ways to say true or false are as good as these. */
static bool set_choice(const sl_setting *r, void *at, sl_text t) {
    bool on;
    if (set_switch(&on, t)) t = sl_text_of(on ? "true" : "false");
    for (int i = 0; r->words[i]; i++) {
        if (!sl_text_is(t, r->words[i])) continue;
        *(int *)at = i;
        return true;
    }
    return false;
}

static bool set_folder(void *at, sl_text t) {
    *(sl_text *)at = t;
    return t.n && !memchr(t.s, 0, t.n);
}

static bool set_row(const sl_setting *r, sl_settings *s, sl_text t) {
    void *at = (char *)s + r->offset;
    switch (r->kind) {
    case SL_SETTING_SWITCH: return set_switch(at, t);
    case SL_SETTING_COUNT: return set_count(r, at, t);
    case SL_SETTING_SIZE: return set_size(r, at, t);
    case SL_SETTING_CHOICE: return set_choice(r, at, t);
    case SL_SETTING_FOLDER: return set_folder(at, t);
    case SL_SETTING_FOLDERS: *(sl_text *)at = t; return t.n > 0;
    }
    return false;
}

void sl_settings_init(sl_settings *s) {
    *s = (sl_settings){.memory = default_memory()};
    for (unsigned i = 0; i < SL_COUNT(rows); i++) {
        bool fits = !rows[i].fallback || set_row(&rows[i], s, sl_text_of(rows[i].fallback));
        assert(fits);
        (void)fits;
    }
}

unsigned sl_setting_names(const char *names[SL_MAX_SETTINGS], bool callers) {
    unsigned n = 0;
    for (unsigned i = 0; i < SL_COUNT(rows); i++)
        if (rows[i].help && (callers || !rows[i].callers)) names[n++] = rows[i].name;
    return n;
}

static sl_status unknown_setting(sl_text name, sl_error *err) {
    const char *names[SL_MAX_SETTINGS + 1] = {NULL};
    char hint[SL_HINT];
    sl_setting_names(names, true);
    return sl_fail(err, SL_E_USAGE, "unknown setting '%.*s'%s", (int)name.n, name.s,
                   sl_text_meant(name, names, hint));
}

static sl_status refuse(const sl_setting *r, sl_text value, sl_status code, sl_error *err) {
    char accepted[128];
    if (r->kind == SL_SETTING_COUNT)
        snprintf(accepted, sizeof accepted, "%" PRId64 " to %" PRId64, r->min, r->max);
    else
        snprintf(accepted, sizeof accepted, "%s", r->accepted ? r->accepted : "true or false");
    return sl_fail(err, code, "'%s' must be %s%s%s%s, got '%.*s'", r->name, accepted, r->zero ? " (0: " : "",
                   r->zero ? r->zero : "", r->zero ? ")" : "", (int)value.n, value.s);
}

sl_status sl_settings_set(sl_settings *s, sl_text name, sl_text value, bool by_caller, sl_status code,
                          sl_error *err) {
    const sl_setting *r = sl_setting_named(name);
    if (!r) return unknown_setting(name, err);
    uint64_t bit = bit_of(r);
    sl_settings trial = *s;
    if (!set_row(r, &trial, value)) return refuse(r, value, code, err);
    bool overruled = !by_caller && (s->given & bit << BY_CALLER);
    if (!overruled) *s = trial;
    s->given |= by_caller ? bit | bit << BY_CALLER : bit;
    return SL_OK;
}

bool sl_settings_given(const sl_settings *s, sl_text name) {
    return s->given & bit_of(sl_setting_named(name));
}

void sl_settings_inherit(sl_settings *s, const sl_settings *from) {
    uint64_t by_caller = from->given >> BY_CALLER;
    s->given |= by_caller | by_caller << BY_CALLER;
    if (sl_settings_given(s, SL_TEXT("dialect"))) s->dialect = from->dialect;
}
