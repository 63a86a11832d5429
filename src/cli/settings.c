/* settings.c: the flags that are settings of a run. They stand in options/settings.def with the settings themselves, so that nothing is said
 * here about any one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define FLAG(its_name, its_letter, its_arg, its_value)                                                       \
    .name = its_name, .letter = its_letter, .arg = CLI_##its_arg, .value = its_value,
#define HIDDEN .hidden = true,
#define CALLER
#define DEFAULT(text)      .fallback = text,
#define DEFAULT_ZERO(what) .fallback = "0: " what,
#define LIMITS(least, most)
#define ACCEPTS(text)
#define WORDS(...)
#define MARKS(marks)
#define HELP(text) .help = text,

#define ROW(name, kind, columns) {.sets = #name, columns},
#define NO_ROW(name, kind, columns)

const cli_option cli_reading_options[] = {
    CLI_OPTION("set", 0, REQUIRED, "NAME=VALUE", "value of ${NAME} in the definition; repeatable"),
    CLI_OPTION("input", 0, REQUIRED, "NAME=VALUE", "value for an input pipe; repeatable"),
#define READING ROW
#include "options/settings.def"
    {0},
};

const cli_option cli_setting_options[] = {
#define SETTING ROW
#define READING NO_ROW
#define NETWORK NO_ROW
#define KEY     NO_ROW
#include "options/settings.def"
    {0},
};

const cli_option cli_network_options[] = {
#define NETWORK                   ROW
#define HTTP(name, type, columns) {.sets = "http." #name, columns},
#define HTTP_KEY                  NO_ROW
#define ALSO(name, its, columns)  {.sets = #name, .means = its, columns},
#include "options/settings.def"
    {0},
};

/* NAME=VALUE given to NAME's setter. */
static sl_status assign(sl_pipeline *p, const cli_given *g,
                        sl_status (*set)(sl_pipeline *, const char *, const char *, sl_error *),
                        sl_error *err) {
    const char *equals = strchr(g->value, '=');
    if (!equals || equals == g->value) {
        err->code = SL_E_USAGE;
        snprintf(err->text, sizeof err->text, "--%s wants NAME=VALUE, not '%s'", g->option->name, g->value);
        return SL_E_USAGE;
    }
    char *name = strndup(g->value, (size_t)(equals - g->value));
    if (!name) return cli_no_memory(err);
    sl_status s = set(p, name, equals + 1, err);
    free(name);
    return s;
}

sl_status cli_begin(sl_pipeline *p, const cli_args *args, sl_error *err) {
    sl_status s = p ? SL_OK : cli_no_memory(err);
    for (size_t i = 0; i < args->ngiven && s == SL_OK; i++) {
        const cli_given *g = &args->given[i];
        const cli_option *o = g->option;
        if (strcmp(o->name, "set") == 0) s = assign(p, g, sl_pipeline_set, err);
        if (strcmp(o->name, "input") == 0) s = assign(p, g, sl_pipeline_input, err);
        if (o->sets && o->of == CLI_OF_RUN)
            s = sl_pipeline_option(p, o->sets, o->means ? o->means : g->value, err);
    }
    return s;
}
