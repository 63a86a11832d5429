/* Pipeline definitions: any text is a pipeline or is refused with a place, and a checked pipeline has a plan. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    char *json = fuzz_string(fuzz_rest(&in));
    sl_pipeline *p = sl_pipeline_new();
    sl_error err = {0};
    FUZZ_CHECK(p && sl_pipeline_set(p, "NAME", "value", &err) == SL_OK);
    FUZZ_CHECK(sl_pipeline_input(p, "NAME", "value", &err) == SL_OK);
    sl_status status = sl_pipeline_load(p, json, "definition", &err);
    if (!status) status = sl_pipeline_check(p, &err);
    fuzz_agree(status, &err);
    FUZZ_CHECK(status == SL_OK || status == SL_E_PLAN || status == SL_E_USAGE || status == SL_E_IO);
    if (!status) FUZZ_CHECK(sl_pipeline_plan(p, &err));
    sl_pipeline_free(&p);
    free(json);
    return 0;
}
