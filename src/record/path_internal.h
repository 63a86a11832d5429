/* path_internal.h: what path.c and assign.c share. */
#ifndef SL_RECORD_PATH_INTERNAL_H
#define SL_RECORD_PATH_INTERNAL_H

#include "record/path.h"

/* Index of KEY in MAP, the exact spelling first, or -1. */
int64_t sl_map_find(sl_value map, sl_text key, bool nocase);

#endif
