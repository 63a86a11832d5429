#include "sinks/file/file.h"

#include <assert.h>
#include <errno.h>

#include <unistd.h>

#include "base/signals.h"

/* Bytes of a piece: what is left for the end takes a few milliseconds, and a disk is not asked too often. */
enum { PIECE = 4 << 20 };

static void *sync_piece(void *early) {
    sl_early_sync *e = early;
    int result;
    do {
        result = fdatasync(e->fd);
    } while (result != 0 && errno == EINTR);
    if (result != 0 && !e->failed) e->failed = errno;
    atomic_store(&e->done, true);
    return NULL;
}

static bool start_thread(sl_early_sync *e) {
    sigset_t before;
    sl_signals_block(&before);
    bool started = pthread_create(&e->thread, NULL, sync_piece, e) == 0;
    sl_signals_restore(&before);
    return started;
}

int sl_early_sync_stop(sl_early_sync *e) {
    if (e->under_way) pthread_join(e->thread, NULL);
    e->under_way = false;
    return e->failed;
}

void sl_early_sync_step(sl_early_sync *e, uint64_t written) {
    assert(written >= e->begun);
    if (written - e->begun < PIECE || (e->under_way && !atomic_load(&e->done))) return;
    sl_early_sync_stop(e);
    e->begun = written;
    atomic_store(&e->done, false);
    e->under_way = start_thread(e);
}

int sl_early_sync_finish(sl_early_sync *e) {
    int failed = sl_early_sync_stop(e);
    if (failed) return failed;
    return sl_file_sync(e->fd) == 0 ? 0 : errno;
}
