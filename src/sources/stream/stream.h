/* stream.h: a source pipe over a stream of bytes: the two halves that all of them share.
 *
 * Coordinator: reads the stream a unit at a time, shows it to the format's splitter and hands out units of whole
 * records. The rest of a block is copied to the head of the next one. Where workers do not share this memory and the
 * input is a plain file, a unit is only a range of the file and the worker reads it itself.
 *
 * Worker: has the format's reader turn a unit into batches.
 *
 * Of a file that would be one unit anyhow the coordinator only looks at the size and at the first bytes: the unit is its name, and
 * the worker does both halves. So a collection of many small files leaves little to the coordinator but to name them.
 *
 *     first  bytes  ->  | header | records ............ | rest |
 *                                  `---- unit 0 ------'  `---'----> | rest | more ... |   unit 1 ...
 *
 * A unit's note is the number of the choice (choice.h), one byte, and the format's own note behind it. */
#ifndef SL_SOURCES_STREAM_STREAM_H
#define SL_SOURCES_STREAM_STREAM_H

#include "sources/stream/choice.h"

/* For pipes whose conf begins with a sl_source_conf. */
extern const sl_source_calls sl_stream_source;
sl_status sl_stream_start(const void *conf, void **state, sl_error *err);
void sl_stream_stop(void *state);

/* What a stream is reading at the moment; NULL: nothing. */
sl_inflow *sl_stream_inflow(void *split);

/* ENV for a worker that reads by itself: without the run's session and its cache, which belong to the coordinator. */
sl_env sl_env_apart(const sl_env *env);

/* Splits a source that is open as SPLIT to its end and reads each unit where it is, in turn. STATE: the pipe's, started. */
SL_MUST_CHECK sl_status sl_source_drain(const sl_source_calls *source, const void *conf, void *split, void *state, sl_out *out,
                                        uint64_t *quarantined, sl_error *err);

/* A source that is read from its start to its end in one thread: a source used as a processor, once an item. CONF:
 * prepared. ENV: of the thread (shared is set, http its own session or NULL); both are borrowed until it is closed.
 * Opened, its request is registered; nothing waits. Thread rule: any worker; nothing is shared between readings. */
typedef struct sl_reading sl_reading;
SL_MUST_CHECK sl_status sl_reading_open(const sl_pipe *pipe, const void *conf, const sl_env *env, sl_reading **out, sl_error *err);
void sl_reading_close(sl_reading **r); /* NULL-safe */
/* True when waiting gains nothing: all of the answer is there, or as much of it as is kept unread, or it failed. */
bool sl_reading_settled(const sl_reading *r);
/* Lets the session's requests move for up to MS milliseconds, this one's before others. False: the run stops. */
bool sl_reading_move(sl_reading *r, int ms);
/* Does what can be done without waiting: see sl_source_calls. */
void sl_reading_advance(sl_reading *r);
/* Hands its batches to SINK. SL_DONE when SINK has enough. */
SL_MUST_CHECK sl_status sl_reading_run(sl_reading *r, sl_batch_sink sink, void *to, sl_error *err);

/* All of this in one call, for a source that is read alone. It opens a session of its own if it needs one. */
SL_MUST_CHECK sl_status sl_source_items(const sl_pipe *pipe, const void *conf, const sl_env *env, sl_batch_sink sink, void *to,
                                        sl_error *err);

#endif
