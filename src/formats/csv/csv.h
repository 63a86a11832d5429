/* csv.h: the parts of the delimited-text format, for each other. csv.c has the descriptors.
 *
 *   split.c    coordinator: head of the stream (BOM, skipped rows, header), then record boundaries
 *   header.c   what the header record makes of the columns
 *   read.c     worker: a clean, rectangular block becomes one lazy batch over its index
 *   rows.c     worker: any other block, record by record
 *   scan.c     vector code under both sides; record.c the exact reading it stands for */
#ifndef SL_FORMATS_CSV_CSV_H
#define SL_FORMATS_CSV_CSV_H

#include "formats/csv/record.h"
#include "formats/encoding.h"
#include "formats/format.h"

typedef enum sl_ragged { SL_RAGGED_ERROR, SL_RAGGED_PAD, SL_RAGGED_SKIP } sl_ragged;

enum { SL_CSV_MAX_FIELDS = 65536 };
#define SL_CSV_MAX_RECORD SL_RECORD_MOST

typedef struct sl_csv_conf {
    char delimiter, quote, comment;
    bool has_header, sanitize, dedupe;
    bool lines; /* no head, every line is a record: for text */
    int64_t skip_rows;
    sl_texts col_names;
    int ragged; /* sl_ragged */
    int quotes; /* 0 strict, 1 lenient */
    sl_text encoding;
    sl_encoding charset;           /* from encoding, by prepare */
    const sl_csv_scanner *scanner; /* by prepare: the best of this machine */
} sl_csv_conf;

static inline sl_csv_dialect sl_csv_dialect_of(const sl_csv_conf *conf) {
    return (sl_csv_dialect){conf->delimiter, conf->quote, conf->comment};
}

/* ---- the note: what the head of the stream tells all units ------------------------------------------------------ */

typedef struct sl_csv_note {
    uint64_t line;    /* of the header record */
    uint32_t nfields; /* of the header, or of the first record when there is none */
    sl_text header;   /* the record's bytes as they stand, without line end; empty without header */
} sl_csv_note;

void sl_csv_note_write(const sl_csv_note *note, sl_buf *out);
SL_MUST_CHECK sl_status sl_csv_note_read(sl_text bytes, sl_csv_note *note, sl_error *err);

/* ---- columns ---------------------------------------------------------------------------------------------------- */

typedef struct sl_csv_column {
    sl_text name;
    uint32_t field; /* of the record, from 0 */
} sl_csv_column;

typedef struct sl_csv_header {
    sl_csv_column *cols;
    uint32_t ncols;
    uint32_t width; /* fields that a record should have */
    bool whole;     /* the columns are the fields 0 .. width-1 in order */
    bool dotted;    /* a name has a dot */
} sl_csv_header;

/* Columns of units that carry BYTES as their note, in ARENA. */
SL_MUST_CHECK sl_status sl_csv_header_make(const sl_csv_conf *conf, const sl_block *block, sl_arena *arena, sl_csv_header *header,
                                           sl_error *err);

/* The columns that NAMES make, one a field: sanitized and numbered as conf says, whatever else is in it. Names live in ARENA or
 * are those given. */
SL_MUST_CHECK sl_status sl_csv_columns(const sl_csv_conf *conf, const sl_text *names, uint32_t n, sl_arena *arena,
                                       sl_csv_header *header, sl_error *err);

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* A worker's own: scratch arrays, and the columns of the note seen last. */
typedef struct sl_csv_state {
    sl_csv_index index;
    sl_csv_fields fields;
    sl_buf note;
    sl_arena arena; /* of header */
    sl_csv_header header;
    bool known; /* header is that of note, read in dialect */
    sl_dialect dialect;
} sl_csv_state;

void sl_csv_state_free(sl_csv_state *state);

/* A block on its way through the reader. */
typedef struct sl_csv_job {
    const sl_csv_conf *conf;
    const sl_block *block;
    const sl_csv_header *header;
    sl_csv_state *state;
    sl_csv_dialect dialect;
    sl_input *input;  /* what batches look into */
    const char *base; /* the records, UTF-8 */
    size_t n;
    size_t valid; /* bytes that are text; n: all */
    sl_batch_sink sink;
    void *to;
    uint64_t *quarantined;
} sl_csv_job;

/* The block record by record: any quoting, comments, ragged rows, bytes that are no text. */
SL_MUST_CHECK sl_status sl_csv_read_rows(const sl_csv_job *job, sl_error *err);

/* True when a cell as it stands is empty or white space, quotes aside. */
static inline bool sl_csv_blank(sl_text cell, char quote) {
    if (quote && cell.n >= 2 && cell.s[0] == quote) cell = (sl_text){cell.s + 1, cell.n - 2};
    return sl_text_trim(cell).n == 0;
}

/* The index of the records from FROM on in job->state, its last line closed; offsets count from FROM. */
SL_MUST_CHECK sl_status sl_csv_index_job(const sl_csv_job *job, size_t from, sl_error *err);

/* Hands B on, nested as the dialect wants it. */
SL_MUST_CHECK sl_status sl_csv_emit(const sl_csv_job *job, sl_batch *take, sl_error *err);

/* ---- halves of the descriptor ----------------------------------------------------------------------------------- */

sl_status sl_csv_split_new(const void *conf, void **splitter, sl_error *err);
sl_status sl_csv_split(void *splitter, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err);
void sl_csv_split_free(void *splitter);

sl_status sl_csv_start(const void *conf, void **state, sl_error *err);
void sl_csv_stop(void *state);
sl_status sl_csv_read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to, uint64_t *quarantined,
                      sl_error *err);

#endif
