/* Numbers in text: every reader against the C library, and there and back again. */
#include <errno.h>
#include <math.h>

#include "fuzz.h"
#include "record/decimal/decimal.h"
#include "record/number/number.h"

static bool same_double(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Every double survives being written. */
static void there_and_back(double f) {
    char text[32];
    double again;
    uint32_t n = sl_format_double(f, text);
    FUZZ_CHECK(n && n < sizeof text);
    if (!isfinite(f)) return;
    FUZZ_CHECK(sl_parse_double(sl_text_n(text, n), &again));
    FUZZ_CHECK(same_double(f, again));
}

static void as_double(sl_text t, const char *z) {
    char *end;
    double f, reference = strtod(z, &end);
    if (!sl_parse_double(t, &f)) return;
    FUZZ_CHECK(*end == '\0' && end != z);
    FUZZ_CHECK(same_double(f, reference));
    there_and_back(f);
}

static void as_integer(sl_text t, const char *z) {
    int64_t i;
    char text[24];
    if (!sl_parse_int(t, &i)) return;
    errno = 0;
    FUZZ_CHECK(strtoll(z, NULL, 10) == i && errno == 0);
    uint32_t n = sl_format_int(i, text);
    int64_t again;
    FUZZ_CHECK(sl_parse_int(sl_text_n(text, n), &again) && again == i);
}

/* What a database column is made of: nothing is lost. */
static void as_evidence(sl_text t, const char *z) {
    int64_t i = 0;
    double f = 0;
    char text[32];
    switch (sl_number_classify(t, &i, &f)) {
    case SL_WHOLE: FUZZ_CHECK(sl_text_eq(t, sl_text_n(text, sl_format_int(i, text)))); break;
    case SL_REAL:
        FUZZ_CHECK(same_double(f, strtod(z, NULL)));
        FUZZ_CHECK(isfinite(f));
        break;
    case SL_NOT_NUMBER: break;
    }
}

static void as_json(sl_text t) {
    bool whole;
    size_t n = sl_json_number(t.s, t.n, &whole);
    FUZZ_CHECK(n <= t.n);
    if (!n) return;
    sl_value v = sl_number_decode(sl_text_n(t.s, n));
    FUZZ_CHECK(sl_is_written(v) ? sl_text_eq(sl_bytes(v), sl_text_n(t.s, n)) : whole && v.type == SL_INT);
    FUZZ_CHECK(sl_number_compare(v, v) == 0);
    sl_value python = sl_number_python(sl_text_n(t.s, n));
    FUZZ_CHECK(python.type != SL_FLOAT || fabs(python.as.f) >= 9007199254740992.0 ||
               sl_number_compare(v, python) == 0);
}

/* Exact and rounded readings of one text agree on its order. */
static void as_decimal(sl_text t) {
    sl_arena arena = {0};
    sl_value d, sum;
    double f;
    FUZZ_CHECK(sl_decimal_from(sl_text_value(t), &arena, &d, NULL) == SL_OK);
    FUZZ_CHECK(d.type == SL_DECIMAL);
    FUZZ_CHECK(sl_decimal_math(SL_ADD, d, sl_decimal_value(SL_TEXT("0")), &arena, &sum, NULL) == SL_OK);
    if (t.n < 200 && sl_parse_double(t, &f) && isfinite(f) && fabs(f) > 1e-300) {
        int order = sl_number_compare(d, sl_float(f));
        if (order == 1) FUZZ_CHECK(sl_number_compare(d, sl_float(nextafter(f, INFINITY))) == -1);
        if (order == -1) FUZZ_CHECK(sl_number_compare(d, sl_float(nextafter(f, -INFINITY))) == 1);
        FUZZ_CHECK(order != 2);
    }
    sl_arena_free(&arena);
}

static void as_bits(sl_text t) {
    double f = 0;
    if (t.n < sizeof f) return;
    memcpy(&f, t.s, sizeof f);
    there_and_back(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    while (in.n) {
        sl_text t = fuzz_line(&in);
        char *z = fuzz_string(t);
        sl_text own = {z, t.n};
        as_double(own, z);
        as_integer(own, z);
        as_evidence(own, z);
        as_json(own);
        as_decimal(own);
        as_bits(own);
        free(z);
    }
    return 0;
}
