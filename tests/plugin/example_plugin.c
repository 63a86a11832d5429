/* example_plugin.c: functions in C for the tests of `udf` and `aggregate`, one for each thing that a plugin can do. */
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

/* ---- aggregates ---------------------------------------------------------------------------------------------------------- */

/* The longest run of items with the same text in field t: an answer that depends on their order. */
typedef struct run {
    char text[64], longest[64];
    int64_t n, most, items;
} run;

static int open_run(const char *conf, const sl_plugin_host *host, void **state, char *error, size_t size) {
    (void)host;
    *state = calloc(1, sizeof(run));
    if (*state && !strstr(conf, "\"wrong\"")) return 0;
    free(*state);
    snprintf(error, size, "there is something wrong");
    return -1;
}

static int add_to_run(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    run *r = state;
    const char *text = "";
    size_t n = 0;
    host->get_text(call, "t", &text, &n);
    if (n >= sizeof r->text) return host->fail(call, "a text is too long");
    r->items++;
    r->n = strlen(r->text) == n && memcmp(r->text, text, n) == 0 ? r->n + 1 : 1;
    memcpy(r->text, text, n);
    r->text[n] = '\0';
    if (r->n > r->most) {
        r->most = r->n;
        memcpy(r->longest, r->text, n + 1);
    }
    return 0;
}

static int tell_run(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    const run *r = state;
    if (host->type(call, "t") != SL_PLUGIN_MISSING || host->field(call, 0))
        return host->fail(call, "an item at the end");
    host->start_item(call);
    host->put_text(call, "text", r->longest, strlen(r->longest));
    host->put_int(call, "most", r->most);
    return host->put_int(call, NULL, r->items);
}

static int tell_too_early(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    (void)state;
    return host->put_int(call, NULL, 1);
}

static int copy_nothing(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    (void)state;
    host->start_copy(call);
    return 0;
}

static int pass(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
    (void)state, (void)host, (void)call;
    return 0;
}

static const sl_plugin_aggregate aggregates[] = {
    {"run", open_run, add_to_run, tell_run, free},
    {"early", NULL, tell_too_early, pass, NULL},
    {"copies", NULL, pass, copy_nothing, NULL},
};

static const sl_plugin plugin = {.abi = SL_PLUGIN_ABI,
                                 .size = sizeof plugin,
                                 .name = "example",
                                 .functions = functions,
                                 .nfunctions = sizeof functions / sizeof functions[0],
                                 .aggregates = aggregates,
                                 .naggregates = sizeof aggregates / sizeof aggregates[0]};

const sl_plugin *sluice_plugin(uint32_t host_version) {
    return host_version < SL_PLUGIN_ABI ? NULL : &plugin;
}
