/* sha256.h: SHA-256 (FIPS 180-4), for names of entries and notes. It needs no memory and nothing that has to be set up first,
 * unlike libcrypto's, which allocates thousands of times on its first use and crashes where one of them fails; bodies, which come
 * from the network, go through that one, as it is the faster. */
#ifndef SL_BASE_SHA256_H
#define SL_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SL_SHA256_BYTES = 32 };

typedef struct sl_sha256 {
    uint32_t h[8];
    uint64_t n; /* bytes so far */
    unsigned char block[64];
} sl_sha256;

void sl_sha256_begin(sl_sha256 *s);
void sl_sha256_add(sl_sha256 *s, const void *p, size_t n);
/* S is forgotten. */
void sl_sha256_end(sl_sha256 *s, unsigned char out[SL_SHA256_BYTES]);

#endif
