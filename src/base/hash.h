/* hash.h: a fast, well-mixed 64-bit hash of bytes. Same bytes, same hash in every process of one build;
 * not stable across versions and not for untrusted-key flooding beyond what the seed gives. */
#ifndef SL_BASE_HASH_H
#define SL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t sl_hash(const void *p, size_t n, uint64_t seed);

/* Finaliser of a 64-bit integer (all bits avalanche). */
static inline uint64_t sl_hash_mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

#endif
