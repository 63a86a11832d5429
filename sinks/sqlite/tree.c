/* tree.c: the pages of a store as the B-tree of one table: what has to be written once more, the levels above the leaves,
 * the free pages, the head of the file. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/tempfile.h"
#include "sinks/sqlite/store.h"

enum {
    LEAF = 13,
    INTERIOR = 5,
    INTERIOR_HEAD = 12,
    ROWID_ROOM = 5,
    INTERIOR_CELL = 4 + ROWID_ROOM + 2, /* child, rowid, pointer */
    FAN_OUT = ((int)SL_LEAF_PAGE - INTERIOR_HEAD) / INTERIOR_CELL,
    TRUNK_ROOM = (int)SL_LEAF_PAGE / 4 - 8, /* free pages that one page of the list names */
    FULL = 64                               /* pages that are written at once */
};

typedef struct leaf_run { /* leaves that follow one another in the side file */
    uint64_t at;
    uint32_t n;
} leaf_run;

typedef struct tree {
    sl_store *s;
    const bool *to_text;
    leaf_run *runs;
    uint32_t nruns, cap_runs;
    uint32_t *free; /* pages that nothing points to */
    uint32_t nfree, cap_free;
    sl_store_reader reader;
    sl_cells_writer rows;
    sl_leaf_writer out; /* rows written once more */
    sl_buf frame;
    int64_t before; /* rowids of its rows follow this one */
} tree;

static sl_status add_run(tree *t, uint64_t at, uint32_t n, sl_error *err) {
    if (!SL_ROOM(t->runs, t->cap_runs, t->nruns + 1)) return sl_oom(err);
    t->runs[t->nruns++] = (leaf_run){at, n};
    return SL_OK;
}

static sl_status free_pages(tree *t, uint32_t first, uint32_t count, sl_error *err) {
    if (!SL_ROOM(t->free, t->cap_free, t->nfree + count)) return sl_oom(err);
    for (uint32_t i = count; i > 0; i--) t->free[t->nfree++] = first + i - 1;
    return SL_OK;
}

static sl_status take_page(tree *t, uint32_t *number, sl_error *err) {
    if (!t->nfree) return sl_store_take(t->s, 1, number, err);
    *number = t->free[--t->nfree];
    return SL_OK;
}

/* ---- what is written once more --------------------------------------------------------------------------------- */

/* Pages that follow one another go out in one piece. */
static sl_status write_pages(tree *t, const char *pages, const uint32_t *number, uint32_t n, sl_error *err) {
    for (uint32_t i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && number[k] == number[k - 1] + 1;) k++;
        TRY(sl_store_write(t->s, pages + (size_t)i * SL_LEAF_PAGE, (size_t)(k - i) * SL_LEAF_PAGE, number[i],
                           err));
    }
    return SL_OK;
}

static sl_status place_frame(tree *t, const sl_leaf_frame *f, uint32_t *number, sl_error *err) {
    sl_store *s = t->s;
    uint64_t at;
    for (uint32_t i = 0; i < f->npages; i++) TRY(take_page(t, &number[i], err));
    sl_buf_clear(&s->leaves);
    sl_buf_clear(&s->pages);
    sl_leaf_copy_pages(f, &s->pages);
    TRY(sl_buf_check(&s->pages, err));
    sl_store_number(f, s->pages.data, number, t->before, true, &s->leaves);
    TRY(sl_buf_check(&s->leaves, err));
    TRY(sl_store_aside(s, s->leaves.data, s->leaves.len, &at, err));
    TRY(add_run(t, at, (uint32_t)(s->leaves.len / sizeof(sl_leaf)), err));
    return write_pages(t, s->pages.data, number, f->npages, err);
}

static sl_status flush(tree *t, sl_error *err) {
    sl_leaf_frame f;
    if (!t->out.nrows) return SL_OK;
    TRY(sl_leaf_finish(&t->out, NULL, NULL, 0, err));
    TRY(sl_leaf_open(&f, t->frame.data, t->frame.len, err));
    uint32_t *number = malloc((f.npages + 1) * sizeof *number);
    sl_status st = number ? place_frame(t, &f, number, err) : sl_oom(err);
    free(number);
    t->before += f.nrows;
    sl_buf_clear(&t->frame);
    sl_leaf_begin(&t->out, &t->frame, t->before);
    return st;
}

static sl_status write_again(tree *t, uint32_t segment, sl_error *err) {
    const sl_segment *g = &t->s->segments[segment];
    if (!t->out.nrows) t->before = t->out.before = g->before;
    TRY(sl_store_segment(&t->reader, segment, err));
    if (!g->parked) TRY(free_pages(t, g->page, g->npages, err));
    sl_status st;
    while ((st = sl_cells_next(&t->reader.row, err)) == SL_OK) {
        TRY(sl_cells_write(&t->rows, t->reader.row.cells, t->to_text, &t->out, err));
        if (sl_leaf_pages(&t->out) >= FULL) TRY(flush(t, err));
        TRY(sl_buf_check(&t->frame, err));
    }
    return st == SL_DONE ? SL_OK : st;
}

/* Whether a segment's rows do not stand as the table wants them. */
static bool is_other(const tree *t, const sl_segment *g) {
    const uint8_t other = SL_SEEN_INT | SL_SEEN_REAL | SL_SEEN_EMPTY | SL_SEEN_BOOL;
    if (g->parked) return true;
    for (uint32_t c = 0; c < g->ncols; c++)
        if (t->to_text[c] && g->seen[c] & other) return true;
    return false;
}

static sl_status settle_rows(tree *t, sl_error *err) {
    sl_leaf_begin(&t->out, &t->frame, 0);
    TRY(sl_cells_writer_open(&t->rows, t->s->ncols, err));
    for (uint32_t i = 0; i < t->s->nsegments; i++) {
        const sl_segment *g = &t->s->segments[i];
        if (is_other(t, g)) {
            TRY(write_again(t, i, err));
        } else {
            TRY(flush(t, err));
            TRY(add_run(t, g->leaves_at, g->nleaves, err));
        }
    }
    return flush(t, err);
}

/* ---- levels ---------------------------------------------------------------------------------------------------- */

/* An interior page over the N children at V, at least two. */
static void make_interior(uint8_t *page, const sl_leaf *v, size_t n) {
    assert(n >= 2 && n <= FAN_OUT);
    uint32_t top = SL_LEAF_PAGE;
    memset(page, 0, SL_LEAF_PAGE);
    page[0] = INTERIOR;
    for (size_t i = 0; i + 1 < n; i++) {
        assert(v[i].last < v[i + 1].last);
        top -= 4 + ROWID_ROOM;
        sl_put_be32(page + top, v[i].page);
        sl_varint_put_wide(page + top + 4, (uint64_t)v[i].last, ROWID_ROOM);
        page[INTERIOR_HEAD + 2 * i] = (uint8_t)(top >> 8);
        page[INTERIOR_HEAD + 2 * i + 1] = (uint8_t)top;
    }
    page[3] = (uint8_t)((n - 1) >> 8);
    page[4] = (uint8_t)(n - 1);
    page[5] = (uint8_t)(top >> 8);
    page[6] = (uint8_t)top;
    sl_put_be32(page + 8, v[n - 1].page);
}

/* Reads the leaves of all runs in turn. */
typedef struct leaf_reader {
    uint32_t run, at; /* the next is leaf AT of this run */
} leaf_reader;

static sl_status read_leaves(tree *t, leaf_reader *r, sl_leaf *out, size_t n, sl_error *err) {
    while (n > 0) {
        assert(r->run < t->nruns);
        const leaf_run *run = &t->runs[r->run];
        size_t k = run->n - r->at;
        if (k > n) k = n;
        TRY(sl_tempfile_read(t->s->side_fd, (char *)out, k * sizeof *out, run->at + r->at * sizeof *out,
                             err));
        out += k;
        n -= k;
        r->at += (uint32_t)k;
        if (r->at < run->n) break;
        r->run++;
        r->at = 0;
    }
    return SL_OK;
}

static size_t groups_of(size_t children) {
    return (children + FAN_OUT - 1) / FAN_OUT;
}

/* An interior page over the N children at V, one of GROUPS such; *OUT gets it. */
static sl_status add_interior(tree *t, const sl_leaf *v, size_t n, size_t groups, uint8_t *page, sl_leaf *out,
                              sl_error *err) {
    assert(groups >= 1);
    uint32_t number = SL_STORE_ROOT;
    if (groups > 1) TRY(take_page(t, &number, err));
    make_interior(page, v, n);
    *out = (sl_leaf){number, v[n - 1].last};
    return sl_store_write(t->s, page, SL_LEAF_PAGE, number, err);
}

/* The level over all N leaves; its pages are put at V. */
static sl_status first_level(tree *t, size_t n, sl_leaf *v, uint8_t *page, sl_error *err) {
    leaf_reader r = {0};
    sl_leaf children[FAN_OUT];
    size_t groups = groups_of(n);
    for (size_t g = 0; g < groups; g++) {
        size_t count = n * (g + 1) / groups - n * g / groups;
        TRY(read_leaves(t, &r, children, count, err));
        TRY(add_interior(t, children, count, groups, page, &v[g], err));
    }
    return SL_OK;
}

/* One level over the *N pages at V, in place: they are fewer afterwards. */
static sl_status add_level(tree *t, sl_leaf *v, size_t *n, uint8_t *page, sl_error *err) {
    size_t groups = groups_of(*n);
    for (size_t g = 0; g < groups; g++) {
        size_t from = *n * g / groups, to = *n * (g + 1) / groups;
        TRY(add_interior(t, v + from, to - from, groups, page, &v[g], err));
    }
    *n = groups;
    return SL_OK;
}

/* A lone leaf is the root itself; none at all, an empty one. */
static sl_status lone_root(tree *t, size_t n, uint8_t *page, sl_error *err) {
    sl_leaf only;
    memset(page, 0, SL_LEAF_PAGE);
    page[0] = LEAF;
    page[5] = (uint8_t)(SL_LEAF_PAGE >> 8);
    if (n) {
        TRY(read_leaves(t, &(leaf_reader){0}, &only, 1, err));
        TRY(sl_tempfile_read(t->s->fd, page, SL_LEAF_PAGE, (uint64_t)(only.page - 1) * SL_LEAF_PAGE, err));
        TRY(free_pages(t, only.page, 1, err));
    }
    return sl_store_write(t->s, page, SL_LEAF_PAGE, SL_STORE_ROOT, err);
}

static sl_status build(tree *t, size_t leaves, sl_leaf *v, uint8_t *page, sl_error *err) {
    if (leaves < 2) return lone_root(t, leaves, page, err);
    TRY(first_level(t, leaves, v, page, err));
    for (size_t n = groups_of(leaves); n > 1;) TRY(add_level(t, v, &n, page, err));
    return SL_OK;
}

static sl_status make_levels(tree *t, sl_error *err) {
    size_t n = 0;
    for (uint32_t i = 0; i < t->nruns; i++) n += t->runs[i].n;
    sl_leaf *v = malloc((groups_of(n) + 1) * sizeof *v);
    uint8_t *page = malloc(SL_LEAF_PAGE);
    sl_status st = v && page ? build(t, n, v, page, err) : sl_oom(err);
    free(page);
    free(v);
    return st;
}

/* ---- free pages ------------------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Those at the file's end are cut off. */
static void drop_last(tree *t) {
    if (t->nfree) qsort(t->free, t->nfree, sizeof *t->free, by_number);
    while (t->nfree && t->free[t->nfree - 1] == t->s->next_page - 1) {
        t->nfree--;
        t->s->next_page--;
    }
    if (t->s->next_page == SL_STORE_LOCK_PAGE + 1) t->s->next_page--;
    assert(t->s->next_page > SL_STORE_ROOT);
}

/* The others as SQLite lists them: trunk pages, each with the next one, a count and the numbers of free pages. The first trunk is the last
 * of t->free. */
static sl_status list_free(tree *t, uint8_t *page, sl_error *err) {
    uint32_t next = 0;
    for (uint32_t at = 0; at < t->nfree;) {
        uint32_t n = t->nfree - at - 1 < TRUNK_ROOM ? t->nfree - at - 1 : TRUNK_ROOM, trunk = t->free[at + n];
        assert(trunk > SL_STORE_ROOT && trunk < t->s->next_page);
        memset(page, 0, SL_LEAF_PAGE);
        sl_put_be32(page, next);
        sl_put_be32(page + 4, n);
        for (uint32_t i = 0; i < n; i++) sl_put_be32(page + 8 + 4 * (size_t)i, t->free[at + i]);
        TRY(sl_store_write(t->s, page, SL_LEAF_PAGE, trunk, err));
        next = trunk;
        at += n + 1;
    }
    return SL_OK;
}

/* ---- the head of the file -------------------------------------------------------------------------------------- */

static void put_counts(const tree *t, unsigned char *head) {
    sl_put_be32(head + 28, t->s->next_page - 1);
    sl_put_be32(head + 32, t->nfree ? t->free[t->nfree - 1] : 0);
    sl_put_be32(head + 36, t->nfree);
}

/* The statement of a table of many columns goes on in overflow pages, which stand behind the root in SQLite's image, from page 3 on: here
 * they stand at MOVED. */
static void move_chain(unsigned char *image, uint32_t pages, uint32_t moved) {
    const uint32_t first = SL_STORE_ROOT + 1;
    unsigned char *cell = image + ((uint32_t)image[108] << 8 | image[109]);
    uint64_t length, rowid;
    uint32_t local;
    sl_leaf_payload(cell, &length, &local);
    const uint8_t *payload = sl_varint_get(sl_varint_get(cell, cell + 9, &length), cell + 18, &rowid);
    sl_put_be32(cell + (payload - cell) + local, moved);
    for (uint32_t n = first; n < pages; n++)
        sl_put_be32(image + (size_t)(n - 1) * SL_LEAF_PAGE, moved + n + 1 - first);
}

static sl_status write_image(tree *t, unsigned char *image, uint32_t pages, sl_error *err) {
    uint32_t behind = pages - SL_STORE_ROOT, moved = 0;
    if (behind) {
        TRY(sl_store_take(t->s, behind, &moved, err));
        move_chain(image, pages, moved);
        TRY(sl_store_write(t->s, image + (size_t)SL_STORE_ROOT * SL_LEAF_PAGE, (size_t)behind * SL_LEAF_PAGE,
                           moved, err));
    }
    put_counts(t, image);
    return sl_store_write(t->s, image, SL_LEAF_PAGE, 1, err);
}

/* An empty database with our table, made by SQLite in memory: its first page is ours but for the counts of pages. */
static sl_status write_head(tree *t, sqlite3 *db, const char *sql, sl_error *err) {
    sqlite3_int64 n = 0;
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        if ((sqlite3_errcode(db) & 0xff) == SQLITE_NOMEM) return sl_oom(err);
        return sl_fail(err, SL_E_DATA, "cannot make a table of these columns: %s", sqlite3_errmsg(db));
    }
    unsigned char *image = sqlite3_serialize(db, "main", &n, 0);
    if (!image) return sl_oom(err);
    sl_status st = write_image(t, image, (uint32_t)(n / SL_LEAF_PAGE), err);
    sqlite3_free(image);
    return st;
}

static sl_status make_head(tree *t, const char *create, sl_error *err) {
    sqlite3 *db = NULL;
    sl_buf sql = {0};
    sl_buf_printf(&sql, "PRAGMA page_size=%u; ", SL_LEAF_PAGE);
    sl_buf_str(&sql, create);
    const char *z = sl_buf_cstr(&sql);
    sl_status st = sl_buf_check(&sql, err);
    if (st == SL_OK &&
        sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        st = sl_oom(err);
    if (st == SL_OK) st = write_head(t, db, z, err);
    sqlite3_close(db);
    sl_buf_free(&sql);
    return st;
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

static sl_status make_pages(tree *t, const char *create, sl_error *err) {
    TRY(settle_rows(t, err));
    TRY(make_levels(t, err));
    drop_last(t);
    TRY(make_head(t, create, err));
    uint8_t *page = malloc(SL_LEAF_PAGE);
    sl_status st = page ? list_free(t, page, err) : sl_oom(err);
    free(page);
    return st;
}

static sl_status cut_file(sl_store *s, sl_error *err) {
    off_t size = (off_t)(s->next_page - 1) * (off_t)SL_LEAF_PAGE;
    int cut;
    do {
        cut = ftruncate(s->fd, size);
    } while (cut != 0 && errno == EINTR);
    return cut == 0 ? SL_OK : sl_fail_errno(err, errno, "cannot write to", s->path);
}

sl_status sl_store_table(sl_store *s, const char *create, const bool *to_text, sl_error *err) {
    tree t = {.s = s, .to_text = to_text, .reader = {.store = s}};
    sl_status st = make_pages(&t, create, err);
    if (st == SL_OK) st = cut_file(s, err);
    sl_store_reader_free(&t.reader);
    sl_cells_writer_free(&t.rows);
    sl_leaf_free(&t.out);
    sl_buf_free(&t.frame);
    free(t.runs);
    free(t.free);
    return st;
}
