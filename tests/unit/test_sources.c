/* test_sources.c: source pipes from end to end: files, patterns, databases and a server, with units of every size, for threads
 * and for processes. */
#include "sources/stream/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <pthread.h>
#include <zlib.h>

#include "files_fixture.h"
#include "http_fixture.h"
#include "net/http/http.h"
#include "plan/plan.h"
#include "sources/stream/blocks.h"

extern const sl_pipe sl_pipe_csv, sl_pipe_fetchdata, sl_pipe_fetchtable, sl_pipe_fetchtext, sl_pipe_forever;

static scratch dir;

static int set_up(void **state) {
    (void)state;
    return scratch_make(&dir);
}

static int tear_down(void **state) {
    (void)state;
    return scratch_remove(&dir);
}

static void put_file(const char *name, const char *data) {
    scratch_write(&dir, name, data, strlen(data));
}

/* ---- running one source ------------------------------------------------------------------------------------------ */

typedef struct run {
    sl_env env;
    sl_buf out; /* one line of JSON an item */
    uint64_t limit;
    sl_error err;
    uint64_t units, bytes, total, ranges;
} run;

static run run_of(size_t unit, bool shared) {
    run r = {.env = {.unit = unit, .shared = shared, .base_dir = dir.dir}, .limit = UINT64_MAX};
    return r;
}

static sl_status collect(void *to, sl_batch *b, sl_error *err) {
    run *r = to;
    sl_status status = SL_OK;
    for (uint32_t i = 0; i < b->nsel && !status; i++) {
        sl_value v;
        uint32_t row = sl_batch_row(b, i);
        status = b->bare ? sl_batch_cell(b, 0, row, &v, err) : sl_batch_item(b, row, &v, err);
        if (status) break;
        sl_json_write(v, &r->out);
        sl_buf_byte(&r->out, '\n');
        if (--r->limit == 0) status = SL_DONE;
    }
    sl_batch_free(&b);
    return status;
}

typedef struct collector {
    sl_out out;
    run *run;
} collector;

static sl_status collect_out(sl_out *out, sl_batch *take, sl_error *err) {
    return collect(((collector *)out)->run, take, err);
}

typedef struct opened {
    sl_arena arena;
    void *conf, *state, *split;
} opened;

static sl_status prepare(opened *o, const sl_pipe *pipe, const char *conf, run *r) {
    sl_value map;
    if (sl_json_parse(conf, strlen(conf), "test", &o->arena, &map, &r->err)) fail_msg("%s", r->err.text);
    o->conf = sl_arena_calloc(&o->arena, 1, pipe->conf_size + 1);
    assert_non_null(o->conf);
    if (pipe->options) TRY(sl_options_parse(pipe->options, map, false, o->conf, &o->arena, NULL, &r->err));
    sl_step_info info = {.env = &r->env, .arena = &o->arena, .emit = -1};
    return pipe->prepare ? pipe->prepare(o->conf, &info, &r->err) : SL_OK;
}

static sl_status read_units(opened *o, const sl_pipe *pipe, run *r) {
    collector c = {{collect_out}, r};
    uint64_t quarantined = 0;
    for (;;) {
        sl_unit unit = {0};
        sl_status status = pipe->source->split(o->split, &unit, &r->err);
        if (status) return status == SL_DONE ? SL_OK : status;
        assert_int_equal(unit.index, r->units++);
        r->bytes += unit.bytes;
        r->ranges += unit.path != NULL;
        status = pipe->source->read(o->conf, o->state, &unit, &c.out, &quarantined, &r->err);
        sl_input_unref(&unit.input);
        if (status) return status;
    }
}

static sl_status run_pipe(const sl_pipe *pipe, const char *conf, run *r) {
    opened o = {0};
    sl_status status = prepare(&o, pipe, conf, r);
    if (!status && pipe->start) status = pipe->start(o.conf, &o.state, &r->err);
    if (!status) status = pipe->source->open(o.conf, &r->env, &o.split, &r->err);
    if (!status) status = read_units(&o, pipe, r);
    if (o.split) r->total = pipe->source->total(o.split);
    pipe->source->close(o.split);
    if (pipe->stop) pipe->stop(o.state);
    sl_arena_free(&o.arena);
    return status;
}

/* The same items however the input is cut and whoever reads it. */
static void expect(const sl_pipe *pipe, const char *conf, sl_dialect dialect, const char *want) {
    static const size_t units[] = {16, 17, 64, 1 << 20};
    for (size_t i = 0; i < 2 * SL_COUNT(units); i++) {
        run r = run_of(units[i / 2], i % 2);
        r.env.dialect = dialect;
        sl_status status = run_pipe(pipe, conf, &r);
        if (status) fail_msg("%s %s: %s", pipe->name, conf, r.err.text);
        assert_string_equal(sl_buf_cstr(&r.out), want);
        sl_buf_free(&r.out);
    }
}

static void expect_error(const sl_pipe *pipe, const char *conf, sl_status want, const char *words) {
    run r = run_of(1 << 20, true);
    assert_int_equal(run_pipe(pipe, conf, &r), want);
    if (!strstr(r.err.text, words)) fail_msg("'%s' lacks '%s'", r.err.text, words);
    sl_buf_free(&r.out);
}

/* ---- the pipes --------------------------------------------------------------------------------------------------- */

static void csv_is_read_by_suffix_and_conf(void **state) {
    (void)state;
    put_file("a.csv", "a,b\n1,2\n\"x\ny\",\"q\"\"\"\n");
    expect(&sl_pipe_csv, "{\"url\":\"a.csv\"}", SL_NATIVE,
           "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"x\\ny\",\"b\":\"q\\\"\"}\n");
    put_file("a.tsv", "a\tb\n1\t2,3\n");
    expect(&sl_pipe_csv, "{\"url\":\"a.tsv\"}", SL_NATIVE, "{\"a\":\"1\",\"b\":\"2,3\"}\n");
    put_file("b.tsv", "a\tb\n1\t2\n");
    expect(&sl_pipe_csv, "{\"url\":\"b.tsv\",\"delimiter\":\",\"}", SL_NATIVE, "{\"a\\tb\":\"1\\t2\"}\n");
    put_file("semi.txt", "skip me\n'x;y';2\n");
    expect(&sl_pipe_csv,
           "{\"url\":\"semi.txt\",\"delimiter\":\";\",\"quotechar\":\"'\",\"has_header\":false, "
           "\"skip_rows\":1, "
           "\"col_names\":[\"p\",\"q\"]}",
           SL_NATIVE, "{\"p\":\"x;y\",\"q\":\"2\"}\n");
    put_file("latin.csv", "n\ncaf\xe9\n");
    expect(&sl_pipe_csv, "{\"url\":\"latin.csv\",\"encoding\":\"latin-1\"}", SL_NATIVE,
           "{\"n\":\"caf\xc3\xa9\"}\n");
    expect(&sl_pipe_csv, "{\"url\":\"latin.csv\",\"encoding\":\"iso8859-15\"}", SL_NATIVE,
           "{\"n\":\"caf\xc3\xa9\"}\n");
}

static void csv_as_riko_reads_it(void **state) {
    (void)state;
    put_file("r.csv", "a,b,,a\n1,2,3,4\n,,,\n5\n\"x,\"\"y\",q,r,s\n");
    expect(&sl_pipe_csv, "{\"url\":\"r.csv\"}", SL_RIKO,
           "{\"a\":\"1\",\"b\":\"2\",\"a_2\":\"3\"}\n{\"a\":\"5\",\"b\":null,\"a_2\":null}\n"
           "{\"a\":\"x,\\\"y\",\"b\":\"q\",\"a_2\":\"r\"}\n");
    put_file("dots.csv", "Name Of X;No. of Y\n1;2\n");
    expect(&sl_pipe_csv, "{\"url\":\"dots.csv\",\"delimiter\":\";\"}", SL_RIKO,
           "{\"Name Of X\":\"1\",\"No\":{\" of Y\":\"2\"}}\n");
}

static void text_is_read_line_by_line(void **state) {
    (void)state;
    put_file("t.txt", " a \n\nb\n");
    expect(&sl_pipe_fetchtext, "{\"url\":\"t.txt\"}", SL_NATIVE, "\"a\"\n\"\"\n\"b\"\n");
    expect(&sl_pipe_fetchtext, "{\"url\":\"t.txt\",\"trim\":false}", SL_NATIVE, "\" a \"\n\"\"\n\"b\"\n");
    expect(&sl_pipe_fetchdata, "{\"url\":\"t.txt\",\"type\":\"csv\",\"has_header\":false}", SL_NATIVE,
           "{\"column_1\":\" a \"}\n{\"column_1\":\"\"}\n{\"column_1\":\"b\"}\n");
}

static void the_format_follows_suffix_type_and_first_byte(void **state) {
    (void)state;
    put_file("d.json", "{\"v\":{\"items\":[{\"a\":1}, {\"a\":2}]}}");
    expect(&sl_pipe_fetchdata, "{\"url\":\"d.json\",\"path\":\"v.items\"}", SL_NATIVE,
           "{\"a\":1}\n{\"a\":2}\n");
    put_file("d.jsonl", "{\"a\":1}\n{\"a\":2}\n");
    expect(&sl_pipe_fetchdata, "{\"url\":\"d.jsonl\"}", SL_NATIVE, "{\"a\":1}\n{\"a\":2}\n");
    put_file("d.csv", "a\n1\n");
    expect(&sl_pipe_fetchdata, "{\"url\":\"d.csv\"}", SL_NATIVE, "{\"a\":\"1\"}\n");
    put_file("d.dat", " [{\"a\":1}]");
    expect(&sl_pipe_fetchdata, "{\"url\":\"d.dat\"}", SL_NATIVE, "{\"a\":1}\n");
    put_file("e.dat", "a\n1\n");
    expect(&sl_pipe_fetchdata, "{\"url\":\"e.dat\",\"type\":\"csv\"}", SL_NATIVE, "{\"a\":\"1\"}\n");
    expect_error(&sl_pipe_fetchdata, "{\"url\":\"e.dat\"}", SL_E_DATA,
                 "cannot tell the format; give type: csv");
    put_file("x.dat", "<?xml version='1.0'?><a><b>1</b><b>2</b></a>");
    expect(&sl_pipe_fetchdata, "{\"url\":\"x.dat\",\"path\":\"b\"}", SL_NATIVE,
           "{\"content\":\"1\"}\n{\"content\":\"2\"}\n");
    put_file("h.dat", "<!DOCTYPE html><p>1<p>2");
    expect(&sl_pipe_fetchdata, "{\"url\":\"h.dat\",\"path\":\"html.body.p\"}", SL_NATIVE,
           "{\"content\":\"1\"}\n{\"content\":\"2\"}\n");
    expect_error(&sl_pipe_fetchdata, "{\"url\":\"x\",\"type\":\"cvs\"}", SL_E_PLAN, "unknown type 'cvs'");
}

/* ---- databases --------------------------------------------------------------------------------------------------- */

static void make_database(const char *name, const char *sql) {
    char path[256];
    sqlite3 *db;
    scratch_path(&dir, name, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void tables_of_databases_keep_their_types(void **state) {
    (void)state;
    make_database("one.sqlite",
                  "CREATE TABLE \"a \"\"b\"(\"The Id\" INTEGER, the_id TEXT, r REAL, x);"
                  "INSERT INTO \"a \"\"b\" VALUES(1, '007', 1.5, x'00ff'), (-9223372036854775808, '', "
                  "NULL, NULL), (2, 'z', -0.25, 'text')");
    expect(&sl_pipe_fetchtable, "{\"url\":\"one.sqlite\"}", SL_NATIVE,
           "{\"the_id\":1,\"the_id_2\":\"007\",\"r\":1.5,\"x\":\"00ff\"}\n"
           "{\"the_id\":-9223372036854775808,\"the_id_2\":\"\",\"r\":null,\"x\":null}\n"
           "{\"the_id\":2,\"the_id_2\":\"z\",\"r\":-0.25,\"x\":\"text\"}\n");
    make_database("two.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(a); CREATE TABLE u(a);"
                            "CREATE VIEW v AS SELECT a+1 AS b FROM t; INSERT INTO t VALUES(1),(2);");
    expect(&sl_pipe_fetchtable, "{\"url\":\"two.db\",\"table\":\"v\"}", SL_NATIVE, "{\"b\":2}\n{\"b\":3}\n");
    expect(&sl_pipe_fetchtable, "{\"url\":\"two.db\",\"table\":\"u\"}", SL_RIKO, "");
    expect(&sl_pipe_fetchtable, "{\"url\":\"two.db\",\"table\":\"T\"}", SL_RIKO, "{\"a\":1}\n{\"a\":2}\n");
    expect_error(&sl_pipe_fetchtable, "{\"url\":\"two.db\"}", SL_E_DATA, "table has to name one of: t, u, v");
    expect_error(&sl_pipe_fetchtable, "{\"url\":\"two.db\",\"table\":\"w\"}", SL_E_DATA,
                 "there is no table 'w' in the database; there are: t, u, v");
    expect_error(&sl_pipe_fetchtable, "{\"url\":\"none.db\"}", SL_E_IO, "none.db': No such file");
    expect_error(&sl_pipe_fetchtable, "{\"url\":\"http://127.0.0.1:1/x.db\"}", SL_E_IO,
                 "has to be a file of this machine");
    expect_error(&sl_pipe_fetchtable, "{\"url\":\"two.db\",\"delimiter\":\";\"}", SL_E_PLAN, "delimiter");
    put_file(
        "no.db",
        "this is no database, but long enough to be one: ................................................."
        "..........................................................................................");
    expect_error(&sl_pipe_fetchtable, "{\"url\":\"no.db\"}", SL_E_DATA, "file is not a database");
}

/* The schema of a database is data: it may call nothing that does something. */
static void a_hostile_schema_does_nothing(void **state) {
    (void)state;
    make_database("evil.db", "CREATE TABLE t(a); INSERT INTO t VALUES('x');"
                             "CREATE VIEW v AS SELECT load_extension(a) FROM t;");
    expect_error(&sl_pipe_fetchtable, "{\"url\":\"evil.db\",\"table\":\"v\"}", SL_E_IO, "load_extension");
    char path[256];
    sqlite3 *db;
    scratch_path(&dir, "bad.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES(CAST(x'e9' AS TEXT))", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    expect_error(&sl_pipe_fetchtable, "{\"url\":\"bad.db\"}", SL_E_DATA, "row 1, column 'a'");
}

static void wrong_confs_are_refused(void **state) {
    (void)state;
    expect_error(&sl_pipe_csv, "{}", SL_E_PLAN, "url");
    expect_error(&sl_pipe_csv, "{\"url\":\"a.csv\",\"delimter\":\";\"}", SL_E_PLAN, "delimiter");
    expect_error(&sl_pipe_csv, "{\"url\":\"a.csv\",\"ragged\":\"maybe\"}", SL_E_PLAN, "ragged");
    expect_error(&sl_pipe_csv, "{\"url\":\"a.csv\",\"encoding\":\"klingon\"}", SL_E_PLAN, "klingon");
    expect_error(&sl_pipe_fetchdata, "{\"url\":\"d.csv\",\"path\":\"x\"}", SL_E_PLAN, "path");
}

static void wrong_inputs_are_named(void **state) {
    (void)state;
    expect_error(&sl_pipe_csv, "{\"url\":\"none.csv\"}", SL_E_IO, "none.csv': No such file or directory");
    expect_error(&sl_pipe_csv, "{\"url\":\"none*.csv\"}", SL_E_IO, "no file matches");
    put_file("bad.csv", "a,b\n1,2\n3\n");
    run r = run_of(1 << 20, true);
    char path[256];
    scratch_path(&dir, "bad.csv", path);
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"bad.csv\"}", &r), SL_E_DATA);
    assert_string_equal(r.err.source, path);
    assert_int_equal(r.err.line, 3);
    sl_buf_free(&r.out);
}

/* Each file of a glob has a header of its own. */
static void each_file_of_a_pattern_has_its_own_header(void **state) {
    (void)state;
    put_file("p1.csv", "a,b\n1,2\n");
    put_file("p2.csv", "b,a\n3,4\n");
    put_file("p3.csv", "");
    put_file("p4.csv", "a\n5\n6");
    expect(&sl_pipe_csv, "{\"url\":\"p?.csv\"}", SL_NATIVE,
           "{\"a\":\"1\",\"b\":\"2\"}\n{\"b\":\"3\",\"a\":\"4\"}\n{\"a\":\"5\"}\n{\"a\":\"6\"}\n");
}

static void forever_ends_when_its_reader_has_enough(void **state) {
    (void)state;
    run r = run_of(1 << 20, true);
    r.limit = 2000;
    assert_int_equal(run_pipe(&sl_pipe_forever, "{}", &r), SL_DONE);
    assert_int_equal(r.out.len, 2000 * strlen("{\"forever\":true}\n"));
    sl_buf_free(&r.out);
}

/* ---- made from the conf ------------------------------------------------------------------------------------------ */

/* All items of a pipeline of one or two steps. FIRST may be NULL; INPUT: "name=value" or NULL. */
static sl_status items_of(const char *dialect, const char *first, const char *pipe, const char *conf,
                          const char *input, sl_buf *out, sl_error *err) {
    sl_pipeline *p = sl_pipeline_new();
    assert_non_null(p);
    const char *json, *value = input ? strchr(input, '=') : NULL;
    char name[32] = "";
    if (value) snprintf(name, sizeof name, "%.*s", (int)(value - input), input);
    sl_status status = sl_pipeline_option(p, "dialect", dialect, err);
    if (!status && value) status = sl_pipeline_input(p, name, value + 1, err);
    if (!status && first) status = sl_pipeline_add(p, "itembuilder", first, err);
    if (!status) status = sl_pipeline_add(p, pipe, conf, err);
    sl_stream *s = status ? NULL : sl_pipeline_open(p, err);
    if (!status && !s) status = err->code;
    while (!status && (status = sl_stream_next(s, &json, NULL, err)) == SL_OK) {
        sl_buf_str(out, json);
        sl_buf_byte(out, '\n');
    }
    sl_stream_close(&s);
    sl_pipeline_free(&p);
    return status;
}

static void expect_items(const char *dialect, const char *first, const char *pipe, const char *conf,
                         const char *input, const char *want) {
    sl_buf out = {0};
    sl_error err = {0};
    sl_status status = items_of(dialect, first, pipe, conf, input, &out, &err);
    if (status != SL_DONE) fail_msg("%s %s: %s", pipe, conf, err.text);
    assert_string_equal(sl_buf_cstr(&out), want);
    sl_buf_free(&out);
}

static void itembuilder_makes_nested_items(void **state) {
    (void)state;
    const char *conf =
        "{\"attrs\":[{\"key\":\"Foo\",\"value\":1},{\"key\":\"Bar.Baz\",\"value\":{\"Qux\":[{\"Z\":2}]}}]}";
    expect_items("riko", NULL, "itembuilder", conf, NULL,
                 "{\"foo\":1,\"bar\":{\"baz\":{\"qux\":[{\"z\":2}]}}}\n");
    expect_items("native", NULL, "itembuilder", conf, NULL,
                 "{\"Foo\":1,\"Bar\":{\"Baz\":{\"Qux\":[{\"Z\":2}]}}}\n");
    expect_items("native", NULL, "itembuilder", "{\"attrs\":{\"key\":\"a\"}}", NULL, "{\"a\":null}\n");
    expect_items("native", NULL, "itembuilder",
                 "{\"attrs\":[{\"key\":\"a\",\"value\":1},{\"key\":\"a\",\"value\":2}]}", NULL,
                 "{\"a\":2}\n");
    expect_items("native", NULL, "itembuilder", "{\"attrs\":[]}", NULL, "{}\n");
    expect_items("native", "{\"attrs\":{\"key\":\"t\",\"value\":\"x\"}}", "itembuilder",
                 "{\"attrs\":{\"key\":\"k\",\"value\":{\"subkey\":\"t\"}}}", NULL, "{\"k\":\"x\"}\n");
}

static void input_takes_the_value_given_or_its_default(void **state) {
    (void)state;
    expect_items("native", NULL, "input", "{\"type\":\"int\"}", "content=30", "30\n");
    expect_items("native", NULL, "input", "{\"type\":\"int\",\"input_key\":\"age\",\"default\":7}", "zzz=31",
                 "7\n");
    expect_items("native", NULL, "input", "{\"input_key\":\"age\",\"default\":7}", "content=31", "\"7\"\n");
    expect_items("native", NULL, "input", "{\"name\":\"city\"}", "city=Brits", "\"Brits\"\n");
    expect_items("native", NULL, "input", "{\"name\":\"city\"}", "content=Brits", "\"Brits\"\n");
    expect_items("native", NULL, "input", "{\"test\":true}", NULL, "\"\"\n");
    sl_buf out = {0};
    sl_error err = {0};
    assert_int_equal(items_of("native", NULL, "input", "{\"name\":\"city\"}", NULL, &out, &err), SL_E_USAGE);
    assert_non_null(strstr(err.text, "--input city=VALUE"));
    sl_buf_free(&out);
}

/* ---- the stream ---------------------------------------------------------------------------------------------------- */

enum { ROWS = 5000 };

static char *many_rows(size_t *n) {
    sl_buf b = {0};
    sl_buf_str(&b, "id,text\n");
    for (int i = 0; i < ROWS; i++) sl_buf_printf(&b, "%d,\"row %d,\nof many\"\n", i, i);
    *n = b.len;
    return b.data;
}

/* Ranges when the worker is another process, bytes when it is not; the byte counts add up to the file. */
static void units_are_ranges_for_processes_and_bytes_for_threads(void **state) {
    (void)state;
    size_t n;
    char *data = many_rows(&n);
    scratch_write(&dir, "many.csv", data, n);
    free(data);
    sl_buf first = {0};
    for (int shared = 0; shared < 2; shared++) {
        run r = run_of(4096, shared);
        assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"many.csv\"}", &r), SL_OK);
        assert_true(r.units >= n / 4096);
        assert_int_equal(r.bytes, n);
        assert_int_equal(r.total, n);
        assert_int_equal(r.ranges, shared ? 0 : r.units);
        if (shared) assert_string_equal(sl_buf_cstr(&first), sl_buf_cstr(&r.out));
        sl_buf_free(&first);
        first = r.out;
    }
    sl_buf_free(&first);
}

static void a_packed_file_is_handed_out_as_bytes(void **state) {
    (void)state;
    size_t n;
    char *data = many_rows(&n), path[256];
    scratch_path(&dir, "many.csv.gz", path);
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)n), (int)n);
    assert_int_equal(gzclose(f), Z_OK);
    free(data);
    run plain = run_of(4096, false), packed = run_of(4096, false);
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"many.csv\"}", &plain), SL_OK);
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"many.csv.gz\"}", &packed), SL_OK);
    assert_int_equal(packed.ranges, 0);
    assert_int_equal(packed.bytes, packed.total);
    assert_true(packed.bytes < plain.bytes);
    assert_string_equal(sl_buf_cstr(&plain.out), sl_buf_cstr(&packed.out));
    sl_buf_free(&plain.out);
    sl_buf_free(&packed.out);
}

/* Units are still good when the stream they came from is closed: workers may be behind. */
/* The coordinator only names them, also where it shares its memory with the workers. */
static void a_short_file_is_left_to_its_worker(void **state) {
    (void)state;
    put_file("short-1.csv", "a\n1\n2\n");
    put_file("short-2.csv", "a\n3\n");
    put_file("short-3.csv", "a\n");
    run r = run_of(64, true);
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"short-*.csv\"}", &r), SL_OK);
    assert_string_equal(sl_buf_cstr(&r.out), "{\"a\":\"1\"}\n{\"a\":\"2\"}\n{\"a\":\"3\"}\n");
    assert_int_equal(r.units, 3);
    assert_int_equal(r.ranges, 3);
    assert_int_equal(r.bytes, 12);
    assert_int_equal(r.total, 12);
    sl_buf_free(&r.out);

    r = run_of(5, true); /* the first is longer than a unit */
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"short-*.csv\"}", &r), SL_OK);
    assert_int_equal(r.ranges, 2);
    sl_buf_free(&r.out);

    /* What is packed may be of any length, and says so by its name; if it does not its worker unpacks it. */
    static const char *const names[] = {"packed-short.csv.gz", "packed-short.csv"};
    for (int i = 0; i < 2; i++) {
        char path[256], conf[300];
        scratch_path(&dir, names[i], path);
        snprintf(conf, sizeof conf, "{\"url\":\"%s\"}", names[i]);
        gzFile f = gzopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(gzputs(f, "a\n1\n"), 4);
        assert_int_equal(gzclose(f), Z_OK);
        r = run_of(64, true);
        assert_int_equal(run_pipe(&sl_pipe_csv, conf, &r), SL_OK);
        assert_string_equal(sl_buf_cstr(&r.out), "{\"a\":\"1\"}\n");
        assert_int_equal(r.ranges, i);
        sl_buf_free(&r.out);
    }

    r = run_of(64, true); /* enough after one: what is left of the file is not read */
    r.limit = 1;
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"short-1.csv\"}", &r), SL_DONE);
    assert_string_equal(sl_buf_cstr(&r.out), "{\"a\":\"1\"}\n");
    sl_buf_free(&r.out);

    r = run_of(64, true); /* where sources may be left out the coordinator has to open them */
    r.env.keep_going = true;
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"short-*.csv\"}", &r), SL_OK);
    assert_int_equal(r.ranges, 0);
    sl_buf_free(&r.out);
}

static void units_outlive_the_stream(void **state) {
    (void)state;
    enum { MOST = 64 };
    put_file("u1.csv", "a,b\n1,2\n3,4\n");
    put_file("u2.csv", "c\n5\n");
    for (int shared = 0; shared < 2; shared++) {
        run r = run_of(16, shared);
        opened o = {0};
        sl_unit units[MOST] = {{0}};
        size_t n = 0;
        assert_int_equal(prepare(&o, &sl_pipe_csv, "{\"url\":\"u?.csv\"}", &r), SL_OK);
        assert_int_equal(sl_stream_source.open(o.conf, &r.env, &o.split, NULL), SL_OK);
        while (n < MOST && sl_stream_source.split(o.split, &units[n], NULL) == SL_OK) n++;
        sl_stream_source.close(o.split);
        assert_true(n >= 2 && n < MOST);
        collector c = {{collect_out}, &r};
        assert_int_equal(sl_stream_start(o.conf, &o.state, NULL), SL_OK);
        for (size_t i = 0; i < n; i++) {
            uint64_t none = 0;
            assert_int_equal(sl_stream_source.read(o.conf, o.state, &units[i], &c.out, &none, NULL), SL_OK);
            sl_input_unref(&units[i].input);
        }
        sl_stream_stop(o.state);
        assert_string_equal(sl_buf_cstr(&r.out),
                            "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n{\"c\":\"5\"}\n");
        sl_buf_free(&r.out);
        sl_arena_free(&o.arena);
    }
}

/* A record many times the unit makes the block grow, once. */
static void a_long_record_makes_the_block_grow_once(void **state) {
    (void)state;
    enum { LONG = 200000 };
    sl_buf b = {0}, want = {0};
    sl_buf_str(&b, "a,b\n\"");
    sl_buf_str(&want, "{\"a\":\"");
    for (int i = 0; i < LONG; i++) {
        sl_buf_byte(&b, i % 7 ? 'x' : ',');
        sl_buf_byte(&want, i % 7 ? 'x' : ',');
    }
    sl_buf_str(&b, "\",2\n3,4\n");
    sl_buf_str(&want, "\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n");
    scratch_write(&dir, "long.csv", b.data, b.len);
    run r = run_of(256, true);
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"long.csv\"}", &r), SL_OK);
    assert_string_equal(sl_buf_cstr(&r.out), sl_buf_cstr(&want));
    sl_buf_free(&r.out);
    sl_buf_free(&b);
    sl_buf_free(&want);
}

static void a_source_can_be_read_for_one_item(void **state) {
    (void)state;
    put_file("item.csv", "a\n1\n2\n3\n");
    run r = run_of(1 << 20, false);
    opened o = {0};
    assert_int_equal(prepare(&o, &sl_pipe_csv, "{\"url\":\"item.csv\"}", &r), SL_OK);
    assert_int_equal(sl_source_items(&sl_pipe_csv, o.conf, &r.env, collect, &r, &r.err), SL_OK);
    assert_string_equal(sl_buf_cstr(&r.out), "{\"a\":\"1\"}\n{\"a\":\"2\"}\n{\"a\":\"3\"}\n");
    sl_buf_clear(&r.out);
    r.limit = 1;
    assert_int_equal(sl_source_items(&sl_pipe_csv, o.conf, &r.env, collect, &r, &r.err), SL_DONE);
    assert_string_equal(sl_buf_cstr(&r.out), "{\"a\":\"1\"}\n");
    sl_buf_free(&r.out);
    sl_arena_free(&o.arena);
    r.limit = UINT64_MAX;
    memset(&o, 0, sizeof o);
    assert_int_equal(prepare(&o, &sl_pipe_csv, "{\"url\":\"gone.csv\"}", &r), SL_OK);
    assert_int_equal(sl_source_items(&sl_pipe_csv, o.conf, &r.env, collect, &r, &r.err), SL_E_IO);
    sl_arena_free(&o.arena);
}

/* ---- over HTTP ----------------------------------------------------------------------------------------------------- */

static server web;

static void run_web(const sl_pipe *pipe, const char *path, const char *more, run *r, sl_status want) {
    char url[256], conf[512];
    snprintf(conf, sizeof conf, "{\"url\":\"%s\"%s}", server_url(&web, path, url), more);
    sl_status status = run_pipe(pipe, conf, r);
    if (status != want) fail_msg("%s: %s", conf, r->err.text);
}

static void what_is_fetched_is_what_the_file_holds(void **state) {
    (void)state;
    assert_int_equal(server_start(&web, dir.dir), 0);
    run plain = run_of(4096, true);
    assert_int_equal(run_pipe(&sl_pipe_csv, "{\"url\":\"many.csv\"}", &plain), SL_OK);
    static const char *const paths[] = {"/many.csv", "/slow/many.csv", "/gzip/many.csv", "/many.csv.gz",
                                        "/chunked/many.csv?x=y"};
    for (size_t i = 0; i < SL_COUNT(paths); i++) {
        run r = run_of(4096, i % 2);
        run_web(&sl_pipe_fetchdata, paths[i], "", &r, SL_OK);
        assert_string_equal(sl_buf_cstr(&r.out), sl_buf_cstr(&plain.out));
        assert_true(r.bytes > 0);
        assert_int_equal(r.ranges, 0);
        sl_buf_free(&r.out);
    }
    sl_buf_free(&plain.out);
    run missing = run_of(4096, true), cut = run_of(4096, true);
    run_web(&sl_pipe_csv, "/nothing.csv", "", &missing, SL_E_IO);
    assert_non_null(strstr(missing.err.text, "/nothing.csv: 404 Not Found"));
    run_web(&sl_pipe_csv, "/truncate/many.csv", "", &cut, SL_E_TEMP);
    sl_buf_free(&missing.out);
    sl_buf_free(&cut.out);
    assert_int_equal(server_stop(&web), 0);
}

/* Opened together in one session, slow sources arrive together. */
static void a_session_for_all_sources(void **state) {
    (void)state;
    enum { N = 4 };
    put_file("s.csv", "a\n1\n");
    assert_int_equal(server_start(&web, dir.dir), 0);
    run r = run_of(4096, true);
    opened o[N] = {{{0}, NULL, NULL, NULL}};
    sl_http_options options = {.connections = N, .per_host = N};
    assert_int_equal(sl_http_new(&options, &r.env.http, NULL), SL_OK);
    char url[256], conf[512];
    snprintf(conf, sizeof conf, "{\"url\":\"%s\"}", server_url(&web, "/slow/s.csv?delay=0.2", url));
    for (int i = 0; i < N; i++) {
        assert_int_equal(prepare(&o[i], &sl_pipe_csv, conf, &r), SL_OK);
        assert_int_equal(sl_stream_start(o[i].conf, &o[i].state, NULL), SL_OK);
        assert_int_equal(sl_stream_source.open(o[i].conf, &r.env, &o[i].split, NULL), SL_OK);
    }
    for (int i = 0; i < N; i++) {
        r.units = 0;
        assert_int_equal(read_units(&o[i], &sl_pipe_csv, &r), SL_OK);
        sl_stream_source.close(o[i].split);
        sl_stream_stop(o[i].state);
        sl_arena_free(&o[i].arena);
    }
    assert_string_equal(sl_buf_cstr(&r.out), "{\"a\":\"1\"}\n{\"a\":\"1\"}\n{\"a\":\"1\"}\n{\"a\":\"1\"}\n");
    sl_buf_free(&r.out);
    sl_http_free(&r.env.http);
    assert_int_equal(server_stop(&web), 0);
}

/* ---- buffers ------------------------------------------------------------------------------------------------------- */

static void *let_go(void *in) {
    sl_input *mine = in;
    sl_input_unref(&mine);
    return NULL;
}

static void buffers_come_back(void **state) {
    (void)state;
    sl_blocks *b = sl_blocks_new();
    assert_non_null(b);
    sl_input *first = sl_blocks_take(b, 1000), *second = sl_blocks_take(b, 1000);
    assert_ptr_not_equal(first, second);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, let_go, first), 0);
    pthread_join(thread, NULL);
    sl_input *third = sl_blocks_take(b, 900);
    assert_ptr_equal(third, first);
    assert_int_equal(third->len, 0);
    sl_input_unref(&third);
    sl_input *large = sl_blocks_take(b, 5000);
    assert_true(large->cap >= 5000);
    sl_input_unref(&large);
    sl_blocks_free(&b); /* second is still out */
    memset(second->data, 1, second->cap);
    sl_input_unref(&second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_is_read_by_suffix_and_conf),
        cmocka_unit_test(csv_as_riko_reads_it),
        cmocka_unit_test(text_is_read_line_by_line),
        cmocka_unit_test(the_format_follows_suffix_type_and_first_byte),
        cmocka_unit_test(tables_of_databases_keep_their_types),
        cmocka_unit_test(a_hostile_schema_does_nothing),
        cmocka_unit_test(wrong_confs_are_refused),
        cmocka_unit_test(wrong_inputs_are_named),
        cmocka_unit_test(each_file_of_a_pattern_has_its_own_header),
        cmocka_unit_test(forever_ends_when_its_reader_has_enough),
        cmocka_unit_test(itembuilder_makes_nested_items),
        cmocka_unit_test(input_takes_the_value_given_or_its_default),
        cmocka_unit_test(units_are_ranges_for_processes_and_bytes_for_threads),
        cmocka_unit_test(a_packed_file_is_handed_out_as_bytes),
        cmocka_unit_test(a_short_file_is_left_to_its_worker),
        cmocka_unit_test(units_outlive_the_stream),
        cmocka_unit_test(a_long_record_makes_the_block_grow_once),
        cmocka_unit_test(a_source_can_be_read_for_one_item),
        cmocka_unit_test(what_is_fetched_is_what_the_file_holds),
        cmocka_unit_test(a_session_for_all_sources),
        cmocka_unit_test(buffers_come_back),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
