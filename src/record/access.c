/* access.c: the functions of sluice.h over values. */
#include <math.h>

#include "base/locale.h"
#include "record/cast.h"
#include "record/number/number.h"
#include "record/time.h"

sl_type sl_value_type(const sl_value *v) {
    return v ? (sl_type)v->type : SL_MISSING;
}

/* V to compute with. */
static sl_value number_of(const sl_value *v) {
    return v ? sl_number_plain(*v) : sl_missing();
}

static bool is_digits(sl_value v) {
    return v.type == SL_TEXT_TYPE || v.type == SL_DECIMAL;
}

bool sl_value_int(const sl_value *value, int64_t *out) {
    sl_value v = number_of(value);
    const double end = 9223372036854775808.0; /* 2^63 */
    double f = v.type == SL_FLOAT ? v.as.f : NAN;
    if (v.type == SL_INT) *out = v.as.i;
    if (v.type == SL_INT) return true;
    if (is_digits(v)) return sl_parse_int(sl_bytes(v), out);
    if (!(f >= -end && f < end) || f != floor(f)) return false;
    *out = (int64_t)f;
    return true;
}

bool sl_value_double(const sl_value *value, double *out) {
    sl_value v = number_of(value);
    if (v.type == SL_INT) *out = (double)v.as.i;
    if (v.type == SL_FLOAT) *out = v.as.f;
    if (v.type == SL_INT || v.type == SL_FLOAT) return true;
    return is_digits(v) && sl_parse_double(sl_bytes(v), out);
}

bool sl_value_bool(const sl_value *v, bool *out) {
    sl_type type = sl_value_type(v);
    bool yes = type == SL_BOOL && v->as.b, no = type == SL_BOOL && !v->as.b;
    if (type == SL_TEXT_TYPE) {
        yes = sl_text_eq_nocase(sl_bytes(*v), SL_TEXT("true"));
        no = sl_text_eq_nocase(sl_bytes(*v), SL_TEXT("false"));
    }
    if (yes || no) *out = yes;
    return yes || no;
}

bool sl_value_time(const sl_value *v, int64_t *seconds) {
    if (sl_value_type(v) != SL_TIME) return false;
    *seconds = v->as.i - (v->flags == SL_TIME_DATETIME ? (int64_t)v->aux * 60 : 0);
    return true;
}

const char *sl_value_text(const sl_value *v, size_t *length) {
    sl_type type = sl_value_type(v);
    *length = 0;
    if (type != SL_TEXT_TYPE && type != SL_DECIMAL) return NULL;
    *length = v->n;
    return v->as.s ? v->as.s : "";
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

/* TEXT, which is freed, in OUT as far as it goes. */
static size_t print(sl_buf *text, char *out, size_t size) {
    size_t n = text->failed ? SIZE_MAX : text->len;
    size_t kept = n < size ? n : size ? size - 1 : 0;
    if (text->failed) kept = 0;
    if (kept) memcpy(out, text->data, kept);
    if (size) out[kept] = '\0';
    sl_buf_free(text);
    return n;
}

size_t sl_value_json(const sl_value *v, char *out, size_t size) {
    SL_PLAIN_LOCALE;
    sl_buf text = {0};
    if (sl_value_type(v) != SL_MISSING) sl_json_write(*v, &text);
    return print(&text, out, size);
}

size_t sl_value_print(const sl_value *v, char *out, size_t size) {
    SL_PLAIN_LOCALE;
    sl_buf text = {0};
    switch (sl_value_type(v)) {
    case SL_MISSING:
    case SL_NULL: break;
    case SL_TIME: sl_time_iso(*v, &text); break;
    case SL_BOOL:
    case SL_LIST:
    case SL_MAP: return sl_value_json(v, out, size);
    default: sl_text_form(*v, "", &text);
    }
    return print(&text, out, size);
}

/* ---- lists and maps ----------------------------------------------------------------------------------------------------- */

size_t sl_value_count(const sl_value *v) {
    sl_type type = sl_value_type(v);
    return type == SL_LIST || type == SL_MAP ? v->n : 0;
}

const sl_value *sl_value_at(const sl_value *v, size_t i) {
    if (i >= sl_value_count(v)) return NULL;
    return v->type == SL_LIST ? &v->as.list[i] : &v->as.map[i].value;
}

const char *sl_value_key(const sl_value *v, size_t i, size_t *length) {
    *length = 0;
    if (sl_value_type(v) != SL_MAP || i >= v->n) return NULL;
    *length = v->as.map[i].key.n;
    return v->as.map[i].key.s;
}

const sl_value *sl_value_get(const sl_value *v, const char *name) {
    sl_text key = sl_text_of(name);
    for (uint32_t i = 0; sl_value_type(v) == SL_MAP && i < v->n; i++)
        if (sl_text_eq(v->as.map[i].key, key)) return &v->as.map[i].value;
    return NULL;
}
