/* insert.c: rows into a table that is there, one by one in the order of the input, so that what becomes of a row depends on
 * nothing but the rows before it.
 *
 * A row is inserted with the fields it has: what it lacks is the column's default. With a key, a row that is there already is
 * updated in the fields that the item has, or left alone. Rows with the same set of fields share their statements. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "record/number/number.h"
#include "sinks/sqlite/job.h"

enum { VARIANTS = 32 };

typedef struct variant {           /* of rows that have the same fields */
    uint8_t *has;                  /* [ncols] 0 or 1 */
    sqlite3_stmt *update, *insert; /* update may be NULL: insert does both */
} variant;

typedef struct inserter {
    sl_job *j;
    sl_store_reader r;
    uint32_t ncols;
    uint32_t *key; /* [load->key.n] loaded columns */
    variant v[VARIANTS];
    unsigned nv, last;
    uint8_t *has; /* [ncols] of the row at hand */
} inserter;

static const sl_dbtable_column *target_of(const sl_job *j, uint32_t c) {
    return &j->table.cols[j->cols[c].target];
}

/* ---- keys ------------------------------------------------------------------------------------------------------ */

static void put_keys(const sl_job *j, sl_buf *sql) {
    for (uint32_t i = 0; i < j->load->key.n; i++) {
        sl_buf_byte(sql, i ? ',' : '(');
        sl_sql_name(sql, j->load->key.v[i]);
    }
    sl_buf_byte(sql, ')');
}

/* Whether the table has a unique index that a conflict clause can name. Not knowing is no answer: another index would be made. */
static sl_status key_is_unique(sl_job *j, bool *unique, sl_error *err) {
    sl_buf_str(&j->sql, "INSERT INTO ");
    sl_dbtable_put_name(&j->sql, j->table.name);
    put_keys(j, &j->sql);
    sl_buf_str(&j->sql, " SELECT ");
    for (uint32_t i = 0; i < j->load->key.n; i++) sl_buf_str(&j->sql, i ? ",1" : "1");
    sl_buf_str(&j->sql, " WHERE true ON CONFLICT");
    put_keys(j, &j->sql);
    sl_buf_str(&j->sql, " DO NOTHING");
    const char *sql = sl_buf_cstr(&j->sql);
    sl_status s = sl_buf_check(&j->sql, err);
    if (s == SL_OK) s = sl_db_compiles(j->d, sql, unique, err);
    sl_buf_clear(&j->sql);
    return s;
}

static sl_status create_key(sl_job *j, sl_error *err) {
    sl_buf name = {0};
    sl_buf_text(&name, j->table.name);
    for (uint32_t i = 0; i < j->load->key.n; i++) {
        sl_buf_byte(&name, '_');
        sl_buf_text(&name, j->load->key.v[i]);
    }
    sl_buf_str(&name, "_key");
    sl_status s = sl_buf_check(&name, err);
    sl_buf_str(&j->sql, "CREATE UNIQUE INDEX main.");
    sl_sql_name(&j->sql, sl_text_n(name.data, name.len));
    sl_buf_str(&j->sql, " ON ");
    sl_sql_name(&j->sql, j->table.name);
    put_keys(j, &j->sql);
    sl_buf_free(&name);
    return s == SL_OK ? sl_db_run(j->d, &j->sql, err) : s;
}

sl_status sl_job_make_key(sl_job *j, sl_error *err) {
    bool unique = true;
    if (j->load->key.n) TRY(key_is_unique(j, &unique, err));
    return unique ? SL_OK : create_key(j, err);
}

static sl_status no_such_key(const sl_job *j, sl_text name, sl_error *err) {
    const char **names = calloc(j->s->ncols + 1, sizeof *names);
    sl_arena arena = {0};
    for (uint32_t c = 0; names && c < j->s->ncols; c++) {
        names[c] = sl_arena_strndup(&arena, j->cols[c].name.s, j->cols[c].name.n);
        if (!names[c]) break;
    }
    char hint[SL_HINT] = "";
    sl_status s = sl_fail(err, SL_E_DATA, "the key column '%.*s' is in no item%s", (int)name.n, name.s,
                          names ? sl_text_meant(name, names, hint) : hint);
    sl_arena_free(&arena);
    free(names);
    return s;
}

static sl_status find_keys(inserter *in, sl_error *err) {
    const sl_job *j = in->j;
    in->key = sl_arena_alloc(&in->j->arena, (j->load->key.n + 1) * sizeof *in->key);
    if (!in->key) return sl_oom(err);
    for (uint32_t i = 0; i < j->load->key.n; i++) {
        sl_text name = j->load->key.v[i];
        uint32_t c = 0;
        while (c < in->ncols && !sl_text_eq_nocase(j->cols[c].name, name)) c++;
        if (c == in->ncols) return no_such_key(j, name, err);
        in->key[i] = c;
    }
    return SL_OK;
}

static bool is_key(const inserter *in, uint32_t c) {
    for (uint32_t i = 0; i < in->j->load->key.n; i++)
        if (in->key[i] == c) return true;
    return false;
}

/* ---- statements ------------------------------------------------------------------------------------------------ */

static void put_column(const sl_job *j, sl_buf *sql, uint32_t c) {
    sl_sql_name(sql, target_of(j, c)->name);
}

static void put_where_key(const inserter *in, sl_buf *sql) {
    for (uint32_t i = 0; i < in->j->load->key.n; i++) {
        sl_buf_str(sql, i ? " AND " : " WHERE ");
        put_column(in->j, sql, in->key[i]);
        sl_buf_printf(sql, "=?%u", in->key[i] + 1);
    }
}

/* Parameters have the numbers of their columns, from 1. */
static void put_values(const inserter *in, const uint8_t *has, sl_buf *sql) {
    const char *before = "(";
    for (uint32_t c = 0; c < in->ncols; c++) {
        if (!has[c]) continue;
        sl_buf_str(sql, before);
        put_column(in->j, sql, c);
        before = ",";
    }
    before = ") VALUES(";
    for (uint32_t c = 0; c < in->ncols; c++) {
        if (!has[c]) continue;
        sl_buf_printf(sql, "%s?%u", before, c + 1);
        before = ",";
    }
    sl_buf_byte(sql, ')');
}

/* col = excluded.col, or col = ?n, for all but the key. False: there is none. */
static bool put_sets(const inserter *in, const uint8_t *has, bool excluded, const char *before, sl_buf *sql) {
    bool any = false;
    for (uint32_t c = 0; c < in->ncols; c++) {
        if (!has[c] || is_key(in, c)) continue;
        sl_buf_str(sql, any ? "," : before);
        put_column(in->j, sql, c);
        if (excluded) {
            sl_buf_str(sql, "=excluded.");
            put_column(in->j, sql, c);
        } else {
            sl_buf_printf(sql, "=?%u", c + 1);
        }
        any = true;
    }
    return any;
}

static bool has_all(const inserter *in, const uint8_t *has) {
    const sl_dbtable *t = &in->j->table;
    uint32_t n = 0, all = 0;
    for (uint32_t c = 0; c < in->ncols; c++) n += has[c];
    for (uint32_t c = 0; c < t->ncols; c++) all += !t->cols[c].generated;
    return n == all;
}

/* A table that may refuse the row as a new one, though the one that is there would take what it has: the row is looked for first. */
static bool looks_first(const inserter *in, const uint8_t *has) {
    return in->j->load->key.n && in->j->table.guarded && !has_all(in, has);
}

static void put_conflict(inserter *in, const uint8_t *has, sl_buf *sql) {
    sl_load_mode mode = in->j->load->mode;
    if (mode != SL_LOAD_UPSERT && mode != SL_LOAD_IGNORE) return;
    sl_buf_str(sql, " ON CONFLICT");
    if (in->j->load->key.n) put_keys(in->j, sql);
    bool sets = mode == SL_LOAD_UPSERT && put_sets(in, has, true, " DO UPDATE SET ", sql);
    if (!sets) sl_buf_str(sql, " DO NOTHING");
}

static void put_insert(inserter *in, const uint8_t *has, sl_buf *sql) {
    bool any = false;
    for (uint32_t c = 0; c < in->ncols; c++) any |= has[c];
    sl_buf_str(sql, "INSERT INTO ");
    sl_dbtable_put_name(sql, in->j->table.name);
    if (!any) {
        sl_buf_str(sql, " DEFAULT VALUES");
        return;
    }
    put_values(in, has, sql);
    if (!looks_first(in, has)) put_conflict(in, has, sql);
}

/* Changes the row of the key, or finds it where there is nothing to change. */
static void put_update(inserter *in, const uint8_t *has, sl_buf *sql) {
    sl_buf *sets = &in->j->sql;
    sl_buf_str(sets, "UPDATE ");
    sl_dbtable_put_name(sets, in->j->table.name);
    if (in->j->load->mode != SL_LOAD_UPSERT || !put_sets(in, has, false, " SET ", sets)) {
        sl_buf_clear(sets);
        sl_buf_str(sql, "SELECT 1 FROM ");
        sl_dbtable_put_name(sql, in->j->table.name);
    }
    sl_buf_add(sql, sets->data, sets->len);
    sl_buf_clear(sets);
    put_where_key(in, sql);
}

static sl_status prepare(const inserter *in, sl_buf *sql, sqlite3_stmt **st, sl_error *err) {
    const char *z = sl_buf_cstr(sql);
    TRY(sl_buf_check(sql, err));
    if (sqlite3_prepare_v3(in->j->d->db, z, -1, SQLITE_PREPARE_PERSISTENT, st, NULL) == SQLITE_OK)
        return SL_OK;
    return sl_db_fail(in->j->d, "cannot load into", err);
}

static void drop_variant(variant *v) {
    sqlite3_finalize(v->update);
    sqlite3_finalize(v->insert);
    free(v->has);
    *v = (variant){0};
}

static sl_status make_variant(inserter *in, variant *v, sl_error *err) {
    sl_buf update = {0}, insert = {0};
    v->has = malloc(in->ncols + 1);
    if (!v->has) return sl_oom(err);
    memcpy(v->has, in->has, in->ncols);
    if (looks_first(in, v->has)) put_update(in, v->has, &update);
    put_insert(in, v->has, &insert);
    sl_status s = update.len ? prepare(in, &update, &v->update, err) : SL_OK;
    if (s == SL_OK) s = prepare(in, &insert, &v->insert, err);
    sl_buf_free(&update);
    sl_buf_free(&insert);
    return s;
}

/* The statements for the row at hand; those of the variant made longest ago make room. */
static sl_status find_variant(inserter *in, variant **out, sl_error *err) {
    for (unsigned k = 0; k < in->nv; k++) {
        unsigned i = (in->last + k) % in->nv;
        *out = &in->v[i];
        if (memcmp(in->v[i].has, in->has, in->ncols) != 0) continue;
        in->last = i;
        return SL_OK;
    }
    in->last = in->nv < VARIANTS ? in->nv++ : (in->last + 1) % VARIANTS;
    *out = &in->v[in->last];
    drop_variant(*out);
    sl_status s = make_variant(in, *out, err);
    if (s != SL_OK && (*out)->has) (*out)->has[0] = UINT8_MAX; /* is like no row */
    return s;
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

/* SQLite counts texts in ints; a record is at most 64 MiB. */
static int bind_text(sqlite3_stmt *st, int at, sl_text t) {
    return sqlite3_bind_text(st, at, t.n ? t.s : "", (int)t.n, SQLITE_STATIC);
}

static int bind_number(sqlite3_stmt *st, int at, const sl_cell *cell) {
    return cell->kind == SL_CELL_REAL ? sqlite3_bind_double(st, at, cell->f)
                                      : sqlite3_bind_int64(st, at, cell->i);
}

/* In a column without a type what reads like a number is one. */
static int bind_untyped(sqlite3_stmt *st, int at, sl_text t) {
    int64_t i;
    double f;
    switch (sl_number_classify(t, &i, &f)) {
    case SL_WHOLE: return sqlite3_bind_int64(st, at, i);
    case SL_REAL: return sqlite3_bind_double(st, at, f);
    case SL_NOT_NUMBER: break;
    }
    return bind_text(st, at, t);
}

static int bind_cell(sqlite3_stmt *st, int at, const sl_dbtable_column *t, const sl_cell *cell) {
    char digits[32];
    bool text = t->affinity == SL_AS_TEXT, untyped = t->affinity == SL_AS_BLOB;
    if (cell->kind <= SL_CELL_NULL || (cell->kind == SL_CELL_EMPTY && !text && !untyped))
        return sqlite3_bind_null(st, at);
    if (cell->kind == SL_CELL_TEXT && untyped) return bind_untyped(st, at, cell->text);
    if (cell->kind == SL_CELL_TEXT || cell->kind == SL_CELL_EMPTY) return bind_text(st, at, cell->text);
    if (!text) return bind_number(st, at, cell);
    sl_text spelled = sl_cell_text(cell, digits);
    return sqlite3_bind_text(st, at, spelled.s, (int)spelled.n, SQLITE_TRANSIENT);
}

/* A statement that only looks for the key may have fewer parameters than there are columns. */
static sl_status bind_row(inserter *in, const variant *v, sqlite3_stmt *st, sl_error *err) {
    int most = sqlite3_bind_parameter_count(st);
    for (uint32_t c = 0; c < in->ncols && (int)c < most; c++) {
        if (!v->has[c]) continue;
        if (bind_cell(st, (int)c + 1, target_of(in->j, c), &in->r.row.cells[c]) != SQLITE_OK)
            return sl_db_fail(in->j->d, "cannot load into", err);
    }
    return SL_OK;
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/* Where the row at hand comes from, for what ERR says. */
static void at_row(const inserter *in, sl_error *err) {
    char source[1024];
    sl_text from = in->r.row.source;
    snprintf(source, sizeof source, "%.*s", (int)from.n, from.n ? from.s : "");
    if (from.n && err) sl_error_at(err, source, in->r.row.line, 0);
}

static bool is_empty(const sl_dbtable_column *t, const sl_cell *cell) {
    bool number = t->affinity != SL_AS_TEXT && t->affinity != SL_AS_BLOB;
    return cell->kind <= SL_CELL_NULL || (number && cell->kind == SL_CELL_EMPTY);
}

static sl_status check_key(const inserter *in, sl_error *err) {
    for (uint32_t i = 0; i < in->j->load->key.n; i++) {
        const sl_dbtable_column *t = target_of(in->j, in->key[i]);
        if (is_empty(t, &in->r.row.cells[in->key[i]]))
            return sl_fail(err, SL_E_DATA, "item %llu has no value in the key column '%.*s'",
                           (unsigned long long)in->r.number, (int)t->name.n, t->name.s);
    }
    return SL_OK;
}

/* *DONE: it found or changed a row. */
static sl_status step(const inserter *in, sqlite3_stmt *st, bool *done, sl_error *err) {
    int code = sqlite3_step(st);
    bool changed = !sqlite3_stmt_readonly(st) && sqlite3_changes(in->j->d->db) > 0;
    *done = code == SQLITE_ROW || (code == SQLITE_DONE && changed);
    sl_status s =
        code == SQLITE_ROW || code == SQLITE_DONE ? SL_OK : sl_db_fail(in->j->d, "cannot load into", err);
    sqlite3_reset(st);
    return s;
}

static sl_status put_row(inserter *in, sl_error *err) {
    variant *v = NULL;
    bool done = false;
    for (uint32_t c = 0; c < in->ncols; c++) in->has[c] = in->r.row.cells[c].kind != SL_CELL_MISSING;
    TRY(check_key(in, err));
    TRY(find_variant(in, &v, err));
    if (v->update) {
        TRY(bind_row(in, v, v->update, err));
        TRY(step(in, v->update, &done, err));
        if (done) return SL_OK;
    }
    TRY(bind_row(in, v, v->insert, err));
    return step(in, v->insert, &done, err);
}

static sl_status put_rows(inserter *in, sl_error *err) {
    sl_status s;
    while ((s = sl_store_next(&in->r, err)) == SL_OK) {
        if (in->r.number % 1024 == 0 && sl_sink_stopping(in->j->env)) return SL_E_STOPPED;
        s = put_row(in, err);
        if (s != SL_OK) at_row(in, err);
        if (s != SL_OK) return s;
    }
    return s == SL_DONE ? SL_OK : s;
}

sl_status sl_job_insert(sl_job *j, sl_error *err) {
    inserter in = {.j = j, .r = {.store = j->s}, .ncols = j->s->ncols};
    in.has = sl_arena_alloc(&j->arena, in.ncols + 1);
    sl_status s = in.has ? find_keys(&in, err) : sl_oom(err);
    if (s == SL_OK) s = put_rows(&in, err);
    for (unsigned i = 0; i < in.nv; i++) drop_variant(&in.v[i]);
    sl_store_reader_free(&in.r);
    return s;
}
