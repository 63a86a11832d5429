/* clock.h: time for reports and time-outs. */
#ifndef SL_BASE_CLOCK_H
#define SL_BASE_CLOCK_H

#include <stdint.h>

uint64_t sl_clock_ns(void);   /* monotonic nanoseconds */
int64_t sl_clock_epoch(void); /* seconds since 1970-01-01 UTC */

#endif
