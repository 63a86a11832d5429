/* check and plan: a definition looked at without being run. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/json_print.h"

static const cli_option plan_options[] = {
    CLI_OPTION("json", 0, FLAG, NULL, "print it as JSON"),
    CLI_OPTION("verbose", 'v', FLAG, NULL, "also the sizes that decide, and why a stage is cut where it is"),
    CLI_OPTION("inputs", 0, FLAG, NULL, "only the inputs it asks for: position, name, prompt, type, default"),
    CLI_OPTION("dependencies", 0, FLAG, NULL, "only the pipes it is made of"),
    {0},
};

static const cli_option *const check_tables[] = {cli_reading_options, NULL};
static const cli_option *const plan_tables[] = {cli_reading_options, plan_options, NULL};

static sl_pipeline *load(cli_args *args, bool checked, int *code) {
    sl_error err = {0};
    const char *file = cli_definition(args, code);
    if (!file) return NULL;
    sl_pipeline *p = sl_pipeline_new();
    sl_status s = cli_begin(p, args, &err);
    if (s == SL_OK) s = sl_pipeline_load_file(p, file, &err);
    if (s == SL_OK && checked) s = sl_pipeline_check(p, &err);
    if (s == SL_OK) {
        cli_warnings(p);
        return p;
    }
    *code = cli_error(&err);
    sl_pipeline_free(&p);
    return NULL;
}

static int check(cli_args *args) {
    int code = CLI_OK;
    sl_pipeline *p = load(args, true, &code);
    if (!p) return code;
    char shown[4096];
    printf("%s: ok\n", sl_show_text(args->words[0], shown, sizeof shown));
    sl_pipeline_free(&p);
    return CLI_OK;
}

static int plan(cli_args *args) {
    int code = CLI_OK;
    sl_error err = {0};
    bool inputs = cli_true(args, "inputs"), dependencies = cli_true(args, "dependencies");
    bool outline = inputs || dependencies;
    sl_pipeline *p = load(args, !outline, &code);
    if (!p) return code;
    const char *json =
        outline ? sl_pipeline_describe(p, inputs, dependencies, &err) : sl_pipeline_plan(p, &err);
    if (!json)
        code = cli_error(&err);
    else if (cli_true(args, "json"))
        fputs(json, stdout);
    else if (outline)
        cli_print_outline(json, inputs);
    else
        cli_print_plan(json, cli_true(args, "verbose"));
    sl_pipeline_free(&p);
    return code;
}

const cli_command cli_check = {
    .name = "check",
    .usage = "PIPELINE.json",
    .summary = "Checks a definition without reading any input",
    .help = "Prints the first thing wrong with its line and column, and exits with 2; otherwise says ok.\n\n"
            "  sluice check configs/crime-top.json",
    .words = "@definitions",
    .tables = check_tables,
    .run = check,
};

const cli_command cli_plan = {
    .name = "plan",
    .usage = "PIPELINE.json [--verbose] [--inputs] [--dependencies] [--json]",
    .summary = "Shows how a definition would run: stages, what runs where, sinks",
    .help = "A stage is one walk of the input over the workers; what must see all items, or see them in "
            "order, ends it.\n\n"
            "  sluice plan configs/crime-stations.json\n"
            "  sluice plan configs/crime-stations.json --dependencies",
    .words = "@definitions",
    .tables = plan_tables,
    .run = plan,
};
