/* error.c: error values, and the one form in which people see them. A message is put together in a fixed space, because it must
 * be possible to say that memory is out. Control characters are escaped on the way, because names and texts of an input end up
 * on somebody's terminal. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "sluice_program.h"

static bool open_for(const sl_error *err) {
    return err && err->code == SL_OK;
}

sl_status sl_fail(sl_error *err, sl_status code, const char *fmt, ...) {
    if (!open_for(err)) return code;
    va_list args;
    va_start(args, fmt);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    return code;
}

/* Conditions that pass by themselves. */
static bool is_temporary(int errnum) {
    switch (errnum) {
    case EAGAIN:
    case EBUSY:
    case EINTR:
    case EMFILE:
    case ENFILE:
    case ETIMEDOUT:
    case ECONNREFUSED:
    case ECONNRESET:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH: return true;
    default: return false;
    }
}

sl_status sl_fail_errno(sl_error *err, int errnum, const char *what, const char *name) {
    char reason[128];
    if (strerror_r(errnum, reason, sizeof reason)) snprintf(reason, sizeof reason, "error %d", errnum);
    sl_status code = is_temporary(errnum) ? SL_E_TEMP : SL_E_IO;
    if (!name) return sl_fail(err, code, "%s: %s", what, reason);
    return sl_fail(err, code, "%s '%s': %s", what, name, reason);
}

sl_status sl_oom(sl_error *err) {
    return sl_fail(err, SL_E_MEMORY, "out of memory");
}

static void copy_tail(char *out, size_t size, const char *from) {
    size_t n = strlen(from);
    if (n < size) {
        memcpy(out, from, n + 1);
        return;
    }
    size_t tail = size - 4;
    memcpy(out, "...", 3);
    memcpy(out + 3, from + n - tail, tail + 1);
}

void sl_error_at(sl_error *err, const char *source, uint64_t line, uint64_t column) {
    if (!err || err->code == SL_OK) return;
    if (source && !err->source[0]) copy_tail(err->source, sizeof err->source, source);
    if (err->line) return;
    err->line = line;
    err->column = column;
}

void sl_error_step(sl_error *err, int step, const char *pipe) {
    if (!err || err->code == SL_OK || err->step) return;
    err->step = step;
    if (pipe) snprintf(err->pipe, sizeof err->pipe, "%s", pipe);
}

/* A fixed space written piece by piece; what does not fit is dropped. */
typedef struct sheet {
    char *out;
    size_t size, len;
} sheet;

static void put_piece(sheet *s, const char *p, size_t n) {
    if (s->len + n >= s->size) return;
    memcpy(s->out + s->len, p, n);
    s->len += n;
}

/* Those that a terminal obeys: ASCII's, and the C1 controls of Unicode, of which U+009B begins a command like ESC [. */
static void put_escaped(sheet *s, const char *z) {
    for (; *z; z++) {
        unsigned char c = (unsigned char)*z, next = (unsigned char)z[1];
        char hex[8];
        if (c == '\n')
            put_piece(s, "\\n", 2);
        else if (c == '\t')
            put_piece(s, "\\t", 2);
        else if (c < 0x20 || c == 0x7f)
            put_piece(s, hex, (size_t)snprintf(hex, sizeof hex, "\\x%02x", c));
        else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
            put_piece(s, hex, (size_t)snprintf(hex, sizeof hex, "\\u%04x", next));
            z++;
        } else
            put_piece(s, z, 1);
    }
}

static void put_number(sheet *s, uint64_t n, const char *after) {
    char digits[32];
    put_piece(s, digits, (size_t)snprintf(digits, sizeof digits, "%llu%s", (unsigned long long)n, after));
}

static void put_place(sheet *s, const sl_error *err) {
    if (!err->source[0] && !err->line) return;
    put_escaped(s, err->source[0] ? err->source : "line ");
    if (err->source[0]) put_piece(s, ":", 1);
    if (err->line) put_number(s, err->line, ":");
    if (err->line && err->column) put_number(s, err->column, ":");
    put_piece(s, " ", 1);
}

static void put_step(sheet *s, const sl_error *err) {
    if (err->step > 0) {
        put_piece(s, "step ", 5);
        put_number(s, (uint64_t)err->step, err->pipe[0] ? " (" : ": ");
    }
    if (!err->pipe[0]) return;
    put_escaped(s, err->pipe);
    put_piece(s, "): ", err->step > 0 ? 3 : 0);
    if (err->step <= 0) put_piece(s, ": ", 2);
}

const char *sl_show_text(const char *text, char *out, size_t size) {
    if (!size) return out;
    sheet s = {out, size, 0};
    put_escaped(&s, text);
    out[s.len] = 0;
    return out;
}

const char *sl_error_format(const sl_error *err, char *out, size_t size) {
    if (!size) return out;
    sheet s = {out, size, 0};
    put_place(&s, err);
    put_step(&s, err);
    put_escaped(&s, err->text);
    out[s.len] = 0;
    return out;
}

void sl_error_clear(sl_error *err) {
    *err = (sl_error){0};
}

const char *sl_status_name(sl_status status) {
    static const char *const names[] = {"SL_OK",        "SL_DONE",      "SL_E_USAGE", "SL_E_PLAN",
                                        "SL_E_DATA",    "SL_E_IO",      "SL_E_TEMP",  "SL_E_MEMORY",
                                        "SL_E_STOPPED", "SL_E_INTERNAL"};
    return (unsigned)status < SL_COUNT(names) ? names[status] : "unknown";
}

int sl_exit_code(sl_status status) {
    switch (status) {
    case SL_OK:
    case SL_DONE: return 0;
    case SL_E_USAGE:
    case SL_E_PLAN: return 2;
    case SL_E_DATA:
    case SL_E_IO:
    case SL_E_MEMORY: return 1;
    case SL_E_TEMP: return 75;
    case SL_E_STOPPED: return 130;
    case SL_E_INTERNAL: break;
    }
    return 70;
}

const char *sl_version(void) {
    return SL_VERSION;
}
