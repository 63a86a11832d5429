/* progress.h: the progress line while a pipeline runs, and the summary after it. Both on standard error.
 *
 * The line is as wide as the terminal allows at the moment it is drawn: what tells least is left out first. */
#ifndef SL_CLI_PROGRESS_H
#define SL_CLI_PROGRESS_H

#include <stdint.h>

#include "sluice_program.h"

typedef struct cli_meter {
    bool shown; /* standard error is a terminal, and --quiet was not given */
    bool drawn; /* a line stands there */
} cli_meter;

/* An sl_progress_fn; USER is a cli_meter. */
bool cli_progress(void *user, const sl_progress *p);
void cli_progress_clear(cli_meter *m);
/* An sl_output_fn: the line makes room for items on standard output. */
void cli_progress_yield(void *user);

/* "1,000,000 items in, 259,114 out, 740,886 filtered; 157 MB in 0.15 s (1.0 GB/s)" */
void cli_summary(const sl_pipeline *p);
/* What became of each table (summary.c): "crime.db, table crime: 2,000 rows, 0 before", its columns and their types. */
void cli_loaded(sl_pipeline *p);
/* Columns of the terminal that standard error is, 80 where it is not one. */
int cli_terminal_width(void);
/* V with commas: "1,000,000". Returns OUT. */
const char *cli_grouped(uint64_t v, char out[32]);
/* "275 kB": V of UNIT in the thousands that it needs. Returns OUT. */
const char *cli_scaled(double v, const char *unit, char out[32]);
/* In its place, of a run that had nothing to do since then (seconds since the epoch): "nothing has changed since 2026-01-15
 * 03:00:00: nothing was done" */
void cli_unchanged(int64_t since);

#endif
