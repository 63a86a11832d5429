/* load.h: the rows of stores into one database, by SQLite's own hand, in one transaction.
 *
 *   new add* ready commit? free
 *
 * A *transaction* is one database and all the tables of a run that go into it. ready does all that can fail; after it the rows are
 * on the disk and not visible; commit makes them visible. A database that did not exist is made under another name and gets
 * its own by commit: the first store becomes the file itself. kill -9 at any moment leaves the old state or the new. A table made
 * for the load is filled by SQLite's transfer optimisation, which copies records as they are; rows for a table that stays go in one
 * by one (insert.c). Thread rule: one thread at a time. */
#ifndef SL_SINKS_SQLITE_LOAD_H
#define SL_SINKS_SQLITE_LOAD_H

#include "options/option.h"
#include "sinks/sink.h"
#include "sinks/sqlite/encode.h"
#include "sinks/sqlite/store.h"

typedef enum sl_load_mode { SL_LOAD_REPLACE, SL_LOAD_APPEND, SL_LOAD_UPSERT, SL_LOAD_IGNORE } sl_load_mode;
typedef enum sl_schema_rule { SL_SCHEMA_EVOLVE, SL_SCHEMA_FREEZE } sl_schema_rule;

typedef struct sl_load {
    const char *path;
    sl_text table;
    sl_load_mode mode;
    sl_schema_rule schema;
    sl_texts key; /* upsert, ignore */
    double busy;  /* seconds to wait for a lock */
    sl_sqlite_shape shape;
} sl_load;

typedef struct sl_transaction sl_transaction;

/* The database, if there is one, is one and can be written to. FILE: load->path with links followed. */
SL_MUST_CHECK sl_status sl_load_check(const sl_load *load, const char *file, const sl_sink_env *env, sl_error *err);

/* FILE: the database's true path, copied; PATH: as the user knows it, borrowed. BUSY: seconds to wait for locks. */
SL_MUST_CHECK sl_status sl_transaction_new(sl_transaction **out, const char *file, const char *path, double busy,
                                           const sl_sink_env *env, sl_error *err);
/* One more table; both are borrowed until free. */
SL_MUST_CHECK sl_status sl_transaction_add(sl_transaction *s, const sl_load *load, sl_store *store, sl_error *err);
/* The first call does the work for all tables; further ones are nothing. */
SL_MUST_CHECK sl_status sl_transaction_ready(sl_transaction *s, sl_error *err);
SL_MUST_CHECK sl_status sl_transaction_commit(sl_transaction *s, sl_error *err);
/* What became of the table of LOAD, after ready, as members of a JSON object. */
SL_MUST_CHECK sl_status sl_transaction_describe(const sl_transaction *s, const sl_load *load, sl_buf *out, sl_error *err);
void sl_transaction_free(sl_transaction **s); /* without commit everything is as it was. NULL-safe */

#endif
