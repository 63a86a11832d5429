/* db.h: an SQLite connection whose failures are ours: statuses, and messages that name the file. */
#ifndef SL_SINKS_SQLITE_DB_H
#define SL_SINKS_SQLITE_DB_H

#include <sqlite3.h>

#include "base/buffer.h"
#include "sinks/sink.h"

typedef struct sl_db {
    sqlite3 *db;
    const char *path; /* as the user knows it */
    const sl_sink_env *env;
    double busy;    /* seconds to wait for a lock */
    uint64_t waits; /* monotonic ns since when it has been waited for the lock at hand */
} sl_db;            /* must stay where it is while it is open */

/* FILE: what to open; PATH: what messages call it. BUSY: seconds to wait for a lock. What takes long, waiting included, ends with
 * SL_E_STOPPED when ENV (may be NULL) says so. */
SL_MUST_CHECK sl_status sl_db_open(sl_db *d, const char *path, const char *file, int flags, double busy, const sl_sink_env *env,
                                   sl_error *err);
void sl_db_close(sl_db *d); /* fine when never opened */
/* The same for a transaction that is given up: no journal is left behind, as far as the disk lets it be played back. */
void sl_db_abandon(sl_db *d);

/* The last failure of the connection. WHAT: "cannot load into". */
SL_MUST_CHECK sl_status sl_db_fail(const sl_db *d, const char *what, sl_error *err);
SL_MUST_CHECK sl_status sl_db_exec(const sl_db *d, const char *sql, sl_error *err);
/* Runs what has been gathered in SQL and clears it. */
SL_MUST_CHECK sl_status sl_db_run(const sl_db *d, sl_buf *sql, sl_error *err);
/* A prepared statement; the caller finalizes it. */
SL_MUST_CHECK sl_status sl_db_prepare(const sl_db *d, const char *sql, sqlite3_stmt **st, sl_error *err);
/* Whether SQL is a statement of this database; a failure is only that it cannot be told. */
SL_MUST_CHECK sl_status sl_db_compiles(const sl_db *d, const char *sql, bool *compiles, sl_error *err);
/* The first column of the first row as an integer; NONE when there is no row. */
SL_MUST_CHECK sl_status sl_db_int(const sl_db *d, const char *sql, int64_t none, int64_t *out, sl_error *err);

/* All changes of the transaction onto the disk, behind its journal, once readers have left the old state: what can fail has then
 * not failed, and what is to be waited for has been. */
SL_MUST_CHECK sl_status sl_db_flush(const sl_db *d, sl_error *err);

/* Ends the transaction. It counts as committed too where SQLite could only not give its lock back: by then all is on the disk and
 * the journal is gone, and closing the connection gives every lock back. */
SL_MUST_CHECK sl_status sl_db_commit(const sl_db *d, sl_error *err);

/* An identifier in double quotes, those inside doubled. */
void sl_sql_name(sl_buf *sql, sl_text name);

#endif
