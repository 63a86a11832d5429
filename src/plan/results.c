#include <stdlib.h>

#include "base/error.h"
#include "plan/pipe.h"

sl_status sl_result(sl_results *r, sl_value v, sl_error *err) {
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 1024;
        sl_value *wider = realloc(r->v, cap * sizeof *wider);
        if (!wider) return sl_oom(err);
        r->v = wider;
        r->cap = cap;
    }
    r->v[r->n++] = v;
    return SL_OK;
}
