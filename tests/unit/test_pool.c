/* The three pools do the same jobs and must agree, from their start to an early end. */
#include "pool_fixture.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifdef SANITIZED
enum { HUGE_BYTES = 20000000 };
#else
enum { HUGE_BYTES = 100000000 };
#endif

static const sl_pool_kind kinds[] = {SL_POOL_INLINE, SL_POOL_THREADS, SL_POOL_PROCESSES};

/* ---- all kinds agree --------------------------------------------------------------------------------------------- */

enum { JOBS = 60 };

typedef struct crowd {
    task tasks[JOBS];
    sl_job jobs[JOBS];
    bool seen[JOBS];
    unsigned given, taken;
} crowd;

static void check_one(fixture *f, crowd *c, bool ordered) {
    sl_job *job = take(f);
    assert_true(job->seq < c->given);
    assert_ptr_equal(job, &c->jobs[job->seq]);
    assert_false(c->seen[job->seq]);
    if (ordered) assert_int_equal(job->seq, c->taken);
    c->seen[job->seq] = true;
    c->taken++;
    if (job->seq % 10 == 7) {
        assert_int_equal(job->status, SL_E_DATA);
        assert_int_equal(job->error.line, job->seq);
        assert_string_equal(job->error.source, "input.csv");
        assert_memory_equal(job->error.text, "value ", 6);
    } else
        assert_int_equal(value_of(job), job->seq * job->seq);
}

static void run_crowd(fixture *f, sl_pool_options options) {
    crowd c = {.given = 0};
    sl_job *none;
    assert_int_equal(open_pool(f, options), SL_OK);
    unsigned capacity = sl_pool_capacity(f->pool);
    assert_int_equal(capacity, options.kind == SL_POOL_INLINE ? 1 : 2 * options.workers + 1);
    while (c.taken < JOBS) {
        for (; c.given < JOBS && sl_pool_pending(f->pool) < capacity; c.given++) {
            c.tasks[c.given] = (task){.act = c.given % 10 == 7 ? FAIL : SQUARE, .value = c.given};
            submit(f, &c.jobs[c.given], &c.tasks[c.given]);
        }
        check_one(f, &c, options.ordered);
    }
    assert_int_equal(sl_pool_take(f->pool, &none, &f->err), SL_DONE);
    assert_null(none);
    assert_int_equal(sl_pool_statistics(f->pool).jobs, JOBS);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 0);
    assert_true((options.kind == SL_POOL_PROCESSES) == (sl_pool_statistics(f->pool).child_peak_bytes > 0));
    sl_pool_stop(&f->pool);
    assert_int_equal(atomic_load(&f->b->begun), JOBS);
    assert_int_equal(atomic_exchange(&f->b->started, 0),
                     options.kind == SL_POOL_INLINE ? 1 : options.workers);
    assert_int_equal(atomic_exchange(&f->b->stopped, 0),
                     options.kind == SL_POOL_INLINE ? 1 : options.workers);
    atomic_store(&f->b->begun, 0);
}

static void all_kinds_give_every_job_its_result(void **state) {
    static const unsigned workers[] = {1, 2, 3, 8}, stalls[] = {0, 1500};
    for (size_t k = 0; k < SL_COUNT(kinds); k++)
        for (size_t w = 0; w < SL_COUNT(workers); w++)
            for (size_t s = 0; s < SL_COUNT(stalls); s++)
                for (int how = 0; how < 4; how++)
                    run_crowd(*state, (sl_pool_options){.kind = kinds[k],
                                                        .workers = workers[w],
                                                        .ordered = how & 1,
                                                        .join_in = how & 2,
                                                        .stall = stalls[s]});
}

static void a_coordinator_that_joins_in_needs_no_thread_beside_it(void **state) {
    fixture *f = *state;
    task t = {.act = SQUARE, .value = 7};
    sl_job jobs[3] = {0};
    sl_pool_options alone = {.kind = SL_POOL_THREADS, .workers = 1, .ordered = true, .join_in = true};
    assert_int_equal(open_pool(f, alone), SL_OK);
    for (int i = 0; i < 3; i++) submit(f, &jobs[i], &t);
    nap(20);
    assert_int_equal(atomic_load(&f->b->begun), 0); /* nobody but the caller would */
    assert_true(sl_pool_ready(f->pool));
    for (int i = 0; i < 3; i++) assert_int_equal(value_of(take(f)), 49);
    sl_pool_stop(&f->pool);
}

static void unordered_lets_a_quick_job_overtake(void **state) {
    fixture *f = *state;
    for (size_t k = 1; k < SL_COUNT(kinds); k++) {
        task slow = {.act = SLEEPS, .value = 400}, quick = {.act = SQUARE, .value = 3};
        sl_job first = {0}, second = {0};
        assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 2}), SL_OK);
        submit(f, &first, &slow);
        submit(f, &second, &quick);
        assert_ptr_equal(take(f), &second);
        assert_ptr_equal(take(f), &first);
        assert_int_equal(value_of(&second), 9);
        assert_int_equal(value_of(&first), 160000);
        sl_pool_stop(&f->pool);
    }
}

static void enough_and_a_failure_without_reason_travel(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        task enough = {.act = ENOUGH, .value = 5}, mute = {.act = MUTE_FAIL};
        sl_job job = {0};
        assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 1, .ordered = true}),
                         SL_OK);
        assert_int_equal(do_one(f, &job, &enough)->status, SL_DONE);
        assert_int_equal(((answer *)job.out)->value, 25);
        free_answer(&job);
        assert_int_equal(do_one(f, &job, &mute)->status, SL_E_DATA);
        assert_int_equal(job.error.code, SL_E_DATA);
        assert_true(job.error.text[0] != 0);
        assert_null(job.out);
        sl_pool_stop(&f->pool);
    }
}

static void a_full_pool_takes_no_more(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        task t = {.act = SQUARE, .value = 1};
        sl_job jobs[4] = {0};
        assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 1, .ordered = true}),
                         SL_OK);
        unsigned capacity = sl_pool_capacity(f->pool);
        assert_true(sl_pool_ready(f->pool));
        for (unsigned i = 0; i < capacity; i++) submit(f, &jobs[i], &t);
        assert_int_equal(sl_pool_submit(f->pool, &jobs[capacity], NULL), SL_E_INTERNAL);
        assert_int_equal(sl_pool_pending(f->pool), capacity);
        while (!sl_pool_ready(f->pool)) nap(1);
        for (unsigned i = 0; i < capacity; i++) assert_int_equal(value_of(take(f)), 1);
        sl_pool_stop(&f->pool);
    }
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

static void check_inverted(sl_job *job, const char *data, size_t n) {
    assert_int_equal(job->status, SL_OK);
    answer *a = job->out;
    assert_int_equal(a->bytes, n);
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong += a->data[i] != (char)~data[i];
    assert_int_equal(wrong, 0);
    free_answer(job);
}

static void huge_frames_pass_both_ways(void **state) {
    fixture *f = *state;
    char *data = malloc(HUGE_BYTES);
    assert_non_null(data);
    for (size_t i = 0; i < HUGE_BYTES; i++) data[i] = (char)(i * 31 + (i >> 12));
    task t = {.act = INVERT, .bytes = HUGE_BYTES, .data = data};
    sl_job jobs[3] = {0};
    assert_int_equal(
        open_pool(f, (sl_pool_options){.kind = SL_POOL_PROCESSES, .workers = 1, .ordered = true}), SL_OK);
    for (size_t i = 0; i < 3; i++) submit(f, &jobs[i], &t);
    for (size_t i = 0; i < 3; i++) check_inverted(take(f), data, HUGE_BYTES);
    assert_true(sl_pool_statistics(f->pool).child_peak_bytes > HUGE_BYTES);
    free(data);
}

static void frames_of_all_sizes_pass(void **state) {
    fixture *f = *state;
    static char data[1 << 19];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i % 251);
    assert_int_equal(
        open_pool(f, (sl_pool_options){.kind = SL_POOL_PROCESSES, .workers = 2, .ordered = true}), SL_OK);
    for (size_t n = 1; n <= sizeof data; n *= 2) {
        task t[3] = {{.act = INVERT, .bytes = n - 1, .data = data},
                     {.act = INVERT, .bytes = n, .data = data},
                     {.act = INVERT, .bytes = n + n / 2 < sizeof data ? n + n / 2 : 0, .data = data}};
        sl_job jobs[3] = {0};
        for (size_t i = 0; i < 3; i++) submit(f, &jobs[i], &t[i]);
        for (size_t i = 0; i < 3; i++) check_inverted(take(f), data, t[i].bytes);
    }
}

/* ---- beginnings and ends ----------------------------------------------------------------------------------------- */

static void a_failed_start_fails_the_pool(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        bool alone = kinds[k] == SL_POOL_INLINE;
        atomic_store(&f->b->sick, 1);
        f->err = (sl_error){0};
        sl_status status = open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 4});
        assert_int_equal(status, alone ? SL_OK : SL_E_IO);
        if (!alone) assert_string_equal(f->err.text, "worker 1 is sick");
        if (!alone) assert_null(f->pool);
        sl_pool_stop(&f->pool);
        assert_int_equal(atomic_exchange(&f->b->started, 0), alone ? 1 : 4);
        assert_int_equal(atomic_exchange(&f->b->stopped, 0), alone ? 1 : 4);
    }
}

static void unusable_options_are_refused(void **state) {
    fixture *f = *state;
    static const unsigned bad[] = {0, 1025};
    for (size_t k = 0; k < SL_COUNT(kinds); k++)
        for (size_t i = 0; i < SL_COUNT(bad); i++)
            assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = bad[i]}),
                             SL_E_USAGE);
    sl_pool_options options = {.kind = SL_POOL_PROCESSES, .workers = 1};
    sl_pool_calls calls = {.work = work};
    assert_int_equal(sl_pool_start(&f->pool, &options, &calls, NULL), SL_E_INTERNAL);
    assert_null(f->pool);
}

static void stop_drops_what_is_not_begun(void **state) {
    fixture *f = *state;
    for (size_t k = 1; k < SL_COUNT(kinds); k++) {
        task t = {.act = SLEEPS, .value = 200};
        sl_job jobs[5] = {0};
        atomic_store(&f->b->begun, 0);
        assert_int_equal(open_pool(f, (sl_pool_options){.kind = kinds[k], .workers = 2, .ordered = true}),
                         SL_OK);
        for (size_t i = 0; i < 5; i++) submit(f, &jobs[i], &t);
        while (atomic_load(&f->b->begun) == 0) nap(1);
        sl_pool_stop(&f->pool);
        assert_in_range(atomic_load(&f->b->begun), 1, 2);
        for (size_t i = 0; i < 5; i++) {
            assert_ptr_equal(jobs[i].in, &t);
            free_answer(&jobs[i]);
        }
    }
}

static void a_hanging_process_does_not_hold_up_stop(void **state) {
    fixture *f = *state;
    task t = {.act = HANGS, .times = 9};
    sl_job jobs[4] = {0};
    start_processes(f, 4, 0);
    for (size_t i = 0; i < 4; i++) submit(f, &jobs[i], &t);
    while (atomic_load(&f->b->begun) < 4) nap(1);
    uint64_t before = sl_clock_ns();
    sl_pool_stop(&f->pool);
    assert_in_range(sl_clock_ns() - before, 0, 20000000000);
}

static void the_flag_stops_a_pool_with_jobs_pending(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        atomic_bool stopping = false;
        task t = {.act = SLEEPS, .value = 100};
        sl_job jobs[3] = {0}, *job;
        sl_pool_options options = {.kind = kinds[k], .workers = 1, .ordered = true, .stopping = &stopping};
        assert_int_equal(open_pool(f, options), SL_OK);
        unsigned n = sl_pool_capacity(f->pool);
        atomic_store(&f->b->begun, 0);
        submit(f, &jobs[0], &t);
        value_of(take(f));
        for (unsigned i = 0; i < n; i++) {
            if (i == n - 1) atomic_store(&stopping, true);
            submit(f, &jobs[i], &t);
        }
        f->err = (sl_error){0};
        assert_true(sl_pool_ready(f->pool));
        assert_int_equal(sl_pool_take(f->pool, &job, &f->err), SL_E_STOPPED);
        assert_null(job);
        assert_int_equal(f->err.code, SL_E_STOPPED);
        sl_pool_stop(&f->pool);
        assert_in_range(atomic_load(&f->b->begun), 1, n);
        for (unsigned i = 0; i < n; i++) free_answer(&jobs[i]);
    }
}

static void *raise_flag(void *flag) {
    nap(200);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

/* The flag is raised while take waits. */
static void the_flag_wakes_a_waiting_take(void **state) {
    fixture *f = *state;
    for (size_t k = 1; k < SL_COUNT(kinds); k++) {
        atomic_bool stopping = false;
        pthread_t later;
        task t = {.act = SLEEPS, .value = 900};
        sl_job first = {0}, *job;
        sl_pool_options options = {.kind = kinds[k], .workers = 1, .stopping = &stopping};
        assert_int_equal(open_pool(f, options), SL_OK);
        submit(f, &first, &t);
        assert_int_equal(pthread_create(&later, NULL, raise_flag, &stopping), 0);
        uint64_t before = sl_clock_ns();
        assert_int_equal(sl_pool_take(f->pool, &job, &f->err), SL_E_STOPPED);
        assert_in_range(sl_clock_ns() - before, 0, 850000000);
        pthread_join(later, NULL);
        sl_pool_stop(&f->pool);
        free_answer(&first);
    }
}

/* ---- the last word ----------------------------------------------------------------------------------------------- */

/* With a job for each worker and one more, all taken. */
static void work_a_little(fixture *f, sl_pool_kind kind, unsigned workers, bool join_in) {
    sl_pool_options options = {.kind = kind, .workers = workers, .ordered = true, .join_in = join_in};
    task t = {.act = SQUARE, .value = 3};
    assert_int_equal(open_pool(f, options), SL_OK);
    for (unsigned i = 0; i <= workers; i++) {
        sl_job job = {0};
        assert_int_equal(value_of(do_one(f, &job, &t)), 9);
    }
}

static void every_worker_has_a_last_word(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++)
        for (int join_in = 0; join_in < 2; join_in++) {
            unsigned workers = kinds[k] == SL_POOL_INLINE ? 1 : 3;
            work_a_little(f, kinds[k], workers, join_in);
            assert_int_equal(sl_pool_finish(f->pool, &f->err), SL_OK);
            assert_int_equal(atomic_exchange(&f->b->spoken, 0), workers);
            sl_pool_stop(&f->pool);
            assert_int_equal(atomic_exchange(&f->b->stopped, 0), workers);
        }
}

static void a_failed_last_word_is_that_of_the_lowest_worker(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        unsigned workers = kinds[k] == SL_POOL_INLINE ? 1 : 3, first = kinds[k] == SL_POOL_INLINE ? 1 : 2;
        char expected[32];
        snprintf(expected, sizeof expected, "worker %u is sorry", first);
        atomic_store(&f->b->sorry, first);
        work_a_little(f, kinds[k], workers, false);
        assert_int_equal(sl_pool_finish(f->pool, &f->err), SL_E_DATA);
        assert_string_equal(f->err.text, expected);
        assert_int_equal(atomic_exchange(&f->b->spoken, 0), workers);
        sl_pool_stop(&f->pool);
        f->err = (sl_error){0};
    }
}

static void nothing_is_said_without_a_question(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < SL_COUNT(kinds); k++) {
        work_a_little(f, kinds[k], kinds[k] == SL_POOL_INLINE ? 1 : 2, false);
        sl_pool_stop(&f->pool);
        assert_int_equal(atomic_load(&f->b->spoken), 0);
    }
}

static void a_last_word_that_is_lost_is_a_failure(void **state) {
    fixture *f = *state;
    atomic_store(&f->b->lost, 2);
    work_a_little(f, SL_POOL_PROCESSES, 3, false);
    assert_int_equal(sl_pool_finish(f->pool, &f->err), SL_E_INTERNAL);
    assert_string_equal(f->err.text, "worker process was killed by signal 9 (Killed) at the end of its work");
    assert_int_equal(atomic_load(&f->b->spoken), 2);
    assert_int_equal(sl_pool_statistics(f->pool).retries, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(all_kinds_give_every_job_its_result),
        CASE(a_coordinator_that_joins_in_needs_no_thread_beside_it),
        CASE(unordered_lets_a_quick_job_overtake),
        CASE(enough_and_a_failure_without_reason_travel),
        CASE(a_full_pool_takes_no_more),
        CASE(frames_of_all_sizes_pass),
        CASE(huge_frames_pass_both_ways),
        CASE(a_failed_start_fails_the_pool),
        CASE(unusable_options_are_refused),
        CASE(stop_drops_what_is_not_begun),
        CASE(a_hanging_process_does_not_hold_up_stop),
        CASE(the_flag_stops_a_pool_with_jobs_pending),
        CASE(the_flag_wakes_a_waiting_take),
        CASE(every_worker_has_a_last_word),
        CASE(a_failed_last_word_is_that_of_the_lowest_worker),
        CASE(nothing_is_said_without_a_question),
        CASE(a_last_word_that_is_lost_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
