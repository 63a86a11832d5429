/* file_holds.h: whether a file that is about to be replaced holds any record. What is not there, or no regular file, holds none. */
#ifndef SL_SINKS_FILE_HOLDS_H
#define SL_SINKS_FILE_HOLDS_H

#include "base/status.h"

/* Delimited text: something behind the header, or at all without HEADER. QUOTE 0: none. */
SL_MUST_CHECK sl_status sl_file_holds_rows(const char *path, char quote, bool header, bool *some, sl_error *err);
/* JSON: anything but white space; where it is one DOCUMENT, also but [] and null. */
SL_MUST_CHECK sl_status sl_file_holds_json(const char *path, bool document, bool *some, sl_error *err);

#endif
