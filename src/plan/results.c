#include "base/array.h"
#include "base/error.h"
#include "plan/pipe.h"

sl_status sl_result(sl_results *r, sl_value v, sl_error *err) {
    if (!SL_ROOM(r->v, r->cap, r->n + 1)) return sl_oom(err);
    r->v[r->n++] = v;
    return SL_OK;
}
