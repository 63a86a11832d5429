/* An XML document: read at once and in pieces, with and without a path: the same items, or a failure both times. */
#include "base/unicode.h"
#include "format_run.h"
#include "formats/xml/xml.h"

extern const sl_format sl_format_xml;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint8_t flags = fuzz_byte(&in); /* 1: riko, 2: a path up to the first line feed */
    uint64_t seed = fuzz_byte(&in) + 1u;
    sl_arena arena = {0};
    sl_text path = flags & 2 ? fuzz_line(&in) : (sl_text){0};
    sl_xml_conf conf = {.path = {&path, flags >> 1 & 1, flags & 2}};
    sl_dialect dialect = flags & 1 ? SL_RIKO : SL_NATIVE;
    sl_format_xml.set_dialect(&conf, dialect);
    FUZZ_CHECK(sl_format_xml.prepare(&conf, &arena, NULL) == SL_OK);
    format_run whole = {.format = &sl_format_xml, .conf = &conf, .dialect = dialect, .anywhere = true};
    format_run pieces = {
        .format = &sl_format_xml, .conf = &conf, .dialect = dialect, .anywhere = true, .seed = seed};
    format_over(&whole, fuzz_rest(&in));
    format_over(&pieces, fuzz_rest(&in));
    if (dialect == SL_NATIVE || !format_has_cases(fuzz_rest(&in))) format_same(&whole, &pieces);
    if (whole.items.len)
        FUZZ_CHECK(sl_utf8_valid_prefix(whole.items.data, whole.items.len) == whole.items.len);
    format_free(&whole);
    format_free(&pieces);
    sl_arena_free(&arena);
    return 0;
}
