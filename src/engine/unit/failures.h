/* failures.h: sources that a run did without, as `keep_going` asks: what was wrong with each.
 *
 * Only what comes from outside is done without: a source that cannot be opened, fetched or unpacked (SL_E_IO, SL_E_TEMP). Of
 * such a source no item is kept: an answer is there as a whole before its first item goes on, and a row's results are dropped
 * with it. What is wrong inside the data ends the run as ever.
 *
 * Thread rule: one thread at a time. */
#ifndef SL_ENGINE_UNIT_FAILURES_H
#define SL_ENGINE_UNIT_FAILURES_H

#include "base/buffer.h"
#include "base/log.h"
#include "plan/pipe.h"

typedef struct sl_failures {
    uint64_t n;
    sl_buf text;    /* the first thousands of them, each as sl_error_format gives it, with a NUL behind */
    sl_error first; /* of those added here */
    sl_log *log;    /* of the run's own: each is told at once; NULL: none is */
} sl_failures;      /* all zero: none */

/* What sources met with that were read for items. */
typedef struct sl_findings {
    uint64_t recovered;   /* items that had to be mended */
    sl_failures failures; /* sources that were left out */
    sl_buf shown;         /* lines of steps of subpipes, for the program's log */
} sl_findings;

/* Whether a run of ENV goes on after a source failed with S. */
bool sl_failure_is_passed_over(const sl_env *env, sl_status s);

void sl_failures_add(sl_failures *f, const sl_error *err);
/* Moves FROM's behind INTO's. */
void sl_failures_join(sl_failures *into, sl_failures *from);
void sl_failures_free(sl_failures *f);

/* As bytes, and back, for worker processes. False: damaged, or no memory. */
void sl_failures_save(const sl_failures *f, sl_buf *out);
bool sl_failures_load(sl_failures *f, sl_cursor *c);

/* The I-th from 0; NULL past the last that is kept. */
const char *sl_failures_at(const sl_failures *f, uint64_t i);

#endif
