/* status.h: the attributes and shorthand every file uses to hand a status on.
 *
 * A function that can fail returns sl_status and fills the caller's sl_error. Statuses may not be ignored;
 * TRY hands a failure to the caller unchanged. Knows nothing of items. */
#ifndef SL_BASE_STATUS_H
#define SL_BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice.h"

#define SL_MUST_CHECK        __attribute__((warn_unused_result))
#define SL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define SL_LIKELY(x)         __builtin_expect(!!(x), 1)
#define SL_UNLIKELY(x)       __builtin_expect(!!(x), 0)
#define SL_COUNT(array)      (sizeof(array) / sizeof((array)[0]))

/* Returns the failing status of EXPR from the enclosing function. */
#define TRY(expr)                                                  \
    do {                                                           \
        sl_status try_status_ = (expr);                            \
        if (SL_UNLIKELY(try_status_ != SL_OK)) return try_status_; \
    } while (0)

#endif
