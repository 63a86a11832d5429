/* memory.h: the memory of one Lua state.
 *
 * A function over items makes a few small strings and tables for each and drops them at once: most of its time would go into a
 * general allocator. Blocks of up to 512 bytes are cut from chunks and kept in lists by size, so that taking and giving one back
 * are a few instructions; larger ones are malloc's.
 *
 * The limit counts the bytes of blocks in use, small ones rounded up to their size class. Chunks are given back with the state.
 * Thread rule: a state's own, like the state. */
#ifndef SL_OPERATORS_LUA_MEMORY_H
#define SL_OPERATORS_LUA_MEMORY_H

#include <stddef.h>

enum { SL_LUA_CLASSES = 33 }; /* sizes 0, 16, 32 .. 512 */

typedef struct sl_lua_memory {
    size_t used, limit;         /* bytes; limit 0: any amount */
    void *free[SL_LUA_CLASSES]; /* each block begins with the address of the next */
    void *chunks;               /* likewise */
    char *rest;                 /* of the newest chunk */
    size_t left;
} sl_lua_memory;

/* A lua_Alloc; MEMORY is an sl_lua_memory, zeroed but for its limit. NULL when the limit is reached or memory is out, which becomes
 * an error in Lua. */
void *sl_lua_allocate(void *memory, void *p, size_t before, size_t now);

/* After lua_close. */
void sl_lua_memory_free(sl_lua_memory *m);

#endif
