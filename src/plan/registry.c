#include "plan/internal.h"

#define X(name) extern const sl_pipe sl_pipe_##name;
#include "plan/registry.def"
#undef X

static const sl_pipe *const pipes[] = {
#define X(name) &sl_pipe_##name,
#include "plan/registry.def"
#undef X
};

/* In no list: only a program can feed it (sl_pipeline_push_source). */
extern const sl_pipe sl_pipe_push;

const sl_pipe *sl_pipe_at(unsigned i) {
    return i < SL_COUNT(pipes) ? pipes[i] : NULL;
}

static const sl_pipe *exactly_named(sl_text name) {
    unsigned from = 0, to = SL_COUNT(pipes);
    while (from < to) {
        unsigned mid = from + (to - from) / 2;
        int order = sl_text_cmp(name, sl_text_of(pipes[mid]->name));
        if (order == 0) return pipes[mid];
        if (order < 0)
            to = mid;
        else
            from = mid + 1;
    }
    return NULL;
}

const sl_pipe *sl_pipe_named(sl_text name) {
    const sl_pipe *found = sl_text_is(name, sl_pipe_push.name) ? &sl_pipe_push : exactly_named(name);
    return found ? found : exactly_named(sl_legacy_name(name));
}

const char *sl_pipe_suggest(sl_text name) {
    const char *names[SL_COUNT(pipes) + 1];
    for (unsigned i = 0; i < SL_COUNT(pipes); i++) names[i] = pipes[i]->name;
    names[SL_COUNT(pipes)] = NULL;
    return sl_text_nearest(name, names);
}

sl_status sl_pipe_unknown(sl_text name, sl_status code, sl_error *err) {
    char hint[SL_HINT];
    const char *near = sl_pipe_suggest(name);
    return sl_fail(err, code, "unknown pipe '%.*s'%s", (int)name.n, name.s,
                   near ? sl_text_hint(near, hint) : "; `sluice pipes` lists them");
}
