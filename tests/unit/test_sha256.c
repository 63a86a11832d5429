#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "base/sha256.h"

static void assert_sum(const char *text, const char *expected) {
    unsigned char sum[SL_SHA256_BYTES];
    char shown[2 * SL_SHA256_BYTES + 1];
    sl_sha256 s;
    sl_sha256_begin(&s);
    sl_sha256_add(&s, text, strlen(text));
    sl_sha256_end(&s, sum);
    for (unsigned i = 0; i < SL_SHA256_BYTES; i++) sprintf(shown + 2 * i, "%02x", sum[i]);
    assert_string_equal(shown, expected);
}

static void the_examples_of_the_standard_hold(void **state) {
    (void)state;
    assert_sum("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sum("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sum("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Every length around two blocks, in pieces of every size up to a block and a bit. */
static void pieces_of_every_size_give_the_same_sum(void **state) {
    (void)state;
    unsigned char text[200], sum[SL_SHA256_BYTES], expected[SHA256_DIGEST_LENGTH];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (unsigned char)(i * 7 + 1);
    for (size_t n = 0; n <= sizeof text; n++) {
        SHA256(text, n, expected);
        for (size_t piece = 1; piece < 70; piece++) {
            sl_sha256 s;
            sl_sha256_begin(&s);
            for (size_t at = 0; at < n; at += piece)
                sl_sha256_add(&s, text + at, n - at < piece ? n - at : piece);
            sl_sha256_end(&s, sum);
            assert_memory_equal(sum, expected, sizeof sum);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_examples_of_the_standard_hold),
                                       cmocka_unit_test(pieces_of_every_size_give_the_same_sum)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
