/* opener.h: a stream of bytes from whatever a source's url names.
 *
 *     -  stdin:               standard input
 *     file:///dir/x.csv       that file (percent-decoded)
 *     http:// https://        fetched (net/http/http.h)
 *     x.csv  dir/x.csv        a file, relative to the base directory
 *     x-?.csv  x[0-9].csv *   every matching file, sorted by name; none matching is an error
 *
 * A regular file is read as it is when it is opened: one that is written to or cut while it is read fails the run, which may be
 * tried again (SL_E_TEMP). One that is replaced by another of its name is read to its end, by whoever has it open.
 *
 * gzip and zstd are recognised by their first bytes and taken off; other encodings than UTF-8 are converted. What
 * comes out is UTF-8 text as the formats want it.
 *
 * Ownership: a stream owns its file descriptor or fetch. Thread rule: one thread at a time. */
#ifndef SL_SOURCES_STREAM_OPENER_H
#define SL_SOURCES_STREAM_OPENER_H

#include "net/cache/cache.h"
#include "net/http/http.h"
#include "plan/pipe.h"

/* The names to open for URL, one after another, in ARENA. A name is "-", an http(s) URL or the path of a file. */
SL_MUST_CHECK sl_status sl_source_names(sl_text url, const char *base_dir, sl_arena *arena, sl_texts *names, sl_error *err);

bool sl_source_is_http(sl_text url);
/* True for the path of a file; false for standard input and URLs. */
bool sl_source_is_file(const char *name);

/* True when NAME is the path of a regular file that is no longer than MOST bytes, *SIZE of them, and not packed by its name or its
 * first bytes, so that it does not become longer when it is read. */
bool sl_source_is_short(const char *name, uint64_t most, uint64_t *size);

/* How a URL is asked for, and what it may name. */
typedef struct sl_access {
    sl_manners manners; /* net/http/http.h */
    bool from_data;     /* an item decided it: of the network only what is public */
    const char *origin; /* but also the host of this URL, which is trusted; NULL: none */
    bool no_files;      /* and what decided it may have come from the network: no files of this machine */
} sl_access;

/* What tells two lists of names apart. */
void sl_source_names_sum(const sl_texts *names, char out[SL_CACHE_KEY]);
/* Notes in the ledger what the names were that URL stood for: a file more that matches a pattern is a change. */
void sl_source_note_names(const sl_env *env, sl_text url, const sl_texts *names);

/* SL_E_IO when URL names what ACCESS does not permit. */
SL_MUST_CHECK sl_status sl_access_check(const sl_access *access, sl_text url, sl_error *err);

typedef struct sl_inflow sl_inflow;

/* Opens one of these names (NUL-terminated, borrowed as long as the stream lives). ENCODING: what to convert from;
 * empty: what the text or the server says, if they say anything (sniff.h); "auto": the same, and else a guess; "utf-8":
 * nothing is converted. A fetch is only registered: nothing waits for the network here. ACCESS: borrowed like the name; NULL: a URL
 * that the user wrote, asked for plainly. */
SL_MUST_CHECK sl_status sl_inflow_open(const char *name, sl_text encoding, const sl_access *access, const sl_env *env,
                                       sl_inflow **out, sl_error *err);
void sl_inflow_close(sl_inflow **b); /* NULL-safe */
/* Before the first read, for text that people wrote for browsers: an encoding that is not declared is guessed, and bytes that are
 * no text in theirs are replaced by U+FFFD; except where no conversion is needed, that is the reader's part. */
void sl_inflow_lenient(sl_inflow *b);

/* Up to CAP bytes as soon as there are any; *N 0: the end. */
SL_MUST_CHECK sl_status sl_inflow_read(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err);

/* What is wanted of it has been read: the rest of an answer is read too, as far as it is short and comes soon, as only a whole one
 * is kept in the cache. */
void sl_inflow_finish(sl_inflow *b);

/* True when something is there to read (packed bytes may turn out to be too few); waits for that up to MS
 * milliseconds. */
bool sl_inflow_wait(sl_inflow *b, int ms);

/* True for files, and for a fetch when waiting gains nothing (sl_fetch_settled). */
bool sl_inflow_settled(const sl_inflow *b);
/* Lets the fetches of its session move for up to MS milliseconds. False: the run stops. */
bool sl_inflow_move(sl_inflow *b, int ms);

/* After the first read: the path, when the bytes read are those of a regular file as they stand, so that anybody can
 * read ranges of it; else NULL. */
const char *sl_inflow_path(const sl_inflow *b);

/* What that path led to when it was opened. */
const sl_file_id *sl_inflow_file(const sl_inflow *b);

/* Size of the original if known, else 0; bytes of it taken so far (packed bytes when packed). */
uint64_t sl_inflow_total(const sl_inflow *b);
uint64_t sl_inflow_taken(const sl_inflow *b);

/* The media type the server gives, or "" for files. Waits for the answer to begin. */
SL_MUST_CHECK sl_status sl_inflow_type(sl_inflow *b, const char **type, sl_error *err);

/* Where the bytes come from: the URL after redirects, once the answer has begun; else the name. Lives as long as the stream. */
const char *sl_inflow_address(const sl_inflow *b);

/* After the first read: the bytes are those of a copy, of which the server says that it still holds. */
bool sl_inflow_unchanged(const sl_inflow *b);

/* The header NAME of the answer, or NULL; waits for the answer to begin. */
const char *sl_inflow_header(sl_inflow *b, const char *name);
/* Waits for the answer to begin, and tells its status, also when that is a failure; 0: not even that, or a file. */
long sl_inflow_status(sl_inflow *b);

/* Ranges of a file, for workers that read their units themselves. *FD is closed first if it is open; -1 means none. */
SL_MUST_CHECK sl_status sl_range_open(const char *path, int *fd, sl_error *err);
/* SL_E_TEMP when FD is not, or not any more, the state of a file that ID tells: what was read of it may be of two files. */
SL_MUST_CHECK sl_status sl_range_check(int fd, const char *path, const sl_file_id *id, sl_error *err);
void sl_range_close(int *fd);
/* LENGTH bytes from OFFSET on into BUF, whatever interrupts; SL_E_TEMP when there are fewer. PATH for messages. */
SL_MUST_CHECK sl_status sl_range_read(int fd, const char *path, uint64_t offset, char *buf, size_t length, sl_error *err);

/* A worker's own: the file of the last unit, which stays open for the next. Begins with fd -1. */
typedef struct sl_range {
    char *path; /* NULL: none */
    int fd;
    sl_file_id file;
} sl_range;

/* The bytes of UNIT, a range of a file, and padding behind them. SL_E_TEMP when that is not what the source opened. */
SL_MUST_CHECK sl_status sl_range_input(sl_range *r, const sl_unit *unit, sl_input **in, sl_error *err);
void sl_range_free(sl_range *r);

#endif
