/* sqlite_load.h: the rows of a scratch database into the user's, by SQLite's own hand, in one transaction.
 *
 * Where nothing stands in the way (a table made for the load) SQLite's transfer optimisation copies the records as they are. A
 * database that did not exist is made under another name and gets its own when it is complete. kill -9 at any moment leaves the old
 * state or the new. */
#ifndef SL_SINKS_SQLITE_LOAD_H
#define SL_SINKS_SQLITE_LOAD_H

#include "plan/option.h"
#include "sinks/sqlite_encode.h"
#include "sinks/sqlite_scratch.h"

typedef enum sl_load_mode { SL_LOAD_REPLACE, SL_LOAD_APPEND, SL_LOAD_UPSERT, SL_LOAD_IGNORE } sl_load_mode;

typedef struct sl_load {
    const char *path;
    sl_text table;
    sl_load_mode mode;
    sl_texts key;         /* upsert, ignore */
    double busy;          /* seconds to wait for a lock */
    sl_sqlite_shape shape;
} sl_load;

/* The database, if there is one, is one and can be read. */
SL_MUST_CHECK sl_status sl_load_check(const sl_load *load, sl_error *err);
/* Loads what S holds; S is finished by it. */
SL_MUST_CHECK sl_status sl_load_run(const sl_load *load, sl_scratch *s, sl_error *err);

#endif
