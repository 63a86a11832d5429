/* tempfile.h: unlinked temporary files for what does not fit into memory. They vanish with their descriptor, however the
 * process ends. */
#ifndef SL_BASE_TEMPFILE_H
#define SL_BASE_TEMPFILE_H

#include "base/status.h"

/* A new empty file in DIR, already unlinked, close-on-exec. */
SL_MUST_CHECK sl_status sl_tempfile_open(const char *dir, int *fd, sl_error *err);
/* All N bytes at OFFSET; short transfers and interruptions are taken care of. A full disk is SL_E_IO and says so. */
SL_MUST_CHECK sl_status sl_tempfile_write(int fd, const void *data, size_t n, uint64_t offset, sl_error *err);
SL_MUST_CHECK sl_status sl_tempfile_read(int fd, void *data, size_t n, uint64_t offset, sl_error *err);

#endif
