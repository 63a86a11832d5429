/* fresh.h: a database that does not exist yet: made under another name, and given its own when it is complete.
 *
 *   begin  (create | take)  sync  publish?  end
 *
 * From begin to publish or end a file beside it is locked (flock), so that of several loads that find no database one makes it and
 * the others wait and load into it. Where it cannot be locked they do not wait, and all but the first are told to try again. */
#ifndef SL_SINKS_SQLITE_FRESH_H
#define SL_SINKS_SQLITE_FRESH_H

#include "sinks/sink.h"
#include "sinks/sqlite/store.h"

typedef struct sl_fresh {
    bool wanted; /* there is no database */
    char *file;  /* what it is called until then; NULL: there is nothing to be published */
    char *lock;  /* the name of the locked file; NULL: there is none */
    int lock_fd;
    bool holds; /* the file itself is open, so that it stays locked and no other run sweeps it away */
    int held_fd;
} sl_fresh; /* all zero before begin */

bool sl_fresh_exists(const char *file);
/* SQLite puts files beside a database whose names are longer: they must be possible. */
SL_MUST_CHECK sl_status sl_fresh_check_name(const char *file, const char *path, sl_error *err);
/* Finds out whether FILE is wanted; waits at most BUSY seconds while another load makes it. */
SL_MUST_CHECK sl_status sl_fresh_begin(sl_fresh *f, const char *file, const char *path, double busy, const sl_sink_env *env,
                                       sl_error *err);
SL_MUST_CHECK sl_status sl_fresh_create(sl_fresh *f, const char *file, sl_error *err); /* an empty one */
/* The file of S, which has become a database. */
SL_MUST_CHECK sl_status sl_fresh_take(sl_fresh *f, sl_store *s, sl_error *err);
SL_MUST_CHECK sl_status sl_fresh_sync(const sl_fresh *f, const char *path, sl_error *err);
/* A journal or log that an earlier database of that name has left is removed: SQLite would play it into the new one. */
SL_MUST_CHECK sl_status sl_fresh_publish(sl_fresh *f, const char *file, const char *path, sl_error *err);
void sl_fresh_end(sl_fresh *f);

#endif
