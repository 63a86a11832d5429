/* test_sorter.c: the sorter: the same records within memory, spilled, merged many times over and absorbed from others must come
 * in the same order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "record/sorter/sorter.h"

enum { SMALL = 1024 * 1024, LARGE = 256 * 1024 * 1024 };

/* A small random generator: the same records for the same seed. */
static uint32_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

typedef struct made {
    char bytes[400];
    sl_sort_record r;
} made;

/* Record K of a set: keys of few values and many lengths, among them prefixes of each other and zero bytes. */
static void make(made *m, uint64_t seed, uint64_t k) {
    uint64_t s = seed ^ (k * 0x9e3779b97f4a7c15u);
    next_random(&s);
    uint32_t key = next_random(&s) % 20, payload = next_random(&s) % 300;
    for (uint32_t i = 0; i < key; i++) m->bytes[i] = (char)("\0ab\xff"[next_random(&s) % 4]);
    memset(m->bytes + key, (int)(k & 0xff), payload);
    m->r = (sl_sort_record){{m->bytes, key}, k, {m->bytes + key, payload}};
}

/* Adds records FROM .. TO, in an order that is not theirs. */
static void add_range(sl_sorter *s, uint64_t seed, uint64_t from, uint64_t to) {
    made m;
    uint64_t n = to - from;
    for (uint64_t i = 0; i < n; i++) {
        make(&m, seed, from + (i * 7919) % n);
        if (sl_sorter_rejects(s, m.r.key, m.r.ordinal)) continue;
        assert_int_equal(sl_sorter_add(s, m.r, NULL), SL_OK);
    }
}

/* Reads all of S; every record is after the one before and is what was made. Returns a digest of the order. */
static uint64_t read_all(sl_sorter *s, uint64_t seed, uint64_t *count) {
    sl_sort_record r;
    char last[400];
    uint32_t last_n = 0;
    uint64_t last_ordinal = 0, digest = 0;
    made m;
    sl_status status;
    for (*count = 0; (status = sl_sorter_next(s, &r, NULL)) == SL_OK; ++*count) {
        int c = *count ? sl_text_cmp((sl_text){last, last_n}, r.key) : -1;
        assert_true(c < 0 || (c == 0 && last_ordinal < r.ordinal));
        make(&m, seed, r.ordinal);
        assert_true(sl_text_eq(m.r.key, r.key) && sl_text_eq(m.r.payload, r.payload));
        memcpy(last, r.key.s, r.key.n);
        last_n = r.key.n;
        last_ordinal = r.ordinal;
        digest = digest * 1000003 + r.ordinal;
    }
    assert_int_equal(status, SL_DONE);
    return digest;
}

static uint64_t sort_all(size_t budget, uint64_t limit, uint64_t n, uint64_t *count, uint64_t *spilled) {
    sl_sorter *s = sl_sorter_new(budget, limit, "/tmp");
    assert_non_null(s);
    add_range(s, 42, 0, n);
    assert_int_equal(sl_sorter_sort(s, NULL), SL_OK);
    assert_int_equal(sl_sorter_sort(s, NULL), SL_OK);
    uint64_t digest = read_all(s, 42, count);
    *spilled = sl_sorter_spilled(s);
    sl_sorter_free(&s);
    assert_null(s);
    return digest;
}

static void disk_and_memory_agree(void **state) {
    (void)state;
    uint64_t count, spilled, other;
    uint64_t a = sort_all(LARGE, 0, 60000, &count, &spilled);
    assert_int_equal(count, 60000);
    assert_int_equal(spilled, 0);
    uint64_t b = sort_all(SMALL, 0, 60000, &other, &spilled);
    assert_int_equal(other, 60000);
    assert_true(spilled > 8u << 20);
    assert_int_equal(a, b);
}

static void more_runs_than_one_merge_takes(void **state) {
    (void)state;
    uint64_t count, spilled, n = 900000;
    uint64_t a = sort_all(SMALL, 0, n, &count, &spilled);
    assert_int_equal(count, n);
    assert_int_equal(a, sort_all((size_t)2 << 30, 0, n, &count, &spilled));
    assert_int_equal(spilled, 0);
}

static void a_merge_of_many_runs_can_be_stopped(void **state) {
    (void)state;
    _Atomic bool stopping = false;
    sl_sort_record r;
    sl_error err = {0};
    sl_sorter *s = sl_sorter_new(SMALL, 0, "/tmp");
    assert_non_null(s);
    sl_sorter_stopping(s, &stopping);
    add_range(s, 42, 0, 900000);
    stopping = true;
    assert_int_equal(sl_sorter_next(s, &r, &err), SL_E_STOPPED);
    sl_sorter_free(&s);
}

static void a_limit_keeps_the_first(void **state) {
    (void)state;
    const uint64_t limits[] = {1, 2, 10, 1000, 19999, 20000, 50000};
    for (size_t k = 0; k < SL_COUNT(limits); k++) {
        sl_sorter *all = sl_sorter_new(LARGE, 0, "/tmp"), *few = sl_sorter_new(SMALL, limits[k], "/tmp");
        add_range(all, 7, 0, 20000);
        add_range(few, 7, 0, 20000);
        assert_int_equal(sl_sorter_sort(all, NULL), SL_OK);
        assert_int_equal(sl_sorter_sort(few, NULL), SL_OK);
        sl_sort_record a, b;
        for (uint64_t n = 0; n < limits[k] && n < 20000; n++) {
            assert_int_equal(sl_sorter_next(all, &a, NULL), SL_OK);
            assert_int_equal(sl_sorter_next(few, &b, NULL), SL_OK);
            assert_int_equal(a.ordinal, b.ordinal);
        }
        assert_int_equal(sl_sorter_next(few, &b, NULL), SL_DONE);
        sl_sorter_free(&all);
        sl_sorter_free(&few);
    }
}

static void a_small_limit_needs_no_disk(void **state) {
    (void)state;
    uint64_t count, spilled;
    sort_all(SMALL, 100, 60000, &count, &spilled);
    assert_int_equal(count, 100);
    assert_int_equal(spilled, 0);
}

/* PARTS sorters over pieces of one set, sorted or not, end as one. */
static uint64_t absorb_all(size_t budget, uint64_t limit, int parts, bool sorted, uint64_t *count) {
    sl_sorter *s = sl_sorter_new(budget, limit, "/tmp");
    for (int k = 0; k < parts; k++) {
        sl_sorter *part = sl_sorter_new(budget, limit, "/tmp");
        add_range(part, 42, (uint64_t)(60000 / parts * k), (uint64_t)(60000 / parts * (k + 1)));
        if (sorted) assert_int_equal(sl_sorter_sort(part, NULL), SL_OK);
        assert_int_equal(sl_sorter_absorb(s, part, NULL), SL_OK);
        sl_sorter_free(&part);
    }
    assert_int_equal(sl_sorter_sort(s, NULL), SL_OK);
    uint64_t digest = read_all(s, 42, count);
    sl_sorter_free(&s);
    return digest;
}

static void absorbed_sorters_are_one(void **state) {
    (void)state;
    const size_t budgets[] = {SMALL, 8u << 20, LARGE};
    uint64_t count, spilled, want = sort_all(LARGE, 0, 60000, &count, &spilled);
    uint64_t want_limited = sort_all(LARGE, 500, 60000, &count, &spilled);
    for (size_t b = 0; b < SL_COUNT(budgets); b++) {
        for (int sorted = 0; sorted < 2; sorted++) {
            assert_int_equal(absorb_all(budgets[b], 0, 6, sorted, &count), want);
            assert_int_equal(count, 60000);
            assert_int_equal(absorb_all(budgets[b], 500, 6, sorted, &count), want_limited);
            assert_int_equal(count, 500);
        }
    }
}

static void nothing_sorts_to_nothing(void **state) {
    (void)state;
    sl_sorter *s = sl_sorter_new(0, 0, "/tmp"), *other = sl_sorter_new(0, 0, "/tmp");
    sl_sort_record r;
    assert_int_equal(sl_sorter_absorb(s, other, NULL), SL_OK);
    assert_int_equal(sl_sorter_sort(s, NULL), SL_OK);
    assert_int_equal(sl_sorter_next(s, &r, NULL), SL_DONE);
    sl_sorter_free(&s);
    sl_sorter_free(&other);
    sl_sorter_free(&other);
}

/* A record larger than the buffers of a merge. */
static void large_records_pass_through_runs(void **state) {
    (void)state;
    sl_sorter *s = sl_sorter_new(0, 0, "/tmp");
    size_t n = 700000;
    char *bytes = malloc(n);
    for (uint64_t k = 0; k < 8; k++) {
        memset(bytes, (int)('h' - k), n);
        sl_sort_record r = {{bytes, 300000}, k, {bytes, (uint32_t)n}};
        assert_int_equal(sl_sorter_add(s, r, NULL), SL_OK);
    }
    assert_int_equal(sl_sorter_sort(s, NULL), SL_OK);
    for (uint64_t k = 0; k < 8; k++) {
        sl_sort_record r;
        assert_int_equal(sl_sorter_next(s, &r, NULL), SL_OK);
        assert_int_equal(r.ordinal, 7 - k);
        assert_int_equal(r.payload.n, n);
        assert_int_equal(r.payload.s[n - 1], (char)('a' + k));
    }
    free(bytes);
    sl_sorter_free(&s);
}

static void a_missing_directory_is_reported(void **state) {
    (void)state;
    sl_sorter *s = sl_sorter_new(0, 0, "/tmp/there/is/no/such/directory");
    sl_error err = {0};
    sl_status status = SL_OK;
    made m;
    for (uint64_t k = 0; k < 60000 && !status; k++) {
        make(&m, 1, k);
        status = sl_sorter_add(s, m.r, &err);
    }
    assert_int_equal(status, SL_E_IO);
    assert_string_not_equal(err.text, "");
    sl_sorter_free(&s);
}

/* Sorted parts travel as blocks and are absorbed; a damaged block is refused. */
static void sorted_blocks_are_absorbed_and_damaged_ones_refused(void **state) {
    (void)state;
    uint64_t count, seed = 77;
    sl_sorter *whole = sl_sorter_new(LARGE, 0, "/tmp"), *gathered = sl_sorter_new(SMALL, 0, "/tmp");
    add_range(whole, seed, 0, 30000);
    assert_int_equal(sl_sorter_sort(whole, NULL), SL_OK);
    uint64_t want = read_all(whole, seed, &count);
    assert_int_equal(count, 30000);
    for (uint64_t from = 0; from < 30000; from += 1500) {
        sl_buf block = {0};
        sl_sorter *part = sl_sorter_new(from % 4500 ? SMALL : LARGE, 0, "/tmp"), *loaded;
        add_range(part, seed, from, from + 1500);
        assert_int_equal(sl_sorter_sort(part, NULL), SL_OK);
        assert_int_equal(sl_sorter_save(part, &block, NULL), SL_OK);
        loaded = sl_sorter_new(SMALL, 0, "/tmp");
        assert_int_equal(sl_sorter_load(loaded, block.data, block.len, NULL), SL_OK);
        assert_int_equal(sl_sorter_load(loaded, block.data, block.len, NULL), SL_E_INTERNAL);
        assert_int_equal(sl_sorter_absorb(gathered, loaded, NULL), SL_OK);
        sl_sorter *damaged = sl_sorter_new(SMALL, 0, "/tmp");
        assert_int_equal(sl_sorter_load(damaged, block.data, block.len - 1, NULL), SL_E_INTERNAL);
        sl_sorter_free(&damaged);
        sl_sorter_free(&loaded);
        sl_sorter_free(&part);
        sl_buf_free(&block);
    }
    assert_true(sl_sorter_spilled(gathered) > 0);
    assert_true(read_all(gathered, seed, &count) == want);
    assert_int_equal(count, 30000);
    sl_sorter_free(&gathered);
    sl_sorter_free(&whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk_and_memory_agree),
        cmocka_unit_test(more_runs_than_one_merge_takes),
        cmocka_unit_test(a_merge_of_many_runs_can_be_stopped),
        cmocka_unit_test(a_limit_keeps_the_first),
        cmocka_unit_test(a_small_limit_needs_no_disk),
        cmocka_unit_test(absorbed_sorters_are_one),
        cmocka_unit_test(nothing_sorts_to_nothing),
        cmocka_unit_test(large_records_pass_through_runs),
        cmocka_unit_test(a_missing_directory_is_reported),
        cmocka_unit_test(sorted_blocks_are_absorbed_and_damaged_ones_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
