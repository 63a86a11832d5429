/* tempfile.h: unlinked temporary files for what does not fit into memory. They vanish with their descriptor, however the
 * process ends. */
#ifndef SL_BASE_TEMPFILE_H
#define SL_BASE_TEMPFILE_H

#include "base/status.h"

/* Where they are unless somebody says otherwise: $TMPDIR, or /tmp. */
const char *sl_tempfile_folder(void);
/* A new empty file in DIR, already unlinked, close-on-exec. */
SL_MUST_CHECK sl_status sl_tempfile_open(const char *dir, int *fd, sl_error *err);
/* All N bytes at OFFSET; short transfers and interruptions are taken care of. A full disk is SL_E_IO and says so. */
SL_MUST_CHECK sl_status sl_tempfile_write(int fd, const void *data, size_t n, uint64_t offset, sl_error *err);
SL_MUST_CHECK sl_status sl_tempfile_read(int fd, void *data, size_t n, uint64_t offset, sl_error *err);
/* The errno with which the kernel could not bring some of the file to the disk since the last call, or 0. It may then have
 * forgotten those bytes and read others: what was read before a call that gives 0 is what was written. Reads above ask it
 * themselves. Does not wait for the disk. */
SL_MUST_CHECK int sl_tempfile_lost(int fd);

#endif
