/* Heads of cache entries: what can be read is within the text, and written again it reads the same, in the same length whatever
 * the body's sum turns out to be. */
#include "fuzz.h"
#include "net/cache/internal.h"

static void within(sl_text t, sl_text whole) {
    FUZZ_CHECK(!t.n || (t.s >= whole.s && t.s + t.n <= whole.s + whole.n));
}

static void same(sl_text a, sl_text b) {
    FUZZ_CHECK(sl_text_eq(a, b));
}

static void written_again(const sl_cache_head *h) {
    sl_buf text = {0}, blank = {0};
    sl_cache_head twice, unsummed = *h;
    sl_cache_head_write(h, &text);
    FUZZ_CHECK(sl_cache_head_parse(sl_text_n(text.data, text.len), &twice));
    same(h->key, twice.key);
    same(h->url, twice.url);
    same(h->final, twice.final);
    same(h->headers, twice.headers);
    same(h->sum, twice.sum);
    FUZZ_CHECK(h->stored == twice.stored && h->length == twice.length && twice.size == text.len);
    unsummed.sum = (sl_text){0};
    unsummed.length = 0;
    sl_cache_head_write(&unsummed, &blank);
    FUZZ_CHECK(blank.len == text.len);
    sl_buf_free(&text);
    sl_buf_free(&blank);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    sl_text t = fuzz_rest(&in);
    char *own = fuzz_string(t);
    t.s = own;
    sl_cache_head h;
    if (sl_cache_head_parse(t, &h)) {
        FUZZ_CHECK(h.size <= t.n && h.stored >= 0);
        within(h.key, t);
        within(h.url, t);
        within(h.final, t);
        within(h.headers, t);
        within(sl_cache_head_value(&h, "ETag"), h.headers);
        if (h.size < SL_CACHE_HEAD_LIMIT / 2) written_again(&h);
    }
    free(own);
    return 0;
}
