/* internal.h: what the files of the cache share.
 *
 *   cache.c        the store: finding, reading, writing entries
 *   head.c   the head of an entry as text, keys, where the folder is
 *   note.c   notes
 *   tidy.c   the folder as a whole: listing, pruning, clearing */
#ifndef SL_NET_CACHE_INTERNAL_H
#define SL_NET_CACHE_INTERNAL_H

#include "net/cache/cache.h"

#define SL_CACHE_HEAD_LIMIT ((size_t)64 << 10) /* bytes of a head; no longer one is written or read */

/* Temporary files: the six characters are mkstemp's. */
#define SL_CACHE_PART "/.sluice-part-XXXXXX"
bool sl_cache_is_part(const char *name);

/* Notes: this and a key. */
#define SL_CACHE_NOTE ".sluice-note-"
bool sl_cache_is_note(const char *name);

/* True for 64 hexadecimal digits in lower case: the name of an entry. */
bool sl_cache_is_key(sl_text name);

/* The digits of the N bytes at SUM, and a NUL. */
void sl_cache_hex(const unsigned char *sum, size_t n, char *out);

/* H as text, to the empty line, with length and sum in fields of fixed width: a head written before the body can be
 * written again, over the same bytes, when they are known. H's sum may be empty: zeros then. */
void sl_cache_head_write(const sl_cache_head *h, sl_buf *out);

/* DIR and what leads to it, as far as it is missing, for this user alone. -1 and errno when it cannot be. */
int sl_cache_make_dir(const char *dir);

/* The folder, opened: -1 and errno when it cannot be used, also when it is somebody else's (EPERM). */
int sl_cache_open_dir(const char *dir);

/* The head of the open file FD into BUF, and what it says into OUT. False: the file is no whole entry. */
bool sl_cache_read_head(int fd, sl_buf *buf, sl_cache_head *out);

#endif
