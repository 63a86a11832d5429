/* table.c: items as an aligned table on a terminal. Widths are those of the first thousand rows, since a stream has no end to
 * wait for; what comes later is cut to them, numbers excepted, as a digit less would be another number. */
#include "sinks/table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/unicode.h"
#include "record/number/number.h"

enum { WINDOW = 1000, WIDEST = 40, LATE_WIDTH = 12 };

struct sl_table_column {
    sl_text name;
    uint32_t width;
    bool filled, text; /* has a cell; has one that is no number */
};

/* ---- text ------------------------------------------------------------------------------------------------------ */

/* The next code point as it may be shown: control characters and broken bytes must not reach a terminal. */
static uint32_t next_shown(sl_text *t, char out[4], unsigned *n) {
    uint32_t code = 0;
    unsigned used = sl_utf8_decode(t->s, t->n, &code);
    bool space = used == 1 && (code == '\n' || code == '\r' || code == '\t');
    if (!used || code < 0x20 || (code >= 0x7f && code < 0xa0)) code = space ? ' ' : '?';
    if (!used) used = 1;
    t->s += used;
    t->n -= used;
    *n = sl_utf8_encode(code, out);
    return code;
}

static uint32_t width_of(sl_text t) {
    uint32_t width = 0;
    char c[4];
    for (unsigned n; t.n; width++) next_shown(&t, c, &n);
    return width;
}

static void put_times(sl_buf *out, const char *z, uint32_t times) {
    while (times-- > 0) sl_buf_str(out, z);
}

/* T in WIDTH places. Numbers are never cut: a digit less would be another number. */
static void put_fitted(sl_buf *out, sl_text t, uint32_t width, bool right, bool last) {
    uint32_t need = width_of(t), shown = need > width && !right ? width - 1 : need;
    if (right && need < width) put_times(out, " ", width - need);
    for (uint32_t i = 0; i < shown; i++) {
        char c[4];
        unsigned n;
        next_shown(&t, c, &n);
        sl_buf_add(out, c, n);
    }
    if (need > shown) sl_buf_str(out, "\u2026");
    if (!right && !last && need < width) put_times(out, " ", width - need);
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

static sl_table_column *find(const sl_table *t, sl_text name) {
    for (uint32_t c = 0; c < t->ncols; c++)
        if (sl_text_eq(t->cols[c].name, name)) return &t->cols[c];
    return NULL;
}

static void widen(sl_table_column *c, sl_text t) {
    uint32_t width = width_of(t);
    if (width > WIDEST) width = WIDEST;
    if (width > c->width) c->width = width;
}

static sl_status add(sl_table *t, sl_text name, sl_error *err) {
    if (!SL_ROOM(t->cols, t->cap_cols, t->ncols + 1) || !SL_ROOM(t->cells, t->cap_cells, t->ncols + 1))
        return sl_oom(err);
    sl_table_column *c = &t->cols[t->ncols++];
    *c = (sl_table_column){.name = sl_arena_text(&t->arena, name), .width = 1};
    if (!c->name.s) return sl_oom(err);
    widen(c, name);
    return SL_OK;
}

static sl_status add_columns(sl_table *t, const sl_csv_section *sec, sl_error *err) {
    sl_cursor names = {sec->names.s, sec->names.s + sec->names.n, false};
    for (uint32_t i = 0; i < sec->ncols; i++) {
        sl_text name = sl_csv_next_name(&names);
        if (!find(t, name)) TRY(add(t, name, err));
    }
    return SL_OK;
}

static bool has_columns(const sl_table *t, const sl_csv_section *sec) {
    sl_cursor names = {sec->names.s, sec->names.s + sec->names.n, false};
    for (uint32_t i = 0; i < sec->ncols; i++)
        if (!find(t, sl_csv_next_name(&names))) return false;
    return true;
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

static void measure_row(sl_table *t, const sl_csv_section *sec, const char **at) {
    sl_cursor names = {sec->names.s, sec->names.s + sec->names.n, false};
    const char *end = sec->rows + sec->n;
    for (uint32_t i = 0; i < sec->ncols; i++) {
        sl_table_column *c = find(t, sl_csv_next_name(&names));
        sl_text cell = sl_csv_cell_text(t->style, sl_csv_next_cell(t->style, at, end), &t->text);
        int64_t whole;
        double real;
        if (!cell.n || !c) continue;
        c->filled = true;
        c->text |= sl_number_classify(cell, &whole, &real) == SL_NOT_NUMBER;
        widen(c, cell);
    }
}

static bool stands_right(const sl_table_column *c) {
    return c->filled && !c->text;
}

static void put_row(sl_table *t) {
    for (uint32_t c = 0; c < t->ncols; c++) {
        const sl_table_column *col = &t->cols[c];
        if (c) sl_buf_str(&t->line, " \u2502 ");
        sl_text cell = sl_csv_cell_text(t->style, t->cells[c], &t->text);
        put_fitted(&t->line, cell, col->width, stands_right(col), c + 1 == t->ncols);
    }
    sl_buf_byte(&t->line, '\n');
}

static sl_status put_line(sl_table *t, sl_error *err) {
    TRY(sl_buf_check(&t->line, err));
    TRY(sl_buf_check(&t->text, err));
    TRY(sl_file_out_write(t->out, t->line.data, t->line.len, err));
    sl_buf_clear(&t->line);
    return SL_OK;
}

static sl_status put_header(sl_table *t, sl_error *err) {
    if (t->shown) sl_buf_byte(&t->line, '\n');
    t->shown = true;
    for (uint32_t c = 0; c < t->ncols; c++) {
        if (c) sl_buf_str(&t->line, " \u2502 ");
        put_fitted(&t->line, t->cols[c].name, t->cols[c].width, stands_right(&t->cols[c]), c + 1 == t->ncols);
    }
    sl_buf_byte(&t->line, '\n');
    for (uint32_t c = 0; c < t->ncols; c++) {
        if (c) sl_buf_str(&t->line, "\u2500\u253c\u2500");
        put_times(&t->line, "\u2500", t->cols[c].width);
    }
    sl_buf_byte(&t->line, '\n');
    return put_line(t, err);
}

static void place_row(sl_table *t, const sl_csv_section *sec, const char **at) {
    sl_cursor names = {sec->names.s, sec->names.s + sec->names.n, false};
    if (t->ncols) memset(t->cells, 0, t->ncols * sizeof *t->cells);
    for (uint32_t i = 0; i < sec->ncols; i++) {
        sl_table_column *c = find(t, sl_csv_next_name(&names));
        sl_text cell = sl_csv_next_cell(t->style, at, sec->rows + sec->n);
        assert(!c || c - t->cols < t->ncols);
        if (c) t->cells[c - t->cols] = cell;
    }
    if (sec->ncols == 0) sl_csv_next_cell(t->style, at, sec->rows + sec->n);
}

/* A section whose columns the table lacks begins another table, as wide as its first row asks for. */
static sl_status begin_again(sl_table *t, const sl_csv_section *sec, sl_error *err) {
    const char *at = sec->rows;
    t->ncols = 0;
    TRY(add_columns(t, sec, err));
    measure_row(t, sec, &at);
    for (uint32_t c = 0; c < t->ncols; c++)
        if (t->cols[c].width < LATE_WIDTH) t->cols[c].width = LATE_WIDTH;
    return put_header(t, err);
}

static sl_status show_section(sl_table *t, const sl_csv_section *sec, sl_error *err) {
    if (!has_columns(t, sec)) TRY(begin_again(t, sec, err));
    const char *at = sec->rows;
    for (uint32_t row = 0; row < sec->nrows; row++) {
        place_row(t, sec, &at);
        put_row(t);
        TRY(put_line(t, err));
    }
    return SL_OK;
}

static sl_status show(sl_table *t, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    sl_cursor c = {frame, frame + n, false};
    sl_csv_section sec;
    sl_status s;
    while ((s = sl_csv_next_section(&c, &sec, err)) == SL_OK) {
        TRY(show_section(t, &sec, err));
        *rows += sec.nrows;
    }
    return s == SL_DONE ? SL_OK : s;
}

/* ---- the window ------------------------------------------------------------------------------------------------ */

static sl_status count_rows(sl_table *t, const char *frame, size_t n, sl_error *err) {
    sl_cursor c = {frame, frame + n, false};
    sl_csv_section sec;
    sl_status s;
    while ((s = sl_csv_next_section(&c, &sec, err)) == SL_OK) t->held += sec.nrows;
    return s == SL_DONE ? SL_OK : s;
}

/* Exactly the first WINDOW rows count, however they came in frames. */
static sl_status measure(sl_table *t, sl_error *err) {
    sl_cursor c = {t->window.data, t->window.data + t->window.len, false};
    sl_csv_section sec;
    sl_status s = SL_OK;
    for (uint32_t seen = 0; seen < WINDOW && (s = sl_csv_next_section(&c, &sec, err)) == SL_OK;) {
        TRY(add_columns(t, &sec, err));
        const char *at = sec.rows;
        for (uint32_t row = 0; row < sec.nrows && seen < WINDOW; row++, seen++) measure_row(t, &sec, &at);
    }
    return s == SL_DONE ? SL_OK : s;
}

static sl_status show_window(sl_table *t, uint64_t *rows, sl_error *err) {
    if (t->window.len == 0) return SL_OK;
    TRY(measure(t, err));
    TRY(put_header(t, err));
    TRY(show(t, t->window.data, t->window.len, rows, err));
    sl_buf_free(&t->window);
    return SL_OK;
}

sl_status sl_table_put(sl_table *t, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    if (t->shown) return show(t, frame, n, rows, err);
    uint64_t before = t->held, again = 0;
    sl_buf_add(&t->window, frame, n);
    TRY(sl_buf_check(&t->window, err));
    TRY(count_rows(t, frame, n, err));
    *rows += t->held - before;
    if (t->held == before && t->window.len > n) t->window.len -= n; /* one heading is enough */
    return t->held < WINDOW ? SL_OK : show_window(t, &again, err);
}

sl_status sl_table_end(sl_table *t, sl_error *err) {
    uint64_t again = 0;
    return t->shown ? SL_OK : show_window(t, &again, err);
}

void sl_table_free(sl_table *t) {
    sl_buf_free(&t->window);
    sl_buf_free(&t->line);
    sl_buf_free(&t->text);
    sl_arena_free(&t->arena);
    free(t->cols);
    free(t->cells);
}
