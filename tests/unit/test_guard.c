/* test_guard.c: addresses that data may and may not lead to: the first and the last of each block, and their neighbours. */
#include "net/http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static bool is_public(const char *text) {
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) return sl_address_is_public((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return sl_address_is_public((struct sockaddr *)&in6);
}

static void public_addresses_are_allowed(void **state) {
    (void)state;
    static const char *const addresses[] = {
        "1.1.1.1",        "8.8.8.8",        "9.255.255.255",    "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",    "126.0.0.1",      "128.0.0.1",        "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0",     "192.0.1.1",        "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0",     "223.255.255.255",  "2606:4700::1111", "2a00:1450:4001::200e",
        "2003::1",        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    };
    for (size_t i = 0; i < SL_COUNT(addresses); i++) {
        if (!is_public(addresses[i])) fail_msg("%s is public", addresses[i]);
    }
}

static void addresses_that_are_not_public_are_refused(void **state) {
    (void)state;
    static const char *const addresses[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    };
    for (size_t i = 0; i < SL_COUNT(addresses); i++) {
        if (is_public(addresses[i])) fail_msg("%s is not public", addresses[i]);
    }
}

static void addresses_of_other_families_are_refused(void **state) {
    (void)state;
    struct sockaddr local = {.sa_family = AF_UNIX};
    char text[SL_ADDRESS_TEXT] = "x";
    assert_false(sl_address_is_public(&local));
    sl_address_show(&local, text);
    assert_string_equal(text, "");
}

static void networks_are_parsed_strictly(void **state) {
    (void)state;
    static const char *const good[] = {"10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "0.0.0.0/0",
                                       "fd00::/8",   "::1",      "::/0",        "192.168.4.0/22"};
    static const char *const bad[] = {"",           "10",           "10.0.0.0/", "10.0.0.0/33",
                                      "10.0.0.1/8", "10.0.0.0/08x", "10.0.0/8",  "010.0.0.0/8",
                                      "fd00::/129", "fd00::1/8",    "localhost", "10.0.0.0/-1",
                                      "10.0.0.0/8 "};
    sl_network n;
    for (size_t i = 0; i < SL_COUNT(good); i++) {
        if (!sl_network_parse(sl_text_of(good[i]), &n)) fail_msg("'%s' is a network", good[i]);
    }
    for (size_t i = 0; i < SL_COUNT(bad); i++) {
        if (sl_network_parse(sl_text_of(bad[i]), &n)) fail_msg("'%s' is no network", bad[i]);
    }
}

static void permitted_networks_are_allowed_to_the_bit(void **state) {
    (void)state;
    sl_network n[2];
    assert_true(sl_network_parse(SL_TEXT("10.8.0.0/14"), &n[0]));
    assert_true(sl_network_parse(SL_TEXT("fd12::/16"), &n[1]));
    assert_true(sl_address_text_allowed("10.8.0.1", n, 2));
    assert_true(sl_address_text_allowed("10.11.255.255", n, 2));
    assert_false(sl_address_text_allowed("10.12.0.0", n, 2));
    assert_false(sl_address_text_allowed("10.7.255.255", n, 2));
    assert_true(sl_address_text_allowed("::ffff:10.8.0.1", n, 2));
    assert_true(sl_address_text_allowed("fd12:3::4", n, 2));
    assert_false(sl_address_text_allowed("fd13::1", n, 2));
    assert_false(sl_address_text_allowed("fe80::1%eth0", n, 2));
    assert_true(sl_address_text_allowed("8.8.8.8", n, 0));
    assert_false(sl_address_text_allowed("no address", n, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_addresses_are_allowed),
        cmocka_unit_test(addresses_that_are_not_public_are_refused),
        cmocka_unit_test(addresses_of_other_families_are_refused),
        cmocka_unit_test(networks_are_parsed_strictly),
        cmocka_unit_test(permitted_networks_are_allowed_to_the_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
