#include "formats/csv_scan.h"

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
#define PIECE  ((size_t)16 << 10) /* bytes of input between two looks at the room in the index */
#define INLINE static inline __attribute__((always_inline))

/* One bit a byte of a chunk. */
typedef struct masks {
    uint64_t quote, delim, lf, cr, comment;
} masks;

/* What a chunk says once the quotes are known. */
typedef struct found {
    uint64_t lf;    /* line ends of records */
    uint64_t seps;  /* the same and delimiters */
    uint64_t inner; /* LF inside quotes */
    uint64_t dirty;
} found;

INLINE unsigned bits(uint64_t m) {
    return (unsigned)__builtin_popcountll(m);
}
INLINE unsigned lowest(uint64_t m) {
    return (unsigned)__builtin_ctzll(m);
}
INLINE unsigned highest(uint64_t m) {
    return 63u - (unsigned)__builtin_clzll(m);
}

/* The first K bits of a chunk, K from 1 to 64. */
INLINE uint64_t first(unsigned k) {
    return ~UINT64_C(0) >> (CHUNK - k);
}

INLINE masks cut_masks(masks m, uint64_t valid) {
    return (masks){m.quote & valid, m.delim & valid, m.lf & valid, m.cr & valid, m.comment & valid};
}

/* PARITY is the prefix xor of m.quote; LAST the number of the chunk's last bit. An opening quote counts as inside, a
 * closing one as outside. */
INLINE found step(sl_csv_carry *c, masks m, uint64_t parity, unsigned last) {
    uint64_t in = parity ^ c->inside;
    uint64_t open = m.quote & in, shut = m.quote & ~in, cr = m.cr & ~in, lf = m.lf & ~in;
    uint64_t seps = (m.delim & ~in) | lf, opens = seps | shut;
    uint64_t dirty = (open & ~(opens << 1 | c->opens)) |
                     ((shut << 1 | c->shut) & ~(m.delim | m.lf | m.cr | m.quote)) |
                     ((cr << 1 | c->cr) & ~m.lf) | (m.comment & (lf << 1 | c->fresh));
    *c = (sl_csv_carry){.inside = (uint64_t)((int64_t)in >> 63),
                        .opens = opens >> last & 1,
                        .shut = shut >> last & 1,
                        .cr = cr >> last & 1,
                        .fresh = lf >> last & 1};
    return (found){.lf = lf, .seps = seps, .inner = m.lf & in, .dirty = dirty & first(last + 1)};
}

/* ---- what is done with a chunk ---------------------------------------------------------------------------------- */

/* Moves the last boundary to the end of the last record in the bits of F.lf. */
INLINE void move_end(sl_csv_scan *s, found f, uint64_t all_lf, size_t at) {
    unsigned top = highest(f.lf | 1); /* bit 0 stands in where there is none */
    s->end = f.lf ? at + top + 1 : s->end;
    s->end_lines = f.lf ? s->lines + bits(all_lf & first(top + 1)) : s->end_lines;
    s->lines += bits(all_lf);
}

/* The clean records before the first dirty byte count; the scan goes back to the end of the last one. */
INLINE void stop_dirty(sl_csv_scan *s, found f, size_t at) {
    uint64_t before = (f.dirty & (~f.dirty + 1)) - 1;
    f.lf &= before;
    move_end(s, f, (f.lf | f.inner) & before, at);
    s->at = s->end;
    s->lines = s->end_lines;
    s->dirty = true;
}

/* Eight at a time without looking, for most chunks hold no more. */
INLINE uint32_t *put_offsets(uint32_t *o, uint64_t m, uint32_t base) {
    const unsigned n = bits(m);
    for (unsigned j = 0; j < 8; j++, m &= m - 1) o[j] = base + lowest(m | UINT64_C(1) << 63);
    if (SL_UNLIKELY(n > 8)) {
        for (unsigned j = 8; j < n; j++, m &= m - 1) o[j] = base + lowest(m);
    }
    return o + n;
}

INLINE bool index_chunk(sl_csv_index *x, masks m, found f, size_t at) {
    x->n = (size_t)(put_offsets(x->ends + x->n, f.seps, (uint32_t)at) - x->ends);
    x->lines += bits(f.lf);
    x->quotes |= m.quote != 0;
    if (SL_UNLIKELY(f.inner)) {
        x->ninner = (size_t)(put_offsets(x->inner + x->ninner, f.inner, (uint32_t)at) - x->inner);
    }
    return !f.dirty;
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

static void boundaries_words(const sl_csv_dialect *d, sl_csv_scan *scan, const char *data, size_t n) {
    sl_csv_scan s = *scan;
    while (s.at < n && !s.dirty) {
        unsigned k = n - s.at < CHUNK ? (unsigned)(n - s.at) : CHUNK;
        masks m = cut_masks(masks_words(data + s.at, d), first(k));
        found f = step(&s.carry, m, parity_words(m.quote), k - 1);
        if (SL_UNLIKELY(f.dirty)) {
            stop_dirty(&s, f, s.at);
        } else {
            move_end(&s, f, m.lf, s.at);
            s.at += k;
        }
    }
    *scan = s;
}

static void index_words(const sl_csv_dialect *d, sl_csv_index *out, const char *data, size_t from,
                        size_t to) {
    sl_csv_index x = *out;
    for (size_t i = from; i < to && !x.dirty; i += CHUNK) {
        unsigned k = to - i < CHUNK ? (unsigned)(to - i) : CHUNK;
        masks m = cut_masks(masks_words(data + i, d), first(k));
        found f = step(&x.carry, m, parity_words(m.quote), k - 1);
        x.dirty = !index_chunk(&x, m, f, i);
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

AVX2 static void boundaries_avx2(const sl_csv_dialect *dialect, sl_csv_scan *scan, const char *data,
                                 size_t n) {
    const sl_csv_dialect d = *dialect;
    sl_csv_scan s = *scan;
    while (s.at < n && !s.dirty) {
        unsigned k = n - s.at < CHUNK ? (unsigned)(n - s.at) : CHUNK;
        masks m = cut_masks(masks_avx2(data + s.at, &d), first(k));
        found f = step(&s.carry, m, parity_avx2(m.quote), k - 1);
        if (SL_UNLIKELY(f.dirty)) {
            stop_dirty(&s, f, s.at);
        } else {
            move_end(&s, f, m.lf, s.at);
            s.at += k;
        }
    }
    *scan = s;
}

AVX2 static void index_avx2(const sl_csv_dialect *dialect, sl_csv_index *out, const char *data, size_t from,
                            size_t to) {
    const sl_csv_dialect d = *dialect;
    sl_csv_index x = *out;
    for (size_t i = from; i < to && !x.dirty; i += CHUNK) {
        unsigned k = to - i < CHUNK ? (unsigned)(to - i) : CHUNK;
        masks m = cut_masks(masks_avx2(data + i, &d), first(k));
        found f = step(&x.carry, m, parity_avx2(m.quote), k - 1);
        x.dirty = !index_chunk(&x, m, f, i);
    }
    *out = x;
}

static const sl_csv_scanner avx2 = {"avx2", boundaries_avx2, index_avx2};
#endif

static const sl_csv_scanner words = {"words", boundaries_words, index_words};

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

uint64_t sl_count_lf(const char *data, size_t n) {
    uint64_t lines = 0;
    for (const char *p = data, *end = data + n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines++;
    return lines;
}
