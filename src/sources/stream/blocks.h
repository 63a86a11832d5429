/* blocks.h: input buffers used over and over.
 *
 * A stream fills one buffer after another; the batches made of it let go of each some time later, on any thread.
 * Given back, a buffer waits here for its next turn instead of going to the system, so a run of any length touches
 * the same few megabytes.
 *
 * Thread rule: take and free by the stream's thread; buffers come back from any. */
#ifndef SL_SOURCES_STREAM_BLOCKS_H
#define SL_SOURCES_STREAM_BLOCKS_H

#include "record/batch.h"

typedef struct sl_blocks sl_blocks;

sl_blocks *sl_blocks_new(void); /* NULL when memory is out */
/* Buffers still out stay valid and go to the system when they are let go. NULL-safe. */
void sl_blocks_free(sl_blocks **b);

/* An empty input with one reference and room for CAP bytes or more; NULL when memory is out. */
sl_input *sl_blocks_take(sl_blocks *b, size_t cap);

#endif
