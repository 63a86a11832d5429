/* sink.c: the registry: which sink a text such as "x.csv" or "out.db:table" means. */
#include "sinks/sink.h"

#include "base/error.h"

#define X(name) extern const sl_sink sl_sink_##name;
#include "sinks/sinks.def"
#undef X

static const sl_sink *const registry[] = {
#define X(name) &sl_sink_##name,
#include "sinks/sinks.def"
#undef X
};

const sl_sink *sl_sink_at(unsigned i) {
    return i < SL_COUNT(registry) ? registry[i] : NULL;
}

const sl_sink *sl_sink_named(sl_text name) {
    for (size_t i = 0; i < SL_COUNT(registry); i++)
        if (sl_text_is(name, registry[i]->name)) return registry[i];
    return NULL;
}

static bool ends_with(sl_text t, const char *suffix) {
    sl_text tail = sl_text_of(suffix);
    return t.n > tail.n && sl_text_eq_nocase((sl_text){t.s + t.n - tail.n, tail.n}, tail);
}

static bool has_suffix(const sl_sink *sink, sl_text t) {
    for (const char *const *s = sink->suffixes; s && *s; s++)
        if (ends_with(t, *s)) return true;
    return false;
}

static const sl_sink *by_suffix(sl_text t) {
    for (size_t i = 0; i < SL_COUNT(registry); i++)
        if (has_suffix(registry[i], t)) return registry[i];
    return NULL;
}

/* "out.db:table": any colon may be the one before the table, as long as a database's name stands before it. */
static bool names_table(sl_text t) {
    for (uint32_t i = 1; i + 1 < t.n; i++)
        if (t.s[i] == ':' && by_suffix((sl_text){t.s, i}) == &sl_sink_sqlite) return true;
    return false;
}

const sl_sink *sl_sink_for(sl_text text, sl_text *target, sl_error *err) {
    *target = text;
    if (sl_text_is(text, "-")) return &sl_sink_stdout;
    const sl_sink *sink = names_table(text) ? &sl_sink_sqlite : by_suffix(text);
    if (!sink)
        sl_fail(err, SL_E_USAGE,
                "'%.*s' names no kind of output: use -, x.csv, x.tsv, x.jsonl, x.json or x.db:table (also "
                ".sqlite, .sqlite3)",
                (int)text.n, text.s ? text.s : "");
    return sink;
}
