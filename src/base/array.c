#include "base/array.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 16 };

/* Pointers to objects all have one form here, and are copied as bytes because their types differ. */
bool sl_array_grow(void *array, size_t size, void *cap, size_t cap_size, size_t need) {
    assert(cap_size == sizeof(uint32_t) || cap_size == sizeof(size_t));
    bool narrow = cap_size == sizeof(uint32_t);
    size_t room = narrow ? *(uint32_t *)cap : *(size_t *)cap;
    room = room > need / 2 ? 2 * room : need;
    if (room < LEAST) room = LEAST;
    if (room > (narrow ? UINT32_MAX : SIZE_MAX) / size) return false;
    void *v;
    memcpy(&v, array, sizeof v);
    v = realloc(v, room * size);
    if (!v) return false;
    memcpy(array, &v, sizeof v);
    if (narrow)
        *(uint32_t *)cap = (uint32_t)room;
    else
        *(size_t *)cap = room;
    return true;
}
