/* builder.h: makes batches row by row where columns are not known beforehand.
 *
 *     sl_builder_row(bd);                    begins a row
 *     sl_builder_put(bd, name, value);       keys in the item's order; a repeated key overwrites the value in place
 *     ...
 *     sl_builder_flush(bd)                   hands the finished rows to the sink function
 *
 * The builder keeps the invariant of batch.h: when the keys of a row cannot be merged into the column order without
 * changing the order that an earlier row shows, or the batch has max_rows, the rows so far are handed on first.
 * Values are not copied: their bytes must live in the builder's arena (sl_builder_arena), or in its input.
 * Thread rule: one thread at a time. */
#ifndef SL_RECORD_BUILDER_H
#define SL_RECORD_BUILDER_H

#include "record/batch.h"

typedef struct sl_builder sl_builder;

/* Receives a finished batch and takes it. */
typedef sl_status (*sl_batch_sink)(void *to, sl_batch *take, sl_error *err);

/* MAX_ROWS 0: 4096; at most 65536. INPUT (may be NULL) is kept by every batch made. */
sl_builder *sl_builder_new(uint32_t max_rows, sl_input *input, sl_batch_sink sink, void *to);
void sl_builder_free(sl_builder **bd); /* NULL-safe; rows not flushed are dropped */

/* The arena of the batch under construction. Changes at every flush, so take it after sl_builder_row; it stays the same until
 * the next one. NULL before the first row. */
sl_arena *sl_builder_arena(sl_builder *bd);
/* The name of the input for messages, for all batches from now on; outlives the run. */
void sl_builder_source(sl_builder *bd, const char *source);

SL_MUST_CHECK sl_status sl_builder_row(sl_builder *bd, sl_error *err);
/* A missing value leaves the key out. NAME need not outlive the call. */
SL_MUST_CHECK sl_status sl_builder_put(sl_builder *bd, sl_text name, sl_value v, sl_error *err);
/* A whole row from a map; anything else becomes a bare scalar element. Deep-copies V into the arena. */
SL_MUST_CHECK sl_status sl_builder_add(sl_builder *bd, sl_value v, sl_error *err);
/* The line of the row just begun, for messages. */
void sl_builder_line(sl_builder *bd, uint64_t line);
/* The row just begun was not well-formed and had to be mended: counts it in its batch. */
void sl_builder_recovered(sl_builder *bd);
SL_MUST_CHECK sl_status sl_builder_flush(sl_builder *bd, sl_error *err);

#endif
