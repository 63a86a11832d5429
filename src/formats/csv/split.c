/* split.c: cuts delimited text between records. Whether a line end lies inside quotes depends on all bytes before it, so this
 * is the one part that must look at the input in order; it therefore looks at quotes only and leaves fields to the workers. */
#include "formats/csv/csv.h"

#include <stdlib.h>

#include "base/error.h"

/* The head of a stream, in order; each part is left for good. */
typedef enum part { PART_BOM, PART_SKIP, PART_HEADER, PART_BODY } part;

typedef struct splitter {
    const sl_csv_conf *conf;
    sl_csv_dialect dialect;
    const sl_csv_scanner *scanner;
    part part;
    int64_t skip;           /* physical lines still to drop */
    uint64_t line;          /* of DATA[0], or of where the head has come to */
    sl_csv_reading reading; /* of the header; in the body, of the record at scan.end while scan.dirty */
    sl_csv_fields fields;   /* of the header */
    sl_csv_scan scan;       /* of the body */
    sl_buf note;
    bool cut; /* something of the body was handed out */
} splitter;

sl_status sl_csv_split_new(const void *conf, void **out, sl_error *err) {
    const sl_csv_conf *c = conf;
    splitter *s = calloc(1, sizeof *s);
    if (!s) return sl_oom(err);
    s->conf = c;
    s->dialect = sl_csv_dialect_of(c);
    s->scanner = c->scanner;
    s->skip = c->skip_rows;
    s->line = 1;
    *out = s;
    return SL_OK;
}

void sl_csv_split_free(void *p) {
    splitter *s = p;
    if (!s) return;
    sl_csv_fields_free(&s->fields);
    sl_buf_free(&s->note);
    free(s);
}

static sl_status fail_at(uint64_t line, sl_error *err, const char *text) {
    sl_status status = sl_fail(err, SL_E_DATA, "%s", text);
    sl_error_at(err, NULL, line, 0);
    return status;
}

static sl_status too_long(const splitter *s, uint64_t line, sl_error *err) {
    return fail_at(line, err,
                   s->dialect.quote
                       ? "a record is longer than 64 MiB; is there a quote in it that is never closed?"
                       : "a line is longer than 64 MiB");
}

static sl_status never_closed(uint64_t line, sl_error *err) {
    return fail_at(line, err,
                   "a quoted name in the header is never closed; quotes: lenient takes it as it is");
}

/* ---- the head --------------------------------------------------------------------------------------------------- */

/* Each part moves *AT on and says whether it is over; if not, it wants more bytes behind DATA[*at]. */
static bool pass_bom(splitter *s, const char *data, size_t n, bool last, size_t *at) {
    static const char bom[3] = {'\xEF', '\xBB', '\xBF'};
    size_t have = n < sizeof bom ? n : sizeof bom;
    bool may_be = have == 0 || memcmp(data, bom, have) == 0;
    if (may_be && have < sizeof bom && !last) return false;
    if (may_be && have == sizeof bom) *at = sizeof bom;
    s->part = PART_SKIP;
    return true;
}

static bool pass_skipped(splitter *s, const char *data, size_t n, bool last, size_t *at) {
    while (s->skip > 0) {
        while (*at < n && data[*at] != '\n' && data[*at] != '\r') ++*at;
        if (*at == n || (data[*at] == '\r' && *at + 1 == n && !last)) return false;
        *at += data[*at] == '\r' && *at + 1 < n && data[*at + 1] == '\n' ? 2 : 1;
        s->skip--;
        s->line++;
    }
    s->part = s->conf->lines ? PART_BODY : PART_HEADER;
    return true;
}

static sl_status take_header(splitter *s, const char *data, size_t *at, sl_error *err) {
    sl_csv_note note = {.line = s->line, .nfields = (uint32_t)s->fields.n};
    if (s->fields.n > SL_CSV_MAX_FIELDS) return fail_at(s->line, err, "a record has more than 65536 fields");
    if (s->conf->has_header) {
        if (s->reading.place == SL_CSV_QUOTED && !s->conf->quotes) return never_closed(s->line, err);
        note.header = sl_text_n(data + *at, s->reading.end - *at);
        *at = s->reading.at;
        s->line += s->reading.lines;
    }
    sl_csv_note_write(&note, &s->note);
    s->part = PART_BODY;
    return sl_buf_check(&s->note, err);
}

/* The first record that is neither blank nor a comment. */
static sl_status pass_header(splitter *s, const char *data, size_t n, bool last, size_t *at, sl_error *err) {
    while (*at < n) {
        if (s->reading.place == SL_CSV_RECORD) {
            s->reading = (sl_csv_reading){.at = *at};
            sl_csv_fields_reset(&s->fields);
        }
        bool whole = sl_csv_read_record(&s->dialect, &s->reading, data, n, last, &s->fields);
        if (s->fields.failed) return sl_oom(err);
        if (!whole) return n - *at > SL_CSV_MAX_RECORD ? too_long(s, s->line, err) : SL_OK;
        if (s->reading.place != SL_CSV_COMMENT && s->reading.end > *at) return take_header(s, data, at, err);
        *at = s->reading.at;
        s->line += s->reading.lines;
        s->reading.place = SL_CSV_RECORD;
    }
    return SL_OK;
}

/* Up to the body, where the scan begins at *AT. Otherwise *AT bytes are done with. */
static sl_status pass_head(splitter *s, const char *data, size_t n, bool last, size_t *at, sl_error *err) {
    if (s->part == PART_BOM && !pass_bom(s, data, n, last, at)) return SL_OK;
    if (s->part == PART_SKIP && !pass_skipped(s, data, n, last, at)) return SL_OK;
    if (s->part == PART_HEADER) TRY(pass_header(s, data, n, last, at, err));
    s->reading.at -= s->part == PART_HEADER && s->reading.place != SL_CSV_RECORD ? *at : 0;
    s->scan = (sl_csv_scan){.carry = SL_CSV_FRESH, .at = *at, .end = *at};
    return SL_OK;
}

/* ---- the body --------------------------------------------------------------------------------------------------- */

/* The record at scan.end, which is not clean: true when the scan goes on behind it. */
static bool pass_dirty(splitter *s, const char *data, size_t n, bool last) {
    sl_csv_scan *scan = &s->scan;
    if (!sl_csv_read_record(&s->dialect, &s->reading, data, n, last, NULL)) return false;
    scan->dirty = false;
    scan->carry = SL_CSV_FRESH;
    scan->at = s->reading.at;
    scan->end = scan->at;
    scan->lines = scan->end_lines += s->reading.lines;
    return true;
}

/* Finds scan.end, the last record boundary in DATA[0, n). */
static void find_end(splitter *s, const char *data, size_t n, bool last) {
    sl_csv_scan *scan = &s->scan;
    while (scan->at < n) {
        if (!scan->dirty) {
            sl_csv_scan_on(s->scanner, &s->dialect, scan, data, n);
            if (scan->dirty) s->reading = (sl_csv_reading){.at = scan->end};
        } else if (!pass_dirty(s, data, n, last)) {
            return;
        }
    }
}

static sl_status cut_body(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    const size_t from = s->scan.end;
    find_end(s, data, n, last);
    sl_csv_scan *scan = &s->scan;
    if (last) scan->end = n; /* without a line end; the reader sees whether it is whole */
    if (n - scan->end > SL_CSV_MAX_RECORD) return too_long(s, s->line + scan->end_lines, err);
    *cut = (sl_cut){.from = from,
                    .to = scan->end,
                    .end = scan->end,
                    .line = s->line,
                    .note = sl_text_n(s->note.data, s->note.len)};
    s->line += scan->end_lines;
    s->reading.at -= scan->dirty ? scan->end : 0;
    scan->at -= scan->end;
    scan->lines -= scan->end_lines;
    scan->end = scan->end_lines = 0;
    s->cut |= cut->to > cut->from;
    cut->whole = last && !s->cut && s->note.len; /* a header alone */
    return SL_OK;
}

sl_status sl_csv_split(void *p, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    splitter *s = p;
    size_t at = 0;
    *cut = (sl_cut){.line = s->line};
    if (s->part != PART_BODY) {
        TRY(pass_head(s, data, n, last, &at, err));
        if (s->part != PART_BODY) {
            cut->from = cut->to = cut->end = last ? n : at;
            return SL_OK;
        }
    }
    return cut_body(s, data, n, last, cut, err);
}
