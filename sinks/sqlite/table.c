/* table.c: a table that exists: what its columns are, which of them would alter a value, and how it is widened. A table is
 * remade by SQLite's own statements within the load's transaction, so whatever refuses the change (a trigger, a view, a foreign
 * key) leaves it as it was. */
#include "sinks/sqlite/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "record/number/number.h"

void sl_dbtable_put_name(sl_buf *sql, sl_text name) {
    sl_buf_str(sql, "main.");
    sl_sql_name(sql, name);
}

/* ---- what the database says ------------------------------------------------------------------------------------ */

/* A statement whose first parameter is the table's name. */
static sl_status ask(const sl_dbtable *t, const char *sql, sqlite3_stmt **st, sl_error *err) {
    TRY(sl_db_prepare(t->d, sql, st, err));
    if (sqlite3_bind_text(*st, 1, t->name.s, (int)t->name.n, SQLITE_STATIC) == SQLITE_OK) return SL_OK;
    sqlite3_finalize(*st);
    return sl_db_fail(t->d, "cannot read", err);
}

static sl_status take_text(sl_dbtable *t, sqlite3_stmt *st, int i, sl_text *out, sl_error *err) {
    const char *s = (const char *)sqlite3_column_text(st, i);
    *out = sl_arena_text(&t->arena, sl_text_n(s ? s : "", (size_t)sqlite3_column_bytes(st, i)));
    return out->s ? SL_OK : sl_oom(err);
}

/* Calls EACH for every row, then ends the statement. */
static sl_status each_row(sl_dbtable *t, const char *sql,
                          sl_status (*each)(sl_dbtable *, sqlite3_stmt *, sl_error *), sl_error *err) {
    sqlite3_stmt *st = NULL;
    TRY(ask(t, sql, &st, err));
    sl_status s = SL_OK;
    int code = SQLITE_DONE;
    while (s == SL_OK && (code = sqlite3_step(st)) == SQLITE_ROW) s = each(t, st, err);
    if (s == SL_OK && code != SQLITE_DONE) s = sl_db_fail(t->d, "cannot read", err);
    sqlite3_finalize(st);
    return s;
}

static sl_status found_table(sl_dbtable *t, sqlite3_stmt *st, sl_error *err) {
    sl_text type;
    TRY(take_text(t, st, 0, &type, err));
    if (!sl_text_is(type, "table"))
        return sl_fail(err, SL_E_DATA, "'%.*s' in '%s' is a %s, no table", (int)t->name.n, t->name.s,
                       t->d->path, type.s);
    t->exists = true;
    t->without_rowid = sqlite3_column_int(st, 1);
    t->strict = sqlite3_column_int(st, 2);
    TRY(take_text(t, st, 3, &t->name, err));
    return take_text(t, st, 4, &t->sql, err);
}

static bool contains(sl_text declared, const char *word) {
    return sl_text_find(declared, sl_text_of(word), 0) >= 0;
}

/* SQLite's rules for a declared type, in upper case. */
static sl_affinity affinity_of(sl_text type) {
    if (contains(type, "INT")) return SL_AS_INTEGER;
    if (contains(type, "CHAR") || contains(type, "CLOB") || contains(type, "TEXT")) return SL_AS_TEXT;
    if (!type.n || contains(type, "BLOB")) return SL_AS_BLOB;
    if (contains(type, "REAL") || contains(type, "FLOA") || contains(type, "DOUB")) return SL_AS_REAL;
    return SL_AS_NUMERIC;
}

/* name, type, notnull, default, pk, hidden, number of columns of the key, number of columns */
static sl_status found_column(sl_dbtable *t, sqlite3_stmt *st, sl_error *err) {
    if (!t->cols) {
        t->cols = sl_arena_calloc(&t->arena, (size_t)sqlite3_column_int(st, 7) + 1, sizeof *t->cols);
        if (!t->cols) return sl_oom(err);
    }
    sl_dbtable_column *c = &t->cols[t->ncols++];
    TRY(take_text(t, st, 0, &c->name, err));
    TRY(take_text(t, st, 1, &c->type, err));
    bool key = sqlite3_column_int(st, 4);
    c->any = t->strict && sl_text_is(c->type, "ANY");
    c->affinity = c->any ? SL_AS_BLOB : affinity_of(c->type);
    c->rowid = key && sqlite3_column_int(st, 6) == 1 && sl_text_is(c->type, "INTEGER") && !t->without_rowid;
    c->generated = sqlite3_column_int(st, 5) > 1;
    bool needs = sqlite3_column_int(st, 2) || (key && t->without_rowid);
    c->needed = needs && !c->rowid && !c->generated && sqlite3_column_type(st, 3) == SQLITE_NULL;
    return SL_OK;
}

static sl_status found_link(sl_dbtable *t, sqlite3_stmt *st, sl_error *err) {
    sl_text name;
    TRY(take_text(t, st, 0, &name, err));
    sl_dbtable_column *c = sl_dbtable_find(t, name);
    if (c) c->linked = true;
    return SL_OK;
}

static sl_status found_trigger(sl_dbtable *t, sqlite3_stmt *st, sl_error *err) {
    (void)st;
    (void)err;
    t->guarded = true;
    return SL_OK;
}

static const char table_query[] =
    "SELECT l.type, l.wr, l.strict, s.name, s.sql FROM pragma_table_list AS l JOIN main.sqlite_schema AS s "
    "ON s.name = l.name AND s.type IN ('table', 'view') WHERE l.schema = 'main' AND l.name = ?1 COLLATE "
    "NOCASE";
static const char column_query[] =
    "SELECT name, upper(type), \"notnull\", dflt_value, pk, hidden, sum(pk > 0) OVER (), count(*) OVER () "
    "FROM pragma_table_xinfo(?1, 'main') ORDER BY cid";
/* Both sides of every foreign key; the parent's columns are its primary key where they are not named. */
static const char link_query[] = "SELECT \"from\" FROM pragma_foreign_key_list(?1, 'main') UNION "
                                 "SELECT coalesce(f.\"to\", p.name) FROM main.sqlite_schema AS s, "
                                 "pragma_foreign_key_list(s.name, 'main') AS f "
                                 "LEFT JOIN pragma_table_info(?1, 'main') AS p ON p.pk > 0 "
                                 "WHERE s.type = 'table' AND f.\"table\" = ?1 COLLATE NOCASE";
static const char trigger_query[] =
    "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE";

sl_status sl_dbtable_study(sl_dbtable *t, const sl_db *d, sl_text name, sl_error *err) {
    *t = (sl_dbtable){.d = d, .name = name};
    TRY(each_row(t, table_query, found_table, err));
    if (!t->exists) return SL_OK;
    t->decl = sl_decl_look(t->sql);
    if (!t->decl.found)
        return sl_fail(err, SL_E_DATA, "'%.*s' in '%s' is a virtual table, which cannot be loaded into",
                       (int)name.n, name.s, d->path);
    TRY(each_row(t, column_query, found_column, err));
    TRY(each_row(t, link_query, found_link, err));
    TRY(each_row(t, trigger_query, found_trigger, err));
    t->guarded |= t->decl.checked;
    for (uint32_t c = 0; c < t->ncols; c++) t->guarded |= t->cols[c].needed;
    return SL_OK;
}

void sl_dbtable_free(sl_dbtable *t) {
    if (t) sl_arena_free(&t->arena);
}

sl_dbtable_column *sl_dbtable_find(const sl_dbtable *t, sl_text name) {
    for (uint32_t c = 0; c < t->ncols; c++)
        if (sl_text_eq_nocase(t->cols[c].name, name)) return &t->cols[c];
    return NULL;
}

sl_status sl_dbtable_count(const sl_dbtable *t, uint64_t *rows, sl_error *err) {
    sl_buf sql = {0};
    int64_t n = 0;
    sl_buf_str(&sql, "SELECT count(*) FROM ");
    sl_dbtable_put_name(&sql, t->name);
    const char *z = sl_buf_cstr(&sql);
    sl_status s = sl_buf_check(&sql, err);
    if (s == SL_OK) s = sl_db_int(t->d, z, 0, &n, err);
    sl_buf_free(&sql);
    *rows = (uint64_t)n;
    return s;
}

/* ---- what a column holds --------------------------------------------------------------------------------------- */

enum { EXACT_BITS = 53 };

static bool is_exact(int64_t i) {
    const int64_t most = (int64_t)1 << EXACT_BITS;
    return i <= most && i >= -most;
}

static bool fits_int(double f) {
    return f >= -9223372036854775808.0 && f < 9223372036854775808.0 && f == (double)(int64_t)f;
}

/* A text in a column of numbers: what SQLite would convert must be the plain spelling of a number that the column holds; other words
 * are left as they are, unless the table is strict. */
static bool holds_text(const sl_dbtable *t, const sl_dbtable_column *c, sl_text text) {
    int64_t i;
    double f;
    switch (sl_number_classify(text, &i, &f)) {
    case SL_WHOLE: return c->affinity != SL_AS_REAL || is_exact(i);
    case SL_REAL: return c->affinity == SL_AS_REAL || !t->strict || fits_int(f);
    case SL_NOT_NUMBER: break;
    }
    return !t->strict && !sl_parse_double(sl_text_trim(text), &f);
}

bool sl_column_holds(const sl_dbtable *t, const sl_dbtable_column *c, const sl_cell *cell) {
    if (cell->kind <= SL_CELL_NULL || c->affinity == SL_AS_TEXT || c->any) return true;
    if (c->affinity == SL_AS_BLOB) return !t->strict;
    bool real = c->affinity == SL_AS_REAL;
    switch (cell->kind) {
    case SL_CELL_INT: return !real || is_exact(cell->i);
    case SL_CELL_REAL: return real || !t->strict || fits_int(cell->f);
    case SL_CELL_BOOL: return !real;
    case SL_CELL_TEXT: return holds_text(t, c, cell->text);
    case SL_CELL_MISSING:
    case SL_CELL_NULL:
    case SL_CELL_EMPTY: break;
    }
    return true;
}

bool sl_column_doubts(const sl_dbtable *t, const sl_dbtable_column *c, uint8_t seen) {
    if (c->affinity == SL_AS_TEXT || c->any) return false;
    if (c->affinity == SL_AS_BLOB) return t->strict && seen;
    uint8_t doubtful = SL_SEEN_TEXT;
    if (c->affinity == SL_AS_REAL) doubtful |= SL_SEEN_BIG | SL_SEEN_BOOL;
    if (c->affinity != SL_AS_REAL && t->strict) doubtful |= SL_SEEN_REAL;
    return seen & doubtful;
}

sl_status sl_column_may_widen(const sl_dbtable *t, const sl_dbtable_column *c, sl_error *err) {
    const char *why = c->rowid       ? "it is the INTEGER PRIMARY KEY"
                      : c->linked    ? "it is part of a foreign key"
                      : c->generated ? "it is generated"
                                     : NULL;
    if (!why) return SL_OK;
    return sl_fail(err, SL_E_DATA, "the column '%.*s' of the table '%.*s' cannot become TEXT, as %s",
                   (int)c->name.n, c->name.s, (int)t->name.n, t->name.s, why);
}

/* ---- what belongs to it ---------------------------------------------------------------------------------------- */

static void put_piece(sl_buf *pieces, sqlite3_stmt *st) {
    sl_buf_add(pieces, sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));
    sl_buf_byte(pieces, 0);
}

/* The first column of the rows of SQL, whose parameter is the table's name. */
static sl_status gather(const sl_dbtable *t, const char *sql, sl_buf *pieces, sl_error *err) {
    sqlite3_stmt *st = NULL;
    TRY(ask(t, sql, &st, err));
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) put_piece(pieces, st);
    sl_status s = code == SQLITE_DONE ? sl_buf_check(pieces, err) : sl_db_fail(t->d, "cannot read", err);
    sqlite3_finalize(st);
    return s;
}

static const char *next_piece(const sl_buf *pieces, const char *at) {
    at = at ? at + strlen(at) + 1 : pieces->data;
    return at && at < pieces->data + pieces->len ? at : NULL;
}

static sl_status compiles(const sl_db *d, sl_buf *sql, bool *fine, sl_error *err) {
    const char *z = sl_buf_cstr(sql);
    TRY(sl_buf_check(sql, err));
    TRY(sl_db_compiles(d, z, fine, err));
    sl_buf_clear(sql);
    return SL_OK;
}

static sl_status view_compiles(const sl_db *d, const char *name, sl_buf *sql, bool *fine, sl_error *err) {
    sl_buf_str(sql, "SELECT * FROM ");
    sl_dbtable_put_name(sql, sl_text_of(name));
    return compiles(d, sql, fine, err);
}

/* Keeps NAME of a view that works. */
static sl_status save_view(sl_extras *x, const sl_db *d, const char *name, sl_buf *sql, sl_error *err) {
    bool fine;
    TRY(view_compiles(d, name, sql, &fine, err));
    if (fine) sl_buf_add(&x->views, name, strlen(name) + 1);
    return SL_OK;
}

sl_status sl_extras_save(sl_extras *x, const sl_dbtable *t, sl_error *err) {
    sl_buf all = {0}, sql = {0};
    sl_status s =
        gather(t,
               "SELECT sql FROM main.sqlite_schema WHERE tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL "
               "AND type IN ('index', 'trigger') ORDER BY type, rowid",
               &x->made, err);
    if (s == SL_OK)
        s = gather(t, "SELECT name FROM main.sqlite_schema WHERE type = 'view' AND ?1 IS NOT NULL", &all,
                   err);
    for (const char *name = NULL; s == SL_OK && (name = next_piece(&all, name));)
        s = save_view(x, t->d, name, &sql, err);
    sl_buf_free(&all);
    sl_buf_free(&sql);
    return s == SL_OK ? sl_buf_check(&x->views, err) : s;
}

static sl_status check_view(const sl_dbtable *t, const char *name, sl_buf *sql, sl_error *err) {
    bool fine;
    TRY(view_compiles(t->d, name, sql, &fine, err));
    if (fine) return SL_OK;
    return sl_fail(err, SL_E_DATA, "the view '%s' of '%s' would not work any more: %s", name, t->d->path,
                   sqlite3_errmsg(t->d->db));
}

static sl_status check_views(const sl_extras *x, const sl_dbtable *t, sl_error *err) {
    sl_buf sql = {0};
    sl_status s = SL_OK;
    for (const char *name = NULL; s == SL_OK && (name = next_piece(&x->views, name));)
        s = check_view(t, name, &sql, err);
    sl_buf_free(&sql);
    return s;
}

static sl_status compile_update(const sl_dbtable *t, sl_text column, sl_buf *sql, bool *fine, sl_error *err) {
    sl_buf_str(sql, "UPDATE ");
    sl_dbtable_put_name(sql, t->name);
    sl_buf_str(sql, " SET ");
    sl_sql_name(sql, column);
    sl_buf_str(sql, "=NULL");
    return compiles(t->d, sql, fine, err);
}

/* Compiling a DELETE, an UPDATE and an INSERT compiles the triggers. */
static sl_status compile_changes(const sl_dbtable *t, sl_buf *sql, bool *fine, sl_error *err) {
    sl_buf_str(sql, "DELETE FROM ");
    sl_dbtable_put_name(sql, t->name);
    TRY(compiles(t->d, sql, fine, err));
    for (uint32_t c = 0; c < t->ncols && *fine; c++)
        if (!t->cols[c].generated) TRY(compile_update(t, t->cols[c].name, sql, fine, err));
    if (!*fine) return SL_OK;
    sl_buf_str(sql, "INSERT INTO ");
    sl_dbtable_put_name(sql, t->name);
    sl_buf_str(sql, " DEFAULT VALUES");
    return compiles(t->d, sql, fine, err);
}

static sl_status check_triggers(const sl_dbtable *t, sl_error *err) {
    sl_buf sql = {0};
    bool fine = false;
    sl_status s = compile_changes(t, &sql, &fine, err);
    sl_buf_free(&sql);
    if (s != SL_OK || fine) return s;
    return sl_fail(err, SL_E_DATA, "a trigger of the table '%.*s' would not work any more: %s",
                   (int)t->name.n, t->name.s, sqlite3_errmsg(t->d->db));
}

static sl_status lost_extra(const sl_dbtable *t, const char *sql, sl_error *err) {
    if (sqlite3_errcode(t->d->db) != SQLITE_ERROR)
        return sl_db_fail(t->d, "cannot rebuild an index or trigger of", err);
    return sl_fail(err, SL_E_DATA,
                   "'%s' of '%s' would be lost: %s; drop it first if it is not wanted any more", sql,
                   t->d->path, sqlite3_errmsg(t->d->db));
}

sl_status sl_extras_restore(const sl_extras *x, const sl_dbtable *t, sl_error *err) {
    for (const char *sql = NULL; (sql = next_piece(&x->made, sql));)
        if (sqlite3_exec(t->d->db, sql, NULL, NULL, NULL) != SQLITE_OK) return lost_extra(t, sql, err);
    TRY(check_views(x, t, err));
    return x->made.len ? check_triggers(t, err) : SL_OK;
}

void sl_extras_free(sl_extras *x) {
    sl_buf_free(&x->made);
    sl_buf_free(&x->views);
}

/* ---- made anew ------------------------------------------------------------------------------------------------- */

static const char other_name[] = "sluice: made anew";

/* sluice_text(value): an integer in its digits, a real in the shortest text that reads back, anything else as it is. */
static void text_of_value(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    char digits[32];
    if (sqlite3_value_type(values[0]) == SQLITE_INTEGER)
        sqlite3_result_text(context, digits, (int)sl_format_int(sqlite3_value_int64(values[0]), digits),
                            SQLITE_TRANSIENT);
    else if (sqlite3_value_type(values[0]) == SQLITE_FLOAT)
        sqlite3_result_text(context, digits, (int)sl_format_double(sqlite3_value_double(values[0]), digits),
                            SQLITE_TRANSIENT);
    else
        sqlite3_result_value(context, values[0]);
}

/* A name of the rowid that no column has; NULL: there is none, or the rowid is a column. */
static const char *rowid_name(const sl_dbtable *t) {
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    if (t->without_rowid) return NULL;
    for (uint32_t c = 0; c < t->ncols; c++)
        if (t->cols[c].rowid) return NULL;
    for (size_t i = 0; i < SL_COUNT(names); i++)
        if (!sl_dbtable_find(t, sl_text_of(names[i]))) return names[i];
    return NULL;
}

/* The columns that hold something, separated by commas. VALUES: what they hold once they are widened. */
static void put_columns(const sl_dbtable *t, bool values, sl_buf *sql) {
    const char *rowid = rowid_name(t), *comma = "";
    if (rowid) sl_buf_str(sql, rowid);
    if (rowid) comma = ",";
    for (uint32_t c = 0; c < t->ncols; c++) {
        if (t->cols[c].generated) continue;
        bool call = values && t->cols[c].widen;
        sl_buf_str(sql, comma);
        if (call) sl_buf_str(sql, "sluice_text(");
        sl_sql_name(sql, t->cols[c].name);
        if (call) sl_buf_byte(sql, ')');
        comma = ",";
    }
}

static sl_status create_other(const sl_dbtable *t, sl_buf *sql, sl_error *err) {
    sl_text *widened = malloc((t->ncols + 1) * sizeof *widened);
    uint32_t n = 0;
    if (!widened) return sl_oom(err);
    for (uint32_t c = 0; c < t->ncols; c++)
        if (t->cols[c].widen) widened[n++] = t->cols[c].name;
    bool found = sl_decl_retype(t->sql, sl_text_of(other_name), widened, n, sql);
    free(widened);
    if (found) return sl_db_run(t->d, sql, err);
    return sl_fail(err, SL_E_DATA, "the declaration of the table '%.*s' of '%s' is not understood",
                   (int)t->name.n, t->name.s, t->d->path);
}

static sl_status copy_rows(const sl_dbtable *t, sl_buf *sql, sl_error *err) {
    int code = sqlite3_create_function(t->d->db, "sluice_text", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                       text_of_value, NULL, NULL);
    if (code != SQLITE_OK) return sl_db_fail(t->d, "cannot load into", err);
    sl_buf_str(sql, "INSERT INTO ");
    sl_dbtable_put_name(sql, sl_text_of(other_name));
    sl_buf_byte(sql, '(');
    put_columns(t, false, sql);
    sl_buf_str(sql, ") SELECT ");
    put_columns(t, true, sql);
    sl_buf_str(sql, " FROM ");
    sl_dbtable_put_name(sql, t->name);
    return sl_db_run(t->d, sql, err);
}

/* The new table takes the old one's name; what names it elsewhere is not touched. */
static sl_status take_name(const sl_dbtable *t, sl_buf *sql, sl_error *err) {
    sl_buf_str(sql, "DROP TABLE ");
    sl_dbtable_put_name(sql, t->name);
    sl_buf_str(sql, "; PRAGMA legacy_alter_table=ON; ALTER TABLE ");
    sl_dbtable_put_name(sql, sl_text_of(other_name));
    sl_buf_str(sql, " RENAME TO ");
    sl_sql_name(sql, t->name);
    sl_buf_str(sql, "; PRAGMA legacy_alter_table=OFF");
    return sl_db_run(t->d, sql, err);
}

/* AUTOINCREMENT goes on where it was. */
static sl_status get_sequence(const sl_dbtable *t, int64_t *sequence, sl_error *err) {
    int64_t any;
    *sequence = -1;
    TRY(sl_db_int(t->d, "SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'", 0, &any, err));
    if (!any) return SL_OK;
    sqlite3_stmt *st = NULL;
    TRY(ask(t, "SELECT seq FROM main.sqlite_sequence WHERE name = ?1", &st, err));
    int code = sqlite3_step(st);
    if (code == SQLITE_ROW) *sequence = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SL_OK : sl_db_fail(t->d, "cannot read", err);
}

static sl_status set_sequence(const sl_dbtable *t, int64_t sequence, sl_error *err) {
    if (sequence < 0) return SL_OK;
    static const char *const statements[] = {"DELETE FROM main.sqlite_sequence WHERE name = ?1",
                                             "INSERT INTO main.sqlite_sequence(name, seq) VALUES(?1, ?2)"};
    for (size_t i = 0; i < SL_COUNT(statements); i++) {
        sqlite3_stmt *st = NULL;
        TRY(ask(t, statements[i], &st, err));
        if (i) sqlite3_bind_int64(st, 2, sequence);
        int code = sqlite3_step(st);
        sqlite3_finalize(st);
        if (code != SQLITE_DONE) return sl_db_fail(t->d, "cannot load into", err);
    }
    return SL_OK;
}

static sl_status remake(const sl_dbtable *t, bool with_rows, sl_buf *sql, sl_error *err) {
    int64_t sequence;
    TRY(get_sequence(t, &sequence, err));
    TRY(create_other(t, sql, err));
    if (with_rows) TRY(copy_rows(t, sql, err));
    TRY(take_name(t, sql, err));
    return set_sequence(t, sequence, err);
}

sl_status sl_dbtable_remake(sl_dbtable *t, bool with_rows, sl_error *err) {
    sl_buf sql = {0};
    sl_dbtable again = {0};
    sl_status s = remake(t, with_rows, &sql, err);
    if (s == SL_OK) s = sl_dbtable_study(&again, t->d, t->name, err);
    sl_buf_free(&sql);
    if (s != SL_OK) {
        sl_dbtable_free(&again);
        return s;
    }
    sl_dbtable_free(t);
    *t = again;
    return SL_OK;
}
