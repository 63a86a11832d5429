/* push.h: items that the program pushes (sl_source_* of sluice.h), as a source.
 *
 * The program's side makes rows (builder.h), the coordinator's side takes them as units, packed batches; both under one lock. What
 * has been pushed when the coordinator wants a unit is one, so that nothing stands still while the pipeline has nothing to do, and
 * batches are large while it has. The pipe is called `push` in a definition; it is not in the registry's list, as only a program
 * can feed it.
 *
 * Thread rule: one thread pushes, another may run the pipeline. */
#ifndef SL_SOURCES_PUSH_PUSH_H
#define SL_SOURCES_PUSH_PUSH_H

#include "plan/host.h"
#include "plan/pipe.h"

/* A source called NAME at the end of HOST's; SL_E_USAGE when the name is taken. */
SL_MUST_CHECK sl_status sl_push_new(sl_host *host, const char *name, sl_source **out, sl_error *err);
/* Once the plan is prepared: SL_E_PLAN when no step takes the items of one. */
SL_MUST_CHECK sl_status sl_push_check(sl_host *host, sl_error *err);
/* All of them. */
void sl_push_free(sl_host *host);
/* The run has ended, whatever became of it: who still pushes is told, and what was pushed for it is dropped. */
void sl_push_over(sl_host *host);

#endif
