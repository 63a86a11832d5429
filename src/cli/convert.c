#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static const cli_option options[] = {
    CLI_OPTION("output", 'o', REQUIRED, "FILE", "write it there instead of to standard output"),
    {0},
};
static const cli_option *const tables[] = {options, NULL};

static int write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "we");
    bool written = f && fputs(text, f) >= 0;
    if (f && fclose(f) != 0) written = false;
    return written ? CLI_OK : cli_complain(CLI_FAILED, "cannot write '%s'", path);
}

static int run(cli_args *args) {
    sl_error err = {0};
    const char *to = cli_value(args, "output");
    int code = CLI_OK;
    const char *file = cli_definition(args, &code);
    if (!file) return code;
    char *text = sl_convert_definition(file, &err);
    if (!text) return cli_error(&err);
    if (to)
        code = write_file(to, text);
    else
        fputs(text, stdout);
    free(text);
    return code;
}

const cli_command cli_convert = {
    .name = "convert",
    .usage = "PIPELINE.json [-o FILE]",
    .summary = "Writes a definition of any form in the native one",
    .help =
        "Modules, pairs of ids as wires, settings; old names become today's, what leads nowhere is left out. "
        "The result gives the same items when it lies in the same folder, where its relative names start.\n\n"
        "  sluice convert configs/crime-stations-riko.json -o configs/native.json",
    .words = "@definitions",
    .tables = tables,
    .run = run,
};
