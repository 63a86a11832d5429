/* file.h: rows on disk, found by the hash of a key: a join's table that does not fit into memory.
 *
 *     new add* seal match*
 *
 * Rows lie in an unlinked temporary file in the order of adding. Sealing sorts their hashes into a second one, of which only every
 * 128th hash stays in memory: a look-up reads a block of that index, then the rows. Rows of equal keys come in the order of adding.
 *
 * Thread rule: add and seal in one thread; a sealed file may be searched by many. */
#ifndef SL_OPERATORS_JOIN_FILE_H
#define SL_OPERATORS_JOIN_FILE_H

#include "record/batch.h"

typedef struct sl_join_file sl_join_file;

/* BUDGET: bytes for sorting the hashes. TMPDIR is borrowed and outlives the file. */
SL_MUST_CHECK sl_status sl_join_file_new(size_t budget, const char *tmpdir, sl_join_file **out, sl_error *err);
void sl_join_file_free(sl_join_file **f); /* NULL-safe */

/* ROW is a packed batch of one row. */
SL_MUST_CHECK sl_status sl_join_file_add(sl_join_file *f, uint64_t hash, sl_text key, sl_text row, sl_error *err);
SL_MUST_CHECK sl_status sl_join_file_seal(sl_join_file *f, sl_error *err);

/* The next row of KEY, whose hash is HASH, as a batch that the caller frees: start with *AT 0; SL_DONE when there is none. */
SL_MUST_CHECK sl_status sl_join_file_match(const sl_join_file *f, uint64_t hash, sl_text key, size_t *at, sl_batch **out,
                                           sl_error *err);

#endif
