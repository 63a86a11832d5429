/* apart.h: whether a path that is written at the end of a run names something the run itself reads or writes, and whether two
 * outputs are one file. */
#ifndef SL_ENGINE_APART_H
#define SL_ENGINE_APART_H

#include "engine/unit/unit.h"

/* SL_E_USAGE when PATH is the definition, a file that a source of PLAN names by itself, or one that a target writes; WHAT is to be
 * written there ("the report"). PLAN is prepared. Files that only items name are not known yet. */
SL_MUST_CHECK sl_status sl_apart_check(const sl_plan *plan, const sl_targets *targets, const char *what, const char *path,
                                       sl_error *err);

/* SL_E_USAGE when two targets are one file, or one table of a database, under two names, by links or otherwise. */
SL_MUST_CHECK sl_status sl_apart_targets(const sl_targets *targets, sl_error *err);

#endif
