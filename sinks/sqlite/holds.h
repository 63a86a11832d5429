/* holds.h: whether a table that is about to be replaced holds any row. */
#ifndef SL_SINKS_SQLITE_HOLDS_H
#define SL_SINKS_SQLITE_HOLDS_H

#include "base/status.h"
#include "base/text.h"

/* A database or table that is not there holds none, nor does what is no database: the load itself says so. BUSY: seconds to wait
 * for a lock; SL_E_TEMP beyond. No connection stays open. */
SL_MUST_CHECK sl_status sl_sqlite_holds(const char *path, sl_text table, double busy, bool *some, sl_error *err);

#endif
