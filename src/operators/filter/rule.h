/* rule.h: one condition of filter: a field, an operation, a value. */
#ifndef SL_OPERATORS_FILTER_RULE_H
#define SL_OPERATORS_FILTER_RULE_H

#include "operators/text/text.h"
#include "plan/pipe.h"

typedef enum sl_filter_op {
    SL_FILTER_CONTAINS,
    SL_FILTER_LACKS,
    SL_FILTER_MATCHES,
    SL_FILTER_IS,
    SL_FILTER_EQ, /* another name of it */
    SL_FILTER_IS_NOT,
    SL_FILTER_TRUTHY,
    SL_FILTER_FALSY,
    SL_FILTER_GREATER,
    SL_FILTER_LESS,
    SL_FILTER_AT_LEAST,
    SL_FILTER_AT_MOST,
    SL_FILTER_AFTER,
    SL_FILTER_BEFORE
} sl_filter_op;

extern const char *const sl_filter_op_names[]; /* NULL-terminated, in the order of the enum */

typedef struct sl_filter_rule {
    sl_text field;
    int op; /* sl_filter_op */
    sl_value value;
    /* prepared: */
    sl_path path;
    bool never; /* the value makes it false for every item */
    bool riko;
    bool numeric;    /* texts that are numbers count as numbers */
    sl_value number; /* value as a number */
    sl_value exact;  /* the decimal that texts are compared with */
    sl_value date;
    sl_text lower; /* value in lower case */
    bool lower_ascii;
    sl_regex *regex;
    int64_t now;
} sl_filter_rule;

SL_MUST_CHECK sl_status sl_filter_rule_prepare(sl_filter_rule *r, const sl_step_info *info, sl_error *err);

/* KEEP[i] tells whether the i-th selected row fulfils R. M is for `matches` only. */
SL_MUST_CHECK sl_status sl_filter_rule_test(const sl_filter_rule *r, sl_matcher *m, sl_batch *b, bool *keep, sl_error *err);

#endif
