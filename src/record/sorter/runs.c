/* Runs: sorted records in an unlinked temporary file, written and read in large sequential pieces. */
#define _GNU_SOURCE /* fallocate */
#include "record/sorter/internal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/pages.h"
#include "base/tempfile.h"

enum { PIECE = 256 * 1024, LEAST_PIECE = 16 * 1024, HEADER = SL_RECORD_HEADER };

/* ---- files -------------------------------------------------------------------------------------------------------- */

sl_status sl_run_file_need(sl_run_file **file, const char *dir, sl_error *err) {
    if (*file) return SL_OK;
    sl_run_file *f = malloc(sizeof *f);
    if (!f) return sl_oom(err);
    *f = (sl_run_file){.fd = -1, .held = 1};
    sl_status status = sl_tempfile_open(dir, &f->fd, err);
    if (status)
        free(f);
    else
        *file = f;
    return status;
}

void sl_run_file_let_go(sl_run_file **file) {
    sl_run_file *f = *file;
    *file = NULL;
    assert(!f || f->held > 0);
    if (!f || --f->held) return;
    close(f->fd);
    free(f);
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

typedef struct writer {
    sl_run *run;
    char *piece;
    size_t filled;
} writer;

static sl_status flush(writer *w, sl_error *err) {
    TRY(sl_tempfile_write(w->run->file->fd, w->piece, w->filled, w->run->at + w->run->size, err));
    w->run->size += w->filled;
    w->filled = 0;
    return SL_OK;
}

static sl_status put(writer *w, const char *p, size_t n, sl_error *err) {
    while (n) {
        size_t part = n < PIECE - w->filled ? n : PIECE - w->filled;
        memcpy(w->piece + w->filled, p, part);
        w->filled += part;
        p += part;
        n -= part;
        assert(w->filled <= PIECE);
        if (w->filled == PIECE) TRY(flush(w, err));
    }
    return SL_OK;
}

static sl_status put_record(writer *w, const sl_sort_record *r, sl_error *err) {
    char header[HEADER];
    sl_record_header(r, header);
    TRY(put(w, header, HEADER, err));
    TRY(put(w, r->key.s, r->key.n, err));
    w->run->records++;
    return put(w, r->payload.s, r->payload.n, err);
}

/* One run is written to a file at a time. */
static sl_status writer_open(writer *w, sl_run *run, sl_run_file *file, sl_error *err) {
    assert(file->held > 0);
    *run = (sl_run){.file = file, .at = file->end};
    file->held++;
    *w = (writer){.run = run, .piece = malloc(PIECE)};
    return w->piece ? SL_OK : sl_oom(err);
}

/* Ends the run; a failed one is closed. */
static sl_status writer_close(writer *w, sl_status status, sl_error *err) {
    if (!status) status = flush(w, err);
    free(w->piece);
    w->run->file->end += w->run->size;
    if (status) sl_run_close(w->run);
    return status;
}

sl_status sl_run_write(sl_run *run, const sl_entry *e, size_t n, sl_run_file *file, sl_error *err) {
    writer w;
    sl_status status = writer_open(&w, run, file, err);
    for (size_t k = 0; k < n && !status; k++) {
        sl_sort_record r = sl_entry_record(&e[k]);
        status = put_record(&w, &r, err);
    }
    return writer_close(&w, status, err);
}

void sl_run_close(sl_run *run) {
    sl_run_file *f = run->file;
    if (!f) return;
    if (f->held > 1 && run->size)
        (void)fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)run->at, (off_t)run->size);
    sl_run_file_let_go(&run->file);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* Makes NEED bytes of the run available at f->begin. */
static sl_status fill(sl_front *f, size_t need, sl_error *err) {
    assert(f->begin <= f->filled && f->filled <= f->cap && f->offset <= f->run.size);
    if (f->filled - f->begin >= need) return SL_OK;
    memmove(f->buffer, f->buffer + f->begin, f->filled - f->begin);
    f->filled -= f->begin;
    f->begin = 0;
    if (need > f->cap) {
        char *larger = sl_pages_new(need);
        if (!larger) return sl_oom(err);
        memcpy(larger, f->buffer, f->filled);
        sl_pages_free(f->buffer, f->cap);
        f->buffer = larger;
        f->cap = need;
    }
    uint64_t left = f->run.size - f->offset;
    size_t n = f->cap - f->filled < left ? f->cap - f->filled : (size_t)left;
    if (f->filled + n < need) return sl_fail(err, SL_E_INTERNAL, "a temporary file ends inside a record");
    TRY(sl_tempfile_read(f->run.file->fd, f->buffer + f->filled, n, f->run.at + f->offset, err));
    f->filled += n;
    f->offset += n;
    return SL_OK;
}

static sl_status advance_run(sl_front *f, sl_error *err) {
    if (f->begin == f->filled && f->offset == f->run.size) return SL_DONE;
    TRY(fill(f, HEADER, err));
    uint32_t key, payload;
    memcpy(&key, f->buffer + f->begin, 4);
    memcpy(&payload, f->buffer + f->begin + 4, 4);
    memcpy(&f->record.ordinal, f->buffer + f->begin + 8, 8);
    size_t size = HEADER + (size_t)key + payload;
    TRY(fill(f, size, err));
    const char *p = f->buffer + f->begin + HEADER;
    f->record.key = (sl_text){p, key};
    f->record.payload = (sl_text){p + key, payload};
    f->prefix = sl_key_prefix(f->record.key);
    f->begin += size;
    return SL_OK;
}

static sl_status advance(sl_front *f, sl_error *err) {
    if (f->buffer) return advance_run(f, err);
    if (f->at == f->end) return SL_DONE;
    f->record = sl_entry_record(f->at);
    f->prefix = f->at++->prefix;
    return SL_OK;
}

/* ---- merging ------------------------------------------------------------------------------------------------------ */

static bool before(const sl_merge *m, uint32_t a, uint32_t b) {
    const sl_front *x = &m->fronts[a], *y = &m->fronts[b];
    return sl_record_order(x->prefix, &x->record, y->prefix, &y->record) < 0;
}

static void sift_down(sl_merge *m, uint32_t at) {
    assert(at < m->n && m->n <= m->nfronts);
    uint32_t moving = m->heap[at];
    for (uint32_t child; (child = 2 * at + 1) < m->n; at = child) {
        if (child + 1 < m->n && before(m, m->heap[child + 1], m->heap[child])) child++;
        if (!before(m, m->heap[child], moving)) break;
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = moving;
}

/* BUFFER: bytes for one of a run. */
static sl_status open_front(sl_merge *m, const sl_run *run, size_t buffer, const sl_entry *e, size_t n,
                            sl_error *err) {
    sl_front *f = &m->fronts[m->nfronts++];
    *f = (sl_front){.at = e, .end = e ? e + n : e};
    if (run) {
        f->run = *run;
        f->cap = buffer;
        f->buffer = sl_pages_new(buffer);
        if (!f->buffer) return sl_oom(err);
    }
    sl_status status = advance(f, err);
    if (status == SL_OK) m->heap[m->n++] = m->nfronts - 1;
    return status == SL_DONE ? SL_OK : status;
}

sl_status sl_merge_open(sl_merge *m, const sl_run *runs, uint32_t nruns, const sl_entry *e, size_t n,
                        size_t room, sl_error *err) {
    size_t buffer = nruns ? room / nruns : PIECE;
    if (buffer > PIECE) buffer = PIECE;
    if (buffer < LEAST_PIECE) buffer = LEAST_PIECE;
    *m = (sl_merge){.fronts = calloc(nruns + (size_t)1, sizeof(sl_front)),
                    .heap = calloc(nruns + (size_t)1, 4)};
    if (!m->fronts || !m->heap) return sl_oom(err);
    for (uint32_t k = 0; k < nruns; k++) TRY(open_front(m, &runs[k], buffer, NULL, 0, err));
    if (n) TRY(open_front(m, NULL, 0, e, n, err));
    for (uint32_t k = m->n / 2; k-- > 0;) sift_down(m, k);
    return SL_OK;
}

sl_status sl_merge_next(sl_merge *m, sl_sort_record *out, sl_error *err) {
    if (m->moved) {
        m->moved = false;
        sl_status status = advance(&m->fronts[m->heap[0]], err);
        if (status == SL_DONE)
            m->heap[0] = m->heap[--m->n];
        else if (status)
            return status;
        if (m->n) sift_down(m, 0);
    }
    if (!m->n) return SL_DONE;
    assert(m->n < 2 || !before(m, m->heap[1], m->heap[0]));
    *out = m->fronts[m->heap[0]].record;
    m->moved = true;
    return SL_OK;
}

void sl_merge_close(sl_merge *m) {
    for (uint32_t k = 0; m->fronts && k < m->nfronts; k++)
        sl_pages_free(m->fronts[k].buffer, m->fronts[k].cap);
    free(m->fronts);
    free(m->heap);
    *m = (sl_merge){0};
}

static sl_status copy_merged(sl_merge *m, writer *w, uint64_t limit, const _Atomic bool *stopping,
                             sl_error *err) {
    sl_sort_record r;
    while (!limit || w->run->records < limit) {
        if (stopping && atomic_load_explicit(stopping, memory_order_relaxed))
            return sl_fail(err, SL_E_STOPPED, "stopped on request");
        sl_status status = sl_merge_next(m, &r, err);
        if (status) return status == SL_DONE ? SL_OK : status;
        TRY(put_record(w, &r, err));
    }
    return SL_OK;
}

sl_status sl_runs_merge(const sl_run *runs, uint32_t n, uint64_t limit, sl_run_file *file, sl_run *out,
                        size_t room, const _Atomic bool *stopping, sl_error *err) {
    sl_merge m;
    writer w;
    sl_status status = writer_open(&w, out, file, err);
    sl_status opened = sl_merge_open(&m, runs, n, NULL, 0, room, err);
    if (!status) status = opened;
    if (!status) status = copy_merged(&m, &w, limit, stopping, err);
    sl_merge_close(&m);
    return writer_close(&w, status, err);
}
