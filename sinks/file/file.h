/* file.h: bytes into a file that is either all new or still the old one.
 *
 *   open write* ready? commit? close       Until commit returns SL_OK the old file is untouched; close without it leaves no trace.
 *
 * The new content is written to .NAME.sluice-PID.tmp in the same folder, synchronised, and renamed over NAME. A link stays and the
 * file that it leads to is replaced; what a file keeps that was there, sl_file_keep says. What is not a regular file (a device, a
 * pipe) is written to directly. Small writes are gathered into large ones. Thread rule: one thread at a time. */
#ifndef SL_SINKS_FILE_FILE_H
#define SL_SINKS_FILE_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>
#include <sys/stat.h>

#include "base/status.h"
#include "base/text.h"
#include "sinks/sink.h"

typedef struct sl_file_out sl_file_out;

/* STOPPING: once true, nothing waits for a reader any more (SL_E_STOPPED); outlives the object; NULL: never.
 *
 * The object exists afterwards even on failure, unless memory is out; close takes care of it. PATH is copied. */
SL_MUST_CHECK sl_status sl_file_out_open(sl_file_out **out, const char *path, const _Atomic bool *stopping, sl_error *err);
/* The same over a descriptor, which stays the caller's; commit only flushes. NAME for messages, copied. */
SL_MUST_CHECK sl_status sl_file_out_over(sl_file_out **out, int fd, const char *name, const _Atomic bool *stopping, sl_error *err);

SL_MUST_CHECK sl_status sl_file_out_write(sl_file_out *out, const void *data, size_t n, sl_error *err);
SL_MUST_CHECK sl_status sl_file_out_flush(sl_file_out *out, sl_error *err);
/* All that can fail: everything is on the disk, nothing is visible yet. Once, behind the last write. */
SL_MUST_CHECK sl_status sl_file_out_ready(sl_file_out *out, sl_error *err);
/* Gives the file its name. After ready. */
SL_MUST_CHECK sl_status sl_file_out_commit(sl_file_out *out, sl_error *err);
void sl_file_out_close(sl_file_out **out); /* NULL-safe */

/* TARGET as a path of its own (malloc'ed), which must not be empty: for the prepare of sinks that are files. */
SL_MUST_CHECK sl_status sl_file_path(char **path, sl_text target, sl_error *err);

/* ---- a sink that is one file (target.c) ------------------------------------------------------------------- */

/* What such a sink's descriptor takes as it is, but for `encode` and `write`. Its conf begins with an sl_file_conf, the sink itself
 * with an sl_file_sink. */

typedef struct sl_file_conf {
    char *path; /* owned */
} sl_file_conf;

typedef struct sl_file_sink {
    sl_file_out *out;
} sl_file_sink;

SL_MUST_CHECK sl_status sl_file_prepare(void *conf, sl_text target, const sl_sink_env *env, sl_error *err);
void sl_file_destroy(void *conf);
const char *sl_file_of(const void *conf);
/* For its `open`: *SINK becomes SIZE zeroed bytes (calloc) whose file is open. It exists afterwards even on failure, unless memory
 * is out; close takes care of it. */
SL_MUST_CHECK sl_status sl_file_open(size_t size, const void *conf, const sl_sink_env *env, void **sink, sl_error *err);
SL_MUST_CHECK sl_status sl_file_ready(void *sink, sl_error *err);
SL_MUST_CHECK sl_status sl_file_commit(void *sink, sl_error *err);
void sl_file_close(void *sink);

/* ---- for others that put a file in the place of another ---- */

/* The file that PATH leads to, with all links followed, malloc'ed: what is to be replaced. A link that leads to nothing yet gives
 * the name it holds, so that the link stays and the file is made. Fails where the folder is not there. */
SL_MUST_CHECK sl_status sl_file_resolve(char **real, const char *path, sl_error *err);
/* Whether OLD, which stat says of the regular file or folder REAL, can be replaced by a rename at all: no later step finds out in
 * time. */
SL_MUST_CHECK sl_status sl_file_replaceable(const char *real, const struct stat *old, sl_error *err);
/* The new file FD gets of the file REAL (OLD: its stat) group, owner, access list, user.* attributes and mode: group and owner
 * where this user may give them; where the group or the list cannot be kept, the group gets no more than everybody has. Before any
 * content. */
SL_MUST_CHECK sl_status sl_file_keep(int fd, const char *real, const struct stat *old, sl_error *err);
/* The folder of PATH, malloc'ed; "." where it names none. NULL: no memory. */
char *sl_file_folder(const char *path);

/* A new file ".NAME.sluice-PID.EXT" in PATH's folder, with a number behind EXT (at most 8 bytes) if this process already has one:
 * open for reading and writing. A NAME too long for the folder's file system gives its beginning and a hash of the whole. The
 * path, *NAME, is malloc'ed and set only on success. */
SL_MUST_CHECK sl_status sl_file_create_beside(const char *path, const char *ext, unsigned mode, char **name, int *fd,
                                              sl_error *err);
/* Removes such files of processes that are gone; one that is open in some process, of another container maybe, is locked by it and
 * stays. Never fails: what cannot be removed stays. */
void sl_file_sweep(const char *path);
/* fsync that no signal interrupts: 0, or -1 and errno. */
int sl_file_sync(int fd);
/* The folder of PATH, for sl_file_sync_folder, which makes its entry for PATH durable. The caller closes *FD. */
SL_MUST_CHECK sl_status sl_file_open_folder(const char *path, int *fd, sl_error *err);
SL_MUST_CHECK sl_status sl_file_sync_folder(int fd, const char *path, sl_error *err);

/* ---- synchronising while writing (early_sync.c) ---------------------------------------------------------- */

/* A file goes to the disk while it is still being written, so that the fsync at its end has little left to wait for.
 *
 *   {.fd} step* finish? stop     A step after each write. At most one piece is under way at a time, in a thread of its own.
 *
 * That thread takes no lock and no memory, so a worker process that is forked meanwhile finds none of them held. Where no thread is
 * to be had nothing happens early and nothing fails. Thread rule: one thread at a time; the object must stay where it is. */

typedef struct sl_early_sync {
    int fd;         /* of the file; the caller's */
    uint64_t begun; /* bytes of the file when the last piece began */
    bool under_way; /* there is a thread to join */
    pthread_t thread;
    atomic_bool done; /* it has nothing left to do */
    int failed;       /* errno of a piece, or 0; the thread's until it is joined */
} sl_early_sync;

/* WRITTEN: bytes in the file. Begins a piece when enough has come since the last one and none is under way. */
void sl_early_sync_step(sl_early_sync *e, uint64_t written);
/* The last fsync, of all that is in the file: 0, or the errno of it or of the first piece that failed. The kernel tells of a lost
 * write once: after a piece that has met it the fsync itself would succeed. */
int sl_early_sync_finish(sl_early_sync *e);
/* Waits for the piece under way; more than once does nothing. Before the descriptor is closed. Returns the errno of the first piece
 * that failed, or 0. */
int sl_early_sync_stop(sl_early_sync *e);

/* ---- what is there already (holds.c) --------------------------------------------------------------------- */

/* Whether a file that is about to be replaced holds any record. What is not there, or no regular file, holds none. */

/* Text in lines: something behind the first HEADER of them, empty ones not counted. QUOTE: what lines may end within, or 0. */
SL_MUST_CHECK sl_status sl_file_holds_rows(const char *path, char quote, unsigned header, bool *some, sl_error *err);
/* JSON: anything but white space; where it is one DOCUMENT, also but [] and null. */
SL_MUST_CHECK sl_status sl_file_holds_json(const char *path, bool document, bool *some, sl_error *err);

#endif
