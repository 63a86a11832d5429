/* trace.c: what the library tells while it runs, on standard error: the lines of --trace, and the items that a tap shows.
 *
 * A line is written at once, so that no other program's output gets into it, and never into the progress line: that is taken away
 * before an item is shown, and not drawn at all beside a trace, whose lines may come from any thread. */
#include "cli/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

enum { HEAD = 64 }; /* room for all of a line but the message */

static const char *const names[] = {
#define PART(name, help) #name,
#include "base/parts.def"
    NULL};

static unsigned part_named(const char *name, size_t n) {
    for (unsigned i = 0; names[i]; i++)
        if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0) return 1u << i;
    return 0;
}

static int unknown(const char *name, size_t n) {
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)n, name);
    const char *meant = sl_suggest(word, names);
    if (meant) return cli_complain(CLI_USAGE, "--trace: unknown part '%s', did you mean '%s'?", word, meant);
    return cli_complain(CLI_USAGE, "--trace: unknown part '%s'; sluice run --help lists those there are",
                        word);
}

/* The parts of LIST, separated by commas; "true", which stands for a value left out: all. */
static int choose(const char *list, unsigned *parts) {
    if (strcmp(list, "true") == 0) *parts = ~0u;
    for (const char *at = list; !*parts || *at;) {
        size_t n = strcspn(at, ",");
        unsigned part = *parts == ~0u ? ~0u : part_named(at, n);
        if (!part) return unknown(at, n);
        *parts |= part;
        at += n + (at[n] == ',');
    }
    return CLI_OK;
}

/* All of it, as long as standard error takes anything. */
static void write_line(const char *line, size_t n) {
    while (n > 0) {
        ssize_t k = write(STDERR_FILENO, line, n);
        if (k < 0 && errno != EINTR) return;
        if (k > 0) line += k;
        if (k > 0) n -= (size_t)k;
    }
}

/* The time, who, the part: columns, so that what is said of one part stands in one place and 80 columns hold most lines. */
static int head(char *line, const sl_log_entry *e) {
    char who[24] = "coordinator";
    if (e->worker >= 0) snprintf(who, sizeof who, "worker %d", e->worker);
    return snprintf(line, HEAD, "%9.6f %-11s %-11s ", (double)e->nanoseconds / 1e9, who, e->part);
}

static void tell(void *user, const sl_log_entry *e) {
    const cli_teller *t = user;
    bool traced = e->level == SL_LOG_TRACE;
    if (e->level == SL_LOG_WARNING || (traced && !(t->parts & part_named(e->part, strlen(e->part))))) return;
    size_t size = HEAD + 6 * strlen(e->message) + 2;
    char *line = malloc(size);
    if (!line) return;
    int n = traced ? head(line, e) : 0;
    sl_show_text(e->message, line + n, size - (size_t)n - 1);
    strcat(line + n, "\n");
    if (!traced) cli_progress_clear(t->meter);
    write_line(line, strlen(line));
    free(line);
}

int cli_teller_make(const cli_args *args, cli_teller *t) {
    const char *trace = cli_value(args, "trace");
    return trace ? choose(trace, &t->parts) : CLI_OK;
}

void cli_teller_listen(cli_teller *t, sl_pipeline *p) {
    sl_pipeline_on_log(p, t->parts ? SL_LOG_TRACE : SL_LOG_INFO, tell, t);
}
