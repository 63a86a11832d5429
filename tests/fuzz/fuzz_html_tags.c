/* Start tags of pages: the same in pieces as at once; names in lower case, values that are text. */
#include "base/hash.h"
#include "base/unicode.h"
#include "formats/document/html_tags.h"
#include "fuzz.h"

static void put_text(sl_buf *out, sl_text t) {
    FUZZ_CHECK(sl_utf8_valid_prefix(t.s, t.n) == t.n);
    sl_buf_printf(out, "%u:", t.n);
    sl_buf_text(out, t);
}

static sl_status take(void *user, const sl_html_tag *tag, sl_error *err) {
    sl_buf *out = user;
    (void)err;
    FUZZ_CHECK(tag->name.n);
    sl_buf_printf(out, "\n%llu ", (unsigned long long)tag->line);
    put_text(out, tag->name);
    for (uint32_t i = 0; i < tag->nattrs; i++) {
        const sl_html_attr *a = &tag->attrs[i];
        for (uint32_t k = 0; k < a->name.n; k++) FUZZ_CHECK(a->name.s[k] < 'A' || a->name.s[k] > 'Z');
        for (uint32_t k = 0; k < i; k++) FUZZ_CHECK(!sl_text_eq(a->name, tag->attrs[k].name));
        put_text(out, a->name);
        if (a->value.s) put_text(out, a->value);
    }
    return SL_OK;
}

static void read_in_pieces(sl_text text, uint64_t seed, sl_buf *out) {
    sl_html_tags tags = {0};
    for (size_t at = 0; at < text.n;) {
        seed = sl_hash_mix(seed + 0x9e3779b97f4a7c15u);
        size_t n = seed % 30 + 1;
        if (n > text.n - at) n = text.n - at;
        char *piece = fuzz_string(sl_text_n(text.s + at, n));
        FUZZ_CHECK(!sl_html_tags_feed(&tags, piece, n, take, out, NULL));
        free(piece);
        at += n;
    }
    sl_html_tags_free(&tags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint64_t seed = fuzz_byte(&in);
    sl_text text = fuzz_rest(&in);
    sl_buf whole = {0}, pieces = {0};
    sl_html_tags tags = {0};
    FUZZ_CHECK(!sl_html_tags_feed(&tags, text.s, text.n, take, &whole, NULL));
    sl_html_tags_free(&tags);
    read_in_pieces(text, seed, &pieces);
    FUZZ_CHECK(whole.len == pieces.len && (!whole.len || !memcmp(whole.data, pieces.data, whole.len)));
    sl_buf_free(&whole);
    sl_buf_free(&pieces);
    return 0;
}
