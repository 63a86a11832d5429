/* casemap.h: full Unicode case mapping of texts, by ICU, with a short cut for ASCII. Never depends on the locale. */
#ifndef SL_OPERATORS_CASEMAP_H
#define SL_OPERATORS_CASEMAP_H

#include "record/value.h"

typedef enum sl_case {
    SL_LOWER,
    SL_UPPER,
    SL_CAPITALIZE, /* the first character in title case, the rest lower */
    SL_TITLE,      /* the same of every run of letters that have a case: they're becomes They'Re */
    SL_SWAPCASE
} sl_case;

/* T in the other case, in ARENA; T itself when nothing changes. */
SL_MUST_CHECK sl_status sl_case_map(sl_text t, sl_case to, sl_arena *arena, sl_text *out, sl_error *err);

#endif
