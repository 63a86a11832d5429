/* finding.h: the rules of strfind and refind: which side of what is found is kept. */
#ifndef SL_OPERATORS_TEXT_FINDING_H
#define SL_OPERATORS_TEXT_FINDING_H

#include "plan/pipe.h"

enum { SL_FIND_BEFORE, SL_FIND_AFTER, SL_FIND_AT }; /* sl_find_rule.location */
enum { SL_FIND_FIRST, SL_FIND_LAST };               /* sl_find_rule.param */

typedef struct sl_find_rule {
    sl_text find;
    int location, param;
} sl_find_rule;

extern const char *const sl_find_locations[]; /* NULL-terminated, in the order of the enums */
extern const char *const sl_find_params[];

/* The rows of a rule; S is its struct, whose member `common` is a sl_find_rule; WHAT is help for `find`. */
/* clang-format off */
#define SL_FIND_ROWS(S, what)                                                                                                  \
    {.name = "find", .type = SL_OPT_TEXT, .offset = offsetof(S, common.find), .flags = SL_OPT_REQUIRED, .help = what},         \
        {.name = "location",                                                                                                   \
         .type = SL_OPT_ENUM,                                                                                                  \
         .offset = offsetof(S, common.location),                                                                               \
         .fallback = "before",                                                                                                 \
         .names = sl_find_locations,                                                                                           \
         .flags = SL_OPT_LOOSE,                                                                                                \
         .help = "what is kept: the text before it, after it, or what stands at it"},                                          \
        {.name = "param",                                                                                                      \
         .type = SL_OPT_ENUM,                                                                                                  \
         .offset = offsetof(S, common.param),                                                                                  \
         .fallback = "first",                                                                                                  \
         .names = sl_find_params,                                                                                              \
         .flags = SL_OPT_LOOSE,                                                                                                \
         .help = "which occurrence counts"}
/* clang-format on */

#endif
