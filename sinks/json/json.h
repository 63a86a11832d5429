/* json.h: rows as JSON objects (bare elements as their scalar), one behind the other.
 *
 * A frame is the number of its rows (u64) and the rows' texts, SEPARATOR between them: "\n" for JSON Lines, ",\n" for an array. */
#ifndef SL_SINKS_JSON_JSON_H
#define SL_SINKS_JSON_JSON_H

#include "record/batch.h"
#include "sinks/file/file.h"

/* Appends the selected rows of B. An empty FRAME begins a unit. */
SL_MUST_CHECK sl_status sl_json_encode(const char *separator, sl_batch *b, sl_buf *frame, sl_error *err);

/* The rows of a frame and their texts. */
SL_MUST_CHECK sl_status sl_json_frame(const char *frame, size_t n, uint64_t *rows, sl_text *texts, sl_error *err);

/* ---- the coordinator's half ------------------------------------------------------------------------------ */

/* The coordinator's half of JSON: lines, or the brackets and commas of an array around the frames. */

typedef struct sl_json_writer {
    sl_file_out *out; /* borrowed */
    bool array;
    bool begun;   /* something has been written */
} sl_json_writer; /* zero, then out and array set */

/* Between two items of a frame. */
const char *sl_json_separator(bool array);

SL_MUST_CHECK sl_status sl_json_put(sl_json_writer *w, const char *frame, size_t n, uint64_t *rows, sl_error *err);
SL_MUST_CHECK sl_status sl_json_end(sl_json_writer *w, sl_error *err);

#endif
