/* memory.c: an allocator for one Lua state. It keeps free blocks in lists by size, as almost all of what a function over items
 * allocates is small and dropped at once. It counts what is in use, which is how the limit on a function's memory is kept. */
#include <stdlib.h>
#include <string.h>

#include "operators/lua/memory.h"

enum { STEP = 16, LARGEST = STEP * (SL_LUA_CLASSES - 1), CHUNK = 64 << 10 };

static size_t class_of(size_t n) {
    return (n + STEP - 1) / STEP;
}

static size_t rounded(size_t n) {
    return n <= LARGEST ? class_of(n) * STEP : n;
}

static void push(void **list, void *block) {
    *(void **)block = *list;
    *list = block;
}

/* A new chunk begins with its link; what the last one has left goes into the list of its size. */
static char *cut(sl_lua_memory *m, size_t size) {
    if (m->left < size) {
        char *chunk = malloc(CHUNK);
        if (!chunk) return NULL;
        if (m->left) push(&m->free[m->left / STEP], m->rest);
        push(&m->chunks, chunk);
        m->rest = chunk + STEP;
        m->left = CHUNK - STEP;
    }
    char *block = m->rest;
    m->rest += size;
    m->left -= size;
    return block;
}

static void *take(sl_lua_memory *m, size_t n) {
    if (n > LARGEST) return malloc(n);
    size_t c = class_of(n);
    void *block = m->free[c];
    if (!block) return cut(m, c * STEP);
    m->free[c] = *(void **)block;
    return block;
}

static void give_back(sl_lua_memory *m, void *p, size_t n) {
    if (n > LARGEST)
        free(p);
    else if (n)
        push(&m->free[class_of(n)], p);
}

static void *move(sl_lua_memory *m, void *p, size_t before, size_t now) {
    if (before > LARGEST && now > LARGEST) return realloc(p, now);
    void *to = take(m, now);
    if (!to) return NULL;
    memcpy(to, p, before < now ? before : now);
    give_back(m, p, before);
    return to;
}

void *sl_lua_allocate(void *memory, void *p, size_t before, size_t now) {
    sl_lua_memory *m = memory;
    size_t had = rounded(before), wanted = rounded(now);
    if (wanted > had && m->limit && m->used + (wanted - had) > m->limit) return NULL;
    if (had == wanted && p) return p;
    void *got = NULL;
    if (!now)
        give_back(m, p, before);
    else if (!(got = before ? move(m, p, before, now) : take(m, now)))
        return NULL;
    m->used += wanted - had;
    return got;
}

void sl_lua_memory_free(sl_lua_memory *m) {
    for (void *chunk = m->chunks; chunk;) {
        void *next = *(void **)chunk;
        free(chunk);
        chunk = next;
    }
    *m = (sl_lua_memory){0};
}
