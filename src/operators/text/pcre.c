/* pcre.c: regular expressions, by PCRE2 with its just-in-time compiler. Patterns are compiled once and shared; what a match
 * needs is a matcher's, of which each worker has its own. A match can be stopped from outside, because a pattern can run for
 * hours. */
#include "operators/text/text.h"

#include <stdatomic.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"

enum { MATCH_LIMIT = 10000000, STACK_FIRST = 32 << 10, STACK_MOST = 4 << 20, PATTERN_MOST = 64 << 10 };

struct sl_regex {
    pcre2_code *unicode;
    pcre2_code *bytes; /* for ASCII subjects; NULL: the pattern needs more */
    uint32_t groups;
};

struct sl_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    const _Atomic bool *stopping;
};

/* ---- patterns ----------------------------------------------------------------------------------------------------------- */

static bool is_hex(char c) {
    return sl_ascii_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool four_digits(sl_text t, uint32_t at) {
    if (t.n - at < 4) return false;
    return is_hex(t.s[at]) && is_hex(t.s[at + 1]) && is_hex(t.s[at + 2]) && is_hex(t.s[at + 3]);
}

/* Two escapes of Python's are spelled differently here: \Z is the very end, \uXXXX a code point. */
static void translate(sl_text t, sl_buf *out) {
    for (uint32_t i = 0; i < t.n; i++) {
        if (t.s[i] != '\\' || i + 1 == t.n) {
            sl_buf_byte(out, t.s[i]);
            continue;
        }
        char c = t.s[++i];
        if (c == 'u' && four_digits(t, i + 1)) {
            sl_buf_printf(out, "\\x{%.4s}", t.s + i + 1);
            i += 4;
        } else {
            sl_buf_byte(out, '\\');
            sl_buf_byte(out, c == 'Z' ? 'z' : c);
        }
    }
}

static uint32_t options_of(unsigned flags) {
    uint32_t options = PCRE2_NEVER_BACKSLASH_C;
    if (flags & SL_REGEX_NOCASE) options |= PCRE2_CASELESS;
    if (flags & SL_REGEX_LINES) options |= PCRE2_MULTILINE;
    if (flags & SL_REGEX_DOTALL) options |= PCRE2_DOTALL;
    return options;
}

/* Without a just-in-time compiler the interpreter does the same, more slowly. */
static pcre2_code *compile(sl_text pattern, uint32_t options, int *code, size_t *offset) {
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    *code = PCRE2_ERROR_NOMEMORY;
    if (!context) return NULL;
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_code *c = pcre2_compile((PCRE2_SPTR)pattern.s, pattern.n, options, code, offset, context);
    pcre2_compile_context_free(context);
    if (c) pcre2_jit_compile(c, PCRE2_JIT_COMPLETE);
    return c;
}

static sl_status bad_pattern(sl_text pattern, int code, size_t offset, sl_error *err) {
    char reason[160] = "";
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) return sl_oom(err);
    pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason);
    int shown = pattern.n < 200 ? (int)pattern.n : 200;
    return sl_fail(err, SL_E_PLAN, "'%.*s' is no regular expression: %s, at offset %zu", shown, pattern.s,
                   reason, offset);
}

static sl_status compile_both(sl_text pattern, unsigned flags, sl_regex *r, sl_error *err) {
    int code;
    size_t offset = 0;
    const uint32_t unicode = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, options = options_of(flags);
    r->unicode = compile(pattern, options | unicode, &code, &offset);
    if (!r->unicode) return bad_pattern(pattern, code, offset, err);
    pcre2_pattern_info(r->unicode, PCRE2_INFO_CAPTURECOUNT, &r->groups);
    if (sl_subject_of(pattern).ascii) r->bytes = compile(pattern, options, &code, &offset);
    return SL_OK;
}

sl_status sl_regex_compile(sl_text pattern, unsigned flags, sl_regex **out, sl_error *err) {
    if (pattern.n > PATTERN_MOST)
        return sl_fail(err, SL_E_PLAN, "a regular expression has at most %d bytes", PATTERN_MOST);
    sl_regex *r = *out = calloc(1, sizeof *r);
    if (!r) return sl_oom(err);
    sl_buf translated = {0};
    translate(pattern, &translated);
    sl_status s = sl_buf_check(&translated, err);
    if (s == SL_OK)
        s = compile_both(sl_text_n(translated.data ? translated.data : "", translated.len), flags, r, err);
    sl_buf_free(&translated);
    return s;
}

void sl_regex_free(sl_regex **r) {
    if (!*r) return;
    pcre2_code_free((*r)->unicode);
    pcre2_code_free((*r)->bytes);
    free(*r);
    *r = NULL;
}

uint32_t sl_regex_groups(const sl_regex *r) {
    return r->groups;
}

int sl_regex_group(const sl_regex *r, sl_text name) {
    char z[128];
    if (name.n >= sizeof z) return -1;
    memcpy(z, name.s, name.n);
    z[name.n] = 0;
    int n = pcre2_substring_number_from_name(r->unicode, (PCRE2_SPTR)z);
    return n > 0 ? n : -1;
}

/* ---- matching ----------------------------------------------------------------------------------------------------------- */

sl_subject sl_subject_of(sl_text t) {
    uint64_t seen = 0, word;
    uint32_t i = 0;
    for (; t.n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, t.s + i, sizeof word);
        seen |= word;
    }
    for (; i < t.n; i++) seen |= (unsigned char)t.s[i];
    return (sl_subject){t, !(seen & UINT64_C(0x8080808080808080))};
}

sl_status sl_matcher_new(uint32_t groups, const _Atomic bool *stopping, sl_matcher **out, sl_error *err) {
    sl_matcher *m = *out = calloc(1, sizeof *m);
    if (!m) return sl_oom(err);
    m->stopping = stopping;
    m->data = pcre2_match_data_create(groups + 1, NULL);
    m->context = pcre2_match_context_create(NULL);
    if (!m->data || !m->context) return sl_oom(err);
    m->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, NULL);
    if (m->stack) pcre2_jit_stack_assign(m->context, NULL, m->stack);
    pcre2_set_match_limit(m->context, MATCH_LIMIT);
    return SL_OK;
}

void sl_matcher_free(sl_matcher **m) {
    if (!*m) return;
    pcre2_match_data_free((*m)->data);
    pcre2_match_context_free((*m)->context);
    pcre2_jit_stack_free((*m)->stack);
    free(*m);
    *m = NULL;
}

static sl_status match_failed(int code, sl_error *err) {
    char reason[160] = "";
    if (code == PCRE2_ERROR_NOMEMORY) return sl_oom(err);
    pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason);
    return sl_fail(err, SL_E_DATA, "the regular expression gave up on this text: %s; make it simpler",
                   reason);
}

sl_status sl_regex_match(const sl_regex *r, sl_matcher *m, const sl_subject *s, uint32_t from, bool not_empty,
                         const size_t **spans, sl_error *err) {
    const pcre2_code *code = s->ascii && r->bytes ? r->bytes : r->unicode;
    const char *text = s->text.s ? s->text.s : "";
    if (m->stopping && atomic_load_explicit(m->stopping, memory_order_relaxed))
        return sl_fail(err, SL_E_STOPPED, "stopped on request");
    int found = pcre2_match(code, (PCRE2_SPTR)text, s->text.n, from, not_empty ? PCRE2_NOTEMPTY_ATSTART : 0,
                            m->data, m->context);
    *spans = NULL;
    if (found == PCRE2_ERROR_NOMATCH) return SL_OK;
    if (found < 0) return match_failed(found, err);
    *spans = pcre2_get_ovector_pointer(m->data);
    return SL_OK;
}
