/* reference.h: a file or URL that a pipe looks things up in, read whole by a worker, when the first item asks for it. */
#ifndef SL_OPERATORS_LOOKUP_REFERENCE_H
#define SL_OPERATORS_LOOKUP_REFERENCE_H

#include "plan/pipe.h"
#include "record/builder.h"

/* Reads URL as fetchdata does and hands its batches to SINK, which takes them
 * and returns SL_DONE when it has enough. TYPE as for fetchdata, and ENCODING, or empty. On failure the error names the file.
 * Thread rule: any worker; nothing is shared between calls. */
SL_MUST_CHECK sl_status sl_reference_read(sl_text url, sl_text type, sl_text encoding, const sl_env *env, sl_batch_sink sink,
                                          void *to, sl_error *err);

#endif
