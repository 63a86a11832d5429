/* query.h: query parameters of a URL, as options and as text. */
#ifndef SL_OPERATORS_URL_QUERY_H
#define SL_OPERATORS_URL_QUERY_H

#include "plan/pipe.h"

typedef struct sl_query_param {
    sl_text key;
    sl_value value;
} sl_query_param;

extern const sl_option sl_query_rows[]; /* of SL_OPT_RULES: key, value */

/* Appends the parameters that have a key, encoded as forms send them, with MARK before the first and & between them. A value of
 * null is the text None. Text forms of other values are made in ARENA. */
SL_MUST_CHECK sl_status sl_query_append(const sl_rules *params, const char *mark, sl_arena *arena, sl_buf *url, sl_error *err);

#endif
