/* text.h: a view of bytes, usually UTF-8: pointer and length, never NUL-terminated, never owning. */
#ifndef SL_BASE_TEXT_H
#define SL_BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct sl_text {
    const char *s; /* may be NULL only when n is 0 */
    uint32_t n;    /* bytes */
} sl_text;

#define SL_TEXT(literal) ((sl_text){(literal), (uint32_t)(sizeof(literal) - 1)})

static inline sl_text sl_text_of(const char *z) {
    return (sl_text){z, z ? (uint32_t)strlen(z) : 0};
}

static inline sl_text sl_text_n(const char *s, size_t n) {
    return (sl_text){s, (uint32_t)n};
}

static inline bool sl_text_eq(sl_text a, sl_text b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

static inline bool sl_text_is(sl_text a, const char *z) {
    return sl_text_eq(a, sl_text_of(z));
}

/* Byte order, which for UTF-8 is code-point order: <0, 0, >0. */
static inline int sl_text_cmp(sl_text a, sl_text b) {
    uint32_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.s, b.s, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* ASCII case folding only: field names of riko's dialect, option names. */
bool sl_text_eq_nocase(sl_text a, sl_text b);

static inline bool sl_text_begins(sl_text t, const char *head) {
    sl_text h = sl_text_of(head);
    return t.n >= h.n && sl_text_eq((sl_text){t.s, h.n}, h);
}

static inline bool sl_text_begins_nocase(sl_text t, const char *head) {
    sl_text h = sl_text_of(head);
    return t.n >= h.n && sl_text_eq_nocase((sl_text){t.s, h.n}, h);
}

static inline bool sl_text_ends(sl_text t, const char *tail) {
    sl_text e = sl_text_of(tail);
    return t.n >= e.n && sl_text_eq((sl_text){t.s + t.n - e.n, e.n}, e);
}

static inline bool sl_text_ends_nocase(sl_text t, const char *tail) {
    sl_text e = sl_text_of(tail);
    return t.n >= e.n && sl_text_eq_nocase((sl_text){t.s + t.n - e.n, e.n}, e);
}

/* Length of the one of SUFFIXES (".csv", ...; NULL-terminated, NULL: none) that NAME ends in, whatever the case of its letters,
 * with something before it; 0: none. */
uint32_t sl_text_suffix(sl_text name, const char *const *suffixes);

/* Classes of ASCII characters, whatever the locale. */
static inline bool sl_ascii_digit(char c) {
    return (unsigned char)(c - '0') <= 9;
}

static inline bool sl_ascii_letter(char c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline bool sl_ascii_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What JSON and XML call white space: no vertical tab, no form feed. */
static inline bool sl_ascii_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* sl_ascii_space removed at both ends. */
sl_text sl_text_trim(sl_text t);

/* First position of NEEDLE at or after FROM, or -1. An empty needle matches at FROM. */
int64_t sl_text_find(sl_text hay, sl_text needle, uint32_t from);

/* Last position of NEEDLE, or -1. An empty needle matches at the end. */
int64_t sl_text_find_last(sl_text hay, sl_text needle);

/* Levenshtein distance, capped at CAP: for "did you mean". */
unsigned sl_text_distance(sl_text a, sl_text b, unsigned cap);

/* The name in the NULL-terminated NAMES nearest to WORD and near enough to be what was meant, else NULL. */
const char *sl_text_nearest(sl_text word, const char *const *names);

/* For the end of a message about WORD: ", did you mean 'NAME'?", or nothing. NEAR may be NULL, the other finds it. Returns OUT. */
enum { SL_HINT = 160 };
const char *sl_text_hint(const char *near, char out[SL_HINT]);
const char *sl_text_meant(sl_text word, const char *const *names, char out[SL_HINT]);

#endif
