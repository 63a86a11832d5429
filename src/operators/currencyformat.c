/* currencyformat: an amount as Americans write it. ICU rounds and groups the digits and knows the currencies; sign and symbol are put
 * in front of them here, without the space that ICU puts behind a symbol of letters. */
#include <stdlib.h>

#include "base/error.h"
#include "base/icu.h"
#include "plan/pipe.h"

enum { MOST_DIGITS = 4, CODE = 3, SYMBOL = 64 };

static const char locale[] = "en_US";

typedef struct conf {
    sl_text currency;
} conf;

typedef struct formatter { /* a worker's own; all of it made when first needed */
    UNumberFormatter *by_digits[MOST_DIGITS + 1];
    UFormattedNumber *number;
    sl_buf text;
    /* the currency met last */
    char code[CODE];
    char symbol[SYMBOL]; /* UTF-8; empty: the code itself */
    int32_t digits;
} formatter;

/* ---- currencies ------------------------------------------------------------------------------------------------------------ */

static bool is_code(sl_text t) {
    for (uint32_t i = 0; i < t.n; i++)
        if (t.s[i] < 'A' || t.s[i] > 'Z') return false;
    return t.n == CODE;
}

static sl_status icu_failed(UErrorCode code, sl_error *err) {
    if (code == U_MEMORY_ALLOCATION_ERROR) return sl_oom(err);
    return sl_fail(err, SL_E_IO, "ICU cannot format currencies (%s); its data files are not complete",
                   u_errorName(code));
}

static sl_status look_up(formatter *f, sl_text currency, sl_error *err) {
    UErrorCode code = U_ZERO_ERROR;
    UChar iso[CODE + 1] = {0};
    int32_t n = 0;
    if (memcmp(f->code, currency.s, CODE) == 0) return SL_OK;
    u_charsToUChars(currency.s, iso, CODE);
    f->digits = ucurr_getDefaultFractionDigits(iso, &code);
    const UChar *name = ucurr_getName(iso, locale, UCURR_SYMBOL_NAME, NULL, &n, &code);
    if (U_SUCCESS(code)) u_strToUTF8(f->symbol, SYMBOL, NULL, name, n, &code);
    if (U_FAILURE(code) || f->digits < 0 || f->digits > MOST_DIGITS) return icu_failed(code, err);
    memcpy(f->code, currency.s, CODE);
    return SL_OK;
}

/* The symbol of the currency and how many digits it has behind the point. What is no code stands for itself and has two. */
static sl_status know(formatter *f, sl_text currency, sl_text *symbol, int32_t *digits, sl_error *err) {
    *symbol = currency;
    *digits = 2;
    if (!is_code(currency)) return SL_OK;
    TRY(look_up(f, currency, err));
    *symbol = sl_text_of(f->symbol);
    *digits = f->digits;
    return SL_OK;
}

/* ---- amounts --------------------------------------------------------------------------------------------------------------- */

static sl_status open_digits(formatter *f, int32_t digits, sl_error *err) {
    static const char *const skeletons[MOST_DIGITS + 1] = {
        "rounding-mode-half-even precision-integer", "rounding-mode-half-even .0",
        "rounding-mode-half-even .00", "rounding-mode-half-even .000", "rounding-mode-half-even .0000"};
    UChar wide[64];
    UErrorCode code = U_ZERO_ERROR;
    if (f->by_digits[digits]) return SL_OK;
    u_uastrcpy(wide, skeletons[digits]);
    f->by_digits[digits] = unumf_openForSkeletonAndLocale(wide, -1, locale, &code);
    if (U_SUCCESS(code) && !f->number) f->number = unumf_openResult(&code);
    return U_SUCCESS(code) ? SL_OK : icu_failed(code, err);
}

/* Appends AMOUNT, without a sign, rounded and grouped. */
static sl_status append_amount(formatter *f, sl_text amount, int32_t digits, sl_error *err) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t n = 0, bytes = 0;
    TRY(open_digits(f, digits, err));
    unumf_formatDecimal(f->by_digits[digits], amount.s, (int32_t)amount.n, f->number, &code);
    const UChar *text = ufmtval_getString(unumf_resultAsValue(f->number, &code), &n, &code);
    if (U_FAILURE(code)) return icu_failed(code, err);
    if (!sl_buf_reserve(&f->text, 3 * (size_t)n + 1)) return sl_buf_check(&f->text, err);
    u_strToUTF8(f->text.data + f->text.len, 3 * n + 1, &bytes, text, n, &code);
    if (U_FAILURE(code)) return icu_failed(code, err);
    f->text.len += (size_t)bytes;
    return sl_buf_check(&f->text, err);
}

static sl_status format(formatter *f, sl_text amount, sl_text currency, sl_error *err) {
    sl_text symbol;
    int32_t digits;
    bool negative = amount.n && amount.s[0] == '-';
    TRY(know(f, currency, &symbol, &digits, err));
    sl_buf_clear(&f->text);
    if (negative) {
        sl_buf_byte(&f->text, '-');
        amount = (sl_text){amount.s + 1, amount.n - 1};
    }
    sl_buf_text(&f->text, symbol);
    return append_amount(f, amount, digits, err);
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    formatter *f = state;
    (void)item;
    if (sl_text_is(sl_bytes(field), "NaN")) return sl_result(results, field, err);
    TRY(format(f, sl_bytes(field), c->currency, err));
    sl_text copy = sl_arena_text(sl_results_arena(results), sl_text_n(f->text.data, f->text.len));
    return copy.s ? sl_result(results, sl_text_value(copy), err) : sl_oom(err);
}

static sl_status start(const void *vconf, void **state, sl_error *err) {
    (void)vconf;
    TRY(sl_library_open(&sl_icu_library, err));
    *state = calloc(1, sizeof(formatter));
    return *state ? SL_OK : sl_oom(err);
}

static void stop(void *state) {
    formatter *f = state;
    for (int i = 0; i <= MOST_DIGITS; i++) unumf_close(f->by_digits[i]);
    unumf_closeResult(f->number);
    sl_buf_free(&f->text);
    free(f);
}

static const sl_option options[] = {
    {.name = "currency",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, currency),
     .fallback = "USD",
     .help = "its ISO code, in upper case"},
    {0},
};

const sl_pipe sl_pipe_currencyformat = {
    .name = "currencyformat",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Writes an amount of money",
    .details = "As in the United States: the symbol in front ($, £, €, ¥, CA$ ...), commas between "
               "thousands, as many digits "
               "behind the point as the currency has, the sign before all. A digit too many is rounded half "
               "to even. A code "
               "that has no symbol stands in front as it is, and so does a text that is no code, with two "
               "digits. What is no "
               "number gives NaN.",
    .example = "itembuilder attrs.key=content attrs.value=1234.5 | currencyformat EUR",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "currency",
    .flags = SL_PIPE_STEADY,
    .field = "content",
    .cast = SL_CAST_DECIMAL,
    .start = start,
    .stop = stop,
    .each = each,
};
