/* Reads, writes, synchronising and workers that fail: interruptions and short transfers change nothing, anything else is a failure
 * that names the file and leaves the old output. */
#include "fault_run.h"

#include <errno.h>

static const fault_case cases[] = {
    {.name = "csv to csv", .steps = "csv url=small.csv", .sink = "out.csv", .unit = "1K"},
    {.name = "csv to sqlite", .steps = "csv url=small.csv", .sink = "out.db:t", .unit = "2K"},
    {.name = "jsonl to jsonl", .steps = "fetchdata url=items.jsonl", .sink = "out.jsonl", .unit = "1K"},
    {.name = "sort",
     .steps = "csv url=big.csv | sort rule.field=name rule.dir=desc",
     .sink = "out.csv",
     .memory = "1M",
     .unit = "256K"},
};

static const struct pool {
    bool parallel, processes;
} pools[] = {{false, false}, {true, false}, {true, true}};

/* A failing call gives a failure that names what it was about; or nothing depended on it. */
static void fail_each(const fault_case *c, fault_call call, int code, const char *const *names) {
    sl_buf expected = {0};
    sl_status status = SL_OK;
    sl_error err;
    bool fired = true;
    reference_output(c, &expected);
    for (uint64_t at = 1; fired && at < 1000; at += 1 + at / 2) {
        fired = run_with(c, &(faults){.call = call, .at = at, .code = code}, &expected, &status, &err);
        if (!status) continue;
        bool named = false;
        char text[1200];
        sl_error_format(&err, text, sizeof text);
        for (size_t i = 0; names[i]; i++) named = named || strstr(text, names[i]);
        if (!named) fail_msg("%s: '%s' does not name the file", c->name, text);
        if (!strstr(text, strerror(code))) fail_msg("%s: '%s' does not say why", c->name, text);
    }
    sl_buf_free(&expected);
}

static void in_every_pool(void (*test)(const fault_case *c)) {
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        for (size_t k = 0; k < SL_COUNT(pools); k++) {
            fault_case c = cases[i];
            c.parallel = pools[k].parallel;
            c.processes = pools[k].processes;
            test(&c);
        }
    }
}

static void fail_reads(const fault_case *c) {
    static const char *const names[] = {"small.csv", "big.csv", "items.jsonl", "temporary file", NULL};
    fail_each(c, FAULT_READ, EIO, names);
}

static void a_failed_read_fails_the_run(void **state) {
    (void)state;
    in_every_pool(fail_reads);
}

static const char *const outputs[] = {"out.csv", "out.db", "out.jsonl", "temporary file", NULL};

static void fail_writes(const fault_case *c) {
    fail_each(c, FAULT_WRITE, ENOSPC, outputs);
    fail_each(c, FAULT_WRITE, EIO, outputs);
}

static void a_failed_write_leaves_the_old_output(void **state) {
    (void)state;
    in_every_pool(fail_writes);
}

static void fail_opens(const fault_case *c) {
    static const char *const names[] = {"small.csv",      "big.csv", "items.jsonl",
                                        "temporary file", "out.",    NULL};
    fail_each(c, FAULT_OPEN, EMFILE, names);
}

static void a_failed_open_names_the_file(void **state) {
    (void)state;
    in_every_pool(fail_opens);
}

static void fail_renames(const fault_case *c) {
    fail_each(c, FAULT_RENAME, EACCES, outputs);
}

static void a_failed_rename_leaves_the_old_output(void **state) {
    (void)state;
    in_every_pool(fail_renames);
}

/* Only the file itself: once it has its name, the new output stands whatever the folder says. */
static void fail_sync(const fault_case *c) {
    sl_buf expected = {0};
    sl_status status;
    sl_error err;
    reference_output(c, &expected);
    bool fired = run_with(c, &(faults){.call = FAULT_SYNC, .at = 1, .code = EIO}, &expected, &status, &err);
    assert_true(fired == (status != SL_OK));
    if (fired) assert_non_null(strstr(err.text, "out."));
    sl_buf_free(&expected);
}

static void a_failed_sync_leaves_the_old_output(void **state) {
    (void)state;
    in_every_pool(fail_sync);
}

/* The kernel tells of a lost write once, here to the early piece; the last fsync succeeds, and yet the file must not be taken. */
static void fail_early_sync(const fault_case *c) {
    const sl_buf none = {0}; /* there must be no new output to compare with */
    sl_status status;
    sl_error err;
    bool fired = run_with(c, &(faults){.call = FAULT_EARLY, .at = 1, .code = EIO}, &none, &status, &err);
    assert_true(fired);
    assert_int_equal(status, SL_E_IO);
    assert_non_null(strstr(err.text, "out."));
    assert_non_null(strstr(err.text, strerror(EIO)));
}

/* So much output that pieces of it are synchronised on the way. */
static void a_failed_early_sync_leaves_the_old_output(void **state) {
    (void)state;
    make_csv("large.csv", 300000);
    fail_early_sync(
        &(fault_case){.name = "large csv to csv", .steps = "csv url=large.csv", .sink = "out.csv"});
    fail_early_sync(&(fault_case){
        .name = "large csv to sqlite", .steps = "csv url=large.csv", .sink = "out.db:t", .fresh = true});
    make_csv("large.csv", 100000); /* a table that SQLite copies into the new database */
    fail_early_sync(&(fault_case){
        .name = "smaller csv to sqlite", .steps = "csv url=large.csv", .sink = "out.db:t", .fresh = true});
    unlink("large.csv");
}

/* What the kernel could not bring to the disk it may read back wrongly, so whatever came of a temporary file must not be taken. */
static void lose_pages(const fault_case *c) {
    sl_buf expected = {0};
    sl_status status;
    sl_error err;
    bool fired = true, table = false, other = false;
    reference_output(c, &expected);
    for (uint64_t at = 1; fired && at < 50; at++) {
        fired = run_with(c, &(faults){.call = FAULT_LOST, .at = at, .code = EIO}, &expected, &status, &err);
        assert_int_equal(status, fired ? SL_E_IO : SL_OK);
        if (fired) assert_non_null(strstr(err.text, strerror(EIO)));
        table = table || (fired && strstr(err.text, "out.db"));
        other = other || (fired && strstr(err.text, "a temporary file"));
    }
    assert_int_equal(table, is_database(c->sink));
    assert_int_equal(other, is_database(c->sink) || c->memory);
    sl_buf_free(&expected);
}

static void a_page_lost_by_the_kernel_is_never_taken(void **state) {
    (void)state;
    in_every_pool(lose_pages);
}

static void disturb(const fault_case *c) {
    sl_buf expected = {0};
    sl_status status;
    sl_error err;
    reference_output(c, &expected);
    run_with(c, &(faults){.interrupt = true}, &expected, &status, &err);
    if (status) fail_msg("%s, interrupted: %s", c->name, err.text);
    run_with(c, &(faults){.shorten = true}, &expected, &status, &err);
    if (status) fail_msg("%s, short transfers: %s", c->name, err.text);
    run_with(c, &(faults){.shorten = true, .interrupt = true}, &expected, &status, &err);
    if (status) fail_msg("%s, short transfers and interruptions: %s", c->name, err.text);
    sl_buf_free(&expected);
}

static void interruptions_and_short_transfers_change_nothing(void **state) {
    (void)state;
    in_every_pool(disturb);
}

/* Fewer workers than wanted, or none. */
static void lose_workers(const fault_case *c) {
    sl_buf expected = {0};
    sl_status status;
    sl_error err;
    reference_output(c, &expected);
    for (uint64_t at = 1; at <= 3; at++) {
        run_with(c, &(faults){.call = FAULT_WORKER, .at = at, .code = EAGAIN}, &expected, &status, &err);
        run_with(c, &(faults){.call = FAULT_WORKER, .at = at, .code = EAGAIN, .on = true}, &expected, &status,
                 &err);
    }
    sl_buf_free(&expected);
}

static void fewer_workers_change_nothing(void **state) {
    (void)state;
    in_every_pool(lose_workers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_read_fails_the_run),
        cmocka_unit_test(a_failed_write_leaves_the_old_output),
        cmocka_unit_test(a_failed_open_names_the_file),
        cmocka_unit_test(a_failed_rename_leaves_the_old_output),
        cmocka_unit_test(a_failed_sync_leaves_the_old_output),
        cmocka_unit_test(interruptions_and_short_transfers_change_nothing),
        cmocka_unit_test(fewer_workers_change_nothing),
        cmocka_unit_test(a_failed_early_sync_leaves_the_old_output),
        cmocka_unit_test(a_page_lost_by_the_kernel_is_never_taken),
    };
    return cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
}
