/* early_sync.h: a file goes to the disk while it is still being written, so that the fsync at its end has little left to wait for.
 *
 *   {.fd} step* finish? stop     A step after each write. At most one piece is under way at a time.
 *
 * The kernel does the work beside the caller (asynchronous fdatasync: io_submit(2), since Linux 4.18); no thread is made, for
 * processes may yet be forked. Where that cannot be had nothing happens early and nothing fails. Thread rule: one thread at a time. */
#ifndef SL_SINKS_EARLY_SYNC_H
#define SL_SINKS_EARLY_SYNC_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_early_sync {
    int fd;                /* of the file; the caller's */
    uint64_t begun;        /* bytes of the file that a piece was begun for */
    unsigned long context; /* aio_context_t; 0: none yet */
    bool refused;          /* the system gives no context, or takes no piece */
    bool under_way;
    int failed; /* errno of a piece, or 0 */
} sl_early_sync;

/* WRITTEN: bytes in the file. Begins a piece when enough has come since the last one and none is under way. */
void sl_early_sync_step(sl_early_sync *e, uint64_t written);
/* The last fsync, of all that is in the file: 0, or the errno of it or of the first piece that failed. The kernel tells of a lost write
 * once: after a piece that has met it the fsync itself would succeed. */
int sl_early_sync_finish(sl_early_sync *e);
/* Waits for the piece under way and gives all back; more than once does nothing. */
void sl_early_sync_stop(sl_early_sync *e);

#endif
