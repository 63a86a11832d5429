#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static int run(cli_args *args) {
    sl_error err = {0};
    if (args->nwords)
        return cli_complain(CLI_USAGE, "schema takes no arguments: sluice schema >pipeline.schema.json");
    char *schema = sl_definition_schema(&err);
    if (!schema) return cli_error(&err);
    fputs(schema, stdout);
    free(schema);
    return CLI_OK;
}

const cli_command cli_schema = {
    .name = "schema",
    .usage = ">pipeline.schema.json",
    .summary = "Prints the JSON Schema of a definition",
    .help = "An editor that knows the schema completes and checks definitions: name the file in the "
            "definition, as in {\"$schema\": \"pipeline.schema.json\", \"modules\": [...]}.\n\n"
            "  sluice schema >pipeline.schema.json",
    .run = run,
};
