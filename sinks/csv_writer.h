/* csv_writer.h: the coordinator's half of delimited text: the header, once, and the rows of every frame below it. */
#ifndef SL_SINKS_CSV_WRITER_H
#define SL_SINKS_CSV_WRITER_H

#include "sinks/encode_csv.h"
#include "sinks/file_out.h"

typedef struct sl_csv_writer {
    const sl_csv_style *style;
    sl_file_out *out; /* borrowed */
    bool header;      /* write one */
    bool begun;       /* names are known */
    uint32_t ncols;
    sl_buf names;     /* of the header, spelled as in a section */
    sl_buf heading;   /* names of the first section without rows: the header, when there is no other section */
    uint32_t heading_cols;
    sl_buf line;      /* a row under way */
} sl_csv_writer; /* zero, then style, out and header set */

/* One unit's frame; adds its rows to *ROWS. A column that the header lacks is SL_E_DATA. */
SL_MUST_CHECK sl_status sl_csv_write(sl_csv_writer *w, const char *frame, size_t n, uint64_t *rows, sl_error *err);
/* No more frames: fixed columns, and those of an input's header, get their header even without a row. */
SL_MUST_CHECK sl_status sl_csv_end(sl_csv_writer *w, sl_error *err);
void sl_csv_writer_free(sl_csv_writer *w);

#endif
