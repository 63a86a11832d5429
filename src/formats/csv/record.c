/* record.c: one record, byte by byte, by the exact rules. It is slow and easy to check; the scanner (scan.c) is held against
 * it, and the splitter falls back on it where a record breaks the rules that the scanner relies on. */
#include "formats/csv/record.h"

#include <stdlib.h>

#include "base/array.h"

void sl_csv_fields_reset(sl_csv_fields *f) {
    f->n = 0;
    f->stray = SIZE_MAX;
    f->after_quote = false;
}

void sl_csv_fields_free(sl_csv_fields *f) {
    free(f->ends);
    *f = (sl_csv_fields){0};
}

static void field_ends(sl_csv_fields *f, size_t at) {
    if (!f) return;
    if (SL_ROOM(f->ends, f->cap, f->n + 1))
        f->ends[f->n++] = at;
    else
        f->failed = true;
}

static void stray(sl_csv_fields *f, size_t at, bool after_quote) {
    if (!f || f->stray != SIZE_MAX) return;
    f->stray = at;
    f->after_quote = after_quote;
}

/* A byte that is no line end, or one inside quotes. */
static inline sl_csv_place pass(const sl_csv_dialect *d, sl_csv_place place, char c, size_t at,
                                sl_csv_fields *f) {
    const bool quote = c == d->quote && d->quote;
    switch (place) {
    case SL_CSV_RECORD:
        if (d->comment && c == d->comment) return SL_CSV_COMMENT;
        __attribute__((fallthrough));
    case SL_CSV_FIELD:
        if (quote) return SL_CSV_QUOTED;
        break;
    case SL_CSV_PLAIN:
        if (quote) stray(f, at, false);
        break;
    case SL_CSV_QUOTED: return quote ? SL_CSV_QUOTE : SL_CSV_QUOTED;
    case SL_CSV_QUOTE:
        if (c == d->delim) break;
        if (!quote) stray(f, at, true);
        return SL_CSV_QUOTED;
    case SL_CSV_COMMENT: return SL_CSV_COMMENT;
    }
    if (c != d->delim) return SL_CSV_PLAIN;
    field_ends(f, at);
    return SL_CSV_FIELD;
}

/* Over bytes that change nothing where the reading stands. */
static inline size_t skip(const sl_csv_dialect *d, sl_csv_reading *r, const char *data, size_t i, size_t n) {
    if (r->place == SL_CSV_PLAIN) {
        while (i < n && data[i] != d->delim && data[i] != d->quote && data[i] != '\n' && data[i] != '\r') i++;
    } else if (r->place == SL_CSV_QUOTED) {
        for (; i < n && data[i] != d->quote; i++) r->lines += data[i] == '\n';
    }
    return i;
}

static bool whole(sl_csv_reading *r, size_t end, size_t next, sl_csv_fields *f) {
    field_ends(f, end);
    r->end = end;
    r->at = next;
    return true;
}

bool sl_csv_read_record(const sl_csv_dialect *d, sl_csv_reading *r, const char *data, size_t n, bool last,
                        sl_csv_fields *fields) {
    for (size_t i = skip(d, r, data, r->at, n); i < n; i = skip(d, r, data, i + 1, n)) {
        const char c = data[i];
        if (SL_LIKELY((c != '\n' && c != '\r') || r->place == SL_CSV_QUOTED)) {
            r->place = pass(d, r->place, c, i, fields);
            r->lines += c == '\n';
            continue;
        }
        if (c == '\r' && i + 1 == n && !last) { /* half of a CRLF, perhaps */
            r->at = i;
            return false;
        }
        r->lines++;
        return whole(r, i, i + 1 + (c == '\r' && i + 1 < n && data[i + 1] == '\n'), fields);
    }
    r->at = n;
    return last && whole(r, n, n, fields);
}
