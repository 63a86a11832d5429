/* json_oracle.h: whether jansson takes a text for JSON, and what it makes of it. */
#ifndef SL_TESTS_JSON_ORACLE_H
#define SL_TESTS_JSON_ORACLE_H

#include <jansson.h>

#include "fuzz.h"

typedef enum json_verdict {
    JSON_TAKEN,
    JSON_REFUSED,
    JSON_OWN_REASON /* jansson refuses it for a reason we do not have: its numbers, its depth, half surrogate pairs */
} json_verdict;

static inline json_verdict json_refusal(const json_error_t *e) {
    enum json_error_code code = json_error_code(e);
    bool own = code == json_error_numeric_overflow || code == json_error_null_byte_in_key || code == json_error_null_character ||
               code == json_error_stack_overflow || strstr(e->text, "surrogate") || strstr(e->text, "invalid Unicode");
    return own ? JSON_OWN_REASON : JSON_REFUSED;
}

/* One value with white space around it. *ITEMS: how many items it is as a document (null is none). */
static inline json_verdict json_judge(sl_text t, uint64_t *items) {
    json_error_t e;
    json_t *j = json_loadb(t.s, t.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    *items = 0;
    if (t.n && memchr(t.s, 0, t.n)) { /* between tokens it takes them for white space */
        json_decref(j);
        return JSON_OWN_REASON;
    }
    if (!j) return json_refusal(&e);
    *items = json_is_array(j) ? 0 : !json_is_null(j);
    for (size_t i = 0; i < json_array_size(j); i++) *items += !json_is_null(json_array_get(j, i));
    json_decref(j);
    return JSON_TAKEN;
}

#endif
