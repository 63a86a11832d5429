/* example_plugin.c: functions in C for the tests of `udf`, one for each thing that a plugin can do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice_plugin.h"

static int open_scale(const char *conf, const sl_plugin_host *host, void **state, char *error, size_t size) {
    const char *by = strstr(conf, "\"by\":");
    int64_t *scale = malloc(sizeof *scale);
    *state = scale;
    if (scale && host->abi == SL_PLUGIN_ABI && by && (*scale = strtoll(by + 5, NULL, 10)) != 0) return 0;
    snprintf(error, size, "'by' must be a number other than 0");
    free(scale);
    return -1;
}

/* The item with its field a scaled; items without one are left out. */
static int scale(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    int64_t a;
    if (!host->get_int(call, "a", &a)) return 0;
    host->start_copy(call);
    host->put_int(call, "a", a * *(int64_t *)state);
    return host->put_bool(call, "scaled", 1);
}

/* What is in the item, field by field. */
static int look(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    const char *name, *text;
    size_t n;
    double number;
    int flag;
    (void)state;
    for (size_t i = 0; (name = host->field(call, i)); i++) {
        host->start_item(call);
        host->put_text(call, "name", name, strlen(name));
        host->put_int(call, "type", host->type(call, name));
        if (host->get_text(call, name, &text, &n)) host->put_text(call, "text", text, n);
        if (host->get_double(call, name, &number)) host->put_double(call, "number", number);
        if (host->get_bool(call, name, &flag)) host->put_bool(call, "flag", flag);
    }
    host->put_null(call, NULL);
    return host->put_json(call, NULL, "[1, {\"b\": null}]", 16);
}

static int refuse(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    int64_t a = 0;
    (void)state;
    if (host->get_int(call, "a", &a) && a == 7) return host->fail(call, "seven is too many");
    return host->put_int(call, NULL, a);
}

/* Puts a field into no item. */
static int misuse(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    (void)state;
    host->put_null(call, "a");
    return 0;
}

static const sl_plugin_function functions[] = {
    {"scale", open_scale, scale, free},
    {"look", NULL, look, NULL},
    {"refuse", NULL, refuse, NULL},
    {"misuse", NULL, misuse, NULL},
};

static const sl_plugin plugin = {.abi = SL_PLUGIN_ABI,
                                 .size = sizeof plugin,
                                 .name = "example",
                                 .functions = functions,
                                 .nfunctions = sizeof functions / sizeof functions[0]};

const sl_plugin *sluice_plugin(uint32_t host_version) {
    return host_version < SL_PLUGIN_ABI ? NULL : &plugin;
}
