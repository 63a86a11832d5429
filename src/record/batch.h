/* batch.h: one unit's worth of items (a few thousand), column by column.
 *
 * A batch is a table: columns in the order in which the items show their keys, rows addressed 0..nrows-1, and a
 * selection of the rows that are still there. Items with different keys share the union of the columns, with
 * `missing` where a key is absent. Invariant: the key order of every row is the column order; a reader or pipe that
 * would break it starts another batch (sl_builder does). So output never depends on how input was cut into units.
 *
 * Columns are lazy: what a CSV reader makes is an index of field ends (sl_records), and a column becomes values when
 * somebody asks. A pipe asks with sl_column_values (decoded) for the columns it touches and no others.
 *
 * A batch whose stream elements are bare scalars (tokenizer parts emitted as text, `count` with emit) has the one
 * column "content" and `bare` set; it is an ordinary {"content": v} item for every pipe, and written as the scalar.
 *
 * Ownership: a batch holds one reference to its backing (arena and input buffers); sl_batch_free drops it. A slice or a cut
 * has a backing of its own that keeps its parent's, so different batches never write to the same memory. Everything reached
 * from a batch lives as long as its backing. Names of columns live in the backing too or outlive the run. Thread rule: one
 * thread at a time for a batch; batches related by slicing, cutting or keeping may be used by different threads. */
#ifndef SL_RECORD_BATCH_H
#define SL_RECORD_BATCH_H

#include "record/value.h"

#define SL_NO_FIELD UINT32_MAX /* the end offset of a field that a short record does not have */
#define SL_PADDING  64         /* bytes readable past the end of every input buffer, for vector loads */

/* A block of input bytes, counted because batches of several units may look into one. data has SL_PADDING readable
 * bytes past len. Thread rule: the count is atomic, the bytes are immutable once shared. */
typedef struct sl_input sl_input;
struct sl_input {
    char *data;
    size_t len, cap;
    void (*release)(sl_input *in); /* last reference gone: frees or recycles */
    void *owner;                   /* for release */
    _Atomic unsigned refs;
};

/* An input with one reference and room for CAP bytes (plus padding); NULL when memory is out. */
sl_input *sl_input_new(size_t cap);
/* The same holding a copy of the bytes. */
sl_input *sl_input_copy(const void *data, size_t n);
sl_input *sl_input_ref(sl_input *in);
void sl_input_unref(sl_input **in); /* NULL-safe */

/* Structural index of a block of delimited records: rectangular, 4 bytes a field. */
typedef struct sl_records {
    const char *base;      /* offsets count from here */
    const uint32_t *start; /* [nrows] first byte of the record */
    const uint32_t *end;   /* [nrows * nfields] end of each field: at its separator, quotes included; or SL_NO_FIELD.
                              A field starts one byte after the end of the one before. */
    uint32_t nfields;
    char quote; /* 0: none */
    char delim;
    bool plain; /* no quote character anywhere in the block */
} sl_records;

/* Where the last field ends that ROW has; where the record begins when it has none. */
uint32_t sl_record_end(const sl_records *r, uint32_t row);

typedef struct sl_column {
    sl_text name;
    sl_value *values; /* [nrows]; NULL while lazy */
    uint32_t field;   /* field of sl_records, while values is NULL */
    bool raw;         /* values may still hold raw values */
    bool shared;      /* values belong to several batches: sl_column_values copies them first */
} sl_column;

typedef struct sl_backing sl_backing; /* counted: an arena and the inputs that views point into */

typedef struct sl_batch {
    sl_backing *backing;
    uint32_t nrows;
    uint32_t nsel;       /* rows still there */
    const uint32_t *sel; /* [nsel] ascending row numbers, or NULL: all rows */
    sl_column *cols;
    uint32_t ncols, cap_cols;
    const sl_records *records; /* for lazy columns, else NULL */
    bool pristine;             /* the columns are exactly the fields of records, in order, untouched */
    bool bare;                 /* elements are scalars */
    bool headed;               /* the columns are those of the input's header: they tell something even without a row */
    uint64_t first_line;       /* input line of row 0 for messages, 0 unknown */
    const uint32_t *line;      /* [nrows] lines after first_line at which each row begins (UINT32_MAX: unknown), or NULL */
    const char *source;        /* name of the input for messages, or NULL; outlives the run */
    uint32_t recovered;        /* rows that their reader had to mend: counted, and set to 0, where the batch leaves its source */
} sl_batch;

/* A batch of NROWS rows and no columns on a new backing that keeps a reference to INPUT (may be NULL; borrowed).
 * NULL when memory is out. */
sl_batch *sl_batch_new(sl_input *input, uint32_t nrows);
void sl_batch_free(sl_batch **b); /* NULL-safe; nulls the pointer */

sl_arena *sl_batch_arena(sl_batch *b);
/* Keeps IN alive as long as the backing of B. Borrows IN (takes a reference of its own). */
SL_MUST_CHECK sl_status sl_batch_keep(sl_batch *b, sl_input *in, sl_error *err);
/* Keeps the backing of OTHER alive as long as that of B: for values of B that look into OTHER. */
SL_MUST_CHECK sl_status sl_batch_keep_batch(sl_batch *b, const sl_batch *other, sl_error *err);

/* A new batch with the same columns (columns not yet decoded stay lazy on their own; values are shared until one side asks
 * for them with sl_column_values), selecting rows SEL[0..N), ascending, all selected in B too; copied. B stays usable.
 * NULL when memory is out. */
sl_batch *sl_batch_slice(const sl_batch *b, const uint32_t *sel, uint32_t n);

/* A new batch of the rows FROM .. FROM+COUNT-1 (row numbers), which become its rows 0 .. COUNT-1; those not selected in B are
 * not selected in it. Nothing is copied and nothing marked as shared: for a caller that cuts B into parts that do not overlap
 * and then frees it. NULL when memory is out. */
sl_batch *sl_batch_cut(const sl_batch *b, uint32_t from, uint32_t count);

/* Gives B, which has no columns yet, the fields of RECORDS (which lives in its backing) as lazy columns NAMES[0..nfields), and
 * sets pristine. Records with missing fields: the caller clears pristine. */
SL_MUST_CHECK sl_status sl_batch_set_records(sl_batch *b, const sl_records *records, const sl_text *names, sl_error *err);

/* Row number of the I-th selected row. */
static inline uint32_t sl_batch_row(const sl_batch *b, uint32_t i) {
    return b->sel ? b->sel[i] : i;
}

/* Keeps the selected rows whose flag is set: KEEP[i] belongs to the i-th selected row. */
SL_MUST_CHECK sl_status sl_batch_select(sl_batch *b, const bool *keep, sl_error *err);
/* Keeps the selected rows FROM .. FROM+COUNT-1 (positions in the selection). */
SL_MUST_CHECK sl_status sl_batch_window(sl_batch *b, uint32_t from, uint32_t count, sl_error *err);

/* Index of the column NAME (exact, or ignoring ASCII case), or -1. */
int sl_batch_find(const sl_batch *b, sl_text name, bool nocase);

/* Decoded values of column C, indexed by ROW (not by position in the selection). Rows that are not selected hold
 * unspecified but valid values. NULL on failure (err says why). The array may be changed in place by its pipe, which then
 * calls sl_batch_touched. */
sl_value *sl_column_values(sl_batch *b, uint32_t c, sl_error *err);
/* The same only for reading: never copies an array that is shared with another batch, unless it has to be decoded. */
const sl_value *sl_column_read(sl_batch *b, uint32_t c, sl_error *err);
/* The same without decoding: values may be raw. For sinks and readers of bytes. Read-only. */
sl_value *sl_column_raw(sl_batch *b, uint32_t c, sl_error *err);

/* The values or names of B no longer are those of its input: it is not written by copying records. */
static inline void sl_batch_touched(sl_batch *b) {
    b->pristine = false;
}

/* One cell, decoded, without making the whole column (column values if they exist, else the field itself). */
SL_MUST_CHECK sl_status sl_batch_cell(sl_batch *b, uint32_t c, uint32_t row, sl_value *out, sl_error *err);

/* The same as it stands, maybe raw; nothing is allocated. */
sl_value sl_batch_peek(const sl_batch *b, uint32_t c, uint32_t row);

/* The bytes of the whole record of ROW as they stood in the input, without line end; only for pristine batches. */
static inline sl_text sl_batch_record(const sl_batch *b, uint32_t row) {
    const sl_records *r = b->records;
    uint32_t from = r->start[row], to = r->end[(size_t)row * r->nfields + r->nfields - 1];
    return (sl_text){r->base + from, to - from};
}

/* Appends a column (no column of that name may exist) with room for nrows values, all missing; *VALUES gets them. NAME is
 * copied. */
SL_MUST_CHECK sl_status sl_batch_add_column(sl_batch *b, sl_text name, sl_value **values, sl_error *err);
/* Takes column C out. */
void sl_batch_drop_column(sl_batch *b, uint32_t c);
/* Moves column C to the end under NAME (copied into the backing). */
SL_MUST_CHECK sl_status sl_batch_move_last(sl_batch *b, uint32_t c, sl_text name, sl_error *err);

/* The item of ROW as a map value in the batch's arena, keys in order, absent ones left out. */
SL_MUST_CHECK sl_status sl_batch_item(sl_batch *b, uint32_t row, sl_value *map, sl_error *err);

/* "Line of the record" for messages: 0 when unknown. */
uint64_t sl_batch_line(const sl_batch *b, uint32_t row);

#endif
