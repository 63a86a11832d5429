/* changes.h: whether there is anything to do (if_changed): what the last committed run of the same pipeline has read, and whether
 * all of that still holds.
 *
 *     new  look?  ( forget run-and-commit keep )?  free
 *
 * A run notes what it reads in the ledger (base/ledger.h). Once its sinks are committed, those notes and what the sinks' files
 * look like are kept as a note of the cache's folder (net/cache/cache.h), under a key made of the pipeline itself: its steps and
 * their confs, its sinks, the folder it runs in, the version of the program. The next run of the same pipeline has nothing to do
 * when
 *
 *     every file it read is the same by size, time of change and inode, and every pattern stands for the same names,
 *     every server confirms the copy that was read then (304, and it is that copy and no later one),
 *     every file it wrote is there as it was left, every database is there.
 *
 * The note goes before a commit begins and is written after its end, so it always tells of what the sinks hold: a body that was
 * fetched by a run that failed is another copy than the one in the note. Runs that left something out, or read what cannot be
 * recognised, leave none.
 *
 * Servers are asked by the sources of the pipeline, in a session of its own, as many at once as a run does. What was fetched for
 * single items cannot be asked about beforehand.
 *
 * Thread rule: the coordinator, before workers are started and after they have ended. */
#ifndef SL_ENGINE_CHANGES_H
#define SL_ENGINE_CHANGES_H

#include "engine/stage/stage.h"

typedef struct sl_changes sl_changes;

/* All but DIR, the cache's folder, which is copied, are borrowed. */
SL_MUST_CHECK sl_status sl_changes_new(const sl_plan *plan, const sl_stages *stages, const sl_targets *targets, const char *dir,
                                       sl_changes **out, sl_error *err);
void sl_changes_free(sl_changes **c); /* NULL-safe */

/* *SINCE: when the last run committed (seconds since the epoch), if nothing has changed since; 0: something has, or that is not
 * known. Leaves the ledger as it was. What cannot be asked about is said among the plan's warnings. */
SL_MUST_CHECK sl_status sl_changes_look(sl_changes *c, int64_t *since, sl_error *err);

/* The sinks are about to hold something else. */
void sl_changes_forget(sl_changes *c);
/* They are committed: keeps the ledger, unless it is spoiled. A note that cannot be kept makes the next run work, no more. */
void sl_changes_keep(sl_changes *c);

#endif
