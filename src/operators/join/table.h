/* table.h: the second stream of a join, by key.
 *
 *     new add* seal match*          Rows of equal keys are found in the order in which they were added.
 *
 * In memory the batches are kept as they came, decoded. Beyond the budget rows go to a join_file
 * and matches are read back one by one.
 *
 * Thread rule: add and seal in one thread; a sealed table is read-only and may be matched by many (each with its own cursor). */
#ifndef SL_OPERATORS_JOIN_TABLE_H
#define SL_OPERATORS_JOIN_TABLE_H

#include "base/log.h"
#include "record/batch.h"
#include "record/path.h"

typedef struct sl_join_table sl_join_table;

/* KEY empty: every row matches every key (cross product). LOWER: texts match whatever their case. */
sl_join_table *sl_join_table_new(const sl_path *key, bool lower, size_t budget, const char *tmpdir);
/* What does not fit is told to LOG, which outlives the table. NULL-safe. */
void sl_join_table_log(sl_join_table *t, sl_log *log);
void sl_join_table_free(sl_join_table **t); /* NULL-safe */

SL_MUST_CHECK sl_status sl_join_table_add(sl_join_table *t, sl_batch *take, sl_error *err);
SL_MUST_CHECK sl_status sl_join_table_seal(sl_join_table *t, sl_error *err);

/* Appends the key of V to KEY; false for an absent one, which matches nothing. */
SL_MUST_CHECK sl_status sl_join_key(const sl_join_table *t, sl_value v, sl_arena *arena, sl_buf *key, bool *usable, sl_error *err);

/* Walks the rows of KEY: start with *AT 0; SL_DONE when there is no (further) one. *B and *ROW are the match; from a file it is a
 * batch of one row that the caller frees (*OWNED). */
SL_MUST_CHECK sl_status sl_join_table_match(const sl_join_table *t, sl_text key, size_t *at, const sl_batch **b, uint32_t *row,
                                            bool *owned, sl_error *err);

/* The columns that all rows share, in memory: their number and the batch that shows them, or NULL. */
const sl_batch *sl_join_table_shape(const sl_join_table *t);
/* True when all keys are texts: a match then has the very bytes of the key. */
bool sl_join_table_texts(const sl_join_table *t);

#endif
