/* replacement.h: what stands in the place of a match: text and groups, parsed once.
 *
 * $N and \N are groups, \g<N> and \g<name> too; \n, \t and the like are control characters; \0 and three octal digits a code
 * point. A backslash before anything but a letter or a digit stays as it is. */
#ifndef SL_OPERATORS_TEXT_REPLACEMENT_H
#define SL_OPERATORS_TEXT_REPLACEMENT_H

#include "operators/text/text.h"

typedef struct sl_piece {
    sl_text text; /* group < 0 */
    int64_t group;
} sl_piece;

typedef struct sl_replacement {
    sl_piece *pieces;
    uint32_t n;
} sl_replacement;

/* Parses TEXT for matches of R into ARENA. A group that R does not have, and an escape that means nothing, are SL_E_PLAN.
 * RIKO: $0 is a zero byte, as there; else the whole match. */
SL_MUST_CHECK sl_status sl_replacement_parse(sl_text text, const sl_regex *r, bool riko, sl_arena *arena, sl_replacement *out,
                                             sl_error *err);

/* Appends the replacement of the match SPANS in SUBJECT. Groups that took no part are empty. */
void sl_replacement_write(const sl_replacement *r, sl_text subject, const size_t *spans, sl_buf *out);

#endif
