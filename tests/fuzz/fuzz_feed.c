/* Feeds: what the splitter hands out in pieces, with units cut where they happen to be, is what one unit of the whole gives. */
#include "format_run.h"

extern const sl_format sl_format_feed;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint8_t flags = fuzz_byte(&in);
    uint64_t seed = fuzz_byte(&in) + 1u;
    sl_dialect dialect = flags & 1 ? SL_RIKO : SL_NATIVE;
    sl_arena arena = {0};
    void *conf = sl_arena_calloc(&arena, 1, sl_format_feed.conf_size);
    FUZZ_CHECK(conf);
    sl_format_feed.set_dialect(conf, dialect);
    FUZZ_CHECK(!sl_format_feed.prepare(conf, &arena, NULL));
    format_run whole = {.format = &sl_format_feed, .conf = conf, .dialect = dialect, .anywhere = true};
    format_run pieces = {
        .format = &sl_format_feed, .conf = conf, .dialect = dialect, .seed = seed, .anywhere = true};
    format_over(&whole, fuzz_rest(&in));
    format_over(&pieces, fuzz_rest(&in));
    format_same(&whole, &pieces);
    format_free(&whole);
    format_free(&pieces);
    sl_arena_free(&arena);
    return 0;
}
