/* The SQLite sink: types by evidence, late columns, long cells, modes, atomicity; and the same rows by plain INSERTs. */
#define _XOPEN_SOURCE 700
#include "sink_fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "record/number/number.h"
#include "sinks/sqlite/load.h"

static sqlite3 *open_db(const char *path) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void run(const char *path, const char *sql) {
    sqlite3 *db = open_db(path);
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

/* Rows as "a|b\n", NULL as ~, values with the letter of their type: i1 r1.5 tx. */
static const char *query(const char *path, const char *sql, sl_arena *arena) {
    sqlite3 *db = open_db(path);
    sqlite3_stmt *st;
    sl_buf out = {0};
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int c = 0; c < sqlite3_column_count(st); c++) {
            static const char letters[] = "?irtb~";
            int type = sqlite3_column_type(st, c);
            if (c) sl_buf_byte(&out, '|');
            sl_buf_byte(&out, letters[type]);
            if (type != SQLITE_NULL)
                sl_buf_add(&out, sqlite3_column_text(st, c), (size_t)sqlite3_column_bytes(st, c));
        }
        sl_buf_byte(&out, '\n');
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    sl_text t = sl_arena_text(arena, sl_text_n(out.data, out.len));
    sl_buf_free(&out);
    return t.n ? t.s : "";
}

static void assert_query(const char *path, const char *sql, const char *expected) {
    sl_arena arena = {0};
    assert_string_equal(query(path, sql, &arena), expected);
    sl_arena_free(&arena);
}

static void assert_sound(const char *path) {
    assert_query(path, "PRAGMA integrity_check", "tok\n");
}

static const char types_sql[] = "SELECT group_concat(name || ' ' || type, ', ') FROM pragma_table_info('t')";

static void load_csv(const char *names, const char *a, const char *b) {
    rig r = {0};
    rig_open(&r, "x.db:t", "{}");
    rig_csv(&r, names, a);
    if (b) rig_csv(&r, names, b);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_sound("x.db");
}

static void load_json(const char *conf, const char *a, const char *b) {
    rig r = {0};
    rig_open(&r, "x.db:t", conf);
    rig_items(&r, a, 0);
    if (b) rig_items(&r, b, 2);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_sound("x.db");
}

static void columns_get_the_types_of_their_values(void **state) {
    (void)state;
    load_csv("i,r,t,z,big,mix,none", "1,1.5,a,007,123456789012345678901,1,\n-2,2,,1,1,1.50,\n,,c,2,2,x,\n",
             NULL);
    assert_query("x.db", types_sql, "ti INTEGER, r REAL, t TEXT, z TEXT, big TEXT, mix TEXT, none TEXT\n");
    assert_query("x.db", "SELECT * FROM t",
                 "i1|r1.5|ta|t007|t123456789012345678901|t1|t\n"
                 "i-2|r2.0|t|t1|t1|t1.50|t\n"
                 "~|~|tc|t2|t2|tx|t\n");
}

/* A JSON string is a text whatever it looks like; a CSV cell has no type of its own. */
static void typed_texts_stay_texts(void **state) {
    (void)state;
    rig r = {0};
    unit u = {.r = &r};
    rig_open(&r, "x.db:t", "{}");
    sl_value typed = sl_text_value(SL_TEXT("12"));
    typed.aux = SL_TYPED_TEXT;
    sl_pair pairs[] = {{SL_TEXT("a"), typed}, {SL_TEXT("b"), sl_text_value(SL_TEXT("12"))}};
    sl_builder *bd = sl_builder_new(0, NULL, unit_batch, &u);
    assert_int_equal(sl_builder_add(bd, sl_map(pairs, 2), &r.err), SL_OK);
    assert_int_equal(sl_builder_flush(bd, &r.err), SL_OK);
    sl_builder_free(&bd);
    unit_end(&u);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_query("x.db", types_sql, "ta TEXT, b INTEGER\n");
    assert_query("x.db", "SELECT * FROM t", "t12|i12\n");
}

/* A large table of a new database is not copied: the scratch file becomes the database, its rows numbered from 1. */
static void large_tables_become_the_database(void **state) {
    (void)state;
    rig r = {0};
    sl_buf rows = {0};
    rig_open(&r, "x.db:a \"b\"", "{}");
    for (int part = 0; part < 24; part++) {
        sl_buf_clear(&rows);
        for (int i = 1; i <= 1000; i++) sl_buf_printf(&rows, "%d,%0800d\n", part * 1000 + i, part * 1000 + i);
        rig_csv(&r, "id,text", sl_buf_cstr(&rows));
    }
    sl_buf_free(&rows);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_sound("x.db");
    assert_query("x.db", "PRAGMA page_size", "i16384\n");
    assert_query(
        "x.db",
        "SELECT count(*), min(rowid), max(rowid), sum(rowid = id), sum(length(text)) FROM \"a \"\"b\"\"\"",
        "i24000|i1|i24000|i24000|i19200000\n");
    assert_query("x.db", "SELECT text = printf('%0800d', 12345) FROM \"a \"\"b\"\"\" WHERE rowid = 12345",
                 "i1\n");
    assert_int_equal(count_files(), 1);
}

static void nothing_changes_in_value(void **state) {
    (void)state;
    load_csv("e,plus,neg0,wide,exact", "1e5,+5,-0,9007199254740993,9007199254740993\n2,5,0,0.5,1\n", NULL);
    assert_query("x.db", types_sql, "te TEXT, plus TEXT, neg0 TEXT, wide TEXT, exact INTEGER\n");
    assert_query("x.db", "SELECT * FROM t",
                 "t1e5|t+5|t-0|t9007199254740993|i9007199254740993\nt2|t5|t0|t0.5|i1\n");
}

/* Numbers of earlier units and empty cells get their own spelling back when a later unit shows a text. */
static void a_text_in_a_later_unit_makes_the_column_text(void **state) {
    (void)state;
    load_csv("a,b,c", "0.10,,1\n2.50,,-7\n,,\n1.5,,3\n0.00001,,5\n0.0,,6\n", "x,y,z\n");
    assert_query("x.db", types_sql, "ta TEXT, b TEXT, c TEXT\n");
    assert_query("x.db", "SELECT * FROM t",
                 "t0.10|t|t1\nt2.50|t|t-7\nt|t|t\nt1.5|t|t3\nt0.00001|t|t5\nt0.0|t|t6\ntx|ty|tz\n");
}

static void json_values_have_their_types(void **state) {
    (void)state;
    load_json("{}",
              "[{\"i\":1,\"f\":1.5,\"b\":true,\"n\":null,\"l\":[1,\"\\u00e9\"],\"m\":{\"a\":1},\"s\":\"x\"}]",
              "[{\"i\":-300,\"f\":2.0,\"b\":false,\"n\":null,\"l\":[],\"m\":{},\"s\":null}]");
    assert_query("x.db", types_sql, "ti INTEGER, f REAL, b INTEGER, n TEXT, l TEXT, m TEXT, s TEXT\n");
    assert_query("x.db", "SELECT i, f, b, n, m, s FROM t",
                 "i1|r1.5|i1|~|t{\"a\":1}|tx\ni-300|r2.0|i0|~|t{}|~\n");
}

static void integers_of_all_widths_are_stored(void **state) {
    (void)state;
    load_csv("i",
             "0\n1\n-1\n127\n128\n-128\n-129\n32767\n32768\n-32769\n8388607\n8388608\n-"
             "8388609\n2147483647\n2147483648\n"
             "-2147483649\n140737488355327\n140737488355328\n-140737488355329\n9223372036854775807\n-"
             "9223372036854775808\n",
             NULL);
    assert_query(
        "x.db", "SELECT i FROM t",
        "i0\ni1\ni-1\ni127\ni128\ni-128\ni-129\ni32767\ni32768\ni-32769\ni8388607\ni8388608\ni-8388609\n"
        "i2147483647\ni2147483648\ni-2147483649\ni140737488355327\ni140737488355328\ni-140737488355329\n"
        "i9223372036854775807\ni-9223372036854775808\n");
}

static void late_columns_are_null_before(void **state) {
    (void)state;
    load_json("{}", "[{\"a\":1},{\"a\":2,\"b\":\"x\"}]", "[{\"c\":1.5,\"a\":3},{\"b\":\"y\"},{\"d\":4}]");
    assert_query("x.db", types_sql, "ta INTEGER, b TEXT, c REAL, d INTEGER\n");
    assert_query("x.db", "SELECT * FROM t", "i1|~|~|~\ni2|tx|~|~\ni3|~|r1.5|~\n~|ty|~|~\n~|~|~|i4\n");
}

/* The same columns whether the rows come in one unit or in three, one batch or many. */
static void columns_do_not_depend_on_units(void **state) {
    (void)state;
    static const char *const rows[] = {"{\"a\":1,\"c\":2}", "{\"a\":1,\"b\":2,\"c\":3}",
                                       "{\"d\":1,\"b\":\"x\"}"};
    for (unsigned cut = 0; cut < 4; cut++) {
        rig r = {0};
        char all[256] = "[";
        rig_open(&r, "x.db:t", "{}");
        for (unsigned i = 0; i < 3; i++) {
            strcat(all, rows[i]);
            bool ends = i == 2 || cut >> i & 1;
            strcat(all, ends ? "]" : ",");
            if (!ends) continue;
            rig_items(&r, all, 1 + cut % 2);
            strcpy(all, "[");
        }
        rig_commit(&r);
        assert_ok(&r);
        rig_close(&r);
        assert_query("x.db", types_sql, "ta INTEGER, c INTEGER, b TEXT, d INTEGER\n");
        assert_query("x.db", "SELECT * FROM t", "i1|i2|~|~\ni1|i3|t2|~\n~|~|tx|i1\n");
    }
}

/* Cells around every limit of a page, up to a megabyte; converted columns among them. */
static void long_cells_go_into_overflow_pages(void **state) {
    (void)state;
    static const size_t lengths[] = {10,     8000,   16370, 65490,   65491,   65492, 65493,  65494,
                                     65495,  65496,  65500, 65530,   65536,   70000, 131000, 131060,
                                     131072, 196596, 5,     1000000, 1048576, 2};
    sl_buf text = {0};
    for (size_t i = 0; i < SL_COUNT(lengths); i++) {
        sl_buf_printf(&text, "%zu,", i + 100);
        for (size_t k = 0; k < lengths[i]; k++) sl_buf_byte(&text, (char)('a' + (i + k / 7) % 26));
        sl_buf_printf(&text, ",1.50\n");
    }
    load_csv("n,s,late", sl_buf_cstr(&text), "5,,x\n");
    sqlite3 *db = open_db("x.db");
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT n, s, late FROM t ORDER BY rowid", -1, &st, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < SL_COUNT(lengths); i++) {
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int64(st, 0), i + 100);
        assert_int_equal(sqlite3_column_bytes(st, 1), lengths[i]);
        const unsigned char *s = sqlite3_column_text(st, 1);
        for (size_t k = 0; k < lengths[i]; k++)
            if (s[k] != 'a' + (i + k / 7) % 26) fail_msg("row %zu differs at byte %zu", i, k);
        assert_string_equal((const char *)sqlite3_column_text(st, 2), "1.50");
    }
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    sqlite3_finalize(st);
    sqlite3_close(db);
    sl_buf_free(&text);
}

static void strange_names_are_quoted(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "x.db:my \"table\" \xf0\x9f\x90\x9f", "{}");
    rig_items(&r,
              "[{\"select\":1,\"a "
              "b\":2,\"q\\\"q\":3,\"\\ud83d\\ude00\":4,\"x;--\":5,\"Id\":6,\"id\":7,\"\":8,\"rowid\":9}]",
              0);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_sound("x.db");
    assert_query("x.db", "SELECT * FROM \"my \"\"table\"\" \xf0\x9f\x90\x9f\"",
                 "i1|i2|i3|i4|i5|i6|i7|i8|i9\n");
    assert_query("x.db",
                 "SELECT name FROM pragma_table_info('my \"table\" \xf0\x9f\x90\x9f') WHERE cid IN (2, 3, 6)",
                 "tq\"q\nt\xf0\x9f\x98\x80\ntid_2\n");
}

static void members_of_objects_become_columns(void **state) {
    (void)state;
    load_json("{\"nested\":\"flatten\"}", "[{\"a\":1,\"m\":{\"x\":1,\"y\":{\"z\":\"s\"}},\"b\":2}]",
              "[{\"m\":{\"y\":{\"z\":\"t\"},\"w\":[1]}}]");
    assert_query("x.db", "SELECT * FROM t", "i1|i1|ts|i2|~\n~|~|tt|~|t[1]\n");
    assert_query("x.db", "SELECT name FROM pragma_table_info('t')", "ta\ntm.x\ntm.y.z\ntb\ntm.w\n");
}

static void types_asked_for_are_given(void **state) {
    (void)state;
    load_json("{\"types\":{\"zip\":\"INTEGER\",\"n\":\"text\",\"r\":\"REAL\"}}",
              "[{\"zip\":\"0123\",\"n\":5,\"r\":3},{\"zip\":\"x\",\"n\":1.5,\"r\":\"4\"}]", NULL);
    assert_query("x.db", types_sql, "tzip INTEGER, n TEXT, r REAL\n");
    assert_query("x.db", "SELECT * FROM t", "i123|t5|r3.0\ntx|t1.5|r4.0\n");
}

static void replace_keeps_what_belongs_to_the_table(void **state) {
    (void)state;
    run("x.db", "CREATE TABLE other(o); INSERT INTO other VALUES(1); CREATE TABLE t(a, gone); INSERT INTO t "
                "VALUES(1, 2);"
                "CREATE INDEX ia ON t(a); CREATE VIEW v AS SELECT a FROM t;"
                "CREATE TRIGGER tr AFTER DELETE ON t BEGIN DELETE FROM other; END");
    load_csv("a,b", "5,x\n6,y\n", NULL);
    assert_query("x.db", "SELECT a FROM v", "i5\ni6\n");
    assert_query("x.db", "SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger') ORDER BY name",
                 "tia\nttr\n");
    assert_query("x.db", "SELECT * FROM other", "i1\n");
}

static void assert_fails(rig *r, sl_status code, const char *part) {
    rig_commit(r);
    assert_int_equal(r->status, code);
    if (!strstr(r->err.text, part)) fail_msg("\"%s\" does not have \"%s\"", r->err.text, part);
    rig_close(r);
}

/* What belongs to a table would be lost: an index of a column that is gone, a view, a trigger. */
static void replace_breaks_nothing(void **state) {
    (void)state;
    static const char *const extras[] = {"CREATE INDEX x ON t(gone)", "CREATE VIEW x AS SELECT gone FROM t",
                                         "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT new.gone; END"};
    for (size_t i = 0; i < SL_COUNT(extras); i++) {
        rig r = {0};
        run("x.db", "CREATE TABLE t(a, gone); INSERT INTO t VALUES(1, 2)");
        run("x.db", extras[i]);
        rig_open(&r, "x.db:t", "{}");
        rig_csv(&r, "a,b", "5,x\n");
        assert_fails(&r, SL_E_DATA, "gone");
        assert_query("x.db", "SELECT * FROM t", "i1|i2\n");
        unlink("x.db");
    }
}

static void without_commit_nothing_happens(void **state) {
    (void)state;
    run("x.db", "CREATE TABLE t(a); INSERT INTO t VALUES('old')");
    rig r = {0};
    rig_open(&r, "x.db:t", "{}");
    rig_csv(&r, "a", "1\n2\n");
    assert_ok(&r);
    rig_close(&r);
    assert_query("x.db", "SELECT * FROM t", "told\n");
    assert_int_equal(count_files(), 1);
    rig_open(&r, "new.db:t", "{}");
    rig_csv(&r, "a", "1\n2\n");
    rig_close(&r);
    assert_int_equal(count_files(), 1);
}

static void append_takes_the_table_as_it_is(void **state) {
    (void)state;
    run("x.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, n TEXT, r REAL DEFAULT 9); INSERT INTO t VALUES(1, "
                "'one', 1)");
    load_json("{\"mode\":\"append\"}", "[{\"n\":\"0.10\",\"ID\":7},{\"n\":\"5\",\"late\":\"x\"}]", NULL);
    assert_query("x.db", "SELECT id, n, r, late FROM t", "i1|tone|r1.0|~\ni7|t0.10|r9.0|~\ni8|t5|r9.0|tx\n");
    load_json("{\"mode\":\"append\"}", "[{\"n\":\"z\",\"r\":\"\"}]", NULL);
    assert_query("x.db", "SELECT id, n, r FROM t WHERE n = 'z'", "i9|tz|~\n");
}

static void append_makes_the_table(void **state) {
    (void)state;
    load_json("{\"mode\":\"append\"}", "[{\"a\":1}]", NULL);
    load_json("{\"mode\":\"append\"}", "[{\"a\":2}]", NULL);
    assert_query("x.db", "SELECT * FROM t", "i1\ni2\n");
}

static void upsert_replaces_and_ignore_keeps(void **state) {
    (void)state;
    static const char up[] = "{\"mode\":\"upsert\",\"key\":[\"k\",\"l\"]}";
    load_json(up,
              "[{\"k\":1,\"l\":\"a\",\"v\":1},{\"k\":1,\"l\":\"a\",\"v\":2},{\"k\":2,\"l\":\"a\",\"v\":3}]",
              NULL);
    assert_query("x.db", "SELECT * FROM t ORDER BY k", "i1|ta|i2\ni2|ta|i3\n");
    load_json(up, "[{\"k\":2,\"l\":\"a\",\"v\":9,\"w\":\"new\"}]", NULL);
    assert_query("x.db", "SELECT * FROM t ORDER BY k", "i1|ta|i2|~\ni2|ta|i9|tnew\n");
    load_json("{\"mode\":\"ignore\"}", "[{\"k\":2,\"l\":\"a\",\"v\":0},{\"k\":3,\"l\":\"a\",\"v\":0}]", NULL);
    assert_query("x.db", "SELECT k, v FROM t ORDER BY k", "i1|i2\ni2|i9\ni3|i0\n");
}

static void keys_must_be_there(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "x.db:t", "{\"mode\":\"upsert\",\"key\":\"k\"}");
    rig_items(&r, "[{\"k\":1},{\"k\":null}]", 0);
    assert_fails(&r, SL_E_DATA, "item 2 has no value in the key column 'k'");
    rig_open(&r, "x.db:t", "{\"mode\":\"upsert\",\"key\":\"k\"}");
    rig_items(&r, "[{\"a\":1}]", 0);
    assert_fails(&r, SL_E_DATA, "'k' is in no item");
    rig_open(&r, "x.db:t", "{\"mode\":\"upsert\"}");
    assert_fails(&r, SL_E_PLAN, "needs a key");
    rig_open(&r, "x.db:t", "{\"types\":{\"a\":\"DATE\"}}");
    assert_fails(&r, SL_E_PLAN, "INTEGER, REAL");
    assert_int_equal(count_files(), 0);
}

static void a_locked_database_is_a_temporary_failure(void **state) {
    (void)state;
    run("x.db", "CREATE TABLE t(a); INSERT INTO t VALUES('old')");
    rig r = {0};
    rig_open(&r, "x.db:t", "{\"busy_timeout\":0.05}");
    rig_csv(&r, "a", "1\n");
    sqlite3 *other = open_db("x.db");
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_fails(&r, SL_E_TEMP, "locked");
    sqlite3_close(other);
    assert_query("x.db", "SELECT * FROM t", "told\n");
    assert_int_equal(count_files(), 1);
}

static void places_that_cannot_be_written_are_refused(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "/proc/none.db:t", "{}");
    assert_fails(&r, SL_E_IO, "/proc/");
    write_file(
        "x.db",
        "this is no database, though it has the name of one, and is long enough to be looked at by SQLite.");
    rig_open(&r, "x.db:t", "{}");
    assert_fails(&r, SL_E_IO, "x.db");
    run("y.db", "CREATE VIEW t AS SELECT 1");
    rig_open(&r, "y.db:t", "{}");
    rig_csv(&r, "a", "1\n");
    assert_fails(&r, SL_E_DATA, "no table");
    run("z.db", "PRAGMA encoding='UTF-16'; CREATE TABLE t(a)");
    rig_open(&r, "z.db:t", "{}");
    rig_csv(&r, "a", "1\n");
    assert_fails(&r, SL_E_DATA, "UTF-16");
}

static void stale_files_go(void **state) {
    (void)state;
    write_file(".x.db.sluice-999999999.load", "left by a killed process");
    write_file(".x.db.sluice-1.load", "of a process that is there");
    load_csv("a", "1\n", NULL);
    assert_int_equal(count_files(), 2);
    assert_int_equal(access(".x.db.sluice-1.load", F_OK), 0);
}

/* A process that is killed in the middle of a load leaves the old table, and what it leaves beside is gone with the next. */
static void a_killed_load_leaves_the_old_table(void **state) {
    (void)state;
    run("x.db", "CREATE TABLE t(a); INSERT INTO t VALUES('old')");
    pid_t child = fork();
    if (child == 0) {
        rig r = {0};
        rig_open(&r, "x.db:t", "{}");
        rig_csv(&r, "a", "1\n2\n");
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_query("x.db", "SELECT * FROM t", "told\n");
    assert_int_equal(count_files(), 2);
    load_csv("a", "1\n", NULL);
    assert_query("x.db", "SELECT * FROM t", "i1\n");
    assert_int_equal(count_files(), 1);
}

static void no_items_make_no_table(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "x.db:t", "{}");
    rig_items(&r, "[]", 0);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_int_equal(count_files(), 0);
    run("x.db", "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    rig_open(&r, "x.db:t", "{}");
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_query("x.db", "SELECT count(*) FROM t", "i0\n");
}

static void frame_of(const sl_sqlite_shape *shape, const char *text, sl_buf *frame) {
    sl_sqlite_encoder *e = sl_sqlite_encoder_new(shape);
    sl_batch *b = csv_batch("n,t", text, strlen(text));
    assert_int_equal(sl_sqlite_encode(e, b, frame, NULL), SL_OK);
    assert_int_equal(sl_sqlite_encode_end(e, frame, NULL), SL_OK);
    sl_batch_free(&b);
    sl_sqlite_encoder_free(e);
}

/* The page where SQLite keeps its locks is left out, also by rows that have overflow pages and are written a second time. */
static void files_beyond_a_gigabyte_skip_the_lock_page(void **state) {
    (void)state;
    sl_sink_env env = {0};
    sl_load load = {.path = "x.db", .table = SL_TEXT("t"), .busy = 1, .shape = {.most_columns = 2000}};
    sl_transaction *transaction = NULL;
    sl_store store;
    sl_buf text = {0}, frame = {0}, last = {0};
    uint64_t rows = 0;
    for (int k = 0; k < 5; k++) {
        sl_buf_str(&text, "1,");
        for (int i = 0; i < 200000; i++) sl_buf_byte(&text, (char)('a' + i % 26));
        sl_buf_byte(&text, '\n');
    }
    sl_buf_str(&text, "2,b\n");
    frame_of(&load.shape, sl_buf_cstr(&text), &frame);
    frame_of(&load.shape, "x,y\n", &last);
    assert_int_equal(sl_store_open(&store, "x.db", "/tmp", NULL), SL_OK);
    store.next_page = SL_STORE_LOCK_PAGE - 100;
    for (int i = 0; i < 4; i++)
        assert_int_equal(sl_store_add(&store, frame.data, frame.len, &rows, NULL), SL_OK);
    assert_true(store.next_page > SL_STORE_LOCK_PAGE + 1);
    assert_int_equal(sl_store_add(&store, last.data, last.len, &rows, NULL), SL_OK);
    assert_int_equal(sl_transaction_new(&transaction, "x.db", "x.db", 1, &env, NULL), SL_OK);
    assert_int_equal(sl_transaction_add(transaction, &load, &store, NULL), SL_OK);
    assert_int_equal(sl_transaction_ready(transaction, NULL), SL_OK);
    assert_int_equal(sl_transaction_commit(transaction, NULL), SL_OK);
    sl_transaction_free(&transaction);
    sl_store_close(&store);
    assert_int_equal(rows, 25);
    assert_query("x.db", "SELECT n, count(*), length(t), substr(t, 199990) FROM t GROUP BY n, t ORDER BY n",
                 "t1|i20|i200000|txyzabcdefgh\nt2|i4|i1|t\ntx|i1|i1|t\n");
    sl_buf_free(&text);
    sl_buf_free(&frame);
    sl_buf_free(&last);
}

static void two_tables_are_loaded_at_once(void **state) {
    (void)state;
    rig a = {0}, b = {0};
    rig_open(&a, "x.db:a", "{}");
    rig_open(&b, "x.db:b", "{}");
    rig_csv(&a, "i", "1\n");
    rig_csv(&b, "t", "x\n");
    rig_commit(&a);
    assert_ok(&a);
    rig_commit(&b);
    assert_ok(&b);
    rig_close(&a);
    rig_close(&b);
    assert_query("x.db", "SELECT * FROM a, b", "i1|tx\n");
    assert_int_equal(count_files(), 1);
}

static void a_table_is_named_after_the_file(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "crime.sqlite3", "{}");
    rig_csv(&r, "a", "1\n");
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_query("crime.sqlite3", "SELECT * FROM crime", "i1\n");
}

/* ---- the same rows by plain INSERTs ------------------------------------------------------------------------------ */

enum { COLUMNS = 6 };

static uint32_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* A cell without separators; KIND decides what the column is made of. */
static void random_cell(uint64_t *seed, unsigned kind, sl_buf *out) {
    uint32_t x = next_random(seed);
    if (x % 7 == 0) return;
    if (kind >= 4) kind = next_random(seed) % 997 == 0 ? 3 : kind - 4; /* mostly numbers, at last a text */
    switch (kind) {
    case 0: sl_buf_printf(out, "%d", (int)(x % 2000) - 1000); break;
    case 1: sl_buf_printf(out, "%u.%u", x % 300, next_random(seed) % 1000); break;
    case 2: sl_buf_printf(out, "%05u", x % 100000); break;
    default:
        for (uint32_t n = x % 4001 == 1 ? 80000 : x % 40; n > 0; n--) sl_buf_byte(out, (char)('a' + n % 26));
        sl_buf_byte(out, 'z');
    }
}

/* The type of a column of texts, found the slow way. */
static int plain_type(const sl_text *texts, uint32_t nrows, uint32_t c) {
    bool whole = false, real = false;
    for (uint32_t row = 0; row < nrows; row++) {
        int64_t i;
        double f;
        sl_text t = texts[row * COLUMNS + c];
        if (!t.n) continue;
        sl_number_kind k = sl_number_classify(t, &i, &f);
        if (k == SL_NOT_NUMBER) return SQLITE_TEXT;
        whole |= k == SL_WHOLE;
        real |= k == SL_REAL;
    }
    return real ? SQLITE_FLOAT : whole ? SQLITE_INTEGER : SQLITE_TEXT;
}

static void insert_plainly(const sl_text *texts, uint32_t nrows) {
    sl_buf sql = {0};
    static const char *const names[] = {"", "INTEGER", "REAL", "TEXT"};
    int types[COLUMNS];
    for (uint32_t c = 0; c < COLUMNS; c++) {
        types[c] = plain_type(texts, nrows, c);
        sl_buf_printf(&sql, "%sc%u %s", c ? "," : "CREATE TABLE t(", c, names[types[c]]);
    }
    sl_buf_byte(&sql, ')');
    run("plain.db", sl_buf_cstr(&sql));
    sqlite3 *db = open_db("plain.db");
    sqlite3_stmt *st;
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?,?,?,?,?,?)", -1, &st, NULL), SQLITE_OK);
    for (uint32_t i = 0; i < nrows * COLUMNS; i++) {
        int c = (int)(i % COLUMNS);
        sl_text t = texts[i];
        if (!t.n && types[c] != SQLITE_TEXT)
            sqlite3_bind_null(st, c + 1);
        else
            sqlite3_bind_text(st, c + 1, t.n ? t.s : "", (int)t.n, SQLITE_STATIC);
        if (c + 1 < COLUMNS) continue;
        assert_int_equal(sqlite3_step(st), SQLITE_DONE);
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
    sl_buf_free(&sql);
}

static void compare_with_plain(uint64_t seed, unsigned kinds) {
    uint64_t rnd = seed;
    uint32_t nrows = next_random(&rnd) % 6000, row = 0;
    sl_arena arena = {0};
    sl_text *texts = sl_arena_calloc(&arena, (size_t)nrows * COLUMNS + 1, sizeof *texts);
    rig r = {0};
    rig_open(&r, "x.db:t", "{}");
    while (row < nrows) {
        sl_buf csv = {0}, cell = {0};
        for (uint32_t n = next_random(&rnd) % 1500 + 1; n > 0 && row < nrows; n--, row++)
            for (unsigned c = 0; c < COLUMNS; c++) {
                sl_buf_clear(&cell);
                random_cell(&rnd, (kinds >> (3 * c)) & 7, &cell);
                texts[row * COLUMNS + c] = sl_arena_text(&arena, sl_text_n(cell.data, cell.len));
                sl_buf_add(&csv, cell.data, cell.len);
                sl_buf_byte(&csv, c + 1 < COLUMNS ? ',' : '\n');
            }
        rig_csv(&r, "c0,c1,c2,c3,c4,c5", sl_buf_cstr(&csv));
        sl_buf_free(&csv);
        sl_buf_free(&cell);
    }
    rig_commit(&r);
    assert_ok(&r);
    assert_int_equal(r.rows, nrows);
    rig_close(&r);
    if (nrows) {
        insert_plainly(texts, nrows);
        assert_sound("x.db");
        run("x.db",
            "ATTACH 'plain.db' AS p; CREATE TEMP TABLE bad(x CHECK(x = 0));"
            "INSERT INTO bad SELECT count(*) FROM main.t a FULL JOIN p.t b ON a.rowid = b.rowid WHERE "
            "a.c0 IS NOT b.c0 OR a.c1 IS NOT b.c1 OR a.c2 IS NOT b.c2 OR a.c3 IS NOT b.c3 OR a.c4 IS NOT "
            "b.c4 OR "
            "a.c5 IS NOT b.c5 OR typeof(a.c0) || typeof(a.c1) || typeof(a.c4) || typeof(a.c5) IS NOT "
            "typeof(b.c0) || typeof(b.c1) || typeof(b.c4) || typeof(b.c5)");
    }
    sl_arena_free(&arena);
    unlink("plain.db");
    unlink("x.db");
}

static void a_load_equals_plain_inserts(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t kinds = seed;
        compare_with_plain(seed, next_random(&kinds) >> 8);
    }
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(typed_texts_stay_texts),
        IN_FOLDER(large_tables_become_the_database),
        IN_FOLDER(columns_get_the_types_of_their_values),
        IN_FOLDER(nothing_changes_in_value),
        IN_FOLDER(a_text_in_a_later_unit_makes_the_column_text),
        IN_FOLDER(json_values_have_their_types),
        IN_FOLDER(integers_of_all_widths_are_stored),
        IN_FOLDER(late_columns_are_null_before),
        IN_FOLDER(columns_do_not_depend_on_units),
        IN_FOLDER(long_cells_go_into_overflow_pages),
        IN_FOLDER(strange_names_are_quoted),
        IN_FOLDER(members_of_objects_become_columns),
        IN_FOLDER(types_asked_for_are_given),
        IN_FOLDER(replace_keeps_what_belongs_to_the_table),
        IN_FOLDER(replace_breaks_nothing),
        IN_FOLDER(without_commit_nothing_happens),
        IN_FOLDER(append_takes_the_table_as_it_is),
        IN_FOLDER(append_makes_the_table),
        IN_FOLDER(upsert_replaces_and_ignore_keeps),
        IN_FOLDER(keys_must_be_there),
        IN_FOLDER(a_locked_database_is_a_temporary_failure),
        IN_FOLDER(places_that_cannot_be_written_are_refused),
        IN_FOLDER(stale_files_go),
        IN_FOLDER(a_killed_load_leaves_the_old_table),
        IN_FOLDER(two_tables_are_loaded_at_once),
        IN_FOLDER(files_beyond_a_gigabyte_skip_the_lock_page),
        IN_FOLDER(no_items_make_no_table),
        IN_FOLDER(a_table_is_named_after_the_file),
        IN_FOLDER(a_load_equals_plain_inserts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
