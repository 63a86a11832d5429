#include "operators/result/result.h"

#include "base/error.h"

sl_status sl_wrap_result(const sl_wrap *w, sl_value v, sl_results *results, sl_error *err) {
    if (!w->key.n) return sl_result(results, v, err);
    sl_pair *pair = sl_arena_alloc(sl_results_arena(results), sizeof *pair);
    if (!pair) return sl_oom(err);
    *pair = (sl_pair){w->key, v};
    v = sl_map(pair, 1);
    if (w->dotted) TRY(sl_nest_dotted(v, sl_results_arena(results), &v, err));
    return sl_result(results, v, err);
}
