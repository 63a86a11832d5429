/* error.h: filling in the caller-owned sl_error of sluice.h.
 *
 * Every function returns the code it was given, so a caller writes
 *     return sl_fail(err, SL_E_DATA, "no column '%s'", name);
 * The first failure wins: an error that already holds one is left alone. ERR may be NULL: then only the
 * status travels. Thread rule: an sl_error belongs to one thread at a time. */
#ifndef SL_BASE_ERROR_H
#define SL_BASE_ERROR_H

#include "base/status.h"

/* Records CODE and the formatted reason. What is wrong, what was expected, what to do; no trailing newline. */
sl_status sl_fail(sl_error *err, sl_status code, const char *fmt, ...) SL_PRINTF(3, 4);

/* SL_E_IO (SL_E_TEMP when trying again may help) with NAME and strerror(ERRNO) in the text. */
sl_status sl_fail_errno(sl_error *err, int errnum, const char *what, const char *name);

/* SL_E_MEMORY. */
sl_status sl_oom(sl_error *err);

/* Adds the place in the input, where it is still unknown. LINE and COLUMN count from 1; 0 leaves them unknown.
 * A long SOURCE keeps its tail. */
void sl_error_at(sl_error *err, const char *source, uint64_t line, uint64_t column);

/* Adds the step (counted from 1 in the order of the definition) and its pipe, where still unknown. */
void sl_error_step(sl_error *err, int step, const char *pipe);

#endif
