/* missing.h: what to say of a file that cannot be opened. */
#ifndef SL_BASE_MISSING_H
#define SL_BASE_MISSING_H

#include "base/status.h"

/* The failure of opening NAME with ERRNUM. Of one that is not there it also tells a file beside it whose name is nearly the same,
 * or the folder in which it was looked for, or that there is no such folder. */
sl_status sl_fail_open(const char *name, int errnum, sl_error *err);

#endif
