#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/json_print.h"

static const cli_option options[] = {
    CLI_OPTION("json", 0, FLAG, NULL, "print the description as JSON"),
    {0},
};
static const cli_option *const tables[] = {options, NULL};

static int run(cli_args *args) {
    sl_error err = {0};
    if (args->nwords > 1) return cli_complain(CLI_USAGE, "one pipe at a time, please");
    const char *name = args->nwords ? args->words[0] : NULL;
    char *json = sl_describe_pipes(name, &err);
    if (!json) return cli_error(&err);
    if (cli_true(args, "json"))
        puts(json);
    else if (name)
        cli_print_pipe(json);
    else
        cli_print_pipes(json);
    free(json);
    return CLI_OK;
}

const cli_command cli_pipes = {
    .name = "pipes",
    .usage = "[NAME] [--json]",
    .summary = "Lists the pipes, or explains one",
    .help = "A pipe is one step: a source, a processor, an operator. What it is told is its conf.\n\n"
            "  sluice pipes\n"
            "  sluice pipes filter\n"
            "  sluice pipes filter --json",
    .words = "@pipes",
    .tables = tables,
    .run = run,
};
