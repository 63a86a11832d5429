/* cache.h: answers of HTTP servers, kept on disk with what is needed to ask whether they still hold.
 *
 *     new ( find ( check read* )? close_entry | begin add* ( commit | abort ) )* free
 *
 * An entry is one file of the folder, named by its key: the SHA-256 of the URL and of what else decides about the
 * answer. It holds a head (what it is, the validators, the headers of the answer), then the body as it travelled:
 *
 *     sluice-cache 1
 *     key: 9f86d081...           the file's own name
 *     url: https://example.org/x.csv
 *     final: https://example.org/v2/x.csv        after redirects
 *     stored: 1700000000
 *     length: 00000000000000275163
 *     sha256: 5feceb66...
 *     < Content-Type: text/csv
 *     < ETag: "5d8c72a5"
 *
 *     id,docket ...
 *
 * One file means one rename: an entry is written under a temporary name, synchronised and renamed, so whoever looks
 * finds the old one, the new one or none, whenever a process dies. Nothing is believed that does not add up: a head
 * that cannot be read, a body of another length or another sum make an entry vanish, never a run fail. Entries have
 * mode 0600, the folder 0700.
 *
 * The time of a file's last change is the time of its last use. When the entries together exceed the cap, those used
 * longest ago go; so do temporary files that have not been written to for an hour.
 *
 * Several processes may use one folder: they meet in nothing but these renames and removals, and a file that is open
 * stays readable when its name is gone.
 *
 * Thread rule: an sl_cache and what was opened with it belong to one thread. */
#ifndef SL_NET_CACHE_CACHE_H
#define SL_NET_CACHE_CACHE_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "base/status.h"

enum { SL_CACHE_KEY = 65 }; /* 64 hexadecimal digits and a NUL */

#define SL_CACHE_SIZE ((uint64_t)1 << 30) /* bytes, unless something else is asked for */

/* What a run does with it. */
typedef enum sl_cache_mode {
    SL_CACHE_OFF,
    SL_CACHE_ON,
    SL_CACHE_REFRESH /* copies are not asked about but replaced */
} sl_cache_mode;

typedef struct sl_cache sl_cache;

/* The folder of this user: $SLUICE_CACHE_DIR, else $XDG_CACHE_HOME/sluice, else ~/.cache/sluice, into OUT. False: there
 * is none, as HOME is not set either. A variable that is empty counts as not set; XDG_CACHE_HOME must be absolute. */
bool sl_cache_default_dir(sl_buf *out);

/* DIR is copied, and made when the first entry is written. MAX_SIZE: bytes of all entries together. NULL: no memory. */
sl_cache *sl_cache_new(const char *dir, uint64_t max_size);
/* Removes what is too much, if anything was written (by anybody who counts in the same place). NULL-safe. */
void sl_cache_free(sl_cache **c);

/* What came of it, over all caches of a run, in whatever process: see base/shared.h. */
typedef struct sl_cache_counts {
    _Atomic uint64_t unchanged, unchanged_bytes; /* answers that the copy still holds, and the bytes of those copies */
    _Atomic uint64_t stored, stored_bytes;       /* entries written */
    _Atomic uint64_t failed;                     /* bodies that could not be written */
} sl_cache_counts;

/* Counts into COUNTS, which outlives C. LEAVES: the one who owns COUNTS prunes the folder in the end, C only on its way. */
void sl_cache_share(sl_cache *c, sl_cache_counts *counts, bool leaves);

/* The first thing that could not be written, or NULL: a run goes on without. */
const char *sl_cache_trouble(const sl_cache *c);

/* The key of URL (a fragment does not count). EXTRA: whatever else decides about the answer, such as the headers of
 * the request and whose credentials it has; only its sum is kept. */
void sl_cache_key(sl_text url, sl_text extra, char out[SL_CACHE_KEY]);

/* ---- what is known of an entry ---------------------------------------------------------------------------------- */

typedef struct sl_cache_head {
    sl_text key;
    sl_text url;     /* for people: without a secret (sl_url_shown) */
    sl_text final;   /* where the answer came from, likewise */
    sl_text headers; /* of the answer, each as "< Name: value\n" */
    sl_text sum;     /* of the body, in hexadecimal */
    int64_t stored;  /* seconds since the epoch */
    uint64_t length; /* bytes of the body */
    size_t size;     /* bytes of the head itself: the body begins there */
} sl_cache_head;

/* Reads the head at the start of T into views of T. False: there is no head. T may hold more, or less, than the head. */
bool sl_cache_head_parse(sl_text t, sl_cache_head *out);

/* The value of header NAME among H's, the first of several, or an empty text. Case does not count. */
sl_text sl_cache_head_value(const sl_cache_head *h, const char *name);

/* ---- reading ---------------------------------------------------------------------------------------------------- */

typedef struct sl_cache_entry sl_cache_entry;

/* The entry of KEY, or NULL: there is none that is worth anything. */
sl_cache_entry *sl_cache_find(sl_cache *c, const char *key);
void sl_cache_entry_close(sl_cache_entry **e); /* NULL-safe */

const sl_cache_head *sl_cache_entry_head(const sl_cache_entry *e);

/* Reads the whole body once; false: it is damaged, and the entry is gone from the folder. Marks it as used. */
bool sl_cache_entry_check(sl_cache_entry *e);
/* The server says that it still holds. */
void sl_cache_entry_confirm(sl_cache_entry *e);

/* Takes the entry away: the server wants it not to be kept. */
void sl_cache_forget(sl_cache *c, const char *key);

/* Up to CAP bytes of the body, after the check; *N 0: the end. */
SL_MUST_CHECK sl_status sl_cache_entry_read(sl_cache_entry *e, char *buf, size_t cap, size_t *n, sl_error *err);

/* ---- writing ---------------------------------------------------------------------------------------------------- */

typedef struct sl_cache_writer sl_cache_writer;

/* Begins an entry; of HEAD, key, url, final and headers count. HEADERS as above, but any line that is not of that form
 * is left out. NULL: it cannot be stored (see sl_cache_trouble, which stays silent about what is merely too large). */
sl_cache_writer *sl_cache_begin(sl_cache *c, const sl_cache_head *head);
/* More of the body. What fails shows at the commit. */
void sl_cache_add(sl_cache_writer *w, const char *data, size_t n);
/* The body was complete and good: the entry takes the place of the one before. W is freed. False: it was not stored. SUM, which
 * may be NULL, gets that of the body. */
bool sl_cache_commit(sl_cache_writer **w, char sum[SL_CACHE_KEY]);
void sl_cache_abort(sl_cache_writer **w); /* NULL-safe */

/* ---- notes -------------------------------------------------------------------------------------------------------- */

/* A note is a small text beside the entries that one run leaves for the next, under a key like theirs (sl_cache_key). It is
 * replaced by one rename, and goes with the folder: whoever finds none does without. DIR: as for sl_cache_new. */
bool sl_cache_note_read(const char *dir, const char *key, sl_buf *out); /* false: there is none */
bool sl_cache_note_write(const char *dir, const char *key, sl_text text);
void sl_cache_note_drop(const char *dir, const char *key);

/* ---- looking after the folder ------------------------------------------------------------------------------------ */

typedef struct sl_cache_item {
    const char *name;            /* of the file */
    const char *url;             /* NULL: damaged, or not finished */
    const char *etag, *modified; /* validators, or "" */
    uint64_t size;               /* of the file */
    int64_t stored, used;        /* seconds since the epoch */
} sl_cache_item;

/* Called for each entry; texts live as long as the call. Another status than SL_OK ends the walk. */
typedef sl_status (*sl_cache_visit)(void *user, const sl_cache_item *item, sl_error *err);

typedef struct sl_cache_pruned {
    uint64_t files, bytes;           /* removed */
    uint64_t files_left, bytes_left; /* entries that stay */
} sl_cache_pruned;

/* Every entry, in the order of last use, longest ago first. A folder that is not there has none. */
SL_MUST_CHECK sl_status sl_cache_list(const char *dir, sl_cache_visit visit, void *user, sl_error *err);

/* Removes entries and notes last used before OLDER (seconds since the epoch), then entries used longest ago until the rest takes
 * no more than MAX_SIZE bytes. Nothing but entries, their temporary files and notes is ever touched. */
SL_MUST_CHECK sl_status sl_cache_prune(const char *dir, int64_t older, uint64_t max_size, sl_cache_pruned *out, sl_error *err);

/* Removes all entries, notes and temporary files, also those being written; then the folder, if nothing else is in it. */
SL_MUST_CHECK sl_status sl_cache_clear(const char *dir, sl_cache_pruned *out, sl_error *err);

#endif
