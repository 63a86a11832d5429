/* fault_run.h: one pipeline run with something failing in it, and what must hold afterwards: a clean failure and the old output,
 * or success and the new one. Nothing else lies in the folder. The programs work in a scratch folder of their own. */
#ifndef SL_TESTS_FAULT_RUN_H
#define SL_TESTS_FAULT_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buffer.h"
#include "faults.h"
#include "files_fixture.h"

typedef struct fault_case {
    const char *name;
    const char *steps;      /* in the notation of the command line */
    const char *definition; /* instead of steps */
    const char *sink;       /* "out.csv" or one with out.db, table t; NULL: only checked, not run */
    const char *memory, *unit;
    bool fresh; /* there is no old output */
    bool parallel, processes;
} fault_case;

static inline bool is_database(const char *sink) {
    return strstr(sink, "out.db") != NULL;
}

static inline const char *file_of(const char *sink) {
    return is_database(sink) ? "out.db" : sink;
}

/* ---- input and output -------------------------------------------------------------------------------------------- */

static inline void put_file(const char *name, const sl_buf *b) {
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
    assert_int_equal(fclose(f), 0);
}

/* ROWS rows of id, name, amount, group, padding. */
static inline void make_csv(const char *name, int rows) {
    sl_buf b = {0};
    sl_buf_str(&b, "id,name,amount,group,note\n");
    for (int i = 0; i < rows; i++)
        sl_buf_printf(&b, "%d,name %d,%d.%02d,g%d,\"a note, no. %d, that says little\"\n", i, (int)(i * 7919LL % 1000), i, i % 100,
                      i % 5, i);
    put_file(name, &b);
    sl_buf_free(&b);
}

static inline void make_jsonl(const char *name, int rows) {
    sl_buf b = {0};
    for (int i = 0; i < rows; i++)
        sl_buf_printf(&b, "{\"id\":%d,\"name\":\"n\\u00e9 %d\",\"at\":{\"x\":%d.5,\"tags\":[\"a\",null]}%s}\n", i, i, i,
                      i % 9 ? "" : ",\"late\":true");
    put_file(name, &b);
    sl_buf_free(&b);
}

static inline int append_row(void *to, int n, char **values, char **names) {
    (void)names;
    for (int i = 0; i < n; i++) sl_buf_printf(to, "%s|", values[i] ? values[i] : "~");
    sl_buf_byte(to, '\n');
    return 0;
}

/* What the output holds: the bytes of a file, the rows of the table. */
static inline void read_output(const char *sink, sl_buf *out) {
    sl_buf_clear(out);
    if (is_database(sink)) {
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open("out.db", &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, "SELECT * FROM t", append_row, out, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        return;
    }
    FILE *f = fopen(sink, "rb");
    assert_non_null(f);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) sl_buf_add(out, part, n);
    fclose(f);
}

static inline void put_old_output(const char *sink) {
    if (is_database(sink)) {
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open("out.db", &db), SQLITE_OK);
        const char *sql = "PRAGMA synchronous=OFF; DROP TABLE IF EXISTS t; CREATE TABLE t(old); INSERT INTO "
                          "t VALUES('old')";
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        return;
    }
    sl_buf old = {0};
    sl_buf_str(&old, "old\n");
    put_file(sink, &old);
    sl_buf_free(&old);
}

/* No journal, no temporary file. */
static inline void assert_tidy(const char *what) {
    DIR *d = opendir(".");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        const char *n = e->d_name;
        if (strstr(n, "sluice-") || strstr(n, "-journal") || strstr(n, "-wal") || strstr(n, "-shm"))
            fail_msg("%s: '%s' is left behind", what, n);
    }
    closedir(d);
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static inline sl_status set_options(sl_pipeline *p, const fault_case *c, sl_error *err) {
    TRY(sl_pipeline_option(p, "parallel", c->parallel ? "true" : "false", err));
    TRY(sl_pipeline_option(p, "threads", c->processes ? "false" : "true", err));
    TRY(sl_pipeline_option(p, "workers", "2", err));
    if (c->memory) TRY(sl_pipeline_option(p, "memory", c->memory, err));
    if (c->unit) TRY(sl_pipeline_option(p, "unit", c->unit, err));
    return SL_OK;
}

static inline sl_status run_pipeline(sl_pipeline *p, const fault_case *c, sl_error *err) {
    TRY(set_options(p, c, err));
    if (c->definition) TRY(sl_pipeline_load(p, c->definition, "definition", err));
    if (c->steps) TRY(sl_pipeline_add_text(p, c->steps, err));
    if (!c->sink) TRY(sl_pipeline_check(p, err));
    if (!c->sink) return sl_pipeline_plan(p, err) ? SL_OK : err->code;
    TRY(sl_pipeline_sink(p, c->sink, err));
    TRY(sl_pipeline_run(p, err));
    return SL_OK;
}

static inline sl_status run_case(const fault_case *c, sl_error *err) {
    *err = (sl_error){0};
    sl_pipeline *p = sl_pipeline_new();
    sl_status status = p ? run_pipeline(p, c, err) : SL_E_MEMORY;
    if (!p) *err = (sl_error){.code = status, .text = "no pipeline"};
    sl_pipeline_free(&p);
    return status;
}

static inline bool holds(const char *sink, const char *text, size_t n) {
    sl_buf got = {0};
    read_output(sink, &got);
    bool same = got.len == n && (!n || memcmp(got.data, text, n) == 0);
    sl_buf_free(&got);
    return same;
}

static inline void put_old(const fault_case *c) {
    if (c->fresh)
        unlink(file_of(c->sink));
    else
        put_old_output(c->sink);
}

static inline bool holds_old(const fault_case *c) {
    if (c->fresh) return access(file_of(c->sink), F_OK) != 0;
    const char *old = is_database(c->sink) ? "old|\n" : "old\n";
    return holds(c->sink, old, strlen(old));
}

static inline void reference_output(const fault_case *c, sl_buf *expected) {
    sl_error err;
    if (c->sink) put_old(c);
    sl_status status = run_case(c, &err);
    if (status) fail_msg("%s: %s", c->name, err.text);
    if (c->sink) read_output(c->sink, expected);
}

/* Runs C with F armed; true when a call failed. *STATUS and ERR: what came of the run. */
static inline bool run_with(const fault_case *c, const faults *f, const sl_buf *expected, sl_status *status, sl_error *err) {
    if (c->sink) put_old(c);
    faults_arm(f);
    *status = run_case(c, err);
    bool fired = faults_disarm();
    char what[256];
    snprintf(what, sizeof what, "%s, %s, call %llu%s", c->name, c->parallel ? c->processes ? "processes" : "threads" : "inline",
             (unsigned long long)f->at, f->on ? " and on" : "");
    if (*status != err->code || (*status && !err->text[0]))
        fail_msg("%s: status %d, error %d '%s'", what, *status, err->code, err->text);
    if (*status == SL_E_INTERNAL || *status == SL_DONE) fail_msg("%s: status %d '%s'", what, *status, err->text);
    if (*status && !fired) fail_msg("%s: nothing failed, but '%s'", what, err->text);
    if (!c->sink) return fired;
    bool good = *status ? holds_old(c) : holds(c->sink, expected->data, expected->len);
    if (!good) fail_msg("%s: %s, but the output is not the %s one", what, *status ? err->text : "success", *status ? "old" : "new");
    assert_tidy(what);
    return fired;
}

/* ---- the scratch folder ------------------------------------------------------------------------------------------ */

static inline int enter_scratch(void **state) {
    static scratch s;
    faults_everywhere();
    *state = &s;
    if (scratch_make(&s) || chdir(s.dir)) return -1;
    make_csv("small.csv", 60);
    make_csv("big.csv", 24000);
    make_jsonl("items.jsonl", 50);
    return 0;
}

static inline int leave_scratch(void **state) {
    return chdir("/") || scratch_remove(*state);
}

#endif
