/* Numbers of any type in one exact order. */
#include <math.h>

#include "record/decimal/decimal.h"
#include "record/number/number.h"

/* 2^53: doubles from here on are whole numbers and mean just these; below, a double means the digits it shows, so that 0.1 is 0.1
 * whether it was computed or written. */
static const double whole_doubles = 9007199254740992.0;

static int sign_of(double d) {
    return (d > 0) - (d < 0);
}

/* Sign of (x - nearest) for the magnitude of X. Where digits and power of ten are exact doubles, a fused multiply-add has
 * the sign of the exact difference. */
static int side_of_exact(const sl_literal *x, double nearest) {
    int64_t power = (int64_t)x->exponent - x->nfraction;
    bool word = (uint64_t)x->nwhole + x->nfraction <= SL_WORD_DIGITS && x->digits <= (UINT64_C(1) << 53);
    if (!word || power < -SL_EXACT_POWER || power > SL_EXACT_POWER) return sl_number_side_slow(x, nearest);
    double digits = (double)x->digits;
    if (power >= 0) return sign_of(fma(digits, sl_exact_powers[power], -nearest));
    return -sign_of(fma(nearest, sl_exact_powers[-power], -digits));
}

static char digit_at(const sl_placed *p, uint32_t k) {
    if (k < p->head.n) return p->head.s[k];
    return k - p->head.n < p->tail.n ? p->tail.s[k - p->head.n] : 0;
}

/* Order of two magnitudes by their digits. */
static int compare_digits(const sl_placed *a, const sl_placed *b) {
    if (a->point != b->point) return a->point < b->point ? -1 : 1;
    for (uint32_t k = 0;; k++) {
        char x = digit_at(a, k), y = digit_at(b, k);
        if (x != y) return x < y ? -1 : 1;
        if (!x) return 0;
    }
}

static void strip_front(sl_text *t, int64_t *point) {
    for (; t->n && *t->s == '0'; t->s++, t->n--) --*point;
}

static void strip_back(sl_text *t) {
    while (t->n && t->s[t->n - 1] == '0') t->n--;
}

static void place_digits(const sl_literal *x, sl_placed *p) {
    p->head = (sl_text){x->whole, x->nwhole};
    p->tail = (sl_text){x->fraction, x->nfraction};
    p->point = (int64_t)x->nwhole + x->exponent;
    strip_front(&p->head, &p->point);
    if (!p->head.n) strip_front(&p->tail, &p->point);
    strip_back(&p->tail);
    if (!p->tail.n) strip_back(&p->head);
}

/* The same, where the double stands for the digits it shows. */
static int side_of_shown(const sl_literal *x, const sl_placed *digits, double nearest) {
    if (sl_literal_keeps(x, nearest)) return 0;
    sl_shortest s = sl_shortest_digits(nearest);
    sl_placed shown = {.head = {s.digits, s.n}, .point = s.point};
    return s.n ? compare_digits(digits, &shown) : 1;
}

static sl_placed place_literal(sl_text t) {
    sl_literal x;
    if (!sl_literal_scan(t, &x)) {
        bool infinite = t.n >= 8;
        double d = infinite && *t.s == '-' ? -HUGE_VAL : HUGE_VAL;
        return (sl_placed){.nearest = d, .nan = !infinite};
    }
    sl_placed p = {.nearest = sl_literal_value(&x), .negative = x.negative};
    place_digits(&x, &p);
    double nearest = fabs(p.nearest);
    p.side = nearest < whole_doubles ? side_of_shown(&x, &p, nearest) : side_of_exact(&x, nearest);
    if (x.negative) p.side = -p.side;
    if (p.nearest == 0) p.nearest = 0;
    return p;
}

static sl_placed place_int(int64_t i, sl_placed_room *room) {
    double d = (double)i;
    if (d < 9223372036854775808.0 && (int64_t)d == i) return (sl_placed){.nearest = d};
    return place_literal((sl_text){room->text, sl_format_int(i, room->text)});
}

sl_placed sl_number_place(sl_value v, sl_placed_room *room) {
    v = sl_number_computed(v);
    switch (v.type) {
    case SL_BOOL: return (sl_placed){.nearest = v.as.b};
    case SL_INT: return place_int(v.as.i, room);
    case SL_FLOAT: return (sl_placed){.nearest = v.as.f == 0 ? 0 : v.as.f, .nan = isnan(v.as.f)};
    default: return place_literal(sl_bytes(v));
    }
}

int sl_number_compare(sl_value a, sl_value b) {
    sl_placed_room left, right;
    sl_placed x = sl_number_place(a, &left), y = sl_number_place(b, &right);
    if (x.nan || y.nan) return 2;
    if (x.nearest != y.nearest) return x.nearest < y.nearest ? -1 : 1;
    if (x.side != y.side) return x.side < y.side ? -1 : 1;
    if (!x.side) return 0;
    int c = compare_digits(&x, &y);
    return x.negative ? -c : c;
}
