/* A page: its elements by path and by XPath, and its first table. Whatever it is, what comes out is UTF-8. */
#include "base/unicode.h"
#include "format_run.h"
#include "formats/table/table.h"

extern const sl_format sl_format_html;
extern const sl_format sl_format_xpath;

static void read_as(const sl_format *format, const char *key, sl_text value, sl_dialect dialect,
                    sl_text text) {
    sl_arena arena = {0};
    sl_pair pair = {sl_text_of(key), sl_text_value(value)};
    void *conf = sl_arena_calloc(&arena, 1, format->conf_size);
    FUZZ_CHECK(conf);
    FUZZ_CHECK(
        !sl_options_parse(format->options, sl_map(&pair, value.n ? 1 : 0), false, conf, &arena, NULL, NULL));
    if (format->set_dialect) format->set_dialect(conf, dialect);
    if (!format->prepare || format->prepare(conf, &arena, NULL) == SL_OK) {
        format_run r = {.format = format, .conf = conf, .dialect = dialect};
        format_over(&r, text);
        if (r.items.len) FUZZ_CHECK(sl_utf8_valid_prefix(r.items.data, r.items.len) == r.items.len);
        format_free(&r);
    }
    sl_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    sl_dialect dialect = fuzz_byte(&in) & 1 ? SL_RIKO : SL_NATIVE;
    sl_text word = fuzz_line(&in), page = fuzz_rest(&in);
    read_as(&sl_format_html, "path", word, dialect, page);
    read_as(&sl_format_xpath, "xpath", word, dialect, page);
    read_as(&sl_format_table_html, "table", (sl_text){0}, dialect, page);
    return 0;
}
