/* csv.h: rows as delimited text, in frames that do not depend on what other units had.
 *
 * A frame is a sequence of sections, each: columns (u32), rows (u32), bytes (u64), the names of its columns (u32 and bytes each),
 * then the rows as they will stand in the output. The coordinator compares a section's names with its header: the same, and the
 * bytes go straight out; else the cells are placed by name. A section's columns are the keys that its first row shows, so the
 * header (the first item's keys) is the same however the input was cut into units.
 *
 * One spelling a value: quotes stand only where a separator, a quote or a line end asks for them, also in records copied whole.
 * Thread rule: an encoder is one worker's; conf is read-only. */
#ifndef SL_SINKS_CSV_CSV_H
#define SL_SINKS_CSV_CSV_H

#include "options/option.h"
#include "record/batch.h"
#include "sinks/file/file.h"

typedef struct sl_csv_style {
    char delimiter, quote;
    bool crlf;
    sl_texts columns; /* given: exactly these, in this order */
} sl_csv_style;

/* Distinct, and no line ends among them. */
SL_MUST_CHECK sl_status sl_csv_style_check(const sl_csv_style *style, sl_error *err);

typedef struct sl_csv_encoder sl_csv_encoder;
sl_csv_encoder *sl_csv_encoder_new(const sl_csv_style *style); /* STYLE outlives it. NULL: no memory */
void sl_csv_encoder_free(sl_csv_encoder *e);                   /* NULL-safe */

/* Appends the selected rows of B to FRAME. An empty FRAME begins a unit. */
SL_MUST_CHECK sl_status sl_csv_encode(sl_csv_encoder *e, sl_batch *b, sl_buf *frame, sl_error *err);

void sl_csv_end_line(const sl_csv_style *style, sl_buf *out);
/* One cell, quoted where needed, no separator. */
void sl_csv_put(const sl_csv_style *style, sl_text cell, sl_buf *out);

/* ---- reading a frame back ---------------------------------------------------------------------------------------- */

typedef struct sl_csv_section {
    uint32_t ncols, nrows;
    sl_text names; /* ncols x (u32 length, bytes) */
    const char *rows;
    size_t n;
} sl_csv_section;

/* The next section: SL_OK, SL_DONE at the end, SL_E_INTERNAL when damaged. */
SL_MUST_CHECK sl_status sl_csv_next_section(sl_cursor *frame, sl_csv_section *out, sl_error *err);
/* The name at *AT, which moves on. */
sl_text sl_csv_next_name(sl_cursor *names);
/* The cell at *AT as it is written, quotes included; *AT moves behind the separator or line end. */
sl_text sl_csv_next_cell(const sl_csv_style *style, const char **at, const char *end);
/* The text of a written cell: quotes taken off, into BUF if they must be undoubled. */
sl_text sl_csv_cell_text(const sl_csv_style *style, sl_text cell, sl_buf *buf);

/* ---- the coordinator's half ------------------------------------------------------------------------------ */

/* The coordinator's half of delimited text: the header, once, and the rows of every frame below it. */

typedef struct sl_csv_writer {
    const sl_csv_style *style;
    sl_file_out *out; /* borrowed */
    bool header;      /* write one */
    bool begun;       /* names are known */
    uint32_t ncols;
    sl_buf names;   /* of the header, spelled as in a section */
    sl_buf heading; /* names of the first section without rows: the header, when there is no other section */
    uint32_t heading_cols;
    sl_buf line; /* a row under way */
} sl_csv_writer; /* zero, then style, out and header set */

/* One unit's frame; adds its rows to *ROWS. A column that the header lacks is SL_E_DATA. */
SL_MUST_CHECK sl_status sl_csv_write(sl_csv_writer *w, const char *frame, size_t n, uint64_t *rows, sl_error *err);
/* No more frames: fixed columns, and those of an input's header, get their header even without a row. */
SL_MUST_CHECK sl_status sl_csv_end(sl_csv_writer *w, sl_error *err);
void sl_csv_writer_free(sl_csv_writer *w);

#endif
