/* writer.c: frames of CSV into a file, in order. The columns of the first section are the header; sections with the same
 * columns are written as they are, others are put into the header's order cell by cell, which only the coordinator can do as it
 * alone knows the header. */
#include "sinks/csv/csv.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"

static sl_status write_line(sl_csv_writer *w, sl_error *err) {
    TRY(sl_buf_check(&w->line, err));
    return sl_file_out_write(w->out, w->line.data, w->line.len, err);
}

/* The first section's columns become the header. */
static sl_status begin(sl_csv_writer *w, uint32_t ncols, sl_text names, sl_error *err) {
    if (ncols == 0)
        return sl_fail(
            err, SL_E_DATA,
            "the first item has no field, so no column has a name: name all with `columns`, or write jsonl");
    assert(!w->begun);
    w->begun = true;
    w->ncols = ncols;
    sl_buf_text(&w->names, names);
    TRY(sl_buf_check(&w->names, err));
    if (!w->header) return SL_OK;
    sl_buf_clear(&w->line);
    sl_cursor c = {names.s, names.s + names.n, false};
    for (uint32_t i = 0; i < ncols; i++) {
        if (i) sl_buf_byte(&w->line, w->style->delimiter);
        sl_csv_put(w->style, sl_csv_next_name(&c), &w->line);
    }
    sl_csv_end_line(w->style, &w->line);
    return write_line(w, err);
}

/* ---- sections of other columns --------------------------------------------------------------------------------- */

/* The header's place of NAME. */
static sl_status find_place(const sl_csv_writer *w, sl_text name, uint32_t *place, sl_error *err) {
    sl_cursor c = {w->names.data, w->names.data + w->names.len, false};
    for (*place = 0; *place < w->ncols; ++*place)
        if (sl_text_eq(sl_csv_next_name(&c), name)) return SL_OK;
    return sl_fail(
        err, SL_E_DATA,
        "an item has the column '%.*s', which the first one lacks: name all with `columns`, or write jsonl",
        (int)name.n, name.s);
}

/* One row's cells put where the header has them. CELLS: room for the header's columns. */
static void place_row(sl_csv_writer *w, const sl_csv_section *sec, const uint32_t *place, sl_text *cells,
                      const char **at) {
    const char *end = sec->rows + sec->n;
    memset(cells, 0, w->ncols * sizeof *cells);
    for (uint32_t i = 0; i < sec->ncols; i++) {
        sl_text cell = sl_csv_next_cell(w->style, at, end);
        bool empty = cell.n == 2 && cell.s[0] == w->style->quote;
        assert(place[i] < w->ncols);
        if (!empty) cells[place[i]] = cell;
    }
    if (sec->ncols == 0) sl_csv_next_cell(w->style, at, end);
    sl_buf_clear(&w->line);
    for (uint32_t i = 0; i < w->ncols; i++) {
        if (i) sl_buf_byte(&w->line, w->style->delimiter);
        sl_buf_text(&w->line, cells[i]);
    }
    if (w->ncols == 1 && w->line.len == 0) {
        sl_buf_byte(&w->line, w->style->quote);
        sl_buf_byte(&w->line, w->style->quote);
    }
    sl_csv_end_line(w->style, &w->line);
}

static sl_status write_placed(sl_csv_writer *w, const sl_csv_section *sec, uint32_t *place, sl_text *cells,
                              sl_error *err) {
    sl_cursor names = {sec->names.s, sec->names.s + sec->names.n, false};
    for (uint32_t i = 0; i < sec->ncols; i++) TRY(find_place(w, sl_csv_next_name(&names), &place[i], err));
    const char *at = sec->rows;
    for (uint32_t row = 0; row < sec->nrows; row++) {
        place_row(w, sec, place, cells, &at);
        TRY(write_line(w, err));
    }
    assert(at == sec->rows + sec->n);
    return SL_OK;
}

static sl_status remap(sl_csv_writer *w, const sl_csv_section *sec, sl_error *err) {
    uint32_t *place = malloc((sec->ncols + 1) * sizeof *place);
    sl_text *cells = malloc((w->ncols + 1) * sizeof *cells);
    sl_status s = place && cells ? write_placed(w, sec, place, cells, err) : sl_oom(err);
    free(cells);
    free(place);
    return s;
}

/* ---- frames ---------------------------------------------------------------------------------------------------- */

static bool same_columns(const sl_csv_writer *w, const sl_csv_section *sec) {
    sl_text header = sl_text_n(w->names.data, w->names.len);
    return sec->ncols == w->ncols && sl_text_eq(header, sec->names);
}

static void keep_heading(sl_csv_writer *w, const sl_csv_section *sec) {
    if (w->heading.len) return;
    sl_buf_text(&w->heading, sec->names);
    w->heading_cols = sec->ncols;
}

sl_status sl_csv_write(sl_csv_writer *w, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    sl_cursor c = {frame, frame + n, false};
    sl_csv_section sec;
    sl_status s;
    while ((s = sl_csv_next_section(&c, &sec, err)) == SL_OK) {
        if (!sec.nrows) {
            keep_heading(w, &sec);
            continue;
        }
        if (!w->begun) TRY(begin(w, sec.ncols, sec.names, err));
        TRY(same_columns(w, &sec) ? sl_file_out_write(w->out, sec.rows, sec.n, err) : remap(w, &sec, err));
        *rows += sec.nrows;
    }
    return s == SL_DONE ? SL_OK : s;
}

sl_status sl_csv_end(sl_csv_writer *w, sl_error *err) {
    const sl_texts *columns = &w->style->columns;
    TRY(sl_buf_check(&w->heading, err));
    if (w->begun || (!columns->given && !w->heading.len)) return SL_OK;
    if (!columns->given) return begin(w, w->heading_cols, sl_text_n(w->heading.data, w->heading.len), err);
    sl_buf names = {0};
    for (uint32_t i = 0; i < columns->n; i++) {
        sl_buf_u32(&names, columns->v[i].n);
        sl_buf_text(&names, columns->v[i]);
    }
    sl_status s = sl_buf_check(&names, err);
    if (s == SL_OK) s = begin(w, columns->n, sl_text_n(names.data, names.len), err);
    sl_buf_free(&names);
    return s;
}

void sl_csv_writer_free(sl_csv_writer *w) {
    sl_buf_free(&w->names);
    sl_buf_free(&w->heading);
    sl_buf_free(&w->line);
}
