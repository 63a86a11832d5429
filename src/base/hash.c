#include "base/hash.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide;

static const uint64_t odd_a = 0x9e3779b97f4a7c15u, odd_b = 0xc2b2ae3d27d4eb4fu;

/* Both halves of the product: every input bit reaches every output bit. */
static inline uint64_t fold(uint64_t a, uint64_t b) {
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load(const unsigned char *p, size_t n) {
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

uint64_t sl_hash(const void *data, size_t n, uint64_t seed) {
    const unsigned char *p = data;
    uint64_t h = seed ^ fold((uint64_t)n ^ odd_a, odd_b);
    size_t left = n;
    for (; left > 16; left -= 16, p += 16) h = fold(load(p, 8) ^ odd_a, load(p + 8, 8) ^ h ^ odd_b);
    uint64_t a = 0, b = 0;
    if (left >= 8) { /* two loads that may overlap cover 8 to 16 bytes */
        a = load(p, 8);
        b = load(p + left - 8, 8);
    } else if (left >= 4) {
        a = load(p, 4);
        b = load(p + left - 4, 4);
    } else if (left) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[left / 2] << 8 | p[left - 1];
    }
    return sl_hash_mix(fold(a ^ odd_a ^ h, b ^ odd_b) ^ h);
}
