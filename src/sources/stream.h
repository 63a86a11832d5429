/* stream.h: a source pipe over a stream of bytes: the two halves that all of them share.
 *
 * Coordinator: reads the stream a unit at a time, shows it to the format's splitter and hands out units of whole
 * records. The rest of a block is copied to the head of the next one. Where workers do not share this memory and the
 * input is a plain file, a unit is only a range of the file and the worker reads it itself.
 *
 * Worker: has the format's reader turn a unit into batches.
 *
 *     first  bytes  ->  | header | records ............ | rest |
 *                                  `---- unit 0 ------'  `---'----> | rest | more ... |   unit 1 ...
 *
 * A unit's note is the number of the choice (choice.h), one byte, and the format's own note behind it. */
#ifndef SL_SOURCES_STREAM_H
#define SL_SOURCES_STREAM_H

#include "sources/choice.h"

/* For pipes whose conf begins with a sl_source_conf. */
extern const sl_source sl_stream_source;
sl_status sl_stream_start(const void *conf, void **state, sl_error *err);
void sl_stream_stop(void *state);

/* Runs a source to its end in the calling thread and hands its batches to SINK: for a source used as a processor,
 * once an item. CONF: prepared. SL_DONE when SINK has enough. Thread rule: any worker; nothing is shared between
 * calls. */
SL_MUST_CHECK sl_status sl_source_items(const sl_pipe *pipe, const void *conf, const sl_env *env, sl_batch_sink sink,
                                        void *to, sl_error *err);

#endif
