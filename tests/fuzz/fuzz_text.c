/* Lines: read at once and in pieces, and counted by hand. */
#include "format_run.h"

extern const sl_format sl_format_text;

/* The mark at the head of a UTF-8 stream is no line. */
static uint64_t lines_of(sl_text t) {
    uint64_t n = 0;
    bool open = false;
    uint32_t mark = t.n >= 3 && memcmp(t.s, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (uint32_t i = mark; i < t.n; i++) {
        bool half = t.s[i] == '\r' && i + 1 < t.n && t.s[i + 1] == '\n';
        open = !(t.s[i] == '\n' || (t.s[i] == '\r' && !half));
        n += !open;
    }
    return n + open;
}

static uint64_t items_of(const format_run *r) {
    uint64_t n = 0;
    for (size_t i = 0; i < r->items.len; i++) n += r->items.data[i] == '\n';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint8_t flags = fuzz_byte(&in);
    uint64_t seed = fuzz_byte(&in) + 1u;
    sl_arena arena = {0};
    sl_pair pairs[] = {
        {SL_TEXT("encoding"), sl_text_value(flags & 1 ? SL_TEXT("cp1252") : SL_TEXT("utf-8"))},
        {SL_TEXT("trim"), sl_bool(flags & 2)},
    };
    void *conf = sl_arena_calloc(&arena, 1, sl_format_text.conf_size);
    FUZZ_CHECK(conf);
    FUZZ_CHECK(!sl_options_parse(sl_format_text.options, sl_map(pairs, 2), false, conf, &arena, NULL, NULL));
    FUZZ_CHECK(!sl_format_text.prepare(conf, &arena, NULL));
    format_run whole = {.format = &sl_format_text, .conf = conf};
    format_run pieces = {.format = &sl_format_text, .conf = conf, .seed = seed};
    format_over(&whole, fuzz_rest(&in));
    format_over(&pieces, fuzz_rest(&in));
    format_same(&whole, &pieces);
    if (!whole.status && !(flags & 1)) FUZZ_CHECK(items_of(&whole) == lines_of(fuzz_rest(&in)));
    format_free(&whole);
    format_free(&pieces);
    sl_arena_free(&arena);
    return 0;
}
