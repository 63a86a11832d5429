/* result.h: how pipes make their results: a text from a buffer that is used again and again, or values as items. */
#ifndef SL_OPERATORS_RESULT_RESULT_H
#define SL_OPERATORS_RESULT_RESULT_H

#include "plan/pipe.h"

/* *STATE is an empty sl_buf. */
sl_status sl_scratch_start(const void *conf, void **state, sl_error *err);
void sl_scratch_stop(void *state); /* NULL-safe */

/* A copy of TEXT as one result. */
SL_MUST_CHECK sl_status sl_scratch_result(const sl_buf *text, sl_results *results, sl_error *err);

/* ---- values as items (wrap.c) ---------------------------------------------------------------------------- */

/* Results of pipes that take values apart: each value as an item {KEY: value}, or bare. */

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
