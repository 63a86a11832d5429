#include "cli/cli.h"

static const cli_option *const tables[] = {cli_reading_options, cli_run_options, cli_setting_options,
                                           cli_network_options, NULL};

static int run(cli_args *args) {
    sl_error err = {0};
    if (args->nwords != 1)
        return cli_complain(CLI_USAGE,
                            "give the steps as one quoted text: sluice pipe 'csv url=x.csv | count'");
    sl_pipeline *p = sl_pipeline_new();
    sl_status s = cli_begin(p, args, &err);
    if (s == SL_OK) s = sl_pipeline_add_text(p, args->words[0], &err);
    if (s == SL_OK) s = cli_sinks(p, args, &err);
    return cli_execute(p, args, s, &err);
}

const cli_command cli_pipe = {
    .name = "pipe",
    .usage = "'STEP | STEP ...' [OPTION...]",
    .summary = "Runs steps given on the command line",
    .help = "A step is a pipe and its conf as key=value words; dotted keys nest, a repeated key makes a "
            "list, a word without = sets the "
            "pipe's main key, @field= @assign= @emit= @count= @skip_if.field= are its call options. `sluice "
            "pipes NAME` shows what a pipe takes.\n\n"
            "Put the steps between single quotes; texts with blanks in double quotes inside of them.\n\n"
            "  sluice pipe 'csv url=crime.csv | filter rule.field=province rule.op=eq\n"
            "      rule.value=GP | sort rule.field=incidents rule.type=int rule.dir=desc\n"
            "      | truncate 5' --to top.csv\n"
            "  sluice pipe 'fetchdata url=crime.json path=value.items | count'\n"
            "  sluice pipe 'csv url=- | filter lua=\"tonumber(incidents) > 900\"' <crime.csv",
    .words = "@steps",
    .tables = tables,
    .run = run,
};
