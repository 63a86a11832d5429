/* record.h: one record of delimited text, byte by byte: the exact reading that scan.h takes a short cut to.
 *
 * A quote at the start of a field opens it; inside, two quotes are one, and a quote before a delimiter or a line end closes.
 * Any other quote is *stray*: it stands for itself, and the field goes on as it was (libcsv's reading). CR, LF and CRLF end a
 * record outside quotes. A record that begins with the comment character is a comment up to the end of its line. */
#ifndef SL_FORMATS_CSV_RECORD_H
#define SL_FORMATS_CSV_RECORD_H

#include "formats/csv/scan.h"

typedef enum sl_csv_place {
    SL_CSV_RECORD, /* nothing of the record seen */
    SL_CSV_FIELD,  /* at the start of a field */
    SL_CSV_PLAIN,
    SL_CSV_QUOTED,
    SL_CSV_QUOTE, /* behind a quote in a quoted field: the end of it, or half of a doubled one */
    SL_CSV_COMMENT
} sl_csv_place;

/* Where the reading of a record stands. All zero: at the start of one at offset 0. */
typedef struct sl_csv_reading {
    sl_csv_place place;
    size_t at;      /* next byte to look at; behind the line end once the record is whole */
    size_t end;     /* of the record, before its line end, once whole */
    uint64_t lines; /* line ends passed, its own included */
} sl_csv_reading;

/* Field ends of a record and its first stray byte; reused from record to record. */
typedef struct sl_csv_fields {
    size_t *ends;
    size_t n, cap;
    size_t stray;     /* offset of the byte that does not belong, or SIZE_MAX */
    bool after_quote; /* it follows a closing quote; else it is a quote in an unquoted field */
    bool failed;      /* out of memory */
} sl_csv_fields;

/* Reads on to the end of the record (true) or of the bytes (false: show the same offsets again with more behind). LAST: no
 * byte follows DATA[n), so the record ends there; r->place then says where it stood. FIELDS may be NULL; it must be reset
 * at the start of each record. */
bool sl_csv_read_record(const sl_csv_dialect *d, sl_csv_reading *r, const char *data, size_t n, bool last, sl_csv_fields *fields);

void sl_csv_fields_reset(sl_csv_fields *f);
void sl_csv_fields_free(sl_csv_fields *f);

#endif
