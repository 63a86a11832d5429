/* foreign.h: input of a kind that sluice does not read, or not as what it was called: told by its first bytes, so that the message
 * can say what to do instead of where the first odd byte is. */
#ifndef SL_SOURCES_STREAM_FOREIGN_H
#define SL_SOURCES_STREAM_FOREIGN_H

#include "base/error.h"
#include "formats/format.h"

/* SL_E_DATA where the N bytes of DATA begin an archive, a packed or an office file, a database. SL_OK for all else. */
SL_MUST_CHECK sl_status sl_foreign_file(const char *data, size_t n, sl_error *err);

/* SL_E_DATA where they begin JSON or XML, and FORMAT refuses that. */
SL_MUST_CHECK sl_status sl_foreign_text(const sl_format *format, const char *data, size_t n, sl_error *err);

/* SL_E_DATA where they begin a web page, and FORMAT refuses that; SL_E_IO where a server sent them. They do by their own words, or
 * by MEDIA_TYPE; as some servers call any file a page, it must look like markup then. Without a look at it, a page would become a
 * table whose only column is called <!DOCTYPE html>. */
SL_MUST_CHECK sl_status sl_foreign_page(const sl_format *format, const char *media_type, bool sent, const char *data, size_t n,
                                        sl_error *err);

#endif
