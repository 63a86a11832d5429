/* spool.h: a stream kept for later, or for several readers. Packed batches, in memory up to a budget, then in an unlinked
 * temporary file. Thread rule: the coordinator's thread only. */
#ifndef SL_RECORD_SPOOL_H
#define SL_RECORD_SPOOL_H

#include "base/log.h"
#include "record/batch.h"

typedef struct sl_spool sl_spool;

/* TMPDIR is borrowed and outlives the spool. NULL when memory is out. */
sl_spool *sl_spool_new(size_t budget, const char *tmpdir);
/* What goes to the file is told to LOG, as of WHOSE; both outlive the spool. NULL-safe. */
void sl_spool_log(sl_spool *s, sl_log *log, const char *whose);
void sl_spool_free(sl_spool **s); /* NULL-safe */

/* Appends a copy of B (borrowed). */
SL_MUST_CHECK sl_status sl_spool_add(sl_spool *s, sl_batch *b, sl_error *err);
uint32_t sl_spool_count(const sl_spool *s); /* batches so far */
/* A fresh batch equal to the one added as number I. */
SL_MUST_CHECK sl_status sl_spool_get(sl_spool *s, uint32_t i, sl_batch **out, sl_error *err);
/* Number I will not be asked for again: its memory serves later ones. */
void sl_spool_drop(sl_spool *s, uint32_t i);

#endif
