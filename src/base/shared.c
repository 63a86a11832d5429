#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "base/shared.h"

#include <errno.h>

#include <sys/mman.h>

void *sl_shared_map(size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void sl_shared_unmap(void *at, size_t size) {
    if (at) munmap(at, size);
}

bool sl_shared_lock_init(pthread_mutex_t *lock) {
    pthread_mutexattr_t attr;
    if (pthread_mutexattr_init(&attr)) return false;
    bool made = !pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) &&
                !pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) && !pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return made;
}

void sl_shared_lock(pthread_mutex_t *lock) {
    if (pthread_mutex_lock(lock) == EOWNERDEAD) pthread_mutex_consistent(lock);
}

void sl_shared_unlock(pthread_mutex_t *lock) {
    pthread_mutex_unlock(lock);
}
