/* cache: what is in the HTTP cache, and getting rid of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/json_print.h"
#include "cli/progress.h"

static const cli_option options[] = {
    CLI_OPTION("dir", 0, REQUIRED, "DIR", "the cache's folder (default: that of the runs)"),
    CLI_OPTION("older", 0, REQUIRED, "AGE", "prune: what was not used for that long: 12h, 30d"),
    CLI_OPTION("max-size", 0, REQUIRED, "SIZE",
               "prune: down to that much, what was not used for longest first (default 1G)"),
    CLI_OPTION("json", 0, FLAG, NULL, "print JSON"),
    {0},
};
static const cli_option *const tables[] = {options, NULL};

/* ---- ls ------------------------------------------------------------------------------------------------------------ */

static void print_entry(const json_t *entry) {
    char size[32];
    const char *url = cli_text_of(entry, "url"), *etag = cli_text_of(entry, "etag");
    if (!*etag) etag = cli_text_of(entry, "last_modified");
    printf("%9s  %.10s %.5s  %s%s%s\n",
           cli_scaled((double)json_integer_value(json_object_get(entry, "bytes")), "B", size),
           cli_text_of(entry, "used"), cli_text_of(entry, "used") + 11, *url ? url : "(not a whole entry)",
           *etag ? "  " : "", etag);
}

static void print_list(const char *json) {
    size_t i;
    json_t *list = json_loads(json, 0, NULL), *entries = json_object_get(list, "entries"), *entry;
    char size[32];
    cli_make_harmless(list);
    json_array_foreach(entries, i, entry) print_entry(entry);
    printf("%zu %s, %s, in %s\n", json_array_size(entries),
           json_array_size(entries) == 1 ? "entry" : "entries",
           cli_scaled((double)json_integer_value(json_object_get(list, "bytes")), "B", size),
           cli_text_of(list, "folder"));
    json_decref(list);
}

static int ls(const cli_args *args) {
    sl_error err = {0};
    char *json = sl_http_cache_list(cli_value(args, "dir"), &err);
    if (!json) return cli_error(&err);
    if (cli_true(args, "json")) {
        puts(json);
    } else {
        print_list(json);
    }
    free(json);
    return CLI_OK;
}

/* ---- prune, clear -------------------------------------------------------------------------------------------------- */

static int tell(sl_status status, const sl_cache_change *c, const cli_args *args, const sl_error *err) {
    char gone[32], left[32];
    if (status != SL_OK) return cli_error(err);
    if (cli_true(args, "json")) {
        printf("{\"removed\": %" PRIu64 ", \"removed_bytes\": %" PRIu64 ", \"left\": %" PRIu64
               ", \"left_bytes\": %" PRIu64 "}\n",
               c->files, c->bytes, c->files_left, c->bytes_left);
    } else {
        printf("removed %" PRIu64 " (%s); %" PRIu64 " left (%s)\n", c->files,
               cli_scaled((double)c->bytes, "B", gone), c->files_left,
               cli_scaled((double)c->bytes_left, "B", left));
    }
    return CLI_OK;
}

static int prune(const cli_args *args) {
    sl_error err = {0};
    sl_cache_change change;
    sl_status s = sl_http_cache_prune(cli_value(args, "dir"), cli_value(args, "older"),
                                      cli_value(args, "max-size"), &change, &err);
    return tell(s, &change, args, &err);
}

static int clear(const cli_args *args) {
    sl_error err = {0};
    sl_cache_change change;
    sl_status s = sl_http_cache_clear(cli_value(args, "dir"), &change, &err);
    return tell(s, &change, args, &err);
}

/* ---- choosing ------------------------------------------------------------------------------------------------------ */

static const struct action {
    const char *name;
    int (*run)(const cli_args *args);
} actions[] = {{"ls", ls}, {"prune", prune}, {"clear", clear}};

/* A bound that would be overlooked may cost entries that were to be kept. */
static bool has_bounds(const cli_args *args) {
    return cli_value(args, "older") || cli_value(args, "max-size");
}

static int run(cli_args *args) {
    const char *names[] = {"ls", "prune", "clear", NULL};
    if (args->nwords != 1)
        return cli_complain(CLI_USAGE, "what about the cache? sluice cache ls, prune or clear");
    const char *word = args->words[0];
    if (has_bounds(args) && strcmp(word, "prune") != 0)
        return cli_complain(CLI_USAGE, "--older and --max-size belong to sluice cache prune");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(word, actions[i].name) == 0) return actions[i].run(args);
    const char *meant = sl_suggest(word, names);
    return cli_complain(CLI_USAGE, "sluice cache knows ls, prune and clear, not '%s'%s%s%s", word,
                        meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

const cli_command cli_cache = {
    .name = "cache",
    .usage = "ls | prune | clear [--dir DIR] [--older AGE] [--max-size SIZE] [--json]",
    .summary = "Shows the HTTP cache, or makes it smaller",
    .help = "Answers of servers that say how to ask whether they still hold are kept in $SLUICE_CACHE_DIR, "
            "$XDG_CACHE_HOME/sluice or ~/.cache/sluice. ls lists them, those not used for longest first; "
            "prune removes what is old or too much; clear removes all.\n\n"
            "  sluice cache ls\n"
            "  sluice cache prune --older 30d --max-size 500M",
    .words = "ls prune clear",
    .tables = tables,
    .run = run,
};
