#include "sinks/sqlite_scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tempfile.h"
#include "sinks/file_out.h"
#include "sinks/sqlite_leaf.h"

enum {
    ROOT = 2,                                      /* page of the table's root; page 1 is the schema */
    LOCK_PAGE = (1 << 30) / (int)SL_LEAF_PAGE + 1, /* never used by SQLite: its locks live there */
    INTERIOR = 5,
    INTERIOR_HEAD = 12,
    INTERIOR_CELL = 4 + 5 + 2, /* child, rowid, pointer */
    FAN_OUT = ((int)SL_LEAF_PAGE - INTERIOR_HEAD) / INTERIOR_CELL
};

typedef struct leaf { /* a page of some level and the largest rowid below it */
    uint32_t page;
    int64_t last;
} leaf;

struct sl_scratch_frame {
    uint32_t page, npages; /* where its pages are */
    uint32_t nrows;
    int64_t before;  /* rowids of its rows follow this one */
    uint64_t log_at; /* its trailer in the side file */
    size_t log_n;
    const uint8_t *seen; /* [ncols] */
    uint32_t ncols;
    uint32_t nleaves; /* in the side file too: a large table has hundreds of thousands */
    uint64_t leaves_at;
};

/* ---- opening and closing --------------------------------------------------------------------------------------- */

sl_status sl_scratch_open(sl_scratch *s, const char *beside, const char *tmpdir, sl_error *err) {
    *s = (sl_scratch){.fd = -1, .log_fd = -1, .next_page = ROOT + 1};
    s->may_stay = access(beside, F_OK) != 0;
    unsigned mode = s->may_stay ? 0666 : 0600; /* otherwise it is nobody else's business */
    TRY(sl_file_create_beside(beside, "load", mode, &s->path, &s->fd, err));
    s->early.fd = s->fd;
    return sl_tempfile_open(tmpdir, &s->log_fd, err);
}

void sl_scratch_close(sl_scratch *s) {
    sl_early_sync_stop(&s->early);
    if (s->path) {
        unlink(s->path);
        close(s->fd);
        if (s->log_fd >= 0) close(s->log_fd);
    }
    free(s->path);
    free(s->cols);
    free(s->frames);
    sl_buf_free(&s->pages);
    sl_buf_free(&s->again);
    sl_buf_free(&s->leaves);
    sl_arena_free(&s->arena);
    *s = (sl_scratch){0};
}

/* Temporary files have no name of their own; this one does. */
static sl_status write_pages(sl_scratch *s, const void *data, size_t n, uint32_t page, sl_error *err) {
    uint64_t at = (uint64_t)(page - 1) * SL_LEAF_PAGE;
    for (const char *p = data; n > 0;) {
        ssize_t k = pwrite(s->fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return sl_fail_errno(err, errno, "cannot write to", s->path);
        p += k;
        n -= (size_t)k;
        at += (uint64_t)k;
    }
    if (s->may_stay) sl_early_sync_step(&s->early, (uint64_t)(s->next_page - 1) * SL_LEAF_PAGE);
    return SL_OK;
}

sl_status sl_scratch_check(sl_scratch *s, const char *path, sl_error *err) {
    int failed = sl_early_sync_stop(&s->early);
    if (!failed) failed = sl_tempfile_lost(s->fd);
    return failed ? sl_fail_errno(err, failed, "cannot write to", path) : SL_OK;
}

sl_status sl_scratch_sync(sl_scratch *s, const char *path, sl_error *err) {
    int failed = sl_early_sync_finish(&s->early);
    return failed ? sl_fail_errno(err, failed, "cannot write to", path) : SL_OK;
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

static sl_status add_column(sl_scratch *s, sl_text name, sl_error *err) {
    if (s->ncols == s->cap_cols) {
        uint32_t cap = s->cap_cols * 2 + 16;
        sl_scratch_column *cols = realloc(s->cols, cap * sizeof *cols);
        if (!cols) return sl_oom(err);
        s->cols = cols;
        s->cap_cols = cap;
    }
    sl_scratch_column *c = &s->cols[s->ncols++];
    *c = (sl_scratch_column){.name = sl_arena_text(&s->arena, name)};
    return c->name.s ? SL_OK : sl_oom(err);
}

static uint32_t find_column(const sl_scratch *s, sl_text name, uint32_t guess) {
    if (guess < s->ncols && sl_text_eq(s->cols[guess].name, name)) return guess;
    for (uint32_t c = 0; c < s->ncols; c++)
        if (sl_text_eq(s->cols[c].name, name)) return c;
    return s->ncols;
}

/* Where each column of F stands in the table, new ones at its end. *SAME: every one where it stood. */
static sl_status place_columns(sl_scratch *s, const sl_leaf_frame *f, uint32_t *place, bool *same,
                               sl_error *err) {
    sl_cursor names = {f->names.s, f->names.s + f->names.n, false};
    *same = true;
    for (uint32_t c = 0; c < f->ncols; c++) {
        uint32_t n = sl_cursor_u32(&names);
        sl_text name = {sl_cursor_bytes(&names, n), n};
        place[c] = find_column(s, name, c);
        if (place[c] == s->ncols) TRY(add_column(s, name, err));
        s->cols[place[c]].seen |= (uint8_t)f->seen[c];
        *same &= place[c] == c;
    }
    return SL_OK;
}

static bool holds_other_than_text(uint8_t seen) {
    return seen & (SL_SEEN_INT | SL_SEEN_REAL | SL_SEEN_EMPTY);
}

/* ---- frames into the file -------------------------------------------------------------------------------------- */

/* Numbers for COUNT pages in a row, none of them the lock page. */
static sl_status take_pages(sl_scratch *s, uint32_t count, uint32_t *first, sl_error *err) {
    if (s->next_page <= LOCK_PAGE && LOCK_PAGE - s->next_page < count) {
        s->holes |= s->next_page < LOCK_PAGE;
        s->next_page = LOCK_PAGE + 1;
    }
    if (UINT32_MAX - 2 - s->next_page < count)
        return sl_fail(err, SL_E_DATA, "too many rows for one SQLite table");
    *first = s->next_page;
    s->next_page += count;
    return SL_OK;
}

/* A rowid below 2^35 in five bytes, small ones with leading zeros, which SQLite reads like any varint. */
static void put_rowid(uint8_t *out, int64_t rowid) {
    for (int i = 4; i >= 0; i--, rowid >>= 7) out[i] = (uint8_t)((rowid & 0x7f) | (i == 4 ? 0 : 0x80));
}

static uint8_t *cell_at(uint8_t *page, uint32_t i) {
    uint8_t *pointer = page + 8 + 2 * (size_t)i;
    return page + ((uint32_t)pointer[0] << 8 | pointer[1]);
}

/* Gives the cells of a leaf their rowids; returns the last. */
static int64_t number_cells(uint8_t *page, uint32_t cells, int64_t rowid) {
    for (uint32_t i = 0; i < cells; i++) {
        uint8_t *cell = cell_at(page, i);
        while (*cell & 0x80) cell++; /* the payload's length */
        put_rowid(cell + 1, ++rowid);
    }
    return rowid;
}

static void add_to_be32(uint8_t *at, uint32_t n) {
    sl_put_be32(at, sl_get_be32(at) + n);
}

/* A spilled cell's first overflow page, which stands in the frame by its number there. */
static void shift_spill(uint8_t *page, uint32_t by) {
    uint64_t length;
    uint32_t local;
    const uint8_t *cell = cell_at(page, 0), *payload = sl_leaf_payload(cell, &length, &local);
    add_to_be32(page + (payload - page) + local, by);
}

/* True numbers into the copy of F's pages in s->pages, its leaves into s->leaves. */
static void number_frame(sl_scratch *s, const sl_leaf_frame *f, sl_scratch_frame *sf) {
    int64_t rowid = sf->before;
    for (uint32_t i = 0; i < f->npages; i++) {
        uint8_t *page = (uint8_t *)s->pages.data + (size_t)i * SL_LEAF_PAGE;
        uint32_t kind = sl_leaf_kind(f, i);
        if (kind == SL_LEAF_OVERFLOW) {
            if (sl_get_be32(page)) add_to_be32(page, sf->page);
            continue;
        }
        rowid = number_cells(page, kind & ~SL_LEAF_SPILLS, rowid);
        if (kind & SL_LEAF_SPILLS) shift_spill(page, sf->page);
        leaf l = {sf->page + i, rowid};
        sl_buf_add(&s->leaves, &l, sizeof l);
        sf->nleaves++;
    }
}

/* Appends to the side file; *AT gets where. */
static sl_status put_aside(sl_scratch *s, const void *data, size_t n, uint64_t *at, sl_error *err) {
    *at = s->log_end;
    s->log_end += n;
    return sl_tempfile_write(s->log_fd, data, n, *at, err);
}

static sl_status store(sl_scratch *s, const sl_leaf_frame *f, sl_scratch_frame *sf, sl_error *err) {
    TRY(take_pages(s, f->npages, &sf->page, err));
    sf->npages = f->npages;
    sf->nleaves = 0;
    sl_buf_clear(&s->leaves);
    sl_buf_clear(&s->pages);
    sl_buf_add(&s->pages, f->pages, (size_t)f->npages * SL_LEAF_PAGE);
    TRY(sl_buf_check(&s->pages, err));
    number_frame(s, f, sf);
    TRY(sl_buf_check(&s->leaves, err));
    TRY(put_aside(s, s->leaves.data, s->leaves.len, &sf->leaves_at, err));
    return write_pages(s, s->pages.data, s->pages.len, sf->page, err);
}

static sl_status new_frame(sl_scratch *s, const sl_leaf_frame *f, sl_scratch_frame **out, sl_error *err) {
    if (s->nframes == s->cap_frames) {
        uint32_t cap = s->cap_frames * 2 + 64;
        sl_scratch_frame *frames = realloc(s->frames, cap * sizeof *frames);
        if (!frames) return sl_oom(err);
        s->frames = frames;
        s->cap_frames = cap;
    }
    int64_t before = (int64_t)s->nrows;
    if (before > SL_LEAF_LAST - (int64_t)f->nrows)
        return sl_fail(err, SL_E_DATA, "too many rows for one load");
    *out = &s->frames[s->nframes++];
    sl_text seen = sl_arena_text(&s->arena, sl_text_n(f->seen, f->ncols));
    **out = (sl_scratch_frame){
        .nrows = f->nrows, .before = before, .ncols = f->ncols, .seen = (const uint8_t *)seen.s};
    return seen.s ? SL_OK : sl_oom(err);
}

static sl_status add_frame(sl_scratch *s, const sl_leaf_frame *f, sl_error *err) {
    sl_scratch_frame *sf = NULL;
    TRY(new_frame(s, f, &sf, err));
    TRY(store(s, f, sf, err));
    s->nrows += f->nrows;
    sf->log_n = f->trailer_n;
    return put_aside(s, f->trailer, f->trailer_n, &sf->log_at, err);
}

/* F again with the table's columns, into s->again, which *OUT then shows. */
static sl_status recode(sl_scratch *s, const sl_leaf_frame *f, const uint32_t *place, const bool *to_text,
                        sl_leaf_frame *out, sl_error *err) {
    sl_text *names = malloc((s->ncols + 1) * sizeof *names);
    sl_buf_clear(&s->again);
    for (uint32_t c = 0; names && c < s->ncols; c++) names[c] = s->cols[c].name;
    sl_status st = names ? sl_leaf_recode(f, place, to_text, names, s->ncols, &s->again, err) : sl_oom(err);
    free(names);
    return st == SL_OK ? sl_leaf_open(out, s->again.data, s->again.len, err) : st;
}

/* Columns known to be text already spare the frame a second writing at the end. */
static sl_status recode_now(sl_scratch *s, const sl_leaf_frame *f, const uint32_t *place, sl_error *err) {
    bool *to_text = calloc(s->ncols + 1, 1);
    if (!to_text) return sl_oom(err);
    for (uint32_t c = 0; c < s->ncols; c++) to_text[c] = s->cols[c].seen & SL_SEEN_TEXT;
    sl_leaf_frame again;
    sl_status st = recode(s, f, place, to_text, &again, err);
    free(to_text);
    return st == SL_OK ? add_frame(s, &again, err) : st;
}

static sl_status keep_heading(sl_scratch *s, const sl_leaf_frame *f, sl_error *err) {
    if (s->heading.n) return SL_OK;
    s->heading = sl_arena_text(&s->arena, f->names);
    s->heading_cols = f->ncols;
    return s->heading.s ? SL_OK : sl_oom(err);
}

sl_status sl_scratch_settle(sl_scratch *s, sl_error *err) {
    if (s->ncols) return SL_OK;
    sl_cursor names = {s->heading.s, s->heading.s + s->heading.n, false};
    for (uint32_t c = 0; c < s->heading_cols; c++) {
        uint32_t n = sl_cursor_u32(&names);
        TRY(add_column(s, sl_text_n(sl_cursor_bytes(&names, n), n), err));
    }
    return SL_OK;
}

sl_status sl_scratch_add(sl_scratch *s, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    sl_leaf_frame f;
    if (n == 0) return SL_OK;
    TRY(sl_leaf_open(&f, frame, n, err));
    if (f.nrows == 0) return keep_heading(s, &f, err);
    uint32_t *place = malloc((f.ncols + 1) * sizeof *place);
    bool same = true;
    sl_status st = place ? place_columns(s, &f, place, &same, err) : sl_oom(err);
    if (st == SL_OK) st = same ? add_frame(s, &f, err) : recode_now(s, &f, place, err);
    free(place);
    if (st == SL_OK) *rows += f.nrows;
    return st;
}

/* ---- numbers that have become text ----------------------------------------------------------------------------- */

static bool needs_text(const sl_scratch_frame *sf, const bool *to_text) {
    for (uint32_t c = 0; c < sf->ncols; c++)
        if (to_text[c] && holds_other_than_text(sf->seen[c])) return true;
    return false;
}

/* BUF: the frame's pages, then its trailer. */
static sl_status load_frame(sl_scratch *s, const sl_scratch_frame *sf, sl_buf *buf, sl_leaf_frame *f,
                            sl_error *err) {
    size_t pages = (size_t)sf->npages * SL_LEAF_PAGE;
    sl_buf_clear(buf);
    if (!sl_buf_reserve(buf, pages + sf->log_n)) return sl_buf_check(buf, err);
    TRY(sl_tempfile_read(s->fd, buf->data, pages, (uint64_t)(sf->page - 1) * SL_LEAF_PAGE, err));
    TRY(sl_tempfile_read(s->log_fd, buf->data + pages, sf->log_n, sf->log_at, err));
    return sl_leaf_open_parts(f, buf->data, buf->data + pages, sf->log_n, err);
}

static sl_status texts_in_frame(sl_scratch *s, sl_scratch_frame *sf, const uint32_t *place,
                                const bool *to_text, sl_buf *buf, sl_error *err) {
    sl_leaf_frame f, again;
    TRY(load_frame(s, sf, buf, &f, err));
    TRY(recode(s, &f, place, to_text, &again, err));
    s->holes = true; /* where it stood */
    return store(s, &again, sf, err);
}

static sl_status texts_in_all(sl_scratch *s, const bool *to_text, sl_error *err) {
    uint32_t *place = malloc((s->ncols + 1) * sizeof *place);
    if (!place) return sl_oom(err);
    for (uint32_t c = 0; c < s->ncols; c++) place[c] = c;
    sl_buf buf = {0};
    sl_status st = SL_OK;
    for (uint32_t i = 0; i < s->nframes && st == SL_OK; i++)
        if (needs_text(&s->frames[i], to_text))
            st = texts_in_frame(s, &s->frames[i], place, to_text, &buf, err);
    sl_buf_free(&buf);
    free(place);
    return st;
}

/* ---- the tree -------------------------------------------------------------------------------------------------- */

/* An interior page over the N children at V, at least two. */
static void make_interior(uint8_t *page, const leaf *v, size_t n) {
    uint32_t top = SL_LEAF_PAGE;
    memset(page, 0, SL_LEAF_PAGE);
    page[0] = INTERIOR;
    for (size_t i = 0; i + 1 < n; i++) {
        top -= 9;
        sl_put_be32(page + top, v[i].page);
        put_rowid(page + top + 4, v[i].last);
        page[INTERIOR_HEAD + 2 * i] = (uint8_t)(top >> 8);
        page[INTERIOR_HEAD + 2 * i + 1] = (uint8_t)top;
    }
    page[3] = (uint8_t)((n - 1) >> 8);
    page[4] = (uint8_t)(n - 1);
    page[5] = (uint8_t)(top >> 8);
    page[6] = (uint8_t)top;
    sl_put_be32(page + 8, v[n - 1].page);
}

/* Reads the leaves of all frames in turn. */
typedef struct leaf_reader {
    sl_scratch *s;
    uint32_t frame, at; /* the next is leaf AT of this frame */
} leaf_reader;

static sl_status read_leaves(leaf_reader *r, leaf *out, size_t n, sl_error *err) {
    while (n > 0) {
        const sl_scratch_frame *sf = &r->s->frames[r->frame];
        size_t k = sf->nleaves - r->at;
        if (k > n) k = n;
        TRY(sl_tempfile_read(r->s->log_fd, (char *)out, k * sizeof *out, sf->leaves_at + r->at * sizeof *out,
                             err));
        out += k;
        n -= k;
        r->at += (uint32_t)k;
        if (r->at < sf->nleaves) break;
        r->frame++;
        r->at = 0;
    }
    return SL_OK;
}

static size_t groups_of(size_t children) {
    return (children + FAN_OUT - 1) / FAN_OUT;
}

/* An interior page over the N children at V, one of GROUPS such; *OUT gets it. */
static sl_status add_interior(sl_scratch *s, const leaf *v, size_t n, size_t groups, uint8_t *page, leaf *out,
                              sl_error *err) {
    uint32_t number = ROOT;
    if (groups > 1) TRY(take_pages(s, 1, &number, err));
    make_interior(page, v, n);
    *out = (leaf){number, v[n - 1].last};
    return write_pages(s, page, SL_LEAF_PAGE, number, err);
}

/* The level over all N leaves; its pages are put at V. */
static sl_status first_level(sl_scratch *s, size_t n, leaf *v, uint8_t *page, sl_error *err) {
    leaf_reader r = {.s = s};
    leaf children[FAN_OUT];
    size_t groups = groups_of(n);
    for (size_t g = 0; g < groups; g++) {
        size_t count = n * (g + 1) / groups - n * g / groups;
        TRY(read_leaves(&r, children, count, err));
        TRY(add_interior(s, children, count, groups, page, &v[g], err));
    }
    return SL_OK;
}

/* One level over the *N pages at V, in place: they are fewer afterwards. */
static sl_status add_level(sl_scratch *s, leaf *v, size_t *n, uint8_t *page, sl_error *err) {
    size_t groups = groups_of(*n);
    for (size_t g = 0; g < groups; g++) {
        size_t from = *n * g / groups, to = *n * (g + 1) / groups;
        TRY(add_interior(s, v + from, to - from, groups, page, &v[g], err));
    }
    *n = groups;
    return SL_OK;
}

/* A lone leaf is the root itself; none at all, an empty one. */
static sl_status lone_root(sl_scratch *s, size_t n, uint8_t *page, sl_error *err) {
    leaf only;
    s->holes |= n > 0;
    memset(page, 0, SL_LEAF_PAGE);
    page[0] = 13;
    if (n) {
        TRY(read_leaves(&(leaf_reader){.s = s}, &only, 1, err));
        TRY(sl_tempfile_read(s->fd, page, SL_LEAF_PAGE, (uint64_t)(only.page - 1) * SL_LEAF_PAGE, err));
    }
    return write_pages(s, page, SL_LEAF_PAGE, ROOT, err);
}

static sl_status build(sl_scratch *s, size_t leaves, leaf *v, uint8_t *page, sl_error *err) {
    if (leaves < 2) return lone_root(s, leaves, page, err);
    TRY(first_level(s, leaves, v, page, err));
    for (size_t n = groups_of(leaves); n > 1;) TRY(add_level(s, v, &n, page, err));
    return SL_OK;
}

static sl_status make_tree(sl_scratch *s, sl_error *err) {
    size_t n = 0;
    for (uint32_t i = 0; i < s->nframes; i++) n += s->frames[i].nleaves;
    leaf *v = malloc((groups_of(n) + 1) * sizeof *v);
    uint8_t *page = malloc(SL_LEAF_PAGE);
    sl_status st = v && page ? build(s, n, v, page, err) : sl_oom(err);
    free(page);
    free(v);
    return st;
}

/* ---- the head of the file -------------------------------------------------------------------------------------- */

/* An empty database with our table, made by SQLite in memory: its first page is ours but for the count of pages. */
static sl_status write_head(sl_scratch *s, sqlite3 *db, const char *sql, sl_error *err) {
    sqlite3_int64 n = 0;
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sl_fail(err, SL_E_DATA, "cannot make a table of these columns: %s", sqlite3_errmsg(db));
    unsigned char *image = sqlite3_serialize(db, "main", &n, 0);
    if (!image) return sl_oom(err);
    sl_status st = SL_OK;
    if (n != 2 * (sqlite3_int64)SL_LEAF_PAGE)
        st = sl_fail(err, SL_E_DATA, "a table of %u columns is too wide for SQLite", s->ncols);
    sl_put_be32(image + 28, s->next_page - 1);
    if (st == SL_OK) st = write_pages(s, image, SL_LEAF_PAGE, 1, err);
    sqlite3_free(image);
    return st;
}

static sl_status make_head(sl_scratch *s, const sl_buf *sql, const char *z, sl_error *err) {
    sqlite3 *db = NULL;
    sl_status st = sl_buf_check(sql, err);
    if (st == SL_OK &&
        sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        st = sl_oom(err);
    if (st == SL_OK) st = write_head(s, db, z, err);
    sqlite3_close(db);
    return st;
}

/* For a table that is only read by place: t(c0, c1, ...). */
static sl_status make_plain_head(sl_scratch *s, const char *const *types, sl_error *err) {
    sl_buf sql = {0};
    sl_buf_printf(&sql, "PRAGMA page_size=%u; CREATE TABLE t(", SL_LEAF_PAGE);
    for (uint32_t c = 0; c < s->ncols; c++) sl_buf_printf(&sql, "%sc%u %s", c ? "," : "", c, types[c]);
    sl_buf_byte(&sql, ')');
    const char *z = sl_buf_cstr(&sql);
    sl_status st = make_head(s, &sql, z, err);
    sl_buf_free(&sql);
    return st;
}

sl_status sl_scratch_retitle(sl_scratch *s, const char *create, sl_error *err) {
    sl_buf sql = {0};
    sl_buf_printf(&sql, "PRAGMA page_size=%u; ", SL_LEAF_PAGE);
    sl_buf_str(&sql, create);
    const char *z = sl_buf_cstr(&sql);
    sl_status st = make_head(s, &sql, z, err);
    sl_buf_free(&sql);
    return st;
}

sl_status sl_scratch_finish(sl_scratch *s, const char *const *types, const bool *to_text, sl_error *err) {
    TRY(texts_in_all(s, to_text, err));
    TRY(make_tree(s, err));
    return make_plain_head(s, types, err);
}
