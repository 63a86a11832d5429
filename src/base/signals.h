/* signals.h: threads and processes of ours start with all signals blocked, so that none can interrupt them at an odd moment: a
 * signal is the coordinator's, whose handler is found in src/cli. Faults of the thread itself (SIGSEGV and its like) stay as they
 * are: a host program that reports crashes is to hear of ours as well.
 *
 *     sigset_t before;
 *     sl_signals_block(&before); pthread_create or fork; sl_signals_restore(&before);
 *
 * All are for the calling thread alone, and leave errno as it is. */
#ifndef SL_BASE_SIGNALS_H
#define SL_BASE_SIGNALS_H

#include <signal.h>

void sl_signals_block(sigset_t *before);
void sl_signals_restore(const sigset_t *before);
/* Those that are blocked, which nothing changes. */
void sl_signals_blocked(sigset_t *now);

#endif
