/* head.c: the head of a cached answer and the key that names it. The head is text, a line a field, so that people can look at
 * an entry; it is parsed strictly, because what cannot be understood in full must be fetched again and not be guessed. */
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "net/cache/internal.h"

#define MAGIC "sluice-cache 1\n"

/* ---- keys ------------------------------------------------------------------------------------------------ */

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool sl_cache_is_key(sl_text name) {
    for (uint32_t i = 0; i < name.n; i++) {
        if (!is_hex(name.s[i])) return false;
    }
    return name.n == SL_CACHE_KEY - 1;
}

bool sl_cache_is_part(const char *name) {
    const char *pattern = &SL_CACHE_PART[1];
    size_t fixed = strlen(pattern) - 6;
    return strlen(name) == fixed + 6 && memcmp(name, pattern, fixed) == 0;
}

bool sl_cache_is_note(const char *name) {
    size_t fixed = strlen(SL_CACHE_NOTE);
    return !strncmp(name, SL_CACHE_NOTE, fixed) && sl_cache_is_key(sl_text_of(name + fixed));
}

void sl_cache_hex(const unsigned char *sum, size_t n, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[2 * n] = 0;
}

void sl_cache_key(sl_text url, sl_text extra, char out[SL_CACHE_KEY]) {
    const char *fragment = url.n ? memchr(url.s, '#', url.n) : NULL;
    if (fragment) url.n = (uint32_t)(fragment - url.s);
    unsigned char sum[SL_SHA256_BYTES];
    sl_sha256 sha;
    sl_sha256_begin(&sha);
    sl_sha256_add(&sha, url.s, url.n);
    sl_sha256_add(&sha, "\n", 1);
    sl_sha256_add(&sha, extra.s, extra.n);
    sl_sha256_end(&sha, sum);
    sl_cache_hex(sum, (SL_CACHE_KEY - 1) / 2, out);
}

/* ---- the head -------------------------------------------------------------------------------------------- */

/* The next line of T without its end, which must be there. */
static bool next_line(sl_text *t, sl_text *line) {
    const char *end = t->n ? memchr(t->s, '\n', t->n) : NULL;
    if (!end) return false;
    *line = sl_text_n(t->s, (size_t)(end - t->s));
    t->s += line->n + 1;
    t->n -= line->n + 1;
    return true;
}

/* The next line must be NAME and a value. */
static bool field(sl_text *t, const char *name, sl_text *value) {
    sl_text line;
    uint32_t n = (uint32_t)strlen(name);
    if (!next_line(t, &line) || line.n < n || memcmp(line.s, name, n) != 0) return false;
    *value = (sl_text){line.s + n, line.n - n};
    return true;
}

static bool number(sl_text t, uint64_t *out) {
    *out = 0;
    for (uint32_t i = 0; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9' || *out > (UINT64_MAX - 9) / 10) return false;
        *out = *out * 10 + (uint64_t)(t.s[i] - '0');
    }
    return t.n > 0;
}

/* All lines "< ...", and the empty one behind them. */
static bool headers(sl_text *t, sl_text *out) {
    sl_text line;
    *out = (sl_text){t->s, 0};
    while (next_line(t, &line)) {
        if (!line.n) return true;
        if (line.n < 2 || memcmp(line.s, "< ", 2) != 0) return false;
        out->n += line.n + 1;
    }
    return false;
}

bool sl_cache_head_parse(sl_text t, sl_cache_head *out) {
    sl_text from = t, stored, length;
    uint64_t seconds = 0;
    *out = (sl_cache_head){0};
    if (t.n > SL_CACHE_HEAD_LIMIT) t.n = (uint32_t)SL_CACHE_HEAD_LIMIT;
    sl_text magic = SL_TEXT(MAGIC);
    if (t.n < magic.n || memcmp(t.s, magic.s, magic.n) != 0) return false;
    t.s += magic.n;
    t.n -= magic.n;
    bool ok = field(&t, "key: ", &out->key) && field(&t, "url: ", &out->url) &&
              field(&t, "final: ", &out->final) && field(&t, "stored: ", &stored) &&
              field(&t, "length: ", &length) && field(&t, "sha256: ", &out->sum) &&
              headers(&t, &out->headers);
    ok = ok && sl_cache_is_key(out->key) && sl_cache_is_key(out->sum) && number(stored, &seconds) &&
         number(length, &out->length) && seconds <= INT64_MAX;
    out->stored = (int64_t)seconds;
    out->size = ok ? (size_t)(t.s - from.s) : 0;
    return ok;
}

static void put_field(sl_buf *out, const char *name, sl_text value) {
    sl_buf_str(out, name);
    sl_buf_text(out, value);
    sl_buf_byte(out, '\n');
}

void sl_cache_head_write(const sl_cache_head *h, sl_buf *out) {
    static const char none[] = "0000000000000000000000000000000000000000000000000000000000000000";
    sl_buf_str(out, MAGIC);
    put_field(out, "key: ", h->key);
    put_field(out, "url: ", h->url);
    put_field(out, "final: ", h->final);
    sl_buf_printf(out, "stored: %lld\nlength: %020llu\n", (long long)h->stored,
                  (unsigned long long)h->length);
    put_field(out, "sha256: ", h->sum.n ? h->sum : SL_TEXT(none));
    sl_text left = h->headers, line;
    while (next_line(&left, &line)) {
        if (line.n >= 2 && memcmp(line.s, "< ", 2) == 0) put_field(out, "", line);
    }
    sl_buf_byte(out, '\n');
}

sl_text sl_cache_head_value(const sl_cache_head *h, const char *name) {
    sl_text left = h->headers, line;
    uint32_t n = (uint32_t)strlen(name);
    while (next_line(&left, &line)) {
        if (line.n < n + 3 || line.s[n + 2] != ':') continue;
        if (!sl_text_eq_nocase((sl_text){line.s + 2, n}, (sl_text){name, n})) continue;
        return sl_text_trim((sl_text){line.s + n + 3, line.n - n - 3});
    }
    return (sl_text){0};
}

/* ---- where it is ----------------------------------------------------------------------------------------- */

static const char *variable(const char *name) {
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

bool sl_cache_default_dir(sl_buf *out) {
    const char *own = variable("SLUICE_CACHE_DIR"), *xdg = variable("XDG_CACHE_HOME"),
               *home = variable("HOME");
    if (own) {
        sl_buf_str(out, own);
    } else if (xdg && xdg[0] == '/') {
        sl_buf_printf(out, "%s/sluice", xdg);
    } else if (home) {
        sl_buf_printf(out, "%s/.cache/sluice", home);
    }
    return out->len > 0;
}
