#include "sinks/sqlite_holds.h"

#include <unistd.h>

#include <sqlite3.h>

#include "base/error.h"

static sl_status find_row(sqlite3 *db, const char *path, sl_text table, bool *some, sl_error *err) {
    char *sql = sqlite3_mprintf("SELECT 1 FROM main.\"%.*w\" LIMIT 1", (int)table.n, table.s);
    if (!sql) return sl_oom(err);
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    sqlite3_free(sql);
    if (rc == SQLITE_OK) rc = sqlite3_step(q);
    *some = rc == SQLITE_ROW;
    sqlite3_finalize(q);
    if (rc == SQLITE_NOMEM) return sl_oom(err);
    if (rc != SQLITE_BUSY && rc != SQLITE_LOCKED) return SL_OK;
    return sl_fail(err, SL_E_TEMP, "the database '%s' is locked by another program", path);
}

sl_status sl_sqlite_holds(const char *path, sl_text table, double busy, bool *some, sl_error *err) {
    sqlite3 *db = NULL;
    *some = false;
    if (access(path, F_OK) != 0) return SL_OK;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
    if (rc != SQLITE_OK) {
        sqlite3_close(db);
        return rc == SQLITE_NOMEM ? sl_oom(err) : SL_OK;
    }
    sqlite3_busy_timeout(db, (int)(busy * 1000));
    sl_status s = find_row(db, path, table, some, err);
    sqlite3_close(db);
    return s;
}
