/* sorter.h: external merge sort of (key, ordinal, payload) records within a memory budget.
 *
 * Order: key bytes by memcmp, then ordinal; so equal keys come out in ordinal order (stable). Records beyond the budget are
 * sorted and written as runs to an unlinked temporary file, one for all of them, and merged when read. Call order:
 *     new add* sort next* free            The same records in any order of adding give the same output.
 * Thread rule: one thread at a time; several sorters may be merged with sl_sorter_absorb. */
#ifndef SL_RECORD_SORTER_SORTER_H
#define SL_RECORD_SORTER_SORTER_H

#include "base/log.h"
#include "record/value.h"

typedef struct sl_sorter sl_sorter;

typedef struct sl_sort_record {
    sl_text key;
    uint64_t ordinal;
    sl_text payload;
} sl_sort_record;

/* BUDGET: bytes held in memory before spilling (at least 1 MiB). TMPDIR: where runs go (borrowed, outlives). LIMIT: keep only
 * the first LIMIT records of the order (0: all), in a bounded heap when it fits. */
sl_sorter *sl_sorter_new(size_t budget, uint64_t limit, const char *tmpdir);
void sl_sorter_free(sl_sorter **s);
/* Once *STOPPING is true, merging many runs into fewer, which takes long, ends with SL_E_STOPPED. Outlives the sorter; NULL: never.
 * NULL-safe. */
void sl_sorter_stopping(sl_sorter *s, const _Atomic bool *stopping);

/* What does not fit is told to LOG, as of WHOSE ("sort"). Both outlive the sorter. NULL-safe. */
void sl_sorter_log(sl_sorter *s, sl_log *log, const char *whose);

/* Copies the record in. */
SL_MUST_CHECK sl_status sl_sorter_add(sl_sorter *s, sl_sort_record r, sl_error *err);
/* True when a record with this key would be dropped at once by LIMIT: saves building its payload. */
bool sl_sorter_rejects(const sl_sorter *s, sl_text key, uint64_t ordinal);
/* Takes all records and runs of FROM (which is left empty); may be called on sorted or unsorted ones before sl_sorter_sort. */
SL_MUST_CHECK sl_status sl_sorter_absorb(sl_sorter *s, sl_sorter *from, sl_error *err);
/* Sorts what is in memory now (parallel part: callers sort several sorters at once, then absorb and merge). Idempotent. */
SL_MUST_CHECK sl_status sl_sorter_sort(sl_sorter *s, sl_error *err);
/* The next record in order: SL_OK, SL_DONE at the end. Views hold until the next call. */
SL_MUST_CHECK sl_status sl_sorter_next(sl_sorter *s, sl_sort_record *out, sl_error *err);
/* All records, in order, appended to OUT; and into an empty sorter from there, with one copy of the block. For absorbing. */
SL_MUST_CHECK sl_status sl_sorter_save(sl_sorter *s, sl_buf *out, sl_error *err);
SL_MUST_CHECK sl_status sl_sorter_load(sl_sorter *s, const char *data, size_t n, sl_error *err);
uint64_t sl_sorter_spilled(const sl_sorter *s); /* bytes written to disk */

#endif
