/* log.h: what the library tells the calling program about what it does (sl_pipeline_on_log of sluice.h).
 *
 *     SL_TRACE(log, spill, "%s: %llu records", whose, n);
 *
 * A trace is one line for each decision, of one of the parts in parts.def. Where none is wanted a place costs the look at a
 * pointer; and places are where something is decided, never where an item passes.
 *
 * The place need not know which worker it is in: threads say so once a job (enter, leave). What is told in a worker process is kept
 * there, travels home with the outcome of its job (take), and is told then (bring): the program is called in its own process alone.
 *
 * Thread rule: initialised and set by one thread before a run; any thread of the program may put into it then, one after the other
 * is let through. */
#ifndef SL_BASE_LOG_H
#define SL_BASE_LOG_H

#include <pthread.h>

#include <sys/types.h>

#include "base/buffer.h"
#include "base/locale.h"
#include "base/status.h"

enum { SL_LOG_COORDINATOR = -1 };

typedef enum sl_log_part {
#define PART(name, help) SL_PART_##name,
#include "base/parts.def"
    SL_PARTS
} sl_log_part;

typedef struct sl_log_worker {
    pthread_t thread;
    int number;
} sl_log_worker;

typedef struct sl_log {
    sl_log_fn fn; /* NULL: nothing is logged */
    void *user;
    sl_log_level most;
    uint64_t began;                  /* monotonic ns, from which entries count */
    const sl_program_locale *locale; /* of the program, in which FN runs */
    pthread_mutex_t lock;
    pid_t process;          /* that runs the pipeline: FN is called in no other */
    sl_log_worker *workers; /* [nworkers] threads with a job */
    uint32_t nworkers, cap_workers;
    sl_buf kept; /* of a worker process */
} sl_log;

/* False: memory is out. The rest is zero before. */
bool sl_log_init(sl_log *l);
/* The calling process is the one that FN is called in. */
void sl_log_here(sl_log *l);
void sl_log_free(sl_log *l);

/* Cheap enough to be asked anywhere. L may be NULL. */
static inline bool sl_log_wants(const sl_log *l, sl_log_level level) {
    return SL_UNLIKELY(l && l->fn && level <= l->most);
}
/* Tells it, if that is wanted. WORKER from 0, or SL_LOG_COORDINATOR. */
void sl_log_put(sl_log *l, sl_log_level level, int worker, const char *part, const char *fmt, ...) SL_PRINTF(5, 6);
/* The same of a text of any length, by whoever is calling. */
void sl_log_text(sl_log *l, sl_log_level level, const char *part, const char *text);
/* A line of the trace, by whoever is calling. */
void sl_log_trace(sl_log *l, sl_log_part part, const char *fmt, ...) SL_PRINTF(3, 4);
#define SL_TRACE(log, part, ...)                                                             \
    do {                                                                                     \
        if (sl_log_wants(log, SL_LOG_TRACE)) sl_log_trace(log, SL_PART_##part, __VA_ARGS__); \
    } while (0)

/* The calling thread is worker NUMBER until it leaves. False: it is one already, and stays that; nothing to leave. */
bool sl_log_enter(sl_log *l, unsigned number);
void sl_log_leave(sl_log *l);

/* Worker process: moves what was kept to the end of FRAME. */
void sl_log_take(sl_log *l, sl_buf *frame);
/* Tells what a worker process has kept. False: it is damaged. */
bool sl_log_bring(sl_log *l, const char *data, size_t n);

/* BYTES as people say it: "157 MB". Returns OUT. */
enum { SL_SIZE_TEXT = 24 };
const char *sl_size_text(uint64_t bytes, char out[SL_SIZE_TEXT]);

#endif
