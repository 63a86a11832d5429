/* load.c: what has to happen to one table, and to all tables of a database in one transaction. */
#include "sinks/sqlite/load.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "record/cast.h"
#include "sinks/file/file.h"
#include "sinks/sqlite/fresh.h"
#include "sinks/sqlite/job.h"

enum {
    MOST_ATTACHED = 9, /* stores beside the database itself: one less than SQLite's default */
    COUNTED = 1 << 28  /* bytes of a database whose rows are counted for the summary: 0.2 s at most */
};

typedef struct member { /* a table of the transaction */
    sl_job job;
    int attached; /* its store is sluice_load<N>; -1: it is not */
    uint64_t before, after;
    bool counted;   /* before and after are known */
    sl_buf widened; /* names of columns, each ended by a NUL */
} member;

struct sl_transaction {
    char *file;
    const char *path;
    double busy;
    const sl_sink_env *env;
    member *v; /* [n] */
    uint32_t n;
    sl_db d;
    sl_fresh fresh; /* the database is made anew */
    bool ready, done, committed;
};

/* ---- stores as tables ------------------------------------------------------------------------------------------ */

/* The file of the store as a database with the table under its name. */
static sl_status make_table(sl_job *j, sl_error *err) {
    const bool *to_text = sl_job_texts(j);
    if (!to_text) return sl_oom(err);
    sl_job_put_create(j);
    const char *create = sl_buf_cstr(&j->sql);
    TRY(sl_buf_check(&j->sql, err));
    sl_status s = sl_store_table(j->s, create, to_text, err);
    sl_buf_clear(&j->sql);
    return s;
}

/* Its name is not needed once SQLite has it open. It is only read, but BEGIN IMMEDIATE starts a transaction on every attached file: without
 * a journal the commit stays a plain one. */
static sl_status attach(member *m, int number, sl_error *err) {
    sl_job *j = &m->job;
    sqlite3_stmt *st = NULL;
    TRY(make_table(j, err));
    sl_buf_printf(&j->sql, "ATTACH ?1 AS sluice_load%d", number);
    const char *sql = sl_buf_cstr(&j->sql);
    sl_status s = sl_buf_check(&j->sql, err);
    if (s == SL_OK) s = sl_db_prepare(j->d, sql, &st, err);
    sl_buf_clear(&j->sql);
    if (s != SL_OK) return s;
    sqlite3_bind_text(st, 1, j->s->path, -1, SQLITE_STATIC);
    if (sqlite3_step(st) != SQLITE_DONE) s = sl_db_fail(j->d, "cannot load into", err);
    sqlite3_finalize(st);
    if (s != SL_OK) return s;
    sl_store_forget(j->s);
    assert(m->attached < 0 && number < MOST_ATTACHED);
    m->attached = number;
    sl_buf_printf(&j->sql, "PRAGMA sluice_load%d.journal_mode=OFF; PRAGMA sluice_load%d.synchronous=OFF",
                  number, number);
    return sl_db_run(j->d, &j->sql, err);
}

static sl_status transfer(member *m, sl_error *err) {
    sl_job *j = &m->job;
    sl_buf_str(&j->sql, "INSERT INTO ");
    sl_dbtable_put_name(&j->sql, j->load->table);
    sl_buf_printf(&j->sql, " SELECT * FROM sluice_load%d.", m->attached);
    sl_sql_name(&j->sql, j->load->table);
    TRY(sl_db_run(j->d, &j->sql, err));
    return sl_store_check(j->s, j->d->path, err);
}

/* ---- one table ------------------------------------------------------------------------------------------------- */

static bool is_new(const sl_job *j) {
    if (!j->table.exists) return true;
    bool all_anew = j->load->mode == SL_LOAD_REPLACE && j->load->schema == SL_SCHEMA_EVOLVE;
    return all_anew && j->table.decl.plain && j->s->nrows && j->s->ncols;
}

static sl_status drop_table(sl_job *j, sl_error *err) {
    if (!j->table.exists) return SL_OK;
    sl_buf_str(&j->sql, "DROP TABLE ");
    sl_dbtable_put_name(&j->sql, j->table.name);
    return sl_db_run(j->d, &j->sql, err);
}

static sl_status study(sl_job *j, sl_error *err) {
    sl_dbtable_free(&j->table);
    return sl_dbtable_study(&j->table, j->d, j->load->table, err);
}

static sl_status fill_new(member *m, sl_error *err) {
    sl_job *j = &m->job;
    TRY(drop_table(j, err));
    sl_job_put_create(j);
    TRY(sl_db_run(j->d, &j->sql, err));
    TRY(study(j, err));
    if (m->attached >= 0) return transfer(m, err);
    TRY(sl_job_match_columns(j, err));
    TRY(sl_job_make_key(j, err));
    return sl_job_insert(j, err);
}

/* CHANGE does what takes away indexes, triggers and what views look at; they are made again behind it. */
static sl_status with_extras(member *m, sl_status (*change)(member *m, sl_error *err), sl_error *err) {
    sl_extras extras = {0};
    sl_status s = sl_extras_save(&extras, &m->job.table, err);
    if (s == SL_OK) s = change(m, err);
    if (s == SL_OK) s = sl_extras_restore(&extras, &m->job.table, err);
    sl_extras_free(&extras);
    return s;
}

/* {} is what some servers answer when they have nothing. */
static sl_status check_fields(const sl_job *j, sl_error *err) {
    if (j->s->ncols || !j->s->nrows) return SL_OK;
    return sl_fail(err, SL_E_DATA, "the items have no fields: they make no table '%.*s'",
                   (int)j->load->table.n, j->load->table.s);
}

static sl_status load_new(member *m, sl_error *err) {
    TRY(check_fields(&m->job, err));
    if (!m->job.s->ncols) return SL_OK;
    return m->job.table.exists ? with_extras(m, fill_new, err) : fill_new(m, err);
}

static sl_status note_widened(member *m, bool *any, sl_error *err) {
    const sl_dbtable *t = &m->job.table;
    *any = false;
    for (uint32_t c = 0; c < t->ncols; c++) {
        if (!t->cols[c].widen) continue;
        *any = true;
        sl_buf_text(&m->widened, t->cols[c].name);
        sl_buf_byte(&m->widened, 0);
    }
    return sl_buf_check(&m->widened, err);
}

static sl_status fill_kept(member *m, sl_error *err) {
    sl_job *j = &m->job;
    if (!j->s->nrows) return SL_OK;
    TRY(sl_job_match_columns(j, err));
    TRY(sl_job_add_columns(j, err));
    TRY(sl_job_make_key(j, err));
    return sl_job_insert(j, err);
}

/* Without its old rows: triggers do not see them go, nor the new ones come. */
static sl_status replace_rows(member *m, sl_error *err) {
    TRY(sl_dbtable_remake(&m->job.table, false, err));
    return fill_kept(m, err);
}

static sl_status widen_columns(member *m, sl_error *err) {
    return sl_dbtable_remake(&m->job.table, true, err);
}

static sl_status load_kept(member *m, sl_error *err) {
    sl_job *j = &m->job;
    bool widened;
    bool replaces = j->load->mode == SL_LOAD_REPLACE;
    if (!j->s->nrows) return replaces ? with_extras(m, replace_rows, err) : SL_OK;
    if (replaces) TRY(check_fields(j, err));
    TRY(sl_job_match_columns(j, err));
    TRY(sl_job_fit_columns(j, err));
    TRY(note_widened(m, &widened, err));
    if (replaces) return with_extras(m, replace_rows, err);
    if (widened) TRY(with_extras(m, widen_columns, err));
    return fill_kept(m, err);
}

/* ---- counting -------------------------------------------------------------------------------------------------- */

static sl_status is_countable(const sl_db *d, bool *countable, sl_error *err) {
    int64_t pages, size;
    TRY(sl_db_int(d, "PRAGMA main.page_count", 0, &pages, err));
    TRY(sl_db_int(d, "PRAGMA main.page_size", 0, &size, err));
    *countable = pages <= COUNTED / size;
    return SL_OK;
}

static sl_status count_before(member *m, sl_error *err) {
    m->before = 0;
    m->counted = true;
    if (!m->job.table.exists) return SL_OK;
    TRY(is_countable(m->job.d, &m->counted, err));
    return m->counted ? sl_dbtable_count(&m->job.table, &m->before, err) : SL_OK;
}

static sl_status count_after(member *m, sl_error *err) {
    const sl_job *j = &m->job;
    bool adds = j->load->mode == SL_LOAD_APPEND;
    m->after = m->before + j->s->nrows;
    if (adds || !m->counted || !j->table.exists) return SL_OK;
    return sl_dbtable_count(&j->table, &m->after, err);
}

static sl_status load_member(member *m, sl_error *err) {
    TRY(study(&m->job, err));
    TRY(count_before(m, err));
    bool anew = is_new(&m->job);
    if (m->attached >= 0 && !anew)
        return sl_fail(err, SL_E_TEMP, "the table '%.*s' of '%s' was declared anew meanwhile: try again",
                       (int)m->job.load->table.n, m->job.load->table.s, m->job.d->path);
    TRY(anew ? load_new(m, err) : load_kept(m, err));
    TRY(study(&m->job, err));
    return count_after(m, err);
}

/* ---- a database that is there ---------------------------------------------------------------------------------- */

static sl_status check_encoding(const sl_db *d, sl_error *err) {
    int64_t utf8;
    TRY(sl_db_int(d, "SELECT encoding = 'UTF-8' FROM pragma_encoding", 0, &utf8, err));
    if (utf8) return SL_OK;
    return sl_fail(err, SL_E_DATA,
                   "the database '%s' holds its texts as UTF-16; only UTF-8 ones can be loaded into",
                   d->path);
}

/* Whether the table will be made anew, as far as can be told before the lock is there. */
static sl_status may_attach(member *m, bool *may, sl_error *err) {
    TRY(study(&m->job, err));
    *may = m->job.load->mode == SL_LOAD_REPLACE && is_new(&m->job) && m->job.s->nrows && m->job.s->ncols;
    return SL_OK;
}

static sl_status attach_stores(sl_transaction *s, uint32_t from, sl_error *err) {
    int number = 0;
    for (uint32_t i = from; i < s->n; i++) {
        bool may = false;
        if (number < MOST_ATTACHED) TRY(may_attach(&s->v[i], &may, err));
        if (may) TRY(attach(&s->v[i], number++, err));
    }
    return SL_OK;
}

static sl_status load_existing(sl_transaction *s, sl_error *err) {
    TRY(sl_db_open(&s->d, s->path, s->file, SQLITE_OPEN_READWRITE, s->busy, s->env, err));
    TRY(check_encoding(&s->d, err));
    TRY(attach_stores(s, 0, err));
    TRY(sl_db_exec(&s->d, "BEGIN IMMEDIATE", err));
    for (uint32_t i = 0; i < s->n; i++) TRY(load_member(&s->v[i], err));
    return sl_db_flush(&s->d, err);
}

/* ---- a database that is not ------------------------------------------------------------------------------------ */

static bool has_anything(const sl_transaction *s) {
    for (uint32_t i = 0; i < s->n; i++)
        if (s->v[i].job.s->ncols || s->v[i].job.s->nrows) return true;
    return false;
}

/* The first table's file, or an empty one. *FROM: the first table that is not in it. */
static sl_status begin_fresh(sl_transaction *s, uint32_t *from, sl_error *err) {
    sl_job *j = &s->v[0].job;
    *from = 0;
    if (!j->s->ncols || j->load->key.n || !j->s->may_stay) return sl_fresh_create(&s->fresh, s->file, err);
    TRY(make_table(j, err));
    TRY(sl_store_sync(j->s, s->path, err));
    s->v[0].counted = true;
    s->v[0].after = j->s->nrows;
    *from = 1;
    return sl_fresh_take(&s->fresh, j->s, err);
}

/* No other process sees the file, so nothing of it needs a journal. */
static sl_status open_fresh(sl_transaction *s, sl_error *err) {
    TRY(sl_db_open(&s->d, s->path, s->fresh.file, SQLITE_OPEN_READWRITE, s->busy, s->env, err));
    return sl_db_exec(&s->d, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE",
                      err);
}

static sl_status load_others(sl_transaction *s, uint32_t from, sl_error *err) {
    TRY(attach_stores(s, from, err));
    TRY(sl_db_exec(&s->d, "BEGIN", err));
    for (uint32_t i = from; i < s->n; i++) TRY(load_member(&s->v[i], err));
    return sl_db_commit(&s->d, err);
}

static sl_status load_fresh(sl_transaction *s, sl_error *err) {
    uint32_t from;
    TRY(begin_fresh(s, &from, err));
    TRY(open_fresh(s, err));
    if (from == 1) TRY(study(&s->v[0].job, err));
    if (from < s->n) TRY(load_others(s, from, err));
    sl_db_close(&s->d);
    return from < s->n ? sl_fresh_sync(&s->fresh, s->path, err) : SL_OK;
}

/* ---- the transaction ----------------------------------------------------------------------------------------------- */

sl_status sl_transaction_new(sl_transaction **out, const char *file, const char *path, double busy,
                             const sl_sink_env *env, sl_error *err) {
    sl_transaction *s = *out = calloc(1, sizeof *s);
    if (!s) return sl_oom(err);
    s->path = path;
    s->busy = busy;
    s->env = env;
    s->file = strdup(file);
    return s->file ? SL_OK : sl_oom(err);
}

sl_status sl_transaction_add(sl_transaction *s, const sl_load *load, sl_store *store, sl_error *err) {
    assert(!s->ready);
    member *v = realloc(s->v, (s->n + 1) * sizeof *v);
    if (!v) return sl_oom(err);
    s->v = v;
    s->v[s->n++] = (member){.job = {.load = load, .env = s->env, .s = store}, .attached = -1};
    if (load->busy > s->busy) s->busy = load->busy;
    return SL_OK;
}

static sl_status settle_stores(sl_transaction *s, sl_error *err) {
    for (uint32_t i = 0; i < s->n; i++) {
        sl_job *j = &s->v[i].job;
        j->d = &s->d;
        TRY(sl_store_settle(j->s, err));
        TRY(sl_job_name_columns(j, err));
    }
    return SL_OK;
}

sl_status sl_transaction_ready(sl_transaction *s, sl_error *err) {
    if (s->ready) return SL_OK;
    s->ready = true;
    TRY(settle_stores(s, err));
    TRY(sl_fresh_begin(&s->fresh, s->file, s->path, s->busy, s->env, err));
    SL_TRACE(s->env->log, transaction,
             s->fresh.wanted ? "a new database, renamed at the end: %s"
                             : "into the database that is there: %s",
             s->path);
    if (!s->fresh.wanted) return load_existing(s, err);
    return has_anything(s) ? load_fresh(s, err) : SL_OK;
}

sl_status sl_transaction_commit(sl_transaction *s, sl_error *err) {
    assert(s->ready);
    if (s->done) return SL_OK;
    s->done = true;
    if (s->fresh.wanted) return sl_fresh_publish(&s->fresh, s->file, s->path, err);
    TRY(sl_db_commit(&s->d, err));
    s->committed = true;
    return SL_OK;
}

static void free_member(member *m) {
    sl_dbtable_free(&m->job.table);
    sl_buf_free(&m->job.sql);
    sl_buf_free(&m->widened);
    sl_arena_free(&m->job.arena);
}

void sl_transaction_free(sl_transaction **sp) {
    sl_transaction *s = *sp;
    *sp = NULL;
    if (!s) return;
    if (s->committed)
        sl_db_close(&s->d);
    else
        sl_db_abandon(&s->d);
    sl_fresh_end(&s->fresh);
    for (uint32_t i = 0; i < s->n; i++) free_member(&s->v[i]);
    free(s->v);
    free(s->file);
    free(s);
}

/* ---- what became of it ----------------------------------------------------------------------------------------- */

static void describe_columns(const sl_dbtable *t, sl_buf *out) {
    sl_buf_str(out, ", \"columns\": [");
    for (uint32_t c = 0; c < t->ncols; c++) {
        sl_buf_str(out, c ? ", {\"name\": " : "{\"name\": ");
        sl_json_text(t->cols[c].name, out);
        sl_buf_str(out, ", \"type\": ");
        sl_json_text(t->cols[c].type, out);
        sl_buf_byte(out, '}');
    }
    sl_buf_byte(out, ']');
}

static void describe_widened(const member *m, sl_buf *out) {
    sl_buf_str(out, ", \"widened\": [");
    for (size_t at = 0; at < m->widened.len; at += strlen(m->widened.data + at) + 1) {
        if (at) sl_buf_str(out, ", ");
        sl_json_text(sl_text_of(m->widened.data + at), out);
    }
    sl_buf_byte(out, ']');
}

static void describe_count(const char *name, const member *m, uint64_t rows, sl_buf *out) {
    if (m->counted)
        sl_buf_printf(out, ", \"%s\": %llu", name, (unsigned long long)rows);
    else
        sl_buf_printf(out, ", \"%s\": null", name);
}

sl_status sl_transaction_describe(const sl_transaction *s, const sl_load *load, sl_buf *out, sl_error *err) {
    for (uint32_t i = 0; i < s->n; i++) {
        const member *m = &s->v[i];
        if (m->job.load != load) continue;
        sl_buf_str(out, "\"table\": ");
        sl_json_text(load->table, out);
        describe_columns(&m->job.table, out);
        describe_count("rows_before", m, m->before, out);
        describe_count("rows_after", m, m->after, out);
        describe_widened(m, out);
    }
    return sl_buf_check(out, err);
}

sl_status sl_load_check(const sl_load *load, const char *file, const sl_sink_env *env, sl_error *err) {
    sl_db d = {0};
    int64_t any;
    sl_status s = sl_fresh_check_name(file, load->path, err);
    if (s != SL_OK || !sl_fresh_exists(file)) return s;
    s = sl_db_open(&d, load->path, file, SQLITE_OPEN_READWRITE, load->busy, env, err);
    if (s == SL_OK) s = sl_db_int(&d, "SELECT count(*) FROM sqlite_schema", 0, &any, err);
    if (s == SL_OK && sqlite3_db_readonly(d.db, "main") == 1)
        s = sl_fail(err, SL_E_IO, "cannot write to the database '%s': it is read-only", load->path);
    sl_db_close(&d);
    return s;
}
