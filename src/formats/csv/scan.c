/* scan.c: finds separators and quotes 64 bytes at a time. A chunk becomes bit masks; which bytes lie inside quotes follows from
 * a prefix xor over the quotes, so there is no branch per byte. The same steps are written for 64-bit words and for AVX2, and
 * tests compare the two. */
#include "formats/csv/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_AVX2 1
#else
#define HAVE_AVX2 0
#endif

#define CHUNK  64
#define AHEAD  4096
#define PIECE  ((size_t)16 << 10) /* bytes of input between two looks at the room in the index */
#define INLINE static inline __attribute__((always_inline))

/* One bit a byte of a chunk. */
typedef struct masks {
    uint64_t quote, delim, lf, cr, comment;
} masks;

INLINE unsigned bits(uint64_t m) {
    return (unsigned)__builtin_popcountll(m);
}
INLINE unsigned lowest(uint64_t m) {
    return (unsigned)__builtin_ctzll(m);
}

/* The core looks ahead by itself, but not beyond a page. What lies there need not be ours: nothing is read. */
INLINE void fetch_ahead(const char *p) {
    __builtin_prefetch((const void *)((uintptr_t)p + AHEAD));
}

/* The first K bits of a chunk, K from 1 to 64. */
INLINE uint64_t first(unsigned k) {
    return ~UINT64_C(0) >> (CHUNK - k);
}

INLINE masks cut_masks(masks m, unsigned k) {
    const uint64_t valid = first(k);
    return (masks){m.quote & valid, m.delim & valid, m.lf & valid, m.cr & valid, m.comment & valid};
}

/* M moved on by one byte; the first bit comes from the chunk before. */
INLINE uint64_t behind(uint64_t m, uint64_t before) {
    return m << 1 | before >> 63;
}

/* The bits of a chunk of K bytes that break a rule. PARITY is the prefix xor of m.quote; *IN gets the bytes inside quotes, an
 * opening quote among them, a closing one not.
 *
 * Whether the byte before an opening quote is a separator can be asked of the bare masks: it lies outside quotes, or is a
 * closing quote. */
INLINE uint64_t check(sl_csv_carry *c, masks m, uint64_t parity, unsigned k, uint64_t *in) {
    *in = parity ^ c->inside;
    const uint64_t open = m.quote & *in, shut = m.quote & ~*in, cr = m.cr & ~*in;
    const uint64_t opens = m.delim | m.lf | m.quote;
    uint64_t dirty = (open & ~behind(opens, c->opens)) | (behind(shut, c->shut) & ~(opens | m.cr)) |
                     (behind(cr, c->cr) & ~m.lf);
    if (m.comment) dirty |= m.comment & behind(m.lf & ~*in, c->lf);
    const unsigned up = CHUNK - k;
    *c = (sl_csv_carry){.inside = (uint64_t)((int64_t)*in >> 63),
                        .opens = opens << up,
                        .shut = shut << up,
                        .cr = cr << up,
                        .lf = (m.lf & ~*in) << up};
    return dirty & first(k);
}

/* ---- index ------------------------------------------------------------------------------------------------------ */

/* Eight at a time without looking, for most chunks hold no more. */
INLINE uint32_t *put_offsets(uint32_t *o, uint64_t m, uint32_t base) {
    const unsigned n = bits(m);
    for (unsigned j = 0; j < 8; j++, m &= m - 1) o[j] = base + lowest(m | SL_CSV_TOP);
    if (SL_UNLIKELY(n > 8)) {
        for (unsigned j = 8; j < n; j++, m &= m - 1) o[j] = base + lowest(m);
    }
    return o + n;
}

/* One chunk of K bytes at AT. */
INLINE void index_chunk(sl_csv_index *x, masks m, uint64_t parity, size_t at, unsigned k) {
    uint64_t in;
    x->dirty = check(&x->carry, m, parity, k, &in) != 0;
    if (SL_UNLIKELY(x->dirty)) return;
    x->n = (size_t)(put_offsets(x->ends + x->n, (m.delim | m.lf) & ~in, (uint32_t)at) - x->ends);
    x->lines += bits(m.lf & ~in);
    x->quotes |= m.quote != 0;
    if (SL_UNLIKELY(m.lf & in)) {
        x->ninner = (size_t)(put_offsets(x->inner + x->ninner, m.lf & in, (uint32_t)at) - x->inner);
    }
}

/* ---- any machine: 64-bit words ---------------------------------------------------------------------------------- */

#define ONES UINT64_C(0x0101010101010101)
#define LOW7 UINT64_C(0x7f7f7f7f7f7f7f7f)

/* Bit I of the result: byte I of X (in memory order) is the byte that PATTERN repeats. */
INLINE uint64_t equal8(uint64_t x, uint64_t pattern) {
    uint64_t d = x ^ pattern;
    uint64_t zero = ~(((d & LOW7) + LOW7) | d | LOW7); /* the high bit of each zero byte */
    return (zero >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

INLINE uint64_t repeat(char c) {
    return ONES * (unsigned char)c;
}

INLINE masks masks_words(const char *p, const sl_csv_dialect *d) {
    masks m = {0};
    for (unsigned i = 0; i < CHUNK; i += 8) {
        uint64_t x;
        memcpy(&x, p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        x = __builtin_bswap64(x);
#endif
        m.quote |= equal8(x, repeat(d->quote)) << i;
        m.delim |= equal8(x, repeat(d->delim)) << i;
        m.lf |= equal8(x, repeat('\n')) << i;
        m.cr |= equal8(x, repeat('\r')) << i;
        if (d->comment) m.comment |= equal8(x, repeat(d->comment)) << i;
    }
    if (!d->quote) m.quote = 0;
    return m;
}

INLINE uint64_t parity_words(uint64_t m) {
    for (unsigned shift = 1; shift < 64; shift <<= 1) m ^= m << shift;
    return m;
}

static void pass_words(const sl_csv_dialect *d, sl_csv_scan *scan, const char *data, size_t n) {
    sl_csv_scan s = *scan;
    for (uint64_t in; s.at + CHUNK <= n; s.at += CHUNK) {
        masks m = masks_words(data + s.at, d);
        sl_csv_carry before = s.carry;
        s.dirty = check(&s.carry, m, parity_words(m.quote), CHUNK, &in) != 0;
        if (SL_UNLIKELY(s.dirty)) {
            s.carry = before;
            break;
        }
        s.lines += bits(m.lf);
    }
    *scan = s;
}

static void index_words(const sl_csv_dialect *d, sl_csv_index *out, const char *data, size_t from,
                        size_t to) {
    sl_csv_index x = *out;
    size_t i = from;
    for (; i + CHUNK <= to && !x.dirty; i += CHUNK) {
        masks m = masks_words(data + i, d);
        index_chunk(&x, m, parity_words(m.quote), i, CHUNK);
    }
    if (i < to && !x.dirty) {
        masks m = cut_masks(masks_words(data + i, d), (unsigned)(to - i));
        index_chunk(&x, m, parity_words(m.quote), i, (unsigned)(to - i));
    }
    *out = x;
}

/* ---- AVX2 ------------------------------------------------------------------------------------------------------- */

#if HAVE_AVX2
#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))

AVX2 static inline uint64_t equal64(__m256i a, __m256i b, char c) {
    const __m256i k = _mm256_set1_epi8(c);
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, k));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, k));
    return (uint64_t)high << 32 | low;
}

AVX2 static inline masks masks_avx2(const char *p, const sl_csv_dialect *d) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    masks m = {equal64(a, b, d->quote), equal64(a, b, d->delim), equal64(a, b, '\n'), equal64(a, b, '\r'), 0};
    if (!d->quote) m.quote = 0;
    if (d->comment) m.comment = equal64(a, b, d->comment);
    return m;
}

/* A product without carries with all ones: bit I is the xor of bits 0..I. */
AVX2 static inline uint64_t parity_avx2(uint64_t m) {
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)m), _mm_set1_epi8(-1), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

AVX2 static void pass_avx2(const sl_csv_dialect *dialect, sl_csv_scan *scan, const char *data, size_t n) {
    const sl_csv_dialect d = *dialect;
    sl_csv_scan s = *scan;
    for (uint64_t in; s.at + CHUNK <= n; s.at += CHUNK) {
        fetch_ahead(data + s.at);
        masks m = masks_avx2(data + s.at, &d);
        sl_csv_carry before = s.carry;
        s.dirty = check(&s.carry, m, parity_avx2(m.quote), CHUNK, &in) != 0;
        if (SL_UNLIKELY(s.dirty)) {
            s.carry = before;
            break;
        }
        s.lines += bits(m.lf);
    }
    *scan = s;
}

AVX2 static void index_avx2(const sl_csv_dialect *dialect, sl_csv_index *out, const char *data, size_t from,
                            size_t to) {
    const sl_csv_dialect d = *dialect;
    sl_csv_index x = *out;
    size_t i = from;
    for (; i + CHUNK <= to && !x.dirty; i += CHUNK) {
        fetch_ahead(data + i);
        masks m = masks_avx2(data + i, &d);
        index_chunk(&x, m, parity_avx2(m.quote), i, CHUNK);
    }
    if (i < to && !x.dirty) {
        masks m = cut_masks(masks_avx2(data + i, &d), (unsigned)(to - i));
        index_chunk(&x, m, parity_avx2(m.quote), i, (unsigned)(to - i));
    }
    *out = x;
}

static const sl_csv_scanner avx2 = {"avx2", pass_avx2, index_avx2};
#endif

static const sl_csv_scanner words = {"words", pass_words, index_words};

const sl_csv_scanner *sl_csv_scanner_portable(void) {
    return &words;
}

const sl_csv_scanner *sl_csv_scanner_best(void) {
#if HAVE_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul")) {
        return &avx2;
    }
#endif
    return &words;
}

/* ---- boundaries ------------------------------------------------------------------------------------------------- */

/* The bytes behind the last whole chunk, fewer than 64. */
static void pass_rest(const sl_csv_dialect *d, sl_csv_scan *s, const char *data, size_t n) {
    if (s->dirty || s->at == n) return;
    const unsigned k = (unsigned)(n - s->at);
    masks m = cut_masks(masks_words(data + s->at, d), k);
    sl_csv_carry before = s->carry;
    uint64_t in;
    s->dirty = check(&s->carry, m, parity_words(m.quote), k, &in) != 0;
    if (s->dirty) {
        s->carry = before;
        return;
    }
    s->lines += bits(m.lf);
    s->at = n;
}

/* Back from s->at, where the quotes are known, to the last line end outside them; none before FROM. */
static void find_end(const sl_csv_dialect *d, sl_csv_scan *s, const char *data, size_t from) {
    bool inside = s->carry.inside != 0;
    uint64_t lines = s->lines;
    for (size_t at = s->at; at > from; at--) {
        const char c = data[at - 1];
        if (c == d->quote && d->quote) inside = !inside;
        if (c != '\n') continue;
        if (!inside) {
            s->end = at;
            s->end_lines = lines;
            return;
        }
        lines--;
    }
}

void sl_csv_scan_on(const sl_csv_scanner *scanner, const sl_csv_dialect *d, sl_csv_scan *s, const char *data,
                    size_t n) {
    const size_t from = s->at;
    scanner->pass(d, s, data, n);
    pass_rest(d, s, data, n);
    find_end(d, s, data, from);
    if (!s->dirty) return;
    s->at = s->end;
    s->lines = s->end_lines;
}

/* ---- a whole block ---------------------------------------------------------------------------------------------- */

static bool room(uint32_t **array, size_t *cap, size_t need) {
    if (need <= *cap) return true;
    size_t grown = *cap * 2 > need ? *cap * 2 : need;
    uint32_t *p = realloc(*array, grown * sizeof *p);
    if (!p) return false;
    *array = p;
    *cap = grown;
    return true;
}

sl_status sl_csv_index_block(const sl_csv_scanner *scanner, const sl_csv_dialect *d, sl_csv_index *x,
                             const char *data, size_t n, sl_error *err) {
    x->n = x->ninner = x->lines = 0;
    x->quotes = x->dirty = false;
    x->carry = SL_CSV_FRESH;
    for (size_t at = 0; at < n && !x->dirty; at += PIECE) {
        size_t to = n - at < PIECE ? n : at + PIECE;
        /* put_offsets writes eight entries whatever it finds */
        if (!room(&x->ends, &x->cap, x->n + (to - at) + CHUNK)) return sl_oom(err);
        if (!room(&x->inner, &x->inner_cap, x->ninner + (to - at) + CHUNK)) return sl_oom(err);
        scanner->index(d, x, data, at, to);
    }
    return SL_OK;
}

sl_status sl_csv_index_room(sl_csv_index *x, size_t n, sl_error *err) {
    return room(&x->ends, &x->cap, n) ? SL_OK : sl_oom(err);
}

void sl_csv_index_free(sl_csv_index *x) {
    free(x->ends);
    free(x->inner);
    *x = (sl_csv_index){0};
}
