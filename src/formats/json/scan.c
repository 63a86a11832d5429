/* scan.c: finds where elements end, 64 bytes at a time: strings by a prefix xor over the quotes, depth by counting brackets. It
 * knows nothing else of JSON, because the worker that reads the element checks it; checking twice would cost the coordinator
 * what the workers are for. */
#include "formats/json/json.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_AVX2 1
#else
#define HAVE_AVX2 0
#endif

#define CHUNK  64
#define INLINE static inline __attribute__((always_inline))

/* One bit a byte of a chunk. */
typedef struct masks {
    uint64_t quote, slash, open, shut, separator;
} masks;

INLINE masks cut_masks(masks m, uint64_t valid) {
    return (masks){m.quote & valid, m.slash & valid, m.open & valid, m.shut & valid, m.separator & valid};
}

/* Bytes behind an odd run of backslashes. */
INLINE uint64_t escaped_bytes(sl_json_scan *s, uint64_t slash) {
    uint64_t escaped = s->escaped, done = escaped;
    s->escaped = 0;
    for (uint64_t left = slash & ~done; left;) {
        uint64_t first = left & -left, next = first << 1;
        if (!next) s->escaped = 1;
        escaped |= next;
        left &= ~(first | next);
    }
    return escaped;
}

/* Follows the depth bracket by bracket; M has only what is outside strings. BASE: offset of the chunk. */
INLINE void follow(sl_json_scan *s, masks m, size_t base) {
    uint64_t brackets = m.open | m.shut, from = ~UINT64_C(0);
    for (;;) {
        uint64_t bit = brackets & -brackets, before = bit - 1; /* no bracket left: all bits */
        uint64_t separators = m.separator & from & before;
        if (!s->depth && separators) s->cut = base + CHUNK - (unsigned)__builtin_clzll(separators);
        if (!bit) return;
        size_t at = base + (unsigned)__builtin_ctzll(bit);
        if (m.open & bit) {
            s->depth++;
        } else if (!s->depth) {
            s->ended = true;
            s->at = at;
            return;
        } else if (!--s->depth) {
            s->shut = at + 1;
        }
        brackets ^= bit;
        from = ~before ^ bit;
    }
}

/* PARITY is the prefix xor of the unescaped quotes. */
INLINE void step(sl_json_scan *s, masks m, uint64_t parity, size_t base) {
    uint64_t out = ~(parity ^ s->inside);
    s->inside ^= (uint64_t)((int64_t)parity >> 63);
    m.open &= out;
    m.shut &= out;
    m.separator &= out;
    uint64_t opens = (unsigned)__builtin_popcountll(m.open), shuts = (unsigned)__builtin_popcountll(m.shut);
    if (s->depth > shuts) {
        s->depth += opens - shuts;
    } else {
        follow(s, m, base);
    }
}

INLINE uint64_t valid_bytes(size_t left) {
    return left >= CHUNK ? ~UINT64_C(0) : ~UINT64_C(0) >> (CHUNK - left);
}

/* ---- portable ------------------------------------------------------------------------------------------------ */

static masks classify(const char *p, char separator) {
    masks m = {0};
    for (unsigned i = 0; i < CHUNK; i++) {
        uint64_t bit = UINT64_C(1) << i;
        char c = p[i];
        if (c == '"') m.quote |= bit;
        if (c == '\\') m.slash |= bit;
        if ((c | 0x20) == '{') m.open |= bit;
        if ((c | 0x20) == '}') m.shut |= bit;
        if (c == separator) m.separator |= bit;
    }
    return m;
}

static uint64_t prefix_xor(uint64_t m) {
    for (unsigned k = 1; k < CHUNK; k <<= 1) m ^= m << k;
    return m;
}

static size_t scan_portable(sl_json_scan *s, const char *data, size_t from, size_t n, bool last) {
    while (n - from >= CHUNK || (last && from < n)) {
        masks m = cut_masks(classify(data + from, s->separator), valid_bytes(n - from));
        if (m.slash | s->escaped) m.quote &= ~escaped_bytes(s, m.slash);
        step(s, m, prefix_xor(m.quote), from);
        if (s->ended) return s->at;
        from = n - from < CHUNK ? n : from + CHUNK;
    }
    return from;
}

static uint64_t lines_portable(const char *s, size_t n) {
    uint64_t lines = 0;
    for (size_t i = 0; i < n; i++) lines += s[i] == '\n';
    return lines;
}

/* ---- AVX2 ---------------------------------------------------------------------------------------------------- */

#if HAVE_AVX2
#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))

AVX2 INLINE uint64_t equal(__m256i a, __m256i b, char c) {
    __m256i want = _mm256_set1_epi8(c);
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, want));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, want));
    return low | (uint64_t)high << 32;
}

AVX2 static size_t scan_avx2(sl_json_scan *s, const char *data, size_t from, size_t n, bool last) {
    const __m256i fold = _mm256_set1_epi8(0x20);
    while (n - from >= CHUNK || (last && from < n)) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(data + from));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(data + from + 32));
        __m256i fa = _mm256_or_si256(a, fold), fb = _mm256_or_si256(b, fold);
        masks m = {equal(a, b, '"'), equal(a, b, '\\'), equal(fa, fb, '{'), equal(fa, fb, '}'),
                   equal(a, b, s->separator)};
        if (n - from < CHUNK) m = cut_masks(m, valid_bytes(n - from));
        if (m.slash | s->escaped) m.quote &= ~escaped_bytes(s, m.slash);
        __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)m.quote), _mm_set1_epi8(-1), 0);
        step(s, m, (uint64_t)_mm_cvtsi128_si64(product), from);
        if (s->ended) return s->at;
        from = n - from < CHUNK ? n : from + CHUNK;
    }
    return from;
}

AVX2 static uint64_t lines_avx2(const char *s, size_t n) {
    uint64_t lines = 0;
    size_t i = 0;
    const __m256i want = _mm256_set1_epi8('\n');
    for (; n - i >= 32; i += 32) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(s + i));
        lines += (unsigned)__builtin_popcount((unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, want)));
    }
    return lines + lines_portable(s + i, n - i);
}

static bool have_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("pclmul");
}
#endif

size_t sl_json_scan_bytes(sl_json_scan *s, const char *data, size_t from, size_t n, bool last,
                          bool portable) {
#if HAVE_AVX2
    if (!portable && have_avx2()) return scan_avx2(s, data, from, n, last);
#endif
    (void)portable;
    return scan_portable(s, data, from, n, last);
}

uint64_t sl_json_count_lines(const char *s, size_t n) {
#if HAVE_AVX2
    if (have_avx2()) return lines_avx2(s, n);
#endif
    return lines_portable(s, n);
}
