#include "operators/result/result.h"

#include <stdlib.h>

#include "base/error.h"

sl_status sl_scratch_start(const void *conf, void **state, sl_error *err) {
    (void)conf;
    *state = calloc(1, sizeof(sl_buf));
    return *state ? SL_OK : sl_oom(err);
}

void sl_scratch_stop(void *state) {
    if (state) sl_buf_free(state);
    free(state);
}

sl_status sl_scratch_result(const sl_buf *text, sl_results *results, sl_error *err) {
    TRY(sl_buf_check(text, err));
    sl_text copy = sl_arena_text(sl_results_arena(results), sl_text_n(text->data, text->len));
    return copy.s ? sl_result(results, sl_text_value(copy), err) : sl_oom(err);
}
