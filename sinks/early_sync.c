/* syscall: the C library has no wrappers for these. */
#define _GNU_SOURCE
#include "sinks/early_sync.h"

#include <errno.h>

#include "sinks/file_out.h"

#ifdef __linux__

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Bytes of a piece: what is left for the end takes a few milliseconds, and a disk is not asked too often. */
enum { PIECE = 4 << 20 };

/* Takes the result of the piece under way, if it is there; with TIMEOUT NULL, when it is there. */
static void take_result(sl_early_sync *e, struct timespec *timeout) {
    struct io_event event = {0};
    long n;
    do {
        n = syscall(SYS_io_getevents, e->context, 1L, 1L, &event, timeout);
    } while (n < 0 && errno == EINTR);
    if (n == 0) return;
    e->under_way = false;
    long result = n < 0 ? -errno : (long)event.res;
    if (result < 0 && !e->failed) e->failed = (int)-result;
}

static void begin_piece(sl_early_sync *e) {
    struct iocb piece = {.aio_fildes = (uint32_t)e->fd, .aio_lio_opcode = IOCB_CMD_FDSYNC}, *list = &piece;
    if (e->context == 0 && syscall(SYS_io_setup, 1U, &e->context) != 0) e->refused = true;
    if (e->refused) return;
    e->under_way = syscall(SYS_io_submit, e->context, 1L, &list) == 1;
    e->refused = !e->under_way;
}

void sl_early_sync_step(sl_early_sync *e, uint64_t written) {
    if (e->refused || written - e->begun < PIECE) return;
    if (e->under_way) take_result(e, &(struct timespec){0});
    if (e->under_way) return;
    begin_piece(e);
    e->begun = written;
}

void sl_early_sync_stop(sl_early_sync *e) {
    if (e->under_way) take_result(e, NULL);
    if (e->context) syscall(SYS_io_destroy, e->context);
    e->context = 0;
    e->refused = true;
}

#else

void sl_early_sync_step(sl_early_sync *e, uint64_t written) {
    (void)e;
    (void)written;
}

void sl_early_sync_stop(sl_early_sync *e) {
    (void)e;
}

#endif

int sl_early_sync_finish(sl_early_sync *e) {
    sl_early_sync_stop(e);
    if (e->failed) return e->failed;
    return sl_file_sync(e->fd) == 0 ? 0 : errno;
}
