#include "sinks/sqlite_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "sinks/file_out.h"
#include "sinks/sqlite_db.h"
#include "sinks/sqlite_leaf.h"

/* A new database of more than this gets large pages. */
enum { LARGE_PAGES = 256 };

static const char *const type_names[] = {"",        "INTEGER", "REAL",
                                         "NUMERIC", "TEXT",    "BLOB"}; /* by sl_affinity */

typedef struct column { /* one of the loaded ones */
    sl_text name;       /* in the table */
    sl_affinity type;   /* of the table's column */
    bool there;         /* the table has it already */
} column;

typedef struct job {
    const sl_load *load;
    sl_scratch *s;
    sl_db d;
    sl_arena arena;
    column *cols; /* [s->ncols] */
    bool exists;  /* the table */
    int64_t schema;
    sl_buf sql;
} job;

/* ---- columns --------------------------------------------------------------------------------------------------- */

/* What a column is by what all its values are. */
static sl_affinity by_evidence(uint8_t seen) {
    bool mixed_big = (seen & SL_SEEN_REAL) && (seen & SL_SEEN_BIG);
    if (seen & SL_SEEN_TEXT || mixed_big) return SL_AS_TEXT;
    if (seen & SL_SEEN_REAL) return SL_AS_REAL;
    return seen & SL_SEEN_INT ? SL_AS_INTEGER : SL_AS_TEXT;
}

static bool contains(const char *declared, const char *word) {
    return sl_text_find(sl_text_of(declared), sl_text_of(word), 0) >= 0;
}

/* SQLite's rules for a declared type, in upper case. */
static sl_affinity affinity_of(const char *declared) {
    if (contains(declared, "INT")) return SL_AS_INTEGER;
    if (contains(declared, "CHAR") || contains(declared, "CLOB") || contains(declared, "TEXT"))
        return SL_AS_TEXT;
    if (!*declared || contains(declared, "BLOB")) return SL_AS_BLOB;
    if (contains(declared, "REAL") || contains(declared, "FLOA") || contains(declared, "DOUB"))
        return SL_AS_REAL;
    return SL_AS_NUMERIC;
}

/* SQLite does not tell A from a: the later column gets a number. */
static sl_status unique_name(job *j, uint32_t c, sl_error *err) {
    sl_text wish = j->s->cols[c].name;
    if (wish.n && memchr(wish.s, 0, wish.n))
        return sl_fail(err, SL_E_DATA, "a column's name has a NUL character in it");
    j->cols[c].name = wish;
    unsigned number = 2;
    for (uint32_t i = 0; i < c; i++) {
        if (!sl_text_eq_nocase(j->cols[i].name, j->cols[c].name)) continue;
        j->cols[c].name = sl_arena_printf(&j->arena, "%.*s_%u", (int)wish.n, wish.s, number++);
        if (!j->cols[c].name.s) return sl_oom(err);
        i = UINT32_MAX; /* from the start again */
    }
    return SL_OK;
}

static sl_status name_columns(job *j, sl_error *err) {
    j->cols = sl_arena_calloc(&j->arena, j->s->ncols + 1, sizeof *j->cols);
    if (!j->cols) return sl_oom(err);
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        TRY(unique_name(j, c, err));
        sl_affinity asked = sl_shape_type(&j->load->shape, j->s->cols[c].name);
        j->cols[c].type = asked ? asked : by_evidence(j->s->cols[c].seen);
    }
    return SL_OK;
}

static column *column_named(const job *j, sl_text name) {
    for (uint32_t c = 0; c < j->s->ncols; c++)
        if (sl_text_eq_nocase(j->cols[c].name, name)) return &j->cols[c];
    return NULL;
}

static sl_status bind_table(job *j, sqlite3_stmt *st, sl_error *err) {
    if (sqlite3_bind_text(st, 1, j->load->table.s, (int)j->load->table.n, SQLITE_STATIC) == SQLITE_OK)
        return SL_OK;
    return sl_db_fail(&j->d, "cannot read", err);
}

/* ---- the table as it is ---------------------------------------------------------------------------------------- */

static sl_text text_at(sqlite3_stmt *st, int i) {
    const char *s = (const char *)sqlite3_column_text(st, i);
    return sl_text_of(s ? s : "");
}

static sl_status find_table(job *j, sl_error *err) {
    sqlite3_stmt *st = NULL;
    TRY(sl_db_prepare(&j->d, "SELECT type FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE", &st, err));
    sl_status s = bind_table(j, st, err);
    int code = s == SL_OK ? sqlite3_step(st) : SQLITE_DONE;
    j->exists = code == SQLITE_ROW;
    if (j->exists && !sl_text_is(text_at(st, 0), "table"))
        s = sl_fail(err, SL_E_DATA, "'%.*s' in '%s' is a %s, no table", (int)j->load->table.n,
                    j->load->table.s, j->d.path, text_at(st, 0).s);
    if (s == SL_OK && code != SQLITE_ROW && code != SQLITE_DONE) s = sl_db_fail(&j->d, "cannot read", err);
    sqlite3_finalize(st);
    return s;
}

/* A column that is there keeps its type. */
static sl_status match_columns(job *j, sl_error *err) {
    sqlite3_stmt *st = NULL;
    TRY(sl_db_prepare(&j->d, "SELECT name, upper(type) FROM pragma_table_info(?1, 'main')", &st, err));
    sl_status s = bind_table(j, st, err);
    int code = SQLITE_DONE;
    while (s == SL_OK && (code = sqlite3_step(st)) == SQLITE_ROW) {
        column *c = column_named(j, text_at(st, 0));
        if (!c) continue;
        c->there = true;
        c->type = affinity_of(text_at(st, 1).s);
    }
    if (s == SL_OK && code != SQLITE_DONE) s = sl_db_fail(&j->d, "cannot read", err);
    sqlite3_finalize(st);
    return s;
}

static sl_status check_encoding(const job *j, sl_error *err) {
    int64_t utf8;
    TRY(sl_db_int(&j->d, "SELECT encoding = 'UTF-8' FROM pragma_encoding", 0, &utf8, err));
    if (utf8) return SL_OK;
    return sl_fail(err, SL_E_DATA,
                   "the database '%s' holds its texts as UTF-16; only UTF-8 ones can be loaded into",
                   j->d.path);
}

static sl_status study(job *j, sl_error *err) {
    TRY(check_encoding(j, err));
    TRY(sl_db_int(&j->d, "PRAGMA main.schema_version", 0, &j->schema, err));
    TRY(find_table(j, err));
    TRY(name_columns(j, err));
    return j->exists && j->load->mode != SL_LOAD_REPLACE ? match_columns(j, err) : SL_OK;
}

/* ---- scratch ---------------------------------------------------------------------------------------------------- */

static sl_status finish_scratch(job *j, sl_error *err) {
    uint32_t n = j->s->ncols;
    const char **types = sl_arena_calloc(&j->arena, n + 1, sizeof *types);
    bool *to_text = sl_arena_calloc(&j->arena, n + 1, sizeof *to_text);
    if (!types || !to_text) return sl_oom(err);
    for (uint32_t c = 0; c < n; c++) {
        types[c] = type_names[j->cols[c].type];
        to_text[c] = j->cols[c].type == SL_AS_TEXT;
    }
    return sl_scratch_finish(j->s, types, to_text, err);
}

/* Its name is not needed once SQLite has it open. */
static sl_status attach(job *j, sl_error *err) {
    sqlite3_stmt *st = NULL;
    TRY(sl_db_prepare(&j->d, "ATTACH ?1 AS sluice_load", &st, err));
    sqlite3_bind_text(st, 1, j->s->path, -1, SQLITE_STATIC);
    sl_status s = sqlite3_step(st) == SQLITE_DONE ? SL_OK : sl_db_fail(&j->d, "cannot load into", err);
    sqlite3_finalize(st);
    /* It is only read, but BEGIN IMMEDIATE starts a transaction on every attached file: this keeps the commit a plain one. */
    if (s == SL_OK)
        s = sl_db_exec(&j->d, "PRAGMA sluice_load.journal_mode=OFF; PRAGMA sluice_load.synchronous=OFF", err);
    unlink(j->s->path);
    return s;
}

/* ---- statements ------------------------------------------------------------------------------------------------ */

static void put_table(job *j) {
    sl_buf_str(&j->sql, "main.");
    sl_sql_name(&j->sql, j->load->table);
}

static void put_create(job *j) {
    sl_buf_str(&j->sql, "CREATE TABLE ");
    put_table(j);
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        sl_buf_str(&j->sql, c ? ", " : "(");
        sl_sql_name(&j->sql, j->cols[c].name);
        sl_buf_printf(&j->sql, " %s", type_names[j->cols[c].type]);
    }
    sl_buf_byte(&j->sql, ')');
}

static sl_status create_table(job *j, sl_error *err) {
    put_create(j);
    return sl_db_run(&j->d, &j->sql, err);
}

static sl_status transfer(job *j, sl_error *err) {
    sl_buf_str(&j->sql, "INSERT INTO ");
    put_table(j);
    sl_buf_str(&j->sql, " SELECT * FROM sluice_load.t");
    return sl_db_run(&j->d, &j->sql, err);
}

/* ---- replace --------------------------------------------------------------------------------------------------- */

/* The statements that made the table's indexes and triggers, each ended by a NUL. */
static sl_status save_extras(job *j, sl_buf *extras, sl_error *err) {
    static const char query[] =
        "SELECT sql FROM main.sqlite_schema WHERE tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL "
        "AND type IN ('index', 'trigger') ORDER BY type, rowid";
    sqlite3_stmt *st = NULL;
    TRY(sl_db_prepare(&j->d, query, &st, err));
    sl_status s = bind_table(j, st, err);
    int code = SQLITE_DONE;
    while (s == SL_OK && (code = sqlite3_step(st)) == SQLITE_ROW) {
        sl_buf_text(extras, text_at(st, 0));
        sl_buf_byte(extras, 0);
    }
    if (s == SL_OK && code != SQLITE_DONE) s = sl_db_fail(&j->d, "cannot read", err);
    sqlite3_finalize(st);
    return s == SL_OK ? sl_buf_check(extras, err) : s;
}

/* One that names a column that is gone is left out. */
static sl_status restore_extras(job *j, const sl_buf *extras, sl_error *err) {
    for (size_t at = 0; at < extras->len; at += strlen(extras->data + at) + 1) {
        int code = sqlite3_exec(j->d.db, extras->data + at, NULL, NULL, NULL);
        bool gone = code == SQLITE_ERROR && strstr(sqlite3_errmsg(j->d.db), "no such column");
        if (code != SQLITE_OK && !gone)
            return sl_db_fail(&j->d, "cannot rebuild an index or trigger of", err);
    }
    return SL_OK;
}

static sl_status drop_table(job *j, sl_error *err) {
    if (!j->exists) return SL_OK;
    sl_buf_str(&j->sql, "DROP TABLE ");
    put_table(j);
    return sl_db_run(&j->d, &j->sql, err);
}

/* No item: the old table stays as it is made and is emptied. */
static sl_status empty_table(job *j, sl_error *err) {
    if (!j->exists) return SL_OK;
    sl_buf_str(&j->sql, "DELETE FROM ");
    put_table(j);
    return sl_db_run(&j->d, &j->sql, err);
}

static sl_status replace(job *j, sl_error *err) {
    if (j->s->ncols == 0 || (j->s->nrows == 0 && j->exists)) return empty_table(j, err);
    sl_buf extras = {0};
    sl_status s = save_extras(j, &extras, err);
    if (s == SL_OK) s = drop_table(j, err);
    if (s == SL_OK) s = create_table(j, err);
    if (s == SL_OK) s = transfer(j, err);
    if (s == SL_OK) s = restore_extras(j, &extras, err);
    sl_buf_free(&extras);
    return s;
}

/* ---- append, upsert, ignore ------------------------------------------------------------------------------------ */

static sl_status add_columns(job *j, sl_error *err) {
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        if (j->cols[c].there) continue;
        sl_buf_str(&j->sql, "ALTER TABLE ");
        put_table(j);
        sl_buf_str(&j->sql, " ADD COLUMN ");
        sl_sql_name(&j->sql, j->cols[c].name);
        sl_buf_printf(&j->sql, " %s", type_names[j->cols[c].type]);
        TRY(sl_db_run(&j->d, &j->sql, err));
    }
    return SL_OK;
}

/* An empty text is no number. */
static void put_source(job *j, uint32_t c) {
    sl_affinity a = j->cols[c].type;
    bool number = a == SL_AS_INTEGER || a == SL_AS_REAL || a == SL_AS_NUMERIC;
    sl_buf_printf(&j->sql, number ? "nullif(c%u,'')" : "c%u", c);
}

static bool is_key(const job *j, sl_text name) {
    for (uint32_t i = 0; i < j->load->key.n; i++)
        if (sl_text_eq_nocase(j->load->key.v[i], name)) return true;
    return false;
}

static void put_keys(job *j) {
    for (uint32_t i = 0; i < j->load->key.n; i++) {
        sl_buf_byte(&j->sql, i ? ',' : '(');
        sl_sql_name(&j->sql, j->load->key.v[i]);
    }
    sl_buf_byte(&j->sql, ')');
}

static void put_conflict(job *j) {
    if (j->load->mode == SL_LOAD_APPEND) return;
    sl_buf_str(&j->sql, " ON CONFLICT");
    if (j->load->key.n) put_keys(j);
    const char *before = " DO UPDATE SET ";
    for (uint32_t c = 0; c < j->s->ncols && j->load->mode == SL_LOAD_UPSERT; c++) {
        if (is_key(j, j->cols[c].name)) continue;
        sl_buf_str(&j->sql, before);
        sl_sql_name(&j->sql, j->cols[c].name);
        sl_buf_str(&j->sql, " = excluded.");
        sl_sql_name(&j->sql, j->cols[c].name);
        before = ", ";
    }
    if (before[0] == ' ') sl_buf_str(&j->sql, " DO NOTHING");
}

static void put_insert(job *j) {
    sl_buf_str(&j->sql, "INSERT INTO ");
    put_table(j);
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        sl_buf_byte(&j->sql, c ? ',' : '(');
        sl_sql_name(&j->sql, j->cols[c].name);
    }
    sl_buf_str(&j->sql, ") SELECT ");
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        if (c) sl_buf_byte(&j->sql, ',');
        put_source(j, c);
    }
    sl_buf_str(&j->sql, " FROM sluice_load.t WHERE true");
    put_conflict(j);
}

static sl_status insert(job *j, sl_error *err) {
    put_insert(j);
    return sl_db_run(&j->d, &j->sql, err);
}

/* Every item must have every part of the key. */
static sl_status check_key(job *j, sl_text name, sl_error *err) {
    column *c = column_named(j, name);
    if (!c) return sl_fail(err, SL_E_DATA, "the key column '%.*s' is in no item", (int)name.n, name.s);
    sl_buf_str(&j->sql, "SELECT rowid FROM sluice_load.t WHERE ");
    put_source(j, (uint32_t)(c - j->cols));
    sl_buf_str(&j->sql, " IS NULL LIMIT 1");
    int64_t rowid;
    const char *sql = sl_buf_cstr(&j->sql);
    TRY(sl_db_int(&j->d, sql, 0, &rowid, err));
    sl_buf_clear(&j->sql);
    if (!rowid) return SL_OK;
    return sl_fail(err, SL_E_DATA, "item %lld has no value in the key column '%.*s'", (long long)rowid,
                   (int)name.n, name.s);
}

/* True when the table has a unique index that the conflict clause can name. */
static bool key_is_unique(job *j) {
    put_insert(j);
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(j->d.db, sl_buf_cstr(&j->sql), -1, &st, NULL);
    sqlite3_finalize(st);
    sl_buf_clear(&j->sql);
    return code == SQLITE_OK;
}

static sl_status make_key(job *j, sl_error *err) {
    sl_buf name = {0};
    sl_buf_text(&name, j->load->table);
    for (uint32_t i = 0; i < j->load->key.n; i++) {
        sl_buf_byte(&name, '_');
        sl_buf_text(&name, j->load->key.v[i]);
    }
    sl_buf_str(&name, "_key");
    sl_status s = sl_buf_check(&name, err);
    sl_buf_str(&j->sql, "CREATE UNIQUE INDEX main.");
    sl_sql_name(&j->sql, sl_text_n(name.data, name.len));
    sl_buf_str(&j->sql, " ON ");
    sl_sql_name(&j->sql, j->load->table);
    put_keys(j);
    sl_buf_free(&name);
    return s == SL_OK ? sl_db_run(&j->d, &j->sql, err) : s;
}

static sl_status merge(job *j, sl_error *err) {
    if (j->s->ncols == 0 || (j->s->nrows == 0 && j->exists)) return SL_OK;
    for (uint32_t i = 0; i < j->load->key.n; i++) TRY(check_key(j, j->load->key.v[i], err));
    TRY(j->exists ? add_columns(j, err) : create_table(j, err));
    if (!j->exists && j->load->mode == SL_LOAD_APPEND) return transfer(j, err);
    if (j->load->key.n && !key_is_unique(j)) TRY(make_key(j, err));
    return insert(j, err);
}

/* ---- the transaction ------------------------------------------------------------------------------------------- */

static sl_status in_transaction(job *j, sl_error *err) {
    int64_t schema;
    TRY(sl_db_exec(&j->d, "BEGIN IMMEDIATE", err));
    TRY(sl_db_int(&j->d, "PRAGMA main.schema_version", 0, &schema, err));
    if (schema != j->schema)
        return sl_fail(err, SL_E_TEMP, "the tables of '%s' were changed meanwhile: try again", j->d.path);
    TRY(j->load->mode == SL_LOAD_REPLACE ? replace(j, err) : merge(j, err));
    TRY(sl_scratch_check(j->s, j->d.path, err));
    return sl_db_exec(&j->d, "COMMIT", err);
}

static sl_status fill(job *j, sl_error *err) {
    TRY(study(j, err));
    if (j->s->ncols == 0) return in_transaction(j, err);
    TRY(finish_scratch(j, err));
    TRY(attach(j, err));
    return in_transaction(j, err);
}

static sl_status run_on(const sl_load *load, sl_scratch *s, const char *file, bool fresh, sl_error *err) {
    job j = {.load = load, .s = s};
    int flags = SQLITE_OPEN_READWRITE | (fresh ? SQLITE_OPEN_CREATE : 0);
    sl_status st = sl_db_open(&j.d, load->path, file, flags, load->busy, err);
    if (st == SL_OK && fresh && s->next_page > LARGE_PAGES)
        st = sl_db_exec(&j.d, "PRAGMA page_size=65536", err);
    if (st == SL_OK && fresh)
        st = sl_db_exec(
            &j.d, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE", err);
    if (st == SL_OK) st = fill(&j, err);
    sl_db_close(&j.d); /* rolls back what is not committed */
    sl_buf_free(&j.sql);
    sl_arena_free(&j.arena);
    return st;
}

/* ---- new databases --------------------------------------------------------------------------------------------- */

static sl_status sync_file(const char *file, const char *path, sl_error *err) {
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    sl_status s =
        fd >= 0 && sl_file_sync(fd) == 0 ? SL_OK : sl_fail_errno(err, errno, "cannot write to", path);
    if (fd >= 0) close(fd);
    return s;
}

/* link, unlike rename, never covers a database that somebody else has made meanwhile. */
static sl_status give_name(const char *file, const char *path, sl_error *err) {
    if (link(file, path) == 0) {
        unlink(file);
        return SL_OK;
    }
    if (errno == EEXIST)
        return sl_fail(err, SL_E_TEMP, "the database '%s' has appeared meanwhile: try again", path);
    return rename(file, path) == 0 ? SL_OK : sl_fail_errno(err, errno, "cannot create", path);
}

/* FILE, a whole database that is on the disk, under the name of the user's. */
static sl_status publish(const sl_load *load, const char *file, sl_error *err) {
    int folder = -1;
    sl_status st = sl_file_open_folder(load->path, &folder, err);
    if (st == SL_OK) st = give_name(file, load->path, err);
    if (st == SL_OK) st = sl_file_sync_folder(folder, load->path, err);
    if (folder >= 0) close(folder);
    return st;
}

/* *DONE: the scratch file is a database with the table under its own name. */
static sl_status retitle(const sl_load *load, sl_scratch *s, bool *done, sl_error *err) {
    job j = {.load = load, .s = s};
    sl_status st = sl_db_open(&j.d, load->path, ":memory:", SQLITE_OPEN_READWRITE, load->busy, err);
    if (st == SL_OK) st = study(&j, err);
    if (st == SL_OK) st = finish_scratch(&j, err);
    if (st == SL_OK && !s->holes) {
        put_create(&j);
        const char *create = sl_buf_cstr(&j.sql);
        st = sl_buf_check(&j.sql, err);
        if (st == SL_OK) st = sl_scratch_retitle(s, create, err);
        *done = st == SL_OK;
    }
    sl_db_close(&j.d);
    sl_buf_free(&j.sql);
    sl_arena_free(&j.arena);
    return st;
}

static sl_status run_small(const sl_load *load, sl_scratch *s, sl_error *err) {
    char *file = sl_file_beside(load->path, "tmp");
    if (!file) return sl_oom(err);
    unlink(file); /* of an earlier process with our number */
    sl_status st = run_on(load, s, file, true, err);
    if (st == SL_OK) st = sync_file(file, load->path, err);
    if (st == SL_OK) st = publish(load, file, err);
    if (st != SL_OK) unlink(file);
    free(file);
    return st;
}

/* A large table of a new database is not copied once more: the scratch file becomes the database. */
static sl_status run_fresh(const sl_load *load, sl_scratch *s, sl_error *err) {
    bool done = false;
    if (s->next_page > LARGE_PAGES && !s->holes && !load->key.n) TRY(retitle(load, s, &done, err));
    if (!done) return run_small(load, s, err);
    TRY(sl_scratch_sync(s, load->path, err));
    return publish(load, s->path, err);
}

sl_status sl_load_run(const sl_load *load, sl_scratch *s, sl_error *err) {
    struct stat st;
    TRY(sl_scratch_settle(s, err));
    if (stat(load->path, &st) == 0) return run_on(load, s, load->path, false, err);
    return s->ncols ? run_fresh(load, s, err) : SL_OK;
}

sl_status sl_load_check(const sl_load *load, sl_error *err) {
    struct stat st;
    if (stat(load->path, &st) != 0) return SL_OK;
    sl_db d = {0};
    int64_t any;
    sl_status s = sl_db_open(&d, load->path, load->path, SQLITE_OPEN_READWRITE, load->busy, err);
    if (s == SL_OK) s = sl_db_int(&d, "SELECT count(*) FROM sqlite_schema", 0, &any, err);
    if (s == SL_OK && sqlite3_db_readonly(d.db, "main") == 1)
        s = sl_fail(err, SL_E_IO, "cannot write to the database '%s': it is read-only", load->path);
    sl_db_close(&d);
    return s;
}
