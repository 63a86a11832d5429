/* A JSON document: read at once and in pieces, with and without a path, and by jansson. */
#include "format_run.h"
#include "formats/json/json.h"
#include "json_oracle.h"

extern const sl_format sl_format_json;

static uint64_t items_of(const format_run *r) {
    uint64_t n = 0;
    for (size_t i = 0; i < r->items.len; i++) n += r->items.data[i] == '\n';
    return n;
}

/* jansson knows documents of one value. We take several after one another, unless the first is an array, and none. */
static void compare(const format_run *whole, sl_text text) {
    uint64_t items;
    if (text.n >= 3 && memcmp(text.s, "\xef\xbb\xbf", 3) == 0) text = sl_text_n(text.s + 3, text.n - 3);
    json_verdict verdict = json_judge(text, &items);
    if (verdict == JSON_TAKEN && whole->status == SL_OK) FUZZ_CHECK(items_of(whole) == items);
    if (verdict == JSON_TAKEN) FUZZ_CHECK(whole->status == SL_OK || strstr(whole->err.text, "nesting"));
    sl_text bare = sl_text_trim(text);
    bool array = bare.n && bare.s[0] == '[';
    if (verdict == JSON_REFUSED && array) FUZZ_CHECK(whole->status != SL_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint8_t flags = fuzz_byte(&in); /* 1: riko, 2: a path up to the first line feed */
    uint64_t seed = fuzz_byte(&in) + 1u;
    sl_arena arena = {0};
    sl_text path = flags & 2 ? fuzz_line(&in) : (sl_text){0};
    sl_json_conf conf = {.encoding_name = SL_TEXT("utf-8"), .path = {&path, flags >> 1 & 1, flags & 2}};
    sl_dialect dialect = flags & 1 ? SL_RIKO : SL_NATIVE;
    sl_format_json.set_dialect(&conf, dialect);
    if (sl_format_json.prepare(&conf, &arena, NULL) == SL_OK) {
        format_run whole = {.format = &sl_format_json, .conf = &conf, .dialect = dialect, .anywhere = true};
        format_run pieces = {.format = &sl_format_json, .conf = &conf, .dialect = dialect, .seed = seed};
        format_over(&whole, fuzz_rest(&in));
        format_over(&pieces, fuzz_rest(&in));
        if (dialect == SL_NATIVE || !format_has_cases(fuzz_rest(&in))) format_same(&whole, &pieces);
        if (!(flags & 3)) compare(&whole, fuzz_rest(&in));
        format_free(&whole);
        format_free(&pieces);
    }
    sl_arena_free(&arena);
    return 0;
}
