/* text.c: what is asked of texts in more than one place. Distances are counted by the usual recurrence in one row, with a cap, since they are
 * asked for once in a message and names are short. */
#include "base/text.h"

#include <stdio.h>

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool sl_text_eq_nocase(sl_text a, sl_text b) {
    if (a.n != b.n) return false;
    for (uint32_t i = 0; i < a.n; i++)
        if (a.s[i] != b.s[i] && lower(a.s[i]) != lower(b.s[i])) return false;
    return true;
}

uint32_t sl_text_suffix(sl_text name, const char *const *suffixes) {
    for (const char *const *s = suffixes; s && *s; s++)
        if (name.n > strlen(*s) && sl_text_ends_nocase(name, *s)) return (uint32_t)strlen(*s);
    return 0;
}

sl_text sl_text_trim(sl_text t) {
    while (t.n && sl_ascii_space(*t.s)) t.s++, t.n--;
    while (t.n && sl_ascii_space(t.s[t.n - 1])) t.n--;
    return t;
}

int64_t sl_text_find(sl_text hay, sl_text needle, uint32_t from) {
    if (from > hay.n) return -1;
    if (!needle.n) return from;
    while (hay.n - from >= needle.n) {
        const char *p = memchr(hay.s + from, needle.s[0], hay.n - from - needle.n + 1);
        if (!p) return -1;
        from = (uint32_t)(p - hay.s);
        if (memcmp(p, needle.s, needle.n) == 0) return from;
        from++;
    }
    return -1;
}

int64_t sl_text_find_last(sl_text hay, sl_text needle) {
    for (int64_t at = (int64_t)hay.n - needle.n; at >= 0; at--)
        if (needle.n == 0 || memcmp(hay.s + at, needle.s, needle.n) == 0) return at;
    return -1;
}

enum { LONGEST_WORD = 64 };

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

unsigned sl_text_distance(sl_text a, sl_text b, unsigned cap) {
    if (a.n > LONGEST_WORD || b.n > LONGEST_WORD) return sl_text_eq(a, b) ? 0 : cap;
    unsigned row[LONGEST_WORD + 1];
    for (unsigned j = 0; j <= b.n; j++) row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned change = diagonal + (a.s[i - 1] != b.s[j - 1]);
            diagonal = row[j];
            row[j] = least(change, 1 + least(row[j], row[j - 1]));
        }
    }
    return least(row[b.n], cap);
}

const char *sl_text_nearest(sl_text word, const char *const *names) {
    unsigned enough = 1 + least(word.n / 4, 2); /* one slip, and one more for every four letters */
    const char *nearest = NULL;
    for (; *names; names++) {
        sl_text name = sl_text_of(*names);
        unsigned d = sl_text_eq_nocase(word, name) ? 0 : sl_text_distance(word, name, enough + 1);
        if (d > enough || d >= name.n) continue;
        nearest = *names;
        if (!d) break;
        enough = d - 1;
    }
    return nearest;
}

const char *sl_text_hint(const char *near, char out[SL_HINT]) {
    int n = near ? snprintf(out, SL_HINT, ", did you mean '%s'?", near) : 0;
    if (n <= 0 || n >= SL_HINT) *out = 0;
    return out;
}

const char *sl_text_meant(sl_text word, const char *const *names, char out[SL_HINT]) {
    return sl_text_hint(sl_text_nearest(word, names), out);
}
