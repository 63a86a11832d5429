/* path_internal.h: what path.c, assign.c and nest.c share. */
#ifndef SL_RECORD_PATH_INTERNAL_H
#define SL_RECORD_PATH_INTERNAL_H

#include "record/path.h"

/* Index of KEY in MAP, the exact spelling first, or -1. */
int64_t sl_map_find(sl_value map, sl_text key, bool nocase);

/* Segments FROM .. of P set in MAP (anything else counts as an empty one): a new map in ARENA. What is no map on the way is
 * replaced by one. */
SL_MUST_CHECK sl_status sl_path_set_from(const sl_path *p, uint32_t from, sl_value map, sl_value v, sl_arena *arena, sl_value *out,
                                         sl_error *err);

#endif
