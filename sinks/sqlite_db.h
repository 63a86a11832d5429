/* sqlite_db.h: an SQLite connection whose failures are ours: statuses, and messages that name the file. */
#ifndef SL_SINKS_SQLITE_DB_H
#define SL_SINKS_SQLITE_DB_H

#include <sqlite3.h>

#include "base/buffer.h"

typedef struct sl_db {
    sqlite3 *db;
    const char *path; /* as the user knows it */
} sl_db;

/* FILE: what to open, PATH unless the database is still under another name. */
SL_MUST_CHECK sl_status sl_db_open(sl_db *d, const char *path, const char *file, int flags, double busy, sl_error *err);
void sl_db_close(sl_db *d); /* fine when never opened */

/* The last failure of the connection. WHAT: "cannot load into". */
SL_MUST_CHECK sl_status sl_db_fail(const sl_db *d, const char *what, sl_error *err);
SL_MUST_CHECK sl_status sl_db_exec(const sl_db *d, const char *sql, sl_error *err);
/* Runs what has been gathered in SQL and clears it. */
SL_MUST_CHECK sl_status sl_db_run(const sl_db *d, sl_buf *sql, sl_error *err);
/* A prepared statement; the caller finalizes it. */
SL_MUST_CHECK sl_status sl_db_prepare(const sl_db *d, const char *sql, sqlite3_stmt **st, sl_error *err);
/* The first column of the first row as an integer; NONE when there is no row. */
SL_MUST_CHECK sl_status sl_db_int(const sl_db *d, const char *sql, int64_t none, int64_t *out, sl_error *err);

/* An identifier in double quotes, those inside doubled. */
void sl_sql_name(sl_buf *sql, sl_text name);

#endif
