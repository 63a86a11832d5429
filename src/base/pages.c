#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "base/pages.h"

#include <sys/mman.h>

void *sl_pages_new(size_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void sl_pages_free(void *pages, size_t size) {
    if (pages) munmap(pages, size);
}
