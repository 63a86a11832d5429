/* Link headers: a target lies within the header, between < and >, and the same link is found when it stands alone. */
#include "fuzz.h"
#include "net/link.h"

static void again(sl_text target, sl_text rel) {
    sl_buf alone = {0};
    sl_text found;
    sl_buf_byte(&alone, '<');
    sl_buf_text(&alone, target);
    sl_buf_str(&alone, ">; rel=\"");
    sl_buf_text(&alone, rel);
    sl_buf_str(&alone, "\"");
    FUZZ_CHECK(sl_link_find(sl_text_n(alone.data, alone.len), rel, &found));
    FUZZ_CHECK(sl_text_eq(found, target));
    sl_buf_free(&alone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    sl_text header = fuzz_rest(&in), rel = SL_TEXT("next"), target;
    char *own = fuzz_string(header);
    header.s = own;
    if (sl_link_find(header, rel, &target)) {
        FUZZ_CHECK(target.s > own && target.s + target.n < own + header.n);
        FUZZ_CHECK(target.s[-1] == '<' && target.s[target.n] == '>');
        again(target, rel);
    } else {
        FUZZ_CHECK(!target.n);
    }
    free(own);
    return 0;
}
