/* store.h: the rows of a load, as the coordinator gathers them: in a file beside the database that they may become.
 *
 *   open add* settle  (rows | table)  close
 *
 * A frame whose columns stand in the table's order goes into the file at once, its pages under their true numbers. One with its
 * columns in another order is *parked*: kept as it came, beside the file. Small frames are put together first, in the table's
 * order, so that pages are full however small the units are. When all is there the types are known, and sl_store_table (tree.c)
 * makes the file a database of one table: what is parked or does not have the type of its column is written once more, then and
 * only then. A load into a table that exists reads the rows instead. Thread rule: one thread at a time. */
#ifndef SL_SINKS_SQLITE_STORE_H
#define SL_SINKS_SQLITE_STORE_H

#include "base/arena.h"
#include "sinks/file/file.h"
#include "sinks/sqlite/cells.h"

typedef struct sl_store_column {
    sl_text name;
    uint8_t seen; /* SL_SEEN_*, of all frames */
} sl_store_column;

typedef struct sl_segment { /* rows that came in one frame, or in several small ones */
    uint32_t nrows, ncols;
    int64_t before;      /* rowids of its rows follow this one */
    const uint8_t *seen; /* [ncols] in its own order */
    bool parked;
    uint32_t page, npages; /* where its pages are, unless it is parked */
    uint64_t trailer_at;   /* in the side file: its trailer; parked: the frame */
    uint64_t trailer_n;
    uint64_t leaves_at; /* in the side file: its leaves; parked: u32 place[ncols] */
    uint32_t nleaves;
} sl_segment;

typedef struct sl_leaf { /* a page of some level of the table's tree and the largest rowid below it */
    uint32_t page;
    int64_t last;
} sl_leaf;

typedef struct sl_store {
    sl_arena arena;
    bool opened;
    char *path; /* of the file; NULL: it has no name of its own (any more) */
    int fd, side_fd;
    sl_store_column *cols;
    uint32_t ncols, cap_cols;
    sl_text heading; /* names of the first frame without rows, as in a trailer */
    uint32_t heading_cols;
    sl_segment *segments;
    uint32_t nsegments, cap_segments;
    uint32_t next_page;
    uint64_t nrows;
    uint64_t side_end;
    bool may_stay; /* there is no database yet: the file may become it */
    sl_early_sync early;
    struct { /* small frames being put together */
        sl_leaf_writer out;
        sl_buf frame;
        uint8_t *seen; /* [ncols] */
        uint32_t ncols, cap;
        sl_cells_reader reader; /* of one whose columns stand in another order */
        sl_cells_writer writer;
    } pack;
    uint32_t *place; /* [cap_place] of the frame under way */
    uint32_t cap_place;
    sl_buf pages, leaves, room;
} sl_store;

/* BESIDE: the database; TMPDIR: for the side file. */
SL_MUST_CHECK sl_status sl_store_open(sl_store *s, const char *beside, const char *tmpdir, sl_error *err);
SL_MUST_CHECK sl_status sl_store_add(sl_store *s, const char *frame, size_t n, uint64_t *rows, sl_error *err);
/* All frames are added: without a row, the columns are those of the first frame that had names. */
SL_MUST_CHECK sl_status sl_store_settle(sl_store *s, sl_error *err);

/* ---- reading the rows -------------------------------------------------------------------------------------------- */

typedef struct sl_store_reader {
    sl_store *store;
    sl_cells_reader row; /* the row at hand */
    uint64_t number;     /* of the row, from 1 */
    uint32_t segment;    /* the next one */
    bool open;           /* a segment is */
    sl_leaf_frame frame;
    sl_buf data; /* of the segment */
    uint32_t *place;
} sl_store_reader; /* all zero, then .store set */

/* SL_DONE behind the last row. */
SL_MUST_CHECK sl_status sl_store_next(sl_store_reader *r, sl_error *err);
void sl_store_reader_free(sl_store_reader *r);
/* The rows of segment NUMBER alone, for sl_cells_next over r->row. */
SL_MUST_CHECK sl_status sl_store_segment(sl_store_reader *r, uint32_t number, sl_error *err);

/* ---- the file as a database (tree.c) ----------------------------------------------------------------------- */

/* Makes the file a sound database with the one table that the statement CREATE makes; rows have the rowids 1, 2, 3 ... TO_TEXT:
 * every cell of the column must be its text. The rows cannot be read from the store afterwards. */
SL_MUST_CHECK sl_status sl_store_table(sl_store *s, const char *create, const bool *to_text, sl_error *err);
/* What has been read from the file so far is what was written to it. PATH: what the message of a failure calls it. */
SL_MUST_CHECK sl_status sl_store_check(sl_store *s, const char *path, sl_error *err);
/* All of the file to the disk. */
SL_MUST_CHECK sl_status sl_store_sync(sl_store *s, const char *path, sl_error *err);
/* The file has become somebody else's; or has no name any more but is still read. */
void sl_store_leave(sl_store *s);
void sl_store_forget(sl_store *s);
void sl_store_close(sl_store *s); /* removes the file; fine on an object that is all zero or half open */

/* ---- for tree.c -------------------------------------------------------------------------------------------- */

#define SL_STORE_ROOT 2u /* page of the table's root; page 1 is the schema */
/* The page of SQLite's locks, which it never uses. */
#define SL_STORE_LOCK_PAGE ((1u << 30) / SL_LEAF_PAGE + 1)

SL_MUST_CHECK sl_status sl_store_write(sl_store *s, const void *data, size_t n, uint32_t page, sl_error *err);
/* Appends to the side file; *AT gets where. */
SL_MUST_CHECK sl_status sl_store_aside(sl_store *s, const void *data, size_t n, uint64_t *at, sl_error *err);
/* Numbers for COUNT pages in a row. */
SL_MUST_CHECK sl_status sl_store_take(sl_store *s, uint32_t count, uint32_t *first, sl_error *err);
/* Gives the pages of F, copied to PAGES, the numbers at NUMBER[page], and their rows the rowids behind BEFORE, unless they have
 * them already (NUMBERED); adds its leaves to LEAVES. */
void sl_store_number(const sl_leaf_frame *f, char *pages, const uint32_t *number, int64_t before, bool numbered, sl_buf *leaves);

#endif
