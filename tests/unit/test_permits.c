/* test_permits.c: the permits that the transfers of a run share: their number is never exceeded, whoever takes them, and a
 * process that ends gives its own back. */
#include "net/http/permits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static int take(sl_permits *p, uint64_t host, bool wanted) {
    uint64_t when = 0;
    return sl_permits_take(p, &(sl_permit_wish){.host = host, .wanted = wanted}, &when);
}

static void nap(unsigned ms) {
    nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
}

static void no_more_transfers_run_than_allowed_in_all_and_per_host(void **state) {
    (void)state;
    sl_permits *p = sl_permits_new(3, 2);
    int first = take(p, 1, false);
    assert_true(first >= 0 && take(p, 1, false) >= 0);
    assert_int_equal(take(p, 1, false), SL_PERMIT_CROWDED);
    assert_true(take(p, 2, false) >= 0);
    assert_int_equal(take(p, 3, false), SL_PERMIT_CROWDED);
    assert_int_equal(take(p, 3, true), SL_PERMIT_CROWDED); /* wanted or not: all of them move */
    sl_permits_give(p, first);
    assert_true(take(p, 3, false) >= 0);
    assert_int_equal(sl_permits_out(p), 3);
    sl_permits_free(&p);
}

static void sleepers_do_not_starve_what_is_wanted(void **state) {
    (void)state;
    sl_permits *p = sl_permits_new(1, 1);
    int first = take(p, 1, false);
    nap(250);
    assert_int_equal(take(p, 1, false), SL_PERMIT_CROWDED);
    assert_true(take(p, 1, true) >= 0);
    nap(250);
    sl_permits_touch(p, first);
    assert_int_equal(take(p, 1, true), SL_PERMIT_CROWDED);
    sl_permits_free(&p);
}

static void a_host_is_asked_again_only_after_the_interval(void **state) {
    (void)state;
    sl_permits *p = sl_permits_new(9, 9);
    sl_permit_wish wish = {.host = 5, .interval = 40000000};
    uint64_t when = 0, before = sl_clock_ns();
    assert_true(sl_permits_take(p, &wish, &when) >= 0);
    assert_int_equal(sl_permits_take(p, &wish, &when), SL_PERMIT_LATER);
    assert_true(when >= before + wish.interval);
    wish.host = 6;
    assert_true(sl_permits_take(p, &wish, &when) >= 0);
    wish.host = 5;
    nap(50);
    assert_true(sl_permits_take(p, &wish, &when) >= 0);
    sl_permits_free(&p);
}

/* More hosts than there is room to remember: the one that is due soonest is forgotten, none is let through early. */
static void more_hosts_than_can_be_remembered_are_not_asked_early(void **state) {
    (void)state;
    sl_permits *p = sl_permits_new(1000, 1000);
    uint64_t when = 0;
    for (uint64_t host = 1; host <= 900; host++) {
        sl_permit_wish wish = {.host = host, .interval = 1000000000};
        assert_true(sl_permits_take(p, &wish, &when) >= 0);
    }
    sl_permit_wish last = {.host = 900, .interval = 1000000000};
    assert_int_equal(sl_permits_take(p, &last, &when), SL_PERMIT_LATER);
    sl_permits_free(&p);
}

static void processes_share_them(void **state) {
    (void)state;
    sl_permits *p = sl_permits_new(2, 2);
    int mine = take(p, 1, false);
    pid_t child = fork();
    if (child == 0) {
        bool taken = take(p, 1, false) >= 0;
        sl_permits_retried(p);
        if (!taken) _exit(1);
        for (;;) pause();
    }
    for (int i = 0; i < 500 && sl_permits_out(p) < 2; i++) nap(10);
    assert_int_equal(take(p, 2, false), SL_PERMIT_CROWDED);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(sl_permits_retries(p), 1);
    assert_true(take(p, 2, false) >= 0); /* that of the dead */
    assert_int_equal(take(p, 2, false), SL_PERMIT_CROWDED);
    sl_permits_give(p, mine);
    sl_permits_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_transfers_run_than_allowed_in_all_and_per_host),
        cmocka_unit_test(sleepers_do_not_starve_what_is_wanted),
        cmocka_unit_test(a_host_is_asked_again_only_after_the_interval),
        cmocka_unit_test(more_hosts_than_can_be_remembered_are_not_asked_early),
        cmocka_unit_test(processes_share_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
