/* text.h: what pipes share of texts: case mapping (casemap.c) and regular expressions (pcre.c). */
#ifndef SL_OPERATORS_TEXT_TEXT_H
#define SL_OPERATORS_TEXT_TEXT_H

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

/* ---- regular expressions (pcre.c) ------------------------------------------------------------------------ */

/* Regular expressions, by PCRE2 and its just-in-time compiler, with Python's meaning where the two differ.
 *
 *     sl_regex_compile, once        read-only, shared by all workers
 *     sl_matcher_new, per worker    room for the groups of one match, used again and again
 *     sl_regex_match                any number of times
 *
 * A pattern is compiled twice: for texts of any Unicode, and for pure ASCII, which is searched as bytes and much faster. */

typedef struct sl_regex sl_regex;
typedef struct sl_matcher sl_matcher;

enum {
    SL_REGEX_NOCASE = 1,
    SL_REGEX_LINES = 2, /* ^ and $ match at every line */
    SL_REGEX_DOTALL = 4 /* . matches a line end too */
};

#define SL_NO_GROUP SIZE_MAX /* span of a group that took no part in the match */

/* SL_E_PLAN with the reason and the offset in PATTERN (from 0, bytes) when it cannot be compiled. */
SL_MUST_CHECK sl_status sl_regex_compile(sl_text pattern, unsigned flags, sl_regex **out, sl_error *err);
void sl_regex_free(sl_regex **r); /* NULL-safe */

uint32_t sl_regex_groups(const sl_regex *r); /* without the whole match */
/* Number of the group called NAME, or -1. */
int sl_regex_group(const sl_regex *r, sl_text name);

/* For matches of regexes with at most GROUPS groups. Once *STOPPING is true no match begins any more; it outlives the matcher,
 * NULL: never. */
SL_MUST_CHECK sl_status sl_matcher_new(uint32_t groups, const _Atomic bool *stopping, sl_matcher **out, sl_error *err);
void sl_matcher_free(sl_matcher **m); /* NULL-safe */

typedef struct sl_subject {
    sl_text text;
    bool ascii;
} sl_subject;
sl_subject sl_subject_of(sl_text t);

/* Searches S from byte FROM on; lookbehind sees what is before. NOT_EMPTY: an empty match right at FROM does not count. *SPANS
 * gets (start, end) pairs, the whole match first, valid until the next match; NULL when there is none. A search that takes
 * too many steps or too much room is SL_E_DATA; SL_E_STOPPED on request. */
SL_MUST_CHECK sl_status sl_regex_match(const sl_regex *r, sl_matcher *m, const sl_subject *s, uint32_t from, bool not_empty,
                                       const size_t **spans, sl_error *err);

#endif
