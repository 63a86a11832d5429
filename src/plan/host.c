#include "plan/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

sl_status sl_host_add_sink(sl_host *h, const sl_host_sink *sink, sl_error *err) {
    sl_host_sink *sinks = realloc(h->sinks, (h->nsinks + 1) * sizeof *sinks);
    if (!sinks) return sl_oom(err);
    h->sinks = sinks;
    sinks[h->nsinks] = *sink;
    if (sink->format && !(sinks[h->nsinks].format = strdup(sink->format))) return sl_oom(err);
    h->nsinks++;
    return SL_OK;
}

void sl_host_drop_sinks(sl_host *h) {
    while (h->nsinks) free(h->sinks[--h->nsinks].format);
}

sl_status sl_host_add_function(sl_host *h, const char *name, sl_function_fn fn, void *user, sl_error *err) {
    bool taken = !name || !*name;
    for (uint32_t i = 0; i < h->nfunctions; i++) taken = taken || strcmp(h->functions[i].name, name) == 0;
    if (taken)
        return sl_fail(err, SL_E_USAGE, "a function needs a name of its own, not '%s'", name ? name : "");
    sl_host_function *functions = realloc(h->functions, (h->nfunctions + 1) * sizeof *functions);
    if (!functions) return sl_oom(err);
    h->functions = functions;
    char *own = strdup(name);
    if (!own) return sl_oom(err);
    functions[h->nfunctions++] = (sl_host_function){own, fn, user};
    return SL_OK;
}

void sl_host_free(sl_host *h) {
    sl_host_drop_sinks(h);
    free(h->sinks);
    while (h->nfunctions) free(h->functions[--h->nfunctions].name);
    free(h->functions);
}
