/* sink.c: the registry: which sink a text such as "x.csv" or "out.db:table" means. */
#include "sinks/sink.h"

#include "base/error.h"

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

static const sl_sink *by_suffix(sl_text t) {
    for (size_t i = 0; i < SL_COUNT(registry); i++)
        if (sl_text_suffix(t, registry[i]->suffixes)) return registry[i];
    return NULL;
}

/* The database of "out.db:table": any colon may be the one before the table, as long as a database's name stands before it. */
static const sl_sink *by_table(sl_text t) {
    for (uint32_t i = 1; i + 1 < t.n; i++) {
        const sl_sink *sink = t.s[i] == ':' ? by_suffix((sl_text){t.s, i}) : NULL;
        if (sink && sink->table) return sink;
    }
    return NULL;
}

static sl_status unknown(sl_text text, sl_error *err) {
    sl_buf forms = {0};
    for (size_t i = 0; i < SL_COUNT(registry); i++)
        for (const char *const *s = registry[i]->suffixes; s && *s; s++)
            sl_buf_printf(&forms, ", x%s%s", *s, registry[i]->table ? ":table" : "");
    sl_status s = sl_fail(err, SL_E_USAGE, "'%.*s' names no kind of output: use -%s", (int)text.n,
                          text.s ? text.s : "", sl_buf_cstr(&forms));
    sl_buf_free(&forms);
    return s;
}

const sl_sink *sl_sink_for(sl_text text, sl_text *target, sl_error *err) {
    *target = text;
    if (sl_text_is(text, "-")) return &sl_sink_stdout;
    const sl_sink *sink = by_table(text);
    if (!sink) sink = by_suffix(text);
    if (!sink) unknown(text, err);
    return sink;
}
