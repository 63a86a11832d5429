/* scan.h: the structure of delimited text, 64 bytes at a time.
 *
 * A chunk of 64 bytes becomes bit masks (quotes, delimiters, line ends); a prefix xor over the quotes says which bits are
 * inside quotes. That reading is right as long as the text is *clean*:
 *
 *   - a quote opens only at the start of a field, and what follows a closing quote ends the field;
 *   - a CR outside quotes is followed by LF;
 *   - no record begins with the comment character.
 *
 * At the first byte that breaks a rule the scan stops; the record there is for the exact scan (record.h), which reads
 * everything. Up to that byte both say the same, by induction over the fields.
 *
 * Two implementations of one contract: AVX2 with carry-less multiplication, and 64-bit words for every other machine. */
#ifndef SL_FORMATS_CSV_SCAN_H
#define SL_FORMATS_CSV_SCAN_H

#include "base/status.h"

typedef struct sl_csv_dialect {
    char delim;
    char quote;   /* 0: none */
    char comment; /* 0: none */
} sl_csv_dialect;

/* What the next chunk must know of the bytes before it. INSIDE is all ones inside quotes; of the others only the top bit
 * counts, that of the byte before. */
typedef struct sl_csv_carry {
    uint64_t inside;
    uint64_t opens; /* a field may open here: behind a separator or a quote */
    uint64_t shut;  /* behind a closing quote */
    uint64_t cr;    /* behind a CR outside quotes */
    uint64_t lf;    /* at the start of a record */
} sl_csv_carry;

#define SL_CSV_TOP   (UINT64_C(1) << 63)
#define SL_CSV_FRESH ((sl_csv_carry){.opens = SL_CSV_TOP, .lf = SL_CSV_TOP})

/* The search for the last record boundary of a stream shown piece by piece. Offsets count from DATA[0]. */
typedef struct sl_csv_scan {
    sl_csv_carry carry;
    size_t at;          /* looked at so far */
    size_t end;         /* end of the last whole record found */
    uint64_t lines;     /* line ends before AT */
    uint64_t end_lines; /* line ends before END */
    bool dirty;         /* the record at END is not clean; AT is set back to END */
} sl_csv_scan;

/* The index of a block: offsets of separators and line ends outside quotes. The arrays are reused from block to block. */
typedef struct sl_csv_index {
    uint32_t *ends; /* separators and line ends outside quotes, ascending */
    size_t n, cap;
    uint32_t *inner; /* LF inside quotes, ascending */
    size_t ninner, inner_cap;
    size_t lines; /* of the ends, line ends */
    sl_csv_carry carry;
    bool quotes; /* there is a quote somewhere */
    bool dirty;  /* not clean; the index ends up to 63 bytes before the first byte that is not */
} sl_csv_index;

typedef struct sl_csv_scanner {
    const char *name;
    /* Whole chunks on from scan->at up to N, or to the first that is not clean (scan->dirty). */
    void (*pass)(const sl_csv_dialect *d, sl_csv_scan *scan, const char *data, size_t n);
    /* DATA[from, to) into X: room for to - from + 64 entries in both arrays is there. */
    void (*index)(const sl_csv_dialect *d, sl_csv_index *x, const char *data, size_t from, size_t to);
} sl_csv_scanner;

/* The fastest this machine has, and the one every machine has. */
const sl_csv_scanner *sl_csv_scanner_best(void);
const sl_csv_scanner *sl_csv_scanner_portable(void);

/* On from scan->at to N, or to the first record that is not clean; scan->end moves to the last boundary before. 64 bytes past N
 * are readable. */
void sl_csv_scan_on(const sl_csv_scanner *scanner, const sl_csv_dialect *d, sl_csv_scan *scan, const char *data, size_t n);

/* The index of DATA[0, n); n is below 4 GiB. */
SL_MUST_CHECK sl_status sl_csv_index_block(const sl_csv_scanner *scanner, const sl_csv_dialect *d, sl_csv_index *x,
                                           const char *data, size_t n, sl_error *err);
/* Room for N ends. */
SL_MUST_CHECK sl_status sl_csv_index_room(sl_csv_index *x, size_t n, sl_error *err);
void sl_csv_index_free(sl_csv_index *x);

#endif
