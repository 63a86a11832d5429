/* fuzz.h: what the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput; linked with libFuzzer it is searched for
 * new inputs, linked with replay.c it goes through its corpus and mutations of it as an ordinary test.
 *
 * The first bytes of an input choose settings, so that a mutation can change them; the rest is the text. A target aborts when
 * what came out is wrong; the sanitizers watch everything else. */
#ifndef SL_TESTS_FUZZ_H
#define SL_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                        \
    do {                                                             \
        if (!(condition)) fuzz_fail(__FILE__, __LINE__, #condition); \
    } while (0)

_Noreturn static inline void fuzz_fail(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* An input being taken apart. */
typedef struct fuzz_in {
    const char *at;
    size_t n;
} fuzz_in;

static inline fuzz_in fuzz_open(const uint8_t *data, size_t size) {
    return (fuzz_in){(const char *)data, size};
}

/* The next byte, 0 at the end. */
static inline uint8_t fuzz_byte(fuzz_in *in) {
    if (!in->n) return 0;
    in->n--;
    return (uint8_t)*in->at++;
}

/* The bytes up to the next line feed, which is taken too, or all. */
static inline sl_text fuzz_line(fuzz_in *in) {
    const char *from = in->at, *lf = in->n ? memchr(from, '\n', in->n) : NULL;
    size_t n = lf ? (size_t)(lf - from) : in->n;
    in->at += n + (lf != NULL);
    in->n -= n + (lf != NULL);
    return sl_text_n(from, n);
}

static inline sl_text fuzz_rest(const fuzz_in *in) {
    return sl_text_n(in->at, in->n);
}

/* A C string of its own, so that the sanitizers see every look behind its end. */
static inline char *fuzz_string(sl_text t) {
    char *z = malloc((size_t)t.n + 1);
    FUZZ_CHECK(z);
    if (t.n) memcpy(z, t.s, t.n);
    z[t.n] = '\0';
    return z;
}

/* A status is told once, in both ways. */
static inline void fuzz_agree(sl_status status, const sl_error *err) {
    FUZZ_CHECK(status == err->code);
    FUZZ_CHECK(status == SL_OK || err->text[0]);
    FUZZ_CHECK(status != SL_E_INTERNAL);
}

#endif
