/* time.h: dates and times of items.
 *
 * One value type, three kinds in value.flags. as.i is the clock shown, as seconds since 1970-01-01 on that clock; n the
 * microseconds; aux the zone offset in minutes (date-times). */
#ifndef SL_RECORD_TIME_H
#define SL_RECORD_TIME_H

#include "record/value.h"

enum {
    SL_TIME_DATE = 1,       /* a day; time of day is zero */
    SL_TIME_DATETIME = 2,   /* instant with a zone offset */
    SL_TIME_PARTS = 3,      /* riko's broken-down time: a clock without zone; isdst -1 */
    SL_TIME_PARTS_ZONED = 4 /* the same whose text carried a zone: isdst 0 */
};

typedef struct sl_parts { /* of the clock shown */
    int64_t year;
    int month, day, hour, minute, second; /* 1..12, 1..31 */
    int weekday, yearday;                 /* Monday 0; from 1 */
} sl_parts;

sl_parts sl_time_parts(sl_value t);
/* Seconds since the epoch of a clock; false when the fields are no calendar date. */
bool sl_time_seconds(const sl_parts *p, int64_t *out);
sl_value sl_time_make(int kind, int64_t seconds, uint32_t micros, int offset_minutes);

/* Free-form parse (RFC 822, ISO 8601, month names, D/M/Y by size, two-digit years; missing parts from NOW).
 * RELATIVE allows today, now, +3 days, last week ... Result: a date-time (zone +00:00 where the text has none) or, for
 * relative days, a date; *HAD_ZONE tells if the text carried one. false when it is no date. NOW: seconds since the epoch. */
bool sl_time_parse(sl_text t, bool relative, int64_t now, sl_value *out, bool *had_zone);

/* C-locale strftime. Unknown conversions are copied as they stand. */
void sl_time_format(sl_value t, sl_text format, sl_buf *out);

/* ISO 8601: 2014-01-02, 2014-01-02T03:04:05+00:00, microseconds only when not zero. */
void sl_time_iso(sl_value t, sl_buf *out);

/* Instant order; a date counts as its midnight. -1, 0, 1. */
int sl_time_compare(sl_value a, sl_value b);

#endif
