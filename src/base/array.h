/* array.h: arrays on the heap that grow. */
#ifndef SL_BASE_ARRAY_H
#define SL_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* Makes room for NEED elements in V, a pointer variable, which has room for CAP (uint32_t or size_t; NULL and 0: none yet). What is
 * made is at least twice as large, so that adding one by one stays cheap. false: no memory, and nothing has changed. V belongs to
 * the caller, who ends it with free. */
#define SL_ROOM(v, cap, need) ((need) <= (cap) || sl_array_grow(&(v), sizeof *(v), &(cap), sizeof(cap), (need)))

/* For SL_ROOM: ARRAY points to the pointer, CAP to a number of CAP_SIZE bytes. */
bool sl_array_grow(void *array, size_t size, void *cap, size_t cap_size, size_t need);

#endif
