/* raw.h: values that are still spelled as in their input: doubled quotes of CSV, escapes and numbers of JSON. Readers hand them on
 * so, and who looks at a value decodes it first. */
#ifndef SL_RECORD_RAW_H
#define SL_RECORD_RAW_H

#include "record/value.h"

/* The decoded form of a raw value; any other value unchanged. New bytes come from ARENA. */
SL_MUST_CHECK sl_status sl_value_decode(sl_value *v, sl_arena *arena, sl_error *err);

#endif
