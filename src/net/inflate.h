/* inflate.h: gzip, deflate and zstd taken off a stream of bytes, step by step.
 *
 *     new (run)* finish? free
 *
 * Several members one after another count as one stream. What a careless reader lets pass is an error here: a stream
 * that ends early, bytes behind it that are something else, and output out of all proportion (more than 200 times the
 * input once 10 MiB are out). Thread rule: one thread at a time. */
#ifndef SL_NET_INFLATE_H
#define SL_NET_INFLATE_H

#include "base/status.h"

typedef enum sl_coding { SL_CODING_NONE, SL_CODING_GZIP, SL_CODING_ZSTD, SL_CODING_DEFLATE } sl_coding;

/* By the name of an HTTP content coding, in any case: gzip, x-gzip, deflate, zstd; else NONE. */
sl_coding sl_coding_named(const char *name);

/* By the magic bytes at HEAD; four bytes are enough to tell. */
sl_coding sl_coding_of(const char *head, size_t n);

typedef struct sl_inflate sl_inflate;

/* Any but NONE; NULL when memory is out. DEFLATE takes the zlib format and, as some servers send that, bare deflate. */
sl_inflate *sl_inflate_new(sl_coding coding);
void sl_inflate_free(sl_inflate **z); /* NULL-safe */

/* Takes from *IN (advancing it and *N) and puts up to CAP bytes to OUT; *MADE gets how many. 0 made: all of the input
 * is used up and more is needed. */
SL_MUST_CHECK sl_status sl_inflate_run(sl_inflate *z, const char **in, size_t *n, char *out, size_t cap, size_t *made,
                                       sl_error *err);

/* True when a call without input would still make output. */
bool sl_inflate_pending(const sl_inflate *z);

/* No more input: SL_E_IO "gzip stream ends early" unless the last member is complete. */
SL_MUST_CHECK sl_status sl_inflate_finish(const sl_inflate *z, sl_error *err);

#endif
