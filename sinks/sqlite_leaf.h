/* sqlite_leaf.h: rows as pages of an SQLite table B-tree, made by workers for a scratch database that only SQLite reads.
 *
 * A frame is whole leaf pages (64 KiB each, overflow pages right behind the leaf whose single row needs them) and a trailer that
 * says what they are. Page numbers and rowids are relative to the frame. Rowids are written as if the first were 2^28: from
 * there to 2^35 a varint has five bytes, so the coordinator can put the true ones in place without moving anything.
 *
 * The side log has the text of every cell whose stored form does not give its text back: 0.10 held as a number, an empty text held
 * as NULL. It is used only if the column turns out to be TEXT after all.
 * File format: sqlite.org/fileformat2.html, sections 1.5 and 1.6. Thread rule: one thread at a time. */
#ifndef SL_SINKS_SQLITE_LEAF_H
#define SL_SINKS_SQLITE_LEAF_H

#include "base/buffer.h"

#define SL_LEAF_PAGE     65536u
#define SL_LEAF_ROWID    ((int64_t)1 << 28) /* of a frame's first row; the largest allowed is SL_LEAF_LAST */
#define SL_LEAF_LAST     (((int64_t)1 << 35) - 1)
#define SL_LEAF_OVERFLOW UINT32_MAX          /* kind of an overflow page; other kinds: cells of a leaf, and perhaps: */
#define SL_LEAF_SPILLS   0x80000000u         /* its one cell continues in overflow pages */

/* What a column's cells have shown. */
enum {
    SL_SEEN_INT = 1,
    SL_SEEN_REAL = 2,
    SL_SEEN_TEXT = 4,
    SL_SEEN_EMPTY = 8, /* empty texts, held as NULL and logged */
    SL_SEEN_BIG = 16   /* integers that a double cannot hold */
};

typedef struct sl_leaf_writer {
    sl_buf *frame;
    size_t page;         /* offset of the open page; SIZE_MAX: none */
    uint32_t cells, top; /* of it: how many, and where the lowest begins */
    uint32_t nrows;
    sl_buf kinds;        /* u32 a page */
    sl_buf log;          /* u32 column, row, length; bytes */
} sl_leaf_writer;

void sl_leaf_begin(sl_leaf_writer *w, sl_buf *frame); /* FRAME is empty */
/* One row: the record's header without its length, and its body. */
void sl_leaf_row(sl_leaf_writer *w, const uint8_t *head, size_t head_n, const uint8_t *body, size_t body_n);
/* Logs TEXT for COLUMN of the row about to be added. */
void sl_leaf_log(sl_leaf_writer *w, uint32_t column, sl_text text);
/* Closes the frame. NAMES and SEEN: [ncols]. */
SL_MUST_CHECK sl_status sl_leaf_finish(sl_leaf_writer *w, const sl_text *names, const uint8_t *seen, uint32_t ncols,
                                       sl_error *err);
void sl_leaf_free(sl_leaf_writer *w);

/* Varints of SQLite, for values below 2^56. Returns the end. */
uint8_t *sl_varint_put(uint8_t *out, uint64_t v);
/* Reads one, at most up to END; returns the end, NULL when there is none. */
const uint8_t *sl_varint_get(const uint8_t *at, const uint8_t *end, uint64_t *v);

/* Serial types and bytes of an integer and a real. *HEAD moves on; returns the end of the body. Room for 9 and 8 bytes. */
uint8_t *sl_record_int(uint8_t **head, uint8_t *body, int64_t i);
uint8_t *sl_record_real(uint8_t **head, uint8_t *body, double f);

void sl_put_be32(uint8_t *out, uint32_t v);
uint32_t sl_get_be32(const uint8_t *at);

/* ---- reading frames ---------------------------------------------------------------------------------------------- */

typedef struct sl_leaf_frame {
    const char *pages;
    uint32_t npages, nrows, ncols;
    sl_text names;          /* ncols x (u32 length, bytes) */
    const char *seen;       /* [ncols] SL_SEEN_* */
    const char *kinds;      /* [npages] u32, unaligned */
    const char *log;
    size_t log_n;
    const char *trailer;
    size_t trailer_n;
} sl_leaf_frame;

/* A whole frame. */
SL_MUST_CHECK sl_status sl_leaf_open(sl_leaf_frame *f, const char *data, size_t n, sl_error *err);
/* From pages and trailer kept apart. */
SL_MUST_CHECK sl_status sl_leaf_open_parts(sl_leaf_frame *f, const char *pages, const char *trailer, size_t n,
                                           sl_error *err);
uint32_t sl_leaf_kind(const sl_leaf_frame *f, uint32_t page);

/* Whole length and local part of a cell's payload at CELL (behind it 5 bytes of rowid). Returns where the payload begins. */
const uint8_t *sl_leaf_payload(const uint8_t *cell, uint64_t *length, uint32_t *local);

/* Writes F anew into W's frame: column c of F becomes place[c] of NCOLS columns; those with TO_TEXT (indexed by new place) get the
 * text of every cell. NAMES: of the new columns. */
SL_MUST_CHECK sl_status sl_leaf_recode(const sl_leaf_frame *f, const uint32_t *place, const bool *to_text,
                                       const sl_text *names, uint32_t ncols, sl_buf *frame, sl_error *err);

#endif
