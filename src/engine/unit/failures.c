#include "engine/unit/failures.h"

#include <string.h>

#include "base/error.h"

enum { MOST_TEXT = 1 << 20 };

bool sl_failure_is_passed_over(const sl_env *env, sl_status s) {
    return env->keep_going && (s == SL_E_IO || s == SL_E_TEMP);
}

static void tell(sl_log *log, const char *text) {
    sl_log_put(log, SL_LOG_WARNING, SL_LOG_COORDINATOR, "source", "left out: %s", text);
}

void sl_failures_add(sl_failures *f, const sl_error *err) {
    char text[1400];
    sl_error_format(err, text, sizeof text);
    tell(f->log, text);
    if (!f->n++) f->first = *err;
    if (f->text.len < MOST_TEXT) sl_buf_add(&f->text, text, strlen(text) + 1);
}

void sl_failures_join(sl_failures *into, sl_failures *from) {
    if (!from->n) return;
    for (size_t at = 0; at < from->text.len; at += strlen(from->text.data + at) + 1)
        tell(into->log, from->text.data + at);
    if (!into->n) into->first = from->first;
    into->n += from->n;
    if (into->text.len < MOST_TEXT) sl_buf_add(&into->text, from->text.data, from->text.len);
    sl_failures_free(from);
}

void sl_failures_free(sl_failures *f) {
    sl_buf_free(&f->text);
    *f = (sl_failures){0};
}

void sl_failures_save(const sl_failures *f, sl_buf *out) {
    sl_buf_u64(out, f->n);
    if (!f->n) return;
    sl_buf_add(out, &f->first, sizeof f->first);
    sl_buf_u64(out, f->text.len);
    sl_buf_add(out, f->text.data, f->text.len);
}

bool sl_failures_load(sl_failures *f, sl_cursor *c) {
    f->n = sl_cursor_u64(c);
    if (!f->n) return !c->failed;
    const char *first = sl_cursor_bytes(c, sizeof f->first);
    uint64_t length = sl_cursor_u64(c);
    const char *text = sl_cursor_bytes(c, (size_t)length);
    if (!first || !text) return false;
    memcpy(&f->first, first, sizeof f->first);
    sl_buf_add(&f->text, text, (size_t)length);
    return !f->text.failed;
}

const char *sl_failures_at(const sl_failures *f, uint64_t i) {
    size_t at = 0;
    while (i-- && at < f->text.len) at += strlen(f->text.data + at) + 1;
    return at < f->text.len ? f->text.data + at : NULL;
}
