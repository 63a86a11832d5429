/* Regular expressions and what stands in the place of a match. Three lines: pattern, replacement, subject. */
#include "base/unicode.h"
#include "fuzz.h"
#include "operators/text/replacement.h"

enum { MATCHES = 64 };

static void replace(const sl_regex *r, const sl_replacement *put, sl_text text) {
    sl_matcher *m = NULL;
    sl_subject s = sl_subject_of(text);
    sl_buf out = {.limit = 1 << 20};
    uint32_t from = 0;
    bool not_empty = false;
    FUZZ_CHECK(sl_matcher_new(sl_regex_groups(r), NULL, &m, NULL) == SL_OK);
    for (int i = 0; i < MATCHES && from <= text.n; i++) {
        const size_t *spans = NULL;
        sl_error err = {0};
        sl_status status = sl_regex_match(r, m, &s, from, not_empty, &spans, &err);
        fuzz_agree(status, &err);
        if (status || !spans) break;
        FUZZ_CHECK(spans[0] <= spans[1] && spans[1] <= text.n && spans[1] >= from);
        FUZZ_CHECK(!not_empty || spans[1] > from);
        sl_replacement_write(put, text, spans, &out);
        from = (uint32_t)spans[1];
        not_empty = spans[0] == spans[1];
    }
    sl_buf_free(&out);
    sl_matcher_free(&m);
}

/* Recursion, which Python has not, is allowed, but may take its ten million steps for every match. */
static bool recurses(sl_text pattern) {
    for (uint32_t i = 0; i + 2 < pattern.n; i++) {
        const char *p = pattern.s + i;
        if (p[0] == '\\' && p[1] == 'g') return true;
        if (p[0] == '(' && p[1] == '?' && p[2] && strchr("R&+-0123456789", p[2])) return true;
        if (i + 3 < pattern.n && memcmp(p, "(?P>", 4) == 0) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint8_t flags = fuzz_byte(&in);
    sl_text pattern = fuzz_line(&in), with = fuzz_line(&in);
    char *subject = fuzz_string(fuzz_rest(&in));
    sl_regex *r = NULL;
    sl_arena arena = {0};
    sl_error err = {0};
    sl_replacement put;
    sl_status status = sl_regex_compile(pattern, flags & 7, &r, &err);
    if (!status) status = sl_replacement_parse(with, r, flags & 8, &arena, &put, &err);
    fuzz_agree(status, &err);
    sl_text text = sl_text_n(subject, in.n < 300 ? in.n : 300);
    if (!status && !recurses(pattern) && sl_utf8_valid_prefix(text.s, text.n) == text.n)
        replace(r, &put, text);
    sl_regex_free(&r);
    sl_arena_free(&arena);
    free(subject);
    return 0;
}
