/* value.h: one value of an item, 16 bytes, copied freely.
 *
 *   missing            the key is absent (never inside a list or map)
 *   null, bool, int    int is 64-bit; larger integers are decimals
 *   float              IEEE double
 *   decimal            exact decimal as canonical text: -?digits[.digits], NaN, Infinity, -Infinity; or *written*, see below
 *   text               view of UTF-8 bytes
 *   time               a date, a date-time with zone, or a broken-down time: see time.h
 *   list, map          views of arrays of values / key-value pairs; a map keeps its order, keys are unique
 *
 * A *raw* value is one a reader has found but not decoded: SL_RAW_CSV text still has its doubled quotes,
 * SL_RAW_JSON text its backslashes, SL_RAW_NUMBER is an int, float or decimal still held as its digits. Only columns
 * hold raw values and only sl_column_raw shows them (batch.h); everywhere else a value is decoded.
 *
 * A number of the input is its text until something computes with it: 1.10, 1e5, -0 and 12345678901234567.89 decode to *written*
 * decimals, whose bytes are the JSON number as it stood. They go anywhere a decimal goes and are written as they came; their value
 * is exact. An integer that fits and has the one spelling of its value becomes an int. Floats are what a computation has made.
 *
 * sluice.h has the enum sl_type, and functions of the program's over values (values.c).
 *
 * Ownership: a value owns nothing; its bytes live in an arena or an input buffer that must outlive it. */
#ifndef SL_RECORD_VALUE_H
#define SL_RECORD_VALUE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"

enum {
    SL_RAW_CSV = 1,    /* text between the outer quotes, doubled quotes inside; aux is the quote, 0: '"' */
    SL_RAW_JSON = 2,   /* text between the quotes, backslash escapes inside */
    SL_RAW_NUMBER = 4, /* type int or float; payload is the JSON number's text, known to be well-formed */
    SL_RAW = SL_RAW_CSV | SL_RAW_JSON | SL_RAW_NUMBER,
    SL_WRITTEN = 8 /* type decimal: the digits are a JSON number in its own spelling, maybe with an exponent */
};

/* aux of a raw or written number of riko's dialect: what computes with it, compares it or makes a text of it sees what Python's
 * json makes of it, a float most often. */
#define SL_PYTHON_NUMBER (-2)

/* aux of a text that its source itself marked as text, a JSON string: no evidence makes it a number, as it may with the cells of
 * a CSV file, which have no types. New texts that pipes make do not carry it. */
#define SL_TYPED_TEXT (-1)

typedef struct sl_pair sl_pair;

struct sl_value {
    uint8_t type;  /* sl_type */
    uint8_t flags; /* SL_RAW_*, SL_WRITTEN; for SL_TIME the kind, see time.h */
    int16_t aux;   /* SL_TYPED_TEXT; SL_PYTHON_NUMBER; SL_TIME: zone offset in minutes; SL_RAW_CSV: the quote character; else 0 */
    uint32_t n;    /* bytes of text or digits, elements of a list, pairs of a map; SL_TIME: microseconds */
    union {
        bool b;
        int64_t i; /* SL_INT; SL_TIME: seconds since the epoch of the clock it shows */
        double f;
        const char *s;
        const sl_value *list;
        const sl_pair *map;
    } as;
};

struct sl_pair {
    sl_text key;
    sl_value value;
};

_Static_assert(sizeof(sl_value) == 16, "a value is 16 bytes");

static inline sl_value sl_missing(void) {
    return (sl_value){.type = SL_MISSING};
}
static inline sl_value sl_null(void) {
    return (sl_value){.type = SL_NULL};
}
static inline sl_value sl_bool(bool b) {
    return (sl_value){.type = SL_BOOL, .as.b = b};
}
static inline sl_value sl_int(int64_t i) {
    return (sl_value){.type = SL_INT, .as.i = i};
}
static inline sl_value sl_float(double f) {
    return (sl_value){.type = SL_FLOAT, .as.f = f};
}
static inline sl_value sl_text_value(sl_text t) {
    return (sl_value){.type = SL_TEXT_TYPE, .n = t.n, .as.s = t.s};
}
static inline sl_value sl_decimal_value(sl_text t) {
    return (sl_value){.type = SL_DECIMAL, .n = t.n, .as.s = t.s};
}
static inline sl_value sl_written_value(sl_text t) {
    return (sl_value){.type = SL_DECIMAL, .flags = SL_WRITTEN, .n = t.n, .as.s = t.s};
}
static inline sl_value sl_list(const sl_value *v, uint32_t n) {
    return (sl_value){.type = SL_LIST, .n = n, .as.list = v};
}
static inline sl_value sl_map(const sl_pair *p, uint32_t n) {
    return (sl_value){.type = SL_MAP, .n = n, .as.map = p};
}

/* The bytes of a text, a decimal or a raw number. */
static inline sl_text sl_bytes(sl_value v) {
    return (sl_text){v.as.s, v.n};
}

static inline bool sl_is_absent(sl_value v) {
    return v.type <= SL_NULL;
} /* missing or null */
static inline bool sl_is_text(sl_value v) {
    return v.type == SL_TEXT_TYPE;
}
static inline bool sl_is_typed_text(sl_value v) {
    return v.type == SL_TEXT_TYPE && v.aux == SL_TYPED_TEXT;
}
static inline bool sl_is_written(sl_value v) {
    return v.type == SL_DECIMAL && (v.flags & SL_WRITTEN);
}
static inline bool sl_is_number(sl_value v) {
    return v.type >= SL_INT && v.type <= SL_DECIMAL;
}

/* A copy that lives wholly in ARENA (texts, lists and maps to any depth). */
SL_MUST_CHECK sl_status sl_value_copy(sl_value *out, sl_value v, sl_arena *arena, sl_error *err);

/* Python's truth: false for missing, null, false, 0, "", empty list or map. */
bool sl_truthy(sl_value v);

/* The member KEY of a map, exact spelling, or missing. */
sl_value sl_map_get(sl_value map, sl_text key);
sl_value sl_map_get_z(sl_value map, const char *key);

#endif
