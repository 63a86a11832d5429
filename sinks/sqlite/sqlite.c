/* sqlite.c: items into a table of an SQLite database, typed by evidence, in one transaction.
 *
 *   worker:       batches -> pages of a table's B-tree (sqlite_encode, sqlite_leaf)
 *   coordinator:  pages -> a store in a file beside the database (sqlite_store)
 *   ready:        types are decided; the store becomes a table (sqlite_tree), or its rows go into one (sqlite_load and what it uses)
 *   commit:       it becomes visible
 *
 * No connection is open between open and ready, so workers may be forked at any time in between. */
#include <stdlib.h>

#include <sqlite3.h>

#include "base/error.h"
#include "sinks/file/file.h"
#include "sinks/sink.h"
#include "sinks/sqlite/holds.h"
#include "sinks/sqlite/load.h"

typedef struct sqlite_conf {
    sl_load load;
    sl_text table; /* as given */
    int mode, schema;
    sl_value types;
    int nested;
    char *path, *name;     /* owned: what load.path and load.table show */
    sl_column_type *asked; /* owned: load.shape.types */
} sqlite_conf;

typedef struct sqlite_sink {
    const sl_load *load;
    char *file; /* load->path with links followed */
    sl_store store;
    sl_transaction *transaction; /* of the database; of several sinks the first owns it */
    bool owns;
} sqlite_sink;

/* ---- the conf -------------------------------------------------------------------------------------------------- */

static const char *const suffixes[] = {".db", ".sqlite", ".sqlite3", NULL};

/* "dir/out.db:table" -> its two parts; the table is empty when TARGET names none. */
static void split_target(sl_text target, sl_text *path, sl_text *table) {
    *path = target;
    *table = (sl_text){0};
    for (uint32_t i = target.n; i > 0; i--) {
        if (target.s[i - 1] != ':' || !sl_text_suffix((sl_text){target.s, i - 1}, suffixes)) continue;
        *path = (sl_text){target.s, i - 1};
        *table = (sl_text){target.s + i, target.n - i};
        return;
    }
}

/* Without a table's name the file's is taken. */
static sl_text stem_of(sl_text path) {
    uint32_t from = path.n, to = path.n;
    while (from > 0 && path.s[from - 1] != '/') from--;
    while (to > from + 1 && path.s[to - 1] != '.') to--;
    return to > from + 1 ? (sl_text){path.s + from, to - 1 - from} : (sl_text){path.s + from, path.n - from};
}

static sl_status set_target(sqlite_conf *c, sl_text target, sl_error *err) {
    sl_text path, table;
    split_target(target, &path, &table);
    if (c->table.n) table = c->table;
    if (!table.n) table = stem_of(path);
    if (memchr(table.s, 0, table.n))
        return sl_fail(err, SL_E_PLAN, "the table's name has a NUL character in it");
    if (table.n >= 7 && sl_text_eq_nocase((sl_text){table.s, 7}, SL_TEXT("sqlite_")))
        return sl_fail(err, SL_E_PLAN, "table names that begin with sqlite_ are SQLite's own");
    TRY(sl_file_path(&c->path, path, err));
    c->name = strndup(table.s, table.n);
    if (!c->name) return sl_oom(err);
    c->load.path = c->path;
    c->load.table = sl_text_of(c->name);
    return SL_OK;
}

static sl_status type_named(sl_value v, sl_text column, sl_affinity *out, sl_error *err) {
    static const char *const names[] = {"INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB"};
    for (unsigned i = 0; i < SL_COUNT(names) && sl_is_text(v); i++) {
        *out = (sl_affinity)(SL_AS_INTEGER + i);
        if (sl_text_eq_nocase(sl_bytes(v), sl_text_of(names[i]))) return SL_OK;
    }
    return sl_fail(err, SL_E_PLAN,
                   "the type of column '%.*s' must be one of INTEGER, REAL, NUMERIC, TEXT, BLOB",
                   (int)column.n, column.s);
}

static sl_status set_types(sqlite_conf *c, sl_error *err) {
    if (sl_is_absent(c->types)) return SL_OK;
    if (c->types.type != SL_MAP)
        return sl_fail(err, SL_E_PLAN, "types must be an object: {\"column\": \"INTEGER\", ...}");
    c->asked = calloc(c->types.n + 1, sizeof *c->asked);
    if (!c->asked) return sl_oom(err);
    for (uint32_t i = 0; i < c->types.n; i++) {
        const sl_pair *p = &c->types.as.map[i];
        c->asked[i].name = p->key;
        TRY(type_named(p->value, p->key, &c->asked[i].affinity, err));
    }
    c->load.shape.types = c->asked;
    c->load.shape.ntypes = c->types.n;
    return SL_OK;
}

/* How many columns a table may have is decided when SQLite is compiled. */
static sl_status find_limits(sqlite_conf *c, sl_error *err) {
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) c->load.shape.most_columns = (uint32_t)sqlite3_limit(db, SQLITE_LIMIT_COLUMN, -1);
    sqlite3_close(db);
    return code == SQLITE_OK ? SL_OK : sl_oom(err);
}

static sl_status sqlite_prepare(void *conf, sl_text target, const sl_sink_env *env, sl_error *err) {
    (void)env;
    sqlite_conf *c = conf;
    TRY(set_target(c, target, err));
    TRY(set_types(c, err));
    c->load.mode = (sl_load_mode)c->mode;
    c->load.schema = (sl_schema_rule)c->schema;
    TRY(find_limits(c, err));
    c->load.shape.flatten = c->nested == 1;
    if (c->load.mode == SL_LOAD_UPSERT && !c->load.key.n)
        return sl_fail(err, SL_E_PLAN, "mode upsert needs a key: the columns that identify a row");
    if (c->load.key.n && c->load.mode != SL_LOAD_UPSERT && c->load.mode != SL_LOAD_IGNORE)
        return sl_fail(err, SL_E_PLAN, "a key is only used by the modes upsert and ignore");
    if (!(c->load.busy >= 0 && c->load.busy <= 86400))
        return sl_fail(err, SL_E_PLAN, "busy_timeout must be between 0 and 86400 seconds");
    return SL_OK;
}

static void sqlite_destroy(void *conf) {
    sqlite_conf *c = conf;
    free(c->path);
    free(c->name);
    free(c->asked);
    c->path = c->name = NULL;
    c->asked = NULL;
}

/* ---- worker ---------------------------------------------------------------------------------------------------- */

static sl_status sqlite_start(const void *conf, void **state, sl_error *err) {
    const sqlite_conf *c = conf;
    *state = sl_sqlite_encoder_new(&c->load.shape);
    return *state ? SL_OK : sl_oom(err);
}

static void sqlite_stop(void *state) {
    sl_sqlite_encoder_free(state);
}

static sl_status sqlite_encode(const void *conf, void *state, sl_batch *b, sl_buf *frame, sl_error *err) {
    (void)conf;
    return sl_sqlite_encode(state, b, frame, err);
}

static sl_status sqlite_finish(const void *conf, void *state, sl_buf *frame, sl_error *err) {
    (void)conf;
    return sl_sqlite_encode_end(state, frame, err);
}

/* ---- coordinator ----------------------------------------------------------------------------------------------- */

static sl_status sqlite_open(const void *conf, const sl_sink_env *env, void **sink, sl_error *err) {
    const sqlite_conf *c = conf;
    sqlite_sink *s = calloc(1, sizeof *s);
    *sink = s;
    if (!s) return sl_oom(err);
    s->load = &c->load;
    TRY(sl_file_resolve(&s->file, c->path, err));
    TRY(sl_load_check(&c->load, s->file, env, err));
    sl_file_sweep(s->file);
    s->owns = true;
    TRY(sl_transaction_new(&s->transaction, s->file, c->path, c->load.busy, env, err));
    TRY(sl_transaction_add(s->transaction, s->load, &s->store, err));
    return sl_store_open(&s->store, s->file, env->tmpdir, err);
}

static sl_status sqlite_write(void *sink, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    sqlite_sink *s = sink;
    return sl_store_add(&s->store, frame, n, rows, err);
}

static sl_status sqlite_join(void *sink, void *other, sl_error *err) {
    sqlite_sink *s = sink, *o = other;
    if (!s->owns || strcmp(s->file, o->file) != 0) return SL_OK;
    sl_transaction_free(&s->transaction);
    s->transaction = o->transaction;
    s->owns = false;
    return sl_transaction_add(s->transaction, s->load, &s->store, err);
}

static sl_status sqlite_ready(void *sink, sl_error *err) {
    sqlite_sink *s = sink;
    return sl_transaction_ready(s->transaction, err);
}

static sl_status sqlite_commit(void *sink, sl_error *err) {
    sqlite_sink *s = sink;
    return sl_transaction_commit(s->transaction, err);
}

static sl_status sqlite_describe(void *sink, sl_buf *out, sl_error *err) {
    const sqlite_sink *s = sink;
    return sl_transaction_describe(s->transaction, s->load, out, err);
}

static void sqlite_close(void *sink) {
    sqlite_sink *s = sink;
    if (!s) return;
    if (s->owns) sl_transaction_free(&s->transaction);
    sl_store_close(&s->store);
    free(s->file);
    free(s);
}

static const char *const modes[] = {"replace", "append", "upsert", "ignore", NULL};
static const char *const schema_rules[] = {"evolve", "freeze", NULL};
static const char *const nestings[] = {"json", "flatten", NULL};

static const sl_option options[] = {
    {.name = "table",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sqlite_conf, table),
     .help = "the table, if the target does not name it (FILE.db:TABLE); otherwise the file's name without "
             "its suffix"},
    {.name = "mode",
     .type = SL_OPT_ENUM,
     .offset = offsetof(sqlite_conf, mode),
     .names = modes,
     .fallback = "replace",
     .help = "a new table in place of the old, rows appended, rows updated by key, or rows of known keys "
             "left alone"},
    {.name = "key",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(sqlite_conf, load.key),
     .help = "columns that identify a row; a unique index is made if there is none"},
    {.name = "schema",
     .type = SL_OPT_ENUM,
     .offset = offsetof(sqlite_conf, schema),
     .names = schema_rules,
     .fallback = "evolve",
     .help = "what may happen to the columns of a table that exists: new ones are added, and one that would "
             "alter a value becomes TEXT; or nothing"},
    {.name = "types",
     .type = SL_OPT_VALUE,
     .offset = offsetof(sqlite_conf, types),
     .help = "columns whose type is not to be found by evidence: {\"zip\": \"TEXT\"}"},
    {.name = "nested",
     .type = SL_OPT_ENUM,
     .offset = offsetof(sqlite_conf, nested),
     .names = nestings,
     .fallback = "json",
     .help = "objects in items: as JSON text, or as columns a.b"},
    {.name = "busy_timeout",
     .type = SL_OPT_SECONDS,
     .offset = offsetof(sqlite_conf, load.busy),
     .fallback = "60",
     .unit = "seconds",
     .help = "how long to wait for a lock of another program"},
    {0},
};

static const char *sqlite_file(const void *conf) {
    return ((const sqlite_conf *)conf)->path;
}

static sl_text sqlite_table(const void *conf) {
    return ((const sqlite_conf *)conf)->load.table;
}

static sl_status sqlite_takes_away(const void *conf, bool *some, sl_error *err) {
    const sl_load *load = &((const sqlite_conf *)conf)->load;
    *some = false;
    return load->mode == SL_LOAD_REPLACE ? sl_sqlite_holds(load->path, load->table, load->busy, some, err)
                                         : SL_OK;
}

const sl_sink sl_sink_sqlite = {
    .name = "sqlite",
    .summary = "a table of an SQLite database",
    .suffixes = suffixes,
    .options = options,
    .conf_size = sizeof(sqlite_conf),
    .file = sqlite_file,
    .table = sqlite_table,
    .takes_away = sqlite_takes_away,
    .prepare = sqlite_prepare,
    .destroy = sqlite_destroy,
    .start = sqlite_start,
    .stop = sqlite_stop,
    .encode = sqlite_encode,
    .finish = sqlite_finish,
    .open = sqlite_open,
    .write = sqlite_write,
    .join = sqlite_join,
    .ready = sqlite_ready,
    .describe = sqlite_describe,
    .commit = sqlite_commit,
    .close = sqlite_close,
};
