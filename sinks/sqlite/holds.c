#include "sinks/sqlite/holds.h"

#include <unistd.h>

#include "base/error.h"
#include "sinks/sqlite/db.h"

/* The first row, if there is one. What is no database or has no such table has none. */
static int find_row(const sl_db *d, const char *sql, bool *some) {
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(d->db, sql, -1, &st, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(st);
    *some = code == SQLITE_ROW;
    sqlite3_finalize(st);
    return code;
}

static sl_status look(const sl_db *d, sl_text table, bool *some, sl_error *err) {
    sl_buf sql = {0};
    sl_buf_str(&sql, "SELECT 1 FROM main.");
    sl_sql_name(&sql, table);
    sl_buf_str(&sql, " LIMIT 1");
    const char *z = sl_buf_cstr(&sql);
    sl_status s = sl_buf_check(&sql, err);
    int code = s == SL_OK ? find_row(d, z, some) : SQLITE_OK;
    sl_buf_free(&sql);
    if (code == SQLITE_NOMEM) return sl_oom(err);
    if (code != SQLITE_BUSY && code != SQLITE_LOCKED) return s;
    return sl_fail(err, SL_E_TEMP, "the database '%s' is locked by another program", d->path);
}

sl_status sl_sqlite_holds(const char *path, sl_text table, double busy, bool *some, sl_error *err) {
    sl_db d = {0};
    sl_error unopened = {0};
    *some = false;
    if (access(path, F_OK) != 0) return SL_OK;
    sl_status s = sl_db_open(&d, path, path, SQLITE_OPEN_READWRITE, busy, NULL, &unopened);
    if (s == SL_OK)
        s = look(&d, table, some, err);
    else
        s = s == SL_E_MEMORY ? sl_oom(err) : SL_OK;
    sl_db_close(&d);
    return s;
}
