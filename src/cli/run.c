#include "cli/cli.h"

static const cli_option options[] = {
    CLI_OPTION("until", 0, REQUIRED, "STEP",
               "run to this step (a number from 1, an id, or the name of its pipe); its items go to standard "
               "output or --to, and "
               "no sink of the definition is touched"),
    {0},
};
static const cli_option *const tables[] = {cli_reading_options, options, cli_run_options, cli_setting_options,
                                           cli_network_options, NULL};

const char *cli_definition(const cli_args *args, int *code) {
    const char *file = args->nwords ? args->words[0] : NULL;
    if (!file)
        *code = cli_complain(CLI_USAGE, "which definition? give one PIPELINE.json");
    else if (args->nwords > 1)
        *code = cli_complain(CLI_USAGE, "one definition at a time, please");
    else if (cli_is_data(file))
        *code = cli_complain(CLI_USAGE,
                             "'%s' is data, not a definition; sluice load %s --to out.db:table loads it",
                             file, file);
    else
        return file;
    return NULL;
}

static int run(cli_args *args) {
    sl_error err = {0};
    int code = CLI_OK;
    const char *file = cli_definition(args, &code);
    if (!file) return code;
    const char *until = cli_value(args, "until");
    sl_pipeline *p = sl_pipeline_new();
    sl_status s = cli_begin(p, args, &err);
    if (s == SL_OK) s = sl_pipeline_load_file(p, file, &err);
    if (s == SL_OK && until) s = sl_pipeline_until(p, until, &err);
    if (s == SL_OK && until) sl_pipeline_drop_sinks(p);
    if (s == SL_OK) s = cli_sinks(p, args, &err);
    return cli_execute(p, args, s, &err);
}

const cli_command cli_run = {
    .name = "run",
    .usage = "PIPELINE.json [OPTION...]",
    .summary = "Runs a pipeline definition",
    .help = "PIPELINE.json is a definition in any of the accepted forms (docs/pipeline-format.md). "
            "Items go to the sinks it names, to those given with --to instead, or to standard output.\n\n"
            "  sluice run configs/crime-top.json\n"
            "  sluice run configs/crime-top.json --set PROVINCE=WC --to top.db:top -j 4 \\\n"
            "        --report run.json",
    .words = "@definitions",
    .tables = tables,
    .run = run,
};
