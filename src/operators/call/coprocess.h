/* coprocess.h: a command that runs beside the program and is spoken to through its standard input and output.
 *
 * Its input is a socket, so that one that has gone is an error and no signal; its standard error is the program's. It is started by
 * posix_spawn, which is safe with threads, never by a shell.
 *
 * Thread rule: a coprocess belongs to one worker. */
#ifndef SL_OPERATORS_CALL_COPROCESS_H
#define SL_OPERATORS_CALL_COPROCESS_H

#include <signal.h>

#include "base/buffer.h"
#include "base/text.h"

typedef struct sl_coprocess sl_coprocess;

/* ARGV: NULL-terminated; a name without a slash is looked up in PATH. ENV: NULL-terminated NAME=VALUE, the whole environment.
 * MASK: the signals it starts with blocked, NULL: the caller's; those that the program ignores it ignores too, as after any exec.
 * STOPPING may be NULL; TIMEOUT: seconds without a byte in either direction, 0: any. All outlive the coprocess. */
SL_MUST_CHECK sl_status sl_coprocess_start(char *const *argv, char *const *env, const sigset_t *mask, double timeout,
                                           const _Atomic bool *stopping, sl_coprocess **out, sl_error *err);

/* Writes IN and reads meanwhile, appending to OUT, until ENOUGH says so of OUT. SL_E_DATA when the command ends before, with its
 * exit status, or is silent for too long; then it is gone. */
SL_MUST_CHECK sl_status sl_coprocess_talk(sl_coprocess *c, sl_text in, sl_buf *out, bool (*enough)(void *user, const sl_buf *out),
                                          void *user, sl_error *err);

/* Closes its input and waits for its end, as long as it may be silent. SL_E_DATA when that is not exit status 0. What it still
 * writes is appended to LATE, and then it is not waited for: it is killed, and the caller says what is wrong with that. Only free
 * may follow. */
SL_MUST_CHECK sl_status sl_coprocess_finish(sl_coprocess *c, sl_buf *late, sl_error *err);

/* Closes its input and waits for its end, a second at most: then it is killed. NULL-safe. */
void sl_coprocess_free(sl_coprocess **c);

#endif
