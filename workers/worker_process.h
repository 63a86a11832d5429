/* worker_process.h: the life of one forked worker, and the frames it exchanges with the coordinator.
 *
 *   coordinator: sl_request_head, n bytes          worker: one sl_reply_head as greeting, then for each request
 *                                                          sl_reply_head, n bytes
 *
 * and at the end maybe one more of each, SL_LAST_WORD. Both ends are the same program, so heads travel as they lie in memory. A
 * worker reads and writes its socket blocking; the coordinator never does (processes.c). Only processes.c uses this. */
#ifndef SL_WORKERS_WORKER_PROCESS_H
#define SL_WORKERS_WORKER_PROCESS_H

#include <sys/types.h>

#include "workers/pool_internal.h"

#define SL_GREETING    UINT64_MAX        /* seq of the reply that says how calls->start went */
#define SL_LAST_WORD   (UINT64_MAX - 1)  /* seq of the request for calls->finish, and of its reply; no bytes behind either */
#define SL_FRAME_LIMIT ((size_t)1 << 30) /* of the bytes behind a head */

typedef struct sl_request_head {
    uint64_t seq, n;
} sl_request_head;

typedef struct sl_reply_head {
    uint64_t seq, n;
    uint64_t peak_bytes; /* most memory the worker has held so far */
    sl_status status;
    sl_error error; /* when status is a failure */
} sl_reply_head;

/* The whole life of worker NUMBER in the forked child, on its end FD of the socket pair. PARENT: the coordinator. */
_Noreturn void sl_worker_process_run(const sl_pool *pool, unsigned number, int fd, pid_t parent);

/* One attempt to send what is left of head and body behind the first SENT bytes of the two; as sendmsg, without SIGPIPE. */
ssize_t sl_frame_send(int fd, void *head, size_t head_size, char *body, size_t n, size_t sent);

/* The exit status of a worker whose end of the socket pair has failed. */
enum { SL_CUT_OFF = 75 };

/* Waits for PID to end, until DEADLINE (sl_clock_ns) and then kills it. *PEAK_BYTES is raised to its peak memory. Returns the
 * wait status, or -1 when somebody else has reaped the process. */
int sl_process_reap(pid_t pid, uint64_t deadline, uint64_t *peak_bytes);

/* "was killed by signal 9 (Killed)" or "exited with status 3". */
void sl_process_describe(int wait_status, char *out, size_t size);

/* Where no process can be started the coordinator is the worker, and the bytes go the same ways, only not through a socket. */
SL_MUST_CHECK sl_status sl_worker_process_here(const sl_pool *pool, void *state, sl_job *job);

/* Processor time that the child PID has used, nanoseconds; 0: none, or not to be had. */
uint64_t sl_process_time(pid_t pid);

#endif
