/* wrap.h: results of pipes that take values apart: each value as an item {KEY: value}, or bare. */
#ifndef SL_OPERATORS_WRAP_H
#define SL_OPERATORS_WRAP_H

#include "plan/pipe.h"

typedef struct sl_wrap {
    sl_text key; /* empty: values stay bare */
    bool dotted; /* the key nests: an item under riko's dialect */
} sl_wrap;

/* KEY must live as long as W. */
static inline sl_wrap sl_wrap_of(sl_text key, sl_dialect dialect) {
    return (sl_wrap){.key = key, .dotted = dialect == SL_RIKO && key.n && memchr(key.s, '.', key.n)};
}

/* V, which lives in the item or the results' arena, as one result. */
SL_MUST_CHECK sl_status sl_wrap_result(const sl_wrap *w, sl_value v, sl_results *results, sl_error *err);

#endif
