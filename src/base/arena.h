/* arena.h: memory that dies together.
 *
 * Blocks grow geometrically from 4 KiB to 1 MiB; a larger request gets a block of its own. Nothing is freed one
 * by one. sl_arena_reset keeps the largest block, so a recycled batch allocates nothing from the system.
 * Ownership: what sl_arena_* returns belongs to the arena. Thread rule: one thread at a time. */
#ifndef SL_BASE_ARENA_H
#define SL_BASE_ARENA_H

#include "base/status.h"
#include "base/text.h"

typedef struct sl_arena_block sl_arena_block;

typedef struct sl_arena {
    char *at, *end;         /* free part of the newest block */
    sl_arena_block *blocks; /* newest first */
    size_t total;           /* bytes held from the system */
} sl_arena;                 /* all zero is a valid empty arena */

/* SIZE bytes aligned to 16, uninitialised; NULL when memory is out. SIZE 0 gives a valid pointer. */
void *sl_arena_grow(sl_arena *a, size_t size);

static inline void *sl_arena_alloc(sl_arena *a, size_t size) {
    size_t need = (size + 15) & ~(size_t)15;
    if (SL_UNLIKELY(need > (size_t)(a->end - a->at) || !a->at)) return sl_arena_grow(a, size);
    void *p = a->at;
    a->at += need;
    return p;
}

/* COUNT zeroed elements of SIZE bytes; NULL when memory is out or the product overflows. */
void *sl_arena_calloc(sl_arena *a, size_t count, size_t size);

/* Copies with a NUL behind it (not counted). NULL when memory is out. */
char *sl_arena_strndup(sl_arena *a, const char *s, size_t n);

/* A copy of T whose .s is NULL only when memory is out (an empty text gets a valid pointer). */
sl_text sl_arena_text(sl_arena *a, sl_text t);

/* printf into the arena; .s is NULL when memory is out. */
sl_text sl_arena_printf(sl_arena *a, const char *fmt, ...) SL_PRINTF(2, 3);

/* Forgets the contents and keeps the largest block. */
void sl_arena_reset(sl_arena *a);

/* Returns everything to the system; the arena is empty and usable afterwards. */
void sl_arena_free(sl_arena *a);

#endif
