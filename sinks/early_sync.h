/* early_sync.h: a file goes to the disk while it is still being written, so that the fsync at its end has little left to wait for.
 *
 *   {.fd} step* finish? stop     A step after each write. At most one piece is under way at a time, in a thread of its own.
 *
 * That thread takes no lock and no memory, so a worker process that is forked meanwhile finds none of them held. Where no thread is to
 * be had nothing happens early and nothing fails. Thread rule: one thread at a time; the object must stay where it is. */
#ifndef SL_SINKS_EARLY_SYNC_H
#define SL_SINKS_EARLY_SYNC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>

typedef struct sl_early_sync {
    int fd;         /* of the file; the caller's */
    uint64_t begun; /* bytes of the file when the last piece began */
    bool under_way; /* there is a thread to join */
    pthread_t thread;
    atomic_bool done; /* it has nothing left to do */
    int failed;       /* errno of a piece, or 0; the thread's until it is joined */
} sl_early_sync;

/* WRITTEN: bytes in the file. Begins a piece when enough has come since the last one and none is under way. */
void sl_early_sync_step(sl_early_sync *e, uint64_t written);
/* The last fsync, of all that is in the file: 0, or the errno of it or of the first piece that failed. The kernel tells of a lost write
 * once: after a piece that has met it the fsync itself would succeed. */
int sl_early_sync_finish(sl_early_sync *e);
/* Waits for the piece under way; more than once does nothing. Before the descriptor is closed. Returns the errno of the first piece
 * that failed, or 0. */
int sl_early_sync_stop(sl_early_sync *e);

#endif
