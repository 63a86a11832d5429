/* wrong_plugin.c: a plugin made for another version of the interface. */
#include "sluice_plugin.h"

static const sl_plugin plugin = {.abi = SL_PLUGIN_ABI + 1, .size = sizeof plugin, .name = "wrong"};

const sl_plugin *sluice_plugin(uint32_t host_version) {
    (void)host_version;
    return &plugin;
}
