/* store.c: gathers the frames of a load in a file. Frames whose columns stand in the table's order go there at once under their
 * true page numbers, so that nothing is written twice; only others are kept aside until all is known. */
#include "sinks/sqlite/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/files.h"
#include "base/tempfile.h"
#include "sinks/file/file.h"

enum {
    SMALL = 24, /* frames of fewer pages are put together: a frame leaves the rest of its last page empty */
    FULL = 64   /* pages of a frame that is complete */
};

/* ---- opening and closing --------------------------------------------------------------------------------------- */

sl_status sl_store_open(sl_store *s, const char *beside, const char *tmpdir, sl_error *err) {
    *s = (sl_store){.opened = true, .fd = -1, .side_fd = -1, .next_page = SL_STORE_ROOT + 1};
    s->may_stay = access(beside, F_OK) != 0;
    unsigned mode = s->may_stay ? 0666 : 0600; /* otherwise other users must not read it */
    sl_leaf_begin(&s->pack.out, &s->pack.frame, 0);
    TRY(sl_file_create_beside(beside, "load", mode, &s->path, &s->fd, err));
    s->early.fd = s->fd;
    return sl_tempfile_open(tmpdir, &s->side_fd, err);
}

void sl_store_leave(sl_store *s) {
    free(s->path);
    s->path = NULL;
}

void sl_store_forget(sl_store *s) {
    unlink(s->path);
    sl_store_leave(s);
}

void sl_store_close(sl_store *s) {
    if (!s->opened) return;
    sl_early_sync_stop(&s->early);
    if (s->path) sl_store_forget(s);
    if (s->fd >= 0) close(s->fd);
    if (s->side_fd >= 0) close(s->side_fd);
    free(s->cols);
    free(s->segments);
    free(s->place);
    free(s->pack.seen);
    sl_cells_free(&s->pack.reader);
    sl_cells_writer_free(&s->pack.writer);
    sl_leaf_free(&s->pack.out);
    sl_buf_free(&s->pack.frame);
    sl_buf_free(&s->pages);
    sl_buf_free(&s->leaves);
    sl_buf_free(&s->room);
    sl_arena_free(&s->arena);
    *s = (sl_store){0};
}

/* Temporary files have no name of their own; this one does. */
sl_status sl_store_write(sl_store *s, const void *data, size_t n, uint32_t page, sl_error *err) {
    assert(page && page - 1 + n / SL_LEAF_PAGE < s->next_page && n % SL_LEAF_PAGE == 0);
    assert(page > SL_STORE_LOCK_PAGE || page + n / SL_LEAF_PAGE <= SL_STORE_LOCK_PAGE);
    uint64_t at = (uint64_t)(page - 1) * SL_LEAF_PAGE;
    if (!sl_write_at(s->fd, data, n, at)) return sl_fail_errno(err, errno, "cannot write to", s->path);
    if (s->may_stay) sl_early_sync_step(&s->early, (uint64_t)(s->next_page - 1) * SL_LEAF_PAGE);
    return SL_OK;
}

sl_status sl_store_aside(sl_store *s, const void *data, size_t n, uint64_t *at, sl_error *err) {
    *at = s->side_end;
    s->side_end += n;
    return sl_tempfile_write(s->side_fd, data, n, *at, err);
}

sl_status sl_store_check(sl_store *s, const char *path, sl_error *err) {
    int failed = sl_early_sync_stop(&s->early);
    if (!failed) failed = sl_tempfile_lost(s->fd);
    return failed ? sl_fail_errno(err, failed, "cannot write to", path) : SL_OK;
}

sl_status sl_store_sync(sl_store *s, const char *path, sl_error *err) {
    int failed = sl_early_sync_finish(&s->early);
    return failed ? sl_fail_errno(err, failed, "cannot write to", path) : SL_OK;
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

static sl_status add_column(sl_store *s, sl_text name, sl_error *err) {
    if (!SL_ROOM(s->cols, s->cap_cols, s->ncols + 1)) return sl_oom(err);
    sl_store_column *c = &s->cols[s->ncols++];
    *c = (sl_store_column){.name = sl_arena_text(&s->arena, name)};
    return c->name.s ? SL_OK : sl_oom(err);
}

static uint32_t find_column(const sl_store *s, sl_text name, uint32_t guess) {
    if (guess < s->ncols && sl_text_eq(s->cols[guess].name, name)) return guess;
    for (uint32_t c = 0; c < s->ncols; c++)
        if (sl_text_eq(s->cols[c].name, name)) return c;
    return s->ncols;
}

/* Where each column of F stands in the table, new ones at its end: into s->place. */
static sl_status place_columns(sl_store *s, const sl_leaf_frame *f, sl_error *err) {
    if (!SL_ROOM(s->place, s->cap_place, f->ncols)) return sl_oom(err);
    sl_cursor names = {f->names.s, f->names.s + f->names.n, false};
    for (uint32_t c = 0; c < f->ncols; c++) {
        uint32_t n = sl_cursor_u32(&names);
        sl_text name = {sl_cursor_bytes(&names, n), n};
        s->place[c] = find_column(s, name, c);
        if (s->place[c] == s->ncols) TRY(add_column(s, name, err));
        assert(s->place[c] < s->ncols);
        s->cols[s->place[c]].seen |= (uint8_t)f->seen[c];
    }
    return SL_OK;
}

static sl_status keep_heading(sl_store *s, const sl_leaf_frame *f, sl_error *err) {
    if (s->heading.n) return SL_OK;
    s->heading = sl_arena_text(&s->arena, f->names);
    s->heading_cols = f->ncols;
    return s->heading.s ? SL_OK : sl_oom(err);
}

static sl_status take_heading(sl_store *s, sl_error *err) {
    if (s->ncols) return SL_OK;
    sl_cursor names = {s->heading.s, s->heading.s + s->heading.n, false};
    for (uint32_t c = 0; c < s->heading_cols; c++) {
        uint32_t n = sl_cursor_u32(&names);
        TRY(add_column(s, sl_text_n(sl_cursor_bytes(&names, n), n), err));
    }
    return SL_OK;
}

/* ---- pages and their numbers ----------------------------------------------------------------------------------- */

sl_status sl_store_take(sl_store *s, uint32_t count, uint32_t *first, sl_error *err) {
    if (s->next_page <= SL_STORE_LOCK_PAGE && SL_STORE_LOCK_PAGE - s->next_page < count)
        s->next_page = SL_STORE_LOCK_PAGE + 1;
    if (UINT32_MAX - 2 - s->next_page < count)
        return sl_fail(err, SL_E_DATA, "too many rows for one SQLite table");
    assert(s->next_page > SL_STORE_ROOT);
    *first = s->next_page;
    s->next_page += count;
    return SL_OK;
}

static uint8_t *cell_at(uint8_t *page, uint32_t i) {
    uint8_t *pointer = page + 8 + 2 * (size_t)i;
    return page + ((uint32_t)pointer[0] << 8 | pointer[1]);
}

/* Gives the cells of a leaf their rowids; returns the last. */
static int64_t number_cells(uint8_t *page, uint32_t cells, int64_t rowid) {
    for (uint32_t i = 0; i < cells; i++) {
        sl_leaf_put_rowid(cell_at(page, i), ++rowid);
    }
    return rowid;
}

/* The overflow pages that its long cells begin with, which stand there by their number in the frame. */
static void number_chains(uint8_t *page, uint32_t cells, const uint32_t *number) {
    for (uint32_t i = 0; i < cells; i++) {
        uint64_t length;
        uint32_t local;
        uint8_t *cell = cell_at(page, i);
        const uint8_t *payload = sl_leaf_payload(cell, &length, &local);
        uint8_t *pointer = cell + (payload - cell) + local;
        if (local < length) sl_put_be32(pointer, number[sl_get_be32(pointer)]);
    }
}

static bool has_chains(const sl_leaf_frame *f) {
    for (uint32_t i = 0; i < f->npages; i++)
        if (sl_leaf_kind(f, i) == SL_LEAF_OVERFLOW) return true;
    return false;
}

void sl_store_number(const sl_leaf_frame *f, char *pages, const uint32_t *number, int64_t before,
                     bool numbered, sl_buf *leaves) {
    bool chains = has_chains(f);
    for (uint32_t i = 0; i < f->npages; i++) {
        uint8_t *page = (uint8_t *)pages + (size_t)i * SL_LEAF_PAGE;
        uint32_t kind = sl_leaf_kind(f, i);
        if (kind == SL_LEAF_OVERFLOW) {
            uint32_t next = sl_get_be32(page);
            if (next) sl_put_be32(page, number[next]);
            continue;
        }
        if (chains) number_chains(page, kind, number);
        before = numbered ? before + kind : number_cells(page, kind, before);
        sl_leaf l = {number[i], before};
        sl_buf_add(leaves, &l, sizeof l);
    }
}

/* ---- segments -------------------------------------------------------------------------------------------------- */

static sl_status new_segment(sl_store *s, const sl_leaf_frame *f, sl_segment **out, sl_error *err) {
    if (!SL_ROOM(s->segments, s->cap_segments, s->nsegments + 1)) return sl_oom(err);
    if ((int64_t)s->nrows > SL_LEAF_LAST - (int64_t)f->nrows)
        return sl_fail(err, SL_E_DATA, "too many rows for one load");
    *out = &s->segments[s->nsegments++];
    sl_text seen = sl_arena_text(&s->arena, sl_text_n(f->seen, f->ncols));
    **out = (sl_segment){
        .nrows = f->nrows, .before = (int64_t)s->nrows, .ncols = f->ncols, .seen = (const uint8_t *)seen.s};
    s->nrows += f->nrows;
    return seen.s ? SL_OK : sl_oom(err);
}

static sl_status store_pages(sl_store *s, const sl_leaf_frame *f, bool numbered, sl_segment *g,
                             sl_error *err) {
    TRY(sl_store_take(s, f->npages, &g->page, err));
    g->npages = f->npages;
    uint32_t *number = malloc((f->npages + 1) * sizeof *number);
    if (!number) return sl_oom(err);
    for (uint32_t i = 0; i < f->npages; i++) number[i] = g->page + i;
    sl_buf_clear(&s->leaves);
    sl_buf_clear(&s->pages);
    sl_leaf_copy_pages(f, &s->pages);
    if (!s->pages.failed) sl_store_number(f, s->pages.data, number, g->before, numbered, &s->leaves);
    free(number);
    TRY(sl_buf_check(&s->pages, err));
    TRY(sl_buf_check(&s->leaves, err));
    g->nleaves = (uint32_t)(s->leaves.len / sizeof(sl_leaf));
    g->trailer_n = f->trailer_n;
    TRY(sl_store_aside(s, s->leaves.data, s->leaves.len, &g->leaves_at, err));
    TRY(sl_store_aside(s, f->trailer, f->trailer_n, &g->trailer_at, err));
    return sl_store_write(s, s->pages.data, s->pages.len, g->page, err);
}

static sl_status park(sl_store *s, const char *frame, size_t n, const uint32_t *place, sl_segment *g,
                      sl_error *err) {
    assert(!g->npages);
    g->parked = true;
    g->trailer_n = n;
    TRY(sl_store_aside(s, place, g->ncols * sizeof *place, &g->leaves_at, err));
    return sl_store_aside(s, frame, n, &g->trailer_at, err);
}

static bool in_order(const uint32_t *place, uint32_t n) {
    for (uint32_t c = 0; c < n; c++)
        if (place[c] != c) return false;
    return true;
}

static sl_status add_segment(sl_store *s, const char *frame, size_t n, const uint32_t *place, bool numbered,
                             sl_error *err) {
    sl_leaf_frame f;
    sl_segment *g = NULL;
    TRY(sl_leaf_open(&f, frame, n, err));
    TRY(new_segment(s, &f, &g, err));
    assert(!numbered || in_order(place, f.ncols));
    return in_order(place, f.ncols) ? store_pages(s, &f, numbered, g, err) : park(s, frame, n, place, g, err);
}

/* ---- small frames ---------------------------------------------------------------------------------------------- */

/* Its columns are the table's first. Afterwards the next small frame follows the rows that are there. */
static sl_status end_pack(sl_store *s, sl_error *err) {
    uint32_t n = s->pack.ncols;
    sl_text *names = calloc(n + 1, sizeof *names);
    uint32_t *place = calloc(n + 1, sizeof *place);
    sl_status st = names && place ? SL_OK : sl_oom(err);
    for (uint32_t c = 0; c < n && st == SL_OK; c++) {
        names[c] = s->cols[c].name;
        place[c] = c;
    }
    if (st == SL_OK) st = sl_leaf_finish(&s->pack.out, names, s->pack.seen, n, err);
    if (st == SL_OK) st = add_segment(s, s->pack.frame.data, s->pack.frame.len, place, true, err);
    free(names);
    free(place);
    return st;
}

static sl_status flush_pack(sl_store *s, sl_error *err) {
    if (!s->pack.out.nrows) return SL_OK;
    assert(s->pack.out.before == (int64_t)s->nrows && s->pack.ncols <= s->ncols);
    sl_status st = end_pack(s, err);
    s->pack.ncols = 0;
    sl_buf_clear(&s->pack.frame);
    sl_leaf_begin(&s->pack.out, &s->pack.frame, (int64_t)s->nrows);
    return st;
}

static sl_status widen_pack(sl_store *s, uint32_t ncols, sl_error *err) {
    if (ncols > s->pack.cap) {
        uint8_t *seen = realloc(s->pack.seen, ncols);
        if (!seen) return sl_oom(err);
        s->pack.seen = seen;
        s->pack.cap = ncols;
    }
    for (; s->pack.ncols < ncols; s->pack.ncols++) s->pack.seen[s->pack.ncols] = 0;
    return SL_OK;
}

/* Row by row, with every column where the table has it. */
static sl_status put_in_order(sl_store *s, const sl_leaf_frame *f, sl_error *err) {
    sl_cells_reader *r = &s->pack.reader;
    const char *source = NULL;
    sl_status st;
    TRY(sl_cells_writer_open(&s->pack.writer, s->ncols, err));
    TRY(sl_cells_open(r, f, s->place, s->ncols, err));
    while ((st = sl_cells_next(r, err)) == SL_OK) {
        TRY(sl_cells_keep(&s->pack.writer, r->cells, &s->pack.out, err));
        sl_leaf_place(&s->pack.out, r->source, source && source == r->source.s, r->line);
        source = r->source.s;
    }
    return st == SL_DONE ? SL_OK : st;
}

static sl_status pack(sl_store *s, const sl_leaf_frame *f, sl_error *err) {
    bool ordered = in_order(s->place, f->ncols);
    TRY(widen_pack(s, ordered ? f->ncols : s->ncols, err));
    for (uint32_t c = 0; c < f->ncols; c++) s->pack.seen[s->place[c]] |= (uint8_t)f->seen[c];
    TRY(ordered ? sl_cells_append_all(&s->pack.out, f, &s->room, err) : put_in_order(s, f, err));
    TRY(sl_buf_check(&s->pack.frame, err));
    return sl_leaf_pages(&s->pack.out) >= FULL ? flush_pack(s, err) : SL_OK;
}

/* ---- frames ---------------------------------------------------------------------------------------------------- */

sl_status sl_store_add(sl_store *s, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    sl_leaf_frame f;
    if (n == 0) return SL_OK;
    TRY(sl_leaf_open(&f, frame, n, err));
    if (f.nrows == 0) return keep_heading(s, &f, err);
    TRY(place_columns(s, &f, err));
    if (f.npages < SMALL || s->nrows + s->pack.out.nrows + f.nrows > SL_LEAF_ROOM) {
        TRY(pack(s, &f, err));
    } else {
        TRY(flush_pack(s, err));
        TRY(add_segment(s, frame, n, s->place, false, err));
        s->pack.out.before = (int64_t)s->nrows;
    }
    *rows += f.nrows;
    return SL_OK;
}

sl_status sl_store_settle(sl_store *s, sl_error *err) {
    TRY(flush_pack(s, err));
    assert(!s->pack.frame.len);
    return take_heading(s, err);
}

/* ---- reading the rows ------------------------------------------------------------------------------------------ */

static sl_status read_parked(sl_store_reader *r, const sl_segment *g, sl_error *err) {
    const sl_store *s = r->store;
    if (!sl_buf_reserve(&r->data, g->trailer_n)) return sl_buf_check(&r->data, err);
    TRY(sl_tempfile_read(s->side_fd, r->place, g->ncols * sizeof *r->place, g->leaves_at, err));
    TRY(sl_tempfile_read(s->side_fd, r->data.data, g->trailer_n, g->trailer_at, err));
    return sl_leaf_open(&r->frame, r->data.data, g->trailer_n, err);
}

static sl_status read_stored(sl_store_reader *r, const sl_segment *g, sl_error *err) {
    const sl_store *s = r->store;
    size_t pages = (size_t)g->npages * SL_LEAF_PAGE;
    if (!sl_buf_reserve(&r->data, pages + g->trailer_n)) return sl_buf_check(&r->data, err);
    for (uint32_t c = 0; c < g->ncols; c++) r->place[c] = c;
    TRY(sl_tempfile_read(s->fd, r->data.data, pages, (uint64_t)(g->page - 1) * SL_LEAF_PAGE, err));
    TRY(sl_tempfile_read(s->side_fd, r->data.data + pages, g->trailer_n, g->trailer_at, err));
    return sl_leaf_open_parts(&r->frame, r->data.data, g->page, r->data.data + pages, g->trailer_n, err);
}

sl_status sl_store_segment(sl_store_reader *r, uint32_t number, sl_error *err) {
    const sl_segment *g = &r->store->segments[number];
    uint32_t *place = realloc(r->place, (g->ncols + 1) * sizeof *place);
    if (!place) return sl_oom(err);
    r->place = place;
    sl_buf_clear(&r->data);
    TRY(g->parked ? read_parked(r, g, err) : read_stored(r, g, err));
    return sl_cells_open(&r->row, &r->frame, r->place, r->store->ncols, err);
}

sl_status sl_store_next(sl_store_reader *r, sl_error *err) {
    for (;;) {
        sl_status s = r->open ? sl_cells_next(&r->row, err) : SL_DONE;
        r->number += s == SL_OK;
        if (s != SL_DONE) return s;
        r->open = r->segment < r->store->nsegments;
        if (!r->open) return SL_DONE;
        TRY(sl_store_segment(r, r->segment++, err));
    }
}

void sl_store_reader_free(sl_store_reader *r) {
    sl_cells_free(&r->row);
    sl_buf_free(&r->data);
    free(r->place);
    *r = (sl_store_reader){0};
}
