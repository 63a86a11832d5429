/* sqlite_scratch.h: the coordinator's half of loading: frames of pages become one table t in a scratch database beside the user's.
 *
 *   open add* settle finish (SQLite reads it by its path, check | retitle sync: it is the database) close
 *
 * add puts a frame's pages into the file under their true numbers; a frame whose columns stand in another order than the table's is
 * written anew first. finish writes anew the frames that hold numbers in columns that have become TEXT, makes the interior pages
 * and the head of the file. Thread rule: one thread at a time. */
#ifndef SL_SINKS_SQLITE_SCRATCH_H
#define SL_SINKS_SQLITE_SCRATCH_H

#include "base/arena.h"
#include "base/buffer.h"
#include "sinks/early_sync.h"

typedef struct sl_scratch_column {
    sl_text name;
    uint8_t seen; /* SL_SEEN_*, of all frames */
} sl_scratch_column;

typedef struct sl_scratch_frame sl_scratch_frame;

typedef struct sl_scratch {
    sl_arena arena;
    char *path; /* of the file; NULL: there is none (any more) */
    int fd, log_fd;
    sl_scratch_column *cols;
    uint32_t ncols, cap_cols;
    sl_text heading; /* names of the first frame without rows, as in a trailer */
    uint32_t heading_cols;
    sl_scratch_frame *frames;
    uint32_t nframes, cap_frames;
    uint32_t next_page;
    bool holes; /* pages that nothing points to: fine to read from, not to keep */
    uint64_t nrows;
    uint64_t log_end;
    bool may_stay; /* there is no database yet: the file may become it */
    sl_early_sync early;
    sl_buf pages, leaves, again; /* a frame under way */
} sl_scratch;

/* BESIDE: the database; TMPDIR: for the side log. */
SL_MUST_CHECK sl_status sl_scratch_open(sl_scratch *s, const char *beside, const char *tmpdir, sl_error *err);
SL_MUST_CHECK sl_status sl_scratch_add(sl_scratch *s, const char *frame, size_t n, uint64_t *rows, sl_error *err);
/* All frames are added: without a row, the columns are those of the first frame that had names. */
SL_MUST_CHECK sl_status sl_scratch_settle(sl_scratch *s, sl_error *err);
/* TYPES: declared type of every column, "" for none; TO_TEXT: every cell of the column must be its text. */
SL_MUST_CHECK sl_status sl_scratch_finish(sl_scratch *s, const char *const *types, const bool *to_text, sl_error *err);
/* After finish, without holes: the table under its own name, made by the statement CREATE. The file then is a sound database of its
 * own, whose rows have the rowids 1, 2, 3 ... */
SL_MUST_CHECK sl_status sl_scratch_retitle(sl_scratch *s, const char *create, sl_error *err);
/* What has been read from the file so far is what was written to it. PATH: as below. */
SL_MUST_CHECK sl_status sl_scratch_check(sl_scratch *s, const char *path, sl_error *err);
/* All of the file to the disk. PATH: what the message of a failure calls it. */
SL_MUST_CHECK sl_status sl_scratch_sync(sl_scratch *s, const char *path, sl_error *err);
void sl_scratch_close(sl_scratch *s); /* removes the file; fine on an object that is all zero or half open */

#endif
