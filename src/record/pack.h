/* pack.h: a batch as one contiguous block of bytes: the one format for a worker process, a spill file and a shard.
 *
 * Offsets instead of pointers; only selected rows; lazy CSV columns go as their record bytes and index, other columns as values
 * and a heap. Unpacking validates every offset (SL_E_INTERNAL on a damaged block) and looks into the block in place. */
#ifndef SL_RECORD_PACK_H
#define SL_RECORD_PACK_H

#include "record/batch.h"

/* Appends the packed form of B to OUT: zeros up to a multiple of 8, then the block, a multiple of 8 long. */
SL_MUST_CHECK sl_status sl_batch_pack(sl_batch *b, sl_buf *out, sl_error *err);

/* A batch over the block that begins at IN->data[AT] and is at most N bytes long; it keeps IN, which is not changed. *USED gets
 * the bytes consumed: where the next block begins when several follow one another (pack pads to 8 on both sides). */
SL_MUST_CHECK sl_status sl_batch_unpack(sl_input *in, size_t at, size_t n, size_t *used, sl_batch **out, sl_error *err);

/* One value packed and unpacked (copied into ARENA), for small things such as group results. */
void sl_value_pack(sl_value v, sl_buf *out);
SL_MUST_CHECK sl_status sl_value_unpack(sl_cursor *c, sl_arena *arena, sl_value *out, sl_error *err);

#endif
