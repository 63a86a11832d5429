/* old_plugin.c: a plugin as it was made before there were aggregates: what stands behind the end that its size tells is nothing to look
 * at. */
#include "sluice_plugin.h"

static int one(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    (void)state;
    return host->put_int(call, NULL, 1);
}

static const sl_plugin_function functions[] = {{"one", NULL, one, NULL}};

static const sl_plugin plugin = {.abi = SL_PLUGIN_ABI,
                                 .size = offsetof(sl_plugin, aggregates),
                                 .name = "old",
                                 .functions = functions,
                                 .nfunctions = 1,
                                 .aggregates = (const sl_plugin_aggregate *)functions,
                                 .naggregates = 1000};

const sl_plugin *sluice_plugin(uint32_t host_version) {
    return host_version < SL_PLUGIN_ABI ? NULL : &plugin;
}
