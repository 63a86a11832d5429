/* sqlite_rows.c: rows of an SQLite table. SQLite has to be read by one thread in order, so the coordinator reads, packs rows
 * into units and leaves everything else to the workers. The database may be anybody's, so nothing in it is executed that could
 * have effects. */
#include "sources/table/sqlite_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/ledger.h"
#include "base/missing.h"
#include "base/unicode.h"
#include "formats/table/table.h"
#include "record/pack.h"
#include "sources/stream/stream.h"

enum { ROWS = 4096, BUSY_MS = 5000, MOST_NAMES = 400 };

typedef struct table_conf {
    sl_text table;
    sl_csv_conf names;
} table_conf;

typedef struct database {
    const sl_source_conf *conf;
    const table_conf *table;
    const sl_env *env;
    sl_arena *keep; /* names that units show */
    sl_arena own;   /* is keep when the caller does not keep it */
    sl_texts names;
    uint32_t next;
    const char *source;
    sqlite3 *db;
    sqlite3_stmt *rows;
    sl_arena arena; /* of the columns */
    sl_csv_header header;
    uint64_t index, row, total;
    sl_buf packed;
} database;

static void close_database(database *d) {
    sqlite3_finalize(d->rows);
    sqlite3_close(d->db);
    d->rows = NULL;
    d->db = NULL;
    sl_arena_reset(&d->arena);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static sl_status fail_sqlite(database *d, int rc, sl_error *err) {
    int code = rc & 0xff;
    bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    const char *why = d->db ? sqlite3_errmsg(d->db) : sqlite3_errstr(rc);
    if (code == SQLITE_NOMEM) return sl_oom(err);
    sl_status status = busy                                              ? SL_E_TEMP
                       : code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? SL_E_DATA
                                                                         : SL_E_IO;
    sl_fail(err, status, "cannot read the database: %s", why);
    sl_error_at(err, d->source, 0, 0);
    return status;
}

/* The path as a URI that says what SQLite may do. */
static sl_status uri_of(const char *path, bool immutable, sl_buf *out, sl_error *err) {
    sl_buf_str(out, "file:");
    for (const char *p = path; *p; p++) {
        if (strchr("%?#", *p)) {
            sl_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*p);
        } else {
            sl_buf_byte(out, *p);
        }
    }
    sl_buf_str(out, immutable ? "?mode=ro&immutable=1" : "?mode=ro");
    (void)sl_buf_cstr(out);
    return sl_buf_check(out, err);
}

static int connect_to(database *d, const char *uri) {
    int rc = sqlite3_open_v2(uri, &d->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc) return rc;
    sqlite3_extended_result_codes(d->db, 1);
    sqlite3_busy_timeout(d->db, BUSY_MS);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return sqlite3_exec(d->db, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
}

static bool has_log(const char *path) {
    struct stat st;
    sl_buf name = {0};
    sl_buf_printf(&name, "%s-wal", path);
    bool there = stat(sl_buf_cstr(&name), &st) == 0 && st.st_size > 0;
    sl_buf_free(&name);
    return there;
}

static sl_status connect_any(database *d, const char *path, sl_error *err) {
    sl_buf uri = {0};
    sl_status status = uri_of(path, false, &uri, err);
    int rc = status ? SQLITE_OK : connect_to(d, uri.data);
    int code = rc & 0xff;
    if ((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && !has_log(path)) {
        close_database(d);
        sl_buf_clear(&uri);
        status = uri_of(path, true, &uri, err);
        rc = status ? SQLITE_OK : connect_to(d, uri.data);
    }
    sl_buf_free(&uri);
    if (status) return status;
    return rc ? fail_sqlite(d, rc, err) : SL_OK;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* Names of the tables and views, one behind the other with commas; *ONLY: the one there is, if there is one. */
static sl_status list_tables(database *d, sl_buf *list, sl_text *only, sl_error *err) {
    static const char sql[] =
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE "
        "'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    sqlite3_stmt *stmt = NULL;
    uint32_t n = 0;
    int rc = sqlite3_prepare_v2(d->db, sql, -1, &stmt, NULL);
    while (!rc && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        sl_text name = sl_text_of((const char *)sqlite3_column_text(stmt, 0));
        *only = n++ ? (sl_text){0} : sl_arena_text(&d->arena, name);
        if (list->len < MOST_NAMES) sl_buf_printf(list, "%s%.*s", list->len ? ", " : "", (int)name.n, name.s);
        rc = n == 1 && !only->s ? SQLITE_NOMEM : SQLITE_OK;
    }
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? sl_buf_check(list, err) : fail_sqlite(d, rc, err);
}

static bool is_there(database *d, sl_text table) {
    static const char sql[] =
        "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower(?)";
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(d->db, sql, -1, &stmt, NULL)) return false;
    sqlite3_bind_text(stmt, 1, table.s, (int)table.n, SQLITE_STATIC);
    bool there = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return there;
}

static sl_status choose_table(database *d, sl_text *table, sl_error *err) {
    sl_buf list = {0};
    sl_text only = {0};
    *table = d->table->table;
    if (table->n && is_there(d, *table)) return SL_OK;
    sl_status status = list_tables(d, &list, &only, err);
    const char *names = sl_buf_cstr(&list);
    if (!status && !table->n && only.n) {
        *table = only;
    } else if (!status && table->n) {
        status = sl_fail(err, SL_E_DATA, "there is no table '%.*s' in the database; there are: %s",
                         (int)table->n, table->s, names);
    } else if (!status) {
        status = sl_fail(err, SL_E_DATA,
                         list.len ? "table has to name one of: %s" : "the database has no table%s", names);
    }
    sl_buf_free(&list);
    sl_error_at(err, d->source, 0, 0);
    return status;
}

static sl_status name_columns(database *d, sl_error *err) {
    uint32_t n = (uint32_t)sqlite3_column_count(d->rows);
    sl_text *names = sl_arena_calloc(&d->arena, n, sizeof *names);
    if (!names) return sl_oom(err);
    for (uint32_t i = 0; i < n; i++) {
        const char *name = sqlite3_column_name(d->rows, (int)i);
        if (!name) return sl_oom(err);
        names[i] = sl_arena_text(&d->arena, sl_text_of(name));
        if (!names[i].s) return sl_oom(err);
    }
    return sl_csv_columns(&d->table->names, names, n, &d->arena, &d->header, err);
}

static sl_status open_table(database *d, sl_error *err) {
    sl_text table;
    TRY(choose_table(d, &table, err));
    sl_text name = sl_arena_text(&d->arena, table);
    if (!name.s) return sl_oom(err);
    sl_buf z = {0};
    sl_buf_text(&z, name);
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", sl_buf_cstr(&z));
    sl_buf_free(&z);
    if (!sql) return sl_oom(err);
    int rc = sqlite3_prepare_v2(d->db, sql, -1, &d->rows, NULL);
    sqlite3_free(sql);
    if (rc) return fail_sqlite(d, rc, err);
    d->row = 0;
    return name_columns(d, err);
}

static sl_status open_next(database *d, sl_error *err) {
    sl_text name = d->names.v[d->next++];
    d->source = name.s;
    TRY(connect_any(d, name.s, err));
    return open_table(d, err);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static sl_status text_value(database *d, int column, sl_arena *arena, sl_value *out, sl_error *err) {
    const char *s = (const char *)sqlite3_column_text(d->rows, column);
    size_t n = (size_t)sqlite3_column_bytes(d->rows, column);
    if (!s) return sl_oom(err);
    if (sl_utf8_valid_prefix(s, n) < n) {
        sl_fail(err, SL_E_DATA, "row %llu, column '%s': the text is not valid UTF-8",
                (unsigned long long)d->row, sqlite3_column_name(d->rows, column));
        sl_error_at(err, d->source, 0, 0);
        return SL_E_DATA;
    }
    sl_text copy = sl_arena_text(arena, sl_text_n(s, n));
    *out = sl_text_value(copy);
    out->aux = SL_TYPED_TEXT;
    return copy.s ? SL_OK : sl_oom(err);
}

static sl_status blob_value(database *d, int column, sl_arena *arena, sl_value *out, sl_error *err) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *s = sqlite3_column_blob(d->rows, column);
    size_t n = (size_t)sqlite3_column_bytes(d->rows, column);
    char *copy = sl_arena_alloc(arena, 2 * n);
    if (!copy || (n && !s)) return sl_oom(err);
    for (size_t i = 0; i < n; i++) {
        copy[2 * i] = digits[s[i] >> 4];
        copy[2 * i + 1] = digits[s[i] & 15];
    }
    *out = sl_text_value(sl_text_n(copy, 2 * n));
    out->aux = SL_TYPED_TEXT;
    return SL_OK;
}

static sl_status value_of(database *d, int column, sl_arena *arena, sl_value *out, sl_error *err) {
    switch (sqlite3_column_type(d->rows, column)) {
    case SQLITE_INTEGER: *out = sl_int(sqlite3_column_int64(d->rows, column)); return SL_OK;
    case SQLITE_FLOAT: *out = sl_float(sqlite3_column_double(d->rows, column)); return SL_OK;
    case SQLITE_TEXT: return text_value(d, column, arena, out, err);
    case SQLITE_BLOB: return blob_value(d, column, arena, out, err);
    default: *out = sl_null(); return SL_OK;
    }
}

static sl_status add_row(database *d, sl_builder *bd, uint64_t *bytes, sl_error *err) {
    d->row++;
    TRY(sl_builder_row(bd, err));
    for (uint32_t i = 0; i < d->header.ncols; i++) {
        sl_value v;
        TRY(value_of(d, (int)d->header.cols[i].field, sl_builder_arena(bd), &v, err));
        TRY(sl_builder_put(bd, d->header.cols[i].name, v, err));
        *bytes += sizeof v + (sl_is_text(v) ? v.n : 0);
    }
    return SL_OK;
}

/* An sl_batch_sink. */
static sl_status pack(void *to, sl_batch *take, sl_error *err) {
    database *d = to;
    sl_status status = sl_batch_pack(take, &d->packed, err);
    sl_batch_free(&take);
    return status;
}

static sl_status fill(database *d, sl_builder *bd, uint64_t *bytes, bool *over, sl_error *err) {
    for (uint32_t n = 0; n < ROWS && *bytes < d->env->unit; n++) {
        int rc = sqlite3_step(d->rows);
        *over = rc == SQLITE_DONE;
        if (*over) break;
        if (rc != SQLITE_ROW) return fail_sqlite(d, rc, err);
        TRY(add_row(d, bd, bytes, err));
    }
    return sl_builder_flush(bd, err);
}

/* The next rows as a unit; none: *GOT is false and the table is at its end. */
static sl_status next_unit(database *d, sl_unit *unit, bool *got, sl_error *err) {
    uint64_t bytes = 0, first = d->row;
    bool over = false;
    sl_buf_clear(&d->packed);
    sl_builder *bd = sl_builder_new(ROWS, NULL, pack, d);
    if (!bd) return sl_oom(err);
    sl_status status = fill(d, bd, &bytes, &over, err);
    sl_builder_free(&bd);
    if (!status) status = sl_buf_check(&d->packed, err);
    *got = d->row > first;
    if (!status && *got) {
        sl_input *in = sl_input_copy(d->packed.data, d->packed.len);
        if (!in) return sl_oom(err);
        *unit = (sl_unit){
            .input = in, .length = in->len, .index = d->index++, .bytes = bytes, .source = d->source};
    }
    if (over) close_database(d);
    return status;
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

static void sqlite_close(void *split) {
    database *d = split;
    if (!d) return;
    close_database(d);
    sl_buf_free(&d->packed);
    sl_arena_free(&d->arena);
    sl_arena_free(&d->own);
    free(d);
}

static sl_status look_at_names(database *d, sl_error *err) {
    for (uint32_t i = 0; i < d->names.n; i++) {
        struct stat st;
        const char *name = d->names.v[i].s;
        if (!sl_source_is_file(name))
            return sl_fail(err, SL_E_IO, "a database has to be a file of this machine, not '%s'", name);
        if (stat(name, &st)) return sl_fail_open(name, errno, err);
        sl_ledger_note_file(d->env->ledger, name, &st);
        if (has_log(name)) sl_ledger_spoil(d->env->ledger); /* somebody is writing it */
        if (S_ISREG(st.st_mode)) d->total += (uint64_t)st.st_size;
    }
    return SL_OK;
}

/* Databases are opened when their turn comes: by then all workers are there, and no connection is carried into them. */
static sl_status sqlite_open(const void *conf, const sl_env *env, void **split, sl_error *err) {
    database *d = calloc(1, sizeof *d);
    if (!d) return sl_oom(err);
    d->conf = conf;
    d->table = d->conf->choices[0].conf;
    d->env = env;
    d->keep = env->for_item ? &d->own : d->conf->keep;
    sl_status status = sl_access_check(&d->conf->access, d->conf->url, err);
    if (!status) status = sl_source_names(d->conf->url, env->base_dir, d->keep, &d->names, err);
    if (!status) sl_source_note_names(env, d->conf->url, &d->names);
    if (!status) status = look_at_names(d, err);
    if (status) {
        sqlite_close(d);
    } else {
        *split = d;
    }
    return status;
}

static sl_status sqlite_split(void *split, sl_unit *unit, sl_error *err) {
    database *d = split;
    for (bool got = false; !got;) {
        if (!d->db && d->next == d->names.n) return SL_DONE;
        if (!d->db) TRY(open_next(d, err));
        TRY(next_unit(d, unit, &got, err));
    }
    return SL_OK;
}

static uint64_t sqlite_total(void *split) {
    return ((const database *)split)->total;
}

static sl_status sqlite_read(const void *conf, void *state, const sl_unit *unit, sl_out *out,
                             uint64_t *quarantined, sl_error *err) {
    (void)conf, (void)state, (void)quarantined;
    size_t at = (size_t)unit->offset, end = at + (size_t)unit->length;
    while (at < end) {
        sl_batch *b = NULL;
        size_t used = 0;
        TRY(sl_batch_unpack(unit->input, at, end - at, &used, &b, err));
        b->source = unit->source;
        at += used;
        TRY(sl_emit(out, b, err));
    }
    return SL_OK;
}

const sl_source_calls sl_sqlite_source = {
    .open = sqlite_open,
    .split = sqlite_split,
    .total = sqlite_total,
    .close = sqlite_close,
    .read = sqlite_read,
};

static const sl_option options[] = {
    {.name = "table",
     .type = SL_OPT_TEXT,
     .offset = offsetof(table_conf, table),
     .help = "html: number from 1, id or caption; sqlite: table or view, default the only one"},
    SL_NAME_ROWS(table_conf),
    {.name = NULL},
};

const sl_format sl_format_table_sqlite = {
    .name = "sqlite",
    .suffixes = (const char *const[]){".sqlite", ".sqlite3", ".db", NULL},
    .summary = "a table of an SQLite database",
    .options = options,
    .conf_size = sizeof(table_conf),
};
