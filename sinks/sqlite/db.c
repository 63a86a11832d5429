/* db.c: a connection of SQLite's. All waiting, for locks and for long statements, goes through here, so that a run can be
 * stopped meanwhile; and all failures, since the code that SQLite returns does not always agree with the message it keeps. */
#include "sinks/sqlite/db.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"

/* Of SQLite's machine between two looks at whether to stop: a few milliseconds. */
enum { STEPS = 100000 };

/* ENOSPC, locks and damage are told apart: they mean different things to do. */
static sl_status status_of(int code) {
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return SL_E_TEMP;
    case SQLITE_INTERRUPT: return SL_E_STOPPED;
    case SQLITE_NOMEM: return SL_E_MEMORY;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR: return SL_E_DATA;
    default: return SL_E_IO;
    }
}

/* CODE is what a call has returned, which some do without keeping it for sqlite3_errmsg; and where memory was out, the message kept may
 * be what followed from that. */
static sl_status fail_with(const sl_db *d, int code, const char *what, sl_error *err) {
    bool kept = d->db && sqlite3_errcode(d->db) == code && (code & 0xff) != SQLITE_NOMEM;
    sl_status s = status_of(code);
    if (d->env && sl_sink_stopping(d->env)) return SL_E_STOPPED;
    if (s == SL_E_STOPPED) return s;
    if (s == SL_E_TEMP)
        return sl_fail(err, s, "the database '%s' is locked by another program: try again later", d->path);
    if (code == SQLITE_FULL) return sl_fail(err, s, "the disk is full: %s '%s'", what, d->path);
    return sl_fail(err, s, "%s '%s': %s", what, d->path, kept ? sqlite3_errmsg(d->db) : sqlite3_errstr(code));
}

sl_status sl_db_fail(const sl_db *d, const char *what, sl_error *err) {
    return fail_with(d, d->db ? sqlite3_errcode(d->db) : SQLITE_NOMEM, what, err);
}

static int is_stopped(void *env) {
    return sl_sink_stopping(env);
}

/* Called while a lock is somebody else's: 1 to try again. */
static int wait_for_lock(void *db, int tries) {
    sl_db *d = db;
    uint64_t now = sl_clock_ns();
    if (tries == 0) d->waits = now;
    if (d->env && sl_sink_stopping(d->env)) return 0;
    if ((double)(now - d->waits) >= d->busy * 1e9) return 0;
    int64_t pause = tries < 10 ? 1000000 * (tries + 1) : 20000000;
    nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
    return 1;
}

sl_status sl_db_open(sl_db *d, const char *path, const char *file, int flags, double busy,
                     const sl_sink_env *env, sl_error *err) {
    *d = (sl_db){.path = path, .env = env, .busy = busy};
    if (sqlite3_open_v2(file, &d->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return sl_db_fail(d, "cannot open the database", err);
    sqlite3_busy_handler(d->db, wait_for_lock, d);
    if (env) sqlite3_progress_handler(d->db, STEPS, is_stopped, (void *)(uintptr_t)env);
    return SL_OK;
}

sl_status sl_db_flush(const sl_db *d, sl_error *err) {
    int code = sqlite3_db_cacheflush(d->db);
    return code == SQLITE_OK ? SL_OK : fail_with(d, code, "cannot write to", err);
}

void sl_db_close(sl_db *d) {
    sqlite3_close(d->db);
    d->db = NULL;
}

static int is_delete(void *found, int n, char **values, char **names) {
    (void)names;
    *(bool *)found = n == 1 && values[0] && strcmp(values[0], "delete") == 0;
    return 0;
}

/* A journal that could not be written or played back is left for the next reader, who is this one, where the disk lets it. What is then
 * still there has no head and stands for nothing: SQLite deletes it, under its locks, when a mode that keeps journals is left. */
void sl_db_abandon(sl_db *d) {
    bool deletes = false;
    if (!d->db) return;
    sqlite3_progress_handler(d->db, 0, NULL, NULL);
    sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_exec(d->db, "SELECT count(*) FROM main.sqlite_schema", NULL, NULL, NULL);
    sqlite3_exec(d->db, "PRAGMA main.journal_mode", is_delete, &deletes, NULL);
    if (deletes)
        sqlite3_exec(d->db, "PRAGMA main.journal_mode=PERSIST; PRAGMA main.journal_mode=DELETE", NULL, NULL,
                     NULL);
    sl_db_close(d);
}

sl_status sl_db_exec(const sl_db *d, const char *sql, sl_error *err) {
    if (sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK) return SL_OK;
    return sl_db_fail(d, "cannot load into", err);
}

sl_status sl_db_commit(const sl_db *d, sl_error *err) {
    if (sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) return SL_OK;
    int code = sqlite3_extended_errcode(d->db);
    if (code == SQLITE_IOERR_RDLOCK || code == SQLITE_IOERR_UNLOCK) return SL_OK;
    return sl_db_fail(d, "cannot load into", err);
}

sl_status sl_db_run(const sl_db *d, sl_buf *sql, sl_error *err) {
    const char *z = sl_buf_cstr(sql);
    TRY(sl_buf_check(sql, err));
    sl_status s = sl_db_exec(d, z, err);
    sl_buf_clear(sql);
    return s;
}

sl_status sl_db_prepare(const sl_db *d, const char *sql, sqlite3_stmt **st, sl_error *err) {
    if (sqlite3_prepare_v2(d->db, sql, -1, st, NULL) == SQLITE_OK) return SL_OK;
    return sl_db_fail(d, "cannot read", err);
}

sl_status sl_db_compiles(const sl_db *d, const char *sql, bool *compiles, sl_error *err) {
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(d->db, sql, -1, &st, NULL);
    sqlite3_finalize(st);
    *compiles = code == SQLITE_OK;
    return code == SQLITE_OK || (code & 0xff) == SQLITE_ERROR ? SL_OK
                                                              : fail_with(d, code, "cannot read", err);
}

sl_status sl_db_int(const sl_db *d, const char *sql, int64_t none, int64_t *out, sl_error *err) {
    sqlite3_stmt *st = NULL;
    TRY(sl_db_prepare(d, sql, &st, err));
    int code = sqlite3_step(st);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(st, 0) : none;
    sl_status s = code == SQLITE_ROW || code == SQLITE_DONE ? SL_OK : sl_db_fail(d, "cannot read", err);
    sqlite3_finalize(st);
    return s;
}

void sl_sql_name(sl_buf *sql, sl_text name) {
    sl_buf_byte(sql, '"');
    for (uint32_t i = 0; i < name.n; i++) {
        if (name.s[i] == '"') sl_buf_byte(sql, '"');
        sl_buf_byte(sql, name.s[i]);
    }
    sl_buf_byte(sql, '"');
}
