/* rule.c: one condition over a batch. The usual ones (a text or a number against a column that is still an index of fields) are
 * decided on the bytes where they lie, without making values; everything else goes through values, with the same outcome. */
#include "operators/filter/rule.h"

#include <math.h>

#include "base/error.h"
#include "operators/text/text.h"
#include "record/compare.h"
#include "record/decimal/decimal.h"
#include "record/number/number.h"
#include "record/time.h"

const char *const sl_filter_op_names[] = {"contains", "doesnotcontain", "matches", "is",      "eq",
                                          "isnot",    "truthy",         "falsy",   "greater", "less",
                                          "atleast",  "atmost",         "after",   "before",  NULL};

typedef sl_filter_rule rule;

/* ---- equality ----------------------------------------------------------------------------------------------------------- */

static inline bool same_bytes(const char *s, uint32_t n, sl_text want) {
    return n == want.n && (!n || (s[0] == want.s[0] && memcmp(s, want.s, n) == 0));
}

/* The column of a one-name path while it still is an index of fields, or -1. */
static int lazy_column(const rule *r, const sl_batch *b) {
    int found = -1;
    if (r->path.n != 1 || !b->records) return -1;
    for (uint32_t c = 0; c < b->ncols; c++) {
        sl_text name = b->cols[c].name;
        if (sl_text_eq(name, r->path.segments[0].name))
            found = (int)c;
        else if (r->riko && sl_text_eq_nocase(name, r->path.segments[0].name))
            return -1;
    }
    return found >= 0 && !b->cols[found].values ? found : -1;
}

/* Compares fields with a text where they lie: no value is made. WANT has no quote inside, so a field with quotes inside is
 * another text anyway. */
static void test_is_lazy(const sl_batch *b, uint32_t c, sl_text want, bool *keep) {
    const sl_records *rec = b->records;
    const uint32_t field = b->cols[c].field;
    const char quote = rec->plain ? 0 : rec->quote;
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        const uint32_t *end = rec->end + (size_t)row * rec->nfields + field;
        uint32_t from = field ? end[-1] + 1 : rec->start[row], n = *end - from;
        const char *s = rec->base + from;
        if (*end == SL_NO_FIELD) {
            keep[i] = false;
            continue;
        }
        if (quote && n >= 2 && s[0] == quote && s[n - 1] == quote) {
            s++;
            n -= 2;
        }
        keep[i] = same_bytes(s, n, want);
    }
}

static void test_is(const rule *r, const sl_batch *b, const sl_value *x, bool *keep) {
    bool text = sl_is_text(r->value);
    sl_text want = text ? sl_bytes(r->value) : (sl_text){0};
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_value v = x[sl_batch_row(b, i)];
        if (text)
            keep[i] = sl_is_text(v) && same_bytes(v.as.s, v.n, want);
        else
            keep[i] = !sl_is_absent(v) && sl_value_equal(v, r->value);
    }
}

/* ---- order -------------------------------------------------------------------------------------------------------------- */

static int order_doubles(double a, double b) {
    return a < b ? -1 : a > b;
}

/* A text that looks like a number of a table. Numbers that different doubles are nearest to have the order of these; so only
 * where the doubles are the same is there more to look at. */
static bool order_fast(const rule *r, sl_text t, int *order) {
    const double whole = 9007199254740992.0;
    int64_t i;
    double f;
    sl_number_kind kind = sl_number_classify(t, &i, &f);
    if (kind == SL_NOT_NUMBER || r->number.type == SL_DECIMAL) return false;
    if (kind == SL_WHOLE && r->number.type == SL_INT) {
        *order = (i > r->number.as.i) - (i < r->number.as.i);
        return true;
    }
    if (kind == SL_WHOLE) f = (double)i;
    double y = r->number.type == SL_INT ? (double)r->number.as.i : r->number.as.f;
    *order = order_doubles(f, y);
    if (*order) return true;
    return fabs(y) < whole && (!r->riko || r->number.type == SL_INT);
}

static sl_status order_text(const rule *r, sl_text t, sl_arena *arena, int *order, sl_error *err) {
    sl_value x;
    if (order_fast(r, t, order)) return SL_OK;
    TRY(sl_decimal_from(sl_text_value(t), arena, &x, err));
    *order = sl_number_compare(x, r->exact);
    return SL_OK;
}

/* -1, 0, 1 for V below, at, above the rule's value; SL_UNORDERED. */
static sl_status order_of(const rule *r, sl_value v, sl_arena *arena, int *order, sl_error *err) {
    *order = SL_UNORDERED;
    v = sl_number_computed(v);
    if (!r->numeric) {
        *order = sl_value_compare(v, r->value);
    } else if (sl_is_text(v)) {
        return order_text(r, sl_bytes(v), arena, order, err);
    } else if (sl_is_written(v) && order_fast(r, sl_bytes(v), order)) {
        return SL_OK;
    } else if (v.type == SL_DECIMAL) {
        *order = sl_number_compare(v, r->exact);
    } else if (v.type >= SL_BOOL && v.type <= SL_FLOAT) {
        *order = sl_value_compare(v, r->number);
    }
    return SL_OK;
}

static bool in_order(int op, int order) {
    switch (op) {
    case SL_FILTER_GREATER: return order == 1;
    case SL_FILTER_LESS: return order == -1;
    case SL_FILTER_AT_LEAST: return order == 0 || order == 1;
    default: return order == 0 || order == -1;
    }
}

/* ---- dates -------------------------------------------------------------------------------------------------------------- */

static bool date_of(sl_value v, int64_t now, sl_value *out) {
    bool zoned;
    if (v.type == SL_INT)
        *out = sl_time_make(SL_TIME_DATETIME, v.as.i, 0, 0);
    else if (v.type == SL_TIME)
        *out = v;
    else if (!sl_is_text(v) || !sl_time_parse(sl_bytes(v), true, now, out, &zoned))
        return false;
    *out = sl_time_make(SL_TIME_DATE, out->as.i, 0, 0);
    return true;
}

static bool test_date(const rule *r, sl_value v) {
    sl_value date;
    if (!date_of(v, r->now, &date)) return false;
    int order = sl_time_compare(date, r->date);
    return r->op == SL_FILTER_AFTER ? order > 0 : order < 0;
}

/* ---- texts -------------------------------------------------------------------------------------------------------------- */

static inline char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool begins_nocase(const char *s, sl_text lower) {
    for (uint32_t i = 0; i < lower.n; i++)
        if (ascii_lower(s[i]) != lower.s[i]) return false;
    return true;
}

static bool find_ascii_nocase(sl_text hay, sl_text lower) {
    if (!lower.n) return true;
    for (uint32_t i = 0; i + lower.n <= hay.n; i++)
        if (ascii_lower(hay.s[i]) == lower.s[0] && begins_nocase(hay.s + i, lower)) return true;
    return false;
}

static sl_status contains(const rule *r, sl_text t, sl_arena *arena, bool *out, sl_error *err) {
    if (sl_subject_of(t).ascii) {
        *out = r->lower_ascii && find_ascii_nocase(t, r->lower);
        return SL_OK;
    }
    sl_text lower;
    TRY(sl_case_map(t, SL_LOWER, arena, &lower, err));
    *out = sl_text_find(lower, r->lower, 0) >= 0;
    return SL_OK;
}

/* Riko sees None in what is absent. Natively that has no text, so it contains nothing and nothing matches in it. */
static sl_status test_text(const rule *r, sl_matcher *m, sl_value v, sl_arena *arena, bool *out,
                           sl_error *err) {
    sl_text t;
    bool has = false;
    if (sl_is_absent(v) && !r->riko) {
        *out = r->op == SL_FILTER_LACKS;
        return SL_OK;
    }
    TRY(sl_to_text(sl_is_absent(v) ? sl_null() : v, "None", arena, &t, err));
    if (r->op == SL_FILTER_MATCHES) {
        const size_t *spans;
        sl_subject subject = sl_subject_of(t);
        TRY(sl_regex_match(r->regex, m, &subject, 0, false, &spans, err));
        *out = spans != NULL;
        return SL_OK;
    }
    if (t.n) TRY(contains(r, t, arena, &has, err));
    *out = t.n && has == (r->op == SL_FILTER_CONTAINS);
    return SL_OK;
}

/* ---- any of them -------------------------------------------------------------------------------------------------------- */

static sl_status test_value(const rule *r, sl_matcher *m, sl_value v, sl_arena *arena, bool *out,
                            sl_error *err) {
    int order;
    switch ((sl_filter_op)r->op) {
    case SL_FILTER_CONTAINS:
    case SL_FILTER_LACKS:
    case SL_FILTER_MATCHES: return test_text(r, m, v, arena, out, err);
    case SL_FILTER_TRUTHY: *out = sl_truthy(v); return SL_OK;
    case SL_FILTER_FALSY: *out = !sl_truthy(v); return SL_OK;
    case SL_FILTER_IS:
    case SL_FILTER_EQ: *out = !sl_is_absent(v) && sl_value_equal(v, r->value); return SL_OK;
    case SL_FILTER_IS_NOT: *out = !sl_is_absent(v) && !sl_value_equal(v, r->value); return SL_OK;
    case SL_FILTER_AFTER:
    case SL_FILTER_BEFORE: *out = test_date(r, v); return SL_OK;
    case SL_FILTER_GREATER:
    case SL_FILTER_LESS:
    case SL_FILTER_AT_LEAST:
    case SL_FILTER_AT_MOST: break;
    }
    TRY(order_of(r, v, arena, &order, err));
    *out = in_order(r->op, order);
    return SL_OK;
}

sl_status sl_filter_rule_test(const sl_filter_rule *r, sl_matcher *m, sl_batch *b, bool *keep,
                              sl_error *err) {
    bool is = r->op == SL_FILTER_IS || r->op == SL_FILTER_EQ;
    if (r->never) {
        memset(keep, 0, b->nsel);
        return SL_OK;
    }
    int lazy = is && sl_is_text(r->value) ? lazy_column(r, b) : -1;
    if (lazy >= 0 && (!b->records->quote || !memchr(r->value.as.s, b->records->quote, r->value.n))) {
        test_is_lazy(b, (uint32_t)lazy, sl_bytes(r->value), keep);
        return SL_OK;
    }
    const sl_value *x = sl_path_column(&r->path, b, err);
    if (!x) return sl_oom(err);
    if (is) {
        test_is(r, b, x, keep);
        return SL_OK;
    }
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        sl_status s = test_value(r, m, x[row], sl_batch_arena(b), &keep[i], err);
        if (s == SL_OK) continue;
        sl_error_at(err, b->source, sl_batch_line(b, row), 0);
        return s;
    }
    return SL_OK;
}

/* ---- preparing ---------------------------------------------------------------------------------------------------------- */

/* Natively a text in the definition that is a number is one, and a float means the digits it shows: 0.1 is at least 0.1 in
 * whatever form. Riko compares with the float's exact value. */
static sl_status prepare_number(rule *r, sl_arena *arena, sl_error *err) {
    r->numeric = true;
    r->number = r->value;
    if (sl_is_text(r->value)) {
        bool whole;
        sl_text t = sl_bytes(r->value);
        TRY(sl_decimal_from(r->value, arena, &r->number, err));
        if (!r->riko && t.n && sl_json_number(t.s, t.n, &whole) == t.n) r->number = sl_number_decode(t);
    }
    bool numeric = r->number.type >= SL_BOOL && r->number.type <= SL_DECIMAL;
    if (r->number.type == SL_BOOL) r->number = sl_int(r->number.as.b);
    r->exact = r->number;
    if (numeric && r->number.type == SL_FLOAT && r->riko)
        TRY(sl_decimal_from(r->number, arena, &r->exact, err));
    if (numeric && r->number.type == SL_FLOAT && !r->riko) {
        char digits[32];
        sl_text t = sl_arena_text(arena, (sl_text){digits, sl_format_double(r->number.as.f, digits)});
        if (!t.s) return sl_oom(err);
        TRY(sl_decimal_from(sl_text_value(t), arena, &r->exact, err));
    }
    r->never = !numeric || sl_number_compare(r->exact, r->exact) != 0;
    return SL_OK;
}

static sl_status prepare_text(rule *r, sl_arena *arena, sl_error *err) {
    sl_text t;
    TRY(sl_to_text(r->value, "None", arena, &t, err));
    if (r->op == SL_FILTER_MATCHES) return sl_regex_compile(t, 0, &r->regex, err);
    TRY(sl_case_map(t, SL_LOWER, arena, &r->lower, err));
    r->lower_ascii = sl_subject_of(r->lower).ascii;
    return SL_OK;
}

sl_status sl_filter_rule_prepare(sl_filter_rule *r, const sl_step_info *info, sl_error *err) {
    r->riko = info->env->dialect == SL_RIKO;
    r->now = info->env->now;
    TRY(sl_path_compile(&r->path, r->field, info->env->dialect, info->arena, err));
    if (r->op == SL_FILTER_TRUTHY || r->op == SL_FILTER_FALSY) return SL_OK;
    r->never = sl_is_absent(r->value);
    if (r->never) return SL_OK;
    bool number = r->value.type >= SL_BOOL && r->value.type <= SL_DECIMAL;
    switch ((sl_filter_op)r->op) {
    case SL_FILTER_CONTAINS:
    case SL_FILTER_LACKS:
    case SL_FILTER_MATCHES: return prepare_text(r, info->arena, err);
    case SL_FILTER_GREATER:
    case SL_FILTER_LESS: return number && !r->riko ? prepare_number(r, info->arena, err) : SL_OK;
    case SL_FILTER_AT_LEAST:
    case SL_FILTER_AT_MOST: return prepare_number(r, info->arena, err);
    case SL_FILTER_AFTER:
    case SL_FILTER_BEFORE: r->never = !date_of(r->value, r->now, &r->date); return SL_OK;
    default: return SL_OK;
    }
}
