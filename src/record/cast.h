/* cast.h: the casts of typed literals and typecast, which never fail on data: what cannot be converted gives the type's null. */
#ifndef SL_RECORD_CAST_H
#define SL_RECORD_CAST_H

#include "record/value.h"

typedef enum sl_cast {
    SL_CAST_TEXT,
    SL_CAST_INT,
    SL_CAST_FLOAT,
    SL_CAST_DECIMAL,
    SL_CAST_BOOL,
    SL_CAST_DATE,
    SL_CAST_DATETIME,
    SL_CAST_URL,
    SL_CAST_LOCATION,
    SL_CAST_PASS,
    SL_CAST_NONE
} sl_cast;

/* NULL-terminated names in the order of the enum, for options tables. */
extern const char *const sl_cast_names[];
bool sl_cast_named(sl_text name, sl_cast *out);

/* NOW: seconds since the epoch, the run's start, for relative dates. Integer overflow and infinity cast to int are
 * SL_E_DATA. Results live in ARENA. */
SL_MUST_CHECK sl_status sl_cast_value(sl_cast to, sl_value v, int64_t now, sl_arena *arena, sl_value *out, sl_error *err);

/* What a cast to location gives, whatever is cast, and geolocate without a table: riko's address that is always the same, at LAT
 * and LON. The pairs are in ARENA. */
SL_MUST_CHECK sl_status sl_place_make(double lat, double lon, sl_arena *arena, sl_value *out, sl_error *err);

/* The text form of values (Python's str()): appended to OUT. Null gives NULL_TEXT ("" for a cast, "None" when
 * formatted directly). */
void sl_text_form(sl_value v, const char *null_text, sl_buf *out);
/* The same as a text in ARENA; a text value is returned as it is, without a copy. */
SL_MUST_CHECK sl_status sl_to_text(sl_value v, const char *null_text, sl_arena *arena, sl_text *out, sl_error *err);

/* JSON. Decimals and non-finite floats as riko's export writes them: digits bare; NaN as null; times as ISO text. */
void sl_json_write(sl_value v, sl_buf *out);
void sl_json_text(sl_text t, sl_buf *out); /* quoted and escaped; invalid UTF-8 becomes U+FFFD */

#endif
