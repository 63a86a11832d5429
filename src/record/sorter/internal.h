/* internal.h: the halves of the sorter: records in memory (sorter.c) and runs on disk (runs.c). */
#ifndef SL_RECORD_SORTER_INTERNAL_H
#define SL_RECORD_SORTER_INTERNAL_H

#include "record/sorter/sorter.h"

/* A record in memory: its key's first eight bytes as a number, and its bytes (key, then payload) in a chunk. */
typedef struct sl_entry {
    uint64_t prefix;
    uint64_t ordinal;
    const char *bytes;
    uint32_t key, payload; /* lengths */
} sl_entry;

/* A temporary file for any number of runs, one behind the other, so that a sort of whatever length has one file open. The sorter
 * that writes to it and all its runs hold it; so it outlives a sorter whose runs another has absorbed. */
typedef struct sl_run_file {
    int fd;
    uint64_t end;  /* where the next run begins */
    uint32_t held; /* by so many */
} sl_run_file;

/* A sorted sequence of records in it. */
typedef struct sl_run {
    sl_run_file *file;
    uint64_t at, size, records;
} sl_run;

/* The front of one input of a merge: a run through a buffer, or a range of entries. */
typedef struct sl_front {
    sl_sort_record record;
    uint64_t prefix;
    const sl_entry *at, *end; /* in memory */
    sl_run run;               /* on disk, when buffer is not NULL */
    uint64_t offset;          /* of the first byte of the run that is not in the buffer */
    char *buffer;
    size_t begin, filled, cap;
} sl_front;

typedef struct sl_merge {
    sl_front *fronts;
    uint32_t *heap; /* numbers of fronts, the smallest first */
    uint32_t n, nfronts;
    bool moved; /* the first front's record was handed out and is to be replaced */
} sl_merge;

uint64_t sl_key_prefix(sl_text key);
/* Order of (prefix, key, ordinal). */
int sl_record_order(uint64_t px, const sl_sort_record *x, uint64_t py, const sl_sort_record *y);
sl_sort_record sl_entry_record(const sl_entry *e);

/* *FILE, held once, is made in DIR where there is none yet. */
SL_MUST_CHECK sl_status sl_run_file_need(sl_run_file **file, const char *dir, sl_error *err);
void sl_run_file_let_go(sl_run_file **file); /* NULL-safe */

/* Writes the N entries, in their order, as a new run at the end of FILE. */
SL_MUST_CHECK sl_status sl_run_write(sl_run *run, const sl_entry *e, size_t n, sl_run_file *file, sl_error *err);
/* Gives its room back to the disk, where the file system can. */
void sl_run_close(sl_run *run);

/* A merge over RUNS and the sorted entries. Runs stay open and owned by the caller. ROOM: bytes for all their buffers, which take
 * more only where a run has less than the smallest useful buffer. */
SL_MUST_CHECK sl_status sl_merge_open(sl_merge *m, const sl_run *runs, uint32_t nruns, const sl_entry *e, size_t n, size_t room,
                                      sl_error *err);
SL_MUST_CHECK sl_status sl_merge_next(sl_merge *m, sl_sort_record *out, sl_error *err);
void sl_merge_close(sl_merge *m);

/* All RUNS into one new run at the end of FILE; at most LIMIT records (0: all). */
SL_MUST_CHECK sl_status sl_runs_merge(const sl_run *runs, uint32_t n, uint64_t limit, sl_run_file *file, sl_run *out, size_t room,
                                      const _Atomic bool *stopping, sl_error *err);

/* How a record is laid out in runs and saved blocks: the lengths of key and payload and the ordinal, then the bytes of both; native
 * byte order, for neither leaves this machine. */
enum { SL_RECORD_HEADER = 16 };
static inline void sl_record_header(const sl_sort_record *r, char header[SL_RECORD_HEADER]) {
    memcpy(header, &r->key.n, 4);
    memcpy(header + 4, &r->payload.n, 4);
    memcpy(header + 8, &r->ordinal, 8);
}

#endif
