/* settings.c: the flags that are settings of a run. They stand in options/settings.def with the settings themselves, so that nothing is said
 * here about any one of them. */
#include <stddef.h>

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

sl_status cli_settings(sl_pipeline *p, const cli_args *args, sl_error *err) {
    sl_status s = SL_OK;
    for (size_t i = 0; i < args->ngiven && s == SL_OK; i++) {
        const cli_option *o = args->given[i].option;
        if (o->sets && o->of == CLI_OF_RUN)
            s = sl_pipeline_option(p, o->sets, o->means ? o->means : args->given[i].value, err);
    }
    return s;
}
