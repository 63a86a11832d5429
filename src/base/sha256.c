#define _DEFAULT_SOURCE /* explicit_bzero */
#include "base/sha256.h"

#include <string.h>

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turned(uint32_t x, unsigned bits) {
    return x >> bits | x << (32 - bits);
}

static void schedule(const unsigned char *block, uint32_t w[64]) {
    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (turned(a, 7) ^ turned(a, 18) ^ a >> 3) + w[i - 7] +
               (turned(b, 17) ^ turned(b, 19) ^ b >> 10);
    }
}

static void mix(uint32_t h[8], const unsigned char *block) {
    uint32_t w[64], v[8]; /* v: a to h of the standard */
    schedule(block, w);
    memcpy(v, h, sizeof v);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t up = turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25);
        uint32_t low = turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22);
        uint32_t one = v[7] + up + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
        uint32_t two = low + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += one;
        v[0] = one + two;
    }
    for (unsigned i = 0; i < 8; i++) h[i] += v[i];
}

/* The first 32 bits of the fractional parts of the square roots of the first 8 primes. */
void sl_sha256_begin(sl_sha256 *s) {
    *s = (sl_sha256){.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                           0x5be0cd19}};
}

void sl_sha256_add(sl_sha256 *s, const void *p, size_t n) {
    const unsigned char *from = p;
    while (n > 0) {
        size_t at = s->n % sizeof s->block, room = sizeof s->block - at, some = n < room ? n : room;
        memcpy(s->block + at, from, some);
        s->n += some;
        from += some;
        n -= some;
        if (some == room) mix(s->h, s->block);
    }
}

void sl_sha256_end(sl_sha256 *s, unsigned char out[SL_SHA256_BYTES]) {
    static const unsigned char padding[64] = {0x80};
    unsigned char bits[8];
    uint64_t n = s->n * 8;
    for (unsigned i = 0; i < 8; i++) bits[i] = (unsigned char)(n >> (56 - 8 * i));
    sl_sha256_add(s, padding, 1 + (119 - s->n % 64) % 64);
    sl_sha256_add(s, bits, sizeof bits);
    for (unsigned i = 0; i < SL_SHA256_BYTES; i++) out[i] = (unsigned char)(s->h[i / 4] >> (24 - i % 4 * 8));
    explicit_bzero(s, sizeof *s); /* secrets go into keys too */
}
