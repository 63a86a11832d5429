/* Worker processes that are killed, hang or lose their coordinator. */
#include "pool_fixture.h"

#include <sys/resource.h>

/* ---- workers that fail ------------------------------------------------------------------------------------------- */

static void a_worker_killed_costs_one_retry(void **state) {
    fixture *f = *state;
    static const act acts[] = {KILLED, EXITS};
    start_processes(f, 2, 0);
    for (size_t i = 0; i < SL_COUNT(acts); i++) {
        task bad = {.act = acts[i], .value = 12, .times = 1};
        sl_job job = {0};
        atomic_store(&f->b->attempts, 0);
        assert_int_equal(value_of(do_one(f, &job, &bad)), 144);
        assert_int_equal(atomic_load(&f->b->attempts), 2);
        assert_int_equal(sl_pool_statistics(f->pool).retries, i + 1);
    }
}

static void check_verdict(fixture *f, task bad, const char *verdict) {
    sl_job job = {0};
    atomic_store(&f->b->attempts, 0);
    assert_int_equal(do_one(f, &job, &bad)->status, SL_E_INTERNAL);
    assert_int_equal(job.error.code, SL_E_INTERNAL);
    if (!strstr(job.error.text, verdict)) fail_msg("'%s' lacks '%s'", job.error.text, verdict);
    assert_null(job.out);
    assert_int_equal(atomic_load(&f->b->attempts), 2);
}

static void a_worker_killed_twice_is_reported(void **state) {
    fixture *f = *state;
    task good = {.act = SQUARE, .value = 4};
    sl_job job = {0};
    start_processes(f, 1, 0);
    check_verdict(f, (task){.act = KILLED, .times = 9}, "worker process was killed by signal 9 (Killed)");
    check_verdict(f, (task){.act = EXITS, .times = 9}, "worker process exited with status 3");
    assert_int_equal(value_of(do_one(f, &job, &good)), 16);
}

/* The poisonous job kills two workers; those that waited behind it and beside it come through. */
static void only_the_running_job_pays(void **state) {
    fixture *f = *state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        task tasks[3] = {
            {.act = KILLED, .times = 9}, {.act = SQUARE, .value = 5}, {.act = SQUARE, .value = 6}};
        sl_job jobs[3] = {0};
        atomic_store(&f->b->attempts, 0);
        start_processes(f, workers, 0);
        for (size_t i = 0; i < 3; i++) submit(f, &jobs[i], &tasks[i]);
        assert_int_equal(take(f)->status, SL_E_INTERNAL);
        assert_int_equal(value_of(take(f)), 25);
        assert_int_equal(value_of(take(f)), 36);
        assert_int_equal(atomic_load(&f->b->attempts), 2);
        sl_pool_stop(&f->pool);
    }
}

static void a_silent_worker_is_replaced(void **state) {
    fixture *f = *state;
    task hangs = {.act = HANGS, .value = 7, .times = 1};
    sl_job job = {0};
    start_processes(f, 2, 1);
    uint64_t before = sl_clock_ns();
    assert_int_equal(value_of(do_one(f, &job, &hangs)), 49);
    assert_in_range(sl_clock_ns() - before, 900000000, 20000000000);
    check_verdict(f, (task){.act = HANGS, .times = 9}, "no sign of life for 1 seconds");
}

static void a_worker_at_work_is_left_alone(void **state) {
    fixture *f = *state;
    task toils = {.act = TOILS, .value = 2500};
    sl_job job = {0};
    start_processes(f, 1, 1);
    assert_int_equal(value_of(do_one(f, &job, &toils)), 6250000);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 0);
}

/* The coordinator was away for longer than a worker may be silent; the answer has been there for long. */
static void a_busy_coordinator_does_not_blame_its_workers(void **state) {
    fixture *f = *state;
    task t[2] = {{.act = SLEEPS, .value = 100}, {.act = SQUARE, .value = 2}};
    sl_job jobs[2] = {0};
    start_processes(f, 1, 1);
    for (size_t i = 0; i < 2; i++) submit(f, &jobs[i], &t[i]);
    nap(1300);
    assert_int_equal(value_of(take(f)), 10000);
    assert_int_equal(value_of(take(f)), 4);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 0);
}

/* A worker may be killed before it was ever ready: once is a retry, twice is told. */
static void a_worker_killed_at_its_start_is_replaced(void **state) {
    fixture *f = *state;
    task t = {.act = SQUARE, .value = 7};
    sl_job job = {0};
    atomic_store(&f->b->dying, 1);
    start_processes(f, 1, 0);
    assert_int_equal(value_of(do_one(f, &job, &t)), 49);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 1);
    sl_pool_stop(&f->pool);
    atomic_store(&f->b->dying, 2);
    sl_pool_options options = {.kind = SL_POOL_PROCESSES, .workers = 1};
    assert_int_equal(open_pool(f, options), SL_E_INTERNAL);
    assert_non_null(strstr(f->err.text, "killed by signal 9"));
}

static void workers_leave_interrupts_to_the_coordinator(void **state) {
    fixture *f = *state;
    task t = {.act = INTERRUPTED, .value = 11};
    sl_job job = {0};
    start_processes(f, 1, 0);
    assert_int_equal(value_of(do_one(f, &job, &t)), 121);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 0);
}

/* A coordinator that is killed takes its workers along, even one that is busy. */
static void workers_die_with_the_coordinator(void **state) {
    fixture *f = *state;
    int pipe_fds[2];
    char byte;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t coordinator = fork();
    if (coordinator == 0) {
        task t = {.act = SLEEPS, .value = 60000};
        sl_job job = {.in = &t};
        close(pipe_fds[0]);
        sl_pool_options options = {.kind = SL_POOL_PROCESSES, .workers = 3};
        if (open_pool(f, options) != SL_OK || sl_pool_submit(f->pool, &job, NULL) != SL_OK) _exit(1);
        while (atomic_load(&f->b->begun) == 0) nap(1);
        raise(SIGKILL);
    }
    close(pipe_fds[1]);
    uint64_t before = sl_clock_ns();
    assert_int_equal(read(pipe_fds[0], &byte, 1), 0); /* the last holder of the other end is gone */
    assert_in_range(sl_clock_ns() - before, 0, 30000000000);
    close(pipe_fds[0]);
    int status;
    assert_int_equal(waitpid(coordinator, &status, 0), coordinator);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Some workers exist already when descriptors run out: they do the work of all, and with descriptors back the pool starts whole. */
static void a_start_without_descriptors_has_fewer_workers(void **state) {
    fixture *f = *state;
    struct rlimit before, tight;
    int next = dup(0);
    assert_true(next >= 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)next + 4;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    sl_status status = open_pool(f, (sl_pool_options){.kind = SL_POOL_PROCESSES, .workers = 8});
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, SL_OK);
    sl_pool_stats stats = sl_pool_statistics(f->pool);
    assert_in_range(stats.missing, 6, 8);
    assert_int_equal(stats.missing_why, EMFILE);
    sl_pool_stop(&f->pool);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    start_processes(f, 8, 0);
    assert_int_equal(sl_pool_statistics(f->pool).missing, 0);
}

/* Every fourth job kills its workers; the others are not lost, doubled, failed or out of order. */
static void a_storm_of_deaths_changes_no_result(void **state) {
    fixture *f = *state;
    enum { STORM = 40 };
    task tasks[STORM];
    sl_job jobs[STORM] = {0};
    unsigned given = 0;
    start_processes(f, 3, 0);
    for (unsigned taken = 0; taken < STORM; taken++) {
        for (; given < STORM && sl_pool_pending(f->pool) < sl_pool_capacity(f->pool); given++) {
            tasks[given] = (task){.act = given % 4 ? SQUARE : KILLED, .value = given, .times = UINT64_MAX};
            submit(f, &jobs[given], &tasks[given]);
        }
        sl_job *job = take(f);
        assert_ptr_equal(job, &jobs[taken]);
        if (taken % 4)
            assert_int_equal(value_of(job), taken * taken);
        else
            assert_int_equal(job->status, SL_E_INTERNAL);
    }
    assert_int_equal(sl_pool_statistics(f->pool).retries, STORM / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_worker_killed_costs_one_retry),
        CASE(a_worker_killed_twice_is_reported),
        CASE(only_the_running_job_pays),
        CASE(a_silent_worker_is_replaced),
        CASE(a_worker_at_work_is_left_alone),
        CASE(a_busy_coordinator_does_not_blame_its_workers),
        CASE(a_worker_killed_at_its_start_is_replaced),
        CASE(workers_leave_interrupts_to_the_coordinator),
        CASE(workers_die_with_the_coordinator),
        CASE(a_start_without_descriptors_has_fewer_workers),
        CASE(a_storm_of_deaths_changes_no_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
