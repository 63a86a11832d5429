/* sluice_program.h: what the program `sluice` needs of the library besides sluice.h. It is not installed, and the shared library
 * does not export it: it changes as the program does. */
#ifndef SLUICE_PROGRAM_H
#define SLUICE_PROGRAM_H

#include "sluice.h"

/* TEXT, which may come from anywhere, as a terminal may be shown it: control characters escaped. Returns OUT, always terminated. */
const char *sl_show_text(const char *text, char *out, size_t size);

/* SL_E_USAGE when PATH, where WHAT ("the report") shall be written, is the definition, an input or an output of P. */
sl_status sl_pipeline_check_apart(sl_pipeline *p, const char *what, const char *path, sl_error *err);

/* The pipeline that has been loaded ends at STEP: its number, its id, or the name of its pipe. */
sl_status sl_pipeline_until(sl_pipeline *p, const char *step, sl_error *err);

/* The file of the I-th sink from 0, once P is checked or run; "" for standard output; NULL past the last. */
const char *sl_pipeline_output(const sl_pipeline *p, unsigned i);

/* The exit code for a run that is done: 0, or 3 if it did without something, items or sources. */
int sl_done_exit_code(const sl_progress *totals);

/* Called in that thread before items are written to standard output: whoever draws on the same terminal takes his drawing away. */
typedef void (*sl_output_fn)(void *user);
void sl_pipeline_on_output(sl_pipeline *p, sl_output_fn fn, void *user);

/* The name in the NULL-terminated NAMES that WORD was probably meant to be, or NULL when none is near. */
const char *sl_suggest(const char *word, const char *const *names);

#endif
