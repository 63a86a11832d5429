/* arena.c: memory that dies together. The blocks of an arena form a list with the newest in front. Only the newest one is
 * filled: looking for room in older blocks would cost more than the bytes at their ends are worth, since an arena soon dies as
 * a whole. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BLOCK = 4 << 10, LARGEST_BLOCK = 1 << 20 };

/* Sixteen bytes, so that what follows keeps malloc's alignment. */
struct sl_arena_block {
    sl_arena_block *next;
    size_t size; /* bytes after this header */
};

static char *block_bytes(sl_arena_block *b) {
    return (char *)(b + 1);
}

static sl_arena_block *block_new(sl_arena *a, size_t size) {
    if (size > SIZE_MAX - sizeof(sl_arena_block)) return NULL;
    sl_arena_block *b = malloc(sizeof *b + size);
    if (!b) return NULL;
    b->size = size;
    a->total += sizeof *b + size;
    return b;
}

/* A request that would waste most of a block gets one of its own, behind the newest, whose rest stays in use. */
static void *alloc_own(sl_arena *a, size_t size) {
    sl_arena_block *b = block_new(a, size);
    if (!b) return NULL;
    sl_arena_block **link = a->blocks ? &a->blocks->next : &a->blocks;
    b->next = *link;
    *link = b;
    if (a->blocks == b) a->at = a->end = block_bytes(b) + size;
    return block_bytes(b);
}

static size_t next_size(const sl_arena *a) {
    size_t size = a->blocks ? a->total : FIRST_BLOCK;
    return size > LARGEST_BLOCK ? LARGEST_BLOCK : size;
}

void *sl_arena_grow(sl_arena *a, size_t size) {
    if (size > SIZE_MAX - 15) return NULL;
    size_t need = (size + 15) & ~(size_t)15, block = next_size(a);
    if (need > block / 4) return alloc_own(a, need ? need : 16);
    sl_arena_block *b = block_new(a, block);
    if (!b) return NULL;
    b->next = a->blocks;
    a->blocks = b;
    a->at = block_bytes(b) + need;
    a->end = block_bytes(b) + block;
    return block_bytes(b);
}

void *sl_arena_calloc(sl_arena *a, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) return NULL;
    void *p = sl_arena_alloc(a, count * size);
    if (p) memset(p, 0, count * size);
    return p;
}

char *sl_arena_strndup(sl_arena *a, const char *s, size_t n) {
    char *p = n < SIZE_MAX ? sl_arena_alloc(a, n + 1) : NULL;
    if (!p) return NULL;
    if (n) memcpy(p, s, n);
    p[n] = 0;
    return p;
}

sl_text sl_arena_text(sl_arena *a, sl_text t) {
    return (sl_text){sl_arena_strndup(a, t.s, t.n), t.n};
}

sl_text sl_arena_printf(sl_arena *a, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *p = n < 0 ? NULL : sl_arena_alloc(a, (size_t)n + 1);
    if (p) vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    return (sl_text){p, p ? (uint32_t)n : 0};
}

static sl_arena_block *take_largest(sl_arena *a) {
    sl_arena_block **best = &a->blocks;
    for (sl_arena_block **p = &a->blocks; *p; p = &(*p)->next)
        if ((*p)->size > (*best)->size) best = p;
    sl_arena_block *b = *best;
    if (b) *best = b->next;
    return b;
}

void sl_arena_reset(sl_arena *a) {
    sl_arena_block *keep = take_largest(a);
    sl_arena_free(a);
    if (!keep) return;
    keep->next = NULL;
    *a = (sl_arena){block_bytes(keep), block_bytes(keep) + keep->size, keep, sizeof *keep + keep->size};
}

void sl_arena_free(sl_arena *a) {
    for (sl_arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (sl_arena){0};
}
