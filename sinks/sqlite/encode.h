/* encode.h: the worker's half of loading: batches into frames of SQLite pages (leaf.h).
 *
 * Every value is stored by its own nature: whole numbers as INTEGER, reals as REAL, other texts as TEXT; the coordinator decides
 * about columns. Once a column has shown a text that is no number, what reads like one is stored as the text it is: the usual
 * column of texts is then never written again. The columns of a frame stand in the order in which its rows show them first, so the
 * table's columns do not depend on how the input was cut into units. Thread rule: an encoder is one worker's; conf is read-only. */
#ifndef SL_SINKS_SQLITE_ENCODE_H
#define SL_SINKS_SQLITE_ENCODE_H

#include "record/batch.h"

typedef enum sl_affinity { SL_BY_EVIDENCE, SL_AS_INTEGER, SL_AS_REAL, SL_AS_NUMERIC, SL_AS_TEXT, SL_AS_BLOB } sl_affinity;

typedef struct sl_column_type { /* as the conf asks for it */
    sl_text name;
    sl_affinity affinity;
} sl_column_type;

typedef struct sl_sqlite_shape {
    const sl_column_type *types;
    uint32_t ntypes;
    uint32_t most_columns; /* that a table can have */
    bool flatten;          /* members of maps become columns a.b */
} sl_sqlite_shape;

/* What the conf says of column NAME, or of one that differs in case, as SQLite tells neither from the other. */
sl_affinity sl_shape_type(const sl_sqlite_shape *shape, sl_text name);

typedef struct sl_sqlite_encoder sl_sqlite_encoder;
sl_sqlite_encoder *sl_sqlite_encoder_new(const sl_sqlite_shape *shape); /* NULL: no memory */
void sl_sqlite_encoder_free(sl_sqlite_encoder *e);                      /* NULL-safe */

/* An empty FRAME begins a unit; finish closes the frame, also an empty one. */
SL_MUST_CHECK sl_status sl_sqlite_encode(sl_sqlite_encoder *e, sl_batch *b, sl_buf *frame, sl_error *err);
SL_MUST_CHECK sl_status sl_sqlite_encode_end(sl_sqlite_encoder *e, sl_buf *frame, sl_error *err);

#endif
