/* json_writer.h: the coordinator's half of JSON: lines, or the brackets and commas of an array around the frames. */
#ifndef SL_SINKS_JSON_WRITER_H
#define SL_SINKS_JSON_WRITER_H

#include "sinks/file_out.h"

typedef struct sl_json_writer {
    sl_file_out *out; /* borrowed */
    bool array;
    bool begun; /* something has been written */
} sl_json_writer; /* zero, then out and array set */

/* Between two items of a frame. */
const char *sl_json_separator(bool array);

SL_MUST_CHECK sl_status sl_json_put(sl_json_writer *w, const char *frame, size_t n, uint64_t *rows, sl_error *err);
SL_MUST_CHECK sl_status sl_json_end(sl_json_writer *w, sl_error *err);

#endif
