/* compare.h: equality, order, and keys.
 *
 * Equality is Python's: 1 = 1.0 = true = Decimal(1), 1 != "1", lists and maps by content, null = null; but a double below 2^53
 * means the digits it shows: a computed 0.1 equals the decimals 0.1 and 0.10, and 0.10000000000000000001 is above it. Order:
 * numbers and bools by value; texts by code point; times by instant; anything else or mixed: not comparable. */
#ifndef SL_RECORD_COMPARE_H
#define SL_RECORD_COMPARE_H

#include "record/value.h"

bool sl_value_equal(sl_value a, sl_value b);

/* -1, 0, 1, or SL_UNORDERED. */
#define SL_UNORDERED 2
int sl_value_compare(sl_value a, sl_value b);

/* Appends bytes so that equal values give equal bytes and different ones different bytes: a hash-table key. Self-delimiting,
 * so several may follow one another. */
void sl_key_append(sl_value v, sl_buf *out);

/* Appends bytes whose memcmp order is the value order (DESC: reversed); self-delimiting. Across kinds: missing and null,
 * then numbers, then times, then texts, then lists and maps by their equality key. */
void sl_sort_key_append(sl_value v, bool desc, sl_buf *out);

#endif
