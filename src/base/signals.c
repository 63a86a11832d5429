#include "base/signals.h"

#include <pthread.h>

void sl_signals_block(sigset_t *before) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, before); /* returns its error; this one has none */
}

void sl_signals_restore(const sigset_t *before) {
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

void sl_signals_blocked(sigset_t *now) {
    sigemptyset(now);
    pthread_sigmask(SIG_BLOCK, NULL, now);
}
