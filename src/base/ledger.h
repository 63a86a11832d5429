/* ledger.h: what a run has read, noted line by line by whatever process of it reads: all append to one unlinked file.
 *
 *     file STAMP NAME             a file as it was when it was opened
 *     glob SUM FOLDER|PATTERN     the names that a pattern stood for
 *     http KEY SUM                an answer that the cache has under KEY: the SHA-256 of its body
 *
 * What was read but cannot be recognised the next time (standard input, an answer that is not kept) spoils the ledger. Making a
 * note never fails: where it cannot be made the ledger is spoiled.
 *
 * Thread rule: made, read and freed by the coordinator; notes come from any thread and any process forked since. */
#ifndef SL_BASE_LEDGER_H
#define SL_BASE_LEDGER_H

#include "base/buffer.h"
#include "base/status.h"

struct stat;

typedef struct sl_ledger sl_ledger;

/* By what a file is recognised, as text: SIZE SECONDS.NANOSECONDS INODE. */
enum { SL_STAMP = 80 };
void sl_ledger_stamp(const struct stat *st, char out[SL_STAMP]);

SL_MUST_CHECK sl_status sl_ledger_new(const char *tmpdir, sl_ledger **out, sl_error *err);
void sl_ledger_free(sl_ledger **l); /* NULL-safe */

/* All may be given no ledger (NULL): nothing is noted then. */
void sl_ledger_note(sl_ledger *l, const char *fmt, ...) SL_PRINTF(2, 3); /* a line, without its end */
void sl_ledger_note_file(sl_ledger *l, const char *name, const struct stat *st);
void sl_ledger_note_path(sl_ledger *l, const char *path); /* the same, and looks at the file itself */
void sl_ledger_spoil(sl_ledger *l);
bool sl_ledger_spoiled(const sl_ledger *l);

/* Where the ledger stands, and back to there. */
typedef struct sl_ledger_mark {
    uint64_t bytes;
    bool spoiled;
} sl_ledger_mark;
sl_ledger_mark sl_ledger_here(const sl_ledger *l);
void sl_ledger_back(sl_ledger *l, sl_ledger_mark to);

/* Appends all lines to OUT, in the order of their bytes, each once. */
SL_MUST_CHECK sl_status sl_ledger_read(const sl_ledger *l, sl_buf *out, sl_error *err);

#endif
