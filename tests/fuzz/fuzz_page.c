/* The text of a page between marks, in both dialects: at once and in pieces, and always UTF-8. */
#include "base/unicode.h"
#include "format_run.h"

extern const sl_format sl_format_page;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint8_t flags = fuzz_byte(&in); /* 1: riko, 2: detag */
    uint64_t seed = fuzz_byte(&in) + 1u;
    sl_dialect dialect = flags & 1 ? SL_RIKO : SL_NATIVE;
    sl_text start = fuzz_line(&in), end = fuzz_line(&in), token = fuzz_line(&in);
    sl_pair pairs[] = {{SL_TEXT("detag"), sl_bool(flags & 2)},
                       {SL_TEXT("start"), sl_text_value(start)},
                       {SL_TEXT("end"), sl_text_value(end)},
                       {SL_TEXT("token"), sl_text_value(token)}};
    sl_arena arena = {0};
    void *conf = sl_arena_calloc(&arena, 1, sl_format_page.conf_size);
    FUZZ_CHECK(conf);
    FUZZ_CHECK(!sl_options_parse(sl_format_page.options, sl_map(pairs, 4), false, conf, &arena, NULL, NULL));
    format_run whole = {.format = &sl_format_page, .conf = conf, .dialect = dialect};
    format_run pieces = {.format = &sl_format_page, .conf = conf, .dialect = dialect, .seed = seed};
    format_over(&whole, fuzz_rest(&in));
    format_over(&pieces, fuzz_rest(&in));
    format_same(&whole, &pieces);
    format_free(&whole);
    format_free(&pieces);
    sl_arena_free(&arena);
    return 0;
}
