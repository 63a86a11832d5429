/* rows.h: single rows as bytes and back into batches: what sorts, join tables and spill files hold.
 *
 * A row is saved with the number of its *schema* (the columns of the batch it comes from). A row of a pristine CSV batch is saved
 * as its record's bytes and field ends, so that it comes back as a lazy, pristine record: sorting a file and writing it copies
 * bytes and parses no field that the sort does not look at. Any other row is saved value by value.
 *
 * Schema numbers are hashes of the schema, so sets from different workers merge and a number means the same everywhere.
 *
 * Thread rule: a set belongs to one thread at a time; saving may go on in one thread while others only read. */
#ifndef SL_RECORD_ROWS_H
#define SL_RECORD_ROWS_H

#include "record/builder.h"

typedef struct sl_schemas sl_schemas;

sl_schemas *sl_schemas_new(void);
void sl_schemas_free(sl_schemas **s); /* NULL-safe */

/* The number of B's schema, added to the set if new. */
SL_MUST_CHECK sl_status sl_schemas_of(sl_schemas *s, sl_batch *b, uint64_t *number, sl_error *err);
/* Adds the schemas of FROM. */
SL_MUST_CHECK sl_status sl_schemas_merge(sl_schemas *into, const sl_schemas *from, sl_error *err);
void sl_schemas_save(const sl_schemas *s, sl_buf *out);
SL_MUST_CHECK sl_status sl_schemas_load(sl_schemas *s, sl_cursor *c, sl_error *err);

/* Appends ROW of B, whose schema has NUMBER, to OUT. */
SL_MUST_CHECK sl_status sl_row_save(sl_batch *b, uint64_t number, uint32_t row, sl_buf *out, sl_error *err);

/* Saved rows, in the order given, as batches to SINK. */
typedef struct sl_row_reader sl_row_reader;

/* BYTES: of records about which a batch may hold (64 KiB to 1 MiB). */
sl_row_reader *sl_row_reader_new(const sl_schemas *schemas, size_t bytes, sl_batch_sink sink, void *to);
void sl_row_reader_free(sl_row_reader **r); /* NULL-safe; rows not flushed are dropped */
/* Copies ROW in. A full batch goes to the sink. */
SL_MUST_CHECK sl_status sl_row_reader_add(sl_row_reader *r, sl_text row, sl_error *err);
SL_MUST_CHECK sl_status sl_row_reader_flush(sl_row_reader *r, sl_error *err);

#endif
