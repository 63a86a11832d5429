/* log.c: what the library tells the program while it runs. All entries go through one place, which calls the program's function under a
 * lock, and in the program's locale. In a worker process, which is told by its number, they are written into a buffer instead: it
 * is a copy of the program that must not act for it. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"

static const char *const part_names[] = {
#define PART(name, help) #name,
#include "base/parts.def"
};

bool sl_log_init(sl_log *l) {
    l->began = sl_clock_ns();
    sl_log_here(l);
    return pthread_mutex_init(&l->lock, NULL) == 0;
}

void sl_log_here(sl_log *l) {
    l->process = getpid();
}

void sl_log_free(sl_log *l) {
    if (l->began) pthread_mutex_destroy(&l->lock);
    free(l->workers);
    sl_buf_free(&l->kept);
    l->workers = NULL;
    l->began = 0;
}

/* ---- telling --------------------------------------------------------------------------------------------------------- */

static void call(sl_log *l, const sl_log_entry *entry) {
    locale_t ours = sl_locale_of_program(l->locale);
    l->fn(l->user, entry);
    uselocale(ours);
}

static void keep(sl_log *l, const sl_log_entry *e) {
    sl_buf_u32(&l->kept, (uint32_t)e->level);
    sl_buf_u32(&l->kept, (uint32_t)e->worker);
    sl_buf_u64(&l->kept, e->nanoseconds);
    sl_buf_add(&l->kept, e->part, strlen(e->part) + 1);
    sl_buf_add(&l->kept, e->message, strlen(e->message) + 1);
}

static sl_log_worker *find_self(const sl_log *l) {
    for (uint32_t i = 0; i < l->nworkers; i++)
        if (pthread_equal(l->workers[i].thread, pthread_self())) return &l->workers[i];
    return NULL;
}

static void put(sl_log *l, sl_log_entry *entry, bool known) {
    entry->nanoseconds = sl_clock_ns() - l->began;
    pthread_mutex_lock(&l->lock);
    const sl_log_worker *self = known ? NULL : find_self(l);
    if (!known) entry->worker = self ? self->number : SL_LOG_COORDINATOR;
    if (getpid() == l->process)
        call(l, entry);
    else
        keep(l, entry);
    pthread_mutex_unlock(&l->lock);
}

enum { LINE = 1024 };

void sl_log_put(sl_log *l, sl_log_level level, int worker, const char *part, const char *fmt, ...) {
    char message[LINE];
    va_list args;
    if (!sl_log_wants(l, level)) return;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    put(l, &(sl_log_entry){.level = level, .worker = worker, .part = part, .message = message}, true);
}

void sl_log_text(sl_log *l, sl_log_level level, const char *part, const char *text) {
    if (!sl_log_wants(l, level)) return;
    put(l, &(sl_log_entry){.level = level, .part = part, .message = text}, false);
}

void sl_log_trace(sl_log *l, sl_log_part part, const char *fmt, ...) {
    char message[LINE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    sl_log_text(l, SL_LOG_TRACE, part_names[part], message);
}

/* ---- who tells ------------------------------------------------------------------------------------------------------- */

bool sl_log_enter(sl_log *l, unsigned number) {
    if (!sl_log_wants(l, SL_LOG_TRACE)) return false;
    pthread_mutex_lock(&l->lock);
    bool entered = !find_self(l) && SL_ROOM(l->workers, l->cap_workers, l->nworkers + 1);
    if (entered) l->workers[l->nworkers++] = (sl_log_worker){pthread_self(), (int)number};
    pthread_mutex_unlock(&l->lock);
    return entered;
}

void sl_log_leave(sl_log *l) {
    pthread_mutex_lock(&l->lock);
    sl_log_worker *self = find_self(l);
    *self = l->workers[--l->nworkers];
    pthread_mutex_unlock(&l->lock);
}

/* ---- worker processes ------------------------------------------------------------------------------------------------ */

void sl_log_take(sl_log *l, sl_buf *frame) {
    if (!l->kept.failed) sl_buf_add(frame, l->kept.data, l->kept.len);
    sl_buf_clear(&l->kept);
}

/* A text of the frame; NULL: it is damaged. */
static const char *text_at(sl_cursor *c) {
    const char *end = c->failed ? NULL : memchr(c->at, 0, (size_t)(c->end - c->at));
    return end ? sl_cursor_bytes(c, (size_t)(end + 1 - c->at)) : NULL;
}

bool sl_log_bring(sl_log *l, const char *data, size_t n) {
    sl_cursor c = {.at = data, .end = data + n};
    while (c.at < c.end) {
        sl_log_entry e = {.level = (sl_log_level)sl_cursor_u32(&c)};
        e.worker = (int)sl_cursor_u32(&c);
        e.nanoseconds = sl_cursor_u64(&c);
        e.part = text_at(&c);
        e.message = e.part ? text_at(&c) : NULL;
        if (!e.message) return false;
        pthread_mutex_lock(&l->lock);
        call(l, &e);
        pthread_mutex_unlock(&l->lock);
    }
    return true;
}

/* ---- words ----------------------------------------------------------------------------------------------------------- */

const char *sl_size_text(uint64_t bytes, char out[SL_SIZE_TEXT]) {
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    double v = (double)bytes;
    int i = 0;
    for (; v >= 1000 && i < 6; i++) v /= 1000;
    snprintf(out, SL_SIZE_TEXT, i && v < 100 ? "%.1f %sB" : "%.0f %sB", v, prefixes[i]);
    return out;
}
