/* format.h: bytes <-> items, without any I/O. One file per format, each ending in one const sl_format; a line in formats.def, and
 * all that has to know the format does: who finds one by a name, a suffix, a media type or first bytes, help and messages.
 *
 * A format comes in two halves. The splitter (coordinator, serial, cheap) finds true record boundaries in a stream that is shown
 * to it block by block; the reader (worker, parallel, pure) turns a block of whole records into batches.
 *
 * Showing a stream: DATA always begins where the last *end left off, so a caller keeps the rest of a block and shows it again with
 * more bytes behind it. The splitter remembers how far it has looked: no byte is scanned twice, a long record costs no
 * quadratic time.
 *
 * A *note* is what the readers of units must know and only the stream before them tells (CSV: the header record, XML: the
 * elements that are open). It is set before the first cut is handed out and hardly ever changes; units carry it.
 *
 * Thread rule: a splitter belongs to one thread; read is reentrant, its state is one worker's. */
#ifndef SL_FORMATS_FORMAT_H
#define SL_FORMATS_FORMAT_H

#include "options/option.h"
#include "record/builder.h"
#include "record/path.h"

/* Bytes of the longest record of any format: a line, an element, an item, or a document that can only be read as a whole. */
#define SL_RECORD_MOST ((size_t)64 << 20)

typedef struct sl_cut {
    size_t from, to; /* the unit: DATA[from, to) is whole records; from == to: no records in the part consumed */
    size_t end;      /* bytes of DATA consumed; what follows is shown again */
    uint64_t line;   /* line (from 1) of DATA[from] in the stream */
    sl_text note;    /* owned by the splitter, lives until it is freed */
    bool done;       /* nothing more will come of this stream (path found and ended, array closed) */
    bool whole;      /* a unit even when it has no bytes: an empty document */
} sl_cut;

typedef struct sl_block {
    sl_input *input; /* kept by the batches made; SL_PADDING readable past its len */
    size_t from, to; /* the records */
    uint64_t line;   /* of the first */
    sl_text note;
    const char *source; /* for messages; outlives the run */
    sl_dialect dialect; /* SL_RIKO: quirks of riko in naming and nesting of fields apply */
} sl_block;

/* What is no record of a format, whatever it is: found at the beginning of a stream it is a mistake. */
typedef enum sl_refusal {
    SL_REFUSES_NOTHING,
    SL_REFUSES_PAGES, /* a web page: a login form, a notice that the file has moved */
    SL_REFUSES_MARKUP /* and JSON and XML: a format that any text might be of */
} sl_refusal;

typedef struct sl_format {
    const char *name;
    const char *summary;
    /* How a stream is recognised; NULL-terminated lists in lower case, NULL: none. */
    const char *const *suffixes;    /* ".csv", ...: of file names; without the dot they name the format too */
    const char *const *media_types; /* "text/csv", ...; "+xml": all that end so and are no other's */
    const char *const *begins;      /* first bytes behind white space, the longest decides: "<html"; "": nothing comes at all */
    sl_refusal refuses;
    bool json;                /* a stream is JSON as a whole, so that a path leads through it */
    const char *source;       /* the pipe that reads files of it; NULL: fetchdata, which reads all formats */
    bool table;               /* records of named fields, as fetchtable wants them, which knows how to read some others */
    const sl_option *options; /* the dialect: keys a source or the command line may give */
    size_t conf_size;
    bool tolerant; /* written for browsers: bytes that are no text are replaced, an encoding that is not declared is guessed */
    /* Told between parsing a conf and prepare, where the dialect matters to the format; NULL: it does not. */
    void (*set_dialect)(void *conf, sl_dialect dialect);
    /* Checks and completes a parsed conf (delimiter equals quote ...); may be NULL. */
    sl_status (*prepare)(void *conf, sl_arena *arena, sl_error *err);
    /* Opens the library that reading needs, while a step that will read is prepared; NULL: there is none. */
    sl_status (*open)(sl_error *err);

    sl_status (*split_new)(const void *conf, void **splitter, sl_error *err);
    /* Told after split_new: where the document is, after redirects; a path for files. NULL: it does not matter to the format. */
    sl_status (*split_address)(void *splitter, sl_text address, sl_error *err);
    /* LAST: no byte follows DATA[n). DATA has SL_PADDING readable bytes past n. An unfinished record longer than
     * SL_RECORD_MOST or cut off at the end of the stream is SL_E_DATA with its line; the latter may be left to read (CSV: a quote
     * never closed). */
    sl_status (*split)(void *splitter, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err);
    void (*split_free)(void *splitter); /* NULL-safe */

    /* Batches to SINK in order. *QUARANTINED counts records refused by policy. STATE: from start, may be NULL. */
    sl_status (*start)(const void *conf, void **state, sl_error *err); /* may be NULL */
    void (*stop)(void *state);
    sl_status (*read)(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to, uint64_t *quarantined,
                      sl_error *err);
} sl_format;

const sl_format *sl_format_at(unsigned i); /* NULL past the last */

/* All of these: NULL when they know none. By name, or by a suffix with or without its dot. */
const sl_format *sl_format_named(sl_text name);
/* By the suffix of a file name or URL path, after that of a packer is taken off. */
const sl_format *sl_format_for(sl_text name);
/* By a media type without parameters; by how a stream begins. */
const sl_format *sl_format_of_type(sl_text media_type);
const sl_format *sl_format_of_bytes(const char *data, size_t n);

/* Whether NAME is one of F: what it is called, or one of its suffixes, with or without the dot. */
bool sl_format_is_called(const sl_format *f, sl_text name);

/* NAME without the suffix of a packer (.gz, .zst); a URL also without what follows its path. */
sl_text sl_name_unpacked(sl_text name);

#endif
