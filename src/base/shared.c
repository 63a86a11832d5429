#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "base/shared.h"

#include <sys/mman.h>

void *sl_shared_map(size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void sl_shared_unmap(void *at, size_t size) {
    if (at) munmap(at, size);
}
