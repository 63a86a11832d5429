/* timeout: the stream for as long as it takes. The coordinator looks at the clock; the workers know nothing of it. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "plan/pipe.h"

typedef struct conf {
    int64_t weeks, days, hours, minutes, seconds, milliseconds, microseconds;
} conf;

typedef struct timer {
    uint64_t started;  /* sl_clock_ns at the first look */
    uint64_t limit_ms; /* 0: none */
} timer;

/* Whole milliseconds. The limits of the options keep the sum within 64 bits. */
static uint64_t limit_of(const conf *c) {
    int64_t hours = 24 * (7 * c->weeks + c->days) + c->hours;
    int64_t seconds = 60 * (60 * hours + c->minutes) + c->seconds;
    return (uint64_t)(1000 * seconds + c->milliseconds + c->microseconds / 1000);
}

static sl_status open_timer(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    (void)env;
    timer *t = *out = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    *t = (timer){.started = sl_clock_ns(), .limit_ms = limit_of(vconf)};
    return SL_OK;
}

static bool is_over(const timer *t) {
    return t->limit_ms && (sl_clock_ns() - t->started) / 1000000 >= t->limit_ms;
}

/* Items that arrive late are not let through. */
static sl_status pass(void *serial, sl_batch *take, sl_out *out, sl_error *err) {
    const timer *t = serial;
    if (is_over(t)) {
        sl_batch_free(&take);
        return SL_DONE;
    }
    TRY(sl_emit(out, take, err));
    return is_over(t) ? SL_DONE : SL_OK;
}

static const sl_serial serial = {.open = open_timer, .pass = pass, .close = free};

/* Each may be as long as a million years, about. */
#define ROW(key, most)                                                                                       \
    {                                                                                                        \
        .name = #key, .type = SL_OPT_INT, .offset = offsetof(conf, key), .fallback = "0", .min = 0,          \
        .max = most, .unit = #key, .help = "adds to the time"                                                \
    }

static const sl_option options[] = {
    ROW(weeks, 50000000),         ROW(days, 350000000),
    ROW(hours, 8400000000),       ROW(minutes, 504000000000),
    ROW(seconds, 30240000000000), ROW(milliseconds, 30240000000000000),
    ROW(microseconds, INT64_MAX), {0},
};

const sl_pipe sl_pipe_timeout = {
    .name = "timeout",
    .kind = SL_KIND_OPERATOR,
    .summary = "Ends the stream after a time",
    .details = "The time is the sum of all keys, in whole milliseconds; 0 is no limit. It counts from the "
               "start of the "
               "run's first look at the stream. When it is over, what comes is dropped and nothing more is "
               "asked of the "
               "sources; a source that is waiting is not interrupted. How many items get through is a matter "
               "of speed: "
               "runs differ.",
    .example = "forever | truncate 3 | timeout seconds=5",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "seconds",
    .serial = &serial,
};
