#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

bool sl_log_init(sl_log *l) {
    l->began = sl_clock_ns();
    return pthread_mutex_init(&l->lock, NULL) == 0;
}

void sl_log_free(sl_log *l) {
    if (l->began) pthread_mutex_destroy(&l->lock);
    l->began = 0;
}

void sl_log_put(sl_log *l, sl_log_level level, int worker, const char *part, const char *fmt, ...) {
    char message[1024];
    va_list args;
    if (!sl_log_wants(l, level)) return;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    sl_log_entry entry = {.level = level,
                          .worker = worker,
                          .part = part,
                          .message = message,
                          .nanoseconds = sl_clock_ns() - l->began};
    pthread_mutex_lock(&l->lock);
    locale_t ours = uselocale(*l->locale);
    l->fn(l->user, &entry);
    uselocale(ours);
    pthread_mutex_unlock(&l->lock);
}
