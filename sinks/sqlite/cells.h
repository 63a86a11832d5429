/* cells.h: the rows of a frame (leaf.h), one after another, as cells of the table's columns.
 *
 *   open next* ... open next* free       What a row's cells show lives until the next row. Thread rule: one thread at a time. */
#ifndef SL_SINKS_SQLITE_CELLS_H
#define SL_SINKS_SQLITE_CELLS_H

#include "sinks/sqlite/leaf.h"

typedef enum sl_cell_kind {
    SL_CELL_MISSING, /* the item has no such field */
    SL_CELL_NULL,
    SL_CELL_EMPTY, /* an empty text of a column that may be one of numbers */
    SL_CELL_INT,
    SL_CELL_REAL,
    SL_CELL_BOOL,
    SL_CELL_TEXT
} sl_cell_kind;

typedef struct sl_cell {
    sl_cell_kind kind;
    int64_t i;    /* INT, BOOL */
    double f;     /* REAL */
    sl_text text; /* TEXT: itself; numbers: how they were written, .s NULL: the shortest way; EMPTY: .s NULL if held as NULL */
} sl_cell;

/* The text that CELL came as: of any kind but MISSING and NULL. DIGITS: room for numbers. */
sl_text sl_cell_text(const sl_cell *cell, char digits[32]);

typedef struct sl_cells_reader {
    sl_cell *cells; /* [ncols], by column of the table */
    uint32_t ncols;
    sl_text source; /* of the row, .n 0: unknown */
    uint64_t line;  /* 0: unknown */
    /* ---- its own ---- */
    const sl_leaf_frame *frame;
    const uint32_t *place;
    sl_text *marks; /* [frame->ncols * SL_MARKS] */
    uint32_t cap_cells, cap_marks;
    uint32_t page, at, row; /* the next cell, the number of the row in the frame */
    sl_cursor spellings, places;
    uint64_t spelled; /* the row of the next spelling */
    uint32_t stretch; /* rows left of the stretch of places */
    sl_buf record;
} sl_cells_reader; /* all zero before the first open */

/* The rows of FRAME: its column c is column PLACE[c] of NCOLS. Both are borrowed until the next open. */
SL_MUST_CHECK sl_status sl_cells_open(sl_cells_reader *r, const sl_leaf_frame *frame, const uint32_t *place, uint32_t ncols,
                                      sl_error *err);
/* SL_DONE behind the last row. */
SL_MUST_CHECK sl_status sl_cells_next(sl_cells_reader *r, sl_error *err);
void sl_cells_free(sl_cells_reader *r);

/* Appends the rows of F, as they are, to the frame that W writes, whose first columns are those of F. ROOM: for long ones. */
SL_MUST_CHECK sl_status sl_cells_append_all(sl_leaf_writer *w, const sl_leaf_frame *f, sl_buf *room, sl_error *err);

/* Makes records of cells. */
typedef struct sl_cells_writer {
    uint32_t ncols;
    uint8_t *head; /* 9 bytes a column */
    sl_buf body;
} sl_cells_writer; /* all zero before the first open */
SL_MUST_CHECK sl_status sl_cells_writer_open(sl_cells_writer *rw, uint32_t ncols, sl_error *err); /* also for more columns */
/* For good: nothing stands beside the record. TO_TEXT: [ncols] the column is one of texts. */
SL_MUST_CHECK sl_status sl_cells_write(sl_cells_writer *rw, const sl_cell *cells, const bool *to_text, sl_leaf_writer *out,
                                       sl_error *err);
/* As a worker would have made it, with what stands beside; but for its place. */
SL_MUST_CHECK sl_status sl_cells_keep(sl_cells_writer *rw, const sl_cell *cells, sl_leaf_writer *out, sl_error *err);
void sl_cells_writer_free(sl_cells_writer *rw);

#endif
