/* leaf.h: rows as pages of an SQLite table B-tree, with what the pages cannot tell beside them.
 *
 * A *frame* is whole pages (leaves, and the overflow pages of rows too long for one) and a trailer. Page numbers are relative to
 * the frame. A worker does not know the rowids: it leaves room for a varint of four bytes, so that the coordinator can put the true
 * ones in place without moving anything; where they are known they take as little as they need. A last leaf that nothing follows is
 * cut down to what is in it: a unit of one small row is a frame of a few bytes.
 *
 * Every cell stands in its page by its own nature: whole numbers as INTEGER, reals as REAL, texts as TEXT. As these pages may
 * become a database as they are, what SQLite has no form for is said beside them:
 *   - the *spelling* of a number that its stored form does not give back (0.10, 1e5; also every real held as an integer, 2.0),
 *   - *marks*, a bit a row, of cells that are missing, and of those that are empty texts held as NULL,
 *   - the *place* of each row in the input.
 * Booleans are told from integers by their serial type: 1 with the byte 0 or 1, which SQLite itself never writes for them.
 * File format: sqlite.org/fileformat2.html, sections 1.5, 1.6 and 2.1. Thread rule: one thread at a time. */
#ifndef SL_SINKS_SQLITE_LEAF_H
#define SL_SINKS_SQLITE_LEAF_H

#include <math.h>

#include "base/buffer.h"

#define SL_LEAF_PAGE     16384u
#define SL_LEAF_ROOM     (((int64_t)1 << 28) - 1) /* largest rowid that the room left for it has space for */
#define SL_LEAF_LAST     (((int64_t)1 << 35) - 1) /* largest rowid at all */
#define SL_LEAF_OVERFLOW UINT32_MAX               /* kind of an overflow page; of a leaf it is the number of its cells */

/* What a column's cells have shown. */
enum {
    SL_SEEN_INT = 1,
    SL_SEEN_REAL = 2,
    SL_SEEN_TEXT = 4,
    SL_SEEN_EMPTY = 8, /* empty texts, held as NULL and marked */
    SL_SEEN_BIG = 16,  /* integers beyond 2^53, which a double does not hold */
    SL_SEEN_BOOL = 32
};

typedef enum sl_mark { SL_MARK_MISSING, SL_MARK_EMPTY, SL_MARKS } sl_mark;

typedef struct sl_leaf_writer {
    sl_buf *frame;
    size_t page;         /* offset of the open leaf; SIZE_MAX: none */
    uint32_t cells, top; /* of it: how many, and where the lowest begins */
    uint32_t nrows;
    int64_t before;   /* rowids follow this one; -1: they are not known */
    sl_buf kinds;     /* u32 a page */
    sl_buf spellings; /* varints: rows since the last one, column, length; bytes */
    uint32_t spelled; /* the row of the last one */
    sl_buf *marks;    /* [nmarks * SL_MARKS] bits by row, as long as needed */
    uint32_t nmarks;  /* columns */
    sl_buf places;    /* see sl_leaf_place */
    uint64_t line;    /* of the last row */
    uint32_t stretch; /* offset in places of the last stretch, which is open; UINT32_MAX: none */
    uint32_t stretch_rows;
} sl_leaf_writer; /* all zero before begin */

/* FRAME is empty. BEFORE: the rowid before those of its rows; -1: not known. */
void sl_leaf_begin(sl_leaf_writer *w, sl_buf *frame, int64_t before);
/* Puts ROWID into the room that a cell at CELL has for it. */
void sl_leaf_put_rowid(uint8_t *cell, int64_t rowid);
/* Of the row about to be added: the spelling of a number, a mark, the place. */
void sl_leaf_spell(sl_leaf_writer *w, uint32_t column, sl_text text);
void sl_leaf_mark(sl_leaf_writer *w, uint32_t column, sl_mark mark);
/* SOURCE and LINE: where the row comes from. All rows have a place, or those behind the last place have none. */
void sl_leaf_place(sl_leaf_writer *w, sl_text source, bool same_source, uint64_t line);
/* One row: the record's header without its length, and its body. */
void sl_leaf_row(sl_leaf_writer *w, const uint8_t *head, size_t head_n, const uint8_t *body, size_t body_n);
/* The same as a whole record. */
void sl_leaf_record(sl_leaf_writer *w, const uint8_t *record, size_t n);
/* What stands beside the pages of F, for rows about to be added that are those of F; its columns are W's first. */
typedef struct sl_leaf_frame sl_leaf_frame;
void sl_leaf_join(sl_leaf_writer *w, const sl_leaf_frame *f);
/* Whole pages the frame has so far, the open one included. */
uint32_t sl_leaf_pages(const sl_leaf_writer *w);
/* Closes the frame. NAMES and SEEN: [ncols]. */
SL_MUST_CHECK sl_status sl_leaf_finish(sl_leaf_writer *w, const sl_text *names, const uint8_t *seen, uint32_t ncols, sl_error *err);
void sl_leaf_free(sl_leaf_writer *w);

/* Varints of SQLite, for values below 2^56. Returns the end. */
uint8_t *sl_varint_put(uint8_t *out, uint64_t v);
/* The same in N bytes, small ones with leading zeros, which SQLite reads like any other. */
uint8_t *sl_varint_put_wide(uint8_t *out, uint64_t v, unsigned n);
/* Reads one, at most up to END; returns the end, NULL when there is none. */
const uint8_t *sl_varint_get(const uint8_t *at, const uint8_t *end, uint64_t *v);

/* Serial types and bytes of an integer, a real and a boolean. *HEAD moves on; returns the body's end. Room for 9 and 8 bytes. */
uint8_t *sl_record_int(uint8_t **head, uint8_t *body, int64_t i);
uint8_t *sl_record_real(uint8_t **head, uint8_t *body, double f);
uint8_t *sl_record_bool(uint8_t **head, uint8_t *body, bool b);

/* Whether a real is held as the integer it is, as SQLite does. */
static inline bool sl_record_is_whole(double f) {
    return f > -9e15 && f < 9e15 && f == (double)(int64_t)f && !(f == 0 && signbit(f));
}

void sl_put_be32(uint8_t *out, uint32_t v);
uint32_t sl_get_be32(const uint8_t *at);

/* ---- reading frames ---------------------------------------------------------------------------------------------- */

struct sl_leaf_frame {
    const char *pages;
    uint32_t npages, nrows, ncols;
    uint32_t tail;     /* bytes of the last page; 0: it is whole */
    uint32_t base;     /* page numbers in the frame count from this one */
    sl_text names;     /* ncols x (u32 length, bytes) */
    const char *seen;  /* [ncols] SL_SEEN_* */
    const char *kinds; /* [npages] u32, unaligned */
    sl_text marks;     /* ncols x SL_MARKS x (u32 length, bytes) */
    sl_text spellings, places;
    const char *trailer;
    size_t trailer_n;
};

/* A whole frame. */
SL_MUST_CHECK sl_status sl_leaf_open(sl_leaf_frame *f, const char *data, size_t n, sl_error *err);
/* From whole pages, whose numbers count from BASE, and a trailer kept apart. */
SL_MUST_CHECK sl_status sl_leaf_open_parts(sl_leaf_frame *f, const char *pages, uint32_t base, const char *trailer, size_t n,
                                           sl_error *err);
uint32_t sl_leaf_kind(const sl_leaf_frame *f, uint32_t page);
/* Appends the frame's pages, the last one made whole, and numbers nothing. */
void sl_leaf_copy_pages(const sl_leaf_frame *f, sl_buf *out);
/* The I-th cell of leaf PAGE. */
const uint8_t *sl_leaf_cell(const sl_leaf_frame *f, uint32_t page, uint32_t i);

/* Whole length and local part of the payload of the cell at CELL. Returns where the payload begins, behind the rowid. */
const uint8_t *sl_leaf_payload(const uint8_t *cell, uint64_t *length, uint32_t *local);

#endif
